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

static struct eal_vfio_container default_container = {
	.fd = -1,
	.info = { .page_sz = 1 },
	.groups = TAILQ_HEAD_INITIALIZER(default_container.groups),
};

/* The kernel lets none in beside groups that have an IOMMU. */
static struct eal_vfio_container noiommu_container = {
	.fd = -1,
	.info = { .page_sz = 1 },
	.groups = TAILQ_HEAD_INITIALIZER(noiommu_container.groups),
};
static TAILQ_HEAD(, eal_vfio_container) containers = TAILQ_HEAD_INITIALIZER(containers);

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

int
eal_vfio_result(int rc)
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

struct eal_vfio_container *
eal_vfio_noiommu(void)
{
	return &noiommu_container;
}

int
eal_vfio_containers(int (*visit)(struct eal_vfio_container *container, void *arg), void *arg)
{
	struct eal_vfio_container *container;
	int rc = visit(&default_container, arg);

	if (rc == 0)
		rc = visit(&noiommu_container, arg);
	TAILQ_FOREACH(container, &containers, next) {
		if (rc != 0)
			break;
		rc = visit(container, arg);
	}
	return rc;
}

/* A container that is used no more, or never was. */
static void
container_fd_close(struct eal_vfio_container *container)
{
	if (container->fd >= 0)
		close(container->fd);
	container->fd = -1;
}

/* It may come late, as when a module is loaded after start. */
int
eal_vfio_container_open(struct eal_vfio_container *container, const struct eal_vfio_mode *mode,
		bool quiet)
{
	int fd;

	if (container->fd >= 0 && container->mode == mode)
		return 0;
	fd = mode->container_open(quiet);
	if (fd < 0)
		return fd;
	container_fd_close(container);
	container->fd = fd;
	container->mode = mode;
	return 0;
}

static const struct eal_vfio_mode *const modes_auto[] = {
	&eal_vfio_cdev_mode, &eal_vfio_group_mode, NULL,
};
static const struct eal_vfio_mode *const modes_cdev[] = { &eal_vfio_cdev_mode, NULL };
static const struct eal_vfio_mode *const modes_group[] = { &eal_vfio_group_mode, NULL };

const struct eal_vfio_mode *const *
eal_vfio_modes(void)
{
	static const struct eal_vfio_mode *const *const by_option[] = {
		[EAL_VFIO_MODE_AUTO] = modes_auto,
		[EAL_VFIO_MODE_CDEV] = modes_cdev,
		[EAL_VFIO_MODE_GROUP] = modes_group,
	};

	return by_option[eal_options()->vfio_mode];
}

bool
eal_vfio_wants_noiommu(int number)
{
	return eal_options()->vfio_mode != EAL_VFIO_MODE_CDEV &&
		eal_vfio_group_is_noiommu(number);
}

/* Opens a container before it is known what for. Descriptor or -errno. */
static int
container_open(bool quiet, const struct eal_vfio_mode **mode)
{
	const struct eal_vfio_mode *const *modes = eal_vfio_modes();
	int fd = -ENODEV;

	for (; *modes != NULL && fd < 0; modes++) {
		fd = (*modes)->container_open(quiet || modes[1] != NULL);
		*mode = *modes;
	}
	return fd;
}

int
eal_vfio_default_open_any(bool quiet)
{
	const struct eal_vfio_mode *mode = NULL;
	int fd;

	if (default_container.fd >= 0)
		return 0;
	fd = container_open(quiet, &mode);
	if (fd < 0)
		return fd;
	default_container.fd = fd;
	default_container.mode = mode;
	return 0;
}

struct eal_vfio_container *
eal_vfio_container_find(int fd)
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
		return eal_vfio_result(-EINVAL);
	eal_vfio_lock_only();
	eal_vfio_default_open_any(true);
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
		return errno == ENOENT ? 0 : eal_vfio_result(-errno);
	n = read(fd, &c, 1);
	err = n < 0 ? errno : EIO;
	close(fd);
	return n == 1 ? c == 'Y' : eal_vfio_result(-err);
}

RTE_EXPORT_SYMBOL(rte_vfio_get_container_fd)
int
rte_vfio_get_container_fd(void)
{
	if (eal_options()->vfio_mode == EAL_VFIO_MODE_CDEV)
		return eal_vfio_result(eal_vfio_refuse_without_groups("descriptor of a container"));
	return eal_vfio_result(eal_vfio_group_mode.container_open(false));
}

RTE_EXPORT_SYMBOL(rte_vfio_container_create)
int
rte_vfio_container_create(void)
{
	struct eal_vfio_container *container;
	int fd;

	container = calloc(1, sizeof(*container));
	if (container == NULL)
		return eal_vfio_result(-ENOMEM);
	TAILQ_INIT(&container->groups);
	fd = container_open(false, &container->mode);
	if (fd < 0) {
		free(container);
		return eal_vfio_result(fd);
	}
	container->fd = fd;
	eal_vfio_lock_only();
	TAILQ_INSERT_TAIL(&containers, container, next);
	eal_vfio_unlock_only();
	return fd;
}

/* Empties a container and closes it. */
static void
container_close(struct eal_vfio_container *container)
{
	struct eal_vfio_group *group;

	while ((group = TAILQ_FIRST(&container->groups)) != NULL) {
		eal_vfio_devices_orphan(group);
		eal_vfio_group_close(group);
	}
	free(container->maps);
	container->maps = NULL;
	container->nb_maps = container->max_maps = 0;
	container_fd_close(container);
}

RTE_EXPORT_SYMBOL(rte_vfio_container_destroy)
int
rte_vfio_container_destroy(int container_fd)
{
	struct eal_vfio_container *container;
	int rc = -ENODEV;

	eal_vfio_lock();
	container = eal_vfio_container_find(container_fd);
	if (container != NULL && container != &default_container) {
		TAILQ_REMOVE(&containers, container, next);
		container_close(container);
		free(container);
		rc = 0;
	}
	eal_vfio_unlock();
	return eal_vfio_result(rc);
}

static int
container_user_map(int container_fd, const struct eal_vfio_map *map,
	int (*change)(struct eal_vfio_container *container, const struct eal_vfio_map *map))
{
	struct eal_vfio_container *container;
	int rc = -ENODEV;

	eal_vfio_lock_only();
	container = eal_vfio_container_find(container_fd);
	if (container != NULL)
		rc = change(container, map);
	eal_vfio_unlock_only();
	return eal_vfio_result(rc);
}

RTE_EXPORT_SYMBOL(rte_vfio_container_dma_map)
int
rte_vfio_container_dma_map(int container_fd, uint64_t vaddr, uint64_t iova, uint64_t len)
{
	const struct eal_vfio_map map = { .iova = iova, .vaddr = vaddr, .len = len, .user = true };

	return container_user_map(container_fd, &map, eal_vfio_dma_map);
}

RTE_EXPORT_SYMBOL(rte_vfio_container_dma_unmap)
int
rte_vfio_container_dma_unmap(int container_fd, uint64_t vaddr, uint64_t iova, uint64_t len)
{
	const struct eal_vfio_map map = { .iova = iova, .vaddr = vaddr, .len = len, .user = true };

	return container_user_map(container_fd, &map, eal_vfio_dma_unmap);
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

	eal_vfio_lock();
	eal_vfio_devices_close();
	while ((container = TAILQ_FIRST(&containers)) != NULL) {
		TAILQ_REMOVE(&containers, container, next);
		container_close(container);
		free(container);
	}
	container_close(&noiommu_container);
	container_close(&default_container);
	eal_vfio_unlock();
	eal_vfio_dma_ignore(&default_container);
	return 0;
}
