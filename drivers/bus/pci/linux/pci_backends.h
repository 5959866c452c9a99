/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_BACKENDS_H
#define PCI_BACKENDS_H

/**
 * @file
 * The backends of Linux. What they keep of a device is their own business, and so are the headers
 * that tell it.
 */

struct pci_backend;

extern const struct pci_backend pci_vfio_backend;
extern const struct pci_backend pci_uio_generic_backend;
extern const struct pci_backend pci_igb_uio_backend;
extern const struct pci_backend pci_vfio_user_backend;

#endif /* PCI_BACKENDS_H */
