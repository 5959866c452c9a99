/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_vfio_priv.h"
#include "test.h"

bool
fake_group_is_viable(const struct fake_group *group)
{
	const struct fake_device *dev;

	for (dev = group->fake->devices; dev != NULL; dev = dev->next)
		if (dev->desc.group == group->number && dev->desc.driver != NULL &&
				!fake_driver_is_vfio(dev->desc.driver) &&
				strcmp(dev->desc.driver, "pci-stub") != 0 &&
				strcmp(dev->desc.driver, "pcieport") != 0)
			return false;
	return true;
}

static void
group_leave(struct fake_group *group)
{
	struct fake_container *container = group->container;

	group->container = NULL;
	/* With its last group a container loses its IOMMU and all that is mapped there. */
	if (--container->nb_groups == 0) {
		container->iommu = 0;
		container->nb_dma = 0;
	}
	fake_container_let_go(container);
}

/* The node is closed, and so are the devices that hold it. */
void
fake_group_let_go(struct fake_group *group)
{
	if (group->fd < 0 && group->nb_open_devices == 0 && group->container != NULL)
		group_leave(group);
}

static int
group_get_status(void *ctx, void *arg)
{
	const struct fake_group *group = ctx;
	struct vfio_group_status *status = arg;

	if (status->argsz < sizeof(*status))
		return -EINVAL;
	status->flags = 0;
	if (group->container != NULL)
		status->flags = VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET;
	else if (fake_group_is_viable(group))
		status->flags = VFIO_GROUP_FLAGS_VIABLE;
	return 0;
}

static int
group_set_container(void *ctx, void *arg)
{
	struct fake_group *group = ctx;
	struct fake_container *container;
	int fd = *(int *)arg;

	if (group->container != NULL)
		return -EINVAL;
	for (container = group->fake->containers; container != NULL; container = container->next)
		if (container->fd == fd)
			break;
	if (container == NULL)
		return fcntl(fd, F_GETFD) < 0 ? -EBADF : -EBADFD;
	if (container->nb_groups != 0 && fake_container_is_noiommu(container) != group->noiommu)
		return -EPERM;
	if (!group->noiommu && !fake_group_is_viable(group))
		return -EPERM;
	group->container = container;
	container->nb_groups++;
	return 0;
}

static int
group_unset_container(void *ctx, void *arg)
{
	struct fake_group *group = ctx;

	if (group->container == NULL)
		return -EINVAL;
	if (group->nb_open_devices != 0)
		return -EBUSY;
	group_leave(group);
	return 0;
}

int
fake_token_check(const struct fake_device *dev, const char *token)
{
	if (token == NULL)
		return dev->desc.vf_token != NULL ? -EACCES : 0;
	if (dev->desc.vf_token == NULL)
		return -EINVAL;
	return strcmp(token, dev->desc.vf_token) == 0 ? 0 : -EACCES;
}

/* The name may carry the token of a virtual function: "NAME vf_token=UUID". */
static int
device_check_token(const struct fake_device *dev, const char *text)
{
	static const char key[] = " vf_token=";
	const char *given = text + strlen(dev->desc.name);

	if (*given == '\0')
		return fake_token_check(dev, NULL);
	return strncmp(given, key, strlen(key)) != 0 ? -ENODEV :
		fake_token_check(dev, given + strlen(key));
}

static struct fake_device *
group_find_device(const struct fake_group *group, const char *text)
{
	struct fake_device *dev;

	for (dev = group->fake->devices; dev != NULL; dev = dev->next) {
		size_t len = strlen(dev->desc.name);

		if (dev->desc.group == group->number && fake_driver_is_vfio(dev->desc.driver) &&
				strncmp(text, dev->desc.name, len) == 0 &&
				(text[len] == '\0' || text[len] == ' '))
			return dev;
	}
	return NULL;
}

static int
group_get_device_fd(void *ctx, void *arg)
{
	struct fake_group *group = ctx;
	struct fake_device *dev = group_find_device(group, arg);
	int rc;

	if (dev == NULL)
		return -ENODEV;
	rc = device_check_token(dev, arg);
	if (rc != 0)
		return rc;
	if (group->container == NULL || group->container->iommu == 0)
		return -EINVAL;
	if (dev->open_err != 0)
		return -dev->open_err;
	return fake_device_open(dev, group, &fake_device_ops);
}

static const struct fake_ioctl group_ioctls[] = {
	{ VFIO_GROUP_GET_STATUS, group_get_status },
	{ VFIO_GROUP_SET_CONTAINER, group_set_container },
	{ VFIO_GROUP_UNSET_CONTAINER, group_unset_container },
	{ VFIO_GROUP_GET_DEVICE_FD, group_get_device_fd },
};

static int
group_ioctl(void *ctx, unsigned long request, void *arg)
{
	return fake_ioctl_find(group_ioctls, DIM(group_ioctls), ctx, request, arg);
}

static void
group_close(void *ctx)
{
	struct fake_group *group = ctx;

	group->fd = -1;
	fake_group_let_go(group);
}

static const struct interpose_fd_ops group_ops = {
	.ioctl = group_ioctl,
	.close = group_close,
};

/* A group has its node as long as VFIO has a device in it. */
static bool
group_has_node(const struct fake_group *group)
{
	const struct fake_device *dev;

	for (dev = group->fake->devices; dev != NULL; dev = dev->next)
		if (dev->desc.group == group->number && fake_driver_is_vfio(dev->desc.driver))
			return true;
	return false;
}

struct fake_group *
fake_group_of_node(struct fake_vfio *fake, const char *name)
{
	struct fake_group *group;
	char node[32];

	for (group = fake->groups; group != NULL; group = group->next) {
		snprintf(node, sizeof(node), "%s%d", group->noiommu ? "noiommu-" : "",
			group->number);
		if (strcmp(node, name) == 0 && group_has_node(group))
			return group;
	}
	return NULL;
}

int
fake_group_open(struct fake_vfio *fake, const char *name)
{
	struct fake_group *group = fake_group_of_node(fake, name);

	if (group == NULL)
		return -ENOENT;
	if (fake->group_err != 0)
		return -fake->group_err;
	/* so also when a device of it has been opened by its own node */
	if (group->fd >= 0 || group->nb_open_devices != 0)
		return -EBUSY;
	group->fd = memfd_create("vfio-group", MFD_CLOEXEC);
	if (group->fd < 0)
		return -EMFILE;
	interpose_route_fd(group->fd, &group_ops, group);
	return group->fd;
}
