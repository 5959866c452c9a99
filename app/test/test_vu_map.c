/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "test.h"
#include "vu_floor.h"
#include "vu_served.h"

#define RUNS 31

#define PAGE 4096u
#define PAIRS 200u
#define MANY 1000u

/* The device and its client, both on one core. */
struct bench {
	struct served *served;
	cpu_set_t saved;
	int dev_id;
	int fd;	/* a page of memory, which all regions share */
};

static void
bench_start(struct bench *bench)
{
	bench->served = calloc(1, sizeof(*bench->served));
	vu_floor_pin(&bench->saved);
	served_start(bench->served, NULL);
	bench->dev_id = rte_vfio_user_attach_dev(bench->served->path);
	assert_true(bench->dev_id >= 0);
	bench->fd = peer_memory(PAGE);
}

static void
bench_end(struct bench *bench)
{
	close(bench->fd);
	rte_vfio_user_detach_dev(bench->dev_id);
	served_stop(bench->served);
	vu_floor_unpin(&bench->saved);
	free(bench->served);
}

static struct rte_vfio_user_mem_reg
region(uint64_t i, uint32_t flags)
{
	return (struct rte_vfio_user_mem_reg) { .gpa = i * 2 * PAGE, .size = PAGE,
		.protection = PROT_READ | PROT_WRITE, .flags = flags };
}

static void
map_many(struct bench *bench, uint64_t first, uint32_t nb, uint32_t flags, bool map)
{
	struct rte_vfio_user_mem_reg *mem = calloc(nb, sizeof(*mem));
	int *fds = calloc(nb, sizeof(*fds));
	uint32_t i;

	for (i = 0; i < nb; i++) {
		mem[i] = region(first + i, flags);
		fds[i] = bench->fd;
	}
	assert_int_equal(map ? rte_vfio_user_dma_map(bench->dev_id, mem, fds, nb) :
		rte_vfio_user_dma_unmap(bench->dev_id, mem, nb), 0);
	free(mem);
	free(fds);
}

static double
pair_ns(struct bench *bench)
{
	struct rte_vfio_user_mem_reg mem = region(1u << 20, RTE_VUSER_MEM_MAPPABLE);
	double start = vu_floor_now_ns();
	unsigned int i;
	int rc = 0;

	for (i = 0; i < PAIRS; i++) {
		rc |= rte_vfio_user_dma_map(bench->dev_id, &mem, &bench->fd, 1);
		rc |= rte_vfio_user_dma_unmap(bench->dev_id, &mem, 1);
	}
	assert_int_equal(rc, 0);
	return (vu_floor_now_ns() - start) / PAIRS;
}

/* The regions that are there besides have no descriptor: a process has no room for so many. */
static void
bench_pairs(void **state)
{
	static const uint32_t sizes[] = { 1, 1024, 60000 };
	struct vu_floor_runs runs[RTE_DIM(sizes)] = { { .nb = 0 } };
	struct bench bench;
	unsigned int i, run;
	uint32_t have = 0;
	char what[64];
	double same;

	(void)state;
	bench_start(&bench);
	for (i = 0; i < RTE_DIM(sizes); i++) {
		map_many(&bench, have, sizes[i] - have, 0, true);
		have = sizes[i];
		for (run = 0; run < RUNS; run++) {
			double bare = vu_floor_ping_pong_ns(48, 16, PAIRS);

			vu_floor_run(&runs[i], pair_ns(&bench), bare);
		}
		snprintf(what, sizeof(what), "map and unmap beside %u regions", sizes[i]);
		vu_floor_print(what, &runs[i], "bare ping-pong", 2.6);
		same = vu_floor_ratio(&runs[i]) / vu_floor_ratio(&runs[0]);
		printf("that is %.2fx of the same beside 1 (at most 1.10x wanted)%s\n", same,
			vu_floor_verdict(same <= 1.1));
	}
	bench_end(&bench);
}

static double
single_ns(struct bench *bench, uint32_t flags)
{
	double start = vu_floor_now_ns();
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		struct rte_vfio_user_mem_reg mem = region(i, flags);

		assert_int_equal(rte_vfio_user_dma_map(bench->dev_id, &mem, &bench->fd, 1), 0);
	}
	return vu_floor_now_ns() - start;
}

static double
together_ns(struct bench *bench, uint32_t flags)
{
	double start = vu_floor_now_ns();

	map_many(bench, 0, MANY, flags, true);
	return vu_floor_now_ns() - start;
}

static void
bench_many(void **state)
{
	static const struct { const char *name; uint32_t flags; } kinds[] = {
		{ "without descriptors", 0 },
		{ "with descriptors", RTE_VUSER_MEM_MAPPABLE },
	};
	struct bench bench;
	unsigned int i, run;
	double times;

	(void)state;
	bench_start(&bench);
	for (i = 0; i < RTE_DIM(kinds); i++) {
		struct vu_floor_runs runs = { .nb = 0 };

		for (run = 0; run < RUNS; run++) {
			double one = single_ns(&bench, kinds[i].flags);

			assert_int_equal(rte_vfio_user_dma_unmap_all(bench.dev_id), 0);
			vu_floor_run(&runs, one, together_ns(&bench, kinds[i].flags));
			assert_int_equal(rte_vfio_user_dma_unmap_all(bench.dev_id), 0);
		}
		times = vu_floor_ratio(&runs);
		printf("map of %u regions %s: %.2f us each alone, %.2f us each together: %.1fx "
			"(at least 3x wanted)%s\n", MANY, kinds[i].name,
			vu_floor_ours(&runs) / MANY / 1e3, vu_floor_floor(&runs) / MANY / 1e3,
			times, vu_floor_verdict(times >= 3));
	}
	bench_end(&bench);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bench_pairs),
	cmocka_unit_test(bench_many),
};

TEST_SUITE(vu_map, "benchmark", tests, served_warm_up, NULL)
