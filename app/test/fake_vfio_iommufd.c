/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <eal_vfio_uapi.h>

#include "fake_vfio_priv.h"
#include "test.h"

/*
 * iommufd
 */

/* As the kernel reads a structure: what it does not know must be zero. */
static int
struct_take(void *out, size_t known, const void *arg, size_t least)
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

static struct fake_container *
ioas_find(const struct fake_iommufd *iommufd, uint32_t id)
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
	int rc = struct_take(&cmd, sizeof(cmd), arg, sizeof(cmd));

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
	int rc = struct_take(&cmd, sizeof(cmd), arg, sizeof(cmd));

	if (rc != 0)
		return rc;
	ioas = ioas_find(ctx, cmd.id);
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
	int rc = struct_take(&cmd, sizeof(cmd), arg, sizeof(cmd));

	if (rc != 0 || cmd.reserved != 0)
		return rc != 0 ? rc : -EOPNOTSUPP;
	ioas = ioas_find(iommufd, cmd.ioas_id);
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
	int rc = struct_take(&cmd, sizeof(cmd), arg, sizeof(cmd));

	if (rc != 0)
		return rc;
	/* the kernel would choose an address without FIXED */
	if (cmd.reserved != 0 || cmd.flags >= 8 || (cmd.flags & EAL_IOMMU_MAP_FIXED_IOVA) == 0)
		return -EOPNOTSUPP;
	if ((cmd.flags & (EAL_IOMMU_MAP_READABLE | EAL_IOMMU_MAP_WRITEABLE)) == 0)
		return -EINVAL;
	ioas = ioas_find(ctx, cmd.ioas_id);
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
	int rc = struct_take(&cmd, sizeof(cmd), arg, sizeof(cmd));

	if (rc != 0)
		return rc;
	ioas = ioas_find(ctx, cmd.ioas_id);
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

static void
iommufd_let_go(struct fake_iommufd *iommufd)
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
	iommufd_let_go(iommufd);
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

static struct fake_iommufd *
iommufd_find(const struct fake_vfio *fake, int fd)
{
	struct fake_iommufd *iommufd;

	for (iommufd = fake->iommufds; iommufd != NULL; iommufd = iommufd->next)
		if (iommufd->fd == fd)
			return iommufd;
	return NULL;
}

/*
 * Nodes of devices
 */

static void
device_detach(struct fake_device *dev)
{
	struct fake_container *ioas = dev->ioas;

	dev->ioas = NULL;
	if (ioas != NULL)
		ioas->nb_groups--;
}

void
fake_iommufd_unbind(struct handle *handle)
{
	device_detach(handle->dev);
	handle->iommufd->nb_devices--;
	iommufd_let_go(handle->iommufd);
}

/* The kernel hands a group's devices to one iommufd only. */
static bool
group_has_other_owner(const struct fake_group *group, const struct fake_iommufd *iommufd)
{
	const struct fake_device *dev;

	for (dev = group->fake->devices; dev != NULL; dev = dev->next)
		if (dev->desc.group == group->number && dev->ioas != NULL &&
				dev->ioas->iommufd != iommufd)
			return true;
	return false;
}

/* The token has the bytes that the text has, in order. */
static int
bind_check_token(const struct handle *handle, const struct eal_vfio_bind_iommufd *cmd)
{
	const uint8_t *b = (const uint8_t *)(uintptr_t)cmd->token_uuid_ptr;
	char text[40];

	if ((cmd->flags & EAL_VFIO_BIND_FLAG_TOKEN) == 0)
		return fake_token_check(handle->dev, NULL);
	snprintf(text, sizeof(text), "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
		"%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7],
		b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	return fake_token_check(handle->dev, text);
}

static int
bind_check(const struct handle *handle, const struct eal_vfio_bind_iommufd *cmd,
		const struct fake_iommufd *iommufd)
{
	const struct fake_vfio *fake = handle->dev->fake;
	int rc;

	if (cmd->iommufd < 0 || (cmd->flags & ~EAL_VFIO_BIND_FLAG_TOKEN) != 0 ||
			(fake->no_bind_token && cmd->flags != 0) || handle->iommufd != NULL)
		return -EINVAL;
	if (handle->group->fd >= 0)
		return -EBUSY;
	rc = bind_check_token(handle, cmd);
	if (rc != 0)
		return rc;
	if (iommufd == NULL)
		return -EBADF;
	/* only by groups can a device be opened twice */
	if (handle->dev->nb_open != handle->nb_fds)
		return -EINVAL;
	if (!fake_group_is_viable(handle->group) || group_has_other_owner(handle->group, iommufd))
		return -EPERM;
	return -handle->dev->bind_err;
}

static int
cdev_bind(void *ctx, void *arg)
{
	struct handle *handle = ctx;
	struct eal_vfio_bind_iommufd cmd;
	struct fake_iommufd *iommufd;
	int rc = struct_take(&cmd, sizeof(cmd), arg, EAL_VFIO_BIND_SIZE_BASE);

	if (rc != 0)
		return rc;
	iommufd = iommufd_find(handle->dev->fake, cmd.iommufd);
	rc = bind_check(handle, &cmd, iommufd);
	if (rc != 0)
		return rc;
	handle->iommufd = iommufd;
	iommufd->nb_devices++;
	handle->dev->nb_binds++;
	cmd.out_devid = 1000 + handle->dev->nb_binds;
	memcpy(arg, &cmd, EAL_VFIO_BIND_SIZE_BASE);
	return 0;
}

/* All that is mapped must be within what the device reaches. */
static bool
ioas_fits(const struct fake_container *ioas)
{
	size_t i;

	for (i = 0; i < ioas->nb_dma; i++)
		if (!fake_iova_is_permitted(ioas->fake, ioas->dma[i].iova, ioas->dma[i].size))
			return false;
	return true;
}

static int
cdev_attach(void *ctx, void *arg)
{
	struct handle *handle = ctx;
	struct eal_vfio_attach_iommufd_pt cmd;
	struct fake_container *ioas;
	int rc = struct_take(&cmd, sizeof(cmd), arg, sizeof(cmd));

	if (rc != 0)
		return rc;
	if (cmd.flags != 0)
		return -EINVAL;
	ioas = ioas_find(handle->iommufd, cmd.pt_id);
	if (ioas == NULL)
		return -ENOENT;
	if (handle->dev->attach_err != 0)
		return -handle->dev->attach_err;
	if (!ioas_fits(ioas))
		return -EADDRINUSE;
	device_detach(handle->dev);
	handle->dev->ioas = ioas;
	ioas->nb_groups++;
	/* not the address space, but the page table that the kernel made for it */
	cmd.pt_id += 5000;
	memcpy(arg, &cmd, sizeof(cmd));
	return 0;
}

/* Until it is bound, a device does nothing but that. */
static int
cdev_ioctl(void *ctx, unsigned long request, void *arg)
{
	const struct handle *handle = ctx;

	if (request == EAL_VFIO_DEVICE_BIND_IOMMUFD)
		return cdev_bind(ctx, arg);
	if (handle->iommufd == NULL)
		return -EINVAL;
	if (request == EAL_VFIO_DEVICE_ATTACH_IOMMUFD_PT)
		return cdev_attach(ctx, arg);
	return fake_device_ops.ioctl(ctx, request, arg);
}

static int
cdev_mmap(void *ctx, size_t len, int prot, int flags, off_t off)
{
	const struct handle *handle = ctx;

	return handle->iommufd == NULL ? -EINVAL :
		fake_device_ops.mmap(ctx, len, prot, flags, off);
}

static ssize_t
cdev_pread(void *ctx, void *buf, size_t len, off_t at)
{
	const struct handle *handle = ctx;

	return handle->iommufd == NULL ? -EINVAL : fake_device_ops.pread(ctx, buf, len, at);
}

static ssize_t
cdev_pwrite(void *ctx, const void *buf, size_t len, off_t at)
{
	const struct handle *handle = ctx;

	return handle->iommufd == NULL ? -EINVAL : fake_device_ops.pwrite(ctx, buf, len, at);
}

static void
cdev_dup(void *ctx, int fd)
{
	struct handle *handle = ctx;

	fake_device_hold(handle);
}

static void
cdev_close(void *ctx)
{
	fake_device_let_go(ctx);
}

static const struct interpose_fd_ops cdev_ops = {
	.ioctl = cdev_ioctl,
	.mmap = cdev_mmap,
	.pread = cdev_pread,
	.pwrite = cdev_pwrite,
	.dup = cdev_dup,
	.close = cdev_close,
};

/* Devices without an IOMMU have no node. */
static struct fake_device *
cdev_find(const struct fake_vfio *fake, const char *name)
{
	struct fake_device *dev;
	char node[16];

	for (dev = fake->devices; fake->cdev && dev != NULL; dev = dev->next) {
		snprintf(node, sizeof(node), "vfio%d", dev->node);
		if (strcmp(node, name) == 0 && dev->desc.group >= 0 && !dev->desc.noiommu &&
				fake_driver_is_vfio(dev->desc.driver))
			return dev;
	}
	return NULL;
}

static struct fake_group *
group_of(const struct fake_device *dev)
{
	struct fake_group *group = dev->fake->groups;

	while (group->number != dev->desc.group)
		group = group->next;
	return group;
}

int
fake_cdev_open(struct fake_vfio *fake, const char *name)
{
	struct fake_device *dev = cdev_find(fake, name);

	if (dev == NULL)
		return -ENOENT;
	if (dev->open_err != 0)
		return -dev->open_err;
	return fake_device_open(dev, group_of(dev), &cdev_ops);
}

int
fake_cdev_access(struct fake_vfio *fake, const char *name)
{
	if (name[0] == '\0')
		return fake->cdev ? 0 : -ENOENT;
	return cdev_find(fake, name) == NULL ? -ENOENT : -fake->cdev_err;
}
