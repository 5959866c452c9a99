/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_uuid.h>

#include "eal_vfio.h"
#include "eal_vfio_ioas.h"
#include "eal_vfio_uapi.h"

/* A node's name is "vfio" and a number, so it is never longer. */
#define NODE_NAME_MAX 16

/* What an error at a step means to the user. */
struct hint {
	int err;
	const char *text;
};

static const char *
hint_find(const struct hint *hints, size_t nb, int err)
{
	size_t i;

	for (i = 0; i < nb; i++)
		if (hints[i].err == err)
			return hints[i].text;
	return strerror(err);
}

static const char *
cdev_node_hint(int err)
{
	static const struct hint hints[] = {
		{ ENOENT, "not there; it takes Linux 6.6 with CONFIG_IOMMUFD and "
			"CONFIG_VFIO_DEVICE_CDEV, or --vfio-mode=group" },
		{ EPERM, "not permitted to this process; see also --vfio-mode=group" },
		{ EBUSY, "busy; another process has it" },
	};

	return err == EACCES ? eal_vfio_node_hint(err) :
		hint_find(hints, RTE_DIM(hints), err);
}

static void
node_log(const char *path, int err, bool quiet)
{
	rte_log(quiet && eal_vfio_node_is_absent(err) ? RTE_LOG_INFO : RTE_LOG_ERR,
		RTE_LOGTYPE_EAL, "EAL: VFIO: %s: %s\n", path, cdev_node_hint(err));
}

/* Returns a descriptor or -errno. */
static int
node_open(const char *path, bool quiet)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int err = errno;

	if (fd >= 0)
		return fd;
	node_log(path, err, quiet);
	return -err;
}

/* An iommufd is of use where devices have nodes; others may have it for their own ends. */
static int
cdev_container_open(bool quiet)
{
	if (quiet && access(EAL_VFIO_CDEV_DIR, F_OK) != 0)
		return -errno;
	return node_open(EAL_IOMMUFD_PATH, quiet);
}

static bool
node_name_is_valid(const char *name)
{
	size_t len = strlen(name);
	size_t i;

	if (len < 5 || len >= NODE_NAME_MAX || strncmp(name, "vfio", 4) != 0)
		return false;
	for (i = 4; i < len; i++)
		if (!isdigit((unsigned char)name[i]))
			return false;
	return true;
}

/* Finds what sysfs calls the node of a device. 1: it is not VFIO's; -errno. */
static int
node_name_read(const char *dev_path, char name[NODE_NAME_MAX])
{
	char path[PATH_MAX + 32];
	struct dirent *entry;
	int rc = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/vfio-dev", dev_path);
	dir = opendir(path);
	if (dir == NULL)
		return errno == ENOENT ? 1 : -errno;
	do {
		errno = 0;
		entry = readdir(dir);
		if (entry == NULL)
			rc = errno != 0 ? -errno : 1;
	} while (entry != NULL && !node_name_is_valid(entry->d_name));
	if (entry != NULL)
		memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
	closedir(dir);
	return rc;
}

static int
cdev_find(const char *dev_path, int number, bool quiet)
{
	char path[sizeof(EAL_VFIO_CDEV_DIR) + NODE_NAME_MAX], name[NODE_NAME_MAX];
	int err, rc;

	rc = node_name_read(dev_path, name);
	if (rc != 0)
		return rc;
	snprintf(path, sizeof(path), EAL_VFIO_CDEV_DIR "/%s", name);
	if (access(path, R_OK | W_OK) == 0)
		return 0;
	err = errno;
	/* a kernel without nodes has the folder, too, and nothing is wrong with that */
	if (!quiet || err != ENOENT)
		node_log(path, err, quiet);
	return -err;
}

/*
 * An iommufd knows devices only, but DMA is kept apart by groups even so. The folder of a group
 * stands for it, and says whether there is such a group.
 */
static int
cdev_group_open(struct eal_vfio_group *group)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d", group->number);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

static int
cdev_group_attach(struct eal_vfio_group *group, const char *dev_path)
{
	struct eal_vfio_container *container = group->container;
	int rc;

	if (container->nb_attached != 0)
		return 0;
	rc = eal_vfio_ioas_alloc(container->fd, &container->ioas);
	if (rc != 0)
		VFIO_LOG(ERR, EAL_IOMMUFD_PATH ": no address space: %s", strerror(-rc));
	return rc;
}

static void
cdev_group_detach(struct eal_vfio_group *group)
{
	struct eal_vfio_container *container = group->container;

	if (container->nb_attached == 0)
		eal_vfio_ioas_free(container->fd, container->ioas);
}

/* Opens the node and sees that it has not become another device's meanwhile. */
static int
cdev_open(const char *dev_path)
{
	char path[PATH_MAX + 64], name[NODE_NAME_MAX];
	int fd, rc;

	rc = node_name_read(dev_path, name);
	if (rc != 0)
		return rc < 0 ? rc : -ENODEV;
	snprintf(path, sizeof(path), EAL_VFIO_CDEV_DIR "/%s", name);
	fd = node_open(path, false);
	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "%s/vfio-dev/%s", dev_path, name);
	if (access(path, F_OK) == 0)
		return fd;
	close(fd);
	return -ENODEV;
}

static int
bind_with_token(int fd, int iommufd)
{
	rte_uuid_t token;
	struct eal_vfio_bind_iommufd arg = {
		.argsz = sizeof(arg), .flags = EAL_VFIO_BIND_FLAG_TOKEN, .iommufd = iommufd,
		.token_uuid_ptr = (uintptr_t)token,
	};

	rte_eal_vfio_get_vf_token(token);
	if (rte_uuid_is_null(token))
		return -EINVAL;
	return ioctl(fd, EAL_VFIO_DEVICE_BIND_IOMMUFD, &arg) == 0 ? 0 : -errno;
}

/* Not all devices want a token, and not all kernels know it here. */
static int
bind_by_any(int fd, int iommufd)
{
	struct eal_vfio_bind_iommufd arg = { .argsz = EAL_VFIO_BIND_SIZE_BASE, .iommufd = iommufd };

	if (bind_with_token(fd, iommufd) == 0)
		return 0;
	return ioctl(fd, EAL_VFIO_DEVICE_BIND_IOMMUFD, &arg) == 0 ? 0 : -errno;
}

static const char *
bind_hint(int err)
{
	static const struct hint hints[] = {
		{ EACCES, "it wants the token of its physical function, see --vfio-vf-token" },
		{ EBUSY, "another process has opened its group" },
		{ EINVAL, "another process has it, or its DMA is not coherent" },
		{ ENODEV, "no VFIO driver has it" },
		{ EPERM, "another process or a kernel driver has a device of its group; or the "
			"platform cannot keep interrupts apart, see allow_unsafe_interrupts of "
			"the module iommufd" },
	};

	return hint_find(hints, RTE_DIM(hints), err);
}

static int
cdev_bind(int fd, const struct eal_vfio_group *group, const char *dev_path, const char *dev_addr)
{
	int rc = bind_by_any(fd, group->container->fd);

	if (rc == 0)
		return 0;
	VFIO_LOG(ERR, "%s: cannot bind to an iommufd: %s", dev_addr, bind_hint(-rc));
	if (rc == -EPERM)
		eal_vfio_group_log_members(group->number, dev_path);
	return rc;
}

static const char *
attach_hint(int err)
{
	static const struct hint hints[] = {
		{ EADDRINUSE, "memory is mapped where this device reaches none" },
		{ EINVAL, "its IOMMU does not go with that of the other devices" },
		{ ENOMEM, "the limit of locked memory may be too low, see ulimit -l" },
	};

	return hint_find(hints, RTE_DIM(hints), err);
}

/* The first device of a container brings its IOMMU, the others may narrow what that reaches. */
static int
cdev_attach(int fd, struct eal_vfio_container *container, const char *dev_addr)
{
	struct eal_vfio_attach_iommufd_pt arg = { .argsz = sizeof(arg), .pt_id = container->ioas };

	if (ioctl(fd, EAL_VFIO_DEVICE_ATTACH_IOMMUFD_PT, &arg) != 0) {
		int err = errno;

		VFIO_LOG(ERR, "%s: cannot use the address space: %s", dev_addr, attach_hint(err));
		return -err;
	}
	return container->iommu != NULL ? eal_vfio_iommu_refresh(container) :
		eal_vfio_iommu_begin(container, &eal_vfio_ioas_ops);
}

/* Closing the device undoes all steps. */
static int
cdev_device_open(struct eal_vfio_group *group, const char *dev_path, const char *dev_addr)
{
	int fd = cdev_open(dev_path);
	int rc;

	if (fd < 0)
		return fd;
	rc = cdev_bind(fd, group, dev_path, dev_addr);
	if (rc == 0)
		rc = cdev_attach(fd, group->container, dev_addr);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

const struct eal_vfio_mode eal_vfio_cdev_mode = {
	.id = EAL_VFIO_MODE_CDEV,
	.name = "cdev",
	.container_open = cdev_container_open,
	.find = cdev_find,
	.group_open = cdev_group_open,
	.group_attach = cdev_group_attach,
	.group_detach = cdev_group_detach,
	.device_open = cdev_device_open,
};
