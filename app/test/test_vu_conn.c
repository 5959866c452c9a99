/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_conn.h"
#include "vu_pending.h"

#include "interpose.h"
#include "resources.h"
#include "test.h"

#define MAX_SIZE (1048576u + VU_CONN_OVERHEAD)
#define MAX_FDS 8u

/* Two connections, each other's peers. */
struct pair {
	struct resources before;
	struct vu_conn a;
	struct vu_conn b;
};

static int
pair_setup(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	int sock[2];

	resources_take(&pair->before);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	assert_int_equal(vu_conn_init(&pair->a, sock[0], MAX_SIZE, MAX_FDS), 0);
	assert_int_equal(vu_conn_init(&pair->b, sock[1], MAX_SIZE, MAX_FDS), 0);
	*state = pair;
	return 0;
}

static int
pair_teardown(void **state)
{
	struct pair *pair = *state;

	vu_conn_fini(&pair->a);
	vu_conn_fini(&pair->b);
	resources_assert_same(&pair->before);
	resources_drop(&pair->before);
	free(pair);
	return 0;
}

static int
send_command(struct vu_conn *conn, uint16_t id, uint16_t cmd, const void *data, size_t len,
	const int *fds, unsigned int nb_fds)
{
	struct vu_hdr hdr = { .id = id, .cmd = cmd };
	uintptr_t base = (uintptr_t)data;
	struct iovec iov = { .iov_base = (void *)base, .iov_len = len };

	return vu_conn_send(conn, &hdr, &iov, 1, fds, nb_fds);
}

/* Receives until a message is there. */
static void
receive(struct vu_conn *conn, struct vu_rx_msg *msg)
{
	int rc;

	while ((rc = vu_conn_next(conn, msg)) == 0) {
		rc = vu_conn_fill(conn);
		assert_true(rc > 0);
	}
	assert_int_equal(rc, 1);
}

static void
test_message_arrives_as_it_was_sent(void **state)
{
	struct pair *pair = *state;
	struct vu_rx_msg msg;

	assert_int_equal(send_command(&pair->a, 7, VU_REGION_READ, "0123456789abcdef", 16, NULL, 0),
		0);
	receive(&pair->b, &msg);
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
	struct pair *pair = *state;
	struct vu_rx_msg msg;
	int fd = eventfd(0, EFD_CLOEXEC);
	int got;

	assert_true(fd >= 0);
	assert_int_equal(send_command(&pair->a, 1, VU_DMA_MAP, "x", 1, &fd, 1), 0);
	receive(&pair->b, &msg);
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
	struct pair *pair = *state;
	struct vu_hdr request = { .id = 3, .cmd = VU_RESET, .flags = VU_F_NO_REPLY };
	struct vu_rx_msg msg;

	assert_int_equal(vu_conn_reply(&pair->a, &request, NULL, 0, NULL, 0), 0);
	assert_int_equal(vu_conn_reply_error(&pair->a, &request, -EINVAL), 0);
	assert_int_equal(vu_conn_fill(&pair->b), -EAGAIN);
	request.cmd = VU_VERSION;
	assert_int_equal(vu_conn_reply_error(&pair->a, &request, -EINVAL), 0);
	receive(&pair->b, &msg);
	assert_int_equal(msg.hdr.id, 3);
	assert_int_equal(msg.hdr.flags, VU_F_TYPE_REPLY | VU_F_ERROR);
	assert_int_equal(msg.hdr.error, EINVAL);
	assert_int_equal(msg.hdr.size, 16);
}


/* ---- a peer that does not read ---- */

/* Sends messages, numbered from *id on, until one of them does not go out at once. */
static void
fill_socket(struct pair *pair, uint16_t *id, size_t len)
{
	char *data = calloc(1, len);

	while (!vu_conn_want_write(&pair->a)) {
		int rc = send_command(&pair->a, (*id)++, VU_REGION_WRITE, data, len, NULL, 0);

		assert_true(rc == 0 || rc == 1);
		assert_int_equal(rc, vu_conn_want_write(&pair->a));
	}
	free(data);
}

/* Receives and flushes until messages up to `end` have come, in their order. */
static void
drain(struct pair *pair, uint16_t end, size_t len)
{
	struct vu_rx_msg msg;
	uint16_t id = 0;
	int rc;

	while (id < end) {
		rc = vu_conn_fill(&pair->b);
		assert_true(rc > 0 || rc == -EAGAIN);
		while (vu_conn_next(&pair->b, &msg) == 1) {
			assert_int_equal(msg.hdr.id, id);
			assert_int_equal(msg.len, len);
			id++;
		}
		rc = vu_conn_flush(&pair->a);
		assert_true(rc == 0 || rc == 1);
	}
	assert_false(vu_conn_want_write(&pair->a));
}

static void
test_what_does_not_fit_comes_later_and_in_order(void **state)
{
	static const size_t lens[] = { 0, 4, 100, 2032, 2033, 5000, 65536, 1048576 };
	struct pair *pair = *state;
	unsigned int i, k;

	for (i = 0; i < RTE_DIM(lens); i++) {
		char *data = calloc(1, lens[i]);
		uint16_t id = 0;

		fill_socket(pair, &id, lens[i]);
		for (k = 0; k < 50 && !vu_conn_blocked(&pair->a); k++)
			assert_int_equal(send_command(&pair->a, id++, VU_REGION_WRITE, data,
				lens[i], NULL, 0), 1);
		drain(pair, id, lens[i]);
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
	struct pair *pair = *state;
	uint8_t *data = malloc(100000);
	struct vu_rx_msg msg;
	size_t len;
	int rc;

	for (len = 0; len < 100000; len++)
		data[len] = (uint8_t)(len * 31 + len / 255);
	set_send_buffer(&pair->a, 1);
	for (len = 0; len < 100000; len += len / 8 + 1) {
		rc = send_command(&pair->a, 1, VU_REGION_WRITE, data, len, NULL, 0);
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
	struct pair *pair = *state;
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
	struct pair *pair = *state;
	uint16_t id = 0;
	struct vu_rx_msg msg;
	char data[4096] = { 0 };
	int rc;

	assert_int_equal(send_command(&pair->b, 1, VU_RESET, NULL, 0, NULL, 0), 0);
	assert_true(vu_conn_fill(&pair->a) > 0);
	fill_socket(pair, &id, sizeof(data));
	while ((rc = send_command(&pair->a, id, VU_REGION_WRITE, data, sizeof(data), NULL, 0)) == 1)
		id++;
	/* what is queued is bounded, whatever comes */
	assert_int_equal(rc, -ENOBUFS);
	assert_true(vu_conn_blocked(&pair->a));
	assert_true(vu_tx_queued(&pair->a.tx) <= VU_TX_LIMIT + sizeof(data) + 16);
	assert_null(vu_conn_reply_begin(&pair->a, 16));
	assert_int_equal(vu_conn_next(&pair->a, &msg), 0);
	drain(pair, id, sizeof(data));
	assert_int_equal(vu_conn_next(&pair->a, &msg), 1);
}

static void
test_queued_descriptors_arrive_with_their_message(void **state)
{
	struct pair *pair = *state;
	struct vu_rx_msg msg;
	uint16_t id = 0, first, got;
	uint64_t count;
	int fds[2], rc;
	unsigned int i;

	fill_socket(pair, &id, 4096);
	first = id;
	for (i = 0; i < 60; i++) {
		fds[0] = eventfd(1000 + i, EFD_CLOEXEC | EFD_NONBLOCK);
		fds[1] = eventfd(2000 + i, EFD_CLOEXEC | EFD_NONBLOCK);
		assert_int_equal(send_command(&pair->a, id++, VU_SET_IRQS, "x", 1, fds, i % 3), 1);
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
	struct pair *pair = *state;
	uint16_t id = 0;
	int fd = eventfd(0, EFD_CLOEXEC);

	fill_socket(pair, &id, 4096);
	assert_int_equal(send_command(&pair->a, id, VU_SET_IRQS, "x", 1, &fd, 1), 1);
	close(fd);
	/* the teardown counts */
}

static void
test_message_is_refused_when_no_descriptor_is_free_for_the_queue(void **state)
{
	struct pair *pair = *state;
	struct rlimit old, low;
	uint16_t id = 0;
	int fds[3], rc;
	unsigned int i;

	for (i = 0; i < RTE_DIM(fds); i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	fill_socket(pair, &id, 4096);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)fcntl(0, F_DUPFD_CLOEXEC, 0) + 1;
	close((int)low.rlim_cur - 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	rc = send_command(&pair->a, id, VU_SET_IRQS, "x", 1, fds, RTE_DIM(fds));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(rc, -EMFILE);
	/* and the stream goes on without it */
	for (i = 0; i < RTE_DIM(fds); i++)
		close(fds[i]);
	assert_int_equal(send_command(&pair->a, id++, VU_REGION_WRITE, (char [4096]) { 0 }, 4096,
		NULL, 0), 1);
	drain(pair, id, 4096);
}

static void
test_peer_that_left_is_not_connected(void **state)
{
	struct pair *pair = *state;
	struct vu_rx_msg msg;
	uint16_t id = 0;

	fill_socket(pair, &id, 4096);
	close(pair->b.sock);
	pair->b.sock = -1;
	assert_int_equal(vu_conn_flush(&pair->a), -ENOTCONN);
	assert_int_equal(vu_conn_fill(&pair->a), -ENOTCONN);
	assert_int_equal(vu_conn_next(&pair->a, &msg), 0);
	vu_tx_fini(&pair->a.tx);
	assert_int_equal(send_command(&pair->a, 1, VU_RESET, NULL, 0, NULL, 0), -ENOTCONN);
	assert_int_equal(vu_conn_send_wait(&pair->a, &(struct vu_hdr) { .cmd = VU_RESET }, NULL, 0,
		NULL, 0), -ENOTCONN);
}

/* ---- several in one call ---- */

static void
test_corked_messages_go_out_together(void **state)
{
	struct pair *pair = *state;
	struct vu_rx_msg msg;
	uint16_t i;

	vu_conn_cork(&pair->a);
	for (i = 0; i < 50; i++)
		assert_int_equal(send_command(&pair->a, i, VU_REGION_READ, "0123456789abcdef", 16,
			NULL, 0), 0);
	assert_int_equal(vu_conn_fill(&pair->b), -EAGAIN);
	interpose_fail(INTERPOSE_ONLY(SENDMSG) | INTERPOSE_THIS_THREAD, 0, 0);
	assert_int_equal(vu_conn_uncork(&pair->a), 0);
	interpose_disarm();
	assert_int_equal(interpose_count(), 1);
	for (i = 0; i < 50; i++) {
		receive(&pair->b, &msg);
		assert_int_equal(msg.hdr.id, i);
	}
	assert_int_equal(vu_conn_uncork(&pair->a), 0);
}

static void
test_corked_descriptors_stay_with_their_message(void **state)
{
	struct pair *pair = *state;
	int fd = eventfd(0, EFD_CLOEXEC);
	struct vu_rx_msg msg;
	uint16_t i;

	vu_conn_cork(&pair->a);
	for (i = 0; i < 30; i++)
		assert_int_equal(send_command(&pair->a, i, VU_SET_IRQS, "x", 1, &fd, i % 4 == 1),
			0);
	assert_int_equal(vu_conn_uncork(&pair->a), 0);
	for (i = 0; i < 30; i++) {
		receive(&pair->b, &msg);
		assert_int_equal(msg.hdr.id, i);
		assert_int_equal(msg.fds->nb, i % 4 == 1);
	}
	close(fd);
}

static void
test_cork_does_not_keep_more_than_makes_sense(void **state)
{
	struct pair *pair = *state;
	char data[3000] = { 0 };
	struct vu_rx_msg msg;
	uint16_t i;

	vu_conn_cork(&pair->a);
	for (i = 0; i < 40; i++) {
		assert_int_equal(send_command(&pair->a, i, VU_REGION_WRITE, data, sizeof(data),
			NULL, 0), 0);
		assert_true(vu_tx_queued(&pair->a.tx) <= VU_TX_CORK_MAX + sizeof(data));
	}
	assert_int_equal(vu_conn_uncork(&pair->a), 0);
	for (i = 0; i < 40; i++) {
		receive(&pair->b, &msg);
		assert_int_equal(msg.hdr.id, i);
	}
}

/* ---- replies made in place ---- */

static void
test_reply_in_place_is_sent_as_any_other(void **state)
{
	static const size_t lens[] = { 0, 20, 65536, 1048592 };
	struct pair *pair = *state;
	struct vu_hdr request = { .id = 9, .cmd = VU_REGION_READ };
	struct vu_rx_msg msg;
	unsigned int i;
	int rc;

	for (i = 0; i < RTE_DIM(lens); i++) {
		uint8_t *room = vu_conn_reply_begin(&pair->a, lens[i]);

		assert_non_null(room);
		assert_int_equal((uintptr_t)room % 16, 0);
		memset(room, 0x5a, lens[i]);
		rc = vu_conn_reply_end(&pair->a, &request, lens[i]);
		assert_true(rc == 0 || rc == 1);
		while ((rc = vu_conn_next(&pair->b, &msg)) == 0) {
			assert_true(vu_conn_fill(&pair->b) > 0);
			assert_true(vu_conn_flush(&pair->a) >= 0);
		}
		assert_int_equal(msg.hdr.id, 9);
		assert_int_equal(msg.hdr.flags, VU_F_TYPE_REPLY);
		assert_int_equal(msg.len, lens[i]);
		assert_true(lens[i] == 0 || msg.payload[lens[i] - 1] == 0x5a);
	}
	/* memory for the long one goes back when it is not needed for some time */
	for (i = 0; i < 100; i++) {
		assert_int_equal(send_command(&pair->a, 1, VU_RESET, NULL, 0, NULL, 0), 0);
		receive(&pair->b, &msg);
	}
	assert_true(pair->a.tx.cap <= VU_TX_KEEP);
}

static void
test_reply_in_place_that_is_given_up_leaves_no_trace(void **state)
{
	struct pair *pair = *state;
	struct vu_hdr request = { .id = 9, .cmd = VU_REGION_READ };
	struct vu_rx_msg msg;

	assert_non_null(vu_conn_reply_begin(&pair->a, 100));
	assert_int_equal(vu_conn_reply_error(&pair->a, &request, EIO), 0);
	assert_non_null(vu_conn_reply_begin(&pair->a, 100));
	request.flags = VU_F_NO_REPLY;
	assert_int_equal(vu_conn_reply_end(&pair->a, &request, 100), 0);
	receive(&pair->b, &msg);
	assert_int_equal(msg.hdr.error, EIO);
	assert_int_equal(vu_conn_fill(&pair->b), -EAGAIN);
}

/* ---- calls that wait ---- */

static void
test_waiting_ends_with_the_time_limit(void **state)
{
	struct pair *pair = *state;
	uint16_t id = 0;

	assert_int_equal(vu_conn_set_timeout(&pair->a, 10), 0);
	assert_int_equal(vu_conn_fill_wait(&pair->a), -EAGAIN);
	fill_socket(pair, &id, 4096);
	assert_int_equal(vu_conn_send_wait(&pair->a, &(struct vu_hdr) { .cmd = VU_RESET }, NULL, 0,
		NULL, 0), -ETIMEDOUT);
	/* nothing of it was sent: the stream goes on */
	drain(pair, id, 4096);
	assert_int_equal(send_command(&pair->a, 0, VU_REGION_WRITE, "x", 1, NULL, 0), 0);
	drain(pair, 1, 1);
}

static void
test_message_that_was_sent_in_part_breaks_the_stream(void **state)
{
	struct pair *pair = *state;
	char *data = calloc(1, 1048576);
	struct iovec iov = { data, 1048576 };

	assert_int_equal(vu_conn_set_timeout(&pair->a, 10), 0);
	assert_int_equal(vu_conn_send_wait(&pair->a, &(struct vu_hdr) { .cmd = VU_REGION_WRITE },
		&iov, 1, NULL, 0), -ETIMEDOUT);
	assert_int_equal(send_command(&pair->a, 1, VU_RESET, NULL, 0, NULL, 0), -ENOTCONN);
	assert_null(vu_conn_reply_begin(&pair->a, 16));
	free(data);
}

static void *
do_nothing(void *arg)
{
	return arg;
}

/* The first thread of a process leaves memory behind that later ones use. */
static int
first_thread(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, do_nothing, NULL), 0);
	return pthread_join(thread, NULL);
}

static void *
read_all(void *arg)
{
	struct vu_conn *conn = arg;
	struct vu_rx_msg msg;
	uint16_t id;

	for (id = 0; id < 20; id++) {
		while (vu_conn_next(conn, &msg) == 0)
			assert_true(vu_conn_fill_wait(conn) > 0);
		assert_int_equal(msg.hdr.id, id);
		assert_int_equal(msg.len, 300000);
	}
	return NULL;
}

static void
test_sender_waits_for_a_reader(void **state)
{
	struct pair *pair = *state;
	char *data = calloc(1, 300000);
	struct vu_hdr hdr = { .cmd = VU_REGION_WRITE };
	struct iovec iov[3] = { { data, 100000 }, { data, 0 }, { data, 200000 } };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, read_all, &pair->b), 0);
	for (hdr.id = 0; hdr.id < 20; hdr.id++)
		assert_int_equal(vu_conn_send_wait(&pair->a, &hdr, iov, 3, NULL, 0), 0);
	pthread_join(thread, NULL);
	free(data);
}

/* ---- limits and failures ---- */

static void
test_impossible_messages_are_not_sent(void **state)
{
	struct pair *pair = *state;
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

/* Every call of an exchange fails in turn: an error, and nothing left behind. */
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
			rc = send_command(&a, 1, VU_REGION_WRITE, data, 400000, NULL, 0);
		if (rc >= 0)
			rc = send_command(&a, 2, VU_DMA_MAP, data, 32, &fd, 1);
		while (rc >= 0 && got < 2) {
			rc = vu_conn_fill(&b);
			if (rc > 0)
				rc = vu_conn_flush(&a);
			while (rc >= 0 && vu_conn_next(&b, &msg) == 1)
				got++;
		}
		interpose_disarm();
		assert_int_equal(rc < 0, interpose_fired());
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
	struct pair *pair = *state;
	struct vu_rx_msg msg;
	struct vu_hdr request;
	int i;

	interpose_fail(INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0, 0);
	for (i = 0; i < 10; i++) {
		send_command(&pair->a, 1, VU_REGION_READ, "0123456789abcdef", 16, NULL, 0);
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

/* ---- ids ---- */

static void
test_replies_find_their_requests(void **state)
{
	static struct vu_pending pending;
	struct vu_hdr hdr = { .cmd = VU_RESET };
	int who[VU_PENDING_MAX], id[VU_PENDING_MAX];
	unsigned int i;

	(void)state;
	for (i = 0; i < VU_PENDING_MAX; i++) {
		id[i] = vu_pending_add(&pending, VU_RESET, &who[i]);
		assert_true(id[i] >= 0 && id[i] <= UINT16_MAX);
	}
	assert_int_equal(vu_pending_add(&pending, VU_RESET, &who[0]), -EBUSY);
	/* in any order, each once */
	for (i = 0; i < VU_PENDING_MAX; i++) {
		hdr.id = (uint16_t)id[(i * 77) % VU_PENDING_MAX];
		hdr.cmd = VU_DMA_MAP;
		assert_null(vu_pending_take(&pending, &hdr));
		hdr.cmd = VU_RESET;
		assert_ptr_equal(vu_pending_find(&pending, &hdr), &who[(i * 77) % VU_PENDING_MAX]);
		assert_ptr_equal(vu_pending_take(&pending, &hdr), &who[(i * 77) % VU_PENDING_MAX]);
		assert_null(vu_pending_take(&pending, &hdr));
	}
	assert_null(vu_pending_pop(&pending));
}

static void
test_late_reply_is_nobodys(void **state)
{
	static struct vu_pending pending;
	struct vu_hdr hdr = { .cmd = VU_RESET };
	int who, i, id;

	(void)state;
	hdr.id = (uint16_t)vu_pending_add(&pending, VU_RESET, &who);
	assert_true(vu_pending_cancel(&pending, hdr.id));
	assert_false(vu_pending_cancel(&pending, hdr.id));
	/* ids do not come back before all others were used */
	for (i = 0; i < 60000; i++) {
		id = vu_pending_add(&pending, VU_RESET, &who);
		assert_int_not_equal(id, hdr.id);
		assert_null(vu_pending_take(&pending, &hdr));
		assert_true(vu_pending_cancel(&pending, (uint16_t)id));
	}
	id = vu_pending_add(&pending, VU_RESET, &who);
	assert_ptr_equal(vu_pending_pop(&pending), &who);
	assert_null(vu_pending_pop(&pending));
}

#define PAIR_TEST(f) cmocka_unit_test_setup_teardown(f, pair_setup, pair_teardown)

static const struct CMUnitTest tests[] = {
	PAIR_TEST(test_message_arrives_as_it_was_sent),
	PAIR_TEST(test_descriptor_is_close_on_exec_and_closed_when_not_taken),
	PAIR_TEST(test_no_reply_is_honoured_except_for_version),
	PAIR_TEST(test_what_does_not_fit_comes_later_and_in_order),
	PAIR_TEST(test_message_goes_through_a_small_buffer_in_parts),
	PAIR_TEST(test_no_header_is_ever_cut),
	PAIR_TEST(test_peer_that_does_not_read_is_not_read_from),
	PAIR_TEST(test_queued_descriptors_arrive_with_their_message),
	PAIR_TEST(test_queued_descriptors_are_closed_with_the_connection),
	PAIR_TEST(test_message_is_refused_when_no_descriptor_is_free_for_the_queue),
	PAIR_TEST(test_peer_that_left_is_not_connected),
	PAIR_TEST(test_corked_messages_go_out_together),
	PAIR_TEST(test_corked_descriptors_stay_with_their_message),
	PAIR_TEST(test_cork_does_not_keep_more_than_makes_sense),
	PAIR_TEST(test_reply_in_place_is_sent_as_any_other),
	PAIR_TEST(test_reply_in_place_that_is_given_up_leaves_no_trace),
	PAIR_TEST(test_waiting_ends_with_the_time_limit),
	PAIR_TEST(test_message_that_was_sent_in_part_breaks_the_stream),
	PAIR_TEST(test_sender_waits_for_a_reader),
	PAIR_TEST(test_impossible_messages_are_not_sent),
	cmocka_unit_test(test_every_failure_is_reported_and_leaves_nothing),
	PAIR_TEST(test_message_costs_one_call_and_no_allocation),
	cmocka_unit_test(test_replies_find_their_requests),
	cmocka_unit_test(test_late_reply_is_nobodys),
};

TEST_SUITE(vu_conn, "unit", tests, first_thread, NULL)
