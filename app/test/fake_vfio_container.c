/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_vfio_priv.h"
#include "test.h"

bool
fake_container_is_noiommu(const struct fake_container *container)
{
	const struct fake_group *group;

	for (group = container->fake->groups; group != NULL; group = group->next)
		if (group->container == container)
			return group->noiommu;
	return false;
}

static int
container_get_api_version(void *ctx, void *arg)
{
	return VFIO_API_VERSION;
}

static int
container_check_extension(void *ctx, void *arg)
{
	const struct fake_container *container = ctx;
	const struct fake_vfio *fake = container->fake;
	bool real = container->nb_groups == 0 || !fake_container_is_noiommu(container);
	bool unreal = container->nb_groups == 0 || fake_container_is_noiommu(container);

	switch ((uintptr_t)arg) {
	case VFIO_TYPE1_IOMMU:
		return real && !fake->no_type1;
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return real && !fake->no_type1 && !fake->no_type1v2;
	case VFIO_NOIOMMU_IOMMU:
		return unreal && fake->noiommu;
	default:
		return 0;
	}
}

static int
container_set_iommu(void *ctx, void *arg)
{
	struct fake_container *container = ctx;

	if (container->nb_groups == 0 || container->iommu != 0)
		return -EINVAL;
	if (container_check_extension(ctx, arg) == 0)
		return -ENODEV;
	container->iommu = (int)(uintptr_t)arg;
	return 0;
}

static uint32_t
lie_or(uint32_t lie, uint32_t truth)
{
	return lie != 0 ? lie : truth;
}

static uint32_t
container_put_iova_ranges(const struct fake_vfio *fake, uint8_t *at)
{
	struct vfio_iommu_type1_info_cap_iova_range cap = {
		.header = { .id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, .version = 1 },
		.nr_iovas = lie_or(fake->iommu_lie.nr_iovas, fake->nb_iova_ranges),
	};

	if (fake->nb_iova_ranges == 0)
		return 0;
	memcpy(at, &cap, sizeof(cap));
	memcpy(at + sizeof(cap), fake->iova_ranges,
		fake->nb_iova_ranges * sizeof(fake->iova_ranges[0]));
	return sizeof(cap) + fake->nb_iova_ranges * sizeof(fake->iova_ranges[0]);
}

static int
container_get_info(void *ctx, void *arg)
{
	const struct fake_container *container = ctx;
	const struct fake_vfio *fake = container->fake;
	struct vfio_iommu_type1_info info = {
		.argsz = sizeof(info),
		.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS,
		.iova_pgsizes = fake->pgsizes,
	};
	struct vfio_iommu_type1_info_dma_avail avail = {
		.header = { .id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, .version = 1 },
		.avail = fake->dma_avail - (uint32_t)container->nb_dma,
	};
	uint8_t caps[64 + FAKE_IOVA_RANGES_MAX * sizeof(struct vfio_iova_range)];
	uint32_t user_argsz, len;

	memcpy(&user_argsz, arg, sizeof(user_argsz));
	if (user_argsz < 16)
		return -EINVAL;
	len = container_put_iova_ranges(fake, caps);
	if (len != 0)
		memcpy(&caps[offsetof(struct vfio_info_cap_header, next)],
			&(uint32_t){ lie_or(fake->iommu_lie.next, sizeof(info) + len) },
			sizeof(uint32_t));
	memcpy(&caps[len], &avail, sizeof(avail));
	len += sizeof(avail);
	info.argsz += len;
	if (user_argsz >= info.argsz) {
		info.cap_offset = lie_or(fake->iommu_lie.cap_offset, sizeof(info));
		memcpy((uint8_t *)arg + sizeof(info), caps, len);
	}
	info.argsz = lie_or(fake->iommu_lie.argsz, info.argsz);
	fake_info_give(arg, &info, sizeof(info));
	return 0;
}

bool
fake_iova_is_permitted(const struct fake_vfio *fake, uint64_t iova, uint64_t size)
{
	uint32_t i;

	for (i = 0; i < fake->nb_iova_ranges; i++)
		if (iova >= fake->iova_ranges[i].start &&
				iova + (size - 1) <= fake->iova_ranges[i].end)
			return true;
	return fake->nb_iova_ranges == 0;
}

/* Index of the first mapping that ends above iova. */
static size_t
dma_find(const struct fake_container *container, uint64_t iova)
{
	size_t low = 0, high = container->nb_dma;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (container->dma[mid].iova + (container->dma[mid].size - 1) < iova)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int
fake_dma_check(const struct fake_container *container, const struct fake_dma *map)
{
	uint64_t mask = (container->fake->pgsizes & -container->fake->pgsizes) - 1;
	size_t at = dma_find(container, map->iova);

	if (map->size == 0 || ((map->size | map->iova | map->vaddr) & mask) != 0)
		return -EINVAL;
	if (map->iova + (map->size - 1) < map->iova || map->vaddr + (map->size - 1) < map->vaddr)
		return -EINVAL;
	if (at < container->nb_dma && container->dma[at].iova <= map->iova + (map->size - 1))
		return -EEXIST;
	if (container->nb_dma >= container->fake->dma_avail)
		return -ENOSPC;
	if (!fake_iova_is_permitted(container->fake, map->iova, map->size))
		return -EINVAL;
	/* The kernel pins the pages, so they have to be there. */
	return msync((void *)(uintptr_t)map->vaddr, map->size, MS_ASYNC) == 0 ? 0 : -EFAULT;
}

void
fake_dma_add(struct fake_container *container, const struct fake_dma *map)
{
	struct fake_dma *dma = container->dma;
	size_t at;

	if (container->nb_dma == container->max_dma) {
		container->max_dma += 64;
		dma = realloc(dma, container->max_dma * sizeof(*dma));
		assert_non_null(dma);
		container->dma = dma;
	}
	at = dma_find(container, map->iova);
	memmove(&dma[at + 1], &dma[at], (container->nb_dma - at) * sizeof(*dma));
	dma[at] = *map;
	container->nb_dma++;
	container->nb_maps++;
}

static int
container_map_dma(void *ctx, void *arg)
{
	struct fake_container *container = ctx;
	const struct vfio_iommu_type1_dma_map *map = arg;
	const struct fake_dma dma = { map->iova, map->vaddr, map->size, map->flags };
	int rc;

	if (container->iommu == 0)
		return -EINVAL;
	if (container->iommu == VFIO_NOIOMMU_IOMMU)
		return -ENOTTY;
	if (map->argsz < sizeof(*map) || (map->flags & ~3u) != 0 || map->flags == 0)
		return -EINVAL;
	rc = fake_dma_check(container, &dma);
	if (rc == 0)
		fake_dma_add(container, &dma);
	return rc;
}

/* Whether the range cuts the mapping. */
static bool
dma_is_cut(const struct fake_dma *dma, uint64_t iova, uint64_t last)
{
	return dma->iova < iova || dma->iova + (dma->size - 1) > last;
}

int
fake_dma_remove(struct fake_container *container, uint64_t iova, uint64_t last, int err,
		uint64_t *removed)
{
	size_t first = dma_find(container, iova), end = first, i;

	while (end < container->nb_dma && container->dma[end].iova <= last)
		end++;
	for (i = first; i < end; i++)
		if (err != 0 && dma_is_cut(&container->dma[i], iova, last))
			return -err;
	for (i = first; i < end; i++)
		*removed += container->dma[i].size;
	memmove(&container->dma[first], &container->dma[end],
		(container->nb_dma - end) * sizeof(container->dma[0]));
	container->nb_dma -= end - first;
	return 0;
}

/*
 * The second type refuses to cut a mapping; the first takes the whole of one that is cut at its
 * end.
 */
static int
dma_unmap(struct fake_container *container, uint64_t iova, uint64_t size, uint64_t *unmapped)
{
	bool v2 = container->iommu == VFIO_TYPE1v2_IOMMU;
	size_t first = dma_find(container, iova);
	uint64_t last = iova + (size - 1);

	if (!v2 && first < container->nb_dma && container->dma[first].iova < iova)
		return 0;
	return fake_dma_remove(container, iova, last, v2 ? EINVAL : 0, unmapped);
}

static int
container_unmap_dma(void *ctx, void *arg)
{
	struct fake_container *container = ctx;
	struct vfio_iommu_type1_dma_unmap *unmap = arg;
	uint64_t mask = (container->fake->pgsizes & -container->fake->pgsizes) - 1;
	bool all = (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL) != 0;
	uint64_t unmapped = 0;
	int rc;

	if (container->iommu == 0)
		return -EINVAL;
	if (container->iommu == VFIO_NOIOMMU_IOMMU)
		return -ENOTTY;
	if (unmap->argsz < sizeof(*unmap) || (unmap->flags & ~VFIO_DMA_UNMAP_FLAG_ALL) != 0)
		return -EINVAL;
	if (all != (unmap->size == 0) || (all && unmap->iova != 0))
		return -EINVAL;
	if (((unmap->iova | unmap->size) & mask) != 0)
		return -EINVAL;
	if (!all && unmap->iova + (unmap->size - 1) < unmap->iova)
		return -EINVAL;
	rc = dma_unmap(container, unmap->iova, all ? UINT64_MAX : unmap->size, &unmapped);
	if (rc != 0)
		return rc;
	container->nb_unmaps++;
	unmap->size = unmapped;
	return 0;
}

static const struct fake_ioctl container_ioctls[] = {
	{ VFIO_GET_API_VERSION, container_get_api_version },
	{ VFIO_CHECK_EXTENSION, container_check_extension },
	{ VFIO_SET_IOMMU, container_set_iommu },
	{ VFIO_IOMMU_GET_INFO, container_get_info },
	{ VFIO_IOMMU_MAP_DMA, container_map_dma },
	{ VFIO_IOMMU_UNMAP_DMA, container_unmap_dma },
};

static int
container_ioctl(void *ctx, unsigned long request, void *arg)
{
	return fake_ioctl_find(container_ioctls, DIM(container_ioctls), ctx, request, arg);
}

/* A container lives until it is closed and its last group has left. */
void
fake_container_let_go(struct fake_container *container)
{
	struct fake_container **at = &container->fake->containers;

	if (container->fd >= 0 || container->nb_groups != 0)
		return;
	while (*at != container)
		at = &(*at)->next;
	*at = container->next;
	free(container->dma);
	free(container);
}

static void
container_close(void *ctx)
{
	struct fake_container *container = ctx;

	container->fd = -1;
	fake_container_let_go(container);
}

static const struct interpose_fd_ops container_ops = {
	.ioctl = container_ioctl,
	.close = container_close,
};

int
fake_container_open(struct fake_vfio *fake)
{
	struct fake_container *container;
	int fd;

	if (fake->no_node)
		return -ENOENT;
	if (fake->container_err != 0)
		return -fake->container_err;
	container = calloc(1, sizeof(*container));
	fd = memfd_create("vfio-container", MFD_CLOEXEC);
	if (container == NULL || fd < 0) {
		free(container);
		return -EMFILE;
	}
	container->fake = fake;
	container->fd = fd;
	container->next = fake->containers;
	fake->containers = container;
	interpose_route_fd(fd, &container_ops, container);
	return fd;
}

struct fake_container *
fake_vfio_container(const struct fake_device *dev)
{
	const struct fake_group *group;

	if (dev->ioas != NULL)
		return dev->ioas;
	for (group = dev->fake->groups; group != NULL; group = group->next)
		if (group->number == dev->desc.group)
			return group->container;
	return NULL;
}

const struct fake_dma *
fake_vfio_dma(const struct fake_container *container, uint64_t iova)
{
	size_t at = dma_find(container, iova);

	if (at == container->nb_dma || container->dma[at].iova > iova)
		return NULL;
	return &container->dma[at];
}
