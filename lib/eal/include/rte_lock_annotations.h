/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_LOCK_ANNOTATIONS_H
#define RTE_LOCK_ANNOTATIONS_H

/**
 * @file
 * Which locks a function takes, gives back or needs, for clang's -Wthread-safety. They mean
 * something when RTE_ANNOTATE_LOCKS is defined.
 */

#if defined(RTE_ANNOTATE_LOCKS) && defined(__clang__)
/** @internal An attribute, where there are such. */
#define RTE_LOCK_ATTR_(x) __attribute__((x))
#else
/** @internal An attribute, where there are such. */
#define RTE_LOCK_ATTR_(x)
#endif

/** The type is a lock, of the kind that the text @p name tells. */
#define __rte_capability(name) RTE_LOCK_ATTR_(capability(name))
/** The object is used under the lock only. */
#define __rte_guarded_by(...) RTE_LOCK_ATTR_(guarded_by(__VA_ARGS__))
/** The object is used under some lock only. */
#define __rte_guarded_var RTE_LOCK_ATTR_(guarded_var)
/** Callers have the lock. */
#define __rte_requires_capability(...) RTE_LOCK_ATTR_(requires_capability(__VA_ARGS__))
/** Callers have the lock, for reading at least. */
#define __rte_requires_shared_capability(...) \
	RTE_LOCK_ATTR_(requires_shared_capability(__VA_ARGS__))
/** Takes the lock. */
#define __rte_acquire_capability(...) RTE_LOCK_ATTR_(acquire_capability(__VA_ARGS__))
/** Takes the lock for reading. */
#define __rte_acquire_shared_capability(...) \
	RTE_LOCK_ATTR_(acquire_shared_capability(__VA_ARGS__))
/** Takes the lock if it returns @p ret. */
#define __rte_try_acquire_capability(ret, ...) \
	RTE_LOCK_ATTR_(try_acquire_capability(ret, __VA_ARGS__))
/** Takes the lock for reading if it returns @p ret. */
#define __rte_try_acquire_shared_capability(ret, ...) \
	RTE_LOCK_ATTR_(try_acquire_shared_capability(ret, __VA_ARGS__))
/** Gives the lock back. */
#define __rte_release_capability(...) RTE_LOCK_ATTR_(release_capability(__VA_ARGS__))
/** Gives the lock back that was taken for reading. */
#define __rte_release_shared_capability(...) \
	RTE_LOCK_ATTR_(release_shared_capability(__VA_ARGS__))
/** Callers do not have the lock. */
#define __rte_excludes_capability(...) RTE_LOCK_ATTR_(locks_excluded(__VA_ARGS__))
/** Ends the program unless the lock is had. */
#define __rte_assert_capability(...) RTE_LOCK_ATTR_(assert_capability(__VA_ARGS__))
/** Ends the program unless the lock is had, for reading at least. */
#define __rte_assert_shared_capability(...) \
	RTE_LOCK_ATTR_(assert_shared_capability(__VA_ARGS__))
/** The function is not looked into. */
#define __rte_no_thread_safety_analysis RTE_LOCK_ATTR_(no_thread_safety_analysis)

#endif /* RTE_LOCK_ANNOTATIONS_H */
