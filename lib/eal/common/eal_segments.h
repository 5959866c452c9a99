/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_SEGMENTS_H
#define EAL_SEGMENTS_H

/**
 * @file
 * Windows of memory: address space that is reserved at once, and that memory comes to and goes
 * from. Not locked; the caller sees to that.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_memory.h>

#include "eal_memory.h"

/** Bytes of a segment of ordinary pages; a huge page is a segment by itself. */
#define EAL_SEGMENT_LEN RTE_PGSIZE_2M

/** Most bytes of a window. */
#define EAL_WINDOW_MAX (UINT64_C(1) << 39)

/** What a window shall be. */
struct eal_window {
	int socket;
	uint64_t page_sz;
	bool huge;
	bool bind;	/**< there are several nodes, so its pages must be placed */
	size_t len;	/**< wanted bytes; may become less where address space is short */
	uintptr_t base;	/**< wanted address, or above; 0: any */
};

/**
 * Reserves a window and makes its file.
 *
 * @return 0, or -errno with nothing left behind.
 */
int
eal_segments_create(struct rte_memseg_list *msl, const struct eal_window *window);

/**
 * Ends the use of a window in this process; does nothing for one that is not there. The list stays
 * as it is: other processes that share it go on.
 */
void
eal_segments_destroy(struct rte_memseg_list *msl);

/**
 * Brings memory into a window.
 *
 * @return 0, or -errno: -ENOMEM, -ENOSPC (no free pages), -EFBIG (RLIMIT_FSIZE), -EFAULT (the
 *   physical address is not known), -ERANGE (beyond the DMA mask).
 */
int
eal_segments_grow(struct rte_memseg_list *msl, size_t len, uint32_t flags,
		struct eal_piece *piece);

/** Gives memory of a window back to the system. */
void
eal_segments_shrink(const struct eal_piece *piece);

/** Which segment of its list an address is in; the address is in the window. */
static inline unsigned int
eal_segment_index(const struct rte_memseg_list *msl, const void *addr)
{
	return (unsigned int)(((uintptr_t)addr - (uintptr_t)msl->base_va) / msl->seg_len);
}

/** Whether there is memory at the segment. */
static inline bool
eal_segment_used(const struct rte_memseg *ms)
{
	return ms->len != 0;
}

/** A size of huge pages. */
struct eal_hugepages {
	uint64_t size;	/**< bytes of a page */
	uint64_t nb_free;	/**< free pages, or pages that the kernel may make when needed */
};

/** Finds the sizes of huge pages of which some are free, in rising order; returns how many. */
unsigned int
eal_hugepages_find(struct eal_hugepages *out, unsigned int max);

#endif /* EAL_SEGMENTS_H */
