/* SPDX-License-Identifier: BSD-3-Clause */

/* VERSION, from our client to our server. */

#include <errno.h>
#include <stdlib.h>

#include "vu_pair.h"

static struct rte_vfio_user_limits
limits_of(struct pair *pair)
{
	struct rte_vfio_user_limits limits;

	assert_int_equal(rte_vfio_user_get_limits(pair->dev_id, &limits), 0);
	assert_int_equal(limits.major, 0);
	assert_true(limits.minor <= 1);
	return limits;
}

static void
test_defaults(void **state)
{
	struct rte_vfio_user_limits limits = limits_of(*state);

	assert_int_equal(limits.max_msg_fds, 16);
	assert_int_equal(limits.max_data_xfer_size, 1048576);
	assert_int_equal(limits.max_dma_maps, 65535);
	assert_int_equal(limits.pgsizes, 4096);
	assert_true(limits.write_multiple);
	assert_true(limits.twin_socket);
	assert_false(limits.migration);
}

static struct pair_how other = {
	.server = { .max_msg_fds = 3, .max_data_xfer_size = 5000, .max_dma_maps = 7,
		.pgsizes = 0x201000, .flags = RTE_VFIO_USER_F_NO_TWIN },
	.prepare = pair_migratable,
};

static void
test_what_the_server_says_of_itself(void **state)
{
	struct rte_vfio_user_limits limits = limits_of(*state);

	assert_int_equal(limits.max_msg_fds, 3);
	assert_int_equal(limits.max_data_xfer_size, 5000);
	assert_int_equal(limits.max_dma_maps, 7);
	assert_int_equal(limits.pgsizes, 0x201000);
	assert_false(limits.twin_socket);
	assert_true(limits.migration);
	assert_int_equal(limits.mig_pgsize, 4096);
}

static struct pair_how no_twin = {
	.client = { .flags = RTE_VFIO_USER_ATTACH_F_NO_TWIN },
};

static void
test_client_offers_no_second_socket(void **state)
{
	assert_false(limits_of(*state).twin_socket);
}

static void
refuse(struct served *served)
{
	atomic_store(&served->refuse_new, -EBUSY);
}

static struct pair_how refused = { .prepare = refuse };

static void
test_device_refuses(void **state)
{
	struct pair *pair = *state;

	assert_int_equal(pair->dev_id, -EBUSY);
	assert_int_equal(pair->served.new_device, 1);
	/* there is no end to what did not begin */
	assert_int_equal(pair->served.destroy_device, 0);
	atomic_store(&pair->served.destroy_device, 1);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS(test_defaults),
	PAIR_TESTS_HOW(test_what_the_server_says_of_itself, &other),
	PAIR_TESTS_HOW(test_client_offers_no_second_socket, &no_twin),
	PAIR_TESTS_HOW(test_device_refuses, &refused),
};

TEST_SUITE(vu_pair_version, "functional", tests, served_warm_up, NULL)
