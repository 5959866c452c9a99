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

struct pci_device;
struct rte_vfio_area;

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

/** A run of a region that is mapped into this process. */
struct pci_window {
	uint64_t offset;	/**< bytes from the start of the region */
	uint64_t size;	/**< bytes */
	int prot;	/**< PROT_READ, PROT_WRITE */
};

struct pci_region {
	/* what the backend's open() says */
	uint64_t size;	/**< bytes; 0: there is no such region */
	uint32_t flags;	/**< PCI_REGION_F_* */
	int fd;	/**< to map from; borrowed from the backend; -1: cannot be mapped */
	uint64_t fd_offset;	/**< where the region starts in fd */
	struct rte_vfio_area *areas;	/**< permitted to map; sorted, disjoint, page-aligned; ours */
	uint32_t nb_areas;

	/* what pci_regions_map() made of it */
	uint8_t *base;	/**< of the reservation of the whole region; NULL: nothing is mapped */
	struct pci_window *windows;	/**< sorted, disjoint, adjacent ones merged */
	uint32_t nb_windows;
};

/**
 * Map what is permitted of every BAR, as one reservation for each, and publish the bases in
 * mem_resource[].addr. A BAR or window that cannot be mapped is left to the backend's read and
 * write calls, with one line in the log; it is not an error.
 *
 * @return 0, or -ENOMEM with nothing mapped.
 */
int pci_regions_map(struct pci_device *dev);

/** Undo pci_regions_map() and forget the areas. Safe on a device that is not mapped. */
void pci_regions_unmap(struct pci_device *dev);

#endif /* PCI_REGION_H */
