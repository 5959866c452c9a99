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
#define IO_BAR_MAX 256u
#define ROM_MIN 2048u
#define ROM_MAX (UINT32_C(16) << 20)

#define BAR_FLAGS (RTE_VFIO_USER_PCI_BAR_IO | RTE_VFIO_USER_PCI_BAR_64 | \
	RTE_VFIO_USER_PCI_BAR_PREFETCH | RTE_VFIO_USER_PCI_BAR_MMAP)

static bool
size_valid(uint64_t size, uint32_t flags)
{
	if (!vu_pci_is_power_of_2(size))
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
	if (vu_pci_is_started(pci))
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
	if (vu_pci_is_started(pci))
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
