/* SPDX-License-Identifier: BSD-3-Clause */

#include <stddef.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_memory.h>

#include "eal_export.h"
#include "eal_memory.h"
#include "eal_segments.h"

const char *const eal_phys_addrs_need = "the kernel module contigmem";

/* Only the memory of contigmem has physical addresses that are known. */
RTE_EXPORT_SYMBOL(rte_mem_virt2phy)
phys_addr_t
rte_mem_virt2phy(const void *virt)
{
	const struct rte_memseg *ms = rte_mem_virt2memseg(virt, NULL);

	if (ms == NULL || rte_eal_iova_mode() != RTE_IOVA_PA || ms->iova == RTE_BAD_IOVA)
		return RTE_BAD_PHYS_ADDR;
	return ms->iova + RTE_PTR_DIFF(virt, ms->addr);
}

RTE_EXPORT_SYMBOL(rte_mem_virt2iova)
rte_iova_t
rte_mem_virt2iova(const void *virt)
{
	if (rte_eal_iova_mode() == RTE_IOVA_VA)
		return (uintptr_t)virt;
	return rte_mem_virt2phy(virt);
}

/* The first answer counts until the end. */
static enum { UNKNOWN, UNUSABLE, USABLE } phys_addrs;

RTE_EXPORT_SYMBOL(rte_eal_using_phys_addrs)
int
rte_eal_using_phys_addrs(void)
{
	int known = __atomic_load_n(&phys_addrs, __ATOMIC_RELAXED);
	struct eal_hugepages buffers;

	if (known == UNKNOWN) {
		known = rte_eal_has_hugepages() && eal_hugepages_find(&buffers, 1) != 0 ?
			USABLE : UNUSABLE;
		__atomic_store_n(&phys_addrs, known, __ATOMIC_RELAXED);
	}
	return known == USABLE;
}

void
eal_phys_addrs_forget(void)
{
	__atomic_store_n(&phys_addrs, UNKNOWN, __ATOMIC_RELAXED);
}
