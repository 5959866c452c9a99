/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <rte_common.h>
#include <rte_eal.h>

#include "eal_vfio.h"
#include "eal_vfio_type1.h"

/* No IOMMU needs more to describe itself. */
#define INFO_MAX (1u << 20)

/* The fields that the first version of the structure had. */
#define INFO_MIN (offsetof(struct vfio_iommu_type1_info, iova_pgsizes) + sizeof(uint64_t))

/* Finds a capability; @p bytes is what the kernel gave, and is not trusted. */
static const void *
info_cap(const uint8_t *bytes, uint32_t len, uint32_t at, uint16_t id, size_t size)
{
	struct vfio_info_cap_header head;
	uint32_t steps;

	/* A chain cannot have more links than it has room for, so a loop ends. */
	for (steps = len / sizeof(head); steps > 0; steps--) {
		if (at < sizeof(struct vfio_iommu_type1_info) || at % 4 != 0 || at > len ||
				len - at < sizeof(head))
			return NULL;
		memcpy(&head, &bytes[at], sizeof(head));
		if (head.id == id)
			return len - at < size ? NULL : &bytes[at];
		at = head.next;
	}
	return NULL;
}

static int
info_take_ranges(const uint8_t *bytes, uint32_t len, uint32_t at, struct eal_vfio_iommu_info *info)
{
	struct vfio_iommu_type1_info_cap_iova_range head;
	const uint8_t *cap;
	size_t room;

	cap = info_cap(bytes, len, at, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, sizeof(head));
	if (cap == NULL)
		return 0;
	memcpy(&head, cap, sizeof(head));
	room = (len - (size_t)(cap - bytes) - sizeof(head)) / sizeof(info->ranges[0]);
	if (head.nr_iovas == 0 || head.nr_iovas > room)
		return 0;
	info->ranges = calloc(head.nr_iovas, sizeof(info->ranges[0]));
	if (info->ranges == NULL)
		return -ENOMEM;
	memcpy(info->ranges, cap + sizeof(head), head.nr_iovas * sizeof(info->ranges[0]));
	info->nb_ranges = head.nr_iovas;
	return 0;
}

static int
info_take(const uint8_t *bytes, uint32_t len, struct eal_vfio_iommu_info *info)
{
	struct vfio_iommu_type1_info head;

	memset(&head, 0, sizeof(head));
	memcpy(&head, bytes, RTE_MIN(len, sizeof(head)));
	if ((head.flags & VFIO_IOMMU_INFO_PGSIZES) != 0 && head.iova_pgsizes != 0)
		info->page_sz = head.iova_pgsizes & -head.iova_pgsizes;
	if ((head.flags & VFIO_IOMMU_INFO_CAPS) == 0 || len < sizeof(head))
		return 0;
	return info_take_ranges(bytes, len, head.cap_offset, info);
}

/* Without an answer there are no checks of ours; the kernel's remain. */
static int
type1_query(const struct eal_vfio_container *container, struct eal_vfio_iommu_info *info)
{
	struct vfio_iommu_type1_info head = { .argsz = sizeof(head) };
	uint32_t len;
	uint8_t *bytes;
	int rc = 0;

	if (ioctl(container->fd, VFIO_IOMMU_GET_INFO, &head) != 0) {
		VFIO_LOG(DEBUG, "the IOMMU does not describe itself: %s", strerror(errno));
		return 0;
	}
	len = RTE_MIN(RTE_MAX(head.argsz, (uint32_t)sizeof(head)), INFO_MAX);
	bytes = calloc(1, len);
	if (bytes == NULL)
		return -ENOMEM;
	memcpy(bytes, &len, sizeof(len));
	if (ioctl(container->fd, VFIO_IOMMU_GET_INFO, bytes) == 0)
		rc = info_take(bytes, len, info);
	free(bytes);
	return rc;
}

static int
type1_map(const struct eal_vfio_container *container, const struct eal_vfio_map *map)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = map->vaddr,
		.iova = map->iova,
		.size = map->len,
	};

	return ioctl(container->fd, VFIO_IOMMU_MAP_DMA, &arg) == 0 ? 0 : -errno;
}

static int
type1_unmap(const struct eal_vfio_container *container, uint64_t iova, uint64_t len)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg), .iova = iova, .size = len,
	};

	if (ioctl(container->fd, VFIO_IOMMU_UNMAP_DMA, &arg) != 0)
		return -errno;
	if (arg.size != len)
		VFIO_LOG(WARNING,
			"the IOMMU gave back %" PRIu64 " of %" PRIu64 " bytes at IOVA 0x%" PRIx64,
			(uint64_t)arg.size, len, iova);
	return 0;
}

static int
noiommu_query(const struct eal_vfio_container *container, struct eal_vfio_iommu_info *info)
{
	return 0;
}

/* Without an IOMMU devices see all of the memory, by its physical addresses. */
static int
noiommu_map(const struct eal_vfio_container *container, const struct eal_vfio_map *map)
{
	return 0;
}

static int
noiommu_unmap(const struct eal_vfio_container *container, uint64_t iova, uint64_t len)
{
	return 0;
}

/* What a container can be made to be, best first. */
static const struct kind {
	int type;	/* VFIO_..._IOMMU */
	struct eal_vfio_iommu_ops ops;
} kinds[] = {
	{ VFIO_TYPE1v2_IOMMU, { "type 1 v2", type1_query, type1_map, type1_unmap } },
	{ VFIO_TYPE1_IOMMU, { "type 1", type1_query, type1_map, type1_unmap } },
	{ VFIO_NOIOMMU_IOMMU, { "no IOMMU", noiommu_query, noiommu_map, noiommu_unmap } },
};

bool
eal_vfio_type1_is_known(int fd)
{
	size_t i;

	for (i = 0; i < RTE_DIM(kinds); i++)
		if (ioctl(fd, VFIO_CHECK_EXTENSION, kinds[i].type) > 0)
			return true;
	return false;
}

/* Why a container that has a group cannot have an IOMMU. */
static const char *
select_hint(int err, bool noiommu)
{
	if (noiommu && err == ENODEV)
		return "this device has no IOMMU, and the kernel does not permit that any more; "
			"write Y to " RTE_VFIO_NOIOMMU_MODE;
	if (err == ENODEV)
		return "load the module vfio_iommu_type1, and see that the IOMMU is on";
	if (err == EPERM)
		return noiommu ? "without an IOMMU it takes root (CAP_SYS_RAWIO)" :
			"the platform cannot keep interrupts apart, see allow_unsafe_interrupts "
			"of the module vfio_iommu_type1; or this user may not do it";
	return "see the kernel's log";
}

static void
selected(int fd, const struct kind *kind)
{
	VFIO_LOG(DEBUG, "container %d uses IOMMU %s", fd, kind->ops.name);
	if (kind->type == VFIO_NOIOMMU_IOMMU && rte_eal_iova_mode() != RTE_IOVA_PA)
		VFIO_LOG(WARNING, "there is no IOMMU, but devices are given virtual addresses; "
			"use --iova-mode=pa");
}

int
eal_vfio_type1_select(int fd, bool noiommu, const struct eal_vfio_iommu_ops **ops)
{
	int err = ENODEV;
	size_t i;

	for (i = 0; i < RTE_DIM(kinds); i++) {
		if (ioctl(fd, VFIO_CHECK_EXTENSION, kinds[i].type) <= 0)
			continue;
		if (ioctl(fd, VFIO_SET_IOMMU, kinds[i].type) == 0) {
			selected(fd, &kinds[i]);
			*ops = &kinds[i].ops;
			return 0;
		}
		err = errno;
	}
	VFIO_LOG(ERR, "no IOMMU can be used (%s): %s", strerror(err), select_hint(err, noiommu));
	return -err;
}
