/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Writes that want no answer, many in each send, as from a VMM whose guest is busy. A client of our
 * own sends them: that of the library has one message in a send.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "bench_figure.h"
#include "bench_floor.h"
#include "check_rule.h"

#define PER_SEND 16u

/* Until a server is given up. */
#define TIMEOUT_MS 10000u

struct posted_write {
	struct wire_hdr hdr;
	struct wire_access access;
	uint32_t value;
} __rte_packed;

struct posted_run {
	const struct bench_figure *figure;
	struct posted_write writes[PER_SEND];
	double us;	/* of all of them */
};

/* Ids need not differ: there is no answer. */
static void
writes_fill(struct posted_run *run, const struct bench *bench)
{
	struct posted_write one = {
		.hdr = { .cmd = WIRE_REGION_WRITE, .size = sizeof(one), .flags = WIRE_NO_REPLY },
		.access = { .offset = bench->offset, .region = bench->region,
			.count = sizeof(one.value) },
	};
	unsigned int i;

	memcpy(&one.value, bench->data, sizeof(one.value));
	for (i = 0; i < PER_SEND; i++)
		run->writes[i] = one;
}

/* A read behind the writes is answered when all are done. */
static void
posted_send(struct check *c)
{
	struct posted_run *run = c->ctx;
	const struct wire_access at = run->writes[0].access;
	unsigned int i;
	double start;

	check_open(c);
	check_done(c, check_read(c, at.region, at.offset, at.count), "read");
	start = bench_now_us();
	for (i = 0; i < run->figure->rounds; i += PER_SEND)
		check_send_raw(c, run->writes, sizeof(run->writes), NULL, 0);
	check_done(c, check_read(c, at.region, at.offset, at.count), "read");
	run->us = bench_now_us() - start;
}

int
bench_posted_prepare(struct bench *bench, const struct bench_figure *figure)
{
	int rc = bench_access_prepare(bench, figure);

	rte_vfio_user_detach_dev(bench->dev_id);
	bench->dev_id = -1;
	return rc;
}

int
bench_posted_server(struct bench *bench, const struct bench_figure *figure, double *us)
{
	const struct check_options opt = { .path = bench->opt->path, .timeout_ms = TIMEOUT_MS };
	struct posted_run run = { .figure = figure };
	struct check *c = check_new(&opt);
	int rc = 0;

	if (c == NULL)
		return -ENOMEM;
	writes_fill(&run, bench);
	c->ctx = &run;
	c->met = true;
	check_once(c, posted_send);
	*us = run.us / figure->rounds;
	if (c->result.verdict != CHECK_OK)
		rc = bench_skip(bench, -EPROTO, "%s", c->result.why);
	check_free(c);
	return rc;
}

int
bench_posted_floor(struct bench *bench, const struct bench_figure *figure, double *us)
{
	struct posted_run run = { .figure = figure };
	int rc;

	writes_fill(&run, bench);
	rc = bench_floor_swallow(run.writes, sizeof(run.writes), figure->rounds / PER_SEND, us);
	*us /= figure->rounds;
	return rc;
}
