/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_BSD_SCAN_H
#define PCI_BSD_SCAN_H

/**
 * @file
 * The devices that FreeBSD's kernel lists, as the last scan found them.
 */

#include <rte_pci.h>

#include "pci_bsd_conf.h"

/**
 * Ask the kernel for all devices, and keep what it says until the next call. The functions below
 * may be called at the same time.
 *
 * @return
 *   0, also if there is no /dev/pci, since then there are no devices; -EAGAIN: the list changes
 *   all the time; another -errno. What was known before is kept then.
 */
int pci_bsd_scan(void);

/** What is known of a device. 0; -ENODEV: it is not listed. */
int pci_bsd_find(const struct rte_pci_addr *addr, struct pci_bsd_device *device);

/**
 * The next device at or after *from, which is moved past it; start with 0.
 *
 * @return 0; -ENODEV: no more
 */
int pci_bsd_next(uint64_t *from, struct pci_bsd_device *device);

/**
 * What a BAR is. It needs no more than the right to read /dev/pci.
 *
 * @return 0, with a length of 0 if there is no such BAR; -errno
 */
int pci_bsd_bar_get(const struct rte_pci_addr *addr, unsigned int bar, struct pci_bsd_bar *out);

/** What all BARs are, with those left out that are the upper half of another one. */
int pci_bsd_bars_get(const struct rte_pci_addr *addr, struct pci_bsd_bar out[PCI_MAX_RESOURCE]);

/** Forget all, and close /dev/pci. */
void pci_bsd_scan_fini(void);

#endif /* PCI_BSD_SCAN_H */
