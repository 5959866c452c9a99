/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_PAUSE_H
#define RTE_PAUSE_H

/**
 * @file
 * Waiting in a loop without wasting the core.
 */

#include <stdint.h>

#include <rte_common.h>
#include <rte_stdatomic.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Tell the core that this is a loop that waits. */
static inline void
rte_pause(void)
{
#if defined(RTE_ARCH_X86)
	__asm__ volatile("pause");
#elif defined(RTE_ARCH_ARM64)
	__asm__ volatile("yield" ::: "memory");
#elif defined(RTE_ARCH_PPC_64)
	/* this thread's share of the core becomes low, and normal again */
	__asm__ volatile("or 1,1,1\n\tor 2,2,2" ::: "memory");
#endif
}

/**
 * Wait in a loop until another thread has written a number.
 *
 * @param addr Where; a multiple of 4.
 * @param expected The number.
 * @param memorder rte_memory_order_acquire or rte_memory_order_relaxed, for each look.
 */
static __rte_always_inline void
rte_wait_until_equal_32(volatile uint32_t *addr, uint32_t expected, rte_memory_order memorder)
{
	while (__atomic_load_n(addr, memorder) != expected)
		rte_pause();
}

#ifdef __cplusplus
}
#endif

#endif /* RTE_PAUSE_H */
