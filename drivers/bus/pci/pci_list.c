/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
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
#include "pci_kernel_driver.h"
#include "pci_list.h"
#include "pci_log.h"
#include "pci_match.h"
#include "pci_name.h"
#include "pci_policy.h"
#include "pci_scan.h"
#include "pci_system.h"

/* How much of an entry is known. */
#define ENTRY_ID_FRESH	0x1u	/* the id was read after the last scan */
#define ENTRY_DEV_KNOWN	0x2u	/* what is in dev is of this incarnation */
#define ENTRY_DEV_FRESH	0x4u	/* and was read after the last scan */
#define ENTRY_LOST	0x8u	/* could not be read: not there until the next scan */
#define ENTRY_NAGGED	0x10u	/* the log says what is wrong with it */
#define ENTRY_SECOND_NAGGED	0x20u	/* the log says that there is a second one */

static struct {
	pthread_mutex_t lock;
	struct pci_entry *entries;
	size_t nb_entries;
	uintptr_t last_token;
} list = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Nothing of a device changes, and it is not freed, while this holds. */
static bool
entry_in_use(const struct pci_entry *entry)
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
static struct rte_devargs *
entry_devargs(const struct pci_entry *entry)
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
	if ((entry->flags & ENTRY_ID_FRESH) != 0 || entry->ident != NULL || entry_in_use(entry))
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
	dev->token = ++list.last_token;
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
	dev->pub.device.devargs = entry_devargs(entry);
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

/* Know all of the device, as it is after the last scan. */
static int
entry_complete(struct pci_entry *entry)
{
	struct pci_ident ident = { .numa_node = -1 };
	int rc;

	rc = entry_identify(entry);
	if (rc != 0 || (entry->flags & ENTRY_DEV_FRESH) != 0 || entry_in_use(entry))
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

/* Know all of the device, though it may have been read before the last scan. */
static int
entry_know(struct pci_entry *entry)
{
	if ((entry->flags & ENTRY_LOST) != 0)
		return -ENODEV;
	return (entry->flags & ENTRY_DEV_KNOWN) != 0 ? 0 : entry_complete(entry);
}

/* Know all of the device if some driver may take it. */
static int
entry_match(struct pci_entry *entry)
{
	uint32_t from = 0;
	int rc;

	if (entry->backend == NULL && !pci_match_any_unmapped())
		return -ENODEV;
	rc = entry_identify(entry);
	if (rc != 0)
		return rc;
	return pci_match_next(&entry->id, &from) == NULL ? -ENODEV : entry_complete(entry);
}

static int
entry_is_seen(struct pci_entry *entry)
{
	return entry->dev == NULL ? -ENODEV : 0;
}

/* The index of the first entry at or after an address. */
static size_t
list_index(uint64_t key)
{
	size_t from = 0, to = list.nb_entries;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (list.entries[mid].key < key)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static struct pci_device *
list_next(uint64_t *from, int (*wanted)(struct pci_entry *entry))
{
	struct pci_device *dev = NULL;
	size_t i;

	pthread_mutex_lock(&list.lock);
	for (i = list_index(*from); i < list.nb_entries && dev == NULL; i++) {
		*from = list.entries[i].key + 1;
		if (wanted(&list.entries[i]) == 0)
			dev = list.entries[i].dev;
	}
	pthread_mutex_unlock(&list.lock);
	return dev;
}

struct pci_device *
pci_list_next(uint64_t *from)
{
	return list_next(from, entry_know);
}

struct pci_device *
pci_list_next_fresh(uint64_t *from)
{
	return list_next(from, entry_complete);
}

struct pci_device *
pci_list_next_match(uint64_t *from)
{
	return list_next(from, entry_match);
}

struct pci_device *
pci_list_next_seen(uint64_t *from)
{
	return list_next(from, entry_is_seen);
}

/* The entry at an address, or NULL. */
static struct pci_entry *
list_entry(const struct rte_pci_addr *addr)
{
	const uint64_t key = pci_addr_key(addr);
	const size_t i = list_index(key);

	return i < list.nb_entries && list.entries[i].key == key ? &list.entries[i] : NULL;
}

struct pci_device *
pci_list_find(const struct rte_pci_addr *addr)
{
	struct pci_device *dev = NULL;
	struct pci_entry *entry;

	pthread_mutex_lock(&list.lock);
	entry = list_entry(addr);
	if (entry != NULL && entry_complete(entry) == 0)
		dev = entry->dev;
	pthread_mutex_unlock(&list.lock);
	return dev;
}

int
pci_list_refresh(struct pci_device *dev)
{
	struct pci_entry *entry;
	bool stale = false;
	int rc = -ENODEV;

	pthread_mutex_lock(&list.lock);
	entry = list_entry(&dev->pub.addr);
	if (entry != NULL && entry->dev == dev) {
		stale = (entry->flags & ENTRY_DEV_FRESH) == 0 && !entry_in_use(entry);
		rc = entry_complete(entry);
		if (dev->pub.device.devargs != NULL)
			dev->pub.device.devargs = entry_devargs(entry);
	}
	pthread_mutex_unlock(&list.lock);
	return rc == 0 ? stale : rc;
}

int
pci_list_pin(struct pci_device *dev, bool alone)
{
	struct pci_entry *entry;
	int rc = -ENODEV;

	pthread_mutex_lock(&list.lock);
	entry = list_entry(&dev->pub.addr);
	if (entry != NULL && entry->dev == dev) {
		rc = alone && dev->pins != 0 ? -EBUSY : 0;
		dev->pins += rc == 0;
	}
	pthread_mutex_unlock(&list.lock);
	return rc;
}

void
pci_list_unpin(struct pci_device *dev)
{
	pthread_mutex_lock(&list.lock);
	dev->pins--;
	pthread_mutex_unlock(&list.lock);
}

int
pci_list_name(uintptr_t token, char *name, size_t size)
{
	const struct pci_device *dev;
	int rc = -ENODEV;
	size_t i;

	pthread_mutex_lock(&list.lock);
	for (i = 0; i < list.nb_entries && rc != 0; i++) {
		dev = list.entries[i].dev;
		if (dev == NULL || dev->token != token)
			continue;
		strlcpy(name, dev->pub.device.name, size);
		rc = 0;
	}
	pthread_mutex_unlock(&list.lock);
	return rc;
}

static void
entry_inherit_used(struct pci_entry *entry, const struct pci_entry *old)
{
	old->dev->pub.device.devargs = entry->devargs;
	entry->backend = old->backend;
	entry->kernel_driver = old->kernel_driver;
	entry->incarnation = old->incarnation;
}

/* Something is at the address as before: keep the device, to be read again before it is used. */
static void
entry_inherit(struct pci_entry *entry, struct pci_entry *old)
{
	uint32_t keep = ENTRY_NAGGED | ENTRY_SECOND_NAGGED;

	if (entry_in_use(old))
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

/* Two devices at one address: the second one is left out; the log says so once. */
static void
entry_drop_second(struct pci_entry *first)
{
	char name[PCI_PRI_STR_SIZE];

	if ((first->flags & ENTRY_SECOND_NAGGED) != 0)
		return;
	first->flags |= ENTRY_SECOND_NAGGED;
	entry_name(first, name);
	PCI_LOG(WARNING, "%s: a second device at this address is left out", name);
}

static void
entry_move(struct pci_entry **to, struct pci_entry *from)
{
	*(*to)++ = *from;
	from->dev = NULL;
	from->ident = NULL;
}

/* What is in use stays in the list even if the scan did not find it. */
static struct pci_entry *
entries_keep_used(struct pci_entry **to, struct pci_entry *old, const struct pci_entry *end,
	uint64_t before)
{
	for (; old != end && old->key < before; old++)
		if (entry_in_use(old))
			entry_move(to, old);
	return old;
}

/* Both arrays are sorted, and so is the result; what is not moved to it is left for free(). */
static size_t
entries_merge(struct pci_entry *into, struct pci_entry *old, size_t nb_old,
	struct pci_entry *found, size_t nb_found)
{
	const struct pci_entry *old_end = old + nb_old, *found_end = found + nb_found;
	struct pci_entry *to = into;

	for (; found != found_end; found++) {
		old = entries_keep_used(&to, old, old_end, found->key);
		if (to != into && to[-1].key == found->key) {
			entry_drop_second(&to[-1]);
			continue;
		}
		if (old != old_end && old->key == found->key)
			entry_inherit(found, old);
		entry_move(&to, found);
	}
	entries_keep_used(&to, old, old_end, UINT64_MAX);
	return (size_t)(to - into);
}

static int
list_merge(struct pci_entry *found, size_t nb_found)
{
	struct pci_entry *merged, *fitting;
	size_t nb;

	merged = malloc((list.nb_entries + nb_found + 1) * sizeof(*merged));
	if (merged == NULL)
		return -ENOMEM;
	nb = entries_merge(merged, list.entries, list.nb_entries, found, nb_found);
	fitting = realloc(merged, (nb + 1) * sizeof(*merged));
	pci_entries_free(list.entries, list.nb_entries);
	list.entries = fitting != NULL ? fitting : merged;
	list.nb_entries = nb;
	return 0;
}

int
pci_list_merge(struct pci_entry *found, size_t nb_found)
{
	int rc;

	pthread_mutex_lock(&list.lock);
	rc = list_merge(found, nb_found);
	pthread_mutex_unlock(&list.lock);
	pci_entries_free(found, nb_found);
	return rc;
}

void
pci_list_clear(void)
{
	pthread_mutex_lock(&list.lock);
	pci_entries_free(list.entries, list.nb_entries);
	list.entries = NULL;
	list.nb_entries = 0;
	pthread_mutex_unlock(&list.lock);
}
