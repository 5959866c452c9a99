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

#include "../../lib/vfio_user/vu_dma.h"

#define PAGE UINT64_C(0x1000)
#define ROUNDS 2000000u
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

static void
report(const char *what, const struct vu_dma *dma, uint32_t nb_regions, double floor)
{
	double any, last;

	addrs_fill(nb_regions);
	any = measure_sg(dma);
	addrs_fill(1);
	last = measure_sg(dma);
	printf("%5u regions%s: any %6.2f ns (%.0fx the load), "
		"that of the last call %5.2f ns (%.0fx)\n",
		nb_regions, what, any, any / floor, last, last / floor);
}

static void
bench_translation(void **state)
{
	static const uint32_t sizes[] = { 1, 16, 1024, 16384, 65535 };
	double floor = measure_load();
	struct vu_dma dma;
	pthread_t changer;
	size_t i;

	(void)state;
	printf("load from a table of addresses: %.2f ns\n", floor);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		table_fill(&dma, sizes[i]);
		report("", &dma, sizes[i], floor);
		vu_dma_fini(&dma);
	}
	table_fill(&dma, 1024);
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&changer, NULL, changer_main, &dma), 0);
	report(" that change", &dma, 1024, floor);
	atomic_store(&stop, true);
	pthread_join(changer, NULL);
	vu_dma_fini(&dma);
	printf("targets: 3 ns in the region of the last call, 25 ns at random among 1024\n");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bench_translation),
};

TEST_SUITE(vu_translate, "benchmark", tests, NULL, NULL)
