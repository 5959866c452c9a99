/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_CONFIG_H
#define RTE_CONFIG_H

/**
 * @file
 * Compile-time limits, under the names DPDK uses. The values that depend on the
 * machine the build runs for are in rte_build_config.h.
 */

#include <rte_build_config.h>

#define RTE_VER_PREFIX "DPDK-VFIO"

#define RTE_MAX_NUMA_NODES 32
#define RTE_MAX_LCORE 1
#define RTE_MAX_HEAPS 32
#define RTE_MAX_RXTX_INTR_VEC_ID 512
#define RTE_MAX_MEMSEG_LISTS 128
#define RTE_PKTMBUF_HEADROOM 128
#define RTE_EAL_VFIO 1

#endif /* RTE_CONFIG_H */
