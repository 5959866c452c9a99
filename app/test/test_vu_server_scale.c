/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What a served device costs, beside the floor: the same bytes over a bare socket. All on one core,
 * which is the steadiest setting.
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

struct size_case {
	const char *read_name;
	const char *write_name;
	uint32_t count;
	unsigned int rounds;
	double most;	/* times the floor */
};

/* Nanoseconds of one round, the average. */
typedef double (*ns_of_many_t)(const struct vu_peer *peer, uint32_t region, uint32_t count,
	unsigned int rounds);

/* With sockets of its own, as the floor: some are faster than others for all their life. */
static double
size_ns(const struct served *served, const struct size_case *c, ns_of_many_t many)
{
	struct vu_peer peer;
	double ns;

	peer_open(&peer, served->path);
	many(&peer, SERVED_LARGE, c->count, c->rounds / 8);
	ns = many(&peer, SERVED_LARGE, c->count, c->rounds - c->rounds / 8);
	peer_close(&peer);
	return ns;
}

static void
measure_size(const struct served *served, const struct size_case *c)
{
	struct vu_floor_runs rd = { .nb = 0 }, wr = { .nb = 0 };
	double floor;
	int run;

	for (run = 0; run < RUNS; run++) {
		floor = vu_floor_ping_pong_ns(32, 32 + c->count, c->rounds);
		vu_floor_run(&rd, size_ns(served, c, read_ns), floor);
		floor = vu_floor_ping_pong_ns(32 + c->count, 32, c->rounds);
		vu_floor_run(&wr, size_ns(served, c, write_ns), floor);
	}
	vu_floor_print(c->read_name, &rd, "bare sockets", c->most);
	vu_floor_print(c->write_name, &wr, "bare sockets", c->most);
}

static void
test_round_trip_of_each_size(void **state)
{
	static const struct size_case sizes[] = {
		{ "server: read of 4 bytes", "server: write of 4 bytes", 4, ROUNDS, 1.10 },
		{ "server: read of 64 KiB", "server: write of 64 KiB", 65536, 300, 1.15 },
		{ "server: read of 1 MiB", "server: write of 1 MiB", 1048576, 30, 1.15 },
	};
	struct served *served = calloc(1, sizeof(*served));
	cpu_set_t saved;
	size_t i;

	(void)state;
	vu_floor_pin(&saved);
	served_start(served, NULL);
	/* what the device does with the data is not the matter here */
	atomic_store(&served->skip_copy, true);
	for (i = 0; i < RTE_DIM(sizes); i++)
		measure_size(served, &sizes[i]);
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
round_trip_ratio(const struct vu_peer *peer)
{
	struct vu_floor_runs runs = { .nb = 0 };
	int run;

	for (run = 0; run < RUNS; run++) {
		double floor = vu_floor_ping_pong_ns(32, 36, ROUNDS);

		vu_floor_run(&runs, read_ns(peer, SERVED_REGS, 4, ROUNDS), floor);
	}
	return vu_floor_ratio(&runs);
}

static void
crowd_print(const char *what, double ratio, double alone)
{
	printf("%s: %.2f bare round trips, %.2fx of alone (at most 1.10x wanted)%s\n", what, ratio,
		ratio / alone, vu_floor_verdict(ratio <= 1.1 * alone));
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
	static const struct {
		const char *name;
		int nb;
	} crowds[] = {
		{ "alone", 0 },
		{ "beside 100 idle sessions", 100 },
		{ "beside 1000 idle sessions", IDLE_MAX },
	};
	struct served *served = calloc(1, sizeof(*served));
	struct crowd crowd = {
		.served = calloc(IDLE_MAX, sizeof(*crowd.served)),
		.peers = calloc(IDLE_MAX, sizeof(*crowd.peers)),
	};
	const struct rlimit fds = { 8192, 8192 };
	struct vu_peer peer;
	cpu_set_t saved;
	double alone = 0, ratio;
	size_t i;

	(void)state;
	if (setrlimit(RLIMIT_NOFILE, &fds) < 0)
		skip();
	vu_floor_pin(&saved);
	served_start(served, NULL);
	peer_open(&peer, served->path);
	for (i = 0; i < RTE_DIM(crowds); i++) {
		crowd_grow(&crowd, crowds[i].nb);
		ratio = round_trip_ratio(&peer);
		alone = i == 0 ? ratio : alone;
		crowd_print(crowds[i].name, ratio, alone);
	}
	crowd_get_stuck(&crowd);
	crowd_print("beside 998 idle and 2 stuck sessions", round_trip_ratio(&peer), alone);
	peer_close(&peer);
	crowd_leave(&crowd);
	served_stop(served);
	free(crowd.served);
	free(crowd.peers);
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
	struct vu_floor_runs runs = { .nb = 0 };
	struct vu_peer peer;
	int run;

	(void)state;
	served_start(served, &opt);
	peer_connect(&peer, served->path);
	peer_send(&peer, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	while (rte_vfio_user_poll(served->dev_id) == 0)
		;
	for (run = 0; run < RUNS; run++) {
		double floor = empty_recv_ns();

		vu_floor_run(&runs, idle_poll_ns(served->dev_id), floor);
	}
	vu_floor_print("idle poll", &runs, "empty receive", 1.64);
	peer_close(&peer);
	served_stop(served);
	free(served);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_round_trip_of_each_size),
	cmocka_unit_test(test_round_trip_beside_many_sessions),
	cmocka_unit_test(test_idle_poll),
};

TEST_SUITE(vu_server_scale, "benchmark", tests, NULL, NULL)
