/* SPDX-License-Identifier: BSD-3-Clause */

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_eal_memconfig.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "interpose.h"
#include "memory_suite.h"
#include "test.h"

/* ---- look-ups and walks ---- */

static void
test_an_address_leads_to_its_segment(void **state)
{
	char *ptr = rte_malloc("test", 5 * MIB, 0), local;
	const struct rte_memseg_list *msl;
	const struct rte_memseg *ms;
	size_t off;

	assert_non_null(ptr);
	for (off = 0; off < 5 * MIB; off += 4096) {
		msl = rte_mem_virt2memseg_list(ptr + off);
		assert_non_null(msl);
		ms = rte_mem_virt2memseg(ptr + off, msl);
		assert_non_null(ms);
		assert_ptr_equal(ms, rte_mem_virt2memseg(ptr + off, NULL));
		assert_in_range((uintptr_t)ptr + off, ms->addr_64, ms->addr_64 + ms->len - 1);
		assert_int_equal(ms->socket_id, msl->socket_id);
	}
	assert_null(rte_mem_virt2memseg(&local, NULL));
	assert_null(rte_mem_virt2memseg(&local, msl));
	assert_null(rte_mem_virt2memseg_list(&local));
	/* In the window, where there is no memory. */
	assert_ptr_equal(rte_mem_virt2memseg_list((char *)msl->base_va + msl->len - 1), msl);
	assert_null(rte_mem_virt2memseg((char *)msl->base_va + msl->len - 1, NULL));
	assert_null(rte_mem_virt2memseg_list((char *)msl->base_va + msl->len));
}

static void
test_io_addresses_are_virtual_ones(void **state)
{
	char *ptr = rte_malloc("test", 100, 0), local;

	assert_int_equal(rte_eal_iova_mode(), RTE_IOVA_VA);
	assert_int_equal(rte_mem_virt2iova(&local), (uintptr_t)&local);
	assert_int_equal(rte_mem_virt2iova(ptr), (uintptr_t)ptr);
	assert_ptr_equal(rte_mem_iova2virt((uintptr_t)ptr + 5), ptr + 5);
	assert_null(rte_mem_iova2virt((uintptr_t)&local));
	assert_int_equal(rte_mem_virt2memseg(ptr, NULL)->iova & (SEGMENT - 1), 0);
}

static void
test_windows_are_within_reach_of_a_39_bit_iommu(void **state)
{
	if (SANITIZED)
		skip();
	assert_true((uintptr_t)rte_malloc("test", 1, 0) < UINT64_C(1) << 39);
}

static int
list_count(const struct rte_memseg_list *msl, void *arg)
{
	struct memory_walked *walked = arg;

	assert_non_null(msl->base_va);
	walked->nb++;
	return walked->answer;
}

static void
test_memory_in_one_piece_is_one_run(void **state)
{
	struct memory_walked segments = { 0 }, runs = { 0 };
	char *ptr = rte_malloc("test", 128 * MIB - 4096, 0);

	assert_non_null(ptr);
	assert_int_equal(rte_memseg_walk(memory_count_segment, &segments), 0);
	assert_int_equal(rte_memseg_contig_walk(memory_count_run, &runs), 0);
	assert_int_equal(segments.len, 128 * MIB);
	assert_int_equal(segments.nb, 64);
	assert_int_equal(runs.nb, 1);
	assert_int_equal(runs.len, 128 * MIB);
	assert_int_equal(rte_eal_get_physmem_size(), 128 * MIB);
}

static void
test_a_hole_splits_a_run(void **state)
{
	struct memory_walked runs = { 0 };
	char *ptr[3];
	int i;

	for (i = 0; i < 3; i++)
		assert_non_null(ptr[i] = rte_malloc("test", 10 * MIB - 4096, 0));
	rte_free(ptr[1]);
	assert_int_equal(rte_memseg_contig_walk(memory_count_run, &runs), 0);
	assert_int_equal(runs.nb, 2);
	assert_int_equal(runs.len, rte_eal_get_physmem_size());
	assert_true(runs.len < 30 * MIB);
}

static void
test_a_visitor_can_end_a_walk(void **state)
{
	static const int answers[] = { 1, -1 };
	struct memory_walked walked;
	size_t i;

	assert_non_null(rte_malloc("test", 10 * MIB, 0));
	for (i = 0; i < RTE_DIM(answers); i++) {
		walked = (struct memory_walked) { .answer = answers[i] };
		assert_int_equal(rte_memseg_walk(memory_count_segment, &walked), answers[i]);
		assert_int_equal(rte_memseg_contig_walk(memory_count_run, &walked), answers[i]);
		assert_int_equal(rte_memseg_list_walk(list_count, &walked), answers[i]);
		assert_int_equal(rte_memseg_walk_thread_unsafe(memory_count_segment, &walked),
			answers[i]);
		assert_int_equal(rte_memseg_contig_walk_thread_unsafe(memory_count_run, &walked),
			answers[i]);
		assert_int_equal(rte_memseg_list_walk_thread_unsafe(list_count, &walked),
			answers[i]);
		assert_int_equal(walked.nb, 6);
	}
}

struct allocating_visit {
	void *small;
	void *large;
	int nested;
};

static int
visit_and_allocate(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	struct allocating_visit *visit = arg;
	struct memory_walked walked = { 0 };

	visit->small = rte_malloc("test", 64, 0);
	visit->large = rte_malloc("test", 64 * MIB, 0);
	visit->nested = rte_memseg_walk(memory_count_segment, &walked);
	rte_free(visit->small);
	return 1;
}

static void
test_a_visitor_allocates_what_fits_and_never_hangs(void **state)
{
	struct allocating_visit visit = { .nested = -1 };

	assert_non_null(rte_malloc("test", 64, 0));
	assert_int_equal(rte_memseg_walk(visit_and_allocate, &visit), 1);
	assert_non_null(visit.small);
	assert_null(visit.large);
	assert_int_equal(visit.nested, 0);
	visit = (struct allocating_visit) { .nested = -1 };
	rte_mcfg_mem_read_lock();
	assert_int_equal(rte_memseg_walk_thread_unsafe(visit_and_allocate, &visit), 1);
	rte_mcfg_mem_read_unlock();
	assert_non_null(visit.small);
	assert_null(visit.large);
	assert_non_null(rte_malloc("test", 64 * MIB, 0));
}

static int
visit_and_free(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	struct memory_walked walked = { 0 };
	void **large = arg;

	rte_free(*large);
	*large = NULL;
	assert_int_equal(rte_memseg_walk(memory_count_segment, &walked), 0);
	assert_true(walked.len >= 64 * MIB);
	return 1;
}

static void
test_what_a_visitor_frees_goes_later(void **state)
{
	void *large = rte_malloc("test", 64 * MIB, 0), *last = rte_malloc("test", 64, 0);

	assert_non_null(last);
	assert_int_equal(rte_memseg_walk(visit_and_free, &large), 1);
	assert_true(rte_eal_get_physmem_size() >= 64 * MIB);
	rte_free(last);
	assert_int_equal(rte_eal_get_physmem_size(), SEGMENT);
}

/* ---- threads ---- */

static int
segment_touch(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	bool *ok = arg;

	*ok = *ok && rte_mem_virt2memseg(ms->addr, NULL) == ms && ms->len == msl->seg_len &&
		rte_memseg_get_fd_thread_unsafe(ms) >= 0;
	return 0;
}

static void *
walk_often(void *arg)
{
	bool ok = true;
	int i;

	for (i = 0; i < 2000; i++)
		rte_memseg_walk(segment_touch, &ok);
	return ok ? arg : NULL;
}

static void *
grow_and_shrink(void *arg)
{
	bool ok = true;
	char *ptr;
	int i;

	for (i = 0; i < 200; i++) {
		ptr = rte_malloc("test", 3 * MIB + i * 1000, 0);
		ok = ok && ptr != NULL;
		if (ptr != NULL)
			ptr[0] = ptr[3 * MIB] = 1;
		rte_free(ptr);
	}
	return ok ? arg : NULL;
}

static void
test_walks_and_changes_happen_at_once(void **state)
{
	void *(*const runs[])(void *) = { walk_often, grow_and_shrink, grow_and_shrink,
		walk_often };
	pthread_t threads[RTE_DIM(runs)];
	char ids[RTE_DIM(runs)];
	void *result;
	size_t i;

	for (i = 0; i < RTE_DIM(runs); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, runs[i], &ids[i]), 0);
	for (i = 0; i < RTE_DIM(runs); i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, &ids[i]);
	}
	assert_int_equal(rte_eal_get_physmem_size(), SEGMENT);
}

/* ---- facts ---- */

static void
test_the_layout_can_be_printed(void **state)
{
	char *ptr = rte_malloc("test", 100, 0), *text = NULL, want[64];
	size_t len;
	FILE *f = open_memstream(&text, &len);

	rte_dump_physmem_layout(f);
	fclose(f);
	snprintf(want, sizeof(want), "virt %p", rte_mem_virt2memseg(ptr, NULL)->addr);
	assert_non_null(strstr(text, want));
	free(text);
	assert_int_equal(rte_memory_get_nchannel(), 0);
	assert_int_equal(rte_memory_get_nrank(), 0);
}

static const struct CMUnitTest tests[] = {
	MEMORY_TEST(test_an_address_leads_to_its_segment),
	MEMORY_TEST(test_io_addresses_are_virtual_ones),
	MEMORY_TEST(test_windows_are_within_reach_of_a_39_bit_iommu),
	MEMORY_TEST(test_memory_in_one_piece_is_one_run),
	MEMORY_TEST(test_a_hole_splits_a_run),
	MEMORY_TEST(test_a_visitor_can_end_a_walk),
	MEMORY_TEST(test_a_visitor_allocates_what_fits_and_never_hangs),
	MEMORY_TEST(test_what_a_visitor_frees_goes_later),
	MEMORY_TEST(test_walks_and_changes_happen_at_once),
	MEMORY_TEST(test_the_layout_can_be_printed),
};
TEST_SUITE(memory_walk, "functional", tests, NULL, NULL)
