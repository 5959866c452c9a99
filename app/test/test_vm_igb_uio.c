/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What DPDK's own module for UIO does with the kinds of interrupts that it can choose from, on a
 * device that has all. DPDK_TEST_INTERRUPT says which one it was told to prefer.
 */

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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

#define TIMEOUT_MS 15000u
#define ROUNDS 200u
#define KERNEL_DRIVER "igb_uio"

/* Intel 82574 datasheet, chapter 10: registers, and the cause that software may raise at will. */
#define E1000E 0x8086, 0x10d3
#define MEM_BAR 0
#define IO_BAR 2
#define IO_ADDR 0
#define IO_DATA 4
#define MAC_LOW 0x5400
#define CAUSE_READ 0xc0
#define CAUSE_SET 0xc8
#define MASK_SET 0xd0
#define VECTORS 0xe4
#define VECTORS_OTHER_IS_0 0x00080000u
#define OTHER (1u << 24)

/* What tells in configuration space which kind the device uses. */
#define MSI_CONTROL_ENABLE 0x0001u
#define MSIX_CONTROL_ENABLE 0x8000u
#define CONTROL 2

static const struct kind {
	const char *name;
	bool msi, msix;
	bool maskable;	/* MSI of this device has no bits to mask it by */
} kinds[] = {
	{ "legacy", .maskable = true },
	{ "msi", .msi = true },
	{ "msix", .msix = true, .maskable = true },
};

static const struct kind *
kind_preferred(void)
{
	const char *name = getenv("DPDK_TEST_INTERRUPT");
	unsigned int i;

	assert_non_null(name);
	for (i = 0; strcmp(kinds[i].name, name) != 0; i++)
		assert_true(i + 1 < RTE_DIM(kinds));
	return &kinds[i];
}

/* ---- the device ---- */

static void
reg_write(const struct rte_pci_device *dev, off_t reg, uint32_t value)
{
	assert_int_equal(rte_pci_mmio_write(dev, MEM_BAR, &value, sizeof(value), reg),
		sizeof(value));
}

static uint32_t
reg_read(const struct rte_pci_device *dev, off_t reg)
{
	uint32_t value = 0;

	assert_int_equal(rte_pci_mmio_read(dev, MEM_BAR, &value, sizeof(value), reg),
		sizeof(value));
	return value;
}

static struct rte_pci_device *
probe(void)
{
	struct rte_pci_device *dev;
	char bdf[VM_BDF_LEN];

	assert_true(vm_find(E1000E, bdf));
	dev = vm_bus_probe(bdf, KERNEL_DRIVER, "");
	assert_non_null(dev);
	assert_int_equal(dev->kdrv, RTE_PCI_KDRV_IGB_UIO);
	assert_string_equal(rte_pci_backend_name(dev), "uio");
	return dev;
}

static bool
enabled(const struct rte_pci_device *dev, uint8_t capability, uint16_t bit)
{
	off_t at = rte_pci_find_capability(dev, capability);
	uint16_t control = 0;

	assert_true(at > 0);
	assert_int_equal(rte_pci_read_config(dev, &control, sizeof(control), at + CONTROL),
		sizeof(control));
	return (control & bit) != 0;
}

/* ---- a driver that takes interrupts ---- */

struct user {
	struct rte_pci_device *dev;
	atomic_uint nb;
};

/*
 * The cause goes before the interrupt is unmasked, or it would come again. The device may send a
 * message once more for a cause that is still there after some time.
 */
static void
on_interrupt(void *arg)
{
	struct user *user = arg;
	const uint32_t other = OTHER;
	uint32_t causes = 0;

	rte_pci_mmio_read(user->dev, MEM_BAR, &causes, sizeof(causes), CAUSE_READ);
	rte_pci_mmio_write(user->dev, MEM_BAR, &other, sizeof(other), CAUSE_READ);
	rte_intr_ack(user->dev->intr_handle);
	if ((causes & OTHER) != 0)
		atomic_fetch_add(&user->nb, 1);
}

static void
user_start(struct user *user)
{
	user->dev = probe();
	atomic_init(&user->nb, 0);
	reg_write(user->dev, VECTORS, VECTORS_OTHER_IS_0);
	assert_int_equal(rte_intr_callback_register(user->dev->intr_handle, on_interrupt, user),
		0);
	assert_int_equal(rte_intr_enable(user->dev->intr_handle), 0);
	reg_write(user->dev, MASK_SET, OTHER);
}

static void
user_stop(struct user *user)
{
	assert_int_equal(rte_intr_disable(user->dev->intr_handle), 0);
	assert_int_equal(rte_intr_callback_unregister_sync(user->dev->intr_handle, on_interrupt,
		user), 1);
	assert_int_equal(vm_bus_remove(user->dev), 0);
}

static void
assert_told(struct user *user, unsigned int nb)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	unsigned int left = TIMEOUT_MS;

	while (atomic_load(&user->nb) < nb && --left > 0)
		nanosleep(&ms, NULL);
	assert_int_equal(atomic_load(&user->nb), nb);
}

/* ---- tests ---- */

static void
test_module_uses_the_kind_it_was_told(void **state)
{
	const struct kind *kind = kind_preferred();
	struct rte_pci_device *dev = probe();

	assert_int_equal(rte_intr_type_get(dev->intr_handle), RTE_INTR_HANDLE_UIO);
	assert_int_equal(enabled(dev, RTE_PCI_CAP_ID_MSI, MSI_CONTROL_ENABLE), kind->msi);
	assert_int_equal(enabled(dev, RTE_PCI_CAP_ID_MSIX, MSIX_CONTROL_ENABLE), kind->msix);
	rte_pci_unmap_device(dev);
	assert_int_equal(rte_pci_map_device(dev), 0);
	assert_int_equal(enabled(dev, RTE_PCI_CAP_ID_MSIX, MSIX_CONTROL_ENABLE), kind->msix);
	assert_int_equal(vm_bus_remove(dev), 0);
}

static void
test_each_interrupt_is_told_once(void **state)
{
	struct user user;
	unsigned int i;

	user_start(&user);
	for (i = 1; i <= ROUNDS; i++) {
		reg_write(user.dev, CAUSE_SET, OTHER);
		assert_told(&user, i);
	}
	user_stop(&user);
	assert_int_equal(atomic_load(&user.nb), ROUNDS);
}

static void
test_what_comes_while_masked_is_told_when_unmasked(void **state)
{
	const bool maskable = kind_preferred()->maskable;
	struct user user;
	unsigned int i;

	user_start(&user);
	for (i = 1; i <= 5; i++) {
		assert_int_equal(rte_intr_disable(user.dev->intr_handle), 0);
		reg_write(user.dev, CAUSE_SET, OTHER);
		usleep(50000);
		if (maskable)
			assert_int_equal(atomic_load(&user.nb), i - 1);
		assert_int_equal(rte_intr_enable(user.dev->intr_handle), 0);
		assert_told(&user, i);
	}
	user_stop(&user);
}

static void
test_ports_reach_the_registers_that_memory_reaches(void **state)
{
	struct rte_pci_device *dev = probe();
	uint32_t reg = MAC_LOW, value = 0;
	struct rte_pci_ioport port;

	assert_int_equal(rte_pci_ioport_map(dev, IO_BAR, &port), 0);
	rte_pci_ioport_write(&port, &reg, sizeof(reg), IO_ADDR);
	rte_pci_ioport_read(&port, &value, sizeof(value), IO_DATA);
	assert_int_not_equal(value, 0);
	assert_int_equal(value, reg_read(dev, MAC_LOW));
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
	assert_int_equal(vm_bus_remove(dev), 0);
}

static void
test_device_masters_the_bus_while_it_is_mapped(void **state)
{
	vm_bus_assert_masters_while_mapped(probe());
}

/* The module frees the interrupt, and UIO tells that its file is dead. */
static void
test_unbinding_in_use_leaves_a_device_that_can_be_used_again(void **state)
{
	char bdf[VM_BDF_LEN];
	struct user user;

	user_start(&user);
	snprintf(bdf, sizeof(bdf), "%s", rte_dev_name(&user.dev->device));
	assert_int_equal(vm_bind(bdf, NULL), 0);
	usleep(100000);
	assert_int_equal(vm_bus_remove(user.dev), 0);
	user_start(&user);
	reg_write(user.dev, CAUSE_SET, OTHER);
	assert_told(&user, 1);
	user_stop(&user);
}

static const struct CMUnitTest tests[] = {
	VM_BUS_TEST(test_module_uses_the_kind_it_was_told),
	VM_BUS_TEST(test_each_interrupt_is_told_once),
	VM_BUS_TEST(test_what_comes_while_masked_is_told_when_unmasked),
	VM_BUS_TEST(test_ports_reach_the_registers_that_memory_reaches),
	VM_BUS_TEST(test_device_masters_the_bus_while_it_is_mapped),
	VM_BUS_TEST(test_unbinding_in_use_leaves_a_device_that_can_be_used_again),
};
TEST_SUITE(vm_igb_uio, "vm", tests, vm_bus_setup, vm_bus_teardown)
