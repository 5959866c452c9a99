/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_uuid.h>

#include "eal_vfio.h"
#include "eal_vfio_type1.h"

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
	if (!eal_vfio_type1_is_known(fd)) {
		CONTAINER_LOG(quiet, "%s", "no IOMMU driver; load the module vfio_iommu_type1");
		return -ENOTSUP;
	}
	return 0;
}

static int
group_container_open(bool quiet)
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

/* A group has one node or the other; which, tells whether there is an IOMMU. */
static const char *const node_prefixes[] = { "", "noiommu-" };

#define NODE_PATH_MAX 64

static void
node_path_make(char path[NODE_PATH_MAX], size_t kind, int number)
{
	snprintf(path, NODE_PATH_MAX, RTE_VFIO_DIR "/%s%d", node_prefixes[kind], number);
}

static bool
node_exists(size_t kind, int number)
{
	char path[NODE_PATH_MAX];

	node_path_make(path, kind, number);
	return access(path, F_OK) == 0 || errno != ENOENT;
}

static int
group_find(const char *dev_path, int number, bool quiet)
{
	size_t i;

	for (i = 0; i < RTE_DIM(node_prefixes); i++)
		if (node_exists(i, number))
			return 0;
	return 1;
}

bool
eal_vfio_group_is_noiommu(int number)
{
	return !node_exists(0, number) && node_exists(1, number);
}

static int
group_node_open(struct eal_vfio_group *group)
{
	char path[NODE_PATH_MAX];
	size_t i;
	int err, fd;

	for (i = 0; i < RTE_DIM(node_prefixes); i++) {
		node_path_make(path, i, group->number);
		fd = open(path, O_RDWR | O_CLOEXEC);
		group->noiommu = i != 0;
		if (fd >= 0)
			return fd;
		err = errno;
		if (err == ENOENT)
			continue;
		VFIO_LOG(ERR, "%s: %s", path, eal_vfio_node_hint(err));
		return -err;
	}
	return -ENOENT;
}

static int
group_refuse(const struct eal_vfio_group *group, const char *dev_path)
{
	VFIO_LOG(ERR,
		"group %d is not viable: bind all of its devices to vfio-pci, or to no driver",
		group->number);
	eal_vfio_group_log_members(group->number, dev_path);
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
			eal_vfio_group_log_members(group->number, dev_path);
		return -err;
	}
	return 0;
}

/*
 * The container's first group brings the IOMMU, and with it come the mappings; the others may
 * narrow what that reaches.
 */
static int
iommu_begin(const struct eal_vfio_group *group)
{
	const struct eal_vfio_iommu_ops *iommu = NULL;
	int rc;

	if (group->container->nb_attached != 0)
		return eal_vfio_iommu_refresh(group->container);
	rc = eal_vfio_type1_select(group->container->fd, group->noiommu, &iommu);
	return rc != 0 ? rc : eal_vfio_iommu_begin(group->container, iommu);
}

static int
group_attach(struct eal_vfio_group *group, const char *dev_path)
{
	bool has_container = false;
	int rc;

	rc = group_check(group, dev_path, &has_container);
	if (rc == 0 && !has_container)
		rc = group_enter(group, dev_path);
	if (rc == 0)
		rc = iommu_begin(group);
	if (rc != 0)
		ioctl(group->fd, VFIO_GROUP_UNSET_CONTAINER);
	return rc;
}

/* Should the kernel refuse, closing the group does it. */
static void
group_detach(struct eal_vfio_group *group)
{
	ioctl(group->fd, VFIO_GROUP_UNSET_CONTAINER);
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

static int
group_device_open(struct eal_vfio_group *group, const char *dev_path, const char *dev_addr)
{
	int fd = device_open_with_token(group->fd, dev_addr);
	int err;

	if (fd >= 0)
		return fd;
	fd = ioctl(group->fd, VFIO_GROUP_GET_DEVICE_FD, dev_addr);
	if (fd >= 0)
		return fd;
	err = errno;
	VFIO_LOG(ERR, "%s: cannot open: %s", dev_addr, device_hint(err));
	return -err;
}

const struct eal_vfio_mode eal_vfio_group_mode = {
	.id = EAL_VFIO_MODE_GROUP,
	.name = "group",
	.container_open = group_container_open,
	.find = group_find,
	.group_open = group_node_open,
	.group_attach = group_attach,
	.group_detach = group_detach,
	.device_open = group_device_open,
	.shares_devices = true,
};
