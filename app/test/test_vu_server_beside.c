/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What comes to a session while the control thread is in a callback of another one: it is told of
 * all of it at the same time.
 */

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "interpose.h"
#include "vu_served.h"

#include "test.h"
#include "vu_bystander.h"
#include "vu_unshared.h"

/* More than the session lets wait for its client, and less than the socket takes. */
#define MUCH (270u << 10)
#define SOCKET_ROOM (208u << 10)

static sem_t entered, sent;

static int
hook_hold(struct served *served, uint64_t value)
{
	(void)served;
	(void)value;
	sem_post(&entered);
	return sem_wait(&sent) == 0 ? 0 : -errno;
}

/* The control thread is in a callback of this one's device until `sent` is posted. */
static void
bystander_hold(struct bystander *b)
{
	const uint64_t hook = 0;

	bystander_start(b);
	sem_init(&entered, 0, 0);
	sem_init(&sent, 0, 0);
	b->served.hook = hook_hold;
	peer_post(&b->peer, SERVED_REGS, SERVED_REG_HOOK, &hook, sizeof(hook));
	sem_wait(&entered);
}

/* Serve a client whose socket has room for much. */
static void
roomy_open(struct vu_peer *peer, struct served *served)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt),
		.flags = RTE_VFIO_USER_F_SOCK_FD };
	const int room = SOCKET_ROOM;
	int sock[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	assert_int_equal(setsockopt(sock[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	opt.sock_fd = sock[1];
	served_start(served, &opt);
	peer_adopt(peer, sock[0]);
	assert_int_equal(peer_version(peer, "{}"), 0);
	assert_int_equal(peer_map(peer, BASE, SIZE, RW, -1, 0), 0);
}

/*
 * Both are told of at the same time, and the socket takes nothing at first: while that much waits,
 * nothing is received, but then it is.
 */
static void
test_command_comes_beside_a_long_write(void **state)
{
	const struct vu_region_access access = { .region = SERVED_REGS, .count = 4 };
	struct unshared_worker w = { .write = true, .addr = BASE, .len = MUCH };
	struct served served = { .map_fd = -1 };
	struct bystander b;
	struct vu_peer peer;
	struct vu_dma_access wanted;

	(void)state;
	w.served = &served;
	w.buf = calloc(1, w.len);
	roomy_open(&peer, &served);
	bystander_hold(&b);
	peer_send(&peer, VU_REGION_READ, 0, &access, sizeof(access), NULL, 0);
	interpose_fail(INTERPOSE_ONLY(WRITE) | INTERPOSE_ONLY(SENDMSG), 2, EAGAIN);
	unshared_worker_start(&w);
	while (interpose_count_of(INTERPOSE_WRITE) == 0)
		usleep(1000);
	usleep(1000);
	sem_post(&sent);
	unshared_expect(&peer, VU_DMA_WRITE, &wanted);
	interpose_disarm();
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.cmd, VU_REGION_READ);
	peer_close(&peer);
	assert_int_equal(unshared_worker_join(&w), -ENODEV);
	bystander_stop(&b);
	served_stop(&served);
	free(w.buf);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_command_comes_beside_a_long_write),
};

TEST_SUITE(vu_server_beside, "functional", tests, served_warm_up_sessions, NULL)
