/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "vu_codec.h"

#include "test.h"

/* The good cases stand in the golden messages; here is what must not be taken for good. */

static void
test_ranges_end_at_the_last_byte_there_is(void **state)
{
	(void)state;
	assert_true(vu_range_valid(0, 1));
	assert_true(vu_range_valid(0, UINT64_MAX));
	assert_true(vu_range_valid(UINT64_MAX, 1));
	assert_true(vu_range_valid(UINT64_MAX - 4095, 4096));
	assert_false(vu_range_valid(0, 0));
	assert_false(vu_range_valid(UINT64_MAX, 2));
	assert_false(vu_range_valid(1, UINT64_MAX) && vu_range_valid(2, UINT64_MAX));
	assert_true(vu_range_inside(0, 0, 0));
	assert_true(vu_range_inside(10, 0, 10));
	assert_false(vu_range_inside(11, 0, 10));
	assert_false(vu_range_inside(1, UINT64_MAX, 10));
	assert_false(vu_range_inside(UINT64_MAX, 1, 10));
}

static void
test_bitmap_has_a_bit_for_each_page_in_words(void **state)
{
	static const struct {
		uint64_t size, pgsize, bytes;
	} cases[] = {
		{ 1, 1, 8 }, { 64, 1, 8 }, { 65, 1, 16 }, { 1, 4096, 8 }, { 4096, 4096, 8 },
		{ 64 * 4096, 4096, 8 }, { 64 * 4096 + 1, 4096, 16 },
		{ UINT64_MAX, 1, UINT64_C(1) << 61 },
		{ UINT64_MAX, UINT64_C(1) << 63, 8 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++)
		assert_int_equal(vu_bitmap_bytes(cases[i].size, cases[i].pgsize), cases[i].bytes);
}

static void
test_map_of_an_impossible_range_is_refused(void **state)
{
	static const struct {
		struct vu_dma_map map;
		int rc;
	} cases[] = {
		{ { 32, 3, 0, 0, 1 }, 0 },
		{ { 64, 1, 0, UINT64_MAX, 1 }, 0 },
		{ { 32, 2, UINT64_MAX - 9, 0, 10 }, 0 },
		{ { 31, 3, 0, 0, 4096 }, -EINVAL },
		{ { 32, 0, 0, 0, 4096 }, -EINVAL },
		{ { 32, 4, 0, 0, 4096 }, -EINVAL },
		{ { 32, 7, 0, 0, 4096 }, -EINVAL },
		{ { 32, 0x80000001, 0, 0, 4096 }, -EINVAL },
		{ { 32, 3, 0, 0, 0 }, -EINVAL },
		{ { 32, 3, 0, UINT64_MAX, 2 }, -EINVAL },
		{ { 32, 3, 0, 4096, UINT64_MAX }, -EINVAL },
		{ { 32, 3, UINT64_MAX, 0, 4096 }, -EINVAL },
	};
	struct vu_dma_map map;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++)
		assert_int_equal(vu_dma_map_decode(&cases[i].map, 32, &map), cases[i].rc);
	assert_int_equal(vu_dma_map_decode(&cases[0].map, 31, &map), -EINVAL);
}

static void
test_unmap_flags_exclude_each_other(void **state)
{
	static const struct {
		struct vu_dma_unmap fixed;
		struct vu_bitmap bitmap;
		int rc;
	} cases[] = {
		{ { 24, 0, 4096, 4096 }, { 0, 0 }, 0 },
		{ { 24, 0, UINT64_C(0xfef00000), UINT64_C(0xffffffff01100000) }, { 0, 0 }, 0 },
		{ { 24, 0, UINT64_C(0x800000000000), UINT64_C(0x800000000000) }, { 0, 0 }, 0 },
		{ { 24, 2, 0, 0 }, { 0, 0 }, 0 },
		{ { 48, 1, 0, 65536 }, { 4096, 8 }, 0 },
		{ { 23, 0, 4096, 4096 }, { 0, 0 }, -EINVAL },
		{ { 24, 0, 4096, 0 }, { 0, 0 }, -EINVAL },
		{ { 24, 0, UINT64_MAX, 2 }, { 0, 0 }, -EINVAL },
		{ { 24, 2, 4096, 0 }, { 0, 0 }, -EINVAL },
		{ { 24, 2, 0, 4096 }, { 0, 0 }, -EINVAL },
		{ { 48, 3, 0, 0 }, { 4096, 8 }, -EINVAL },
		{ { 24, 4, 4096, 4096 }, { 0, 0 }, -EINVAL },
		{ { 24, 0x80000000, 4096, 4096 }, { 0, 0 }, -EINVAL },
		{ { 47, 1, 0, 65536 }, { 4096, 8 }, -EINVAL },
		{ { 48, 1, 0, 65536 }, { 4096, 16 }, -EINVAL },
		{ { 48, 1, 0, 65536 }, { 4096, 0 }, -EINVAL },
		{ { 48, 1, 0, 65536 }, { 0, 8 }, -EINVAL },
		{ { 48, 1, 0, 65536 }, { 4097, 8 }, -EINVAL },
		{ { UINT32_MAX, 1, 0, UINT64_MAX }, { 1, UINT64_C(1) << 61 }, -EINVAL },
		{ { UINT32_MAX, 1, 0, UINT64_C(1) << 30 }, { 4096, 32768 }, -EINVAL },
	};
	uint8_t payload[VU_UNMAP_MAX];
	struct vu_unmap unmap;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		memcpy(payload, &cases[i].fixed, 24);
		memcpy(payload + 24, &cases[i].bitmap, 16);
		assert_int_equal(vu_unmap_decode(payload, sizeof(payload), 4096, &unmap),
			cases[i].rc);
	}
	/* a bitmap is wanted and not described */
	memcpy(payload, &cases[4].fixed, 24);
	assert_int_equal(vu_unmap_decode(payload, 24, 4096, &unmap), -EINVAL);
	assert_int_equal(vu_unmap_decode(payload, 39, 4096, &unmap), -EINVAL);
}

static void
test_unmap_reply_is_of_the_same_range(void **state)
{
	const struct vu_unmap plain = { .addr = 4096, .size = 4096 };
	const struct vu_unmap dirty = { .want_bitmap = true, .addr = 4096, .size = 4096,
		.bitmap = { 4096, 8 } };
	uint8_t payload[64] = { 0 };
	struct vu_dma_unmap reply = { 24, 0, 4096, 4096 };
	const void *bitmap;

	(void)state;
	memcpy(payload, &reply, sizeof(reply));
	assert_int_equal(vu_unmap_reply_decode(&plain, payload, 24, &bitmap), 0);
	/* libvfio-user, of a device without DMA */
	assert_int_equal(vu_unmap_reply_decode(&plain, payload, 0, &bitmap), 0);
	assert_int_equal(vu_unmap_reply_decode(&plain, payload, 23, &bitmap), -EPROTO);
	assert_int_equal(vu_unmap_reply_decode(&plain, payload, 32, &bitmap), -EPROTO);
	assert_int_equal(vu_unmap_reply_decode(&dirty, payload, 48, &bitmap), 0);
	assert_ptr_equal(bitmap, payload + 40);
	assert_int_equal(vu_unmap_reply_decode(&dirty, payload, 0, &bitmap), -EPROTO);
	assert_int_equal(vu_unmap_reply_decode(&dirty, payload, 24, &bitmap), -EPROTO);
	assert_int_equal(vu_unmap_reply_decode(&dirty, payload, 40, &bitmap), -EPROTO);
	assert_int_equal(vu_unmap_reply_decode(&dirty, payload, 47, &bitmap), -EPROTO);
	assert_int_equal(vu_unmap_reply_decode(&dirty, payload, 56, &bitmap), -EPROTO);
	reply.addr = 0;
	memcpy(payload, &reply, sizeof(reply));
	assert_int_equal(vu_unmap_reply_decode(&plain, payload, 24, &bitmap), -EPROTO);
}

static void
test_several_maps_have_a_descriptor_each(void **state)
{
	struct {
		struct vu_map_multi fixed;
		struct vu_dma_map map[2];
	} payload = { { 2, 0 }, { { 32, VU_DMA_F_READ, 0, 0, 4096 }, { 32, 0, 0, 0, 4096 } } };
	const size_t one = sizeof(payload.fixed) + sizeof(payload.map[0]);
	struct vu_dma_map map;

	(void)state;
	assert_int_equal(vu_map_multi_count(&payload, sizeof(payload), 2), 2);
	assert_int_equal(vu_map_multi_entry(&payload, 0, &map), 0);
	assert_int_equal(vu_map_multi_entry(&payload, 1, &map), -EINVAL);
	assert_int_equal(vu_map_multi_count(&payload, sizeof(payload), 1), -EINVAL);
	assert_int_equal(vu_map_multi_count(&payload, sizeof(payload), 3), -EINVAL);
	assert_int_equal(vu_map_multi_count(&payload, sizeof(payload) - 1, 2), -EINVAL);
	assert_int_equal(vu_map_multi_count(&payload, one, 2), -EINVAL);
	assert_int_equal(vu_map_multi_count(&payload, one, 1), -EINVAL);
	assert_int_equal(vu_map_multi_count(&payload, 7, 2), -EINVAL);
	payload.fixed.count = 0;
	assert_int_equal(vu_map_multi_count(&payload, sizeof(payload.fixed), 0), -EINVAL);
	/* 32 times this is 64 again */
	payload.fixed.count = 0x8000002;
	assert_int_equal(vu_map_multi_count(&payload, sizeof(payload), 2), -EINVAL);
	payload.fixed = (struct vu_map_multi) { 2, EEXIST };
	assert_int_equal(vu_map_multi_count(&payload, sizeof(payload), 2), -EINVAL);
}

static void
test_reply_to_several_maps_tells_how_many(void **state)
{
	static const struct {
		struct vu_map_multi reply;
		size_t len;
		int rc;
		uint32_t done;
	} cases[] = {
		{ { 3, 0 }, 8, 0, 3 },
		{ { 2, EEXIST }, 8, -EEXIST, 2 },
		{ { 0, 4095 }, 8, -4095, 0 },
		{ { 3, 0 }, 7, -EPROTO, 0 },
		{ { 3, 0 }, 9, -EPROTO, 0 },
		{ { 4, 0 }, 8, -EPROTO, 0 },
		{ { 4, EEXIST }, 8, -EPROTO, 0 },
		{ { 3, EEXIST }, 8, -EPROTO, 0 },
		{ { 2, 0 }, 8, -EPROTO, 0 },
		{ { 2, 4096 }, 8, -EPROTO, 0 },
		{ { 2, UINT32_MAX }, 8, -EPROTO, 0 },
		{ { UINT32_MAX, 0 }, 8, -EPROTO, 0 },
	};
	uint8_t payload[16] = { 0 };
	unsigned int i;
	uint32_t done;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		memcpy(payload, &cases[i].reply, sizeof(cases[i].reply));
		assert_int_equal(vu_map_multi_reply_decode(3, payload, cases[i].len, &done),
			cases[i].rc);
		assert_int_equal(done, cases[i].done);
	}
}

static void
test_dma_reply_belongs_to_its_request(void **state)
{
	static const struct vu_dma_access asked = { 0x1000, 4 };
	struct vu_dma_access reply = { 0x1000, 4 };
	uint8_t payload[32] = { 0 };
	size_t len;

	(void)state;
	memcpy(payload, &reply, 16);
	for (len = 0; len < sizeof(payload); len++) {
		assert_int_equal(vu_dma_reply_check(VU_DMA_READ, &asked, payload, len),
			len == 20 ? 0 : -EPROTO);
		assert_int_equal(vu_dma_reply_check(VU_DMA_WRITE, &asked, payload, len),
			len == 0 || len == 12 || len == 16 ? 0 : -EPROTO);
	}
	reply.count = 3;
	memcpy(payload, &reply, 16);
	assert_int_equal(vu_dma_reply_check(VU_DMA_READ, &asked, payload, 19), -EPROTO);
	assert_int_equal(vu_dma_reply_check(VU_DMA_WRITE, &asked, payload, 16), -EPROTO);
	reply = (struct vu_dma_access) { 0x1001, 4 };
	memcpy(payload, &reply, 16);
	assert_int_equal(vu_dma_reply_check(VU_DMA_READ, &asked, payload, 20), -EPROTO);
	assert_int_equal(vu_dma_reply_check(VU_DMA_WRITE, &asked, payload, 12), -EPROTO);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_ranges_end_at_the_last_byte_there_is),
	cmocka_unit_test(test_bitmap_has_a_bit_for_each_page_in_words),
	cmocka_unit_test(test_map_of_an_impossible_range_is_refused),
	cmocka_unit_test(test_unmap_flags_exclude_each_other),
	cmocka_unit_test(test_unmap_reply_is_of_the_same_range),
	cmocka_unit_test(test_several_maps_have_a_descriptor_each),
	cmocka_unit_test(test_reply_to_several_maps_tells_how_many),
	cmocka_unit_test(test_dma_reply_belongs_to_its_request),
};

TEST_SUITE(vu_codec_dma, "unit", tests, NULL, NULL)
