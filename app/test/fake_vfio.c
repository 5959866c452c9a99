/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_vfio.h"
#include "interpose.h"
#include "test.h"

#define REGION_SHIFT 40		/* the region's index stands above this bit of an offset */
#define PAGE_SIZE ((uint64_t)sysconf(_SC_PAGESIZE))
#define DIM(array_) (sizeof(array_) / sizeof((array_)[0]))

enum { ROUTE_DEV, ROUTE_IOMMUFD, ROUTE_MODULE, NB_ROUTES };

struct fake_route {
	struct interpose_path path[NB_ROUTES];
};

/* An open device; the descriptor's close ends it. */
struct handle {
	struct fake_device *dev;
	struct fake_group *group;
};

typedef int (fake_ioctl_t)(void *ctx, void *arg);

struct fake_ioctl {
	unsigned long request;
	fake_ioctl_t *call;
};

static int
ioctl_find(const struct fake_ioctl *table, size_t n, void *ctx, unsigned long request, void *arg)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (table[i].request == request)
			return table[i].call(ctx, arg);
	return -ENOTTY;
}

/* Whether [off, off + len) lies in [start, start + size). */
static bool
range_in(uint64_t off, uint64_t len, uint64_t start, uint64_t size)
{
	return off >= start && off - start <= size && len <= size - (off - start);
}

/*
 * Capability chains
 */

void
fake_caps_add(struct fake_caps *caps, uint16_t id, uint16_t version, const void *payload,
		uint32_t len)
{
	struct vfio_info_cap_header head = { .id = id, .version = version };
	uint32_t at = (caps->len + 7) & ~UINT32_C(7);

	assert_true(at + sizeof(head) + len <= sizeof(caps->bytes));
	if (caps->len != 0)
		fake_caps_set_last_next(caps, sizeof(struct vfio_region_info) + at);
	memcpy(&caps->bytes[at], &head, sizeof(head));
	if (len != 0)
		memcpy(&caps->bytes[at + sizeof(head)], payload, len);
	caps->last = at;
	caps->len = at + sizeof(head) + len;
}

void
fake_caps_set_last_next(struct fake_caps *caps, uint32_t off)
{
	memcpy(&caps->bytes[caps->last + offsetof(struct vfio_info_cap_header, next)], &off,
		sizeof(off));
}

void
fake_caps_add_sparse(struct fake_caps *caps, uint32_t nr_areas,
		const struct vfio_region_sparse_mmap_area *areas, uint32_t nb)
{
	struct {
		uint32_t nr_areas;
		uint32_t reserved;
		struct vfio_region_sparse_mmap_area areas[FAKE_WINDOWS_MAX];
	} payload = { .nr_areas = nr_areas };

	assert_true(nb <= FAKE_WINDOWS_MAX);
	if (nb != 0)
		memcpy(payload.areas, areas, nb * sizeof(areas[0]));
	fake_caps_add(caps, VFIO_REGION_INFO_CAP_SPARSE_MMAP, 1, &payload,
		8 + nb * sizeof(areas[0]));
}

void
fake_caps_add_msix_mappable(struct fake_caps *caps)
{
	fake_caps_add(caps, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, 1, NULL, 0);
}

/* Gives the fixed part of an info that has @p known bytes, as far as the caller's buffer goes. */
static void
info_give(void *arg, const void *info, uint32_t known)
{
	uint32_t argsz;

	memcpy(&argsz, arg, sizeof(argsz));
	memcpy(arg, info, argsz < known ? argsz : known);
}

/*
 * Devices
 */

static bool
driver_is_vfio(const char *driver)
{
	return driver != NULL && strstr(driver, "vfio") != NULL;
}

static int
device_get_info(void *ctx, void *arg)
{
	struct handle *handle = ctx;
	struct vfio_device_info *info = arg;

	if (info->argsz < offsetof(struct vfio_device_info, num_irqs) + sizeof(info->num_irqs))
		return -EINVAL;
	info->flags = handle->dev->desc.device_flags | VFIO_DEVICE_FLAGS_PCI;
	info->num_regions = FAKE_NB_REGIONS;
	info->num_irqs = FAKE_NB_IRQS;
	return 0;
}

static int
device_get_region_info(void *ctx, void *arg)
{
	struct fake_device *dev = ((struct handle *)ctx)->dev;
	struct vfio_region_info *user = arg;
	struct vfio_region_info info = { .argsz = sizeof(info), .index = user->index };
	const struct fake_region *region;

	if (user->argsz < offsetof(struct vfio_region_info, offset) + sizeof(info.offset) ||
			user->index >= FAKE_NB_REGIONS)
		return -EINVAL;
	region = &dev->desc.regions[user->index];
	dev->nb_region_infos[user->index]++;
	if (region->info_err != 0)
		return -region->info_err;
	info.flags = region->flags;
	info.size = region->size;
	info.offset = (uint64_t)user->index << REGION_SHIFT;
	if (region->caps.len != 0) {
		info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
		info.argsz += region->caps.len;
		if (user->argsz >= info.argsz) {
			info.cap_offset = sizeof(info);
			memcpy(user + 1, region->caps.bytes, region->caps.len);
		}
	}
	if (region->lie_argsz != 0)
		info.argsz = region->lie_argsz;
	if (region->lie_cap_offset != 0)
		info.cap_offset = region->lie_cap_offset;
	info_give(user, &info, sizeof(info));
	return 0;
}

static int
device_get_irq_info(void *ctx, void *arg)
{
	const struct fake_device *dev = ((struct handle *)ctx)->dev;
	struct vfio_irq_info *info = arg;

	if (info->argsz < sizeof(*info) || info->index >= FAKE_NB_IRQS)
		return -EINVAL;
	if (dev->desc.irqs[info->index].info_err != 0)
		return -dev->desc.irqs[info->index].info_err;
	info->flags = dev->desc.irqs[info->index].flags;
	info->count = dev->desc.irqs[info->index].count;
	return 0;
}

static void
irq_unbind(struct fake_device *dev, uint32_t index, uint32_t vector)
{
	if (dev->irqs[index].fds[vector] >= 0)
		close(dev->irqs[index].fds[vector]);
	dev->irqs[index].fds[vector] = -1;
}

static void
irq_disable(struct fake_device *dev, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < dev->irqs[index].nb; i++)
		irq_unbind(dev, index, i);
	dev->irqs[index].nb = 0;
	dev->irqs[index].enabled = false;
	dev->irqs[index].masked = false;
}

static int
irq_bind(struct fake_device *dev, uint32_t index, uint32_t vector, int fd)
{
	irq_unbind(dev, index, vector);
	if (fd < 0)
		return 0;
	dev->irqs[index].fds[vector] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return dev->irqs[index].fds[vector] < 0 ? -EBADF : 0;
}

/* Of INTx, MSI and MSI-X one at most is enabled. */
static bool
irq_other_is_enabled(const struct fake_device *dev, uint32_t index)
{
	uint32_t i;

	for (i = VFIO_PCI_INTX_IRQ_INDEX; i <= VFIO_PCI_MSIX_IRQ_INDEX; i++)
		if (i != index && index <= VFIO_PCI_MSIX_IRQ_INDEX && dev->irqs[i].enabled)
			return true;
	return false;
}

static int
irq_bind_all(struct fake_device *dev, const struct vfio_irq_set *set)
{
	const int *fds = (const int *)(const void *)set->data;
	uint32_t i;
	int rc;

	if (dev->desc.irqs[set->index].set_err != 0)
		return -dev->desc.irqs[set->index].set_err;
	if (irq_other_is_enabled(dev, set->index))
		return -EINVAL;
	/* An enabled MSI or MSI-X does not grow. */
	if (dev->irqs[set->index].enabled && set->start + set->count > dev->irqs[set->index].nb)
		return -EINVAL;
	if (!dev->irqs[set->index].enabled)
		dev->irqs[set->index].nb = set->start + set->count;
	for (i = 0; i < set->count; i++) {
		rc = irq_bind(dev, set->index, set->start + i, fds[i]);
		if (rc != 0)
			return rc;
	}
	dev->irqs[set->index].enabled = true;
	/* ERR and REQ have no state but their descriptor. */
	if (set->index > VFIO_PCI_MSIX_IRQ_INDEX && fds[0] < 0)
		irq_disable(dev, set->index);
	return 0;
}

static int
irq_signal(struct fake_device *dev, uint32_t index, uint32_t start, uint32_t count)
{
	uint32_t i;

	if (!dev->irqs[index].enabled || start + count > dev->irqs[index].nb)
		return -EINVAL;
	for (i = start; i < start + count; i++)
		if (dev->irqs[index].fds[i] >= 0)
			eventfd_write(dev->irqs[index].fds[i], 1);
	return 0;
}

static int
irq_trigger(struct fake_device *dev, const struct vfio_irq_set *set)
{
	if ((set->flags & VFIO_IRQ_SET_DATA_EVENTFD) != 0)
		return irq_bind_all(dev, set);
	if ((set->flags & VFIO_IRQ_SET_DATA_BOOL) != 0)
		return set->data[0] != 0 ? irq_signal(dev, set->index, set->start, set->count) : 0;
	if (set->count != 0)
		return irq_signal(dev, set->index, set->start, set->count);
	if (!dev->irqs[set->index].enabled || irq_other_is_enabled(dev, set->index))
		return -EINVAL;
	irq_disable(dev, set->index);
	return 0;
}

static int
irq_mask(struct fake_device *dev, const struct vfio_irq_set *set, bool mask)
{
	if (set->index != VFIO_PCI_INTX_IRQ_INDEX)
		return -ENOTTY;
	if (!dev->irqs[set->index].enabled || (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) != 0)
		return -EINVAL;
	dev->irqs[set->index].masked = mask;
	return 0;
}

static size_t
irq_data_size(const struct vfio_irq_set *set)
{
	static const size_t sizes[] = {
		[VFIO_IRQ_SET_DATA_BOOL] = 1, [VFIO_IRQ_SET_DATA_EVENTFD] = 4,
	};

	return sizes[set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK] * set->count;
}

static bool
irq_set_is_valid(const struct fake_device *dev, const struct vfio_irq_set *set)
{
	uint32_t data = set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	uint32_t action = set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;

	if (set->argsz < sizeof(*set) || set->index >= FAKE_NB_IRQS)
		return false;
	/* exactly one kind of data and one action */
	if (data == 0 || (data & (data - 1)) != 0 || action == 0 || (action & (action - 1)) != 0 ||
			(set->flags & ~(data | action)) != 0)
		return false;
	if (set->start >= dev->desc.irqs[set->index].count ||
			!range_in(set->start, set->count, 0, dev->desc.irqs[set->index].count))
		return false;
	if (set->start + set->count > FAKE_IRQ_VECTORS_MAX)
		return false;
	return set->argsz - sizeof(*set) >= irq_data_size(set) &&
		(data == VFIO_IRQ_SET_DATA_NONE || set->count != 0);
}

static int
device_set_irqs(void *ctx, void *arg)
{
	struct fake_device *dev = ((struct handle *)ctx)->dev;
	const struct vfio_irq_set *set = arg;

	dev->nb_set_irqs++;
	if (!irq_set_is_valid(dev, set))
		return -EINVAL;
	if ((set->flags & VFIO_IRQ_SET_ACTION_TRIGGER) != 0)
		return irq_trigger(dev, set);
	return irq_mask(dev, set, (set->flags & VFIO_IRQ_SET_ACTION_MASK) != 0);
}

static int
device_reset(void *ctx, void *arg)
{
	struct fake_device *dev = ((struct handle *)ctx)->dev;

	if ((dev->desc.device_flags & VFIO_DEVICE_FLAGS_RESET) == 0)
		return -EINVAL;
	if (dev->reset_err != 0)
		return -dev->reset_err;
	dev->nb_resets++;
	return 0;
}

static const struct fake_ioctl device_ioctls[] = {
	{ VFIO_DEVICE_GET_INFO, device_get_info },
	{ VFIO_DEVICE_GET_REGION_INFO, device_get_region_info },
	{ VFIO_DEVICE_GET_IRQ_INFO, device_get_irq_info },
	{ VFIO_DEVICE_SET_IRQS, device_set_irqs },
	{ VFIO_DEVICE_RESET, device_reset },
};

static int
device_ioctl(void *ctx, unsigned long request, void *arg)
{
	return ioctl_find(device_ioctls, DIM(device_ioctls), ctx, request, arg);
}

static bool
region_permits_map(const struct fake_region *region, uint64_t off, uint64_t len)
{
	uint64_t size = (region->size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	uint32_t i;

	if ((region->flags & VFIO_REGION_INFO_FLAG_MMAP) == 0 || region->refuse_mmap)
		return false;
	if (region->nb_windows == 0)
		return range_in(off, len, 0, size);
	for (i = 0; i < region->nb_windows; i++)
		if (range_in(off, len, region->windows[i].offset, region->windows[i].size))
			return true;
	return false;
}

static int
device_mmap(void *ctx, size_t len, int prot, int flags, off_t off)
{
	const struct fake_device *dev = ((struct handle *)ctx)->dev;
	uint64_t index = (uint64_t)off >> REGION_SHIFT;
	const struct fake_region *region;

	if (index > VFIO_PCI_BAR5_REGION_INDEX || (flags & MAP_SHARED) == 0)
		return -EINVAL;
	region = &dev->desc.regions[index];
	if ((prot & PROT_WRITE) != 0 && (region->flags & VFIO_REGION_INFO_FLAG_WRITE) == 0)
		return -EPERM;
	return region_permits_map(region, (uint64_t)off & ((UINT64_C(1) << REGION_SHIFT) - 1),
		len) ?
		0 : -EINVAL;
}

/* Checks an access and cuts it at the region's end; returns the bytes to move or -errno. */
static ssize_t
device_access(struct fake_device *dev, off_t at, size_t len, bool write, struct fake_access *out)
{
	const struct fake_region *region;

	out->region = (uint32_t)((uint64_t)at >> REGION_SHIFT);
	out->off = (uint64_t)at & ((UINT64_C(1) << REGION_SHIFT) - 1);
	out->write = write;
	if (at < 0 || out->region >= FAKE_NB_REGIONS)
		return -EINVAL;
	region = &dev->desc.regions[out->region];
	if ((region->flags & (write ? VFIO_REGION_INFO_FLAG_WRITE :
			VFIO_REGION_INFO_FLAG_READ)) == 0)
		return -EINVAL;
	if (region->io_err != 0)
		return -region->io_err;
	if (out->off >= region->size)
		return -EINVAL;
	if (len > region->size - out->off)
		len = region->size - out->off;
	if (region->io_max != 0 && len > region->io_max)
		len = region->io_max;
	out->len = len;
	if (dev->nb_accesses < FAKE_ACCESSES_MAX)
		dev->accesses[dev->nb_accesses] = *out;
	dev->nb_accesses++;
	return (ssize_t)len;
}

/* Whether the byte is one of the MSI-X table, which VFIO keeps to itself. */
static bool
byte_is_kept(const struct fake_device *dev, const struct fake_access *access, uint64_t off)
{
	return access->region == dev->desc.msix_table.bar && dev->desc.msix_table.len != 0 &&
		range_in(off, 1, dev->desc.msix_table.off, dev->desc.msix_table.len);
}

static ssize_t
device_pread(void *ctx, void *buf, size_t len, off_t at)
{
	struct fake_device *dev = ((struct handle *)ctx)->dev;
	struct fake_access access;
	uint8_t *bytes = buf;
	ssize_t i, n;

	n = device_access(dev, at, len, false, &access);
	if (n < 0)
		return n;
	n = pread(dev->memfd, buf, (size_t)n, at);
	for (i = 0; i < n; i++)
		if (byte_is_kept(dev, &access, access.off + (uint64_t)i))
			bytes[i] = 0xff;
	return n;
}

static ssize_t
device_pwrite(void *ctx, const void *buf, size_t len, off_t at)
{
	struct fake_device *dev = ((struct handle *)ctx)->dev;
	struct fake_access access;
	const uint8_t *bytes = buf;
	ssize_t i, n;

	n = device_access(dev, at, len, true, &access);
	if (n < 0 || dev->desc.msix_table.len == 0 || access.region != dev->desc.msix_table.bar)
		return n < 0 ? n : pwrite(dev->memfd, buf, (size_t)n, at);
	for (i = 0; i < n; i++)
		if (!byte_is_kept(dev, &access, access.off + (uint64_t)i) &&
				pwrite(dev->memfd, &bytes[i], 1, at + i) != 1)
			return -EIO;
	return n;
}

static void group_let_go(struct fake_group *group);

static void
device_close(void *ctx)
{
	struct handle *handle = ctx;
	uint32_t i;

	handle->dev->nb_open--;
	for (i = 0; i < FAKE_NB_IRQS && handle->dev->nb_open == 0; i++)
		irq_disable(handle->dev, i);
	handle->group->nb_open_devices--;
	group_let_go(handle->group);
	free(handle);
}

static const struct interpose_fd_ops device_ops = {
	.ioctl = device_ioctl,
	.mmap = device_mmap,
	.pread = device_pread,
	.pwrite = device_pwrite,
	.close = device_close,
};

int
fake_vfio_fire(struct fake_device *dev, uint32_t index, uint32_t vector)
{
	if (vector >= dev->irqs[index].nb || dev->irqs[index].fds[vector] < 0)
		return -ENOTCONN;
	if (dev->irqs[index].masked)
		return 0;
	if ((dev->desc.irqs[index].flags & VFIO_IRQ_INFO_AUTOMASKED) != 0)
		dev->irqs[index].masked = true;
	interpose_bypass_begin();
	eventfd_write(dev->irqs[index].fds[vector], 1);
	interpose_bypass_end();
	return 0;
}

void
fake_vfio_peek(const struct fake_device *dev, uint32_t region, uint64_t off, void *buf, size_t len)
{
	ssize_t n;

	interpose_bypass_begin();
	n = pread(dev->memfd, buf, len, (off_t)(((uint64_t)region << REGION_SHIFT) + off));
	interpose_bypass_end();
	assert_int_equal(n, len);
}

void
fake_vfio_poke(struct fake_device *dev, uint32_t region, uint64_t off, const void *buf, size_t len)
{
	ssize_t n;

	interpose_bypass_begin();
	n = pwrite(dev->memfd, buf, len, (off_t)(((uint64_t)region << REGION_SHIFT) + off));
	interpose_bypass_end();
	assert_int_equal(n, len);
}

/*
 * Containers
 */

static bool
container_is_noiommu(const struct fake_container *container)
{
	const struct fake_group *group;

	for (group = container->fake->groups; group != NULL; group = group->next)
		if (group->container == container)
			return group->noiommu;
	return false;
}

static int
container_get_api_version(void *ctx, void *arg)
{
	return VFIO_API_VERSION;
}

static int
container_check_extension(void *ctx, void *arg)
{
	const struct fake_container *container = ctx;
	const struct fake_vfio *fake = container->fake;
	bool real = container->nb_groups == 0 || !container_is_noiommu(container);
	bool unreal = container->nb_groups == 0 || container_is_noiommu(container);

	switch ((uintptr_t)arg) {
	case VFIO_TYPE1_IOMMU:
		return real && !fake->no_type1;
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return real && !fake->no_type1 && !fake->no_type1v2;
	case VFIO_NOIOMMU_IOMMU:
		return unreal && fake->noiommu;
	default:
		return 0;
	}
}

static int
container_set_iommu(void *ctx, void *arg)
{
	struct fake_container *container = ctx;

	if (container->nb_groups == 0 || container->iommu != 0)
		return -EINVAL;
	if (container_check_extension(ctx, arg) == 0)
		return -ENODEV;
	container->iommu = (int)(uintptr_t)arg;
	return 0;
}

static uint32_t
lie_or(uint32_t lie, uint32_t truth)
{
	return lie != 0 ? lie : truth;
}

static uint32_t
container_put_iova_ranges(const struct fake_vfio *fake, uint8_t *at)
{
	struct vfio_iommu_type1_info_cap_iova_range cap = {
		.header = { .id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, .version = 1 },
		.nr_iovas = lie_or(fake->iommu_lie.nr_iovas, fake->nb_iova_ranges),
	};

	if (fake->nb_iova_ranges == 0)
		return 0;
	memcpy(at, &cap, sizeof(cap));
	memcpy(at + sizeof(cap), fake->iova_ranges,
		fake->nb_iova_ranges * sizeof(fake->iova_ranges[0]));
	return sizeof(cap) + fake->nb_iova_ranges * sizeof(fake->iova_ranges[0]);
}

static int
container_get_info(void *ctx, void *arg)
{
	const struct fake_container *container = ctx;
	const struct fake_vfio *fake = container->fake;
	struct vfio_iommu_type1_info info = {
		.argsz = sizeof(info),
		.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS,
		.iova_pgsizes = fake->pgsizes,
	};
	struct vfio_iommu_type1_info_dma_avail avail = {
		.header = { .id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, .version = 1 },
		.avail = fake->dma_avail - (uint32_t)container->nb_dma,
	};
	uint8_t caps[256];
	uint32_t user_argsz, len;

	memcpy(&user_argsz, arg, sizeof(user_argsz));
	if (user_argsz < 16)
		return -EINVAL;
	len = container_put_iova_ranges(fake, caps);
	if (len != 0)
		memcpy(&caps[offsetof(struct vfio_info_cap_header, next)],
			&(uint32_t){ lie_or(fake->iommu_lie.next, sizeof(info) + len) },
			sizeof(uint32_t));
	memcpy(&caps[len], &avail, sizeof(avail));
	len += sizeof(avail);
	info.argsz += len;
	if (user_argsz >= info.argsz) {
		info.cap_offset = lie_or(fake->iommu_lie.cap_offset, sizeof(info));
		memcpy((uint8_t *)arg + sizeof(info), caps, len);
	}
	info.argsz = lie_or(fake->iommu_lie.argsz, info.argsz);
	info_give(arg, &info, sizeof(info));
	return 0;
}

static bool
iova_is_permitted(const struct fake_vfio *fake, uint64_t iova, uint64_t size)
{
	uint32_t i;

	for (i = 0; i < fake->nb_iova_ranges; i++)
		if (iova >= fake->iova_ranges[i].start &&
				iova + (size - 1) <= fake->iova_ranges[i].end)
			return true;
	return fake->nb_iova_ranges == 0;
}

/* Index of the first mapping that ends above iova. */
static size_t
dma_find(const struct fake_container *container, uint64_t iova)
{
	size_t low = 0, high = container->nb_dma;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (container->dma[mid].iova + (container->dma[mid].size - 1) < iova)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int
dma_map_check(const struct fake_container *container, const struct vfio_iommu_type1_dma_map *map)
{
	uint64_t mask = (container->fake->pgsizes & -container->fake->pgsizes) - 1;
	size_t at = dma_find(container, map->iova);

	if (map->argsz < sizeof(*map) || (map->flags & ~3u) != 0 || map->flags == 0)
		return -EINVAL;
	if (map->size == 0 || ((map->size | map->iova | map->vaddr) & mask) != 0)
		return -EINVAL;
	if (map->iova + (map->size - 1) < map->iova || map->vaddr + (map->size - 1) < map->vaddr)
		return -EINVAL;
	if (at < container->nb_dma && container->dma[at].iova <= map->iova + (map->size - 1))
		return -EEXIST;
	if (container->nb_dma >= container->fake->dma_avail)
		return -ENOSPC;
	if (!iova_is_permitted(container->fake, map->iova, map->size))
		return -EINVAL;
	/* The kernel pins the pages, so they have to be there. */
	return msync((void *)(uintptr_t)map->vaddr, map->size, MS_ASYNC) == 0 ? 0 : -EFAULT;
}

static int
container_map_dma(void *ctx, void *arg)
{
	struct fake_container *container = ctx;
	const struct vfio_iommu_type1_dma_map *map = arg;
	struct fake_dma *dma = container->dma;
	size_t at;
	int rc;

	if (container->iommu == 0)
		return -EINVAL;
	if (container->iommu == VFIO_NOIOMMU_IOMMU)
		return -ENOTTY;
	rc = dma_map_check(container, map);
	if (rc != 0)
		return rc;
	if (container->nb_dma == container->max_dma) {
		container->max_dma += 64;
		dma = realloc(dma, container->max_dma * sizeof(*dma));
		assert_non_null(dma);
		container->dma = dma;
	}
	at = dma_find(container, map->iova);
	memmove(&dma[at + 1], &dma[at], (container->nb_dma - at) * sizeof(*dma));
	dma[at] = (struct fake_dma){ map->iova, map->vaddr, map->size, map->flags };
	container->nb_dma++;
	container->nb_maps++;
	return 0;
}

/*
 * The second type refuses to cut a mapping; the first takes the whole of one that is cut at its
 * end.
 */
static int
dma_unmap(struct fake_container *container, uint64_t iova, uint64_t size, uint64_t *unmapped)
{
	bool v2 = container->iommu == VFIO_TYPE1v2_IOMMU;
	size_t first = dma_find(container, iova), end = first, i;
	uint64_t last = iova + (size - 1);

	while (end < container->nb_dma && container->dma[end].iova <= last)
		end++;
	for (i = first; i < end; i++) {
		const struct fake_dma *dma = &container->dma[i];

		if (v2 && (dma->iova < iova || dma->iova + (dma->size - 1) > last))
			return -EINVAL;
		if (!v2 && dma->iova < iova)
			return 0;
	}
	for (i = first; i < end; i++)
		*unmapped += container->dma[i].size;
	memmove(&container->dma[first], &container->dma[end],
		(container->nb_dma - end) * sizeof(container->dma[0]));
	container->nb_dma -= end - first;
	return 0;
}

static int
container_unmap_dma(void *ctx, void *arg)
{
	struct fake_container *container = ctx;
	struct vfio_iommu_type1_dma_unmap *unmap = arg;
	uint64_t mask = (container->fake->pgsizes & -container->fake->pgsizes) - 1;
	bool all = (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL) != 0;
	uint64_t unmapped = 0;
	int rc;

	if (container->iommu == 0)
		return -EINVAL;
	if (container->iommu == VFIO_NOIOMMU_IOMMU)
		return -ENOTTY;
	if (unmap->argsz < sizeof(*unmap) || (unmap->flags & ~VFIO_DMA_UNMAP_FLAG_ALL) != 0)
		return -EINVAL;
	if (all != (unmap->size == 0) || (all && unmap->iova != 0))
		return -EINVAL;
	if (((unmap->iova | unmap->size) & mask) != 0)
		return -EINVAL;
	if (!all && unmap->iova + (unmap->size - 1) < unmap->iova)
		return -EINVAL;
	rc = dma_unmap(container, unmap->iova, all ? UINT64_MAX : unmap->size, &unmapped);
	if (rc != 0)
		return rc;
	container->nb_unmaps++;
	unmap->size = unmapped;
	return 0;
}

static const struct fake_ioctl container_ioctls[] = {
	{ VFIO_GET_API_VERSION, container_get_api_version },
	{ VFIO_CHECK_EXTENSION, container_check_extension },
	{ VFIO_SET_IOMMU, container_set_iommu },
	{ VFIO_IOMMU_GET_INFO, container_get_info },
	{ VFIO_IOMMU_MAP_DMA, container_map_dma },
	{ VFIO_IOMMU_UNMAP_DMA, container_unmap_dma },
};

static int
container_ioctl(void *ctx, unsigned long request, void *arg)
{
	return ioctl_find(container_ioctls, DIM(container_ioctls), ctx, request, arg);
}

/* A container lives until it is closed and its last group has left. */
static void
container_let_go(struct fake_container *container)
{
	struct fake_container **at = &container->fake->containers;

	if (container->fd >= 0 || container->nb_groups != 0)
		return;
	while (*at != container)
		at = &(*at)->next;
	*at = container->next;
	free(container->dma);
	free(container);
}

static void
container_close(void *ctx)
{
	struct fake_container *container = ctx;

	container->fd = -1;
	container_let_go(container);
}

static const struct interpose_fd_ops container_ops = {
	.ioctl = container_ioctl,
	.close = container_close,
};

static int
container_open(struct fake_vfio *fake)
{
	struct fake_container *container;
	int fd;

	if (fake->no_node)
		return -ENOENT;
	if (fake->container_err != 0)
		return -fake->container_err;
	container = calloc(1, sizeof(*container));
	fd = memfd_create("vfio-container", MFD_CLOEXEC);
	if (container == NULL || fd < 0) {
		free(container);
		return -EMFILE;
	}
	container->fake = fake;
	container->fd = fd;
	container->next = fake->containers;
	fake->containers = container;
	interpose_route_fd(fd, &container_ops, container);
	return fd;
}

struct fake_container *
fake_vfio_container(const struct fake_device *dev)
{
	const struct fake_group *group;

	for (group = dev->fake->groups; group != NULL; group = group->next)
		if (group->number == dev->desc.group)
			return group->container;
	return NULL;
}

const struct fake_dma *
fake_vfio_dma(const struct fake_container *container, uint64_t iova)
{
	size_t at = dma_find(container, iova);

	if (at == container->nb_dma || container->dma[at].iova > iova)
		return NULL;
	return &container->dma[at];
}

/*
 * Groups
 */

static bool
group_is_viable(const struct fake_group *group)
{
	const struct fake_device *dev;

	for (dev = group->fake->devices; dev != NULL; dev = dev->next)
		if (dev->desc.group == group->number && dev->desc.driver != NULL &&
				!driver_is_vfio(dev->desc.driver) &&
				strcmp(dev->desc.driver, "pci-stub") != 0 &&
				strcmp(dev->desc.driver, "pcieport") != 0)
			return false;
	return true;
}

static void
group_leave(struct fake_group *group)
{
	struct fake_container *container = group->container;

	group->container = NULL;
	/* With its last group a container loses its IOMMU and all that is mapped there. */
	if (--container->nb_groups == 0) {
		container->iommu = 0;
		container->nb_dma = 0;
	}
	container_let_go(container);
}

/* The node is closed, and so are the devices that hold it. */
static void
group_let_go(struct fake_group *group)
{
	if (group->fd < 0 && group->nb_open_devices == 0 && group->container != NULL)
		group_leave(group);
}

static int
group_get_status(void *ctx, void *arg)
{
	const struct fake_group *group = ctx;
	struct vfio_group_status *status = arg;

	if (status->argsz < sizeof(*status))
		return -EINVAL;
	status->flags = 0;
	if (group->container != NULL)
		status->flags = VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET;
	else if (group_is_viable(group))
		status->flags = VFIO_GROUP_FLAGS_VIABLE;
	return 0;
}

static int
group_set_container(void *ctx, void *arg)
{
	struct fake_group *group = ctx;
	struct fake_container *container;
	int fd = *(int *)arg;

	if (group->container != NULL)
		return -EINVAL;
	for (container = group->fake->containers; container != NULL; container = container->next)
		if (container->fd == fd)
			break;
	if (container == NULL)
		return fcntl(fd, F_GETFD) < 0 ? -EBADF : -EBADFD;
	if (container->nb_groups != 0 && container_is_noiommu(container) != group->noiommu)
		return -EPERM;
	if (!group->noiommu && !group_is_viable(group))
		return -EPERM;
	group->container = container;
	container->nb_groups++;
	return 0;
}

static int
group_unset_container(void *ctx, void *arg)
{
	struct fake_group *group = ctx;

	if (group->container == NULL)
		return -EINVAL;
	if (group->nb_open_devices != 0)
		return -EBUSY;
	group_leave(group);
	return 0;
}

/* The name may carry the token of a virtual function: "NAME vf_token=UUID". */
static int
device_check_token(const struct fake_device *dev, const char *text)
{
	static const char key[] = " vf_token=";
	const char *given = text + strlen(dev->desc.name);

	if (*given == '\0')
		return dev->desc.vf_token != NULL ? -EACCES : 0;
	if (strncmp(given, key, strlen(key)) != 0)
		return -ENODEV;
	if (dev->desc.vf_token == NULL)
		return -EINVAL;
	return strcmp(given + strlen(key), dev->desc.vf_token) == 0 ? 0 : -EACCES;
}

static struct fake_device *
group_find_device(const struct fake_group *group, const char *text)
{
	struct fake_device *dev;

	for (dev = group->fake->devices; dev != NULL; dev = dev->next) {
		size_t len = strlen(dev->desc.name);

		if (dev->desc.group == group->number && driver_is_vfio(dev->desc.driver) &&
				strncmp(text, dev->desc.name, len) == 0 &&
				(text[len] == '\0' || text[len] == ' '))
			return dev;
	}
	return NULL;
}

static int
group_get_device_fd(void *ctx, void *arg)
{
	struct fake_group *group = ctx;
	struct fake_device *dev = group_find_device(group, arg);
	struct handle *handle;
	int fd, rc;

	if (dev == NULL)
		return -ENODEV;
	rc = device_check_token(dev, arg);
	if (rc != 0)
		return rc;
	if (group->container == NULL || group->container->iommu == 0)
		return -EINVAL;
	if (dev->open_err != 0)
		return -dev->open_err;
	handle = malloc(sizeof(*handle));
	fd = fcntl(dev->memfd, F_DUPFD_CLOEXEC, 0);
	if (handle == NULL || fd < 0) {
		free(handle);
		return -EMFILE;
	}
	*handle = (struct handle){ dev, group };
	dev->nb_open++;
	dev->nb_opened++;
	group->nb_open_devices++;
	interpose_route_fd(fd, &device_ops, handle);
	return fd;
}

static const struct fake_ioctl group_ioctls[] = {
	{ VFIO_GROUP_GET_STATUS, group_get_status },
	{ VFIO_GROUP_SET_CONTAINER, group_set_container },
	{ VFIO_GROUP_UNSET_CONTAINER, group_unset_container },
	{ VFIO_GROUP_GET_DEVICE_FD, group_get_device_fd },
};

static int
group_ioctl(void *ctx, unsigned long request, void *arg)
{
	return ioctl_find(group_ioctls, DIM(group_ioctls), ctx, request, arg);
}

static void
group_close(void *ctx)
{
	struct fake_group *group = ctx;

	group->fd = -1;
	group_let_go(group);
}

static const struct interpose_fd_ops group_ops = {
	.ioctl = group_ioctl,
	.close = group_close,
};

/* A group has its node as long as VFIO has a device in it. */
static bool
group_has_node(const struct fake_group *group)
{
	const struct fake_device *dev;

	for (dev = group->fake->devices; dev != NULL; dev = dev->next)
		if (dev->desc.group == group->number && driver_is_vfio(dev->desc.driver))
			return true;
	return false;
}

static struct fake_group *
group_of_node(struct fake_vfio *fake, const char *name)
{
	struct fake_group *group;
	char node[32];

	for (group = fake->groups; group != NULL; group = group->next) {
		snprintf(node, sizeof(node), "%s%d", group->noiommu ? "noiommu-" : "",
			group->number);
		if (strcmp(node, name) == 0 && group_has_node(group))
			return group;
	}
	return NULL;
}

static int
group_open(struct fake_vfio *fake, const char *name)
{
	struct fake_group *group = group_of_node(fake, name);

	if (group == NULL)
		return -ENOENT;
	if (fake->group_err != 0)
		return -fake->group_err;
	if (group->fd >= 0 || group->nb_open_devices != 0)
		return -EBUSY;
	group->fd = memfd_create("vfio-group", MFD_CLOEXEC);
	if (group->fd < 0)
		return -EMFILE;
	interpose_route_fd(group->fd, &group_ops, group);
	return group->fd;
}

/*
 * Paths
 */

static const char *
path_rest(const char *path, const char *dir)
{
	return path + strlen(dir);
}

static int
dev_open(void *ctx, const char *path, int flags)
{
	const char *name = path_rest(path, "/dev/vfio/");

	return strcmp(name, "vfio") == 0 ? container_open(ctx) : group_open(ctx, name);
}

static int
dev_access(void *ctx, const char *path)
{
	struct fake_vfio *fake = ctx;
	const char *name = path_rest(path, "/dev/vfio/");

	if (strcmp(name, "vfio") == 0)
		return fake->no_node ? -ENOENT : -fake->container_err;
	return group_of_node(fake, name) == NULL ? -ENOENT : -fake->group_err;
}

static int
none_open(void *ctx, const char *path, int flags)
{
	return -ENOENT;
}

static int
none_access(void *ctx, const char *path)
{
	return -ENOENT;
}

static int
module_open(void *ctx, const char *path, int flags)
{
	const struct fake_vfio *fake = ctx;
	int fd;

	if (strcmp(path_rest(path, "/sys/module/"),
			"vfio/parameters/enable_unsafe_noiommu_mode") != 0)
		return -ENOENT;
	fd = memfd_create("enable_unsafe_noiommu_mode", MFD_CLOEXEC);
	if (fd >= 0 && pwrite(fd, fake->noiommu ? "Y\n" : "N\n", 2, 0) != 2) {
		close(fd);
		return -EIO;
	}
	return fd < 0 ? -errno : fd;
}

static int
module_access(void *ctx, const char *path)
{
	const struct fake_vfio *fake = ctx;
	const char *name = path_rest(path, "/sys/module/");

	if (fake->no_node)
		return -ENOENT;
	if (strcmp(name, "vfio_iommu_type1") == 0)
		return fake->no_type1 ? -ENOENT : 0;
	return strcmp(name, "vfio") == 0 || strcmp(name, "vfio_pci") == 0 ||
		strcmp(name, "vfio_pci_core") == 0 ? 0 : -ENOENT;
}

static const struct interpose_path routes[NB_ROUTES] = {
	[ROUTE_DEV] = { .path = "/dev/vfio/", .open = dev_open, .access = dev_access },
	[ROUTE_IOMMUFD] = { .path = "/dev/iommu", .open = none_open, .access = none_access },
	[ROUTE_MODULE] = { .path = "/sys/module/", .open = module_open, .access = module_access },
};

/*
 * sysfs
 */

static void __attribute__((format(printf, 3, 4)))
path_make(char *out, size_t size, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(out, size, format, ap);
	va_end(ap);
	assert_true(n > 0 && (size_t)n < size);
}

static void
folder_make(const char *path)
{
	if (mkdir(path, 0755) != 0)
		assert_int_equal(errno, EEXIST);
}

static void
file_write(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

void
fake_vfio_set_attr(struct fake_device *dev, const char *attr, const char *text)
{
	char path[256];

	interpose_bypass_begin();
	path_make(path, sizeof(path), "%s/%s/%s", dev->fake->sysfs, dev->desc.name, attr);
	if (text == NULL)
		assert_int_equal(unlink(path), 0);
	else
		file_write(path, text, strlen(text));
	interpose_bypass_end();
}

static void __attribute__((format(printf, 3, 4)))
attr_set(struct fake_device *dev, const char *attr, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fake_vfio_set_attr(dev, attr, text);
}

static void
attr_link(const struct fake_device *dev, const char *attr, const char *target)
{
	char path[256];

	path_make(path, sizeof(path), "%s/%s/%s", dev->fake->sysfs, dev->desc.name, attr);
	unlink(path);
	if (target != NULL)
		assert_int_equal(symlink(target, path), 0);
}

static void
sysfs_bind(const struct fake_device *dev, const char *driver)
{
	char target[256], path[256];

	path_make(path, sizeof(path), "%s/%s/vfio-dev", dev->fake->sysfs, dev->desc.name);
	if (driver_is_vfio(driver))
		folder_make(path);
	else
		rmdir(path);
	if (driver == NULL) {
		attr_link(dev, "driver", NULL);
		return;
	}
	path_make(path, sizeof(path), "%s/drivers/%s", dev->fake->root, driver);
	folder_make(path);
	path_make(target, sizeof(target), "../../drivers/%s", driver);
	attr_link(dev, "driver", target);
}

static void
sysfs_group(const struct fake_device *dev)
{
	char target[256], path[256];

	if (dev->desc.group < 0)
		return;
	path_make(path, sizeof(path), "%s/iommu_groups/%d", dev->fake->root, dev->desc.group);
	folder_make(path);
	path_make(path, sizeof(path), "%s/iommu_groups/%d/devices", dev->fake->root,
		dev->desc.group);
	folder_make(path);
	path_make(path, sizeof(path), "%s/iommu_groups/%d/devices/%s", dev->fake->root,
		dev->desc.group, dev->desc.name);
	path_make(target, sizeof(target), "../../../devices/%s", dev->desc.name);
	assert_int_equal(symlink(target, path), 0);
	if (dev->desc.noiommu) {
		path_make(path, sizeof(path), "%s/iommu_groups/%d/name", dev->fake->root,
			dev->desc.group);
		file_write(path, "vfio-noiommu\n", 13);
	}
	path_make(target, sizeof(target), "../../iommu_groups/%d", dev->desc.group);
	attr_link(dev, "iommu_group", target);
}

static uint32_t
config_word(const struct fake_device *dev, uint32_t off)
{
	uint32_t word;

	fake_vfio_peek(dev, VFIO_PCI_CONFIG_REGION_INDEX, off, &word, sizeof(word));
	return word;
}

static void
sysfs_resource(struct fake_device *dev)
{
	char text[7 * 58 + 1];
	uint64_t start = 0x80000000;
	uint64_t size;
	uint32_t i;
	bool port;

	for (i = 0; i < 7; i++) {
		size = dev->desc.regions[i].size;
		port = i < 6 && (config_word(dev, 0x10 + 4 * i) & 1) != 0;
		start = size == 0 ? start : (start + size - 1) / size * size;
		snprintf(&text[i * 57], 58, "0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016x\n",
			size == 0 ? 0 : start, size == 0 ? 0 : start + size - 1,
			size == 0 ? 0 : port ? 0x40101 : 0x40200);
		start += size;
	}
	fake_vfio_set_attr(dev, "resource", text);
}

static void
sysfs_ids(struct fake_device *dev)
{
	const struct fake_device_desc *d = &dev->desc;
	char alias[80];

	snprintf(alias, sizeof(alias), "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", d->vendor,
		d->device, d->subsystem_vendor, d->subsystem_device, (d->class_id >> 16) & 0xff,
		(d->class_id >> 8) & 0xff, d->class_id & 0xff);
	attr_set(dev, "modalias", "%s\n", alias);
	attr_set(dev, "vendor", "0x%04x\n", d->vendor);
	attr_set(dev, "device", "0x%04x\n", d->device);
	attr_set(dev, "subsystem_vendor", "0x%04x\n", d->subsystem_vendor);
	attr_set(dev, "subsystem_device", "0x%04x\n", d->subsystem_device);
	attr_set(dev, "class", "0x%06x\n", d->class_id);
	attr_set(dev, "numa_node", "%d\n", d->numa_node);
	attr_set(dev, "uevent", "PCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\n"
		"PCI_SLOT_NAME=%s\nMODALIAS=%s\n", d->class_id, d->vendor, d->device,
		d->subsystem_vendor, d->subsystem_device, d->name, alias);
	if (d->max_vfs != 0)
		attr_set(dev, "max_vfs", "%u\n", d->max_vfs);
}

static void
sysfs_config(const struct fake_device *dev)
{
	uint8_t config[4096];
	char path[256];
	size_t len = dev->desc.regions[VFIO_PCI_CONFIG_REGION_INDEX].size;

	assert_true(len <= sizeof(config));
	fake_vfio_peek(dev, VFIO_PCI_CONFIG_REGION_INDEX, 0, config, len);
	path_make(path, sizeof(path), "%s/%s/config", dev->fake->sysfs, dev->desc.name);
	file_write(path, config, len);
}

static void
sysfs_add(struct fake_device *dev)
{
	char path[256];

	path_make(path, sizeof(path), "%s/%s", dev->fake->sysfs, dev->desc.name);
	assert_int_equal(mkdir(path, 0755), 0);
	sysfs_ids(dev);
	sysfs_resource(dev);
	sysfs_config(dev);
	sysfs_group(dev);
	sysfs_bind(dev, dev->desc.driver);
}

static int
tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void
tree_remove(const char *path)
{
	nftw(path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/*
 * The whole
 */

/* In memory if possible: there are many small files. */
static void
root_make(char *root, size_t size)
{
	path_make(root, size, "/dev/shm/dpdk-test-XXXXXX");
	if (mkdtemp(root) != NULL)
		return;
	path_make(root, size, "/tmp/dpdk-test-XXXXXX");
	assert_non_null(mkdtemp(root));
}

struct fake_vfio *
fake_vfio_start(void)
{
	static const char *const folders[] = { "devices", "drivers", "iommu_groups" };
	static char env[128];
	struct fake_vfio *fake = calloc(1, sizeof(*fake));
	char path[128];
	size_t i;

	assert_non_null(fake);
	interpose_bypass_begin();
	fake->pgsizes = UINT64_C(0x40201000);
	fake->dma_avail = 65535;
	root_make(fake->root, sizeof(fake->root));
	for (i = 0; i < DIM(folders); i++) {
		path_make(path, sizeof(path), "%s/%s", fake->root, folders[i]);
		folder_make(path);
	}
	path_make(fake->sysfs, sizeof(fake->sysfs), "%s/devices", fake->root);
	/* setenv() would keep a copy for ever. */
	path_make(env, sizeof(env), "SYSFS_PCI_DEVICES=%s", fake->sysfs);
	assert_int_equal(putenv(env), 0);
	fake->routes = calloc(1, sizeof(*fake->routes));
	assert_non_null(fake->routes);
	for (i = 0; i < NB_ROUTES; i++) {
		fake->routes->path[i] = routes[i];
		fake->routes->path[i].ctx = fake;
		interpose_route_path(&fake->routes->path[i]);
	}
	interpose_bypass_end();
	return fake;
}

static void
groups_free(struct fake_vfio *fake)
{
	struct fake_group *group;

	while ((group = fake->groups) != NULL) {
		fake->groups = group->next;
		free(group);
	}
}

static void
devices_free(struct fake_vfio *fake)
{
	struct fake_device *dev;

	while ((dev = fake->devices) != NULL) {
		fake->devices = dev->next;
		close(dev->memfd);
		free(dev);
	}
}

static unsigned int
count_open(const struct fake_vfio *fake)
{
	const struct fake_container *container;
	const struct fake_device *dev;
	const struct fake_group *group;
	unsigned int n = 0;

	for (container = fake->containers; container != NULL; container = container->next)
		n++;
	for (group = fake->groups; group != NULL; group = group->next)
		n += group->fd >= 0;
	for (dev = fake->devices; dev != NULL; dev = dev->next)
		n += dev->nb_open;
	return n;
}

void
fake_vfio_stop(struct fake_vfio *fake)
{
	unsigned int nb_open = count_open(fake);
	size_t i;

	interpose_bypass_begin();
	for (i = 0; i < NB_ROUTES; i++)
		interpose_unroute_path(&fake->routes->path[i]);
	unsetenv("SYSFS_PCI_DEVICES");
	tree_remove(fake->root);
	interpose_bypass_end();
	if (nb_open != 0)
		fail_msg("%u descriptors of the fake VFIO are still open", nb_open);
	devices_free(fake);
	groups_free(fake);
	free(fake->routes);
	free(fake);
}

static void
group_add(struct fake_vfio *fake, const struct fake_device_desc *desc)
{
	struct fake_group *group;

	if (desc->group < 0)
		return;
	for (group = fake->groups; group != NULL; group = group->next)
		if (group->number == desc->group)
			return;
	group = calloc(1, sizeof(*group));
	assert_non_null(group);
	group->fake = fake;
	group->number = desc->group;
	group->noiommu = desc->noiommu;
	group->fd = -1;
	group->next = fake->groups;
	fake->groups = group;
}

/* A type 0 header with the device's names. */
static void
config_make(struct fake_device *dev)
{
	const struct fake_device_desc *d = &dev->desc;
	struct fake_region *region = &dev->desc.regions[VFIO_PCI_CONFIG_REGION_INDEX];
	uint8_t header[64] = {
		d->vendor & 0xff, d->vendor >> 8, d->device & 0xff, d->device >> 8,
		[0x09] = d->class_id & 0xff, (d->class_id >> 8) & 0xff, (d->class_id >> 16) & 0xff,
		[0x2c] = d->subsystem_vendor & 0xff, d->subsystem_vendor >> 8,
		d->subsystem_device & 0xff, d->subsystem_device >> 8,
	};

	if (region->size == 0) {
		region->size = d->config_len > 256 ? 4096 : 256;
		region->flags = FAKE_REGION_RW;
	}
	fake_vfio_poke(dev, VFIO_PCI_CONFIG_REGION_INDEX, 0, header, sizeof(header));
	if (d->config != NULL)
		fake_vfio_poke(dev, VFIO_PCI_CONFIG_REGION_INDEX, 0, d->config, d->config_len);
}

static void
irqs_make(struct fake_device *dev)
{
	uint32_t i, j;

	for (i = 0; i < FAKE_NB_IRQS; i++)
		for (j = 0; j < FAKE_IRQ_VECTORS_MAX; j++)
			dev->irqs[i].fds[j] = -1;
}

struct fake_device *
fake_vfio_add(struct fake_vfio *fake, const struct fake_device_desc *desc)
{
	struct fake_device *dev = calloc(1, sizeof(*dev));

	assert_non_null(dev);
	interpose_bypass_begin();
	dev->desc = *desc;
	dev->fake = fake;
	dev->memfd = memfd_create(desc->name, MFD_CLOEXEC);
	assert_true(dev->memfd >= 0);
	assert_int_equal(ftruncate(dev->memfd, (off_t)FAKE_NB_REGIONS << REGION_SHIFT), 0);
	config_make(dev);
	irqs_make(dev);
	group_add(fake, desc);
	dev->next = fake->devices;
	fake->devices = dev;
	sysfs_add(dev);
	interpose_bypass_end();
	return dev;
}

void
fake_vfio_unplug(struct fake_device *dev)
{
	char path[256];

	interpose_bypass_begin();
	path_make(path, sizeof(path), "%s/%s", dev->fake->sysfs, dev->desc.name);
	tree_remove(path);
	path_make(path, sizeof(path), "%s/iommu_groups/%d/devices/%s", dev->fake->root,
		dev->desc.group, dev->desc.name);
	unlink(path);
	dev->desc.driver = NULL;
	interpose_bypass_end();
}

void
fake_vfio_bind(struct fake_device *dev, const char *driver)
{
	interpose_bypass_begin();
	sysfs_bind(dev, driver);
	dev->desc.driver = driver;
	interpose_bypass_end();
}
