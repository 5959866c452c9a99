/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VM_DOORBELL_H
#define VM_DOORBELL_H

/**
 * @file
 * Devices of a guest that have several vectors of MSI-X, and a register by which any of them is
 * raised: QEMU's ivshmem-doorbell, and the edu of "dpdk-vfio-user serve edu --msix".
 */

#include <stdbool.h>
#include <stdint.h>

#include <bus_pci_driver.h>

#include "vm.h"

/** The number of their vectors. */
#define VM_DOORBELL_VECTORS 8u

/** A kind of such devices. */
struct vm_doorbell {
	uint16_t vendor, id;
	/** Make it ready, with interrupts off. 0 or -errno. */
	int (*open)(struct rte_pci_device *dev);
	/** Leave it to its driver as that had it, interrupts being off. 0 or -errno. */
	int (*close)(struct rte_pci_device *dev);
	/** Interrupt by a vector, from any thread. 0 or -errno. */
	int (*raise)(const struct rte_pci_device *dev, unsigned int vector);
	/** Has it pending bits of vectors that are masked in its table? */
	bool knows_masks;
};

/** That of which the guest has a device, and its address; NULL: there is none. */
const struct vm_doorbell *vm_doorbell_find(char bdf[VM_BDF_LEN]);

#endif /* VM_DOORBELL_H */
