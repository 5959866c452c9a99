/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_eal_paging.h>
#include <rte_errno.h>

#include "pci_backend.h"
#include "pci_device.h"
#include "pci_log.h"
#include "pci_region.h"
#include "pci_shared.h"

/* No page that a processor's tables can hold is larger. */
#define HUGEST_PAGE (UINT64_C(1) << 30)

static uint64_t
page_align(uint64_t len)
{
	return RTE_ALIGN_CEIL(len, (uint64_t)rte_mem_page_size());
}

/*
 * BARs lie at multiples of their size, so that with the same alignment of addresses here the
 * kernel can use the largest pages.
 */
static uint64_t
huge_alignment(uint64_t len)
{
	uint64_t align = rte_mem_page_size();

	while (align < HUGEST_PAGE && align <= len / 2)
		align *= 2;
	return align;
}

/* Take address space exactly there, or not at all. */
static uint8_t *
reserve_at(void *addr, uint64_t len)
{
	uint8_t *got = rte_mem_map(addr, len, 0, RTE_MAP_ANONYMOUS | RTE_MAP_PRIVATE |
		RTE_MAP_FORCE_ADDRESS_NOREPLACE, -1, 0);

	if (got == NULL || got == addr)
		return got;
	/* kernels before 4.17 take the address for a hint */
	rte_mem_unmap(got, len);
	rte_errno = EEXIST;
	return NULL;
}

static void
release(const struct pci_device *dev, uint8_t *addr, uint64_t len)
{
	if (len != 0 && rte_mem_unmap(addr, len) != 0)
		PCI_LOG(ERR, "%s: cannot release %" PRIu64 " bytes of address space: %s",
			dev->pub.name, len, rte_strerror(rte_errno));
}

/* Take too much address space anywhere, and give back what is not aligned. */
static uint8_t *
reserve_anywhere(const struct pci_device *dev, uint64_t len, uint64_t align)
{
	uint64_t slack = align - rte_mem_page_size();
	uint8_t *got, *base;

	if (len > UINT64_MAX - slack || len + slack > SIZE_MAX) {
		rte_errno = ENOMEM;
		return NULL;
	}
	got = rte_mem_map(NULL, len + slack, 0, RTE_MAP_ANONYMOUS | RTE_MAP_PRIVATE, -1, 0);
	if (got == NULL)
		return NULL;
	base = RTE_PTR_ALIGN_CEIL(got, align);
	release(dev, got, (uint64_t)(base - got));
	release(dev, base + len, slack - (uint64_t)(base - got));
	return base;
}

/* Take address space behind *hint if there is room, and move *hint behind it. */
static uint8_t *
reserve(const struct pci_device *dev, uint64_t len, uint8_t **hint)
{
	uint64_t align = huge_alignment(len);
	uint8_t *base;

	if (*hint != NULL) {
		base = reserve_at(RTE_PTR_ALIGN_CEIL(*hint, align), len);
		if (base != NULL) {
			*hint = base + len;
			return base;
		}
	}
	return reserve_anywhere(dev, len, align);
}

static int
place_fd(const struct pci_region *region, void *addr, uint64_t offset, uint64_t len)
{
	return rte_mem_map(addr, len, region->prot, RTE_MAP_SHARED | RTE_MAP_FORCE_ADDRESS,
		region->fd, region->fd_offset + offset) != NULL ? 0 : -rte_errno;
}

/*
 * Put a window into the reservation. Linux may have given up the range by the time it asks the
 * device's driver, so a refused window is reserved again.
 */
static int
window_place(const struct pci_device *dev, unsigned int bar, const struct rte_vfio_area *window)
{
	const struct pci_region *region = &dev->region[bar];
	uint8_t *addr = region->base + window->offset;
	uint64_t len = page_align(window->size);
	int rc;

	if (dev->backend->place != NULL)
		rc = dev->backend->place(dev, bar, addr, window->offset, len, region->prot);
	else
		rc = place_fd(region, addr, window->offset, len);
	if (rc != 0)
		reserve_at(addr, len);
	return rc;
}

static void
window_keep(struct pci_region *region, const struct rte_vfio_area *window)
{
	region->windows[region->nb_windows++] = *window;
}

static void
window_degrade(const struct pci_device *dev, unsigned int bar,
	const struct rte_vfio_area *window, int err)
{
	PCI_LOG(WARNING, "%s: BAR%u: cannot map %#" PRIx64 "+%#" PRIx64
		", using read and write calls: %s", dev->pub.name, bar,
		window->offset, window->size, rte_strerror(-err));
}

/* Some kernels refuse what holds the MSI-X table: map around it. */
static void
window_map(const struct pci_device *dev, unsigned int bar, struct pci_region *region,
	const struct rte_vfio_area *window)
{
	struct rte_vfio_area parts[2] = { *window };
	uint32_t nb, i;
	int rc;

	rc = window_place(dev, bar, window);
	if (rc == 0) {
		window_keep(region, window);
		return;
	}
	nb = rte_vfio_areas_cut(parts, 1, &region->avoid);
	if (rc != -EINVAL || (nb == 1 && parts[0].size == window->size)) {
		window_degrade(dev, bar, window, rc);
		return;
	}
	for (i = 0; i < nb; i++) {
		rc = window_place(dev, bar, &parts[i]);
		if (rc == 0)
			window_keep(region, &parts[i]);
		else
			window_degrade(dev, bar, &parts[i], rc);
	}
}

/* A backend's word is checked once more: a window outside would replace foreign memory. */
static bool
areas_valid(const struct pci_region *region)
{
	uint64_t page_mask = rte_mem_page_size() - 1;
	const struct rte_vfio_area *area;
	uint64_t last = 0;
	uint32_t i;

	for (i = 0; i < region->nb_areas; i++) {
		area = &region->areas[i];
		if (area->size == 0 || area->offset < last || area->offset > region->size ||
				area->size > region->size - area->offset)
			return false;
		last = area->offset + area->size;
		if ((area->offset & page_mask) != 0 ||
				((last & page_mask) != 0 && last != region->size))
			return false;
	}
	return true;
}

static int
prot_of(uint32_t flags)
{
	return ((flags & PCI_REGION_F_READ) != 0 ? RTE_PROT_READ : 0) |
		((flags & PCI_REGION_F_WRITE) != 0 ? RTE_PROT_WRITE : 0);
}

static bool
region_is_mappable(const struct pci_region *region)
{
	return region->nb_areas != 0 && region->fd >= 0 && region->prot != 0 &&
		(region->flags & PCI_REGION_F_IOPORT) == 0;
}

static void
region_unmap(const struct pci_device *dev, struct pci_region *region)
{
	if (region->base != NULL)
		release(dev, region->base, page_align(region->size));
	free(region->windows);
	memset(&region->hot, 0, sizeof(region->hot));
	region->base = NULL;
	region->windows = NULL;
	region->nb_windows = 0;
	region->lost = false;
}

static void
hot_resize(struct pci_region *region, uint64_t size)
{
	rte_atomic_store_explicit(&region->hot.rd_size,
		(region->prot & RTE_PROT_READ) != 0 ? size : 0, rte_memory_order_relaxed);
	rte_atomic_store_explicit(&region->hot.wr_size,
		(region->prot & RTE_PROT_WRITE) != 0 ? size : 0, rte_memory_order_relaxed);
}

/* Accesses try the largest window first. */
static void
region_choose_hot(struct pci_region *region)
{
	const struct rte_vfio_area *best = &region->windows[0];
	uint32_t i;

	for (i = 1; i < region->nb_windows; i++)
		if (region->windows[i].size > best->size)
			best = &region->windows[i];
	region->hot.addr = region->base + best->offset;
	region->hot.offset = best->offset;
	hot_resize(region, best->size);
}

static uint64_t
hot_size(const struct pci_region *region)
{
	if (region->nb_windows == 0)
		return 0;
	return region->windows[rte_vfio_areas_find(region->windows, region->nb_windows,
		region->hot.offset)].size;
}

void
pci_region_set_lost(struct pci_region *region, bool lost)
{
	rte_atomic_store_explicit(&region->lost, lost, rte_memory_order_relaxed);
	hot_resize(region, lost ? 0 : hot_size(region));
}

/* Fill the reservation at region->base. */
static int
region_map_windows(const struct pci_device *dev, unsigned int bar, struct pci_region *region)
{
	uint32_t i;

	/* one more, since one window may be split around the MSI-X table */
	region->windows = calloc((size_t)region->nb_areas + 1, sizeof(*region->windows));
	if (region->windows == NULL)
		return -ENOMEM;
	for (i = 0; i < region->nb_areas; i++)
		window_map(dev, bar, region, &region->areas[i]);
	region->nb_windows = rte_vfio_areas_normalize(region->windows, region->nb_windows);
	if (region->nb_windows == 0)
		region_unmap(dev, region);
	else
		region_choose_hot(region);
	return 0;
}

static int
region_map(const struct pci_device *dev, unsigned int bar, struct pci_region *region,
	uint8_t **hint)
{
	if (!areas_valid(region)) {
		PCI_LOG(ERR, "%s: BAR%u: areas to map make no sense, using read and write calls",
			dev->pub.name, bar);
		return 0;
	}
	region->base = reserve(dev, page_align(region->size), hint);
	if (region->base == NULL) {
		PCI_LOG(WARNING, "%s: BAR%u: cannot reserve %#" PRIx64
			" bytes of address space, using read and write calls: %s",
			dev->pub.name, bar, region->size, rte_strerror(rte_errno));
		return 0;
	}
	return region_map_windows(dev, bar, region);
}

/* A secondary process shares pointers with the primary one: the same place or none. */
static int
region_map_secondary(const struct pci_device *dev, unsigned int bar, struct pci_region *region,
	const struct pci_shared_bar *primary)
{
	if (primary->base == NULL)
		return 0;
	if (primary->size != region->size || !areas_valid(region)) {
		PCI_LOG(ERR, "%s: BAR%u: not what the primary process has mapped",
			dev->pub.name, bar);
		return -EPROTO;
	}
	region->base = reserve_at(primary->base, page_align(region->size));
	if (region->base == NULL) {
		PCI_LOG(ERR, "%s: BAR%u: cannot have %#" PRIx64
			" bytes at %p as the primary process has: %s", dev->pub.name, bar,
			region->size, primary->base, rte_strerror(rte_errno));
		return -rte_errno;
	}
	return region_map_windows(dev, bar, region);
}

static int
regions_map_primary(struct pci_device *dev)
{
	uint8_t *hint = pci_shared_free_address();
	unsigned int bar;
	int rc = 0;

	for (bar = 0; bar < PCI_MAX_RESOURCE && rc == 0; bar++)
		if (region_is_mappable(&dev->region[bar]))
			rc = region_map(dev, bar, &dev->region[bar], &hint);
	return rc == 0 ? pci_shared_publish(dev) : rc;
}

static int
regions_map_secondary(struct pci_device *dev)
{
	struct pci_shared_bar primary[PCI_MAX_RESOURCE];
	unsigned int bar;
	int rc;

	rc = pci_shared_find(&dev->pub.addr, primary);
	if (rc != 0)
		PCI_LOG(ERR, "%s: the primary process has not mapped it", dev->pub.name);
	for (bar = 0; bar < PCI_MAX_RESOURCE && rc == 0; bar++)
		if (region_is_mappable(&dev->region[bar]))
			rc = region_map_secondary(dev, bar, &dev->region[bar], &primary[bar]);
	return rc;
}

/* The list may say nothing of a BAR that the owner makes up, or more than there is to reach. */
static void
bar_relist(struct pci_region *region, struct rte_mem_resource *res)
{
	if (region->size == 0 || region->size == res->len ||
			(region->flags & PCI_REGION_F_IOPORT) != 0)
		return;
	region->relisted = true;
	region->listed_len = res->len;
	res->len = region->size;
}

void
pci_regions_clear(struct pci_device *dev)
{
	unsigned int i;

	for (i = 0; i < PCI_REGION_NB; i++) {
		free(dev->region[i].areas);
		memset(&dev->region[i], 0, sizeof(dev->region[i]));
		dev->region[i].fd = -1;
	}
}

int
pci_regions_map(struct pci_device *dev)
{
	unsigned int bar;
	int rc;

	for (bar = 0; bar < PCI_MAX_RESOURCE; bar++)
		dev->region[bar].prot = prot_of(dev->region[bar].flags);
	rc = rte_eal_process_type() == RTE_PROC_PRIMARY ? regions_map_primary(dev) :
		regions_map_secondary(dev);
	if (rc != 0) {
		for (bar = 0; bar < PCI_MAX_RESOURCE; bar++)
			region_unmap(dev, &dev->region[bar]);
		pci_regions_clear(dev);
		return rc;
	}
	for (bar = 0; bar < PCI_MAX_RESOURCE; bar++) {
		bar_relist(&dev->region[bar], &dev->pub.mem_resource[bar]);
		dev->pub.mem_resource[bar].addr = dev->region[bar].base;
	}
	return 0;
}

void
pci_regions_unmap(struct pci_device *dev)
{
	unsigned int bar;

	pci_shared_withdraw(dev);
	for (bar = 0; bar < PCI_MAX_RESOURCE; bar++) {
		dev->pub.mem_resource[bar].addr = NULL;
		if (dev->region[bar].relisted)
			dev->pub.mem_resource[bar].len = dev->region[bar].listed_len;
		region_unmap(dev, &dev->region[bar]);
	}
	pci_regions_clear(dev);
}

static int
region_detach(struct pci_region *region)
{
	const struct rte_vfio_area *window;
	uint32_t i;
	int rc = 0;

	pci_region_set_lost(region, true);
	for (i = 0; i < region->nb_windows; i++) {
		window = &region->windows[i];
		if (mmap(region->base + window->offset, window->size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			rc = -errno;
	}
	return rc;
}

int
pci_regions_detach(struct pci_device *dev)
{
	int saved_errno = errno;
	unsigned int bar;
	int rc = 0;
	int err;

	for (bar = 0; bar < PCI_MAX_RESOURCE; bar++) {
		err = region_detach(&dev->region[bar]);
		if (rc == 0)
			rc = err;
	}
	errno = saved_errno;
	return rc;
}
