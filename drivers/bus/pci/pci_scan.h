/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_SCAN_H
#define PCI_SCAN_H

/**
 * @file
 * How devices get into the bus's list. A scan says who is there and by whom it is held; the
 * bus merges that with what it knows. What a device is gets read when somebody looks at it.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_compat.h>
#include <rte_dev.h>
#include <rte_pci.h>

struct pci_backend;
struct pci_kernel_driver;
struct pci_scan;

/** What a device is, as far as that can be known without opening it. */
struct pci_ident {
	struct rte_pci_id id;
	int numa_node;	/**< -1: none is nearer than the others */
	struct rte_mem_resource bar[PCI_MAX_RESOURCE];	/**< addr is NULL */
	const char *name;	/**< what users call it, always the same; NULL: its address */
};

/**
 * Report a device that a backend's scan() found. To be called from within scan() only. The bus
 * applies its allow and block lists; a device at an address that is taken is dropped with one
 * line in the log.
 *
 * @return 0, also for a device that was dropped; -ENOMEM
 */
__rte_internal
int rte_pci_scan_emit(struct pci_scan *scan, const struct pci_backend *backend,
	const struct rte_pci_addr *addr, const struct pci_ident *ident);

/** Whether the user wants the device at an address to be listed. For pci_system_scan(). */
bool pci_scan_wants(const struct pci_scan *scan, const struct rte_pci_addr *addr);

/**
 * Report a wanted device that the system lists. @p incarnation differs between two devices that
 * are at the same address one after the other. For pci_system_scan().
 *
 * @return 0, -ENOMEM
 */
int pci_scan_found(struct pci_scan *scan, const struct rte_pci_addr *addr, uint64_t incarnation,
	const struct pci_kernel_driver *kernel_driver);

/**
 * Scan the system and all backends, and bring the list up to date.
 *
 * @return 0, or -errno with the list as it was
 */
int pci_scan_run(void);

/** Waits for a scan that is under way. From then on they fail, with -ESHUTDOWN. */
void pci_scan_end(void);

/**
 * After pci_scan_end(): let backends forget what they keep from one scan to the next. Then there
 * may be scans again.
 */
void pci_scan_fini(void);

#endif /* PCI_SCAN_H */
