/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
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
	STAILQ_INIT(&s->deferred);
	vu_dma_jobs_init(&s->jobs);
	rc = vu_dma_init(&s->dma, s->opt.max_dma_maps);
	if (rc == 0)
		return 0;
	vu_dma_jobs_fini(&s->jobs);
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

void
vu_session_accept(struct vu_session *s)
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
	vu_dma_unmap_all(&s->dma);
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

void
vu_session_next_client(struct vu_session *s)
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

/* The stream cannot be followed any further; tell why before it ends. */
void
vu_session_protocol_error(struct vu_session *s, const struct vu_hdr *hdr)
{
	VU_LOG(ERR, "%s: impossible header: %s, size %u, flags 0x%x", s->name,
		vu_cmd_name(hdr->cmd), hdr->size, hdr->flags);
	vu_conn_reply_error(&s->conn, hdr, -EINVAL);
	vu_session_doom(s, -EPROTO);
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
