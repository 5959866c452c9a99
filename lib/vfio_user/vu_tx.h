/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_TX_H
#define VU_TX_H

/**
 * @file
 * The sending half of a connection: a message goes out with one system call, its descriptors with
 * its first byte. What the socket does not take at once is queued, and so is everything behind it.
 *
 * No message is ever cut inside its first 16 bytes, because there are peers that do not survive it.
 * Linux cuts what it is given at the length of its own buffers only, which are longer than
 * VU_TX_BATCH; so a call sends one message, or several that together are no longer than that.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <rte_branch_prediction.h>

#include "vu_proto.h"

/** Bytes of messages that one call may send together. */
#define VU_TX_BATCH 2048u

/** Bytes that are kept together while corked. */
#define VU_TX_CORK_MAX 32768u

/** Queued bytes from which on a peer is to be left alone until it has read some. */
#define VU_TX_LIMIT 262144u

/** Bytes of queue that stay allocated while nothing is queued. */
#define VU_TX_KEEP 65536u

/** Most pieces of a payload. */
#define VU_TX_IOV_MAX 8u

/** A descriptor that waits for the first byte of its message. */
struct vu_tx_fd {
	uint64_t pos;	/**< of that byte in the stream */
	int fd;	/**< owned */
};

struct vu_tx {
	uint8_t *buf;	/**< [head, tail) is to be sent; NULL: nothing was ever queued */
	size_t cap;
	size_t head;
	size_t tail;
	bool corked;	/**< short messages are kept for vu_tx_flush() */
	bool broken;	/**< a message was sent in part and its rest is lost */
	bool begun;	/**< the message at head was sent in part */
	uint64_t pos;	/**< of head in the stream of bytes that went through the queue */
	size_t left;	/**< bytes of the message at head that are to be sent */
	size_t limit;	/**< queued bytes from which on none is added; 0: VU_TX_LIMIT */
	struct vu_tx_fd *fds;	/**< in the order of pos */
	size_t nb_fds;
	size_t cap_fds;
	unsigned int quiet;	/**< messages since the queue was last used */
};

/** Zeroes are a valid queue, too. */
void vu_tx_init(struct vu_tx *tx);

/** Drop what is queued, close its descriptors, free the memory. */
void vu_tx_fini(struct vu_tx *tx);

/**
 * Send a message.
 *
 * @param flags
 *   For sendmsg(): MSG_DONTWAIT, or 0 to wait for a blocking socket that is full, so long as its
 *   SO_SNDTIMEO says, or until there is a signal; that saves what would be copied to the queue.
 * @param hdr
 *   Its size is not looked at but computed.
 * @param payload
 *   @p nb pieces, at most VU_TX_IOV_MAX.
 * @param fds
 *   Stay the caller's: what is queued has duplicates.
 * @return
 *   - 0: sent, or kept because the queue is corked
 *   - 1: queued: call vu_tx_flush() when the socket is writable
 *   - -ENOTCONN: the peer is gone, or the stream was broken before
 *   - -ENOBUFS: as many bytes as its limit are queued already; nothing was sent
 *   - -EMFILE: no descriptor is free for a duplicate; nothing was sent
 *   - -ENOMEM: no memory for the queue; if the message was sent in part the stream is broken
 *   - -EINVAL: too many pieces or descriptors; -EMSGSIZE: longer than a header can tell
 *   - another errno of sendmsg(); nothing was sent
 */
int vu_tx_send_flags(struct vu_tx *tx, int sock, int flags, const struct vu_hdr *hdr,
	const struct iovec *payload, unsigned int nb, const int *fds, unsigned int nb_fds);

/** The same; never waits. */
static inline int
vu_tx_send(struct vu_tx *tx, int sock, const struct vu_hdr *hdr, const struct iovec *payload,
	unsigned int nb, const int *fds, unsigned int nb_fds)
{
	return vu_tx_send_flags(tx, sock, MSG_DONTWAIT, hdr, payload, nb, fds, nb_fds);
}

/** The same, on a blocking socket; waits a little. */
static inline int
vu_tx_send_patient(struct vu_tx *tx, int sock, const struct vu_hdr *hdr,
	const struct iovec *payload, unsigned int nb, const int *fds, unsigned int nb_fds)
{
	return vu_tx_send_flags(tx, sock, 0, hdr, payload, nb, fds, nb_fds);
}

/** Is nothing queued or kept back? Then what is sent goes straight to the socket. */
static inline bool
vu_tx_idle(const struct vu_tx *tx)
{
	return tx->head == tx->tail && !tx->corked && !tx->broken && tx->cap <= VU_TX_KEEP;
}

/**
 * What vu_tx_send_whole() does when it is not as usual.
 *
 * @param n
 *   What send() said, with errno; 0: it was not called.
 */
int vu_tx_send_whole_else(struct vu_tx *tx, int sock, int flags, const void *bytes, size_t size,
	ssize_t n);

/**
 * Send a message without descriptors that stands in one piece: its header, with its size filled
 * in, and its payload. For short ones, which cost the least this way.
 *
 * @param size
 *   Bytes of the whole message.
 * @return as vu_tx_send_flags()
 */
static inline int
vu_tx_send_whole(struct vu_tx *tx, int sock, int flags, const void *bytes, size_t size)
{
	ssize_t n = 0;

	if (likely(vu_tx_idle(tx))) {
		n = send(sock, bytes, size, flags | MSG_NOSIGNAL);
		if (likely(n == (ssize_t)size))
			return 0;
	}
	return vu_tx_send_whole_else(tx, sock, flags, bytes, size, n);
}

/**
 * Send what is queued and wait until the socket has taken all of it; on a blocking socket.
 *
 * @return
 *   0; -ETIMEDOUT: the socket's SO_SNDTIMEO is over, or a signal came; -ENOTCONN, or another errno
 *   of sendmsg()
 */
int vu_tx_flush_wait(struct vu_tx *tx, int sock);

/**
 * Send a message and wait until the socket has taken all of it; on a blocking socket.
 *
 * @return
 *   As vu_tx_send(), but never 1; -ETIMEDOUT: the socket's SO_SNDTIMEO is over, or a signal came;
 *   if the message was sent in part the stream is broken.
 */
int vu_tx_send_wait(struct vu_tx *tx, int sock, const struct vu_hdr *hdr,
	const struct iovec *payload, unsigned int nb, const int *fds, unsigned int nb_fds);

/**
 * Room for a message at the end of the queue, to be filled in place: saves a copy when the message
 * is long and the socket does not take all of it at once.
 *
 * @param len
 *   Bytes of payload.
 * @return
 *   Where the payload goes, aligned to 16 bytes if nothing is queued; valid until the next call
 *   with this queue. NULL: no memory, VU_TX_LIMIT bytes are queued, or the stream is broken.
 */
void *vu_tx_reserve(struct vu_tx *tx, size_t len);

/**
 * Send what was filled in.
 *
 * @param len
 *   Bytes of payload, not more than were reserved.
 * @return as vu_tx_send() without descriptors
 */
int vu_tx_commit(struct vu_tx *tx, int sock, const struct vu_hdr *hdr, size_t len);

/**
 * Send what is queued, as far as the socket takes it.
 *
 * @return
 *   0: nothing is left; 1: something is; -ENOTCONN, or another errno of sendmsg()
 */
int vu_tx_flush(struct vu_tx *tx, int sock);

/** @return bytes that are queued */
static inline size_t
vu_tx_queued(const struct vu_tx *tx)
{
	return tx->tail - tx->head;
}

#endif /* VU_TX_H */
