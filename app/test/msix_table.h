/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef MSIX_TABLE_H
#define MSIX_TABLE_H

/**
 * @file
 * The table of MSI-X and the pending bits of a device, as a driver reaches them through the bus.
 * Functions fail the test if they cannot do what they should.
 */

#include <stdbool.h>
#include <sys/types.h>

#include <bus_pci_driver.h>

struct msix_table {
	struct rte_pci_device *dev;
	unsigned int bar, pba_bar;
	off_t entries, pba;	/**< in those */
};

/** Find them by the capability. */
void msix_table_find(struct msix_table *table, struct rte_pci_device *dev);

/** Write the message control register: RTE_PCI_MSIX_FLAGS_* */
void msix_table_control(const struct msix_table *table, uint16_t flags);

/** Mask a vector, or unmask it. */
void msix_table_mask(const struct msix_table *table, unsigned int vector, bool masked);

/** The pending bits of the first vectors, up to 32. */
uint32_t msix_table_pending(const struct msix_table *table);

#endif /* MSIX_TABLE_H */
