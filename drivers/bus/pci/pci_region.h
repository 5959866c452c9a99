/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_REGION_H
#define PCI_REGION_H

/**
 * @file
 * Regions of a device: BARs, ROM and configuration space, numbered as VFIO numbers them.
 * A backend's open() says what each region is; pci_regions_map() alone maps them.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_stdatomic.h>
#include <rte_vfio_region.h>

struct pci_device;

enum {
	PCI_REGION_BAR0,
	PCI_REGION_ROM = 6,
	PCI_REGION_CONFIG = 7,
	PCI_REGION_VGA = 8,
	PCI_REGION_NB,
};

#define PCI_REGION_F_READ   0x1u	/**< may be read */
#define PCI_REGION_F_WRITE  0x2u	/**< may be written */
#define PCI_REGION_F_IOPORT 0x4u	/**< I/O space: reached by ioport calls, never mapped */

/**
 * The window that accesses try first: the largest one. Its sizes become 0 under those who access,
 * when the device goes.
 */
struct pci_hot_window {
	uint8_t *addr;	/**< where it is mapped */
	uint64_t offset;	/**< of its start in the region */
	RTE_ATOMIC(uint64_t) rd_size;	/**< bytes that can be loaded; 0: none */
	RTE_ATOMIC(uint64_t) wr_size;	/**< bytes that can be stored; 0: none */
};

struct pci_region {
	/* what pci_regions_map() made of it; the base is NULL if nothing is mapped */
	struct pci_hot_window hot;
	uint8_t *base;	/**< of the reservation of the whole region */
	struct rte_vfio_area *windows;	/**< mapped; sorted, disjoint, adjacent ones merged */
	uint32_t nb_windows;
	int prot;	/**< of the windows: RTE_PROT_READ, RTE_PROT_WRITE */

	/* what the backend's open() says */
	uint32_t flags;	/**< PCI_REGION_F_* */
	int fd;	/**< to map from; borrowed from the backend; -1: cannot be mapped */
	uint64_t size;	/**< bytes; 0: there is no such region */
	uint64_t fd_offset;	/**< where the region starts in fd */
	/** permitted to map; sorted, disjoint, page-aligned; for free() */
	struct rte_vfio_area *areas;
	uint32_t nb_areas;
	/** left out of a window that is refused with it; may be empty */
	struct rte_vfio_area avoid;

	RTE_ATOMIC(bool) lost;	/**< the device is not behind the windows any more */
	bool relisted;	/**< mem_resource[].len is ours, and was listed_len before */
	uint64_t listed_len;
};

/**
 * Map what is permitted of every BAR, as one reservation for each, and publish the bases in
 * mem_resource[].addr. A BAR or window that cannot be mapped is left to the backend's read and
 * write calls, with one line in the log; it is not an error. In a secondary process each BAR goes
 * where the primary has it.
 *
 * @return
 *   0, or with nothing mapped and the regions forgotten: -ENOMEM; in a secondary process -ENOENT
 *   if the primary has not mapped the device, -EPROTO if a BAR has another size there, -EEXIST if
 *   something else is where a BAR must go.
 */
int pci_regions_map(struct pci_device *dev);

/** Whether the device is behind the windows of a region, or not any more. */
void pci_region_set_lost(struct pci_region *region, bool lost);

static inline bool
pci_region_is_lost(const struct pci_region *region)
{
	return rte_atomic_load_explicit(&region->lost, rte_memory_order_relaxed);
}

/** Undo pci_regions_map() and forget the regions. Safe on a device that is not mapped. */
void pci_regions_unmap(struct pci_device *dev);

/**
 * Forget all regions, so that they are as a backend's open() finds them: for an open() that
 * fails half way.
 */
void pci_regions_clear(struct pci_device *dev);

/**
 * The device is gone: put private memory in the place of its windows, so that loads and stores
 * no longer fault. From now on the bus's own accesses go to the backend's calls, which know best
 * what there is. May be called from a signal handler.
 *
 * @return 0, or -errno of the first window for which that failed; the others are done.
 */
int pci_regions_detach(struct pci_device *dev);

/**
 * The device is gone: put private memory of all-ones in the place of its windows, which is what
 * loads find on a bus where nobody answers, until somebody stores. Where that is not possible it is
 * zeros, as with pci_regions_detach(). May be called from a signal handler.
 *
 * @return as pci_regions_detach()
 */
int pci_regions_blank(struct pci_device *dev);

/**
 * The same for pages that are no region's: all-ones, or zeros.
 *
 * @return 0, or -errno, and the pages are as they were
 */
int pci_pages_blank(void *addr, size_t len);

/**
 * The device is back: map its windows again, at the same places, from the descriptors that the
 * regions have now.
 *
 * @return 0, or -errno of the first window for which that failed, and what follows is as it was
 */
int pci_regions_restore(struct pci_device *dev);

#endif /* PCI_REGION_H */
