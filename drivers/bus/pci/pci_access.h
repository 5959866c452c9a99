/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_ACCESS_H
#define PCI_ACCESS_H

/**
 * @file
 * The one way to the bytes of a region: by load and store where it is mapped, by the backend's
 * read and write where it is not, split where the one ends and the other starts. A naturally
 * aligned access of 1, 2, 4 or 8 bytes is one access of that width.
 */

#include <stddef.h>
#include <sys/types.h>

struct pci_device;

/**
 * Read a range of a region.
 *
 * @param region
 *   PCI_REGION_*
 * @return
 *   @p len, or
 *   - -EINVAL: no such region, the range is not inside it, or longer than INT_MAX
 *   - -ENODEV: the device is not open
 *   - -EACCES: the region cannot be read (written)
 *   - -errno of the backend; of the range, part may have been transferred
 */
int pci_access_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	off_t offset);

/** Write a range of a region; as pci_access_read(). */
int pci_access_write(const struct pci_device *dev, unsigned int region, const void *buf,
	size_t len, off_t offset);

/**
 * Read a range that is mapped, by the widest naturally aligned loads: for backends that map what
 * they are asked for.
 *
 * @param addr
 *   Of the range.
 * @param buf
 *   Where to.
 * @param len
 *   Bytes.
 */
void pci_access_load(void *addr, void *buf, size_t len);

/** Write a range that is mapped; as pci_access_load(). */
void pci_access_store(void *addr, const void *buf, size_t len);

#endif /* PCI_ACCESS_H */
