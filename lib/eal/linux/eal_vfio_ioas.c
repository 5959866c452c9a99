/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <rte_common.h>

#include "eal_vfio.h"
#include "eal_vfio_ioas.h"
#include "eal_vfio_uapi.h"

/* As many ranges as are asked for at first, and as many as are believed. */
#define RANGES_FIRST 16
#define RANGES_MAX 4096

int
eal_vfio_ioas_alloc(int fd, uint32_t *ioas)
{
	struct eal_iommu_ioas_alloc arg = { .size = sizeof(arg) };

	if (ioctl(fd, EAL_IOMMU_IOAS_ALLOC, &arg) != 0)
		return -errno;
	*ioas = arg.out_ioas_id;
	return 0;
}

void
eal_vfio_ioas_free(int fd, uint32_t ioas)
{
	struct eal_iommu_destroy arg = { .size = sizeof(arg), .id = ioas };

	if (ioctl(fd, EAL_IOMMU_DESTROY, &arg) != 0)
		VFIO_LOG(DEBUG, "address space %u stays: %s", ioas, strerror(errno));
}

/* Asks for at most @p max ranges. 0; the number there is, if that is more; -errno. */
static int
ranges_ask(const struct eal_vfio_container *container, struct vfio_iova_range *ranges,
		uint32_t max, struct eal_iommu_ioas_iova_ranges *arg)
{
	*arg = (struct eal_iommu_ioas_iova_ranges){
		.size = sizeof(*arg), .ioas_id = container->ioas, .num_iovas = max,
		.allowed_iovas = (uintptr_t)ranges,
	};
	if (ioctl(container->fd, EAL_IOMMU_IOAS_IOVA_RANGES, arg) == 0)
		return arg->num_iovas <= max ? 0 : -EPROTO;
	if (errno != EMSGSIZE)
		return -errno;
	return arg->num_iovas > max && arg->num_iovas <= RANGES_MAX ? (int)arg->num_iovas : -EPROTO;
}

/* The answer is of the kernel's choice, so none of it is taken on trust. */
static bool
ranges_are_sane(const struct vfio_iova_range *ranges, uint32_t nb, uint64_t alignment)
{
	uint32_t i;

	for (i = 0; i < nb; i++)
		if (ranges[i].start > ranges[i].end)
			return false;
	return alignment != 0 && (alignment & (alignment - 1)) == 0;
}

/* The ranges may become more between two questions. */
static int
ranges_get(const struct eal_vfio_container *container, struct vfio_iova_range **ranges,
		struct eal_iommu_ioas_iova_ranges *answer)
{
	struct vfio_iova_range *grown;
	int more = RANGES_FIRST;

	while (more > 0) {
		grown = realloc(*ranges, (size_t)more * sizeof(**ranges));
		if (grown == NULL)
			return -ENOMEM;
		/* so that what the kernel claims but does not write is nothing */
		memset(grown, 0, (size_t)more * sizeof(*grown));
		*ranges = grown;
		more = ranges_ask(container, grown, (uint32_t)more, answer);
	}
	if (more == 0 && !ranges_are_sane(*ranges, answer->num_iovas, answer->out_iova_alignment))
		return -EPROTO;
	return more;
}

/* Without an answer there are no checks of ours; the kernel's remain. */
static int
ioas_query(const struct eal_vfio_container *container, struct eal_vfio_iommu_info *info)
{
	struct eal_iommu_ioas_iova_ranges answer = { .size = 0 };
	struct vfio_iova_range *ranges = NULL;
	int rc = ranges_get(container, &ranges, &answer);

	if (rc == 0 && answer.num_iovas != 0) {
		info->page_sz = answer.out_iova_alignment;
		info->ranges = ranges;
		info->nb_ranges = answer.num_iovas;
		return 0;
	}
	free(ranges);
	if (rc == -ENOMEM)
		return rc;
	VFIO_LOG(DEBUG, "address space %u does not describe itself: %s", container->ioas,
		strerror(-rc));
	return 0;
}

static int
ioas_map(const struct eal_vfio_container *container, const struct eal_vfio_map *map)
{
	struct eal_iommu_ioas_map arg = {
		.size = sizeof(arg),
		.flags = EAL_IOMMU_MAP_FIXED_IOVA | EAL_IOMMU_MAP_READABLE |
			EAL_IOMMU_MAP_WRITEABLE,
		.ioas_id = container->ioas,
		.user_va = map->vaddr,
		.length = map->len,
		.iova = map->iova,
	};

	return ioctl(container->fd, EAL_IOMMU_IOAS_MAP, &arg) == 0 ? 0 : -errno;
}

static int
ioas_unmap(const struct eal_vfio_container *container, uint64_t iova, uint64_t len)
{
	struct eal_iommu_ioas_unmap arg = {
		.size = sizeof(arg), .ioas_id = container->ioas, .iova = iova, .length = len,
	};

	if (ioctl(container->fd, EAL_IOMMU_IOAS_UNMAP, &arg) != 0)
		return -errno;
	if (arg.length != len)
		VFIO_LOG(WARNING,
			"the IOMMU gave back %" PRIu64 " of %" PRIu64 " bytes at IOVA 0x%" PRIx64,
			arg.length, len, iova);
	return 0;
}

const struct eal_vfio_iommu_ops eal_vfio_ioas_ops = {
	.name = "iommufd",
	.query = ioas_query,
	.map = ioas_map,
	.unmap = ioas_unmap,
};
