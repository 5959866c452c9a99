/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_tx.h"

/* After so many messages that needed no queue its memory is given back. */
#define TX_QUIET 64u

/* A message of so many bytes is sent from one piece. */
#define TX_SHORT 256u

void
vu_tx_init(struct vu_tx *tx)
{
	memset(tx, 0, sizeof(*tx));
}

void
vu_tx_fini(struct vu_tx *tx)
{
	size_t i;

	for (i = 0; i < tx->nb_fds; i++)
		close(tx->fds[i].fd);
	free(tx->fds);
	free(tx->buf);
	memset(tx, 0, sizeof(*tx));
}

/* The message as one call takes it. iov[0] is the header. */
struct tx_msg {
	struct vu_hdr hdr;
	struct iovec iov[1 + VU_TX_IOV_MAX];
	unsigned int nb;
	const int *fds;
	unsigned int nb_fds;
};

static int
tx_msg_build(struct tx_msg *msg, const struct vu_hdr *hdr, const struct iovec *payload,
	unsigned int nb, const int *fds, unsigned int nb_fds)
{
	uint64_t size = sizeof(*hdr);
	unsigned int i;

	if (nb > VU_TX_IOV_MAX || nb_fds > VU_SCM_MAX_FD)
		return -EINVAL;
	msg->hdr = *hdr;
	msg->iov[0].iov_base = &msg->hdr;
	msg->iov[0].iov_len = sizeof(msg->hdr);
	for (i = 0; i < nb; i++) {
		msg->iov[1 + i] = payload[i];
		if (payload[i].iov_len > UINT32_MAX)
			return -EMSGSIZE;
		size += payload[i].iov_len;
	}
	if (size > UINT32_MAX)
		return -EMSGSIZE;
	msg->hdr.size = (uint32_t)size;
	msg->nb = 1 + nb;
	msg->fds = fds;
	msg->nb_fds = nb_fds;
	return 0;
}

/* A wait that a signal ends is over: to begin it again may never come to an end. */
static ssize_t
tx_result(ssize_t n)
{
	if (likely(n >= 0))
		return n;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? -ENOTCONN : -errno;
}

/* One call. Returns the number of bytes, 0 if the socket takes nothing now, or -errno. */
static ssize_t
tx_call(int sock, struct iovec *iov, unsigned int nb, const int *fds, unsigned int nb_fds,
	int flags)
{
	union {
		struct cmsghdr hdr;
		char space[CMSG_SPACE(sizeof(int) * VU_SCM_MAX_FD)];
	} control;
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = nb };

	if (nb_fds > 0) {
		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * nb_fds);
		memset(&control, 0, mh.msg_controllen);
		control.hdr.cmsg_level = SOL_SOCKET;
		control.hdr.cmsg_type = SCM_RIGHTS;
		control.hdr.cmsg_len = CMSG_LEN(sizeof(int) * nb_fds);
		memcpy(CMSG_DATA(&control.hdr), fds, sizeof(int) * nb_fds);
	}
	return tx_result(sendmsg(sock, &mh, flags | MSG_NOSIGNAL));
}

/* One call for what stands in one piece, without descriptors: costs less than with a list. */
static ssize_t
tx_call_plain(int sock, const void *bytes, size_t len, int flags)
{
	return tx_result(send(sock, bytes, len, flags | MSG_NOSIGNAL));
}

/* Forget the first n bytes of the pieces. */
static void
tx_iov_skip(struct tx_msg *msg, size_t n)
{
	unsigned int i;

	for (i = 0; n > 0; i++) {
		size_t part = n < msg->iov[i].iov_len ? n : msg->iov[i].iov_len;

		msg->iov[i].iov_base = (char *)msg->iov[i].iov_base + part;
		msg->iov[i].iov_len -= part;
		n -= part;
	}
}

/* ------------------------------------------------------------------- queue ---- */

static int
tx_make_room(struct vu_tx *tx, size_t len)
{
	size_t queued = vu_tx_queued(tx);
	size_t cap = tx->cap;
	uint8_t *buf;

	tx->quiet = 0;
	if (len <= cap - tx->tail)
		return 0;
	if (tx->head > 0) {
		memmove(tx->buf, tx->buf + tx->head, queued);
		tx->head = 0;
		tx->tail = queued;
	}
	if (len <= cap - queued)
		return 0;
	cap = queued + len > 2 * cap ? queued + len : 2 * cap;
	buf = realloc(tx->buf, cap);
	if (buf == NULL)
		return -ENOMEM;
	tx->buf = buf;
	tx->cap = cap;
	return 0;
}

/* Give memory back that was not needed for some time. */
static void
tx_trim(struct vu_tx *tx)
{
	if (++tx->quiet < TX_QUIET)
		return;
	free(tx->buf);
	tx->buf = NULL;
	tx->cap = tx->head = tx->tail = 0;
}

static int
tx_fds_make_room(struct vu_tx *tx, unsigned int nb)
{
	size_t cap = tx->nb_fds + nb;
	struct vu_tx_fd *fds;

	if (cap <= tx->cap_fds)
		return 0;
	fds = realloc(tx->fds, cap * sizeof(*fds));
	if (fds == NULL)
		return -ENOMEM;
	tx->fds = fds;
	tx->cap_fds = cap;
	return 0;
}

/* The message that is queued next gets duplicates of descriptors, or none of them. */
static int
tx_queue_fds(struct vu_tx *tx, const int *fds, unsigned int nb)
{
	size_t old = tx->nb_fds;
	unsigned int i;
	int fd;

	if (tx_fds_make_room(tx, nb) < 0)
		return -ENOMEM;
	for (i = 0; i < nb; i++) {
		fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			goto err_close;
		tx->fds[tx->nb_fds].pos = tx->pos + vu_tx_queued(tx);
		tx->fds[tx->nb_fds++].fd = fd;
	}
	return 0;

err_close:
	fd = -errno;
	while (tx->nb_fds > old)
		close(tx->fds[--tx->nb_fds].fd);
	return fd;
}

/* What was written behind the tail becomes part of the queue; `begun`: its start was sent. */
static void
tx_append(struct vu_tx *tx, size_t len, bool begun)
{
	if (tx->left == 0) {
		tx->left = len;
		tx->begun = begun;
	}
	tx->tail += len;
}

/* Queue what is left of a message, `begun` if its start was sent. */
static int
tx_queue(struct vu_tx *tx, const struct tx_msg *msg, bool begun)
{
	uint8_t *to;
	size_t len = 0;
	unsigned int i;
	int rc;

	for (i = 0; i < msg->nb; i++)
		len += msg->iov[i].iov_len;
	rc = tx_make_room(tx, len);
	if (rc == 0 && !begun)
		rc = tx_queue_fds(tx, msg->fds, msg->nb_fds);
	if (rc < 0)
		return rc;
	to = tx->buf + tx->tail;
	for (i = 0; i < msg->nb; i++) {
		if (msg->iov[i].iov_len == 0)
			continue;
		memcpy(to, msg->iov[i].iov_base, msg->iov[i].iov_len);
		to += msg->iov[i].iov_len;
	}
	tx_append(tx, len, begun);
	return 0;
}

static size_t
tx_size_at(const struct vu_tx *tx, size_t at)
{
	struct vu_hdr hdr;

	memcpy(&hdr, tx->buf + at, sizeof(hdr));
	return hdr.size;
}

/* How many descriptors wait for the byte at offset `at` of the queue. */
static unsigned int
tx_nb_fds_at(const struct vu_tx *tx, size_t at)
{
	uint64_t pos = tx->pos + (at - tx->head);
	unsigned int nb = 0;

	while (nb < tx->nb_fds && tx->fds[nb].pos == pos)
		nb++;
	return nb;
}

/* Bytes for the next call: the rest of a message, one with descriptors, or a batch without. */
static size_t
tx_piece(const struct vu_tx *tx, unsigned int *nb_fds)
{
	size_t len = tx->left;
	size_t size;

	*nb_fds = tx->begun ? 0 : tx_nb_fds_at(tx, tx->head);
	if (tx->begun || *nb_fds > 0)
		return len;
	while (tx->head + len < tx->tail) {
		size = tx_size_at(tx, tx->head + len);
		if (len + size > VU_TX_BATCH)
			break;
		/* only the first entry can be the one of the next message */
		if (tx->nb_fds > 0 && tx->fds[0].pos == tx->pos + len)
			break;
		len += size;
	}
	return len;
}

/* n bytes of the queue are on their way. */
static void
tx_advance(struct vu_tx *tx, size_t n)
{
	size_t at = tx->head;

	tx->head += n;
	tx->pos += n;
	while (n >= tx->left && at < tx->tail) {
		n -= tx->left;
		at += tx->left;
		tx->begun = false;
		tx->left = at < tx->tail ? tx_size_at(tx, at) : 0;
	}
	if (n > 0) {
		tx->left -= n;
		tx->begun = true;
	}
	if (tx->head == tx->tail)
		tx->head = tx->tail = 0;
}

static void
tx_drop_fds(struct vu_tx *tx, unsigned int nb)
{
	unsigned int i;

	for (i = 0; i < nb; i++)
		close(tx->fds[i].fd);
	tx->nb_fds -= nb;
	memmove(tx->fds, tx->fds + nb, tx->nb_fds * sizeof(*tx->fds));
}

static ssize_t
tx_call_with_fds(const struct vu_tx *tx, int sock, struct iovec *iov, unsigned int nb_fds,
	int flags)
{
	int fds[VU_SCM_MAX_FD] = { -1 };
	unsigned int i;

	for (i = 0; i < nb_fds; i++)
		fds[i] = tx->fds[i].fd;
	return tx_call(sock, iov, 1, fds, nb_fds, flags);
}

static int
tx_send_piece(struct vu_tx *tx, int sock, int flags)
{
	unsigned int nb_fds;
	struct iovec iov;
	ssize_t n;

	iov.iov_len = tx_piece(tx, &nb_fds);
	iov.iov_base = tx->buf + tx->head;
	if (nb_fds > 0)
		n = tx_call_with_fds(tx, sock, &iov, nb_fds, flags);
	else
		n = tx_call_plain(sock, iov.iov_base, iov.iov_len, flags);
	if (n <= 0)
		return n == 0 ? 1 : (int)n;
	if (nb_fds > 0)
		tx_drop_fds(tx, nb_fds);
	tx_advance(tx, (size_t)n);
	return 0;
}

int
vu_tx_flush(struct vu_tx *tx, int sock)
{
	int rc = 0;

	while (rc == 0 && tx->head < tx->tail)
		rc = tx_send_piece(tx, sock, MSG_DONTWAIT);
	return rc;
}

/* -------------------------------------------------------------------- send ---- */

/* While corked, messages are collected as long as that makes sense. */
static int
tx_send_corked(struct vu_tx *tx, int sock, const struct tx_msg *msg)
{
	int full = 0;
	int rc;

	if (vu_tx_queued(tx) + msg->hdr.size > VU_TX_CORK_MAX)
		full = vu_tx_flush(tx, sock);
	if (full < 0)
		return full;
	rc = tx_queue(tx, msg, false);
	return rc < 0 ? rc : full;
}

/* What was queued will be sent, whatever becomes of a call: who tries next learns what is wrong. */
static int
tx_flush_queued(struct vu_tx *tx, int sock)
{
	int rc = vu_tx_flush(tx, sock);

	return rc < 0 && rc != -ENOTCONN ? 1 : rc;
}

static int
tx_send_queued(struct vu_tx *tx, int sock, const struct tx_msg *msg)
{
	int rc;

	if (vu_tx_queued(tx) >= (tx->limit > 0 ? tx->limit : VU_TX_LIMIT))
		return -ENOBUFS;
	if (tx->corked)
		return tx_send_corked(tx, sock, msg);
	rc = tx_queue(tx, msg, false);
	return rc < 0 ? rc : tx_flush_queued(tx, sock);
}

/* A message of which the socket took n bytes at once, not all. */
static int
tx_send_rest(struct vu_tx *tx, struct tx_msg *msg, size_t n)
{
	int rc;

	tx_iov_skip(msg, n);
	rc = tx_queue(tx, msg, n > 0);
	if (rc < 0 && n > 0)
		tx->broken = true;
	return rc < 0 ? rc : 1;
}

/* The queue is not needed for what was sent. */
static inline int
tx_sent(struct vu_tx *tx)
{
	if (unlikely(tx->cap > VU_TX_KEEP))
		tx_trim(tx);
	return 0;
}

static __rte_noinline int
tx_send_long(struct vu_tx *tx, int sock, const struct vu_hdr *hdr, const struct iovec *payload,
	unsigned int nb, const int *fds, unsigned int nb_fds, int flags)
{
	struct tx_msg msg;
	ssize_t n;
	int rc;

	rc = tx_msg_build(&msg, hdr, payload, nb, fds, nb_fds);
	if (unlikely(rc < 0))
		return rc;
	if (unlikely(tx->broken))
		return -ENOTCONN;
	if (tx->corked || tx->head < tx->tail)
		return tx_send_queued(tx, sock, &msg);
	n = tx_call(sock, msg.iov, msg.nb, fds, nb_fds, flags);
	if (unlikely(n < 0))
		return (int)n;
	if (unlikely((size_t)n < msg.hdr.size))
		return tx_send_rest(tx, &msg, (size_t)n);
	return tx_sent(tx);
}

/* The lengths that are usual need no call. */
static inline void
copy_short(uint8_t *to, const void *from, size_t len)
{
	if (len == sizeof(struct vu_region_access))
		memcpy(to, from, sizeof(struct vu_region_access));
	else if (len == sizeof(uint32_t))
		memcpy(to, from, sizeof(uint32_t));
	else if (len > 0)
		memcpy(to, from, len);
}

/* Put a message together to stand in one piece. Returns its bytes; 0: it is a long one. */
static inline size_t
tx_short_build(uint8_t bytes[TX_SHORT], const struct vu_hdr *hdr, const struct iovec *payload,
	unsigned int nb)
{
	size_t size = sizeof(*hdr);
	uint32_t size32;
	unsigned int i;

	for (i = 0; i < nb; i++) {
		if (unlikely(payload[i].iov_len > TX_SHORT - size))
			return 0;
		copy_short(bytes + size, payload[i].iov_base, payload[i].iov_len);
		size += payload[i].iov_len;
	}
	memcpy(bytes, hdr, sizeof(*hdr));
	size32 = (uint32_t)size;
	memcpy(bytes + offsetof(struct vu_hdr, size), &size32, sizeof(size32));
	return size;
}

int
vu_tx_send_flags(struct vu_tx *tx, int sock, int flags, const struct vu_hdr *hdr,
	const struct iovec *payload, unsigned int nb, const int *fds, unsigned int nb_fds)
{
	uint8_t bytes[TX_SHORT];
	size_t size = 0;

	if (likely(nb_fds == 0 && nb <= VU_TX_IOV_MAX))
		size = tx_short_build(bytes, hdr, payload, nb);
	if (likely(size > 0))
		return vu_tx_send_whole(tx, sock, flags, bytes, size);
	return tx_send_long(tx, sock, hdr, payload, nb, fds, nb_fds, flags);
}

__rte_noinline int
vu_tx_send_whole_else(struct vu_tx *tx, int sock, int flags, const void *bytes, size_t size,
	ssize_t n)
{
	struct tx_msg msg = {
		.iov[0] = { (void *)(uintptr_t)bytes, size },
		.nb = 1,
	};
	struct iovec payload;

	if (n != 0) {
		n = tx_result(n);
		return n < 0 ? (int)n : tx_send_rest(tx, &msg, (size_t)n);
	}
	memcpy(&msg.hdr, bytes, sizeof(msg.hdr));
	payload.iov_base = (char *)(uintptr_t)bytes + sizeof(msg.hdr);
	payload.iov_len = size - sizeof(msg.hdr);
	return tx_send_long(tx, sock, &msg.hdr, &payload, 1, NULL, 0, flags);
}

int
vu_tx_flush_wait(struct vu_tx *tx, int sock)
{
	int rc = 0;

	while (rc == 0 && tx->head < tx->tail)
		rc = tx_send_piece(tx, sock, 0);
	return rc == 1 ? -ETIMEDOUT : rc;
}

int
vu_tx_send_wait(struct vu_tx *tx, int sock, const struct vu_hdr *hdr, const struct iovec *payload,
	unsigned int nb, const int *fds, unsigned int nb_fds)
{
	struct tx_msg msg;
	size_t done = 0;
	ssize_t n;
	int rc;

	rc = tx_msg_build(&msg, hdr, payload, nb, fds, nb_fds);
	if (rc < 0)
		return rc;
	if (tx->broken)
		return -ENOTCONN;
	rc = vu_tx_flush_wait(tx, sock);
	while (rc == 0 && done < msg.hdr.size) {
		n = tx_call(sock, msg.iov, msg.nb, fds, done == 0 ? nb_fds : 0, 0);
		if (n <= 0) {
			rc = n < 0 ? (int)n : -ETIMEDOUT;
			break;
		}
		done += (size_t)n;
		if (done < msg.hdr.size)
			tx_iov_skip(&msg, (size_t)n);
	}
	tx->broken = done > 0 && done < msg.hdr.size;
	return rc;
}

void *
vu_tx_reserve(struct vu_tx *tx, size_t len)
{
	if (tx->broken || vu_tx_queued(tx) >= VU_TX_LIMIT ||
			len > UINT32_MAX - sizeof(struct vu_hdr))
		return NULL;
	if (tx_make_room(tx, sizeof(struct vu_hdr) + len) < 0)
		return NULL;
	return tx->buf + tx->tail + sizeof(struct vu_hdr);
}

int
vu_tx_commit(struct vu_tx *tx, int sock, const struct vu_hdr *hdr, size_t len)
{
	struct vu_hdr out = *hdr;

	out.size = (uint32_t)(sizeof(out) + len);
	memcpy(tx->buf + tx->tail, &out, sizeof(out));
	tx_append(tx, out.size, false);
	if (tx->corked && vu_tx_queued(tx) < VU_TX_CORK_MAX)
		return 0;
	return tx_flush_queued(tx, sock);
}
