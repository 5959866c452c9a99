/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "vu_cmd.h"
#include "vu_rx.h"

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

	if (rx->tail - rx->head < sizeof(hdr))
		return VU_RX_CHUNK;
	memcpy(&hdr, rx->buf + rx->head, sizeof(hdr));
	return hdr.size > VU_RX_CHUNK ? hdr.size : VU_RX_CHUNK;
}

/* Give a quiet connection's memory back, make room for a message that is longer than usual. */
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

/* Move what is left of an incomplete message to the front; the offsets follow. */
static int
rx_make_room(struct vu_rx *rx)
{
	size_t wanted = rx_wanted(rx);

	if (rx->head > 0) {
		memmove(rx->buf, rx->buf + rx->head, rx->tail - rx->head);
		rx->tail -= rx->head;
		rx->head = 0;
	}
	return wanted > rx->cap ? rx_resize(rx, wanted) : 0;
}

/* What came late belongs to the message at head, now that all before it were handed out. */
static int
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

static void
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

int
vu_rx_fill(struct vu_rx *rx, int sock, int flags)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * VU_SCM_MAX_FD)];
	} control;
	struct iovec iov;
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n;
	int rc;

	rc = rx_adopt_late_fds(rx);
	if (rc == 0)
		rc = rx_make_room(rx);
	if (rc < 0)
		return rc;
	iov.iov_base = rx->buf + rx->tail;
	iov.iov_len = rx->cap - rx->tail;
	do {
		n = recvmsg(sock, &mh, flags | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET || errno == EPIPE ? -ENOTCONN : -errno;
	if (mh.msg_controllen > 0)
		rx_collect_fds(&rx->late_fds, &mh);
	if (n == 0)
		return -ENOTCONN;
	rx->tail += (size_t)n;
	rx->chunk_end = rx->tail;
	/* there is room for all that a message may carry: what is missing did not get a number */
	if (mh.msg_flags & MSG_CTRUNC)
		return -EMFILE;
	return rx->late_fds.nb > rx->max_fds ? -EPROTO : (int)n;
}

int
vu_rx_next(struct vu_rx *rx, struct vu_rx_msg *msg)
{
	size_t have = rx->tail - rx->head;

	if (rx->msg_out) {
		vu_fds_close(&rx->fds);
		rx->msg_out = false;
	}
	if (have < sizeof(msg->hdr))
		return 0;
	memcpy(&msg->hdr, rx->buf + rx->head, sizeof(msg->hdr));
	if (vu_hdr_check(&msg->hdr, rx->max_size, true) < 0)
		return -EPROTO;
	if (have < msg->hdr.size)
		return 0;
	msg->payload = rx->buf + rx->head + sizeof(msg->hdr);
	msg->len = msg->hdr.size - sizeof(msg->hdr);
	rx->head += msg->hdr.size;
	if (rx->late_fds.nb > 0 && rx->chunk_end <= rx->head && rx_adopt_late_fds(rx) < 0)
		return -EPROTO;
	msg->fds = &rx->fds;
	rx->msg_out = true;
	return 1;
}
