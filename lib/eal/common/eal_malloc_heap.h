/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_MALLOC_HEAP_H
#define EAL_MALLOC_HEAP_H

/**
 * @file
 * Blocks within memory: a heap of segregated free lists with boundary tags. It makes no system
 * call, takes no lock and logs nothing.
 *
 * Memory is covered by runs, each a sequence of blocks without a gap. A block is a header of 32
 * bytes and a payload; headers stand 32 bytes before a multiple of 64, so payloads begin at a
 * multiple of 64 and no header shares a cache line with the first bytes of a payload. The last
 * header of a run has size 0. All sizes of blocks are multiples of 64. Free blocks are linked in
 * bins by their size.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eal_memory.h"

/** All payloads begin at a multiple of this, and sizes of blocks are multiples of it. */
#define HEAP_UNIT 64

/** Bins 0-15 for blocks of so many units, then eight for each power of two up to 2^34 units. */
#define HEAP_NB_BINS (16 + 30 * 8)
#define HEAP_NB_WORDS (HEAP_NB_BINS / 64 + 1)

enum heap_block_state {
	HEAP_BLOCK_FREE = 0x66726565,
	HEAP_BLOCK_BUSY = 0x62757379,
	HEAP_BLOCK_END = 0x656e6421,
};

/** The header of a block. */
struct heap_block {
	struct heap_block *prev;	/**< the block below; NULL: first of its run */
	size_t size;		/**< bytes with this header; 0: end of the run */
	size_t asked;		/**< bytes asked for, if busy */
	uint32_t state;		/**< enum heap_block_state */
	uint32_t heap;		/**< number of the heap */
};

/** A free block uses its payload for links. */
struct heap_free {
	struct heap_block head;
	struct heap_free *next;
	struct heap_free *prev;
};

/** The blocks of one NUMA node. Lives in memory that a child shares with its parent. */
struct heap {
	uint32_t id;
	size_t total;		/**< bytes of all segments */
	size_t free;		/**< bytes of all free blocks */
	unsigned int nb_free;
	unsigned int nb_busy;
	uint64_t filled[HEAP_NB_WORDS];	/**< one bit for each bin with a block */
	struct heap_free *bins[HEAP_NB_BINS];
};

/** Memory of the payload of a block. */
static inline void *
heap_payload(const struct heap_block *block)
{
	return RTE_PTR_ADD(block, sizeof(*block));
}

/** The block of a payload. */
static inline struct heap_block *
heap_block_of(const void *payload)
{
	return RTE_PTR_SUB(payload, sizeof(struct heap_block));
}

/** The block above; at the end of a run there is a last header, but nothing above that one. */
static inline struct heap_block *
heap_next(const struct heap_block *block)
{
	return RTE_PTR_ADD(block, block->size);
}

/** Bytes that the payload has. */
static inline size_t
heap_room(const struct heap_block *block)
{
	return block->size - sizeof(*block);
}

/**
 * Whether there is a busy block, and neither its header nor that of its neighbour was overwritten.
 * @p block is any address that a header may have.
 */
bool
heap_block_ok(const struct heap *h, const struct rte_memseg_list *msl,
		const struct heap_block *block);

void
heap_init(struct heap *h, uint32_t id);

/**
 * How many bytes of fresh memory surely hold an allocation; 0: none can.
 */
size_t
heap_memory_for(size_t size, size_t align);

/** Adds memory that lies in whole segments; joins it with its neighbours. */
void
heap_add(struct heap *h, const struct eal_piece *piece);

/**
 * Takes memory, aligned to @p align, a power of two of at least HEAP_UNIT; NULL: there is none.
 * @p size is more than 0 and was accepted by heap_memory_for().
 */
struct heap_block *
heap_take(struct heap *h, size_t size, size_t align);

/** Frees a busy block; returns the free block that it is now part of. */
struct heap_block *
heap_give(struct heap *h, struct heap_block *block);

/** Makes a busy block larger or smaller in its place. Whether that could be done. */
bool
heap_resize(struct heap *h, struct heap_block *block, size_t size);

/**
 * Takes whole segments out of a free block, as many as can go when @p keep bytes shall stay free
 * in the heap. @p msl is where the block is. Whether there are any.
 */
bool
heap_cut(struct heap *h, struct heap_block *block, struct rte_memseg_list *msl, size_t keep,
		struct eal_piece *piece);

/** Calls @p visit for each block of the heap that is in this list, in rising order. */
void
heap_walk(const struct rte_memseg_list *msl,
		void (*visit)(const struct heap_block *block, void *arg), void *arg);

/** Bytes of the largest free block. */
size_t
heap_greatest_free(const struct heap *h);

#endif /* EAL_MALLOC_HEAP_H */
