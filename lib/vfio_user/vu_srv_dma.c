/* SPDX-License-Identifier: BSD-3-Clause */

/* DMA_MAP, DMA_MAP_MULTI, DMA_UNMAP. Protocol reference 5.1, 5.2. */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_dirty.h"
#include "vu_dma_tree.h"
#include "vu_session.h"

/* Bytes of a bitmap that a reply may carry; a bit stands for a page of at least this many bytes. */
#define BITMAP_PGSIZE_MIN 4096u

/* ---- map ---- */

static int
dma_prot(uint32_t flags)
{
	return (flags & VU_DMA_F_READ ? PROT_READ : 0) | (flags & VU_DMA_F_WRITE ? PROT_WRITE : 0);
}

/* The region gets descriptor i, if there is one. */
static int
table_map(struct vu_session *s, const struct vu_dma_map *map, struct vu_fds *fds, uint32_t i)
{
	int fd = fds->nb > i ? fds->fd[i] : -1;
	int rc;

	rc = vu_dma_map(&s->dma, map->addr, map->size, dma_prot(map->flags), fd, map->offset);
	if (likely(rc == 0))
		vu_fds_take(fds, i);
	return rc;
}

int
vu_handle_dma_map(struct vu_session *s, const struct vu_rx_msg *msg)
{
	struct vu_dma_map map;
	struct vu_hdr reply;
	int rc;

	rc = vu_dma_map_decode(msg->payload, msg->len, &map);
	if (unlikely(rc < 0))
		return rc;
	rc = vu_session_lock(s, 1);
	if (unlikely(rc < 0))
		return rc;
	rc = table_map(s, &map, msg->fds, 0);
	vu_session_lock(s, 0);
	if (unlikely(rc < 0))
		return rc;
	vu_session_updated(s);
	return vu_reply_whole(s, msg, &reply, sizeof(reply));
}

/* Map one after the other. Returns how many were, up to the first that fails. */
static uint32_t
table_map_multi(struct vu_session *s, const struct vu_rx_msg *msg, uint32_t count, int *rc)
{
	struct vu_dma_map map;
	uint32_t i;

	for (i = 0; i < count; i++) {
		*rc = vu_map_multi_entry(msg->payload, i, &map);
		if (*rc == 0)
			*rc = table_map(s, &map, msg->fds, i);
		if (*rc < 0)
			break;
	}
	return i;
}

/* What was mapped stays so when a later one fails: the client knows how many to unmap. */
int
vu_handle_dma_map_multi(struct vu_session *s, const struct vu_rx_msg *msg)
{
	int count = vu_map_multi_count(msg->payload, msg->len, msg->fds->nb);
	struct vu_map_multi reply;
	int rc;

	if (!s->peer.map_multiple)
		return -ENOSYS;
	if (count < 0)
		return count;
	rc = vu_session_lock(s, 1);
	if (rc < 0)
		return rc;
	reply.count = table_map_multi(s, msg, (uint32_t)count, &rc);
	reply.error = (uint32_t)-rc;
	vu_session_lock(s, 0);
	vu_session_work(s, reply.count);
	if (reply.count == 0)
		return rc;
	vu_session_updated(s);
	return vu_reply_data(s, msg, &reply, sizeof(reply));
}

/* ---- unmap ---- */

/* The first region that has a byte of [addr, last], or NULL. */
static struct vu_dma_region *
table_first(const struct vu_dma *dma, uint64_t addr, uint64_t last)
{
	struct vu_dma_region *region;

	region = vu_dma_tree_find(atomic_load(&dma->root), addr);
	return region != NULL && region->addr <= last ? region : NULL;
}

/* Does the range have a part, but not all, of a region? */
static bool
table_cut(const struct vu_dma *dma, uint64_t addr, uint64_t last)
{
	const struct vu_dma_region *region = table_first(dma, addr, last);

	if (region == NULL)
		return false;
	if (region->addr < addr)
		return true;
	region = table_first(dma, last, last);
	return region != NULL && region->last > last;
}

/* Unmap all regions of the range. Most often it is that of one region. */
static int
table_unmap_range(struct vu_dma *dma, uint64_t addr, uint64_t last)
{
	struct vu_dma_region *region = table_first(dma, addr, last);
	int rc = 0;

	if (likely(region != NULL && region->addr == addr && region->last == last))
		return vu_dma_remove(dma, region);
	if (table_cut(dma, addr, last))
		return -ENOENT;
	for (; rc == 0 && region != NULL; region = table_first(dma, addr, last))
		rc = vu_dma_remove(dma, region);
	return rc;
}

static bool
table_has(const struct vu_dma *dma, uint64_t addr, uint64_t size)
{
	const struct vu_dma_region *region;

	region = vu_dma_tree_find(atomic_load(&dma->root), addr);
	return region != NULL && region->addr == addr && region->last == addr + (size - 1);
}

/*
 * As the kernel's VFIO: a range may hold several regions, or none. Behind a virtual IOMMU QEMU
 * unmaps large ranges, whatever is in them, and complains of each that is refused.
 */
static int
table_unmap(struct vu_session *s, const struct vu_unmap *unmap)
{
	uint64_t last = unmap->addr + (unmap->size - 1);
	uint32_t nb = s->dma.nb_regions;
	int rc = 0;

	if (unlikely(unmap->all))
		vu_dma_unmap_all(&s->dma);
	else
		rc = table_unmap_range(&s->dma, unmap->addr, last);
	vu_session_work(s, nb - s->dma.nb_regions);
	if (likely(rc == 0))
		vu_dma_msg_unmapped(s, unmap->addr, unmap->all ? UINT64_MAX : last);
	return rc;
}

static int
locked_unmap(struct vu_session *s, const struct vu_unmap *unmap)
{
	int rc;

	rc = vu_session_lock(s, 1);
	if (rc < 0)
		return rc;
	rc = table_unmap(s, unmap);
	vu_session_lock(s, 0);
	if (rc == 0)
		vu_session_updated(s);
	return rc;
}

static int
table_unmap_dirty(struct vu_session *s, const struct vu_unmap *unmap, uint64_t *bitmap)
{
	int rc;

	rc = vu_dma_unmap_dirty(&s->dma, unmap->addr, unmap->size, unmap->bitmap.pgsize, bitmap,
		(size_t)unmap->bitmap.size);
	if (rc == 0)
		vu_dma_msg_unmapped(s, unmap->addr, unmap->addr + (unmap->size - 1));
	return rc;
}

static int
unmap_with_bitmap(struct vu_session *s, const struct vu_rx_msg *msg, const struct vu_unmap *unmap)
{
	size_t len = VU_UNMAP_MAX + (size_t)unmap->bitmap.size;
	uint8_t *payload;
	int rc;

	if (unmap->bitmap.pgsize < BITMAP_PGSIZE_MIN)
		return -EINVAL;
	if (atomic_load(&s->dma.dirty_pgsize) == 0)
		return -EINVAL;
	if (!table_has(&s->dma, unmap->addr, unmap->size))
		return -ENOENT;
	payload = vu_reply_begin(s, len);
	if (payload == NULL)
		return -ENOMEM;
	memcpy(payload, msg->payload, VU_UNMAP_MAX);
	rc = vu_session_lock(s, 1);
	if (rc < 0)
		return rc;
	rc = table_unmap_dirty(s, unmap, (void *)(payload + VU_UNMAP_MAX));
	vu_session_lock(s, 0);
	if (rc < 0)
		return rc;
	vu_session_updated(s);
	return vu_reply_end(s, msg, len);
}

int
vu_handle_dma_unmap(struct vu_session *s, const struct vu_rx_msg *msg)
{
	uint64_t max_bitmap = RTE_MIN(s->peer.mig_max_bitmap_size, VU_DEFAULT_MAX_BITMAP);
	struct {
		struct vu_hdr hdr;
		struct vu_dma_unmap unmap;
	} reply;
	struct vu_unmap unmap;
	int rc;

	rc = vu_unmap_decode(msg->payload, msg->len, max_bitmap, &unmap);
	if (unlikely(rc < 0))
		return rc;
	if (unlikely(unmap.want_bitmap))
		return unmap_with_bitmap(s, msg, &unmap);
	rc = locked_unmap(s, &unmap);
	if (unlikely(rc < 0))
		return rc;
	memcpy(&reply.unmap, msg->payload, sizeof(reply.unmap));
	return vu_reply_whole(s, msg, &reply.hdr, sizeof(reply));
}
