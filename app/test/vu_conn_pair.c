/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "vu_conn.h"

#include "resources.h"
#include "test.h"
#include "vu_conn_pair.h"

int
conn_pair_setup(void **state)
{
	struct conn_pair *pair = calloc(1, sizeof(*pair));
	int sock[2];

	resources_take(&pair->before);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	assert_int_equal(vu_conn_init(&pair->a, sock[0], MAX_SIZE, MAX_FDS), 0);
	assert_int_equal(vu_conn_init(&pair->b, sock[1], MAX_SIZE, MAX_FDS), 0);
	*state = pair;
	return 0;
}

int
conn_pair_teardown(void **state)
{
	struct conn_pair *pair = *state;

	vu_conn_fini(&pair->a);
	vu_conn_fini(&pair->b);
	resources_assert_same(&pair->before);
	resources_drop(&pair->before);
	free(pair);
	return 0;
}

int
conn_pair_send(struct vu_conn *conn, uint16_t id, uint16_t cmd, const void *data, size_t len,
	const int *fds, unsigned int nb_fds)
{
	struct vu_hdr hdr = { .id = id, .cmd = cmd };
	uintptr_t base = (uintptr_t)data;
	struct iovec iov = { .iov_base = (void *)base, .iov_len = len };

	return vu_conn_send(conn, &hdr, &iov, 1, fds, nb_fds);
}

void
conn_pair_receive(struct vu_conn *conn, struct vu_rx_msg *msg)
{
	int rc;

	while ((rc = vu_conn_next(conn, msg)) == 0) {
		rc = vu_conn_fill(conn);
		assert_true(rc > 0);
	}
	assert_int_equal(rc, 1);
}

void
conn_pair_fill_socket(struct conn_pair *pair, uint16_t *id, size_t len)
{
	char *data = calloc(1, len);

	while (!vu_conn_want_write(&pair->a)) {
		int rc = conn_pair_send(&pair->a, (*id)++, VU_REGION_WRITE, data, len, NULL, 0);

		assert_true(rc == 0 || rc == 1);
		assert_int_equal(rc, vu_conn_want_write(&pair->a));
	}
	free(data);
}

void
conn_pair_drain(struct conn_pair *pair, uint16_t end, size_t len)
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

static void *
do_nothing(void *arg)
{
	return arg;
}

int
conn_pair_first_thread(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, do_nothing, NULL), 0);
	return pthread_join(thread, NULL);
}
