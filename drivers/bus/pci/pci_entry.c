/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_string_fns.h>

#include "pci_addr.h"
#include "pci_backend.h"
#include "pci_bus.h"
#include "pci_device.h"
#include "pci_entry.h"
#include "pci_kernel_driver.h"
#include "pci_log.h"
#include "pci_match.h"
#include "pci_name.h"
#include "pci_scan.h"
#include "pci_system.h"

/* How much of an entry is known. */
#define ENTRY_ID_FRESH	0x1u	/* the id was read after the last scan */
#define ENTRY_DEV_KNOWN	0x2u	/* what is in dev is of this incarnation */
#define ENTRY_DEV_FRESH	0x4u	/* and was read after the last scan */
#define ENTRY_LOST	0x8u	/* could not be read: not there until the next scan */
#define ENTRY_NAGGED	0x10u	/* the log says what is wrong with it */
#define ENTRY_SECOND_NAGGED	0x20u	/* the log says that there is a second one */

/* Of the device that was made last; under the list's lock. */
static uintptr_t last_token;

bool
pci_entry_in_use(const struct pci_entry *entry)
{
	const struct pci_device *dev = entry->dev;

	return dev != NULL && (dev->pins != 0 || dev->mapped || dev->pub.driver != NULL ||
		rte_dev_is_probed(&dev->pub.device));
}

static void
entry_free(struct pci_entry *entry)
{
	free(entry->ident);
	free(entry->dev);
}

void
pci_entries_free(struct pci_entry *entries, size_t nb)
{
	size_t i;

	for (i = 0; i < nb; i++)
		entry_free(&entries[i]);
	free(entries);
}

static void
entry_name(const struct pci_entry *entry, char name[PCI_PRI_STR_SIZE])
{
	const struct rte_pci_addr addr = pci_addr_of_key(entry->key);

	rte_pci_device_name(&addr, name, PCI_PRI_STR_SIZE);
}

/* Until the next scan the device is not there; the log says why, once. */
static int
entry_lose(struct pci_entry *entry, int rc, const struct pci_trouble *trouble)
{
	char name[PCI_PRI_STR_SIZE];

	entry->flags |= ENTRY_LOST;
	if (rc == -ENODEV || (entry->flags & ENTRY_NAGGED) != 0)
		return rc;
	entry->flags |= ENTRY_NAGGED;
	entry_name(entry, name);
	PCI_LOG(WARNING, "%s: left out: %s: %s", name, trouble->what, trouble->why);
	return rc;
}

/* EAL may have freed what the user said since the scan: believe only what it still lists. */
struct rte_devargs *
pci_entry_devargs(const struct pci_entry *entry)
{
	struct rte_devargs *devargs;
	struct rte_pci_addr addr;

	if (entry->devargs == NULL)
		return NULL;
	RTE_EAL_DEVARGS_FOREACH("pci", devargs)
		if (devargs == entry->devargs)
			break;
	if (devargs == NULL || pci_name_parse(devargs->name, &addr) != 0 ||
			pci_addr_key(&addr) != entry->key)
		return NULL;
	return devargs;
}

/* Know what the device is. */
static int
entry_identify(struct pci_entry *entry)
{
	const struct rte_pci_addr addr = pci_addr_of_key(entry->key);
	struct pci_trouble trouble;
	int rc;

	if ((entry->flags & ENTRY_LOST) != 0)
		return -ENODEV;
	if ((entry->flags & ENTRY_ID_FRESH) != 0 || entry->ident != NULL || pci_entry_in_use(entry))
		return 0;
	rc = pci_system_identify(&addr, &entry->id, &trouble);
	if (rc != 0)
		return entry_lose(entry, rc, &trouble);
	entry->flags |= ENTRY_ID_FRESH;
	return 0;
}

/* What is set here never changes: other threads may look at it without a lock. */
static struct pci_device *
device_new(uint64_t key, const char *name)
{
	const size_t len = name == NULL ? 0 : strlen(name) + 1;
	struct pci_device *dev = calloc(1, sizeof(*dev) + len);

	if (dev == NULL)
		return NULL;
	dev->token = ++last_token;
	dev->pub.addr = pci_addr_of_key(key);
	rte_pci_device_name(&dev->pub.addr, dev->pub.name, sizeof(dev->pub.name));
	dev->pub.bus_info = dev->bus_info;
	dev->pub.device.bus = &pci_bus;
	dev->pub.device.name = dev->pub.name;
	dev->pub.device.bus_info = dev->bus_info;
	if (name != NULL)
		dev->pub.device.name = memcpy(dev->long_name, name, len);
	return dev;
}

static void
device_set_info(struct pci_device *dev)
{
	char info[sizeof(dev->bus_info)];

	snprintf(info, sizeof(info), "vendor_id=%x, device_id=%x", dev->pub.id.vendor_id,
		dev->pub.id.device_id);
	/* other threads may be reading it; mostly nothing has changed */
	if (strcmp(dev->bus_info, info) != 0)
		strlcpy(dev->bus_info, info, sizeof(dev->bus_info));
}

static void
device_fill(struct pci_device *dev, const struct pci_entry *entry, const struct pci_ident *ident)
{
	dev->backend = entry->backend;
	dev->kernel_driver = entry->kernel_driver == NULL ? NULL : entry->kernel_driver->name;
	dev->pub.id = entry->id;
	dev->pub.kdrv = entry->backend == NULL ? RTE_PCI_KDRV_UNKNOWN : entry->backend->kdrv;
	memcpy(dev->pub.mem_resource, ident->bar, sizeof(dev->pub.mem_resource));
	dev->pub.device.numa_node = ident->numa_node;
	dev->pub.device.devargs = pci_entry_devargs(entry);
	device_set_info(dev);
}

static int
entry_describe(struct pci_entry *entry, struct pci_ident *ident)
{
	const struct rte_pci_addr addr = pci_addr_of_key(entry->key);
	struct pci_trouble trouble;
	int rc;

	if (entry->ident != NULL) {
		*ident = *entry->ident;
		return 0;
	}
	rc = pci_system_describe(&addr, ident, &trouble);
	return rc == 0 ? 0 : entry_lose(entry, rc, &trouble);
}

int
pci_entry_complete(struct pci_entry *entry)
{
	struct pci_ident ident = { .numa_node = -1 };
	int rc;

	rc = entry_identify(entry);
	if (rc != 0 || (entry->flags & ENTRY_DEV_FRESH) != 0 || pci_entry_in_use(entry))
		return rc;
	rc = entry_describe(entry, &ident);
	if (rc != 0)
		return rc;
	if (entry->dev == NULL)
		entry->dev = device_new(entry->key, ident.name);
	if (entry->dev == NULL)
		return -ENOMEM;
	device_fill(entry->dev, entry, &ident);
	entry->flags |= ENTRY_DEV_KNOWN | ENTRY_DEV_FRESH;
	entry->flags &= ~ENTRY_NAGGED;
	return 0;
}

bool
pci_entry_is_stale(const struct pci_entry *entry)
{
	return (entry->flags & ENTRY_DEV_FRESH) == 0 && !pci_entry_in_use(entry);
}

int
pci_entry_know(struct pci_entry *entry)
{
	if ((entry->flags & ENTRY_LOST) != 0)
		return -ENODEV;
	return (entry->flags & ENTRY_DEV_KNOWN) != 0 ? 0 : pci_entry_complete(entry);
}

int
pci_entry_match(struct pci_entry *entry)
{
	uint32_t from = 0;
	int rc;

	if (entry->backend == NULL && !pci_match_any_unmapped())
		return -ENODEV;
	rc = entry_identify(entry);
	if (rc != 0)
		return rc;
	return pci_match_next(&entry->id, &from) == NULL ? -ENODEV : pci_entry_complete(entry);
}

static void
entry_inherit_used(struct pci_entry *entry, const struct pci_entry *old)
{
	old->dev->pub.device.devargs = entry->devargs;
	entry->backend = old->backend;
	entry->kernel_driver = old->kernel_driver;
	entry->incarnation = old->incarnation;
}

void
pci_entry_inherit(struct pci_entry *entry, struct pci_entry *old)
{
	uint32_t keep = ENTRY_NAGGED | ENTRY_SECOND_NAGGED;

	if (pci_entry_in_use(old))
		entry_inherit_used(entry, old);
	if (entry->incarnation == old->incarnation &&
			entry->kernel_driver == old->kernel_driver &&
			entry->backend == old->backend)
		keep |= ENTRY_DEV_KNOWN;
	entry->flags |= old->flags & keep;
	if (entry->ident == NULL)
		entry->id = old->id;
	entry->dev = old->dev;
	old->dev = NULL;
}

void
pci_entry_drop_second(struct pci_entry *first)
{
	char name[PCI_PRI_STR_SIZE];

	if ((first->flags & ENTRY_SECOND_NAGGED) != 0)
		return;
	first->flags |= ENTRY_SECOND_NAGGED;
	entry_name(first, name);
	PCI_LOG(WARNING, "%s: a second device at this address is left out", name);
}
