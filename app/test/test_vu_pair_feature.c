/* SPDX-License-Identifier: BSD-3-Clause */

/* DEVICE_FEATURE, from our client to our server. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_pair.h"

#define GET    VFIO_DEVICE_FEATURE_GET
#define SET    VFIO_DEVICE_FEATURE_SET
#define PROBE  VFIO_DEVICE_FEATURE_PROBE
#define STATE  VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE
#define START  VFIO_DEVICE_FEATURE_DMA_LOGGING_START
#define STOP   VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP
#define REPORT VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT

struct feature {
	struct vfio_device_feature head;
	uint64_t data[16];
};

/* @p len bytes of data go; @p room bytes may come back. */
static int
feature(struct pair *pair, struct feature *f, uint32_t flags, size_t len, size_t room)
{
	f->head.argsz = (uint32_t)(sizeof(f->head) + RTE_MAX(len, room));
	f->head.flags = flags;
	return rte_vfio_user_feature(pair->dev_id, &f->head, sizeof(f->head) + len);
}

static struct pair_how migratable = { .prepare = pair_migratable };

static void
test_what_there_is(void **state)
{
	static const struct {
		uint32_t flags;
		int rc;
	} cases[] = {
		{ PROBE | VFIO_DEVICE_FEATURE_MIGRATION, 8 },
		{ PROBE | GET | VFIO_DEVICE_FEATURE_MIGRATION, 8 },
		{ PROBE | SET | VFIO_DEVICE_FEATURE_MIGRATION, -EINVAL },
		{ PROBE | GET | SET | STATE, 8 },
		{ PROBE | SET | START, 8 },
		{ PROBE | GET | START, -EINVAL },
		{ PROBE | SET | STOP, 8 },
		{ PROBE | GET | REPORT, 8 },
		{ PROBE | 0, -EINVAL },
		{ PROBE | 99, -EINVAL },
		{ GET | SET | STATE, -EINVAL },
		{ STATE, -EINVAL },
		{ 1u << 20 | GET | STATE, -EINVAL },
	};
	struct feature f = { .data = { 0 } };
	uint32_t i;

	for (i = 0; i < RTE_DIM(cases); i++)
		assert_int_equal(feature(*state, &f, cases[i].flags, 0, 0), cases[i].rc);
}

static void
test_device_that_cannot_migrate(void **state)
{
	struct feature f = { .data = { 0 } };

	assert_int_equal(feature(*state, &f, PROBE | VFIO_DEVICE_FEATURE_MIGRATION, 0, 0), -EINVAL);
	assert_int_equal(feature(*state, &f, GET | STATE, 0, 8), -EINVAL);
	/* dirty pages are tracked even so */
	assert_int_equal(feature(*state, &f, PROBE | SET | START, 0, 0), 8);
}

static uint32_t
state_get(struct pair *pair)
{
	struct feature f = { .data = { 0 } };

	assert_int_equal(feature(pair, &f, GET | STATE, 0, 8), 16);
	return (uint32_t)f.data[0];
}

static int
state_set(struct pair *pair, uint32_t state)
{
	struct feature f = { .data = { state } };

	return feature(pair, &f, SET | STATE, 8, 8);
}

static void
test_states(void **state)
{
	struct pair *pair = *state;
	struct feature f = { .data = { 0 } };

	assert_int_equal(feature(pair, &f, GET | VFIO_DEVICE_FEATURE_MIGRATION, 0, 8), 16);
	assert_int_equal(f.data[0], 5);
	assert_int_equal(state_get(pair), VFIO_DEVICE_STATE_RUNNING);
	assert_int_equal(state_set(pair, VFIO_DEVICE_STATE_STOP_COPY), 16);
	assert_int_equal(pair_mig_state, VFIO_DEVICE_STATE_STOP_COPY);
	assert_int_equal(state_get(pair), VFIO_DEVICE_STATE_STOP_COPY);
	/* there is no way to pre-copy from there, nor to an error */
	assert_int_equal(state_set(pair, 6), -EINVAL);
	assert_int_equal(state_set(pair, VFIO_DEVICE_STATE_ERROR), -EINVAL);
	assert_int_equal(state_set(pair, 77), -EINVAL);
	assert_int_equal(state_get(pair), VFIO_DEVICE_STATE_STOP_COPY);
	assert_int_equal(state_set(pair, VFIO_DEVICE_STATE_RUNNING), 16);
	assert_int_equal(pair_mig_state, VFIO_DEVICE_STATE_RUNNING);
}

static void
test_dirty_pages(void **state)
{
	struct pair *pair = *state;
	int fd = peer_memory(128 * PAIR_PAGE);
	struct feature f = { .data = { PAIR_PAGE } };

	assert_int_equal(pair_map(pair, 0, 128 * PAIR_PAGE, PAIR_RW, fd, 0), 0);
	assert_int_equal(feature(pair, &f, SET | START, 16, 16), 24);
	assert_int_equal(f.data[0], PAIR_PAGE);
	assert_int_equal(feature(pair, &f, SET | START, 16, 16), -EINVAL);
	assert_int_equal(rte_vfio_user_dma_write(pair->served.dev_id, 70 * PAIR_PAGE, "x", 1), 0);
	rte_vfio_user_dma_dirty(pair->served.dev_id, 0, 2 * PAIR_PAGE);
	f = (struct feature) { .data = { 0, 128 * PAIR_PAGE, PAIR_PAGE } };
	assert_int_equal(feature(pair, &f, GET | REPORT, 24, 24 + 16), 8 + 24 + 16);
	assert_int_equal(f.data[3], 3);
	assert_int_equal(f.data[4], 1 << 6);
	/* once */
	f = (struct feature) { .data = { 0, 128 * PAIR_PAGE, PAIR_PAGE, 9, 9 } };
	assert_int_equal(feature(pair, &f, GET | REPORT, 24, 24 + 16), 8 + 24 + 16);
	assert_int_equal(f.data[3] | f.data[4], 0);
	/* no room for it */
	assert_int_equal(feature(pair, &f, GET | REPORT, 24, 24 + 8), -EINVAL);
	assert_int_equal(feature(pair, &f, SET | STOP, 0, 0), 8);
	assert_int_equal(feature(pair, &f, GET | REPORT, 24, 24 + 16), -ENOTSUP);
	close(fd);
}

static void
test_lengths_that_make_no_sense(void **state)
{
	struct pair *pair = *state;
	struct feature f = { .head = { 8, GET | STATE } };

	assert_int_equal(rte_vfio_user_feature(pair->dev_id, &f.head, 7), -EINVAL);
	assert_int_equal(rte_vfio_user_feature(pair->dev_id, &f.head, 9), -EINVAL);
	/* the answer does not fit */
	assert_int_equal(rte_vfio_user_feature(pair->dev_id, &f.head, 8), -EINVAL);
	f.head.argsz = 16;
	assert_int_equal(rte_vfio_user_feature(pair->dev_id, &f.head, 8), 16);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS_HOW(test_what_there_is, &migratable),
	PAIR_TESTS(test_device_that_cannot_migrate),
	PAIR_TESTS_HOW(test_states, &migratable),
	PAIR_TESTS(test_dirty_pages),
	PAIR_TESTS_HOW(test_lengths_that_make_no_sense, &migratable),
};

TEST_SUITE(vu_pair_feature, "functional", tests, served_warm_up, NULL)
