/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_KERNEL_DRIVER_H
#define PCI_KERNEL_DRIVER_H

/**
 * @file
 * The kernel drivers that hold devices. There are few, and thousands of devices: each name is
 * kept once, and each backend is asked once in a scan whether the devices of a driver are its
 * own. All functions are for the scan alone, which is never run twice at a time.
 */

struct pci_backend;

struct pci_kernel_driver {
	struct pci_kernel_driver *next;
	const struct pci_backend *backend;	/**< whose devices these are; NULL: of none */
	unsigned int scan;	/**< the scan in which that was found out */
	char name[];
};

/** From here on backends are asked again. */
void pci_kernel_drivers_renew(void);

/**
 * The driver of this name. @p dirfd and @p device lead to the folder of a device that it holds.
 * It lives until pci_kernel_drivers_free(). NULL: no memory.
 */
const struct pci_kernel_driver *pci_kernel_driver_get(const char *name, int dirfd,
	const char *device);

/** Forget all. */
void pci_kernel_drivers_free(void);

#endif /* PCI_KERNEL_DRIVER_H */
