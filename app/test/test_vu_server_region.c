/* SPDX-License-Identifier: BSD-3-Clause */

/* REGION_READ, REGION_WRITE, REGION_WRITE_MULTI at a served device. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "vu_served.h"

#include "test.h"

static void
test_registers_are_read_and_written_in_each_width(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	uint64_t value = 0x1122334455667788, got;
	uint32_t width;

	peer_open(&peer, served->path);
	for (width = 1; width <= 8; width *= 2) {
		got = 0;
		assert_int_equal(peer_write(&peer, SERVED_REGS, 64 * width, &value, width), 0);
		assert_memory_equal(served->regs + 64 * width, &value, width);
		assert_int_equal(peer_read(&peer, SERVED_REGS, 64 * width, &got, width), 0);
		assert_memory_equal(&got, &value, width);
	}
	peer_close(&peer);
}

static void
test_region_in_memory_needs_no_callback(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	uint8_t data[300], got[300];
	uint32_t len;

	memset(data, 0xa7, sizeof(data));
	peer_open(&peer, served->path);
	for (len = 1; len <= sizeof(data); len++) {
		assert_int_equal(peer_write(&peer, SERVED_MEM, len, data, len), 0);
		assert_int_equal(peer_read(&peer, SERVED_MEM, len, got, len), 0);
		assert_memory_equal(got, data, len);
		memset(served->mem, 0, sizeof(served->mem));
	}
	peer_close(&peer);
}

static void
test_long_accesses_up_to_the_limit(void **state)
{
	static const uint32_t lengths[] = { 256, 257, 4096, 65536, 262144, 1048576 };
	struct served *served = *state;
	uint8_t *data = malloc(1048576), *got = malloc(1048576);
	struct vu_peer peer;
	uint32_t i, j;

	for (i = 0; i < 1048576; i++)
		data[i] = (uint8_t)(i * 7 + (i >> 8));
	peer_open(&peer, served->path);
	for (i = 0; i < RTE_DIM(lengths); i++) {
		for (j = 0; j < 3; j++) {
			memset(served->large, 0, 2u << 20);
			assert_int_equal(peer_write(&peer, SERVED_LARGE, 4096, data, lengths[i]),
				0);
			assert_memory_equal(served->large + 4096, data, lengths[i]);
			assert_int_equal(peer_read(&peer, SERVED_LARGE, 4096, got, lengths[i]), 0);
			assert_memory_equal(got, data, lengths[i]);
		}
	}
	peer_close(&peer);
	free(data);
	free(got);
}

static void
test_access_out_of_range_or_not_permitted(void **state)
{
	static const struct {
		uint32_t region;
		uint64_t offset;
		uint32_t count;
		int read;	/* errno */
		int write;
	} cases[] = {
		{ SERVED_REGS, 4092, 4, 0, -1 },
		{ SERVED_REGS, 4093, 4, EINVAL, EINVAL },
		{ SERVED_REGS, 4096, 1, EINVAL, EINVAL },
		{ SERVED_REGS, 4096, 0, 0, 0 },
		{ SERVED_REGS, UINT64_MAX, 1, EINVAL, EINVAL },
		{ SERVED_REGS, UINT64_MAX - 2, 8, EINVAL, EINVAL },
		{ SERVED_REGS, INT64_MAX, 8, EINVAL, EINVAL },
		{ 6, 0, 4, EINVAL, EINVAL },
		{ SERVED_REGIONS, 0, 4, EINVAL, EINVAL },
		{ UINT32_MAX, 0, 4, EINVAL, EINVAL },
		{ SERVED_ROM, 0, 4, 0, EINVAL },
		{ SERVED_REGS, SERVED_REG_FAIL, 4, EPERM, EPERM },
		{ SERVED_REGS, SERVED_REG_SHORT, 4, EIO, EIO },
	};
	struct served *served = *state;
	struct vu_peer peer;
	uint8_t data[8] = { 0 };
	size_t i;

	peer_open(&peer, served->path);
	for (i = 0; i < RTE_DIM(cases); i++) {
		assert_int_equal(peer_read(&peer, cases[i].region, cases[i].offset, data,
			cases[i].count), cases[i].read);
		if (cases[i].write >= 0)
			assert_int_equal(peer_write(&peer, cases[i].region, cases[i].offset, data,
				cases[i].count), cases[i].write);
	}
	peer_close(&peer);
}

static void
test_count_and_data_must_agree(void **state)
{
	struct served *served = *state;
	struct vu_region_access access = { .region = SERVED_REGS, .count = 8 };
	uint8_t payload[32] = { 0 };
	struct vu_peer peer;

	peer_open(&peer, served->path);
	memcpy(payload, &access, sizeof(access));
	assert_int_equal(peer_call(&peer, VU_REGION_WRITE, payload, 20), EINVAL);
	assert_int_equal(peer_call(&peer, VU_REGION_WRITE, payload, 25), EINVAL);
	assert_int_equal(peer_call(&peer, VU_REGION_WRITE, payload, 24), 0);
	assert_int_equal(peer_call(&peer, VU_REGION_READ, payload, 24), EINVAL);
	access.count = 1048577;
	access.region = SERVED_LARGE;
	assert_int_equal(peer_call(&peer, VU_REGION_READ, &access, sizeof(access)), EINVAL);
	peer_close(&peer);
}

static void
test_posted_writes_are_done_in_order_and_not_answered(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	uint32_t i, got;

	peer_open(&peer, served->path);
	for (i = 1; i <= 3000; i++)
		peer_post(&peer, SERVED_REGS, 0, &i, sizeof(i));
	peer_post(&peer, SERVED_REGS, SERVED_REG_FAIL, &i, sizeof(i));
	peer_post(&peer, UINT32_MAX, 0, &i, sizeof(i));
	assert_int_equal(peer_read(&peer, SERVED_REGS, 0, &got, sizeof(got)), 0);
	assert_int_equal(got, 3000);
	assert_int_equal(served->writes, 3000);
	assert_int_equal(served->sum, 3000 * 3001 / 2);
	peer_close(&peer);
}

/* Commands that arrive together are answered in their order, each with its own id. */
static void
test_pipelined_commands_are_answered_in_order(void **state)
{
	struct served *served = *state;
	struct vu_region_access access = { .region = SERVED_REGS, .count = 4 };
	struct vu_peer peer;
	uint16_t first = 0, id;
	uint32_t i, value;

	peer_open(&peer, served->path);
	for (i = 0; i < 1000; i++) {
		peer_post(&peer, SERVED_REGS, 0, &i, sizeof(i));
		id = peer_send(&peer, VU_REGION_READ, 0, &access, sizeof(access), NULL, 0);
		if (i == 0)
			first = id;
	}
	for (i = 0; i < 1000; i++) {
		assert_true(peer_receive(&peer));
		assert_int_equal(peer.hdr.id, (uint16_t)(first + 2 * i));
		memcpy(&value, peer.payload + 16, sizeof(value));
		assert_int_equal(value, i);
	}
	peer_close(&peer);
}

static void
test_write_multi_stops_at_the_first_failure(void **state)
{
	struct served *served = *state;
	uint64_t payload[1 + 3 * 4] = { 4 };
	struct vu_write_multi_entry *wr = (struct vu_write_multi_entry *)(payload + 1);
	struct vu_peer peer;
	uint64_t done;
	uint32_t i;

	for (i = 0; i < 4; i++) {
		wr[i].region = SERVED_REGS;
		wr[i].offset = 8 * i;
		wr[i].count = i + 1;
		memset(wr[i].data, (int)(0x10 + i), 8);
	}
	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, "{\"capabilities\":{\"write_multiple\":true}}"), 0);
	assert_int_equal(peer_call(&peer, VU_REGION_WRITE_MULTI, payload, sizeof(payload)), 0);
	assert_int_equal(peer.len, 8);
	memcpy(&done, peer.payload, 8);
	assert_int_equal(done, 4);
	assert_int_equal(served->regs[24 + 3], 0x13);
	assert_int_equal(served->regs[16 + 3], 0);
	wr[2].offset = SERVED_REG_FAIL;
	assert_int_equal(peer_call(&peer, VU_REGION_WRITE_MULTI, payload, sizeof(payload)), 0);
	memcpy(&done, peer.payload, 8);
	assert_int_equal(done, 2);
	wr[0].count = 9;
	assert_int_equal(peer_call(&peer, VU_REGION_WRITE_MULTI, payload, sizeof(payload)), EINVAL);
	payload[0] = 5;
	assert_int_equal(peer_call(&peer, VU_REGION_WRITE_MULTI, payload, sizeof(payload)), EINVAL);
	payload[0] = UINT64_MAX;
	assert_int_equal(peer_call(&peer, VU_REGION_WRITE_MULTI, payload, sizeof(payload)), EINVAL);
	peer_close(&peer);
}

/* A client that sends but does not read is left alone until it does; nothing is lost. */
static void
test_back_pressure_when_replies_are_not_read(void **state)
{
	struct served *served = *state;
	struct vu_region_access access = { .region = SERVED_LARGE, .count = 1048576 };
	struct vu_peer peer;
	uint32_t i;

	served->large[0] = 0x77;
	peer_open(&peer, served->path);
	for (i = 0; i < 100; i++)
		peer_send(&peer, VU_REGION_READ, 0, &access, sizeof(access), NULL, 0);
	for (i = 0; i < 100; i++) {
		assert_true(peer_receive(&peer));
		assert_int_equal(peer.len, sizeof(access) + access.count);
		assert_int_equal(peer.payload[sizeof(access)], 0x77);
	}
	peer_close(&peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_registers_are_read_and_written_in_each_width),
	TEST(test_region_in_memory_needs_no_callback),
	TEST(test_long_accesses_up_to_the_limit),
	TEST(test_access_out_of_range_or_not_permitted),
	TEST(test_count_and_data_must_agree),
	TEST(test_posted_writes_are_done_in_order_and_not_answered),
	TEST(test_pipelined_commands_are_answered_in_order),
	TEST(test_write_multi_stops_at_the_first_failure),
	TEST(test_back_pressure_when_replies_are_not_read),
};

TEST_SUITE(vu_server_region, "functional", tests, served_warm_up, NULL)
