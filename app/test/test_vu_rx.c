/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_cmd.h"
#include "vu_rx.h"
#include "vu_tx.h"

#include "resources.h"
#include "test.h"

#define MAX_SIZE 1048704u
#define MAX_FDS 4u

struct stream {
	struct resources before;
	int peer;	/* we send here */
	int sock;
	struct vu_rx rx;
	struct vu_tx tx;
};

static int
stream_setup(void **state)
{
	struct stream *s = calloc(1, sizeof(*s));
	int sock[2];

	resources_take(&s->before);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	s->peer = sock[0];
	s->sock = sock[1];
	assert_int_equal(vu_rx_init(&s->rx, MAX_SIZE, MAX_FDS), 0);
	vu_tx_init(&s->tx);
	*state = s;
	return 0;
}

static int
stream_teardown(void **state)
{
	struct stream *s = *state;

	close(s->peer);
	close(s->sock);
	vu_rx_fini(&s->rx);
	vu_tx_fini(&s->tx);
	resources_assert_same(&s->before);
	resources_drop(&s->before);
	free(s);
	return 0;
}

/* A message: all bytes of its payload are its id, and so is the count of its eventfds. */
static void
send_msg(struct stream *s, uint16_t id, uint16_t cmd, size_t len, unsigned int nb_fds)
{
	struct vu_hdr hdr = { .id = id, .cmd = cmd };
	uint8_t *payload = malloc(len);
	struct iovec iov = { payload, len };
	int fds[VU_SCM_MAX_FD] = { -1 };
	unsigned int i;

	memset(payload, id & 0xff, len);
	for (i = 0; i < nb_fds; i++)
		fds[i] = eventfd(id, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_int_equal(vu_tx_send(&s->tx, s->peer, &hdr, &iov, 1, fds, nb_fds), 0);
	for (i = 0; i < nb_fds; i++)
		close(fds[i]);
	free(payload);
}

/* The message is the one that send_msg() made, with its own descriptors. */
static void
assert_msg(const struct vu_rx_msg *msg, uint16_t id, uint16_t cmd, size_t len,
	unsigned int nb_fds)
{
	uint64_t count;
	unsigned int i;
	size_t at;

	assert_int_equal(msg->hdr.id, id);
	assert_int_equal(msg->hdr.cmd, cmd);
	assert_int_equal(msg->len, len);
	for (at = 0; at < len; at++)
		assert_int_equal(msg->payload[at], id & 0xff);
	assert_int_equal(msg->fds->nb, nb_fds);
	for (i = 0; i < nb_fds; i++) {
		assert_int_equal(read(msg->fds->fd[i], &count, sizeof(count)), sizeof(count));
		assert_int_equal(count, id);
	}
}

/* Receives as often as needed. */
static int
next(struct stream *s, struct vu_rx_msg *msg)
{
	int rc;

	while ((rc = vu_rx_next(&s->rx, msg)) == 0) {
		rc = vu_rx_fill(&s->rx, s->sock, MSG_DONTWAIT);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static void
test_message_in_pieces_of_every_length_is_one_message(void **state)
{
	struct stream *s = *state;
	struct vu_region_access access = { .offset = 1, .region = 2, .count = 3 };
	struct vu_hdr hdr = { .id = 5, .cmd = VU_REGION_READ, .size = 32 };
	uint8_t bytes[32];
	struct vu_rx_msg msg;
	size_t cut;

	memcpy(bytes, &hdr, sizeof(hdr));
	memcpy(bytes + sizeof(hdr), &access, sizeof(access));
	for (cut = 1; cut < sizeof(bytes); cut++) {
		assert_int_equal(send(s->peer, bytes, cut, 0), cut);
		assert_int_equal(next(s, &msg), -EAGAIN);
		assert_int_equal(send(s->peer, bytes + cut, sizeof(bytes) - cut, 0),
			sizeof(bytes) - cut);
		assert_int_equal(next(s, &msg), 1);
		assert_memory_equal(&msg.hdr, &hdr, sizeof(hdr));
		assert_memory_equal(msg.payload, &access, sizeof(access));
	}
}

static void
test_message_byte_by_byte_is_one_message(void **state)
{
	struct stream *s = *state;
	struct vu_hdr hdr = { .id = 5, .cmd = VU_RESET, .size = 24 };
	uint8_t bytes[24] = { 0 };
	struct vu_rx_msg msg;
	size_t i;

	memcpy(bytes, &hdr, sizeof(hdr));
	for (i = 0; i < sizeof(bytes); i++) {
		assert_int_equal(next(s, &msg), -EAGAIN);
		assert_int_equal(send(s->peer, bytes + i, 1, 0), 1);
	}
	assert_int_equal(next(s, &msg), 1);
	assert_int_equal(msg.len, 8);
}

static void
test_many_messages_come_in_one_receive(void **state)
{
	struct stream *s = *state;
	struct vu_rx_msg msg;
	uint16_t i;

	for (i = 0; i < 100; i++)
		send_msg(s, i, VU_REGION_WRITE, i, 0);
	assert_true(vu_rx_fill(&s->rx, s->sock, MSG_DONTWAIT) > 0);
	for (i = 0; i < 100; i++) {
		assert_int_equal(vu_rx_next(&s->rx, &msg), 1);
		assert_msg(&msg, i, VU_REGION_WRITE, i, 0);
	}
	assert_int_equal(next(s, &msg), -EAGAIN);
}

/* Maps, unmaps, interrupts and posted writes as they come from a client that does not wait. */
static void
test_descriptors_belong_to_the_message_they_came_with(void **state)
{
	static const struct {
		uint16_t cmd;
		uint16_t len;
		uint16_t nb_fds;
	} mix[] = {
		{ VU_REGION_WRITE, 20, 0 }, { VU_DMA_MAP, 32, 1 }, { VU_DMA_MAP, 32, 0 },
		{ VU_DMA_UNMAP, 24, 0 }, { VU_SET_IRQS, 20, 4 }, { VU_SET_IRQS, 20, 0 },
		{ VU_DMA_MAP, 32, 1 }, { VU_DMA_MAP, 32, 1 }, { VU_REGION_WRITE, 20, 0 },
		{ VU_REGION_WRITE, 4096, 0 }, { VU_SET_IRQS, 20, 1 }, { VU_RESET, 0, 0 },
	};
	struct stream *s = *state;
	struct vu_rx_msg msg;
	unsigned int step, i, at = 0;

	/* so many messages at a time, up to all of them, from every place in the mix */
	for (step = 1; step <= 40; step++) {
		for (i = 0; i < step; i++)
			send_msg(s, (uint16_t)(1 + at + i), mix[(at + i) % RTE_DIM(mix)].cmd,
				mix[(at + i) % RTE_DIM(mix)].len,
				mix[(at + i) % RTE_DIM(mix)].nb_fds);
		for (i = 0; i < step; i++, at++) {
			assert_int_equal(next(s, &msg), 1);
			assert_msg(&msg, (uint16_t)(1 + at), mix[at % RTE_DIM(mix)].cmd,
				mix[at % RTE_DIM(mix)].len, mix[at % RTE_DIM(mix)].nb_fds);
		}
	}
}

static void
test_descriptors_wait_for_the_end_of_a_long_message(void **state)
{
	struct stream *s = *state;
	struct vu_hdr hdr = { .id = 9, .cmd = VU_DMA_MAP, .size = 48 };
	int fd = eventfd(9, EFD_CLOEXEC | EFD_NONBLOCK);
	struct iovec iov = { (uint8_t [32]) { 0 }, 32 };
	uint8_t rest[8] = { 0 };
	struct vu_rx_msg msg;

	send_msg(s, 1, VU_RESET, 0, 0);
	/* the first 40 bytes with the descriptor; the socket cuts where it likes */
	iov.iov_len = 24;
	assert_int_equal(vu_tx_send(&s->tx, s->peer, &hdr, &iov, 1, &fd, 1), 0);
	close(fd);
	assert_int_equal(vu_rx_fill(&s->rx, s->sock, MSG_DONTWAIT), 56);
	/* what was sent says 40 bytes; it is to be 48 */
	s->rx.buf[16 + 4] = 48;
	assert_int_equal(vu_rx_next(&s->rx, &msg), 1);
	assert_msg(&msg, 1, VU_RESET, 0, 0);
	assert_int_equal(next(s, &msg), -EAGAIN);
	assert_int_equal(send(s->peer, rest, sizeof(rest), 0), sizeof(rest));
	send_msg(s, 2, VU_SET_IRQS, 20, 2);
	assert_int_equal(next(s, &msg), 1);
	assert_int_equal(msg.hdr.id, 9);
	assert_int_equal(msg.fds->nb, 1);
	assert_int_equal(next(s, &msg), 1);
	assert_msg(&msg, 2, VU_SET_IRQS, 20, 2);
}

static void
test_descriptor_that_is_taken_stays_open(void **state)
{
	struct stream *s = *state;
	struct vu_rx_msg msg;
	struct stat st;
	int fd, other;

	send_msg(s, 3, VU_SET_IRQS, 20, 2);
	assert_int_equal(next(s, &msg), 1);
	fd = vu_fds_take(msg.fds, 0);
	other = msg.fds->fd[1];
	assert_int_equal(vu_fds_take(msg.fds, 0), -1);
	assert_int_equal(vu_fds_take(msg.fds, 2), -1);
	assert_int_equal(next(s, &msg), -EAGAIN);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(fstat(other, &st), -1);
	close(fd);
}

static void
test_too_many_descriptors_break_the_stream_and_are_closed(void **state)
{
	static const unsigned int nb[] = { MAX_FDS + 1, 17, VU_SCM_MAX_FD };
	struct stream *s = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(nb); i++) {
		send_msg(s, 1, VU_SET_IRQS, 20, nb[i]);
		assert_int_equal(vu_rx_fill(&s->rx, s->sock, MSG_DONTWAIT), -EPROTO);
		vu_rx_fini(&s->rx);
		assert_int_equal(vu_rx_init(&s->rx, MAX_SIZE, MAX_FDS), 0);
	}
}

/* Descriptors for two parts of one message: more than allowed in sum. */
static void
test_descriptors_of_a_message_in_pieces_are_counted_together(void **state)
{
	struct stream *s = *state;
	struct vu_hdr hdr = { .id = 1, .cmd = VU_SET_IRQS };
	struct vu_rx_msg msg;
	int fds[MAX_FDS];
	int rc = 0;
	unsigned int i;

	for (i = 0; i < MAX_FDS; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	for (i = 0; i < 3 && rc >= 0; i++) {
		struct iovec iov = { (uint8_t [64]) { 0 }, 64 };

		assert_int_equal(vu_tx_send(&s->tx, s->peer, &hdr, &iov, 1, fds, MAX_FDS), 0);
		rc = vu_rx_fill(&s->rx, s->sock, MSG_DONTWAIT);
		/* it claims to be longer than it is */
		s->rx.buf[4] = 200;
		if (rc > 0)
			rc = vu_rx_next(&s->rx, &msg);
	}
	assert_int_equal(rc, -EPROTO);
	for (i = 0; i < MAX_FDS; i++)
		close(fds[i]);
}

/* No number is free: the kernel throws descriptors away and says so. */
static void
test_descriptors_that_get_no_number_are_an_error(void **state)
{
	struct stream *s = *state;
	struct rlimit old, low;
	int rc;

	send_msg(s, 1, VU_SET_IRQS, 20, 3);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	/* room for one more */
	low.rlim_cur = (rlim_t)dup(0) + 1;
	close((int)low.rlim_cur - 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	rc = vu_rx_fill(&s->rx, s->sock, MSG_DONTWAIT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(rc, -EMFILE);
}

static void
test_header_that_is_impossible_breaks_the_stream(void **state)
{
	static const struct vu_hdr bad[] = {
		{ .cmd = VU_RESET, .size = 0 },
		{ .cmd = VU_RESET, .size = 15 },
		{ .cmd = VU_RESET, .size = MAX_SIZE + 1 },
		{ .cmd = VU_RESET, .size = UINT32_MAX },
		{ .cmd = VU_RESET, .size = 16, .flags = 2 },
		{ .cmd = VU_RESET, .size = 16, .flags = 15 },
	};
	struct stream *s = *state;
	struct vu_rx_msg msg;
	unsigned int i;

	for (i = 0; i < RTE_DIM(bad); i++) {
		assert_int_equal(send(s->peer, &bad[i], sizeof(bad[i]), 0), sizeof(bad[i]));
		assert_int_equal(next(s, &msg), -EPROTO);
		assert_memory_equal(&msg.hdr, &bad[i], sizeof(bad[i]));
		assert_true(s->rx.cap <= VU_RX_CHUNK);
		vu_rx_fini(&s->rx);
		assert_int_equal(vu_rx_init(&s->rx, MAX_SIZE, MAX_FDS), 0);
	}
}

static void
test_peer_that_left_is_not_connected(void **state)
{
	struct stream *s = *state;
	struct vu_rx_msg msg;

	send_msg(s, 1, VU_RESET, 0, 0);
	shutdown(s->peer, SHUT_WR);
	assert_int_equal(next(s, &msg), 1);
	assert_int_equal(next(s, &msg), -ENOTCONN);
}

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
		send_msg(s, i, VU_REGION_READ, 16, 0);
		assert_int_equal(next(s, &msg), 1);
		assert_msg(&msg, i, VU_REGION_READ, 16, 0);
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
	send_msg(s, 8, VU_SET_IRQS, 20, 2);
	assert_int_equal(next(s, &msg), 1);
	assert_msg(&msg, 8, VU_SET_IRQS, 20, 2);
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
	send_msg(s, 8, VU_SET_IRQS, 20, 2);
	send_msg(s, 9, VU_RESET, 0, 0);
	assert_int_equal(next(s, &msg), 1);
	assert_int_equal(msg.placed, 100);
	assert_int_equal(msg.fds->nb, 0);
	assert_memory_equal(place, bytes + 32, 100);
	assert_int_equal(next(s, &msg), 1);
	assert_msg(&msg, 8, VU_SET_IRQS, 20, 2);
	assert_int_equal(next(s, &msg), 1);
	assert_msg(&msg, 9, VU_RESET, 0, 0);
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
		assert_int_equal(next(s, &msg), -EAGAIN);
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

	send_msg(s, 1, VU_RESET, 0, 0);
	assert_int_equal(vu_rx_fill(&s->rx, s->sock, MSG_DONTWAIT), 16);
	assert_false(vu_rx_expect(&s->rx, 7, VU_REGION_READ, place, sizeof(place)));
	assert_int_equal(next(s, &msg), 1);
	assert_true(vu_rx_expect(&s->rx, 7, VU_REGION_READ, place, sizeof(place)));
	assert_int_equal(vu_rx_unexpect(&s->rx), 0);
}

#define STREAM_TEST(f) cmocka_unit_test_setup_teardown(f, stream_setup, stream_teardown)

static const struct CMUnitTest tests[] = {
	STREAM_TEST(test_message_in_pieces_of_every_length_is_one_message),
	STREAM_TEST(test_message_byte_by_byte_is_one_message),
	STREAM_TEST(test_many_messages_come_in_one_receive),
	STREAM_TEST(test_descriptors_belong_to_the_message_they_came_with),
	STREAM_TEST(test_descriptors_wait_for_the_end_of_a_long_message),
	STREAM_TEST(test_descriptor_that_is_taken_stays_open),
	STREAM_TEST(test_too_many_descriptors_break_the_stream_and_are_closed),
	STREAM_TEST(test_descriptors_of_a_message_in_pieces_are_counted_together),
	STREAM_TEST(test_descriptors_that_get_no_number_are_an_error),
	STREAM_TEST(test_header_that_is_impossible_breaks_the_stream),
	STREAM_TEST(test_peer_that_left_is_not_connected),
	STREAM_TEST(test_longest_message_comes_whole_and_memory_goes_back),
	STREAM_TEST(test_expected_reply_goes_to_its_place),
	STREAM_TEST(test_message_behind_an_expected_reply_is_not_mixed_up),
	STREAM_TEST(test_another_message_than_expected_comes_complete),
	STREAM_TEST(test_giving_up_an_expectation_keeps_the_stream),
	STREAM_TEST(test_nothing_is_expected_while_something_is_there),
};

TEST_SUITE(vu_rx, "unit", tests, NULL, NULL)
