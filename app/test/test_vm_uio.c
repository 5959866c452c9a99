/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The bus on the kernel's uio_pci_generic: BARs of memory and ports, write-combining, interrupts.
 * EAL runs with physical addresses.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_eal_paging.h>
#include <rte_interrupts.h>

#include "test.h"
#include "vm.h"
#include "vm_bus.h"
#include "vm_uio.h"

#define PAGE ((uint64_t)rte_mem_page_size())

/* flags in the kernel's resource files: include/linux/ioport.h */
#define RESOURCE_IO 0x100u
#define RESOURCE_MEM 0x200u

/* ---- a driver for shared memory that wants write-combining ---- */

static int
shm_probe(struct rte_pci_driver *driver, struct rte_pci_device *dev)
{
	return 0;
}

static int
shm_remove(struct rte_pci_device *dev)
{
	return 0;
}

static const struct rte_pci_id shm_ids[] = {
	{ RTE_PCI_DEVICE(0x1af4, 0x1110) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver shm_driver = {
	.driver = { .name = "vm_shm" },
	.id_table = shm_ids,
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING,
	.probe = shm_probe,
	.remove = shm_remove,
};

/* ---- BARs ---- */

static void
assert_bar(const struct rte_pci_device *dev, unsigned int bar)
{
	uint64_t flags = vm_bar_flags(vm_bus_bdf(dev), bar);
	struct vm_span whole, span[4];
	struct rte_pci_bar_info info;
	size_t nb = vm_mapped_spans(vm_bus_bdf(dev), bar, span, RTE_DIM(span));

	assert_int_equal(vm_bar(vm_bus_bdf(dev), bar, &whole), 0);
	assert_int_equal(rte_pci_bar_info_get(dev, (int)bar, &info), 0);
	assert_int_equal(info.size, whole.len);
	assert_int_equal((info.flags & RTE_PCI_BAR_F_IOPORT) != 0, (flags & RESOURCE_IO) != 0);
	assert_int_equal(nb, (flags & RESOURCE_MEM) != 0);
	assert_int_equal(dev->mem_resource[bar].addr != NULL, nb != 0);
	if (nb == 0)
		return;
	assert_int_equal(span[0].off, 0);
	assert_int_equal(span[0].len, RTE_ALIGN(whole.len, PAGE));
	assert_int_equal(dev->mem_resource[bar].phys_addr, whole.off);
	assert_int_equal(dev->mem_resource[bar].len, whole.len);
}

static void
test_bars_of_every_kind_are_what_the_kernel_says(void **state)
{
	struct rte_pci_device *dev;
	struct vm_span span;
	unsigned int bar;
	size_t i;

	for (i = 0; i < VM_UIO_DEVICES; i++) {
		dev = vm_uio_probe(vm_uio_devices[i].vendor, vm_uio_devices[i].device);
		for (bar = 0; bar < PCI_MAX_RESOURCE; bar++)
			assert_bar(dev, bar);
		rte_pci_unmap_device(dev);
		for (bar = 0; bar < PCI_MAX_RESOURCE; bar++)
			assert_int_equal(vm_mapped_spans(vm_bus_bdf(dev), bar, &span, 1), 0);
		assert_int_equal(vm_bus_remove(dev), 0);
	}
}

static void
test_write_combining_is_for_the_driver_that_asks(void **state)
{
	static const char *const files[] = { "/resource2", "/resource2_wc" };
	static const uint32_t flags[] = { 0, RTE_PCI_DRV_WC_ACTIVATE };
	struct rte_pci_device *dev;
	unsigned int i;
	uint32_t value;

	for (i = 0; i < RTE_DIM(files); i++) {
		shm_driver.drv_flags = RTE_PCI_DRV_NEED_MAPPING | flags[i];
		dev = vm_uio_probe(IVSHMEM);
		assert_true(vm_uio_maps_have(files[i], "rw-s"));
		assert_false(vm_uio_maps_have(files[1 - i], "rw-s"));
		value = 0x600df00d;
		assert_int_equal(rte_pci_mmio_write(dev, 2, &value, 4, 0x1000), 4);
		assert_int_equal(vm_uio_mem_read(dev, 2, 0x1000), 0x600df00d);
		assert_int_equal(vm_bus_remove(dev), 0);
	}
}

/* ---- ports ---- */

static void
test_ports_reach_the_registers_that_memory_reaches(void **state)
{
	struct rte_pci_device *dev = vm_uio_probe(E1000E);

	vm_uio_assert_ports_and_memory_agree(dev);
	assert_int_equal(vm_bus_remove(dev), 0);
}

/* The MAC of virtio-net, which reading does not change. */
#define VIRTIO_MAC 0x14
#define MAC_LEN 6u

static void
test_ports_read_as_the_kernel_reads_them(void **state)
{
	int fd = open("/dev/port", O_RDONLY);
	uint8_t expected[MAC_LEN], mac[MAC_LEN];
	struct rte_pci_device *dev;
	struct rte_pci_ioport port;
	struct vm_span span;
	unsigned int i;

	if (fd < 0 && errno == ENOENT)
		skip();	/* kernels for powerpc have none */
	assert_true(fd >= 0);
	dev = vm_uio_probe(VIRTIO_NET);
	assert_int_equal(vm_bar(vm_bus_bdf(dev), 0, &span), 0);
	assert_int_equal(pread(fd, expected, MAC_LEN, (off_t)span.off + VIRTIO_MAC), MAC_LEN);
	close(fd);
	assert_int_equal(rte_pci_ioport_map(dev, 0, &port), 0);
	for (i = 0; i < MAC_LEN; i++)
		rte_pci_ioport_read(&port, &mac[i], 1, VIRTIO_MAC + i);
	assert_memory_equal(mac, expected, MAC_LEN);
	memset(mac, 0, MAC_LEN);
	rte_pci_ioport_read(&port, mac, MAC_LEN, VIRTIO_MAC);
	assert_memory_equal(mac, expected, MAC_LEN);
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
	assert_int_equal(vm_bus_remove(dev), 0);
}

/* QEMU, docs/specs/pci-testdev.rst: a byte selects a test, whose description can be read. */
#define TESTDEV_IO 1
#define TEST_OFFSET 4
#define TEST_DATA 8
#define TEST_COUNT 12
#define TEST_NAME 16

static void
test_port_writes_arrive_and_are_counted(void **state)
{
	struct rte_pci_device *dev = vm_uio_probe(TESTDEV);
	struct rte_pci_ioport port;
	uint8_t number = 0, data;
	char name[8] = "";
	off_t offset;
	uint32_t i;

	assert_int_equal(rte_pci_ioport_map(dev, TESTDEV_IO, &port), 0);
	rte_pci_ioport_write(&port, &number, 1, 0);
	rte_pci_ioport_read(&port, name, 6, TEST_NAME);
	assert_string_equal(name, "portio");
	offset = vm_uio_port_read(&port, TEST_OFFSET);
	data = (uint8_t)vm_uio_port_read(&port, TEST_DATA);
	assert_int_equal(vm_uio_port_read(&port, TEST_COUNT), 0);
	for (i = 1; i <= 10; i++) {
		rte_pci_ioport_write(&port, &data, 1, offset);
		assert_int_equal(vm_uio_port_read(&port, TEST_COUNT), i);
	}
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
	assert_int_equal(vm_bus_remove(dev), 0);
}

/* ---- interrupts and bus mastering ---- */

static void
test_handle_is_of_uio_if_the_device_has_an_interrupt(void **state)
{
	struct rte_pci_device *dev = vm_uio_probe(E1000E);

	assert_int_equal(rte_intr_type_get(dev->intr_handle), RTE_INTR_HANDLE_UIO_INTX);
	assert_int_equal(rte_intr_disable(dev->intr_handle), 0);
	assert_true((vm_bus_command(dev) & RTE_PCI_COMMAND_INTX_DISABLE) != 0);
	assert_int_equal(rte_intr_enable(dev->intr_handle), 0);
	assert_true((vm_bus_command(dev) & RTE_PCI_COMMAND_INTX_DISABLE) == 0);
	assert_int_equal(vm_bus_remove(dev), 0);
	dev = vm_uio_probe(TESTDEV);
	assert_int_equal(rte_intr_type_get(dev->intr_handle), RTE_INTR_HANDLE_UNKNOWN);
	assert_int_equal(rte_intr_fd_get(dev->intr_handle), -1);
	assert_int_equal(vm_bus_remove(dev), 0);
}

static void
test_device_masters_the_bus_while_it_is_mapped(void **state)
{
	assert_int_equal(rte_eal_iova_mode(), RTE_IOVA_PA);
	vm_bus_assert_masters_while_mapped(vm_uio_probe(NVME));
}

/* ---- the suite ---- */

static int
setup(void **state)
{
	rte_pci_register(&shm_driver);
	return vm_uio_setup(state);
}

static int
teardown(void **state)
{
	int rc = vm_bus_teardown(state);

	rte_pci_unregister(&shm_driver);
	return rc;
}

static const struct CMUnitTest tests[] = {
	VM_BUS_TEST(test_bars_of_every_kind_are_what_the_kernel_says),
	VM_BUS_TEST(test_write_combining_is_for_the_driver_that_asks),
	VM_BUS_TEST(test_ports_reach_the_registers_that_memory_reaches),
	VM_BUS_TEST(test_ports_read_as_the_kernel_reads_them),
	VM_BUS_TEST(test_port_writes_arrive_and_are_counted),
	VM_BUS_TEST(test_handle_is_of_uio_if_the_device_has_an_interrupt),
	VM_BUS_TEST(test_device_masters_the_bus_while_it_is_mapped),
};

TEST_SUITE(vm_uio, "vm", tests, setup, teardown)
