/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_vfio_priv.h"
#include "test.h"

bool
fake_driver_is_vfio(const char *driver)
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
	fake_info_give(user, &info, sizeof(info));
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
	return fake_ioctl_find(device_ioctls, DIM(device_ioctls), ctx, request, arg);
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

void
fake_device_hold(struct handle *handle)
{
	handle->nb_fds++;
	handle->dev->nb_open++;
}

static void
device_let_go(struct handle *handle)
{
	uint32_t i;

	handle->dev->nb_open--;
	for (i = 0; i < FAKE_NB_IRQS && handle->dev->nb_open == 0; i++)
		irq_disable(handle->dev, i);
	if (--handle->nb_fds != 0)
		return;
	handle->group->nb_open_devices--;
	if (handle->iommufd != NULL)
		fake_iommufd_unbind(handle);
	fake_group_let_go(handle->group);
	free(handle);
}

void
fake_device_close(void *ctx)
{
	const struct handle *handle = ctx;

	if (handle->dev->on_close != NULL)
		handle->dev->on_close();
	device_let_go(ctx);
}

const struct interpose_fd_ops fake_device_ops = {
	.ioctl = device_ioctl,
	.mmap = device_mmap,
	.pread = device_pread,
	.pwrite = device_pwrite,
	.close = fake_device_close,
};

void
fake_vfio_step_aside(int fd)
{
	static const struct interpose_fd_ops ops = { .close = fake_device_close };

	interpose_reroute_fd(fd, &ops);
}

int
fake_device_open(struct fake_device *dev, struct fake_group *group,
		const struct interpose_fd_ops *ops)
{
	struct handle *handle = calloc(1, sizeof(*handle));
	int fd = fcntl(dev->memfd, F_DUPFD_CLOEXEC, 0);

	if (handle == NULL || fd < 0) {
		free(handle);
		return -EMFILE;
	}
	handle->dev = dev;
	handle->group = group;
	group->nb_open_devices++;
	fake_device_hold(handle);
	dev->nb_opened++;
	interpose_route_fd(fd, ops, handle);
	return fd;
}

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
