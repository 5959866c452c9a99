/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <pthread_np.h>

#include <eal_export.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

RTE_EXPORT_SYMBOL(rte_sys_gettid)
int
rte_sys_gettid(void)
{
	return pthread_getthreadid_np();
}

/* One node, as in eal_memory_nodes(). */
RTE_EXPORT_SYMBOL(rte_socket_id)
unsigned int
rte_socket_id(void)
{
	return 0;
}

RTE_EXPORT_SYMBOL(rte_socket_count)
unsigned int
rte_socket_count(void)
{
	return 1;
}

RTE_EXPORT_SYMBOL(rte_socket_id_by_idx)
int
rte_socket_id_by_idx(unsigned int idx)
{
	if (idx == 0)
		return 0;
	rte_errno = EINVAL;
	return -1;
}
