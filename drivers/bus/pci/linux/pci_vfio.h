/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_VFIO_H
#define PCI_VFIO_H

/**
 * @file
 * The backend of the kernel's VFIO: vfio-pci and its variant drivers.
 */

#include <stdint.h>

struct pci_device;
struct pci_vfio_req;
struct rte_intr_handle;

struct pci_backend_state {
	int fd;	/**< the device */
	uint32_t nb_irqs;	/**< interrupt indexes that it has */
	struct pci_vfio_req *req;	/**< of the request interrupt's callback; NULL: it is off */
	struct rte_intr_handle *err_handle;	/**< tells of fatal errors; NULL: nothing does */
};

/**
 * Choose the device's kind of interrupt and let the kernel say when it wants the device back
 * and when the device has failed.
 *
 * @return 0, also for a device that has no interrupts; -errno
 */
int pci_vfio_intr_start(struct pci_device *dev);

/** Undo pci_vfio_intr_start(). Safe if that failed. */
void pci_vfio_intr_stop(struct pci_device *dev);

#endif /* PCI_VFIO_H */
