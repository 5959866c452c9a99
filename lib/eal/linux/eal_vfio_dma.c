/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_memory.h>

#include "eal_vfio.h"

#define CALLBACK_NAME "vfio"

/* Room for one more mapping is made in steps of so many. */
#define MAPS_STEP 64

static uint64_t
last_of(const struct eal_vfio_map *map)
{
	return map->iova + (map->len - 1);
}

/* Index of the first mapping that does not end before the address. */
static size_t
maps_find(const struct eal_vfio_container *container, uint64_t iova)
{
	size_t low = 0, high = container->nb_maps;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (last_of(&container->maps[mid]) < iova)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int
maps_reserve(struct eal_vfio_container *container, size_t more)
{
	struct eal_vfio_map *maps;
	size_t max;

	if (container->max_maps - container->nb_maps >= more)
		return 0;
	max = container->nb_maps + RTE_MAX(more, MAPS_STEP + container->nb_maps / 2);
	maps = realloc(container->maps, max * sizeof(*maps));
	if (maps == NULL)
		return -ENOMEM;
	container->maps = maps;
	container->max_maps = max;
	return 0;
}

/* There is room, by maps_reserve(). */
static void
maps_insert(struct eal_vfio_container *container, const struct eal_vfio_map *map)
{
	size_t at = maps_find(container, map->iova);

	memmove(&container->maps[at + 1], &container->maps[at],
		(container->nb_maps - at) * sizeof(*map));
	container->maps[at] = *map;
	container->nb_maps++;
}

static void
maps_remove(struct eal_vfio_container *container, size_t at, size_t n)
{
	memmove(&container->maps[at], &container->maps[at + n],
		(container->nb_maps - at - n) * sizeof(container->maps[0]));
	container->nb_maps -= n;
}

static bool
maps_overlap(const struct eal_vfio_container *container, const struct eal_vfio_map *map)
{
	size_t at = maps_find(container, map->iova);

	return at < container->nb_maps && container->maps[at].iova <= last_of(map);
}

/* What the kernel's errors mean to the user. */
static const char *
map_hint(int err)
{
	static const struct {
		int err;
		const char *hint;
	} hints[] = {
		{ ENOMEM, "the limit of locked memory may be too low, see ulimit -l" },
		{ ENOSPC, "the IOMMU takes no more mappings, see dma_entry_limit of "
			"vfio_iommu_type1, or use larger pages" },
		{ EEXIST, "part of it is mapped already" },
		{ EFAULT, "there is no memory at this address" },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(hints); i++)
		if (hints[i].err == err)
			return hints[i].hint;
	return strerror(err);
}

static int
map_refuse(const struct eal_vfio_map *map, int err, const char *why)
{
	VFIO_LOG(ERR, "cannot map 0x%" PRIx64 " bytes at 0x%" PRIx64 " to IOVA 0x%" PRIx64 ": %s",
		map->len, map->vaddr, map->iova, why);
	return -err;
}

static bool
map_is_reachable(const struct eal_vfio_iommu_info *info, const struct eal_vfio_map *map)
{
	unsigned int i;

	for (i = 0; i < info->nb_ranges; i++)
		if (map->iova >= info->ranges[i].start && last_of(map) <= info->ranges[i].end)
			return true;
	return info->nb_ranges == 0;
}

/* Names the ranges that the IOMMU reaches, as many as fit. */
static int
map_refuse_unreachable(const struct eal_vfio_iommu_info *info, const struct eal_vfio_map *map)
{
	char why[256] = "the IOMMU reaches only";
	size_t len = strlen(why);
	unsigned int i;

	for (i = 0; i < info->nb_ranges && len < sizeof(why) - 48; i++)
		len += snprintf(&why[len], sizeof(why) - len, " 0x%" PRIx64 "-0x%" PRIx64,
			(uint64_t)info->ranges[i].start, (uint64_t)info->ranges[i].end);
	return map_refuse(map, EINVAL, why);
}

static int
map_check(const struct eal_vfio_container *container, const struct eal_vfio_map *map)
{
	uint64_t page_sz = container->info.page_sz;
	char why[64];

	if (last_of(map) < map->iova || map->vaddr + (map->len - 1) < map->vaddr)
		return map_refuse(map, EINVAL, "there is no such range");
	if (((map->iova | map->vaddr | map->len) & (page_sz - 1)) != 0) {
		snprintf(why, sizeof(why), "not in pages of 0x%" PRIx64 " bytes", page_sz);
		return map_refuse(map, EINVAL, why);
	}
	if (!map_is_reachable(&container->info, map))
		return map_refuse_unreachable(&container->info, map);
	return 0;
}

/*
 * Counts the mappings from @p first on that hold all of the range, of one kind or of any; 0: there
 * is a gap or something else.
 */
static size_t
maps_cover(const struct eal_vfio_container *container, size_t first, const struct eal_vfio_map *map,
		bool any_kind)
{
	uint64_t next = map->iova;
	size_t i;

	for (i = first; i < container->nb_maps; i++) {
		const struct eal_vfio_map *have = &container->maps[i];

		if (have->iova > next || (have->user != map->user && !any_kind) ||
				have->vaddr - have->iova != map->vaddr - map->iova)
			return 0;
		if (last_of(have) >= last_of(map))
			return i - first + 1;
		next = last_of(have) + 1;
	}
	return 0;
}

/* Programs map the same for each of several devices, which share the container. */
static int
map_again(const struct eal_vfio_container *container, const struct eal_vfio_map *map)
{
	if (maps_cover(container, maps_find(container, map->iova), map, true) != 0)
		return 0;
	return map_refuse(map, EEXIST, map_hint(EEXIST));
}

/* Devices without an IOMMU need no mapping; one that comes later and has an IOMMU gets them all. */
static bool
is_in_use(const struct eal_vfio_container *container)
{
	return container->iommu != NULL ||
		(container == eal_vfio_default() && eal_vfio_noiommu()->iommu != NULL);
}

int
eal_vfio_dma_map(struct eal_vfio_container *container, const struct eal_vfio_map *map)
{
	int rc;

	if (map->len == 0)
		return map_refuse(map, EINVAL, "there is no such range");
	if (!is_in_use(container))
		return -ENODEV;
	rc = map_check(container, map);
	if (rc != 0)
		return rc;
	if (maps_overlap(container, map))
		return map_again(container, map);
	rc = maps_reserve(container, 1);
	if (rc != 0)
		return rc;
	if (container->iommu != NULL)
		rc = container->iommu->map(container, map);
	if (rc != 0)
		return map_refuse(map, -rc, map_hint(-rc));
	maps_insert(container, map);
	return 0;
}

/* Maps again what remains of a mapping that was cut. */
static int
map_remainder(struct eal_vfio_container *container, const struct eal_vfio_map *whole, uint64_t iova,
		uint64_t end)
{
	struct eal_vfio_map part = *whole;
	int rc = 0;

	if (iova == end)
		return 0;
	part.vaddr += iova - whole->iova;
	part.iova = iova;
	part.len = end - iova;
	if (container->iommu != NULL)
		rc = container->iommu->map(container, &part);
	if (rc != 0)
		return map_refuse(&part, -rc, map_hint(-rc));
	maps_insert(container, &part);
	return 0;
}

int
eal_vfio_dma_unmap(struct eal_vfio_container *container, const struct eal_vfio_map *map)
{
	struct eal_vfio_map head, tail;
	size_t first, n;
	int rc, rc_tail;

	if (map->len == 0 || last_of(map) < map->iova)
		return -EINVAL;
	first = maps_find(container, map->iova);
	n = maps_cover(container, first, map, false);
	if (n == 0)
		return -EINVAL;
	rc = maps_reserve(container, 1);
	if (rc != 0)
		return rc;
	head = container->maps[first];
	tail = container->maps[first + n - 1];
	if (container->iommu != NULL)
		rc = container->iommu->unmap(container, head.iova,
			last_of(&tail) - head.iova + 1);
	if (rc != 0)
		return rc;
	maps_remove(container, first, n);
	rc = map_remainder(container, &head, head.iova, map->iova);
	rc_tail = map_remainder(container, &tail, map->iova + map->len, tail.iova + tail.len);
	return rc != 0 ? rc : rc_tail;
}

/*
 * Our own memory. What stays until the end is mapped in as few pieces as possible, for the kernel
 * limits their number. What may go is mapped in the pieces in which it goes, the segments: no
 * mapping ever has to be split while devices use it.
 */

/* Neighbouring segments that wait to be mapped in one piece. */
struct run {
	struct eal_vfio_container *container;
	const struct rte_memseg_list *msl;
	struct eal_vfio_map map;	/* of length 0: none */
	bool stays;
};

static int
run_flush(struct run *run)
{
	struct eal_vfio_map map = run->map;

	run->map.len = 0;
	return map.len == 0 ? 0 : eal_vfio_dma_map(run->container, &map);
}

static bool
run_takes(const struct run *run, const struct rte_memseg_list *msl, const struct rte_memseg *ms,
		bool stays)
{
	return run->map.len != 0 && run->stays && stays && run->msl == msl &&
		run->map.vaddr + run->map.len == ms->addr_64 &&
		run->map.iova + run->map.len == ms->iova;
}

static int
run_add(struct run *run, const struct rte_memseg_list *msl, const struct rte_memseg *ms)
{
	bool stays = msl->external != 0 || (ms->flags & RTE_MEMSEG_FLAG_DO_NOT_FREE) != 0;
	int rc;

	/* External memory outside of heaps is its owner's to map. */
	if ((msl->external != 0 && msl->heap == 0) || ms->iova == RTE_BAD_IOVA || ms->len == 0)
		return 0;
	if (run_takes(run, msl, ms, stays)) {
		run->map.len += ms->len;
		return 0;
	}
	rc = run_flush(run);
	run->map = (struct eal_vfio_map){ .iova = ms->iova, .vaddr = ms->addr_64, .len = ms->len };
	run->msl = msl;
	run->stays = stays;
	return rc;
}

static int
run_visit(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	return run_add(arg, msl, ms);
}

/* What the visitor could not map ends the walk, and is why. */
static int
memory_map_all(struct eal_vfio_container *container)
{
	struct run run = { .container = container };
	int rc;

	rc = rte_memseg_walk_thread_unsafe(run_visit, &run);
	return rc < 0 ? rc : run_flush(&run);
}

/* Calls for each segment in a range; stops at the first error. */
static int
memory_each(const void *addr, size_t len, struct run *run)
{
	const char *at = addr;
	const char *end = at + len;
	const struct rte_memseg_list *msl = rte_mem_virt2memseg_list(addr);
	int rc = 0;

	while (msl != NULL && at < end && rc == 0) {
		const struct rte_memseg *ms = rte_mem_virt2memseg(at, msl);

		if (ms == NULL || ms->len == 0)
			break;
		rc = run_add(run, msl, ms);
		at = (const char *)ms->addr + ms->len;
	}
	return rc != 0 ? rc : run_flush(run);
}

/* Forgets all mappings of our memory in a range, in the kernel too. */
static void
memory_unmap(struct eal_vfio_container *container, uint64_t vaddr, uint64_t len)
{
	size_t i = 0;

	while (i < container->nb_maps) {
		struct eal_vfio_map map = container->maps[i];
		int rc;

		if (map.user || map.vaddr < vaddr || map.vaddr - vaddr >= len) {
			i++;
			continue;
		}
		rc = container->iommu->unmap(container, map.iova, map.len);
		if (rc != 0)
			VFIO_LOG(ERR,
				"cannot take memory at IOVA 0x%" PRIx64 " back from devices: %s",
				map.iova, strerror(-rc));
		maps_remove(container, i, 1);
	}
}

static void
memory_event(enum rte_mem_event event, const void *addr, size_t len, void *arg)
{
	struct eal_vfio_container *container = arg;
	struct run run = { .container = container };

	eal_vfio_lock_only();
	if (container->iommu != NULL) {
		if (event == RTE_MEM_EVENT_FREE)
			memory_unmap(container, (uintptr_t)addr, len);
		else if (memory_each(addr, len, &run) != 0)
			memory_unmap(container, (uintptr_t)addr, len);
	}
	eal_vfio_unlock_only();
}

/* Memory that cannot change has no events. */
int
eal_vfio_dma_listen(struct eal_vfio_container *container)
{
	if (rte_mem_event_callback_register(CALLBACK_NAME, memory_event, container) == 0 ||
			rte_errno == ENOTSUP)
		return 0;
	VFIO_LOG(ERR, "cannot learn about new memory: %s", strerror(rte_errno));
	return -rte_errno;
}

void
eal_vfio_dma_ignore(struct eal_vfio_container *container)
{
	rte_mem_event_callback_unregister(CALLBACK_NAME, container);
}

static int
user_map_all(struct eal_vfio_container *container)
{
	size_t i;
	int rc;

	for (i = 0; i < container->nb_maps; i++) {
		rc = container->iommu->map(container, &container->maps[i]);
		if (rc != 0)
			return map_refuse(&container->maps[i], -rc, map_hint(-rc));
	}
	return 0;
}

static int
map_all(struct eal_vfio_container *container)
{
	int rc = user_map_all(container);

	if (rc != 0 || container != eal_vfio_default())
		return rc;
	return memory_map_all(container);
}

int
eal_vfio_iommu_refresh(struct eal_vfio_container *container)
{
	struct eal_vfio_iommu_info info = { .page_sz = 1 };
	int rc = container->iommu->query(container, &info);

	if (rc == 0) {
		free(container->info.ranges);
		container->info = info;
	}
	return rc;
}

int
eal_vfio_iommu_begin(struct eal_vfio_container *container, const struct eal_vfio_iommu_ops *iommu)
{
	int rc;

	container->iommu = iommu;
	rc = eal_vfio_iommu_refresh(container);
	if (rc == 0)
		rc = map_all(container);
	if (rc != 0)
		eal_vfio_iommu_end(container);
	return rc;
}

static void
memory_forget(struct eal_vfio_container *container)
{
	size_t i = 0;

	while (i < container->nb_maps) {
		if (container->maps[i].user)
			i++;
		else
			maps_remove(container, i, 1);
	}
	if (container->nb_maps == 0) {
		free(container->maps);
		container->maps = NULL;
		container->max_maps = 0;
	}
}

void
eal_vfio_iommu_end(struct eal_vfio_container *container)
{
	memory_forget(container);
	container->iommu = NULL;
	free(container->info.ranges);
	container->info = (struct eal_vfio_iommu_info){ .page_sz = 1 };
}
