/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_STDATOMIC_H
#define RTE_STDATOMIC_H

/**
 * @file
 * C11 atomics under names that C++ can use too. They are the compiler's builtins, so that a
 * plain object of an integer or pointer type is an atomic one.
 */

#include <stdbool.h>

/** The atomic form of @p type. */
#define RTE_ATOMIC(type) type
/** Qualifies an atomic object. */
#define __rte_atomic

/** A memory order, one of the rte_memory_order_ values. */
typedef int rte_memory_order;
#define rte_memory_order_relaxed __ATOMIC_RELAXED	/**< no order */
#define rte_memory_order_consume __ATOMIC_CONSUME	/**< acquire for what depends on it */
#define rte_memory_order_acquire __ATOMIC_ACQUIRE	/**< what follows stays behind */
#define rte_memory_order_release __ATOMIC_RELEASE	/**< what precedes stays before */
#define rte_memory_order_acq_rel __ATOMIC_ACQ_REL	/**< both */
#define rte_memory_order_seq_cst __ATOMIC_SEQ_CST	/**< both, in one order for all threads */

/** Read an object. */
#define rte_atomic_load_explicit(ptr, order) __atomic_load_n(ptr, order)
/** Write an object. */
#define rte_atomic_store_explicit(ptr, val, order) __atomic_store_n(ptr, val, order)
/** Write an object; the value is what was there. */
#define rte_atomic_exchange_explicit(ptr, val, order) __atomic_exchange_n(ptr, val, order)
/**
 * Write @p desired if *@p expected is there, else what is there to *@p expected. The value is
 * whether it was written.
 */
#define rte_atomic_compare_exchange_strong_explicit(ptr, expected, desired, succ, fail) \
	__atomic_compare_exchange_n(ptr, expected, desired, 0, succ, fail)
/** The same, which may also fail for no reason. */
#define rte_atomic_compare_exchange_weak_explicit(ptr, expected, desired, succ, fail) \
	__atomic_compare_exchange_n(ptr, expected, desired, 1, succ, fail)
/** Add; the value is what was there, as for all that follow. */
#define rte_atomic_fetch_add_explicit(ptr, val, order) __atomic_fetch_add(ptr, val, order)
/** Subtract. */
#define rte_atomic_fetch_sub_explicit(ptr, val, order) __atomic_fetch_sub(ptr, val, order)
/** Bitwise and. */
#define rte_atomic_fetch_and_explicit(ptr, val, order) __atomic_fetch_and(ptr, val, order)
/** Bitwise or. */
#define rte_atomic_fetch_or_explicit(ptr, val, order) __atomic_fetch_or(ptr, val, order)
/** Bitwise exclusive or. */
#define rte_atomic_fetch_xor_explicit(ptr, val, order) __atomic_fetch_xor(ptr, val, order)
/** Bitwise not of and. */
#define rte_atomic_fetch_nand_explicit(ptr, val, order) __atomic_fetch_nand(ptr, val, order)
/** Set a flag; the value is whether it was set. */
#define rte_atomic_flag_test_and_set_explicit(ptr, order) __atomic_test_and_set(ptr, order)
/** Clear a flag. */
#define rte_atomic_flag_clear_explicit(ptr, order) __atomic_clear(ptr, order)

/** Order memory among threads; prefer rte_atomic_thread_fence() of rte_atomic.h. */
#define __rte_atomic_thread_fence(order) __atomic_thread_fence(order)

#endif /* RTE_STDATOMIC_H */
