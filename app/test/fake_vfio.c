/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_vfio_priv.h"
#include "test.h"

enum { ROUTE_DEV, ROUTE_IOMMUFD, ROUTE_MODULE, ROUTE_GROUPS, NB_ROUTES };

struct fake_route {
	struct interpose_path path[NB_ROUTES];
};

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

/*
 * Capability chains
 */

void
fake_caps_add(struct fake_caps *caps, uint16_t id, uint16_t version, const void *payload,
		uint32_t len)
{
	struct vfio_info_cap_header head = { .id = id, .version = version };
	uint32_t at = (caps->len + 7) & ~UINT32_C(7);

	assert_true(at + sizeof(head) + len <= sizeof(caps->bytes));
	if (caps->len != 0)
		fake_caps_set_last_next(caps, sizeof(struct vfio_region_info) + at);
	memcpy(&caps->bytes[at], &head, sizeof(head));
	if (len != 0)
		memcpy(&caps->bytes[at + sizeof(head)], payload, len);
	caps->last = at;
	caps->len = at + sizeof(head) + len;
}

void
fake_caps_set_last_next(struct fake_caps *caps, uint32_t off)
{
	memcpy(&caps->bytes[caps->last + offsetof(struct vfio_info_cap_header, next)], &off,
		sizeof(off));
}

void
fake_caps_add_sparse(struct fake_caps *caps, uint32_t nr_areas,
		const struct vfio_region_sparse_mmap_area *areas, uint32_t nb)
{
	struct {
		uint32_t nr_areas;
		uint32_t reserved;
		struct vfio_region_sparse_mmap_area areas[FAKE_WINDOWS_MAX];
	} payload = { .nr_areas = nr_areas };

	assert_true(nb <= FAKE_WINDOWS_MAX);
	if (nb != 0)
		memcpy(payload.areas, areas, nb * sizeof(areas[0]));
	fake_caps_add(caps, VFIO_REGION_INFO_CAP_SPARSE_MMAP, 1, &payload,
		8 + nb * sizeof(areas[0]));
}

void
fake_caps_add_msix_mappable(struct fake_caps *caps)
{
	fake_caps_add(caps, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, 1, NULL, 0);
}

/*
 * Paths
 */

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

static const struct interpose_path routes[NB_ROUTES] = {
	[ROUTE_DEV] = { .path = "/dev/vfio/", .open = dev_open, .access = dev_access },
	[ROUTE_IOMMUFD] = { .path = "/dev/iommu", .open = iommufd_open,
		.access = iommufd_access },
	[ROUTE_GROUPS] = { .path = "/sys/kernel/iommu_groups/", .open = groups_open },
	[ROUTE_MODULE] = { .path = "/sys/module/", .open = module_open, .access = module_access },
};

/*
 * sysfs
 */

static void __attribute__((format(printf, 3, 4)))
path_make(char *out, size_t size, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(out, size, format, ap);
	va_end(ap);
	assert_true(n > 0 && (size_t)n < size);
}

static void
folder_make(const char *path)
{
	if (mkdir(path, 0755) != 0)
		assert_int_equal(errno, EEXIST);
}

static void
file_write(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

void
fake_vfio_set_attr(struct fake_device *dev, const char *attr, const char *text)
{
	char path[256];

	interpose_bypass_begin();
	path_make(path, sizeof(path), "%s/%s/%s", dev->fake->sysfs, dev->desc.name, attr);
	if (text == NULL)
		assert_int_equal(unlink(path), 0);
	else
		file_write(path, text, strlen(text));
	interpose_bypass_end();
}

static void __attribute__((format(printf, 3, 4)))
attr_set(struct fake_device *dev, const char *attr, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fake_vfio_set_attr(dev, attr, text);
}

static void
attr_link(const struct fake_device *dev, const char *attr, const char *target)
{
	char path[256];

	path_make(path, sizeof(path), "%s/%s/%s", dev->fake->sysfs, dev->desc.name, attr);
	unlink(path);
	if (target != NULL)
		assert_int_equal(symlink(target, path), 0);
}

/* The folder that names the device's own node; a kernel may have it without the node. */
static void
sysfs_node(const struct fake_device *dev, const char *driver)
{
	char path[256], node[288];

	path_make(path, sizeof(path), "%s/%s/vfio-dev", dev->fake->sysfs, dev->desc.name);
	path_make(node, sizeof(node), "%s/vfio%d", path, dev->node);
	if (fake_driver_is_vfio(driver)) {
		folder_make(path);
		folder_make(node);
	} else {
		rmdir(node);
		rmdir(path);
	}
}

static void
sysfs_bind(const struct fake_device *dev, const char *driver)
{
	char target[256], path[256];

	sysfs_node(dev, driver);
	if (driver == NULL) {
		attr_link(dev, "driver", NULL);
		return;
	}
	path_make(path, sizeof(path), "%s/drivers/%s", dev->fake->root, driver);
	folder_make(path);
	path_make(target, sizeof(target), "../../drivers/%s", driver);
	attr_link(dev, "driver", target);
}

void
fake_vfio_hide_node(struct fake_device *dev)
{
	interpose_bypass_begin();
	sysfs_node(dev, NULL);
	interpose_bypass_end();
}

static void
sysfs_group(const struct fake_device *dev)
{
	char target[256], path[256];

	if (dev->desc.group < 0)
		return;
	path_make(path, sizeof(path), "%s/iommu_groups/%d", dev->fake->root, dev->desc.group);
	folder_make(path);
	path_make(path, sizeof(path), "%s/iommu_groups/%d/devices", dev->fake->root,
		dev->desc.group);
	folder_make(path);
	path_make(path, sizeof(path), "%s/iommu_groups/%d/devices/%s", dev->fake->root,
		dev->desc.group, dev->desc.name);
	path_make(target, sizeof(target), "../../../devices/%s", dev->desc.name);
	assert_int_equal(symlink(target, path), 0);
	if (dev->desc.noiommu) {
		path_make(path, sizeof(path), "%s/iommu_groups/%d/name", dev->fake->root,
			dev->desc.group);
		file_write(path, "vfio-noiommu\n", 13);
	}
	path_make(target, sizeof(target), "../../iommu_groups/%d", dev->desc.group);
	attr_link(dev, "iommu_group", target);
}

static uint32_t
config_word(const struct fake_device *dev, uint32_t off)
{
	uint32_t word;

	fake_vfio_peek(dev, VFIO_PCI_CONFIG_REGION_INDEX, off, &word, sizeof(word));
	return word;
}

static void
sysfs_resource(struct fake_device *dev)
{
	char text[7 * 58 + 1];
	uint64_t start = 0x80000000;
	uint64_t size;
	uint32_t i;
	bool port;

	for (i = 0; i < 7; i++) {
		size = dev->desc.regions[i].size;
		port = i < 6 && (config_word(dev, 0x10 + 4 * i) & 1) != 0;
		start = size == 0 ? start : (start + size - 1) / size * size;
		snprintf(&text[i * 57], 58, "0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016x\n",
			size == 0 ? 0 : start, size == 0 ? 0 : start + size - 1,
			size == 0 ? 0 : port ? 0x40101 : 0x40200);
		start += size;
	}
	fake_vfio_set_attr(dev, "resource", text);
}

static void
sysfs_ids(struct fake_device *dev)
{
	const struct fake_device_desc *d = &dev->desc;
	char alias[80];

	snprintf(alias, sizeof(alias), "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", d->vendor,
		d->device, d->subsystem_vendor, d->subsystem_device, (d->class_id >> 16) & 0xff,
		(d->class_id >> 8) & 0xff, d->class_id & 0xff);
	attr_set(dev, "modalias", "%s\n", alias);
	attr_set(dev, "vendor", "0x%04x\n", d->vendor);
	attr_set(dev, "device", "0x%04x\n", d->device);
	attr_set(dev, "subsystem_vendor", "0x%04x\n", d->subsystem_vendor);
	attr_set(dev, "subsystem_device", "0x%04x\n", d->subsystem_device);
	attr_set(dev, "class", "0x%06x\n", d->class_id);
	attr_set(dev, "numa_node", "%d\n", d->numa_node);
	attr_set(dev, "uevent", "PCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\n"
		"PCI_SLOT_NAME=%s\nMODALIAS=%s\n", d->class_id, d->vendor, d->device,
		d->subsystem_vendor, d->subsystem_device, d->name, alias);
	if (d->max_vfs != 0)
		attr_set(dev, "max_vfs", "%u\n", d->max_vfs);
}

static void
sysfs_config(const struct fake_device *dev)
{
	uint8_t config[4096];
	char path[256];
	size_t len = dev->desc.regions[VFIO_PCI_CONFIG_REGION_INDEX].size;

	assert_true(len <= sizeof(config));
	fake_vfio_peek(dev, VFIO_PCI_CONFIG_REGION_INDEX, 0, config, len);
	path_make(path, sizeof(path), "%s/%s/config", dev->fake->sysfs, dev->desc.name);
	file_write(path, config, len);
}

static void
sysfs_add(struct fake_device *dev)
{
	char path[256];

	path_make(path, sizeof(path), "%s/%s", dev->fake->sysfs, dev->desc.name);
	assert_int_equal(mkdir(path, 0755), 0);
	sysfs_ids(dev);
	sysfs_resource(dev);
	sysfs_config(dev);
	sysfs_group(dev);
	sysfs_bind(dev, dev->desc.driver);
}

static int
tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void
tree_remove(const char *path)
{
	nftw(path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/*
 * The whole
 */

/* In memory if possible: there are many small files. */
static void
root_make(char *root, size_t size)
{
	path_make(root, size, "/dev/shm/dpdk-test-XXXXXX");
	if (mkdtemp(root) != NULL)
		return;
	path_make(root, size, "/tmp/dpdk-test-XXXXXX");
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
		path_make(path, sizeof(path), "%s/%s", fake->root, folders[i]);
		folder_make(path);
	}
	path_make(fake->sysfs, sizeof(fake->sysfs), "%s/devices", fake->root);
	/* setenv() would keep a copy for ever. */
	path_make(env, sizeof(env), "SYSFS_PCI_DEVICES=%s", fake->sysfs);
	assert_int_equal(putenv(env), 0);
	fake->routes = calloc(1, sizeof(*fake->routes));
	assert_non_null(fake->routes);
	for (i = 0; i < NB_ROUTES; i++) {
		fake->routes->path[i] = routes[i];
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
	tree_remove(fake->root);
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
	sysfs_add(dev);
	interpose_bypass_end();
	return dev;
}

void
fake_vfio_unplug(struct fake_device *dev)
{
	char path[256];

	interpose_bypass_begin();
	path_make(path, sizeof(path), "%s/%s", dev->fake->sysfs, dev->desc.name);
	tree_remove(path);
	path_make(path, sizeof(path), "%s/iommu_groups/%d/devices/%s", dev->fake->root,
		dev->desc.group, dev->desc.name);
	unlink(path);
	dev->desc.driver = NULL;
	interpose_bypass_end();
}

void
fake_vfio_bind(struct fake_device *dev, const char *driver)
{
	interpose_bypass_begin();
	sysfs_bind(dev, driver);
	dev->desc.driver = driver;
	interpose_bypass_end();
}
