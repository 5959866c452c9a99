/* SPDX-License-Identifier: BSD-3-Clause */

/* Devices on UIO that go while calls reach them. */

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>

#include "fake_uio.h"
#include "test.h"
#include "uio_card.h"

#define PAGE 4096
#define MEM UIO_CARD_MEM

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
	assert_int_equal(truncate(path, PAGE), 0);
	uio_card_unplug(&card);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_call_that_faults_gives_ones_and_the_next_an_error),
};
TEST_SUITE(pci_uio_removal, "functional", tests, uio_card_setup, uio_card_teardown)
