/* SPDX-License-Identifier: BSD-3-Clause */

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_eal_paging.h>
#include <rte_memory.h>

#include "eal_export.h"
#include "eal_memory.h"
#include "eal_segments.h"

/* Documentation/admin-guide/mm/pagemap.rst: one word for each page, frame number in bits 0-54. */
#define PAGEMAP_FRAME ((UINT64_C(1) << 55) - 1)
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)

const char *const eal_phys_addrs_need = "free huge pages and CAP_SYS_ADMIN";

static bool
pagemap_read(uint64_t page, uint64_t *word)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = pread(fd, word, sizeof(*word), page * sizeof(*word));
	close(fd);
	return n == sizeof(*word);
}

/* Who may not know frame numbers reads 0. */
RTE_EXPORT_SYMBOL(rte_mem_virt2phy)
phys_addr_t
rte_mem_virt2phy(const void *virt)
{
	uint64_t page_sz = rte_mem_page_size();
	uint64_t word;

	if (!pagemap_read((uintptr_t)virt / page_sz, &word) || (word & PAGEMAP_PRESENT) == 0 ||
			(word & PAGEMAP_FRAME) == 0)
		return RTE_BAD_PHYS_ADDR;
	return (word & PAGEMAP_FRAME) * page_sz + (uintptr_t)virt % page_sz;
}

RTE_EXPORT_SYMBOL(rte_mem_virt2iova)
rte_iova_t
rte_mem_virt2iova(const void *virt)
{
	if (rte_eal_iova_mode() == RTE_IOVA_VA)
		return (uintptr_t)virt;
	return rte_mem_virt2phy(virt);
}

static bool
phys_addrs_usable(void)
{
	volatile char here = 1;
	struct eal_hugepages pages;

	return rte_eal_has_hugepages() && eal_hugepages_find(&pages, 1) != 0 &&
		rte_mem_virt2phy(RTE_PTR_UNQUAL(&here)) != RTE_BAD_PHYS_ADDR;
}

/* Once EAL has taken the huge pages, none are free: the first answer counts. */
static enum { UNKNOWN, UNUSABLE, USABLE } phys_addrs;

RTE_EXPORT_SYMBOL(rte_eal_using_phys_addrs)
int
rte_eal_using_phys_addrs(void)
{
	int known = __atomic_load_n(&phys_addrs, __ATOMIC_RELAXED);

	if (known == UNKNOWN) {
		known = phys_addrs_usable() ? USABLE : UNUSABLE;
		__atomic_store_n(&phys_addrs, known, __ATOMIC_RELAXED);
	}
	return known == USABLE;
}

void
eal_phys_addrs_forget(void)
{
	__atomic_store_n(&phys_addrs, UNKNOWN, __ATOMIC_RELAXED);
}
