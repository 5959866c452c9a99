/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <eal_vfio_uapi.h>

#include "fake_vfio_priv.h"
#include "test.h"

/* iommufd. */

int
fake_struct_take(void *out, size_t known, const void *arg, size_t least)
{
	const uint8_t *bytes = arg;
	uint32_t size;
	size_t i;

	memcpy(&size, arg, sizeof(size));
	if (size < least)
		return -EINVAL;
	for (i = known; i < size; i++)
		if (bytes[i] != 0)
			return -E2BIG;
	memset(out, 0, known);
	memcpy(out, arg, size < known ? size : known);
	return 0;
}

struct fake_container *
fake_ioas_find(const struct fake_iommufd *iommufd, uint32_t id)
{
	struct fake_container *ioas;

	for (ioas = iommufd->fake->containers; ioas != NULL; ioas = ioas->next)
		if (ioas->iommufd == iommufd && ioas->id == id)
			return ioas;
	return NULL;
}

static int
ioas_alloc(void *ctx, void *arg)
{
	static uint32_t last_id = 7;
	struct fake_iommufd *iommufd = ctx;
	struct eal_iommu_ioas_alloc cmd;
	struct fake_container *ioas;
	int rc = fake_struct_take(&cmd, sizeof(cmd), arg, sizeof(cmd));

	if (rc != 0 || cmd.flags != 0)
		return rc != 0 ? rc : -EOPNOTSUPP;
	ioas = calloc(1, sizeof(*ioas));
	assert_non_null(ioas);
	ioas->fake = iommufd->fake;
	ioas->fd = -1;
	ioas->iommufd = iommufd;
	ioas->iommu = FAKE_IOMMU_IOAS;
	cmd.out_ioas_id = ioas->id = last_id++;
	ioas->next = iommufd->fake->containers;
	iommufd->fake->containers = ioas;
	memcpy(arg, &cmd, sizeof(cmd));
	return 0;
}

static int
object_destroy(void *ctx, void *arg)
{
	struct eal_iommu_destroy cmd;
	struct fake_container *ioas;
	int rc = fake_struct_take(&cmd, sizeof(cmd), arg, sizeof(cmd));

	if (rc != 0)
		return rc;
	ioas = fake_ioas_find(ctx, cmd.id);
	if (ioas == NULL)
		return -ENOENT;
	if (ioas->nb_groups != 0)
		return -EBUSY;
	fake_container_let_go(ioas);
	return 0;
}

/* What an address space reaches: all, until a device narrows it. */
static uint32_t
ioas_ranges(const struct fake_container *ioas, struct vfio_iova_range *ranges)
{
	const struct fake_vfio *fake = ioas->fake;

	if (ioas->nb_groups == 0 || fake->nb_iova_ranges == 0) {
		ranges[0] = (struct vfio_iova_range){ 0, UINT64_MAX };
		return 1;
	}
	memcpy(ranges, fake->iova_ranges, fake->nb_iova_ranges * sizeof(ranges[0]));
	return fake->nb_iova_ranges;
}

static int
ioas_iova_ranges(void *ctx, void *arg)
{
	struct vfio_iova_range ranges[FAKE_IOVA_RANGES_MAX];
	const struct fake_iommufd *iommufd = ctx;
	const struct fake_vfio *fake = iommufd->fake;
	struct eal_iommu_ioas_iova_ranges cmd;
	const struct fake_container *ioas;
	uint32_t max, nb;
	int rc = fake_struct_take(&cmd, sizeof(cmd), arg, sizeof(cmd));

	if (rc != 0 || cmd.reserved != 0)
		return rc != 0 ? rc : -EOPNOTSUPP;
	ioas = fake_ioas_find(iommufd, cmd.ioas_id);
	if (ioas == NULL)
		return -ENOENT;
	if (fake->ioas_lie.err != 0)
		return -fake->ioas_lie.err;
	max = cmd.num_iovas;
	nb = ioas_ranges(ioas, ranges);
	if (fake->ioas_lie.start != 0)
		ranges[nb - 1].start = fake->ioas_lie.start;
	memcpy((void *)(uintptr_t)cmd.allowed_iovas, ranges,
		(nb < max ? nb : max) * sizeof(ranges[0]));
	cmd.num_iovas = fake->ioas_lie.num_iovas != 0 ? fake->ioas_lie.num_iovas : nb;
	cmd.out_iova_alignment = ioas->nb_groups == 0 ? 1 : fake->pgsizes & -fake->pgsizes;
	if (fake->ioas_lie.alignment != 0)
		cmd.out_iova_alignment = fake->ioas_lie.alignment;
	memcpy(arg, &cmd, sizeof(cmd));
	return cmd.num_iovas > max && !fake->ioas_lie.brazen ? -EMSGSIZE : 0;
}

static int
ioas_map(void *ctx, void *arg)
{
	struct eal_iommu_ioas_map cmd;
	struct fake_container *ioas;
	struct fake_dma dma;
	int rc = fake_struct_take(&cmd, sizeof(cmd), arg, sizeof(cmd));

	if (rc != 0)
		return rc;
	/* the kernel would choose an address without FIXED */
	if (cmd.reserved != 0 || cmd.flags >= 8 || (cmd.flags & EAL_IOMMU_MAP_FIXED_IOVA) == 0)
		return -EOPNOTSUPP;
	if ((cmd.flags & (EAL_IOMMU_MAP_READABLE | EAL_IOMMU_MAP_WRITEABLE)) == 0)
		return -EINVAL;
	ioas = fake_ioas_find(ctx, cmd.ioas_id);
	if (ioas == NULL)
		return -ENOENT;
	dma = (struct fake_dma){ cmd.iova, cmd.user_va, cmd.length, 0 };
	if ((cmd.flags & EAL_IOMMU_MAP_READABLE) != 0)
		dma.flags |= VFIO_DMA_MAP_FLAG_READ;
	if ((cmd.flags & EAL_IOMMU_MAP_WRITEABLE) != 0)
		dma.flags |= VFIO_DMA_MAP_FLAG_WRITE;
	rc = fake_dma_check(ioas, &dma);
	if (rc == 0)
		fake_dma_add(ioas, &dma);
	return rc;
}

static int
ioas_unmap(void *ctx, void *arg)
{
	struct eal_iommu_ioas_unmap cmd;
	struct fake_container *ioas;
	uint64_t removed = 0;
	bool all;
	int rc = fake_struct_take(&cmd, sizeof(cmd), arg, sizeof(cmd));

	if (rc != 0)
		return rc;
	ioas = fake_ioas_find(ctx, cmd.ioas_id);
	if (ioas == NULL)
		return -ENOENT;
	all = cmd.iova == 0 && cmd.length == UINT64_MAX;
	if (!all && cmd.length == 0)
		return -EINVAL;
	if (!all && cmd.iova + (cmd.length - 1) < cmd.iova)
		return -EOVERFLOW;
	rc = fake_dma_remove(ioas, cmd.iova, cmd.iova + (cmd.length - 1), ENOENT, &removed);
	if (rc == 0 && removed == 0 && !all)
		rc = -ENOENT;
	if (rc != 0)
		return rc;
	ioas->nb_unmaps++;
	cmd.length = removed;
	memcpy(arg, &cmd, sizeof(cmd));
	return 0;
}

static const struct fake_ioctl iommufd_ioctls[] = {
	{ EAL_IOMMU_DESTROY, object_destroy },
	{ EAL_IOMMU_IOAS_ALLOC, ioas_alloc },
	{ EAL_IOMMU_IOAS_IOVA_RANGES, ioas_iova_ranges },
	{ EAL_IOMMU_IOAS_MAP, ioas_map },
	{ EAL_IOMMU_IOAS_UNMAP, ioas_unmap },
};

static int
iommufd_ioctl(void *ctx, unsigned long request, void *arg)
{
	return fake_ioctl_find(iommufd_ioctls, DIM(iommufd_ioctls), ctx, request, arg);
}

void
fake_iommufd_let_go(struct fake_iommufd *iommufd)
{
	struct fake_iommufd **at = &iommufd->fake->iommufds;
	struct fake_container *ioas = iommufd->fake->containers, *next;

	if (iommufd->fd >= 0 || iommufd->nb_devices != 0)
		return;
	for (; ioas != NULL; ioas = next) {
		next = ioas->next;
		if (ioas->iommufd == iommufd)
			fake_container_let_go(ioas);
	}
	while (*at != iommufd)
		at = &(*at)->next;
	*at = iommufd->next;
	free(iommufd);
}

static void
iommufd_close(void *ctx)
{
	struct fake_iommufd *iommufd = ctx;

	iommufd->fd = -1;
	fake_iommufd_let_go(iommufd);
}

static const struct interpose_fd_ops iommufd_ops = {
	.ioctl = iommufd_ioctl,
	.close = iommufd_close,
};

int
fake_iommufd_open(struct fake_vfio *fake)
{
	struct fake_iommufd *iommufd;
	int fd;

	if (!fake->cdev)
		return -ENOENT;
	if (fake->iommufd_err != 0)
		return -fake->iommufd_err;
	iommufd = calloc(1, sizeof(*iommufd));
	fd = memfd_create("iommufd", MFD_CLOEXEC);
	if (iommufd == NULL || fd < 0) {
		free(iommufd);
		return -EMFILE;
	}
	iommufd->fake = fake;
	iommufd->fd = fd;
	iommufd->next = fake->iommufds;
	fake->iommufds = iommufd;
	interpose_route_fd(fd, &iommufd_ops, iommufd);
	return fd;
}

struct fake_iommufd *
fake_iommufd_find(const struct fake_vfio *fake, int fd)
{
	struct fake_iommufd *iommufd;

	for (iommufd = fake->iommufds; iommufd != NULL; iommufd = iommufd->next)
		if (iommufd->fd == fd)
			return iommufd;
	return NULL;
}
