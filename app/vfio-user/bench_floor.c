/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>

#include "bench_floor.h"

#define SWALLOW_BYTES 65536u

double
bench_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static bool
send_all(int sock, const char *buf, size_t len)
{
	ssize_t n;

	for (; len > 0; buf += n, len -= (size_t)n) {
		n = send(sock, buf, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool
receive_all(int sock, char *buf, size_t len)
{
	ssize_t n;

	for (; len > 0; buf += n, len -= (size_t)n) {
		n = recv(sock, buf, len, 0);
		if (n <= 0)
			return false;
	}
	return true;
}

/* ---- the other process ---- */

struct floor {
	int sock;	/* ours, then that of the other process */
	pid_t pid;
	size_t request;	/* bytes; of all of them where there is one answer */
	size_t reply;	/* bytes */
	size_t room;	/* bytes */
	char *buf;	/* each process has its own */
};

static int
floor_fork(struct floor *floor, void (*run)(const struct floor *floor))
{
	int sock[2];
	int rc = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0)
		return -errno;
	floor->pid = fork();
	floor->sock = sock[floor->pid == 0];
	close(sock[floor->pid != 0]);
	if (floor->pid == 0) {
		run(floor);
		_exit(EXIT_SUCCESS);
	}
	if (floor->pid < 0) {
		rc = -errno;
		close(sock[0]);
	}
	return rc;
}

static int
floor_open(struct floor *floor, void (*run)(const struct floor *floor))
{
	int rc;

	floor->buf = calloc(1, floor->room);
	rc = floor->buf == NULL ? -ENOMEM : floor_fork(floor, run);
	if (rc < 0)
		free(floor->buf);
	return rc;
}

/* It ends when there is nothing more to receive. */
static void
floor_close(struct floor *floor)
{
	close(floor->sock);
	while (waitpid(floor->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(floor->buf);
}

/* ---- round trips ---- */

static void
echo_run(const struct floor *floor)
{
	while (receive_all(floor->sock, floor->buf, floor->request) &&
			send_all(floor->sock, floor->buf, floor->reply))
		;
}

static bool
ask(const struct floor *floor, unsigned int rounds)
{
	bool ok = true;

	for (; rounds > 0 && ok; rounds--)
		ok = send_all(floor->sock, floor->buf, floor->request) &&
			receive_all(floor->sock, floor->buf, floor->reply);
	return ok;
}

int
bench_floor_ping_pong(size_t request, size_t reply, unsigned int rounds, double *us)
{
	struct floor floor = { .request = request, .reply = reply,
		.room = RTE_MAX(request, reply) };
	const unsigned int warm = bench_warm_up(rounds);
	double start;
	int rc;

	rc = floor_open(&floor, echo_run);
	if (rc < 0)
		return rc;
	rc = ask(&floor, warm) ? 0 : -EPIPE;
	start = bench_now_us();
	if (rc == 0 && !ask(&floor, rounds - warm))
		rc = -EPIPE;
	*us = (bench_now_us() - start) / (rounds - warm);
	floor_close(&floor);
	return rc;
}

/* ---- one direction ---- */

/* What came is told when all is there, by a byte. */
static void
swallow_run(const struct floor *floor)
{
	static char buf[SWALLOW_BYTES];
	size_t left = floor->request;
	ssize_t n;

	while (left > 0) {
		n = recv(floor->sock, buf, sizeof(buf), 0);
		if (n <= 0)
			return;
		left -= RTE_MIN((size_t)n, left);
	}
	send_all(floor->sock, floor->buf, floor->reply);
}

int
bench_floor_swallow(const void *data, size_t len, unsigned int sends, double *us)
{
	struct floor floor = { .request = len * sends, .reply = 1, .room = 1 };
	bool ok = true;
	double start;
	int rc;

	rc = floor_open(&floor, swallow_run);
	if (rc < 0)
		return rc;
	start = bench_now_us();
	for (; sends > 0 && ok; sends--)
		ok = send_all(floor.sock, data, len);
	ok = ok && receive_all(floor.sock, floor.buf, floor.reply);
	*us = bench_now_us() - start;
	floor_close(&floor);
	return ok ? 0 : -EPIPE;
}
