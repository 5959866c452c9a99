/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_DEVICE_H
#define PCI_DEVICE_H

/**
 * @file
 * A PCI device as the bus keeps it: the public structure, whose layout is ABI, and behind it
 * what only the bus knows. Every rte_pci_device in the bus's list is one of these.
 */

#include <rte_common.h>
#include <bus_pci_driver.h>

#include "pci_region.h"

struct pci_backend;
struct pci_backend_state;

struct pci_device {
	struct rte_pci_device pub;	/**< first: drivers hold pointers to it */
	const struct pci_backend *backend;	/**< how it is reached; NULL: not by us */
	struct pci_backend_state *state;	/**< the backend's own; NULL unless open */
	struct pci_region region[PCI_REGION_NB];	/**< filled by the backend's open() */
};

/** The bus's view of a device that a driver handed in. */
static inline struct pci_device *
pci_device_of(struct rte_pci_device *pub)
{
	return container_of(pub, struct pci_device, pub);
}

static inline const struct pci_device *
pci_device_of_const(const struct rte_pci_device *pub)
{
	return container_of(pub, const struct pci_device, pub);
}

#endif /* PCI_DEVICE_H */
