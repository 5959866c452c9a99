/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>

#include <rte_devargs.h>
#include <rte_eal.h>
#include <rte_vfio_user.h>

#include "pci_backend.h"
#include "pci_backends.h"
#include "pci_device.h"
#include "pci_log.h"
#include "pci_vfio_user_link.h"

struct pci_vfio_user_links pci_vfio_user_links = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

/* ---- one link; with the lock ---- */

struct pci_vfio_user_link *
pci_vfio_user_link_find(const struct rte_pci_addr *addr)
{
	struct pci_vfio_user_link *link = pci_vfio_user_links.first;

	while (link != NULL && rte_pci_addr_cmp(&link->target.addr, addr) != 0)
		link = link->next;
	return link;
}

static struct pci_vfio_user_link *
link_new(const struct pci_vfio_user_target *target)
{
	struct pci_vfio_user_link *link = calloc(1, sizeof(*link));

	if (link == NULL)
		return NULL;
	link->target = *target;
	link->dev_id = -ENOTCONN;
	pci_vfio_user_target_name(target, link->name, sizeof(link->name));
	link->next = pci_vfio_user_links.first;
	pci_vfio_user_links.first = link;
	return link;
}

static void
link_wait(struct pci_vfio_user_link *link)
{
	while (link->busy)
		pthread_cond_wait(&pci_vfio_user_links.changed, &pci_vfio_user_links.lock);
}

void
pci_vfio_user_link_detach(struct pci_vfio_user_link *link)
{
	if (link->dev_id >= 0)
		rte_vfio_user_detach_dev(link->dev_id);
	link->dev_id = -ENOTCONN;
}

/* Without the lock. A connection that works, be it the one from before. */
static int
connection_renew(int dev_id, const struct pci_vfio_user_target *target, struct pci_ident *ident)
{
	if (dev_id >= 0 && rte_vfio_user_serve(dev_id, 0) >= 0)
		return dev_id;
	if (dev_id >= 0)
		rte_vfio_user_detach_dev(dev_id);
	return pci_vfio_user_attach(target, ident);
}

/* The lock is released meanwhile. Who calls this sees to it that the link stays. */
static int
link_ensure(struct pci_vfio_user_link *link)
{
	struct pci_vfio_user_target target;
	struct pci_ident ident;
	int rc;

	link_wait(link);
	link->busy = true;
	target = link->target;
	ident = link->ident;
	rc = link->dev_id;
	pci_vfio_user_unlock();
	rc = connection_renew(rc, &target, &ident);
	pci_vfio_user_lock();
	link->busy = false;
	pthread_cond_broadcast(&pci_vfio_user_links.changed);
	link->dev_id = rc;
	if (rc < 0)
		return rc;
	link->ident = ident;
	link->nagged = link->lost = link->awaited = link->returned = false;
	return 0;
}

/* ---- scanning ---- */

static void
link_nag(struct pci_vfio_user_link *link, int rc)
{
	if (!link->nagged)
		PCI_LOG(ERR, "%s: cannot attach to the device at %s: %s", link->name,
			link->target.path, pci_vfio_user_attach_error(rc));
	link->nagged = true;
}

static void
links_want_none(void)
{
	struct pci_vfio_user_link *link;

	for (link = pci_vfio_user_links.first; link != NULL; link = link->next)
		link->wanted = false;
}

/* Links come and go in a scan only, of which there is one at a time. */
static void
links_drop_unwanted(void)
{
	struct pci_vfio_user_link **at = &pci_vfio_user_links.first, *link;

	while ((link = *at) != NULL) {
		if (!link->wanted)
			link_wait(link);
		if (link->wanted || link->dev != NULL) {
			at = &link->next;
			continue;
		}
		*at = link->next;
		pci_vfio_user_link_detach(link);
		free(link);
	}
}

/* What the user says of a device that is open counts when it is opened next. */
static int
target_scan(struct pci_scan *scan, const struct pci_vfio_user_target *target)
{
	struct pci_vfio_user_link *link = pci_vfio_user_link_find(&target->addr);
	struct pci_ident ident;
	int rc;

	if (link == NULL)
		link = link_new(target);
	if (link == NULL)
		return -ENOMEM;
	link->wanted = true;
	link->target = *target;
	rc = link->dev != NULL ? 0 : link_ensure(link);
	if (rc != 0) {
		link_nag(link, rc);
		return 0;
	}
	ident = link->ident;
	ident.name = link->name;
	return rte_pci_scan_emit(scan, &pci_vfio_user_backend, &target->addr, &ident);
}

int
pci_vfio_user_scan(struct pci_scan *scan)
{
	struct pci_vfio_user_target target;
	struct rte_devargs *devargs;
	int rc = 0;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return 0;
	pci_vfio_user_lock();
	links_want_none();
	RTE_EAL_DEVARGS_FOREACH("pci", devargs)
		if (rc == 0 && pci_vfio_user_target_of(devargs, &target) == 0)
			rc = target_scan(scan, &target);
	if (rc == 0)
		links_drop_unwanted();
	pci_vfio_user_unlock();
	return rc;
}

void
pci_vfio_user_scan_fini(void)
{
	pci_vfio_user_lock();
	links_want_none();
	links_drop_unwanted();
	pci_vfio_user_unlock();
	/* without links it has nothing to do, and nobody starts it again */
	pci_vfio_user_keeper_stop();
}

/* ---- opening ---- */

int
pci_vfio_user_link_get(struct pci_device *dev, struct pci_vfio_user_link **out)
{
	struct pci_vfio_user_link *link;
	int rc = -ENODEV;

	pci_vfio_user_lock();
	link = pci_vfio_user_link_find(&dev->pub.addr);
	if (link != NULL && link->dev == NULL) {
		link->dev = dev;
		rc = link_ensure(link);
		if (rc != 0)
			link->dev = NULL;
		else
			rc = link->dev_id;
	}
	pci_vfio_user_unlock();
	*out = link;
	return rc;
}

/* Who is busy with it finds that nobody has it open any more. */
void
pci_vfio_user_link_put(struct pci_vfio_user_link *link)
{
	pci_vfio_user_lock();
	link->dev = NULL;
	if (!link->busy)
		pci_vfio_user_link_detach(link);
	if (link->lost)
		pci_vfio_user_await(link);
	pci_vfio_user_unlock();
}
