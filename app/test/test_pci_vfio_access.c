/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_eal_paging.h>

#include "fake_vfio.h"
#include "test.h"
#include "vfio_card.h"

static void
test_s9_protection_follows_the_flags_of_the_region(void **state)
{
	static const struct {
		uint32_t flags;
		int read_rc, write_rc, prot;
		const char *maps;
	} rows[] = {
		{ FAKE_REGION_RWM, 4, 4, RTE_PROT_READ | RTE_PROT_WRITE, "rw-s" },
		{ VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_MMAP, 4, -EACCES,
			RTE_PROT_READ, "r--s" },
		{ VFIO_REGION_INFO_FLAG_WRITE | VFIO_REGION_INFO_FLAG_MMAP, -EACCES, 4,
			RTE_PROT_WRITE, "-w-s" },
		{ VFIO_REGION_INFO_FLAG_READ, 4, -EACCES, 0, NULL },
		{ VFIO_REGION_INFO_FLAG_WRITE, -EACCES, 4, 0, NULL },
		{ VFIO_REGION_INFO_FLAG_MMAP, -EACCES, -EACCES, 0, NULL },
	};
	struct rte_pci_bar_window window;
	struct vfio_card card;
	uint32_t word = 0;
	size_t i;
	int nb;

	for (i = 0; i < RTE_DIM(rows); i++) {
		const struct fake_device_desc desc = {
			.regions[2] = { .size = 4 * K, .flags = rows[i].flags },
		};

		vfio_card_map(&card, &desc);
		assert_int_equal(rte_pci_mmio_read(card.pci, 2, &word, 4, 8), rows[i].read_rc);
		assert_int_equal(rte_pci_mmio_write(card.pci, 2, &word, 4, 8), rows[i].write_rc);
		assert_int_equal(rte_pci_mmio_read(card.pci, 2, &word, 3, 8),
			rows[i].read_rc == 4 ? 3 : rows[i].read_rc);
		nb = rte_pci_bar_windows_get(card.pci, 2, &window, 1);
		assert_int_equal(nb, rows[i].prot != 0);
		if (nb != 0) {
			assert_int_equal(window.prot, rows[i].prot);
			vfio_assert_maps_are(card.pci, 2, 4 * K, &window, 1, rows[i].maps);
		}
		vfio_card_unplug(&card);
	}
}

static void
test_s10_driver_can_ask_what_is_mapped(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	static const struct {
		uint64_t offset, len;
		bool mapped;
	} rows[] = {
		{ 0, 1, true }, { 0, 2 * K, true }, { 0, 2 * K + 1, false },
		{ 2 * K - 1, 1, true }, { 2 * K - 1, 2, false }, { 2 * K, 1, false },
		{ 8 * K - 1, 2, false }, { 8 * K, K, true }, { 8 * K + 1, K, false },
		{ 9 * K, 0, false }, { 16 * K, 1, false }, { UINT64_MAX, 1, false },
		{ 0, UINT64_MAX, false }, { 8 * K + 4, UINT64_MAX, false },
	};
	struct rte_pci_bar_window windows[2];
	struct rte_pci_bar_info info;
	struct vfio_card card;
	size_t i;

	vfio_card_map(&card, &desc);
	for (i = 0; i < RTE_DIM(rows); i++)
		assert_ptr_equal(rte_pci_bar_ptr(card.pci, 2, rows[i].offset, rows[i].len),
			rows[i].mapped ?
			(uint8_t *)card.pci->mem_resource[2].addr + rows[i].offset : NULL);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, windows, 1), 2);
	assert_int_equal(windows[0].size, 2 * K);
	assert_int_equal(rte_pci_bar_info_get(card.pci, 2, &info), 0);
	assert_int_equal(info.size, 16 * K);
	assert_int_equal(info.flags, RTE_PCI_BAR_F_READ | RTE_PCI_BAR_F_WRITE);
	assert_int_equal(info.nb_windows, 2);
	assert_ptr_equal(info.base, card.pci->mem_resource[2].addr);
	assert_int_equal(rte_pci_bar_info_get(card.pci, 0, &info), 0);
	assert_int_equal(info.size, 0);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, -1, windows, 1), -EINVAL);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 6, windows, 1), -EINVAL);
	assert_int_equal(rte_pci_bar_info_get(card.pci, 6, &info), -EINVAL);
	assert_null(rte_pci_bar_ptr(card.pci, 6, 0, 1));
	assert_string_equal(rte_pci_backend_name(card.pci), "vfio");
	rte_pci_unmap_device(card.pci);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, windows, 1), -ENODEV);
	assert_int_equal(rte_pci_bar_info_get(card.pci, 2, &info), -ENODEV);
	assert_null(rte_pci_bar_ptr(card.pci, 2, 0, 1));
	vfio_card_unplug(&card);
}

/* ---- reading and writing, as section 3.4 of what was learnt demands ---- */

static void
test_mapped_bytes_cost_no_call(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;
	uint8_t bytes[64];

	vfio_card_map(&card, &desc);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, sizeof(bytes), 4), sizeof(bytes));
	assert_int_equal(rte_pci_mmio_write(card.pci, 2, bytes, 8, 8 * K), 8);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, 8, 9 * K - 8), 8);
	assert_int_equal(card.fake->nb_accesses, 0);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, 1, 9 * K), 1);
	assert_int_equal(card.fake->nb_accesses, 1);
	vfio_card_unplug(&card);
}

static void
test_range_is_split_at_the_edges_of_windows(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	const struct fake_access expected[] = {
		{ 2, 2 * K, 6 * K, false }, { 2, 9 * K, 16, false },
	};
	struct vfio_card card;
	uint8_t *bytes;
	size_t i;

	bytes = malloc(16 * K);
	assert_non_null(bytes);
	vfio_card_map(&card, &desc);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, 7 * K + 32, 2 * K - 16), 7 * K + 32);
	for (i = 0; i < 7 * K + 32; i++)
		assert_int_equal(bytes[i], vfio_card_pattern(2 * K - 16 + i));
	assert_int_equal(card.fake->nb_accesses, 2);
	for (i = 0; i < RTE_DIM(expected); i++) {
		assert_int_equal(card.fake->accesses[i].off, expected[i].off);
		assert_int_equal(card.fake->accesses[i].len, expected[i].len);
	}
	free(bytes);
	vfio_card_unplug(&card);
}

static void
test_natural_access_in_a_hole_is_one_call(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;
	uint64_t value;
	size_t len;

	vfio_card_map(&card, &desc);
	for (len = 1; len <= 8; len *= 2) {
		card.fake->nb_accesses = 0;
		assert_int_equal(rte_pci_mmio_write(card.pci, 2, &value, len, 4 * K + 8), len);
		assert_int_equal(card.fake->nb_accesses, 1);
		assert_int_equal(card.fake->accesses[0].len, len);
		assert_int_equal(card.fake->accesses[0].off, 4 * K + 8);
	}
	vfio_card_unplug(&card);
}

static void
test_every_width_and_alignment_in_a_window(void **state)
{
	const struct fake_device_desc desc = {
		.regions[2] = { .size = K, .flags = FAKE_REGION_RWM },
	};
	uint8_t bytes[40], out[40];
	struct vfio_card card;
	size_t len, at, i;

	vfio_card_map(&card, &desc);
	for (at = 0; at < 16; at++)
		for (len = 0; len <= sizeof(bytes); len++) {
			memset(bytes, 0xee, sizeof(bytes));
			assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, len, (off_t)at),
				len);
			for (i = 0; i < sizeof(bytes); i++)
				assert_int_equal(bytes[i],
					i < len ? vfio_card_pattern(at + i) : 0xee);
			memset(out, (int)(len + at), sizeof(out));
			assert_int_equal(rte_pci_mmio_write(card.pci, 2, out, len,
				(off_t)(128 + at)), len);
			fake_vfio_peek(card.fake, 2, 128 + at, bytes, len);
			assert_memory_equal(bytes, out, len);
		}
	assert_int_equal(card.fake->nb_accesses, 0);
	vfio_card_unplug(&card);
}

static void
test_ranges_outside_are_refused(void **state)
{
	static const struct {
		int bar;
		uint64_t len;
		off_t offset;
		int rc;
	} rows[] = {
		{ 2, 0, 0, 0 },
		{ 2, 0, 16 * K, 0 },
		{ 2, 1, 16 * K - 1, 1 },
		{ 2, 2, 16 * K - 1, -EINVAL },
		{ 2, 4, 16 * K, -EINVAL },
		{ 2, 0, 16 * K + 1, -EINVAL },
		{ 2, 8, -8, -EINVAL },
		{ 2, 4, -1, -EINVAL },
		{ 2, 4, LONG_MIN, -EINVAL },
		{ 2, 4, LONG_MAX, -EINVAL },
		{ 2, SIZE_MAX, 0, -EINVAL },
		{ 2, SIZE_MAX, 1, -EINVAL },
		{ 2, SIZE_MAX - 7, 8, -EINVAL },
		{ 2, (size_t)INT_MAX + 1, 0, -EINVAL },
		{ -1, 4, 0, -EINVAL },
		{ INT_MIN, 4, 0, -EINVAL },
		{ 6, 4, 0, -EINVAL },
		{ 7, 4, 0, -EINVAL },
		{ INT_MAX, 4, 0, -EINVAL },
		{ 0, 1, 0, -EINVAL },
	};
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;
	uint64_t value = 0;
	size_t i;

	vfio_card_map(&card, &desc);
	for (i = 0; i < RTE_DIM(rows); i++) {
		assert_int_equal(rte_pci_mmio_read(card.pci, rows[i].bar, &value, rows[i].len,
			rows[i].offset), rows[i].rc);
		assert_int_equal(rte_pci_mmio_write(card.pci, rows[i].bar, &value, rows[i].len,
			rows[i].offset), rows[i].rc);
	}
	vfio_card_unplug(&card);
}

static void
test_errors_of_calls_come_through(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;
	uint8_t bytes[32];

	vfio_card_map(&card, &desc);
	card.fake->desc.regions[2].io_err = EPERM;
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, 4, 4 * K), -EPERM);
	assert_int_equal(rte_pci_mmio_write(card.pci, 2, bytes, 4, 4 * K), -EPERM);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, 16, 2 * K - 8), -EPERM);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, 4, 0), 4);
	card.fake->desc.regions[2].io_err = EIO;
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, 4, 4 * K), -EIO);
	vfio_card_unplug(&card);
}

static void
test_short_calls_are_completed(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;
	uint8_t bytes[32];
	size_t i;

	vfio_card_map(&card, &desc);
	card.fake->desc.regions[2].io_max = 3;
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, sizeof(bytes), 4 * K),
		sizeof(bytes));
	for (i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], vfio_card_pattern(4 * K + i));
	memset(bytes, 0x42, sizeof(bytes));
	assert_int_equal(rte_pci_mmio_write(card.pci, 2, bytes, sizeof(bytes), 4 * K),
		sizeof(bytes));
	fake_vfio_peek(card.fake, 2, 4 * K + sizeof(bytes) - 1, bytes, 1);
	assert_int_equal(bytes[0], 0x42);
	vfio_card_unplug(&card);
}

static void
test_msix_table_reads_as_the_kernel_says(void **state)
{
	struct fake_device_desc desc = {
		.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM },
		.msix_table = { .bar = 2, .off = 2 * K, .len = 64 },
	};
	struct vfio_config config;
	struct vfio_card card;
	uint32_t value = 0;

	vfio_config_init(&config);
	vfio_config_msix(&config, 2, 2 * K, 4);
	desc.config = config.bytes;
	desc.config_len = sizeof(config.bytes);
	vfio_card_map(&card, &desc);
	assert_null(rte_pci_bar_ptr(card.pci, 2, 2 * K, 4));
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &value, 4, 2 * K), 4);
	assert_int_equal(value, UINT32_MAX);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &value, 4, 2 * K + 64), 4);
	assert_int_equal(value & 0xff, vfio_card_pattern(2 * K + 64));
	vfio_card_unplug(&card);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_s9_protection_follows_the_flags_of_the_region),
	cmocka_unit_test(test_s10_driver_can_ask_what_is_mapped),
	cmocka_unit_test(test_mapped_bytes_cost_no_call),
	cmocka_unit_test(test_range_is_split_at_the_edges_of_windows),
	cmocka_unit_test(test_natural_access_in_a_hole_is_one_call),
	cmocka_unit_test(test_every_width_and_alignment_in_a_window),
	cmocka_unit_test(test_ranges_outside_are_refused),
	cmocka_unit_test(test_errors_of_calls_come_through),
	cmocka_unit_test(test_short_calls_are_completed),
	cmocka_unit_test(test_msix_table_reads_as_the_kernel_says),
};
VFIO_CARD_SUITES(pci_vfio_access, tests)
