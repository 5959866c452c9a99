/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include "vu_cmd.h"

static uint64_t
tail_any(const void *fixed)
{
	(void)fixed;
	return VU_TAIL_ANY;
}

static uint64_t
tail_map_multi(const void *fixed)
{
	struct vu_map_multi multi;

	memcpy(&multi, fixed, sizeof(multi));
	return (uint64_t)multi.count * sizeof(struct vu_dma_map);
}

static uint64_t
tail_unmap_request(const void *fixed)
{
	struct vu_dma_unmap unmap;

	memcpy(&unmap, fixed, sizeof(unmap));
	return unmap.flags & VU_UNMAP_F_BITMAP ? sizeof(struct vu_bitmap) : 0;
}

static uint64_t
tail_set_irqs(const void *fixed)
{
	struct vfio_irq_set set;

	memcpy(&set, fixed, sizeof(set));
	return set.flags & VFIO_IRQ_SET_DATA_BOOL ? set.count : 0;
}

static uint64_t
tail_dma_access(const void *fixed)
{
	struct vu_dma_access access;

	memcpy(&access, fixed, sizeof(access));
	/* a count that no message can carry must not be taken for "any" */
	return access.count < VU_TAIL_ANY ? access.count : VU_TAIL_ANY - 1;
}

static uint64_t
tail_write_multi(const void *fixed)
{
	struct vu_write_multi multi;

	memcpy(&multi, fixed, sizeof(multi));
	if (multi.wr_cnt > UINT32_MAX)
		return VU_TAIL_ANY - 1;
	return multi.wr_cnt * sizeof(struct vu_write_multi_entry);
}

#define COUNT_AT(type, field) .count_at = offsetof(struct type, field)

#define ARGSZ(min) .has_argsz = true, .argsz_min = (min)

const struct vu_cmd_desc vu_cmds[VU_CMD_NB] = {
	[VU_VERSION] = { "VERSION", VU_TO_SERVER,
		.request = { sizeof(struct vu_version), 0, .tail = tail_any },
		.reply = { sizeof(struct vu_version), 1, .tail = tail_any },
		.always_answered = true },
	[VU_DMA_MAP] = { "DMA_MAP", VU_TO_SERVER,
		.request = { sizeof(struct vu_dma_map), 1 },
		ARGSZ(sizeof(struct vu_dma_map)) },
	[VU_DMA_UNMAP] = { "DMA_UNMAP", VU_TO_SERVER,
		.request = { sizeof(struct vu_dma_unmap), 0, .tail = tail_unmap_request },
		/* libvfio-user leaves the payload out when its device does no DMA */
		.reply = { 0, 0, .tail = tail_any },
		ARGSZ(sizeof(struct vu_dma_unmap)) },
	[VU_GET_INFO] = { "DEVICE_GET_INFO", VU_TO_SERVER,
		.request = { VU_DEVICE_INFO_SIZE, 0 },
		.reply = { VU_DEVICE_INFO_SIZE, 0 },
		ARGSZ(VU_DEVICE_INFO_SIZE) },
	[VU_GET_REGION_INFO] = { "DEVICE_GET_REGION_INFO", VU_TO_SERVER,
		.request = { sizeof(struct vfio_region_info), 0 },
		.reply = { sizeof(struct vfio_region_info), 1, .tail = tail_any },
		ARGSZ(sizeof(struct vfio_region_info)) },
	[VU_GET_REGION_IO_FDS] = { "DEVICE_GET_REGION_IO_FDS", VU_TO_SERVER,
		.request = { sizeof(struct vu_region_io_fds), 0 },
		.reply = { sizeof(struct vu_region_io_fds), VU_FDS_COUNTED, .tail = tail_any },
		ARGSZ(sizeof(struct vu_region_io_fds)) },
	[VU_GET_IRQ_INFO] = { "DEVICE_GET_IRQ_INFO", VU_TO_SERVER,
		.request = { sizeof(struct vfio_irq_info), 0 },
		.reply = { sizeof(struct vfio_irq_info), 0 },
		ARGSZ(sizeof(struct vfio_irq_info)) },
	[VU_SET_IRQS] = { "DEVICE_SET_IRQS", VU_TO_SERVER,
		.request = { sizeof(struct vfio_irq_set), VU_FDS_COUNTED, .tail = tail_set_irqs },
		ARGSZ(sizeof(struct vfio_irq_set)) },
	[VU_REGION_READ] = { "REGION_READ", VU_TO_SERVER,
		.request = { sizeof(struct vu_region_access), 0 },
		.reply = { sizeof(struct vu_region_access), 0,
			COUNT_AT(vu_region_access, count) } },
	[VU_REGION_WRITE] = { "REGION_WRITE", VU_TO_SERVER,
		.request = { sizeof(struct vu_region_access), 0,
			COUNT_AT(vu_region_access, count) },
		.reply = { sizeof(struct vu_region_access), 0 } },
	[VU_DMA_READ] = { "DMA_READ", VU_TO_CLIENT,
		.request = { sizeof(struct vu_dma_access), 0 },
		.reply = { sizeof(struct vu_dma_access), 0, .tail = tail_dma_access } },
	[VU_DMA_WRITE] = { "DMA_WRITE", VU_TO_CLIENT,
		.request = { sizeof(struct vu_dma_access), 0, .tail = tail_dma_access },
		/* 16 bytes; 12 by the letter of the specification; none from early QEMU */
		.reply = { 0, 0, .tail = tail_any } },
	[VU_RESET] = { "DEVICE_RESET", VU_TO_SERVER },
	[VU_REGION_WRITE_MULTI] = { "REGION_WRITE_MULTI", VU_TO_SERVER,
		.request = { sizeof(struct vu_write_multi), 0, .tail = tail_write_multi },
		.reply = { sizeof(struct vu_write_multi), 0 } },
	[VU_FEATURE] = { "DEVICE_FEATURE", VU_TO_SERVER,
		.request = { sizeof(struct vfio_device_feature), 0, .tail = tail_any },
		.reply = { sizeof(struct vfio_device_feature), 0, .tail = tail_any },
		ARGSZ(sizeof(struct vfio_device_feature)) },
	[VU_MIG_DATA_READ] = { "MIG_DATA_READ", VU_TO_SERVER,
		.request = { sizeof(struct vu_mig_data), 0 },
		/* libvfio-user pads to what was asked: the size field counts */
		.reply = { sizeof(struct vu_mig_data), 0, .tail = tail_any },
		ARGSZ(sizeof(struct vu_mig_data)) },
	[VU_MIG_DATA_WRITE] = { "MIG_DATA_WRITE", VU_TO_SERVER,
		.request = { sizeof(struct vu_mig_data), 0, COUNT_AT(vu_mig_data, size) },
		ARGSZ(sizeof(struct vu_mig_data)) },
	[VU_DMA_MAP_MULTI] = { "DMA_MAP_MULTI", VU_TO_SERVER,
		.request = { sizeof(struct vu_map_multi), VU_FDS_COUNTED, .tail = tail_map_multi },
		.reply = { sizeof(struct vu_map_multi), 0 } },
};

const char *
vu_cmd_name(uint32_t cmd)
{
	const struct vu_cmd_desc *desc = vu_cmd_desc(cmd);

	return desc != NULL ? desc->name : "unknown command";
}
