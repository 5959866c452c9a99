/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>

#include <rte_bus_pci.h>
#include <rte_dev.h>

#include "fake_process.h"
#include "fake_vfio.h"
#include "test.h"
#include "vfio_card.h"

/* The child inherits the parent's mapping, which a secondary process would not have. */
static int
secondary_map(struct vfio_card *card)
{
	rte_pci_unmap_device(card->pci);
	return rte_pci_map_device(card->pci);
}

static int
secondary_uses_device(void *arg)
{
	struct vfio_card *card = arg;
	void *base = card->pci->mem_resource[2].addr;
	uint8_t byte = 0x5a;

	FAKE_PROCESS_CHECK(secondary_map(card) == 0);
	FAKE_PROCESS_CHECK(card->pci->mem_resource[2].addr == base);
	FAKE_PROCESS_CHECK(rte_pci_bar_windows_get(card->pci, 2, NULL, 0) == 2);
	FAKE_PROCESS_CHECK(*((volatile uint8_t *)base + 5) == vfio_card_pattern(5));
	FAKE_PROCESS_CHECK(rte_pci_mmio_write(card->pci, 2, &byte, 1, 8 * K + 3) == 1);
	FAKE_PROCESS_CHECK(rte_pci_mmio_read(card->pci, 2, &byte, 1, 3 * K) == 1);
	FAKE_PROCESS_CHECK(byte == vfio_card_pattern(3 * K));
	rte_pci_unmap_device(card->pci);
	FAKE_PROCESS_CHECK(card->pci->mem_resource[2].addr == NULL);
	return 0;
}

static void
test_s2_secondary_unmaps_without_harm_to_the_others(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;
	uint8_t byte;

	vfio_card_map(&card, &desc);
	assert_int_equal(fake_process_in_secondary(secondary_uses_device, &card), 0);
	assert_int_equal(fake_process_in_secondary(secondary_uses_device, &card), 0);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &byte, 1, 8 * K + 3), 1);
	assert_int_equal(byte, 0x5a);
	vfio_card_unplug(&card);
}

static int
secondary_finds_place_taken(void *arg)
{
	struct vfio_card *card = arg;
	void *base = card->pci->mem_resource[2].addr;
	uint8_t *mine;

	rte_pci_unmap_device(card->pci);
	mine = mmap((uint8_t *)base + 4 * K, K, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	FAKE_PROCESS_CHECK(mine == (uint8_t *)base + 4 * K);
	mine[0] = 0x77;
	FAKE_PROCESS_CHECK(rte_pci_map_device(card->pci) == -EEXIST);
	FAKE_PROCESS_CHECK(mine[0] == 0x77);
	FAKE_PROCESS_CHECK(card->pci->mem_resource[2].addr == NULL);
	munmap(mine, K);
	FAKE_PROCESS_CHECK(rte_pci_map_device(card->pci) == 0);
	FAKE_PROCESS_CHECK(card->pci->mem_resource[2].addr == base);
	return 0;
}

static int
secondary_is_refused_windows(void *arg)
{
	struct vfio_card *card = arg;

	rte_pci_unmap_device(card->pci);
	card->fake->desc.regions[2].refuse_mmap = true;
	FAKE_PROCESS_CHECK(rte_pci_map_device(card->pci) == 0);
	FAKE_PROCESS_CHECK(card->pci->mem_resource[2].addr == NULL);
	return 0;
}

static void
test_s3_failure_in_a_secondary_changes_nothing_for_the_next(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;

	vfio_card_map(&card, &desc);
	assert_int_equal(fake_process_in_secondary(secondary_is_refused_windows, &card), 0);
	assert_int_equal(fake_process_in_secondary(secondary_uses_device, &card), 0);
	vfio_card_unplug(&card);
}

static void
test_s4_secondary_never_takes_a_place_that_is_in_use(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;

	vfio_card_map(&card, &desc);
	assert_int_equal(fake_process_in_secondary(secondary_finds_place_taken, &card), 0);
	vfio_card_unplug(&card);
}

static int
secondary_has_nothing_to_share(void *arg)
{
	struct vfio_card *card = arg;

	FAKE_PROCESS_CHECK(rte_pci_map_device(card->pci) == -ENOENT);
	FAKE_PROCESS_CHECK(card->pci->mem_resource[2].addr == NULL);
	return 0;
}

static void
test_secondary_needs_a_primary_that_has_mapped_the_device(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;

	vfio_card_map(&card, &desc);
	rte_pci_unmap_device(card.pci);
	assert_int_equal(fake_process_in_secondary(secondary_has_nothing_to_share, &card), 0);
	vfio_card_unplug(&card);
}

static int
secondary_sees_another_size(void *arg)
{
	struct vfio_card *card = arg;

	rte_pci_unmap_device(card->pci);
	card->fake->desc.regions[2].size = 32 * K;
	FAKE_PROCESS_CHECK(rte_pci_map_device(card->pci) == -EPROTO);
	FAKE_PROCESS_CHECK(card->pci->mem_resource[2].addr == NULL);
	return 0;
}

static void
test_secondary_refuses_a_bar_of_another_size(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;

	vfio_card_map(&card, &desc);
	assert_int_equal(fake_process_in_secondary(secondary_sees_another_size, &card), 0);
	vfio_card_unplug(&card);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_s2_secondary_unmaps_without_harm_to_the_others),
	cmocka_unit_test(test_s3_failure_in_a_secondary_changes_nothing_for_the_next),
	cmocka_unit_test(test_s4_secondary_never_takes_a_place_that_is_in_use),
	cmocka_unit_test(test_secondary_needs_a_primary_that_has_mapped_the_device),
	cmocka_unit_test(test_secondary_refuses_a_bar_of_another_size),
};
VFIO_CARD_SUITES(pci_vfio_secondary, tests)
