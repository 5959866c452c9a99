/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>

#include <rte_common.h>

#include "eal_malloc_heap.h"
#include "eal_segments.h"

#define HEADER sizeof(struct heap_block)

static_assert(sizeof(struct heap_block) == 32, "half a unit");
static_assert(sizeof(struct heap_free) <= HEAP_UNIT, "links fit into the smallest block");

/* How many blocks of the wanted size class to look at before taking a larger one. */
#define NB_LOOKS 8

/* As large as a window can be: all bins are below it, sums of a few such sizes do not overflow. */
#define SIZE_LIMIT EAL_WINDOW_MAX

/* ---- bins ---- */

/* Rounds down: all blocks of a bin have at least the size that the bin begins with. */
static unsigned int
bin_of(size_t size)
{
	uint64_t units = size / HEAP_UNIT;
	unsigned int log;

	if (units < 16)
		return units;
	log = 63 - __builtin_clzll(units);
	return 16 + (log - 4) * 8 + ((units >> (log - 3)) & 7);
}

/* The first bin whose blocks all have at least this size. */
static unsigned int
bin_above(size_t size)
{
	unsigned int bin = bin_of(size);

	return bin < 16 || bin_of(size - HEAP_UNIT) != bin ? bin : bin + 1;
}

/* The first bin from this one on that has a block; HEAP_NB_BINS: none. */
static unsigned int
bin_filled(const struct heap *h, unsigned int bin)
{
	unsigned int word = bin / 64;
	uint64_t bits;

	if (bin >= HEAP_NB_BINS)
		return HEAP_NB_BINS;
	bits = h->filled[word] & (UINT64_MAX << bin % 64);
	while (bits == 0) {
		if (++word == HEAP_NB_WORDS)
			return HEAP_NB_BINS;
		bits = h->filled[word];
	}
	return word * 64 + __builtin_ctzll(bits);
}

/* ---- blocks ---- */

static void
free_link(struct heap *h, struct heap_block *block, size_t size)
{
	struct heap_free *f = (struct heap_free *)block;
	unsigned int bin = bin_of(size);

	block->size = size;
	block->state = HEAP_BLOCK_FREE;
	block->heap = h->id;
	f->prev = NULL;
	f->next = h->bins[bin];
	if (f->next != NULL)
		f->next->prev = f;
	h->bins[bin] = f;
	h->filled[bin / 64] |= UINT64_C(1) << bin % 64;
	h->free += size;
	h->nb_free++;
}

static void
free_unlink(struct heap *h, struct heap_block *block)
{
	struct heap_free *f = (struct heap_free *)block;
	unsigned int bin = bin_of(block->size);

	if (f->next != NULL)
		f->next->prev = f->prev;
	if (f->prev != NULL)
		f->prev->next = f->next;
	else
		h->bins[bin] = f->next;
	if (h->bins[bin] == NULL)
		h->filled[bin / 64] &= ~(UINT64_C(1) << bin % 64);
	h->free -= block->size;
	h->nb_free--;
}

static void
end_put(struct heap *h, struct heap_block *end, struct heap_block *prev)
{
	*end = (struct heap_block) { .prev = prev, .state = HEAP_BLOCK_END, .heap = h->id };
}

/* Makes free blocks of a range, whose neighbours are busy. */
static struct heap_block *
range_free(struct heap *h, struct heap_block *start, size_t size, struct heap_block *prev)
{
	start->prev = prev;
	free_link(h, start, size);
	heap_next(start)->prev = start;
	return start;
}

/*
 * Frees a range, joined with its free neighbours; its first header is right already. That one may
 * end up inside, where nobody may take it for a block any more.
 */
static struct heap_block *
range_merge(struct heap *h, struct heap_block *start, size_t size)
{
	struct heap_block *next = RTE_PTR_ADD(start, size);
	struct heap_block *prev = start->prev;

	start->state = HEAP_BLOCK_FREE;
	if (next->state == HEAP_BLOCK_FREE) {
		free_unlink(h, next);
		size += next->size;
	}
	if (prev != NULL && prev->state == HEAP_BLOCK_FREE) {
		free_unlink(h, prev);
		size += prev->size;
		start = prev;
	}
	return range_free(h, start, size, start->prev);
}

static size_t
block_size(size_t asked)
{
	return RTE_ALIGN(asked + HEADER, (size_t)HEAP_UNIT);
}

/* Bytes of a free block that are below a payload with this alignment. */
static size_t
gap_below(const struct heap_block *block, size_t align)
{
	uintptr_t payload = (uintptr_t)heap_payload(block);

	return RTE_ALIGN(payload, (uintptr_t)align) - payload;
}

static bool
block_fits(const struct heap_block *block, size_t size, size_t align)
{
	return gap_below(block, align) + size <= block->size;
}

static struct heap_block *
bin_search(const struct heap *h, unsigned int bin, size_t size, size_t align, unsigned int looks)
{
	struct heap_free *f = h->bins[bin];

	for (; f != NULL && looks > 0; f = f->next, looks--)
		if (block_fits(&f->head, size, align))
			return &f->head;
	return NULL;
}

/* Blocks from here on fit for sure, whatever their address. */
static struct heap_block *
search_above(const struct heap *h, size_t size, size_t align)
{
	unsigned int bin = bin_filled(h, bin_above(size + align - HEAP_UNIT));

	return bin == HEAP_NB_BINS ? NULL : &h->bins[bin]->head;
}

/* Blocks that may fit, depending on their size and address: all are tried. */
static struct heap_block *
search_between(const struct heap *h, size_t size, size_t align)
{
	unsigned int end = RTE_MIN(bin_above(size + align - HEAP_UNIT), (unsigned int)HEAP_NB_BINS);
	struct heap_block *block;
	unsigned int bin;

	for (bin = bin_filled(h, bin_of(size)); bin < end; bin = bin_filled(h, bin + 1)) {
		block = bin_search(h, bin, size, align, UINT32_MAX);
		if (block != NULL)
			return block;
	}
	return NULL;
}

/* Good fit first, in a bounded number of steps; then the first that fits at all. */
static struct heap_block *
block_find(const struct heap *h, size_t size, size_t align)
{
	struct heap_block *block = bin_search(h, bin_of(size), size, align, NB_LOOKS);

	if (block == NULL)
		block = search_above(h, size, align);
	if (block == NULL)
		block = search_between(h, size, align);
	return block;
}

/* Cuts a block out of a free one that has been unlinked; what is left over stays free. */
static struct heap_block *
block_carve(struct heap *h, struct heap_block *whole, size_t gap, size_t size)
{
	struct heap_block *block = RTE_PTR_ADD(whole, gap);
	size_t rest = whole->size - gap - size;
	struct heap_block *prev = whole->prev;

	if (gap != 0)
		prev = range_free(h, whole, gap, prev);
	block->prev = prev;
	block->size = size;
	block->state = HEAP_BLOCK_BUSY;
	block->heap = h->id;
	if (rest != 0)
		range_free(h, heap_next(block), rest, block);
	else
		heap_next(block)->prev = block;
	return block;
}

/* ---- the heap ---- */

void
heap_init(struct heap *h, uint32_t id)
{
	memset(h, 0, sizeof(*h));
	h->id = id;
}

size_t
heap_memory_for(size_t size, size_t align)
{
	if (size > SIZE_LIMIT || align > SIZE_LIMIT)
		return 0;
	return block_size(size) + align;
}

static bool
in_heap(const struct rte_memseg_list *msl, const char *addr)
{
	const char *base = msl->base_va;

	return addr >= base && addr < base + msl->len &&
		msl->in_heap[eal_segment_index(msl, addr)] != 0;
}

bool
heap_block_ok(const struct heap *h, const struct rte_memseg_list *msl,
		const struct heap_block *block)
{
	return in_heap(msl, (const char *)block) && block->state == HEAP_BLOCK_BUSY &&
		block->heap == h->id && block->size >= HEAP_UNIT && block->size % HEAP_UNIT == 0 &&
		block->size <= h->total && block->asked <= heap_room(block) &&
		in_heap(msl, (const char *)heap_next(block)) && heap_next(block)->prev == block;
}

static void
segments_mark(const struct eal_piece *piece, uint8_t mark)
{
	memset(&piece->msl->in_heap[eal_segment_index(piece->msl, piece->addr)], mark,
		piece->len / piece->msl->seg_len);
}

/*
 * The first block begins half a unit into the memory, the last header ends it. Where memory
 * follows on a run, the new blocks begin at the last header of that run; where a run follows, they
 * reach up to its first header.
 */
void
heap_add(struct heap *h, const struct eal_piece *piece)
{
	char *start = piece->addr, *end = piece->addr + piece->len;
	bool below = in_heap(piece->msl, start - 1), above = in_heap(piece->msl, end);
	struct heap_block *first = (void *)(below ? start - HEADER : start + HEADER);
	struct heap_block *last = (void *)(above ? end + HEADER : end - HEADER);

	if (!below)
		first->prev = NULL;
	if (!above)
		end_put(h, last, NULL);
	segments_mark(piece, 1);
	h->total += piece->len;
	range_merge(h, first, RTE_PTR_DIFF(last, first));
}

struct heap_block *
heap_take(struct heap *h, size_t size, size_t align)
{
	struct heap_block *block = block_find(h, block_size(size), align);

	if (block == NULL)
		return NULL;
	free_unlink(h, block);
	block = block_carve(h, block, gap_below(block, align), block_size(size));
	block->asked = size;
	h->nb_busy++;
	return block;
}

struct heap_block *
heap_give(struct heap *h, struct heap_block *block)
{
	h->nb_busy--;
	return range_merge(h, block, block->size);
}

bool
heap_resize(struct heap *h, struct heap_block *block, size_t size)
{
	struct heap_block *next = heap_next(block);
	size_t need = block_size(size), have = block->size;

	if (need > have && next->state == HEAP_BLOCK_FREE)
		have += next->size;
	if (need > have)
		return false;
	block->asked = size;
	if (need == block->size)
		return true;
	if (next->state == HEAP_BLOCK_FREE) {
		free_unlink(h, next);
		have = block->size + next->size;
	}
	block->size = have;
	block_carve(h, block, 0, need);
	return true;
}

/* ---- back to the system ---- */

static bool
may_go(const struct rte_memseg_list *msl, const char *addr)
{
	return (msl->segs[eal_segment_index(msl, addr)].flags & RTE_MEMSEG_FLAG_DO_NOT_FREE) == 0;
}

/*
 * The segments that hold nothing but this block. What remains on either side needs room for a
 * last header below and starts half a unit above; where the block is the first or the last of its
 * run, nothing remains there.
 */
static void
segments_within(const struct heap_block *block, const struct rte_memseg_list *msl,
		struct eal_piece *piece)
{
	const struct heap_block *next = heap_next(block);
	size_t base = (uintptr_t)msl->base_va;
	size_t start = (uintptr_t)block - base, end = (uintptr_t)next - base;
	size_t mul = msl->seg_len;

	start = block->prev == NULL ? start - HEADER : RTE_ALIGN_MUL_CEIL(start + HEADER, mul);
	end = next->state == HEAP_BLOCK_END ? end + HEADER : RTE_ALIGN_MUL_FLOOR(end - HEADER, mul);
	piece->addr = (char *)msl->base_va + start;
	piece->len = end > start ? end - start : 0;
}

/* Leaves out segments that must stay, and as many as the heap shall keep. */
static void
segments_keep(const struct heap *h, size_t keep, struct eal_piece *piece)
{
	size_t step = piece->msl->seg_len, len;

	while (piece->len != 0 && (h->free < keep + piece->len ||
			!may_go(piece->msl, piece->addr))) {
		piece->addr += step;
		piece->len -= step;
	}
	for (len = 0; len < piece->len && may_go(piece->msl, piece->addr + len); len += step)
		continue;
	piece->len = len;
}

/* Ends the run below the piece, with what is left of the free block in front of the last header. */
static void
cut_below(struct heap *h, struct heap_block *block, const struct eal_piece *piece)
{
	struct heap_block *end = (void *)(piece->addr - HEADER);
	struct heap_block *prev = block->prev;

	if ((char *)block > piece->addr)
		return;
	end_put(h, end, prev);
	if (end > block)
		range_free(h, block, RTE_PTR_DIFF(end, block), prev);
}

/* Begins a run above the piece. */
static void
cut_above(struct heap *h, struct heap_block *next, const struct eal_piece *piece)
{
	struct heap_block *first = (void *)(piece->addr + piece->len + HEADER);

	if (first > next)
		return;
	if (first < next)
		range_free(h, first, RTE_PTR_DIFF(next, first), NULL);
	else
		next->prev = NULL;
}

bool
heap_cut(struct heap *h, struct heap_block *block, struct rte_memseg_list *msl, size_t keep,
		struct eal_piece *piece)
{
	struct heap_block *next = heap_next(block);

	piece->msl = msl;
	segments_within(block, msl, piece);
	segments_keep(h, keep, piece);
	if (piece->len == 0)
		return false;
	free_unlink(h, block);
	cut_below(h, block, piece);
	cut_above(h, next, piece);
	segments_mark(piece, 0);
	h->total -= piece->len;
	return true;
}

static void
run_walk(const char *start, void (*visit)(const struct heap_block *block, void *arg), void *arg)
{
	const struct heap_block *block = (const void *)(start + HEADER);

	for (; block->state != HEAP_BLOCK_END; block = heap_next(block))
		visit(block, arg);
}

void
heap_walk(const struct rte_memseg_list *msl,
		void (*visit)(const struct heap_block *block, void *arg), void *arg)
{
	unsigned int i;

	for (i = 0; i < msl->nb_segs; i++)
		if (msl->in_heap[i] && (i == 0 || !msl->in_heap[i - 1]))
			run_walk((const char *)msl->base_va + i * msl->seg_len, visit, arg);
}

size_t
heap_greatest_free(const struct heap *h)
{
	unsigned int bin, top = HEAP_NB_BINS;
	const struct heap_free *f;
	size_t greatest = 0;

	for (bin = bin_filled(h, 0); bin < HEAP_NB_BINS; bin = bin_filled(h, bin + 1))
		top = bin;
	for (f = top < HEAP_NB_BINS ? h->bins[top] : NULL; f != NULL; f = f->next)
		greatest = RTE_MAX(greatest, f->head.size);
	return greatest;
}
