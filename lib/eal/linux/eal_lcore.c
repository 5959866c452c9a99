/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

RTE_EXPORT_SYMBOL(rte_sys_gettid)
int
rte_sys_gettid(void)
{
	return (int)syscall(SYS_gettid);
}

RTE_EXPORT_SYMBOL(rte_socket_id)
unsigned int
rte_socket_id(void)
{
	unsigned int cpu, node;

	return getcpu(&cpu, &node) == 0 ? node : 0;
}

/* The nodes that are online, as the system writes them: ranges such as "0-1,4". */
static const char *const node_list_path = "/sys/devices/system/node/online";

static unsigned int
node_list_read(FILE *list, unsigned int *nodes, unsigned int max)
{
	unsigned int first, last, nb = 0;

	while (nb < max && fscanf(list, "%u", &first) == 1) {
		last = first;
		if (fscanf(list, "-%u", &last) < 0)
			last = first;
		for (; first <= last && nb < max; first++)
			nodes[nb++] = first;
		if (fgetc(list) != ',')
			break;
	}
	return nb;
}

static unsigned int
nodes_get(unsigned int nodes[RTE_MAX_NUMA_NODES])
{
	unsigned int nb = 0;
	FILE *list;

	list = fopen(node_list_path, "re");
	if (list != NULL) {
		nb = node_list_read(list, nodes, RTE_MAX_NUMA_NODES);
		fclose(list);
	}
	if (nb == 0)
		nodes[nb++] = 0;
	return nb;
}

RTE_EXPORT_SYMBOL(rte_socket_count)
unsigned int
rte_socket_count(void)
{
	unsigned int nodes[RTE_MAX_NUMA_NODES];

	return nodes_get(nodes);
}

RTE_EXPORT_SYMBOL(rte_socket_id_by_idx)
int
rte_socket_id_by_idx(unsigned int idx)
{
	unsigned int nodes[RTE_MAX_NUMA_NODES];

	if (idx >= nodes_get(nodes)) {
		rte_errno = EINVAL;
		return -1;
	}
	return (int)nodes[idx];
}
