/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_eal.h>

#include "fake_process.h"
#include "fake_vfio.h"
#include "test.h"
#include "vfio_card.h"

/* Run as a secondary process; @p body returns 0 if all is well, else a line number. */
static int
in_secondary(int (*body)(struct vfio_card *card), struct vfio_card *card)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		fake_process_set(RTE_PROC_SECONDARY);
		_exit(body(card) & 0xff);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The line modulo 256, never 0: tells where a child failed. */
#define CHECK(condition_) do { \
	if (!(condition_)) \
		return __LINE__ % 255 + 1; \
} while (0)

/* The child inherits the parent's mapping, which a secondary process would not have. */
static int
secondary_map(struct vfio_card *card)
{
	rte_pci_unmap_device(card->pci);
	return rte_pci_map_device(card->pci);
}

static int
secondary_uses_device(struct vfio_card *card)
{
	void *base = card->pci->mem_resource[2].addr;
	uint8_t byte = 0x5a;

	CHECK(secondary_map(card) == 0);
	CHECK(card->pci->mem_resource[2].addr == base);
	CHECK(rte_pci_bar_windows_get(card->pci, 2, NULL, 0) == 2);
	CHECK(*((volatile uint8_t *)base + 5) == vfio_card_pattern(5));
	CHECK(rte_pci_mmio_write(card->pci, 2, &byte, 1, 8 * K + 3) == 1);
	CHECK(rte_pci_mmio_read(card->pci, 2, &byte, 1, 3 * K) == 1);
	CHECK(byte == vfio_card_pattern(3 * K));
	rte_pci_unmap_device(card->pci);
	CHECK(card->pci->mem_resource[2].addr == NULL);
	return 0;
}

static void
test_s2_secondary_unmaps_without_harm_to_the_others(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;
	uint8_t byte;

	vfio_card_map(&card, &desc);
	assert_int_equal(in_secondary(secondary_uses_device, &card), 0);
	assert_int_equal(in_secondary(secondary_uses_device, &card), 0);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &byte, 1, 8 * K + 3), 1);
	assert_int_equal(byte, 0x5a);
	vfio_card_unplug(&card);
}

static int
secondary_finds_place_taken(struct vfio_card *card)
{
	void *base = card->pci->mem_resource[2].addr;
	uint8_t *mine;

	rte_pci_unmap_device(card->pci);
	mine = mmap((uint8_t *)base + 4 * K, K, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(mine == (uint8_t *)base + 4 * K);
	mine[0] = 0x77;
	CHECK(rte_pci_map_device(card->pci) == -EEXIST);
	CHECK(mine[0] == 0x77);
	CHECK(card->pci->mem_resource[2].addr == NULL);
	munmap(mine, K);
	CHECK(rte_pci_map_device(card->pci) == 0);
	CHECK(card->pci->mem_resource[2].addr == base);
	return 0;
}

static int
secondary_is_refused_windows(struct vfio_card *card)
{
	rte_pci_unmap_device(card->pci);
	card->fake->desc.regions[2].refuse_mmap = true;
	CHECK(rte_pci_map_device(card->pci) == 0);
	CHECK(card->pci->mem_resource[2].addr == NULL);
	return 0;
}

static void
test_s3_failure_in_a_secondary_changes_nothing_for_the_next(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;

	vfio_card_map(&card, &desc);
	assert_int_equal(in_secondary(secondary_is_refused_windows, &card), 0);
	assert_int_equal(in_secondary(secondary_uses_device, &card), 0);
	vfio_card_unplug(&card);
}

static void
test_s4_secondary_never_takes_a_place_that_is_in_use(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;

	vfio_card_map(&card, &desc);
	assert_int_equal(in_secondary(secondary_finds_place_taken, &card), 0);
	vfio_card_unplug(&card);
}

static int
secondary_has_nothing_to_share(struct vfio_card *card)
{
	CHECK(rte_pci_map_device(card->pci) == -ENOENT);
	CHECK(card->pci->mem_resource[2].addr == NULL);
	return 0;
}

static void
test_secondary_needs_a_primary_that_has_mapped_the_device(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;

	vfio_card_map(&card, &desc);
	rte_pci_unmap_device(card.pci);
	assert_int_equal(in_secondary(secondary_has_nothing_to_share, &card), 0);
	vfio_card_unplug(&card);
}

static int
secondary_sees_another_size(struct vfio_card *card)
{
	rte_pci_unmap_device(card->pci);
	card->fake->desc.regions[2].size = 32 * K;
	CHECK(rte_pci_map_device(card->pci) == -EPROTO);
	CHECK(card->pci->mem_resource[2].addr == NULL);
	return 0;
}

static void
test_secondary_refuses_a_bar_of_another_size(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;

	vfio_card_map(&card, &desc);
	assert_int_equal(in_secondary(secondary_sees_another_size, &card), 0);
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
