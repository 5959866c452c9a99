/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdbool.h>
#include <string.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_eal_paging.h>

#include "fake_vfio.h"
#include "test.h"
#include "vfio_card.h"

/* ---- windows ---- */

struct windows_row {
	const char *name;
	uint64_t size;
	bool sparse;	/* there is a sparse capability, with these areas: */
	uint32_t nb_areas;
	struct vfio_region_sparse_mmap_area areas[5];
	bool msix, msix_mappable;
	uint32_t msix_offset;
	uint32_t flags;	/* 0: read, write, mmap */
	uint32_t nb;	/* expected windows */
	struct vfio_region_sparse_mmap_area expected[5];
};

static const struct windows_row windows_rows[] = {
	{ "whole BAR", 16 * K, .nb = 1, .expected = { { 0, 16 * K } } },
	{ "whole BAR shorter than a page", 256, .nb = 1, .expected = { { 0, 256 } } },
	{ "no mmap flag", 16 * K, .flags = FAKE_REGION_RW },
	{ "window at the start", 16 * K, true, 1, { { 0, K } }, .nb = 1, .expected = { { 0, K } } },
	{ "window in the middle", 16 * K, true, 1, { { 4 * K, 3 * K } },
		.nb = 1, .expected = { { 4 * K, 3 * K } } },
	{ "window at the end", 16 * K, true, 1, { { 15 * K, K } },
		.nb = 1, .expected = { { 15 * K, K } } },
	{ "several windows out of order", 16 * K, true, 3,
		{ { 15 * K, K }, { 0, K }, { 4 * K, 2 * K } },
		.nb = 3, .expected = { { 0, K }, { 4 * K, 2 * K }, { 15 * K, K } } },
	{ "adjacent windows are one", 16 * K, true, 3, { { 2 * K, K }, { K, K }, { 3 * K, K } },
		.nb = 1, .expected = { { K, 3 * K } } },
	{ "overlapping windows are one", 16 * K, true, 2, { { 2 * K, 3 * K }, { K, 2 * K } },
		.nb = 1, .expected = { { K, 4 * K } } },
	{ "empty list", 16 * K, true },
	{ "all of size 0", 16 * K, true, 2, { { 0, 0 }, { 4 * K, 0 } } },
	{ "unaligned: the inner pages", 16 * K, true, 1, { { 0x800, 4 * K } },
		.nb = 1, .expected = { { K, 3 * K } } },
	{ "unaligned: no whole page", 16 * K, true, 1, { { 0x800, K } } },
	{ "one of two is unaligned", 16 * K, true, 2, { { 0, 0x800 }, { 8 * K, K } },
		.nb = 1, .expected = { { 8 * K, K } } },
	{ "MSI-X table in the BAR", 16 * K, .msix = true, .msix_offset = 2 * K,
		.nb = 2, .expected = { { 0, 2 * K }, { 3 * K, 13 * K } } },
	{ "MSI-X table at offset 0", 16 * K, .msix = true,
		.nb = 1, .expected = { { K, 15 * K } } },
	{ "MSI-X table fills the BAR", K, .msix = true },
	{ "MSI-X table mappable", 16 * K, .msix = true, .msix_mappable = true,
		.msix_offset = 2 * K, .nb = 1, .expected = { { 0, 16 * K } } },
	{ "MSI-X table in a window", 16 * K, true, 1, { { K, 4 * K } }, .msix = true,
		.msix_offset = 2 * K, .nb = 2, .expected = { { K, K }, { 3 * K, 2 * K } } },
	{ "MSI-X table in a mappable window", 16 * K, true, 1, { { K, 4 * K } }, .msix = true,
		.msix_mappable = true, .msix_offset = 2 * K, .nb = 1,
		.expected = { { K, 4 * K } } },
	{ "MSI-X table in a hole", 16 * K, true, 1, { { K, 4 * K } }, .msix = true,
		.msix_offset = 8 * K, .nb = 1, .expected = { { K, 4 * K } } },
};

static void
windows_desc(const struct windows_row *row, struct vfio_config *config,
	struct fake_device_desc *desc)
{
	struct fake_region *region = &desc->regions[2];
	uint32_t i;

	memset(desc, 0, sizeof(*desc));
	vfio_config_init(config);
	if (row->msix)
		vfio_config_msix(config, 2, row->msix_offset, 4);
	desc->config = config->bytes;
	desc->config_len = sizeof(config->bytes);
	region->size = row->size;
	region->flags = row->flags != 0 ? row->flags : FAKE_REGION_RWM;
	if (row->sparse)
		fake_caps_add_sparse(&region->caps, row->nb_areas, row->areas, row->nb_areas);
	if (row->msix_mappable)
		fake_caps_add_msix_mappable(&region->caps);
	/* this kernel permits the expected windows and nothing else */
	for (i = 0; i < row->nb; i++) {
		region->windows[i].offset = row->expected[i].offset;
		region->windows[i].size = (row->expected[i].size + K - 1) / K * K;
	}
	region->nb_windows = row->nb;
}

static void
assert_windows_are(const struct rte_pci_device *dev, const struct windows_row *row)
{
	struct rte_pci_bar_window windows[8];
	uint32_t i;

	assert_int_equal(rte_pci_bar_windows_get(dev, 2, NULL, 0), row->nb);
	assert_int_equal(rte_pci_bar_windows_get(dev, 2, windows, RTE_DIM(windows)), row->nb);
	for (i = 0; i < row->nb; i++) {
		assert_int_equal(windows[i].offset, row->expected[i].offset);
		assert_int_equal(windows[i].size, row->expected[i].size);
		assert_int_equal(windows[i].prot, RTE_PROT_READ | RTE_PROT_WRITE);
		assert_ptr_equal(windows[i].addr,
			(uint8_t *)dev->mem_resource[2].addr + windows[i].offset);
	}
	if (row->nb == 0)
		assert_null(dev->mem_resource[2].addr);
	else
		vfio_assert_maps_are(dev, 2, row->size, windows, row->nb, "rw-s");
}

static void
test_exactly_the_permitted_windows_are_mapped(void **state)
{
	struct fake_device_desc desc;
	struct vfio_config config;
	struct vfio_card card;
	size_t i;

	for (i = 0; i < RTE_DIM(windows_rows); i++) {
		print_message("    %s\n", windows_rows[i].name);
		windows_desc(&windows_rows[i], &config, &desc);
		vfio_card_map(&card, &desc);
		assert_windows_are(card.pci, &windows_rows[i]);
		vfio_card_unplug(&card);
	}
}

static void
test_every_byte_reads_the_same_by_window_helper_and_pread(void **state)
{
	struct fake_device_desc desc;
	struct vfio_config config;
	struct vfio_card card;
	size_t i;

	for (i = 0; i < RTE_DIM(windows_rows); i++) {
		windows_desc(&windows_rows[i], &config, &desc);
		vfio_card_map(&card, &desc);
		vfio_assert_every_byte_is_the_same(&card, windows_rows[i].size);
		vfio_card_unplug(&card);
	}
}

static void
test_every_byte_written_by_the_helper_arrives(void **state)
{
	struct fake_device_desc desc;
	uint8_t bytes[16 * K], seen[16 * K];
	struct vfio_config config;
	struct vfio_card card;
	size_t i, j;

	for (j = 0; j < sizeof(bytes); j++)
		bytes[j] = (uint8_t)(j * 31 + 7);
	for (i = 0; i < RTE_DIM(windows_rows); i++) {
		windows_desc(&windows_rows[i], &config, &desc);
		vfio_card_map(&card, &desc);
		assert_int_equal(rte_pci_mmio_write(card.pci, 2, bytes, windows_rows[i].size, 0),
			windows_rows[i].size);
		fake_vfio_peek(card.fake, 2, 0, seen, windows_rows[i].size);
		assert_memory_equal(seen, bytes, windows_rows[i].size);
		vfio_card_unplug(&card);
	}
}

static void
assert_calls_only(const struct fake_device_desc *desc)
{
	struct vfio_card card;

	vfio_card_map(&card, desc);
	assert_null(card.pci->mem_resource[2].addr);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, NULL, 0), 0);
	assert_null(rte_pci_bar_ptr(card.pci, 2, 0, 1));
	vfio_assert_every_byte_is_the_same(&card, desc->regions[2].size);
	vfio_card_unplug(&card);
}

static void
test_s5_capability_without_areas_means_nothing_is_mapped(void **state)
{
	struct fake_device_desc desc = {
		.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM },
	};

	fake_caps_add_sparse(&desc.regions[2].caps, 0, NULL, 0);
	assert_calls_only(&desc);
}

static void
test_s6_areas_of_size_0_leave_addr_null(void **state)
{
	const struct vfio_region_sparse_mmap_area none[] = { { 0, 0 }, { K, 0 } };
	struct fake_device_desc desc = {
		.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM },
	};

	fake_caps_add_sparse(&desc.regions[2].caps, 2, none, 2);
	assert_calls_only(&desc);
}

static void
test_s7_unaligned_area_is_mapped_where_pages_are_whole(void **state)
{
	struct fake_device_desc desc = {
		.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM },
	};
	struct rte_pci_bar_window window;
	struct vfio_card card;

	vfio_card_area(&desc.regions[2].caps, 0x10, 3 * K);
	vfio_card_map(&card, &desc);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, &window, 1), 1);
	assert_int_equal(window.offset, K);
	assert_int_equal(window.size, 2 * K);
	vfio_assert_every_byte_is_the_same(&card, 16 * K);
	vfio_card_unplug(&card);
}

static void
test_s8_refused_window_does_not_fail_the_probe(void **state)
{
	struct fake_device_desc desc = {
		.device = 2,
		.regions[0] = { .size = 4 * K, .flags = FAKE_REGION_RWM, .refuse_mmap = true },
		.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM,
			.windows = { { 8 * K, K } }, .nb_windows = 1 },
	};
	const struct vfio_region_sparse_mmap_area areas[] = { { 0, K }, { 8 * K, K } };
	struct rte_pci_bar_window window;
	struct vfio_card card;

	fake_caps_add_sparse(&desc.regions[2].caps, 2, areas, 2);
	vfio_card_plug(&card, &desc);
	assert_null(card.pci->mem_resource[0].addr);
	assert_non_null(card.pci->mem_resource[2].addr);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, &window, 1), 1);
	assert_int_equal(window.offset, 8 * K);
	vfio_assert_maps_are(card.pci, 2, 16 * K, &window, 1, "rw-s");
	vfio_assert_every_byte_is_the_same(&card, 16 * K);
	vfio_card_unplug(&card);
}

static void
test_s14_window_refused_for_its_msix_table_is_mapped_around_it(void **state)
{
	struct fake_device_desc desc = {
		.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM,
			.windows = { { 0, 2 * K }, { 3 * K, 13 * K } }, .nb_windows = 2 },
	};
	struct rte_pci_bar_window windows[2];
	struct vfio_config config;
	struct vfio_card card;

	/* the kernel says that the table may be mapped, and refuses it */
	vfio_config_init(&config);
	vfio_config_msix(&config, 2, 2 * K, 4);
	desc.config = config.bytes;
	desc.config_len = sizeof(config.bytes);
	fake_caps_add_msix_mappable(&desc.regions[2].caps);
	vfio_card_map(&card, &desc);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, windows, 2), 2);
	assert_int_equal(windows[0].size, 2 * K);
	assert_int_equal(windows[1].offset, 3 * K);
	vfio_assert_maps_are(card.pci, 2, 16 * K, windows, 2, "rw-s");
	vfio_assert_every_byte_is_the_same(&card, 16 * K);
	vfio_card_unplug(&card);
}

static void
test_s16_bars_are_aligned_for_huge_pages(void **state)
{
	static const struct {
		uint64_t size, align;
	} rows[] = {
		{ K, K }, { 64 * K, 64 * K }, { 2 * MIB, 2 * MIB }, { 16 * MIB, 16 * MIB },
		{ 1024 * MIB, 1024 * MIB }, { 2048 * MIB, 1024 * MIB },
	};
	struct rte_pci_bar_window window;
	struct vfio_card card;
	size_t i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		struct fake_device_desc desc = {
			.regions[1] = { .size = 4 * K, .flags = FAKE_REGION_RWM },
			.regions[2] = { .size = rows[i].size, .flags = FAKE_REGION_RWM },
		};

		vfio_card_map(&card, &desc);
		assert_int_equal((uintptr_t)card.pci->mem_resource[2].addr % rows[i].align, 0);
		assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, &window, 1), 1);
		vfio_assert_maps_are(card.pci, 2, rows[i].size, &window, 1, "rw-s");
		vfio_card_unplug(&card);
	}
}

static void
test_long_capability_is_asked_for_twice(void **state)
{
	struct vfio_region_sparse_mmap_area areas[60];
	struct fake_device_desc desc = {
		.regions[2] = { .size = MIB, .flags = FAKE_REGION_RWM },
	};
	struct vfio_card card;
	size_t i;

	for (i = 0; i < RTE_DIM(areas); i++) {
		areas[i].offset = i * 2 * K;
		areas[i].size = K;
	}
	fake_caps_add_sparse(&desc.regions[2].caps, RTE_DIM(areas), areas, RTE_DIM(areas));
	vfio_card_map(&card, &desc);
	assert_int_equal(card.fake->nb_region_infos[2], 2);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, NULL, 0), RTE_DIM(areas));
	vfio_assert_every_byte_is_the_same(&card, 128 * K);
	vfio_card_unplug(&card);
}

static void
test_s18_place_of_a_bar_does_not_wander(void **state)
{
	const struct fake_device_desc desc = {
		.regions[2] = { .size = MIB, .flags = FAKE_REGION_RWM },
	};
	struct vfio_card card, other;
	void *first;
	int i;

	vfio_card_map(&card, &desc);
	first = card.pci->mem_resource[2].addr;
	for (i = 0; i < 100; i++) {
		rte_pci_unmap_device(card.pci);
		assert_int_equal(rte_pci_map_device(card.pci), 0);
		assert_ptr_equal(card.pci->mem_resource[2].addr, first);
	}
	vfio_card_map(&other, &desc);
	assert_true((uint8_t *)other.pci->mem_resource[2].addr >= (uint8_t *)first + MIB ||
		(uint8_t *)other.pci->mem_resource[2].addr + MIB <= (uint8_t *)first);
	vfio_card_unplug(&other);
	vfio_card_unplug(&card);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_exactly_the_permitted_windows_are_mapped),
	cmocka_unit_test(test_every_byte_reads_the_same_by_window_helper_and_pread),
	cmocka_unit_test(test_every_byte_written_by_the_helper_arrives),
	cmocka_unit_test(test_s5_capability_without_areas_means_nothing_is_mapped),
	cmocka_unit_test(test_s6_areas_of_size_0_leave_addr_null),
	cmocka_unit_test(test_s7_unaligned_area_is_mapped_where_pages_are_whole),
	cmocka_unit_test(test_s8_refused_window_does_not_fail_the_probe),
	cmocka_unit_test(test_s14_window_refused_for_its_msix_table_is_mapped_around_it),
	cmocka_unit_test(test_s16_bars_are_aligned_for_huge_pages),
	cmocka_unit_test(test_long_capability_is_asked_for_twice),
	cmocka_unit_test(test_s18_place_of_a_bar_does_not_wander),
};
VFIO_CARD_SUITES(pci_vfio_windows, tests)
