/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_ADDR_H
#define PCI_ADDR_H

/**
 * @file
 * An address as one number, which orders as rte_pci_addr_cmp() does.
 */

#include <stdint.h>

#include <rte_pci.h>

static inline uint64_t
pci_addr_key(const struct rte_pci_addr *addr)
{
	return (uint64_t)addr->domain << 24 | (uint32_t)addr->bus << 16 |
		(uint32_t)addr->devid << 8 | addr->function;
}

static inline struct rte_pci_addr
pci_addr_of_key(uint64_t key)
{
	return (struct rte_pci_addr){
		.domain = (uint32_t)(key >> 24),
		.bus = (uint8_t)(key >> 16),
		.devid = (uint8_t)(key >> 8),
		.function = (uint8_t)key,
	};
}

#endif /* PCI_ADDR_H */
