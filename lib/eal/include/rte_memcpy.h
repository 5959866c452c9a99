/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_MEMCPY_H
#define RTE_MEMCPY_H

/**
 * @file
 * Copying memory.
 */

#include <string.h>

#include <rte_common.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Copy memory. Any thread.
 *
 * @param dst Where to; does not overlap with @p src.
 * @param src What.
 * @param n Bytes.
 * @return @p dst.
 */
static __rte_always_inline void *
rte_memcpy(void *dst, const void *src, size_t n)
{
	return memcpy(dst, src, n);
}

#ifdef __cplusplus
}
#endif

#endif /* RTE_MEMCPY_H */
