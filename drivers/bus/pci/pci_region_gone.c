/* SPDX-License-Identifier: BSD-3-Clause */

/* Windows of a device that goes, and comes back, while its driver has it. */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal_paging.h>
#include <rte_errno.h>

#include "pci_device.h"
#include "pci_region.h"

/* All-ones are mapped in pieces of this length: a page cache for one is enough for all. */
#define ONES_LEN ((size_t)2 << 20)

static size_t
page_align(uint64_t len)
{
	return (size_t)RTE_ALIGN_CEIL(len, (uint64_t)rte_mem_page_size());
}

static size_t
longest_window(const struct pci_device *dev)
{
	const struct pci_region *region;
	uint64_t longest = 0;
	unsigned int bar;
	uint32_t i;

	for (bar = 0; bar < PCI_MAX_RESOURCE; bar++) {
		region = &dev->region[bar];
		for (i = 0; i < region->nb_windows; i++)
			longest = RTE_MAX(longest, region->windows[i].size);
	}
	return RTE_MIN(page_align(longest), ONES_LEN);
}

/* A file of ones; -errno: there is none. */
static int
ones_open(size_t len)
{
	void *ones;
	int fd, rc;

	fd = memfd_create("ones", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)len) == 0) {
		ones = mmap(NULL, len, PROT_WRITE, MAP_SHARED, fd, 0);
		if (ones != MAP_FAILED) {
			memset(ones, 0xff, len);
			munmap(ones, len);
			return fd;
		}
	}
	rc = -errno;
	close(fd);
	return rc;
}

static int
window_blank(uint8_t *addr, size_t len, int ones, size_t ones_len)
{
	size_t done, part;

	for (done = 0; done < len; done += part) {
		part = RTE_MIN(len - done, ones_len);
		if (mmap(addr + done, part, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, ones,
				0) == MAP_FAILED)
			return -errno;
	}
	return 0;
}

static int
region_blank(const struct pci_region *region, int ones, size_t ones_len)
{
	const struct rte_vfio_area *window;
	int rc = 0;
	uint32_t i;

	for (i = 0; i < region->nb_windows && rc == 0; i++) {
		window = &region->windows[i];
		rc = window_blank(region->base + window->offset, page_align(window->size), ones,
			ones_len);
	}
	return rc;
}

static int
blank(struct pci_device *dev, size_t len)
{
	unsigned int bar;
	int ones, rc = 0;

	ones = ones_open(len);
	if (ones < 0)
		return pci_regions_detach(dev);
	for (bar = 0; bar < PCI_MAX_RESOURCE && rc == 0; bar++)
		rc = region_blank(&dev->region[bar], ones, len);
	close(ones);
	return rc == 0 ? 0 : pci_regions_detach(dev);
}

static void
regions_set_lost(struct pci_device *dev, bool lost)
{
	unsigned int bar;

	for (bar = 0; bar < PCI_MAX_RESOURCE; bar++)
		pci_region_set_lost(&dev->region[bar], lost);
}

int
pci_regions_blank(struct pci_device *dev)
{
	const size_t len = longest_window(dev);
	int saved_errno = errno;
	int rc;

	regions_set_lost(dev, true);
	rc = len == 0 ? 0 : blank(dev, len);
	errno = saved_errno;
	return rc;
}

int
pci_pages_blank(void *addr, size_t len)
{
	const size_t ones_len = RTE_MIN(len, ONES_LEN);
	int saved_errno = errno;
	int ones, rc;

	ones = ones_open(ones_len);
	rc = ones < 0 ? ones : window_blank(addr, len, ones, ones_len);
	if (ones >= 0)
		close(ones);
	if (rc != 0)
		rc = mmap(addr, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
			MAP_FIXED, -1, 0) == MAP_FAILED ? -errno : 0;
	errno = saved_errno;
	return rc;
}

static int
region_restore(const struct pci_region *region)
{
	const struct rte_vfio_area *window;
	uint32_t i;

	for (i = 0; i < region->nb_windows; i++) {
		window = &region->windows[i];
		if (rte_mem_map(region->base + window->offset, page_align(window->size),
				region->prot, RTE_MAP_SHARED | RTE_MAP_FORCE_ADDRESS, region->fd,
				region->fd_offset + window->offset) == NULL)
			return -rte_errno;
	}
	return 0;
}

int
pci_regions_restore(struct pci_device *dev)
{
	unsigned int bar;
	int rc = 0;

	for (bar = 0; bar < PCI_MAX_RESOURCE && rc == 0; bar++)
		rc = region_restore(&dev->region[bar]);
	if (rc == 0)
		regions_set_lost(dev, false);
	return rc;
}
