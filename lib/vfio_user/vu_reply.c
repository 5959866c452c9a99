/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_cmd.h"
#include "vu_log.h"
#include "vu_session.h"

__rte_noinline int
vu_reply_not_sent(struct vu_session *s, int rc)
{
	vu_session_stir(s);
	if (rc < 0)
		vu_session_doom(s, rc);
	return 0;
}

int
vu_reply(struct vu_session *s, const struct vu_rx_msg *msg, const struct iovec *payload,
	unsigned int nb, const int *fds, unsigned int nb_fds)
{
	return vu_reply_sent(s, vu_conn_reply(&s->conn, &msg->hdr, payload, nb, fds, nb_fds));
}

int
vu_reply_data(struct vu_session *s, const struct vu_rx_msg *msg, const void *data, size_t len)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };

	return vu_reply(s, msg, &iov, 1, NULL, 0);
}

void *
vu_reply_begin(struct vu_session *s, size_t len)
{
	vu_session_work(s, len / VU_TURN_BYTES);
	return vu_tx_reserve(&s->spare, len);
}

/* The queue of the connection is empty: the one that was filled takes its place. */
static void
reply_swap_queues(struct vu_session *s)
{
	struct vu_tx filled = s->spare;

	filled.corked = s->conn.tx.corked;
	s->spare = s->conn.tx;
	s->spare.corked = false;
	s->conn.tx = filled;
}

int
vu_reply_end(struct vu_session *s, const struct vu_rx_msg *msg, size_t len)
{
	if (vu_conn_want_write(&s->conn) || s->conn.tx.broken)
		return vu_reply_data(s, msg, s->spare.buf + sizeof(struct vu_hdr), len);
	reply_swap_queues(s);
	return vu_reply_sent(s, vu_conn_reply_end(&s->conn, &msg->hdr, len));
}

__rte_noinline void
vu_reply_error(struct vu_session *s, const struct vu_rx_msg *msg, int rc)
{
	VU_LOG(DEBUG, "%s: %s: %s", s->name, vu_cmd_name(msg->hdr.cmd), strerror(-rc));
	vu_reply_sent(s, vu_conn_reply_error(&s->conn, &msg->hdr, rc));
}
