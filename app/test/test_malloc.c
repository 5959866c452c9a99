/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "memory_suite.h"
#include "test.h"

static void
test_memory_has_the_asked_alignment(void **state)
{
	unsigned int align;
	void *ptr;

	for (align = 1; align <= 4 * MIB; align *= 2) {
		ptr = rte_malloc("test", 100, align);
		assert_non_null(ptr);
		assert_true(rte_is_aligned(ptr, align));
		assert_true(rte_is_aligned(ptr, RTE_CACHE_LINE_SIZE));
		memset(ptr, 0xa5, 100);
		rte_free(ptr);
	}
	memory_assert_all_free();
}

static void
test_each_size_can_be_used_to_its_last_byte(void **state)
{
	size_t size, room;
	char *ptr;

	for (size = 1; size < 9 * MIB; size += size / 3 + 1) {
		ptr = rte_malloc(NULL, size, 0);
		assert_non_null(ptr);
		memset(ptr, 0x5a, size);
		assert_int_equal(rte_malloc_validate(ptr, &room), 0);
		assert_true(room >= size);
		rte_free(ptr);
	}
	memory_assert_all_free();
}

static void
test_what_cannot_be_allocated_is_refused(void **state)
{
	static const struct {
		size_t size;
		unsigned int align;
		int socket;
		int err;
	} cases[] = {
		{ 0, 0, SOCKET_ID_ANY, EINVAL },
		{ 1, 3, SOCKET_ID_ANY, EINVAL },
		{ 1, 96, SOCKET_ID_ANY, EINVAL },
		{ 1, UINT32_MAX, SOCKET_ID_ANY, EINVAL },
		{ 1, 0, RTE_MAX_NUMA_NODES, EINVAL },
		{ 1, 0, -2, EINVAL },
		{ SIZE_MAX, 0, SOCKET_ID_ANY, ENOMEM },
		{ SIZE_MAX - 63, 64, SOCKET_ID_ANY, ENOMEM },
		{ SIZE_MAX / 2, 1U << 31, SOCKET_ID_ANY, ENOMEM },
		{ (size_t)1 << 39, 0, SOCKET_ID_ANY, ENOMEM },
	};
	volatile size_t size;
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		size = cases[i].size;
		rte_errno = 0;
		assert_null(rte_malloc_socket("test", size, cases[i].align, cases[i].socket));
		assert_int_equal(rte_errno, cases[i].err);
		rte_errno = 0;
		assert_null(rte_zmalloc_socket("test", size, cases[i].align, cases[i].socket));
		assert_int_equal(rte_errno, cases[i].err);
	}
	memory_assert_all_free();
}

static void
test_calloc_checks_the_product(void **state)
{
	volatile size_t half = (size_t)1 << 33, num = 10;
	char *ptr;

	rte_errno = 0;
	assert_null(rte_calloc("test", half, half, 0));
	assert_int_equal(rte_errno, ENOMEM);
	rte_errno = 0;
	assert_null(rte_calloc("test", num, 0, 0));
	assert_int_equal(rte_errno, EINVAL);
	ptr = rte_calloc("test", num, 10, 0);
	assert_non_null(ptr);
	assert_true(memory_all_bytes_are(ptr, 0, 100));
	rte_free(ptr);
}

static void
test_zmalloc_clears_what_was_used_before(void **state)
{
	char *ptr = rte_malloc("test", 100 * KIB, 0);

	assert_non_null(ptr);
	memset(ptr, 0xff, 100 * KIB);
	rte_free(ptr);
	ptr = rte_zmalloc("test", 100 * KIB, 0);
	assert_non_null(ptr);
	assert_true(memory_all_bytes_are(ptr, 0, 100 * KIB));
	rte_free(ptr);
}

static void
test_free_sensitive_leaves_zeros(void **state)
{
	void *stay = rte_malloc("test", 1, 0);
	char *ptr = rte_malloc("test", 1000, 0);

	assert_non_null(stay);
	assert_non_null(ptr);
	memset(ptr, 's', 1000);
	rte_free_sensitive(ptr);
	/* The block below may have taken the first bytes for its links. */
	assert_true(memory_all_bytes_are(ptr + 64, 0, 1000 - 64));
	rte_free_sensitive(NULL);
	rte_free(stay);
}

static void
test_realloc_keeps_contents(void **state)
{
	static const size_t sizes[] = { 100, 200, 5000, 40, 3 * MIB, 64, 700 * KIB, 1 };
	size_t i, kept = 0;
	char *ptr = NULL;

	for (i = 0; i < RTE_DIM(sizes); i++) {
		ptr = rte_realloc(ptr, sizes[i], 0);
		assert_non_null(ptr);
		assert_true(memory_all_bytes_are(ptr, 'k', RTE_MIN(kept, sizes[i])));
		memset(ptr, 'k', sizes[i]);
		kept = sizes[i];
	}
	assert_null(rte_realloc(ptr, 0, 0));
	memory_assert_all_free();
}

static void
test_realloc_grows_in_place_when_it_can(void **state)
{
	char *ptr = rte_malloc("test", 1000, 0), *guard;

	assert_non_null(ptr);
	assert_ptr_equal(rte_realloc(ptr, 100000, 0), ptr);
	assert_ptr_equal(rte_realloc(ptr, 10, 0), ptr);
	guard = rte_malloc("test", 64, 0);
	assert_non_null(guard);
	/* The guard stands where the end was given back. */
	assert_true(guard > ptr && guard < ptr + 1000);
	assert_ptr_not_equal(rte_realloc(ptr, 100000, 0), ptr);
	rte_free(guard);
}

static void
test_realloc_moves_to_the_asked_alignment(void **state)
{
	char *first = rte_malloc("test", 100, 0), *ptr = rte_malloc("test", 100, 0), *moved;

	assert_non_null(first);
	assert_non_null(ptr);
	assert_false(rte_is_aligned(ptr, 1U << 16));
	memset(ptr, 'm', 100);
	moved = rte_realloc(ptr, 100, 1U << 16);
	assert_non_null(moved);
	assert_true(rte_is_aligned(moved, 1U << 16));
	assert_true(memory_all_bytes_are(moved, 'm', 100));
	rte_free(moved);
	rte_free(first);
	memory_assert_all_free();
}

static void
test_a_failed_realloc_leaves_all_as_it_was(void **state)
{
	volatile size_t too_much = (size_t)1 << 45;
	char *ptr = rte_malloc("test", 100, 0);

	assert_non_null(ptr);
	memset(ptr, 'f', 100);
	assert_null(rte_realloc(ptr, too_much, 0));
	assert_int_equal(rte_errno, ENOMEM);
	assert_null(rte_realloc(ptr, 100, 3));
	assert_int_equal(rte_errno, EINVAL);
	assert_null(rte_realloc_socket(ptr, 100, 0, RTE_MAX_NUMA_NODES));
	assert_int_equal(rte_errno, EINVAL);
	assert_true(memory_all_bytes_are(ptr, 'f', 100));
	assert_int_equal(rte_malloc_validate(ptr, NULL), 0);
	rte_free(ptr);
}

/* Memory at @p ptr + @p off, whatever the compiler knows about the allocation. */
static char *
around(void *ptr, ptrdiff_t off)
{
	void *volatile hidden = ptr;

	return (char *)hidden + off;
}

static void
test_validate_finds_what_was_written_over(void **state)
{
	char *ptr = rte_malloc("test", 96, 0), *above = rte_malloc("test", 96, 0);
	char keep[32], local;
	size_t room;

	assert_non_null(ptr);
	assert_non_null(above);
	assert_int_equal(rte_malloc_validate(ptr, &room), 0);
	assert_int_equal(rte_malloc_validate(NULL, NULL), -1);
	assert_int_equal(rte_malloc_validate(&local, NULL), -1);
	assert_int_equal(rte_malloc_validate(around(ptr, 1), NULL), -1);
	assert_int_equal(rte_malloc_validate(around(ptr, 64), NULL), -1);
	assert_int_equal(rte_malloc_validate(around(ptr, 512 * MIB), NULL), -1);

	memcpy(keep, around(ptr, room), sizeof(keep));
	memset(around(ptr, room), 0x11, sizeof(keep));
	assert_int_equal(rte_malloc_validate(ptr, NULL), -1);
	memcpy(around(ptr, room), keep, sizeof(keep));

	memcpy(keep, around(ptr, -32), sizeof(keep));
	memset(around(ptr, -32), 0x11, sizeof(keep));
	assert_int_equal(rte_malloc_validate(ptr, NULL), -1);
	memcpy(around(ptr, -32), keep, sizeof(keep));

	assert_int_equal(rte_malloc_validate(ptr, NULL), 0);
	rte_free(above);
	rte_free(ptr);
}

/* What is no allocation is not touched; gcc would see it coming. */
static void
free_wrongly(void *ptr)
{
	void (*volatile release)(void *) = rte_free;

	release(ptr);
}

static void
test_freeing_what_is_not_allocated_does_no_harm(void **state)
{
	char *stay = rte_malloc("test", 100, 0), *ptr = rte_malloc("test", 100, 0);
	char *large = rte_malloc("test", 20 * MIB, 0);
	struct rte_malloc_socket_stats before, after;
	char local[128] __rte_aligned(64);

	assert_non_null(stay);
	assert_non_null(ptr);
	assert_non_null(large);
	free_wrongly(ptr);
	free_wrongly(large);
	before = memory_stats_now();
	free_wrongly(NULL);
	free_wrongly(ptr);
	free_wrongly(large);
	free_wrongly(stay + 8);
	free_wrongly(local);
	after = memory_stats_now();
	assert_memory_equal(&before, &after, sizeof(before));
	rte_free(stay);
	memory_assert_all_free();
}

/* What is joined with free memory on both sides still looks like a block, from a distance. */
static void
test_freeing_twice_between_free_blocks_does_no_harm(void **state)
{
	char *below = rte_malloc("test", 100, 0), *ptr = rte_malloc("test", 100, 0);
	char *above = rte_malloc("test", 100, 0), *stay = rte_malloc("test", 100, 0);
	struct rte_malloc_socket_stats before, after;

	assert_true(below < ptr && ptr < above && above < stay);
	free_wrongly(below);
	free_wrongly(above);
	free_wrongly(ptr);
	before = memory_stats_now();
	free_wrongly(ptr);
	after = memory_stats_now();
	assert_memory_equal(&before, &after, sizeof(before));
	rte_free(stay);
	memory_assert_all_free();
}

static void
test_large_free_memory_goes_back_to_the_system(void **state)
{
	char *small = rte_malloc("test", 64, 0), *large;

	assert_non_null(small);
	assert_int_equal(rte_eal_get_physmem_size(), 2 * MIB);
	large = rte_malloc("test", 64 * MIB, 0);
	assert_non_null(large);
	assert_true(rte_eal_get_physmem_size() >= 66 * MIB);
	memset(large, 1, 64 * MIB);
	rte_free(large);
	assert_true(rte_eal_get_physmem_size() <= 4 * MIB);
	rte_free(small);
	memory_assert_all_free();
}

static void
test_memory_in_the_middle_goes_back_too(void **state)
{
	char *ptr[3];
	size_t i;

	for (i = 0; i < 3; i++) {
		ptr[i] = rte_malloc("test", 10 * MIB, 0);
		assert_non_null(ptr[i]);
		memset(ptr[i], (int)i, 10 * MIB);
	}
	rte_free(ptr[1]);
	assert_true(rte_eal_get_physmem_size() < 30 * MIB);
	assert_true(memory_all_bytes_are(ptr[0], 0, 10 * MIB));
	assert_true(memory_all_bytes_are(ptr[2], 2, 10 * MIB));
	ptr[1] = rte_malloc("test", 10 * MIB, 0);
	assert_non_null(ptr[1]);
	memset(ptr[1], 1, 10 * MIB);
	assert_true(memory_all_bytes_are(ptr[0], 0, 10 * MIB));
	assert_true(memory_all_bytes_are(ptr[2], 2, 10 * MIB));
	for (i = 0; i < 3; i++)
		rte_free(ptr[i]);
	memory_assert_all_free();
}

static void
test_small_allocations_have_small_overhead(void **state)
{
	struct rte_malloc_socket_stats stats;
	void *ptr[1000];
	size_t i;

	for (i = 0; i < RTE_DIM(ptr); i++) {
		ptr[i] = rte_malloc("test", 64, 0);
		assert_non_null(ptr[i]);
	}
	stats = memory_stats_now();
	assert_int_equal(stats.alloc_count, RTE_DIM(ptr));
	assert_true(stats.heap_allocsz_bytes <= 128 * RTE_DIM(ptr) + 64);
	for (i = 0; i < RTE_DIM(ptr); i++)
		rte_free(ptr[i]);
	stats = memory_stats_now();
	assert_int_equal(stats.alloc_count, 0);
	assert_int_equal(stats.free_count, 1);
	assert_int_equal(stats.greatest_free_size, stats.heap_freesz_bytes);
}

static void
test_iova_of_an_allocation_is_that_of_its_segment(void **state)
{
	char *ptr = rte_malloc("test", 100, 0), local;

	assert_non_null(ptr);
	assert_int_equal(rte_eal_iova_mode(), RTE_IOVA_VA);
	assert_int_equal(rte_malloc_virt2iova(ptr), (uintptr_t)ptr);
	assert_int_equal(rte_malloc_virt2iova(ptr + 99), (uintptr_t)ptr + 99);
	assert_true(rte_malloc_virt2iova(&local) == RTE_BAD_IOVA);
	rte_free(ptr);
}

static void
test_stats_of_an_unknown_node_are_refused(void **state)
{
	struct rte_malloc_socket_stats stats;

	rte_errno = 0;
	assert_int_equal(rte_malloc_get_socket_stats(RTE_MAX_NUMA_NODES, &stats), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_malloc_get_socket_stats(rte_socket_id_by_idx(0), NULL), -1);
}

static void
test_dump_names_each_allocation(void **state)
{
	char *ptr = rte_malloc("test", 1000, 0), *text = NULL, want[64];
	size_t len, room;
	FILE *f;

	assert_non_null(ptr);
	assert_int_equal(rte_malloc_validate(ptr, &room), 0);
	f = open_memstream(&text, &len);
	rte_malloc_dump_stats(f, NULL);
	rte_malloc_dump_heaps(f);
	fclose(f);
	snprintf(want, sizeof(want), "%p+%zu allocated\n", (void *)ptr, room);
	assert_non_null(strstr(text, want));
	assert_non_null(strstr(text, " free\n"));
	free(text);
	rte_free(ptr);
}

/* ---- exhaustion ---- */

static int
refuse(int socket, size_t cur_limit, size_t new_len)
{
	return -1;
}

/* Takes blocks of falling sizes until nothing is left. Returns how many. */
static unsigned int
take_all(void **ptrs, unsigned int max)
{
	unsigned int nb = 0;
	size_t size;

	for (size = 4 * MIB; size >= 32; size /= 2)
		while (nb < max && (ptrs[nb] = rte_malloc("test", size, 0)) != NULL)
			nb++;
	return nb;
}

static void
test_exhausted_memory_is_whole_again_when_freed(void **state)
{
	void *ptrs[4096];
	unsigned int i, nb, round;

	assert_int_equal(rte_mem_alloc_validator_register("limit", refuse, rte_socket_id_by_idx(0),
		16 * MIB), 0);
	for (round = 0; round < 3; round++) {
		nb = take_all(ptrs, RTE_DIM(ptrs));
		assert_in_range(nb, 8, RTE_DIM(ptrs) - 1);
		assert_int_equal(rte_eal_get_physmem_size(), 16 * MIB);
		assert_int_equal(rte_errno, ENOMEM);
		/* blocks begin at lines of caches, and sizes are multiples of 64 */
		assert_in_range(memory_stats_now().heap_freesz_bytes, 0,
			(nb + 1) * (RTE_CACHE_LINE_SIZE - 64));
		for (i = 0; i < nb; i++)
			rte_free(ptrs[(i * 7919 + round) % nb]),
			ptrs[(i * 7919 + round) % nb] = NULL;
		for (i = 0; i < nb; i++)
			rte_free(ptrs[i]);
		memory_assert_all_free();
	}
	assert_int_equal(rte_mem_alloc_validator_unregister("limit", rte_socket_id_by_idx(0)), 0);
}

static const struct CMUnitTest tests[] = {
	MEMORY_TEST(test_memory_has_the_asked_alignment),
	MEMORY_TEST(test_each_size_can_be_used_to_its_last_byte),
	MEMORY_TEST(test_what_cannot_be_allocated_is_refused),
	MEMORY_TEST(test_calloc_checks_the_product),
	MEMORY_TEST(test_zmalloc_clears_what_was_used_before),
	MEMORY_TEST(test_free_sensitive_leaves_zeros),
	MEMORY_TEST(test_realloc_keeps_contents),
	MEMORY_TEST(test_realloc_grows_in_place_when_it_can),
	MEMORY_TEST(test_realloc_moves_to_the_asked_alignment),
	MEMORY_TEST(test_a_failed_realloc_leaves_all_as_it_was),
	MEMORY_TEST(test_validate_finds_what_was_written_over),
	MEMORY_TEST(test_freeing_what_is_not_allocated_does_no_harm),
	MEMORY_TEST(test_freeing_twice_between_free_blocks_does_no_harm),
	MEMORY_TEST(test_large_free_memory_goes_back_to_the_system),
	MEMORY_TEST(test_memory_in_the_middle_goes_back_too),
	MEMORY_TEST(test_small_allocations_have_small_overhead),
	MEMORY_TEST(test_iova_of_an_allocation_is_that_of_its_segment),
	MEMORY_TEST(test_stats_of_an_unknown_node_are_refused),
	MEMORY_TEST(test_dump_names_each_allocation),
	MEMORY_TEST(test_exhausted_memory_is_whole_again_when_freed),
};

TEST_SUITE(malloc, "functional", tests, NULL, NULL)
