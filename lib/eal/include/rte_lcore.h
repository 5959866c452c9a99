/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_LCORE_H
#define RTE_LCORE_H

/**
 * @file
 * The cores that the program runs on. There is one, the main one: this EAL starts no threads
 * for work.
 */

#include <rte_common.h>
#include <rte_config.h>
#include <rte_per_lcore.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Any core; what rte_lcore_id() gives to a thread that is not the main one. */
#define LCORE_ID_ANY UINT32_MAX

RTE_DECLARE_PER_LCORE(unsigned int, _lcore_id);

/** The core that the calling thread is, or LCORE_ID_ANY. */
static inline unsigned int
rte_lcore_id(void)
{
	return RTE_PER_LCORE(_lcore_id);
}

/** The number of the main core: 0. */
unsigned int rte_get_main_lcore(void);

/** How many cores there are: 1. */
unsigned int rte_lcore_count(void);

/**
 * The NUMA node of the CPU that the calling thread runs on.
 *
 * @return A node's number; 0 when the system does not tell.
 */
unsigned int rte_socket_id(void);

/** How many NUMA nodes the system has; at least 1, at most RTE_MAX_NUMA_NODES. Any thread. */
unsigned int rte_socket_count(void);

/**
 * The number of a NUMA node. The numbers need not be dense.
 *
 * @param idx 0 to rte_socket_count() - 1.
 * @return The number; -1 with rte_errno EINVAL when @p idx is out of range. Any thread.
 */
int rte_socket_id_by_idx(unsigned int idx);

#ifdef __cplusplus
}
#endif

#endif /* RTE_LCORE_H */
