/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_CAP_H
#define PCI_CAP_H

/**
 * @file
 * The list of capabilities of a device. It does not change while a device is open, so it is
 * read once: a search is then a look into memory, not a system call for each step.
 */

#include <stdbool.h>
#include <stdint.h>

struct pci_device;

/** No list can be longer: one capability for each 4 bytes behind the standard header. */
#define PCI_CAP_MAX ((256 - 64) / 4)

struct pci_cap_list {
	bool loaded;	/**< the rest is what the open device has */
	bool listed;	/**< the device says that it has a list */
	uint8_t nb;
	uint8_t id[PCI_CAP_MAX];
	uint8_t offset[PCI_CAP_MAX];
};

/**
 * Read the list. Backends do so in open(), as soon as configuration space can be read; without
 * that, each search walks the list anew.
 *
 * @return 0, or -errno of reading configuration space
 */
int pci_cap_load(struct pci_device *dev);

#endif /* PCI_CAP_H */
