/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_eal_memconfig.h>
#include <rte_eal_paging.h>
#include <rte_errno.h>
#include <rte_memory.h>

#include "eal_export.h"
#include "eal_errno.h"
#include "eal_memory.h"
#include "eal_segments.h"

static_assert(sizeof(struct rte_memseg) == 48, "as in DPDK");
static_assert(offsetof(struct rte_memseg, hugepage_sz) == 24, "as in DPDK");
static_assert(offsetof(struct rte_memseg, flags) == 44, "as in DPDK");
static_assert(offsetof(struct rte_memseg_list, page_sz) == 8, "as in DPDK");
static_assert(offsetof(struct rte_memseg_list, len) == 24, "as in DPDK");
static_assert(offsetof(struct rte_memseg_list, heap) == 36, "as in DPDK");

/* ---- look-ups ---- */

RTE_EXPORT_SYMBOL(rte_mem_virt2memseg_list)
struct rte_memseg_list *
rte_mem_virt2memseg_list(const void *virt)
{
	return eal_memory_list_of(virt);
}

RTE_EXPORT_SYMBOL(rte_mem_virt2memseg)
struct rte_memseg *
rte_mem_virt2memseg(const void *virt, const struct rte_memseg_list *msl)
{
	struct rte_memseg *ms;

	if (msl == NULL)
		msl = eal_memory_list_of(virt);
	if (msl == NULL || (uintptr_t)virt - (uintptr_t)msl->base_va >= msl->len)
		return NULL;
	ms = &msl->segs[eal_segment_index(msl, virt)];
	return eal_segment_used(ms) ? ms : NULL;
}

struct iova_search {
	rte_iova_t iova;
	void *virt;
};

static int
iova_visit(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	struct iova_search *search = arg;

	if (ms->iova == RTE_BAD_IOVA || search->iova < ms->iova ||
			search->iova - ms->iova >= ms->len)
		return 0;
	search->virt = RTE_PTR_ADD(ms->addr, search->iova - ms->iova);
	return 1;
}

RTE_EXPORT_SYMBOL(rte_mem_iova2virt)
void *
rte_mem_iova2virt(rte_iova_t iova)
{
	struct iova_search search = { .iova = iova };

	rte_memseg_walk(iova_visit, &search);
	return search.virt;
}

/* ---- walks ---- */

RTE_EXPORT_SYMBOL(rte_memseg_list_walk_thread_unsafe)
int
rte_memseg_list_walk_thread_unsafe(rte_memseg_list_walk_t func, void *arg)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < eal_memory_nb_lists() && rc == 0; i++)
		if (eal_memory_list(i)->base_va != NULL)
			rc = func(eal_memory_list(i), arg);
	return rc;
}

/* Segments without a gap from @p first on. */
static unsigned int
run_of(const struct rte_memseg_list *msl, unsigned int first)
{
	unsigned int end = first;

	while (end < msl->nb_segs && eal_segment_used(&msl->segs[end]))
		end++;
	return end - first;
}

struct run_walk {
	rte_memseg_contig_walk_t func;
	void *arg;
};

/* Stops when as many segments were seen as the list has: windows are large and mostly empty. */
static int
list_runs(const struct rte_memseg_list *msl, void *arg)
{
	const struct run_walk *walk = arg;
	unsigned int i, run, seen = 0;
	int rc = 0;

	for (i = 0; i < msl->nb_segs && seen < msl->nb_used && rc == 0; i += RTE_MAX(run, 1U)) {
		run = run_of(msl, i);
		seen += run;
		if (run != 0)
			rc = walk->func(msl, &msl->segs[i], run * msl->seg_len, walk->arg);
	}
	return rc;
}

RTE_EXPORT_SYMBOL(rte_memseg_contig_walk_thread_unsafe)
int
rte_memseg_contig_walk_thread_unsafe(rte_memseg_contig_walk_t func, void *arg)
{
	struct run_walk walk = { .func = func, .arg = arg };

	return rte_memseg_list_walk_thread_unsafe(list_runs, &walk);
}

struct segment_walk {
	rte_memseg_walk_t func;
	void *arg;
};

static int
run_segments(const struct rte_memseg_list *msl, const struct rte_memseg *ms, size_t len, void *arg)
{
	const struct segment_walk *walk = arg;
	const struct rte_memseg *end = ms + len / msl->seg_len;
	int rc = 0;

	for (; ms < end && rc == 0; ms++)
		rc = walk->func(msl, ms, walk->arg);
	return rc;
}

RTE_EXPORT_SYMBOL(rte_memseg_walk_thread_unsafe)
int
rte_memseg_walk_thread_unsafe(rte_memseg_walk_t func, void *arg)
{
	struct segment_walk walk = { .func = func, .arg = arg };

	return rte_memseg_contig_walk_thread_unsafe(run_segments, &walk);
}

RTE_EXPORT_SYMBOL(rte_memseg_list_walk)
int
rte_memseg_list_walk(rte_memseg_list_walk_t func, void *arg)
{
	int rc;

	rte_mcfg_mem_read_lock();
	rc = rte_memseg_list_walk_thread_unsafe(func, arg);
	rte_mcfg_mem_read_unlock();
	return rc;
}

RTE_EXPORT_SYMBOL(rte_memseg_contig_walk)
int
rte_memseg_contig_walk(rte_memseg_contig_walk_t func, void *arg)
{
	int rc;

	rte_mcfg_mem_read_lock();
	rc = rte_memseg_contig_walk_thread_unsafe(func, arg);
	rte_mcfg_mem_read_unlock();
	return rc;
}

RTE_EXPORT_SYMBOL(rte_memseg_walk)
int
rte_memseg_walk(rte_memseg_walk_t func, void *arg)
{
	int rc;

	rte_mcfg_mem_read_lock();
	rc = rte_memseg_walk_thread_unsafe(func, arg);
	rte_mcfg_mem_read_unlock();
	return rc;
}

/* ---- files ---- */

/* The list is found by the address of the descriptor itself, so any pointer may be asked about. */
static const struct rte_memseg_list *
segment_list(const struct rte_memseg *ms)
{
	const struct rte_memseg_list *msl;
	unsigned int i;

	for (i = 0; i < eal_memory_nb_lists(); i++) {
		msl = eal_memory_list(i);
		if (msl->base_va != NULL && ms >= msl->segs && ms < msl->segs + msl->nb_segs)
			return msl;
	}
	return NULL;
}

static int
segment_file(const struct rte_memseg *ms, size_t *offset)
{
	const struct rte_memseg_list *msl = segment_list(ms);

	if (msl == NULL)
		return -EINVAL;
	if (msl->external)
		return -ENOTSUP;
	if (!eal_segment_used(ms))
		return -ENOENT;
	*offset = RTE_PTR_DIFF(ms->addr, msl->base_va);
	return msl->fd;
}

RTE_EXPORT_SYMBOL(rte_memseg_get_fd_thread_unsafe)
int
rte_memseg_get_fd_thread_unsafe(const struct rte_memseg *ms)
{
	size_t offset;

	return eal_errno_result(segment_file(ms, &offset));
}

RTE_EXPORT_SYMBOL(rte_memseg_get_fd_offset_thread_unsafe)
int
rte_memseg_get_fd_offset_thread_unsafe(const struct rte_memseg *ms, size_t *offset)
{
	return eal_errno_result(offset == NULL ? -EINVAL : RTE_MIN(segment_file(ms, offset), 0));
}

RTE_EXPORT_SYMBOL(rte_memseg_get_fd)
int
rte_memseg_get_fd(const struct rte_memseg *ms)
{
	int rc;

	rte_mcfg_mem_read_lock();
	rc = rte_memseg_get_fd_thread_unsafe(ms);
	rte_mcfg_mem_read_unlock();
	return rc;
}

RTE_EXPORT_SYMBOL(rte_memseg_get_fd_offset)
int
rte_memseg_get_fd_offset(const struct rte_memseg *ms, size_t *offset)
{
	int rc;

	rte_mcfg_mem_read_lock();
	rc = rte_memseg_get_fd_offset_thread_unsafe(ms, offset);
	rte_mcfg_mem_read_unlock();
	return rc;
}

/* ---- facts ---- */

static int
segment_dump(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	FILE *f = arg;

	fprintf(f, "Segment %u-%u: IOVA 0x%" PRIx64 ", len %zu, virt %p, socket_id %" PRId32
		", page size %" PRIu64 ", fd %d%s\n",
		eal_memory_list_index(msl), eal_segment_index(msl, ms->addr), ms->iova, ms->len,
		ms->addr, ms->socket_id, ms->hugepage_sz, msl->fd,
		msl->external ? ", external" : "");
	return 0;
}

RTE_EXPORT_SYMBOL(rte_dump_physmem_layout)
void
rte_dump_physmem_layout(FILE *f)
{
	rte_memseg_walk(segment_dump, f);
}

static int
run_sum(const struct rte_memseg_list *msl, const struct rte_memseg *ms, size_t len, void *arg)
{
	uint64_t *sum = arg;

	*sum += len;
	return 0;
}

RTE_EXPORT_SYMBOL(rte_eal_get_physmem_size)
uint64_t
rte_eal_get_physmem_size(void)
{
	uint64_t sum = 0;

	rte_memseg_contig_walk(run_sum, &sum);
	return sum;
}

RTE_EXPORT_SYMBOL(rte_memory_get_nchannel)
unsigned int
rte_memory_get_nchannel(void)
{
	return 0;
}

RTE_EXPORT_SYMBOL(rte_memory_get_nrank)
unsigned int
rte_memory_get_nrank(void)
{
	return 0;
}

RTE_EXPORT_SYMBOL(rte_mem_lock_page)
int
rte_mem_lock_page(const void *virt)
{
	size_t page_sz = rte_mem_page_size();

	return rte_mem_lock(RTE_PTR_ALIGN_FLOOR(RTE_PTR_UNQUAL(virt), page_sz), page_sz);
}
