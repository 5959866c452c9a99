/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>

#include "memory_suite.h"
#include "test.h"

/* ---- stress ---- */

#define NB_SLOTS 400

/* What the test knows of an allocation: its bytes all are the number of the slot. */
struct slot {
	unsigned char *ptr;
	size_t size;
	unsigned char value;
};

struct stress {
	struct slot slots[NB_SLOTS];
	uint64_t seed;
	unsigned int nb_steps;
	bool alone;	/* no other thread allocates */
};

static size_t
random_size(uint64_t *seed)
{
	static const size_t limits[] = { 64, 500, 5000, 100 * KIB, 3 * MIB };
	uint32_t pick = memory_random_next(seed) % 100;
	size_t limit = limits[pick < 40 ? 0 : pick < 70 ? 1 : pick < 90 ? 2 : pick < 98 ? 3 : 4];

	return 1 + memory_random_next(seed) % limit;
}

static bool
slot_ok(const struct slot *slot)
{
	return rte_malloc_validate(slot->ptr, NULL) == 0 &&
		memory_all_bytes_are(slot->ptr, slot->value, slot->size);
}

static bool
slot_fill(struct stress *stress, struct slot *slot, unsigned int align)
{
	if (slot->ptr == NULL || ((uintptr_t)slot->ptr & (align - 1)) != 0)
		return false;
	slot->value = (unsigned char)memory_random_next(&stress->seed);
	memset(slot->ptr, slot->value, slot->size);
	return true;
}

static bool
slot_take(struct stress *stress, struct slot *slot)
{
	unsigned int align = 1U << memory_random_next(&stress->seed) %
		(memory_random_next(&stress->seed) % 17 + 1);

	slot->size = random_size(&stress->seed);
	slot->ptr = rte_malloc("stress", slot->size, align);
	return slot_fill(stress, slot, align);
}

static bool
slot_resize(struct stress *stress, struct slot *slot)
{
	size_t size = random_size(&stress->seed);
	bool ok;

	slot->ptr = rte_realloc(slot->ptr, size, 0);
	if (slot->ptr == NULL)
		return false;
	ok = memory_all_bytes_are(slot->ptr, slot->value, RTE_MIN(size, slot->size));
	slot->size = size;
	return ok && slot_fill(stress, slot, 1);
}

static bool
stress_step(struct stress *stress)
{
	struct slot *slot = &stress->slots[memory_random_next(&stress->seed) % NB_SLOTS];

	if (slot->ptr == NULL)
		return slot_take(stress, slot);
	if (!slot_ok(slot))
		return false;
	if (memory_random_next(&stress->seed) % 4 == 0)
		return slot_resize(stress, slot);
	rte_free(slot->ptr);
	slot->ptr = NULL;
	return true;
}

static bool
stress_end(struct stress *stress)
{
	bool ok = true;
	unsigned int i;

	for (i = 0; i < NB_SLOTS; i++) {
		ok = ok && (stress->slots[i].ptr == NULL || slot_ok(&stress->slots[i]));
		rte_free(stress->slots[i].ptr);
	}
	return ok;
}

static void *
stress_run(void *arg)
{
	struct stress *stress = arg;
	bool ok = true;
	unsigned int i;

	for (i = 0; i < stress->nb_steps && ok; i++)
		ok = stress_step(stress);
	ok = stress_end(stress) && ok;
	return ok ? stress : NULL;
}

static void
test_random_use_never_overlaps(void **state)
{
	static struct stress stress;
	uint64_t seed;

	for (seed = 1; seed <= 4; seed++) {
		memset(&stress, 0, sizeof(stress));
		stress.seed = seed;
		stress.nb_steps = 10000;
		if (stress_run(&stress) == NULL)
			fail_msg("seed %" PRIu64, seed);
		memory_assert_all_free();
	}
}

static void
test_threads_do_not_disturb_each_other(void **state)
{
	static struct stress stress[4];
	pthread_t threads[RTE_DIM(stress)];
	void *result;
	size_t i;

	for (i = 0; i < RTE_DIM(stress); i++) {
		stress[i].seed = 100 + i;
		stress[i].nb_steps = 4000;
		assert_int_equal(pthread_create(&threads[i], NULL, stress_run, &stress[i]), 0);
	}
	for (i = 0; i < RTE_DIM(stress); i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, &stress[i]);
	}
	memory_assert_all_free();
}

/* What one thread allocates, another frees. */
struct belt {
	pthread_barrier_t barrier;
	void *ptrs[2][64];
};

#define BELT_ROUNDS 200

static void *
belt_free(void *arg)
{
	struct belt *belt = arg;
	unsigned int round, i;

	for (round = 0; round < BELT_ROUNDS; round++) {
		pthread_barrier_wait(&belt->barrier);
		for (i = 0; i < RTE_DIM(belt->ptrs[0]); i++)
			rte_free(belt->ptrs[round % 2][i]);
	}
	return NULL;
}

static void
test_memory_may_be_freed_by_another_thread(void **state)
{
	static struct belt belt;
	unsigned int round, i;
	pthread_t thread;

	assert_int_equal(pthread_barrier_init(&belt.barrier, NULL, 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, belt_free, &belt), 0);
	for (round = 0; round < BELT_ROUNDS; round++) {
		for (i = 0; i < RTE_DIM(belt.ptrs[0]); i++)
			belt.ptrs[round % 2][i] = rte_malloc("belt", 1 + 1000 * i, 0);
		pthread_barrier_wait(&belt.barrier);
	}
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&belt.barrier);
	memory_assert_all_free();
}

static const struct CMUnitTest tests[] = {
	MEMORY_TEST(test_random_use_never_overlaps),
	MEMORY_TEST(test_threads_do_not_disturb_each_other),
	MEMORY_TEST(test_memory_may_be_freed_by_another_thread),
};

TEST_SUITE(malloc_stress, "functional", tests, NULL, NULL)
