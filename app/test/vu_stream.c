/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_rx.h"
#include "vu_tx.h"

#include "resources.h"
#include "test.h"
#include "vu_stream.h"

int
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

int
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

void
stream_send(struct stream *s, uint16_t id, uint16_t cmd, size_t len, unsigned int nb_fds)
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

void
stream_assert_msg(const struct vu_rx_msg *msg, uint16_t id, uint16_t cmd, size_t len,
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

int
stream_next(struct stream *s, struct vu_rx_msg *msg)
{
	int rc;

	while ((rc = vu_rx_next(&s->rx, msg)) == 0) {
		rc = vu_rx_fill(&s->rx, s->sock, MSG_DONTWAIT);
		if (rc < 0)
			return rc;
	}
	return rc;
}
