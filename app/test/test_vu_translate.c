/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What it costs to find guest memory, beside a load from the same table of addresses. Time is that
 * of the thread, so that a busy machine does not count.
 */

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "test.h"
#include "vu_floor.h"

#include "../../lib/vfio_user/vu_dma.h"

#define PAGE UINT64_C(0x1000)
#define ROUNDS 400000u
#define NB_ADDRS 4096u

static uint64_t addrs[NB_ADDRS];
static volatile uintptr_t sink;

static double
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Regions with a gap between each two. They have a place in this process, but no mapping. */
static void
table_fill(struct vu_dma *dma, uint32_t nb)
{
	static uint8_t memory[1];
	struct vu_dma_region *region;
	uint32_t i;

	assert_int_equal(vu_dma_init(dma, nb + 1), 0);
	for (i = 0; i < nb; i++) {
		assert_int_equal(vu_dma_map(dma, 2 * i * PAGE, PAGE, PROT_READ, -1, 0), 0);
		region = (struct vu_dma_region *)(uintptr_t)vu_dma_find(dma, 2 * i * PAGE);
		atomic_store(&region->base, memory);
	}
}

static void
addrs_fill(uint32_t nb_regions)
{
	unsigned int seed = 1;
	uint32_t i;

	for (i = 0; i < NB_ADDRS; i++)
		addrs[i] = (uint64_t)((uint32_t)rand_r(&seed) % nb_regions) * 2 * PAGE;
}

static double
measure_sg(const struct vu_dma *dma)
{
	uintptr_t sum = 0;
	struct iovec iov;
	double begun;
	uint32_t i;

	assert_int_equal(vu_epoch_enter(), 0);
	begun = now_ns();
	for (i = 0; i < ROUNDS; i++) {
		if (vu_dma_sg(dma, addrs[i % NB_ADDRS], 8, PROT_READ, &iov, 1) == 1)
			sum += (uintptr_t)iov.iov_base;
	}
	begun = now_ns() - begun;
	vu_epoch_leave();
	sink = sum;
	return begun / ROUNDS;
}

static double
measure_load(void)
{
	uint64_t sum = 0;
	double begun = now_ns();
	uint32_t i;

	for (i = 0; i < ROUNDS; i++)
		sum += *(volatile uint64_t *)&addrs[(i ^ sum) % NB_ADDRS] & 0;
	sink = (uintptr_t)sum;
	return (now_ns() - begun) / ROUNDS;
}

static atomic_bool stop;

static void *
changer_main(void *arg)
{
	struct vu_dma *dma = arg;

	while (!atomic_load(&stop)) {
		vu_dma_map(dma, UINT64_MAX - PAGE + 1, PAGE, PROT_READ, -1, 0);
		vu_dma_unmap(dma, UINT64_MAX - PAGE + 1, PAGE);
	}
	return NULL;
}

#define RUNS 9

struct table_case {
	const char *name;
	uint32_t nb;
	double most;	/* nanoseconds that are wanted at random; 0: no limit */
};

static void
print_ns(const char *where, const struct vu_floor_runs *runs, double most)
{
	double ns = vu_floor_ours(runs);

	printf("%s %.2f ns", where, ns);
	if (most > 0)
		printf(" (at most %.0f ns wanted)%s", most, vu_floor_verdict(ns <= most));
}

static void
report(const struct vu_dma *dma, const struct table_case *c)
{
	struct vu_floor_runs any = { .nb = 0 }, last = { .nb = 0 };
	int run;

	for (run = 0; run < RUNS; run++) {
		double floor = measure_load();

		addrs_fill(c->nb);
		vu_floor_run(&any, measure_sg(dma), floor);
		addrs_fill(1);
		vu_floor_run(&last, measure_sg(dma), floor);
	}
	printf("translation among %s: a load %.2f ns,", c->name, vu_floor_floor(&any));
	print_ns(" at random", &any, c->most);
	print_ns(", in the region of the last call", &last, 3);
	printf("\n");
}

static void
bench_translation(void **state)
{
	static const struct table_case cases[] = {
		{ "1 region", 1, 0 },
		{ "16 regions", 16, 0 },
		{ "1024 regions", 1024, 25 },
		{ "16384 regions", 16384, 0 },
		{ "65535 regions", 65535, 0 },
	};
	struct vu_dma dma;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		table_fill(&dma, cases[i].nb);
		report(&dma, &cases[i]);
		vu_dma_fini(&dma);
	}
}

static void
bench_translation_beside_changes(void **state)
{
	static const struct table_case c = { "1024 regions that change", 1024, 25 };
	struct vu_dma dma;
	pthread_t changer;

	(void)state;
	table_fill(&dma, c.nb);
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&changer, NULL, changer_main, &dma), 0);
	report(&dma, &c);
	atomic_store(&stop, true);
	pthread_join(changer, NULL);
	vu_dma_fini(&dma);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bench_translation),
	cmocka_unit_test(bench_translation_beside_changes),
};

TEST_SUITE(vu_translate, "benchmark", tests, NULL, NULL)
