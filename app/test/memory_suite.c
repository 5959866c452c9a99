/* SPDX-License-Identifier: BSD-3-Clause */

#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_memory.h>

#include "eal_command.h"
#include "memory_suite.h"
#include "test.h"

int
memory_setup(void **state)
{
	return eal_command_init("--no-pci --no-huge") < 0 ? -1 : 0;
}

int
memory_teardown(void **state)
{
	return rte_eal_cleanup();
}

int
memory_teardown_alone(void **state)
{
	rte_eal_cleanup();
	return 0;
}

int
memory_count_segment(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	struct memory_walked *walked = arg;

	assert_int_equal(msl->external, 0);
	assert_ptr_equal(ms, rte_mem_virt2memseg(ms->addr, msl));
	walked->nb++;
	walked->len += ms->len;
	return walked->answer;
}

int
memory_count_run(const struct rte_memseg_list *msl, const struct rte_memseg *ms, size_t len,
	void *arg)
{
	struct memory_walked *walked = arg;

	walked->nb++;
	walked->len += len;
	walked->addr = ms->addr;
	return walked->answer;
}

uint32_t
memory_random_next(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

struct rte_malloc_socket_stats
memory_stats_now(void)
{
	struct rte_malloc_socket_stats stats;

	assert_int_equal(rte_malloc_get_socket_stats(rte_socket_id_by_idx(0), &stats), 0);
	assert_int_equal(stats.heap_freesz_bytes + stats.heap_allocsz_bytes,
		stats.heap_totalsz_bytes);
	return stats;
}

void
memory_assert_all_free(void)
{
	assert_int_equal(memory_stats_now().alloc_count, 0);
	assert_true(rte_eal_get_physmem_size() <= 2 * MIB);
}

bool
memory_all_bytes_are(const void *mem, unsigned char value, size_t len)
{
	const unsigned char *p = mem;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != value)
			return false;
	return true;
}
