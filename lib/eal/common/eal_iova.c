/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_memory.h>

#include "eal_export.h"
#include "eal_filesystem.h"
#include "eal_log.h"
#include "eal_memory.h"

#define SYSFS_IOMMU_GROUPS "/sys/kernel/iommu_groups/"
#define DMA_MASK_MAX 63

/* ---- mode ---- */

/* Devices behind an IOMMU are in groups, each a folder. */
static bool
iommu_is_there(void)
{
	DIR *dir = eal_folder_open(SYSFS_IOMMU_GROUPS);
	const struct dirent *entry;
	bool there = false;

	if (dir == NULL)
		return false;
	while (!there && (entry = readdir(dir)) != NULL)
		there = entry->d_name[0] != '.';
	closedir(dir);
	return there;
}

/* Nobody minds: behind an IOMMU, or where physical addresses are a secret, virtual ones. */
static enum rte_iova_mode
mode_by_default(void)
{
	return !rte_eal_using_phys_addrs() || iommu_is_there() ? RTE_IOVA_VA : RTE_IOVA_PA;
}

int
eal_iova_mode_pick(enum rte_iova_mode wanted, enum rte_iova_mode bus, enum rte_iova_mode *mode)
{
	enum rte_iova_mode picked = wanted != RTE_IOVA_DC ? wanted : bus;

	if (picked == RTE_IOVA_DC)
		picked = mode_by_default();
	if (picked == RTE_IOVA_PA && !rte_eal_using_phys_addrs()) {
		EAL_LOG(ERR, "%s physical addresses, which need %s",
			wanted == RTE_IOVA_PA ? "--iova-mode=pa asks for" : "A device needs",
			eal_phys_addrs_need);
		return -ENOTSUP;
	}
	*mode = picked;
	return 0;
}

/* ---- mask ---- */

static unsigned int dma_mask;

unsigned int
eal_dma_mask(void)
{
	return __atomic_load_n(&dma_mask, __ATOMIC_RELAXED);
}

int
eal_iova_reset(void)
{
	__atomic_store_n(&dma_mask, 0, __ATOMIC_RELAXED);
	eal_phys_addrs_forget();
	return 0;
}

bool
eal_dma_mask_fits(rte_iova_t iova, size_t len, unsigned int maskbits)
{
	uint64_t end;

	if (maskbits == 0 || maskbits > DMA_MASK_MAX)
		return true;
	end = UINT64_C(1) << maskbits;
	return iova <= end && len <= end - iova;
}

/* Whoever narrows it last may lose against another thread that narrows it further. */
RTE_EXPORT_SYMBOL(rte_mem_set_dma_mask)
void
rte_mem_set_dma_mask(uint8_t maskbits)
{
	unsigned int seen = eal_dma_mask();

	if (maskbits == 0)
		return;
	while ((seen == 0 || maskbits < seen) && !__atomic_compare_exchange_n(&dma_mask, &seen,
			maskbits, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		continue;
}

static int
mask_visit(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	const uint8_t *maskbits = arg;

	if (ms->iova == RTE_BAD_IOVA || eal_dma_mask_fits(ms->iova, ms->len, *maskbits))
		return 0;
	EAL_LOG(ERR, "memory at IO address 0x%" PRIx64 "+%zu is beyond %u bits", ms->iova, ms->len,
		*maskbits);
	return 1;
}

static int
mask_check(uint8_t maskbits, int (*walk)(rte_memseg_walk_t, void *))
{
	if (maskbits == 0 || maskbits > DMA_MASK_MAX) {
		EAL_LOG(ERR, "a DMA mask has 1 to %u bits, not %u", DMA_MASK_MAX, maskbits);
		return -1;
	}
	if (walk(mask_visit, &maskbits) != 0)
		return -1;
	rte_mem_set_dma_mask(maskbits);
	return 0;
}

RTE_EXPORT_SYMBOL(rte_mem_check_dma_mask)
int
rte_mem_check_dma_mask(uint8_t maskbits)
{
	return mask_check(maskbits, rte_memseg_walk);
}

RTE_EXPORT_SYMBOL(rte_mem_check_dma_mask_thread_unsafe)
int
rte_mem_check_dma_mask_thread_unsafe(uint8_t maskbits)
{
	return mask_check(maskbits, rte_memseg_walk_thread_unsafe);
}
