/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_PARSE_H
#define PCI_PARSE_H

/**
 * @file
 * The texts of sysfs, each to what it means. Text in, numbers out; no system call. A text may
 * end with a newline; anything else that should not be there makes it invalid.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_dev.h>
#include <rte_pci.h>

/**
 * The name of a device's folder, which is its address as rte_pci_device_name() writes it.
 *
 * @return 0; -EINVAL with @p addr untouched
 */
int pci_folder_parse(const char *name, struct rte_pci_addr *addr);

/**
 * What "modalias" says: vendor, device, subsystem and class.
 *
 * @return 0; -EINVAL with @p id untouched
 */
int pci_modalias_parse(const char *text, struct rte_pci_id *id);

/**
 * A hexadecimal number with its 0x, such as "vendor" has.
 *
 * @return 0; -EINVAL also for a number above @p max; @p value is untouched then
 */
int pci_hex_parse(const char *text, uint32_t max, uint32_t *value);

/**
 * The name of a folder that UIO makes for a device: "uio" and a number.
 *
 * @return 0; -EINVAL with @p number untouched
 */
int pci_uio_name_parse(const char *name, uint32_t *number);

/**
 * What "dev" says: the major and the minor number of a device file.
 *
 * @return 0; -EINVAL with @p major and @p minor untouched
 */
int pci_devnum_parse(const char *text, uint32_t *major, uint32_t *minor);

/**
 * What "numa_node" says: a number, -1 for none.
 *
 * @return 0; -EINVAL with @p node untouched
 */
int pci_numa_parse(const char *text, int *node);

/** What a BAR is. */
enum pci_bar_kind {
	PCI_BAR_NONE,
	PCI_BAR_MEMORY,
	PCI_BAR_IOPORT,
};

/** What a line of "resource" says. */
struct pci_bar_line {
	enum pci_bar_kind kind;
	bool assigned;	/**< start is where it is; else the kernel found no room for it */
	uint64_t start;	/**< address, or number of the first port */
	uint64_t len;	/**< bytes; 0 for PCI_BAR_NONE */
};

/**
 * What "resource" says about the BARs: a line each with first and last address and flags. Ports
 * that make no sense are PCI_BAR_NONE.
 *
 * @return 0; -EINVAL: less than six lines, or one of them makes no sense
 */
int pci_bars_parse(const char *text, struct pci_bar_line bar[PCI_MAX_RESOURCE]);

/**
 * What "resource" says about the BARs in memory. Those in I/O space have no length here, as in
 * DPDK.
 *
 * @return 0; -EINVAL: less than six lines, or one of them makes no sense
 */
int pci_resource_parse(const char *text, struct rte_mem_resource bar[PCI_MAX_RESOURCE]);

/**
 * The name of a driver from where the link "driver" leads to.
 *
 * @return the part of @p target after the last slash; NULL if that is empty
 */
const char *pci_driver_parse(const char *target);

/**
 * How many bits of an IOVA the IOMMU takes, from the capability register that "intel-iommu/cap"
 * shows (VT-d 11.4.2, MGAW).
 *
 * @return 0; -EINVAL with @p bits untouched
 */
int pci_iommu_cap_parse(const char *text, unsigned int *bits);

#endif /* PCI_PARSE_H */
