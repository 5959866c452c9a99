/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_sysfs.h"
#include "test.h"

#define TEXT_SIZE 1024

static void __attribute__((format(printf, 3, 4)))
text_make(char *text, size_t size, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, size, format, args);
	va_end(args);
	assert_in_range(len, 0, size - 1);
}

static void
file_write(const char *path, const char *text)
{
	const size_t len = strlen(text);
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static void
folder_remove(const char *path)
{
	char name[PATH_MAX];
	struct dirent *file;
	DIR *dir;

	dir = opendir(path);
	assert_non_null(dir);
	while ((file = readdir(dir)) != NULL) {
		if (strcmp(file->d_name, ".") == 0 || strcmp(file->d_name, "..") == 0)
			continue;
		text_make(name, sizeof(name), "%s/%s", path, file->d_name);
		if (unlink(name) == 0)
			continue;
		assert_true(errno == EISDIR || errno == EPERM);
		folder_remove(name);
	}
	closedir(dir);
	assert_int_equal(rmdir(path), 0);
}

struct fake_sysfs *
fake_sysfs_start(void)
{
	struct fake_sysfs *fs = calloc(1, sizeof(*fs));

	assert_non_null(fs);
	text_make(fs->root, sizeof(fs->root), "%s/dpdk-test-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(fs->root));
	text_make(fs->devices, sizeof(fs->devices), "%s/devices", fs->root);
	assert_int_equal(mkdir(fs->devices, 0755), 0);
	assert_int_equal(setenv("SYSFS_PCI_DEVICES", fs->devices, 1), 0);
	return fs;
}

void
fake_sysfs_stop(struct fake_sysfs *fs)
{
	folder_remove(fs->root);
	unsetenv("SYSFS_PCI_DEVICES");
	free(fs);
}

void
fake_sysfs_set(const struct fake_sysfs *fs, const char *name, const char *attribute,
	const char *text)
{
	char path[PATH_MAX];

	text_make(path, sizeof(path), "%s/%s/%s", fs->devices, name, attribute);
	if (text == NULL)
		assert_int_equal(unlink(path), 0);
	else
		file_write(path, text);
}

void
fake_sysfs_bind(const struct fake_sysfs *fs, const char *name, const char *driver)
{
	char path[PATH_MAX], target[PATH_MAX];

	text_make(path, sizeof(path), "%s/%s/driver", fs->devices, name);
	unlink(path);
	if (driver == NULL)
		return;
	text_make(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	assert_int_equal(symlink(target, path), 0);
}

static void __attribute__((format(printf, 4, 5)))
attribute_make(const struct fake_sysfs *fs, const char *name, const char *attribute,
	const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fake_sysfs_set(fs, name, attribute, text);
}

static void
ids_make(const struct fake_sysfs *fs, const char *name, const struct fake_sysfs_desc *desc)
{
	attribute_make(fs, name, "vendor", "0x%04x\n", desc->vendor);
	attribute_make(fs, name, "device", "0x%04x\n", desc->device);
	attribute_make(fs, name, "subsystem_vendor", "0x%04x\n", desc->subsystem_vendor);
	attribute_make(fs, name, "subsystem_device", "0x%04x\n", desc->subsystem_device);
	attribute_make(fs, name, "class", "0x%06x\n", desc->class_id);
	if (desc->no_modalias)
		return;
	attribute_make(fs, name, "modalias", "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02x\n",
		desc->vendor, desc->device, desc->subsystem_vendor, desc->subsystem_device,
		desc->class_id >> 16 & 0xff, desc->class_id >> 8 & 0xff, desc->class_id & 0xff);
}

/* Six BARs, the ROM, and as many lines as an SR-IOV device has. */
static void
resource_make(const struct fake_sysfs *fs, const char *name, uint64_t bar_len)
{
	static const char none[] = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";
	const uint64_t start = UINT64_C(0xfe000000);
	char text[TEXT_SIZE] = "";
	unsigned int i;

	if (bar_len != 0)
		text_make(text, sizeof(text), "0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016x\n", start,
			start + bar_len - 1, 0x40200);
	for (i = bar_len != 0; i < 13; i++)
		strcat(text, none);
	fake_sysfs_set(fs, name, "resource", text);
}

void
fake_sysfs_add(const struct fake_sysfs *fs, const char *name, const struct fake_sysfs_desc *desc)
{
	char path[PATH_MAX];

	text_make(path, sizeof(path), "%s/%s", fs->devices, name);
	assert_int_equal(mkdir(path, 0755), 0);
	ids_make(fs, name, desc);
	resource_make(fs, name, desc->bar_len);
	attribute_make(fs, name, "numa_node", "%d\n", desc->numa_node);
	fake_sysfs_bind(fs, name, desc->driver);
}

void
fake_sysfs_remove(const struct fake_sysfs *fs, const char *name)
{
	char path[PATH_MAX];

	text_make(path, sizeof(path), "%s/%s", fs->devices, name);
	folder_remove(path);
}
