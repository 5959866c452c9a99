/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdlib.h>

#include <rte_byteorder.h>
#include <rte_eal_paging.h>
#include <rte_errno.h>

#include "pci_access.h"
#include "pci_cap.h"
#include "pci_device.h"
#include "pci_log.h"
#include "pci_vfio_region.h"

/* Enough for 29 areas, so that most regions are told at the first call. */
#define REGION_INFO_FIRST 512
/* What the owner wants may change between two calls, but not for ever. */
#define REGION_INFO_TRIES 3

_Static_assert((int)PCI_REGION_ROM == VFIO_PCI_ROM_REGION_INDEX, "numbered alike");
_Static_assert((int)PCI_REGION_CONFIG == VFIO_PCI_CONFIG_REGION_INDEX, "numbered alike");
_Static_assert((int)PCI_REGION_VGA == VFIO_PCI_VGA_REGION_INDEX, "numbered alike");

/* Where a device has its MSI-X table. */
struct msix_table {
	unsigned int bar;	/* PCI_MAX_RESOURCE: nowhere */
	struct rte_vfio_area area;
};

/* What is known, and how to know more. */
struct filler {
	struct pci_device *dev;
	pci_vfio_region_ask_t ask;
	struct msix_table msix;
};

/* Ask with a buffer of this length. -ENOBUFS: *len says which one it takes. */
static int
region_info_try(const struct filler *filler, uint32_t index, uint32_t *len,
	struct rte_vfio_region *region, int *fd)
{
	struct vfio_region_info *info = calloc(1, *len);
	int rc;

	if (info == NULL)
		return -ENOMEM;
	info->argsz = *len;
	info->index = index;
	rc = filler->ask(filler->dev, info, fd);
	if (rc == 0) {
		rc = rte_vfio_region_parse(info, *len, region);
		if (rc == -ENOBUFS && rte_vfio_region_info_len(info, *len) > 0)
			*len = (uint32_t)rte_vfio_region_info_len(info, *len);
		else if (rc == -ENOBUFS)
			rc = -EBADMSG;
	}
	free(info);
	return rc;
}

static int
region_info_get(const struct filler *filler, uint32_t index, struct rte_vfio_region *region,
	int *fd)
{
	uint32_t len = REGION_INFO_FIRST;
	unsigned int tries;
	int rc = -ENOBUFS;

	for (tries = 0; rc == -ENOBUFS && tries < REGION_INFO_TRIES; tries++)
		rc = region_info_try(filler, index, &len, region, fd);
	return rc;
}

/* A device works without these. */
static bool
region_is_optional(uint32_t index)
{
	return index == PCI_REGION_ROM || index == PCI_REGION_VGA;
}

/*
 * Ask for one region, once. What there is not is no region; what is told in a way
 * that makes no sense is one that is not mapped.
 */
static int
region_fetch(const struct filler *filler, uint32_t index, struct rte_vfio_region *region, int *fd)
{
	const struct pci_device *dev = filler->dev;
	int rc = region_info_get(filler, index, region, fd);

	if (rc == -EBADMSG || rc == -ENOBUFS) {
		PCI_LOG(WARNING, "%s: region %" PRIu32 ": capabilities make no sense, using read"
			" and write calls", dev->pub.name, index);
		return 0;
	}
	if (rc == -EINVAL && index != PCI_REGION_CONFIG)
		return 0;
	if (rc != 0)
		PCI_LOG(ERR, "%s: region %" PRIu32 ": cannot be told: %s", dev->pub.name, index,
			rte_strerror(-rc));
	return region_is_optional(index) ? 0 : rc;
}

static uint32_t
region_flags(const struct rte_vfio_region *info)
{
	return ((info->flags & RTE_VFIO_REGION_F_READ) != 0 ? PCI_REGION_F_READ : 0) |
		((info->flags & RTE_VFIO_REGION_F_WRITE) != 0 ? PCI_REGION_F_WRITE : 0);
}

/* Config space, ROM and VGA: reached by calls only. */
static int
region_fill(const struct filler *filler, uint32_t index)
{
	struct pci_region *region = &filler->dev->region[index];
	struct rte_vfio_region info = { 0 };
	int fd, rc;

	rc = region_fetch(filler, index, &info, &fd);
	if (rc == 0) {
		region->size = info.size;
		region->fd_offset = info.offset;
		region->flags = region_flags(&info);
	}
	rte_vfio_region_fini(&info);
	return rc;
}

static int
bar_areas(const struct rte_vfio_region *info, const struct rte_vfio_area *msix_table, int fd,
	struct pci_region *region)
{
	int nb;

	nb = rte_vfio_region_mappable(info, msix_table, rte_mem_page_size(), &region->areas);
	if (nb < 0)
		return nb;
	region->nb_areas = (uint32_t)nb;
	region->fd = nb > 0 ? fd : -1;
	if (msix_table != NULL)
		region->avoid = rte_vfio_area_pages(msix_table, rte_mem_page_size());
	return 0;
}

static int
bar_fill(const struct filler *filler, unsigned int bar, bool ioport)
{
	const struct rte_vfio_area *table = filler->msix.bar == bar ? &filler->msix.area : NULL;
	struct pci_region *region = &filler->dev->region[bar];
	struct rte_vfio_region info = { 0 };
	int fd = -1;
	int rc;

	rc = region_fetch(filler, bar, &info, &fd);
	if (rc == 0) {
		region->size = info.size;
		region->fd_offset = info.offset;
		region->flags = region_flags(&info) | (ioport ? PCI_REGION_F_IOPORT : 0);
		if (!ioport)
			rc = bar_areas(&info, table, fd, region);
	}
	rte_vfio_region_fini(&info);
	return rc;
}

static int
config_read32(const struct pci_device *dev, uint32_t *value, off_t offset)
{
	rte_le32_t raw;
	int rc = pci_access_read(dev, PCI_REGION_CONFIG, &raw, sizeof(raw), offset);

	if (rc < 0)
		return rc;
	*value = rte_le_to_cpu_32(raw);
	return 0;
}

/* Bits of a BAR in config space: PCI Local Bus Specification 3.0, 6.2.5.1. */
#define BAR_TYPE_MASK 0x6u
#define BAR_TYPE_64 0x4u

/* Set a bit for each BAR in I/O space. The upper half of a 64-bit BAR is no BAR. */
static int
ioports_find(const struct pci_device *dev, unsigned int *ioports)
{
	rte_le32_t raw[PCI_MAX_RESOURCE];
	unsigned int bar;
	uint32_t value;
	int rc;

	*ioports = 0;
	rc = pci_access_read(dev, PCI_REGION_CONFIG, raw, sizeof(raw), RTE_PCI_BASE_ADDRESS_0);
	if (rc < 0)
		return rc;
	for (bar = 0; bar < PCI_MAX_RESOURCE; bar++) {
		value = rte_le_to_cpu_32(raw[bar]);
		if ((value & RTE_PCI_BASE_ADDRESS_SPACE_IO) != 0)
			*ioports |= 1u << bar;
		else if ((value & BAR_TYPE_MASK) == BAR_TYPE_64)
			bar++;
	}
	return 0;
}

/* PCI Local Bus Specification 3.0, 6.8.2: an entry of the table has 16 bytes. */
static int
msix_find(const struct pci_device *dev, struct msix_table *msix)
{
	uint32_t header, table;
	off_t cap;
	int rc;

	*msix = (struct msix_table){ .bar = PCI_MAX_RESOURCE };
	cap = rte_pci_find_capability(&dev->pub, RTE_PCI_CAP_ID_MSIX);
	if (cap <= 0)
		return (int)cap;
	rc = config_read32(dev, &header, cap);
	if (rc == 0)
		rc = config_read32(dev, &table, cap + RTE_PCI_MSIX_TABLE);
	if (rc != 0)
		return rc;
	msix->bar = table & RTE_PCI_MSIX_TABLE_BIR;
	msix->area.offset = table & RTE_PCI_MSIX_TABLE_OFFSET;
	msix->area.size = ((header >> 16 & RTE_PCI_MSIX_FLAGS_QSIZE) + 1) * 16;
	return 0;
}

static int
bars_fill(struct filler *filler)
{
	unsigned int ioports;
	unsigned int bar;
	int rc;

	rc = ioports_find(filler->dev, &ioports);
	if (rc == 0)
		rc = msix_find(filler->dev, &filler->msix);
	for (bar = 0; bar < PCI_MAX_RESOURCE && rc == 0; bar++)
		rc = bar_fill(filler, bar, (ioports >> bar & 1) != 0);
	return rc;
}

/* Config space first: what the others are stands there. */
int
pci_vfio_regions_fill(struct pci_device *dev, uint32_t nb_regions, pci_vfio_region_ask_t ask)
{
	struct filler filler = { .dev = dev, .ask = ask };
	int rc;

	if (nb_regions <= PCI_REGION_CONFIG)
		return -ENOTSUP;
	rc = region_fill(&filler, PCI_REGION_CONFIG);
	if (rc == 0)
		rc = pci_cap_load(dev);
	if (rc == 0)
		rc = bars_fill(&filler);
	if (rc == 0)
		rc = region_fill(&filler, PCI_REGION_ROM);
	if (rc == 0 && nb_regions > PCI_REGION_VGA)
		rc = region_fill(&filler, PCI_REGION_VGA);
	return rc;
}

int
pci_vfio_command_enable(const struct pci_device *dev)
{
	const uint16_t wanted = RTE_PCI_COMMAND_MEMORY | RTE_PCI_COMMAND_MASTER;
	rte_le16_t raw;
	uint16_t old;
	int rc;

	rc = pci_access_read(dev, PCI_REGION_CONFIG, &raw, sizeof(raw), RTE_PCI_COMMAND);
	if (rc < 0)
		return rc;
	old = rte_le_to_cpu_16(raw);
	if ((old & wanted) == wanted)
		return 0;
	raw = rte_cpu_to_le_16(old | wanted);
	rc = pci_access_write(dev, PCI_REGION_CONFIG, &raw, sizeof(raw), RTE_PCI_COMMAND);
	return rc < 0 ? rc : 0;
}
