/* SPDX-License-Identifier: BSD-3-Clause */

/* REGION_READ, from our client to our server. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "vu_pair.h"

static void
test_all_widths(void **state)
{
	struct pair *pair = *state;
	uint8_t got[40];
	uint32_t off, len;

	for (off = 0; off < sizeof(pair->served.regs) / 2; off++)
		pair->served.regs[off] = pair->served.mem[off] = (uint8_t)(off * 7);
	for (len = 1; len < sizeof(got); len++) {
		for (off = 8; off < 16; off++) {
			memset(got, 0x5a, sizeof(got));
			assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_REGS, off,
				len, got), 0);
			assert_memory_equal(got, pair->served.regs + off, len);
			assert_int_equal(got[RTE_MIN(len, sizeof(got) - 1)], 0x5a);
			assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_MEM, off,
				len, got), 0);
			assert_memory_equal(got, pair->served.mem + off, len);
		}
	}
}

static void
test_long_ones(void **state)
{
	static const uint32_t lengths[] = { 256, 257, 4095, 65536, 1048576, 1048577, 2097152 };
	struct pair *pair = *state;
	uint8_t *got = calloc(1, 2097152);
	uint32_t i;

	for (i = 0; i < 2097152; i++)
		pair->served.large[i] = (uint8_t)(i * 13 + i / 251);
	for (i = 0; i < RTE_DIM(lengths); i++) {
		memset(got, 0, lengths[i]);
		assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_LARGE,
			2097152 - lengths[i], lengths[i], got), 0);
		assert_memory_equal(got, pair->served.large + 2097152 - lengths[i], lengths[i]);
	}
	free(got);
}

static struct pair_how short_ones = { .server = { .max_data_xfer_size = 100 } };

static void
test_pieces_are_what_the_server_takes(void **state)
{
	test_long_ones(state);
}

static void
test_what_is_refused(void **state)
{
	struct pair *pair = *state;
	uint8_t got[8];

	assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_REGS, 4096, 1, got),
		-EINVAL);
	assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_REGS, 4090, 8, got),
		-EINVAL);
	assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_REGS, UINT64_MAX, 8, got),
		-EINVAL);
	/* a region that there is not, and one that is out of range */
	assert_int_equal(rte_vfio_user_region_read(pair->dev_id, 6, 0, 1, got), -EINVAL);
	assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_REGIONS, 0, 1, got),
		-EINVAL);
	assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_REGS, SERVED_REG_FAIL, 4,
		got), -EPERM);
	assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_REGS, SERVED_REG_SHORT, 4,
		got), -EIO);
	assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_REGS, 0, 0, got), 0);
	assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_REGS, 0, 4, got), 0);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS(test_all_widths),
	PAIR_TESTS(test_long_ones),
	PAIR_TESTS_HOW(test_pieces_are_what_the_server_takes, &short_ones),
	PAIR_TESTS(test_what_is_refused),
};

TEST_SUITE(vu_pair_region_read, "functional", tests, served_warm_up, NULL)
