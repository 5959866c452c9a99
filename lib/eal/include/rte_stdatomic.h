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
#define rte_memory_order_relaxed __ATOMIC_RELAXED
#define rte_memory_order_consume __ATOMIC_CONSUME
#define rte_memory_order_acquire __ATOMIC_ACQUIRE
#define rte_memory_order_release __ATOMIC_RELEASE
#define rte_memory_order_acq_rel __ATOMIC_ACQ_REL
#define rte_memory_order_seq_cst __ATOMIC_SEQ_CST

#define rte_atomic_load_explicit(ptr, order) __atomic_load_n(ptr, order)
#define rte_atomic_store_explicit(ptr, val, order) __atomic_store_n(ptr, val, order)
#define rte_atomic_exchange_explicit(ptr, val, order) __atomic_exchange_n(ptr, val, order)
#define rte_atomic_compare_exchange_strong_explicit(ptr, expected, desired, succ, fail) \
	__atomic_compare_exchange_n(ptr, expected, desired, 0, succ, fail)
#define rte_atomic_compare_exchange_weak_explicit(ptr, expected, desired, succ, fail) \
	__atomic_compare_exchange_n(ptr, expected, desired, 1, succ, fail)
#define rte_atomic_fetch_add_explicit(ptr, val, order) __atomic_fetch_add(ptr, val, order)
#define rte_atomic_fetch_sub_explicit(ptr, val, order) __atomic_fetch_sub(ptr, val, order)
#define rte_atomic_fetch_and_explicit(ptr, val, order) __atomic_fetch_and(ptr, val, order)
#define rte_atomic_fetch_or_explicit(ptr, val, order) __atomic_fetch_or(ptr, val, order)
#define rte_atomic_fetch_xor_explicit(ptr, val, order) __atomic_fetch_xor(ptr, val, order)
#define rte_atomic_fetch_nand_explicit(ptr, val, order) __atomic_fetch_nand(ptr, val, order)
#define rte_atomic_flag_test_and_set_explicit(ptr, order) __atomic_test_and_set(ptr, order)
#define rte_atomic_flag_clear_explicit(ptr, order) __atomic_clear(ptr, order)

/** Order memory among threads; prefer rte_atomic_thread_fence() of rte_atomic.h. */
#define __rte_atomic_thread_fence(order) __atomic_thread_fence(order)

#endif /* RTE_STDATOMIC_H */
