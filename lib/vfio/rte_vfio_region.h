/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_VFIO_REGION_H
#define RTE_VFIO_REGION_H

/**
 * @file
 * What a region of a VFIO device is and which areas of it may be mapped: between the bytes of
 * VFIO_DEVICE_GET_REGION_INFO (of the kernel's ioctl as of the vfio-user message) and a sorted,
 * disjoint, page-aligned list of areas.
 *
 * All of this is pure: no system call, no global state. Every function may be called from any
 * thread as long as no other one changes the same objects.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_compat.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Flags of a region: the values of VFIO_REGION_INFO_FLAG_*. */
#define RTE_VFIO_REGION_F_READ  0x1u	/**< may be read */
#define RTE_VFIO_REGION_F_WRITE 0x2u	/**< may be written */
#define RTE_VFIO_REGION_F_MMAP  0x4u	/**< may be mapped, all of it or the sparse areas */
#define RTE_VFIO_REGION_F_CAPS  0x8u	/**< the bytes hold capabilities */

/** Length in bytes of region information without capabilities. */
#define RTE_VFIO_REGION_INFO_SIZE 32

/**
 * Longest region information that is taken seriously, in bytes. It holds some 65500 areas,
 * and no process may have more mappings than about that many.
 */
#define RTE_VFIO_REGION_INFO_MAX (1u << 20)

/** A run of bytes in a region. */
struct rte_vfio_area {
	uint64_t offset;	/**< bytes from the start of the region */
	uint64_t size;	/**< bytes */
};

/** What the device's owner says about a region. */
struct rte_vfio_region {
	uint32_t index;	/**< number of the region, as VFIO counts */
	uint32_t flags;	/**< RTE_VFIO_REGION_F_READ, _WRITE, _MMAP; _CAPS is not kept */
	uint64_t size;	/**< bytes; 0: there is no such region */
	uint64_t offset;	/**< where the region starts in the device's file */
	bool sparse;	/**< only @a areas may be mapped, though there may be none */
	bool msix_mappable;	/**< the page of the MSI-X table may be mapped, too */
	uint32_t nb_areas;	/**< entries in @a areas */
	struct rte_vfio_area *areas;	/**< sorted, disjoint, not empty, inside the region */
};

/**
 * Read region information.
 *
 * Nothing in the bytes is trusted: a chain of capabilities that leaves the buffer, runs in a
 * loop, has a version that is not known or areas outside of the region makes the region one
 * that cannot be mapped (-EBADMSG), never one that can be mapped where it should not.
 *
 * @param buf
 *   The bytes; no alignment is needed.
 * @param len
 *   How many there are.
 * @param region
 *   Set in every case; rte_vfio_region_fini() releases what it holds.
 * @return
 *   - 0: success
 *   - -ENOBUFS: there are capabilities and the owner needs a longer buffer to tell them: ask
 *     again with rte_vfio_region_info_len() bytes. @p region is set but cannot be mapped.
 *   - -EBADMSG: the capabilities make no sense. @p region is set but cannot be mapped.
 *   - -EPROTO: not region information: too short, or a region that ends behind the longest
 *     file. @p region is zero.
 *   - -ENOMEM: no memory for the areas. @p region is set but cannot be mapped.
 */
__rte_internal
int rte_vfio_region_parse(const void *buf, size_t len, struct rte_vfio_region *region);

/**
 * Length that the owner of a device wants for region information.
 *
 * @param buf
 *   The bytes of an answer.
 * @param len
 *   How many there are, in bytes.
 * @return
 *   - > 0: length in bytes, at least RTE_VFIO_REGION_INFO_SIZE
 *   - -EPROTO: @p len is too short for an answer
 *   - -E2BIG: the owner wants more than RTE_VFIO_REGION_INFO_MAX
 */
__rte_internal
int rte_vfio_region_info_len(const void *buf, size_t len);

/**
 * Write region information, as the kernel does: if the buffer is too short for the
 * capabilities, only the fixed part is written, and says how many bytes all of it takes.
 *
 * @param region
 *   What to write: a sparse capability when @a sparse is set, MSIX_MAPPABLE when that is set.
 * @param buf
 *   Where to; no alignment is needed. May be NULL when @p len is 0.
 * @param len
 *   How many bytes fit.
 * @return
 *   - > 0: length in bytes of the whole; what is written is complete if @p len is not less
 *   - -EINVAL: 0 < @p len < RTE_VFIO_REGION_INFO_SIZE
 *   - -E2BIG: more areas than fit in RTE_VFIO_REGION_INFO_MAX
 */
__rte_internal
int rte_vfio_region_emit(const struct rte_vfio_region *region, void *buf, size_t len);

/**
 * Release the areas of a region and forget it.
 *
 * @param region
 *   A region that was parsed, or is zero.
 */
__rte_internal
void rte_vfio_region_fini(struct rte_vfio_region *region);

/**
 * Which areas of a region a process may map, given its pages.
 *
 * Those are the sparse areas, or else the whole region; without the pages that hold a byte of
 * @p msix_table unless the owner allows them; of each area the whole pages. The end of
 * the region counts as the end of a page: what follows in that page belongs to no register.
 *
 * @param region
 *   The region.
 * @param msix_table
 *   Where the MSI-X table lies in this region; NULL: not here.
 * @param page_size
 *   Of the process, bytes, a power of two.
 * @param areas
 *   Set to an array for free(), or NULL if nothing may be mapped. Each area starts at a page and
 *   ends at a page or at the end of the region.
 * @return
 *   - >= 0: number of areas
 *   - -EINVAL: @p page_size is not a power of two
 *   - -ENOMEM
 */
__rte_internal
int rte_vfio_region_mappable(const struct rte_vfio_region *region,
	const struct rte_vfio_area *msix_table, uint64_t page_size,
	struct rte_vfio_area **areas);

/**
 * Sort areas, drop empty ones, and merge those that overlap or touch. An area that would end
 * behind UINT64_MAX ends there.
 *
 * @param areas
 *   Any areas; changed in place.
 * @param nb
 *   Their number.
 * @return
 *   The number that is left.
 */
__rte_internal
uint32_t rte_vfio_areas_normalize(struct rte_vfio_area *areas, uint32_t nb);

/**
 * Keep of each area what lies in [0, size).
 *
 * @param areas
 *   Sorted and disjoint; changed in place.
 * @param nb
 *   Their number.
 * @param size
 *   Bytes.
 * @return
 *   The number that is left.
 */
__rte_internal
uint32_t rte_vfio_areas_clip(struct rte_vfio_area *areas, uint32_t nb, uint64_t size);

/**
 * Take a range out of all areas.
 *
 * @param areas
 *   Sorted and disjoint; changed in place. Has room for one more than @p nb: the range may split
 *   an area in two.
 * @param nb
 *   Their number.
 * @param hole
 *   What to take out; nothing if it is empty.
 * @return
 *   The number that is left, at most @p nb + 1.
 */
__rte_internal
uint32_t rte_vfio_areas_cut(struct rte_vfio_area *areas, uint32_t nb,
	const struct rte_vfio_area *hole);

/**
 * Keep of each area the whole pages in it.
 *
 * @param areas
 *   Sorted and disjoint; changed in place.
 * @param nb
 *   Their number.
 * @param page_size
 *   Bytes, a power of two.
 * @param end
 *   An area that ends here need not end at a page; 0: there is no such place.
 * @return
 *   The number that is left.
 */
__rte_internal
uint32_t rte_vfio_areas_align(struct rte_vfio_area *areas, uint32_t nb, uint64_t page_size,
	uint64_t end);

/**
 * The pages that hold a byte of an area.
 *
 * @param area
 *   Any area.
 * @param page_size
 *   Bytes, a power of two.
 * @return
 *   The smallest area that holds @p area and consists of pages; empty if @p area is.
 */
__rte_internal
struct rte_vfio_area rte_vfio_area_pages(const struct rte_vfio_area *area, uint64_t page_size);

/**
 * Find the area that holds a byte, or the first one behind it.
 *
 * @param areas
 *   Sorted and disjoint.
 * @param nb
 *   Their number.
 * @param offset
 *   Of the byte.
 * @return
 *   The index of the first area that ends behind @p offset; @p nb if there is none.
 */
static inline uint32_t
rte_vfio_areas_find(const struct rte_vfio_area *areas, uint32_t nb, uint64_t offset)
{
	uint32_t low = 0;
	uint32_t high = nb;
	uint32_t mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (areas[mid].offset <= offset && areas[mid].size <= offset - areas[mid].offset)
			low = mid + 1;
		else if (areas[mid].offset <= offset)
			return mid;
		else
			high = mid;
	}
	return low;
}

#ifdef __cplusplus
}
#endif

#endif /* RTE_VFIO_REGION_H */
