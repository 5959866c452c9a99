/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_cmd.h"
#include "vu_codec.h"
#include "vu_conn.h"

#include "resources.h"
#include "test.h"
#include "vu_decode.h"
#include "vu_golden.h"
#include "vu_hostile.h"

#define MAX_SIZE (VU_DEFAULT_MAX_DATA_XFER + VU_CONN_OVERHEAD)

/*
 * The smallest session that the lower layers make possible: it checks and reads what comes, agrees
 * to everything that makes sense, and does nothing.
 */
struct little_server {
	struct vu_conn conn;
	bool open;
	bool negotiated;
};

static void
little_close(struct little_server *server)
{
	if (server->open)
		vu_conn_fini(&server->conn);
	server->open = false;
}

static int
little_connect(void *ctx)
{
	struct little_server *server = ctx;
	int sock[2];

	little_close(server);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	assert_int_equal(vu_conn_init(&server->conn, sock[0], MAX_SIZE, 8), 0);
	server->open = true;
	server->negotiated = false;
	return sock[1];
}

static int
little_version(struct little_server *server, const struct vu_rx_msg *msg)
{
	const struct vu_version version = { .major = 0 };
	uintptr_t base = (uintptr_t)&version;
	struct iovec iov = { (void *)base, sizeof(version) };
	int rc = vu_decode_request(msg);

	if (server->negotiated || msg->hdr.cmd != VU_VERSION)
		rc = -EINVAL;
	server->negotiated = true;
	if (rc == 0)
		return vu_conn_reply(&server->conn, &msg->hdr, &iov, 1, NULL, 0);
	vu_conn_reply_error(&server->conn, &msg->hdr, rc);
	return rc;
}

/* Returns < 0 if the connection is to be closed. */
static int
little_handle(struct little_server *server, const struct vu_rx_msg *msg)
{
	int rc;

	if ((msg->hdr.flags & VU_F_TYPE_MASK) != VU_F_TYPE_COMMAND)
		return -EPROTO;
	if (!server->negotiated || msg->hdr.cmd == VU_VERSION)
		return little_version(server, msg);
	rc = vu_decode_request(msg);
	if (rc == 0 && vu_cmd_desc(msg->hdr.cmd)->dir != VU_TO_SERVER)
		rc = -ENOSYS;
	if (rc < 0)
		rc = vu_conn_reply_error(&server->conn, &msg->hdr, rc);
	else
		rc = vu_conn_reply(&server->conn, &msg->hdr, NULL, 0, NULL, 0);
	return rc < 0 ? rc : 0;
}

static void
little_pump(void *ctx)
{
	struct little_server *server = ctx;
	struct vu_rx_msg msg;
	int rc;

	while (server->open) {
		rc = vu_conn_fill(&server->conn);
		if (rc == -EAGAIN)
			return;
		while (rc > 0 && (rc = vu_conn_next(&server->conn, &msg)) == 1)
			rc = little_handle(server, &msg) < 0 ? -1 : 1;
		if (rc < 0)
			little_close(server);
	}
}

static void
test_every_hostile_command_is_refused_or_understood(void **state)
{
	struct little_server little = { .open = false };
	struct vu_hostile_server server = {
		.connect = little_connect,
		.pump = little_pump,
		.ctx = &little,
	};
	struct resources before;
	unsigned int nb;

	(void)state;
	resources_take(&before);
	nb = vu_hostile_server(&server);
	little_close(&little);
	resources_assert_same(&before);
	resources_drop(&before);
	print_message("%u hostile messages\n", nb);
	assert_true(nb > 5000);
}

/* What a client thinks of them is not said here, but that it survives them. */
static int
decode_exactly(const struct vu_hostile_msg *hostile)
{
	/* on the heap and just as long as it is: a sanitizer sees each byte behind */
	size_t len = hostile->len - sizeof(struct vu_hdr);
	uint8_t *payload = malloc(len);
	struct vu_fds fds = { .nb = hostile->nb_fds };
	struct vu_rx_msg msg = { .payload = payload, .len = len, .fds = &fds };
	int rc;

	memcpy(&msg.hdr, hostile->bytes, sizeof(msg.hdr));
	memcpy(payload, hostile->bytes + sizeof(msg.hdr), len);
	rc = vu_decode_reply(&msg);
	free(payload);
	return rc;
}

static void
test_every_hostile_reply_is_survived(void **state)
{
	struct vu_hostile_msg *out = malloc(sizeof(*out));
	uint8_t bytes[VU_GOLDEN_MAX];
	unsigned int i, nth, refused = 0;
	size_t len;

	(void)state;
	for (i = 0; i < vu_goldens_nb; i++) {
		len = vu_golden_bytes(&vu_goldens[i], bytes);
		for (nth = 0; vu_hostile_mutate(bytes, len, vu_goldens[i].nb_fds, nth, out); nth++)
			if (!out->cut)
				refused += decode_exactly(out) < 0;
	}
	free(out);
	assert_true(refused > 1000);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_every_hostile_command_is_refused_or_understood),
	cmocka_unit_test(test_every_hostile_reply_is_survived),
};

TEST_SUITE(vu_hostile, "functional", tests, NULL, NULL)
