/* SPDX-License-Identifier: BSD-3-Clause */

/* Devices on UIO that go, also while calls reach them, and that are mapped again. */

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_bus.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>

#include "fake_uio.h"
#include "resources.h"
#include "test.h"
#include "uio_card.h"

#define K UINT64_C(0x1000)	/* 16 of it are at least a page anywhere */
#define MEM UIO_CARD_MEM

/* The file of a device that is gone has no bytes, as far as a load can tell. */
static void
test_device_that_goes_leaves_ones_and_errors(void **state)
{
	volatile uint32_t *reg;
	uint32_t value = 0;
	char path[256];
	struct rte_bus *bus;
	struct uio_card card;

	uio_card_map(&card, &uio_card_common);
	bus = rte_bus_find_by_name("pci");
	assert_non_null(bus);
	reg = card.pci->mem_resource[MEM].addr;
	*reg = 0x12345678;
	snprintf(path, sizeof(path), "%s/%s/resource2", uio_sysfs->devices, card.name);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(bus->hot_unplug_handler(&card.pci->device), 0);
	assert_int_equal(*reg, UINT32_MAX);
	*reg = 1;
	assert_int_equal(*reg, 1);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &value, 4, 0), -ENODEV);
	assert_int_equal(rte_pci_mmio_write(card.pci, MEM, &value, 4, 0), -ENODEV);
	assert_int_equal(truncate(path, 16 * K), 0);
	uio_card_unplug(&card);
}

static void
test_device_is_mapped_again_and_again(void **state)
{
	struct resources before;
	struct uio_card card;
	unsigned int i;

	uio_card_map(&card, &uio_card_common);
	rte_pci_unmap_device(card.pci);
	resources_take(&before);
	for (i = 0; i < 20; i++) {
		assert_int_equal(rte_pci_map_device(card.pci), 0);
		assert_int_equal(rte_pci_map_device(card.pci), 0);
		assert_int_equal(card.uio->nb_node_open, 1);
		uio_assert_bytes_pass(&card, MEM, 16 * K);
		rte_pci_unmap_device(card.pci);
		uio_assert_nothing_left(&card);
	}
	resources_assert_same(&before);
	resources_drop(&before);
	uio_card_unplug(&card);
}

/* A BAR that is reached by calls is mapped for them. */
static void
test_call_that_faults_gives_ones_and_the_next_an_error(void **state)
{
	const struct fake_uio_desc desc = {
		.bar[MEM] = { .len = 256, .start = 0xe0000100 },
	};
	struct uio_card card;
	uint32_t value = 0;
	char path[256];

	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	uio_card_map(&card, &desc);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &value, 4, 0), 4);
	snprintf(path, sizeof(path), "%s/%s/resource2", uio_sysfs->devices, card.name);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &value, 4, 0), 4);
	assert_int_equal(value, UINT32_MAX);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &value, 4, 0), -ENODEV);
	assert_int_equal(rte_pci_mmio_write(card.pci, MEM, &value, 4, 0), -ENODEV);
	assert_int_equal(truncate(path, K), 0);
	uio_card_unplug(&card);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_device_that_goes_leaves_ones_and_errors),
	cmocka_unit_test(test_device_is_mapped_again_and_again),
	cmocka_unit_test(test_call_that_faults_gives_ones_and_the_next_an_error),
};
TEST_SUITE(pci_uio_removal, "functional", tests, uio_card_setup, uio_card_teardown)
