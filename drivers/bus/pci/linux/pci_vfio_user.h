/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_VFIO_USER_H
#define PCI_VFIO_USER_H

/**
 * @file
 * The backend of devices that another process emulates and offers on a UNIX socket.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bus_pci_driver.h>

#include "pci_region.h"

struct pci_device;
struct pci_scan;
struct pci_vfio_user_dma;
struct pci_vfio_user_irq;
struct pci_vfio_user_link;
struct rte_devargs;
struct rte_kvargs;

/** The backend's own of a device that is open. */
struct pci_backend_state {
	struct pci_vfio_user_link *link;
	int dev_id;	/**< of the library; the same for as long as the device is open */
	uint32_t nb_irqs;	/**< interrupt indexes that it has */
	bool resets;	/**< it can be reset */
	bool silent;	/**< the server does not answer: what is left to say is left out */
	int fd[PCI_REGION_NB];	/**< what regions are mapped from; -1: nothing */
	struct pci_vfio_user_dma *dma;	/**< memory that the device may use; NULL: not started */
	struct pci_vfio_user_irq *irq;	/**< interrupts that are bound; NULL: none */
};

/* ---- pci_vfio_user.c: one device ---- */

/**
 * After its server was started again: make a device that is started what it was when its driver
 * got it, with all at the same place. Its driver cannot reach it before all is done.
 *
 * @param dev_id
 *   The new connection, which takes the place of the old one on success.
 * @param id
 *   What it leads to.
 * @return 0; -ENODEV: it is another device now; another -errno
 */
int pci_vfio_user_restart(struct pci_device *dev, int dev_id, const struct rte_pci_id *id);

/* ---- pci_vfio_user_name.c: what users say ---- */

/** Longest path of a socket with its NUL: what fits into an address of a socket. */
#define PCI_VFIO_USER_PATH_LEN 108

/** A device that the user names. */
struct pci_vfio_user_target {
	struct rte_pci_addr addr;	/**< made from the path */
	char path[PCI_VFIO_USER_PATH_LEN];
	uint32_t timeout_ms;	/**< of a request; 0: the default */
};

int pci_vfio_user_name_parse(const char *name, struct rte_pci_addr *addr);
int pci_vfio_user_devargs_name(const struct rte_kvargs *kvargs, char *name, size_t size);

/** Which device an entry of the allow list means. @return 0; -ENOENT: none of ours */
int pci_vfio_user_target_of(const struct rte_devargs *devargs,
	struct pci_vfio_user_target *target);

/** Its name if there is room for it, else the address, which is as good. */
void pci_vfio_user_target_name(const struct pci_vfio_user_target *target, char *name, size_t size);

/* ---- pci_vfio_user_attach.c: the first words with a server ---- */

struct pci_ident;

/**
 * Attach to a device and learn what it is.
 *
 * @param ident
 *   All but the name is set.
 * @return an id of the library, or -errno
 */
int pci_vfio_user_attach(const struct pci_vfio_user_target *target, struct pci_ident *ident);

/** Learn what the device is to which a connection leads. @return 0, -errno */
int pci_vfio_user_identify(int dev_id, struct pci_ident *ident);

/** Why it was not possible to attach, for the log. */
const char *pci_vfio_user_attach_error(int rc);

/* ---- pci_vfio_user_link.c: the connections ---- */

/**
 * Attach to what the user names. A device that cannot be attached to is named in the log once and
 * left out.
 */
int pci_vfio_user_scan(struct pci_scan *scan);
void pci_vfio_user_scan_fini(void);

/**
 * Take the connection of a device that a scan has found, or make a new one if it is no more.
 *
 * @param link
 *   Set on success, for pci_vfio_user_link_put().
 * @return an id of the library; -ENODEV: no scan has found it; another -errno
 */
int pci_vfio_user_link_get(struct pci_device *dev, struct pci_vfio_user_link **link);

/** Detach. */
void pci_vfio_user_link_put(struct pci_vfio_user_link *link);

/**
 * From now on see to the server of a device that is started: serve its commands, and when it is
 * gone tell who listens to RTE_DEV_EVENT_REMOVE, look for it, restart the device when it is back,
 * and tell who listens to RTE_DEV_EVENT_ADD.
 *
 * @return 0, -errno
 */
int pci_vfio_user_watch_start(struct pci_vfio_user_link *link);

/** Undo pci_vfio_user_watch_start(). On return nobody else uses the device. */
void pci_vfio_user_watch_stop(struct pci_vfio_user_link *link);

/* ---- pci_vfio_user_msg.c ---- */

/**
 * Turn MSI or MSI-X of a device on or off in configuration space.
 *
 * @param index
 *   VFIO_PCI_*_IRQ_INDEX; one without messages is left alone.
 * @param count
 *   Vectors that are used; 0: off.
 */
void pci_vfio_user_msg_switch(const struct pci_device *dev, uint32_t index, uint32_t count);

/* ---- pci_vfio_user_intr.c ---- */

/**
 * Bind the vectors of the best kind of interrupt to eventfds in the device's handle.
 *
 * @return 0, also for a device that has no interrupts; -errno
 */
int pci_vfio_user_intr_start(struct pci_device *dev);

/** Bind the eventfds of a device to another connection. @return 0; -ENODEV; another -errno */
int pci_vfio_user_intr_restart(const struct pci_device *dev, const struct pci_device *other);

/** The other connection has taken the place of the old one. */
void pci_vfio_user_intr_restarted(const struct pci_device *dev);

/** Undo pci_vfio_user_intr_start(). Safe if that failed. */
void pci_vfio_user_intr_stop(struct pci_device *dev);

/* ---- pci_vfio_user_dma.c ---- */

/**
 * Share all memory of EAL with the device, and what comes later when it comes.
 *
 * @return 0, -errno
 */
int pci_vfio_user_dma_start(struct pci_device *dev);

/** The server is gone: only remember what comes and goes. */
void pci_vfio_user_dma_pause(struct pci_device *dev);

/**
 * Share with another connection what the one before had. On success nothing comes or goes until
 * pci_vfio_user_dma_restarted() tells whether it is used.
 *
 * @return 0, -errno
 */
int pci_vfio_user_dma_restart(struct pci_device *dev, int dev_id);
void pci_vfio_user_dma_restarted(struct pci_device *dev, bool used);

/** Take all memory back. Safe if pci_vfio_user_dma_start() failed. */
void pci_vfio_user_dma_stop(struct pci_device *dev);

int pci_vfio_user_dma_map(struct pci_device *dev, void *addr, uint64_t iova, size_t len);
int pci_vfio_user_dma_unmap(struct pci_device *dev, void *addr, uint64_t iova, size_t len);

#endif /* PCI_VFIO_USER_H */
