/* SPDX-License-Identifier: BSD-3-Clause */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "test.h"
#include "vu_floor.h"

double
vu_floor_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

void
vu_floor_pin(cpu_set_t *saved)
{
	cpu_set_t one;

	CPU_ZERO(saved);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_getaffinity(0, sizeof(*saved), saved);
	sched_setaffinity(0, sizeof(one), &one);
}

void
vu_floor_unpin(const cpu_set_t *saved)
{
	sched_setaffinity(0, sizeof(*saved), saved);
}

/* ---- runs ---- */

void
vu_floor_run(struct vu_floor_runs *runs, double ours, double floor)
{
	assert_true(runs->nb < VU_FLOOR_RUNS_MAX);
	runs->ours[runs->nb] = ours;
	runs->floor[runs->nb++] = floor;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(const double *values, unsigned int nb)
{
	double sorted[VU_FLOOR_RUNS_MAX] = { 0 };

	assert_true(nb > 0);
	memcpy(sorted, values, nb * sizeof(*values));
	qsort(sorted, nb, sizeof(*sorted), compare);
	return (sorted[(nb - 1) / 2] + sorted[nb / 2]) / 2;
}

double
vu_floor_ours(const struct vu_floor_runs *runs)
{
	return median(runs->ours, runs->nb);
}

double
vu_floor_floor(const struct vu_floor_runs *runs)
{
	return median(runs->floor, runs->nb);
}

double
vu_floor_ratio(const struct vu_floor_runs *runs)
{
	double ratios[VU_FLOOR_RUNS_MAX] = { 0 };
	unsigned int i;

	for (i = 0; i < runs->nb; i++)
		ratios[i] = runs->ours[i] / runs->floor[i];
	return median(ratios, runs->nb);
}

const char *
vu_floor_verdict(bool met)
{
	return met ? "" : " MISSED";
}

void
vu_floor_print(const char *what, const struct vu_floor_runs *runs, const char *floor, double most)
{
	double ratio = vu_floor_ratio(runs);

	printf("%s: %.2f us, %s %.2f us: %.2fx (at most %.2fx wanted)%s\n", what,
		vu_floor_ours(runs) / 1e3, floor, vu_floor_floor(runs) / 1e3, ratio, most,
		vu_floor_verdict(ratio <= most));
}

/* ---- floors ---- */

static void
floor_send(int sock, const char *buf, size_t len)
{
	ssize_t n;

	for (; len > 0; buf += n, len -= (size_t)n) {
		n = send(sock, buf, len, MSG_NOSIGNAL);
		assert_true(n > 0);
	}
}

static void
floor_recv(int sock, char *buf, size_t len)
{
	ssize_t n;

	for (; len > 0; buf += n, len -= (size_t)n) {
		n = recv(sock, buf, len, 0);
		assert_true(n > 0);
	}
}

/* Rounds that do not count: memory is touched for the first time, threads begin. */
static unsigned int
warm_up(unsigned int rounds)
{
	return rounds / 8;
}

struct ping_pong {
	int sock;
	size_t request;
	size_t reply;
	unsigned int rounds;
};

static void *
ping_pong_answer(void *arg)
{
	const struct ping_pong *pp = arg;
	char *in = malloc(pp->request);
	char *out = calloc(1, pp->reply);
	unsigned int i;

	for (i = 0; i < pp->rounds; i++) {
		floor_recv(pp->sock, in, pp->request);
		floor_send(pp->sock, out, pp->reply);
	}
	free(in);
	free(out);
	return NULL;
}

static double
ping_pong_ask(const struct ping_pong *pp, int sock)
{
	unsigned int warm = warm_up(pp->rounds);
	char *out = calloc(1, pp->request);
	char *in = malloc(pp->reply);
	double start = 0;
	unsigned int i;

	for (i = 0; i < pp->rounds; i++) {
		if (i == warm)
			start = vu_floor_now_ns();
		floor_send(sock, out, pp->request);
		floor_recv(sock, in, pp->reply);
	}
	start = vu_floor_now_ns() - start;
	free(out);
	free(in);
	return start / (pp->rounds - warm);
}

double
vu_floor_ping_pong_ns(size_t request, size_t reply, unsigned int rounds)
{
	struct ping_pong pp = { .request = request, .reply = reply, .rounds = rounds };
	cpu_set_t saved;
	pthread_t thread;
	int sock[2];
	double ns;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	vu_floor_pin(&saved);
	pp.sock = sock[1];
	assert_int_equal(pthread_create(&thread, NULL, ping_pong_answer, &pp), 0);
	ns = ping_pong_ask(&pp, sock[0]);
	pthread_join(thread, NULL);
	vu_floor_unpin(&saved);
	close(sock[0]);
	close(sock[1]);
	return ns;
}

static void *
sender_run(void *arg)
{
	const struct vu_floor_sender *sender = arg;
	size_t chunk = sender->size * sender->per_send;
	char *buf = malloc(chunk);
	unsigned int i;

	for (i = 0; i < sender->per_send; i++)
		memcpy(buf + i * sender->size, sender->msg, sender->size);
	for (i = 0; i < sender->total; i += sender->per_send)
		floor_send(sender->sock, buf, chunk);
	free(buf);
	return NULL;
}

void
vu_floor_sender_start(struct vu_floor_sender *sender)
{
	pthread_t *thread = malloc(sizeof(*thread));

	assert_int_equal(pthread_create(thread, NULL, sender_run, sender), 0);
	sender->thread = thread;
}

void
vu_floor_sender_join(struct vu_floor_sender *sender)
{
	pthread_t *thread = sender->thread;

	pthread_join(*thread, NULL);
	free(thread);
}

static double
swallow(int sock, size_t len)
{
	static char buf[65536];
	double start = vu_floor_now_ns();
	ssize_t n;

	for (; len > 0; len -= (size_t)n) {
		n = recv(sock, buf, sizeof(buf), 0);
		assert_true(n > 0 && (size_t)n <= len);
	}
	return vu_floor_now_ns() - start;
}

double
vu_floor_swallow_per_s(size_t size, unsigned int per_send, unsigned int total)
{
	void *msg = calloc(1, size);
	struct vu_floor_sender sender = {
		.msg = msg,
		.size = size,
		.per_send = per_send,
		.total = total - total % per_send,
	};
	cpu_set_t saved;
	int sock[2];
	double ns;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	vu_floor_pin(&saved);
	sender.sock = sock[1];
	vu_floor_sender_start(&sender);
	ns = swallow(sock[0], size * sender.total);
	vu_floor_sender_join(&sender);
	vu_floor_unpin(&saved);
	close(sock[0]);
	close(sock[1]);
	free(msg);
	return sender.total / ns * 1e9;
}
