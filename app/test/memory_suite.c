/* SPDX-License-Identifier: BSD-3-Clause */

#include <rte_eal.h>
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
