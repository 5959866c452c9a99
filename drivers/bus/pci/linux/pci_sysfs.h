/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_SYSFS_H
#define PCI_SYSFS_H

/**
 * @file
 * The files that sysfs has for a device, found below the folder of the last scan.
 */

#include <rte_pci.h>

/** Attributes are a page at most; the longest that matters has a line for each of 17 resources. */
#define PCI_SYSFS_TEXT_SIZE	2048

/**
 * Read the whole of a small file of a device as text.
 *
 * @param addr
 *   The device.
 * @param attribute
 *   The file, relative to the folder of the device; at most 31 characters.
 * @param text
 *   Where to, with a zero at its end.
 * @return
 *   0; -ENOENT: there is no such file; -EFBIG: it is longer; another -errno
 */
int pci_sysfs_read(const struct rte_pci_addr *addr, const char *attribute,
	char text[PCI_SYSFS_TEXT_SIZE]);

/**
 * Open a file or folder of a device.
 *
 * @param addr
 *   The device.
 * @param attribute
 *   The file, relative to the folder of the device; at most 31 characters.
 * @param flags
 *   As of open(); O_CLOEXEC is added.
 * @return
 *   A descriptor, the caller's; -errno
 */
int pci_sysfs_open(const struct rte_pci_addr *addr, const char *attribute, int flags);

#endif /* PCI_SYSFS_H */
