/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_vfio_priv.h"
#include "test.h"

/* Paths that lead to it. */

static const char *
path_rest(const char *path, const char *dir)
{
	return path + strlen(dir);
}

static int
dev_open(void *ctx, const char *path, int flags)
{
	const char *name = path_rest(path, "/dev/vfio/");

	if (strncmp(name, "devices", 7) == 0)
		return fake_cdev_open(ctx, name[7] == '/' ? name + 8 : "");
	return strcmp(name, "vfio") == 0 ? fake_container_open(ctx) : fake_group_open(ctx, name);
}

static int
dev_access(void *ctx, const char *path)
{
	struct fake_vfio *fake = ctx;
	const char *name = path_rest(path, "/dev/vfio/");

	if (strncmp(name, "devices", 7) == 0)
		return fake_cdev_access(fake, name[7] == '/' ? name + 8 : "");
	if (strcmp(name, "vfio") == 0)
		return fake->no_node ? -ENOENT : -fake->container_err;
	return fake_group_of_node(fake, name) == NULL ? -ENOENT : -fake->group_err;
}

static int
iommufd_open(void *ctx, const char *path, int flags)
{
	return fake_iommufd_open(ctx);
}

static int
iommufd_access(void *ctx, const char *path)
{
	const struct fake_vfio *fake = ctx;

	return fake->cdev ? -fake->iommufd_err : -ENOENT;
}

/* Folders of groups. */
static int
groups_open(void *ctx, const char *path, int flags)
{
	const struct fake_vfio *fake = ctx;
	char real[256];
	int fd;

	snprintf(real, sizeof(real), "%s/iommu_groups/%s", fake->root,
		path_rest(path, "/sys/kernel/iommu_groups/"));
	interpose_bypass_begin();
	fd = open(real, flags);
	interpose_bypass_end();
	return fd < 0 ? -errno : fd;
}

static int
module_open(void *ctx, const char *path, int flags)
{
	const struct fake_vfio *fake = ctx;
	int fd;

	if (strcmp(path_rest(path, "/sys/module/"),
			"vfio/parameters/enable_unsafe_noiommu_mode") != 0)
		return -ENOENT;
	fd = memfd_create("enable_unsafe_noiommu_mode", MFD_CLOEXEC);
	if (fd >= 0 && pwrite(fd, fake->noiommu ? "Y\n" : "N\n", 2, 0) != 2) {
		close(fd);
		return -EIO;
	}
	return fd < 0 ? -errno : fd;
}

static int
module_access(void *ctx, const char *path)
{
	const struct fake_vfio *fake = ctx;
	const char *name = path_rest(path, "/sys/module/");

	if (fake->no_node)
		return -ENOENT;
	if (strcmp(name, "vfio_iommu_type1") == 0)
		return fake->no_type1 ? -ENOENT : 0;
	return strcmp(name, "vfio") == 0 || strcmp(name, "vfio_pci") == 0 ||
		strcmp(name, "vfio_pci_core") == 0 ? 0 : -ENOENT;
}

const struct interpose_path fake_routes[NB_ROUTES] = {
	[ROUTE_DEV] = { .path = "/dev/vfio/", .open = dev_open, .access = dev_access },
	[ROUTE_IOMMUFD] = { .path = "/dev/iommu", .open = iommufd_open,
		.access = iommufd_access },
	[ROUTE_GROUPS] = { .path = "/sys/kernel/iommu_groups/", .open = groups_open },
	[ROUTE_MODULE] = { .path = "/sys/module/", .open = module_open, .access = module_access },
};
