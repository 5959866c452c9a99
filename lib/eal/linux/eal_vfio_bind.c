/* SPDX-License-Identifier: BSD-3-Clause */

/* Groups by the public functions: their descriptors, and which container they are in. */

#include <errno.h>

#include <eal_export.h>
#include <rte_vfio.h>

#include "eal_vfio.h"

/* What only groups have. */
int
eal_vfio_refuse_without_groups(const char *what)
{
	VFIO_LOG(ERR, "%s: devices are had by nodes of their own, not by groups; "
		"use --vfio-mode=group", what);
	return -ENOTSUP;
}

/* The default container of a group, open. */
static int
default_get(int number, struct eal_vfio_container **container)
{
	*container = eal_vfio_wants_noiommu(number) ? eal_vfio_noiommu() : eal_vfio_default();
	return *container == eal_vfio_default() ? eal_vfio_default_open_any(false) :
		eal_vfio_container_open(*container, &eal_vfio_group_mode, false);
}

/* Finds the group, or opens it for the default container. */
static int
group_get(int number, struct eal_vfio_group **group)
{
	struct eal_vfio_container *container;
	int rc;

	*group = eal_vfio_group_find(number);
	if (*group != NULL)
		return 0;
	rc = default_get(number, &container);
	if (rc == 0 && container->mode == &eal_vfio_group_mode)
		rc = eal_vfio_group_open(container, number, group);
	return rc;
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
		rc = group != NULL && group->container->mode == &eal_vfio_group_mode ? group->fd :
			eal_vfio_refuse_without_groups("descriptor of a group");
	eal_vfio_unlock();
	return eal_vfio_result(rc);
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
	return eal_vfio_result(rc);
}

static int
group_bind(struct eal_vfio_container *container, int number)
{
	struct eal_vfio_group *group;
	int rc;

	if (container == NULL)
		return -ENODEV;
	if (container == eal_vfio_default()) {
		rc = default_get(number, &container);
		if (rc != 0)
			return rc;
	}
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
	rc = group_bind(eal_vfio_container_find(container_fd), iommu_group_num);
	eal_vfio_unlock();
	return eal_vfio_result(rc);
}

static bool
group_is_in(const struct eal_vfio_group *group, const struct eal_vfio_container *container)
{
	return group->container == container ||
		(container == eal_vfio_default() && group->container == eal_vfio_noiommu());
}

static int
group_unbind(const struct eal_vfio_container *container, int number)
{
	struct eal_vfio_group *group = eal_vfio_group_find(number);

	if (container == NULL || group == NULL || !group_is_in(group, container))
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
	rc = group_unbind(eal_vfio_container_find(container_fd), iommu_group_num);
	eal_vfio_unlock();
	return eal_vfio_result(rc);
}
