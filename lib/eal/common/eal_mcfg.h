/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_MCFG_H
#define EAL_MCFG_H

/**
 * @file
 * What EAL shares with children made by fork(): list heads and locks. What the lists link must
 * be shared by whoever links it.
 */

#include <rte_rwlock.h>
#include <rte_tailq.h>

#define EAL_TAILQ_MAX 32

/** In shared memory, made at its first use, which may be in a constructor. */
struct eal_mcfg {
	rte_rwlock_t mem_lock;	/**< of the memory layout */
	rte_rwlock_t tailq_lock;	/**< of what the lists link */
	struct rte_tailq_head tailq[EAL_TAILQ_MAX];	/**< those without a name are free */
};

/** The shared memory, never NULL. It lasts as long as the process. */
struct eal_mcfg *eal_mcfg(void);

#endif /* EAL_MCFG_H */
