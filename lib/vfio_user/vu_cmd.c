/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include "vu_cmd.h"

#define TAIL_ANY UINT64_MAX

static uint64_t
tail_any(const void *fixed)
{
	(void)fixed;
	return TAIL_ANY;
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
tail_region_access(const void *fixed)
{
	struct vu_region_access access;

	memcpy(&access, fixed, sizeof(access));
	return access.count;
}

static uint64_t
tail_dma_access(const void *fixed)
{
	struct vu_dma_access access;

	memcpy(&access, fixed, sizeof(access));
	/* a count that no message can carry must not be taken for "any" */
	return access.count < TAIL_ANY ? access.count : TAIL_ANY - 1;
}

static uint64_t
tail_write_multi(const void *fixed)
{
	struct vu_write_multi multi;

	memcpy(&multi, fixed, sizeof(multi));
	if (multi.wr_cnt > UINT32_MAX)
		return TAIL_ANY - 1;
	return multi.wr_cnt * sizeof(struct vu_write_multi_entry);
}

static uint64_t
tail_mig_data(const void *fixed)
{
	struct vu_mig_data data;

	memcpy(&data, fixed, sizeof(data));
	return data.size;
}

#define ARGSZ(min) .has_argsz = true, .argsz_min = (min)

static const struct vu_cmd_desc cmds[VU_CMD_NB] = {
	[VU_VERSION] = { "VERSION", VU_TO_SERVER,
		.request = { sizeof(struct vu_version), tail_any, 0 },
		.reply = { sizeof(struct vu_version), tail_any, 1 },
		.always_answered = true },
	[VU_DMA_MAP] = { "DMA_MAP", VU_TO_SERVER,
		.request = { sizeof(struct vu_dma_map), NULL, 1 },
		ARGSZ(sizeof(struct vu_dma_map)) },
	[VU_DMA_UNMAP] = { "DMA_UNMAP", VU_TO_SERVER,
		.request = { sizeof(struct vu_dma_unmap), tail_unmap_request, 0 },
		/* libvfio-user leaves the payload out when its device does no DMA */
		.reply = { 0, tail_any, 0 },
		ARGSZ(sizeof(struct vu_dma_unmap)) },
	[VU_GET_INFO] = { "DEVICE_GET_INFO", VU_TO_SERVER,
		.request = { VU_DEVICE_INFO_SIZE, NULL, 0 },
		.reply = { VU_DEVICE_INFO_SIZE, NULL, 0 },
		ARGSZ(VU_DEVICE_INFO_SIZE) },
	[VU_GET_REGION_INFO] = { "DEVICE_GET_REGION_INFO", VU_TO_SERVER,
		.request = { sizeof(struct vfio_region_info), NULL, 0 },
		.reply = { sizeof(struct vfio_region_info), tail_any, 1 },
		ARGSZ(sizeof(struct vfio_region_info)) },
	[VU_GET_REGION_IO_FDS] = { "DEVICE_GET_REGION_IO_FDS", VU_TO_SERVER,
		.request = { sizeof(struct vu_region_io_fds), NULL, 0 },
		.reply = { sizeof(struct vu_region_io_fds), tail_any, VU_FDS_COUNTED },
		ARGSZ(sizeof(struct vu_region_io_fds)) },
	[VU_GET_IRQ_INFO] = { "DEVICE_GET_IRQ_INFO", VU_TO_SERVER,
		.request = { sizeof(struct vfio_irq_info), NULL, 0 },
		.reply = { sizeof(struct vfio_irq_info), NULL, 0 },
		ARGSZ(sizeof(struct vfio_irq_info)) },
	[VU_SET_IRQS] = { "DEVICE_SET_IRQS", VU_TO_SERVER,
		.request = { sizeof(struct vfio_irq_set), tail_set_irqs, VU_FDS_COUNTED },
		ARGSZ(sizeof(struct vfio_irq_set)) },
	[VU_REGION_READ] = { "REGION_READ", VU_TO_SERVER,
		.request = { sizeof(struct vu_region_access), NULL, 0 },
		.reply = { sizeof(struct vu_region_access), tail_region_access, 0 } },
	[VU_REGION_WRITE] = { "REGION_WRITE", VU_TO_SERVER,
		.request = { sizeof(struct vu_region_access), tail_region_access, 0 },
		.reply = { sizeof(struct vu_region_access), NULL, 0 } },
	[VU_DMA_READ] = { "DMA_READ", VU_TO_CLIENT,
		.request = { sizeof(struct vu_dma_access), NULL, 0 },
		.reply = { sizeof(struct vu_dma_access), tail_dma_access, 0 } },
	[VU_DMA_WRITE] = { "DMA_WRITE", VU_TO_CLIENT,
		.request = { sizeof(struct vu_dma_access), tail_dma_access, 0 },
		/* 16 bytes; 12 by the letter of the specification; none from early QEMU */
		.reply = { 0, tail_any, 0 } },
	[VU_RESET] = { "DEVICE_RESET", VU_TO_SERVER },
	[VU_REGION_WRITE_MULTI] = { "REGION_WRITE_MULTI", VU_TO_SERVER,
		.request = { sizeof(struct vu_write_multi), tail_write_multi, 0 },
		.reply = { sizeof(struct vu_write_multi), NULL, 0 } },
	[VU_FEATURE] = { "DEVICE_FEATURE", VU_TO_SERVER,
		.request = { sizeof(struct vfio_device_feature), tail_any, 0 },
		.reply = { sizeof(struct vfio_device_feature), tail_any, 0 },
		ARGSZ(sizeof(struct vfio_device_feature)) },
	[VU_MIG_DATA_READ] = { "MIG_DATA_READ", VU_TO_SERVER,
		.request = { sizeof(struct vu_mig_data), NULL, 0 },
		/* libvfio-user pads to what was asked: the size field counts */
		.reply = { sizeof(struct vu_mig_data), tail_any, 0 },
		ARGSZ(sizeof(struct vu_mig_data)) },
	[VU_MIG_DATA_WRITE] = { "MIG_DATA_WRITE", VU_TO_SERVER,
		.request = { sizeof(struct vu_mig_data), tail_mig_data, 0 },
		ARGSZ(sizeof(struct vu_mig_data)) },
	[VU_DMA_MAP_MULTI] = { "DMA_MAP_MULTI", VU_TO_SERVER,
		.request = { sizeof(struct vu_map_multi), tail_map_multi, VU_FDS_COUNTED },
		.reply = { sizeof(struct vu_map_multi), NULL, 0 } },
};

const struct vu_cmd_desc *
vu_cmd_desc(uint32_t cmd)
{
	if (cmd >= VU_CMD_NB || cmds[cmd].name == NULL)
		return NULL;
	return &cmds[cmd];
}

const char *
vu_cmd_name(uint32_t cmd)
{
	const struct vu_cmd_desc *desc = vu_cmd_desc(cmd);

	return desc != NULL ? desc->name : "unknown command";
}

static bool
shape_fits(const struct vu_shape *shape, const void *payload, size_t len)
{
	uint64_t tail;

	if (len < shape->fixed)
		return false;
	tail = shape->tail != NULL ? shape->tail(payload) : 0;
	return tail == TAIL_ANY || len - shape->fixed == tail;
}

/* It stands first in the fixed part. */
static uint32_t
argsz_of(const void *payload)
{
	uint32_t argsz;

	memcpy(&argsz, payload, sizeof(argsz));
	return argsz;
}

int
vu_request_check(uint32_t cmd, enum vu_dir dir, const void *payload, size_t len,
	unsigned int nb_fds)
{
	const struct vu_cmd_desc *desc = vu_cmd_desc(cmd);

	if (desc == NULL || desc->dir != dir)
		return -ENOSYS;
	if (!shape_fits(&desc->request, payload, len))
		return -EINVAL;
	if (desc->has_argsz && argsz_of(payload) < desc->argsz_min)
		return -EINVAL;
	if (desc->request.max_fds != VU_FDS_COUNTED && nb_fds > desc->request.max_fds)
		return -EINVAL;
	return 0;
}

int
vu_reply_check(uint32_t cmd, const void *payload, size_t len, unsigned int nb_fds)
{
	const struct vu_cmd_desc *desc = vu_cmd_desc(cmd);

	if (desc == NULL || !shape_fits(&desc->reply, payload, len))
		return -EPROTO;
	if (desc->reply.max_fds != VU_FDS_COUNTED && nb_fds > desc->reply.max_fds)
		return -EPROTO;
	return 0;
}
