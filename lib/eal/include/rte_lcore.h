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

/**
 * Which core is the calling thread?
 *
 * @return rte_get_main_lcore() in the thread that called rte_eal_init(); LCORE_ID_ANY in others.
 */
static inline unsigned int
rte_lcore_id(void)
{
	return RTE_PER_LCORE(_lcore_id);
}

/**
 * The main core. Any thread.
 *
 * @return Its number, 0.
 */
unsigned int rte_get_main_lcore(void);

/**
 * How many cores EAL has. Any thread.
 *
 * @return 1: the main one.
 */
unsigned int rte_lcore_count(void);

/**
 * The NUMA node of the CPU that the calling thread runs on.
 *
 * @return A node's number; 0 when the system does not tell.
 */
unsigned int rte_socket_id(void);

/**
 * How many NUMA nodes the system has. Any thread.
 *
 * @return 1 to RTE_MAX_NUMA_NODES.
 */
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
