/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "test.h"
#include "vu_floor.h"
#include "vu_served.h"

#define RUNS 41

/* Header and fixed part. */
#define FIXED 32u

struct access_case {
	const char *name;
	uint32_t region;
	uint32_t count;
	bool write;
	unsigned int rounds;
	double most;	/* times the floor */
};

static const struct access_case cases[] = {
	{ "read of 4 bytes", SERVED_SINK, 4, false, 1500, 1.10 },
	{ "write of 4 bytes", SERVED_SINK, 4, true, 1500, 1.10 },
	{ "read of 64 KiB", SERVED_SINK, 65536, false, 700, 1.15 },
	{ "write of 64 KiB", SERVED_SINK, 65536, true, 700, 1.15 },
	{ "read of 1 MiB", SERVED_SINK, 1048576, false, 100, 1.15 },
	{ "write of 1 MiB", SERVED_SINK, 1048576, true, 100, 1.15 },
};

static int
access_many(int dev_id, const struct access_case *c, void *data, unsigned int rounds)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < rounds; i++)
		rc |= c->write ?
			rte_vfio_user_region_write(dev_id, c->region, 0, c->count, data) :
			rte_vfio_user_region_read(dev_id, c->region, 0, c->count, data);
	return rc;
}

/* With sockets of its own, as the floor: some are faster than others for all their life. */
static double
access_ns(const struct served *served, const struct access_case *c, void *data)
{
	const unsigned int warm = c->rounds / 8;
	int dev_id = rte_vfio_user_attach_dev(served->path);
	double start, ns;

	assert_true(dev_id >= 0);
	assert_int_equal(access_many(dev_id, c, data, warm), 0);
	start = vu_floor_now_ns();
	assert_int_equal(access_many(dev_id, c, data, c->rounds - warm), 0);
	ns = vu_floor_now_ns() - start;
	rte_vfio_user_detach_dev(dev_id);
	return ns / (c->rounds - warm);
}

static double
floor_ns(const struct access_case *c)
{
	return vu_floor_ping_pong_ns(FIXED + (c->write ? c->count : 0),
		FIXED + (c->write ? 0 : c->count), c->rounds);
}

static void
bench_round_trip(void **state)
{
	struct served *served = calloc(1, sizeof(*served));
	void *data = calloc(1, 1048576);
	unsigned int i, run;
	cpu_set_t saved;

	(void)state;
	vu_floor_pin(&saved);
	served_start(served, NULL);
	for (i = 0; i < RTE_DIM(cases); i++) {
		struct vu_floor_runs runs = { .nb = 0 };

		for (run = 0; run < RUNS; run++) {
			double bare = floor_ns(&cases[i]);

			vu_floor_run(&runs, access_ns(served, &cases[i], data), bare);
		}
		vu_floor_print(cases[i].name, &runs, "bare sockets", cases[i].most);
	}
	served_stop(served);
	vu_floor_unpin(&saved);
	free(data);
	free(served);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bench_round_trip),
};

TEST_SUITE(vu_roundtrip, "benchmark", tests, served_warm_up, NULL)
