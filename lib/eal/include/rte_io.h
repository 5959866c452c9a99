/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_IO_H
#define RTE_IO_H

/**
 * @file
 * Access to device registers that are mapped: one access of exactly that width. The plain forms
 * keep their order with all other accesses to devices and memory, the _relaxed ones only with
 * accesses to the same device. The address must be a multiple of the width. Any thread.
 */

#include <stdint.h>

#include <rte_atomic.h>
#include <rte_common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @internal The four functions for a width in bits. */
#define RTE_IO_ACCESSORS_(width) \
static __rte_always_inline uint##width##_t \
rte_read##width##_relaxed(const volatile void *addr) \
{ \
	return *(const volatile uint##width##_t *)addr; \
} \
\
static __rte_always_inline uint##width##_t \
rte_read##width(const volatile void *addr) \
{ \
	uint##width##_t val = rte_read##width##_relaxed(addr); \
\
	rte_io_rmb(); \
	return val; \
} \
\
static __rte_always_inline void \
rte_write##width##_relaxed(uint##width##_t value, volatile void *addr) \
{ \
	*(volatile uint##width##_t *)addr = value; \
} \
\
static __rte_always_inline void \
rte_write##width(uint##width##_t value, volatile void *addr) \
{ \
	rte_io_wmb(); \
	rte_write##width##_relaxed(value, addr); \
}

RTE_IO_ACCESSORS_(8)
RTE_IO_ACCESSORS_(16)
RTE_IO_ACCESSORS_(32)
RTE_IO_ACCESSORS_(64)

/**
 * rte_write32() to memory that combines writes.
 *
 * @param value What to write.
 * @param addr Where to, a multiple of 4.
 */
static __rte_always_inline void
rte_write32_wc(uint32_t value, volatile void *addr)
{
	rte_write32(value, addr);
}

/**
 * rte_write32_relaxed() to memory that combines writes.
 *
 * @param value What to write.
 * @param addr Where to, a multiple of 4.
 */
static __rte_always_inline void
rte_write32_wc_relaxed(uint32_t value, volatile void *addr)
{
	rte_write32_relaxed(value, addr);
}

#ifdef __cplusplus
}
#endif

#endif /* RTE_IO_H */
