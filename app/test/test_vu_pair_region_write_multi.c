/* SPDX-License-Identifier: BSD-3-Clause */

/* REGION_WRITE_MULTI, from our client to our server. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "vu_pair.h"

#define MANY 1000u

static void
settle(struct pair *pair)
{
	uint8_t byte;

	assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_REGS, 0, 1, &byte), 0);
}

/* In their order, in all widths, to different regions; more than a message has. */
static void
test_writes_are_done_in_their_order(void **state)
{
	struct rte_vfio_user_write wr[MANY];
	struct pair *pair = *state;
	uint32_t i, post;

	for (post = 0; post < 2; post++) {
		memset(pair->served.regs, 0, 64);
		atomic_store(&pair->served.sum, 0);
		atomic_store(&pair->served.writes, 0);
		for (i = 0; i < MANY; i++) {
			wr[i] = (struct rte_vfio_user_write) { .region = SERVED_REGS, .count = 4 };
			memcpy(wr[i].data, &i, 4);
		}
		wr[MANY - 1].region = SERVED_MEM;
		wr[MANY - 1].offset = 3;
		wr[MANY - 1].count = 7;
		memcpy(wr[MANY - 1].data, "1234567", 8);
		assert_int_equal(rte_vfio_user_region_write_multi(pair->dev_id, wr, MANY, post), 0);
		settle(pair);
		assert_int_equal(pair->served.writes, MANY - 1);
		assert_int_equal(pair->served.sum, (MANY - 1) * (MANY - 2) / 2);
		i = MANY - 2;
		assert_memory_equal(pair->served.regs, &i, 4);
		assert_memory_equal(pair->served.mem + 3, "1234567", 7);
	}
}

/* The first one that fails ends it, and what was done stays done. */
static void
test_one_that_fails_ends_it(void **state)
{
	static const struct {
		uint32_t region;
		uint64_t offset;
		int first, later;	/* what is returned: as the first, and behind another one */
	} cases[] = {
		{ SERVED_REGS, SERVED_REG_FAIL, -EPERM, -EIO },
		{ SERVED_REGS, SERVED_REG_SHORT, -EIO, -EIO },
		{ SERVED_REGS, 4093, -EINVAL, -EIO },
		{ SERVED_REGS, UINT64_MAX, -EINVAL, -EIO },
		{ SERVED_ROM, 0, -EINVAL, -EIO },
		{ SERVED_REGIONS, 0, -EINVAL, -EIO },
	};
	struct pair *pair = *state;
	uint32_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		const struct rte_vfio_user_write wr[3] = {
			{ .region = SERVED_REGS, .offset = 16, .count = 4, .data = "done" },
			{ .region = cases[i].region, .offset = cases[i].offset, .count = 4 },
			{ .region = SERVED_REGS, .offset = 32, .count = 4, .data = "not " },
		};

		memset(pair->served.regs, 0, 64);
		assert_int_equal(rte_vfio_user_region_write_multi(pair->dev_id, wr + 1, 2, false),
			cases[i].first);
		assert_int_equal(rte_vfio_user_region_write_multi(pair->dev_id, wr, 3, false),
			cases[i].later);
		assert_int_equal(rte_vfio_user_region_write_multi(pair->dev_id, wr, 3, true), 0);
		settle(pair);
		assert_memory_equal(pair->served.regs + 16, "done", 4);
		assert_memory_equal(pair->served.regs + 32, "\0\0\0\0", 4);
	}
}

static void
test_what_is_not_sent(void **state)
{
	static const uint32_t counts[] = { 0, 9, UINT32_MAX };
	struct pair *pair = *state;
	uint32_t i;

	for (i = 0; i < RTE_DIM(counts); i++) {
		const struct rte_vfio_user_write wr[2] = {
			{ .region = SERVED_REGS, .count = 1 },
			{ .region = SERVED_REGS, .count = counts[i] },
		};

		assert_int_equal(rte_vfio_user_region_write_multi(pair->dev_id, wr, 2, false),
			-EINVAL);
	}
	assert_int_equal(rte_vfio_user_region_write_multi(pair->dev_id, NULL, 0, false), 0);
	settle(pair);
	assert_int_equal(pair->served.writes, 0);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS(test_writes_are_done_in_their_order),
	PAIR_TESTS(test_one_that_fails_ends_it),
	PAIR_TESTS(test_what_is_not_sent),
};

TEST_SUITE(vu_pair_region_write_multi, "functional", tests, served_warm_up, NULL)
