/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_DMA_H
#define VU_DMA_H

/**
 * @file
 * The memory that a client lets a device use. One thread changes a table, any number of threads
 * read it at the same time without a lock.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "rte_vfio_user.h"
#include "vu_dma_tree.h"
#include "vu_epoch.h"
#include "vu_turn.h"

struct vu_dirty;

/** Nodes that wait for a grace period before a change looks whether it is over. */
#define VU_DMA_RETIRED_MANY 16u

/** Nodes that may wait for a grace period before a change waits for one. */
#define VU_DMA_RETIRED_MAX 256u

/**
 * A range of IOVAs. Does not change once it is in a table, but for its dirty pages, and that it is
 * mapped when a device first wants to use it.
 */
struct vu_dma_region {
	uint64_t addr;	/**< IOVA of the first byte */
	uint64_t last;	/**< IOVA of the last byte */
	_Atomic(uint8_t *) base;	/**< of the first byte in this process; NULL: not mapped */
	int prot;	/**< PROT_READ, PROT_WRITE: what the device may do */
	int fd;	/**< to map it from, owned; -1: it is reached by messages only */
	uint64_t fd_offset;	/**< of the first byte */
	uint64_t below;	/**< bytes of the mapping below base */
	size_t mmap_size;	/**< bytes of the mapping */
	_Atomic(struct vu_dirty *) dirty;	/**< pages written; NULL: nobody tracks */
};

struct vu_dma {
	_Atomic(struct vu_dma_node *) root;	/**< NULL: empty */
	_Atomic uint64_t generation;	/**< grows with each change; unique among all tables */
	_Atomic(struct vu_dma_region *) leaving;	/**< taken out, may still be read */
	_Atomic(struct vu_dma_node *) all_leaving;	/**< a whole tree of such regions */
	_Atomic uint64_t dirty_pgsize;	/**< bytes a bit stands for; 0: nobody tracks */
	atomic_bool broken;	/**< the client took memory away under us */
	struct vu_turn flat_turn;	/**< of who makes or changes the flat table */
	struct rte_vfio_user_mem *flat;	/**< for rte_vfio_user_get_mem_table(); or NULL */
	/* of the thread that changes the table; the number with the turn, too */
	uint32_t nb_regions;
	uint32_t max_regions;
	size_t page_size;	/**< of the system, in bytes */
	struct vu_dma_region *spare;	/**< memory of one that is gone; or NULL */
	struct vu_dma_pool pool;
	unsigned int nb_retired;	/**< nodes that wait for a grace period */
	struct vu_dma_node *retired[VU_DMA_RETIRED_MAX];
};

/** @param max_regions most regions at a time. @return 0, or -ENOMEM */
int vu_dma_init(struct vu_dma *dma, uint32_t max_regions);

/** Forget all regions and free the table. Waits for readers. */
void vu_dma_fini(struct vu_dma *dma);

/** What the region's mapping begins at. NULL: it is not mapped */
static inline uint8_t *
vu_dma_mapping(const struct vu_dma_region *region)
{
	uint8_t *base = atomic_load_explicit(&region->base, memory_order_acquire);

	return base != NULL ? base - region->below : NULL;
}

/**
 * Add a region. Protocol reference 5.1. It is mapped when it is first used: many never are, and a
 * process can have fewer mappings than a table has regions.
 *
 * @param fd
 *   What to map it from; -1: it is reached by messages only. The table's on success, else still
 *   the caller's.
 * @return
 *   0; -EINVAL: no bytes, wraps, or outside the file; -EACCES: the descriptor does not permit
 *   @p prot; -EEXIST: overlaps one; -ENOSPC: too many; -ENOMEM; or the errno of fstat() or fcntl()
 */
int vu_dma_map(struct vu_dma *dma, uint64_t addr, uint64_t size, int prot, int fd,
	uint64_t fd_offset);

/**
 * Remove a region that was added with just that range, and all use of it: waits for readers.
 *
 * @return 0; -ENOENT: there is none; -ENOMEM
 */
int vu_dma_unmap(struct vu_dma *dma, uint64_t addr, uint64_t size);

/** The same for a region that is in the table. @return 0; -ENOMEM */
int vu_dma_remove(struct vu_dma *dma, struct vu_dma_region *region);

/**
 * The same, and report the pages of it that were written, with those that are written until nobody
 * uses it any more.
 *
 * @param pgsize, bitmap, bitmap_size
 *   As for vu_dma_dirty_report().
 * @return as vu_dma_unmap(); -EINVAL, -ENOTSUP as vu_dma_dirty_report()
 */
int vu_dma_unmap_dirty(struct vu_dma *dma, uint64_t addr, uint64_t size, uint64_t pgsize,
	uint64_t *bitmap, size_t bitmap_size);

/** Remove all regions, as vu_dma_unmap(). @return number of regions there were */
uint32_t vu_dma_unmap_all(struct vu_dma *dma);

/**
 * The region of an address. In a section (vu_epoch_enter()); valid until its end.
 *
 * @return it, or NULL
 */
const struct vu_dma_region *vu_dma_find(const struct vu_dma *dma, uint64_t addr);

/**
 * Where a region is in this process. In a section. Maps it if nobody has yet.
 *
 * @return 0; -ENOTSUP: it is reached by messages only; or the errno of mmap()
 */
int vu_dma_region_base(const struct vu_dma_region *region, uint8_t **base);

/** As rte_vfio_user_dma_sg(). In a section. */
int vu_dma_sg(const struct vu_dma *dma, uint64_t addr, uint64_t len, int prot, struct iovec *iov,
	int nb_iov);

/**
 * The whole table. Any thread; valid until the next change.
 *
 * @return NULL: empty, or no memory
 */
const struct rte_vfio_user_mem *vu_dma_flat(struct vu_dma *dma);

#endif /* VU_DMA_H */
