/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include <rte_common.h>
#include <rte_eal_paging.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "memory_suite.h"
#include "test.h"

/* ---- memory of the application ---- */

static char external[4 * 4096] __rte_aligned(4096);

static void
test_external_memory_is_found_once_registered(void **state)
{
	rte_iova_t iovas[] = { 0x10000, 0x30000, 0x20000, RTE_BAD_IOVA };
	const struct rte_memseg_list *msl;
	const struct rte_memseg *ms;

	assert_null(rte_mem_virt2memseg(external, NULL));
	assert_int_equal(rte_extmem_register(external, sizeof(external), iovas, 4, 4096), 0);
	msl = rte_mem_virt2memseg_list(external + 5);
	assert_non_null(msl);
	assert_int_equal(msl->external, 1);
	assert_int_equal(msl->heap, 0);
	assert_int_equal(msl->page_sz, 4096);
	ms = rte_mem_virt2memseg(external + 4096 + 7, NULL);
	assert_non_null(ms);
	assert_ptr_equal(ms->addr, external + 4096);
	assert_int_equal(ms->iova, 0x30000);
	assert_ptr_equal(rte_mem_iova2virt(0x20004), external + 2 * 4096 + 4);
	assert_int_equal(rte_malloc_virt2iova(external + 4097), 0x30001);
	assert_true(rte_malloc_virt2iova(external + 3 * 4096) == RTE_BAD_IOVA);
	assert_int_equal(rte_memseg_get_fd(ms), -1);
	assert_int_equal(rte_errno, ENOTSUP);
	assert_int_equal(rte_extmem_attach(external, sizeof(external)), 0);
	assert_int_equal(rte_extmem_detach(external, sizeof(external)), 0);
	assert_int_equal(rte_extmem_unregister(external, sizeof(external)), 0);
	assert_null(rte_mem_virt2memseg(external, NULL));
}

static void
test_bad_external_memory_is_refused(void **state)
{
	rte_iova_t iovas[4] = { 0 };
	char *ours = rte_malloc("test", 64, 0);
	const struct {
		void *addr;
		size_t len;
		rte_iova_t *iovas;
		unsigned int n;
		size_t page;
		int err;
	} cases[] = {
		{ NULL, 4096, NULL, 0, 4096, EINVAL },
		{ external, 0, NULL, 0, 4096, EINVAL },
		{ external, 4096, NULL, 0, 0, EINVAL },
		{ external, 4096, NULL, 0, 3000, EINVAL },
		{ external + 1, 4096, NULL, 0, 4096, EINVAL },
		{ external, 4097, NULL, 0, 4096, EINVAL },
		{ external, 8192, iovas, 1, 4096, EINVAL },
		{ (void *)(UINTPTR_MAX - 4095), 8192, NULL, 0, 4096, EINVAL },
		{ RTE_PTR_ALIGN_FLOOR(ours, 4096), 4096, NULL, 0, 4096, EEXIST },
		{ external + 8192, 8192, NULL, 0, 4096, 0 },
		{ external, 4 * 4096, NULL, 0, 4096, EEXIST },
		{ external + 3 * 4096, 4096, NULL, 0, 4096, EEXIST },
		{ external, 8192, iovas, 2, 4096, 0 },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		rte_errno = 0;
		assert_int_equal(rte_extmem_register(cases[i].addr, cases[i].len, cases[i].iovas,
			cases[i].n, cases[i].page), cases[i].err == 0 ? 0 : -1);
		assert_int_equal(rte_errno, cases[i].err);
	}
	assert_int_equal(rte_extmem_unregister(external, 4096), -1);
	assert_int_equal(rte_errno, ENOENT);
	assert_int_equal(rte_extmem_unregister(NULL, 4096), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_extmem_attach(external, 4096), -1);
	assert_int_equal(rte_errno, ENOENT);
	assert_int_equal(rte_extmem_detach(external, 0), -1);
	assert_int_equal(rte_errno, EINVAL);
}

static void
test_lists_are_limited_and_reused(void **state)
{
	char *mem = rte_mem_map(NULL, 4096 * RTE_MAX_MEMSEG_LISTS, 0,
			RTE_MAP_ANONYMOUS | RTE_MAP_PRIVATE, -1, 0);
	unsigned int i, nb = 0, round;

	for (round = 0; round < 2; round++) {
		for (nb = 0; nb < RTE_MAX_MEMSEG_LISTS; nb++)
			if (rte_extmem_register(mem + 4096 * nb, 4096, NULL, 0, 4096) != 0)
				break;
		assert_int_equal(rte_errno, ENOSPC);
		assert_in_range(nb, 1, RTE_MAX_MEMSEG_LISTS - 1);
		for (i = 0; i < nb; i++)
			assert_int_equal(rte_extmem_unregister(mem + 4096 * i, 4096), 0);
	}
	rte_mem_unmap(mem, 4096 * RTE_MAX_MEMSEG_LISTS);
}

static atomic_bool registering;

/* A list in the place of another one has its base where the other's length was larger. */
static void *
register_in_turns(void *mem)
{
	static const struct { unsigned int first, nb; } ranges[] = { { 0, 3 }, { 2, 1 } };
	char *addr;
	unsigned int i;
	size_t len;

	for (i = 0; i < 40000; i++) {
		addr = (char *)mem + ranges[i % 2].first * 4096;
		len = ranges[i % 2].nb * 4096;
		if (rte_extmem_register(addr, len, NULL, 0, 4096) != 0 ||
				rte_extmem_unregister(addr, len) != 0)
			break;
	}
	atomic_store(&registering, false);
	return i == 40000 ? mem : NULL;
}

static void
test_list_is_seen_when_it_is_complete(void **state)
{
	char *mem = rte_mem_map(NULL, 4 * 4096, 0, RTE_MAP_ANONYMOUS | RTE_MAP_PRIVATE, -1, 0);
	const struct rte_memseg_list *last;
	unsigned int nb_wrong = 0;
	pthread_t thread;
	void *result;

	assert_int_equal(rte_extmem_register(mem, 4096, NULL, 0, 4096), 0);
	assert_int_equal(rte_extmem_register(mem + 3 * 4096, 4096, NULL, 0, 4096), 0);
	assert_int_equal(rte_extmem_unregister(mem, 4096), 0);
	last = rte_mem_virt2memseg_list(mem + 3 * 4096);
	atomic_store(&registering, true);
	assert_int_equal(pthread_create(&thread, NULL, register_in_turns, mem), 0);
	while (atomic_load(&registering))
		nb_wrong += rte_mem_virt2memseg_list(mem + 3 * 4096) != last;
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, mem);
	assert_int_equal(nb_wrong, 0);
	assert_int_equal(rte_extmem_unregister(mem + 3 * 4096, 4096), 0);
	rte_mem_unmap(mem, 4 * 4096);
}

static const struct CMUnitTest tests[] = {
	MEMORY_TEST(test_external_memory_is_found_once_registered),
	MEMORY_TEST(test_bad_external_memory_is_refused),
	MEMORY_TEST(test_lists_are_limited_and_reused),
	MEMORY_TEST(test_list_is_seen_when_it_is_complete),
};
TEST_SUITE(memory_external, "functional", tests, NULL, NULL)
