/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>

#include "pci_device.h"
#include "pci_log.h"
#include "pci_parse.h"
#include "pci_sysfs.h"
#include "pci_uio.h"

/* What UIO calls a device. */
struct uio_node {
	char path[sizeof("/dev/uio") + 10];
	char number_file[sizeof("uio:uio/dev") + 10];	/* where sysfs tells the device number */
};

/* Where a device has the folder that UIO made for it; the second is that of old kernels. */
static const struct {
	const char *folder;
	const char *prefix;	/* of the folder's name */
	const char *path;	/* to the name without the prefix */
} places[] = {
	{ "uio", "", "uio/" },
	{ ".", "uio:", "uio:" },
};

/* The number in the name of the first entry that UIO made. -ENOENT: there is none. */
static int
number_read(DIR *dir, const char *prefix, uint32_t *number)
{
	const size_t len = strlen(prefix);
	const struct dirent *entry;

	while ((errno = 0, entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, prefix, len) == 0 &&
				pci_uio_name_parse(entry->d_name + len, number) == 0)
			return 0;
	return errno != 0 ? -errno : -ENOENT;
}

static int
place_search(const struct rte_pci_addr *addr, unsigned int place, uint32_t *number)
{
	DIR *dir;
	int fd, rc;

	fd = pci_sysfs_open(addr, places[place].folder, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (dir == NULL) {
		rc = -errno;
		close(fd);
		return rc;
	}
	rc = number_read(dir, places[place].prefix, number);
	closedir(dir);
	return rc;
}

static int
node_find(const struct rte_pci_addr *addr, struct uio_node *node)
{
	unsigned int place;
	uint32_t number;
	int rc = -ENOENT;

	for (place = 0; rc == -ENOENT && place < RTE_DIM(places); place++) {
		rc = place_search(addr, place, &number);
		if (rc != 0)
			continue;
		snprintf(node->path, sizeof(node->path), "/dev/uio%" PRIu32, number);
		snprintf(node->number_file, sizeof(node->number_file), "%suio%" PRIu32 "/dev",
			places[place].path, number);
	}
	return rc;
}

static int
device_number(const struct pci_device *dev, const struct uio_node *node, dev_t *number)
{
	char text[PCI_SYSFS_TEXT_SIZE];
	uint32_t major_part, minor_part;
	int rc;

	rc = pci_sysfs_read(&dev->pub.addr, node->number_file, text);
	if (rc == 0)
		rc = pci_devnum_parse(text, &major_part, &minor_part);
	if (rc == 0)
		*number = makedev(major_part, minor_part);
	return rc;
}

/* A /dev that nobody keeps up to date may call by this name what is another device now. */
static int
node_check(const struct pci_device *dev, const struct uio_node *node, int fd)
{
	struct stat status;
	dev_t number;

	if (device_number(dev, node, &number) != 0 || fstat(fd, &status) != 0 ||
			status.st_rdev == number)
		return 0;
	PCI_LOG(ERR, "%s: %s is another device (%u:%u, not %u:%u): remove that file, and "
		"let udev or --create-uio-dev make it anew", dev->pub.name, node->path,
		major(status.st_rdev), minor(status.st_rdev), major(number), minor(number));
	return -ENXIO;
}

static int
node_make(const struct pci_device *dev, const struct uio_node *node)
{
	dev_t number;
	int rc;

	rc = device_number(dev, node, &number);
	if (rc == 0 && mknod(node->path, S_IFCHR | 0600, number) != 0 && errno != EEXIST)
		rc = -errno;
	if (rc != 0)
		PCI_LOG(ERR, "%s: cannot make %s: %s", dev->pub.name, node->path,
			rte_strerror(-rc));
	return rc;
}

static const char *
open_advice(int err)
{
	static const struct {
		int err;
		const char *advice;
	} rows[] = {
		{ ENOENT, "; let udev make it or use --create-uio-dev, and give it to the "
			"container if this is one" },
		{ EACCES, "; run as root, or make the user its owner" },
		{ EPERM, "; the container must be allowed to use it" },
		{ ENODEV, "; the device is not bound to its driver any more" },
		{ ENXIO, "; the device is not bound to its driver any more" },
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(rows); i++)
		if (rows[i].err == err)
			return rows[i].advice;
	return "";
}

/*
 * A queue's thread may wait for the interrupt beside the interrupt thread: who reads later must not
 * wait for the next one.
 */
static int
path_open(const struct uio_node *node)
{
	int fd = open(node->path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

static int
node_open(const struct pci_device *dev, const struct uio_node *node, int *fd)
{
	int rc;

	rc = path_open(node);
	if (rc == -ENOENT && rte_eal_create_uio_dev() != 0) {
		rc = node_make(dev, node);
		if (rc != 0)
			return rc;
		rc = path_open(node);
	}
	if (rc < 0) {
		PCI_LOG(ERR, "%s: cannot open %s: %s%s", dev->pub.name, node->path,
			rte_strerror(-rc), open_advice(-rc));
		return rc;
	}
	*fd = rc;
	rc = node_check(dev, node, *fd);
	if (rc != 0)
		close(*fd);
	return rc;
}

int
pci_uio_node_open(const struct pci_device *dev, int *fd)
{
	struct uio_node node;
	int rc;

	rc = node_find(&dev->pub.addr, &node);
	if (rc == 0)
		return node_open(dev, &node, fd);
	if (rc == -ENOENT) {
		PCI_LOG(WARNING, "%s: UIO does not manage it, though its driver is %s: there is "
			"no folder uio/uioN in sysfs", dev->pub.name, dev->kernel_driver);
		return 1;
	}
	PCI_LOG(ERR, "%s: cannot look for its folder uio/uioN: %s", dev->pub.name,
		rte_strerror(-rc));
	return rc;
}
