/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_EAL_MEMCONFIG_H
#define RTE_EAL_MEMCONFIG_H

/**
 * @file
 * The locks of what EAL shares. Children made by fork() share them too. Any thread; not
 * recursive, except that who has the memory layout may lock it for reading again.
 */

#include <stdbool.h>

#include <rte_compat.h>
#include <rte_lock_annotations.h>
#include <rte_rwlock.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The lock that the rte_mcfg_mem_ functions take. Any thread.
 *
 * @return The lock, which is EAL's.
 */
__rte_internal
rte_rwlock_t *rte_mcfg_mem_get_lock(void);

/**
 * The lock that the rte_mcfg_tailq_ functions take. Any thread.
 *
 * @return The lock, which is EAL's.
 */
__rte_internal
rte_rwlock_t *rte_mcfg_tailq_get_lock(void);

/** Lock the memory layout for reading. */
void rte_mcfg_mem_read_lock(void);
/** Undo rte_mcfg_mem_read_lock(). */
void rte_mcfg_mem_read_unlock(void);
/** Lock the memory layout for writing. */
void rte_mcfg_mem_write_lock(void);
/** Undo rte_mcfg_mem_write_lock(). */
void rte_mcfg_mem_write_unlock(void);

/** Lock the named lists for reading. */
void rte_mcfg_tailq_read_lock(void);
/** Undo rte_mcfg_tailq_read_lock(). */
void rte_mcfg_tailq_read_unlock(void);
/** Lock the named lists for writing. */
void rte_mcfg_tailq_write_lock(void);
/** Undo rte_mcfg_tailq_write_lock(). */
void rte_mcfg_tailq_write_unlock(void);

#ifdef __cplusplus
}
#endif

#endif /* RTE_EAL_MEMCONFIG_H */
