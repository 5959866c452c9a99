/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include "vu_pci.h"

/* What answers a part of a BAR. */
typedef void (*access_t)(struct vu_pci_bar *bar, uint64_t off, uint8_t *buf, uint64_t len,
	bool iswrite);

/* [off, off + len) of a BAR, all answered in the same way. */
struct part {
	uint64_t off, len;
	access_t access;
};

static bool
is_mappable(const struct rte_vfio_user_pci_bar *desc)
{
	return desc->flags & RTE_VFIO_USER_PCI_BAR_MMAP;
}

static bool
overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

/* Area number i of those that may be mapped. */
static bool
area_of(const struct rte_vfio_user_pci_bar *desc, uint32_t i,
	struct vfio_region_sparse_mmap_area *area)
{
	if (!is_mappable(desc) || i >= (desc->areas == NULL ? 1 : desc->nb_areas))
		return false;
	if (desc->areas != NULL)
		*area = desc->areas[i];
	else
		*area = (struct vfio_region_sparse_mmap_area){ .offset = 0, .size = desc->size };
	return true;
}

bool
vu_pci_bar_mappable(const struct vu_pci_bar *bar, uint64_t off, uint64_t len)
{
	struct vfio_region_sparse_mmap_area area;
	uint32_t i;

	for (i = 0; area_of(&bar->desc, i, &area); i++) {
		if (overlap(off, len, area.offset, area.size))
			return true;
	}
	return false;
}

/* ---- the ways to answer ---- */

static void
access_bytes(uint8_t *bytes, uint8_t *buf, uint64_t len, bool iswrite)
{
	if (iswrite)
		memcpy(bytes, buf, len);
	else
		memcpy(buf, bytes, len);
}

/* Memory that others map too: an aligned access is one load or store. */
#define ACCESS_ONE(type, at, buf, iswrite) do { \
	type value_; \
	if (iswrite) { \
		memcpy(&value_, buf, sizeof(value_)); \
		*(volatile type *)(at) = value_; \
	} else { \
		value_ = *(volatile type *)(at); \
		memcpy(buf, &value_, sizeof(value_)); \
	} \
} while (0)

static void
access_memory(struct vu_pci_bar *bar, uint64_t off, uint8_t *buf, uint64_t len, bool iswrite)
{
	uint8_t *at = RTE_PTR_ADD(bar->desc.base, off);

	if (len > 8 || off % len != 0 || !rte_is_power_of_2((uint32_t)len))
		access_bytes(at, buf, len, iswrite);
	else if (len == 8)
		ACCESS_ONE(uint64_t, at, buf, iswrite);
	else if (len == 4)
		ACCESS_ONE(uint32_t, at, buf, iswrite);
	else if (len == 2)
		ACCESS_ONE(uint16_t, at, buf, iswrite);
	else
		ACCESS_ONE(uint8_t, at, buf, iswrite);
}

static void
access_nothing(struct vu_pci_bar *bar, uint64_t off, uint8_t *buf, uint64_t len, bool iswrite)
{
	RTE_SET_USED(bar);
	RTE_SET_USED(off);
	if (!iswrite)
		memset(buf, 0xff, len);
}

/* The widest register access that is aligned at off and not longer than len. */
static unsigned int
width_at(uint64_t off, uint64_t len)
{
	unsigned int width = 8;

	while (width > len || (off & (width - 1)) != 0)
		width /= 2;
	return width;
}

/* Most registers have four bytes. */
static inline uint64_t
value_get(const uint8_t *buf, unsigned int width)
{
	uint32_t word;

	if (likely(width == sizeof(word))) {
		memcpy(&word, buf, sizeof(word));
		return rte_le_to_cpu_32(word);
	}
	if (width == 8)
		return vu_pci_le_get(buf, 4) | (uint64_t)vu_pci_le_get(buf + 4, 4) << 32;
	return vu_pci_le_get(buf, width);
}

static inline void
value_put(uint8_t *buf, uint64_t value, unsigned int width)
{
	uint32_t word = rte_cpu_to_le_32((uint32_t)value);

	if (likely(width == sizeof(word))) {
		memcpy(buf, &word, sizeof(word));
		return;
	}
	vu_pci_le_set(buf, (uint32_t)value, RTE_MIN(width, 4u));
	if (width == 8)
		vu_pci_le_set(buf + 4, (uint32_t)(value >> 32), 4);
}

static void
register_access(struct vu_pci_bar *bar, uint64_t off, uint8_t *buf, unsigned int width,
	bool iswrite)
{
	const struct rte_vfio_user_pci_bar *desc = &bar->desc;
	uint64_t value = UINT64_MAX;

	if (iswrite && desc->write != NULL)
		desc->write(bar->pci, bar->index, off, width, value_get(buf, width));
	if (iswrite)
		return;
	if (desc->read != NULL)
		value = desc->read(bar->pci, bar->index, off, width);
	value_put(buf, value, width);
}

static void
access_registers(struct vu_pci_bar *bar, uint64_t off, uint8_t *buf, uint64_t len, bool iswrite)
{
	unsigned int width;

	for (; len > 0; off += width, buf += width, len -= width) {
		width = width_at(off, len);
		register_access(bar, off, buf, width, iswrite);
	}
}

static void
access_msix_table(struct vu_pci_bar *bar, uint64_t off, uint8_t *buf, uint64_t len, bool iswrite)
{
	uint64_t at = off - bar->pci->msix_place.table_offset;

	access_bytes(bar->pci->msix_table + at, buf, len, iswrite);
	if (iswrite)
		vu_pci_irq_table_written(bar->pci, at, len);
}

static void
access_pba(struct vu_pci_bar *bar, uint64_t off, uint8_t *buf, uint64_t len, bool iswrite)
{
	struct rte_vfio_user_pci *pci = bar->pci;
	uint64_t byte = off - pci->msix_place.pba_offset;

	if (iswrite)
		return;
	pthread_mutex_lock(&pci->lock);
	for (; len > 0; byte++, buf++, len--)
		*buf = (uint8_t)(pci->msix.pending[byte / 8] >> (byte % 8 * 8));
	pthread_mutex_unlock(&pci->lock);
}

/* ---- which part is answered how ---- */

static access_t
access_default(const struct rte_vfio_user_pci_bar *desc)
{
	if (desc->read != NULL || desc->write != NULL)
		return access_registers;
	return desc->base != NULL ? access_memory : access_nothing;
}

/* Cut p down to what lies before, or inside, of [off, off + len). */
static void
part_cut(struct part *p, uint64_t off, uint64_t len, access_t access)
{
	if (p->off >= off && p->off - off < len) {
		p->len = RTE_MIN(p->len, len - (p->off - off));
		p->access = access;
	} else if (p->off < off) {
		p->len = RTE_MIN(p->len, off - p->off);
	}
}

static struct part
part_at(const struct vu_pci_bar *bar, uint64_t off, uint64_t len)
{
	const struct rte_vfio_user_pci *pci = bar->pci;
	const struct rte_vfio_user_pci_msix *msix = &pci->msix_place;
	struct part p = { off, len, access_default(&bar->desc) };
	struct vfio_region_sparse_mmap_area area;
	uint32_t i;

	for (i = 0; area_of(&bar->desc, i, &area); i++)
		part_cut(&p, area.offset, area.size, access_memory);
	if (pci->msix.cap == 0)
		return p;
	if (msix->table_bar == bar->index)
		part_cut(&p, msix->table_offset, pci->msix.nb * VU_PCI_MSIX_ENTRY_LEN,
			access_msix_table);
	if (msix->pba_bar == bar->index)
		part_cut(&p, msix->pba_offset, RTE_ALIGN_CEIL(pci->msix.nb, 64) / 8, access_pba);
	return p;
}

void
vu_pci_bar_access(struct vu_pci_bar *bar, uint64_t off, uint8_t *buf, uint64_t len, bool iswrite)
{
	struct part p;

	for (; len > 0; off += p.len, buf += p.len, len -= p.len) {
		p = part_at(bar, off, len);
		p.access(bar, p.off, buf, p.len, iswrite);
	}
}

/* ---- what clients are told ---- */

static void
sparse_fill(struct vfio_region_info *info, const struct rte_vfio_user_pci_bar *desc)
{
	struct vfio_region_info_cap_sparse_mmap *cap = RTE_PTR_ADD(info, sizeof(*info));
	uint32_t i;

	info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	info->cap_offset = sizeof(*info);
	cap->header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
	cap->header.version = 1;
	cap->nr_areas = desc->nb_areas;
	for (i = 0; i < desc->nb_areas; i++)
		cap->areas[i] = desc->areas[i];
}

int
vu_pci_bar_info(const struct vu_pci_bar *bar, struct vfio_region_info **info)
{
	const struct rte_vfio_user_pci_bar *desc = &bar->desc;
	bool sparse = bar->used && is_mappable(desc) && desc->areas != NULL;
	size_t len = sizeof(**info);

	if (sparse)
		len += sizeof(struct vfio_region_info_cap_sparse_mmap) +
			desc->nb_areas * sizeof(struct vfio_region_sparse_mmap_area);
	*info = calloc(1, len);
	if (*info == NULL)
		return -ENOMEM;
	(*info)->argsz = (uint32_t)len;
	(*info)->index = bar->index;
	if (!bar->used)
		return 0;
	(*info)->size = desc->size;
	(*info)->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (is_mappable(desc)) {
		(*info)->flags |= VFIO_REGION_INFO_FLAG_MMAP;
		(*info)->offset = desc->fd_offset;
	}
	if (sparse)
		sparse_fill(*info, desc);
	return 0;
}
