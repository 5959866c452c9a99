/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_LIST_H
#define PCI_LIST_H

/**
 * @file
 * The devices that the bus knows, in order of their addresses.
 *
 * A scan only enters who is there. The id is read when drivers are matched, the rest when
 * somebody looks at the device; only then is there a struct pci_device. What was read before the
 * last scan is read again before the device is handed out to be used, and not at all while it is
 * in use: then nothing of it changes.
 *
 * All functions may be called from any thread; none calls out while it holds the lock. A device
 * that was handed out lives until a scan finds it gone and unused, or until pci_list_clear().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_pci.h>

struct pci_device;
struct pci_entry;

/**
 * Put what a scan found in the place of what was known.
 *
 * @param found
 *   Entries sorted by address and order; the array and what it points to are taken over.
 * @return 0; -ENOMEM: the list is as it was, @p found is freed
 */
int pci_list_merge(struct pci_entry *found, size_t nb_found);

/**
 * The next device at or after *from, which is moved past it; start with 0. NULL: no more. What
 * it is may have been read before the last scan; see pci_list_refresh().
 */
struct pci_device *pci_list_next(uint64_t *from);

/** The same, with all read anew. */
struct pci_device *pci_list_next_fresh(uint64_t *from);

/** The same, for devices only that some registered driver may take. */
struct pci_device *pci_list_next_match(uint64_t *from);

/** The same, for devices only that somebody has looked at; reads nothing. */
struct pci_device *pci_list_next_seen(uint64_t *from);

/** The device at an address, with all read anew; NULL if there is none. */
struct pci_device *pci_list_find(const struct rte_pci_addr *addr);

/**
 * Read anew what a device is if a scan was made since, unless it is in use.
 *
 * @return 0: nothing was read; 1: something was; -ENODEV: it is there no more
 */
int pci_list_refresh(struct pci_device *dev);

/**
 * Keep a device from being freed, and from being changed by a scan, while a callback has it.
 *
 * @param alone
 *   No other callback may have it.
 * @return 0; -ENODEV: there is no such device; -EBUSY: another callback has it
 */
int pci_list_pin(struct pci_device *dev, bool alone);

/** Undo pci_list_pin(). */
void pci_list_unpin(struct pci_device *dev);

/** Copy the name of the device with a token. @return 0, -ENODEV */
int pci_list_name(uintptr_t token, char *name, size_t size);

/** Forget all devices, used or not. */
void pci_list_clear(void);

#endif /* PCI_LIST_H */
