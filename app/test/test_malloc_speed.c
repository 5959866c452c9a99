/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What rte_malloc() and rte_free() cost, against malloc() and free() of libc in the same run: a
 * set of live allocations of which a random one is replaced, over and over.
 */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_malloc.h>

#include "eal_command.h"
#include "test.h"

#define NB_LIVE 512
#define NB_STEPS 200000
#define ROUNDS 5

struct allocator {
	void *(*take)(size_t size);
	void (*give)(void *ptr);
};

static void *
eal_take(size_t size)
{
	return rte_malloc(NULL, size, 0);
}

/* libc itself: dpdk-test counts what goes through malloc(), which takes time. */
void *__libc_malloc(size_t size);
void __libc_free(void *ptr);

static const struct allocator eal = { eal_take, rte_free };
static const struct allocator libc = { __libc_malloc, __libc_free };

struct load {
	const struct allocator *allocator;
	size_t size;	/* of the largest allocation */
};

static uint32_t
random_next(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

static void *
load_run(void *arg)
{
	const struct load *load = arg;
	void *live[NB_LIVE] = { NULL };
	uint64_t seed = 1;
	unsigned int i, at;

	for (i = 0; i < NB_STEPS; i++) {
		at = random_next(&seed) % NB_LIVE;
		load->allocator->give(live[at]);
		live[at] = load->allocator->take(1 + random_next(&seed) % load->size);
		if (live[at] == NULL)
			abort();
	}
	for (i = 0; i < NB_LIVE; i++)
		load->allocator->give(live[i]);
	return NULL;
}

static double
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds of one step, the least of some rounds. */
static double
step_ns(const struct load *load, unsigned int nb_threads)
{
	double start, took, least = 1e18;
	pthread_t threads[4];
	unsigned int i, round;
	struct load mine = *load;

	for (round = 0; round < ROUNDS; round++) {
		start = now_ns();
		for (i = 0; i < nb_threads; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, load_run, &mine), 0);
		for (i = 0; i < nb_threads; i++)
			pthread_join(threads[i], NULL);
		took = (now_ns() - start) / NB_STEPS;
		least = RTE_MIN(took, least);
	}
	return least;
}

static void
test_speed(void **state)
{
	static const struct {
		size_t size;
		unsigned int nb_threads;
	} cases[] = {
		{ 64, 1 }, { 1024, 1 }, { 65536, 1 }, { 1024, 2 },
	};
	double ours, theirs;
	size_t i;

	printf("%-28s %10s %10s %7s\n", "replace one of 512", "rte_malloc", "libc", "ratio");
	for (i = 0; i < RTE_DIM(cases); i++) {
		ours = step_ns(&(struct load){ &eal, cases[i].size }, cases[i].nb_threads);
		theirs = step_ns(&(struct load){ &libc, cases[i].size }, cases[i].nb_threads);
		printf("up to %5zu bytes, %u thread%s %7.1f ns %7.1f ns %6.2fx\n", cases[i].size,
			cases[i].nb_threads, cases[i].nb_threads == 1 ? " " : "s", ours, theirs,
			ours / theirs);
	}
}

static double
large_ns(const struct allocator *allocator)
{
	double start, took, least = 1e18;
	unsigned int round;
	char *ptr;

	for (round = 0; round < 200; round++) {
		start = now_ns();
		ptr = allocator->take((size_t)64 << 20);
		*(volatile char *)ptr = 1;
		allocator->give(ptr);
		took = now_ns() - start;
		least = RTE_MIN(took, least);
	}
	return least;
}

/* Both get such a piece from the system and give it back; one page is touched. */
static void
test_large_pieces(void **state)
{
	double ours = large_ns(&eal), theirs = large_ns(&libc);

	printf("64 MiB come and go         %7.1f us %7.1f us %6.2fx\n", ours / 1e3, theirs / 1e3,
		ours / theirs);
}

static int
eal_start(void **state)
{
	return eal_command_init("--no-pci --no-huge") < 0 ? -1 : 0;
}

static int
eal_stop(void **state)
{
	return rte_eal_cleanup();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_speed),
	cmocka_unit_test(test_large_pieces),
};

TEST_SUITE(malloc_speed, "benchmark", tests, eal_start, eal_stop)
