/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <eal_export.h>
#include <rte_branch_prediction.h>
#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_io.h>
#include <rte_stdatomic.h>

#include "pci_access.h"
#include "pci_backend.h"
#include "pci_device.h"

/* Where bytes of a region go to or come from. */
union access_buf {
	void *in;
	const void *out;
};

/* One way of access: reading or writing. */
struct access_dir {
	uint32_t flag;	/* PCI_REGION_F_* that permits it */
	/* one access of 1, 2, 4 or 8 bytes; false if addr is not aligned or len none of these */
	bool (*natural)(uint8_t *addr, union access_buf buf, size_t len);
	int (*call)(const struct pci_device *dev, unsigned int region, union access_buf buf,
		size_t len, uint64_t offset);
};

static __rte_always_inline bool
load_natural(const uint8_t *addr, void *buf, size_t len)
{
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;
	uint8_t v8;

	if (unlikely(((uintptr_t)addr & (len - 1)) != 0))
		return false;
	/* what most registers are must not cost a jump through a table */
	if (likely(len == 4)) {
		v32 = rte_read32(addr);
		memcpy(buf, &v32, sizeof(v32));
		return true;
	}
	switch (len) {
	case 8:
		v64 = rte_read64(addr);
		memcpy(buf, &v64, sizeof(v64));
		return true;
	case 2:
		v16 = rte_read16(addr);
		memcpy(buf, &v16, sizeof(v16));
		return true;
	case 1:
		v8 = rte_read8(addr);
		memcpy(buf, &v8, sizeof(v8));
		return true;
	default:
		return false;
	}
}

static __rte_always_inline bool
store_natural(uint8_t *addr, const void *buf, size_t len)
{
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;
	uint8_t v8;

	if (unlikely(((uintptr_t)addr & (len - 1)) != 0))
		return false;
	if (likely(len == 4)) {
		memcpy(&v32, buf, sizeof(v32));
		rte_write32(v32, addr);
		return true;
	}
	switch (len) {
	case 8:
		memcpy(&v64, buf, sizeof(v64));
		rte_write64(v64, addr);
		return true;
	case 2:
		memcpy(&v16, buf, sizeof(v16));
		rte_write16(v16, addr);
		return true;
	case 1:
		memcpy(&v8, buf, sizeof(v8));
		rte_write8(v8, addr);
		return true;
	default:
		return false;
	}
}

static __rte_always_inline bool
read_natural(uint8_t *addr, union access_buf buf, size_t len)
{
	return load_natural(addr, buf.in, len);
}

static __rte_always_inline bool
write_natural(uint8_t *addr, union access_buf buf, size_t len)
{
	return store_natural(addr, buf.out, len);
}

static __rte_always_inline int
read_call(const struct pci_device *dev, unsigned int region, union access_buf buf, size_t len,
	uint64_t offset)
{
	return dev->backend->region_read(dev, region, buf.in, len, offset);
}

static __rte_always_inline int
write_call(const struct pci_device *dev, unsigned int region, union access_buf buf, size_t len,
	uint64_t offset)
{
	return dev->backend->region_write(dev, region, buf.out, len, offset);
}

static const struct access_dir access_read = {
	.flag = PCI_REGION_F_READ,
	.natural = read_natural,
	.call = read_call,
};

static const struct access_dir access_write = {
	.flag = PCI_REGION_F_WRITE,
	.natural = write_natural,
	.call = write_call,
};

/* The next len bytes of a buffer are done. */
static union access_buf
buf_after(union access_buf buf, size_t len)
{
	return (union access_buf){ .out = (const uint8_t *)buf.out + len };
}

/* The widest access that a device can do in one piece at the start of a range. */
static size_t
natural_width(const uint8_t *addr, size_t len)
{
	size_t width = 8;

	while (width > len || ((uintptr_t)addr & (width - 1)) != 0)
		width /= 2;
	return width;
}

static void
access_mapped(const struct access_dir *dir, uint8_t *addr, union access_buf buf, size_t len)
{
	size_t width;

	for (; len != 0; len -= width) {
		width = natural_width(addr, len);
		dir->natural(addr, buf, width);
		addr += width;
		buf = buf_after(buf, width);
	}
}

void
pci_access_load(void *addr, void *buf, size_t len)
{
	access_mapped(&access_read, addr, (union access_buf){ .in = buf }, len);
}

void
pci_access_store(void *addr, const void *buf, size_t len)
{
	access_mapped(&access_write, addr, (union access_buf){ .out = buf }, len);
}

static __rte_always_inline int
access_check(const struct pci_device *dev, const struct pci_region *region,
	const struct access_dir *dir, uint64_t len, off_t offset)
{
	if (dev->backend == NULL || dev->state == NULL)
		return -ENODEV;
	if (offset < 0 || len > INT_MAX || (uint64_t)offset > region->size ||
			len > region->size - (uint64_t)offset)
		return -EINVAL;
	return (region->flags & dir->flag) != 0 ? 0 : -EACCES;
}

/* What is left of a device that is gone, the backend tells. */
static __rte_always_inline uint32_t
reachable_windows(const struct pci_region *region)
{
	return likely(!pci_region_is_lost(region)) ? region->nb_windows : 0;
}

/* A range that is partly in a window, or needs more than one access there. */
static __rte_noinline int
access_pieces(const struct pci_device *dev, unsigned int index, const struct access_dir *dir,
	union access_buf buf, size_t len, uint64_t offset)
{
	const struct pci_region *region = &dev->region[index];
	const uint32_t nb = reachable_windows(region);
	const uint64_t end = offset + len;
	const struct rte_vfio_area *window;
	uint64_t stop;
	uint32_t i;
	int rc;

	i = rte_vfio_areas_find(region->windows, nb, offset);
	while (offset < end) {
		window = i < nb ? &region->windows[i] : NULL;
		if (window != NULL && window->offset <= offset) {
			stop = RTE_MIN(end, window->offset + window->size);
			access_mapped(dir, region->base + offset, buf, stop - offset);
			i++;
		} else {
			stop = window != NULL ? RTE_MIN(end, window->offset) : end;
			rc = dir->call(dev, index, buf, stop - offset, offset);
			if (rc < 0)
				return rc;
		}
		buf = buf_after(buf, stop - offset);
		offset = stop;
	}
	return (int)len;
}

/* A range that is in the region and may be accessed, most often all in one window or in none. */
static __rte_always_inline int
access_range(const struct pci_device *dev, unsigned int index, const struct access_dir *dir,
	union access_buf buf, size_t len, uint64_t offset)
{
	const struct pci_region *region = &dev->region[index];
	const uint32_t nb = reachable_windows(region);
	const struct rte_vfio_area *window;
	uint32_t i;

	i = rte_vfio_areas_find(region->windows, nb, offset);
	if (i == nb)
		return dir->call(dev, index, buf, len, offset);
	window = &region->windows[i];
	if (offset + len <= window->offset)
		return dir->call(dev, index, buf, len, offset);
	if (window->offset <= offset && len <= window->size - (offset - window->offset) &&
			dir->natural(region->base + offset, buf, len))
		return (int)len;
	return access_pieces(dev, index, dir, buf, len, offset);
}

static __rte_always_inline int
access_any(const struct pci_device *dev, unsigned int index, const struct access_dir *dir,
	union access_buf buf, size_t len, off_t offset)
{
	int rc;

	rc = access_check(dev, &dev->region[index], dir, len, offset);
	if (unlikely(rc != 0 || len == 0))
		return rc;
	return access_range(dev, index, dir, buf, len, (uint64_t)offset);
}

int
pci_access_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	off_t offset)
{
	return access_any(dev, region, &access_read, (union access_buf){ .in = buf }, len, offset);
}

int
pci_access_write(const struct pci_device *dev, unsigned int region, const void *buf, size_t len,
	off_t offset)
{
	return access_any(dev, region, &access_write, (union access_buf){ .out = buf }, len,
		offset);
}

/*
 * Most accesses are one register in the largest window: nothing but bounds and a load. An
 * offset that is negative or before the window wraps to one that is behind it. What the other
 * windows or no window has comes next; all is inline, since each return after a system call is
 * one that the processor does not foresee.
 */
static __rte_noinline int
mmio_read_elsewhere(const struct pci_device *dev, unsigned int bar, void *buf, size_t len,
	off_t offset)
{
	return access_any(dev, bar, &access_read, (union access_buf){ .in = buf }, len, offset);
}

static __rte_noinline int
mmio_write_elsewhere(const struct pci_device *dev, unsigned int bar, const void *buf, size_t len,
	off_t offset)
{
	return access_any(dev, bar, &access_write, (union access_buf){ .out = buf }, len, offset);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_pci_mmio_read, 23.07)
int
rte_pci_mmio_read(const struct rte_pci_device *device, int bar, void *buf, size_t len,
	off_t offset)
{
	const struct pci_device *dev = pci_device_of_const(device);
	const struct pci_hot_window *hot;
	uint64_t at, size;

	if (unlikely((unsigned int)bar >= PCI_MAX_RESOURCE))
		return -EINVAL;
	hot = &dev->region[bar].hot;
	at = (uint64_t)offset - hot->offset;
	size = rte_atomic_load_explicit(&hot->rd_size, rte_memory_order_relaxed);
	if (likely(at < size && len <= size - at &&
			load_natural(hot->addr + at, buf, len)))
		return (int)len;
	return mmio_read_elsewhere(dev, (unsigned int)bar, buf, len, offset);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_pci_mmio_write, 23.07)
int
rte_pci_mmio_write(const struct rte_pci_device *device, int bar, const void *buf, size_t len,
	off_t offset)
{
	const struct pci_device *dev = pci_device_of_const(device);
	const struct pci_hot_window *hot;
	uint64_t at, size;

	if (unlikely((unsigned int)bar >= PCI_MAX_RESOURCE))
		return -EINVAL;
	hot = &dev->region[bar].hot;
	at = (uint64_t)offset - hot->offset;
	size = rte_atomic_load_explicit(&hot->wr_size, rte_memory_order_relaxed);
	if (likely(at < size && len <= size - at &&
			store_natural(hot->addr + at, buf, len)))
		return (int)len;
	return mmio_write_elsewhere(dev, (unsigned int)bar, buf, len, offset);
}

RTE_EXPORT_SYMBOL(rte_pci_read_config)
int
rte_pci_read_config(const struct rte_pci_device *device, void *buf, size_t len, off_t offset)
{
	return pci_access_read(pci_device_of_const(device), PCI_REGION_CONFIG, buf, len, offset);
}

RTE_EXPORT_SYMBOL(rte_pci_write_config)
int
rte_pci_write_config(const struct rte_pci_device *device, const void *buf, size_t len,
	off_t offset)
{
	return pci_access_write(pci_device_of_const(device), PCI_REGION_CONFIG, buf, len, offset);
}
