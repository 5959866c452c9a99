/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_PREFETCH_H
#define RTE_PREFETCH_H

/**
 * @file
 * Hints to bring memory into a cache. Any address is allowed; it is not accessed.
 */

#include <rte_common.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Into all caches.
 *
 * @param p An address in the cache line.
 */
static inline void
rte_prefetch0(const volatile void *p)
{
	__builtin_prefetch(RTE_PTR_UNQUAL(p), 0, 3);
}

/**
 * Into all caches but the first.
 *
 * @param p An address in the cache line.
 */
static inline void
rte_prefetch1(const volatile void *p)
{
	__builtin_prefetch(RTE_PTR_UNQUAL(p), 0, 2);
}

/**
 * Into the last cache.
 *
 * @param p An address in the cache line.
 */
static inline void
rte_prefetch2(const volatile void *p)
{
	__builtin_prefetch(RTE_PTR_UNQUAL(p), 0, 1);
}

/**
 * For one use: into the nearest cache, to be given up soon.
 *
 * @param p An address in the cache line.
 */
static inline void
rte_prefetch_non_temporal(const volatile void *p)
{
	__builtin_prefetch(RTE_PTR_UNQUAL(p), 0, 0);
}

#ifdef __cplusplus
}
#endif

#endif /* RTE_PREFETCH_H */
