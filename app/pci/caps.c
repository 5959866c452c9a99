/* SPDX-License-Identifier: BSD-3-Clause */

#include <rte_pci.h>

#include "caps.h"

#define REG_INTERRUPT_PIN 0x3d	/* PCI 3.0, 6.2.4: 1 to 4 are INTA to INTD */
#define MSI_CONTROL 2	/* PCI 3.0, 6.8.1.3: bits 3:1 are the logarithm of the vectors */
#define CAP_ALIGN 4

/* Bytes beyond the copy read as ones, as those of a device that is not there. */
static uint32_t
config_get(const uint8_t *config, size_t len, size_t offset, size_t width)
{
	uint32_t value = 0;
	size_t i;

	if (offset > len || width > len - offset)
		return UINT32_MAX >> (32 - 8 * width);
	for (i = 0; i < width; i++)
		value |= (uint32_t)config[offset + i] << (8 * i);
	return value;
}

static bool
caps_have(const struct cap *caps, size_t nb_caps, uint16_t offset)
{
	size_t i;

	for (i = 0; i < nb_caps; i++)
		if (caps[i].offset == offset)
			return true;
	return false;
}

static size_t
standard_collect(const uint8_t *config, size_t len, struct cap *caps)
{
	uint16_t offset;
	size_t nb = 0;

	if (len < RTE_PCI_STD_HEADER_SIZEOF ||
			(config_get(config, len, RTE_PCI_STATUS, 2) & RTE_PCI_STATUS_CAP_LIST) == 0)
		return 0;
	offset = config_get(config, len, RTE_PCI_CAPABILITY_LIST, 1) & ~(CAP_ALIGN - 1);
	while (offset >= RTE_PCI_STD_HEADER_SIZEOF && offset + 2u <= len &&
			!caps_have(caps, nb, offset)) {
		caps[nb].offset = offset;
		caps[nb].id = config[offset];
		caps[nb].extended = false;
		nb++;
		offset = config[offset + RTE_PCI_CAP_NEXT] & ~(CAP_ALIGN - 1);
	}
	return nb;
}

/* Of these the header is a word of id and next; zero or all ones mean that there is none. */
static size_t
extended_collect(const uint8_t *config, size_t len, struct cap *caps)
{
	uint16_t offset = RTE_PCI_CFG_SPACE_SIZE;
	uint32_t header;
	size_t nb = 0;

	while (offset >= RTE_PCI_CFG_SPACE_SIZE && offset + 4u <= len &&
			!caps_have(caps, nb, offset)) {
		header = config_get(config, len, offset, 4);
		if (header == 0 || header == UINT32_MAX)
			break;
		caps[nb].offset = offset;
		caps[nb].id = RTE_PCI_EXT_CAP_ID(header);
		caps[nb].extended = true;
		nb++;
		offset = RTE_PCI_EXT_CAP_NEXT(header);
	}
	return nb;
}

size_t
caps_collect(const uint8_t *config, size_t len, struct cap *caps)
{
	size_t nb = standard_collect(config, len, caps);

	return nb + extended_collect(config, len, caps + nb);
}

struct cap_interrupts
caps_interrupts(const uint8_t *config, size_t len, const struct cap *caps, size_t nb_caps)
{
	struct cap_interrupts found = { 0 };
	uint32_t pin = config_get(config, len, REG_INTERRUPT_PIN, 1);
	uint32_t word;
	size_t i;

	found.intx = pin >= 1 && pin <= 4;
	for (i = 0; i < nb_caps; i++) {
		if (caps[i].extended)
			continue;
		word = config_get(config, len, caps[i].offset + MSI_CONTROL, 2);
		if (caps[i].id == RTE_PCI_CAP_ID_MSI && found.msi == 0)
			found.msi = 1u << ((word >> 1) & 7);
		else if (caps[i].id == RTE_PCI_CAP_ID_MSIX && found.msix == 0)
			found.msix = (word & RTE_PCI_MSIX_FLAGS_QSIZE) + 1;
		else if (caps[i].id == RTE_PCI_CAP_ID_EXP)
			found.pcie = true;
	}
	return found;
}
