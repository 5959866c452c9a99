/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_SYSTEM_H
#define PCI_SYSTEM_H

/**
 * @file
 * What the bus asks of the operating system about the devices that it lists. One file per system
 * answers.
 */

#include <stdint.h>

#include <rte_pci.h>

struct pci_ident;
struct pci_scan;

/** Why a device cannot be used, for a line in the log. */
struct pci_trouble {
	const char *what;	/**< the file that is wrong */
	const char *why;	/**< what is wrong with it */
};

/**
 * Report the devices that the system lists, each by pci_scan_found() and at the cost of one
 * call. One that vanishes meanwhile is left out, and so is one that no kernel driver holds where
 * there is no way to such a device.
 *
 * @return 0, or -errno: there is no telling which devices there are
 */
int pci_system_scan(struct pci_scan *scan);

/**
 * Say what a device is.
 *
 * @return 0; -ENODEV: it has vanished; another -errno with @p trouble filled in
 */
int pci_system_identify(const struct rte_pci_addr *addr, struct rte_pci_id *id,
	struct pci_trouble *trouble);

/** Say the rest of what is in @p ident, which is all but its id. Results as above. */
int pci_system_describe(const struct rte_pci_addr *addr, struct pci_ident *ident,
	struct pci_trouble *trouble);

/** How many virtual functions of a device are on. Takes no lock of the kernel. */
uint16_t pci_system_max_vfs(const struct rte_pci_addr *addr);

/** How many bits of an IOVA the IOMMU of a device takes; 0: not known. */
unsigned int pci_system_iova_bits(const struct rte_pci_addr *addr);

/** Let go of what a scan may have opened. */
void pci_system_fini(void);

#endif /* PCI_SYSTEM_H */
