/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>

#include "pci_backend.h"
#include "pci_backends.h"
#include "pci_device.h"
#include "pci_fd.h"
#include "pci_log.h"
#include "pci_vfio.h"
#include "pci_vfio_eal.h"
#include "pci_vfio_region.h"

static bool
ends_with(const char *name, const char *tail)
{
	size_t len = strlen(name);
	size_t tail_len = strlen(tail);

	return len >= tail_len && strcmp(name + len - tail_len, tail) == 0;
}

/* vfio-pci, mlx5_vfio_pci, nvgrace-gpu-vfio-pci, ... */
static bool
is_vfio_name(const char *kernel_driver)
{
	return strcmp(kernel_driver, "vfio-pci") == 0 || ends_with(kernel_driver, "-vfio-pci") ||
		ends_with(kernel_driver, "_vfio_pci");
}

/*
 * From Linux 6.1 on, a device that is VFIO's has a folder vfio-dev, whatever its driver is
 * called.
 */
static bool
has_vfio_folder(int dirfd, const char *name)
{
	char path[64];
	int len = snprintf(path, sizeof(path), "%s/vfio-dev", name);

	return len > 0 && (size_t)len < sizeof(path) && faccessat(dirfd, path, F_OK, 0) == 0;
}

static bool
vfio_claims(const char *kernel_driver, int dirfd, const char *name)
{
	return is_vfio_name(kernel_driver) || has_vfio_folder(dirfd, name);
}

static enum rte_iova_mode
vfio_iova_mode(const struct pci_device *dev, const struct rte_pci_driver *drv)
{
	RTE_SET_USED(dev);
	if (pci_vfio_eal_is_noiommu())
		return RTE_IOVA_PA;
	if (drv != NULL && (drv->drv_flags & RTE_PCI_DRV_NEED_IOVA_AS_VA) != 0)
		return RTE_IOVA_VA;
	return RTE_IOVA_DC;
}

static void
vfio_close(struct pci_device *dev)
{
	rte_intr_dev_fd_set(dev->pub.intr_handle, -1);
	rte_intr_dev_fd_set(dev->pub.vfio_req_intr_handle, -1);
	pci_vfio_eal_close(dev->pub.name, dev->state->fd);
	free(dev->state);
	dev->state = NULL;
}

static int
state_new(struct pci_device *dev, int fd, const struct vfio_device_info *info)
{
	if ((info->flags & VFIO_DEVICE_FLAGS_PCI) == 0)
		return -ENOTSUP;
	dev->state = calloc(1, sizeof(*dev->state));
	if (dev->state == NULL)
		return -ENOMEM;
	dev->state->fd = fd;
	dev->state->nb_irqs = info->num_irqs;
	return 0;
}

static int
region_ask(const struct pci_device *dev, struct vfio_region_info *info, int *fd)
{
	*fd = dev->state->fd;
	return ioctl(*fd, VFIO_DEVICE_GET_REGION_INFO, info) == 0 ? 0 : -errno;
}

/*
 * No VFIO_DEVICE_RESET here: the kernel resets the function whenever the first descriptor of a
 * device is opened, and tells by VFIO_DEVICE_FLAGS_RESET only that this has worked. Another one
 * would cost 100 ms for nothing.
 */
static int
vfio_open(struct pci_device *dev)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int fd, rc;

	rc = pci_vfio_eal_open(dev->pub.name, &fd, &info);
	if (rc != 0)
		return rc;
	rc = state_new(dev, fd, &info);
	if (rc != 0) {
		pci_vfio_eal_close(dev->pub.name, fd);
		return rc;
	}
	rte_intr_dev_fd_set(dev->pub.intr_handle, fd);
	rte_intr_dev_fd_set(dev->pub.vfio_req_intr_handle, fd);
	rc = pci_vfio_regions_fill(dev, info.num_regions, region_ask);
	if (rc != 0) {
		PCI_LOG(ERR, "%s: cannot be used: %s", dev->pub.name, rte_strerror(-rc));
		pci_regions_clear(dev);
		vfio_close(dev);
	}
	return rc;
}

/* The primary process alone has the interrupts and switches the device on and off. */
static int
vfio_start(struct pci_device *dev)
{
	int rc;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return 0;
	rc = pci_vfio_intr_start(dev);
	if (rc != 0)
		return rc;
	rc = pci_vfio_command_enable(dev);
	if (rc != 0) {
		PCI_LOG(ERR, "%s: cannot enable memory and bus mastering: %s", dev->pub.name,
			rte_strerror(-rc));
		pci_vfio_intr_stop(dev);
	}
	return rc;
}

static void
vfio_stop(struct pci_device *dev)
{
	int rc;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return;
	rc = rte_pci_set_bus_master(&dev->pub, false);
	if (rc != 0)
		PCI_LOG(WARNING, "%s: cannot disable bus mastering: %s", dev->pub.name,
			rte_strerror(-rc));
	pci_vfio_intr_stop(dev);
}

static int
vfio_region_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	uint64_t offset)
{
	return pci_fd_read(dev->state->fd, buf, len,
		(off_t)(dev->region[region].fd_offset + offset));
}

static int
vfio_region_write(const struct pci_device *dev, unsigned int region, const void *buf, size_t len,
	uint64_t offset)
{
	return pci_fd_write(dev->state->fd, buf, len,
		(off_t)(dev->region[region].fd_offset + offset));
}

static int
vfio_dma_map(struct pci_device *dev, void *addr, uint64_t iova, size_t len)
{
	RTE_SET_USED(dev);
	return pci_vfio_eal_dma_map(addr, iova, len);
}

static int
vfio_dma_unmap(struct pci_device *dev, void *addr, uint64_t iova, size_t len)
{
	RTE_SET_USED(dev);
	return pci_vfio_eal_dma_unmap(addr, iova, len);
}

/* When the kernel asks, the device still works. When a load faults, it does not. */
static int
vfio_removed(struct pci_device *dev, bool in_signal)
{
	return in_signal ? pci_regions_blank(dev) : 0;
}

const struct pci_backend pci_vfio_backend = {
	.name = "vfio",
	.kdrv = RTE_PCI_KDRV_VFIO,
	.claims = vfio_claims,
	.iova_mode = vfio_iova_mode,
	.open = vfio_open,
	.close = vfio_close,
	.start = vfio_start,
	.stop = vfio_stop,
	.region_read = vfio_region_read,
	.region_write = vfio_region_write,
	.dma_map = vfio_dma_map,
	.dma_unmap = vfio_dma_unmap,
	.removed = vfio_removed,
};
