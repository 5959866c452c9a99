/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_POLICY_H
#define PCI_POLICY_H

/**
 * @file
 * Which devices the user wants: the allow and block lists of the command line and of hot plug,
 * read once for each scan.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_bus.h>
#include <bus_driver.h>

struct rte_devargs;

struct pci_policy_row;

struct pci_policy {
	enum rte_bus_scan_mode mode;
	struct pci_policy_row *rows;	/**< sorted by address */
	size_t nb_rows;
};

/**
 * Read the lists that EAL keeps for this bus. An entry that is no address is named in the log
 * and left out. End it with pci_policy_fini().
 *
 * @return 0, or -ENOMEM with an empty policy
 */
int pci_policy_load(struct pci_policy *policy, enum rte_bus_scan_mode mode);

void pci_policy_fini(struct pci_policy *policy);

/** What the user said about the device at an address, or NULL. EAL owns it. */
struct rte_devargs *pci_policy_find(const struct pci_policy *policy, uint64_t key);

/** Whether a device is not to be listed, given what pci_policy_find() says. */
bool pci_policy_ignores(const struct pci_policy *policy, const struct rte_devargs *devargs);

#endif /* PCI_POLICY_H */
