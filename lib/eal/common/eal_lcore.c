/* SPDX-License-Identifier: BSD-3-Clause */

#include <eal_export.h>
#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_per_lcore.h>

RTE_EXPORT_SYMBOL(per_lcore__lcore_id)
RTE_DEFINE_PER_LCORE(unsigned int, _lcore_id) = LCORE_ID_ANY;

RTE_EXPORT_SYMBOL(per_lcore__thread_id)
RTE_DEFINE_PER_LCORE(int, _thread_id) = -1;

RTE_EXPORT_SYMBOL(rte_get_main_lcore)
unsigned int
rte_get_main_lcore(void)
{
	return 0;
}

RTE_EXPORT_SYMBOL(rte_lcore_count)
unsigned int
rte_lcore_count(void)
{
	return 1;
}
