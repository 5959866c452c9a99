/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Device code runs inside a callback and wants something from the client: commands that come
 * before the answer are put aside, to be handled in their order when the callback is over.
 */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vu_loop.h"
#include "vu_session.h"

/* Callbacks that wait inside one another; beyond, only the own client is served. */
#define NEST_MAX 8u

static _Thread_local unsigned int nested;

bool
vu_session_serving(const struct vu_session *s)
{
	if (s->opt.flags & RTE_VFIO_USER_F_POLL)
		return atomic_load(&s->poll_thread) == (unsigned long)pthread_self();
	return vu_loop_inside();
}

void
vu_session_attend(struct vu_session *s)
{
	const uint64_t one = 1;

	if (!(s->opt.flags & RTE_VFIO_USER_F_POLL))
		vu_loop_attend(s);
	else if (!atomic_exchange(&s->attention, true) &&
			write(s->kick_fd, &one, sizeof(one)) < 0)
		return;
}

/* ---- commands that are put aside ---- */

struct vu_deferred *
vu_deferred_pop(struct vu_session *s)
{
	struct vu_deferred *deferred = STAILQ_FIRST(&s->deferred);

	if (deferred == NULL)
		return NULL;
	STAILQ_REMOVE_HEAD(&s->deferred, next);
	s->deferred_bytes -= sizeof(*deferred) + deferred->len;
	return deferred;
}

void
vu_deferred_free(struct vu_deferred *deferred)
{
	vu_fds_close(&deferred->fds);
	free(deferred);
}

static void
session_defer(struct vu_session *s, const struct vu_rx_msg *msg)
{
	struct vu_deferred *deferred;

	deferred = malloc(sizeof(*deferred) + msg->len);
	if (deferred == NULL) {
		vu_session_doom(s, -ENOMEM);
		return;
	}
	deferred->hdr = msg->hdr;
	deferred->len = msg->len;
	deferred->fds = *msg->fds;
	msg->fds->nb = 0;
	if (msg->len > 0)
		memcpy(deferred->payload, msg->payload, msg->len);
	STAILQ_INSERT_TAIL(&s->deferred, deferred, next);
	s->deferred_bytes += sizeof(*deferred) + msg->len;
}

/*
 * The command that is handled, if one is, lies in the receive buffer, and the callback may use its
 * data after the wait: the buffer is kept until then, and another one takes its place.
 */
static int
session_hold(struct vu_session *s)
{
	struct vu_rx *rx = &s->conn.rx;
	uint8_t *buf;

	if (s->held != NULL || s->current == NULL)
		return 0;
	buf = malloc(rx->cap);
	if (buf == NULL)
		return -ENOMEM;
	memcpy(buf + rx->head, rx->buf + rx->head, rx->tail - rx->head);
	s->held = rx->buf;
	rx->buf = buf;
	return 0;
}

static int
session_receive_next(struct vu_session *s)
{
	struct vu_rx_msg msg;
	int rc;

	rc = vu_rx_next(&s->conn.rx, &msg);
	if (rc <= 0) {
		if (rc < 0)
			vu_session_protocol_error(s, &msg.hdr);
		return rc;
	}
	if (!vu_hdr_is_reply(&msg.hdr))
		session_defer(s, &msg);
	else if (vu_dma_msg_reply(s, &msg) < 0)
		vu_session_protocol_error(s, &msg.hdr);
	return 1;
}

static void
session_receive_all(struct vu_session *s)
{
	while (s->doomed == 0 && session_receive_next(s) == 1)
		;
}

static void
session_receive_main(struct vu_session *s)
{
	int rc;

	do {
		session_receive_all(s);
		if (s->doomed != 0 || s->deferred_bytes >= VU_DEFERRED_MAX)
			return;
		rc = vu_session_fill(s);
	} while (rc > 0);
	if (rc != -EAGAIN)
		vu_session_doom(s, rc);
}

void
vu_session_receive(struct vu_session *s)
{
	vu_session_stir(s);
	vu_session_flush(s);
	if (s->doomed != 0)
		return;
	if (session_hold(s) < 0) {
		vu_session_doom(s, -ENOMEM);
		return;
	}
	if (s->twin.sock >= 0)
		vu_session_serve_twin(s);
	if (s->doomed == 0)
		session_receive_main(s);
	if (s->doomed == 0)
		vu_dma_msg_send(s);
	vu_session_watch(s);
}

/* ---- waiting ---- */

static short
conn_poll_events(const struct vu_conn *conn)
{
	return (short)(POLLIN | (vu_conn_want_write(conn) ? POLLOUT : 0));
}

static void
session_poll_wait(struct vu_session *s, int timeout_ms)
{
	struct pollfd pfd[] = {
		{ .fd = s->conn.sock, .events = conn_poll_events(&s->conn) },
		{ .fd = s->twin.sock, .events = conn_poll_events(&s->twin) },
	};

	if (s->deferred_bytes >= VU_DEFERRED_MAX)
		pfd[0].events &= (short)~POLLIN;
	poll(pfd, 2, timeout_ms);
	vu_session_receive(s);
}

void
vu_session_wait(struct vu_session *s, int timeout_ms)
{
	/* so that a turn of the loop knows that a callback may be under way */
	s->depth++;
	nested++;
	if (vu_loop_inside() && nested <= NEST_MAX)
		vu_loop_turn(timeout_ms);
	else
		session_poll_wait(s, timeout_ms);
	nested--;
	s->depth--;
}
