/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <eal_export.h>
#include <rte_bus_pci.h>
#include <rte_byteorder.h>
#include <rte_pci.h>

#include "pci_access.h"
#include "pci_cap.h"
#include "pci_device.h"

/* What all of a device that is gone reads as. */
#define ID_NOBODY 0xff
#define HEADER_NOBODY UINT32_MAX

#define EXT_CAP_MAX ((RTE_PCI_CFG_SPACE_EXP_SIZE - RTE_PCI_CFG_SPACE_SIZE) / 8)

static int
config_read(const struct pci_device *dev, void *buf, size_t len, off_t offset)
{
	int rc = pci_access_read(dev, PCI_REGION_CONFIG, buf, len, offset);

	return rc < 0 ? rc : 0;
}

static int
config_read16(const struct pci_device *dev, uint16_t *value, off_t offset)
{
	rte_le16_t raw;
	int rc = config_read(dev, &raw, sizeof(raw), offset);

	if (rc == 0)
		*value = rte_le_to_cpu_16(raw);
	return rc;
}

static int
config_write16(const struct pci_device *dev, uint16_t value, off_t offset)
{
	rte_le16_t raw = rte_cpu_to_le_16(value);
	int rc = pci_access_write(dev, PCI_REGION_CONFIG, &raw, sizeof(raw), offset);

	return rc < 0 ? rc : 0;
}

/* The low bits of a pointer are reserved: PCI Local Bus Specification 3.0, 6.7. */
static uint8_t
pointer_mask(uint8_t pointer)
{
	return pointer & ~3u;
}

/* A pointer into the header ends the list, and so does one to where it was already. */
static int
chain_read(const struct pci_device *dev, struct pci_cap_list *list, uint8_t at)
{
	bool seen[RTE_PCI_CFG_SPACE_SIZE / 4] = { false };
	uint8_t link[2];
	int rc;

	while (at >= RTE_PCI_STD_HEADER_SIZEOF && !seen[at / 4]) {
		seen[at / 4] = true;
		rc = config_read(dev, link, sizeof(link), at);
		if (rc != 0)
			return rc;
		if (link[0] == ID_NOBODY)
			break;
		list->id[list->nb] = link[0];
		list->offset[list->nb++] = at;
		at = pointer_mask(link[RTE_PCI_CAP_NEXT]);
	}
	return 0;
}

static int
list_read(const struct pci_device *dev, struct pci_cap_list *list)
{
	uint16_t status;
	uint8_t first;
	int rc;

	*list = (struct pci_cap_list){ .loaded = true };
	rc = config_read16(dev, &status, RTE_PCI_STATUS);
	if (rc != 0 || status == UINT16_MAX || (status & RTE_PCI_STATUS_CAP_LIST) == 0)
		return rc;
	list->listed = true;
	rc = config_read(dev, &first, sizeof(first), RTE_PCI_CAPABILITY_LIST);
	return rc == 0 ? chain_read(dev, list, pointer_mask(first)) : rc;
}

int
pci_cap_load(struct pci_device *dev)
{
	int rc = list_read(dev, &dev->caps);

	dev->caps.loaded = rc == 0;
	return rc;
}

/* The list that was loaded, or if it was not, what can be read now. */
static int
list_get(const struct pci_device *dev, const struct pci_cap_list **list,
	struct pci_cap_list *space)
{
	if (dev->caps.loaded && dev->state != NULL) {
		*list = &dev->caps;
		return 0;
	}
	*list = space;
	return list_read(dev, space);
}

static off_t
list_search(const struct pci_cap_list *list, uint8_t cap, unsigned int from)
{
	unsigned int i;

	for (i = from; i < list->nb; i++)
		if (list->id[i] == cap)
			return list->offset[i];
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_pci_has_capability_list, 23.11)
bool
rte_pci_has_capability_list(const struct rte_pci_device *dev)
{
	const struct pci_cap_list *list;
	struct pci_cap_list space;

	return list_get(pci_device_of_const(dev), &list, &space) == 0 && list->listed;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_pci_find_capability, 23.11)
off_t
rte_pci_find_capability(const struct rte_pci_device *dev, uint8_t cap)
{
	const struct pci_cap_list *list;
	struct pci_cap_list space;
	int rc;

	rc = list_get(pci_device_of_const(dev), &list, &space);
	return rc == 0 ? list_search(list, cap, 0) : rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_pci_find_next_capability, 23.11)
off_t
rte_pci_find_next_capability(const struct rte_pci_device *dev, uint8_t cap, off_t offset)
{
	const struct pci_cap_list *list;
	struct pci_cap_list space;
	unsigned int i;
	int rc;

	rc = list_get(pci_device_of_const(dev), &list, &space);
	if (rc != 0)
		return rc;
	for (i = 0; i < list->nb; i++)
		if (list->offset[i] == offset)
			return list_search(list, cap, i + 1);
	return -EINVAL;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_pci_find_ext_capability, 20.11)
off_t
rte_pci_find_ext_capability(const struct rte_pci_device *dev, uint32_t cap)
{
	const struct pci_device *pdev = pci_device_of_const(dev);
	off_t at = RTE_PCI_CFG_SPACE_SIZE;
	unsigned int budget = EXT_CAP_MAX;
	uint32_t header;
	int rc;

	if (pdev->state != NULL &&
			pdev->region[PCI_REGION_CONFIG].size <= RTE_PCI_CFG_SPACE_SIZE)
		return 0;
	while (at >= RTE_PCI_CFG_SPACE_SIZE && budget-- > 0) {
		rc = config_read(pdev, &header, sizeof(header), at);
		if (rc != 0)
			return rc;
		header = rte_le_to_cpu_32(header);
		if (header == 0 || header == HEADER_NOBODY)
			return 0;
		if (RTE_PCI_EXT_CAP_ID(header) == cap)
			return at;
		at = RTE_PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}

/*
 * The lower byte of the command register alone: in the upper one is the bit that masks INTx, which
 * the interrupt thread and the kernel change at any time.
 */
RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_pci_set_bus_master, 21.08)
int
rte_pci_set_bus_master(const struct rte_pci_device *dev, bool enable)
{
	const struct pci_device *pdev = pci_device_of_const(dev);
	uint8_t old, new;
	int rc;

	if (enable && pdev->no_bus_master)
		return -EPERM;
	rc = config_read(pdev, &old, sizeof(old), RTE_PCI_COMMAND);
	if (rc != 0)
		return rc;
	new = enable ? old | RTE_PCI_COMMAND_MASTER : old & ~RTE_PCI_COMMAND_MASTER;
	if (new == old)
		return 0;
	rc = pci_access_write(pdev, PCI_REGION_CONFIG, &new, sizeof(new), RTE_PCI_COMMAND);
	return rc < 0 ? rc : 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_pci_pasid_set_state)
int
rte_pci_pasid_set_state(const struct rte_pci_device *dev, off_t offset, bool enable)
{
	if (offset < RTE_PCI_CFG_SPACE_SIZE)
		return -EINVAL;
	return config_write16(pci_device_of_const(dev), enable, offset + RTE_PCI_PASID_CTRL);
}
