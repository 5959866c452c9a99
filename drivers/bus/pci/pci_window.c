/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <eal_export.h>
#include <rte_bus_pci.h>
#include <rte_common.h>

#include "pci_backend.h"
#include "pci_device.h"

static const struct pci_region *
bar_region(const struct rte_pci_device *dev, int bar)
{
	return &pci_device_of_const(dev)->region[bar];
}

static int
bar_check(const struct rte_pci_device *dev, int bar)
{
	if ((unsigned int)bar >= PCI_MAX_RESOURCE)
		return -EINVAL;
	return pci_device_of_const(dev)->state != NULL ? 0 : -ENODEV;
}

static const struct {
	uint32_t region;
	uint32_t bar;
} bar_flags[] = {
	{ PCI_REGION_F_READ, RTE_PCI_BAR_F_READ },
	{ PCI_REGION_F_WRITE, RTE_PCI_BAR_F_WRITE },
	{ PCI_REGION_F_IOPORT, RTE_PCI_BAR_F_IOPORT },
};

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_pci_bar_info_get, 25.11)
int
rte_pci_bar_info_get(const struct rte_pci_device *dev, int bar, struct rte_pci_bar_info *info)
{
	const struct pci_region *region;
	unsigned int i;
	int rc;

	rc = bar_check(dev, bar);
	if (rc != 0)
		return rc;
	region = bar_region(dev, bar);
	info->size = region->size;
	info->base = region->base;
	info->nb_windows = region->nb_windows;
	info->flags = 0;
	for (i = 0; i < RTE_DIM(bar_flags); i++)
		if ((region->flags & bar_flags[i].region) != 0)
			info->flags |= bar_flags[i].bar;
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_pci_bar_windows_get, 25.11)
int
rte_pci_bar_windows_get(const struct rte_pci_device *dev, int bar,
	struct rte_pci_bar_window *windows, uint32_t nb)
{
	const struct pci_region *region;
	uint32_t i;
	int rc;

	rc = bar_check(dev, bar);
	if (rc != 0)
		return rc;
	region = bar_region(dev, bar);
	for (i = 0; i < nb && i < region->nb_windows; i++) {
		windows[i].offset = region->windows[i].offset;
		windows[i].size = region->windows[i].size;
		windows[i].addr = region->base + region->windows[i].offset;
		windows[i].prot = region->prot;
	}
	return (int)region->nb_windows;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_pci_bar_ptr, 25.11)
void *
rte_pci_bar_ptr(const struct rte_pci_device *dev, int bar, uint64_t offset, uint64_t len)
{
	const struct rte_vfio_area *window;
	const struct pci_region *region;
	uint32_t i;

	if (bar_check(dev, bar) != 0)
		return NULL;
	region = bar_region(dev, bar);
	i = rte_vfio_areas_find(region->windows, region->nb_windows, offset);
	if (i == region->nb_windows)
		return NULL;
	window = &region->windows[i];
	if (window->offset > offset || len > window->size - (offset - window->offset))
		return NULL;
	return region->base + offset;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_pci_backend_name, 25.11)
const char *
rte_pci_backend_name(const struct rte_pci_device *dev)
{
	const struct pci_backend *backend = pci_device_of_const(dev)->backend;

	return backend != NULL ? backend->name : NULL;
}
