/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "vu_cmd.h"
#include "vu_conn.h"

int
vu_conn_init(struct vu_conn *conn, int sock, uint32_t max_size, unsigned int max_fds)
{
	int rc;

	rc = vu_rx_init(&conn->rx, max_size, max_fds);
	if (rc < 0)
		return rc;
	vu_tx_init(&conn->tx);
	conn->sock = sock;
	return 0;
}

void
vu_conn_fini(struct vu_conn *conn)
{
	vu_tx_fini(&conn->tx);
	vu_rx_fini(&conn->rx);
	if (conn->sock >= 0)
		close(conn->sock);
	conn->sock = -1;
}

int
vu_conn_set_timeout(struct vu_conn *conn, unsigned int ms)
{
	struct timeval tv = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000),
	};

	if (setsockopt(conn->sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0 ||
			setsockopt(conn->sock, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0)
		return -errno;
	return 0;
}

bool
vu_conn_answers_always(const struct vu_hdr *request)
{
	const struct vu_cmd_desc *desc = vu_cmd_desc(request->cmd);

	return desc != NULL && desc->always_answered;
}

int
vu_conn_reply_error(struct vu_conn *conn, const struct vu_hdr *request, int err)
{
	struct vu_hdr hdr = vu_conn_reply_hdr(request);

	if (!vu_conn_answers(request))
		return 0;
	hdr.flags |= VU_F_ERROR;
	hdr.error = (uint32_t)(err < 0 ? -err : err);
	return vu_conn_send(conn, &hdr, NULL, 0, NULL, 0);
}

int
vu_conn_reply_end(struct vu_conn *conn, const struct vu_hdr *request, size_t len)
{
	struct vu_hdr hdr = vu_conn_reply_hdr(request);

	if (!vu_conn_answers(request))
		return 0;
	return vu_tx_commit(&conn->tx, conn->sock, &hdr, len);
}
