/* SPDX-License-Identifier: BSD-3-Clause */

/* Turns of a session: what came is received and handled. */

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_cmd.h"
#include "vu_log.h"
#include "vu_session.h"

static const vu_handler handlers[VU_CMD_NB] = {
	[VU_VERSION] = vu_handle_version,
	[VU_DMA_MAP] = vu_handle_dma_map,
	[VU_DMA_UNMAP] = vu_handle_dma_unmap,
	[VU_GET_INFO] = vu_handle_get_info,
	[VU_GET_REGION_INFO] = vu_handle_get_region_info,
	[VU_GET_REGION_IO_FDS] = vu_handle_get_region_io_fds,
	[VU_GET_IRQ_INFO] = vu_handle_get_irq_info,
	[VU_SET_IRQS] = vu_handle_set_irqs,
	[VU_REGION_READ] = vu_handle_region_read,
	[VU_REGION_WRITE] = vu_handle_region_write,
	[VU_RESET] = vu_handle_reset,
	[VU_REGION_WRITE_MULTI] = vu_handle_region_write_multi,
	[VU_FEATURE] = vu_handle_feature,
	[VU_MIG_DATA_READ] = vu_handle_mig_data_read,
	[VU_MIG_DATA_WRITE] = vu_handle_mig_data_write,
	[VU_DMA_MAP_MULTI] = vu_handle_dma_map_multi,
};

/* ---- commands ---- */

/* The first message is a VERSION, and no other one is. */
static inline int
command_order_check(const struct vu_session *s, const struct vu_rx_msg *msg)
{
	bool version = msg->hdr.cmd == VU_VERSION;

	return likely(version == (s->state == VU_NEGOTIATING)) ? 0 : -EINVAL;
}

static inline int
command_check(const struct vu_session *s, const struct vu_rx_msg *msg)
{
	int rc;

	rc = command_order_check(s, msg);
	if (unlikely(rc < 0))
		return rc;
	if (unlikely(msg->fds->nb > 0) && vu_fds_lost(msg->fds))
		return -EMFILE;
	return vu_request_check(msg->hdr.cmd, VU_TO_SERVER, msg->payload, msg->len, msg->fds->nb);
}

static __rte_noinline void
command_failed(struct vu_session *s, const struct vu_rx_msg *msg, int rc)
{
	if (rc < 0)
		vu_reply_error(s, msg, rc);
	/* who cannot say what version he speaks is no peer */
	if (s->state == VU_NEGOTIATING)
		vu_session_doom(s, rc < 0 ? rc : -EPROTO);
}

/* Handle a command: a reply is sent, or the session is doomed. */
static inline void
session_command(struct vu_session *s, const struct vu_rx_msg *msg)
{
	const struct vu_hdr *outer = s->current;
	int rc;

	s->depth++;
	s->current = &msg->hdr;
	rc = command_check(s, msg);
	if (likely(rc == 0))
		rc = handlers[msg->hdr.cmd](s, msg);
	if (unlikely(rc < 0 || s->state == VU_NEGOTIATING))
		command_failed(s, msg, rc);
	s->current = outer;
	s->depth--;
}

/* ---- messages ---- */

static __rte_noinline void
session_reply_received(struct vu_session *s, const struct vu_rx_msg *msg)
{
	vu_session_stir(s);
	if (vu_dma_msg_reply(s, msg) < 0)
		vu_session_protocol_error(s, &msg->hdr);
}

/*
 * A callback that waits for the client receives more, and that closes what came with the message
 * before: the descriptors of a command are its own until it is done.
 */
static __rte_noinline void
session_command_with_fds(struct vu_session *s, const struct vu_rx_msg *msg)
{
	struct vu_rx_msg own = *msg;
	struct vu_fds fds;

	fds.nb = msg->fds->nb;
	memcpy(fds.fd, msg->fds->fd, fds.nb * sizeof(fds.fd[0]));
	msg->fds->nb = 0;
	own.fds = &fds;
	session_command(s, &own);
	vu_fds_close(&fds);
}

static inline void
session_handle(struct vu_session *s, const struct vu_rx_msg *msg)
{
	if (unlikely(vu_hdr_is_reply(&msg->hdr))) {
		session_reply_received(s, msg);
		return;
	}
	if (unlikely(msg->fds->nb > 0))
		session_command_with_fds(s, msg);
	else
		session_command(s, msg);
	if (unlikely(s->held != NULL)) {
		free(s->held);
		s->held = NULL;
	}
}

/* Commands that were put aside come first. Returns whether there was one. */
static bool
session_handle_deferred(struct vu_session *s)
{
	struct vu_deferred *deferred;
	struct vu_rx_msg msg;

	if (likely(STAILQ_EMPTY(&s->deferred)))
		return false;
	deferred = vu_deferred_pop(s);
	msg = (struct vu_rx_msg) {
		.hdr = deferred->hdr,
		.payload = deferred->payload,
		.len = deferred->len,
		.fds = &deferred->fds,
	};
	session_handle(s, &msg);
	vu_deferred_free(deferred);
	return true;
}

/* More than one reply is likely to go out: send them together. */
static inline void
session_cork(struct vu_session *s)
{
	if (s->conn.rx.tail - s->conn.rx.head >= sizeof(struct vu_hdr))
		vu_conn_cork(&s->conn);
}

/* Handle the next message in the receive buffer. Returns as vu_rx_next(). */
static inline int
session_handle_received(struct vu_session *s)
{
	struct vu_rx_msg msg;
	int rc;

	rc = vu_rx_next(&s->conn.rx, &msg);
	if (unlikely(rc < 0))
		vu_session_protocol_error(s, &msg.hdr);
	if (unlikely(rc <= 0))
		return rc;
	session_cork(s);
	session_handle(s, &msg);
	return 1;
}

/* Handle the next message of those that are here. Returns as vu_rx_next(). */
static __rte_noinline int
session_handle_next(struct vu_session *s)
{
	/* nothing gives a reply that would not find room */
	if (unlikely(vu_conn_blocked(&s->conn)))
		return 0;
	if (session_handle_deferred(s))
		return 1;
	return session_handle_received(s);
}

/* In a burst it is assumed: to ask costs as much as to receive. */
static bool
session_socket_has_more(const struct vu_session *s)
{
	int len;

	return s->rx_burst || ioctl(s->conn.sock, FIONREAD, &len) < 0 || len > 0;
}

/*
 * A receive that leaves room in the buffer has emptied the socket, and what comes later is told by
 * epoll; but descriptors end a receive early, and the end of the stream comes by itself.
 */
static inline bool
session_socket_is_empty(const struct vu_session *s)
{
	const struct vu_rx *rx = &s->conn.rx;

	return rx->tail < rx->cap && rx->late_fds.nb == 0 && !s->rx_hup;
}

static inline int
session_fill(struct vu_session *s)
{
	int rc = vu_conn_fill(&s->conn);

	if (likely(rc <= 0 || session_socket_is_empty(s))) {
		s->rx_burst = s->rx_more = false;
		return rc;
	}
	s->rx_burst = s->conn.rx.late_fds.nb > 0 && session_socket_has_more(s);
	s->rx_more = s->rx_burst || s->rx_hup || s->conn.rx.tail == s->conn.rx.cap;
	return rc;
}

int
vu_session_fill(struct vu_session *s)
{
	return session_fill(s);
}

/*
 * What a receive said. In a burst of messages with descriptors it goes on: what was sent together
 * is answered together. Returns whether that was enough for this turn.
 */
static bool
session_filled(struct vu_session *s, int rc)
{
	if (rc < 0)
		vu_session_doom(s, rc);
	if (s->rx_burst)
		vu_conn_cork(&s->conn);
	return !s->rx_burst;
}

/*
 * Handle what was received, receive once unless that was done, handle what that gave. Returns how
 * many messages were handled in this turn, `nb` of them before.
 */
static unsigned int
session_serve(struct vu_session *s, unsigned int nb, bool filled)
{
	int rc;

	while (s->doomed == 0 && nb + s->work < VU_TURN_MESSAGES) {
		rc = session_handle_next(s);
		if (rc > 0) {
			nb++;
			continue;
		}
		if (rc < 0 || filled || vu_conn_blocked(&s->conn))
			break;
		rc = session_fill(s);
		if (rc == -EAGAIN)
			break;
		filled = session_filled(s, rc);
	}
	return nb;
}

void
vu_session_flush(struct vu_session *s)
{
	int rc = vu_conn_uncork(&s->conn);

	if (unlikely(rc < 0))
		vu_session_doom(s, rc);
	if (unlikely(s->twin.sock >= 0 && vu_conn_want_write(&s->twin))) {
		rc = vu_conn_flush(&s->twin);
		if (rc < 0)
			vu_session_doom(s, rc);
	}
}

/* Who falls into it in a callback calls nobody: so this comes after the callbacks of a turn. */
static void
session_check_memory(struct vu_session *s)
{
	if (likely(!atomic_load_explicit(&s->dma.broken, memory_order_relaxed)) || s->doomed != 0)
		return;
	VU_LOG(ERR, "%s: the client took away memory that the device uses", s->name);
	vu_session_doom(s, -EFAULT);
}

/* What does not wait for a message of the client. */
static void
session_serve_others(struct vu_session *s)
{
	if (vu_conn_want_write(&s->conn))
		vu_session_flush(s);
	if (atomic_load_explicit(&s->jobs.nb_waiting, memory_order_relaxed) > 0)
		vu_dma_msg_send(s);
	if (s->twin_ready || (s->twin.sock >= 0 &&
			atomic_load_explicit(&s->jobs.nb_due, memory_order_relaxed) > 0))
		vu_session_serve_twin(s);
}

/* Is there nothing that session_serve_others() has to do, nor will have unless somebody stirs? */
static bool
session_others_calm(const struct vu_session *s)
{
	if (vu_conn_want_write(&s->conn) || s->twin_ready ||
			atomic_load_explicit(&s->jobs.nb_waiting, memory_order_relaxed) > 0)
		return false;
	return s->twin.sock < 0 || (!vu_conn_want_write(&s->twin) &&
		atomic_load_explicit(&s->jobs.nb_due, memory_order_relaxed) == 0);
}

static bool
session_is_calm(const struct vu_session *s)
{
	return s->state == VU_READY && s->doomed == 0 && vu_rx_idle(&s->conn.rx) &&
		!s->rx_more && !s->rx_hup && STAILQ_EMPTY(&s->deferred) && session_others_calm(s);
}

/* The rest of a turn in which `nb` messages were handled already. Returns how many it were. */
static __rte_noinline unsigned int
session_turn_rest(struct vu_session *s, unsigned int nb, bool filled)
{
	nb = session_serve(s, nb, filled);
	session_check_memory(s);
	vu_session_flush(s);
	if (s->doomed == 0)
		vu_session_watch(s);
	if (s->doomed != 0)
		vu_session_next_client(s);
	s->calm = session_is_calm(s);
	return nb;
}

static __rte_noinline unsigned int
session_turn_any(struct vu_session *s)
{
	if (s->depth > 0) {
		vu_session_receive(s);
		return 0;
	}
	if (s->state == VU_LISTENING && !s->paused)
		vu_session_accept(s);
	if (s->state != VU_NEGOTIATING && s->state != VU_READY)
		return 0;
	s->work = 0;
	s->rx_burst = false;
	session_serve_others(s);
	return session_turn_rest(s, 0, false);
}

/* A turn of a calm session whose receive did not bring just what is usual. */
static __rte_noinline unsigned int
session_turn_filled(struct vu_session *s, int rc)
{
	return rc == -EAGAIN ? 0 : session_turn_rest(s, 0, session_filled(s, rc));
}

/* One message was handled. Is it as if it had not been there? */
static inline bool
session_stays_calm(const struct vu_session *s)
{
	return s->calm && s->conn.rx.head == s->conn.rx.tail &&
		!atomic_load_explicit(&s->dma.broken, memory_order_relaxed);
}

/* As a rule one command is there, and it is answered. */
static inline unsigned int
session_turn_calm(struct vu_session *s)
{
	int rc;

	s->work = 0;
	rc = session_fill(s);
	if (unlikely(rc <= 0 || s->rx_more))
		return session_turn_filled(s, rc);
	rc = session_handle_received(s);
	if (likely(rc > 0 && session_stays_calm(s)))
		return 1;
	return session_turn_rest(s, rc > 0, true);
}

unsigned int
vu_session_turn(struct vu_session *s)
{
	/* in a callback the command that is handled lies in the receive buffer */
	return likely(s->calm && s->depth == 0) ? session_turn_calm(s) : session_turn_any(s);
}

bool
vu_session_has_work(const struct vu_session *s)
{
	const struct vu_rx *rx = &s->conn.rx;
	struct vu_hdr hdr;

	if (s->depth > 0 || s->conn.sock < 0 || vu_conn_blocked(&s->conn))
		return false;
	if (!STAILQ_EMPTY(&s->deferred) || s->rx_more)
		return true;
	if (rx->tail - rx->head < sizeof(hdr))
		return false;
	memcpy(&hdr, rx->buf + rx->head, sizeof(hdr));
	return hdr.size <= rx->tail - rx->head;
}
