/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal_paging.h>
#include <rte_errno.h>

#include "pci_access.h"
#include "pci_device.h"
#include "pci_fault.h"
#include "pci_fd.h"
#include "pci_log.h"
#include "pci_parse.h"
#include "pci_sysfs.h"
#include "pci_uio.h"
#include "pci_uio_port.h"

/* ---- opening ---- */

static bool
is_denied(int rc)
{
	return rc == -EROFS || rc == -EACCES || rc == -EPERM;
}

/*
 * For reading and writing, or where that is denied for reading only. A sysfs that is mounted so
 * is told of once, with configuration space.
 */
static int
open_as_permitted(const struct pci_device *dev, const char *attribute, bool *writable)
{
	int rc = pci_sysfs_open(&dev->pub.addr, attribute, O_RDWR);
	int fd = is_denied(rc) ? pci_sysfs_open(&dev->pub.addr, attribute, O_RDONLY) : rc;

	*writable = rc >= 0;
	if (fd >= 0 && rc == -EROFS && strcmp(attribute, "config") == 0)
		PCI_LOG(NOTICE, "%s: sysfs is read-only here: configuration space and BARs can be "
			"read but not written", dev->pub.name);
	else if (fd >= 0 && rc < 0 && rc != -EROFS)
		PCI_LOG(NOTICE, "%s: its file %s in sysfs can be read but not written: %s",
			dev->pub.name, attribute, rte_strerror(-rc));
	return fd;
}

static uint32_t
flags_of(bool writable)
{
	return PCI_REGION_F_READ | (writable ? PCI_REGION_F_WRITE : 0);
}

/* Who lacks CAP_SYS_ADMIN may not read behind the header. */
static int
config_size(const struct pci_device *dev, uint64_t *size)
{
	struct stat status;
	uint8_t last;

	if (fstat(dev->state->config_fd, &status) != 0)
		return -errno;
	if (status.st_size < RTE_PCI_STD_HEADER_SIZEOF)
		return -EIO;
	*size = RTE_MIN((uint64_t)status.st_size, (uint64_t)RTE_PCI_CFG_SPACE_EXP_SIZE);
	if (pci_fd_read(dev->state->config_fd, &last, sizeof(last), (off_t)*size - 1) > 0)
		return 0;
	PCI_LOG(NOTICE, "%s: only the header of its configuration space can be read; "
		"capabilities take CAP_SYS_ADMIN", dev->pub.name);
	*size = RTE_PCI_STD_HEADER_SIZEOF;
	return 0;
}

static int
config_open(struct pci_device *dev)
{
	struct pci_region *region = &dev->region[PCI_REGION_CONFIG];
	struct pci_backend_state *state = dev->state;
	int rc;

	rc = open_as_permitted(dev, "config", &state->config_writable);
	if (rc < 0)
		return rc;
	state->config_fd = rc;
	rc = config_size(dev, &region->size);
	region->flags = flags_of(state->config_writable);
	return rc;
}

/* Processors that cannot map BARs for programs have no such files. */
static int
bar_open_failed(const struct pci_device *dev, unsigned int bar, int rc)
{
	if (rc == -ENOENT) {
		PCI_LOG(WARNING, "%s: BAR%u: sysfs has no file resource%u, so there is no access",
			dev->pub.name, bar, bar);
		return 0;
	}
	PCI_LOG(ERR, "%s: BAR%u: cannot open its file resource%u in sysfs: %s%s", dev->pub.name,
		bar, bar, rte_strerror(-rc), !is_denied(rc) ? "" :
		"; run as root, or make the user the owner of these files");
	return rc;
}

/* Write-combining if the driver wants it and the kernel has it: for what can be prefetched. */
static int
memory_file_open(const struct pci_device *dev, unsigned int bar, bool *writable)
{
	const struct rte_pci_driver *driver = dev->pub.driver;
	char name[sizeof("resourceN_wc")];
	int fd = -ENOENT;

	snprintf(name, sizeof(name), "resource%u_wc", bar);
	if (driver != NULL && (driver->drv_flags & RTE_PCI_DRV_WC_ACTIVATE) != 0)
		fd = open_as_permitted(dev, name, writable);
	if (fd != -ENOENT)
		return fd;
	snprintf(name, sizeof(name), "resource%u", bar);
	return open_as_permitted(dev, name, writable);
}

bool
pci_uio_pages_map(struct pci_uio_bar *bar, uint64_t size, bool writable)
{
	const int prot = RTE_PROT_READ | (writable ? RTE_PROT_WRITE : 0);
	const size_t len = RTE_ALIGN_CEIL(pci_uio_bar_in_page(bar) + size, rte_mem_page_size());

	bar->map = rte_mem_map(NULL, len, prot, RTE_MAP_SHARED, bar->fd, 0);
	bar->map_len = bar->map == NULL ? 0 : len;
	return bar->map != NULL;
}

/*
 * All of it may be mapped. A BAR that shares its page with others is left to calls, for which it is
 * mapped: it does not begin where a mapping would.
 */
static int
memory_areas(struct pci_uio_bar *bar, struct pci_region *region)
{
	if (pci_uio_bar_in_page(bar) != 0) {
		/* if that fails each call maps what it needs */
		pci_uio_pages_map(bar, region->size, (region->flags & PCI_REGION_F_WRITE) != 0);
		return 0;
	}
	region->areas = malloc(sizeof(*region->areas));
	if (region->areas == NULL)
		return -ENOMEM;
	region->areas[0] = (struct rte_vfio_area){ .offset = 0, .size = region->size };
	region->nb_areas = 1;
	region->fd = bar->fd;
	return 0;
}

static int
memory_open(struct pci_device *dev, unsigned int index)
{
	struct pci_uio_bar *bar = &dev->state->bar[index];
	struct pci_region *region = &dev->region[index];
	bool writable;
	int fd;

	fd = memory_file_open(dev, index, &writable);
	if (fd < 0)
		return bar_open_failed(dev, index, fd);
	bar->fd = fd;
	region->flags = flags_of(writable);
	return memory_areas(bar, region);
}

static int
ports_open(struct pci_device *dev, unsigned int index)
{
	struct pci_uio_bar *bar = &dev->state->bar[index];
	struct pci_region *region = &dev->region[index];
	char name[sizeof("resourceN")];
	bool writable;
	const char *way;
	int fd;

	snprintf(name, sizeof(name), "resource%u", index);
	fd = open_as_permitted(dev, name, &writable);
	bar->fd = RTE_MAX(fd, -1);
	region->flags = PCI_REGION_F_IOPORT;
	way = pci_uio_port_open(bar, region->size, &writable);
	if (way == NULL)
		return bar_open_failed(dev, index, fd);
	PCI_LOG(DEBUG, "%s: BAR%u: its ports are reached %s", dev->pub.name, index, way);
	region->flags |= flags_of(writable);
	return 0;
}

static int
bar_open(struct pci_device *dev, unsigned int index, const struct pci_bar_line *line)
{
	if (line->kind == PCI_BAR_NONE)
		return 0;
	if (line->len > INT64_MAX) {
		PCI_LOG(ERR, "%s: BAR%u: cannot be as long as sysfs says", dev->pub.name, index);
		return -EINVAL;
	}
	if (!line->assigned) {
		PCI_LOG(WARNING, "%s: BAR%u: the kernel has found no room for it", dev->pub.name,
			index);
		return 0;
	}
	dev->region[index].size = line->len;
	dev->state->bar[index].start = line->start;
	return line->kind == PCI_BAR_MEMORY ? memory_open(dev, index) : ports_open(dev, index);
}

static int
bars_open(struct pci_device *dev)
{
	struct pci_bar_line line[PCI_MAX_RESOURCE];
	char text[PCI_SYSFS_TEXT_SIZE];
	unsigned int i;
	int rc;

	rc = pci_sysfs_read(&dev->pub.addr, "resource", text);
	if (rc == 0)
		rc = pci_bars_parse(text, line);
	if (rc != 0)
		PCI_LOG(ERR, "%s: cannot tell its BARs: %s", dev->pub.name, rte_strerror(-rc));
	for (i = 0; rc == 0 && i < PCI_MAX_RESOURCE; i++)
		rc = bar_open(dev, i, &line[i]);
	return rc;
}

int
pci_uio_regions_open(struct pci_device *dev)
{
	int rc;

	rc = config_open(dev);
	if (rc < 0) {
		PCI_LOG(ERR, "%s: cannot open its configuration space: %s", dev->pub.name,
			rte_strerror(-rc));
		return rc;
	}
	/* what is behind the header may be out of reach */
	pci_cap_load(dev);
	return bars_open(dev);
}

static void
fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
bar_close(struct pci_uio_bar *bar)
{
	if (bar->map != NULL)
		rte_mem_unmap(bar->map, bar->map_len);
	bar->map = NULL;
	bar->way = NULL;
	fd_close(&bar->fd);
}

void
pci_uio_regions_close(struct pci_device *dev)
{
	unsigned int i;

	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		bar_close(&dev->state->bar[i]);
	fd_close(&dev->state->config_fd);
}

/* ---- access by calls ---- */

/* A way to bytes that are not mapped. */
struct uio_way {
	int (*read)(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
		uint64_t offset);
	int (*write)(const struct pci_device *dev, unsigned int region, const void *buf,
		size_t len, uint64_t offset);
};

static int
config_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	uint64_t offset)
{
	RTE_SET_USED(region);
	return pci_fd_read(dev->state->config_fd, buf, len, (off_t)offset);
}

static int
config_write(const struct pci_device *dev, unsigned int region, const void *buf, size_t len,
	uint64_t offset)
{
	RTE_SET_USED(region);
	return pci_fd_write(dev->state->config_fd, buf, len, (off_t)offset);
}

/* Pages of a BAR, mapped for one access if they are not mapped for all. */
struct pages {
	void *map;	/* for this one; NULL: not */
	size_t len;
	uint8_t *addr;	/* of the first byte that is wanted; NULL: rte_errno tells why */
};

static struct pages
pages_map_now(const struct pci_uio_bar *bar, int prot, size_t len, uint64_t at)
{
	const uint64_t mask = rte_mem_page_size() - 1;
	struct pages pages = { .len = RTE_ALIGN_CEIL((at & mask) + len, mask + 1) };

	pages.map = rte_mem_map(NULL, pages.len, prot, RTE_MAP_SHARED, bar->fd, at & ~mask);
	pages.addr = pages.map == NULL ? NULL : RTE_PTR_ADD(pages.map, at & mask);
	return pages;
}

static struct pages
pages_get(const struct pci_device *dev, unsigned int region, int prot, size_t len,
	uint64_t offset)
{
	const struct pci_uio_bar *bar = &dev->state->bar[region];

	if (pci_region_is_lost(&dev->region[region])) {
		rte_errno = ENODEV;
		return (struct pages){ .addr = NULL };
	}
	if (bar->map != NULL)
		return (struct pages){ .addr = pci_uio_pages_at(bar, offset) };
	return pages_map_now(bar, prot, len, pci_uio_bar_in_page(bar) + offset);
}

static void
pages_put(const struct pages *pages)
{
	if (pages->map != NULL)
		rte_mem_unmap(pages->map, pages->len);
}

static int
memory_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	uint64_t offset)
{
	struct pages pages = pages_get(dev, region, RTE_PROT_READ, len, offset);

	if (pages.addr == NULL)
		return -rte_errno;
	pci_access_load(pages.addr, buf, len);
	pages_put(&pages);
	return (int)len;
}

static int
memory_write(const struct pci_device *dev, unsigned int region, const void *buf, size_t len,
	uint64_t offset)
{
	struct pages pages = pages_get(dev, region, RTE_PROT_READ | RTE_PROT_WRITE, len, offset);

	if (pages.addr == NULL)
		return -rte_errno;
	pci_access_store(pages.addr, buf, len);
	pages_put(&pages);
	return (int)len;
}

static const struct uio_way *
way_to(const struct pci_device *dev, unsigned int region)
{
	static const struct uio_way config = { config_read, config_write };
	static const struct uio_way memory = { memory_read, memory_write };
	static const struct uio_way ports = { pci_uio_port_read, pci_uio_port_write };

	if (region == PCI_REGION_CONFIG)
		return &config;
	return (dev->region[region].flags & PCI_REGION_F_IOPORT) != 0 ? &ports : &memory;
}

int
pci_uio_region_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	uint64_t offset)
{
	return way_to(dev, region)->read(dev, region, buf, len, offset);
}

int
pci_uio_region_write(const struct pci_device *dev, unsigned int region, const void *buf,
	size_t len, uint64_t offset)
{
	return way_to(dev, region)->write(dev, region, buf, len, offset);
}

/* ---- devices that go ---- */

int
pci_uio_pages_watch(struct pci_device *dev)
{
	const struct pci_uio_bar *bar = dev->state->bar;
	unsigned int i;
	int rc = 0;

	for (i = 0; i < PCI_MAX_RESOURCE && rc == 0; i++)
		if (bar[i].map != NULL)
			rc = pci_fault_add_range(dev, bar[i].map, bar[i].map_len);
	return rc;
}

int
pci_uio_pages_blank(struct pci_device *dev)
{
	const struct pci_uio_bar *bar = dev->state->bar;
	unsigned int i;
	int rc = 0, err;

	for (i = 0; i < PCI_MAX_RESOURCE; i++) {
		err = bar[i].map == NULL ? 0 : pci_pages_blank(bar[i].map, bar[i].map_len);
		if (rc == 0)
			rc = err;
	}
	return rc;
}
