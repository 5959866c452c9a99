/* SPDX-License-Identifier: BSD-3-Clause */

/* Every hostile message against a served device; the session beside it does not notice. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_golden.h"
#include "vu_hostile.h"
#include "vu_reference.h"
#include "vu_served.h"
#include "vu_unshared.h"

#include "test.h"

static int
hostile_connect(void *ctx)
{
	struct served *served = ctx;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(sock >= 0);
	memcpy(addr.sun_path, served->path, strlen(served->path));
	assert_int_equal(connect(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return sock;
}

static void
test_hostile_messages(void **state)
{
	struct served *served = *state;
	struct vu_hostile_server server = { .connect = hostile_connect, .ctx = served,
		.served = true };
	struct served *other = calloc(1, sizeof(*other));
	uint32_t value = 0x600d;
	struct vu_peer peer;

	served_start(other, NULL);
	peer_open(&peer, other->path);
	assert_true(vu_hostile_server(&server) > 1000);
	assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &value, sizeof(value)), 0);
	assert_int_equal(other->new_device, 1);
	assert_int_equal(other->destroy_device, 0);
	peer_close(&peer);
	served_wait(&other->destroy_device, 1);
	served_stop(other);
	free(other);
	peer_open(&peer, served->path);
	assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &value, sizeof(value)), 0);
	peer_close(&peer);
}

static void
test_commands_in_two_pieces(void **state)
{
	struct vu_hostile_server server = { .connect = hostile_connect, .ctx = *state,
		.served = true };

	assert_true(vu_hostile_pieces(&server) > 1000);
}

static void
test_messages_out_of_order(void **state)
{
	struct vu_hostile_server server = { .connect = hostile_connect, .ctx = *state,
		.served = true };

	assert_true(vu_hostile_order(&server) > 100);
}

/* ---- what a client answers to the device ---- */

struct access {
	struct served *served;
	const struct vu_golden *reply;
	bool twin;
};

/* The device has asked on this line. Returns false if there are not so many wrong answers. */
static bool
access_answer(const struct access *access, struct vu_peer *line, unsigned int nth,
	struct vu_hostile_msg *msg)
{
	uint8_t bytes[VU_GOLDEN_MAX];
	size_t len = vu_golden_bytes(access->reply, bytes);
	struct vu_dma_access asked;
	struct vu_hdr hdr;

	memcpy(&hdr, bytes, sizeof(hdr));
	unshared_expect(line, hdr.cmd, &asked);
	memcpy(bytes, &line->hdr.id, sizeof(line->hdr.id));
	if (!vu_hostile_mutate(bytes, len, 0, nth, msg))
		return false;
	vu_hostile_send(line->sock, msg);
	if (msg->cut)
		shutdown(line->sock, SHUT_WR);
	return true;
}

static void
access_check(const struct access *access, const struct vu_hostile_msg *msg, struct vu_peer *peer,
	int rc)
{
	int expect = msg->expect == VU_HOSTILE_BY_REFERENCE ?
		vu_reference_expect_access(msg, access->twin) : msg->expect;
	uint32_t value;

	if (expect == VU_HOSTILE_ANY)
		return;
	if ((rc == 0) != (expect == VU_HOSTILE_GOOD))
		fail_msg("%s on the %s socket, %s: %d", access->reply->name,
			access->twin ? "second" : "only", msg->what, rc);
	if (expect == VU_HOSTILE_GOOD || expect == VU_HOSTILE_FAIL)
		assert_int_equal(peer_read(peer, SERVED_REGS, 0, &value, sizeof(value)), 0);
}

static bool
access_case(const struct access *access, unsigned int nth, struct vu_hostile_msg *msg)
{
	uint8_t buf[VU_REFERENCE_ACCESS_LEN] = { 1, 2, 3, 4 };
	struct unshared_worker w = { .served = access->served, .buf = buf, .len = sizeof(buf),
		.addr = VU_REFERENCE_ACCESS_ADDR,
		.write = strncmp(access->reply->name, "dma_write", 9) == 0 };
	struct vu_peer peer, twin = { .sock = -1 };
	bool more;
	int rc;

	peer_connect(&peer, access->served->path);
	assert_int_equal(peer_version(&peer, access->twin ? TWIN_JSON : SMALL_JSON), 0);
	if (access->twin)
		peer_adopt(&twin, peer_take_fd(&peer, 0));
	assert_int_equal(peer_map(&peer, VU_REFERENCE_ADDR, VU_REFERENCE_SIZE, RW, -1, 0), 0);
	unshared_worker_start(&w);
	more = access_answer(access, access->twin ? &twin : &peer, nth, msg);
	rc = unshared_worker_join(&w);
	if (more)
		access_check(access, msg, &peer, rc);
	if (access->twin)
		peer_close(&twin);
	peer_close(&peer);
	return more;
}

static void
test_answers_to_the_device(void **state)
{
	static const char *const names[] = { "dma_read_reply", "dma_write_reply",
		"dma_write_u32_count_reply", "dma_write_bare_reply" };
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .request_timeout_ms = 1000 };
	struct vu_hostile_msg *msg = malloc(sizeof(*msg));
	struct access access = { .served = *state };
	unsigned int i, nth, nb = 0;

	unshared_restart(access.served, &opt);
	for (i = 0; i < 2 * RTE_DIM(names); i++) {
		access.reply = vu_golden_find(names[i / 2]);
		access.twin = i % 2 != 0;
		for (nth = 0; access_case(&access, nth, msg); nth++)
			nb++;
	}
	free(msg);
	assert_true(nb > 500);
}

static const struct CMUnitTest tests[] = {
	SERVED_TEST(test_hostile_messages),
	SERVED_TEST(test_commands_in_two_pieces),
	SERVED_TEST(test_messages_out_of_order),
	SERVED_TEST(test_answers_to_the_device),
};

TEST_SUITE(vu_server_hostile, "functional", tests, served_warm_up, NULL)
