/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>

#include <rte_errno.h>
#include <rte_interrupts.h>
#include <rte_vfio_user.h>

#include "pci_device.h"
#include "pci_intr_end.h"
#include "pci_log.h"
#include "pci_vfio_user_link.h"

/* The event thread's view of a connection; it lives until the callback cannot run any more. */
struct pci_vfio_user_watch {
	struct rte_intr_handle *handle;
	struct pci_vfio_user_link *link;	/* NULL: somebody is about to end it */
	int dev_id;
};

static void
watch_free(struct pci_vfio_user_watch *watch)
{
	rte_intr_instance_free(watch->handle);
	free(watch);
}

static void
watch_gone(struct rte_intr_handle *handle, void *arg)
{
	(void)handle;
	watch_free(arg);
}

/* ---- the end of a server, in the event thread ---- */

/* From here on nobody is told of this end again. NULL: the driver has given it up already. */
static struct pci_device *
watch_lose(struct pci_vfio_user_watch *watch)
{
	struct pci_vfio_user_link *link;
	struct pci_device *dev = NULL;

	pci_vfio_user_lock();
	link = watch->link;
	if (link != NULL) {
		watch->link = NULL;
		link->watch = NULL;
		link->lost = true;
		link->touched = true;
		dev = link->dev;
	}
	pci_vfio_user_unlock();
	return dev;
}

/* Loads find what a bus answers when nobody is there. */
static void
device_lose(struct pci_device *dev)
{
	int rc;

	PCI_LOG(WARNING, "%s: its server is gone", dev->pub.device.name);
	pci_vfio_user_dma_pause(dev);
	rc = pci_regions_blank(dev);
	if (rc != 0)
		PCI_LOG(ERR, "%s: what was mapped stays as it is: %s", dev->pub.device.name,
			rte_strerror(-rc));
}

/* The device may be removed, and be there again, when all have been told. */
static void
loss_tell(const struct rte_pci_addr *addr, uintptr_t token)
{
	struct pci_vfio_user_link *link;

	rte_pci_ask_back(token);
	pci_vfio_user_lock();
	link = pci_vfio_user_link_find(addr);
	if (link != NULL && link->lost)
		pci_vfio_user_await(link);
	pci_vfio_user_unlock();
}

static void
touch_end(const struct rte_pci_addr *addr)
{
	pci_vfio_user_lock();
	pci_vfio_user_link_find(addr)->touched = false;
	pthread_cond_broadcast(&pci_vfio_user_links.changed);
	pci_vfio_user_unlock();
}

static void
watch_callback(void *arg)
{
	struct pci_vfio_user_watch *watch = arg;
	struct rte_pci_addr addr;
	struct pci_device *dev;
	uintptr_t token;

	if (rte_vfio_user_serve(watch->dev_id, 0) >= 0)
		return;
	dev = watch_lose(watch);
	if (dev == NULL)
		return;
	addr = dev->pub.addr;
	token = dev->token;
	rte_intr_callback_unregister_pending(watch->handle, watch_callback, watch, watch_gone);
	device_lose(dev);
	touch_end(&addr);
	loss_tell(&addr, token);
}

/* ---- beginning and end ---- */

static struct pci_vfio_user_watch *
watch_new(int dev_id)
{
	struct pci_vfio_user_watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL)
		return NULL;
	watch->dev_id = dev_id;
	watch->handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	if (watch->handle != NULL)
		return watch;
	free(watch);
	return NULL;
}

int
pci_vfio_user_watch_register(struct pci_vfio_user_link *link)
{
	const int fd = rte_vfio_user_event_fd(link->dev_id);
	struct pci_vfio_user_watch *watch;
	int rc;

	if (fd < 0)
		return fd;
	watch = watch_new(link->dev_id);
	if (watch == NULL)
		return -ENOMEM;
	rte_intr_fd_set(watch->handle, fd);
	rte_intr_type_set(watch->handle, RTE_INTR_HANDLE_EXT);
	watch->link = link;
	link->watch = watch;
	rc = rte_intr_callback_register(watch->handle, watch_callback, watch);
	if (rc != 0) {
		link->watch = NULL;
		watch_free(watch);
	}
	return rc;
}

int
pci_vfio_user_watch_start(struct pci_vfio_user_link *link)
{
	int rc;

	pci_vfio_user_lock();
	rc = pci_vfio_user_watch_register(link);
	link->started = rc == 0;
	pci_vfio_user_unlock();
	return rc;
}

void
pci_vfio_user_watch_stop(struct pci_vfio_user_link *link)
{
	struct pci_vfio_user_watch *watch;

	pci_vfio_user_lock();
	link->started = false;
	watch = link->watch;
	link->watch = NULL;
	if (watch != NULL)
		watch->link = NULL;
	while (link->touched)
		pthread_cond_wait(&pci_vfio_user_links.changed, &pci_vfio_user_links.lock);
	pci_vfio_user_unlock();
	if (watch != NULL &&
			pci_intr_callback_end(watch->handle, watch_callback, watch, watch_gone))
		watch_free(watch);
}
