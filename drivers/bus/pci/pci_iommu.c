/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_memory.h>

#include "pci_backend.h"
#include "pci_bus.h"
#include "pci_device.h"
#include "pci_list.h"
#include "pci_log.h"
#include "pci_match.h"
#include "pci_system.h"

/* What the devices need that drivers may take. */
struct iova_needs {
	bool pa;
	bool va;
	bool va_only;	/* a driver takes nothing else */
};

/* What a device needs with one driver. Without a backend it is the driver's alone to say. */
static enum rte_iova_mode
driver_iova_mode(const struct pci_device *dev, const struct rte_pci_driver *driver)
{
	if (dev->backend != NULL)
		return dev->backend->iova_mode == NULL ?
			RTE_IOVA_DC : dev->backend->iova_mode(dev, driver);
	return (driver->drv_flags & RTE_PCI_DRV_NEED_MAPPING) == 0 &&
		(driver->drv_flags & RTE_PCI_DRV_NEED_IOVA_AS_VA) != 0 ? RTE_IOVA_VA : RTE_IOVA_DC;
}

static void
needs_add(struct iova_needs *needs, const struct pci_device *dev)
{
	const struct rte_pci_driver *driver;
	enum rte_iova_mode mode;
	uint32_t from = 0;

	while ((driver = pci_match_next(&dev->pub.id, &from)) != NULL) {
		mode = driver_iova_mode(dev, driver);
		needs->pa |= mode == RTE_IOVA_PA;
		needs->va |= mode == RTE_IOVA_VA;
		needs->va_only |= mode == RTE_IOVA_VA &&
			(driver->drv_flags & RTE_PCI_DRV_NEED_IOVA_AS_VA) != 0;
	}
}

/* Memory must not be where the IOMMU of a device cannot address it. */
static void
dma_mask_limit(const struct pci_device *dev)
{
	unsigned int bits = 0;

	if (dev->kernel_driver != NULL)
		bits = pci_system_iova_bits(&dev->pub.addr);
	if (bits != 0)
		rte_mem_set_dma_mask((uint8_t)bits);
}

enum rte_iova_mode
pci_get_iommu_class(void)
{
	struct iova_needs needs = { .pa = false };
	const struct pci_device *dev;
	uint64_t from = 0;

	if (pci_match_update() != 0)
		return RTE_IOVA_DC;
	while ((dev = pci_list_next_match(&from)) != NULL) {
		needs_add(&needs, dev);
		dma_mask_limit(dev);
	}
	if (needs.pa && needs.va_only)
		PCI_LOG(WARNING, "some devices need IOVA as PA, and so those that want it as VA "
			"cannot be used");
	if (needs.pa)
		return RTE_IOVA_PA;
	return needs.va ? RTE_IOVA_VA : RTE_IOVA_DC;
}

static int
fail(int rc)
{
	rte_errno = -rc;
	return -1;
}

int
pci_dma_map(struct rte_device *device, void *addr, uint64_t iova, size_t len)
{
	struct pci_device *dev;
	int rc;

	if (device == NULL || RTE_DEV_TO_PCI(device)->driver == NULL)
		return fail(-EINVAL);
	dev = pci_device_of(RTE_DEV_TO_PCI(device));
	if (dev->pub.driver->dma_map != NULL)
		return dev->pub.driver->dma_map(&dev->pub, addr, iova, len);
	if (dev->backend == NULL || dev->backend->dma_map == NULL)
		return fail(-ENOTSUP);
	rc = dev->backend->dma_map(dev, addr, iova, len);
	return rc == 0 ? 0 : fail(rc);
}

int
pci_dma_unmap(struct rte_device *device, void *addr, uint64_t iova, size_t len)
{
	struct pci_device *dev;
	int rc;

	if (device == NULL || RTE_DEV_TO_PCI(device)->driver == NULL)
		return fail(-EINVAL);
	dev = pci_device_of(RTE_DEV_TO_PCI(device));
	if (dev->pub.driver->dma_unmap != NULL)
		return dev->pub.driver->dma_unmap(&dev->pub, addr, iova, len);
	if (dev->backend == NULL || dev->backend->dma_unmap == NULL)
		return fail(-ENOTSUP);
	rc = dev->backend->dma_unmap(dev, addr, iova, len);
	return rc == 0 ? 0 : fail(rc);
}
