/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_BSD_KERNEL_H
#define PCI_BSD_KERNEL_H

/**
 * @file
 * What the bus asks of FreeBSD's kernel, so that a test can answer in its place.
 */

#include <stddef.h>
#include <sys/types.h>

/** All results are -errno where something is wrong. */
struct pci_bsd_kernel {
	/** A descriptor that is closed on exec. */
	int (*open)(const char *path, int flags);
	void (*close)(int fd);
	/** @p request is one of PCI_BSD_*. 0 if all is well. */
	int (*ioctl)(int fd, unsigned long request, void *arg);
	/** Map, shared, in the place of what is at @p addr; @p prot is of RTE_PROT_*. */
	int (*map)(void *addr, size_t len, int prot, int fd, off_t offset);
	void (*unmap)(void *addr, size_t len);
};

/** The kernel that is asked. */
extern const struct pci_bsd_kernel *pci_bsd_kernel;

#endif /* PCI_BSD_KERNEL_H */
