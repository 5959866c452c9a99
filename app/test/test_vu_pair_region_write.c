/* SPDX-License-Identifier: BSD-3-Clause */

/* REGION_WRITE, from our client to our server: waited for and posted. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "vu_pair.h"

typedef int (*write_t)(int dev_id, uint32_t idx, uint64_t offset, uint32_t size, const void *data);

static const write_t ways[] = { rte_vfio_user_region_write, rte_vfio_user_region_post };

/* What was posted is done before the next request is. */
static void
settle(struct pair *pair)
{
	uint8_t byte;

	assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_REGS, 0, 1, &byte), 0);
}

static void
test_all_widths(void **state)
{
	struct pair *pair = *state;
	uint32_t way, off, len;
	uint8_t data[40];

	for (off = 0; off < sizeof(data); off++)
		data[off] = (uint8_t)(off + 1);
	for (way = 0; way < RTE_DIM(ways); way++) {
		for (len = 1; len < sizeof(data); len++) {
			off = 8 + len % 8;
			memset(pair->served.regs, 0, 64);
			memset(pair->served.mem, 0, 64);
			assert_int_equal(ways[way](pair->dev_id, SERVED_REGS, off, len, data), 0);
			assert_int_equal(ways[way](pair->dev_id, SERVED_MEM, off, len, data), 0);
			settle(pair);
			assert_memory_equal(pair->served.regs + off, data, len);
			assert_memory_equal(pair->served.mem + off, data, len);
			assert_int_equal(pair->served.regs[off - 1], 0);
			assert_int_equal(pair->served.regs[off + len], 0);
		}
	}
}

static void
test_long_ones(void **state)
{
	static const uint32_t lengths[] = { 257, 65536, 1048576, 1048577, 2097152 };
	struct pair *pair = *state;
	uint8_t *data = malloc(2097152);
	uint32_t i, way;

	for (i = 0; i < 2097152; i++)
		data[i] = (uint8_t)(i * 13 + i / 251);
	for (i = 0; i < RTE_DIM(lengths); i++) {
		for (way = 0; way < RTE_DIM(ways); way++) {
			memset(pair->served.large, 0, 2097152);
			assert_int_equal(ways[way](pair->dev_id, SERVED_LARGE,
				2097152 - lengths[i], lengths[i], data), 0);
			settle(pair);
			assert_memory_equal(pair->served.large + 2097152 - lengths[i], data,
				lengths[i]);
		}
	}
	free(data);
}

static struct pair_how short_ones = { .server = { .max_data_xfer_size = 100 } };

static void
test_pieces_are_what_the_server_takes(void **state)
{
	test_long_ones(state);
}

static void
test_posted_ones_stay_in_order(void **state)
{
	struct pair *pair = *state;
	uint32_t i, got;

	for (i = 1; i <= 5000; i++) {
		assert_int_equal(rte_vfio_user_region_post(pair->dev_id, SERVED_REGS, 0, 4, &i), 0);
		if (i % 1000 != 0)
			continue;
		assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_REGS, 0, 4, &got),
			0);
		assert_int_equal(got, i);
		assert_int_equal(pair->served.writes, i);
	}
	assert_int_equal(pair->served.sum, 5000 * 5001 / 2);
}

static void
test_what_is_refused(void **state)
{
	static const struct {
		uint32_t region;
		uint32_t size;
		uint64_t offset;
		int rc;
	} cases[] = {
		{ SERVED_REGS, 1, 4096, -EINVAL },
		{ SERVED_REGS, 8, 4090, -EINVAL },
		{ SERVED_REGS, 8, UINT64_MAX, -EINVAL },
		{ SERVED_ROM, 1, 0, -EINVAL },
		{ 6, 1, 0, -EINVAL },
		{ SERVED_REGIONS, 1, 0, -EINVAL },
		{ SERVED_REGS, 4, SERVED_REG_FAIL, -EPERM },
		{ SERVED_REGS, 4, SERVED_REG_SHORT, -EIO },
		{ SERVED_REGS, 0, 0, 0 },
	};
	struct pair *pair = *state;
	uint32_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		assert_int_equal(rte_vfio_user_region_write(pair->dev_id, cases[i].region,
			cases[i].offset, cases[i].size, "12345678"), cases[i].rc);
		/* nobody is told of what is posted, but for what cannot be sent */
		if (cases[i].offset != UINT64_MAX)
			assert_int_equal(rte_vfio_user_region_post(pair->dev_id, cases[i].region,
				cases[i].offset, cases[i].size, "12345678"), 0);
		settle(pair);
	}
	assert_int_equal(pair->served.writes, 0);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS(test_all_widths),
	PAIR_TESTS(test_long_ones),
	PAIR_TESTS_HOW(test_pieces_are_what_the_server_takes, &short_ones),
	PAIR_TESTS(test_posted_ones_stay_in_order),
	PAIR_TESTS(test_what_is_refused),
};

TEST_SUITE(vu_pair_region_write, "functional", tests, served_warm_up, NULL)
