/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_SESSION_H
#define VU_SESSION_H

/**
 * @file
 * A session: one device, one socket, one client at a time. One thread serves it, the control
 * thread or the one that polls; what other threads may touch says so.
 *
 *	created --start--> listening --accept--> negotiating --VERSION--> ready
 *	                       ^                      |                     |
 *	                       +----------------------+---- client gone ----+
 *
 * A session that was started on a connected socket ends where others go back to listening.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <rte_branch_prediction.h>

#include "rte_vfio_user.h"
#include "vu_codec.h"
#include "vu_conn.h"
#include "vu_device.h"
#include "vu_dma.h"
#include "vu_dma_msg.h"
#include "vu_irq.h"
#include "vu_pending.h"
#include "vu_socket.h"

/** Most bytes of commands that are put aside while a device waits for its client. */
#define VU_DEFERRED_MAX (4u << 20)

/** Messages of a session that are handled before it is another one's turn. */
#define VU_TURN_MESSAGES 128u

/** So much memory to be filled or read makes a message count for one more. */
#define VU_TURN_BYTES 8192u

enum vu_state {
	VU_CREATED,
	VU_LISTENING,
	VU_NEGOTIATING,	/**< connected, no VERSION yet */
	VU_READY,
	VU_ENDED,	/**< there will be no further client */
};

/** What an event of epoll is about. */
enum vu_watch {
	VU_WATCH_LISTEN,
	VU_WATCH_CONN,
	VU_WATCH_TWIN,
	VU_WATCH_KICK,
};

/** Region I/O descriptors; replaced as a whole, read in a section. */
struct vu_io_fd_list {
	uint32_t nb;
	struct rte_vfio_user_io_fd entry[];
};

/** A command that came while the device waited for the client. */
struct vu_deferred {
	STAILQ_ENTRY(vu_deferred) next;
	struct vu_hdr hdr;
	size_t len;
	struct vu_fds fds;
	uint8_t payload[];
};

struct vu_session {
	char name[VU_SOCKET_PATH_MAX + 1];	/**< path of the socket */
	int id;
	struct rte_vfio_user_notify_ops ops;
	struct rte_vfio_user_pci *pci;	/**< that is served, and lives longer; NULL: none */

	/* for all threads */
	atomic_uint users;	/**< threads inside a function that may take its time */
	atomic_bool closing;	/**< unregister is under way */
	atomic_bool ready;	/**< state is VU_READY: for threads that do not serve */
	atomic_bool attention;	/**< it is on the control thread's list, or poll is to look */
	struct vu_irqs irqs;
	struct vu_dma dma;
	_Atomic(struct vu_io_fd_list *) io_fds;
	struct vu_dma_jobs jobs;	/**< DMA by messages */

	/* of the thread that serves, and of start and unregister while nobody serves */
	bool started;
	int epfd;	/**< what watches the sockets: the loop's, or its own in poll mode */
	int kick_fd;	/**< wakes who waits for a session in poll mode; -1 */
	atomic_ulong poll_thread;	/**< that polled last; 0: none yet */
	unsigned int idle_polls;	/**< polls that found nothing */
	struct vu_listener listener;
	bool listen_watched;	/**< epoll knows the listener */
	bool paused;	/**< not accepting until descriptors are there again */
	bool starved;	/**< the last client could not be accepted, and the log says so */
	bool announced;	/**< new_device() was called and agreed */
	struct vu_tx spare;	/**< where a long reply grows */
	TAILQ_ENTRY(vu_session) attending;
	TAILQ_ENTRY(vu_session) waiting;	/**< paused ones */

	TAILQ_ENTRY(vu_session) backlog;

	/* the same; what each message needs stands together */
	struct vu_device dev;
	struct rte_vfio_user_options opt;	/**< with the defaults filled in */
	uint32_t serial;	/**< of the connection: events of an earlier one are stale */
	enum vu_state state;
	unsigned int depth;	/**< of callbacks under way */
	unsigned int work;	/**< what long ones of this turn count beyond their number */
	const struct vu_hdr *current;	/**< command that is handled; NULL: none */
	uint8_t *held;	/**< receive buffer of that command; it waits for the client */
	/**
	 * The next turn has nothing to do but to receive and to handle what came: nothing is left
	 * over of the one before, and nothing else is under way. See vu_session_stir().
	 */
	bool calm;
	bool queued;	/**< on the loop's list of those with work left */
	bool rx_more;	/**< something may be in the socket that epoll does not tell again */
	bool rx_burst;	/**< there is more behind descriptors that came */
	bool rx_hup;	/**< epoll told that the client is leaving: read on to the end */
	bool twin_ready;	/**< epoll says that something came on it */
	int doomed;	/**< the connection is to end, for this reason; 0: no */
	uint32_t conn_events;	/**< that epoll watches on conn */
	uint32_t twin_events;
	STAILQ_HEAD(, vu_deferred) deferred;
	size_t deferred_bytes;
	struct vu_conn conn;
	struct vu_conn twin;	/**< sock -1: not in use */

	/* of the client */
	struct vu_caps peer;	/**< what it said about itself */
	uint32_t mig_state;	/**< enum vfio_device_mig_state; stays when the client goes */
};

/* ---- vu_session.c ---- */

/** @return 0, -ENOMEM, or an errno of vu_sigbus_watch() */
int vu_session_init(struct vu_session *s);
void vu_session_fini(struct vu_session *s);

/** Begin to be watched by s->epfd; the socket is there. @return 0, -errno */
int vu_session_begin(struct vu_session *s);

/** Disconnect the client, stop to listen. In the thread that serves, or when none does. */
void vu_session_end(struct vu_session *s);

/** Take the next client, unless none is there. */
void vu_session_accept(struct vu_session *s);

/** The connection has ended: listen for the next client. */
void vu_session_next_client(struct vu_session *s);

/**
 * The next turn is to look at everything; in the thread that serves. Who adds something that a turn
 * has to do, besides to handle what comes from the client, calls this.
 */
static inline void
vu_session_stir(struct vu_session *s)
{
	s->calm = false;
}

/** The connection is to end as soon as nothing is under way on it. */
void vu_session_doom(struct vu_session *s, int rc);

/** The stream cannot be followed any further; the client is told why before it ends. */
void vu_session_protocol_error(struct vu_session *s, const struct vu_hdr *hdr);

/** Have epoll watch what there is to wait for. */
void vu_session_watch(struct vu_session *s);

/** Epoll tells of a client that wants to connect; it should not while there is another one. */
void vu_session_heard(struct vu_session *s);

/** Accept clients again. */
void vu_session_resume(struct vu_session *s);

/** Call lock_dp(). @return its answer when locking, else 0 */
int vu_session_lock(struct vu_session *s, int lock);

/** Tell that DMA table or interrupts have changed. */
void vu_session_updated(struct vu_session *s);

static inline bool
vu_hdr_is_reply(const struct vu_hdr *hdr)
{
	return (hdr->flags & VU_F_TYPE_MASK) == VU_F_TYPE_REPLY;
}

/* ---- vu_serve.c ---- */

/**
 * Do what there is to do, but no more than is fair. Never waits.
 *
 * @return number of messages handled
 */
unsigned int vu_session_turn(struct vu_session *s);

/** Is there something to do that epoll does not know of? */
bool vu_session_has_work(const struct vu_session *s);

/** A message takes as long as so many short ones: there will be fewer in this turn. */
static inline void
vu_session_work(struct vu_session *s, uint64_t messages)
{
	s->work += messages < VU_TURN_MESSAGES ? (unsigned int)messages : VU_TURN_MESSAGES;
}

/** Receive once. @return as vu_conn_fill() */
int vu_session_fill(struct vu_session *s);

/** Send what is queued. */
void vu_session_flush(struct vu_session *s);

/* ---- vu_wait.c ---- */

/** Receive for a device that waits for the client: replies are handled, commands put aside. */
void vu_session_receive(struct vu_session *s);

/**
 * Wait for something to come from the client, in the thread that serves it. Meanwhile the control
 * thread serves other sessions.
 */
void vu_session_wait(struct vu_session *s, int timeout_ms);

/** Is the calling thread the one that serves this session? */
bool vu_session_serving(const struct vu_session *s);

/** Have the thread that serves the session look at it. Any thread. */
void vu_session_attend(struct vu_session *s);

/** @return the oldest command that was put aside, for vu_deferred_free(); NULL: none */
struct vu_deferred *vu_deferred_pop(struct vu_session *s);
void vu_deferred_free(struct vu_deferred *deferred);

/* ---- vu_dma_msg.c ---- */

/** Handle replies that came on the twin socket. */
void vu_session_serve_twin(struct vu_session *s);

/* ---- vu_reply.c ---- */

/** Answer the command that is handled with an error. */
void vu_reply_error(struct vu_session *s, const struct vu_rx_msg *msg, int rc);

/** A reply is queued, which the session is to notice, or failed. @return 0 */
int vu_reply_not_sent(struct vu_session *s, int rc);

/** What vu_conn_reply() said. @return 0: a failure dooms the session */
static inline int
vu_reply_sent(struct vu_session *s, int rc)
{
	return likely(rc == 0) ? 0 : vu_reply_not_sent(s, rc);
}

/** Send a short reply that stands in one piece: as vu_conn_reply_whole(). @return as vu_reply() */
static inline int
vu_reply_whole(struct vu_session *s, const struct vu_rx_msg *msg, struct vu_hdr *reply,
	size_t size)
{
	return vu_reply_sent(s, vu_conn_reply_whole(&s->conn, &msg->hdr, reply, size));
}

/** Send a reply to the command that is handled. @return 0: a failure dooms the session */
int vu_reply(struct vu_session *s, const struct vu_rx_msg *msg, const struct iovec *payload,
	unsigned int nb, const int *fds, unsigned int nb_fds);

/** The same with one piece of payload and no descriptor. */
int vu_reply_data(struct vu_session *s, const struct vu_rx_msg *msg, const void *data, size_t len);

/**
 * Room for a long reply. While it is filled the device may talk to the client.
 *
 * @return NULL: no memory
 */
void *vu_reply_begin(struct vu_session *s, size_t len);

/** Send what was filled in, @p len bytes. @return as vu_reply() */
int vu_reply_end(struct vu_session *s, const struct vu_rx_msg *msg, size_t len);

/* ---- handlers: 0: answered, or a negative errno to answer with ---- */

typedef int (*vu_handler)(struct vu_session *s, const struct vu_rx_msg *msg);

int vu_handle_version(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_dma_map(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_dma_map_multi(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_dma_unmap(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_get_info(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_get_region_info(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_get_region_io_fds(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_get_irq_info(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_set_irqs(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_region_read(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_region_write(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_region_write_multi(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_reset(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_feature(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_mig_data_read(struct vu_session *s, const struct vu_rx_msg *msg);
int vu_handle_mig_data_write(struct vu_session *s, const struct vu_rx_msg *msg);

/* ---- vu_server.c ---- */

/** @return a number that is not in use as a serial */
uint32_t vu_session_serial(void);

/** Most sessions of a process. */
#define VU_SESSIONS_MAX 4096

/** By id; NULL: none. Read without a lock. */
extern _Atomic(struct vu_session *) vu_sessions[VU_SESSIONS_MAX];

/** The session with an id. In a section, or in the thread that serves it. NULL: none */
static inline struct vu_session *
vu_session_find(int id)
{
	return likely(id >= 0 && id < VU_SESSIONS_MAX) ? atomic_load(&vu_sessions[id]) : NULL;
}

/** The same, to be kept until vu_session_put(). */
struct vu_session *vu_session_hold(int id);

/** The same. NULL: none, or it is being unregistered */
struct vu_session *vu_session_get(int id);
void vu_session_put(struct vu_session *s);

/** Between these two nobody describes a session anew, registers or starts one. Wait for nothing. */
void vu_sessions_hold_still(void);
void vu_sessions_go_on(void);

#endif /* VU_SESSION_H */
