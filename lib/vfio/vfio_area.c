/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>

#include <eal_export.h>
#include <rte_vfio_region.h>

static uint64_t
area_end(const struct rte_vfio_area *area)
{
	return area->size > UINT64_MAX - area->offset ? UINT64_MAX : area->offset + area->size;
}

static uint64_t
round_down(uint64_t offset, uint64_t page_size)
{
	return offset & ~(page_size - 1);
}

/* The first page boundary at or behind; UINT64_MAX if there is none. */
static uint64_t
round_up(uint64_t offset, uint64_t page_size)
{
	uint64_t down = round_down(offset, page_size);

	if (down == offset)
		return offset;
	return page_size > UINT64_MAX - down ? UINT64_MAX : down + page_size;
}

static int
area_cmp(const void *left, const void *right)
{
	const struct rte_vfio_area *a = left;
	const struct rte_vfio_area *b = right;

	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* Append [start, end) unless it is empty. */
static uint32_t
area_put(struct rte_vfio_area *areas, uint32_t nb, uint64_t start, uint64_t end)
{
	if (start >= end)
		return nb;
	areas[nb].offset = start;
	areas[nb].size = end - start;
	return nb + 1;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vfio_areas_normalize)
uint32_t
rte_vfio_areas_normalize(struct rte_vfio_area *areas, uint32_t nb)
{
	uint64_t start, end;
	uint32_t kept = 0;
	uint32_t i;

	if (nb > 1)
		qsort(areas, nb, sizeof(*areas), area_cmp);
	for (i = 0; i < nb; i++) {
		start = areas[i].offset;
		end = area_end(&areas[i]);
		if (start == end)
			continue;
		if (kept > 0 && start <= area_end(&areas[kept - 1])) {
			start = areas[--kept].offset;
			if (end < area_end(&areas[kept]))
				end = area_end(&areas[kept]);
		}
		kept = area_put(areas, kept, start, end);
	}
	return kept;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vfio_areas_clip)
uint32_t
rte_vfio_areas_clip(struct rte_vfio_area *areas, uint32_t nb, uint64_t size)
{
	uint32_t kept = 0;
	uint64_t end;
	uint32_t i;

	for (i = 0; i < nb; i++) {
		end = area_end(&areas[i]);
		kept = area_put(areas, kept, areas[i].offset, end < size ? end : size);
	}
	return kept;
}

/* The one area that the hole splits, if any, moves its second half to the free place at the end. */
RTE_EXPORT_INTERNAL_SYMBOL(rte_vfio_areas_cut)
uint32_t
rte_vfio_areas_cut(struct rte_vfio_area *areas, uint32_t nb, const struct rte_vfio_area *hole)
{
	const uint64_t hole_start = hole->offset;
	const uint64_t hole_end = area_end(hole);
	struct rte_vfio_area tail = { 0 };
	uint64_t start, end;
	uint32_t kept = 0;
	uint32_t i;

	if (hole->size == 0)
		return nb;
	for (i = 0; i < nb; i++) {
		start = areas[i].offset;
		end = area_end(&areas[i]);
		if (start < hole_start && end > hole_end) {
			tail.offset = hole_end;
			tail.size = end - hole_end;
		}
		if (start < hole_start)
			kept = area_put(areas, kept, start, end < hole_start ? end : hole_start);
		else
			kept = area_put(areas, kept, start > hole_end ? start : hole_end, end);
	}
	if (tail.size == 0)
		return kept;
	areas[kept] = tail;
	return rte_vfio_areas_normalize(areas, kept + 1);
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vfio_areas_align)
uint32_t
rte_vfio_areas_align(struct rte_vfio_area *areas, uint32_t nb, uint64_t page_size, uint64_t end)
{
	uint64_t area_start, stop;
	uint32_t kept = 0;
	uint32_t i;

	for (i = 0; i < nb; i++) {
		area_start = round_up(areas[i].offset, page_size);
		stop = area_end(&areas[i]);
		if (stop != end)
			stop = round_down(stop, page_size);
		kept = area_put(areas, kept, area_start, stop);
	}
	return kept;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vfio_area_pages)
struct rte_vfio_area
rte_vfio_area_pages(const struct rte_vfio_area *area, uint64_t page_size)
{
	struct rte_vfio_area pages = { .offset = round_down(area->offset, page_size) };

	if (area->size != 0)
		pages.size = round_up(area_end(area), page_size) - pages.offset;
	return pages;
}
