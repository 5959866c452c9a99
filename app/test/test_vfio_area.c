/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_vfio_region.h>

#include "test.h"
#include "vfio_areas.h"

/* The model: a byte for each unit of a small region. */
#define UNITS 48

struct model {
	bool in[UNITS];
};

static void
model_fill(struct model *m, const struct rte_vfio_area *areas, uint32_t nb)
{
	uint32_t i;
	uint64_t u;

	memset(m, 0, sizeof(*m));
	for (i = 0; i < nb; i++)
		for (u = areas[i].offset; u < areas[i].offset + areas[i].size && u < UNITS; u++)
			m->in[u] = true;
}

static void
assert_areas_are_model(const struct rte_vfio_area *areas, uint32_t nb, const struct model *m)
{
	struct model got;

	vfio_areas_assert_good(areas, nb, UNITS);
	model_fill(&got, areas, nb);
	assert_memory_equal(&got, m, sizeof(got));
}

static void
model_cut(struct model *m, uint64_t offset, uint64_t size)
{
	uint64_t u;

	for (u = offset; u < offset + size && u < UNITS; u++)
		m->in[u] = false;
}

/* Keep the pages that are whole; UNITS is a multiple of all of them. */
static void
model_align(struct model *m, uint64_t page)
{
	uint64_t first, u;
	bool whole;

	for (first = 0; first < UNITS; first += page) {
		whole = true;
		for (u = first; u < first + page; u++)
			whole = whole && m->in[u];
		for (u = first; u < first + page; u++)
			m->in[u] = whole;
	}
}

static uint32_t
random_areas(struct rte_vfio_area *areas, uint32_t max)
{
	uint32_t nb = vfio_areas_random() % (max + 1);
	uint32_t i;

	for (i = 0; i < nb; i++) {
		areas[i].offset = vfio_areas_random() % UNITS;
		areas[i].size = vfio_areas_random() % 3 == 0 ? 0 :
			vfio_areas_random() % (UNITS + 1 - areas[i].offset);
	}
	return nb;
}

static void
test_area_algebra_equals_a_bitmap(void **state)
{
	struct rte_vfio_area areas[8], hole;
	uint32_t round, nb, i, at;
	uint64_t clip, page, u;
	struct model m;

	for (round = 0; round < 100000; round++) {
		nb = random_areas(areas, 6);
		model_fill(&m, areas, nb);
		nb = rte_vfio_areas_normalize(areas, nb);
		assert_areas_are_model(areas, nb, &m);

		hole.offset = vfio_areas_random() % UNITS;
		hole.size = vfio_areas_random() % 12;
		model_cut(&m, hole.offset, hole.size);
		nb = rte_vfio_areas_cut(areas, nb, &hole);
		assert_areas_are_model(areas, nb, &m);

		clip = UNITS - vfio_areas_random() % 8;
		model_cut(&m, clip, UNITS);
		nb = rte_vfio_areas_clip(areas, nb, clip);
		assert_areas_are_model(areas, nb, &m);

		page = UINT64_C(1) << vfio_areas_random() % 4;
		model_align(&m, page);
		nb = rte_vfio_areas_align(areas, nb, page, 0);
		assert_areas_are_model(areas, nb, &m);

		for (u = 0; u < UNITS; u++) {
			at = rte_vfio_areas_find(areas, nb, u);
			for (i = 0; i < nb && areas[i].offset + areas[i].size <= u; i++)
				;
			assert_int_equal(at, i);
			assert_int_equal(at < nb && areas[at].offset <= u, m.in[u]);
		}
	}
}

static void
test_every_hole_in_every_area(void **state)
{
	struct rte_vfio_area areas[3], hole;
	uint64_t start, end, hole_end;
	struct model m;
	uint32_t nb;

	for (start = 0; start < 12; start++)
		for (end = start; end <= 12; end++)
			for (hole.offset = 0; hole.offset < 14; hole.offset++)
				for (hole_end = hole.offset; hole_end <= 14; hole_end++) {
					hole.size = hole_end - hole.offset;
					areas[0].offset = start;
					areas[0].size = end - start;
					areas[1].offset = 13;
					areas[1].size = 2;
					model_fill(&m, areas, 2);
					model_cut(&m, hole.offset, hole.size);
					nb = rte_vfio_areas_normalize(areas, 2);
					nb = rte_vfio_areas_cut(areas, nb, &hole);
					assert_areas_are_model(areas, nb, &m);
				}
}

static void
test_areas_at_the_end_of_the_number_line(void **state)
{
	struct rte_vfio_area areas[4] = {
		{ UINT64_MAX - 10, UINT64_MAX }, { UINT64_MAX, 5 }, { 3, UINT64_MAX - 20 },
	};
	const struct rte_vfio_area hole = { UINT64_MAX - 2, UINT64_MAX };
	uint32_t nb;

	nb = rte_vfio_areas_normalize(areas, 3);
	assert_int_equal(nb, 2);
	assert_int_equal(areas[0].offset, 3);
	assert_int_equal(areas[0].size, UINT64_MAX - 20);
	assert_int_equal(areas[1].offset, UINT64_MAX - 10);
	assert_int_equal(areas[1].size, 10);
	nb = rte_vfio_areas_cut(areas, nb, &hole);
	assert_int_equal(nb, 2);
	assert_int_equal(areas[1].size, 8);
	nb = rte_vfio_areas_align(areas, nb, UINT64_C(1) << 63, 0);
	assert_int_equal(nb, 0);
}

struct mappable_row {
	const char *name;
	uint64_t page;
	uint64_t size;
	bool msix_mappable;
	struct rte_vfio_area msix;	/* size 0: none */
	uint32_t nb_sparse;	/* 9: no sparse capability */
	struct rte_vfio_area sparse[4];
	uint32_t nb;
	struct rte_vfio_area expected[4];
};

#define K4 (4 * KIB)
#define K16 (16 * KIB)
#define K64 (64 * KIB)
#define ALL 9

static const struct mappable_row mappable_rows[] = {
	{ "whole BAR", K4, MIB, .nb_sparse = ALL, .nb = 1, .expected = { { 0, MIB } } },
	{ "no region", K4, 0, .nb_sparse = ALL },
	{ "BAR shorter than a page", K64, 256, .nb_sparse = ALL, .nb = 1,
		.expected = { { 0, 256 } } },
	{ "window at the start", K4, MIB, .nb_sparse = 1, .sparse = { { 0, K4 } },
		.nb = 1, .expected = { { 0, K4 } } },
	{ "window in the middle", K4, MIB, .nb_sparse = 1, .sparse = { { K64, K64 } },
		.nb = 1, .expected = { { K64, K64 } } },
	{ "window at the end", K4, MIB, .nb_sparse = 1, .sparse = { { MIB - K4, K4 } },
		.nb = 1, .expected = { { MIB - K4, K4 } } },
	{ "several windows", K4, MIB, .nb_sparse = 3,
		.sparse = { { MIB - K4, K4 }, { 0, K4 }, { K64, K4 } },
		.nb = 3, .expected = { { 0, K4 }, { K64, K4 }, { MIB - K4, K4 } } },
	{ "adjacent windows", K4, MIB, .nb_sparse = 2, .sparse = { { 0, K4 }, { K4, K4 } },
		.nb = 1, .expected = { { 0, 2 * K4 } } },
	{ "halves of a page are a page", K4, MIB, .nb_sparse = 2,
		.sparse = { { 0, 0x801 }, { 0x801, 0x7ff } },
		.nb = 1, .expected = { { 0, K4 } } },
	{ "no window", K4, MIB, .nb_sparse = 0 },
	{ "window of size 0", K4, MIB, .nb_sparse = 1, .sparse = { { K4, 0 } } },
	{ "unaligned start", K4, MIB, .nb_sparse = 1, .sparse = { { 0x10, 0x2ff0 } },
		.nb = 1, .expected = { { K4, 2 * K4 } } },
	{ "unaligned end", K4, MIB, .nb_sparse = 1, .sparse = { { 0, 0x2fff } },
		.nb = 1, .expected = { { 0, 2 * K4 } } },
	{ "nothing whole", K4, MIB, .nb_sparse = 1, .sparse = { { 1, 0x1ffe } } },
	{ "4 KiB window, 16 KiB pages", K16, MIB, .nb_sparse = 1, .sparse = { { K4, K4 } } },
	{ "4 KiB window, 64 KiB pages", K64, MIB, .nb_sparse = 1, .sparse = { { 0, K4 } } },
	{ "inner 64 KiB pages", K64, MIB, .nb_sparse = 1,
		.sparse = { { K64 - K4, 2 * K64 + 2 * K4 } },
		.nb = 1, .expected = { { K64, 2 * K64 } } },
	{ "inner 16 KiB pages", K16, MIB, .nb_sparse = 1, .sparse = { { K4, K64 } },
		.nb = 1, .expected = { { K16, 3 * K16 } } },
	{ "window to an unaligned end", K16, K64 + K4, .nb_sparse = 1,
		.sparse = { { K64, K4 } }, .nb = 1, .expected = { { K64, K4 } } },
	{ "MSI-X table in the middle", K4, MIB, .msix = { 0x2000, 0x40 }, .nb_sparse = ALL,
		.nb = 2, .expected = { { 0, 0x2000 }, { 0x3000, MIB - 0x3000 } } },
	{ "MSI-X table at the start", K4, MIB, .msix = { 0, 0x40 }, .nb_sparse = ALL,
		.nb = 1, .expected = { { K4, MIB - K4 } } },
	{ "MSI-X table at the end", K4, MIB, .msix = { MIB - 0x40, 0x40 }, .nb_sparse = ALL,
		.nb = 1, .expected = { { 0, MIB - K4 } } },
	{ "MSI-X table over a page edge", K4, MIB, .msix = { 0x1ff0, 0x20 }, .nb_sparse = ALL,
		.nb = 2, .expected = { { 0, 0x1000 }, { 0x3000, MIB - 0x3000 } } },
	{ "MSI-X table, 64 KiB pages", K64, MIB, .msix = { 0x12000, 0x40 }, .nb_sparse = ALL,
		.nb = 2, .expected = { { 0, K64 }, { 2 * K64, MIB - 2 * K64 } } },
	{ "MSI-X table fills the BAR", K4, K4, .msix = { 0, 0x800 }, .nb_sparse = ALL },
	{ "MSI-X table mappable", K4, MIB, .msix_mappable = true, .msix = { 0x2000, 0x40 },
		.nb_sparse = ALL, .nb = 1, .expected = { { 0, MIB } } },
	{ "MSI-X table in a window", K4, MIB, .msix = { 0x2000, 0x40 }, .nb_sparse = 1,
		.sparse = { { 0x1000, 0x4000 } }, .nb = 2,
		.expected = { { 0x1000, 0x1000 }, { 0x3000, 0x2000 } } },
	{ "MSI-X table in a mappable window", K4, MIB, .msix_mappable = true,
		.msix = { 0x2000, 0x40 }, .nb_sparse = 1, .sparse = { { 0x1000, 0x4000 } },
		.nb = 1, .expected = { { 0x1000, 0x4000 } } },
	{ "MSI-X table in a hole", K4, MIB, .msix = { 0x8000, 0x40 }, .nb_sparse = 1,
		.sparse = { { 0x1000, 0x4000 } }, .nb = 1, .expected = { { 0x1000, 0x4000 } } },
	{ "MSI-X table behind the BAR", K4, K64, .msix = { UINT32_MAX & ~7u, 0x8000 },
		.nb_sparse = ALL, .nb = 1, .expected = { { 0, K64 } } },
	{ "MSI-X table at the end of all", K4, K64, .msix = { UINT64_MAX - 7, 0x8000 },
		.nb_sparse = ALL, .nb = 1, .expected = { { 0, K64 } } },
};

static void
test_what_may_be_mapped(void **state)
{
	const struct mappable_row *row;
	struct rte_vfio_area sparse[4];
	struct rte_vfio_area *areas;
	size_t i;
	int nb;

	for (i = 0; i < RTE_DIM(mappable_rows); i++) {
		row = &mappable_rows[i];
		memcpy(sparse, row->sparse, sizeof(sparse));
		struct rte_vfio_region region = {
			.flags = RTE_VFIO_REGION_F_MMAP,
			.size = row->size,
			.sparse = row->nb_sparse != ALL,
			.nb_areas = row->nb_sparse != ALL ? row->nb_sparse : 0,
			.areas = sparse,
			.msix_mappable = row->msix_mappable,
		};

		nb = rte_vfio_region_mappable(&region, row->msix.size != 0 ? &row->msix : NULL,
			row->page, &areas);
		if (nb != (int)row->nb)
			fail_msg("%s: %d areas", row->name, nb);
		if (nb != 0 && memcmp(areas, row->expected, row->nb * sizeof(*areas)) != 0)
			fail_msg("%s: area 0 is %#llx + %#llx", row->name,
				(unsigned long long)areas[0].offset,
				(unsigned long long)areas[0].size);
		assert_int_equal(nb == 0, areas == NULL);
		free(areas);
	}
}

static void
test_page_size_must_be_a_power_of_two(void **state)
{
	const struct rte_vfio_region region = { .flags = RTE_VFIO_REGION_F_MMAP, .size = 4096 };
	struct rte_vfio_area *areas;

	assert_int_equal(rte_vfio_region_mappable(&region, NULL, 0, &areas), -EINVAL);
	assert_int_equal(rte_vfio_region_mappable(&region, NULL, 4097, &areas), -EINVAL);
	assert_null(areas);
}

/* All of it at once against the model, a unit of it standing for 4 KiB. */
static void
test_mappable_equals_a_bitmap_for_all_page_sizes(void **state)
{
	static const uint64_t pages[] = { 1, 4, 16 };
	struct rte_vfio_area sparse[8], msix;
	struct rte_vfio_region region = { .flags = RTE_VFIO_REGION_F_MMAP, .size = UNITS };
	struct rte_vfio_area *areas;
	uint32_t round, nb_in;
	struct model m;
	uint64_t page;
	int nb;

	for (round = 0; round < 50000; round++) {
		page = pages[round % RTE_DIM(pages)];
		nb_in = random_areas(sparse, 6);
		model_fill(&m, sparse, nb_in);
		msix.offset = vfio_areas_random() % UNITS;
		msix.size = 1 + vfio_areas_random() % 3;
		region.sparse = true;
		region.areas = sparse;
		region.nb_areas = nb_in;
		region.msix_mappable = vfio_areas_random() % 4 == 0;
		if (!region.msix_mappable)
			model_cut(&m, msix.offset / page * page,
				(msix.offset % page + msix.size + page - 1) / page * page);
		model_align(&m, page);
		nb = rte_vfio_region_mappable(&region, &msix, page, &areas);
		assert_in_range(nb, 0, 8);
		assert_areas_are_model(areas, (uint32_t)nb, &m);
		free(areas);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_area_algebra_equals_a_bitmap),
	cmocka_unit_test(test_every_hole_in_every_area),
	cmocka_unit_test(test_areas_at_the_end_of_the_number_line),
	cmocka_unit_test(test_what_may_be_mapped),
	cmocka_unit_test(test_page_size_must_be_a_power_of_two),
	cmocka_unit_test(test_mappable_equals_a_bitmap_for_all_page_sizes),
};

TEST_SUITE(vfio_area, "unit", tests, NULL, NULL)
