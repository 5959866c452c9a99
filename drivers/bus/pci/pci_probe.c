/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_eal.h>

#include "pci_bus.h"
#include "pci_device.h"
#include "pci_handles.h"
#include "pci_kernel_driver.h"
#include "pci_list.h"
#include "pci_log.h"
#include "pci_match.h"
#include "pci_scan.h"
#include "pci_system.h"

static bool
device_is_blocked(const struct pci_device *dev)
{
	const struct rte_devargs *devargs = dev->pub.device.devargs;

	return devargs != NULL && devargs->policy == RTE_DEV_BLOCKED;
}

/* Nobody drives the device any more; what was mapped for its driver may stay for the next one. */
static void
device_let_go(struct pci_device *dev, bool keep_mapped)
{
	dev->pub.driver = NULL;
	dev->pub.device.driver = NULL;
	if (!keep_mapped)
		pci_device_unmap(dev);
	pci_handles_put(dev);
}

/* Prepare the device as the driver wants it. Results as those of probe. */
static int
driver_prepare(const struct rte_pci_driver *driver, struct pci_device *dev)
{
	int rc;

	if ((driver->drv_flags & RTE_PCI_DRV_NEED_IOVA_AS_VA) != 0 &&
			rte_eal_iova_mode() != RTE_IOVA_VA) {
		PCI_LOG(ERR, "%s: driver %s needs IOVA as VA, which is not what EAL uses",
			dev->pub.name, driver->driver.name);
		return -EINVAL;
	}
	if ((driver->drv_flags & RTE_PCI_DRV_NEED_MAPPING) == 0)
		return 0;
	rc = pci_device_map(dev);
	if (rc < 0)
		PCI_LOG(ERR, "%s: cannot map for driver %s: %s", dev->pub.name,
			driver->driver.name, strerror(-rc));
	return rc;
}

/* Whether the driver takes the device: 0; greater than 0: no; -errno: it fails. */
static int
driver_ask(struct rte_pci_driver *driver, struct pci_device *dev)
{
	int rc;

	dev->pub.driver = driver;
	rc = driver_prepare(driver, dev);
	if (rc == 0) {
		rc = driver->probe(driver, &dev->pub);
		if (rc < 0)
			PCI_LOG(ERR, "%s: driver %s fails: %s", dev->pub.name,
				driver->driver.name, strerror(-rc));
	}
	if (rc == 0) {
		dev->pub.device.driver = &driver->driver;
		PCI_LOG(DEBUG, "%s: driven by %s", dev->pub.name, driver->driver.name);
	}
	return rc;
}

/* A driver has declined. What combines writes is not for one that does not know of it. */
static bool
device_stays_mapped(struct pci_device *dev, const struct rte_pci_driver *driver)
{
	if ((driver->drv_flags & RTE_PCI_DRV_KEEP_MAPPED_RES) != 0)
		return true;
	if ((driver->drv_flags & RTE_PCI_DRV_WC_ACTIVATE) != 0)
		pci_device_unmap(dev);
	return false;
}

/* Ask one driver after the other. The device is mapped once for all of them. */
static int
drivers_ask(struct pci_device *dev, bool *keep_mapped)
{
	struct rte_pci_driver *driver;
	uint32_t from = 0;
	int rc = 1;

	*keep_mapped = false;
	while (rc > 0 && (driver = pci_match_next(&dev->pub.id, &from)) != NULL) {
		rc = driver_ask(driver, dev);
		if (rc > 0 && device_stays_mapped(dev, driver))
			*keep_mapped = true;
	}
	if (rc < 0)
		*keep_mapped = false;
	return rc;
}

static int
device_probe_again(struct pci_device *dev)
{
	struct rte_pci_driver *driver = dev->pub.driver;

	if ((driver->drv_flags & RTE_PCI_DRV_PROBE_AGAIN) == 0) {
		PCI_LOG(DEBUG, "%s: driven by %s already", dev->pub.name, driver->driver.name);
		return -EEXIST;
	}
	return driver->probe(driver, &dev->pub);
}

/* 0: it is driven; greater than 0: nobody wants it; -errno */
static int
device_probe(struct pci_device *dev)
{
	bool keep_mapped;
	int rc;

	if (device_is_blocked(dev)) {
		PCI_LOG(INFO, "%s: blocked by the user", dev->pub.name);
		return 1;
	}
	if (rte_dev_is_probed(&dev->pub.device))
		return device_probe_again(dev);
	rc = pci_handles_get(dev);
	if (rc != 0)
		return rc;
	dev->pub.max_vfs = dev->kernel_driver == NULL ? 0 : pci_system_max_vfs(&dev->pub.addr);
	rc = drivers_ask(dev, &keep_mapped);
	if (rc != 0)
		device_let_go(dev, keep_mapped);
	return rc;
}

static int
device_probe_alone(struct pci_device *dev)
{
	int rc;

	rc = pci_list_refresh(dev);
	if (rc < 0)
		return rc;
	rc = pci_list_pin(dev, true);
	if (rc != 0)
		return rc;
	rc = device_probe(dev);
	pci_list_unpin(dev);
	return rc;
}

/* It is an error of the bus only if no device for which there is a driver can be used. */
int
pci_probe(void)
{
	unsigned int nb_devices = 0, nb_failed = 0;
	struct pci_device *dev;
	uint64_t from = 0;
	int rc, failure = 0;

	rc = pci_match_update();
	if (rc != 0)
		return rc;
	while ((dev = pci_list_next_match(&from)) != NULL) {
		nb_devices++;
		rc = device_probe_alone(dev);
		if (rc >= 0 || rc == -EEXIST)
			continue;
		nb_failed++;
		failure = rc;
	}
	return nb_failed == nb_devices ? failure : 0;
}

int
pci_plug(struct rte_device *device)
{
	int rc;

	rc = pci_match_update();
	return rc != 0 ? rc : device_probe_alone(pci_device_of(RTE_DEV_TO_PCI(device)));
}

/* Take the device from its driver. A driver that refuses has it on unless @force. */
static int
device_remove(struct pci_device *dev, bool force)
{
	struct rte_pci_driver *driver = dev->pub.driver;
	int rc = 0;

	if (!rte_dev_is_probed(&dev->pub.device)) {
		pci_device_unmap(dev);
		return 0;
	}
	if (driver->remove != NULL)
		rc = driver->remove(&dev->pub);
	if (rc < 0)
		PCI_LOG(ERR, "%s: driver %s does not let go: %s", dev->pub.name,
			driver->driver.name, strerror(-rc));
	if (rc < 0 && !force)
		return rc;
	device_let_go(dev, false);
	return RTE_MIN(rc, 0);
}

/* The device stays in the list, for nobody, until a scan does not find it any more. */
int
pci_unplug(struct rte_device *device)
{
	struct pci_device *dev = pci_device_of(RTE_DEV_TO_PCI(device));
	int rc;

	rc = pci_list_pin(dev, true);
	if (rc != 0)
		return rc;
	rc = device_remove(dev, false);
	pci_list_unpin(dev);
	return rc;
}

int
pci_cleanup(void)
{
	struct pci_device *dev;
	uint64_t from = 0;
	int rc, failure = 0;

	pci_scan_end();
	while ((dev = pci_list_next_seen(&from)) != NULL) {
		rc = device_remove(dev, true);
		if (rc != 0)
			failure = rc;
	}
	pci_list_clear();
	pci_scan_fini();
	pci_match_fini();
	pci_kernel_drivers_free();
	pci_system_fini();
	return failure;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_pci_ask_back)
int
rte_pci_ask_back(uintptr_t token)
{
	char name[RTE_DEV_NAME_MAX_LEN];
	int rc;

	rc = pci_list_name(token, name, sizeof(name));
	if (rc == 0)
		rte_dev_event_callback_process(name, RTE_DEV_EVENT_REMOVE);
	return rc;
}
