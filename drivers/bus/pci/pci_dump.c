/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_interrupts.h>
#include <rte_bus_pci.h>

#include "pci_backend.h"
#include "pci_device.h"
#include "pci_list.h"

static const char *
or_none(const char *name)
{
	return name == NULL ? "none" : name;
}

static void
dump_identity(FILE *f, const struct pci_device *dev)
{
	const struct rte_pci_id *id = &dev->pub.id;

	fprintf(f, "%s - vendor:%x device:%x subsystem:%x:%x class:%06x numa:%d\n",
		dev->pub.name, id->vendor_id, id->device_id, id->subsystem_vendor_id,
		id->subsystem_device_id, id->class_id, dev->pub.device.numa_node);
	fprintf(f, "   driver: %s, kernel driver: %s, backend: %s%s\n",
		or_none(dev->pub.driver == NULL ? NULL : dev->pub.driver->driver.name),
		or_none(dev->kernel_driver),
		or_none(dev->backend == NULL ? NULL : dev->backend->name),
		dev->mapped ? ", mapped" : "");
}

static void
dump_windows(FILE *f, const struct pci_region *region)
{
	uint32_t i;

	for (i = 0; i < region->nb_windows; i++)
		fprintf(f, "      window %#" PRIx64 "-%#" PRIx64 " %s%s at %p\n",
			region->windows[i].offset,
			region->windows[i].offset + region->windows[i].size - 1,
			(region->prot & PROT_READ) != 0 ? "r" : "-",
			(region->prot & PROT_WRITE) != 0 ? "w" : "-",
			RTE_PTR_ADD(region->base, region->windows[i].offset));
}

static void
dump_bars(FILE *f, const struct pci_device *dev)
{
	const struct rte_mem_resource *bar;
	unsigned int i;

	for (i = 0; i < PCI_MAX_RESOURCE; i++) {
		bar = &dev->pub.mem_resource[i];
		if (bar->len == 0 && dev->region[i].size == 0)
			continue;
		fprintf(f, "   BAR%u: %16.16" PRIx64 " %16.16" PRIx64 "%s\n", i, bar->phys_addr,
			bar->len,
			(dev->region[i].flags & PCI_REGION_F_IOPORT) != 0 ? " I/O ports" : "");
		dump_windows(f, &dev->region[i]);
	}
}

static const char *
intr_type_name(enum rte_intr_handle_type type)
{
	static const char *const names[] = {
		[RTE_INTR_HANDLE_UNKNOWN] = "none",
		[RTE_INTR_HANDLE_UIO] = "UIO",
		[RTE_INTR_HANDLE_UIO_INTX] = "UIO INTx",
		[RTE_INTR_HANDLE_VFIO_LEGACY] = "INTx",
		[RTE_INTR_HANDLE_VFIO_MSI] = "MSI",
		[RTE_INTR_HANDLE_VFIO_MSIX] = "MSI-X",
		[RTE_INTR_HANDLE_VDEV] = "eventfds",
	};

	if ((unsigned int)type >= RTE_DIM(names) || names[type] == NULL)
		return "other";
	return names[type];
}

static void
dump_interrupts(FILE *f, const struct pci_device *dev)
{
	if (dev->pub.intr_handle == NULL)
		return;
	fprintf(f, "   interrupts: %s, %u vectors\n",
		intr_type_name(rte_intr_type_get(dev->pub.intr_handle)), dev->nb_vectors);
}

RTE_EXPORT_SYMBOL(rte_pci_dump)
void
rte_pci_dump(FILE *f)
{
	const struct pci_device *dev;
	uint64_t from = 0;

	while ((dev = pci_list_next_fresh(&from)) != NULL) {
		dump_identity(f, dev);
		dump_bars(f, dev);
		dump_interrupts(f, dev);
	}
}
