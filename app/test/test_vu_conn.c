/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_conn.h"

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

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_message_arrives_as_it_was_sent, pair_setup,
		pair_teardown),
	cmocka_unit_test_setup_teardown(test_descriptor_is_close_on_exec_and_closed_when_not_taken,
		pair_setup, pair_teardown),
	cmocka_unit_test_setup_teardown(test_no_reply_is_honoured_except_for_version, pair_setup,
		pair_teardown),
};

TEST_SUITE(vu_conn, "unit", tests, NULL, NULL)
