/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_CONN_H
#define VU_CONN_H

/**
 * @file
 * One connected socket: messages in, messages out.
 *
 * The receiving and the sending half share nothing: one thread at a time in each. A message costs
 * one system call to send, and a receive takes as many messages as there are. In the usual case
 * neither allocates.
 *
 * A server that never waits:
 *
 *	readable:  vu_conn_fill(); while (vu_conn_next() == 1) { handle, vu_conn_reply() }
 *	writable:  vu_conn_flush(); then go on with vu_conn_next(), which had stopped
 *
 * vu_conn_next() gives nothing while vu_conn_blocked(): a peer that does not read its replies is
 * not read from, and the memory that it can bind is limited.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "vu_rx.h"
#include "vu_tx.h"

/** Room for header and fixed parts beyond the data of the largest transfer, in bytes. */
#define VU_CONN_OVERHEAD 64u

/* What each message needs stands together, in front of room for descriptors. */
struct vu_conn {
	int sock;	/**< owned; -1: closed */
	struct vu_tx tx;
	struct vu_rx rx;
};

/**
 * @param sock
 *   Connected stream socket, blocking or not. Owned on success.
 * @param max_size
 *   Largest message to accept, header included, in bytes.
 * @param max_fds
 *   Most descriptors to accept with one message.
 * @return 0, -ENOMEM
 */
int vu_conn_init(struct vu_conn *conn, int sock, uint32_t max_size, unsigned int max_fds);

/** Close the socket and every descriptor that nobody took, free the memory. May be repeated. */
void vu_conn_fini(struct vu_conn *conn);

/** Time that the functions that wait may take for one call, 0: for ever. @return 0, -errno */
int vu_conn_set_timeout(struct vu_conn *conn, unsigned int ms);

/* ---- receiving ---- */

/** Receive once without waiting. @return as vu_rx_fill() */
static inline int
vu_conn_fill(struct vu_conn *conn)
{
	return vu_rx_fill(&conn->rx, conn->sock, MSG_DONTWAIT);
}

/** Receive once, wait for something to come. @return as vu_rx_fill(); -EAGAIN: time is over */
static inline int
vu_conn_fill_wait(struct vu_conn *conn)
{
	return vu_rx_fill(&conn->rx, conn->sock, 0);
}

/** So much is queued for the peer that nothing should be read from it. */
static inline bool
vu_conn_blocked(const struct vu_conn *conn)
{
	return vu_tx_queued(&conn->tx) >= VU_TX_LIMIT;
}

/**
 * The next message that is complete, unless vu_conn_blocked().
 *
 * While blocked a caller that waits for a reply itself uses vu_rx_next().
 *
 * @return as vu_rx_next()
 */
static inline int
vu_conn_next(struct vu_conn *conn, struct vu_rx_msg *msg)
{
	return vu_conn_blocked(conn) ? 0 : vu_rx_next(&conn->rx, msg);
}

/* ---- sending ---- */

/** Something is queued: call vu_conn_flush() when the socket is writable. */
static inline bool
vu_conn_want_write(const struct vu_conn *conn)
{
	return vu_tx_queued(&conn->tx) > 0;
}

/** Send a message without waiting. @return as vu_tx_send() */
static inline int
vu_conn_send(struct vu_conn *conn, const struct vu_hdr *hdr, const struct iovec *payload,
	unsigned int nb, const int *fds, unsigned int nb_fds)
{
	return vu_tx_send(&conn->tx, conn->sock, hdr, payload, nb, fds, nb_fds);
}

/** Send a message and wait until the socket has all of it. @return as vu_tx_send_wait() */
static inline int
vu_conn_send_wait(struct vu_conn *conn, const struct vu_hdr *hdr, const struct iovec *payload,
	unsigned int nb, const int *fds, unsigned int nb_fds)
{
	return vu_tx_send_wait(&conn->tx, conn->sock, hdr, payload, nb, fds, nb_fds);
}

/** Send what is queued. @return as vu_tx_flush() */
static inline int
vu_conn_flush(struct vu_conn *conn)
{
	return vu_tx_flush(&conn->tx, conn->sock);
}

/** Send what is queued and wait for it. @return as vu_tx_flush_wait() */
static inline int
vu_conn_flush_wait(struct vu_conn *conn)
{
	return vu_tx_flush_wait(&conn->tx, conn->sock);
}

/**
 * Collect short messages, so that several go out in one call: before handling what was received.
 */
static inline void
vu_conn_cork(struct vu_conn *conn)
{
	conn->tx.corked = true;
}

/** Send what was collected. @return as vu_tx_flush() */
static inline int
vu_conn_uncork(struct vu_conn *conn)
{
	conn->tx.corked = false;
	return vu_tx_queued(&conn->tx) > 0 ? vu_tx_flush(&conn->tx, conn->sock) : 0;
}

/* ---- replies ---- */

/** Whether a command is answered whatever its flags say. */
bool vu_conn_answers_always(const struct vu_hdr *request);

/** Whether a command is to be answered: the no-reply flag, but VERSION always is. */
static inline bool
vu_conn_answers(const struct vu_hdr *request)
{
	return !(request->flags & VU_F_NO_REPLY) || vu_conn_answers_always(request);
}

/** The header of a reply that is no error. */
static inline struct vu_hdr
vu_conn_reply_hdr(const struct vu_hdr *request)
{
	return (struct vu_hdr) {
		.id = request->id,
		.cmd = request->cmd,
		.flags = VU_F_TYPE_REPLY,
	};
}

/**
 * Answer a command, unless it wants no reply.
 *
 * @return as vu_tx_send(); 0 also when there was nothing to send
 */
static inline int
vu_conn_reply(struct vu_conn *conn, const struct vu_hdr *request, const struct iovec *payload,
	unsigned int nb, const int *fds, unsigned int nb_fds)
{
	struct vu_hdr hdr = vu_conn_reply_hdr(request);

	if (!vu_conn_answers(request))
		return 0;
	return vu_conn_send(conn, &hdr, payload, nb, fds, nb_fds);
}

/**
 * Answer a command with a short message that stands in one piece, unless it wants no reply.
 *
 * @param msg
 *   Room for the header, which is filled in, and the payload behind it; @p size bytes in all.
 * @return as vu_tx_send(); 0 also when there was nothing to send
 */
static inline int
vu_conn_reply_whole(struct vu_conn *conn, const struct vu_hdr *request, struct vu_hdr *msg,
	size_t size)
{
	*msg = vu_conn_reply_hdr(request);
	msg->size = (uint32_t)size;
	if (!vu_conn_answers(request))
		return 0;
	return vu_tx_send_whole(&conn->tx, conn->sock, MSG_DONTWAIT, msg, size);
}

/**
 * Answer a command with an error, unless it wants no reply.
 *
 * @param err
 *   errno, positive or negative.
 * @return as vu_tx_send(); 0 also when there was nothing to send
 */
int vu_conn_reply_error(struct vu_conn *conn, const struct vu_hdr *request, int err);

/**
 * Room for the payload of a long reply, to be filled in place and sent by vu_conn_reply_end(), or
 * given up by doing nothing.
 *
 * @param len
 *   Bytes.
 * @return as vu_tx_reserve()
 */
static inline void *
vu_conn_reply_begin(struct vu_conn *conn, size_t len)
{
	return vu_tx_reserve(&conn->tx, len);
}

/** Send the reply that was filled in, unless none is wanted. @return as vu_tx_commit() */
int vu_conn_reply_end(struct vu_conn *conn, const struct vu_hdr *request, size_t len);

#endif /* VU_CONN_H */
