/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <eal_export.h>
#include <rte_eal.h>

#include "pci_addr.h"
#include "pci_backend.h"
#include "pci_bus.h"
#include "pci_entry.h"
#include "pci_kernel_driver.h"
#include "pci_list.h"
#include "pci_log.h"
#include "pci_policy.h"
#include "pci_scan.h"
#include "pci_system.h"

struct pci_scan {
	struct pci_policy policy;
	struct pci_entry *entries;
	size_t nb_entries;
	size_t room;
};

/* Kernel drivers and the system's state are used by one scan at a time. */
static pthread_mutex_t scan_lock = PTHREAD_MUTEX_INITIALIZER;
static bool ending;	/* there are no more scans; with the lock */

bool
pci_scan_wants(const struct pci_scan *scan, const struct rte_pci_addr *addr)
{
	return !pci_policy_ignores(&scan->policy,
		pci_policy_find(&scan->policy, pci_addr_key(addr)));
}

static int
scan_grow(struct pci_scan *scan)
{
	const size_t room = scan->room == 0 ? 64 : 2 * scan->room;
	struct pci_entry *entries;

	entries = realloc(scan->entries, room * sizeof(*entries));
	if (entries == NULL)
		return -ENOMEM;
	scan->entries = entries;
	scan->room = room;
	return 0;
}

static int
scan_add(struct pci_scan *scan, struct pci_entry entry)
{
	if (scan->nb_entries == scan->room && scan_grow(scan) != 0)
		return -ENOMEM;
	entry.order = (uint32_t)scan->nb_entries;
	entry.devargs = pci_policy_find(&scan->policy, entry.key);
	scan->entries[scan->nb_entries++] = entry;
	return 0;
}

int
pci_scan_found(struct pci_scan *scan, const struct rte_pci_addr *addr, uint64_t incarnation,
	const struct pci_kernel_driver *kernel_driver)
{
	return scan_add(scan, (struct pci_entry){
		.key = pci_addr_key(addr),
		.incarnation = incarnation,
		.kernel_driver = kernel_driver,
		.backend = kernel_driver->backend,
	});
}

/* With the name behind it. */
static struct pci_ident *
ident_copy(const struct pci_ident *ident)
{
	const size_t len = ident->name == NULL ? 0 : strlen(ident->name) + 1;
	struct pci_ident *copy = malloc(sizeof(*copy) + len);

	if (copy == NULL)
		return NULL;
	*copy = *ident;
	if (len != 0)
		copy->name = memcpy(copy + 1, ident->name, len);
	return copy;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_pci_scan_emit)
int
rte_pci_scan_emit(struct pci_scan *scan, const struct pci_backend *backend,
	const struct rte_pci_addr *addr, const struct pci_ident *ident)
{
	struct pci_entry entry = {
		.key = pci_addr_key(addr),
		.backend = backend,
		.id = ident->id,
	};

	if (!pci_scan_wants(scan, addr))
		return 0;
	entry.ident = ident_copy(ident);
	if (entry.ident == NULL)
		return -ENOMEM;
	if (scan_add(scan, entry) != 0) {
		free(entry.ident);
		return -ENOMEM;
	}
	return 0;
}

static int
entry_cmp(const void *a, const void *b)
{
	const struct pci_entry *left = a, *right = b;

	if (left->key != right->key)
		return left->key < right->key ? -1 : 1;
	return (left->order > right->order) - (left->order < right->order);
}

/* A backend that fails does not take the devices of the others away. */
static void
scan_backends(struct pci_scan *scan)
{
	const struct pci_backend *backend = NULL;
	int rc;

	while ((backend = pci_backend_next(backend)) != NULL) {
		rc = backend->scan == NULL ? 0 : backend->scan(scan);
		if (rc != 0)
			PCI_LOG(ERR, "%s: cannot scan: %s", backend->name, strerror(-rc));
	}
}

static int
scan_collect(struct pci_scan *scan)
{
	int rc;

	pci_kernel_drivers_renew();
	rc = pci_system_scan(scan);
	if (rc != 0)
		return rc;
	scan_backends(scan);
	if (scan->nb_entries > 1)
		qsort(scan->entries, scan->nb_entries, sizeof(*scan->entries), entry_cmp);
	return 0;
}

static int
scan_locked(void)
{
	struct pci_scan scan = { .nb_entries = 0 };
	int rc;

	rc = pci_policy_load(&scan.policy, pci_bus.conf.scan_mode);
	if (rc != 0)
		return rc;
	rc = scan_collect(&scan);
	if (rc == 0)
		rc = pci_list_merge(scan.entries, scan.nb_entries);
	else
		pci_entries_free(scan.entries, scan.nb_entries);
	pci_policy_fini(&scan.policy);
	return rc;
}

int
pci_scan_run(void)
{
	int rc;

	if (!rte_eal_has_pci())
		return 0;
	pthread_mutex_lock(&scan_lock);
	rc = ending ? -ESHUTDOWN : scan_locked();
	pthread_mutex_unlock(&scan_lock);
	return rc;
}

static void
ending_set(bool on)
{
	pthread_mutex_lock(&scan_lock);
	ending = on;
	pthread_mutex_unlock(&scan_lock);
}

void
pci_scan_end(void)
{
	ending_set(true);
}

/* Without the lock: backends may wait for listeners, which may be about to scan. */
void
pci_scan_fini(void)
{
	const struct pci_backend *backend = NULL;

	while ((backend = pci_backend_next(backend)) != NULL)
		if (backend->scan_fini != NULL)
			backend->scan_fini();
	ending_set(false);
}
