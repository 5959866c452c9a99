/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_conn.h"

#include "interpose.h"
#include "test.h"
#include "vu_conn_pair.h"

static void
test_message_arrives_as_it_was_sent(void **state)
{
	struct conn_pair *pair = *state;
	struct vu_rx_msg msg;

	assert_int_equal(conn_pair_send(&pair->a, 7, VU_REGION_READ, "0123456789abcdef", 16, NULL,
		0),
		0);
	conn_pair_receive(&pair->b, &msg);
	assert_int_equal(msg.hdr.id, 7);
	assert_int_equal(msg.hdr.cmd, VU_REGION_READ);
	assert_int_equal(msg.hdr.size, 32);
	assert_int_equal(msg.hdr.flags, VU_F_TYPE_COMMAND);
	assert_int_equal(msg.len, 16);
	assert_memory_equal(msg.payload, "0123456789abcdef", 16);
	assert_int_equal(msg.fds->nb, 0);
	assert_int_equal(vu_conn_next(&pair->b, &msg), 0);
	assert_int_equal(vu_conn_fill(&pair->b), -EAGAIN);
}

static void
test_descriptor_is_close_on_exec_and_closed_when_not_taken(void **state)
{
	struct conn_pair *pair = *state;
	struct vu_rx_msg msg;
	int fd = eventfd(0, EFD_CLOEXEC);
	int got;

	assert_true(fd >= 0);
	assert_int_equal(conn_pair_send(&pair->a, 1, VU_DMA_MAP, "x", 1, &fd, 1), 0);
	conn_pair_receive(&pair->b, &msg);
	assert_int_equal(msg.fds->nb, 1);
	got = msg.fds->fd[0];
	assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
	assert_int_equal(vu_conn_next(&pair->b, &msg), 0);
	assert_int_equal(fcntl(got, F_GETFD), -1);
	close(fd);
}

static void
test_no_reply_is_honoured_except_for_version(void **state)
{
	struct conn_pair *pair = *state;
	struct vu_hdr request = { .id = 3, .cmd = VU_RESET, .flags = VU_F_NO_REPLY };
	struct vu_rx_msg msg;

	assert_int_equal(vu_conn_reply(&pair->a, &request, NULL, 0, NULL, 0), 0);
	assert_int_equal(vu_conn_reply_error(&pair->a, &request, -EINVAL), 0);
	assert_int_equal(vu_conn_fill(&pair->b), -EAGAIN);
	request.cmd = VU_VERSION;
	assert_int_equal(vu_conn_reply_error(&pair->a, &request, -EINVAL), 0);
	conn_pair_receive(&pair->b, &msg);
	assert_int_equal(msg.hdr.id, 3);
	assert_int_equal(msg.hdr.flags, VU_F_TYPE_REPLY | VU_F_ERROR);
	assert_int_equal(msg.hdr.error, EINVAL);
	assert_int_equal(msg.hdr.size, 16);
}

/* ---- a peer that does not read ---- */

static void
test_what_does_not_fit_comes_later_and_in_order(void **state)
{
	static const size_t lens[] = { 0, 4, 100, 2032, 2033, 5000, 65536, 1048576 };
	struct conn_pair *pair = *state;
	unsigned int i, k;

	for (i = 0; i < RTE_DIM(lens); i++) {
		char *data = calloc(1, lens[i]);
		uint16_t id = 0;

		conn_pair_fill_socket(pair, &id, lens[i]);
		for (k = 0; k < 50 && !vu_conn_blocked(&pair->a); k++)
			assert_int_equal(conn_pair_send(&pair->a, id++, VU_REGION_WRITE, data,
				lens[i], NULL, 0), 1);
		conn_pair_drain(pair, id, lens[i]);
		free(data);
	}
}

static void
set_send_buffer(const struct vu_conn *conn, int bytes)
{
	assert_int_equal(setsockopt(conn->sock, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
}

/* The smallest buffer there is: messages of all lengths go out in parts. */
static void
test_message_goes_through_a_small_buffer_in_parts(void **state)
{
	struct conn_pair *pair = *state;
	uint8_t *data = malloc(100000);
	struct vu_rx_msg msg;
	size_t len;
	int rc;

	for (len = 0; len < 100000; len++)
		data[len] = (uint8_t)(len * 31 + len / 255);
	set_send_buffer(&pair->a, 1);
	for (len = 0; len < 100000; len += len / 8 + 1) {
		rc = conn_pair_send(&pair->a, 1, VU_REGION_WRITE, data, len, NULL, 0);
		assert_true(rc == 0 || rc == 1);
		while ((rc = vu_conn_next(&pair->b, &msg)) == 0) {
			assert_true(vu_conn_fill(&pair->b) > 0);
			assert_true(vu_conn_flush(&pair->a) >= 0);
		}
		assert_int_equal(rc, 1);
		assert_int_equal(msg.len, len);
		assert_memory_equal(msg.payload, data, len);
	}
	free(data);
}

/* There are peers that do not survive a header in two pieces. */
static void
test_no_header_is_ever_cut(void **state)
{
	struct conn_pair *pair = *state;
	struct iovec iov;
	struct vu_hdr hdr;
	char *bytes = malloc(65536);
	uint16_t sent = 0, got = 0;
	unsigned int round;
	ssize_t n;

	set_send_buffer(&pair->a, 1);
	iov.iov_base = bytes;
	for (round = 0; round < 100; round++) {
		/* of all lengths, most of them in the queue */
		while (vu_tx_queued(&pair->a.tx) < 20000) {
			hdr = (struct vu_hdr) { .id = sent, .cmd = VU_REGION_WRITE };
			iov.iov_len = sent * 37u % (round % 2 ? 5000u : 64u);
			sent++;
			assert_true(vu_conn_send(&pair->a, &hdr, &iov, 1, NULL, 0) >= 0);
		}
		/* as QEMU reads: just a header, then what it says is behind it */
		while ((n = recv(pair->b.sock, &hdr, sizeof(hdr), MSG_DONTWAIT)) > 0) {
			size_t left = hdr.size - sizeof(hdr);

			assert_int_equal(n, sizeof(hdr));
			assert_int_equal(hdr.id, got++);
			while (left > 0) {
				n = recv(pair->b.sock, bytes, left, MSG_DONTWAIT);
				if (n > 0)
					left -= (size_t)n;
				else
					assert_true(vu_conn_flush(&pair->a) >= 0);
			}
		}
		assert_true(vu_conn_flush(&pair->a) >= 0);
	}
	assert_true(got > 100);
	free(bytes);
}

static void
test_peer_that_does_not_read_is_not_read_from(void **state)
{
	struct conn_pair *pair = *state;
	uint16_t id = 0;
	struct vu_rx_msg msg;
	char data[4096] = { 0 };
	int rc;

	assert_int_equal(conn_pair_send(&pair->b, 1, VU_RESET, NULL, 0, NULL, 0), 0);
	assert_true(vu_conn_fill(&pair->a) > 0);
	conn_pair_fill_socket(pair, &id, sizeof(data));
	while ((rc = conn_pair_send(&pair->a, id, VU_REGION_WRITE, data, sizeof(data), NULL,
		0)) == 1)
		id++;
	/* what is queued is bounded, whatever comes */
	assert_int_equal(rc, -ENOBUFS);
	assert_true(vu_conn_blocked(&pair->a));
	assert_true(vu_tx_queued(&pair->a.tx) <= VU_TX_LIMIT + sizeof(data) + 16);
	assert_null(vu_conn_reply_begin(&pair->a, 16));
	assert_int_equal(vu_conn_next(&pair->a, &msg), 0);
	conn_pair_drain(pair, id, sizeof(data));
	assert_int_equal(vu_conn_next(&pair->a, &msg), 1);
}

static void
test_queued_descriptors_arrive_with_their_message(void **state)
{
	struct conn_pair *pair = *state;
	struct vu_rx_msg msg;
	uint16_t id = 0, first, got;
	uint64_t count;
	int fds[2], rc;
	unsigned int i;

	conn_pair_fill_socket(pair, &id, 4096);
	first = id;
	for (i = 0; i < 60; i++) {
		fds[0] = eventfd(1000 + i, EFD_CLOEXEC | EFD_NONBLOCK);
		fds[1] = eventfd(2000 + i, EFD_CLOEXEC | EFD_NONBLOCK);
		assert_int_equal(conn_pair_send(&pair->a, id++, VU_SET_IRQS, "x", 1, fds, i % 3),
			1);
		/* those in the queue are others, and not for a program that is started meanwhile */
		assert_true(i % 3 == 0 || fcntl(pair->a.tx.fds[pair->a.tx.nb_fds - 1].fd,
			F_GETFD) == FD_CLOEXEC);
		close(fds[0]);
		close(fds[1]);
	}
	for (got = 0; got < id;) {
		assert_true(vu_conn_flush(&pair->a) >= 0);
		assert_true(vu_conn_fill(&pair->b) > 0);
		while ((rc = vu_conn_next(&pair->b, &msg)) == 1) {
			assert_int_equal(msg.hdr.id, got);
			assert_int_equal(msg.fds->nb, got < first ? 0 : (got - first) % 3u);
			for (i = 0; i < msg.fds->nb; i++) {
				assert_int_equal(read(msg.fds->fd[i], &count, 8), 8);
				assert_int_equal(count, 1000u * (i + 1) + (got - first));
			}
			got++;
		}
		assert_int_equal(rc, 0);
	}
}

static void
test_queued_descriptors_are_closed_with_the_connection(void **state)
{
	struct conn_pair *pair = *state;
	uint16_t id = 0;
	int fd = eventfd(0, EFD_CLOEXEC);

	conn_pair_fill_socket(pair, &id, 4096);
	assert_int_equal(conn_pair_send(&pair->a, id, VU_SET_IRQS, "x", 1, &fd, 1), 1);
	close(fd);
	/* the teardown counts */
}

static void
test_message_is_refused_when_no_descriptor_is_free_for_the_queue(void **state)
{
	struct conn_pair *pair = *state;
	struct rlimit old, low;
	uint16_t id = 0;
	int fds[3], rc;
	unsigned int i;

	for (i = 0; i < RTE_DIM(fds); i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	conn_pair_fill_socket(pair, &id, 4096);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)fcntl(0, F_DUPFD_CLOEXEC, 0) + 1;
	close((int)low.rlim_cur - 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	rc = conn_pair_send(&pair->a, id, VU_SET_IRQS, "x", 1, fds, RTE_DIM(fds));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(rc, -EMFILE);
	/* and the stream goes on without it */
	for (i = 0; i < RTE_DIM(fds); i++)
		close(fds[i]);
	assert_int_equal(conn_pair_send(&pair->a, id++, VU_REGION_WRITE, (char [4096]) { 0 }, 4096,
		NULL, 0), 1);
	conn_pair_drain(pair, id, 4096);
}

static void
test_peer_that_left_is_not_connected(void **state)
{
	struct conn_pair *pair = *state;
	struct vu_rx_msg msg;
	uint16_t id = 0;

	conn_pair_fill_socket(pair, &id, 4096);
	close(pair->b.sock);
	pair->b.sock = -1;
	assert_int_equal(vu_conn_flush(&pair->a), -ENOTCONN);
	assert_int_equal(vu_conn_fill(&pair->a), -ENOTCONN);
	assert_int_equal(vu_conn_next(&pair->a, &msg), 0);
	vu_tx_fini(&pair->a.tx);
	assert_int_equal(conn_pair_send(&pair->a, 1, VU_RESET, NULL, 0, NULL, 0), -ENOTCONN);
	assert_int_equal(vu_conn_send_wait(&pair->a, &(struct vu_hdr) { .cmd = VU_RESET }, NULL, 0,
		NULL, 0), -ENOTCONN);
}

/* ---- limits and failures ---- */

static void
test_impossible_messages_are_not_sent(void **state)
{
	struct conn_pair *pair = *state;
	struct vu_hdr hdr = { .cmd = VU_RESET };
	struct iovec iov[VU_TX_IOV_MAX + 1] = { { NULL, 0 } };
	int fds[VU_SCM_MAX_FD + 1] = { 0 };

	assert_int_equal(vu_conn_send(&pair->a, &hdr, iov, RTE_DIM(iov), NULL, 0), -EINVAL);
	assert_int_equal(vu_conn_send(&pair->a, &hdr, NULL, 0, fds, RTE_DIM(fds)), -EINVAL);
	iov[0].iov_len = UINT32_MAX - 15;
	assert_int_equal(vu_conn_send(&pair->a, &hdr, iov, 1, NULL, 0), -EMSGSIZE);
	iov[0].iov_len = SIZE_MAX;
	assert_int_equal(vu_conn_send(&pair->a, &hdr, iov, 1, NULL, 0), -EMSGSIZE);
	assert_int_equal(vu_conn_send(&pair->a, &hdr, NULL, 0, (int [1]) { -1 }, 1), -EBADF);
	assert_int_equal(vu_conn_fill(&pair->b), -EAGAIN);
}

/* Every call of an exchange fails in turn: an error, or all is well, and nothing left behind. */
static void
test_every_failure_is_reported_and_leaves_nothing(void **state)
{
	struct interpose_loop loop;
	char *data = calloc(1, 400000);
	int fd = eventfd(0, EFD_CLOEXEC);

	(void)state;
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY & ~INTERPOSE_ONLY(CLOSE), 0) {
		struct vu_conn a = { .sock = -1 }, b = { .sock = -1 };
		struct vu_rx_msg msg;
		unsigned int got = 0;
		int sock[2] = { -1, -1 };
		bool made_up_for;
		int rc;

		rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0 ? -errno : 0;
		if (rc == 0)
			rc = vu_conn_init(&a, sock[0], MAX_SIZE, MAX_FDS);
		if (rc == 0)
			rc = vu_conn_init(&b, sock[1], MAX_SIZE, MAX_FDS);
		if (rc == 0)
			rc = vu_conn_set_timeout(&a, 1000);
		/* the first is queued in part, the second and its descriptor whole */
		if (rc == 0)
			rc = conn_pair_send(&a, 1, VU_REGION_WRITE, data, 400000, NULL, 0);
		if (rc >= 0)
			rc = conn_pair_send(&a, 2, VU_DMA_MAP, data, 32, &fd, 1);
		while (rc >= 0 && got < 2) {
			rc = vu_conn_fill(&b);
			if (rc > 0)
				rc = vu_conn_flush(&a);
			while (rc >= 0 && vu_conn_next(&b, &msg) == 1)
				got++;
		}
		interpose_disarm();
		/* what is queued may be sent by a later call */
		made_up_for = got == 2 && strcmp(interpose_fired_name(), "sendmsg") == 0;
		assert_int_equal(rc < 0, interpose_fired() && !made_up_for);
		if (a.sock < 0 && sock[0] >= 0)
			close(sock[0]);
		if (b.sock < 0 && sock[1] >= 0)
			close(sock[1]);
		if (a.sock >= 0)
			vu_conn_fini(&a);
		if (b.sock >= 0)
			vu_conn_fini(&b);
	}
	close(fd);
	free(data);
}

/* The usual message costs one call on each side and no allocation. */
static void
test_message_costs_one_call_and_no_allocation(void **state)
{
	struct conn_pair *pair = *state;
	struct vu_rx_msg msg;
	struct vu_hdr request;
	int i;

	interpose_fail(INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0, 0);
	for (i = 0; i < 10; i++) {
		conn_pair_send(&pair->a, 1, VU_REGION_READ, "0123456789abcdef", 16, NULL, 0);
		vu_conn_fill(&pair->b);
		vu_conn_next(&pair->b, &msg);
		request = msg.hdr;
		vu_conn_reply(&pair->b, &request, NULL, 0, NULL, 0);
		vu_conn_fill(&pair->a);
		vu_conn_next(&pair->a, &msg);
	}
	interpose_disarm();
	assert_int_equal(interpose_count_of(INTERPOSE_SENDMSG), 20);
	assert_int_equal(interpose_count_of(INTERPOSE_RECVMSG), 20);
	assert_int_equal(interpose_count(), 40);
}

static const struct CMUnitTest tests[] = {
	VU_CONN_PAIR_TEST(test_message_arrives_as_it_was_sent),
	VU_CONN_PAIR_TEST(test_descriptor_is_close_on_exec_and_closed_when_not_taken),
	VU_CONN_PAIR_TEST(test_no_reply_is_honoured_except_for_version),
	VU_CONN_PAIR_TEST(test_what_does_not_fit_comes_later_and_in_order),
	VU_CONN_PAIR_TEST(test_message_goes_through_a_small_buffer_in_parts),
	VU_CONN_PAIR_TEST(test_no_header_is_ever_cut),
	VU_CONN_PAIR_TEST(test_peer_that_does_not_read_is_not_read_from),
	VU_CONN_PAIR_TEST(test_queued_descriptors_arrive_with_their_message),
	VU_CONN_PAIR_TEST(test_queued_descriptors_are_closed_with_the_connection),
	VU_CONN_PAIR_TEST(test_message_is_refused_when_no_descriptor_is_free_for_the_queue),
	VU_CONN_PAIR_TEST(test_peer_that_left_is_not_connected),
	VU_CONN_PAIR_TEST(test_impossible_messages_are_not_sent),
	cmocka_unit_test(test_every_failure_is_reported_and_leaves_nothing),
	VU_CONN_PAIR_TEST(test_message_costs_one_call_and_no_allocation),
};

TEST_SUITE(vu_conn, "unit", tests, conn_pair_first_thread, NULL)
