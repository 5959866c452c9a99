/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_DIRTY_H
#define VU_DIRTY_H

/**
 * @file
 * Which pages of guest memory a device has written to: a bit map for each DMA region, set by data
 * paths, read and cleared by the thread that serves the session.
 */

#include <stddef.h>
#include <stdint.h>

#include "vu_dma.h"

/**
 * Start to track pages that the device writes to; what was tracked before is forgotten.
 *
 * @param pgsize
 *   Bytes a bit stands for, a power of two; 0: stop, which cannot fail.
 * @return 0, -EINVAL, -ENOMEM: nobody tracks
 */
int vu_dma_dirty_track(struct vu_dma *dma, uint64_t pgsize);

/** The device wrote [addr, addr + len). Any thread, in a section. Cheap when nobody tracks. */
void vu_dma_dirty_mark(const struct vu_dma *dma, uint64_t addr, uint64_t len);

/**
 * Report and clear what was written in a range that lies in regions that are mapped.
 *
 * @param pgsize
 *   Bytes a bit of the report stands for, a power of two; need not be that of the tracking.
 * @param bitmap
 *   Cleared, then filled: bit i is the page at addr + i * pgsize. @p size bytes.
 * @return 0; -EINVAL: @p size is not what range and page size need; -ENOENT: not in any region;
 *   -ENOTSUP: nobody tracks
 */
int vu_dma_dirty_report(struct vu_dma *dma, uint64_t addr, uint64_t len, uint64_t pgsize,
	uint64_t *bitmap, size_t size);

/** What vu_dma_dirty_report() checks of its arguments. @return 0, -EINVAL, -ENOTSUP */
int vu_dirty_report_check(const struct vu_dma *dma, uint64_t addr, uint64_t len, uint64_t pgsize,
	size_t size);

/** As vu_dma_dirty_report(), for a region that is in the table no longer. Checked before. */
void vu_dirty_report_region(const struct vu_dma_region *region, uint64_t pgsize, uint64_t *bitmap,
	size_t size);

/** Give a new region what it needs when somebody tracks, if it is mapped. @return 0, -ENOMEM */
int vu_dirty_alloc(struct vu_dma_region *region, uint64_t pgsize);

#endif /* VU_DIRTY_H */
