/* SPDX-License-Identifier: BSD-3-Clause */

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_cmd.h"
#include "vu_conn.h"

#include "test.h"
#include "vu_floor.h"

/*
 * Each figure is the best of so many runs, taken in turn with its floor: short ones, some of which
 * nothing else on the machine gets in the way of.
 */
#define RUNS 40

#define MAX_SIZE (1048576u + VU_CONN_OVERHEAD)

/* REGION_WRITE of 4 bytes that wants no reply. */
struct posted {
	struct vu_hdr hdr;
	struct vu_region_access access;
	uint32_t value;
} __rte_packed;

static const struct posted posted = {
	.hdr = { .cmd = VU_REGION_WRITE, .size = sizeof(posted), .flags = VU_F_NO_REPLY },
	.access = { .offset = 0x10, .count = 4 },
	.value = 0x12345678,
};

static void
keep_best(double *best, double value)
{
	if (*best == 0 || value < *best)
		*best = value;
}

/* ---- parsing what is in the buffer ---- */

#define PARSE_BYTES (65536u / sizeof(struct posted) * sizeof(struct posted))
#define PARSE_ROUNDS 20u

static unsigned int
parse_all(struct vu_rx *rx)
{
	struct vu_rx_msg msg;
	unsigned int nb = 0;

	rx->head = 0;
	rx->tail = PARSE_BYTES;
	while (vu_rx_next(rx, &msg) == 1)
		nb += vu_request_check(msg.hdr.cmd, VU_TO_SERVER, msg.payload, msg.len,
				msg.fds->nb) == 0;
	return nb;
}

static double
parse_ns(struct vu_rx *rx)
{
	double start = vu_floor_now_ns();
	unsigned int i, nb = 0;

	for (i = 0; i < PARSE_ROUNDS; i++)
		nb += parse_all(rx);
	assert_int_equal(nb, PARSE_ROUNDS * (PARSE_BYTES / sizeof(struct posted)));
	return (vu_floor_now_ns() - start) / nb;
}

/* The same messages, copied out one by one and looked at no further. */
static double
copy_ns(const struct vu_rx *rx)
{
	unsigned int i, nb = PARSE_BYTES / sizeof(struct posted);
	volatile uint32_t sink = 0;
	struct posted out;
	double start = vu_floor_now_ns();

	for (i = 0; i < PARSE_ROUNDS * nb; i++) {
		memcpy(&out, rx->buf + i % nb * sizeof(out), sizeof(out));
		sink = sink + out.value;
	}
	return (vu_floor_now_ns() - start) / (PARSE_ROUNDS * nb);
}

static void
bench_parse(void **state)
{
	double parse = 0, copy = 0;
	struct vu_rx rx;
	unsigned int i;

	(void)state;
	assert_int_equal(vu_rx_init(&rx, MAX_SIZE, 8), 0);
	for (i = 0; i < PARSE_BYTES; i += sizeof(posted))
		memcpy(rx.buf + i, &posted, sizeof(posted));
	for (i = 0; i < RUNS; i++) {
		keep_best(&copy, copy_ns(&rx));
		keep_best(&parse, parse_ns(&rx));
	}
	printf("parse and check a posted write: %.1f ns (%.0f M/s), "
		"copy of its bytes %.1f ns: %.2fx\n",
		parse, 1e3 / parse, copy, parse / copy);
	vu_rx_fini(&rx);
}

/* ---- round trips through two connections, nothing but the connections ---- */

struct echo {
	struct vu_conn conn;
	size_t reply;
	unsigned int rounds;
};

static void
conn_take(struct vu_conn *conn, struct vu_rx_msg *msg)
{
	int rc;

	while ((rc = vu_conn_next(conn, msg)) == 0)
		assert_true(vu_conn_fill_wait(conn) > 0);
	assert_int_equal(rc, 1);
}

static void *
echo_run(void *arg)
{
	struct echo *echo = arg;
	struct vu_rx_msg msg;
	unsigned int i;
	void *payload;
	int rc;

	for (i = 0; i < echo->rounds; i++) {
		conn_take(&echo->conn, &msg);
		payload = vu_conn_reply_begin(&echo->conn, echo->reply);
		assert_non_null(payload);
		memcpy(payload, msg.payload, sizeof(struct vu_region_access));
		rc = vu_conn_reply_end(&echo->conn, &msg.hdr, echo->reply);
		while (rc == 1) {
			struct pollfd pfd = { .fd = echo->conn.sock, .events = POLLOUT };

			poll(&pfd, 1, -1);
			rc = vu_conn_flush(&echo->conn);
		}
		assert_int_equal(rc, 0);
	}
	return NULL;
}

/* As a client reads: data go to their place when they are long. */
static void
ask(struct vu_conn *conn, uint16_t id, size_t request, size_t reply, char *data)
{
	struct vu_region_access access = { .count = 4 };
	struct vu_hdr hdr = { .id = id, .cmd = VU_REGION_READ };
	struct iovec iov[2] = {
		{ &access, sizeof(access) },
		{ data, request - sizeof(access) },
	};
	struct vu_rx_msg msg;

	if (reply > 4096)
		vu_rx_expect(&conn->rx, id, VU_REGION_READ, data, reply - sizeof(access));
	assert_int_equal(vu_conn_send_wait(conn, &hdr, iov, request > sizeof(access) ? 2 : 1,
		NULL, 0), 0);
	conn_take(conn, &msg);
	assert_int_equal(msg.len, reply);
}

static double
round_trip_ns(size_t request, size_t reply, unsigned int rounds)
{
	struct echo echo = { .reply = reply, .rounds = rounds };
	char *data = calloc(1, request + reply);
	struct vu_conn conn;
	cpu_set_t saved;
	pthread_t thread;
	unsigned int warm = rounds / 8;
	unsigned int i;
	double ns = 0;
	int sock[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	assert_int_equal(vu_conn_init(&conn, sock[0], MAX_SIZE, 8), 0);
	assert_int_equal(vu_conn_init(&echo.conn, sock[1], MAX_SIZE, 8), 0);
	vu_floor_pin(&saved);
	assert_int_equal(pthread_create(&thread, NULL, echo_run, &echo), 0);
	for (i = 0; i < rounds; i++) {
		if (i == warm)
			ns = vu_floor_now_ns();
		ask(&conn, (uint16_t)i, request, reply, data);
	}
	ns = vu_floor_now_ns() - ns;
	pthread_join(thread, NULL);
	vu_floor_unpin(&saved);
	vu_conn_fini(&conn);
	vu_conn_fini(&echo.conn);
	free(data);
	return ns / (rounds - warm);
}

static void
bench_round_trip(void **state)
{
	static const struct {
		const char *name;
		size_t request;
		size_t reply;
		unsigned int rounds;
	} cases[] = {
		{ "read of 4 bytes", 16, 20, 800 },
		{ "write of 4 bytes", 20, 16, 800 },
		{ "read of 64 KiB", 16, 16 + 65536, 200 },
		{ "write of 64 KiB", 16 + 65536, 16, 200 },
		{ "read of 1 MiB", 16, 16 + 1048576, 24 },
		{ "write of 1 MiB", 16 + 1048576, 16, 24 },
	};
	unsigned int i, run;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		double ours = 0, bare = 0;

		for (run = 0; run < RUNS; run++) {
			keep_best(&bare, vu_floor_ping_pong_ns(16 + cases[i].request,
				16 + cases[i].reply, cases[i].rounds));
			keep_best(&ours, round_trip_ns(cases[i].request, cases[i].reply,
				cases[i].rounds));
		}
		printf("%s, connections only: %.1f us, bare sockets %.1f us: %.2fx\n",
			cases[i].name, ours / 1e3, bare / 1e3, ours / bare);
	}
}

/* ---- posted writes ---- */

#define POSTED_TOTAL 64000u

static double
posted_per_s(void)
{
	struct vu_floor_sender sender = {
		.msg = &posted,
		.size = sizeof(posted),
		.per_send = 16,
		.total = POSTED_TOTAL,
	};
	struct vu_conn conn;
	struct vu_rx_msg msg;
	cpu_set_t saved;
	unsigned int i;
	int sock[2];
	double ns;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	assert_int_equal(vu_conn_init(&conn, sock[0], MAX_SIZE, 8), 0);
	sender.sock = sock[1];
	vu_floor_pin(&saved);
	vu_floor_sender_start(&sender);
	ns = vu_floor_now_ns();
	for (i = 0; i < POSTED_TOTAL; i++)
		conn_take(&conn, &msg);
	ns = vu_floor_now_ns() - ns;
	vu_floor_sender_join(&sender);
	vu_floor_unpin(&saved);
	vu_conn_fini(&conn);
	close(sock[1]);
	return POSTED_TOTAL / ns * 1e9;
}

static void
bench_posted(void **state)
{
	double ours = 0, bare = 0, rate;
	unsigned int run;

	(void)state;
	for (run = 0; run < RUNS; run++) {
		rate = vu_floor_swallow_per_s(sizeof(posted), 16, POSTED_TOTAL);
		bare = RTE_MAX(bare, rate);
		rate = posted_per_s();
		ours = RTE_MAX(ours, rate);
	}
	printf("posted writes, 16 a send, connection only: %.2f M/s, "
		"bare receiver %.2f M/s: %.2fx\n",
		ours / 1e6, bare / 1e6, ours / bare);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bench_parse),
	cmocka_unit_test(bench_round_trip),
	cmocka_unit_test(bench_posted),
};

TEST_SUITE(vu_wire, "benchmark", tests, NULL, NULL)
