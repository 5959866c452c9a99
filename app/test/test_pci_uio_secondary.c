/* SPDX-License-Identifier: BSD-3-Clause */

/* Devices on UIO that secondary processes use, too. */

#include <errno.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_interrupts.h>

#include "fake_process.h"
#include "fake_uio.h"
#include "test.h"
#include "uio_card.h"

#define MEM UIO_CARD_MEM
#define IO UIO_CARD_IO

/*
 * The child inherits the parent's mapping, which a secondary process would not have. It never
 * opens /dev/uioN: closing that would switch bus mastering off.
 */
static int
secondary_uses_device(void *arg)
{
	struct uio_card *card = arg;
	void *base = card->pci->mem_resource[MEM].addr;
	unsigned int opened = card->uio->nb_node_opened;
	uint32_t value = 0;

	rte_pci_unmap_device(card->pci);
	fake_uio_config_set(card->uio, RTE_PCI_COMMAND, RTE_PCI_COMMAND_MASTER);
	FAKE_PROCESS_CHECK(rte_pci_map_device(card->pci) == 0);
	FAKE_PROCESS_CHECK(card->pci->mem_resource[MEM].addr == base);
	FAKE_PROCESS_CHECK(card->uio->nb_node_opened == opened);
	FAKE_PROCESS_CHECK(rte_intr_fd_get(card->pci->intr_handle) == -1);
	FAKE_PROCESS_CHECK(rte_pci_mmio_read(card->pci, MEM, &value, 4, 0) == 4);
	FAKE_PROCESS_CHECK(value == 0x12345678);
	value = 0x5a5a5a5a;
	FAKE_PROCESS_CHECK(rte_pci_mmio_write(card->pci, MEM, &value, 4, 4) == 4);
	FAKE_PROCESS_CHECK(rte_pci_mmio_read(card->pci, IO, &value, 4, 0) == 4);
	FAKE_PROCESS_CHECK(rte_pci_read_config(card->pci, &value, 4, 0) == 4);
	rte_pci_unmap_device(card->pci);
	FAKE_PROCESS_CHECK(card->pci->mem_resource[MEM].addr == NULL);
	FAKE_PROCESS_CHECK((uio_card_command(card) & RTE_PCI_COMMAND_MASTER) != 0);
	return 0;
}

static void
test_secondary_has_the_same_addresses_and_leaves_the_device_alone(void **state)
{
	uint32_t value = 0x12345678;
	struct uio_card card;

	uio_card_map(&card, &uio_card_common);
	assert_int_equal(rte_pci_mmio_write(card.pci, MEM, &value, 4, 0), 4);
	assert_int_equal(fake_process_in_secondary(secondary_uses_device, &card), 0);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &value, 4, 4), 4);
	assert_int_equal(value, 0x5a5a5a5a);
	assert_int_equal(fake_process_in_secondary(secondary_uses_device, &card), 0);
	uio_card_unplug(&card);
}

static int
secondary_finds_none(void *arg)
{
	struct uio_card *card = arg;

	FAKE_PROCESS_CHECK(rte_pci_map_device(card->pci) == -ENOENT);
	FAKE_PROCESS_CHECK(card->pci->mem_resource[MEM].addr == NULL);
	return 0;
}

static void
test_secondary_needs_a_primary_that_has_mapped_the_device(void **state)
{
	struct uio_card card;

	uio_card_plug(&card, &uio_card_common);
	assert_int_equal(fake_process_in_secondary(secondary_finds_none, &card), 0);
	uio_card_unplug(&card);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_secondary_has_the_same_addresses_and_leaves_the_device_alone),
	cmocka_unit_test(test_secondary_needs_a_primary_that_has_mapped_the_device),
};
TEST_SUITE(pci_uio_secondary, "functional", tests, uio_card_setup, uio_card_teardown)
