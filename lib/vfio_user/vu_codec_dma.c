/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_vfio_region.h>

#include "vu_codec.h"
#include "vu_codec_priv.h"

/* DMA_MAP, DMA_UNMAP, DMA_READ, DMA_WRITE. */

int
vu_dma_map_decode(const void *payload, size_t len, struct vu_dma_map *map)
{
	const uint32_t known = VU_DMA_F_READ | VU_DMA_F_WRITE;

	if (!vu_fixed_copy(map, sizeof(*map), payload, len) || map->argsz < sizeof(*map))
		return -EINVAL;
	if ((map->flags & ~known) != 0 || map->flags == 0)
		return -EINVAL;
	if (!vu_range_valid(map->addr, map->size) || !vu_range_valid(map->offset, map->size))
		return -EINVAL;
	return 0;
}

int
vu_map_multi_count(const void *payload, size_t len, unsigned int nb_fds)
{
	struct vu_map_multi fixed;

	if (!vu_fixed_copy(&fixed, sizeof(fixed), payload, len) || fixed.error != 0)
		return -EINVAL;
	if (nb_fds == 0 || fixed.count != nb_fds ||
			len - sizeof(fixed) != nb_fds * sizeof(struct vu_dma_map))
		return -EINVAL;
	return (int)nb_fds;
}

int
vu_map_multi_entry(const void *payload, uint32_t i, struct vu_dma_map *map)
{
	const uint8_t *entries = (const uint8_t *)payload + sizeof(struct vu_map_multi);

	return vu_dma_map_decode(entries + (size_t)i * sizeof(*map), sizeof(*map), map);
}

int
vu_map_multi_reply_decode(uint32_t count, const void *payload, size_t len, uint32_t *done)
{
	struct vu_map_multi reply;

	*done = 0;
	if (!vu_fixed_copy(&reply, sizeof(reply), payload, len) || len != sizeof(reply))
		return -EPROTO;
	if (reply.count > count || reply.error >= 4096 ||
			(reply.error == 0) != (reply.count == count))
		return -EPROTO;
	*done = reply.count;
	return -(int)reply.error;
}

/* The bitmap must be what the range needs: a client that computes it otherwise would misread it. */
static int
unmap_bitmap_check(const struct vu_unmap *unmap, uint32_t argsz, uint64_t max_bitmap)
{
	const struct vu_bitmap *bitmap = &unmap->bitmap;

	if (!vu_is_pow2(bitmap->pgsize) || bitmap->size > max_bitmap ||
			bitmap->size != vu_bitmap_bytes(unmap->size, bitmap->pgsize))
		return -EINVAL;
	return vu_range_inside(VU_UNMAP_MAX, bitmap->size, argsz) ? 0 : -EINVAL;
}

int
vu_unmap_decode(const void *payload, size_t len, uint64_t max_bitmap, struct vu_unmap *unmap)
{
	struct vu_dma_unmap fixed;

	if (!vu_fixed_copy(&fixed, sizeof(fixed), payload, len) || fixed.argsz < sizeof(fixed))
		return -EINVAL;
	*unmap = (struct vu_unmap) {
		.all = fixed.flags == VU_UNMAP_F_ALL,
		.want_bitmap = fixed.flags == VU_UNMAP_F_BITMAP,
		.addr = fixed.addr,
		.size = fixed.size,
	};
	/* the two flags exclude each other */
	if (fixed.flags != 0 && !unmap->all && !unmap->want_bitmap)
		return -EINVAL;
	if (unmap->all)
		return fixed.addr == 0 && fixed.size == 0 ? 0 : -EINVAL;
	if (!vu_range_valid(fixed.addr, fixed.size))
		return -EINVAL;
	if (!unmap->want_bitmap)
		return 0;
	if (!vu_fixed_copy(&unmap->bitmap, sizeof(unmap->bitmap),
			(const uint8_t *)payload + sizeof(fixed), len - sizeof(fixed)))
		return -EINVAL;
	return unmap_bitmap_check(unmap, fixed.argsz, max_bitmap);
}

size_t
vu_unmap_encode(const struct vu_unmap *unmap, void *payload)
{
	struct vu_dma_unmap fixed = {
		.argsz = sizeof(fixed),
		.flags = unmap->all ? VU_UNMAP_F_ALL : unmap->want_bitmap ? VU_UNMAP_F_BITMAP : 0,
		.addr = unmap->addr,
		.size = unmap->size,
	};
	size_t len = sizeof(fixed);

	if (unmap->want_bitmap) {
		fixed.argsz = (uint32_t)(VU_UNMAP_MAX + unmap->bitmap.size);
		memcpy((uint8_t *)payload + len, &unmap->bitmap, sizeof(unmap->bitmap));
		len += sizeof(unmap->bitmap);
	}
	memcpy(payload, &fixed, sizeof(fixed));
	return len;
}

int
vu_unmap_reply_decode(const struct vu_unmap *unmap, const void *payload, size_t len,
	const void **bitmap)
{
	struct vu_dma_unmap fixed;

	*bitmap = NULL;
	/* libvfio-user answers with a bare header when its device does no DMA */
	if (len == 0 && !unmap->want_bitmap)
		return 0;
	if (!vu_fixed_copy(&fixed, sizeof(fixed), payload, len))
		return -EPROTO;
	if (!unmap->all && (fixed.addr != unmap->addr || fixed.size != unmap->size))
		return -EPROTO;
	if (!unmap->want_bitmap)
		return len == sizeof(fixed) ? 0 : -EPROTO;
	if (len - sizeof(fixed) < sizeof(struct vu_bitmap) ||
			len - VU_UNMAP_MAX != unmap->bitmap.size)
		return -EPROTO;
	*bitmap = (const uint8_t *)payload + VU_UNMAP_MAX;
	return 0;
}

/* Besides 16 bytes: 12 by the letter of the specification, none from QEMU before 11. */
static bool
dma_write_reply_fits(const struct vu_dma_access *request, const void *payload, size_t len)
{
	struct vu_dma_access reply = { .count = 0 };

	if (len == 0)
		return true;
	if (len != sizeof(reply) && len != sizeof(uint64_t) + sizeof(uint32_t))
		return false;
	memcpy(&reply, payload, len);
	return reply.addr == request->addr && reply.count == request->count;
}

int
vu_dma_reply_check(uint16_t cmd, const struct vu_dma_access *request, const void *payload,
	size_t len)
{
	struct vu_dma_access reply;

	if (cmd == VU_DMA_WRITE)
		return dma_write_reply_fits(request, payload, len) ? 0 : -EPROTO;
	if (!vu_fixed_copy(&reply, sizeof(reply), payload, len) || reply.addr != request->addr ||
			reply.count != request->count || len - sizeof(reply) != reply.count)
		return -EPROTO;
	return 0;
}
