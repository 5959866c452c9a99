/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_eal_paging.h>
#include <rte_memory.h>

#include "pci_backend.h"
#include "pci_bsd_device.h"
#include "pci_bsd_kernel.h"
#include "pci_bsd_scan.h"
#include "pci_device.h"
#include "pci_log.h"

/* Without physical addresses there is no DMA, but registers are there all the same. */
static enum rte_iova_mode
bsd_iova_mode(const struct pci_device *dev, const struct rte_pci_driver *drv)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(drv);
	return rte_eal_using_phys_addrs() ? RTE_IOVA_PA : RTE_IOVA_DC;
}

/* ---- nic_uio ---- */

static bool
nic_uio_claims(const char *kernel_driver, int dirfd, const char *name)
{
	RTE_SET_USED(dirfd);
	RTE_SET_USED(name);
	return strcmp(kernel_driver, "nic_uio") == 0;
}

static bool
has_same_file(const struct pci_bsd_device *other, const struct rte_pci_addr *addr)
{
	return other->addr.domain != addr->domain && other->addr.bus == addr->bus &&
		other->addr.devid == addr->devid && other->addr.function == addr->function &&
		nic_uio_claims(other->driver, -1, "");
}

/* Names of files have no domain, so there is no telling which of two devices is behind one. */
static bool
file_is_ambiguous(const struct pci_device *dev)
{
	struct pci_bsd_device other;
	uint64_t from = 0;

	while (pci_bsd_next(&from, &other) == 0)
		if (has_same_file(&other, &dev->pub.addr))
			return true;
	return false;
}

static const char *
uio_open_hint(int err)
{
	if (err == EACCES || err == EPERM)
		return " (it is root's, unless devfs.rules say otherwise)";
	return err == ENOENT ? " (hidden from this jail?)" : "";
}

static int
nic_uio_open(struct pci_device *dev)
{
	char name[PCI_BSD_UIO_NAME_SIZE];
	int fd;

	pci_bsd_uio_name(&dev->pub.addr, name);
	if (file_is_ambiguous(dev)) {
		PCI_LOG(ERR, "%s: %s may as well be a device of another domain", dev->pub.name,
			name);
		return -EEXIST;
	}
	fd = pci_bsd_kernel->open(name, O_RDWR);
	if (fd >= 0)
		return pci_bsd_open(dev, fd);
	PCI_LOG(ERR, "%s: cannot open %s: %s%s", dev->pub.name, name, strerror(-fd),
		uio_open_hint(-fd));
	return fd;
}

/* A BAR is told by its number times the size of a page, whatever its own size. */
static int
nic_uio_place(const struct pci_device *dev, unsigned int bar, void *addr, uint64_t offset,
	uint64_t len, int prot)
{
	if (offset != 0)
		return -EINVAL;
	return pci_bsd_kernel->map(addr, len, prot, dev->state->uio_fd,
		(off_t)bar * (off_t)rte_mem_page_size());
}

const struct pci_backend pci_nic_uio_backend = {
	.name = "nic_uio",
	.kdrv = RTE_PCI_KDRV_NIC_UIO,
	.claims = nic_uio_claims,
	.iova_mode = bsd_iova_mode,
	.open = nic_uio_open,
	.close = pci_bsd_close,
	.place = nic_uio_place,
	.start = pci_bsd_start,
	.stop = pci_bsd_stop,
	.region_read = pci_bsd_region_read,
	.region_write = pci_bsd_region_write,
};

/* ---- /dev/pci alone ---- */

/* A device that no driver of the kernel holds is nobody's. */
static bool
dev_pci_claims(const char *kernel_driver, int dirfd, const char *name)
{
	RTE_SET_USED(dirfd);
	RTE_SET_USED(name);
	return kernel_driver[0] == '\0';
}

static int
dev_pci_open(struct pci_device *dev)
{
	return pci_bsd_open(dev, -1);
}

/* What is not as asked for is undone where it is; at @p addr the bus cleans up. */
static int
mapping_check(const struct pci_bsd_map_bar *request, void *addr, uint64_t len)
{
	if (request->map_base == addr && request->map_length == len && request->bar_off == 0)
		return 0;
	if (request->map_base != addr)
		pci_bsd_kernel->unmap(request->map_base, request->map_length);
	return -EPROTO;
}

static int
dev_pci_place(const struct pci_device *dev, unsigned int bar, void *addr, uint64_t offset,
	uint64_t len, int prot)
{
	struct pci_bsd_map_bar request = {
		.map_base = addr,
		.sel = dev->state->sel,
		.reg = pci_bsd_bar_reg(bar),
		.flags = PCI_BSD_MAP_FIXED | ((prot & RTE_PROT_WRITE) != 0 ? PCI_BSD_MAP_RW : 0),
		.memattr = dev->state->memattr[bar],
	};
	int rc;

	if (offset != 0)
		return -EINVAL;
	rc = pci_bsd_kernel->ioctl(dev->state->pci_fd, PCI_BSD_MAP_BAR, &request);
	return rc == 0 ? mapping_check(&request, addr, len) : rc;
}

const struct pci_backend pci_dev_pci_backend = {
	.name = "dev_pci",
	.kdrv = RTE_PCI_KDRV_NONE,
	.claims = dev_pci_claims,
	.iova_mode = bsd_iova_mode,
	.open = dev_pci_open,
	.close = pci_bsd_close,
	.place = dev_pci_place,
	.start = pci_bsd_start,
	.stop = pci_bsd_stop,
	.region_read = pci_bsd_region_read,
	.region_write = pci_bsd_region_write,
};

const struct pci_backend *const pci_backends[] = {
	&pci_nic_uio_backend,
	&pci_dev_pci_backend,
	NULL,
};
