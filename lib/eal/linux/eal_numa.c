/* SPDX-License-Identifier: BSD-3-Clause */

#include <numa.h>

#include "eal_memory.h"

static unsigned int
nodes_with_memory(int *nodes, unsigned int max)
{
	unsigned int nb = 0;
	int i;

	for (i = 0; i <= numa_max_node() && i < RTE_MAX_NUMA_NODES && nb < max; i++)
		if (numa_bitmask_isbitset(numa_all_nodes_ptr, i))
			nodes[nb++] = i;
	return nb;
}

/* numa_all_nodes_ptr: the nodes on which this process may have memory. */
unsigned int
eal_memory_nodes(int *nodes, unsigned int max)
{
	unsigned int nb = numa_available() < 0 ? 0 : nodes_with_memory(nodes, max);

	if (nb == 0)
		nodes[nb++] = 0;
	return nb;
}
