/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <eal_export.h>
#include <rte_lcore.h>
#include <bus_pci_driver.h>

#include "pci_bsd_scan.h"
#include "pci_kernel_driver.h"
#include "pci_scan.h"
#include "pci_system.h"

RTE_EXPORT_INTERNAL_SYMBOL(rte_pci_get_sysfs_path)
const char *
rte_pci_get_sysfs_path(void)
{
	return NULL;
}

/* There is no number of the kernel's for it: a device is another one if it is of another kind. */
static uint64_t
incarnation_of(const struct rte_pci_id *id)
{
	return (uint64_t)id->vendor_id << 48 | (uint64_t)id->device_id << 32 |
		(uint64_t)id->subsystem_vendor_id << 16 | id->subsystem_device_id;
}

/* A device without a kernel driver is listed too, since it can be used. */
static int
scan_device(struct pci_scan *scan, const struct pci_bsd_device *device)
{
	const struct pci_kernel_driver *driver;

	if (!pci_scan_wants(scan, &device->addr))
		return 0;
	driver = pci_kernel_driver_get(device->driver, -1, "");
	if (driver == NULL)
		return -ENOMEM;
	return pci_scan_found(scan, &device->addr, incarnation_of(&device->id), driver);
}

int
pci_system_scan(struct pci_scan *scan)
{
	struct pci_bsd_device device;
	uint64_t from = 0;
	int rc = pci_bsd_scan();

	while (rc == 0 && pci_bsd_next(&from, &device) == 0)
		rc = scan_device(scan, &device);
	return rc;
}

int
pci_system_identify(const struct rte_pci_addr *addr, struct rte_pci_id *id,
	struct pci_trouble *trouble)
{
	struct pci_bsd_device device;
	int rc = pci_bsd_find(addr, &device);

	(void)trouble;
	if (rc == 0)
		*id = device.id;
	return rc;
}

/* Where memory is bound to nodes that EAL does not have, no node is better than a wrong one. */
static int
numa_node_of(const struct pci_bsd_device *device)
{
	return device->numa_node < (int)rte_socket_count() ? device->numa_node : -1;
}

/* As on Linux, BARs in I/O space have no place in the list of what can be mapped. */
static void
describe_bars(const struct pci_bsd_bar bars[PCI_MAX_RESOURCE], struct pci_ident *ident)
{
	unsigned int bar;

	memset(ident->bar, 0, sizeof(ident->bar));
	for (bar = 0; bar < PCI_MAX_RESOURCE; bar++) {
		if (bars[bar].ioport)
			continue;
		ident->bar[bar].phys_addr = bars[bar].base;
		ident->bar[bar].len = bars[bar].length;
	}
}

int
pci_system_describe(const struct rte_pci_addr *addr, struct pci_ident *ident,
	struct pci_trouble *trouble)
{
	struct pci_bsd_bar bars[PCI_MAX_RESOURCE];
	struct pci_bsd_device device;
	int rc = pci_bsd_find(addr, &device);

	if (rc == 0)
		rc = pci_bsd_bars_get(addr, bars);
	if (rc == 0) {
		describe_bars(bars, ident);
		ident->numa_node = numa_node_of(&device);
	} else if (rc != -ENODEV) {
		trouble->what = "BARs";
		trouble->why = rc == -EPROTO ? "not what a kernel says" : strerror(-rc);
	}
	return rc;
}

/* The kernel's interface to virtual functions is not asked. */
uint16_t
pci_system_max_vfs(const struct rte_pci_addr *addr)
{
	(void)addr;
	return 0;
}

/* No IOMMU is between devices and memory. */
unsigned int
pci_system_iova_bits(const struct rte_pci_addr *addr)
{
	(void)addr;
	return 0;
}

void
pci_system_fini(void)
{
	pci_bsd_scan_fini();
}
