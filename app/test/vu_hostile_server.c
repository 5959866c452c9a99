/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include <rte_common.h>

#include "vu_codec.h"
#include "vu_conn.h"

#include "test.h"
#include "vu_golden.h"
#include "vu_hostile.h"
#include "vu_reference.h"

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
	if (expect == VU_HOSTILE_ANY)
		return true;
	if (expect == VU_HOSTILE_CLOSE)
		return out->closed;
	if (!out->wanted)
		return !out->answered;
	if (!out->answered || expect == VU_HOSTILE_GOOD)
		return out->answered && out->error == 0;
	if (expect == VU_HOSTILE_FAIL)
		return out->error != 0;
	/* nobody says which of the two an unknown command gets */
	return out->error == (uint32_t)expect || (expect == ENOSYS && out->error == EINVAL);
}

static void
outcome_check(const struct outcome *out, int expect, const char *what)
{
	if (!outcome_fits(out, expect))
		fail_msg("%s: expected %d, got %s%s, errno %u", what, expect,
			out->answered ? "an answer" : "no answer",
			out->closed ? " and the end" : "", out->error);
}

/* How a message gets to the server. */
struct delivery {
	bool negotiated;
	size_t split;	/* it comes in two pieces, the first of so many bytes; 0: in one */
};

/* Wait until the server has taken what was sent. */
static void
server_wait_taken(const struct vu_hostile_server *server, int sock)
{
	int left = VU_HOSTILE_PATIENCE_MS * 10;
	int unread = 1;

	while (ioctl(sock, SIOCOUTQ, &unread) == 0 && unread > 0 && left-- > 0) {
		if (server->pump != NULL)
			server->pump(server->ctx);
		else
			poll(NULL, 0, 0);
		sched_yield();
	}
	assert_int_equal(unread, 0);
}

static void
server_deliver(const struct vu_hostile_server *server, int sock, const struct vu_hostile_msg *msg,
	size_t split)
{
	struct vu_hostile_msg *first;

	if (split == 0) {
		vu_hostile_send(sock, msg);
		return;
	}
	first = malloc(sizeof(*first));
	memcpy(first, msg, sizeof(*first));
	first->len = split;
	vu_hostile_send(sock, first);
	free(first);
	server_wait_taken(server, sock);
	vu_hostile_send_bytes(sock, msg->bytes + split, msg->len - split, NULL, 0);
}

/* What the server does. Returns what was tried, for the log. */
static const char *
server_try(const struct vu_hostile_server *server, const char *name,
	const struct vu_hostile_msg *msg, const struct delivery *how, struct outcome *out)
{
	struct vu_hdr hdr = { .id = 0 };
	static char what[256];
	struct vu_conn conn;

	*out = (struct outcome) { .closed = false };
	snprintf(what, sizeof(what), "%s, %s", name, msg->what);
	assert_int_equal(vu_conn_init(&conn, server->connect(server->ctx),
		VU_DEFAULT_MAX_DATA_XFER + VU_CONN_OVERHEAD, VU_SCM_MAX_FD), 0);
	memcpy(&hdr, msg->bytes, RTE_MIN(sizeof(hdr), msg->len));
	out->wanted = vu_conn_answers(&hdr);
	if (how->negotiated)
		server_negotiate(server, &conn);
	server_deliver(server, conn.sock, msg, how->split);
	if (msg->cut)
		shutdown(conn.sock, SHUT_WR);
	else
		server_ping(&conn);
	server_read(server, &conn, hdr.id, out, what);
	vu_conn_fini(&conn);
	return what;
}

/* A VERSION is tried as the first message, where it belongs. */
static void
server_case(const struct vu_hostile_server *server, const char *name,
	const struct vu_hostile_msg *msg, size_t split)
{
	const struct delivery how = { strncmp(name, "version", 7) != 0, split };
	int expect = msg->expect == VU_HOSTILE_BY_REFERENCE ?
		vu_reference_expect(msg, server->served) : msg->expect;
	struct outcome out;
	const char *what = server_try(server, name, msg, &how, &out);

	outcome_check(&out, expect, what);
	/* an answer is not the end, but to the first word */
	if (out.closed && how.negotiated && expect != VU_HOSTILE_ANY && expect != VU_HOSTILE_CLOSE)
		fail_msg("%s: the session ends", what);
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
				server_case(server, vu_goldens[i].name, msg, 0);
	}
	free(msg);
	return nb / step;
}

/* ---- what is right in itself ---- */

/* A golden message as it is. */
static struct vu_hdr
golden_take(unsigned int i, struct vu_hostile_msg *msg)
{
	uint8_t bytes[VU_GOLDEN_MAX];
	size_t len = vu_golden_bytes(&vu_goldens[i], bytes);

	assert_true(vu_hostile_mutate(bytes, len, vu_goldens[i].nb_fds, 0, msg));
	return vu_hostile_hdr(msg);
}

unsigned int
vu_hostile_pieces(const struct vu_hostile_server *server)
{
	struct vu_hostile_msg *msg = malloc(sizeof(*msg));
	unsigned int i, nb = 0;
	struct vu_hdr hdr;
	size_t at;

	for (i = 0; i < vu_goldens_nb; i++) {
		hdr = golden_take(i, msg);
		if (!golden_is_for_server(&hdr))
			continue;
		for (at = 1; at < msg->len; at++, nb++) {
			snprintf(msg->what, sizeof(msg->what), "in two pieces at %zu", at);
			server_case(server, vu_goldens[i].name, msg, at);
		}
	}
	free(msg);
	return nb;
}

static void
order_case(const struct vu_hostile_server *server, unsigned int i, struct vu_hostile_msg *msg,
	bool negotiated)
{
	const struct delivery how = { negotiated, 0 };
	struct vu_hdr hdr = vu_hostile_hdr(msg);
	bool version = hdr.cmd == VU_VERSION;
	bool reply = (hdr.flags & VU_F_TYPE_MASK) == VU_F_TYPE_REPLY;
	const char *what;
	struct outcome out;

	/* where it belongs it is right */
	if (!reply && golden_is_for_server(&hdr) && version != negotiated)
		return;
	snprintf(msg->what, sizeof(msg->what), "out of order, %s VERSION",
		negotiated ? "behind" : "before");
	what = server_try(server, vu_goldens[i].name, msg, &how, &out);
	if (!reply && golden_is_for_server(&hdr))
		outcome_check(&out, EINVAL, what);
	else if (!reply && negotiated)
		outcome_check(&out, ENOSYS, what);
	if (out.closed != (reply || !negotiated))
		fail_msg("%s: the session %s", what, out.closed ? "ends" : "goes on");
}

unsigned int
vu_hostile_order(const struct vu_hostile_server *server)
{
	struct vu_hostile_msg *msg = malloc(sizeof(*msg));
	unsigned int i;

	for (i = 0; i < vu_goldens_nb; i++) {
		golden_take(i, msg);
		order_case(server, i, msg, false);
		order_case(server, i, msg, true);
	}
	free(msg);
	return 2 * vu_goldens_nb;
}
