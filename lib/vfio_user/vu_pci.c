/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include <eal_export.h>
#include <rte_bitops.h>
#include <rte_common.h>

#include "vu_pci.h"

#define PAGE_LEN 4096u
#define MSIX_ENTRY_LEN 16u
#define IO_BAR_MAX 256u
#define ROM_MIN 2048u
#define ROM_MAX (UINT32_C(16) << 20)

#define BAR_FLAGS (RTE_VFIO_USER_PCI_BAR_IO | RTE_VFIO_USER_PCI_BAR_64 | \
	RTE_VFIO_USER_PCI_BAR_PREFETCH | RTE_VFIO_USER_PCI_BAR_MMAP)

/* ---- the function ---- */

static bool
info_valid(const struct rte_vfio_user_pci_info *info)
{
	return info != NULL && info->size == sizeof(*info) && info->vendor_id != 0xffff &&
		info->class_code != 0 && info->class_code <= 0xffffff && info->interrupt_pin <= 4;
}

static void
bars_init(struct rte_vfio_user_pci *pci)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(pci->bars); i++) {
		pci->bars[i].pci = pci;
		pci->bars[i].index = i;
	}
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_create, 25.11)
int
rte_vfio_user_pci_create(const struct rte_vfio_user_pci_info *info,
	const struct rte_vfio_user_pci_ops *ops, void *priv, struct rte_vfio_user_pci **out)
{
	struct rte_vfio_user_pci *pci;

	if (!info_valid(info) || out == NULL)
		return -EINVAL;
	pci = calloc(1, sizeof(*pci));
	if (pci == NULL)
		return -ENOMEM;
	if (ops != NULL)
		pci->ops = *ops;
	pci->priv = priv;
	pci->express = info->express;
	pci->dev_id = -1;
	pci->msi.irq_index = VFIO_PCI_MSI_IRQ_INDEX;
	pci->msix.irq_index = VFIO_PCI_MSIX_IRQ_INDEX;
	pthread_mutex_init(&pci->lock, NULL);
	vu_pci_cfg_init(&pci->cfg, info);
	bars_init(pci);
	*out = pci;
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_free, 25.11)
void
rte_vfio_user_pci_free(struct rte_vfio_user_pci *pci)
{
	unsigned int i;

	if (pci == NULL)
		return;
	rte_vfio_user_pci_stop(pci);
	for (i = 0; i < RTE_DIM(pci->bars); i++)
		free((void *)(uintptr_t)pci->bars[i].desc.areas);
	free(pci->rom);
	free(pci->msix_table);
	pthread_mutex_destroy(&pci->lock);
	free(pci);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_priv, 25.11)
void *
rte_vfio_user_pci_priv(const struct rte_vfio_user_pci *pci)
{
	return pci->priv;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_dev_id, 25.11)
int
rte_vfio_user_pci_dev_id(struct rte_vfio_user_pci *pci)
{
	int dev_id;

	pthread_mutex_lock(&pci->lock);
	dev_id = pci->dev_id;
	pthread_mutex_unlock(&pci->lock);
	return dev_id < 0 ? -ENOTCONN : dev_id;
}

static bool
is_started(const struct rte_vfio_user_pci *pci)
{
	return pci->sock_addr != NULL;
}

/* ---- BARs ---- */

static bool
is_power_of_2(uint64_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

static bool
size_valid(uint64_t size, uint32_t flags)
{
	if (!is_power_of_2(size))
		return false;
	if (flags & RTE_VFIO_USER_PCI_BAR_IO)
		return size >= 4 && size <= IO_BAR_MAX;
	return size >= 16 &&
		size <= UINT64_C(1) << (flags & RTE_VFIO_USER_PCI_BAR_64 ? 62 : 31);
}

static bool
flags_valid(uint32_t flags)
{
	if (flags & ~BAR_FLAGS)
		return false;
	return !(flags & RTE_VFIO_USER_PCI_BAR_IO) || flags == RTE_VFIO_USER_PCI_BAR_IO;
}

static bool
areas_valid(const struct rte_vfio_user_pci_bar *desc)
{
	const struct vfio_region_sparse_mmap_area *area;
	uint64_t end = 0;
	uint32_t i;

	for (i = 0; i < desc->nb_areas && desc->areas != NULL; i++) {
		area = &desc->areas[i];
		if (area->offset % PAGE_LEN != 0 || area->size % PAGE_LEN != 0 ||
				area->size == 0 || area->offset < end ||
				area->offset > desc->size || area->size > desc->size - area->offset)
			return false;
		end = area->offset + area->size;
	}
	return true;
}

static bool
mapping_valid(const struct rte_vfio_user_pci_bar *desc)
{
	if (!(desc->flags & RTE_VFIO_USER_PCI_BAR_MMAP))
		return true;
	return desc->fd >= 0 && desc->base != NULL && desc->fd_offset % PAGE_LEN == 0 &&
		desc->size >= PAGE_LEN && areas_valid(desc);
}

/* The registers that a BAR takes. */
static unsigned int
registers_of(uint32_t flags)
{
	return flags & RTE_VFIO_USER_PCI_BAR_64 ? 2 : 1;
}

static bool
register_taken(const struct rte_vfio_user_pci *pci, unsigned int i)
{
	if (pci->bars[i].used)
		return true;
	return i > 0 && pci->bars[i - 1].used &&
		pci->bars[i - 1].desc.flags & RTE_VFIO_USER_PCI_BAR_64;
}

static int
areas_copy(const struct rte_vfio_user_pci_bar *desc, struct vfio_region_sparse_mmap_area **areas)
{
	size_t len = desc->nb_areas * sizeof(**areas);

	*areas = NULL;
	if (!(desc->flags & RTE_VFIO_USER_PCI_BAR_MMAP) || desc->areas == NULL)
		return 0;
	*areas = malloc(RTE_MAX(len, sizeof(**areas)));
	if (*areas == NULL)
		return -ENOMEM;
	memcpy(*areas, desc->areas, len);
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_set_bar, 25.11)
int
rte_vfio_user_pci_set_bar(struct rte_vfio_user_pci *pci, unsigned int bar,
	const struct rte_vfio_user_pci_bar *desc)
{
	struct vfio_region_sparse_mmap_area *areas;
	unsigned int i, end;
	int rc;

	if (desc == NULL || !flags_valid(desc->flags) || !size_valid(desc->size, desc->flags) ||
			!mapping_valid(desc))
		return -EINVAL;
	end = bar + registers_of(desc->flags);
	if (bar >= RTE_DIM(pci->bars) || end > RTE_DIM(pci->bars))
		return -EINVAL;
	for (i = bar; i < end; i++) {
		if (register_taken(pci, i))
			return -EEXIST;
	}
	if (is_started(pci))
		return -EBUSY;
	rc = areas_copy(desc, &areas);
	if (rc < 0)
		return rc;
	pci->bars[bar].desc = *desc;
	pci->bars[bar].desc.areas = areas;
	pci->bars[bar].used = true;
	vu_pci_cfg_set_bar(&pci->cfg, bar, desc->size, desc->flags);
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_set_rom, 25.11)
int
rte_vfio_user_pci_set_rom(struct rte_vfio_user_pci *pci, const void *image, size_t len)
{
	uint32_t size;

	if (image == NULL || len == 0 || len > ROM_MAX)
		return -EINVAL;
	if (pci->rom != NULL)
		return -EEXIST;
	if (is_started(pci))
		return -EBUSY;
	size = rte_align32pow2(RTE_MAX((uint32_t)len, ROM_MIN));
	pci->rom = malloc(size);
	if (pci->rom == NULL)
		return -ENOMEM;
	memset(pci->rom, 0xff, size);
	memcpy(pci->rom, image, len);
	pci->rom_size = size;
	vu_pci_cfg_set_rom(&pci->cfg, size);
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_bar_addr, 25.11)
uint64_t
rte_vfio_user_pci_bar_addr(struct rte_vfio_user_pci *pci, unsigned int bar)
{
	uint64_t addr;

	if (bar >= RTE_DIM(pci->bars) || !pci->bars[bar].used)
		return 0;
	pthread_mutex_lock(&pci->lock);
	addr = vu_pci_cfg_bar_addr(&pci->cfg, bar, pci->bars[bar].desc.flags);
	pthread_mutex_unlock(&pci->lock);
	return addr;
}

/* ---- capabilities ---- */

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_add_cap, 25.11)
int
rte_vfio_user_pci_add_cap(struct rte_vfio_user_pci *pci, uint8_t id, const void *body,
	const void *writable, size_t len)
{
	if (is_started(pci))
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
	if (is_started(pci))
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
		/* device control: reporting, ordering, sizes, function level reset */
		{ PCI_EXP_DEVCTL, 0x2810, 0xffff },
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

	if (!is_power_of_2(nb_vectors) || nb_vectors > VU_PCI_MSI_VECTORS ||
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
	table_len = msix->nb_vectors * MSIX_ENTRY_LEN;
	pba_len = RTE_ALIGN_CEIL(msix->nb_vectors, 64u) / 8;
	if (!msix_part_valid(pci, msix->table_bar, msix->table_offset, table_len) ||
			!msix_part_valid(pci, msix->pba_bar, msix->pba_offset, pba_len))
		return false;
	return msix->table_bar != msix->pba_bar ||
		msix->pba_offset >= msix->table_offset + table_len ||
		msix->table_offset >= msix->pba_offset + pba_len;
}

/* All vectors are masked after reset. */
static void
msix_table_reset(struct rte_vfio_user_pci *pci)
{
	uint32_t i;

	if (pci->msix_table == NULL)
		return;
	memset(pci->msix_table, 0, pci->msix.nb * MSIX_ENTRY_LEN);
	for (i = 0; i < pci->msix.nb; i++)
		pci->msix_table[i * MSIX_ENTRY_LEN + PCI_MSIX_ENTRY_VECTOR_CTRL] =
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
	pci->msix_table = malloc(msix->nb_vectors * MSIX_ENTRY_LEN);
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
	msix_table_reset(pci);
	return rc;
}

/* ---- configuration space ---- */

static bool
range_valid(uint64_t off, uint64_t len, uint64_t size)
{
	return off <= size && len <= size - off;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_config_read, 25.11)
int
rte_vfio_user_pci_config_read(struct rte_vfio_user_pci *pci, uint32_t offset, void *buf,
	uint32_t len)
{
	if (!range_valid(offset, len, pci->cfg.size))
		return -EINVAL;
	pthread_mutex_lock(&pci->lock);
	memcpy(buf, &pci->cfg.bytes[offset], len);
	vu_pci_irq_read_config(pci, offset, buf, len);
	pthread_mutex_unlock(&pci->lock);
	return 0;
}

/* What authors are told of when it changes. */
struct snapshot {
	uint16_t command;
	uint64_t bar[RTE_VFIO_USER_PCI_BARS];
};

static void
snapshot_take(const struct rte_vfio_user_pci *pci, struct snapshot *shot)
{
	unsigned int i;

	shot->command = vu_pci_cfg_get16(&pci->cfg, VU_PCI_COMMAND);
	for (i = 0; i < RTE_DIM(shot->bar); i++)
		shot->bar[i] = pci->bars[i].used ?
			vu_pci_cfg_bar_addr(&pci->cfg, i, pci->bars[i].desc.flags) : 0;
}

static void
tell_changes(struct rte_vfio_user_pci *pci, const struct snapshot *before,
	const struct snapshot *after)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(after->bar) && pci->ops.bar_changed != NULL; i++) {
		if (before->bar[i] != after->bar[i])
			pci->ops.bar_changed(pci, i, after->bar[i]);
	}
	if (pci->ops.command_changed != NULL && before->command != after->command)
		pci->ops.command_changed(pci, after->command);
}

/* A function level reset that was asked for; the bit reads as 0. Under the lock. */
static bool
flr_take(struct rte_vfio_user_pci *pci)
{
	uint8_t *high = &pci->cfg.bytes[pci->express_cap + PCI_EXP_DEVCTL + 1];

	if (pci->express_cap == 0 || !(*high & PCI_EXP_DEVCTL_BCR_FLR >> 8))
		return false;
	*high &= (uint8_t)~(PCI_EXP_DEVCTL_BCR_FLR >> 8);
	return true;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_config_write, 25.11)
int
rte_vfio_user_pci_config_write(struct rte_vfio_user_pci *pci, uint32_t offset, const void *buf,
	uint32_t len)
{
	struct snapshot before, after;
	bool flr;

	if (!range_valid(offset, len, pci->cfg.size))
		return -EINVAL;
	pthread_mutex_lock(&pci->lock);
	snapshot_take(pci, &before);
	vu_pci_cfg_write(&pci->cfg, offset, buf, len);
	flr = flr_take(pci);
	snapshot_take(pci, &after);
	vu_pci_irq_deliver(pci);
	pthread_mutex_unlock(&pci->lock);
	tell_changes(pci, &before, &after);
	if (pci->ops.config_written != NULL)
		pci->ops.config_written(pci, offset, len);
	return flr ? vu_pci_reset(pci) : 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_config_set, 25.11)
int
rte_vfio_user_pci_config_set(struct rte_vfio_user_pci *pci, uint32_t offset, const void *buf,
	uint32_t len)
{
	if (offset < VU_PCI_HEADER_LEN || !range_valid(offset, len, pci->cfg.size))
		return -EINVAL;
	pthread_mutex_lock(&pci->lock);
	vu_pci_cfg_preset(&pci->cfg, offset, buf, len);
	pthread_mutex_unlock(&pci->lock);
	return 0;
}

int
vu_pci_reset(struct rte_vfio_user_pci *pci)
{
	struct snapshot before, after;

	pthread_mutex_lock(&pci->lock);
	snapshot_take(pci, &before);
	vu_pci_cfg_reset(&pci->cfg);
	vu_pci_irq_reset(pci);
	msix_table_reset(pci);
	snapshot_take(pci, &after);
	pthread_mutex_unlock(&pci->lock);
	tell_changes(pci, &before, &after);
	return pci->ops.reset == NULL ? 0 : pci->ops.reset(pci);
}

/* ---- regions ---- */

static int
rom_read(struct rte_vfio_user_pci *pci, uint64_t off, void *buf, uint32_t len)
{
	if (!range_valid(off, len, pci->rom_size))
		return -EINVAL;
	if (len > 0)
		memcpy(buf, pci->rom + off, len);
	return 0;
}

static int
bar_access(struct rte_vfio_user_pci *pci, unsigned int region, uint64_t off, void *buf,
	uint32_t len, bool iswrite)
{
	struct vu_pci_bar *bar;

	if (region >= RTE_DIM(pci->bars))
		return -EINVAL;
	bar = &pci->bars[region];
	if (!bar->used || !range_valid(off, len, bar->desc.size))
		return -EINVAL;
	vu_pci_bar_access(bar, off, buf, len, iswrite);
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_region_read, 25.11)
int
rte_vfio_user_pci_region_read(struct rte_vfio_user_pci *pci, unsigned int region,
	uint64_t offset, void *buf, uint32_t len)
{
	if (region == VFIO_PCI_CONFIG_REGION_INDEX)
		return offset > UINT32_MAX ? -EINVAL :
			rte_vfio_user_pci_config_read(pci, (uint32_t)offset, buf, len);
	if (region == VFIO_PCI_ROM_REGION_INDEX)
		return rom_read(pci, offset, buf, len);
	return bar_access(pci, region, offset, buf, len, false);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_region_write, 25.11)
int
rte_vfio_user_pci_region_write(struct rte_vfio_user_pci *pci, unsigned int region,
	uint64_t offset, const void *buf, uint32_t len)
{
	if (region == VFIO_PCI_CONFIG_REGION_INDEX)
		return offset > UINT32_MAX ? -EINVAL :
			rte_vfio_user_pci_config_write(pci, (uint32_t)offset, buf, len);
	if (region == VFIO_PCI_ROM_REGION_INDEX)
		return -EPERM;
	/* a write only reads the bytes */
	return bar_access(pci, region, offset, (void *)(uintptr_t)buf, len, true);
}

/* ---- memory of the client ---- */

static int
master_dev_id(struct rte_vfio_user_pci *pci)
{
	uint16_t command;
	int dev_id;

	pthread_mutex_lock(&pci->lock);
	command = vu_pci_cfg_get16(&pci->cfg, VU_PCI_COMMAND);
	dev_id = pci->dev_id;
	pthread_mutex_unlock(&pci->lock);
	if (dev_id < 0)
		return -ENODEV;
	return command & VU_PCI_COMMAND_MASTER ? dev_id : -EACCES;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_dma_read, 25.11)
int
rte_vfio_user_pci_dma_read(struct rte_vfio_user_pci *pci, uint64_t addr, void *buf, uint64_t len)
{
	int dev_id = master_dev_id(pci);

	return dev_id < 0 ? dev_id : rte_vfio_user_dma_read(dev_id, addr, buf, len);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_dma_write, 25.11)
int
rte_vfio_user_pci_dma_write(struct rte_vfio_user_pci *pci, uint64_t addr, const void *buf,
	uint64_t len)
{
	int dev_id = master_dev_id(pci);

	return dev_id < 0 ? dev_id : rte_vfio_user_dma_write(dev_id, addr, buf, len);
}
