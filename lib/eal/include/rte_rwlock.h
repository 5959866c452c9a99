/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_RWLOCK_H
#define RTE_RWLOCK_H

/**
 * @file
 * Locks for many readers or one writer, whose waiters spin. A waiting writer goes before new
 * readers. All functions: any thread.
 */

#include <errno.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_lock_annotations.h>
#include <rte_pause.h>
#include <rte_stdatomic.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A lock; not recursive. */
typedef struct __rte_capability("rwlock") {
	RTE_ATOMIC(int32_t) cnt;	/**< bit 0 writer waits, bit 1 writer, above: readers */
} rte_rwlock_t;

#define RTE_RWLOCK_WAIT 0x1	/**< in rte_rwlock_t::cnt: a writer waits */
#define RTE_RWLOCK_WRITE 0x2	/**< a writer has the lock */
#define RTE_RWLOCK_MASK (RTE_RWLOCK_WAIT | RTE_RWLOCK_WRITE)	/**< no new readers */
#define RTE_RWLOCK_READ 0x4	/**< so much for each reader */

/** A free lock, as an initialiser. */
#define RTE_RWLOCK_INITIALIZER { 0 }

/**
 * Make a lock free, before its first use.
 *
 * @param rwl The lock.
 */
static inline void
rte_rwlock_init(rte_rwlock_t *rwl)
{
	rwl->cnt = 0;
}

/**
 * Take a lock for reading, if that is possible at once.
 *
 * @param rwl The lock.
 * @return 0; -EBUSY: a writer has it or waits for it.
 */
__rte_warn_unused_result
static inline int
rte_rwlock_read_trylock(rte_rwlock_t *rwl)
	__rte_try_acquire_shared_capability(0, rwl)
	__rte_no_thread_safety_analysis
{
	int32_t seen = rte_atomic_load_explicit(&rwl->cnt, rte_memory_order_relaxed);

	while ((seen & RTE_RWLOCK_MASK) == 0)
		if (rte_atomic_compare_exchange_weak_explicit(&rwl->cnt, &seen,
				seen + RTE_RWLOCK_READ, rte_memory_order_acquire,
				rte_memory_order_relaxed))
			return 0;
	return -EBUSY;
}

/**
 * Take a lock for reading, waiting for it. A thread that reads already may wait for ever, behind a
 * writer that waits for it.
 *
 * @param rwl The lock.
 */
static inline void
rte_rwlock_read_lock(rte_rwlock_t *rwl)
	__rte_acquire_shared_capability(rwl)
	__rte_no_thread_safety_analysis
{
	while (rte_rwlock_read_trylock(rwl) != 0)
		rte_pause();
}

/**
 * Undo rte_rwlock_read_lock().
 *
 * @param rwl A lock that the caller has for reading.
 */
static inline void
rte_rwlock_read_unlock(rte_rwlock_t *rwl)
	__rte_release_shared_capability(rwl)
	__rte_no_thread_safety_analysis
{
	rte_atomic_fetch_sub_explicit(&rwl->cnt, RTE_RWLOCK_READ, rte_memory_order_release);
}

/**
 * Take a lock for writing, if that is possible at once.
 *
 * @param rwl The lock.
 * @return 0; -EBUSY: somebody has it.
 */
__rte_warn_unused_result
static inline int
rte_rwlock_write_trylock(rte_rwlock_t *rwl)
	__rte_try_acquire_capability(0, rwl)
	__rte_no_thread_safety_analysis
{
	int32_t seen = rte_atomic_load_explicit(&rwl->cnt, rte_memory_order_relaxed);

	while (seen < RTE_RWLOCK_WRITE)
		if (rte_atomic_compare_exchange_weak_explicit(&rwl->cnt, &seen,
				RTE_RWLOCK_WRITE, rte_memory_order_acquire,
				rte_memory_order_relaxed))
			return 0;
	return -EBUSY;
}

/**
 * Take a lock for writing, waiting for it. A thread that has it already waits for ever.
 *
 * @param rwl The lock.
 */
static inline void
rte_rwlock_write_lock(rte_rwlock_t *rwl)
	__rte_acquire_capability(rwl)
	__rte_no_thread_safety_analysis
{
	while (rte_rwlock_write_trylock(rwl) != 0) {
		rte_atomic_fetch_or_explicit(&rwl->cnt, RTE_RWLOCK_WAIT,
			rte_memory_order_relaxed);
		rte_pause();
	}
}

/**
 * Undo rte_rwlock_write_lock().
 *
 * @param rwl A lock that the caller has for writing.
 */
static inline void
rte_rwlock_write_unlock(rte_rwlock_t *rwl)
	__rte_release_capability(rwl)
	__rte_no_thread_safety_analysis
{
	rte_atomic_fetch_sub_explicit(&rwl->cnt, RTE_RWLOCK_WRITE, rte_memory_order_release);
}

#ifdef __cplusplus
}
#endif

#endif /* RTE_RWLOCK_H */
