/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_eal_memconfig.h>
#include <rte_errno.h>
#include <rte_uuid.h>
#include <rte_vfio.h>

#include "eal_vfio.h"

/* A device that rte_vfio_setup_device() opened. */
struct device {
	TAILQ_ENTRY(device) next;
	int fd;
	struct eal_vfio_group *group;	/* NULL: its container has been destroyed */
};

static struct eal_vfio_container default_container = {
	.fd = -1,
	.groups = TAILQ_HEAD_INITIALIZER(default_container.groups),
};
static TAILQ_HEAD(, eal_vfio_container) containers = TAILQ_HEAD_INITIALIZER(containers);
static TAILQ_HEAD(, device) devices = TAILQ_HEAD_INITIALIZER(devices);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void
eal_vfio_lock_only(void)
{
	pthread_mutex_lock(&lock);
}

void
eal_vfio_unlock_only(void)
{
	pthread_mutex_unlock(&lock);
}

void
eal_vfio_lock(void)
{
	rte_mcfg_mem_read_lock();
	eal_vfio_lock_only();
}

void
eal_vfio_unlock(void)
{
	eal_vfio_unlock_only();
	rte_mcfg_mem_read_unlock();
}

/* To what the public functions return. */
static int
result_of(int rc)
{
	if (rc < 0)
		rte_errno = -rc;
	return rc;
}

struct eal_vfio_container *
eal_vfio_default(void)
{
	return &default_container;
}

int
eal_vfio_containers(int (*visit)(struct eal_vfio_container *container, void *arg), void *arg)
{
	struct eal_vfio_container *container;
	int rc = visit(&default_container, arg);

	TAILQ_FOREACH(container, &containers, next) {
		if (rc != 0)
			break;
		rc = visit(container, arg);
	}
	return rc;
}

/* At start nobody has asked for VFIO, so that it cannot be used is no error yet. */
#define CONTAINER_LOG(quiet_, format_, ...) \
	rte_log((quiet_) ? RTE_LOG_INFO : RTE_LOG_ERR, RTE_LOGTYPE_EAL, \
		"EAL: VFIO: " RTE_VFIO_CONTAINER_PATH ": " format_ "\n", __VA_ARGS__)

static int
container_check(int fd, bool quiet)
{
	int version = ioctl(fd, VFIO_GET_API_VERSION);
	int err = version < 0 ? errno : ENOTSUP;

	if (version != VFIO_API_VERSION) {
		CONTAINER_LOG(quiet, "its version is %d, not %d", version, VFIO_API_VERSION);
		return -err;
	}
	if (!eal_vfio_iommu_is_known(fd)) {
		CONTAINER_LOG(quiet, "%s", "no IOMMU driver; load the module vfio_iommu_type1");
		return -ENOTSUP;
	}
	return 0;
}

/* Returns a descriptor or -errno. */
static int
container_open(bool quiet)
{
	int fd = open(RTE_VFIO_CONTAINER_PATH, O_RDWR | O_CLOEXEC);
	int rc;

	if (fd < 0) {
		rc = -errno;
		CONTAINER_LOG(quiet, "%s", eal_vfio_node_hint(-rc));
		return rc;
	}
	rc = container_check(fd, quiet);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	return fd;
}

/* The default container may come late, as when a module is loaded after start. */
static int
default_open(bool quiet)
{
	int fd;

	if (default_container.fd >= 0)
		return 0;
	fd = container_open(quiet);
	if (fd < 0)
		return fd;
	default_container.fd = fd;
	return 0;
}

static struct eal_vfio_container *
container_find(int fd)
{
	struct eal_vfio_container *container;

	if (fd == RTE_VFIO_DEFAULT_CONTAINER_FD || fd == default_container.fd)
		return &default_container;
	TAILQ_FOREACH(container, &containers, next)
		if (container->fd == fd)
			return container;
	return NULL;
}

RTE_EXPORT_SYMBOL(rte_vfio_enable)
int
rte_vfio_enable(const char *modname)
{
	if (modname == NULL)
		return result_of(-EINVAL);
	eal_vfio_lock_only();
	default_open(true);
	eal_vfio_unlock_only();
	return 0;
}

RTE_EXPORT_SYMBOL(rte_vfio_is_enabled)
int
rte_vfio_is_enabled(const char *modname)
{
	char path[PATH_MAX];
	bool open;

	if (modname == NULL || snprintf(path, sizeof(path), "/sys/module/%s", modname) >=
			(int)sizeof(path))
		return 0;
	eal_vfio_lock_only();
	open = default_container.fd >= 0;
	eal_vfio_unlock_only();
	return open && access(path, F_OK) == 0;
}

RTE_EXPORT_SYMBOL(rte_vfio_noiommu_is_enabled)
int
rte_vfio_noiommu_is_enabled(void)
{
	int fd = open(RTE_VFIO_NOIOMMU_MODE, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	char c;
	int err;

	if (fd < 0)
		return errno == ENOENT ? 0 : result_of(-errno);
	n = read(fd, &c, 1);
	err = n < 0 ? errno : EIO;
	close(fd);
	return n == 1 ? c == 'Y' : result_of(-err);
}

RTE_EXPORT_SYMBOL(rte_vfio_get_container_fd)
int
rte_vfio_get_container_fd(void)
{
	return result_of(container_open(false));
}

RTE_EXPORT_SYMBOL(rte_vfio_container_create)
int
rte_vfio_container_create(void)
{
	struct eal_vfio_container *container;
	int fd;

	container = calloc(1, sizeof(*container));
	if (container == NULL)
		return result_of(-ENOMEM);
	TAILQ_INIT(&container->groups);
	fd = container_open(false);
	if (fd < 0) {
		free(container);
		return result_of(fd);
	}
	container->fd = fd;
	eal_vfio_lock_only();
	TAILQ_INSERT_TAIL(&containers, container, next);
	eal_vfio_unlock_only();
	return fd;
}

static void
devices_orphan(const struct eal_vfio_group *group)
{
	struct device *dev;

	TAILQ_FOREACH(dev, &devices, next)
		if (dev->group == group)
			dev->group = NULL;
}

/* Empties a container and closes it. */
static void
container_close(struct eal_vfio_container *container)
{
	struct eal_vfio_group *group;

	while ((group = TAILQ_FIRST(&container->groups)) != NULL) {
		devices_orphan(group);
		eal_vfio_group_close(group);
	}
	free(container->maps);
	container->maps = NULL;
	container->nb_maps = container->max_maps = 0;
	if (container->fd >= 0)
		close(container->fd);
	container->fd = -1;
}

RTE_EXPORT_SYMBOL(rte_vfio_container_destroy)
int
rte_vfio_container_destroy(int container_fd)
{
	struct eal_vfio_container *container;
	int rc = -ENODEV;

	eal_vfio_lock();
	container = container_find(container_fd);
	if (container != NULL && container != &default_container) {
		TAILQ_REMOVE(&containers, container, next);
		container_close(container);
		free(container);
		rc = 0;
	}
	eal_vfio_unlock();
	return result_of(rc);
}

/* Finds the group, or opens it for the default container. */
static int
group_get(int number, struct eal_vfio_group **group)
{
	*group = eal_vfio_group_find(number);
	return *group != NULL ? 0 : eal_vfio_group_open(&default_container, number, group);
}

RTE_EXPORT_SYMBOL(rte_vfio_get_group_fd)
int
rte_vfio_get_group_fd(int iommu_group_num)
{
	struct eal_vfio_group *group;
	int rc;

	eal_vfio_lock();
	rc = group_get(iommu_group_num, &group);
	if (rc == 0)
		rc = group->fd;
	eal_vfio_unlock();
	return result_of(rc);
}

static int
find_by_fd(struct eal_vfio_container *container, void *arg)
{
	struct eal_vfio_group **wanted = arg;
	struct eal_vfio_group *group;

	TAILQ_FOREACH(group, &container->groups, next) {
		if (group->fd == (*wanted)->fd) {
			*wanted = group;
			return 1;
		}
	}
	return 0;
}

RTE_EXPORT_SYMBOL(rte_vfio_clear_group)
int
rte_vfio_clear_group(int vfio_group_fd)
{
	struct eal_vfio_group key = { .fd = vfio_group_fd };
	struct eal_vfio_group *group = &key;
	int rc = 0;

	eal_vfio_lock();
	if (eal_vfio_containers(find_by_fd, &group) == 0)
		rc = -ENODEV;
	else if (group->nb_devices != 0)
		rc = -EBUSY;
	else
		eal_vfio_group_close(group);
	eal_vfio_unlock();
	return result_of(rc);
}

static int
group_bind(struct eal_vfio_container *container, int number)
{
	struct eal_vfio_group *group;
	int rc;

	if (container == NULL)
		return -ENODEV;
	group = eal_vfio_group_find(number);
	if (group != NULL && group->container != container) {
		VFIO_LOG(ERR, "group %d is in another container", number);
		return -EBUSY;
	}
	if (group == NULL) {
		rc = eal_vfio_group_open(container, number, &group);
		if (rc != 0)
			return rc;
	}
	group->bound = true;
	return group->fd;
}

RTE_EXPORT_SYMBOL(rte_vfio_container_group_bind)
int
rte_vfio_container_group_bind(int container_fd, int iommu_group_num)
{
	int rc;

	eal_vfio_lock();
	rc = group_bind(container_find(container_fd), iommu_group_num);
	eal_vfio_unlock();
	return result_of(rc);
}

static int
group_unbind(const struct eal_vfio_container *container, int number)
{
	struct eal_vfio_group *group = eal_vfio_group_find(number);

	if (container == NULL || group == NULL || group->container != container)
		return -ENODEV;
	if (group->nb_devices != 0)
		return -EBUSY;
	eal_vfio_group_close(group);
	return 0;
}

RTE_EXPORT_SYMBOL(rte_vfio_container_group_unbind)
int
rte_vfio_container_group_unbind(int container_fd, int iommu_group_num)
{
	int rc;

	eal_vfio_lock();
	rc = group_unbind(container_find(container_fd), iommu_group_num);
	eal_vfio_unlock();
	return result_of(rc);
}

RTE_EXPORT_SYMBOL(rte_vfio_container_dma_map)
int
rte_vfio_container_dma_map(int container_fd, uint64_t vaddr, uint64_t iova, uint64_t len)
{
	const struct eal_vfio_map map = { .iova = iova, .vaddr = vaddr, .len = len, .user = true };
	struct eal_vfio_container *container;
	int rc = -ENODEV;

	eal_vfio_lock_only();
	container = container_find(container_fd);
	if (container != NULL)
		rc = eal_vfio_dma_map(container, &map);
	eal_vfio_unlock_only();
	return result_of(rc);
}

RTE_EXPORT_SYMBOL(rte_vfio_container_dma_unmap)
int
rte_vfio_container_dma_unmap(int container_fd, uint64_t vaddr, uint64_t iova, uint64_t len)
{
	const struct eal_vfio_map map = { .iova = iova, .vaddr = vaddr, .len = len, .user = true };
	struct eal_vfio_container *container;
	int rc = -ENODEV;

	eal_vfio_lock_only();
	container = container_find(container_fd);
	if (container != NULL)
		rc = eal_vfio_dma_unmap(container, &map);
	eal_vfio_unlock_only();
	return result_of(rc);
}

/* Devices. */

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
	return result_of(rc != 0 ? rc : group_num_read(path, iommu_group_num));
}

/* Asks for the device with the user's VF token; not all devices want one. Descriptor or -errno. */
static int
device_open_with_token(int group_fd, const char *dev_addr)
{
	char text[PATH_MAX + 64], uuid[RTE_UUID_STRLEN];
	rte_uuid_t token;
	int fd;

	rte_eal_vfio_get_vf_token(token);
	if (rte_uuid_is_null(token))
		return -EINVAL;
	rte_uuid_unparse(token, uuid, sizeof(uuid));
	snprintf(text, sizeof(text), "%s vf_token=%s", dev_addr, uuid);
	fd = ioctl(group_fd, VFIO_GROUP_GET_DEVICE_FD, text);
	return fd < 0 ? -errno : fd;
}

static const char *
device_hint(int err)
{
	if (err == EACCES)
		return "it wants the token of its physical function, see --vfio-vf-token";
	return err == ENODEV ? "no VFIO driver has it" : strerror(err);
}

/* Descriptor or -errno. */
static int
device_open(int group_fd, const char *dev_addr)
{
	int fd = device_open_with_token(group_fd, dev_addr);
	int err;

	if (fd >= 0)
		return fd;
	fd = ioctl(group_fd, VFIO_GROUP_GET_DEVICE_FD, dev_addr);
	if (fd >= 0)
		return fd;
	err = errno;
	VFIO_LOG(ERR, "%s: cannot open: %s", dev_addr, device_hint(err));
	return -err;
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

/* Opens the device and asks it; descriptor or -errno. */
static int
device_open_and_query(int group_fd, const char *dev_addr, struct vfio_device_info *info)
{
	int fd = device_open(group_fd, dev_addr);
	int rc;

	if (fd < 0)
		return fd;
	rc = device_query(fd, dev_addr, info);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	return fd;
}

/* A group without a device is there for nobody, unless somebody bound it. */
static void
group_put(struct eal_vfio_group *group)
{
	if (group->nb_devices != 0)
		return;
	if (group->bound)
		eal_vfio_group_detach(group);
	else
		eal_vfio_group_close(group);
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
	dev = malloc(sizeof(*dev));
	if (dev == NULL)
		return -ENOMEM;
	dev->fd = device_open_and_query(group->fd, dev_addr, info);
	if (dev->fd < 0) {
		rc = dev->fd;
		free(dev);
		return rc;
	}
	dev->group = group;
	group->nb_devices++;
	TAILQ_INSERT_TAIL(&devices, dev, next);
	return dev->fd;
}

/* 0; 1: VFIO has no device in this group; -errno. */
static int
device_setup_in_group(int number, const char *dev_path, const char *dev_addr,
		struct vfio_device_info *info, int *fd)
{
	struct eal_vfio_group *group;
	int rc;

	rc = group_get(number, &group);
	if (rc != 0)
		return rc == -ENOENT ? 1 : rc;
	rc = group->container == &default_container ? default_open(false) : 0;
	if (rc == -ENOENT)
		rc = -ENODEV;
	if (rc == 0)
		rc = device_setup(group, dev_path, dev_addr, info);
	if (rc < 0) {
		group_put(group);
		return rc;
	}
	*fd = rc;
	return 0;
}

RTE_EXPORT_SYMBOL(rte_vfio_setup_device)
int
rte_vfio_setup_device(const char *sysfs_base, const char *dev_addr, int *vfio_dev_fd,
		struct vfio_device_info *device_info)
{
	char path[PATH_MAX];
	int number = -1, rc;

	rc = dev_path_make(path, sizeof(path), sysfs_base, dev_addr);
	if (rc != 0 || vfio_dev_fd == NULL || device_info == NULL)
		return result_of(-EINVAL);
	rc = group_num_read(path, &number);
	if (rc < 0)
		return result_of(rc);
	if (rc == 0)
		return 1;
	eal_vfio_lock();
	rc = device_setup_in_group(number, path, dev_addr, device_info, vfio_dev_fd);
	eal_vfio_unlock();
	return result_of(rc);
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

static void
device_release(struct device *dev)
{
	TAILQ_REMOVE(&devices, dev, next);
	close(dev->fd);
	if (dev->group != NULL) {
		dev->group->nb_devices--;
		group_put(dev->group);
	}
	free(dev);
}

RTE_EXPORT_SYMBOL(rte_vfio_release_device)
int
rte_vfio_release_device(const char *sysfs_base, const char *dev_addr, int fd)
{
	struct device *dev;

	eal_vfio_lock();
	dev = device_find(fd);
	if (dev != NULL)
		device_release(dev);
	eal_vfio_unlock();
	if (dev == NULL) {
		VFIO_LOG(ERR, "%s: descriptor %d is not one of a device",
			dev_addr != NULL ? dev_addr : "release", fd);
		return result_of(-ENODEV);
	}
	return 0;
}

/* Descriptor or -errno. */
static int
device_open_again(const char *dev_path, const char *dev_addr, struct vfio_device_info *info)
{
	struct eal_vfio_group *group;
	int number, rc;

	rc = group_num_read(dev_path, &number);
	if (rc <= 0)
		return rc < 0 ? rc : -ENODEV;
	group = eal_vfio_group_find(number);
	if (group == NULL)
		return -ENODEV;
	return device_open_and_query(group->fd, dev_addr, info);
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
		return result_of(-EINVAL);
	if (*vfio_dev_fd >= 0)
		return result_of(device_query(*vfio_dev_fd, dev_addr, device_info));
	eal_vfio_lock();
	rc = device_open_again(path, dev_addr, device_info);
	eal_vfio_unlock();
	if (rc < 0)
		return result_of(rc);
	*vfio_dev_fd = rc;
	return 0;
}

int
eal_vfio_init(void)
{
	int rc = eal_vfio_dma_listen(&default_container);

	return rc != 0 ? rc : rte_vfio_enable("vfio");
}

int
eal_vfio_cleanup(void)
{
	struct eal_vfio_container *container;
	struct device *dev;

	eal_vfio_lock();
	while ((dev = TAILQ_FIRST(&devices)) != NULL)
		device_release(dev);
	while ((container = TAILQ_FIRST(&containers)) != NULL) {
		TAILQ_REMOVE(&containers, container, next);
		container_close(container);
		free(container);
	}
	container_close(&default_container);
	eal_vfio_unlock();
	eal_vfio_dma_ignore(&default_container);
	return 0;
}
