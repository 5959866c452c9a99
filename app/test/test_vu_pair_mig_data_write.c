/* SPDX-License-Identifier: BSD-3-Clause */

/* MIG_DATA_WRITE, from our client to our server. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "vu_pair.h"

static struct pair_how migratable = { .prepare = pair_migratable };
static struct pair_how short_ones = { .prepare = pair_migratable,
	.server = { .max_data_xfer_size = 1000 } };

static void
test_state_is_written(void **state)
{
	static const size_t firsts[] = { 1, 999, 65536, PAIR_STATE_LEN };
	uint8_t *saved = malloc(PAIR_STATE_LEN);
	struct pair *pair = *state;
	size_t i;

	for (i = 0; i < PAIR_STATE_LEN; i++)
		saved[i] = (uint8_t)(i * 17 + i / 251);
	for (i = 0; i < RTE_DIM(firsts); i++) {
		memset(pair_state, 0, PAIR_STATE_LEN);
		pair_set_state(pair, VFIO_DEVICE_STATE_RESUMING);
		assert_int_equal(rte_vfio_user_mig_write(pair->dev_id, saved, firsts[i]), 0);
		assert_int_equal(rte_vfio_user_mig_write(pair->dev_id, saved + firsts[i],
			PAIR_STATE_LEN - firsts[i]), 0);
		/* more than it has room for */
		assert_int_equal(rte_vfio_user_mig_write(pair->dev_id, saved, 1), -EFBIG);
		pair_set_state(pair, VFIO_DEVICE_STATE_RUNNING);
		assert_memory_equal(saved, pair_state, PAIR_STATE_LEN);
	}
	free(saved);
}

static int
write_byte(int dev_id)
{
	uint8_t byte = 0;

	return rte_vfio_user_mig_write(dev_id, &byte, 1);
}

static void
test_not_in_any_state(void **state)
{
	pair_expect_in_states(*state, write_byte, PAIR_IN(RESUMING), 0);
}

static void
test_device_that_cannot_migrate(void **state)
{
	struct pair *pair = *state;

	assert_int_equal(write_byte(pair->dev_id), -EINVAL);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS_HOW(test_state_is_written, &migratable),
	PAIR_TESTS_HOW(test_state_is_written, &short_ones),
	PAIR_TESTS_HOW(test_not_in_any_state, &migratable),
	PAIR_TESTS(test_device_that_cannot_migrate),
};

TEST_SUITE(vu_pair_mig_data_write, "functional", tests, served_warm_up, NULL)
