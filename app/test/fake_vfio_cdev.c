/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <eal_vfio_uapi.h>

#include "fake_vfio_priv.h"
#include "test.h"

/* Nodes of devices. */

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
	fake_iommufd_let_go(handle->iommufd);
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
	int rc = fake_struct_take(&cmd, sizeof(cmd), arg, EAL_VFIO_BIND_SIZE_BASE);

	if (rc != 0)
		return rc;
	iommufd = fake_iommufd_find(handle->dev->fake, cmd.iommufd);
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
	int rc = fake_struct_take(&cmd, sizeof(cmd), arg, sizeof(cmd));

	if (rc != 0)
		return rc;
	if (cmd.flags != 0)
		return -EINVAL;
	ioas = fake_ioas_find(handle->iommufd, cmd.pt_id);
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

static const struct interpose_fd_ops cdev_ops = {
	.ioctl = cdev_ioctl,
	.mmap = cdev_mmap,
	.pread = cdev_pread,
	.pwrite = cdev_pwrite,
	.dup = cdev_dup,
	.close = fake_device_close,
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
