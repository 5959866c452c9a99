/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stddef.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_errno.h>
#include <bus_driver.h>
#include <bus_pci_driver.h>

#include "pci_addr.h"
#include "pci_backend.h"
#include "pci_bus.h"
#include "pci_device.h"
#include "pci_fault.h"
#include "pci_list.h"
#include "pci_log.h"
#include "pci_match.h"
#include "pci_scan.h"

/* Drivers and programs share these with the bus: they are binary interface. */
#define LAYOUT(type, field, at) \
	_Static_assert(offsetof(struct type, field) == (at), "layout of " #type "." #field)
#define LAYOUT_SIZE(type, size) \
	_Static_assert(sizeof(struct type) == (size), "size of " #type)

LAYOUT(rte_pci_addr, bus, 4);
LAYOUT(rte_pci_addr, devid, 5);
LAYOUT(rte_pci_addr, function, 6);
LAYOUT_SIZE(rte_pci_addr, 8);
LAYOUT(rte_pci_id, class_id, 0);
LAYOUT(rte_pci_id, vendor_id, 4);
LAYOUT(rte_pci_id, device_id, 6);
LAYOUT(rte_pci_id, subsystem_vendor_id, 8);
LAYOUT(rte_pci_id, subsystem_device_id, 10);
LAYOUT_SIZE(rte_pci_id, 12);
#ifdef RTE_ARCH_64
LAYOUT(rte_mem_resource, phys_addr, 0);
LAYOUT(rte_mem_resource, len, 8);
LAYOUT(rte_mem_resource, addr, 16);
LAYOUT_SIZE(rte_mem_resource, 24);
LAYOUT(rte_pci_device, next, 0);
LAYOUT(rte_pci_device, device, 16);
LAYOUT(rte_pci_device, addr, 80);
LAYOUT(rte_pci_device, id, 88);
LAYOUT(rte_pci_device, mem_resource, 104);
LAYOUT(rte_pci_device, intr_handle, 248);
LAYOUT(rte_pci_device, driver, 256);
LAYOUT(rte_pci_device, max_vfs, 264);
LAYOUT(rte_pci_device, kdrv, 268);
LAYOUT(rte_pci_device, name, 272);
LAYOUT(rte_pci_device, bus_info, 296);
LAYOUT(rte_pci_device, vfio_req_intr_handle, 304);
LAYOUT_SIZE(rte_pci_device, 312);
LAYOUT(rte_pci_driver, driver, 16);
LAYOUT(rte_pci_driver, probe, 48);
LAYOUT(rte_pci_driver, remove, 56);
LAYOUT(rte_pci_driver, dma_map, 64);
LAYOUT(rte_pci_driver, dma_unmap, 72);
LAYOUT(rte_pci_driver, id_table, 80);
LAYOUT(rte_pci_driver, drv_flags, 88);
LAYOUT_SIZE(rte_pci_driver, 96);
LAYOUT(rte_pci_ioport, dev, 0);
LAYOUT(rte_pci_ioport, base, 8);
LAYOUT(rte_pci_ioport, len, 16);
LAYOUT_SIZE(rte_pci_ioport, 24);
#endif

static struct rte_device *
pci_find_device(const struct rte_device *start, rte_dev_cmp_t cmp, const void *data)
{
	struct pci_device *dev;
	uint64_t from = 0;
	int rc;

	if (start != NULL)
		from = pci_addr_key(&RTE_DEV_TO_PCI_CONST(start)->addr) + 1;
	while ((dev = pci_list_next(&from)) != NULL) {
		if (cmp(&dev->pub.device, data) != 0)
			continue;
		/* what was compared may be older than the last scan */
		rc = pci_list_refresh(dev);
		if (rc == 0 || (rc > 0 && cmp(&dev->pub.device, data) == 0))
			return &dev->pub.device;
	}
	return NULL;
}

static int
removal_handle(struct pci_device *dev)
{
	return dev->backend->removed == NULL ? 0 : dev->backend->removed(dev, false);
}

/* Another thread may be giving the device up, which then is no business of ours any more. */
static int
pci_hot_unplug(struct rte_device *device)
{
	int rc = pci_fault_visit(pci_device_of(RTE_DEV_TO_PCI(device)), removal_handle);

	return RTE_MIN(rc, 0);
}

/* In a signal handler: neither lock nor log. */
static int
fault_handle(struct pci_device *dev)
{
	if (dev->backend->removed == NULL)
		return -ENOTSUP;
	return dev->backend->removed(dev, true);
}

static int
pci_sigbus(const void *addr)
{
	int rc = pci_fault_handle(addr, fault_handle);

	if (rc >= 0)
		return rc;
	rte_errno = -rc;
	return -1;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_pci_register)
void
rte_pci_register(struct rte_pci_driver *driver)
{
	pci_match_add(driver);
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_pci_unregister)
void
rte_pci_unregister(struct rte_pci_driver *driver)
{
	pci_match_remove(driver);
}

struct rte_bus pci_bus = {
	.scan = pci_scan_run,
	.probe = pci_probe,
	.cleanup = pci_cleanup,
	.find_device = pci_find_device,
	.plug = pci_plug,
	.unplug = pci_unplug,
	.parse = pci_parse,
	.devargs_parse = pci_devargs_parse,
	.dma_map = pci_dma_map,
	.dma_unmap = pci_dma_unmap,
	.get_iommu_class = pci_get_iommu_class,
	.dev_iterate = pci_dev_iterate,
	.hot_unplug_handler = pci_hot_unplug,
	.sigbus_handler = pci_sigbus,
};

RTE_REGISTER_BUS(pci, pci_bus);
RTE_LOG_REGISTER_DEFAULT(pci_bus_logtype, NOTICE);
