/* SPDX-License-Identifier: BSD-3-Clause */

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

#include "eal_vfio.h"

static int
find_in_container(struct eal_vfio_container *container, void *arg)
{
	struct eal_vfio_group **wanted = arg;
	struct eal_vfio_group *group;

	TAILQ_FOREACH(group, &container->groups, next) {
		if (group->number == (*wanted)->number) {
			*wanted = group;
			return 1;
		}
	}
	return 0;
}

struct eal_vfio_group *
eal_vfio_group_find(int number)
{
	struct eal_vfio_group key = { .number = number };
	struct eal_vfio_group *group = &key;

	return eal_vfio_containers(find_in_container, &group) == 0 ? NULL : group;
}

const char *
eal_vfio_node_hint(int err)
{
	static const struct {
		int err;
		const char *hint;
	} hints[] = {
		{ EACCES, "permission denied; run as root, or give this user the file by chown "
			"or a udev rule" },
		{ EPERM, "not permitted; without an IOMMU it takes root (CAP_SYS_RAWIO)" },
		{ EBUSY, "busy; another process uses a device of this group" },
		{ ENOENT, "not there; load the module vfio-pci" },
		{ ENODEV, "no device; the module behind it is not loaded" },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(hints); i++)
		if (hints[i].err == err)
			return hints[i].hint;
	return strerror(err);
}

/* A group has one node or the other; which, tells whether there is an IOMMU. */
static int
node_open(int number)
{
	static const char *const prefixes[] = { "", "noiommu-" };
	char path[64];
	size_t i;
	int fd;

	for (i = 0; i < RTE_DIM(prefixes); i++) {
		snprintf(path, sizeof(path), RTE_VFIO_DIR "/%s%d", prefixes[i], number);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (errno != ENOENT) {
			int err = errno;

			VFIO_LOG(ERR, "%s: %s", path, eal_vfio_node_hint(err));
			return -err;
		}
	}
	return -ENOENT;
}

int
eal_vfio_group_open(struct eal_vfio_container *container, int number,
		struct eal_vfio_group **group)
{
	struct eal_vfio_group *new;

	new = calloc(1, sizeof(*new));
	if (new == NULL)
		return -ENOMEM;
	new->fd = node_open(number);
	if (new->fd < 0) {
		int rc = new->fd;

		free(new);
		return rc;
	}
	new->container = container;
	new->number = number;
	TAILQ_INSERT_TAIL(&container->groups, new, next);
	*group = new;
	return 0;
}

void
eal_vfio_group_close(struct eal_vfio_group *group)
{
	eal_vfio_group_detach(group);
	TAILQ_REMOVE(&group->container->groups, group, next);
	close(group->fd);
	free(group);
}

/* Says who has a device of the group; it is below the open folder. */
static void
member_log(int number, int dirfd, const char *name)
{
	char link[NAME_MAX + 16], target[PATH_MAX];
	const char *driver;
	ssize_t len;

	if (snprintf(link, sizeof(link), "%s/driver", name) >= (int)sizeof(link))
		return;
	len = readlinkat(dirfd, link, target, sizeof(target) - 1);
	target[len > 0 ? len : 0] = '\0';
	driver = strrchr(target, '/');
	VFIO_LOG(ERR, "group %d: %s has the kernel driver %s", number, name,
		driver != NULL ? driver + 1 : "none");
}

/* Says which devices are in the group and who has them: one of them stands in the way. */
static void
group_log_members(int number, const char *dev_path)
{
	char path[PATH_MAX + 32];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/iommu_group/devices", dev_path);
	dir = opendir(path);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			member_log(number, dirfd(dir), entry->d_name);
	closedir(dir);
}

static int
group_refuse(const struct eal_vfio_group *group, const char *dev_path)
{
	VFIO_LOG(ERR,
		"group %d is not viable: bind all of its devices to vfio-pci, or to no driver",
		group->number);
	group_log_members(group->number, dev_path);
	return -EPERM;
}

static int
group_check(const struct eal_vfio_group *group, const char *dev_path, bool *has_container)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	if (ioctl(group->fd, VFIO_GROUP_GET_STATUS, &status) != 0) {
		int err = errno;

		VFIO_LOG(ERR, "group %d does not tell its state: %s", group->number, strerror(err));
		return -err;
	}
	*has_container = (status.flags & VFIO_GROUP_FLAGS_CONTAINER_SET) != 0;
	if ((status.flags & VFIO_GROUP_FLAGS_VIABLE) == 0)
		return group_refuse(group, dev_path);
	return 0;
}

static int
group_enter(const struct eal_vfio_group *group, const char *dev_path)
{
	int fd = group->container->fd;

	if (ioctl(group->fd, VFIO_GROUP_SET_CONTAINER, &fd) != 0) {
		int err = errno;

		VFIO_LOG(ERR, "group %d cannot be put into a container: %s", group->number,
			err == EPERM ?
			"devices with and without IOMMU do not mix, and a kernel driver "
			"must not have a device of the group" : strerror(err));
		if (err == EPERM)
			group_log_members(group->number, dev_path);
		return -err;
	}
	return 0;
}

static void
iommu_forget(struct eal_vfio_container *container)
{
	container->iommu = NULL;
	free(container->info.ranges);
	container->info = (struct eal_vfio_iommu_info){ .page_sz = 1 };
}

/* The container's first group brings the IOMMU, and with it come the mappings. */
static int
iommu_begin(struct eal_vfio_container *container)
{
	int rc;

	container->info = (struct eal_vfio_iommu_info){ .page_sz = 1 };
	rc = eal_vfio_iommu_select(container->fd, &container->iommu);
	if (rc != 0)
		return rc;
	rc = container->iommu->query(container->fd, &container->info);
	if (rc == 0)
		rc = eal_vfio_dma_begin(container);
	if (rc != 0) {
		eal_vfio_dma_end(container);
		iommu_forget(container);
	}
	return rc;
}

int
eal_vfio_group_attach(struct eal_vfio_group *group, const char *dev_path)
{
	struct eal_vfio_container *container = group->container;
	bool has_container = false;
	int rc;

	if (group->attached)
		return 0;
	rc = group_check(group, dev_path, &has_container);
	if (rc == 0 && !has_container)
		rc = group_enter(group, dev_path);
	if (rc == 0 && container->nb_attached == 0)
		rc = iommu_begin(container);
	if (rc != 0) {
		ioctl(group->fd, VFIO_GROUP_UNSET_CONTAINER);
		return rc;
	}
	group->attached = true;
	container->nb_attached++;
	return 0;
}

/* Should the kernel refuse, closing the group does it. */
void
eal_vfio_group_detach(struct eal_vfio_group *group)
{
	struct eal_vfio_container *container = group->container;

	if (!group->attached)
		return;
	ioctl(group->fd, VFIO_GROUP_UNSET_CONTAINER);
	group->attached = false;
	if (--container->nb_attached == 0) {
		eal_vfio_dma_end(container);
		iommu_forget(container);
	}
}
