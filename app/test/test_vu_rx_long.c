/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_common.h>

#include "vu_rx.h"

#include "test.h"
#include "vu_stream.h"

/* ---- long messages ---- */

/* Sends as the socket takes it while the other end receives. */
static void
send_long(struct stream *s, const uint8_t *bytes, size_t len, struct vu_rx_msg *msg)
{
	size_t sent = 0;
	ssize_t n;
	int rc = 0;

	while (rc == 0) {
		n = send(s->peer, bytes + sent, len - sent, MSG_DONTWAIT);
		sent += n > 0 ? (size_t)n : 0;
		assert_true(vu_rx_fill(&s->rx, s->sock, MSG_DONTWAIT) > 0);
		rc = vu_rx_next(&s->rx, msg);
	}
	assert_int_equal(rc, 1);
	assert_int_equal(sent, len);
}

static uint8_t *
long_message(uint16_t id, uint16_t cmd, uint32_t flags, size_t len)
{
	struct vu_hdr hdr = { .id = id, .cmd = cmd, .size = (uint32_t)len, .flags = flags };
	uint8_t *bytes = malloc(len);
	size_t i;

	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(bytes, &hdr, sizeof(hdr));
	return bytes;
}

static void
test_longest_message_comes_whole_and_memory_goes_back(void **state)
{
	struct stream *s = *state;
	uint8_t *bytes = long_message(1, VU_REGION_WRITE, 0, MAX_SIZE);
	struct vu_rx_msg msg;
	uint16_t i;

	send_long(s, bytes, MAX_SIZE, &msg);
	assert_int_equal(msg.len, MAX_SIZE - 16);
	assert_memory_equal(msg.payload, bytes + 16, msg.len);
	assert_true(s->rx.cap >= MAX_SIZE);
	for (i = 0; i < 100; i++) {
		stream_send(s, i, VU_REGION_READ, 16, 0);
		assert_int_equal(stream_next(s, &msg), 1);
		stream_assert_msg(&msg, i, VU_REGION_READ, 16, 0);
	}
	assert_int_equal(s->rx.cap, VU_RX_CHUNK);
	free(bytes);
}

#define DATA 300000u
#define LONG (32u + DATA)

static void
test_expected_reply_goes_to_its_place(void **state)
{
	struct stream *s = *state;
	uint8_t *bytes = long_message(7, VU_REGION_READ, VU_F_TYPE_REPLY, LONG);
	uint8_t *place = calloc(1, DATA);
	struct vu_rx_msg msg;

	assert_true(vu_rx_expect(&s->rx, 7, VU_REGION_READ, place, DATA));
	assert_false(vu_rx_expect(&s->rx, 7, VU_REGION_READ, place, DATA));
	send_long(s, bytes, LONG, &msg);
	assert_int_equal(msg.len, LONG - 16);
	assert_int_equal(msg.placed, DATA);
	assert_memory_equal(msg.payload, bytes + 16, 16);
	assert_memory_equal(place, bytes + 32, DATA);
	assert_int_equal(s->rx.cap, VU_RX_CHUNK);
	/* and what follows is as ever */
	stream_send(s, 8, VU_SET_IRQS, 20, 2);
	assert_int_equal(stream_next(s, &msg), 1);
	stream_assert_msg(&msg, 8, VU_SET_IRQS, 20, 2);
	assert_int_equal(msg.placed, 0);
	free(place);
	free(bytes);
}

/* A short reply and what follows it come in one receive. */
static void
test_message_behind_an_expected_reply_is_not_mixed_up(void **state)
{
	struct stream *s = *state;
	uint8_t *bytes = long_message(7, VU_REGION_READ, VU_F_TYPE_REPLY, 32 + 100);
	uint8_t place[100];
	struct vu_rx_msg msg;

	assert_true(vu_rx_expect(&s->rx, 7, VU_REGION_READ, place, sizeof(place)));
	assert_int_equal(send(s->peer, bytes, 132, 0), 132);
	stream_send(s, 8, VU_SET_IRQS, 20, 2);
	stream_send(s, 9, VU_RESET, 0, 0);
	assert_int_equal(stream_next(s, &msg), 1);
	assert_int_equal(msg.placed, 100);
	assert_int_equal(msg.fds->nb, 0);
	assert_memory_equal(place, bytes + 32, 100);
	assert_int_equal(stream_next(s, &msg), 1);
	stream_assert_msg(&msg, 8, VU_SET_IRQS, 20, 2);
	assert_int_equal(stream_next(s, &msg), 1);
	stream_assert_msg(&msg, 9, VU_RESET, 0, 0);
	free(bytes);
}

static void
test_another_message_than_expected_comes_complete(void **state)
{
	static const struct {
		uint16_t id;
		uint16_t cmd;
		uint32_t flags;
		uint32_t len;
	} other[] = {
		{ 6, VU_REGION_READ, VU_F_TYPE_REPLY, LONG },
		{ 7, VU_DMA_READ, VU_F_TYPE_REPLY, LONG },
		{ 7, VU_REGION_READ, VU_F_TYPE_COMMAND, LONG },
		{ 7, VU_REGION_READ, VU_F_TYPE_REPLY, LONG + 1 },
		{ 7, VU_REGION_READ, VU_F_TYPE_REPLY, LONG - 1 },
		{ 7, VU_REGION_READ, VU_F_TYPE_REPLY, 48 },
		{ 7, VU_REGION_READ, VU_F_TYPE_REPLY | VU_F_ERROR, 16 },
	};
	struct stream *s = *state;
	uint8_t *place = calloc(1, DATA);
	struct vu_rx_msg msg;
	unsigned int i;

	for (i = 0; i < RTE_DIM(other); i++) {
		uint8_t *bytes = long_message(other[i].id, other[i].cmd, other[i].flags,
				other[i].len);

		assert_true(vu_rx_expect(&s->rx, 7, VU_REGION_READ, place, DATA));
		send_long(s, bytes, other[i].len, &msg);
		assert_int_equal(msg.placed, 0);
		assert_int_equal(msg.len, other[i].len - 16);
		assert_memory_equal(msg.payload, bytes + 16, msg.len);
		assert_int_equal(vu_rx_unexpect(&s->rx), 0);
		free(bytes);
	}
	free(place);
}

/* Whoever expects gives up when a part is there: nothing is lost, and the place is his again. */
static void
test_giving_up_an_expectation_keeps_the_stream(void **state)
{
	static const size_t first[] = { 1, 15, 16, 31, 32, 33, 1000, 40000 };
	struct stream *s = *state;
	uint8_t *place = malloc(DATA);
	struct vu_rx_msg msg;
	unsigned int i;

	for (i = 0; i < RTE_DIM(first); i++) {
		uint8_t *bytes = long_message(7, VU_REGION_READ, VU_F_TYPE_REPLY, LONG);

		assert_true(vu_rx_expect(&s->rx, 7, VU_REGION_READ, place, DATA));
		assert_int_equal(send(s->peer, bytes, first[i], 0), first[i]);
		assert_int_equal(stream_next(s, &msg), -EAGAIN);
		assert_int_equal(vu_rx_unexpect(&s->rx), 0);
		memset(place, 0, DATA);
		send_long(s, bytes + first[i], LONG - first[i], &msg);
		assert_int_equal(msg.placed, 0);
		assert_memory_equal(msg.payload, bytes + 16, msg.len);
		free(bytes);
	}
	free(place);
}

static void
test_nothing_is_expected_while_something_is_there(void **state)
{
	struct stream *s = *state;
	struct vu_rx_msg msg;
	uint8_t place[16];

	stream_send(s, 1, VU_RESET, 0, 0);
	assert_int_equal(vu_rx_fill(&s->rx, s->sock, MSG_DONTWAIT), 16);
	assert_false(vu_rx_expect(&s->rx, 7, VU_REGION_READ, place, sizeof(place)));
	assert_int_equal(stream_next(s, &msg), 1);
	assert_true(vu_rx_expect(&s->rx, 7, VU_REGION_READ, place, sizeof(place)));
	assert_int_equal(vu_rx_unexpect(&s->rx), 0);
}

static const struct CMUnitTest tests[] = {
	VU_STREAM_TEST(test_longest_message_comes_whole_and_memory_goes_back),
	VU_STREAM_TEST(test_expected_reply_goes_to_its_place),
	VU_STREAM_TEST(test_message_behind_an_expected_reply_is_not_mixed_up),
	VU_STREAM_TEST(test_another_message_than_expected_comes_complete),
	VU_STREAM_TEST(test_giving_up_an_expectation_keeps_the_stream),
	VU_STREAM_TEST(test_nothing_is_expected_while_something_is_there),
};

TEST_SUITE(vu_rx_long, "unit", tests, NULL, NULL)
