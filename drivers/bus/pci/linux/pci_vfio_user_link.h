/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_VFIO_USER_LINK_H
#define PCI_VFIO_USER_LINK_H

/**
 * @file
 * The connection to a device that the user named.
 *
 * The scan makes it and learns what the device is, and it is kept for who opens the device: many
 * servers serve one client in their life. Who talks to a server does so without the lock, and marks
 * the link as busy meanwhile. A link stays while it is wanted, busy, or its device is open.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_dev.h>

#include "pci_scan.h"
#include "pci_vfio_user.h"

struct pci_vfio_user_watch;

struct pci_vfio_user_link {
	struct pci_vfio_user_link *next;
	struct pci_vfio_user_target target;
	struct pci_ident ident;	/**< valid when it is attached */
	int dev_id;	/**< of the library; negative: not attached */
	struct pci_device *dev;	/**< that is open; NULL: none is */
	struct pci_vfio_user_watch *watch;	/**< of a device that is started; or NULL */
	bool wanted;	/**< by the user, at the last scan */
	bool nagged;	/**< the log says why it cannot be attached to */
	bool busy;	/**< nobody else may attach, detach or free it */
	bool started;	/**< the device is */
	bool touched;	/**< another thread than its driver's is at the device */
	bool lost;	/**< the server has gone, and it is not attached again */
	bool awaited;	/**< the server is looked for */
	bool returned;	/**< it is back, and nobody was told yet */
	bool unwatched;	/**< it is back, and cannot be watched for lack of memory */
	unsigned int nb_tries;
	uint64_t due_ms;	/**< time of the next one */
	char name[RTE_DEV_NAME_MAX_LEN];
};

/** All links, and when one of them is not busy or touched any more. */
struct pci_vfio_user_links {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct pci_vfio_user_link *first;
};

extern struct pci_vfio_user_links pci_vfio_user_links;

static inline void
pci_vfio_user_lock(void)
{
	pthread_mutex_lock(&pci_vfio_user_links.lock);
}

static inline void
pci_vfio_user_unlock(void)
{
	pthread_mutex_unlock(&pci_vfio_user_links.lock);
}

/* What follows needs the lock. */

/** The link of a device; NULL: there is none. */
struct pci_vfio_user_link *pci_vfio_user_link_find(const struct rte_pci_addr *addr);

/** End its connection, if there is one. */
void pci_vfio_user_link_detach(struct pci_vfio_user_link *link);

/** Begin to look for the server of a device that is lost. */
void pci_vfio_user_await(struct pci_vfio_user_link *link);

/** Register the callback of pci_vfio_user_watch_start(). @return 0, -errno */
int pci_vfio_user_watch_register(struct pci_vfio_user_link *link);

/* ---- pci_vfio_user_keeper.c ---- */

/** There may be something to do. Starts the thread that looks for servers if there is none. */
void pci_vfio_user_keeper_wake(void);

/** End that thread. Without the lock. */
void pci_vfio_user_keeper_stop(void);

#endif /* PCI_VFIO_USER_LINK_H */
