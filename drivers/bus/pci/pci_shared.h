/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_SHARED_H
#define PCI_SHARED_H

/**
 * @file
 * Where the primary process has the BARs of each mapped device, for secondary processes. A
 * record is made and freed by the primary process only, and never changes in between; a
 * secondary copies what it needs.
 */

#include <stdint.h>

#include <rte_pci.h>

struct pci_device;

/** Where a BAR is in memory. */
struct pci_shared_bar {
	void *base;	/**< NULL: it is not mapped */
	uint64_t size;	/**< bytes */
};

/**
 * Tell where the BARs of a device are. Primary process only.
 *
 * @return 0, -ENOMEM
 */
int pci_shared_publish(const struct pci_device *dev);

/** Undo pci_shared_publish(), if it was done. Does nothing in a secondary process. */
void pci_shared_withdraw(const struct pci_device *dev);

/**
 * Copy where the primary process has the BARs of the device at @p addr.
 *
 * @return 0; -ENOENT: it has not mapped it
 */
int pci_shared_find(const struct rte_pci_addr *addr, struct pci_shared_bar bars[PCI_MAX_RESOURCE]);

/**
 * An address from which on a process, and the secondary processes that follow it, are likely
 * to have room: behind EAL's memory and all BARs there. NULL if EAL has no memory.
 */
void *pci_shared_free_address(void);

#endif /* PCI_SHARED_H */
