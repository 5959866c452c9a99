/* SPDX-License-Identifier: BSD-3-Clause */

#include <sys/mman.h>

#include <eal_export.h>
#include <rte_debug.h>
#include <rte_eal_memconfig.h>

#include "eal_mcfg.h"

struct eal_mcfg *
eal_mcfg(void)
{
	static struct eal_mcfg *mcfg;

	if (mcfg != NULL)
		return mcfg;
	mcfg = mmap(NULL, sizeof(*mcfg), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (mcfg == MAP_FAILED)
		rte_panic("no memory to share with other processes\n");
	return mcfg;
}

/* So that threads find it made. */
RTE_INIT_PRIO(eal_mcfg_init, LOG)
{
	eal_mcfg();
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_mcfg_mem_get_lock)
rte_rwlock_t *
rte_mcfg_mem_get_lock(void)
{
	return &eal_mcfg()->mem_lock;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_mcfg_tailq_get_lock)
rte_rwlock_t *
rte_mcfg_tailq_get_lock(void)
{
	return &eal_mcfg()->tailq_lock;
}

RTE_EXPORT_SYMBOL(rte_mcfg_tailq_read_lock)
void
rte_mcfg_tailq_read_lock(void)
{
	rte_rwlock_read_lock(rte_mcfg_tailq_get_lock());
}

RTE_EXPORT_SYMBOL(rte_mcfg_tailq_read_unlock)
void
rte_mcfg_tailq_read_unlock(void)
{
	rte_rwlock_read_unlock(rte_mcfg_tailq_get_lock());
}

RTE_EXPORT_SYMBOL(rte_mcfg_tailq_write_lock)
void
rte_mcfg_tailq_write_lock(void)
{
	rte_rwlock_write_lock(rte_mcfg_tailq_get_lock());
}

RTE_EXPORT_SYMBOL(rte_mcfg_tailq_write_unlock)
void
rte_mcfg_tailq_write_unlock(void)
{
	rte_rwlock_write_unlock(rte_mcfg_tailq_get_lock());
}
