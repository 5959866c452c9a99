/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_cmd.h"
#include "vu_rx.h"

/* After so many receives that needed no more than VU_RX_CHUNK what is more is given back. */
#define RX_QUIET 64u

int
vu_rx_init(struct vu_rx *rx, uint32_t max_size, unsigned int max_fds)
{
	memset(rx, 0, sizeof(*rx));
	rx->buf = malloc(VU_RX_CHUNK);
	if (rx->buf == NULL)
		return -ENOMEM;
	rx->cap = VU_RX_CHUNK;
	rx->max_size = max_size;
	rx->max_fds = max_fds;
	return 0;
}

void
vu_rx_fini(struct vu_rx *rx)
{
	vu_fds_close(&rx->fds);
	vu_fds_close(&rx->late_fds);
	free(rx->buf);
	rx->buf = NULL;
}

/* How much room the message at head needs, as far as its header is there. */
static size_t
rx_wanted(const struct vu_rx *rx)
{
	struct vu_hdr hdr;

	if (rx->dest.buf != NULL || rx->tail - rx->head < sizeof(hdr))
		return VU_RX_CHUNK;
	memcpy(&hdr, rx->buf + rx->head, sizeof(hdr));
	return RTE_MAX(RTE_MIN(hdr.size, rx->max_size), VU_RX_CHUNK);
}

static int
rx_resize(struct vu_rx *rx, size_t cap)
{
	uint8_t *buf;

	buf = realloc(rx->buf, cap);
	if (buf == NULL)
		return -ENOMEM;
	rx->buf = buf;
	rx->cap = cap;
	return 0;
}

void
vu_rx_trim(struct vu_rx *rx)
{
	if (rx->cap > VU_RX_CHUNK && rx->head == rx->tail && rx->dest.buf == NULL &&
			rx_resize(rx, VU_RX_CHUNK) == 0)
		rx->head = rx->tail = 0;
}

/* Move what is left of an incomplete message to the front; the offsets follow. */
static __rte_noinline int
rx_make_room(struct vu_rx *rx)
{
	size_t wanted;

	wanted = rx_wanted(rx);
	if (rx->head > 0) {
		memmove(rx->buf, rx->buf + rx->head, rx->tail - rx->head);
		rx->tail -= rx->head;
		rx->head = 0;
	}
	if (wanted > VU_RX_CHUNK)
		rx->quiet = 0;
	else if (unlikely(rx->cap > VU_RX_CHUNK) && ++rx->quiet == RX_QUIET)
		vu_rx_trim(rx);
	return wanted > rx->cap ? rx_resize(rx, wanted) : 0;
}

/* ------------------------------------------------------- data put in their place ---- */

/* Header and fixed part, before the data that go to their destination. */
#define RX_DEST_FRONT (sizeof(struct vu_hdr) + VU_RX_DEST_FIXED)

bool
vu_rx_expect(struct vu_rx *rx, uint16_t id, uint16_t cmd, void *buf, size_t len)
{
	if (rx->head != rx->tail || rx->dest.buf != NULL || len == 0)
		return false;
	rx->head = rx->tail = 0;
	rx->dest = (struct vu_rx_dest) { .buf = buf, .len = len, .id = id, .cmd = cmd };
	return true;
}

int
vu_rx_unexpect(struct vu_rx *rx)
{
	size_t have = rx->dest.have;
	size_t front = rx->head + RX_DEST_FRONT;
	const void *data = rx->dest.buf;

	rx->dest.buf = NULL;
	if (data == NULL || have == 0)
		return 0;
	if (have > rx->cap - rx->tail && rx_resize(rx, rx->tail + have) < 0)
		return -ENOMEM;
	memmove(rx->buf + front + have, rx->buf + front, rx->tail - front);
	memcpy(rx->buf + front, data, have);
	rx->tail += have;
	rx->chunk_end += have;
	return 0;
}

/* Whether what begins at head is what is expected; only told from a whole header. */
static bool
rx_dest_matches(const struct vu_rx *rx)
{
	struct vu_hdr hdr;

	memcpy(&hdr, rx->buf + rx->head, sizeof(hdr));
	return hdr.id == rx->dest.id && hdr.cmd == rx->dest.cmd &&
		hdr.flags == VU_F_TYPE_REPLY && hdr.size == RX_DEST_FRONT + rx->dest.len;
}

/*
 * Where the bytes of the next receive go, in the order in which they come. Returns how many
 * pieces.
 */
static unsigned int
rx_targets(struct vu_rx *rx, struct iovec iov[3])
{
	size_t have = rx->tail - rx->head;
	size_t front = have < RX_DEST_FRONT ? RX_DEST_FRONT - have : 0;
	unsigned int nb = 0;

	if (likely(rx->dest.buf == NULL)) {
		iov[0] = (struct iovec) { rx->buf + rx->tail, rx->cap - rx->tail };
		return 1;
	}
	if (front > 0)
		iov[nb++] = (struct iovec) { rx->buf + rx->tail, front };
	iov[nb++] = (struct iovec) { (uint8_t *)rx->dest.buf + rx->dest.have,
		rx->dest.len - rx->dest.have };
	iov[nb++] = (struct iovec) { rx->buf + rx->tail + front, rx->cap - rx->tail - front };
	return nb;
}

/* n bytes came and stand in the targets. */
static __rte_noinline int
rx_arrived_placed(struct vu_rx *rx, size_t n)
{
	size_t have = rx->tail - rx->head;
	size_t part;

	if (have < RX_DEST_FRONT) {
		part = RTE_MIN(n, RX_DEST_FRONT - have);
		rx->tail += part;
		n -= part;
	}
	part = RTE_MIN(n, rx->dest.len - rx->dest.have);
	rx->dest.have += part;
	rx->tail += n - part;
	rx->chunk_end = rx->tail;
	if (rx->tail - rx->head >= sizeof(struct vu_hdr) && !rx_dest_matches(rx))
		return vu_rx_unexpect(rx);
	return 0;
}

/* What came late belongs to the message at head, now that all before it were handed out. */
static __rte_noinline int
rx_adopt_late_fds(struct vu_rx *rx)
{
	unsigned int i;

	if (rx->late_fds.nb > rx->max_fds - rx->fds.nb)
		return -EPROTO;
	for (i = 0; i < rx->late_fds.nb; i++)
		rx->fds.fd[rx->fds.nb++] = rx->late_fds.fd[i];
	rx->late_fds.nb = 0;
	return 0;
}

/* Is nothing left of the receives before, and nothing expected that is not usual? */
static inline bool
rx_is_clear(const struct vu_rx *rx)
{
	return rx->head == rx->tail && rx->cap == VU_RX_CHUNK && rx->dest.buf == NULL &&
		rx->late_fds.nb == 0;
}

/* For the next receive. Returns the number of pieces that it fills, or -errno. */
static __rte_noinline int
rx_prepare(struct vu_rx *rx, struct iovec iov[3])
{
	int rc = 0;

	if (rx->late_fds.nb > 0)
		rc = rx_adopt_late_fds(rx);
	if (rc < 0)
		return rc;
	if (rx->head != rx->tail || rx->cap != VU_RX_CHUNK)
		rc = rx_make_room(rx);
	else
		rx->head = rx->tail = 0;
	return rc < 0 ? rc : (int)rx_targets(rx, iov);
}

static __rte_noinline void
rx_collect_fds(struct vu_fds *fds, struct msghdr *mh)
{
	struct cmsghdr *c;
	size_t len;

	for (c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		len = c->cmsg_len - CMSG_LEN(0);
		memcpy(fds->fd + fds->nb, CMSG_DATA(c), len);
		fds->nb += (unsigned int)(len / sizeof(int));
	}
}

/* What came, or did not, when it was not just bytes: n is what recvmsg() said. */
static __rte_noinline int
rx_filled(struct vu_rx *rx, struct msghdr *mh, ssize_t n)
{
	int rc = 0;

	if (n < 0)
		return errno == ECONNRESET || errno == EPIPE ? -ENOTCONN : -errno;
	if (mh->msg_controllen > 0)
		rx_collect_fds(&rx->late_fds, mh);
	if (n == 0)
		return -ENOTCONN;
	/* there is room for all that a message may carry: what is missing did not get a number */
	if (mh->msg_flags & MSG_CTRUNC)
		vu_fds_lose(&rx->late_fds);
	if (rx->dest.buf != NULL)
		rc = rx_arrived_placed(rx, (size_t)n);
	else
		rx->tail = rx->chunk_end = rx->tail + (size_t)n;
	if (rc < 0)
		return rc;
	return rx->late_fds.nb > rx->max_fds ? -EPROTO : (int)n;
}

int
vu_rx_fill(struct vu_rx *rx, int sock, int flags)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * VU_SCM_MAX_FD)];
	} control;
	struct iovec iov[3] = { { rx->buf, VU_RX_CHUNK } };
	struct msghdr mh = {
		.msg_iov = iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};
	const bool clear = rx_is_clear(rx);
	ssize_t n;

	if (likely(clear)) {
		rx->head = rx->tail = 0;
	} else {
		n = rx_prepare(rx, iov);
		if (n < 0)
			return (int)n;
		mh.msg_iovlen = (size_t)n;
	}
	do {
		n = recvmsg(sock, &mh, flags | MSG_CMSG_CLOEXEC);
	} while (unlikely(n < 0) && errno == EINTR);
	if (unlikely(!clear || n <= 0 || mh.msg_controllen > 0 || (mh.msg_flags & MSG_CTRUNC)))
		return rx_filled(rx, &mh, n);
	rx->tail = rx->chunk_end = (size_t)n;
	return (int)n;
}

/* The message at head is whole. */
static inline void
rx_hand_out(struct vu_rx *rx, struct vu_rx_msg *msg, size_t placed)
{
	msg->payload = rx->buf + rx->head + sizeof(msg->hdr);
	msg->len = msg->hdr.size - sizeof(msg->hdr);
	msg->placed = placed;
	msg->fds = &rx->fds;
	rx->head += msg->hdr.size - placed;
	rx->msg_out = true;
}

/* The same, with what a message has only now and then: descriptors, data that were expected. */
static __rte_noinline int
rx_next_else(struct vu_rx *rx, struct vu_rx_msg *msg)
{
	size_t placed = rx->dest.buf != NULL ? rx->dest.len : 0;

	if (rx->tail - rx->head < msg->hdr.size - placed || (placed > 0 && rx->dest.have < placed))
		return 0;
	rx->dest.buf = NULL;
	rx_hand_out(rx, msg, placed);
	if (rx->late_fds.nb > 0 && rx->chunk_end <= rx->head && rx_adopt_late_fds(rx) < 0)
		return -EPROTO;
	return 1;
}

int
vu_rx_next_message(struct vu_rx *rx, struct vu_rx_msg *msg)
{
	size_t have = rx->tail - rx->head;

	if (unlikely(rx->fds.nb > 0) && rx->msg_out)
		vu_fds_close(&rx->fds);
	rx->msg_out = false;
	if (unlikely(have < sizeof(msg->hdr)))
		return 0;
	memcpy(&msg->hdr, rx->buf + rx->head, sizeof(msg->hdr));
	if (unlikely(vu_hdr_check(&msg->hdr, rx->max_size, true) < 0))
		return -EPROTO;
	if (unlikely(rx->dest.buf != NULL || rx->late_fds.nb > 0))
		return rx_next_else(rx, msg);
	if (unlikely(have < msg->hdr.size))
		return 0;
	rx_hand_out(rx, msg, 0);
	return 1;
}
