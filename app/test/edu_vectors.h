/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EDU_VECTORS_H
#define EDU_VECTORS_H

/**
 * @file
 * Registers of "dpdk-vfio-user serve edu --msix" that say by which vector an interrupt comes.
 */

#include <bus_pci_driver.h>

#define EDU_BAR         0
#define EDU_REG_VECTORS 0x40	/**< the first of eight: a byte for each bit of the status */
#define EDU_REG_RAISE   0x60
#define EDU_REG_ACK     0x64

/** Bit N of the status shall come by vector N + @p shift, modulo the number of vectors. */
void edu_vectors_choose(const struct rte_pci_device *dev, unsigned int shift);

#endif /* EDU_VECTORS_H */
