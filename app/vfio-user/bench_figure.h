/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef BENCH_FIGURE_H
#define BENCH_FIGURE_H

/**
 * @file
 * What "dpdk-vfio-user bench" measures: each figure is something that a server does, beside what it
 * is compared with.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_RUNS_MAX 1001u

/** The user has named none. */
#define BENCH_REGION_NONE UINT32_MAX

struct bench_options {
	const char *path;	/**< of the server's socket */
	uint32_t region;	/**< to read from, and write to, or BENCH_REGION_NONE */
	uint32_t runs;	/**< of each figure, 1 to BENCH_RUNS_MAX */
	bool destructive;	/**< write there */
};

/** What is measured with. */
struct bench {
	const struct bench_options *opt;
	int dev_id;	/**< -1: not attached */
	uint32_t region;	/**< of the accesses of a figure, which are there: */
	uint64_t offset;
	uint8_t *data;	/**< what was read there; BENCH_ACCESS_MAX bytes */
	int fd;	/**< a page of memory, which all regions that are mapped share */
	uint32_t mapped;	/**< regions that are there while another comes and goes */
	char why[120];	/**< a figure cannot be measured */
};

#define BENCH_ACCESS_MAX 1048576u

/** @return -errno: no figure can be measured; bench_close() must follow in any case */
int bench_open(struct bench *bench, const struct bench_options *opt);
void bench_close(struct bench *bench);

struct bench_figure {
	const char *name;
	const char *beside;	/**< what it is compared with */
	uint32_t count;	/**< bytes, or regions */
	bool write;
	unsigned int rounds;	/**< of one run */
	/** Once. @return 0; -errno: it cannot be measured, and why is said */
	int (*prepare)(struct bench *bench, const struct bench_figure *figure);
	/** One run. Microseconds of one round. @return 0, -errno */
	int (*server)(struct bench *bench, const struct bench_figure *figure, double *us);
	int (*floor)(struct bench *bench, const struct bench_figure *figure, double *us);
};

/** In their order; the last one has no name. */
extern const struct bench_figure bench_figures[];

/** The medians of the runs; that of the ratios of each run with the one beside it. */
struct bench_result {
	double us;
	double floor_us;
	double ratio;
};

/**
 * Measure one figure.
 *
 * @return 0; -errno: it cannot be, and bench->why says why; -ENOTCONN: nor can any other be
 */
int bench_measure(struct bench *bench, const struct bench_figure *figure,
	struct bench_result *result);

/** Say why a figure cannot be measured. @return @p rc */
int bench_skip(struct bench *bench, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** Choose a place to read from, or to write what is there, and read it. @return as prepare */
int bench_access_prepare(struct bench *bench, const struct bench_figure *figure);

/* ---- bench_posted.c: writes without an answer, over a connection of their own ---- */

/** The client has left: some servers have one at a time. */
int bench_posted_prepare(struct bench *bench, const struct bench_figure *figure);
int bench_posted_server(struct bench *bench, const struct bench_figure *figure, double *us);
int bench_posted_floor(struct bench *bench, const struct bench_figure *figure, double *us);

#endif /* BENCH_FIGURE_H */
