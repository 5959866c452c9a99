/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_HANDLES_H
#define PCI_HANDLES_H

/**
 * @file
 * The interrupt handles of a device. They are there while it is mapped, and while a driver has
 * it; each of the two gets and puts them once.
 */

struct pci_device;

/** @return 0, -ENOMEM */
int pci_handles_get(struct pci_device *dev);

/** The last one frees them. */
void pci_handles_put(struct pci_device *dev);

#endif /* PCI_HANDLES_H */
