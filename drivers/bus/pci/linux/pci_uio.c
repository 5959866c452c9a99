/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_interrupts.h>
#include <rte_memory.h>

#include "pci_backend.h"
#include "pci_backends.h"
#include "pci_device.h"
#include "pci_log.h"
#include "pci_uio.h"

static bool
generic_claims(const char *kernel_driver, int dirfd, const char *name)
{
	RTE_SET_USED(dirfd);
	RTE_SET_USED(name);
	return strcmp(kernel_driver, "uio_pci_generic") == 0;
}

static bool
igb_claims(const char *kernel_driver, int dirfd, const char *name)
{
	RTE_SET_USED(dirfd);
	RTE_SET_USED(name);
	return strcmp(kernel_driver, "igb_uio") == 0;
}

/* Nobody translates the addresses that the device gets. */
static enum rte_iova_mode
uio_iova_mode(const struct pci_device *dev, const struct rte_pci_driver *drv)
{
	RTE_SET_USED(drv);
	if (!rte_eal_using_phys_addrs())
		PCI_LOG(WARNING, "%s: bound to %s, so it needs physical addresses, which this "
			"process cannot know: that takes free huge pages, and CAP_SYS_ADMIN to "
			"read /proc/self/pagemap. Bind it to vfio-pci, or leave it out (-b %s)",
			dev->pub.name, dev->kernel_driver, dev->pub.name);
	return RTE_IOVA_PA;
}

static int
state_new(struct pci_device *dev)
{
	unsigned int i;

	dev->state = calloc(1, sizeof(*dev->state));
	if (dev->state == NULL)
		return -ENOMEM;
	dev->state->node_fd = -1;
	dev->state->config_fd = -1;
	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		dev->state->bar[i].fd = -1;
	return 0;
}

static void
uio_close(struct pci_device *dev)
{
	pci_uio_regions_close(dev);
	if (dev->state->node_fd >= 0)
		close(dev->state->node_fd);
	free(dev->state);
	dev->state = NULL;
}

/*
 * The primary process alone has the device's file: when any process closes that, uio_pci_generic
 * switches bus mastering off.
 */
static int
uio_open(struct pci_device *dev)
{
	int rc;

	rc = state_new(dev);
	if (rc != 0)
		return rc;
	if (rte_eal_process_type() == RTE_PROC_PRIMARY)
		rc = pci_uio_node_open(dev, &dev->state->node_fd);
	if (rc == 0)
		rc = pci_uio_regions_open(dev);
	if (rc != 0) {
		pci_regions_clear(dev);
		uio_close(dev);
	}
	return rc;
}

/* Waiting for what never comes is an error that the kernel tells at once. */
static bool
has_interrupt(const struct pci_device *dev)
{
	struct pollfd node = { .fd = dev->state->node_fd, .events = POLLIN };

	return poll(&node, 1, 0) >= 0 && (node.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

/* uio_pci_generic masks the interrupt when it comes; igb_uio unmasks it, too, when told to. */
static int
intr_start(struct pci_device *dev)
{
	const bool by_config = dev->backend == &pci_uio_generic_backend;
	struct rte_intr_handle *handle = dev->pub.intr_handle;

	if (!has_interrupt(dev)) {
		PCI_LOG(INFO, "%s: has no interrupt", dev->pub.name);
		return 0;
	}
	if (by_config && !dev->state->config_writable) {
		PCI_LOG(WARNING, "%s: its interrupt cannot be used: it is unmasked in "
			"configuration space, which cannot be written", dev->pub.name);
		return 0;
	}
	if (rte_intr_fd_set(handle, dev->state->node_fd) != 0 ||
			rte_intr_dev_fd_set(handle, dev->state->config_fd) != 0 ||
			rte_intr_type_set(handle, by_config ? RTE_INTR_HANDLE_UIO_INTX :
				RTE_INTR_HANDLE_UIO) != 0)
		return -rte_errno;
	dev->nb_vectors = 1;
	return 0;
}

static void
intr_stop(struct pci_device *dev)
{
	rte_intr_fd_set(dev->pub.intr_handle, -1);
	rte_intr_dev_fd_set(dev->pub.intr_handle, -1);
	rte_intr_type_set(dev->pub.intr_handle, RTE_INTR_HANDLE_UNKNOWN);
	dev->nb_vectors = 0;
}

/*
 * With virtual addresses for IOVAs, transfers would go to whatever memory has these as its
 * physical ones. igb_uio has enabled them when it was opened.
 */
static bool
bus_master_is_safe(struct pci_device *dev)
{
	dev->no_bus_master = rte_eal_iova_mode() == RTE_IOVA_VA;
	if (dev->no_bus_master)
		PCI_LOG(WARNING, "%s: bus mastering stays off: without an IOMMU the device takes "
			"physical addresses, and EAL uses virtual ones (--iova-mode=pa)",
			dev->pub.name);
	return !dev->no_bus_master;
}

/* A device that is gone masters nothing. */
static void
bus_master_set(struct pci_device *dev, bool enable)
{
	int rc;

	rc = rte_pci_set_bus_master(&dev->pub, enable);
	if (rc != 0 && rc != -ENODEV)
		PCI_LOG(WARNING, "%s: cannot %s bus mastering: %s", dev->pub.name,
			enable ? "enable" : "disable", rte_strerror(-rc));
}

/* The primary process alone has the interrupt and switches the device on and off. */
static int
uio_start(struct pci_device *dev)
{
	int rc;

	rc = pci_uio_pages_watch(dev);
	if (rc != 0 || rte_eal_process_type() != RTE_PROC_PRIMARY)
		return rc;
	rc = intr_start(dev);
	if (rc != 0) {
		PCI_LOG(ERR, "%s: cannot set up its interrupt: %s", dev->pub.name,
			rte_strerror(-rc));
		intr_stop(dev);
		return rc;
	}
	bus_master_set(dev, bus_master_is_safe(dev));
	return 0;
}

static void
uio_stop(struct pci_device *dev)
{
	if (rte_eal_process_type() == RTE_PROC_PRIMARY)
		bus_master_set(dev, false);
	dev->no_bus_master = false;
	intr_stop(dev);
}

/* The kernel asks nobody: when it tells of a removal, or a load faults, the device is gone. */
static int
uio_removed(struct pci_device *dev, bool in_signal)
{
	int rc, pages;

	RTE_SET_USED(in_signal);
	rc = pci_regions_blank(dev);
	pages = pci_uio_pages_blank(dev);
	return rc != 0 ? rc : pages;
}

const struct pci_backend pci_uio_generic_backend = {
	.name = "uio",
	.kdrv = RTE_PCI_KDRV_UIO_GENERIC,
	.claims = generic_claims,
	.iova_mode = uio_iova_mode,
	.open = uio_open,
	.close = uio_close,
	.start = uio_start,
	.stop = uio_stop,
	.region_read = pci_uio_region_read,
	.region_write = pci_uio_region_write,
	.removed = uio_removed,
};

const struct pci_backend pci_igb_uio_backend = {
	.name = "uio",
	.kdrv = RTE_PCI_KDRV_IGB_UIO,
	.claims = igb_claims,
	.iova_mode = uio_iova_mode,
	.open = uio_open,
	.close = uio_close,
	.start = uio_start,
	.stop = uio_stop,
	.region_read = pci_uio_region_read,
	.region_write = pci_uio_region_write,
	.removed = uio_removed,
};
