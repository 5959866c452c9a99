/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_vfio.h>

#include "eal_vfio.h"

/* A device that rte_vfio_setup_device() opened. */
struct device {
	TAILQ_ENTRY(device) next;
	int fd;
	struct eal_vfio_group *group;	/* NULL: its container has been destroyed */
	char addr[];
};

static TAILQ_HEAD(, device) devices = TAILQ_HEAD_INITIALIZER(devices);

static int
dev_path_make(char *path, size_t size, const char *sysfs_base, const char *dev_addr)
{
	int n;

	if (sysfs_base == NULL || dev_addr == NULL)
		return -EINVAL;
	n = snprintf(path, size, "%s/%s", sysfs_base, dev_addr);
	return n > 0 && (size_t)n < size - 32 ? 0 : -EINVAL;
}

/* Reads the number at the end of a link as ".../iommu_groups/7". */
static int
group_num_parse(const char *target, int *number)
{
	const char *base = strrchr(target, '/');
	unsigned long value;
	char *end;

	base = base != NULL ? base + 1 : target;
	if (*base < '0' || *base > '9')
		return -EINVAL;
	errno = 0;
	value = strtoul(base, &end, 10);
	if (*end != '\0' || errno != 0 || value > INT_MAX)
		return -EINVAL;
	*number = (int)value;
	return 1;
}

static int
group_num_read(const char *dev_path, int *number)
{
	char path[PATH_MAX + 32], target[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "%s/iommu_group", dev_path);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return errno == ENOENT ? 0 : -errno;
	target[len] = '\0';
	return group_num_parse(target, number);
}

RTE_EXPORT_SYMBOL(rte_vfio_get_group_num)
int
rte_vfio_get_group_num(const char *sysfs_base, const char *dev_addr, int *iommu_group_num)
{
	char path[PATH_MAX];
	int rc;

	rc = dev_path_make(path, sizeof(path), sysfs_base, dev_addr);
	if (rc == 0 && iommu_group_num == NULL)
		rc = -EINVAL;
	return eal_vfio_result(rc != 0 ? rc : group_num_read(path, iommu_group_num));
}

static int
device_query(int fd, const char *dev_addr, struct vfio_device_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	if (ioctl(fd, VFIO_DEVICE_GET_INFO, info) != 0) {
		int err = errno;

		VFIO_LOG(ERR, "%s: does not describe itself: %s", dev_addr, strerror(err));
		return -err;
	}
	return 0;
}

/* Asks a device that has just been opened; its descriptor, or it is closed and -errno. */
static int
device_check(int fd, const char *dev_addr, struct vfio_device_info *info)
{
	int rc = device_query(fd, dev_addr, info);

	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static int
device_open_and_query(struct eal_vfio_group *group, const char *dev_path, const char *dev_addr,
		struct vfio_device_info *info)
{
	int fd = group->container->mode->device_open(group, dev_path, dev_addr);

	return fd < 0 ? fd : device_check(fd, dev_addr, info);
}

static struct device *
device_make(struct eal_vfio_group *group, const char *dev_addr)
{
	size_t size = strlen(dev_addr) + 1;
	struct device *dev = malloc(sizeof(*dev) + size);

	if (dev == NULL)
		return NULL;
	dev->group = group;
	memcpy(dev->addr, dev_addr, size);
	return dev;
}

static int
device_setup(struct eal_vfio_group *group, const char *dev_path, const char *dev_addr,
		struct vfio_device_info *info)
{
	struct device *dev;
	int rc;

	rc = eal_vfio_group_attach(group, dev_path);
	if (rc != 0)
		return rc;
	dev = device_make(group, dev_addr);
	if (dev == NULL)
		return -ENOMEM;
	dev->fd = device_open_and_query(group, dev_path, dev_addr, info);
	if (dev->fd < 0) {
		rc = dev->fd;
		free(dev);
		return rc;
	}
	group->nb_devices++;
	TAILQ_INSERT_TAIL(&devices, dev, next);
	return dev->fd;
}

/* Opens a device of a group that is open. 0 or -errno. */
static int
device_setup_in_group(struct eal_vfio_group *group, const char *dev_path, const char *dev_addr,
		struct vfio_device_info *info, int *fd)
{
	int rc = device_setup(group, dev_path, dev_addr, info);

	if (rc < 0) {
		eal_vfio_group_put(group);
		return rc;
	}
	*fd = rc;
	return 0;
}

/* Where a device is, and where its descriptor goes. */
struct place {
	char path[PATH_MAX];
	const char *addr;
	int number;		/* of its group */
	struct vfio_device_info *info;
	int *fd;
};

/* In a container, in one mode. 0; 1: not in this mode; -errno. @p quiet: there is another mode. */
static int
device_setup_in(struct eal_vfio_container *container, const struct place *at,
		const struct eal_vfio_mode *mode, bool quiet)
{
	struct eal_vfio_group *group;
	int rc;

	rc = mode->find(at->path, at->number, quiet);
	if (rc == 0)
		rc = eal_vfio_container_open(container, mode, quiet);
	if (rc < 0 && quiet && eal_vfio_node_is_absent(-rc))
		return 1;
	if (rc == 0)
		rc = eal_vfio_group_open(container, at->number, &group);
	if (rc != 0)
		return rc == -ENOENT ? -ENODEV : rc;
	return device_setup_in_group(group, at->path, at->addr, at->info, at->fd);
}

static bool
device_has_only_group(const struct place *at)
{
	return eal_vfio_cdev_mode.find(at->path, at->number, true) != 0 &&
		eal_vfio_group_mode.find(at->path, at->number, true) == 0;
}

/* All devices that have an IOMMU are had in one way. */
static int
device_setup_as_others(const struct place *at, const struct eal_vfio_mode *mode)
{
	if (mode != &eal_vfio_cdev_mode || !device_has_only_group(at))
		return device_setup_in(eal_vfio_default(), at, mode, false);
	VFIO_LOG(ERR, "%s has no node of its own as the devices in use have, only a group; "
		"use --vfio-mode=group for all", at->addr);
	return -ENOTSUP;
}

static int
device_setup_first(const struct place *at)
{
	const struct eal_vfio_mode *const *mode;
	int rc = 1;

	for (mode = eal_vfio_modes(); *mode != NULL && rc == 1; mode++)
		rc = device_setup_in(eal_vfio_default(), at, *mode, mode[1] != NULL);
	return rc;
}

static int
device_setup_at(const struct place *at)
{
	struct eal_vfio_group *group = eal_vfio_group_find(at->number);
	int rc;

	if (group == NULL && eal_vfio_wants_noiommu(at->number))
		return device_setup_in(eal_vfio_noiommu(), at, &eal_vfio_group_mode, false);
	if (group == NULL && TAILQ_EMPTY(&eal_vfio_default()->groups))
		return device_setup_first(at);
	if (group == NULL)
		return device_setup_as_others(at, eal_vfio_default()->mode);
	rc = group->container->mode->find(at->path, at->number, false);
	return rc != 0 ? rc : device_setup_in_group(group, at->path, at->addr, at->info, at->fd);
}

RTE_EXPORT_SYMBOL(rte_vfio_setup_device)
int
rte_vfio_setup_device(const char *sysfs_base, const char *dev_addr, int *vfio_dev_fd,
		struct vfio_device_info *device_info)
{
	struct place at = { .addr = dev_addr, .info = device_info, .fd = vfio_dev_fd };
	int rc;

	rc = dev_path_make(at.path, sizeof(at.path), sysfs_base, dev_addr);
	if (rc != 0 || vfio_dev_fd == NULL || device_info == NULL)
		return eal_vfio_result(-EINVAL);
	rc = group_num_read(at.path, &at.number);
	if (rc < 0)
		return eal_vfio_result(rc);
	if (rc == 0)
		return 1;
	eal_vfio_lock();
	rc = device_setup_at(&at);
	eal_vfio_unlock();
	return eal_vfio_result(rc);
}

static struct device *
device_find(int fd)
{
	struct device *dev;

	TAILQ_FOREACH(dev, &devices, next)
		if (dev->fd == fd)
			return dev;
	return NULL;
}

/* The group may go with its device, the container stays. Who remains may reach more without it. */
static void
device_leave(struct eal_vfio_group *group)
{
	struct eal_vfio_container *container = group->container;

	group->nb_devices--;
	eal_vfio_group_put(group);
	if (container->iommu != NULL)
		eal_vfio_iommu_refresh(container);
}

static void
device_release(struct device *dev)
{
	TAILQ_REMOVE(&devices, dev, next);
	if (dev->fd >= 0)
		close(dev->fd);
	if (dev->group != NULL)
		device_leave(dev->group);
	free(dev);
}

/* Nobody else finds it any more; its group and its container know that it is there. */
static struct device *
device_take(int fd)
{
	struct device *dev;

	eal_vfio_lock_only();
	dev = fd >= 0 ? device_find(fd) : NULL;
	if (dev != NULL)
		dev->fd = -1;
	eal_vfio_unlock_only();
	return dev;
}

static void
device_forget(struct device *dev)
{
	eal_vfio_lock();
	TAILQ_REMOVE(&devices, dev, next);
	if (dev->group != NULL)
		device_leave(dev->group);
	eal_vfio_unlock();
	free(dev);
}

/* The kernel may wait a minute for a device that is gone: nobody else is to wait for that. */
RTE_EXPORT_SYMBOL(rte_vfio_release_device)
int
rte_vfio_release_device(const char *sysfs_base, const char *dev_addr, int fd)
{
	struct device *dev = device_take(fd);

	if (dev == NULL) {
		VFIO_LOG(ERR, "%s: descriptor %d is not one of a device",
			dev_addr != NULL ? dev_addr : "release", fd);
		return eal_vfio_result(-ENODEV);
	}
	close(fd);
	device_forget(dev);
	return 0;
}

/* Another descriptor of a device that is open, and not about to be closed. */
static int
device_duplicate(const struct eal_vfio_group *group, const char *dev_addr)
{
	struct device *dev;
	int fd;

	TAILQ_FOREACH(dev, &devices, next) {
		if (dev->fd >= 0 && dev->group == group && strcmp(dev->addr, dev_addr) == 0) {
			fd = fcntl(dev->fd, F_DUPFD_CLOEXEC, 0);
			return fd >= 0 ? fd : -errno;
		}
	}
	return -ENODEV;
}

/* Descriptor or -errno. */
static int
device_open_again(const char *dev_path, const char *dev_addr, struct vfio_device_info *info)
{
	struct eal_vfio_group *group;
	int fd, number, rc;

	rc = group_num_read(dev_path, &number);
	if (rc <= 0)
		return rc < 0 ? rc : -ENODEV;
	group = eal_vfio_group_find(number);
	if (group == NULL)
		return -ENODEV;
	if (group->container->mode->shares_devices)
		return device_open_and_query(group, dev_path, dev_addr, info);
	fd = device_duplicate(group, dev_addr);
	return fd < 0 ? fd : device_check(fd, dev_addr, info);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_get_device_info, 24.03)
int
rte_vfio_get_device_info(const char *sysfs_base, const char *dev_addr, int *vfio_dev_fd,
		struct vfio_device_info *device_info)
{
	char path[PATH_MAX];
	int rc;

	rc = dev_path_make(path, sizeof(path), sysfs_base, dev_addr);
	if (rc != 0 || vfio_dev_fd == NULL || device_info == NULL)
		return eal_vfio_result(-EINVAL);
	if (*vfio_dev_fd >= 0)
		return eal_vfio_result(device_query(*vfio_dev_fd, dev_addr, device_info));
	eal_vfio_lock();
	rc = device_open_again(path, dev_addr, device_info);
	eal_vfio_unlock();
	if (rc < 0)
		return eal_vfio_result(rc);
	*vfio_dev_fd = rc;
	return 0;
}

void
eal_vfio_devices_orphan(const struct eal_vfio_group *group)
{
	struct device *dev;

	TAILQ_FOREACH(dev, &devices, next)
		if (dev->group == group)
			dev->group = NULL;
}

void
eal_vfio_devices_close(void)
{
	struct device *dev;

	while ((dev = TAILQ_FIRST(&devices)) != NULL)
		device_release(dev);
}
