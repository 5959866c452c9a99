/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_VFIO_USER_H
#define PCI_VFIO_USER_H

/**
 * @file
 * The backend of devices that another process emulates and offers on a UNIX socket.
 */

#include <stdbool.h>
#include <stdint.h>

#include <bus_pci_driver.h>

#include "pci_region.h"

struct pci_device;
struct pci_scan;
struct pci_vfio_user_dma;
struct pci_vfio_user_irq;
struct pci_vfio_user_link;
struct rte_devargs;
struct rte_intr_handle;
struct rte_kvargs;

/* ---- pci_vfio_user_link.c: which devices the user names, and the way to each ---- */

/** Longest path of a socket with its NUL: what fits into an address of a socket. */
#define PCI_VFIO_USER_PATH_LEN 108

/** What the user says. */
struct pci_vfio_user_target {
	char path[PCI_VFIO_USER_PATH_LEN];
	uint32_t timeout_ms;	/**< of a request; 0: the library's default */
};

int pci_vfio_user_name_parse(const char *name, struct rte_pci_addr *addr);
int pci_vfio_user_devargs_name(const struct rte_kvargs *kvargs, char *name, size_t size);

/**
 * Attach to what the user names. A device that could not be attached to is named in the log once
 * and left out.
 */
int pci_vfio_user_scan(struct pci_scan *scan);
void pci_vfio_user_scan_fini(void);

/**
 * Take the connection of a device that a scan has found, or make a new one if it is no more.
 *
 * @param link
 *   Set to the device's; NULL for pci_vfio_user_link_put() on failure.
 * @return an id of the library; -ENODEV: no scan has found it; another -errno
 */
int pci_vfio_user_link_get(const struct rte_pci_addr *addr, struct pci_vfio_user_link **link);

/** Detach. */
void pci_vfio_user_link_put(struct pci_vfio_user_link *link);

/* ---- pci_vfio_user.c ---- */

struct pci_backend_state {
	struct pci_vfio_user_link *link;
	int dev_id;	/**< of the library */
	uint32_t nb_irqs;	/**< interrupt indexes that it has */
	bool resets;	/**< it can be reset */
	int fd[PCI_REGION_NB];	/**< what regions are mapped from; -1: nothing */
	struct pci_vfio_user_dma *dma;	/**< memory that the device may use; NULL: not yet */
	struct pci_vfio_user_irq *irq;	/**< interrupts that are bound; NULL: none */
};

/* ---- pci_vfio_user_intr.c ---- */

/**
 * Bind the vectors of the best kind of interrupt to eventfds in the device's handle.
 *
 * @return 0, also for a device that has no interrupts; -errno
 */
int pci_vfio_user_intr_start(struct pci_device *dev);

/** Undo pci_vfio_user_intr_start(). Safe if that failed. */
void pci_vfio_user_intr_stop(struct pci_device *dev);

/* ---- pci_vfio_user_dma.c ---- */

/**
 * Share all memory of EAL with the device, and what comes later when it comes.
 *
 * @return 0, -errno
 */
int pci_vfio_user_dma_start(struct pci_device *dev);

/** Take all memory back. Safe if pci_vfio_user_dma_start() failed. */
void pci_vfio_user_dma_stop(struct pci_device *dev);

int pci_vfio_user_dma_map(struct pci_device *dev, void *addr, uint64_t iova, size_t len);
int pci_vfio_user_dma_unmap(struct pci_device *dev, void *addr, uint64_t iova, size_t len);

#endif /* PCI_VFIO_USER_H */
