/* SPDX-License-Identifier: BSD-3-Clause */

/* The bus on the kernel's vfio-pci: BARs of every kind, configuration space, MSI-X, removal. */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_interrupts.h>

#include "test.h"
#include "vm.h"
#include "vm_bus.h"

#define WAIT_SECONDS 15
#define SPANS_MAX 4
#define PAGE 4096u

#define TESTDEV 0x1b36, 0x0005
#define NVME 0x1b36, 0x0010
#define E1000E 0x8086, 0x10d3
#define VIRTIO_NET 0x1af4, 0x1000

/* flags in the kernel's resource files: include/linux/ioport.h */
#define RESOURCE_IO 0x100u
#define RESOURCE_MEM 0x200u
#define RESOURCE_PREFETCH 0x2000u
#define RESOURCE_MEM_64 0x100000u
#define RESOURCE_KINDS (RESOURCE_IO | RESOURCE_MEM | RESOURCE_PREFETCH | RESOURCE_MEM_64)

static struct rte_pci_device *
probe(uint16_t vendor, uint16_t device)
{
	struct rte_pci_device *dev;
	char bdf[VM_BDF_LEN];

	assert_true(vm_find(vendor, device, bdf));
	dev = vm_bus_probe(bdf, "vfio-pci", "");
	assert_non_null(dev);
	return dev;
}

/* What QEMU's documentation and "info pci" say that these devices have. */
static const struct {
	const char *name;
	uint16_t vendor, device;
	unsigned int bar;
	unsigned int kind;
	uint64_t len;
} bars[] = {
	{ "pci-testdev", TESTDEV, 0, RESOURCE_MEM, 0x1000 },
	{ "pci-testdev", TESTDEV, 1, RESOURCE_IO, 0x100 },
	{ "pci-testdev", TESTDEV, 2, RESOURCE_MEM | RESOURCE_PREFETCH | RESOURCE_MEM_64, 0x200000 },
	{ "nvme", NVME, 0, RESOURCE_MEM | RESOURCE_MEM_64, 0x4000 },
	{ "e1000e", E1000E, 0, RESOURCE_MEM, 0x20000 },
	{ "e1000e", E1000E, 1, RESOURCE_MEM, 0x20000 },
	{ "e1000e", E1000E, 2, RESOURCE_IO, 0x20 },
	{ "e1000e", E1000E, 3, RESOURCE_MEM, 0x4000 },
	{ "virtio-net", VIRTIO_NET, 0, RESOURCE_IO, 0x20 },
	{ "virtio-net", VIRTIO_NET, 1, RESOURCE_MEM, 0x1000 },
	{ "virtio-net", VIRTIO_NET, 4, RESOURCE_MEM | RESOURCE_PREFETCH | RESOURCE_MEM_64, 0x4000 },
};

static void
assert_bar(const struct rte_pci_device *dev, unsigned int bar, unsigned int kind, uint64_t len)
{
	const char *bdf = rte_dev_name(&dev->device);
	struct vm_span whole, span[SPANS_MAX];
	size_t nb = vm_mapped_spans(bdf, bar, span, SPANS_MAX);

	assert_int_equal(vm_bar(bdf, bar, &whole), 0);
	assert_int_equal(whole.len, len);
	assert_int_equal(vm_bar_flags(bdf, bar) & RESOURCE_KINDS, kind);
	if (kind & RESOURCE_IO) {
		assert_int_equal(nb, 0);
		assert_null(dev->mem_resource[bar].addr);
		return;
	}
	assert_int_equal(nb, 1);
	assert_int_equal(span[0].off, 0);
	assert_int_equal(span[0].len, RTE_ALIGN(len, PAGE));
	assert_int_equal(dev->mem_resource[bar].len, len);
	assert_int_equal(dev->mem_resource[bar].phys_addr, whole.off);
	assert_non_null(dev->mem_resource[bar].addr);
}

static void
test_bars_of_every_kind_are_mapped_whole(void **state)
{
	struct rte_pci_device *dev;
	size_t i;

	for (i = 0; i < RTE_DIM(bars); i++) {
		dev = probe(bars[i].vendor, bars[i].device);
		assert_bar(dev, bars[i].bar, bars[i].kind, bars[i].len);
		assert_int_equal(vm_bus_remove(dev), 0);
	}
}

static void
test_removal_leaves_no_mapping_behind(void **state)
{
	struct vm_span span[SPANS_MAX];
	struct rte_pci_device *dev;
	char bdf[VM_BDF_LEN];
	size_t i;

	for (i = 0; i < RTE_DIM(bars); i++) {
		assert_true(vm_find(bars[i].vendor, bars[i].device, bdf));
		dev = probe(bars[i].vendor, bars[i].device);
		assert_int_equal(vm_bus_remove(dev), 0);
		assert_int_equal(vm_mapped_spans(bdf, bars[i].bar, span, SPANS_MAX), 0);
	}
}

static void
test_identity_in_configuration_space(void **state)
{
	struct rte_pci_device *dev;
	uint16_t id[2];
	size_t i;

	for (i = 0; i < RTE_DIM(bars); i++) {
		dev = probe(bars[i].vendor, bars[i].device);
		assert_int_equal(rte_pci_read_config(dev, id, sizeof(id), 0), sizeof(id));
		assert_int_equal(id[0], bars[i].vendor);
		assert_int_equal(id[1], bars[i].device);
		assert_int_equal(dev->id.vendor_id, bars[i].vendor);
		assert_int_equal(dev->id.device_id, bars[i].device);
		assert_int_equal(vm_bus_remove(dev), 0);
	}
}

static const struct {
	const char *name;
	uint16_t vendor, device;
	bool msi, msix, express, aer;
} capabilities[] = {
	{ "pci-testdev", TESTDEV, false, false, false, false },
	{ "nvme", NVME, false, true, true, false },
	{ "e1000e", E1000E, true, true, true, true },
	{ "virtio-net", VIRTIO_NET, false, true, false, false },
};

static void
test_capabilities_are_found(void **state)
{
	struct rte_pci_device *dev;
	size_t i;

	for (i = 0; i < RTE_DIM(capabilities); i++) {
		dev = probe(capabilities[i].vendor, capabilities[i].device);
		assert_int_equal(rte_pci_find_capability(dev, RTE_PCI_CAP_ID_MSI) > 0,
			capabilities[i].msi);
		assert_int_equal(rte_pci_find_capability(dev, RTE_PCI_CAP_ID_MSIX) > 0,
			capabilities[i].msix);
		assert_int_equal(rte_pci_find_capability(dev, RTE_PCI_CAP_ID_EXP) > 0,
			capabilities[i].express);
		assert_int_equal(rte_pci_find_ext_capability(dev, RTE_PCI_EXT_CAP_ID_ERR) > 0,
			capabilities[i].aer);
		assert_int_equal(vm_bus_remove(dev), 0);
	}
}

static void
test_bus_master_follows_the_call(void **state)
{
	struct rte_pci_device *dev = probe(E1000E);
	uint16_t command;

	assert_int_equal(rte_pci_set_bus_master(dev, true), 0);
	assert_int_equal(rte_pci_read_config(dev, &command, 2, RTE_PCI_COMMAND), 2);
	assert_true(command & RTE_PCI_COMMAND_MASTER);
	assert_int_equal(rte_pci_set_bus_master(dev, false), 0);
	assert_int_equal(rte_pci_read_config(dev, &command, 2, RTE_PCI_COMMAND), 2);
	assert_false(command & RTE_PCI_COMMAND_MASTER);
	assert_int_equal(vm_bus_remove(dev), 0);
}

/* docs/specs/pci-testdev.rst: the number of a test is written, its name can be read */
#define TESTDEV_TEST 0
#define TESTDEV_NAME 16

static void
test_ports_and_memory_of_pci_testdev(void **state)
{
	struct rte_pci_device *dev = probe(TESTDEV);
	struct rte_pci_ioport port;
	char name[32] = "";
	uint8_t first = 0;
	off_t i;

	assert_int_equal(rte_pci_ioport_map(dev, 1, &port), 0);
	rte_pci_ioport_write(&port, &first, 1, TESTDEV_TEST);
	for (i = 0; i < 31; i++)
		rte_pci_ioport_read(&port, &name[i], 1, TESTDEV_NAME + i);
	assert_string_equal(name, "portio-no-eventfd");
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);

	memset(name, 0, sizeof(name));
	assert_int_equal(rte_pci_mmio_write(dev, 0, &first, 1, TESTDEV_TEST), 1);
	for (i = 0; i < 31; i++)
		assert_int_equal(rte_pci_mmio_read(dev, 0, &name[i], 1, TESTDEV_NAME + i), 1);
	assert_string_equal(name, "mmio-no-eventfd");
	assert_int_equal(vm_bus_remove(dev), 0);
}

/* Intel 82574 datasheet, 10.2: IOADDR selects a register that IODATA shows */
#define E1000E_IOADDR 0
#define E1000E_IODATA 4
#define E1000E_STATUS 0x08
#define E1000E_RAL0 0x5400

static void
test_ports_of_e1000e_show_its_registers(void **state)
{
	static const uint32_t registers[] = { E1000E_STATUS, E1000E_RAL0 };
	struct rte_pci_device *dev = probe(E1000E);
	struct rte_pci_ioport port;
	uint32_t by_port, by_memory;
	size_t i;

	assert_int_equal(rte_pci_ioport_map(dev, 2, &port), 0);
	for (i = 0; i < RTE_DIM(registers); i++) {
		rte_pci_ioport_write(&port, &registers[i], 4, E1000E_IOADDR);
		rte_pci_ioport_read(&port, &by_port, 4, E1000E_IODATA);
		assert_int_equal(rte_pci_mmio_read(dev, 0, &by_memory, 4, registers[i]), 4);
		assert_int_equal(by_port, by_memory);
		assert_int_not_equal(by_port, 0);
	}
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
	assert_int_equal(vm_bus_remove(dev), 0);
}

/* virtio 1.1, 4.1.4.8: the legacy interface has the device status at port 18 */
static void
test_ports_of_virtio_net_keep_what_is_written(void **state)
{
	struct rte_pci_device *dev = probe(VIRTIO_NET);
	struct rte_pci_ioport port;
	uint8_t acknowledge = 1, got = 0, reset = 0;

	assert_int_equal(rte_pci_ioport_map(dev, 0, &port), 0);
	rte_pci_ioport_write(&port, &acknowledge, 1, 18);
	rte_pci_ioport_read(&port, &got, 1, 18);
	assert_int_equal(got, acknowledge);
	rte_pci_ioport_write(&port, &reset, 1, 18);
	rte_pci_ioport_read(&port, &got, 1, 18);
	assert_int_equal(got, 0);
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
	assert_int_equal(vm_bus_remove(dev), 0);
}

/* 82574 datasheet, 10.2.4: a cause set by software raises the vector that IVAR gives it */
#define E1000E_ICR 0xc0
#define E1000E_ICS 0xc8
#define E1000E_IMS 0xd0
#define E1000E_IMC 0xd8
#define E1000E_IVAR 0xe4
#define E1000E_CAUSE(vector) (1u << (20 + (vector)))
#define E1000E_CAUSES 0x01f00000u
/* receive 0 and 1, transmit 0 and 1, other: to vectors 0 to 4, each valid (8) */
#define E1000E_IVAR_ONE_EACH 0x000cba98u
#define E1000E_VECTORS 5

static void
reg_write(const struct rte_pci_device *dev, off_t reg, uint32_t value)
{
	assert_int_equal(rte_pci_mmio_write(dev, 0, &value, 4, reg), 4);
}

static void
count_interrupt(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

static bool
becomes(atomic_int *value, int expected)
{
	int left;

	for (left = WAIT_SECONDS * 100; left > 0 && atomic_load(value) != expected; left--)
		usleep(10000);
	return atomic_load(value) == expected;
}

/* Number of times that the queue's interrupt has come; waits for the first. */
static uint64_t
queue_interrupts(const struct rte_pci_device *dev, int queue, int timeout_ms)
{
	struct pollfd fd = {
		.fd = rte_intr_efds_index_get(dev->intr_handle, queue),
		.events = POLLIN,
	};
	uint64_t count = 0;

	if (poll(&fd, 1, timeout_ms) == 1)
		assert_int_equal(read(fd.fd, &count, sizeof(count)), sizeof(count));
	return count;
}

/*
 * After each interrupt a timer of the device runs for 128 us (datasheet, 10.2.4.7), and QEMU 7.2
 * ends itself when MSI-X is off by its end. There is nothing to see of it from here.
 */
static void
let_timers_end(void)
{
	usleep(100000);
}

static void
test_each_msix_vector_arrives_at_its_own_place(void **state)
{
	struct rte_pci_device *dev = probe(E1000E);
	struct rte_intr_handle *intr = dev->intr_handle;
	atomic_int others = 0;
	int vector, queue;

	assert_int_equal(rte_intr_type_get(intr), RTE_INTR_HANDLE_VFIO_MSIX);
	assert_int_equal(rte_intr_callback_register(intr, count_interrupt, &others), 0);
	assert_int_equal(rte_intr_efd_enable(intr, E1000E_VECTORS - 1), 0);
	assert_int_equal(rte_intr_enable(intr), 0);
	reg_write(dev, E1000E_IVAR, E1000E_IVAR_ONE_EACH);
	reg_write(dev, E1000E_IMS, E1000E_CAUSES);

	reg_write(dev, E1000E_ICS, E1000E_CAUSE(0));
	assert_true(becomes(&others, 1));
	for (vector = 1; vector < E1000E_VECTORS; vector++) {
		reg_write(dev, E1000E_ICS, E1000E_CAUSE(vector));
		assert_int_equal(queue_interrupts(dev, vector - 1, WAIT_SECONDS * 1000), 1);
		for (queue = 0; queue < E1000E_VECTORS - 1; queue++)
			assert_int_equal(queue_interrupts(dev, queue, 0), 0);
	}
	assert_int_equal(atomic_load(&others), 1);

	reg_write(dev, E1000E_IMC, UINT32_MAX);
	let_timers_end();
	assert_int_equal(rte_intr_disable(intr), 0);
	rte_intr_efd_disable(intr);
	assert_true(rte_intr_callback_unregister_sync(intr, count_interrupt, &others) >= 0);
	assert_int_equal(vm_bus_remove(dev), 0);
}

static void
test_interrupts_can_be_switched_off_and_on(void **state)
{
	struct rte_pci_device *dev = probe(E1000E);
	struct rte_intr_handle *intr = dev->intr_handle;
	atomic_int count = 0;
	int round;

	assert_int_equal(rte_intr_callback_register(intr, count_interrupt, &count), 0);
	for (round = 1; round <= 3; round++) {
		assert_int_equal(rte_intr_enable(intr), 0);
		reg_write(dev, E1000E_ICR, UINT32_MAX);
		reg_write(dev, E1000E_IVAR, E1000E_IVAR_ONE_EACH);
		reg_write(dev, E1000E_IMS, E1000E_CAUSE(0));
		reg_write(dev, E1000E_ICS, E1000E_CAUSE(0));
		assert_true(becomes(&count, round));
		reg_write(dev, E1000E_IMC, UINT32_MAX);
		let_timers_end();
		assert_int_equal(rte_intr_disable(intr), 0);
	}
	assert_true(rte_intr_callback_unregister_sync(intr, count_interrupt, &count) >= 0);
	assert_int_equal(vm_bus_remove(dev), 0);
}

struct unbinding {
	char bdf[VM_BDF_LEN];
	atomic_int events;	/**< of the removal of this device */
};

static void
see_removal(const char *name, enum rte_dev_event_type type, void *arg)
{
	struct unbinding *unbinding = arg;

	if (type == RTE_DEV_EVENT_REMOVE && strcmp(name, unbinding->bdf) == 0)
		atomic_store(&unbinding->events, 1);
}

/* Does not return before the kernel has the device back. */
static void *
unbind(void *arg)
{
	struct unbinding *unbinding = arg;

	vm_bind(unbinding->bdf, NULL);
	return NULL;
}

static void
unbind_in_use(uint16_t vendor, uint16_t device)
{
	struct rte_pci_device *dev = probe(vendor, device);
	struct unbinding unbinding = { .events = 0 };
	struct timespec deadline;
	struct vm_span span[1];
	pthread_t thread;

	snprintf(unbinding.bdf, sizeof(unbinding.bdf), "%s", rte_dev_name(&dev->device));
	assert_int_equal(rte_dev_event_callback_register(unbinding.bdf, see_removal, &unbinding),
		0);
	assert_int_equal(pthread_create(&thread, NULL, unbind, &unbinding), 0);
	assert_true(becomes(&unbinding.events, 1));

	assert_int_equal(vm_bus_remove(dev), 0);
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += WAIT_SECONDS;
	assert_int_equal(pthread_timedjoin_np(thread, NULL, &deadline), 0);
	assert_false(vm_is_bound(unbinding.bdf));
	assert_int_equal(vm_mapped_spans(unbinding.bdf, 0, span, 1), 0);
	assert_true(rte_dev_event_callback_unregister(unbinding.bdf, see_removal, &unbinding) >= 0);
}

static void
test_unbinding_in_use_asks_for_the_device_and_gets_it(void **state)
{
	unbind_in_use(NVME);
	unbind_in_use(E1000E);
	unbind_in_use(TESTDEV);
}

static void
test_a_device_can_come_and_go_many_times(void **state)
{
	int round;

	for (round = 0; round < 50; round++)
		assert_int_equal(vm_bus_remove(probe(NVME)), 0);
}

static const struct CMUnitTest tests[] = {
	VM_BUS_TEST(test_bars_of_every_kind_are_mapped_whole),
	VM_BUS_TEST(test_removal_leaves_no_mapping_behind),
	VM_BUS_TEST(test_identity_in_configuration_space),
	VM_BUS_TEST(test_capabilities_are_found),
	VM_BUS_TEST(test_bus_master_follows_the_call),
	VM_BUS_TEST(test_ports_and_memory_of_pci_testdev),
	VM_BUS_TEST(test_ports_of_e1000e_show_its_registers),
	VM_BUS_TEST(test_ports_of_virtio_net_keep_what_is_written),
	VM_BUS_TEST(test_each_msix_vector_arrives_at_its_own_place),
	VM_BUS_TEST(test_interrupts_can_be_switched_off_and_on),
	VM_BUS_TEST(test_unbinding_in_use_asks_for_the_device_and_gets_it),
	VM_BUS_TEST(test_a_device_can_come_and_go_many_times),
};

TEST_SUITE(vm_bus, "vm", tests, vm_bus_setup, vm_bus_teardown)
