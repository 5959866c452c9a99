/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_SPINLOCK_H
#define RTE_SPINLOCK_H

/**
 * @file
 * Locks whose waiters spin. All functions: any thread.
 */

#include <rte_common.h>
#include <rte_lock_annotations.h>
#include <rte_pause.h>
#include <rte_stdatomic.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A lock; not recursive. */
typedef struct __rte_capability("spinlock") {
	volatile RTE_ATOMIC(int) locked;	/**< 0 free, 1 taken */
} rte_spinlock_t;

/** A free lock, as an initialiser. */
#define RTE_SPINLOCK_INITIALIZER { 0 }

/**
 * Make a lock free, before its first use.
 *
 * @param sl The lock.
 */
static inline void
rte_spinlock_init(rte_spinlock_t *sl)
{
	sl->locked = 0;
}

/**
 * Take a lock if it is free.
 *
 * @param sl The lock.
 * @return 1: the caller has it; 0: another thread has.
 */
__rte_warn_unused_result
static inline int
rte_spinlock_trylock(rte_spinlock_t *sl)
	__rte_try_acquire_capability(1, sl)
	__rte_no_thread_safety_analysis
{
	int expected = 0;

	return rte_atomic_compare_exchange_strong_explicit(&sl->locked, &expected, 1,
			rte_memory_order_acquire, rte_memory_order_relaxed);
}

/**
 * Take a lock, waiting for it. A thread that has it already waits for ever.
 *
 * @param sl The lock.
 */
static inline void
rte_spinlock_lock(rte_spinlock_t *sl)
	__rte_acquire_capability(sl)
	__rte_no_thread_safety_analysis
{
	while (!rte_spinlock_trylock(sl))
		while (rte_atomic_load_explicit(&sl->locked, rte_memory_order_relaxed) != 0)
			rte_pause();
}

/**
 * Give a lock back.
 *
 * @param sl A lock that the caller has.
 */
static inline void
rte_spinlock_unlock(rte_spinlock_t *sl)
	__rte_release_capability(sl)
	__rte_no_thread_safety_analysis
{
	rte_atomic_store_explicit(&sl->locked, 0, rte_memory_order_release);
}

/**
 * Is a lock taken?
 *
 * @param sl The lock.
 * @return 1: yes; 0: no. Either may have changed already.
 */
static inline int
rte_spinlock_is_locked(rte_spinlock_t *sl)
{
	return rte_atomic_load_explicit(&sl->locked, rte_memory_order_acquire);
}

#ifdef __cplusplus
}
#endif

#endif /* RTE_SPINLOCK_H */
