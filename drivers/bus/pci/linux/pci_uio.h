/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_UIO_H
#define PCI_UIO_H

/**
 * @file
 * The backends of the kernel's UIO: uio_pci_generic and igb_uio. They differ in how an interrupt is
 * unmasked; all else goes by the files that sysfs has for every PCI device.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_eal_paging.h>
#include <rte_pci.h>

struct pci_device;
struct pci_uio_port_way;

/** How a BAR is reached. */
struct pci_uio_bar {
	int fd;	/**< its file in sysfs; -1: it has none that could be opened */
	bool fd_writes;	/**< it may be written */
	uint64_t start;	/**< its address, or the number of its first port */
	const struct pci_uio_port_way *way;	/**< to its ports; NULL: it is memory */
	uint8_t *map;	/**< pages that calls go to; NULL: they are not mapped */
	size_t map_len;
};

struct pci_backend_state {
	int node_fd;	/**< /dev/uioN, where interrupts come from; -1 in a secondary process */
	int config_fd;	/**< configuration space */
	bool config_writable;
	struct pci_uio_bar bar[PCI_MAX_RESOURCE];
};

/**
 * Open the device's file in /dev.
 *
 * @param fd
 *   Set to a descriptor, the caller's.
 * @return
 *   0; 1: UIO does not manage the device; -errno, and the log says what to do
 */
int pci_uio_node_open(const struct pci_device *dev, int *fd);

/**
 * Open configuration space and the files of the BARs, and say what the regions are. The state
 * has been made, its descriptors are -1.
 *
 * @return
 *   0; -errno, and the log says why. What was opened so far is for pci_uio_regions_close(), what
 *   was filled in for pci_regions_clear().
 */
int pci_uio_regions_open(struct pci_device *dev);

/** Close what pci_uio_regions_open() has opened. Safe if that failed. */
void pci_uio_regions_close(struct pci_device *dev);

/** Where a BAR begins in its first page; mappings begin where that does. */
static inline size_t
pci_uio_bar_in_page(const struct pci_uio_bar *bar)
{
	return bar->start & (rte_mem_page_size() - 1);
}

/**
 * Map the pages of a BAR for calls, until pci_uio_regions_close().
 *
 * @return true; false: the kernel does not map them
 */
bool pci_uio_pages_map(struct pci_uio_bar *bar, uint64_t size, bool writable);

/** Where the byte at an offset of the BAR is in them. */
static inline uint8_t *
pci_uio_pages_at(const struct pci_uio_bar *bar, uint64_t offset)
{
	return bar->map + pci_uio_bar_in_page(bar) + offset;
}

/**
 * Have faults on pages that calls go to told as those of windows are, until pci_fault_remove().
 *
 * @return 0; -ENOMEM
 */
int pci_uio_pages_watch(struct pci_device *dev);

/**
 * The device is gone: put all-ones in the place of pages that calls go to, for who is just loading
 * them. Later accesses fail with -ENODEV. May be called from a signal handler.
 *
 * @return 0, or -errno of the first BAR for which that failed; the others are done
 */
int pci_uio_pages_blank(struct pci_device *dev);

/** Access where nothing is mapped, as of struct pci_backend. */
int pci_uio_region_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	uint64_t offset);
int pci_uio_region_write(const struct pci_device *dev, unsigned int region, const void *buf,
	size_t len, uint64_t offset);

#endif /* PCI_UIO_H */
