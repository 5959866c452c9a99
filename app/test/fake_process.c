/* SPDX-License-Identifier: BSD-3-Clause */

#include "fake_process.h"

static enum rte_proc_type_t process_type = RTE_PROC_PRIMARY;

void
fake_process_set(enum rte_proc_type_t type)
{
	process_type = type;
}

/* Stands in for EAL's. */
enum rte_proc_type_t
rte_eal_process_type(void)
{
	return process_type;
}
