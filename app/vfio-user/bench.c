/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "bench.h"

#define EXIT_USAGE 2

/* Each figure is the best of so many runs, taken in turn with its floor. */
#define RUNS 10
#define ROUNDS 1000u

/* Header and fixed part of REGION_READ. */
#define READ_BYTES 32u

/* Far from what a device would use. */
#define FREE_IOVA (UINT64_C(1) << 46)
#define PAGE 4096u

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* ----------------------------------------------------------- a bare round trip ---- */

/* poll() sleeps better than recv(), which is also woken when the peer has read what we sent. */
static ssize_t
receive(int sock, char *buf, size_t len)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };

	if (poll(&pfd, 1, -1) < 0)
		return -1;
	return recv(sock, buf, len, MSG_WAITALL);
}

static void *
echo_run(void *arg)
{
	const int *sock = arg;
	char buf[READ_BYTES + 4];

	while (receive(*sock, buf, READ_BYTES) == READ_BYTES)
		if (send(*sock, buf, sizeof(buf), MSG_NOSIGNAL) < 0)
			break;
	return NULL;
}

static int
bare_rounds(int sock, double *us)
{
	char buf[READ_BYTES + 4] = { 0 };
	double start = now_us();
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		if (send(sock, buf, READ_BYTES, MSG_NOSIGNAL) < 0 ||
				receive(sock, buf, sizeof(buf)) < 0)
			return -errno;
	*us = (now_us() - start) / ROUNDS;
	return 0;
}

static int
bench_bare(int dev_id, double *us)
{
	pthread_t thread;
	int sock[2];
	int rc;

	RTE_SET_USED(dev_id);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0)
		return -errno;
	rc = -pthread_create(&thread, NULL, echo_run, &sock[1]);
	if (rc == 0) {
		rc = bare_rounds(sock[0], us);
		shutdown(sock[0], SHUT_RDWR);
		pthread_join(thread, NULL);
	}
	close(sock[0]);
	close(sock[1]);
	return rc;
}

/* ------------------------------------------------------------------- the server ---- */

static int
bench_read(int dev_id, double *us)
{
	double start = now_us();
	unsigned int i;
	uint32_t value;
	int rc = 0;

	for (i = 0; i < ROUNDS && rc == 0; i++)
		rc = rte_vfio_user_region_read(dev_id, VFIO_PCI_CONFIG_REGION_INDEX, 0,
				sizeof(value), &value);
	*us = (now_us() - start) / ROUNDS;
	return rc;
}

static int
map_rounds(int dev_id, int fd, double *us)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = FREE_IOVA, .size = PAGE,
		.protection = PROT_READ | PROT_WRITE, .flags = RTE_VUSER_MEM_MAPPABLE };
	double start = now_us();
	unsigned int i;
	int rc = 0;

	for (i = 0; i < ROUNDS && rc == 0; i++) {
		rc = rte_vfio_user_dma_map(dev_id, &mem, &fd, 1);
		if (rc == 0)
			rc = rte_vfio_user_dma_unmap(dev_id, &mem, 1);
	}
	*us = (now_us() - start) / ROUNDS;
	return rc;
}

static int
bench_map(int dev_id, double *us)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = ftruncate(fd, PAGE) < 0 ? -errno : map_rounds(dev_id, fd, us);
	close(fd);
	return rc;
}

/* --------------------------------------------------------------------- figures ---- */

static const struct figure {
	const char *name;
	int (*run)(int dev_id, double *us);	/* microseconds of one */
} figures[] = {
	{ "bare ping-pong of 36 bytes", bench_bare },
	{ "read of 4 bytes", bench_read },
	{ "map and unmap", bench_map },
};

static int
measure(int dev_id, double best[RTE_DIM(figures)])
{
	unsigned int run, i;
	double us = 0;
	int rc;

	for (run = 0; run < RUNS; run++) {
		for (i = 0; i < RTE_DIM(figures); i++) {
			rc = figures[i].run(dev_id, &us);
			if (rc < 0)
				return rc;
			best[i] = run == 0 ? us : RTE_MIN(best[i], us);
		}
	}
	return 0;
}

static int
bench(const char *path)
{
	double best[RTE_DIM(figures)] = { 0 };
	unsigned int i;
	int dev_id, rc;

	rc = dev_id = rte_vfio_user_attach_dev(path);
	if (dev_id >= 0) {
		rc = measure(dev_id, best);
		rte_vfio_user_detach_dev(dev_id);
	}
	if (rc < 0) {
		fprintf(stderr, "dpdk-vfio-user bench: %s: %s\n", path, strerror(-rc));
		return EXIT_FAILURE;
	}
	for (i = 0; i < RTE_DIM(figures); i++)
		printf("%-28s %8.2f us  %5.2fx\n", figures[i].name, best[i], best[i] / best[0]);
	return EXIT_SUCCESS;
}

int
bench_run(int argc, char **argv)
{
	if (argc == 1 && strcmp(argv[0], "--help") == 0) {
		printf("usage: dpdk-vfio-user bench SOCKET\n"
			"Measures how fast a server answers, beside what a bare socket does.\n");
		return EXIT_SUCCESS;
	}
	if (argc == 1 && argv[0][0] != '-' && argv[0][0] != '\0')
		return bench(argv[0]);
	fprintf(stderr, "dpdk-vfio-user bench: one SOCKET is needed (see --help)\n");
	return EXIT_USAGE;
}
