/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A device of the guest is gone before anybody knows, as if torn out: the registers of its port,
 * which QEMU emulates, cut the power of the slot. Either the kernel hears of it by the port's
 * interrupt, or the port is kept silent first, and the kernel hears when it may speak again.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_byteorder.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_interrupts.h>
#include <rte_io.h>
#include <rte_memory.h>
#include <rte_pci.h>

#include "resources.h"
#include "test.h"
#include "vm_plug.h"

#define DMA_MASK "dma_mask=fffffff"
#define ROUNDS 2u	/* at least */
#define LOADS 20000u
#define PAGE 4096u
#define IOVA UINT64_C(0x100000)

/* ---- the slot: PCI Express Base Specification 4.0, 7.5.3.10 ---- */

#define SLOT_CONTROL 0x18
#define SLOT_INTERRUPT (1u << 5)
#define SLOT_INDICATOR_ON (1u << 8)
#define SLOT_INDICATOR_OFF (3u << 8)
#define SLOT_POWER_OFF (1u << 10)
#define SLOT_OFF (SLOT_INDICATOR_OFF | SLOT_POWER_OFF)
#define SLOT_STATUS 0x1a
#define SLOT_BUTTON (1u << 0)
#define SLOT_PRESENCE (1u << 6)

static int port_fd = -1;	/* configuration space of the port */
static off_t slot_control, slot_status;	/* where these registers are */

static uint16_t
port_read(off_t off)
{
	rte_le16_t raw;

	assert_int_equal(pread(port_fd, &raw, sizeof(raw), off), sizeof(raw));
	return rte_le_to_cpu_16(raw);
}

static void
port_write(off_t off, uint16_t value)
{
	rte_le16_t raw = rte_cpu_to_le_16(value);

	assert_int_equal(pwrite(port_fd, &raw, sizeof(raw), off), sizeof(raw));
}

static void
slot_change(uint16_t clear, uint16_t set)
{
	port_write(slot_control, (uint16_t)((port_read(slot_control) & ~clear) | set));
}

static void
port_await(off_t off, uint16_t bits)
{
	unsigned int left = VM_PLUG_SECONDS * 1000;

	while ((port_read(off) & bits) != bits && --left > 0)
		usleep(1000);
	assert_int_equal(port_read(off) & bits, bits);
}

/* What there is of capabilities is above the header, so the list ends. */
static off_t
port_find_express(void)
{
	off_t at = port_read(RTE_PCI_CAPABILITY_LIST) & 0xfc;

	while (at != 0 && (port_read(at) & 0xff) != RTE_PCI_CAP_ID_EXP)
		at = port_read(at) >> 8 & 0xfc;
	assert_true(at != 0);
	return at;
}

/* The folder of a device is below that of its port. */
static void
port_open(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/../config", vm_plug.bdf);
	port_fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(port_fd >= 0);
	slot_status = port_find_express() + SLOT_STATUS;
	slot_control = slot_status - SLOT_STATUS + SLOT_CONTROL;
}

/* The kernel does not know yet. */
static void
device_tear_out_silently(void)
{
	slot_change(SLOT_INTERRUPT, SLOT_OFF);
}

/* It is on again, and empty: the kernel has no interest in a slot that is off. */
static void
kernel_tell(void)
{
	slot_change(SLOT_OFF, SLOT_INDICATOR_ON | SLOT_INTERRUPT);
}

static void
device_tear_out(void)
{
	device_tear_out_silently();
	kernel_tell();
}

/* QEMU presses the slot's button, too, which the kernel takes for a wish to have it off soon. */
static void
device_plug(void)
{
	slot_change(SLOT_INTERRUPT, 0);
	vm_plug_ask_host("plug");
	port_await(slot_status, SLOT_PRESENCE);
	port_write(slot_status, SLOT_BUTTON);
	slot_change(0, SLOT_INTERRUPT);
}

/* ---- what a driver does with a device that is no more ---- */

/* Nothing that the device had ever in it. */
static bool
is_nobody(uint64_t value, size_t len, uint64_t stored)
{
	const uint64_t ones = UINT64_MAX >> (64 - 8 * len);

	return value == 0 || value == ones || value == (stored & ones);
}

static void
access_by_pointer(void)
{
	uint8_t *base = vm_plug.dev->mem_resource[0].addr;
	uint32_t value;
	unsigned int i;

	for (i = 0; i < LOADS; i++) {
		rte_write32(i, base + VM_PLUG_LIVENESS);
		value = rte_read32(base + VM_PLUG_LIVENESS);
		assert_true(is_nobody(value, sizeof(value), i));
	}
}

static void
access_by_calls(void)
{
	const size_t lens[] = { 1, 2, 4, 8 };
	const uint64_t stored = UINT64_C(0x123456789abcdef0);
	uint64_t value;
	size_t i;
	int rc;

	for (i = 0; i < RTE_DIM(lens); i++) {
		rc = rte_pci_mmio_write(vm_plug.dev, 0, &stored, lens[i], 8);
		assert_true(rc == (int)lens[i] || rc < 0);
		value = 0;
		rc = rte_pci_mmio_read(vm_plug.dev, 0, &value, lens[i], 8);
		assert_true(rc < 0 ||
			(rc == (int)lens[i] && is_nobody(value, lens[i], stored)));
	}
}

/* Identifiers and BARs the kernel's VFIO makes up, so only the command register counts. */
static void
access_configuration(void)
{
	uint16_t value = 0;
	int rc;

	rc = rte_pci_read_config(vm_plug.dev, &value, sizeof(value), RTE_PCI_STATUS);
	assert_true(rc < 0 || (rc == sizeof(value) && value == UINT16_MAX));
	value = 0;
	rc = rte_pci_write_config(vm_plug.dev, &value, sizeof(value), RTE_PCI_STATUS);
	assert_true(rc < 0 || rc == sizeof(value));
	rte_pci_set_bus_master(vm_plug.dev, false);
	rte_pci_set_bus_master(vm_plug.dev, true);
}

/* A bus that answers zeros says by them that all is done. */
static void
work_fails_or_has_no_result(void)
{
	uint32_t result = 0;

	assert_true(rte_edu_liveness(vm_plug.edu, 0x600df00d) < 0);
	assert_true(rte_edu_factorial(vm_plug.edu, 7, &result, 10) < 0 || result != 5040);
	rte_edu_dma_write(vm_plug.edu, 0, &result, sizeof(result), 10);
}

static void
interrupts_stay_away(void)
{
	struct rte_intr_handle *handle = vm_plug.dev->intr_handle;

	rte_edu_irq_raise(vm_plug.edu, 1);
	assert_true(rte_edu_irq_wait(vm_plug.edu, 1, NULL, 10) < 0);
	rte_intr_ack(handle);
	rte_intr_disable(handle);
	rte_intr_enable(handle);
}

/* The IOMMU is still there. */
static void
memory_is_mapped_and_unmapped(void)
{
	void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	assert_true(memory != MAP_FAILED);
	assert_int_equal(rte_extmem_register(memory, PAGE, NULL, 0, PAGE), 0);
	rc = rte_dev_dma_map(&vm_plug.dev->device, memory, IOVA, PAGE);
	assert_true(vm_plug.way->asks ? rc == 0 : rc < 0 && rte_errno == ENOTSUP);
	if (rc == 0)
		assert_int_equal(rte_dev_dma_unmap(&vm_plug.dev->device, memory, IOVA, PAGE), 0);
	assert_int_equal(rte_extmem_unregister(memory, PAGE), 0);
	munmap(memory, PAGE);
}

/* Where the kernel does not ask, the addresses may be another device's soon. */
static void
windows_are_nobodys(void)
{
	const uint8_t *base = vm_plug.dev->mem_resource[0].addr;
	uint32_t value;

	if (vm_plug.way->asks)
		return;
	assert_int_equal(rte_read32(base), UINT32_MAX);
	assert_int_equal(rte_pci_mmio_read(vm_plug.dev, 0, &value, sizeof(value), 0), -ENODEV);
	assert_int_equal(rte_pci_mmio_write(vm_plug.dev, 0, &value, sizeof(value), 0), -ENODEV);
}

static void
access_in_all_ways(void)
{
	access_by_pointer();
	access_by_calls();
	access_configuration();
	work_fails_or_has_no_result();
	interrupts_stay_away();
	memory_is_mapped_and_unmapped();
}

/* ---- tests ---- */

static void
put_back(void)
{
	device_plug();
	vm_plug_await(RTE_DEV_EVENT_ADD);
	/* that the device went was told, once, when it was still in use */
	atomic_store(&vm_plug.nb_events[RTE_DEV_EVENT_REMOVE], 0);
	vm_plug_take(NULL);
	assert_string_equal(vm_plug.dev->device.devargs->args, DMA_MASK);
	vm_plug_use();
}

/* What the kernel does last with a slot is to switch it off. */
static void
await_end(void)
{
	vm_plug_await_absence();
	port_await(slot_control, SLOT_OFF);
}

static void
tear_out_under_work(void *ctx)
{
	struct vm_worker worker;

	(void)ctx;
	vm_worker_start(&worker);
	device_tear_out();
	vm_plug_await(RTE_DEV_EVENT_REMOVE);
	vm_worker_end(&worker);
	windows_are_nobodys();
	access_in_all_ways();
	vm_plug_give_back();
	await_end();
	put_back();
}

static void
tear_out_unknown_to_the_kernel(void *ctx)
{
	struct vm_worker worker;

	(void)ctx;
	vm_worker_start(&worker);
	device_tear_out_silently();
	access_in_all_ways();
	kernel_tell();
	vm_plug_await(RTE_DEV_EVENT_REMOVE);
	vm_worker_end(&worker);
	windows_are_nobodys();
	access_in_all_ways();
	vm_plug_give_back();
	await_end();
	put_back();
}

static void
give_back_unknown_to_the_kernel(void *ctx)
{
	(void)ctx;
	device_tear_out_silently();
	vm_plug_give_back();
	kernel_tell();
	await_end();
	put_back();
}

/* In each test, since cmocka has a handler of SIGBUS of its own for each. */
static void
repeat(void (*round)(void *ctx))
{
	vm_plug_listen();
	resources_rounds(round, NULL, ROUNDS, ROUNDS + 4);
	vm_plug_unlisten();
}

static void
test_a_device_is_torn_out_while_its_driver_works(void **state)
{
	(void)state;
	repeat(tear_out_under_work);
}

static void
test_a_device_is_torn_out_and_the_kernel_hears_later(void **state)
{
	(void)state;
	repeat(tear_out_unknown_to_the_kernel);
}

static void
test_a_driver_gives_back_a_device_that_the_kernel_believes_to_be_there(void **state)
{
	(void)state;
	/* VFIO resets what it gets back, and Linux waits a minute for an answer to that */
	if (vm_plug.way->asks)
		skip();
	repeat(give_back_unknown_to_the_kernel);
}

/*
 * With memory space off the kernel's VFIO lets loads and stores fault, for real: the bus takes that
 * for the end of the windows, while calls reach the device when it is on again.
 */
static void
test_a_load_that_faults_gives_ones_and_calls_go_on(void **state)
{
	uint8_t *base = vm_plug.dev->mem_resource[0].addr;
	uint16_t on, off;
	uint32_t value;

	(void)state;
	if (!vm_plug.way->asks)
		skip();
	vm_plug_listen();
	assert_int_equal(rte_pci_read_config(vm_plug.dev, &on, sizeof(on), RTE_PCI_COMMAND), 2);
	off = on & (uint16_t)~RTE_PCI_COMMAND_MEMORY;
	assert_int_equal(rte_pci_write_config(vm_plug.dev, &off, sizeof(off), RTE_PCI_COMMAND), 2);
	assert_int_equal(rte_read32(base), UINT32_MAX);
	rte_write32(5, base + VM_PLUG_LIVENESS);
	assert_true(rte_pci_mmio_read(vm_plug.dev, 0, &value, sizeof(value), 0) < 0);
	assert_int_equal(rte_pci_write_config(vm_plug.dev, &on, sizeof(on), RTE_PCI_COMMAND), 2);
	vm_plug_use();
	assert_int_equal(rte_read32(base), UINT32_MAX);
	vm_plug_give_back();
	vm_plug_take(NULL);
	vm_plug_use();
	vm_plug_unlisten();
}

static int
setup(void **state)
{
	(void)state;
	if (vm_plug_setup(DMA_MASK) != 0)
		return -1;
	port_open();
	return 0;
}

static int
teardown(void **state)
{
	close(port_fd);
	return vm_plug_teardown(state);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_a_load_that_faults_gives_ones_and_calls_go_on),
	cmocka_unit_test(test_a_device_is_torn_out_while_its_driver_works),
	cmocka_unit_test(test_a_device_is_torn_out_and_the_kernel_hears_later),
	cmocka_unit_test(test_a_driver_gives_back_a_device_that_the_kernel_believes_to_be_there),
};

TEST_SUITE(vm_surprise, "vm", tests, setup, teardown)
