/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <rte_eal_memconfig.h>

#include "eal_export.h"
#include "eal_memory.h"

/*
 * How often the calling thread has taken the lock of the memory layout. A visitor or a callback
 * that walks, looks up or allocates then notices instead of waiting for itself.
 */
static __thread unsigned int held;

RTE_EXPORT_SYMBOL(rte_mcfg_mem_read_lock)
void
rte_mcfg_mem_read_lock(void)
{
	if (held++ == 0)
		rte_rwlock_read_lock(rte_mcfg_mem_get_lock());
}

RTE_EXPORT_SYMBOL(rte_mcfg_mem_read_unlock)
void
rte_mcfg_mem_read_unlock(void)
{
	if (--held == 0)
		rte_rwlock_read_unlock(rte_mcfg_mem_get_lock());
}

RTE_EXPORT_SYMBOL(rte_mcfg_mem_write_lock)
void
rte_mcfg_mem_write_lock(void)
{
	rte_rwlock_write_lock(rte_mcfg_mem_get_lock());
	held = 1;
}

RTE_EXPORT_SYMBOL(rte_mcfg_mem_write_unlock)
void
rte_mcfg_mem_write_unlock(void)
{
	held = 0;
	rte_rwlock_write_unlock(rte_mcfg_mem_get_lock());
}

int
eal_memory_write_lock(void)
{
	if (held != 0)
		return -EDEADLK;
	rte_mcfg_mem_write_lock();
	return 0;
}

bool
eal_memory_lock_held(void)
{
	return held != 0;
}
