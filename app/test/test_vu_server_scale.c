/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What a served device costs, beside the floor: the same bytes over a bare socket. All on one core,
 * which is the steadiest setting. Each figure is the best of some runs.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_floor.h"
#include "vu_served.h"

#include "test.h"

#define RUNS   25
#define ROUNDS 1000u

static void
keep_best(double *best, double value)
{
	if (*best == 0 || value < *best)
		*best = value;
}

/* ---- a client that does no more than it must ---- */

struct read_request {
	struct vu_hdr hdr;
	struct vu_region_access access;
};

static void
receive_all(int sock, char *buf, size_t len)
{
	ssize_t n;

	for (; len > 0; len -= (size_t)n) {
		n = recv(sock, buf, len, 0);
		assert_true(n > 0);
	}
}

static double
read_ns(const struct vu_peer *peer, uint32_t region, uint32_t count, unsigned int rounds)
{
	struct read_request request = {
		.hdr = { .cmd = VU_REGION_READ, .size = sizeof(request) },
		.access = { .region = region, .count = count },
	};
	size_t len = sizeof(request) + count;
	char *reply = malloc(len);
	double start = vu_floor_now_ns();
	unsigned int i;

	for (i = 0; i < rounds; i++) {
		assert_int_equal(send(peer->sock, &request, sizeof(request), 0), sizeof(request));
		receive_all(peer->sock, reply, len);
	}
	start = vu_floor_now_ns() - start;
	free(reply);
	return start / rounds;
}

static void
send_all(int sock, const char *buf, size_t len)
{
	ssize_t n;

	for (; len > 0; buf += n, len -= (size_t)n) {
		n = send(sock, buf, len, 0);
		assert_true(n > 0);
	}
}

static double
write_ns(const struct vu_peer *peer, uint32_t region, uint32_t count, unsigned int rounds)
{
	size_t len = sizeof(struct read_request) + count;
	struct read_request *request = calloc(1, len);
	struct read_request reply;
	double start;
	unsigned int i;

	request->hdr.cmd = VU_REGION_WRITE;
	request->hdr.size = (uint32_t)len;
	request->access.region = region;
	request->access.count = count;
	start = vu_floor_now_ns();
	for (i = 0; i < rounds; i++) {
		send_all(peer->sock, (char *)request, len);
		receive_all(peer->sock, (char *)&reply, sizeof(reply));
	}
	start = vu_floor_now_ns() - start;
	free(request);
	return start / rounds;
}

/* ---- round trips ---- */

static void
test_round_trip_of_each_size(void **state)
{
	static const struct {
		const char *name;
		uint32_t count;
		unsigned int rounds;
	} sizes[] = { { "4 B", 4, ROUNDS }, { "64 KiB", 65536, 300 }, { "1 MiB", 1048576, 30 } };
	struct served *served = calloc(1, sizeof(*served));
	struct vu_peer peer;
	double rd, wr, rd_floor, wr_floor;
	cpu_set_t saved;
	size_t i;
	int run;

	(void)state;
	vu_floor_pin(&saved);
	served_start(served, NULL);
	/* what the device does with the data is not the matter here */
	atomic_store(&served->skip_copy, true);
	peer_open(&peer, served->path);
	for (i = 0; i < RTE_DIM(sizes); i++) {
		uint32_t count = sizes[i].count;
		unsigned int rounds = sizes[i].rounds;

		rd = wr = rd_floor = wr_floor = 0;
		for (run = 0; run < RUNS; run++) {
			keep_best(&rd_floor, vu_floor_ping_pong_ns(32, 32 + count, rounds));
			keep_best(&rd, read_ns(&peer, SERVED_LARGE, count, rounds));
			keep_best(&wr_floor, vu_floor_ping_pong_ns(32 + count, 32, rounds));
			keep_best(&wr, write_ns(&peer, SERVED_LARGE, count, rounds));
		}
		print_message("read %s: %.0f ns, bare %.0f ns, ratio %.2f\n", sizes[i].name, rd,
			rd_floor, rd / rd_floor);
		print_message("write %s: %.0f ns, bare %.0f ns, ratio %.2f\n", sizes[i].name, wr,
			wr_floor, wr / wr_floor);
	}
	peer_close(&peer);
	served_stop(served);
	free(served);
	vu_floor_unpin(&saved);
}

/* ---- many sessions ---- */

#define IDLE_MAX 1000

struct crowd {
	struct served *served;
	struct vu_peer *peers;
	int nb;
};

static void
crowd_grow(struct crowd *crowd, int nb)
{
	for (; crowd->nb < nb; crowd->nb++) {
		served_start(&crowd->served[crowd->nb], NULL);
		peer_open(&crowd->peers[crowd->nb], crowd->served[crowd->nb].path);
	}
}

static void
crowd_leave(struct crowd *crowd)
{
	while (crowd->nb > 0) {
		crowd->nb--;
		peer_close(&crowd->peers[crowd->nb]);
		served_stop(&crowd->served[crowd->nb]);
	}
}

/* In units of the bare round trip, measured in turn with it. */
static double
round_trip_ratio(const struct vu_peer *peer, double *ns)
{
	double floor = 0;
	int run;

	*ns = 0;
	for (run = 0; run < RUNS; run++) {
		keep_best(&floor, vu_floor_ping_pong_ns(32, 36, ROUNDS));
		keep_best(ns, read_ns(peer, SERVED_REGS, 4, ROUNDS));
	}
	return *ns / floor;
}

/* Stopped in the middle of a header, and not reading a megabyte of replies. */
static void
crowd_get_stuck(struct crowd *crowd)
{
	struct vu_region_access access = { .region = SERVED_LARGE, .count = 1048576 };
	int i;

	peer_send_raw(&crowd->peers[0], "\0\0\0", 3, NULL, 0);
	for (i = 0; i < 4; i++)
		peer_send(&crowd->peers[1], VU_REGION_READ, 0, &access, sizeof(access), NULL, 0);
}

static void
test_round_trip_beside_many_sessions(void **state)
{
	static const int crowds[] = { 0, 100, IDLE_MAX };
	struct served *served = calloc(1, sizeof(*served));
	struct crowd crowd = {
		.served = calloc(IDLE_MAX, sizeof(*crowd.served)),
		.peers = calloc(IDLE_MAX, sizeof(*crowd.peers)),
	};
	const struct rlimit fds = { 8192, 8192 };
	struct vu_peer peer;
	cpu_set_t saved;
	double ratio, ns;
	size_t i;

	(void)state;
	if (setrlimit(RLIMIT_NOFILE, &fds) < 0)
		skip();
	vu_floor_pin(&saved);
	served_start(served, NULL);
	peer_open(&peer, served->path);
	for (i = 0; i < RTE_DIM(crowds); i++) {
		crowd_grow(&crowd, crowds[i]);
		ratio = round_trip_ratio(&peer, &ns);
		print_message("beside %d idle sessions: %.0f ns, %.2f bare round trips\n",
			crowds[i], ns, ratio);
	}
	crowd_get_stuck(&crowd);
	ratio = round_trip_ratio(&peer, &ns);
	print_message("beside %d idle and 2 stuck sessions: %.0f ns, %.2f bare round trips\n",
		IDLE_MAX - 2, ns, ratio);
	peer_close(&peer);
	crowd_leave(&crowd);
	served_stop(served);
	free(crowd.served);
	free(crowd.peers);
	free(served);
	vu_floor_unpin(&saved);
}

/* ---- posted writes ---- */

#define POSTED    320000u
#define PER_SEND  16u

struct posted {
	struct vu_hdr hdr;
	struct vu_region_access access;
	uint32_t value;
} __rte_packed;

static double
posted_per_s(struct served *served, struct vu_peer *peer)
{
	static const struct posted posted = {
		.hdr = { .cmd = VU_REGION_WRITE, .size = 36, .flags = VU_F_NO_REPLY },
		.access = { .offset = 0x10, .region = SERVED_REGS, .count = 4 },
	};
	struct vu_floor_sender sender = {
		.sock = peer->sock,
		.msg = &posted,
		.size = sizeof(posted),
		.per_send = PER_SEND,
		.total = POSTED,
	};
	uint64_t before = atomic_load(&served->writes);
	double start = vu_floor_now_ns();
	uint32_t value;

	vu_floor_sender_start(&sender);
	vu_floor_sender_join(&sender);
	assert_int_equal(peer_read(peer, SERVED_REGS, 0, &value, sizeof(value)), 0);
	start = vu_floor_now_ns() - start;
	assert_int_equal(atomic_load(&served->writes) - before, POSTED);
	return POSTED / start * 1e9;
}

static void
test_posted_writes(void **state)
{
	struct served *served = calloc(1, sizeof(*served));
	double ours = 0, floor = 0;
	struct vu_peer peer;
	cpu_set_t saved;
	int run;

	(void)state;
	vu_floor_pin(&saved);
	served_start(served, NULL);
	peer_open(&peer, served->path);
	for (run = 0; run < RUNS / 3; run++) {
		floor = RTE_MAX(floor, vu_floor_swallow_per_s(36, PER_SEND, POSTED));
		ours = RTE_MAX(ours, posted_per_s(served, &peer));
	}
	print_message("posted writes: %.2f million/s, bare receiver %.2f, ratio %.2f\n",
		ours / 1e6, floor / 1e6, ours / floor);
	peer_close(&peer);
	served_stop(served);
	free(served);
	vu_floor_unpin(&saved);
}

/* ---- poll mode ---- */

#define POLLS 50000u

static double
idle_poll_ns(int dev_id)
{
	double start = vu_floor_now_ns();
	unsigned int i;

	for (i = 0; i < POLLS; i++)
		assert_int_equal(rte_vfio_user_poll(dev_id), 0);
	return (vu_floor_now_ns() - start) / POLLS;
}

static double
empty_recv_ns(void)
{
	int sock[2];
	unsigned int i;
	double start;
	char buf[64];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	start = vu_floor_now_ns();
	for (i = 0; i < POLLS; i++)
		assert_int_equal(recv(sock[0], buf, sizeof(buf), MSG_DONTWAIT), -1);
	start = vu_floor_now_ns() - start;
	close(sock[0]);
	close(sock[1]);
	return start / POLLS;
}

static void
test_idle_poll(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = RTE_VFIO_USER_F_POLL };
	struct served *served = calloc(1, sizeof(*served));
	double ours = 0, floor = 0;
	struct vu_peer peer;
	int run;

	(void)state;
	served_start(served, &opt);
	peer_connect(&peer, served->path);
	peer_send(&peer, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	while (rte_vfio_user_poll(served->dev_id) == 0)
		;
	for (run = 0; run < RUNS; run++) {
		keep_best(&floor, empty_recv_ns());
		keep_best(&ours, idle_poll_ns(served->dev_id));
	}
	print_message("idle poll: %.0f ns, empty receive %.0f ns, ratio %.2f\n", ours, floor,
		ours / floor);
	peer_close(&peer);
	served_stop(served);
	free(served);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_round_trip_of_each_size),
	cmocka_unit_test(test_round_trip_beside_many_sessions),
	cmocka_unit_test(test_posted_writes),
	cmocka_unit_test(test_idle_poll),
};

TEST_SUITE(vu_server_scale, "benchmark", tests, NULL, NULL)
