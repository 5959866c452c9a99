/* SPDX-License-Identifier: BSD-3-Clause */

#include <eal_export.h>
#include <rte_eal.h>

/*
 * In a file of its own, so that a program with a definition of its own, as tests for secondary
 * processes have, links also with the static library.
 */
RTE_EXPORT_SYMBOL(rte_eal_process_type)
enum rte_proc_type_t
rte_eal_process_type(void)
{
	return RTE_PROC_PRIMARY;
}
