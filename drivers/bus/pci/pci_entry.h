/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_ENTRY_H
#define PCI_ENTRY_H

/**
 * @file
 * What is known of one device in the list of pci_list.h, and how more of it becomes known. Of an
 * entry in the list, all is under the list's lock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_pci.h>

struct pci_backend;
struct pci_device;
struct pci_ident;
struct pci_kernel_driver;
struct rte_devargs;

/** A device in the list. */
struct pci_entry {
	uint64_t key;	/**< its address as a number */
	uint64_t incarnation;	/**< differs from that of its predecessor at the address */
	const struct pci_kernel_driver *kernel_driver;	/**< NULL: a backend found the device */
	/** NULL: not reachable, for drivers that do without */
	const struct pci_backend *backend;
	struct rte_devargs *devargs;	/**< what the user said; may be gone meanwhile */
	struct pci_device *dev;	/**< NULL: nobody has looked */
	struct pci_ident *ident;	/**< from a backend: what it is; ours */
	struct rte_pci_id id;
	uint32_t order;	/**< in a scan: of two at one address the first one counts */
	uint32_t flags;	/**< pci_entry.c's */
};

/** Free entries and what they own. */
void pci_entries_free(struct pci_entry *entries, size_t nb);

/** Nothing of a device changes, and it is not freed, while this holds. */
bool pci_entry_in_use(const struct pci_entry *entry);

/** What is known of the device is from before the last scan, and would be read anew. */
bool pci_entry_is_stale(const struct pci_entry *entry);

/** Know all of the device, as it is after the last scan. @return 0, -ENODEV, -errno */
int pci_entry_complete(struct pci_entry *entry);

/** The same, though it may have been read before the last scan. */
int pci_entry_know(struct pci_entry *entry);

/** Know all of the device if some driver may take it. @return the same; -ENODEV: none does */
int pci_entry_match(struct pci_entry *entry);

/** What the user said of the device, if EAL has it still; NULL: nothing. */
struct rte_devargs *pci_entry_devargs(const struct pci_entry *entry);

/**
 * Something is at the address of @p old as before: keep its device, to be read again before it is
 * used.
 */
void pci_entry_inherit(struct pci_entry *entry, struct pci_entry *old);

/** A second device at this address is left out; the log says so once. */
void pci_entry_drop_second(struct pci_entry *first);

#endif /* PCI_ENTRY_H */
