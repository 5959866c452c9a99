/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <eal_export.h>
#include <rte_errno.h>
#include <rte_interrupts.h>

#include "pci_backend.h"
#include "pci_device.h"
#include "pci_fault.h"
#include "pci_handles.h"
#include "pci_list.h"
#include "pci_log.h"
#include "pci_region.h"

static void
regions_reset(struct pci_device *dev)
{
	unsigned int i;

	memset(dev->region, 0, sizeof(dev->region));
	for (i = 0; i < PCI_REGION_NB; i++)
		dev->region[i].fd = -1;
}

static int
device_map(struct pci_device *dev)
{
	int rc;

	regions_reset(dev);
	rc = dev->backend->open(dev);
	if (rc != 0)
		return rc;
	rc = pci_regions_map(dev);
	if (rc != 0)
		goto err_close;
	rc = pci_fault_add(dev);
	if (rc != 0)
		goto err_unmap;
	rc = dev->backend->start == NULL ? 0 : dev->backend->start(dev);
	if (rc != 0)
		goto err_forget;
	dev->mapped = true;
	return 0;

err_forget:
	pci_fault_remove(dev);
err_unmap:
	pci_regions_unmap(dev);
err_close:
	dev->backend->close(dev);
	return rc;
}

static int
device_map_with_handles(struct pci_device *dev)
{
	int rc;

	rc = pci_handles_get(dev);
	if (rc != 0)
		return rc;
	rc = device_map(dev);
	if (rc != 0)
		pci_handles_put(dev);
	return rc;
}

int
pci_device_map(struct pci_device *dev)
{
	bool pinned;
	int rc;

	if (dev->mapped)
		return 0;
	if (dev->backend == NULL) {
		PCI_LOG(INFO, "%s: left to its kernel driver %s", dev->pub.name,
			dev->kernel_driver != NULL ? dev->kernel_driver : "(none)");
		return 1;
	}
	pinned = pci_list_pin(dev, false) == 0;
	rc = device_map_with_handles(dev);
	if (pinned)
		pci_list_unpin(dev);
	return rc;
}

void
pci_device_unmap(struct pci_device *dev)
{
	bool pinned;

	if (!dev->mapped)
		return;
	pinned = pci_list_pin(dev, false) == 0;
	if (dev->backend->stop != NULL)
		dev->backend->stop(dev);
	pci_fault_remove(dev);
	pci_regions_unmap(dev);
	dev->backend->close(dev);
	dev->mapped = false;
	pci_handles_put(dev);
	if (pinned)
		pci_list_unpin(dev);
}

RTE_EXPORT_SYMBOL(rte_pci_map_device)
int
rte_pci_map_device(struct rte_pci_device *dev)
{
	int rc;

	rc = dev == NULL ? -EINVAL : pci_device_map(pci_device_of(dev));
	if (rc < 0)
		rte_errno = -rc;
	return rc;
}

RTE_EXPORT_SYMBOL(rte_pci_unmap_device)
void
rte_pci_unmap_device(struct rte_pci_device *dev)
{
	if (dev != NULL)
		pci_device_unmap(pci_device_of(dev));
}
