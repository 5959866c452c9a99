/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_ATOMIC_H
#define RTE_ATOMIC_H

/**
 * @file
 * Barriers: among threads (rte_smp_*), with devices (rte_io_*), and with everything.
 */

#include <rte_common.h>
#include <rte_stdatomic.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The compiler moves no memory access across. */
#define rte_compiler_barrier() __asm__ volatile("" : : : "memory")

#if defined(RTE_ARCH_X86)

/* x86 keeps loads in order, stores in order, and all accesses to uncached memory in order. */
#define rte_mb() __asm__ volatile("mfence" : : : "memory")
#define rte_wmb() __asm__ volatile("sfence" : : : "memory")
#define rte_rmb() __asm__ volatile("lfence" : : : "memory")
#define rte_smp_wmb() rte_compiler_barrier()
#define rte_smp_rmb() rte_compiler_barrier()
#define rte_io_mb() rte_mb()
#define rte_io_wmb() rte_compiler_barrier()
#define rte_io_rmb() rte_compiler_barrier()

#elif defined(RTE_ARCH_ARM64)

#define rte_mb() __asm__ volatile("dmb osh" : : : "memory")
#define rte_wmb() __asm__ volatile("dmb oshst" : : : "memory")
#define rte_rmb() __asm__ volatile("dmb oshld" : : : "memory")
#define rte_smp_wmb() __asm__ volatile("dmb ishst" : : : "memory")
#define rte_smp_rmb() __asm__ volatile("dmb ishld" : : : "memory")
#define rte_io_mb() rte_mb()
#define rte_io_wmb() rte_wmb()
#define rte_io_rmb() rte_rmb()

#elif defined(RTE_ARCH_PPC_64)

/* sync orders accesses to memory and to devices alike, lwsync those to cached memory only. */
#define rte_mb() __asm__ volatile("sync" : : : "memory")
#define rte_wmb() rte_mb()
#define rte_rmb() rte_mb()
#define rte_smp_wmb() __asm__ volatile("lwsync" : : : "memory")
#define rte_smp_rmb() __asm__ volatile("lwsync" : : : "memory")
#define rte_io_mb() rte_mb()
#define rte_io_wmb() rte_mb()
#define rte_io_rmb() rte_mb()

#else
#error "what barriers this processor takes is not known"
#endif

/** All accesses before are seen by other threads before all those after. */
#define rte_smp_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/**
 * Order memory among threads.
 *
 * @param memorder One of the rte_memory_order_ values; the effect is that of the C11 fence.
 */
static __rte_always_inline void
rte_atomic_thread_fence(rte_memory_order memorder)
{
	switch (memorder) {
	case __ATOMIC_RELAXED:
		break;
	case __ATOMIC_CONSUME:
	case __ATOMIC_ACQUIRE:
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		break;
	case __ATOMIC_RELEASE:
		__atomic_thread_fence(__ATOMIC_RELEASE);
		break;
	case __ATOMIC_ACQ_REL:
		__atomic_thread_fence(__ATOMIC_ACQ_REL);
		break;
	default:
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	}
}

#ifdef __cplusplus
}
#endif

#endif /* RTE_ATOMIC_H */
