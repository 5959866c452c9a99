/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_RX_H
#define VU_RX_H

/**
 * @file
 * The receiving half of a connection: as many bytes as there are in one system call, cut into
 * messages, each with the descriptors that were sent with it.
 *
 * Which descriptors belong to which message: the sender attaches them to the first byte of a
 * message that it sends with one call, and Linux ends a receive on a stream socket behind the
 * buffer that carried descriptors. So those that come with a chunk belong to the message that
 * holds the chunk's last byte.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>

#include "vu_fds.h"
#include "vu_proto.h"

/** Bytes that a connection takes in one call, and keeps while it is quiet. */
#define VU_RX_CHUNK 65536u

/**
 * Where the data of a reply that is expected next are to go, to save a copy when they are long.
 * They follow VU_RX_DEST_FIXED bytes of payload.
 */
struct vu_rx_dest {
	void *buf;	/**< NULL: nothing is expected */
	size_t len;	/**< bytes of data */
	size_t have;	/**< bytes that are there */
	uint16_t id;
	uint16_t cmd;
};

#define VU_RX_DEST_FIXED 16u

struct vu_rx {
	uint8_t *buf;	/**< [head, tail) is received and not yet handed out */
	size_t cap;
	size_t head;
	size_t tail;
	struct vu_rx_dest dest;	/**< its bytes stand between the first 32 after head and the rest */
	unsigned int quiet;	/**< receives in a row that did not need more than VU_RX_CHUNK */
	uint32_t max_size;	/**< largest message accepted, in bytes */
	unsigned int max_fds;	/**< most descriptors accepted with one message */
	size_t chunk_end;	/**< where the chunk that late_fds came with ended */
	bool msg_out;	/**< fds are those of the message handed out last */
	struct vu_fds fds;	/**< of that one, else of the message at head */
	struct vu_fds late_fds;	/**< of the message that holds the byte before chunk_end */
};

/** A message in the receive buffer. Valid until the next vu_rx_fill(). */
struct vu_rx_msg {
	struct vu_hdr hdr;
	const uint8_t *payload;	/**< of any alignment */
	size_t len;	/**< bytes of payload, with those at the destination */
	size_t placed;	/**< bytes at the end of the payload that went to vu_rx_expect()'s buffer */
	struct vu_fds *fds;	/**< closed by the next vu_rx_next() or vu_rx_fini() */
};

/**
 * @param max_size
 *   Largest message to accept, header included, in bytes.
 * @param max_fds
 *   Most descriptors to accept with one message, 0 to VU_SCM_MAX_FD.
 * @return 0, or -ENOMEM
 */
int vu_rx_init(struct vu_rx *rx, uint32_t max_size, unsigned int max_fds);

/** Close the descriptors that nobody took and free the buffer. */
void vu_rx_fini(struct vu_rx *rx);

/**
 * Receive once. All messages that vu_rx_next() has to give must have been taken before.
 *
 * @param flags
 *   For recvmsg(): MSG_DONTWAIT, or 0 to wait on a blocking socket.
 * @return
 *   Number of bytes, > 0; -ENOTCONN: the peer is gone; -EAGAIN: nothing there; -EPROTO:
 *   too many descriptors; -ENOMEM; or another errno of recvmsg(). If this process can have no more
 *   descriptors, vu_fds_lost() says so of those of the message.
 */
int vu_rx_fill(struct vu_rx *rx, int sock, int flags);

/**
 * Tell where the data of a reply are to go. Only possible while nothing is received that was not
 * handed out; in any other case, and when the reply is not the one described here, the data come in
 * the receive buffer as ever. The buffer at @p buf may be written to until the reply was handed out
 * or vu_rx_unexpect() was called, and what it holds then is undefined if the reply came otherwise.
 *
 * @param id
 *   Of the request.
 * @param cmd
 *   The same; one with VU_RX_DEST_FIXED bytes before the data in its reply.
 * @param len
 *   Bytes of data that the reply has if all is well.
 * @return whether it was possible
 */
bool vu_rx_expect(struct vu_rx *rx, uint16_t id, uint16_t cmd, void *buf, size_t len);

/**
 * Expect nothing any more: the buffer is the caller's again.
 *
 * @return 0; -ENOMEM: bytes that were there are lost, and the stream cannot be followed further
 */
int vu_rx_unexpect(struct vu_rx *rx);

/** Give memory back that only long messages need; for a connection that is quiet. */
void vu_rx_trim(struct vu_rx *rx);

/** Is there nothing that vu_rx_next() could hand out or close? */
static inline bool
vu_rx_idle(const struct vu_rx *rx)
{
	return rx->head == rx->tail && rx->fds.nb == 0 && rx->late_fds.nb == 0;
}

/**
 * Is what was received one whole message without descriptors, and with this header but for its
 * error?
 *
 * @return its payload, or NULL; vu_rx_done() takes the message away
 */
static inline const uint8_t *
vu_rx_only(const struct vu_rx *rx, const struct vu_hdr *want)
{
	if (unlikely(rx->tail != want->size || rx->head > 0 || rx->fds.nb > 0 ||
			rx->late_fds.nb > 0))
		return NULL;
	if (unlikely(memcmp(rx->buf, want, offsetof(struct vu_hdr, error)) != 0))
		return NULL;
	return rx->buf + sizeof(*want);
}

/** What vu_rx_only() found was taken. */
static inline void
vu_rx_done(struct vu_rx *rx)
{
	rx->head = rx->tail = 0;
}

/** As vu_rx_next(), which also knows that there is nothing. */
int vu_rx_next_message(struct vu_rx *rx, struct vu_rx_msg *msg);

/**
 * Hand out the next message that is complete.
 *
 * @return
 *   1: @p msg is filled; 0: there is none; -EPROTO: the header is impossible, @p msg->hdr has
 *   it and the stream cannot be followed any further.
 */
static inline int
vu_rx_next(struct vu_rx *rx, struct vu_rx_msg *msg)
{
	return vu_rx_idle(rx) ? 0 : vu_rx_next_message(rx, msg);
}

#endif /* VU_RX_H */
