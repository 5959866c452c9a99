/* SPDX-License-Identifier: BSD-3-Clause */

/* MIG_DATA_READ, from our client to our server. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "vu_pair.h"

static struct pair_how migratable = { .prepare = pair_migratable };
static struct pair_how short_ones = { .prepare = pair_migratable,
	.server = { .max_data_xfer_size = 1000 } };

/* Until the end, in pieces of so many bytes. */
static size_t
save(struct pair *pair, uint8_t *saved, size_t piece)
{
	size_t len = 0;
	ssize_t n;

	while ((n = rte_vfio_user_mig_read(pair->dev_id, saved + len, piece)) > 0)
		len += (size_t)n;
	assert_int_equal(n, 0);
	return len;
}

static void
test_state_is_read_to_its_end(void **state)
{
	static const size_t pieces[] = { 999, 4096, 65536, 1048576 };
	uint8_t *saved = malloc(PAIR_STATE_LEN + 1048576);
	struct pair *pair = *state;
	size_t i;

	for (i = 0; i < PAIR_STATE_LEN; i++)
		pair_state[i] = (uint8_t)(i * 17 + i / 251);
	for (i = 0; i < RTE_DIM(pieces); i++) {
		memset(saved, 0, PAIR_STATE_LEN);
		pair_set_state(pair, VFIO_DEVICE_STATE_STOP_COPY);
		assert_int_equal(save(pair, saved, pieces[i]), PAIR_STATE_LEN);
		assert_memory_equal(saved, pair_state, PAIR_STATE_LEN);
		pair_set_state(pair, VFIO_DEVICE_STATE_STOP);
	}
	free(saved);
}

static int
read_byte(int dev_id)
{
	uint8_t byte = 0;

	return (int)rte_vfio_user_mig_read(dev_id, &byte, 1);
}

static void
test_not_in_any_state(void **state)
{
	pair_expect_in_states(*state, read_byte, PAIR_IN(STOP_COPY) | PAIR_IN_PRE_COPY, 1);
}

static void
test_device_that_cannot_migrate(void **state)
{
	struct pair *pair = *state;

	assert_int_equal(read_byte(pair->dev_id), -EINVAL);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS_HOW(test_state_is_read_to_its_end, &migratable),
	PAIR_TESTS_HOW(test_state_is_read_to_its_end, &short_ones),
	PAIR_TESTS_HOW(test_not_in_any_state, &migratable),
	PAIR_TESTS(test_device_that_cannot_migrate),
};

TEST_SUITE(vu_pair_mig_data_read, "functional", tests, served_warm_up, NULL)
