/* SPDX-License-Identifier: BSD-3-Clause */

/* Every hostile message against a served device; the session beside it does not notice. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vu_hostile.h"
#include "vu_served.h"

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

static const struct CMUnitTest tests[] = {
	SERVED_TEST(test_hostile_messages),
	SERVED_TEST(test_commands_in_two_pieces),
	SERVED_TEST(test_messages_out_of_order),
};

TEST_SUITE(vu_server_hostile, "functional", tests, served_warm_up, NULL)
