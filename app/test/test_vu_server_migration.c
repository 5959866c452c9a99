/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "vu_served.h"

#include "test.h"
#include "vu_feature.h"

enum { S_ERROR, S_STOP, S_RUNNING, S_STOP_COPY, S_RESUMING, S_P2P, S_PRE_COPY, S_PRE_COPY_P2P };

/* ---- migration ---- */

static uint32_t steps[16];
static unsigned int nb_steps;
static int step_error;
static uint32_t step_fails;	/* the step to this state */
static char saved[64];
static size_t saved_at;

static int
on_set_state(int dev_id, uint32_t state)
{
	(void)dev_id;
	if (step_error != 0 && state == step_fails)
		return step_error;
	assert_true(nb_steps < RTE_DIM(steps));
	steps[nb_steps++] = state;
	return 0;
}

static ssize_t
on_read_data(int dev_id, void *buf, size_t len)
{
	size_t n = RTE_MIN(len, sizeof(saved) - saved_at);

	(void)dev_id;
	memcpy(buf, saved + saved_at, n);
	saved_at += n;
	return (ssize_t)n;
}

static ssize_t
on_write_data(int dev_id, const void *buf, size_t len)
{
	(void)dev_id;
	if (len > sizeof(saved))
		return -EFBIG;
	memcpy(saved, buf, len);
	return (ssize_t)len;
}

static int
migratable_setup(void **state, uint64_t flags)
{
	const struct rte_vfio_user_migration_ops ops = {
		.flags = flags,
		.set_state = on_set_state,
		.read_data = on_read_data,
		.write_data = on_write_data,
	};
	struct served *served = calloc(1, sizeof(*served));
	char path[96];

	nb_steps = 0;
	saved_at = 0;
	step_error = 0;
	resources_take(&served->before);
	strcpy(served->dir, "/tmp/vu-test-XXXXXX");
	assert_non_null(mkdtemp(served->dir));
	snprintf(path, sizeof(path), "%s/sock", served->dir);
	served_register(served, path, NULL);
	assert_int_equal(rte_vfio_user_set_migration(served->path, &ops), 0);
	assert_int_equal(rte_vfio_user_start(served->path), 0);
	*state = served;
	return 0;
}

static int
setup(void **state)
{
	return migratable_setup(state, 1 | 4);
}

static int
setup_without_pre_copy(void **state)
{
	return migratable_setup(state, 1);
}

static int
set_state(struct vu_peer *peer, uint32_t state)
{
	const uint32_t data[2] = { state, 0 };
	int err = vu_feature(peer, SET | STATE, 16, data, sizeof(data));

	if (err == 0) {
		assert_int_equal(peer->len, 16);
		assert_memory_equal(peer->payload + 8, data, sizeof(data));
	}
	return err;
}

static uint32_t
get_state(struct vu_peer *peer)
{
	uint32_t state;

	assert_int_equal(vu_feature(peer, GET | STATE, 16, NULL, 0), 0);
	assert_int_equal(peer->len, 16);
	memcpy(&state, peer->payload + 8, sizeof(state));
	return state;
}

static void
test_migration_flags_and_probes(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	uint64_t flags;

	peer_open(&peer, served->path);
	assert_int_equal(vu_feature(&peer, GET | MIGRATION, 16, NULL, 0), 0);
	memcpy(&flags, peer.payload + 8, 8);
	assert_int_equal(flags, 5);
	assert_int_equal(vu_feature(&peer, PROBE | MIGRATION | GET, 8, NULL, 0), 0);
	assert_int_equal(vu_feature(&peer, PROBE | MIGRATION | SET, 8, NULL, 0), EINVAL);
	assert_int_equal(vu_feature(&peer, PROBE | STATE | GET | SET, 8, NULL, 0), 0);
	assert_int_equal(vu_feature(&peer, PROBE | START | SET, 8, NULL, 0), 0);
	assert_int_equal(vu_feature(&peer, PROBE | REPORT | GET, 8, NULL, 0), 0);
	assert_int_equal(vu_feature(&peer, GET | SET | STATE, 16, "01234567", 8), EINVAL);
	assert_int_equal(vu_feature(&peer, GET | 3, 16, NULL, 0), EINVAL);
	assert_int_equal(vu_feature(&peer, GET | 0xffff, 16, NULL, 0), EINVAL);
	assert_int_equal(vu_feature(&peer, STATE, 16, NULL, 0), EINVAL);
	peer_close(&peer);
}

/* Protocol reference 5.13: the shortest chain without a saving state in its interior. */
static void
test_states_are_reached_by_single_steps(void **state)
{
	static const struct {
		uint32_t to;
		int err;
		uint32_t steps[4];
		unsigned int nb;
	} cases[] = {
		{ S_RUNNING, 0, { 0 }, 0 },
		{ S_STOP_COPY, 0, { S_STOP, S_STOP_COPY }, 2 },
		{ S_PRE_COPY, EINVAL, { 0 }, 0 },
		{ S_RUNNING, 0, { S_STOP, S_RUNNING }, 2 },
		{ S_PRE_COPY, 0, { S_PRE_COPY }, 1 },
		{ S_STOP_COPY, 0, { S_STOP_COPY }, 1 },
		{ S_RESUMING, 0, { S_STOP, S_RESUMING }, 2 },
		{ S_PRE_COPY, 0, { S_STOP, S_RUNNING, S_PRE_COPY }, 3 },
		{ S_RESUMING, 0, { S_RUNNING, S_STOP, S_RESUMING }, 3 },
		{ S_ERROR, EINVAL, { 0 }, 0 },
		{ S_P2P, EINVAL, { 0 }, 0 },
		{ S_PRE_COPY_P2P, EINVAL, { 0 }, 0 },
		{ 8, EINVAL, { 0 }, 0 },
		{ UINT32_MAX, EINVAL, { 0 }, 0 },
		{ S_RUNNING, 0, { S_STOP, S_RUNNING }, 2 },
	};
	struct served *served = *state;
	struct vu_peer peer;
	size_t i;

	peer_open(&peer, served->path);
	assert_int_equal(get_state(&peer), S_RUNNING);
	for (i = 0; i < RTE_DIM(cases); i++) {
		nb_steps = 0;
		assert_int_equal(set_state(&peer, cases[i].to), cases[i].err);
		assert_int_equal(nb_steps, cases[i].nb);
		assert_memory_equal(steps, cases[i].steps, cases[i].nb * sizeof(steps[0]));
		if (cases[i].err == 0)
			assert_int_equal(get_state(&peer), cases[i].to);
	}
	peer_close(&peer);
}

static void
test_step_that_fails(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;

	peer_open(&peer, served->path);
	step_fails = S_STOP_COPY;
	step_error = -ENOSPC;
	assert_int_equal(set_state(&peer, S_STOP_COPY), ENOSPC);
	assert_int_equal(get_state(&peer), S_STOP);
	step_error = -ENOTRECOVERABLE;
	assert_int_equal(set_state(&peer, S_STOP_COPY), ENOTRECOVERABLE);
	assert_int_equal(get_state(&peer), S_ERROR);
	assert_int_equal(set_state(&peer, S_RUNNING), EINVAL);
	assert_int_equal(peer_call(&peer, VU_RESET, NULL, 0), 0);
	assert_int_equal(get_state(&peer), S_RUNNING);
	peer_close(&peer);
}

static void
test_no_pre_copy_unless_the_device_has_it(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;

	peer_open(&peer, served->path);
	assert_int_equal(set_state(&peer, S_PRE_COPY), EINVAL);
	assert_int_equal(set_state(&peer, S_STOP_COPY), 0);
	peer_close(&peer);
}

static void
test_state_data_are_read_and_written(void **state)
{
	struct served *served = *state;
	uint32_t request[2] = { 8 + 40, 40 };
	uint8_t load[8 + 10] = { 18, 0, 0, 0, 10, 0, 0, 0, 'd', 'e', 'v' };
	struct vu_peer peer;
	uint32_t size;

	memset(saved, 's', sizeof(saved));
	peer_open(&peer, served->path);
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_READ, request, 8), EINVAL);
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_WRITE, load, sizeof(load)), EINVAL);
	assert_int_equal(set_state(&peer, S_STOP_COPY), 0);
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_READ, request, 8), 0);
	assert_int_equal(peer.len, 48);
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_READ, request, 8), 0);
	memcpy(&size, peer.payload + 4, 4);
	assert_int_equal(size, 24);
	assert_int_equal(peer.len, 32);
	assert_int_equal(peer.payload[8], 's');
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_READ, request, 8), 0);
	memcpy(&size, peer.payload + 4, 4);
	assert_int_equal(size, 0);
	request[1] = 1048577;
	request[0] = UINT32_MAX;
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_READ, request, 8), EINVAL);
	assert_int_equal(set_state(&peer, S_RESUMING), 0);
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_WRITE, load, sizeof(load)), 0);
	assert_int_equal(peer.len, 0);
	assert_memory_equal(saved, "dev", 3);
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_WRITE, load, sizeof(load) - 1), EINVAL);
	peer_close(&peer);
}

static void
test_device_without_migration(void **state)
{
	struct served *served = *state;
	uint32_t request[2] = { 8 + 40, 40 };
	struct vu_peer peer;

	peer_open(&peer, served->path);
	assert_int_equal(vu_feature(&peer, GET | MIGRATION, 16, NULL, 0), EINVAL);
	assert_int_equal(vu_feature(&peer, PROBE | STATE | GET, 16, NULL, 0), EINVAL);
	assert_int_equal(set_state(&peer, S_STOP), EINVAL);
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_READ, request, 8), EINVAL);
	peer_close(&peer);
}

#define MIG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, served_teardown)

static const struct CMUnitTest tests[] = {
	MIG_TEST(test_migration_flags_and_probes),
	MIG_TEST(test_states_are_reached_by_single_steps),
	MIG_TEST(test_step_that_fails),
	cmocka_unit_test_setup_teardown(test_no_pre_copy_unless_the_device_has_it,
		setup_without_pre_copy, served_teardown),
	MIG_TEST(test_state_data_are_read_and_written),
	SERVED_TEST(test_device_without_migration),
};

TEST_SUITE(vu_server_migration, "functional", tests, served_warm_up, NULL)
