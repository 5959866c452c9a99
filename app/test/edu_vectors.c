/* SPDX-License-Identifier: BSD-3-Clause */

#include <rte_bus_pci.h>

#include "edu_vectors.h"
#include "test.h"

#define BITS 32u

void
edu_vectors_choose(const struct rte_pci_device *dev, unsigned int shift)
{
	unsigned int bit;
	uint32_t value;

	for (bit = 0; bit < BITS; bit += 4) {
		/* more than the device has: it takes the lowest bits */
		value = (bit + shift) % BITS * 0x01010101u + 0x03020100u;
		assert_int_equal(rte_pci_mmio_write(dev, EDU_BAR, &value, 4,
			EDU_REG_VECTORS + bit), 4);
	}
}
