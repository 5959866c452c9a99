/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_FAULT_H
#define PCI_FAULT_H

/**
 * @file
 * Which device an address belongs to, for a handler of SIGBUS: it is found without a lock, while
 * other threads map and unmap devices. And whether a device is still mapped, for who hears from
 * the system that it is gone.
 */

#include <stddef.h>

struct pci_device;

/**
 * Enter a mapped device with its BARs.
 *
 * @return 0; -ENOMEM with none entered
 */
int pci_fault_add(struct pci_device *dev);

/**
 * Enter one range more, which is no BAR.
 *
 * @return 0; -ENOMEM
 */
int pci_fault_add_range(struct pci_device *dev, const void *addr, size_t len);

/** Take all of them out. When this returns no handler uses the device any more. */
void pci_fault_remove(struct pci_device *dev);

/**
 * Call @p handle with the device to which @p addr belongs. Safe in a signal handler if @p handle
 * is.
 *
 * @return what @p handle returns; 1: it belongs to none
 */
int pci_fault_handle(const void *addr, int (*handle)(struct pci_device *dev));

/**
 * Call @p handle with a device if it is mapped. It stays so until that is done.
 *
 * @param dev
 *   The device, or what was one: it is not looked into unless it is mapped.
 * @return what @p handle returns; 1: it is not mapped
 */
int pci_fault_visit(const struct pci_device *dev, int (*handle)(struct pci_device *dev));

#endif /* PCI_FAULT_H */
