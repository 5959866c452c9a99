/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_vfio_priv.h"
#include "test.h"

int
fake_ioctl_find(const struct fake_ioctl *table, size_t n, void *ctx, unsigned long request,
		void *arg)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (table[i].request == request)
			return table[i].call(ctx, arg);
	return -ENOTTY;
}

/* Gives the fixed part of an info that has @p known bytes, as far as the caller's buffer goes. */
void
fake_info_give(void *arg, const void *info, uint32_t known)
{
	uint32_t argsz;

	memcpy(&argsz, arg, sizeof(argsz));
	memcpy(arg, info, argsz < known ? argsz : known);
}

/* In memory if possible: there are many small files. */
static void
root_make(char *root, size_t size)
{
	fake_path_make(root, size, "/dev/shm/dpdk-test-XXXXXX");
	if (mkdtemp(root) != NULL)
		return;
	fake_path_make(root, size, "/tmp/dpdk-test-XXXXXX");
	assert_non_null(mkdtemp(root));
}

struct fake_vfio *
fake_vfio_start(void)
{
	static const char *const folders[] = { "devices", "drivers", "iommu_groups" };
	static char env[128];
	struct fake_vfio *fake = calloc(1, sizeof(*fake));
	char path[128];
	size_t i;

	assert_non_null(fake);
	interpose_bypass_begin();
	fake->pgsizes = UINT64_C(0x40201000);
	fake->dma_avail = 65535;
	root_make(fake->root, sizeof(fake->root));
	for (i = 0; i < DIM(folders); i++) {
		fake_path_make(path, sizeof(path), "%s/%s", fake->root, folders[i]);
		fake_folder_make(path);
	}
	fake_path_make(fake->sysfs, sizeof(fake->sysfs), "%s/devices", fake->root);
	/* setenv() would keep a copy for ever. */
	fake_path_make(env, sizeof(env), "SYSFS_PCI_DEVICES=%s", fake->sysfs);
	assert_int_equal(putenv(env), 0);
	fake->routes = calloc(1, sizeof(*fake->routes));
	assert_non_null(fake->routes);
	for (i = 0; i < NB_ROUTES; i++) {
		fake->routes->path[i] = fake_routes[i];
		fake->routes->path[i].ctx = fake;
		interpose_route_path(&fake->routes->path[i]);
	}
	interpose_bypass_end();
	return fake;
}

static void
groups_free(struct fake_vfio *fake)
{
	struct fake_group *group;

	while ((group = fake->groups) != NULL) {
		fake->groups = group->next;
		free(group);
	}
}

static void
devices_free(struct fake_vfio *fake)
{
	struct fake_device *dev;

	while ((dev = fake->devices) != NULL) {
		fake->devices = dev->next;
		close(dev->memfd);
		free(dev);
	}
}

static unsigned int
count_open(const struct fake_vfio *fake)
{
	const struct fake_container *container;
	const struct fake_device *dev;
	const struct fake_group *group;
	const struct fake_iommufd *iommufd;
	unsigned int n = 0;

	for (iommufd = fake->iommufds; iommufd != NULL; iommufd = iommufd->next)
		n++;
	for (container = fake->containers; container != NULL; container = container->next)
		n++;
	for (group = fake->groups; group != NULL; group = group->next)
		n += group->fd >= 0;
	for (dev = fake->devices; dev != NULL; dev = dev->next)
		n += dev->nb_open;
	return n;
}

void
fake_vfio_stop(struct fake_vfio *fake)
{
	unsigned int nb_open = count_open(fake);
	size_t i;

	interpose_bypass_begin();
	for (i = 0; i < NB_ROUTES; i++)
		interpose_unroute_path(&fake->routes->path[i]);
	unsetenv("SYSFS_PCI_DEVICES");
	fake_tree_remove(fake->root);
	interpose_bypass_end();
	if (nb_open != 0)
		fail_msg("%u descriptors of the fake VFIO are still open", nb_open);
	devices_free(fake);
	groups_free(fake);
	free(fake->routes);
	free(fake);
}

static void
group_add(struct fake_vfio *fake, const struct fake_device_desc *desc)
{
	struct fake_group *group;

	if (desc->group < 0)
		return;
	for (group = fake->groups; group != NULL; group = group->next)
		if (group->number == desc->group)
			return;
	group = calloc(1, sizeof(*group));
	assert_non_null(group);
	group->fake = fake;
	group->number = desc->group;
	group->noiommu = desc->noiommu;
	group->fd = -1;
	group->next = fake->groups;
	fake->groups = group;
}

/* A type 0 header with the device's names. */
static void
config_make(struct fake_device *dev)
{
	const struct fake_device_desc *d = &dev->desc;
	struct fake_region *region = &dev->desc.regions[VFIO_PCI_CONFIG_REGION_INDEX];
	uint8_t header[64] = {
		d->vendor & 0xff, d->vendor >> 8, d->device & 0xff, d->device >> 8,
		[0x09] = d->class_id & 0xff, (d->class_id >> 8) & 0xff, (d->class_id >> 16) & 0xff,
		[0x2c] = d->subsystem_vendor & 0xff, d->subsystem_vendor >> 8,
		d->subsystem_device & 0xff, d->subsystem_device >> 8,
	};

	if (region->size == 0) {
		region->size = d->config_len > 256 ? 4096 : 256;
		region->flags = FAKE_REGION_RW;
	}
	fake_vfio_poke(dev, VFIO_PCI_CONFIG_REGION_INDEX, 0, header, sizeof(header));
	if (d->config != NULL)
		fake_vfio_poke(dev, VFIO_PCI_CONFIG_REGION_INDEX, 0, d->config, d->config_len);
}

static void
irqs_make(struct fake_device *dev)
{
	uint32_t i, j;

	for (i = 0; i < FAKE_NB_IRQS; i++)
		for (j = 0; j < FAKE_IRQ_VECTORS_MAX; j++)
			dev->irqs[i].fds[j] = -1;
}

struct fake_device *
fake_vfio_add(struct fake_vfio *fake, const struct fake_device_desc *desc)
{
	struct fake_device *dev = calloc(1, sizeof(*dev));

	assert_non_null(dev);
	interpose_bypass_begin();
	dev->desc = *desc;
	dev->fake = fake;
	/* not the order in which they come */
	dev->node = fake->devices == NULL ? 40 : (fake->devices->node ^ 1) + 2;
	dev->memfd = memfd_create(desc->name, MFD_CLOEXEC);
	assert_true(dev->memfd >= 0);
	assert_int_equal(ftruncate(dev->memfd, (off_t)FAKE_NB_REGIONS << REGION_SHIFT), 0);
	config_make(dev);
	irqs_make(dev);
	group_add(fake, desc);
	dev->next = fake->devices;
	fake->devices = dev;
	fake_vfio_sysfs_add(dev);
	interpose_bypass_end();
	return dev;
}

void
fake_vfio_unplug(struct fake_device *dev)
{
	char path[256];

	interpose_bypass_begin();
	fake_path_make(path, sizeof(path), "%s/%s", dev->fake->sysfs, dev->desc.name);
	fake_tree_remove(path);
	fake_path_make(path, sizeof(path), "%s/iommu_groups/%d/devices/%s", dev->fake->root,
		dev->desc.group, dev->desc.name);
	unlink(path);
	dev->desc.driver = NULL;
	interpose_bypass_end();
}

void
fake_vfio_bind(struct fake_device *dev, const char *driver)
{
	interpose_bypass_begin();
	fake_vfio_sysfs_bind(dev, driver);
	dev->desc.driver = driver;
	interpose_bypass_end();
}
