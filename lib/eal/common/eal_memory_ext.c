/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>

#include <rte_common.h>
#include <rte_eal_memconfig.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "eal_export.h"
#include "eal_errno.h"
#include "eal_memory.h"

/* Lists of the application stand on a node beyond all real ones, as in DPDK. */
#define EXTERNAL_SOCKET RTE_MAX_NUMA_NODES

static bool
range_ok(uintptr_t addr, size_t len)
{
	return addr != 0 && len != 0 && len - 1 <= UINTPTR_MAX - addr;
}

static bool
registration_ok(uintptr_t addr, size_t len, bool iovas, size_t n_pages, size_t page_sz)
{
	if (page_sz == 0 || (page_sz & (page_sz - 1)) != 0 || !range_ok(addr, len))
		return false;
	if (addr % page_sz != 0 || len % page_sz != 0 || len / page_sz > UINT32_MAX)
		return false;
	return !iovas || n_pages == len / page_sz;
}

static bool
overlaps(const struct rte_memseg_list *msl, uintptr_t addr, size_t len)
{
	uintptr_t base = (uintptr_t)msl->base_va;

	return base != 0 && addr < base + msl->len && base < addr + len;
}

static bool
range_is_known(uintptr_t addr, size_t len)
{
	unsigned int i;

	for (i = 0; i < eal_memory_nb_lists(); i++)
		if (overlaps(eal_memory_list(i), addr, len))
			return true;
	return false;
}

/* The exact registration, or NULL. */
static struct rte_memseg_list *
external_find(const void *addr, size_t len)
{
	struct rte_memseg_list *msl;
	unsigned int i;

	for (i = 0; i < eal_memory_nb_lists(); i++) {
		msl = eal_memory_list(i);
		if (msl->external && msl->base_va == addr && msl->len == len)
			return msl;
	}
	return NULL;
}

/* Any process may look at the segments, so they are in memory that all share. */
static struct rte_memseg *
segments_make(char *addr, unsigned int nb, const rte_iova_t *iovas, size_t page_sz)
{
	struct rte_memseg *segs = rte_malloc("extmem", nb * sizeof(*segs), 0);
	unsigned int i;

	for (i = 0; segs != NULL && i < nb; i++)
		segs[i] = (struct rte_memseg) {
			.iova = iovas != NULL ? iovas[i] : RTE_BAD_IOVA,
			.addr = addr + i * page_sz,
			.len = page_sz,
			.hugepage_sz = page_sz,
			.socket_id = EXTERNAL_SOCKET,
		};
	return segs;
}

/* The base makes the list visible to look-ups, which take no lock: it comes last. */
static void
list_become(struct rte_memseg_list *msl, const struct rte_memseg_list *what)
{
	msl->page_sz = what->page_sz;
	msl->socket_id = what->socket_id;
	msl->external = what->external;
	msl->heap = what->heap;
	msl->segs = what->segs;
	msl->seg_len = what->seg_len;
	msl->nb_segs = what->nb_segs;
	msl->nb_used = what->nb_used;
	msl->fd = what->fd;
	msl->file_len = what->file_len;
	msl->in_heap = what->in_heap;
	__atomic_store_n(&msl->len, what->len, __ATOMIC_RELEASE);
	__atomic_store_n(&msl->base_va, what->base_va, __ATOMIC_RELEASE);
}

static int
external_add(const struct rte_memseg_list *what)
{
	struct rte_memseg_list *msl;

	if (range_is_known((uintptr_t)what->base_va, what->len))
		return -EEXIST;
	msl = eal_memory_list_alloc();
	if (msl == NULL)
		return -ENOSPC;
	list_become(msl, what);
	return 0;
}

RTE_EXPORT_SYMBOL(rte_extmem_register)
int
rte_extmem_register(void *va_addr, size_t len, rte_iova_t iova_addrs[], unsigned int n_pages,
		size_t page_sz)
{
	struct rte_memseg_list msl = { .base_va = va_addr, .len = len, .external = 1, .fd = -1 };
	int rc;

	if (!registration_ok((uintptr_t)va_addr, len, iova_addrs != NULL, n_pages, page_sz))
		return eal_errno_result(-EINVAL);
	msl.page_sz = msl.seg_len = page_sz;
	msl.socket_id = EXTERNAL_SOCKET;
	msl.nb_segs = msl.nb_used = len / page_sz;
	msl.segs = segments_make(va_addr, msl.nb_segs, iova_addrs, page_sz);
	if (msl.segs == NULL)
		return eal_errno_result(-ENOMEM);
	rc = eal_memory_write_lock();
	if (rc == 0) {
		rc = external_add(&msl);
		rte_mcfg_mem_write_unlock();
	}
	if (rc != 0)
		rte_free(msl.segs);
	return eal_errno_result(rc);
}

static int
external_remove(const void *addr, size_t len, struct rte_memseg **segs)
{
	struct rte_memseg_list *msl = external_find(addr, len);

	if (msl == NULL)
		return -ENOENT;
	*segs = msl->segs;
	__atomic_store_n(&msl->base_va, NULL, __ATOMIC_RELEASE);
	eal_memory_list_changed(msl);
	msl->external = 0;
	return 0;
}

RTE_EXPORT_SYMBOL(rte_extmem_unregister)
int
rte_extmem_unregister(void *va_addr, size_t len)
{
	struct rte_memseg *segs = NULL;
	int rc;

	if (!range_ok((uintptr_t)va_addr, len))
		return eal_errno_result(-EINVAL);
	rc = eal_memory_write_lock();
	if (rc == 0) {
		rc = external_remove(va_addr, len, &segs);
		rte_mcfg_mem_write_unlock();
	}
	rte_free(segs);
	return eal_errno_result(rc);
}

static int
external_check(const void *addr, size_t len)
{
	int rc;

	if (!range_ok((uintptr_t)addr, len))
		return -EINVAL;
	rte_mcfg_mem_read_lock();
	rc = external_find(addr, len) != NULL ? 0 : -ENOENT;
	rte_mcfg_mem_read_unlock();
	return rc;
}

RTE_EXPORT_SYMBOL(rte_extmem_attach)
int
rte_extmem_attach(void *va_addr, size_t len)
{
	return eal_errno_result(external_check(va_addr, len));
}

RTE_EXPORT_SYMBOL(rte_extmem_detach)
int
rte_extmem_detach(void *va_addr, size_t len)
{
	return eal_errno_result(external_check(va_addr, len));
}
