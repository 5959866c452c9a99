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

	for (i = 0; i < RTE_DIM(rows); i++) {
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
	answer_sparse(&a, RTE_DIM(areas), areas);
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

	for (nb = 0; nb <= RTE_DIM(empty); nb++) {
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

	for (i = 0; i < RTE_DIM(rows); i++) {
		answer_start(&a, 64 * KIB);
		at = answer_sparse(&a, RTE_DIM(areas), areas);
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
		answer_sparse(&a, RTE_DIM(areas), areas);
		for (n = vfio_areas_random() % 4; n > 0; n--)
			a.bytes[vfio_areas_random() % a.len] = (uint8_t)vfio_areas_random();
		copy = malloc(a.len);
		assert_non_null(copy);
		memcpy(copy, a.bytes, a.len);
		if (rte_vfio_region_parse(copy, a.len, &region) == 0)
			parsed++;
		vfio_areas_assert_good(region.areas, region.nb_areas, region.size);
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
};

TEST_SUITE(vfio_region, "unit", tests, NULL, NULL)
