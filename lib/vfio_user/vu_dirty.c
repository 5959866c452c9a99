/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "vu_dirty.h"
#include "vu_dma_tree.h"
#include "vu_proto.h"

#define BITS 64u

/* The pages of one region. Bit i is the page that holds the byte at addr + i * pgsize. */
struct vu_dirty {
	uint64_t pgsize;
	uint64_t nb_bits;
	_Atomic uint64_t word[];
};

static uint64_t
region_size_less_one(const struct vu_dma_region *region)
{
	return region->last - region->addr;
}

int
vu_dirty_alloc(struct vu_dma_region *region, uint64_t pgsize)
{
	struct vu_dirty *dirty;
	uint64_t nb_bits, nb_words;

	/* what is reached by messages only the client sees for itself */
	if (pgsize == 0 || region->fd < 0)
		return 0;
	nb_bits = region_size_less_one(region) / pgsize + 1;
	nb_words = (nb_bits - 1) / BITS + 1;
	if (nb_words > VU_DEFAULT_MAX_BITMAP / sizeof(dirty->word[0]))
		return -ENOMEM;
	dirty = calloc(1, sizeof(*dirty) + nb_words * sizeof(dirty->word[0]));
	if (dirty == NULL)
		return -ENOMEM;
	dirty->pgsize = pgsize;
	dirty->nb_bits = nb_bits;
	atomic_store(&region->dirty, dirty);
	return 0;
}

/* ---- start and stop ---- */

static void
visit_free(struct vu_dma_region *region, void *arg)
{
	RTE_SET_USED(arg);
	free(atomic_load(&region->dirty));
	atomic_store(&region->dirty, NULL);
}

/* What a new tracking needs, and how it went. */
struct start {
	uint64_t pgsize;
	int rc;
};

static void
visit_alloc(struct vu_dma_region *region, void *arg)
{
	struct start *start = arg;

	if (start->rc == 0)
		start->rc = vu_dirty_alloc(region, start->pgsize);
}

/* Needs no memory: a client that goes must not leave it on. */
static void
track_stop(struct vu_dma *dma)
{
	atomic_store(&dma->dirty_pgsize, 0);
	/* whoever marks from now on looks at no bits */
	vu_epoch_wait();
	vu_dma_tree_walk(atomic_load(&dma->root), visit_free, NULL);
}

static int
track_start(struct vu_dma *dma, uint64_t pgsize)
{
	struct vu_dma_node *root = atomic_load(&dma->root);
	struct start start = { .pgsize = pgsize };

	vu_dma_tree_walk(root, visit_alloc, &start);
	if (start.rc < 0)
		vu_dma_tree_walk(root, visit_free, NULL);
	else
		atomic_store(&dma->dirty_pgsize, pgsize);
	return start.rc;
}

int
vu_dma_dirty_track(struct vu_dma *dma, uint64_t pgsize)
{
	if ((pgsize & (pgsize - 1)) != 0)
		return -EINVAL;
	track_stop(dma);
	return pgsize > 0 ? track_start(dma, pgsize) : 0;
}

/* ---- data paths ---- */

static void
region_mark(const struct vu_dma_region *region, uint64_t addr, uint64_t last)
{
	struct vu_dirty *dirty = atomic_load(&region->dirty);
	uint64_t bit, end;

	if (dirty == NULL)
		return;
	end = (last - region->addr) / dirty->pgsize;
	for (bit = (addr - region->addr) / dirty->pgsize; bit <= end; bit++)
		atomic_fetch_or_explicit(&dirty->word[bit / BITS], UINT64_C(1) << bit % BITS,
			memory_order_relaxed);
}

/* Who is in a section may still write to a region that has left the table. */
static const struct vu_dma_region *
find_to_mark(const struct vu_dma *dma, uint64_t addr)
{
	const struct vu_dma_region *region = vu_dma_find(dma, addr);

	if (region == NULL)
		region = atomic_load(&dma->leaving);
	return region != NULL && region->addr <= addr && addr <= region->last ? region : NULL;
}

void
vu_dma_dirty_mark(const struct vu_dma *dma, uint64_t addr, uint64_t len)
{
	const struct vu_dma_region *region;
	uint64_t part;

	/* in one order with the begin of the section */
	if (atomic_load(&dma->dirty_pgsize) == 0)
		return;
	while (len > 0) {
		region = find_to_mark(dma, addr);
		if (region == NULL)
			return;
		part = RTE_MIN(region->last - addr, len - 1) + 1;
		region_mark(region, addr, addr + (part - 1));
		addr += part;
		len -= part;
		/* what follows the last address is not the first one */
		if (addr == 0)
			return;
	}
}

/* ---- report ---- */

/* What is asked, and where it goes. */
struct report {
	uint64_t addr;
	uint64_t last;
	uint64_t pgsize;
	uint64_t *word;
};

static void
report_pages(const struct report *report, uint64_t addr, uint64_t last)
{
	uint64_t bit = (addr - report->addr) / report->pgsize;
	uint64_t end = (last - report->addr) / report->pgsize;

	for (; bit <= end; bit++)
		report->word[bit / BITS] |= UINT64_C(1) << bit % BITS;
}

/* A page that is only in part in the range stays dirty for who asks for the rest. */
static void
report_bit(const struct report *report, const struct vu_dma_region *region, struct vu_dirty *dirty,
	uint64_t bit)
{
	uint64_t mask = UINT64_C(1) << bit % BITS;
	uint64_t addr = region->addr + bit * dirty->pgsize;
	uint64_t last = RTE_MIN(region->last - addr, dirty->pgsize - 1) + addr;

	if ((atomic_load(&dirty->word[bit / BITS]) & mask) == 0)
		return;
	if (addr >= report->addr && last <= report->last)
		atomic_fetch_and(&dirty->word[bit / BITS], ~mask);
	report_pages(report, RTE_MAX(addr, report->addr), RTE_MIN(last, report->last));
}

static void
report_region(const struct report *report, const struct vu_dma_region *region)
{
	struct vu_dirty *dirty = atomic_load(&region->dirty);
	uint64_t bit, end;

	if (dirty == NULL)
		return;
	bit = (RTE_MAX(report->addr, region->addr) - region->addr) / dirty->pgsize;
	end = (RTE_MIN(report->last, region->last) - region->addr) / dirty->pgsize;
	while (bit <= end) {
		if (atomic_load(&dirty->word[bit / BITS]) == 0) {
			bit = (bit / BITS + 1) * BITS;
			continue;
		}
		report_bit(report, region, dirty, bit++);
	}
}

int
vu_dirty_report_check(const struct vu_dma *dma, uint64_t addr, uint64_t len, uint64_t pgsize,
	size_t size)
{
	uint64_t nb_bits;

	if (dma->dirty_pgsize == 0)
		return -ENOTSUP;
	if (len == 0 || len - 1 > UINT64_MAX - addr || pgsize == 0 || (pgsize & (pgsize - 1)) != 0)
		return -EINVAL;
	nb_bits = (len - 1) / pgsize + 1;
	return size / sizeof(uint64_t) == (nb_bits - 1) / BITS + 1 && size % sizeof(uint64_t) == 0 ?
		0 : -EINVAL;
}

void
vu_dirty_report_region(const struct vu_dma_region *region, uint64_t pgsize, uint64_t *bitmap,
	size_t size)
{
	const struct report report = { .addr = region->addr, .last = region->last,
		.pgsize = pgsize, .word = bitmap };

	memset(bitmap, 0, size);
	report_region(&report, region);
}

int
vu_dma_dirty_report(struct vu_dma *dma, uint64_t addr, uint64_t len, uint64_t pgsize,
	uint64_t *bitmap, size_t size)
{
	const struct vu_dma_node *root = atomic_load(&dma->root);
	struct report report = { .addr = addr, .pgsize = pgsize, .word = bitmap };
	const struct vu_dma_region *region;
	int rc;

	rc = vu_dirty_report_check(dma, addr, len, pgsize, size);
	if (rc < 0)
		return rc;
	memset(bitmap, 0, size);
	report.last = addr + (len - 1);
	region = vu_dma_tree_find(root, addr);
	if (region == NULL || region->addr > report.last)
		return -ENOENT;
	while (region != NULL && region->addr <= report.last) {
		report_region(&report, region);
		region = region->last == UINT64_MAX ? NULL :
			vu_dma_tree_find(root, region->last + 1);
	}
	return 0;
}
