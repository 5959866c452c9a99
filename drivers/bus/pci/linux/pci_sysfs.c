/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_common.h>
#include <bus_pci_driver.h>

#include "pci_kernel_driver.h"
#include "pci_log.h"
#include "pci_parse.h"
#include "pci_scan.h"
#include "pci_sysfs.h"
#include "pci_system.h"

/* Longest name of a file here: a device's folder and an attribute of it. */
#define SYSFS_NAME_SIZE	(PCI_PRI_STR_SIZE + 32)

/*
 * The folder of the last scan; attributes are read relative to it. Later scans put another folder
 * behind the same number, so that whoever reads meanwhile has one or the other.
 */
static int sysfs_fd = -1;

RTE_EXPORT_INTERNAL_SYMBOL(rte_pci_get_sysfs_path)
const char *
rte_pci_get_sysfs_path(void)
{
	const char *path = getenv("SYSFS_PCI_DEVICES");

	return path != NULL ? path : "/sys/bus/pci/devices";
}

/* The whole of a small file as text. -errno; a longer file is -EFBIG. */
static int
text_read(const char *path, char text[PCI_SYSFS_TEXT_SIZE])
{
	ssize_t len;
	int fd, rc = 0;

	fd = openat(sysfs_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, PCI_SYSFS_TEXT_SIZE);
	if (len < 0)
		rc = -errno;
	else if (len == PCI_SYSFS_TEXT_SIZE)
		rc = -EFBIG;
	else
		text[len] = '\0';
	close(fd);
	return rc;
}

static const char *
attribute_path(const struct rte_pci_addr *addr, const char *attribute,
	char path[SYSFS_NAME_SIZE])
{
	char name[PCI_PRI_STR_SIZE];

	rte_pci_device_name(addr, name, sizeof(name));
	snprintf(path, SYSFS_NAME_SIZE, "%s/%s", name, attribute);
	return path;
}

int
pci_sysfs_read(const struct rte_pci_addr *addr, const char *attribute,
	char text[PCI_SYSFS_TEXT_SIZE])
{
	char path[SYSFS_NAME_SIZE];

	return text_read(attribute_path(addr, attribute, path), text);
}

int
pci_sysfs_open(const struct rte_pci_addr *addr, const char *attribute, int flags)
{
	char path[SYSFS_NAME_SIZE];
	int fd;

	fd = openat(sysfs_fd, attribute_path(addr, attribute, path), flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Why an attribute is of no use; -ENODEV if the reason is that the device has vanished. */
static int
attribute_trouble(const struct rte_pci_addr *addr, const char *attribute, int rc,
	struct pci_trouble *trouble)
{
	char path[SYSFS_NAME_SIZE];

	if (rc == -ENOENT && faccessat(sysfs_fd, attribute_path(addr, "", path), F_OK, 0) != 0)
		return -ENODEV;
	trouble->what = attribute;
	trouble->why = rc == -EINVAL ? "not what the kernel writes" : strerror(-rc);
	return rc;
}

/* Attributes that are older than modalias and say the same. */
static int
identify_singly(const struct rte_pci_addr *addr, struct rte_pci_id *id,
	struct pci_trouble *trouble)
{
	static const struct {
		const char *name;
		uint32_t max;
	} attributes[] = {
		{ "vendor", UINT16_MAX },
		{ "device", UINT16_MAX },
		{ "subsystem_vendor", UINT16_MAX },
		{ "subsystem_device", UINT16_MAX },
		{ "class", 0xffffff },
	};
	uint32_t value[RTE_DIM(attributes)];
	char text[PCI_SYSFS_TEXT_SIZE];
	unsigned int i;
	int rc;

	for (i = 0; i < RTE_DIM(attributes); i++) {
		rc = pci_sysfs_read(addr, attributes[i].name, text);
		if (rc == 0)
			rc = pci_hex_parse(text, attributes[i].max, &value[i]);
		if (rc != 0)
			return attribute_trouble(addr, attributes[i].name, rc, trouble);
	}
	*id = (struct rte_pci_id){
		.vendor_id = (uint16_t)value[0],
		.device_id = (uint16_t)value[1],
		.subsystem_vendor_id = (uint16_t)value[2],
		.subsystem_device_id = (uint16_t)value[3],
		.class_id = value[4],
	};
	return 0;
}

int
pci_system_identify(const struct rte_pci_addr *addr, struct rte_pci_id *id,
	struct pci_trouble *trouble)
{
	char text[PCI_SYSFS_TEXT_SIZE];
	int rc;

	rc = pci_sysfs_read(addr, "modalias", text);
	if (rc == -ENOENT)
		return identify_singly(addr, id, trouble);
	if (rc == 0)
		rc = pci_modalias_parse(text, id);
	return rc == 0 ? 0 : attribute_trouble(addr, "modalias", rc, trouble);
}

/* A kernel that knows of one node only need not say so. */
static int
describe_numa(const struct rte_pci_addr *addr, int *node, struct pci_trouble *trouble)
{
	char text[PCI_SYSFS_TEXT_SIZE];
	int rc;

	*node = -1;
	rc = pci_sysfs_read(addr, "numa_node", text);
	if (rc == -ENOENT)
		return 0;
	if (rc == 0)
		rc = pci_numa_parse(text, node);
	return rc == 0 ? 0 : attribute_trouble(addr, "numa_node", rc, trouble);
}

int
pci_system_describe(const struct rte_pci_addr *addr, struct pci_ident *ident,
	struct pci_trouble *trouble)
{
	char text[PCI_SYSFS_TEXT_SIZE];
	int rc;

	rc = pci_sysfs_read(addr, "resource", text);
	if (rc == 0)
		rc = pci_resource_parse(text, ident->bar);
	if (rc != 0)
		return attribute_trouble(addr, "resource", rc, trouble);
	return describe_numa(addr, &ident->numa_node, trouble);
}

static bool
has_virtual_function(const struct rte_pci_addr *addr, unsigned int number)
{
	char attribute[sizeof("virtfn") + 10];
	char path[SYSFS_NAME_SIZE];

	snprintf(attribute, sizeof(attribute), "virtfn%u", number);
	attribute_path(addr, attribute, path);
	return faccessat(sysfs_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * There is a link for each virtual function, numbered from 0. sriov_numvfs would say how many
 * there are, but waits for whoever holds the lock of the device, and that may be waiting for us.
 */
uint16_t
pci_system_max_vfs(const struct rte_pci_addr *addr)
{
	unsigned int there = 0, absent = 1;

	if (!has_virtual_function(addr, 0))
		return 0;
	while (absent <= UINT16_MAX && has_virtual_function(addr, absent)) {
		there = absent;
		absent = 2 * absent;
	}
	while (absent - there > 1) {
		unsigned int mid = there + (absent - there) / 2;

		if (has_virtual_function(addr, mid))
			there = mid;
		else
			absent = mid;
	}
	return (uint16_t)RTE_MIN(there + 1, (unsigned int)UINT16_MAX);
}

unsigned int
pci_system_iova_bits(const struct rte_pci_addr *addr)
{
	char text[PCI_SYSFS_TEXT_SIZE];
	unsigned int bits = 0;

	if (pci_sysfs_read(addr, "iommu/intel-iommu/cap", text) == 0)
		pci_iommu_cap_parse(text, &bits);
	return bits;
}

/* Report a device if a kernel driver holds it. */
static int
scan_device(struct pci_scan *scan, const char *name, const struct rte_pci_addr *addr,
	uint64_t incarnation)
{
	const struct pci_kernel_driver *driver;
	char path[SYSFS_NAME_SIZE], target[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "%s/driver", name);
	len = readlinkat(sysfs_fd, path, target, sizeof(target));
	if (len < 0 || len == sizeof(target))
		return 0;
	target[len] = '\0';
	if (pci_driver_parse(target) == NULL)
		return 0;
	driver = pci_kernel_driver_get(pci_driver_parse(target), sysfs_fd, name);
	return driver == NULL ? -ENOMEM : pci_scan_found(scan, addr, incarnation, driver);
}

static int
scan_folder(struct pci_scan *scan, DIR *dir)
{
	struct rte_pci_addr addr;
	struct dirent *folder;
	int rc = 0;

	while (rc == 0 && (errno = 0, folder = readdir(dir)) != NULL) {
		if (folder->d_name[0] == '.')
			continue;
		if (pci_folder_parse(folder->d_name, &addr) != 0) {
			PCI_LOG(DEBUG, "%s: a name that is no address", rte_pci_get_sysfs_path());
			continue;
		}
		if (pci_scan_wants(scan, &addr))
			rc = scan_device(scan, folder->d_name, &addr, folder->d_ino);
	}
	return rc != 0 ? rc : -errno;
}

/* Attributes are from now on those of the folder behind @fd. */
static int
folder_keep(int fd)
{
	if (sysfs_fd >= 0)
		return dup3(fd, sysfs_fd, O_CLOEXEC) < 0 ? -errno : 0;
	sysfs_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return sysfs_fd < 0 ? -errno : 0;
}

static int
scan_open(void)
{
	int fd, rc;

	fd = open(rte_pci_get_sysfs_path(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = folder_keep(fd);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int
pci_system_scan(struct pci_scan *scan)
{
	DIR *dir;
	int fd, rc;

	fd = scan_open();
	if (fd == -ENOENT)	/* a machine without PCI */
		return 0;
	if (fd < 0) {
		PCI_LOG(ERR, "cannot open %s: %s", rte_pci_get_sysfs_path(), strerror(-fd));
		return fd;
	}
	dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return -ENOMEM;
	}
	rc = scan_folder(scan, dir);
	closedir(dir);
	return rc;
}

void
pci_system_fini(void)
{
	if (sysfs_fd >= 0)
		close(sysfs_fd);
	sysfs_fd = -1;
}
