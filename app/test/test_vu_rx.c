/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_rx.h"
#include "vu_tx.h"

#include "test.h"
#include "vu_stream.h"

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
		assert_int_equal(stream_next(s, &msg), -EAGAIN);
		assert_int_equal(send(s->peer, bytes + cut, sizeof(bytes) - cut, 0),
			sizeof(bytes) - cut);
		assert_int_equal(stream_next(s, &msg), 1);
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
		assert_int_equal(stream_next(s, &msg), -EAGAIN);
		assert_int_equal(send(s->peer, bytes + i, 1, 0), 1);
	}
	assert_int_equal(stream_next(s, &msg), 1);
	assert_int_equal(msg.len, 8);
}

static void
test_many_messages_come_in_one_receive(void **state)
{
	struct stream *s = *state;
	struct vu_rx_msg msg;
	uint16_t i;

	for (i = 0; i < 100; i++)
		stream_send(s, i, VU_REGION_WRITE, i, 0);
	assert_true(vu_rx_fill(&s->rx, s->sock, MSG_DONTWAIT) > 0);
	for (i = 0; i < 100; i++) {
		assert_int_equal(vu_rx_next(&s->rx, &msg), 1);
		stream_assert_msg(&msg, i, VU_REGION_WRITE, i, 0);
	}
	assert_int_equal(stream_next(s, &msg), -EAGAIN);
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
			stream_send(s, (uint16_t)(1 + at + i), mix[(at + i) % RTE_DIM(mix)].cmd,
				mix[(at + i) % RTE_DIM(mix)].len,
				mix[(at + i) % RTE_DIM(mix)].nb_fds);
		for (i = 0; i < step; i++, at++) {
			assert_int_equal(stream_next(s, &msg), 1);
			stream_assert_msg(&msg, (uint16_t)(1 + at), mix[at % RTE_DIM(mix)].cmd,
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

	stream_send(s, 1, VU_RESET, 0, 0);
	/* the first 40 bytes with the descriptor; the socket cuts where it likes */
	iov.iov_len = 24;
	assert_int_equal(vu_tx_send(&s->tx, s->peer, &hdr, &iov, 1, &fd, 1), 0);
	close(fd);
	assert_int_equal(vu_rx_fill(&s->rx, s->sock, MSG_DONTWAIT), 56);
	/* what was sent says 40 bytes; it is to be 48 */
	s->rx.buf[16 + 4] = 48;
	assert_int_equal(vu_rx_next(&s->rx, &msg), 1);
	stream_assert_msg(&msg, 1, VU_RESET, 0, 0);
	assert_int_equal(stream_next(s, &msg), -EAGAIN);
	assert_int_equal(send(s->peer, rest, sizeof(rest), 0), sizeof(rest));
	stream_send(s, 2, VU_SET_IRQS, 20, 2);
	assert_int_equal(stream_next(s, &msg), 1);
	assert_int_equal(msg.hdr.id, 9);
	assert_int_equal(msg.fds->nb, 1);
	assert_int_equal(stream_next(s, &msg), 1);
	stream_assert_msg(&msg, 2, VU_SET_IRQS, 20, 2);
}

static void
test_descriptor_that_is_taken_stays_open(void **state)
{
	struct stream *s = *state;
	struct vu_rx_msg msg;
	struct stat st;
	int fd, other;

	stream_send(s, 3, VU_SET_IRQS, 20, 2);
	assert_int_equal(stream_next(s, &msg), 1);
	fd = vu_fds_take(msg.fds, 0);
	other = msg.fds->fd[1];
	assert_int_equal(vu_fds_take(msg.fds, 0), -1);
	assert_int_equal(vu_fds_take(msg.fds, 2), -1);
	assert_int_equal(stream_next(s, &msg), -EAGAIN);
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
		stream_send(s, 1, VU_SET_IRQS, 20, nb[i]);
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

/* No number is free: the kernel throws descriptors away. The next message has its own. */
static void
test_descriptors_that_get_no_number_are_lost(void **state)
{
	struct stream *s = *state;
	struct rlimit old, low;
	struct vu_rx_msg msg;
	int rc;

	stream_send(s, 1, VU_SET_IRQS, 20, 3);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	/* room for one more */
	low.rlim_cur = (rlim_t)dup(0) + 1;
	close((int)low.rlim_cur - 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	rc = vu_rx_fill(&s->rx, s->sock, MSG_DONTWAIT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(rc > 0);
	assert_int_equal(vu_rx_next(&s->rx, &msg), 1);
	assert_true(vu_fds_lost(msg.fds));
	assert_int_equal(vu_rx_next(&s->rx, &msg), 0);
	stream_send(s, 2, VU_SET_IRQS, 20, 3);
	assert_true(vu_rx_fill(&s->rx, s->sock, MSG_DONTWAIT) > 0);
	assert_int_equal(vu_rx_next(&s->rx, &msg), 1);
	assert_int_equal(msg.fds->nb, 3);
	assert_false(vu_fds_lost(msg.fds));
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
		assert_int_equal(stream_next(s, &msg), -EPROTO);
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

	stream_send(s, 1, VU_RESET, 0, 0);
	shutdown(s->peer, SHUT_WR);
	assert_int_equal(stream_next(s, &msg), 1);
	assert_int_equal(stream_next(s, &msg), -ENOTCONN);
}

static const struct CMUnitTest tests[] = {
	VU_STREAM_TEST(test_message_in_pieces_of_every_length_is_one_message),
	VU_STREAM_TEST(test_message_byte_by_byte_is_one_message),
	VU_STREAM_TEST(test_many_messages_come_in_one_receive),
	VU_STREAM_TEST(test_descriptors_belong_to_the_message_they_came_with),
	VU_STREAM_TEST(test_descriptors_wait_for_the_end_of_a_long_message),
	VU_STREAM_TEST(test_descriptor_that_is_taken_stays_open),
	VU_STREAM_TEST(test_too_many_descriptors_break_the_stream_and_are_closed),
	VU_STREAM_TEST(test_descriptors_of_a_message_in_pieces_are_counted_together),
	VU_STREAM_TEST(test_descriptors_that_get_no_number_are_lost),
	VU_STREAM_TEST(test_header_that_is_impossible_breaks_the_stream),
	VU_STREAM_TEST(test_peer_that_left_is_not_connected),
};

TEST_SUITE(vu_rx, "unit", tests, NULL, NULL)
