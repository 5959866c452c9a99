/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

bool
eal_vfio_node_is_absent(int err)
{
	return err == ENOENT || err == ENODEV || err == ENXIO || err == EACCES || err == EPERM;
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

int
eal_vfio_group_open(struct eal_vfio_container *container, int number,
		struct eal_vfio_group **group)
{
	struct eal_vfio_group *new;
	int rc;

	new = calloc(1, sizeof(*new));
	if (new == NULL)
		return -ENOMEM;
	new->container = container;
	new->number = number;
	rc = container->mode->group_open(new);
	if (rc < 0) {
		free(new);
		return rc;
	}
	new->fd = rc;
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

int
eal_vfio_group_attach(struct eal_vfio_group *group, const char *dev_path)
{
	int rc;

	if (group->attached)
		return 0;
	rc = group->container->mode->group_attach(group, dev_path);
	if (rc != 0)
		return rc;
	group->attached = true;
	group->container->nb_attached++;
	return 0;
}

void
eal_vfio_group_detach(struct eal_vfio_group *group)
{
	struct eal_vfio_container *container = group->container;

	if (!group->attached)
		return;
	group->attached = false;
	container->nb_attached--;
	if (container->nb_attached == 0)
		eal_vfio_iommu_end(container);
	container->mode->group_detach(group);
}

void
eal_vfio_group_put(struct eal_vfio_group *group)
{
	if (group->nb_devices != 0)
		return;
	if (group->bound)
		eal_vfio_group_detach(group);
	else
		eal_vfio_group_close(group);
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

void
eal_vfio_group_log_members(int number, const char *dev_path)
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
