/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_vfio_region.h>

#include "test.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define DIM(a) (sizeof(a) / sizeof((a)[0]))

/* An answer of a device's owner under construction. */
struct answer {
	union {
		uint8_t bytes[4096];
		struct vfio_region_info info;
	};
	uint32_t len;
	uint32_t last;	/* the "next" field to link the next capability to */
};

static void
put32(struct answer *a, uint32_t at, uint32_t value)
{
	memcpy(a->bytes + at, &value, sizeof(value));
}

static void
put64(struct answer *a, uint32_t at, uint64_t value)
{
	memcpy(a->bytes + at, &value, sizeof(value));
}

static void
answer_start(struct answer *a, uint64_t size)
{
	memset(a, 0, sizeof(*a));
	a->len = sizeof(a->info);
	a->last = offsetof(struct vfio_region_info, cap_offset);
	a->info.argsz = a->len;
	a->info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		VFIO_REGION_INFO_FLAG_MMAP;
	a->info.index = VFIO_PCI_BAR2_REGION_INDEX;
	a->info.size = size;
	a->info.offset = (uint64_t)VFIO_PCI_BAR2_REGION_INDEX << 40;
}

/* Append a capability of @p len bytes with its header; returns where it starts. */
static uint32_t
answer_cap(struct answer *a, uint16_t id, uint16_t version, uint32_t len)
{
	struct vfio_info_cap_header header = { .id = id, .version = version };
	uint32_t at = a->len;

	memcpy(a->bytes + at, &header, sizeof(header));
	put32(a, a->last, at);
	a->last = at + offsetof(struct vfio_info_cap_header, next);
	a->len += len;
	a->info.argsz = a->len;
	a->info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
	return at;
}

static uint32_t
answer_sparse(struct answer *a, uint32_t nb, const struct rte_vfio_area *areas)
{
	uint32_t at = answer_cap(a, VFIO_REGION_INFO_CAP_SPARSE_MMAP, 1, 16 + nb * 16);
	uint32_t i;

	put32(a, at + 8, nb);
	for (i = 0; i < nb; i++) {
		put64(a, at + 16 + i * 16, areas[i].offset);
		put64(a, at + 24 + i * 16, areas[i].size);
	}
	return at;
}

static void
assert_not_mappable(const struct rte_vfio_region *region)
{
	struct rte_vfio_area *areas = NULL;

	assert_int_equal(rte_vfio_region_mappable(region, NULL, 4096, &areas), 0);
	assert_null(areas);
}

static void
test_region_without_capabilities(void **state)
{
	struct rte_vfio_region region;
	struct rte_vfio_area *areas;
	struct answer a;

	answer_start(&a, 16 * KIB);
	assert_int_equal(rte_vfio_region_parse(a.bytes, a.len, &region), 0);
	assert_int_equal(region.index, VFIO_PCI_BAR2_REGION_INDEX);
	assert_int_equal(region.flags, RTE_VFIO_REGION_F_READ | RTE_VFIO_REGION_F_WRITE |
		RTE_VFIO_REGION_F_MMAP);
	assert_int_equal(region.size, 16 * KIB);
	assert_int_equal(region.offset, UINT64_C(2) << 40);
	assert_false(region.sparse);
	assert_int_equal(rte_vfio_region_mappable(&region, NULL, 4096, &areas), 1);
	assert_int_equal(areas[0].offset, 0);
	assert_int_equal(areas[0].size, 16 * KIB);
	free(areas);
	rte_vfio_region_fini(&region);
}

static void
test_answer_cut_short_anywhere_is_refused(void **state)
{
	const struct rte_vfio_area area = { 0, 4096 };
	struct rte_vfio_region region;
	struct answer a;
	uint32_t len;
	uint8_t *copy;

	answer_start(&a, 16 * KIB);
	answer_sparse(&a, 1, &area);
	for (len = 0; len < a.len; len++) {
		copy = malloc(len + 1);	/* so that ASan sees a read behind the end */
		assert_non_null(copy);
		memcpy(copy + 1, a.bytes, len);
		assert_int_equal(rte_vfio_region_parse(copy + 1, len, &region),
			len < 32 ? -EPROTO : -ENOBUFS);
		assert_not_mappable(&region);
		rte_vfio_region_fini(&region);
		free(copy);
	}
}

static void
test_longer_answer_is_asked_for(void **state)
{
	struct rte_vfio_region region;
	struct answer a;

	answer_start(&a, 16 * KIB);
	a.info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
	a.info.argsz = 4096;
	assert_int_equal(rte_vfio_region_parse(a.bytes, 32, &region), -ENOBUFS);
	assert_int_equal(region.size, 16 * KIB);
	assert_not_mappable(&region);
	assert_int_equal(rte_vfio_region_info_len(a.bytes, 32), 4096);
	assert_int_equal(rte_vfio_region_info_len(a.bytes, 31), -EPROTO);
	a.info.argsz = RTE_VFIO_REGION_INFO_MAX + 1;
	assert_int_equal(rte_vfio_region_info_len(a.bytes, 32), -E2BIG);
	a.info.argsz = UINT32_MAX;
	assert_int_equal(rte_vfio_region_info_len(a.bytes, 32), -E2BIG);
	a.info.argsz = 31;
	assert_int_equal(rte_vfio_region_info_len(a.bytes, 32), -EPROTO);
	assert_int_equal(rte_vfio_region_parse(a.bytes, 32, &region), -EPROTO);
}

static void
test_region_behind_the_longest_file_is_refused(void **state)
{
	static const struct {
		uint64_t offset, size;
		int rc;
	} rows[] = {
		{ 0, INT64_MAX, 0 },
		{ 0, (uint64_t)INT64_MAX + 1, -EPROTO },
		{ INT64_MAX, 1, -EPROTO },
		{ UINT64_MAX, 1, -EPROTO },
		{ 1, UINT64_MAX, -EPROTO },
		{ UINT64_MAX, 0, 0 },
	};
	struct rte_vfio_region region;
	struct answer a;
	size_t i;

	for (i = 0; i < DIM(rows); i++) {
		answer_start(&a, rows[i].size);
		a.info.offset = rows[i].offset;
		assert_int_equal(rte_vfio_region_parse(a.bytes, a.len, &region), rows[i].rc);
	}
}

static void
test_sparse_areas_are_sorted_and_merged(void **state)
{
	static const struct rte_vfio_area areas[] = {
		{ 0x8000, 0x1000 }, { 0, 0x1000 }, { 0x3000, 0 }, { 0x1000, 0x1000 },
		{ 0x8800, 0x1800 }, { 0x4000, 0x1000 },
	};
	struct rte_vfio_region region;
	struct answer a;

	answer_start(&a, 64 * KIB);
	answer_sparse(&a, DIM(areas), areas);
	assert_int_equal(rte_vfio_region_parse(a.bytes, a.len, &region), 0);
	assert_true(region.sparse);
	assert_int_equal(region.nb_areas, 3);
	assert_int_equal(region.areas[0].offset, 0);
	assert_int_equal(region.areas[0].size, 0x2000);
	assert_int_equal(region.areas[1].offset, 0x4000);
	assert_int_equal(region.areas[1].size, 0x1000);
	assert_int_equal(region.areas[2].offset, 0x8000);
	assert_int_equal(region.areas[2].size, 0x2000);
	rte_vfio_region_fini(&region);
}

static void
test_sparse_without_areas_maps_nothing(void **state)
{
	static const struct rte_vfio_area empty[] = { { 0, 0 }, { 0x2000, 0 } };
	struct rte_vfio_region region;
	struct answer a;
	uint32_t nb;

	for (nb = 0; nb <= DIM(empty); nb++) {
		answer_start(&a, 64 * KIB);
		answer_sparse(&a, nb, empty);
		assert_int_equal(rte_vfio_region_parse(a.bytes, a.len, &region), 0);
		assert_true(region.sparse);
		assert_int_equal(region.nb_areas, 0);
		assert_not_mappable(&region);
		rte_vfio_region_fini(&region);
	}
}

static void
test_mmap_flag_clear_maps_nothing(void **state)
{
	static const struct rte_vfio_area area = { 0, 0x1000 };
	struct rte_vfio_region region;
	struct answer a;

	answer_start(&a, 64 * KIB);
	answer_sparse(&a, 1, &area);
	a.info.flags &= ~VFIO_REGION_INFO_FLAG_MMAP;
	assert_int_equal(rte_vfio_region_parse(a.bytes, a.len, &region), 0);
	assert_not_mappable(&region);
	rte_vfio_region_fini(&region);
}

static void
test_capabilities_in_any_order_and_unknown_ones(void **state)
{
	static const struct rte_vfio_area area = { 0, 0x1000 };
	struct rte_vfio_region region;
	struct answer a;
	uint32_t msix, sparse;

	answer_start(&a, 64 * KIB);
	answer_cap(&a, VFIO_REGION_INFO_CAP_TYPE, 1, 16);
	answer_cap(&a, 0xffff, 77, 8);
	answer_cap(&a, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, 1, 8);
	answer_sparse(&a, 1, &area);
	assert_int_equal(rte_vfio_region_parse(a.bytes, a.len, &region), 0);
	assert_true(region.msix_mappable);
	assert_int_equal(region.nb_areas, 1);
	rte_vfio_region_fini(&region);

	/* a chain that runs backwards is no loop */
	answer_start(&a, 64 * KIB);
	msix = answer_cap(&a, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, 1, 8);
	sparse = answer_sparse(&a, 1, &area);
	a.info.cap_offset = sparse;
	put32(&a, sparse + 4, msix);
	put32(&a, msix + 4, 0);
	assert_int_equal(rte_vfio_region_parse(a.bytes, a.len, &region), 0);
	assert_true(region.msix_mappable);
	assert_true(region.sparse);
	rte_vfio_region_fini(&region);
}

static void hostile_cap_in_fixed_part(struct answer *a, uint32_t at) { a->info.cap_offset = 8; }
static void hostile_cap_offset_zero(struct answer *a, uint32_t at) { a->info.cap_offset = 0; }
static void hostile_cap_at_end(struct answer *a, uint32_t at) { a->info.cap_offset = a->len; }
static void hostile_cap_far(struct answer *a, uint32_t at) { a->info.cap_offset = UINT32_MAX; }
static void hostile_header_cut(struct answer *a, uint32_t at) { a->info.cap_offset = a->len - 4; }
static void hostile_self_loop(struct answer *a, uint32_t at) { put32(a, at + 4, at); }
static void hostile_next_in_fixed_part(struct answer *a, uint32_t at) { put32(a, at + 4, 4); }
static void hostile_next_far(struct answer *a, uint32_t at) { put32(a, at + 4, 0xfffffff8); }
static void hostile_version_0(struct answer *a, uint32_t at) { a->bytes[at + 2] = 0; }
static void hostile_version_2(struct answer *a, uint32_t at) { a->bytes[at + 2] = 2; }
static void hostile_count_3(struct answer *a, uint32_t at) { put32(a, at + 8, 3); }
static void hostile_count_max(struct answer *a, uint32_t at) { put32(a, at + 8, UINT32_MAX); }
static void hostile_count_wrap(struct answer *a, uint32_t at) { put32(a, at + 8, 1u << 28); }
static void hostile_area_behind(struct answer *a, uint32_t at) { put64(a, at + 16, 0x10000); }
static void hostile_area_far(struct answer *a, uint32_t at) { put64(a, at + 16, UINT64_MAX); }
static void hostile_size_long(struct answer *a, uint32_t at) { put64(a, at + 24, 0x10001); }
static void hostile_size_max(struct answer *a, uint32_t at) { put64(a, at + 24, UINT64_MAX); }

static void
hostile_area_sum_wraps(struct answer *a, uint32_t at)
{
	put64(a, at + 16, UINT64_MAX - 0xfff);
	put64(a, at + 24, 0x2000);
}

static void
hostile_two_sparse(struct answer *a, uint32_t at)
{
	answer_sparse(a, 0, NULL);
}

static void
hostile_long_loop(struct answer *a, uint32_t at)
{
	uint32_t other = answer_cap(a, 0x1234, 1, 8);

	put32(a, other + 4, other - 8);
	put32(a, other - 8 + 4, other);
	put32(a, at + 4, other);
}

static void
test_hostile_capabilities_forbid_mapping(void **state)
{
	static const struct {
		const char *name;
		void (*spoil)(struct answer *a, uint32_t at);
	} rows[] = {
		{ "chain in fixed part", hostile_cap_in_fixed_part },
		{ "chain nowhere", hostile_cap_offset_zero },
		{ "chain at end", hostile_cap_at_end },
		{ "chain far away", hostile_cap_far },
		{ "header cut", hostile_header_cut },
		{ "loop of one", hostile_self_loop },
		{ "loop of two", hostile_long_loop },
		{ "next in fixed part", hostile_next_in_fixed_part },
		{ "next far away", hostile_next_far },
		{ "version 0", hostile_version_0 },
		{ "version 2", hostile_version_2 },
		{ "one area too many", hostile_count_3 },
		{ "most areas", hostile_count_max },
		{ "count wraps", hostile_count_wrap },
		{ "area behind region", hostile_area_behind },
		{ "area far away", hostile_area_far },
		{ "area longer than region", hostile_size_long },
		{ "longest area", hostile_size_max },
		{ "area wraps", hostile_area_sum_wraps },
		{ "two sparse capabilities", hostile_two_sparse },
	};
	static const struct rte_vfio_area areas[] = { { 0, 0x1000 }, { 0x2000, 0x1000 } };
	struct rte_vfio_region region;
	struct answer a;
	uint32_t at;
	size_t i;
	int rc;

	for (i = 0; i < DIM(rows); i++) {
		answer_start(&a, 64 * KIB);
		at = answer_sparse(&a, DIM(areas), areas);
		rows[i].spoil(&a, at);
		rc = rte_vfio_region_parse(a.bytes, a.len, &region);
		if (rc != -EBADMSG)
			fail_msg("%s: %d", rows[i].name, rc);
		assert_int_equal(region.size, 64 * KIB);
		assert_int_equal(region.flags, RTE_VFIO_REGION_F_READ | RTE_VFIO_REGION_F_WRITE);
		assert_null(region.areas);
		assert_not_mappable(&region);
		rte_vfio_region_fini(&region);
	}
}

static uint32_t
rnd(void)
{
	static uint32_t seed = 12345;

	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

static void
assert_areas_good(const struct rte_vfio_area *areas, uint32_t nb, uint64_t size)
{
	uint64_t end = 0;
	uint32_t i;

	for (i = 0; i < nb; i++) {
		assert_true(areas[i].size > 0);
		assert_true(i == 0 || areas[i].offset > end);
		assert_true(areas[i].offset <= size && areas[i].size <= size - areas[i].offset);
		end = areas[i].offset + areas[i].size;
	}
}

static void
test_random_bytes_never_give_areas_outside(void **state)
{
	const struct rte_vfio_area areas[] = { { 0, 0x1000 }, { 0x2000, 0x1000 }, { 0x4000, 1 } };
	struct rte_vfio_region region;
	uint8_t *copy;
	struct answer a;
	uint32_t round, n;
	int parsed = 0;

	for (round = 0; round < 20000; round++) {
		answer_start(&a, 64 * KIB);
		answer_cap(&a, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, 1, 8);
		answer_sparse(&a, DIM(areas), areas);
		for (n = rnd() % 4; n > 0; n--)
			a.bytes[rnd() % a.len] = (uint8_t)rnd();
		copy = malloc(a.len);
		assert_non_null(copy);
		memcpy(copy, a.bytes, a.len);
		if (rte_vfio_region_parse(copy, a.len, &region) == 0)
			parsed++;
		assert_areas_good(region.areas, region.nb_areas, region.size);
		rte_vfio_region_fini(&region);
		free(copy);
	}
	assert_in_range(parsed, 1, 19999);
}

static void
test_emitted_bytes_are_read_back(void **state)
{
	struct rte_vfio_area areas[] = { { 0, 0x1000 }, { 0x2000, 0x1800 } };
	struct rte_vfio_region in = {
		.index = 4,
		.flags = RTE_VFIO_REGION_F_READ | RTE_VFIO_REGION_F_MMAP,
		.size = 64 * KIB,
		.offset = UINT64_C(4) << 40,
	};
	struct rte_vfio_region out;
	uint8_t bytes[128];
	unsigned int kind;
	int len;

	for (kind = 0; kind < 6; kind++) {
		in.sparse = kind / 2 > 0;
		in.areas = kind / 2 == 2 ? areas : NULL;
		in.nb_areas = kind / 2 == 2 ? 2 : 0;
		in.msix_mappable = kind % 2;
		len = rte_vfio_region_emit(&in, NULL, 0);
		assert_in_range(len, 32, sizeof(bytes));
		assert_int_equal(rte_vfio_region_emit(&in, bytes, sizeof(bytes)), len);
		assert_int_equal(rte_vfio_region_info_len(bytes, (size_t)len), len);
		assert_int_equal(rte_vfio_region_parse(bytes, (size_t)len, &out), 0);
		assert_int_equal(out.index, in.index);
		assert_int_equal(out.flags, in.flags);
		assert_int_equal(out.size, in.size);
		assert_int_equal(out.offset, in.offset);
		assert_int_equal(out.sparse, in.sparse);
		assert_int_equal(out.msix_mappable, in.msix_mappable);
		assert_int_equal(out.nb_areas, in.nb_areas);
		if (in.nb_areas != 0)
			assert_memory_equal(out.areas, in.areas, sizeof(areas));
		rte_vfio_region_fini(&out);
	}
}

static void
test_emit_into_short_buffer_says_how_much_it_takes(void **state)
{
	struct rte_vfio_area area = { 0, 0x1000 };
	struct rte_vfio_region region = {
		.flags = RTE_VFIO_REGION_F_MMAP, .size = 0x2000,
		.sparse = true, .nb_areas = 1, .areas = &area,
	};
	struct vfio_region_info info;
	uint8_t bytes[64];

	memset(bytes, 0xee, sizeof(bytes));
	assert_int_equal(rte_vfio_region_emit(&region, bytes, 31), -EINVAL);
	assert_int_equal(bytes[0], 0xee);
	assert_int_equal(rte_vfio_region_emit(&region, bytes, 63), 64);
	memcpy(&info, bytes, sizeof(info));
	assert_int_equal(info.argsz, 64);
	assert_int_equal(info.cap_offset, 0);
	assert_true(info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	assert_int_equal(bytes[63], 0xee);
	region.nb_areas = 1u << 20;
	assert_int_equal(rte_vfio_region_emit(&region, NULL, 0), -E2BIG);
}

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

	assert_areas_good(areas, nb, UNITS);
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
	uint32_t nb = rnd() % (max + 1);
	uint32_t i;

	for (i = 0; i < nb; i++) {
		areas[i].offset = rnd() % UNITS;
		areas[i].size = rnd() % 3 == 0 ? 0 : rnd() % (UNITS + 1 - areas[i].offset);
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

		hole.offset = rnd() % UNITS;
		hole.size = rnd() % 12;
		model_cut(&m, hole.offset, hole.size);
		nb = rte_vfio_areas_cut(areas, nb, &hole);
		assert_areas_are_model(areas, nb, &m);

		clip = UNITS - rnd() % 8;
		model_cut(&m, clip, UNITS);
		nb = rte_vfio_areas_clip(areas, nb, clip);
		assert_areas_are_model(areas, nb, &m);

		page = UINT64_C(1) << rnd() % 4;
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

	for (i = 0; i < DIM(mappable_rows); i++) {
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
		page = pages[round % DIM(pages)];
		nb_in = random_areas(sparse, 6);
		model_fill(&m, sparse, nb_in);
		msix.offset = rnd() % UNITS;
		msix.size = 1 + rnd() % 3;
		region.sparse = true;
		region.areas = sparse;
		region.nb_areas = nb_in;
		region.msix_mappable = rnd() % 4 == 0;
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
	cmocka_unit_test(test_region_without_capabilities),
	cmocka_unit_test(test_answer_cut_short_anywhere_is_refused),
	cmocka_unit_test(test_longer_answer_is_asked_for),
	cmocka_unit_test(test_region_behind_the_longest_file_is_refused),
	cmocka_unit_test(test_sparse_areas_are_sorted_and_merged),
	cmocka_unit_test(test_sparse_without_areas_maps_nothing),
	cmocka_unit_test(test_mmap_flag_clear_maps_nothing),
	cmocka_unit_test(test_capabilities_in_any_order_and_unknown_ones),
	cmocka_unit_test(test_hostile_capabilities_forbid_mapping),
	cmocka_unit_test(test_random_bytes_never_give_areas_outside),
	cmocka_unit_test(test_emitted_bytes_are_read_back),
	cmocka_unit_test(test_emit_into_short_buffer_says_how_much_it_takes),
	cmocka_unit_test(test_area_algebra_equals_a_bitmap),
	cmocka_unit_test(test_every_hole_in_every_area),
	cmocka_unit_test(test_areas_at_the_end_of_the_number_line),
	cmocka_unit_test(test_what_may_be_mapped),
	cmocka_unit_test(test_page_size_must_be_a_power_of_two),
	cmocka_unit_test(test_mappable_equals_a_bitmap_for_all_page_sizes),
};
TEST_SUITE(vfio_region, "unit", tests, NULL, NULL)
