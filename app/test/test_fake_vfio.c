/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_vfio.h"
#include "interpose.h"
#include "resources.h"
#include "test.h"

#define KB4 0x1000

/* The fake answers as the kernel does; each test says what a user of VFIO sees. */

struct open_device {
	struct fake_vfio *fake;
	struct fake_device *dev;
	int container, group, fd;
};

static void
open_device(struct open_device *o, const struct fake_device_desc *desc)
{
	char node[32];

	o->fake = fake_vfio_start();
	o->dev = fake_vfio_add(o->fake, desc);
	o->container = open("/dev/vfio/vfio", O_RDWR);
	assert_true(o->container >= 0);
	snprintf(node, sizeof(node), "/dev/vfio/%d", desc->group);
	o->group = open(node, O_RDWR);
	assert_true(o->group >= 0);
	assert_int_equal(ioctl(o->group, VFIO_GROUP_SET_CONTAINER, &o->container), 0);
	assert_int_equal(ioctl(o->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), 0);
	o->fd = ioctl(o->group, VFIO_GROUP_GET_DEVICE_FD, desc->name);
	assert_true(o->fd >= 0);
}

static void
close_device(struct open_device *o)
{
	close(o->fd);
	close(o->group);
	close(o->container);
	fake_vfio_stop(o->fake);
}

static const struct fake_device_desc card = {
	.name = "0000:01:00.0", .driver = "vfio-pci", .group = 7, .vendor = 0x1234,
	.device = 0x11e8,
	.class_id = 0x00ff00, .device_flags = VFIO_DEVICE_FLAGS_RESET,
	.regions[0] = {
		.size = 4 * KB4, .flags = FAKE_REGION_RWM,
		.windows = { { .offset = KB4, .size = KB4 } }, .nb_windows = 1,
	},
	.irqs[VFIO_PCI_MSI_IRQ_INDEX] = { .count = 2, .flags = VFIO_IRQ_INFO_EVENTFD },
};

static uint64_t
region_offset(const struct open_device *o, uint32_t index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	assert_int_equal(ioctl(o->fd, VFIO_DEVICE_GET_REGION_INFO, &info), 0);
	return info.offset;
}

static void
test_sysfs_describes_the_device(void **state)
{
	struct fake_vfio *fake = fake_vfio_start();
	char path[256], text[64];
	ssize_t n;
	FILE *file;

	fake_vfio_add(fake, &card);
	snprintf(path, sizeof(path), "%s/0000:01:00.0/vendor", getenv("SYSFS_PCI_DEVICES"));
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	assert_string_equal(text, "0x1234\n");
	fclose(file);
	snprintf(path, sizeof(path), "%s/0000:01:00.0/driver", getenv("SYSFS_PCI_DEVICES"));
	n = readlink(path, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(strrchr(text, '/'), "/vfio-pci");
	fake_vfio_stop(fake);
	assert_null(getenv("SYSFS_PCI_DEVICES"));
}

static void
test_mapping_and_pread_show_the_same_bytes(void **state)
{
	struct open_device o;
	uint8_t byte = 0;
	uint8_t *map;

	open_device(&o, &card);
	map = mmap(NULL, KB4, PROT_READ | PROT_WRITE, MAP_SHARED, o.fd,
		(off_t)region_offset(&o, 0) + KB4);
	assert_true(map != MAP_FAILED);
	map[5] = 0x5a;
	assert_int_equal(pread(o.fd, &byte, 1, (off_t)region_offset(&o, 0) + KB4 + 5), 1);
	assert_int_equal(byte, 0x5a);
	assert_int_equal(o.dev->accesses[0].off, KB4 + 5);
	munmap(map, KB4);
	close_device(&o);
}

static void
test_mmap_outside_windows_is_refused(void **state)
{
	struct open_device o;

	open_device(&o, &card);
	assert_true(mmap(NULL, KB4, PROT_READ, MAP_SHARED, o.fd,
		(off_t)region_offset(&o, 0)) == MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	close_device(&o);
}

static void
test_capabilities_need_a_buffer_of_their_size(void **state)
{
	struct fake_device_desc desc = card;
	union {
		struct vfio_region_info info;
		uint8_t bytes[256];
	} u = { .info = { .argsz = sizeof(u.info) } };
	struct vfio_region_info_cap_sparse_mmap *cap;
	struct open_device o;

	fake_caps_add_sparse(&desc.regions[0].caps, 1, desc.regions[0].windows, 1);
	fake_caps_add_msix_mappable(&desc.regions[0].caps);
	open_device(&o, &desc);
	assert_int_equal(ioctl(o.fd, VFIO_DEVICE_GET_REGION_INFO, &u.info), 0);
	assert_true(u.info.argsz > sizeof(u.info) && u.info.argsz <= sizeof(u));
	assert_int_equal(u.info.cap_offset, 0);
	assert_int_equal(ioctl(o.fd, VFIO_DEVICE_GET_REGION_INFO, &u.info), 0);
	assert_int_equal(u.info.cap_offset, sizeof(u.info));
	cap = (void *)&u.bytes[u.info.cap_offset];
	assert_int_equal(cap->header.id, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	assert_int_equal(cap->nr_areas, 1);
	assert_int_equal(cap->areas[0].offset, KB4);
	cap = (void *)&u.bytes[cap->header.next];
	assert_int_equal(cap->header.id, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE);
	close_device(&o);
}

static void
test_msix_table_reads_as_ones(void **state)
{
	struct fake_device_desc desc = card;
	struct open_device o;
	uint8_t bytes[4] = { 0 };

	desc.msix_table.off = 2;
	desc.msix_table.len = 16;
	open_device(&o, &desc);
	assert_int_equal(pwrite(o.fd, "abcd", 4, (off_t)region_offset(&o, 0)), 4);
	assert_int_equal(pread(o.fd, bytes, 4, (off_t)region_offset(&o, 0)), 4);
	assert_memory_equal(bytes, "ab\xff\xff", 4);
	close_device(&o);
}

static void
test_interrupt_reaches_the_bound_eventfd(void **state)
{
	union {
		struct vfio_irq_set set;
		uint8_t bytes[sizeof(struct vfio_irq_set) + 2 * sizeof(int)];
	} u = { .set = {
		.argsz = sizeof(u), .index = VFIO_PCI_MSI_IRQ_INDEX, .count = 2,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
	} };
	struct open_device o;
	eventfd_t value = 0;
	int fds[2] = { -1, eventfd(0, EFD_NONBLOCK) };

	open_device(&o, &card);
	assert_int_equal(fake_vfio_fire(o.dev, VFIO_PCI_MSI_IRQ_INDEX, 1), -ENOTCONN);
	memcpy(u.set.data, fds, sizeof(fds));
	assert_int_equal(ioctl(o.fd, VFIO_DEVICE_SET_IRQS, &u.set), 0);
	assert_int_equal(fake_vfio_fire(o.dev, VFIO_PCI_MSI_IRQ_INDEX, 1), 0);
	assert_int_equal(eventfd_read(fds[1], &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(fake_vfio_fire(o.dev, VFIO_PCI_MSI_IRQ_INDEX, 0), -ENOTCONN);
	u.set.count = 3;
	assert_int_equal(ioctl(o.fd, VFIO_DEVICE_SET_IRQS, &u.set), -1);
	assert_int_equal(errno, EINVAL);
	close(fds[1]);
	close_device(&o);
}

static int
dma(const struct open_device *o, uint64_t iova, void *addr, uint64_t size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ, .vaddr = (uintptr_t)addr,
		.iova = iova, .size = size,
	};

	return ioctl(o->container, VFIO_IOMMU_MAP_DMA, &map) == 0 ? 0 : -errno;
}

static int
undma(const struct open_device *o, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = iova, .size = size,
	};

	return ioctl(o->container, VFIO_IOMMU_UNMAP_DMA, &unmap) == 0 ? (int)unmap.size : -errno;
}

static void
test_dma_mappings_are_checked_as_the_kernel_does(void **state)
{
	struct open_device o;
	uint8_t *mem;

	open_device(&o, &card);
	mem = mmap(NULL, 4 * KB4, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(mem != MAP_FAILED);
	o.fake->iova_ranges[0] = (struct vfio_iova_range){ 0, 0xffffff };
	o.fake->nb_iova_ranges = 1;
	assert_int_equal(dma(&o, 0x10000, mem, 2 * KB4), 0);
	assert_int_equal(dma(&o, 0x11000, mem, KB4), -EEXIST);
	assert_int_equal(dma(&o, 0x20001, mem, KB4), -EINVAL);
	assert_int_equal(dma(&o, 0x1000000, mem, KB4), -EINVAL);
	assert_int_equal(dma(&o, 0x20000, NULL, KB4), -EFAULT);
	assert_int_equal(undma(&o, 0x10000, KB4), -EINVAL);
	assert_non_null(fake_vfio_dma(fake_vfio_container(o.dev), 0x11fff));
	assert_int_equal(undma(&o, 0, 0x100000), 2 * KB4);
	assert_int_equal(undma(&o, 0, 0x100000), 0);
	o.fake->dma_avail = 0;
	assert_int_equal(dma(&o, 0x10000, mem, KB4), -ENOSPC);
	munmap(mem, 4 * KB4);
	close_device(&o);
}

static void
test_group_is_held_while_a_device_is_open(void **state)
{
	struct open_device o;

	open_device(&o, &card);
	assert_int_equal(ioctl(o.group, VFIO_GROUP_UNSET_CONTAINER), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(open("/dev/vfio/7", O_RDWR), -1);
	assert_int_equal(errno, EBUSY);
	close(o.fd);
	assert_int_equal(ioctl(o.group, VFIO_GROUP_UNSET_CONTAINER), 0);
	o.fd = -1;
	close_device(&o);
}

static void
test_fake_leaves_nothing_behind(void **state)
{
	struct resources before;
	struct open_device o;

	open_device(&o, &card);
	close_device(&o);
	resources_take(&before);
	open_device(&o, &card);
	close_device(&o);
	resources_assert_same(&before);
	resources_drop(&before);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_sysfs_describes_the_device),
	cmocka_unit_test(test_mapping_and_pread_show_the_same_bytes),
	cmocka_unit_test(test_mmap_outside_windows_is_refused),
	cmocka_unit_test(test_capabilities_need_a_buffer_of_their_size),
	cmocka_unit_test(test_msix_table_reads_as_ones),
	cmocka_unit_test(test_interrupt_reaches_the_bound_eventfd),
	cmocka_unit_test(test_dma_mappings_are_checked_as_the_kernel_does),
	cmocka_unit_test(test_group_is_held_while_a_device_is_open),
	cmocka_unit_test(test_fake_leaves_nothing_behind),
};

TEST_SUITE(fake_vfio, "unit", tests, NULL, NULL)
