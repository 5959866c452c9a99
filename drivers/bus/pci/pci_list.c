/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <rte_string_fns.h>

#include "pci_addr.h"
#include "pci_device.h"
#include "pci_entry.h"
#include "pci_list.h"

static struct {
	pthread_mutex_t lock;
	struct pci_entry *entries;
	size_t nb_entries;
} list = { .lock = PTHREAD_MUTEX_INITIALIZER };

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
	return list_next(from, pci_entry_know);
}

struct pci_device *
pci_list_next_fresh(uint64_t *from)
{
	return list_next(from, pci_entry_complete);
}

struct pci_device *
pci_list_next_match(uint64_t *from)
{
	return list_next(from, pci_entry_match);
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
	if (entry != NULL && pci_entry_complete(entry) == 0)
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
		stale = pci_entry_is_stale(entry);
		rc = pci_entry_complete(entry);
		if (dev->pub.device.devargs != NULL)
			dev->pub.device.devargs = pci_entry_devargs(entry);
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
		if (pci_entry_in_use(old))
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
			pci_entry_drop_second(&to[-1]);
			continue;
		}
		if (old != old_end && old->key == found->key)
			pci_entry_inherit(found, old);
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
