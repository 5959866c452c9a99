/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_common.h>

#include "vu_codec.h"
#include "vu_conn.h"

#include "test.h"
#include "vu_golden.h"
#include "vu_hostile.h"

/* A session that says nothing for so long is stuck. */
#define PING_ID 0xbeef

struct outcome {
	bool wanted;	/* the message asks for an answer */
	bool closed;
	bool ponged;
	bool answered;	/* the message itself */
	uint32_t error;	/* with which errno; 0: success */
};

static void
server_wait(const struct vu_hostile_server *server, int sock)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	int left;

	for (left = VU_HOSTILE_PATIENCE_MS; left > 0; left -= 10) {
		if (server->pump != NULL)
			server->pump(server->ctx);
		if (poll(&pfd, 1, server->pump != NULL ? 0 : 10) > 0)
			return;
		if (server->pump != NULL)
			poll(NULL, 0, 10);
	}
}

static void
server_read(const struct vu_hostile_server *server, struct vu_conn *conn, uint16_t id,
	struct outcome *out, const char *what)
{
	struct vu_rx_msg msg;
	int rc;

	while (!out->closed && !out->ponged) {
		server_wait(server, conn->sock);
		rc = vu_conn_fill(conn);
		if (rc == -EAGAIN)
			fail_msg("%s: the session is stuck", what);
		out->closed = rc < 0;
		while ((rc = vu_conn_next(conn, &msg)) == 1) {
			if (msg.hdr.id == PING_ID) {
				out->ponged = true;
			} else if (msg.hdr.id == id) {
				out->answered = true;
				out->error = msg.hdr.flags & VU_F_ERROR ? msg.hdr.error : 0;
			}
		}
	}
}

static void
server_negotiate(const struct vu_hostile_server *server, struct vu_conn *conn)
{
	struct vu_version_info version = { .has_text = true };
	struct vu_hdr hdr = { .id = 0x7777, .cmd = VU_VERSION };
	char payload[256];
	struct iovec iov = { payload, 0 };
	struct vu_rx_msg msg;
	int rc;

	vu_caps_default(&version.caps);
	version.caps.max_msg_fds = 16;
	version.caps.write_multiple = true;
	version.caps.map_multiple = true;
	rc = vu_version_encode(&version, payload, sizeof(payload));
	assert_true(rc > 0);
	iov.iov_len = (size_t)rc;
	assert_int_equal(vu_conn_send(conn, &hdr, &iov, 1, NULL, 0), 0);
	while ((rc = vu_conn_next(conn, &msg)) == 0) {
		server_wait(server, conn->sock);
		rc = vu_conn_fill(conn);
		if (rc < 0)
			fail_msg("no negotiation: %s", strerror(-rc));
	}
	assert_int_equal(rc, 1);
	assert_int_equal(msg.hdr.cmd, VU_VERSION);
	assert_int_equal(msg.hdr.flags, VU_F_TYPE_REPLY);
}

static void
server_ping(struct vu_conn *conn)
{
	const uint32_t payload[4] = { 16, 0, 0, 0 };
	struct vu_hdr hdr = { .id = PING_ID, .cmd = VU_GET_INFO };
	uintptr_t base = (uintptr_t)payload;
	struct iovec iov = { (void *)base, sizeof(payload) };

	vu_conn_send(conn, &hdr, &iov, 1, NULL, 0);
}

static bool
outcome_fits(const struct outcome *out, int expect)
{
	if (out->closed || expect == VU_HOSTILE_ANY)
		return true;
	if (expect == VU_HOSTILE_CLOSE)
		return false;
	if (!out->wanted)
		return !out->answered;
	/* nobody says which of the two an unknown command gets */
	if (expect == ENOSYS && out->error == EINVAL)
		return out->answered;
	return out->answered && out->error == (uint32_t)expect;
}

static void
server_case(const struct vu_hostile_server *server, const char *name,
	const struct vu_hostile_msg *msg)
{
	struct outcome out = { .closed = false };
	struct vu_hdr hdr = { .id = 0 };
	char what[256];
	struct vu_conn conn;

	snprintf(what, sizeof(what), "%s, %s", name, msg->what);
	assert_int_equal(vu_conn_init(&conn, server->connect(server->ctx),
		VU_DEFAULT_MAX_DATA_XFER + VU_CONN_OVERHEAD, VU_SCM_MAX_FD), 0);
	memcpy(&hdr, msg->bytes, RTE_MIN(sizeof(hdr), msg->len));
	out.wanted = vu_conn_answers(&hdr);
	/* a VERSION is tried as the first message, where it belongs */
	if (strncmp(name, "version", 7) != 0)
		server_negotiate(server, &conn);
	vu_hostile_send(conn.sock, msg);
	if (msg->cut)
		shutdown(conn.sock, SHUT_WR);
	else
		server_ping(&conn);
	server_read(server, &conn, hdr.id, &out, what);
	vu_conn_fini(&conn);
	if (!outcome_fits(&out, msg->expect))
		fail_msg("%s: expected %s, got %s (%u)", what, msg->expect == VU_HOSTILE_CLOSE ?
			"to be closed" : strerror(msg->expect), out.answered ? "an answer" :
			"nothing", out.error);
}

static bool
golden_is_for_server(const struct vu_hdr *hdr)
{
	return (hdr->flags & VU_F_TYPE_MASK) == VU_F_TYPE_COMMAND &&
		vu_cmd_desc(hdr->cmd)->dir == VU_TO_SERVER;
}

unsigned int
vu_hostile_server(const struct vu_hostile_server *server)
{
	struct vu_hostile_msg *msg = malloc(sizeof(*msg));
	unsigned int step = RTE_MAX(server->stride, 1u);
	uint8_t bytes[VU_GOLDEN_MAX];
	unsigned int i, nth, nb = 0;
	struct vu_hdr hdr;
	size_t len;

	for (i = 0; i < vu_goldens_nb; i++) {
		len = vu_golden_bytes(&vu_goldens[i], bytes);
		memcpy(&hdr, bytes, sizeof(hdr));
		if (!golden_is_for_server(&hdr))
			continue;
		for (nth = 0; vu_hostile_mutate(bytes, len, vu_goldens[i].nb_fds, nth, msg); nth++)
			if (nb++ % step == 0)
				server_case(server, vu_goldens[i].name, msg);
	}
	free(msg);
	return nb / step;
}
