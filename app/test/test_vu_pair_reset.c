/* SPDX-License-Identifier: BSD-3-Clause */

/* DEVICE_RESET, from our client to our server. */

#include <errno.h>
#include <stdlib.h>

#include "vu_pair.h"

static void
test_device_is_reset(void **state)
{
	struct pair *pair = *state;
	int locks = pair->served.locks;

	assert_int_equal(rte_vfio_user_reset(pair->dev_id), 0);
	assert_int_equal(pair->served.reset_device, 1);
	/* data paths do not see it half done */
	assert_int_equal(pair->served.locks, locks + 1);
	assert_int_equal(pair->served.locked, 0);
}

static void
test_device_refuses(void **state)
{
	struct pair *pair = *state;

	atomic_store(&pair->served.refuse_reset, -EBUSY);
	assert_int_equal(rte_vfio_user_reset(pair->dev_id), -EBUSY);
	atomic_store(&pair->served.refuse_lock, -EAGAIN);
	assert_int_equal(rte_vfio_user_reset(pair->dev_id), -EAGAIN);
	atomic_store(&pair->served.refuse_lock, 0);
	assert_int_equal(pair->served.reset_device, 1);
}

static struct pair_how migratable = { .prepare = pair_migratable };

/* The way out of whatever a migration came to. */
static void
test_migration_is_over(void **state)
{
	struct {
		struct vfio_device_feature head;
		uint32_t data[2];
	} set = { .head = { sizeof(set), VFIO_DEVICE_FEATURE_SET |
		VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE }, .data = { VFIO_DEVICE_STATE_STOP } };
	struct pair *pair = *state;

	assert_int_equal(rte_vfio_user_feature(pair->dev_id, &set.head, sizeof(set)), sizeof(set));
	assert_int_equal(rte_vfio_user_reset(pair->dev_id), 0);
	set.head = (struct vfio_device_feature) { sizeof(set), VFIO_DEVICE_FEATURE_GET |
		VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE };
	assert_int_equal(rte_vfio_user_feature(pair->dev_id, &set.head, 8), sizeof(set));
	assert_int_equal(set.data[0], VFIO_DEVICE_STATE_RUNNING);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS(test_device_is_reset),
	PAIR_TESTS(test_device_refuses),
	PAIR_TESTS_HOW(test_migration_is_over, &migratable),
};

TEST_SUITE(vu_pair_reset, "functional", tests, served_warm_up, NULL)
