/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_vfio_priv.h"
#include "test.h"

/* Its files in sysfs. */

void
fake_path_make(char *out, size_t size, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(out, size, format, ap);
	va_end(ap);
	assert_true(n > 0 && (size_t)n < size);
}

void
fake_folder_make(const char *path)
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
	fake_path_make(path, sizeof(path), "%s/%s/%s", dev->fake->sysfs, dev->desc.name, attr);
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

	fake_path_make(path, sizeof(path), "%s/%s/%s", dev->fake->sysfs, dev->desc.name, attr);
	unlink(path);
	if (target != NULL)
		assert_int_equal(symlink(target, path), 0);
}

/* The folder that names the device's own node; a kernel may have it without the node. */
static void
sysfs_node(const struct fake_device *dev, const char *driver)
{
	char path[256], node[288];

	fake_path_make(path, sizeof(path), "%s/%s/vfio-dev", dev->fake->sysfs, dev->desc.name);
	fake_path_make(node, sizeof(node), "%s/vfio%d", path, dev->node);
	if (fake_driver_is_vfio(driver)) {
		fake_folder_make(path);
		fake_folder_make(node);
	} else {
		rmdir(node);
		rmdir(path);
	}
}

void
fake_vfio_sysfs_bind(const struct fake_device *dev, const char *driver)
{
	char target[256], path[256];

	sysfs_node(dev, driver);
	if (driver == NULL) {
		attr_link(dev, "driver", NULL);
		return;
	}
	fake_path_make(path, sizeof(path), "%s/drivers/%s", dev->fake->root, driver);
	fake_folder_make(path);
	fake_path_make(target, sizeof(target), "../../drivers/%s", driver);
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
	fake_path_make(path, sizeof(path), "%s/iommu_groups/%d", dev->fake->root, dev->desc.group);
	fake_folder_make(path);
	fake_path_make(path, sizeof(path), "%s/iommu_groups/%d/devices", dev->fake->root,
		dev->desc.group);
	fake_folder_make(path);
	fake_path_make(path, sizeof(path), "%s/iommu_groups/%d/devices/%s", dev->fake->root,
		dev->desc.group, dev->desc.name);
	fake_path_make(target, sizeof(target), "../../../devices/%s", dev->desc.name);
	assert_int_equal(symlink(target, path), 0);
	if (dev->desc.noiommu) {
		fake_path_make(path, sizeof(path), "%s/iommu_groups/%d/name", dev->fake->root,
			dev->desc.group);
		file_write(path, "vfio-noiommu\n", 13);
	}
	fake_path_make(target, sizeof(target), "../../iommu_groups/%d", dev->desc.group);
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
	fake_path_make(path, sizeof(path), "%s/%s/config", dev->fake->sysfs, dev->desc.name);
	file_write(path, config, len);
}

void
fake_vfio_sysfs_add(struct fake_device *dev)
{
	char path[256];

	fake_path_make(path, sizeof(path), "%s/%s", dev->fake->sysfs, dev->desc.name);
	assert_int_equal(mkdir(path, 0755), 0);
	sysfs_ids(dev);
	sysfs_resource(dev);
	sysfs_config(dev);
	sysfs_group(dev);
	fake_vfio_sysfs_bind(dev, dev->desc.driver);
}

static int
tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void
fake_tree_remove(const char *path)
{
	nftw(path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
