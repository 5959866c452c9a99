/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include <eal_export.h>
#include <rte_bitops.h>
#include <rte_common.h>

#include "vu_pci.h"

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_add_cap, 25.11)
int
rte_vfio_user_pci_add_cap(struct rte_vfio_user_pci *pci, uint8_t id, const void *body,
	const void *writable, size_t len)
{
	if (vu_pci_is_started(pci))
		return -EBUSY;
	return vu_pci_cfg_add_cap(&pci->cfg, id, body, writable, len);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_add_ext_cap, 25.11)
int
rte_vfio_user_pci_add_ext_cap(struct rte_vfio_user_pci *pci, uint16_t id, uint8_t version,
	const void *body, const void *writable, size_t len)
{
	if (!pci->express)
		return -ENOTSUP;
	if (vu_pci_is_started(pci))
		return -EBUSY;
	return vu_pci_cfg_add_ext_cap(&pci->cfg, id, version, body, writable, len);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_add_vendor, 25.11)
int
rte_vfio_user_pci_add_vendor(struct rte_vfio_user_pci *pci, const void *body,
	const void *writable, size_t len)
{
	uint8_t bytes[192] = { 0 }, mask[192] = { 0 };

	if (len == 0 || len > 189)
		return -EINVAL;
	bytes[0] = (uint8_t)(len + 3);
	if (body != NULL)
		memcpy(&bytes[1], body, len);
	if (writable != NULL)
		memcpy(&mask[1], writable, len);
	return rte_vfio_user_pci_add_cap(pci, PCI_CAP_ID_VNDR, bytes, mask, len + 1);
}

/* PCI Bus Power Management 1.2, section 3.2. */
RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_add_pm, 25.11)
int
rte_vfio_user_pci_add_pm(struct rte_vfio_user_pci *pci)
{
	static const uint8_t body[6] = { 0x03, 0, PCI_PM_CTRL_NO_SOFT_RESET };
	static const uint8_t writable[6] = { 0, 0, PCI_PM_CTRL_STATE_MASK };

	return rte_vfio_user_pci_add_cap(pci, PCI_CAP_ID_PM, body, writable, sizeof(body));
}

/* PCI Express Base 3.0, section 7.8. */
RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_add_express, 25.11)
int
rte_vfio_user_pci_add_express(struct rte_vfio_user_pci *pci, bool integrated)
{
	const struct {
		uint32_t off;
		uint32_t value;
		uint32_t writable;
	} registers[] = {
		{ PCI_EXP_FLAGS, 2 | (integrated ? PCI_EXP_TYPE_RC_END : 0) << 4, 0 },
		{ PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR, 0 },
		/* device control: reporting, ordering, sizes; a function level reset is no state */
		{ PCI_EXP_DEVCTL, 0x2810, 0xffff & ~PCI_EXP_DEVCTL_BCR_FLR },
		{ PCI_EXP_LNKCAP, integrated ? 0 : 0x11, 0 },
		{ PCI_EXP_LNKCTL, integrated ? 0 : 0x110000, integrated ? 0 : 0xc3 },
		{ PCI_EXP_LNKCTL2, integrated ? 0 : 1, 0 },
	};
	uint8_t bytes[PCI_EXP_SLTSTA2 + 2] = { 0 }, mask[sizeof(bytes)] = { 0 };
	unsigned int i;
	int rc;

	if (!pci->express)
		return -ENOTSUP;
	for (i = 0; i < RTE_DIM(registers); i++) {
		vu_pci_le_set(&bytes[registers[i].off], registers[i].value, 4);
		vu_pci_le_set(&mask[registers[i].off], registers[i].writable, 4);
	}
	rc = rte_vfio_user_pci_add_cap(pci, PCI_CAP_ID_EXP, &bytes[2], &mask[2],
		sizeof(bytes) - 2);
	if (rc > 0)
		pci->express_cap = (uint32_t)rc;
	return rc;
}

static unsigned int
log2_of(unsigned int n)
{
	return (unsigned int)__builtin_ctz(n);
}

/* PCI Local Bus 3.0, section 6.8.1. Returns the length of the capability. */
static unsigned int
msi_fill(uint8_t *bytes, uint8_t *mask, unsigned int nb, uint32_t flags)
{
	bool wide = flags & RTE_VFIO_USER_PCI_MSI_64;
	bool masks = flags & RTE_VFIO_USER_PCI_MSI_MASK;
	unsigned int data = wide ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32;

	vu_pci_le_set(&bytes[PCI_MSI_FLAGS], log2_of(nb) << 1 |
		(wide ? PCI_MSI_FLAGS_64BIT : 0) | (masks ? PCI_MSI_FLAGS_MASKBIT : 0), 2);
	vu_pci_le_set(&mask[PCI_MSI_FLAGS], PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE, 2);
	vu_pci_le_set(&mask[PCI_MSI_ADDRESS_LO], 0xfffffffc, 4);
	if (wide)
		vu_pci_le_set(&mask[PCI_MSI_ADDRESS_HI], UINT32_MAX, 4);
	vu_pci_le_set(&mask[data], 0xffff, 2);
	if (!masks)
		return data + 2;
	vu_pci_le_set(&mask[data + 4], UINT32_MAX >> (32 - nb), 4);
	return data + 12;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_add_msi, 25.11)
int
rte_vfio_user_pci_add_msi(struct rte_vfio_user_pci *pci, unsigned int nb_vectors, uint32_t flags)
{
	uint8_t bytes[24] = { 0 }, mask[24] = { 0 };
	unsigned int len;
	int rc;

	if (!vu_pci_is_power_of_2(nb_vectors) || nb_vectors > VU_PCI_MSI_VECTORS ||
			flags & ~(RTE_VFIO_USER_PCI_MSI_64 | RTE_VFIO_USER_PCI_MSI_MASK))
		return -EINVAL;
	if (pci->msi.cap != 0)
		return -EEXIST;
	len = msi_fill(bytes, mask, nb_vectors, flags);
	rc = rte_vfio_user_pci_add_cap(pci, PCI_CAP_ID_MSI, &bytes[2], &mask[2], len - 2);
	if (rc < 0)
		return rc;
	pci->msi.cap = (uint32_t)rc;
	pci->msi.nb = nb_vectors;
	if (flags & RTE_VFIO_USER_PCI_MSI_MASK)
		pci->msi.mask_reg = pci->msi.cap + len - 8;
	return rc;
}

static bool
msix_part_valid(const struct rte_vfio_user_pci *pci, unsigned int bar, uint32_t off, uint32_t len)
{
	const struct rte_vfio_user_pci_bar *desc;

	if (bar >= RTE_DIM(pci->bars) || !pci->bars[bar].used)
		return false;
	desc = &pci->bars[bar].desc;
	return !(desc->flags & RTE_VFIO_USER_PCI_BAR_IO) && off % 8 == 0 && off <= desc->size &&
		len <= desc->size - off && !vu_pci_bar_mappable(&pci->bars[bar], off, len);
}

static bool
msix_valid(const struct rte_vfio_user_pci *pci, const struct rte_vfio_user_pci_msix *msix)
{
	uint32_t table_len, pba_len;

	if (msix == NULL || msix->nb_vectors == 0 || msix->nb_vectors > VU_PCI_MSIX_VECTORS)
		return false;
	table_len = msix->nb_vectors * VU_PCI_MSIX_ENTRY_LEN;
	pba_len = RTE_ALIGN_CEIL(msix->nb_vectors, 64u) / 8;
	if (!msix_part_valid(pci, msix->table_bar, msix->table_offset, table_len) ||
			!msix_part_valid(pci, msix->pba_bar, msix->pba_offset, pba_len))
		return false;
	return msix->table_bar != msix->pba_bar ||
		msix->pba_offset >= msix->table_offset + table_len ||
		msix->table_offset >= msix->pba_offset + pba_len;
}

/* All vectors are masked after reset. */
void
vu_pci_msix_table_reset(struct rte_vfio_user_pci *pci)
{
	uint32_t i;

	if (pci->msix_table == NULL)
		return;
	memset(pci->msix_table, 0, pci->msix.nb * VU_PCI_MSIX_ENTRY_LEN);
	for (i = 0; i < pci->msix.nb; i++)
		pci->msix_table[i * VU_PCI_MSIX_ENTRY_LEN + PCI_MSIX_ENTRY_VECTOR_CTRL] =
			PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_add_msix, 25.11)
int
rte_vfio_user_pci_add_msix(struct rte_vfio_user_pci *pci,
	const struct rte_vfio_user_pci_msix *msix)
{
	static const uint8_t mask[PCI_CAP_MSIX_SIZEOF] = { [PCI_MSIX_FLAGS + 1] = 0xc0 };
	uint8_t bytes[PCI_CAP_MSIX_SIZEOF] = { 0 };
	int rc;

	if (!msix_valid(pci, msix))
		return -EINVAL;
	if (pci->msix.cap != 0)
		return -EEXIST;
	vu_pci_le_set(&bytes[PCI_MSIX_FLAGS], msix->nb_vectors - 1u, 2);
	vu_pci_le_set(&bytes[PCI_MSIX_TABLE], msix->table_offset | msix->table_bar, 4);
	vu_pci_le_set(&bytes[PCI_MSIX_PBA], msix->pba_offset | msix->pba_bar, 4);
	pci->msix_table = malloc(msix->nb_vectors * VU_PCI_MSIX_ENTRY_LEN);
	if (pci->msix_table == NULL)
		return -ENOMEM;
	rc = rte_vfio_user_pci_add_cap(pci, PCI_CAP_ID_MSIX, &bytes[2], &mask[2],
		sizeof(bytes) - 2);
	if (rc < 0) {
		free(pci->msix_table);
		pci->msix_table = NULL;
		return rc;
	}
	pci->msix.cap = (uint32_t)rc;
	pci->msix.nb = msix->nb_vectors;
	pci->msix_place = *msix;
	vu_pci_msix_table_reset(pci);
	return rc;
}
