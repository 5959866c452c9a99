/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_cmd.h"
#include "vu_dirty.h"
#include "vu_log.h"
#include "vu_loop.h"
#include "vu_session.h"

/* Bytes of commands that are no transfers: VERSION, interrupts of many vectors. */
#define COMMAND_MAX 8192u

int
vu_session_init(struct vu_session *s)
{
	int rc;

	s->state = VU_CREATED;
	s->mig_state = VFIO_DEVICE_STATE_RUNNING;
	s->epfd = s->kick_fd = s->listener.fd = s->conn.sock = s->twin.sock = -1;
	pthread_mutex_init(&s->flat_lock, NULL);
	STAILQ_INIT(&s->deferred);
	vu_dma_jobs_init(&s->jobs);
	rc = vu_dma_init(&s->dma, s->opt.max_dma_maps);
	if (rc == 0)
		return 0;
	vu_dma_jobs_fini(&s->jobs);
	pthread_mutex_destroy(&s->flat_lock);
	return rc;
}

void
vu_session_fini(struct vu_session *s)
{
	vu_dma_fini(&s->dma);
	vu_irqs_fini(&s->irqs);
	vu_device_fini(&s->dev);
	vu_tx_fini(&s->spare);
	vu_dma_jobs_fini(&s->jobs);
	pthread_mutex_destroy(&s->flat_lock);
	free(atomic_load(&s->io_fds));
}

/* ---- what epoll watches ---- */

static int
watch_ctl(struct vu_session *s, int op, int fd, enum vu_watch watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u64 = vu_watch_data(s, watch) };

	return epoll_ctl(s->epfd, op, fd, &event) == 0 ? 0 : -errno;
}

static void
watch_set(struct vu_session *s, struct vu_conn *conn, enum vu_watch watch, uint32_t *now,
	uint32_t events)
{
	int rc;

	if (likely(*now == events) || conn->sock < 0)
		return;
	rc = watch_ctl(s, EPOLL_CTL_MOD, conn->sock, watch, events);
	if (rc == 0)
		*now = events;
	else
		/* what it waits for would never be noticed */
		vu_session_doom(s, rc);
}

/*
 * The control thread is told of what comes once, which saves the kernel a look for each message.
 * Who sleeps on the descriptor of a session in poll mode is to see what there is.
 */
static uint32_t
watch_edge(const struct vu_session *s)
{
	return s->opt.flags & RTE_VFIO_USER_F_POLL ? 0 : (uint32_t)EPOLLET | EPOLLRDHUP;
}

/* A client that does not take its replies is not read from. */
void
vu_session_watch(struct vu_session *s)
{
	uint32_t events = watch_edge(s);

	if (!vu_conn_blocked(&s->conn) && s->deferred_bytes < VU_DEFERRED_MAX)
		events |= EPOLLIN;
	if (vu_conn_want_write(&s->conn))
		events |= EPOLLOUT;
	watch_set(s, &s->conn, VU_WATCH_CONN, &s->conn_events, events);
	if (s->twin.sock < 0)
		return;
	events = EPOLLIN | (vu_conn_want_write(&s->twin) ? (uint32_t)EPOLLOUT : 0);
	watch_set(s, &s->twin, VU_WATCH_TWIN, &s->twin_events, events);
}

/* ---- callbacks ---- */

int
vu_session_lock(struct vu_session *s, int lock)
{
	int rc;

	if (s->ops.lock_dp == NULL)
		return 0;
	rc = s->ops.lock_dp(s->id, lock);
	return lock != 0 && rc < 0 ? rc : 0;
}

void
vu_session_updated(struct vu_session *s)
{
	if (s->ops.update_status != NULL)
		s->ops.update_status(s->id);
}

/* ---- a client comes and goes ---- */

static uint32_t
session_max_size(const struct vu_session *s)
{
	return RTE_MAX(s->opt.max_data_xfer_size, COMMAND_MAX) + VU_CONN_OVERHEAD;
}

/* From the moment on that epoll knows the socket the thread that serves may be at work. */
static int
session_connect(struct vu_session *s, int sock)
{
	enum vu_state old = s->state;
	int rc;

	rc = vu_conn_init(&s->conn, sock, session_max_size(s), s->opt.max_msg_fds);
	if (rc < 0)
		return rc;
	s->conn_events = EPOLLIN | watch_edge(s);
	s->rx_more = s->rx_hup = false;
	s->state = VU_NEGOTIATING;
	rc = watch_ctl(s, EPOLL_CTL_ADD, sock, VU_WATCH_CONN, s->conn_events);
	if (rc == 0)
		return 0;
	s->state = old;
	s->conn.sock = -1;
	vu_conn_fini(&s->conn);
	return rc;
}

/* From the moment on that epoll knows the socket the thread that serves may be at work. */
static int
session_listen_watch(struct vu_session *s)
{
	const bool watched = s->listen_watched;
	int rc;

	s->listen_watched = true;
	rc = watch_ctl(s, watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s->listener.fd,
		VU_WATCH_LISTEN, EPOLLIN);
	if (rc < 0)
		s->listen_watched = watched;
	return rc;
}

static void
session_listen_unwatch(struct vu_session *s)
{
	if (!s->listen_watched)
		return;
	if (watch_ctl(s, EPOLL_CTL_DEL, s->listener.fd, VU_WATCH_LISTEN, 0) == 0)
		s->listen_watched = false;
}

void
vu_session_heard(struct vu_session *s)
{
	if (s->state != VU_LISTENING || s->paused)
		session_listen_unwatch(s);
}

/* No descriptor is free, or no memory: leave the client in the queue for a moment. */
static void
session_pause(struct vu_session *s, int rc)
{
	if (!s->starved)
		VU_LOG(ERR, "%s: cannot accept: %s; trying again", s->name, strerror(-rc));
	s->starved = true;
	if (s->opt.flags & RTE_VFIO_USER_F_POLL || s->paused)
		return;
	session_listen_unwatch(s);
	s->paused = true;
	vu_loop_pause(s);
}

void
vu_session_resume(struct vu_session *s)
{
	s->paused = false;
	if (s->state == VU_LISTENING && session_listen_watch(s) < 0)
		session_pause(s, -ENOMEM);
}

static void
session_accept(struct vu_session *s)
{
	int sock, rc;

	sock = vu_socket_accept(s->listener.fd);
	if (sock == -EAGAIN)
		return;
	if (sock < 0) {
		session_pause(s, sock);
		return;
	}
	rc = session_connect(s, sock);
	if (rc < 0) {
		VU_LOG(ERR, "%s: cannot serve a client: %s", s->name, strerror(-rc));
		close(sock);
		return;
	}
	s->starved = false;
	/* the next client waits in the queue of the socket */
	session_listen_unwatch(s);
	VU_LOG(DEBUG, "%s: client connected", s->name);
}

/* What the client gave goes with it; the state of the device stays. */
static void
session_forget_client(struct vu_session *s)
{
	vu_session_lock(s, 1);
	pthread_mutex_lock(&s->flat_lock);
	vu_dma_unmap_all(&s->dma);
	pthread_mutex_unlock(&s->flat_lock);
	vu_dma_dirty_track(&s->dma, 0);
	atomic_store(&s->dma.broken, false);
	vu_irqs_clear(&s->irqs);
	vu_session_lock(s, 0);
}

/* These are callbacks as any other: the session neither ends in them nor takes the next client. */
static void
session_say_goodbye(struct vu_session *s)
{
	if (!s->announced)
		return;
	s->depth++;
	if (s->ops.destroy_device != NULL)
		s->ops.destroy_device(s->id);
	session_forget_client(s);
	s->depth--;
	s->announced = false;
}

/*
 * If a child of the process has the socket too, epoll goes on with it after it was closed, and the
 * client waits.
 */
static void
session_hang_up(struct vu_session *s, struct vu_conn *conn)
{
	if (conn->sock >= 0) {
		watch_ctl(s, EPOLL_CTL_DEL, conn->sock, VU_WATCH_CONN, 0);
		shutdown(conn->sock, SHUT_RDWR);
	}
	vu_conn_fini(conn);
}

static void
session_disconnect(struct vu_session *s)
{
	struct vu_deferred *deferred;

	atomic_store(&s->ready, false);
	vu_session_stir(s);
	s->serial = vu_session_serial();
	s->state = s->listener.fd >= 0 ? VU_LISTENING : VU_ENDED;
	vu_dma_msg_abort(s);
	session_say_goodbye(s);
	while ((deferred = vu_deferred_pop(s)) != NULL)
		vu_deferred_free(deferred);
	free(s->held);
	s->held = NULL;
	session_hang_up(s, &s->conn);
	session_hang_up(s, &s->twin);
	s->twin_ready = false;
	s->doomed = 0;
}

static void
session_next_client(struct vu_session *s)
{
	session_disconnect(s);
	if (s->state == VU_LISTENING && session_listen_watch(s) < 0)
		session_pause(s, -ENOMEM);
}

/* Errors of a peer are worth a line; that it leaves is not. */
void
vu_session_doom(struct vu_session *s, int rc)
{
	if (s->doomed != 0)
		return;
	s->doomed = rc;
	vu_session_stir(s);
	if (rc == -ENOTCONN)
		VU_LOG(DEBUG, "%s: client disconnected", s->name);
	else
		VU_LOG(ERR, "%s: connection closed: %s", s->name, strerror(-rc));
}

int
vu_session_begin(struct vu_session *s)
{
	int rc;

	if (s->listener.fd < 0)
		return session_connect(s, s->opt.sock_fd);
	s->state = VU_LISTENING;
	rc = session_listen_watch(s);
	if (rc < 0)
		s->state = VU_CREATED;
	return rc;
}

void
vu_session_end(struct vu_session *s)
{
	if (s->state == VU_NEGOTIATING || s->state == VU_READY)
		session_disconnect(s);
	else
		session_listen_unwatch(s);
	s->state = VU_ENDED;
	vu_socket_close(&s->listener, s->name);
}

/* ---- messages ---- */

/* The stream cannot be followed any further; tell why before it ends. */
void
vu_session_protocol_error(struct vu_session *s, const struct vu_hdr *hdr)
{
	VU_LOG(ERR, "%s: impossible header: %s, size %u, flags 0x%x", s->name,
		vu_cmd_name(hdr->cmd), hdr->size, hdr->flags);
	vu_conn_reply_error(&s->conn, hdr, -EINVAL);
	vu_session_doom(s, -EPROTO);
}

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
session_dispatch_with_fds(struct vu_session *s, const struct vu_rx_msg *msg)
{
	struct vu_rx_msg own = *msg;
	struct vu_fds fds;

	fds.nb = msg->fds->nb;
	memcpy(fds.fd, msg->fds->fd, fds.nb * sizeof(fds.fd[0]));
	msg->fds->nb = 0;
	own.fds = &fds;
	vu_dispatch(s, &own);
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
		session_dispatch_with_fds(s, msg);
	else
		vu_dispatch(s, msg);
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
static int
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
static inline int
session_fill(struct vu_session *s)
{
	const struct vu_rx *rx = &s->conn.rx;
	int rc = vu_conn_fill(&s->conn);

	if (unlikely(rx->late_fds.nb > 0))
		s->rx_burst = rc > 0 && session_socket_has_more(s);
	else
		s->rx_burst = false;
	s->rx_more = rc > 0 && unlikely(rx->tail == rx->cap || s->rx_burst || s->rx_hup);
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
		session_next_client(s);
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
		session_accept(s);
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
