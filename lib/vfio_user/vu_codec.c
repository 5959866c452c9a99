/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include <rte_common.h>
#include <rte_vfio_region.h>

#include "vu_codec.h"

/* The fixed part of a payload, which may stand anywhere. */
static bool
fixed_copy(void *fixed, size_t size, const void *payload, size_t len)
{
	if (len < size)
		return false;
	memcpy(fixed, payload, size);
	return true;
}

static bool
is_pow2(uint64_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* ----------------------------------------------------------------- VERSION ---- */

int
vu_version_decode(const void *payload, size_t len, struct vu_version_info *version,
	const char **why)
{
	struct vu_version fixed;

	*why = "no version numbers";
	if (!fixed_copy(&fixed, sizeof(fixed), payload, len))
		return -EINVAL;
	version->major = fixed.major;
	version->minor = fixed.minor;
	version->has_text = len > sizeof(fixed);
	return vu_caps_parse((const char *)payload + sizeof(fixed), len - sizeof(fixed),
			&version->caps, why);
}

int
vu_version_encode(const struct vu_version_info *version, void *payload, size_t cap)
{
	const struct vu_version fixed = { .major = version->major, .minor = version->minor };
	int len = 0;

	if (cap < sizeof(fixed))
		return -ENOSPC;
	memcpy(payload, &fixed, sizeof(fixed));
	if (version->has_text)
		len = vu_caps_print(&version->caps, (char *)payload + sizeof(fixed),
				cap - sizeof(fixed));
	return len < 0 ? len : (int)sizeof(fixed) + len;
}

/* ------------------------------------------------------ DMA_MAP, DMA_UNMAP ---- */

int
vu_dma_map_decode(const void *payload, size_t len, struct vu_dma_map *map)
{
	const uint32_t known = VU_DMA_F_READ | VU_DMA_F_WRITE;

	if (!fixed_copy(map, sizeof(*map), payload, len) || map->argsz < sizeof(*map))
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

	if (!fixed_copy(&fixed, sizeof(fixed), payload, len) || fixed.error != 0)
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
	if (!fixed_copy(&reply, sizeof(reply), payload, len) || len != sizeof(reply))
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

	if (!is_pow2(bitmap->pgsize) || bitmap->size > max_bitmap ||
			bitmap->size != vu_bitmap_bytes(unmap->size, bitmap->pgsize))
		return -EINVAL;
	return vu_range_inside(VU_UNMAP_MAX, bitmap->size, argsz) ? 0 : -EINVAL;
}

int
vu_unmap_decode(const void *payload, size_t len, uint64_t max_bitmap, struct vu_unmap *unmap)
{
	struct vu_dma_unmap fixed;

	if (!fixed_copy(&fixed, sizeof(fixed), payload, len) || fixed.argsz < sizeof(fixed))
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
	if (!fixed_copy(&unmap->bitmap, sizeof(unmap->bitmap),
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
	if (!fixed_copy(&fixed, sizeof(fixed), payload, len))
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

/* ------------------------------------------------------------- information ---- */

int
vu_device_info_decode(const void *payload, size_t len, struct vfio_device_info *info)
{
	memset(info, 0, sizeof(*info));
	if (!fixed_copy(info, VU_DEVICE_INFO_SIZE, payload, len) ||
			info->argsz < VU_DEVICE_INFO_SIZE)
		return -EPROTO;
	return 0;
}

size_t
vu_region_info_reply(const struct vfio_region_info *info, size_t len, uint32_t argsz,
	struct vfio_region_info *fixed)
{
	memcpy(fixed, info, sizeof(*fixed));
	fixed->argsz = (uint32_t)len;
	if (len <= argsz)
		return len;
	/* there are capabilities, but not here */
	fixed->flags &= ~(uint32_t)VFIO_REGION_INFO_FLAG_CAPS;
	fixed->cap_offset = 0;
	return sizeof(*fixed);
}

static int
region_caps_check(const void *payload, size_t len)
{
	struct rte_vfio_region region;
	int rc;

	rc = rte_vfio_region_parse(payload, len, &region);
	rte_vfio_region_fini(&region);
	return rc == 0 || rc == -ENOMEM ? rc : -EPROTO;
}

int
vu_region_info_decode(const void *payload, size_t len, uint32_t index, uint32_t argsz,
	struct vfio_region_info *fixed)
{
	if (!fixed_copy(fixed, sizeof(*fixed), payload, len) || len > argsz)
		return -EPROTO;
	if (fixed->index != index || fixed->argsz < sizeof(*fixed) ||
			fixed->argsz > RTE_VFIO_REGION_INFO_MAX)
		return -EPROTO;
	if (fixed->argsz > argsz)
		return 1;
	/* a reply may be padded behind what it needs, but must not lack some of it */
	return fixed->argsz > len ? -EPROTO : region_caps_check(payload, len);
}

int
vu_irq_info_decode(const void *payload, size_t len, uint32_t index, struct vfio_irq_info *info)
{
	if (!fixed_copy(info, sizeof(*info), payload, len) || info->argsz < sizeof(*info) ||
			info->index != index)
		return -EPROTO;
	return 0;
}

/* --------------------------------------------------------- DEVICE_SET_IRQS ---- */

static int
irq_flags_decode(uint32_t flags, struct vu_irq_set *set)
{
	const uint32_t known = VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK;

	set->data = flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	set->action = flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
	return (flags & ~known) == 0 && is_pow2(set->data) && is_pow2(set->action) ? 0 : -EINVAL;
}

/* Error and request notify the client; there is nothing to be masked. */
static bool
irq_action_fits(const struct vu_irq_set *set)
{
	return set->action == VFIO_IRQ_SET_ACTION_TRIGGER ||
		(set->index != VFIO_PCI_ERR_IRQ_INDEX && set->index != VFIO_PCI_REQ_IRQ_INDEX);
}

static bool
irq_vectors_fit(const struct vu_irq_set *set, const struct vfio_irq_info *irq)
{
	/* no vectors: only to disable all of them */
	if (set->count == 0)
		return set->start == 0 && set->data == VFIO_IRQ_SET_DATA_NONE &&
			set->action == VFIO_IRQ_SET_ACTION_TRIGGER;
	return vu_range_inside(set->start, set->count, irq->count);
}

static bool
irq_data_fits(const struct vu_irq_set *set, size_t len, unsigned int nb_fds)
{
	if (set->data != VFIO_IRQ_SET_DATA_EVENTFD && nb_fds > 0)
		return false;
	if (nb_fds > 0 && nb_fds != set->count)
		return false;
	return len == (set->data == VFIO_IRQ_SET_DATA_BOOL ? set->count : 0);
}

int
vu_irq_set_decode(const void *payload, size_t len, unsigned int nb_fds,
	const struct vfio_irq_info *irqs, uint32_t nb_irqs, struct vu_irq_set *set)
{
	struct vfio_irq_set fixed;

	if (!fixed_copy(&fixed, sizeof(fixed), payload, len) || fixed.argsz < sizeof(fixed) ||
			irq_flags_decode(fixed.flags, set) < 0 || fixed.index >= nb_irqs)
		return -EINVAL;
	set->index = fixed.index;
	set->start = fixed.start;
	set->count = fixed.count;
	set->bools = (const uint8_t *)payload + sizeof(fixed);
	if (!irq_action_fits(set) || !irq_vectors_fit(set, &irqs[set->index]) ||
			!irq_data_fits(set, len - sizeof(fixed), nb_fds))
		return -EINVAL;
	return 0;
}

/* The descriptors of the ioctl's data from vector `from` on. */
static const int32_t *
irq_set_fds(const struct vfio_irq_set *set, uint32_t from)
{
	const void *data = set->data;

	return (const int32_t *)data + from;
}

/* Vectors from here on that are alike: all with a descriptor, or all without. */
static uint32_t
irq_set_run(const int32_t *fds, uint32_t nb, uint32_t max_fds)
{
	bool bound = fds[0] >= 0;
	uint32_t max = bound ? RTE_MIN(nb, max_fds) : nb;
	uint32_t run = 1;

	while (run < max && (fds[run] >= 0) == bound)
		run++;
	return run;
}

static int
irq_set_check(const struct vfio_irq_set *set, struct vu_irq_set *decoded)
{
	static const uint8_t width[] = {
		[VFIO_IRQ_SET_DATA_NONE] = 0,
		[VFIO_IRQ_SET_DATA_BOOL] = sizeof(uint8_t),
		[VFIO_IRQ_SET_DATA_EVENTFD] = sizeof(int32_t),
	};

	if (set->argsz < sizeof(*set) || irq_flags_decode(set->flags, decoded) < 0)
		return -EINVAL;
	if ((uint64_t)set->count * width[decoded->data] > set->argsz - sizeof(*set))
		return -EINVAL;
	return set->count > UINT32_MAX - set->start ? -EINVAL : 0;
}

/* The data of the next vectors, at most as many as fit in one request; their number. */
static uint32_t
irq_msg_data(const struct vfio_irq_set *set, uint32_t from, uint32_t max_fds,
	struct vu_irq_msg *msg)
{
	uint32_t nb = set->count - from;

	if (set->flags & VFIO_IRQ_SET_DATA_BOOL) {
		uintptr_t data = (uintptr_t)set->data + from;

		msg->payload[msg->nb++] = (struct iovec) { (void *)data, nb };
	} else if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		msg->fds = irq_set_fds(set, from);
		nb = irq_set_run(msg->fds, nb, RTE_MIN(max_fds, VU_SCM_MAX_FD));
		msg->nb_fds = msg->fds[0] >= 0 ? nb : 0;
	}
	return nb;
}

int
vu_irq_set_next(const struct vfio_irq_set *set, uint32_t max_fds, uint32_t *done,
	struct vu_irq_msg *msg)
{
	struct vu_irq_set decoded;
	/* a set without vectors is one request, too */
	uint32_t all = RTE_MAX(set->count, 1u);

	if (irq_set_check(set, &decoded) < 0 || max_fds == 0)
		return -EINVAL;
	if (*done >= all)
		return 0;
	memset(msg, 0, sizeof(*msg));
	msg->payload[0] = (struct iovec) { &msg->fixed, sizeof(msg->fixed) };
	msg->nb = 1;
	msg->fixed.flags = set->flags;
	msg->fixed.index = set->index;
	msg->fixed.start = set->start + *done;
	msg->fixed.count = set->count > 0 ? irq_msg_data(set, *done, max_fds, msg) : 0;
	msg->fixed.argsz = (uint32_t)(sizeof(msg->fixed) + msg->payload[1].iov_len);
	*done += RTE_MAX(msg->fixed.count, 1u);
	return 1;
}

/* -------------------------------------------------------- GET_REGION_IO_FDS ---- */

int
vu_io_fds_request_decode(const void *payload, size_t len, struct vu_region_io_fds *request)
{
	if (!fixed_copy(request, sizeof(*request), payload, len) ||
			request->argsz < sizeof(*request) || request->flags != 0 ||
			request->count != 0)
		return -EINVAL;
	return 0;
}

int
vu_io_fd_encode(const struct vu_io_fd *entry, size_t layout, void *to)
{
	struct vu_ioeventfd_shadow wire = {
		.offset = entry->offset,
		.size = entry->size,
		.fd_index = entry->fd_index,
		.type = entry->type,
		.flags = entry->flags,
		.shadow_fd_index = entry->shadow_fd_index,
		.shadow_offset = entry->shadow_offset,
		.datamatch = entry->datamatch,
	};

	if (layout == VU_IO_FD_LAYOUT_SPEC) {
		if (entry->type == VU_IO_FD_IOEVENTFD_SHADOW)
			return -EINVAL;
		wire.shadow_fd_index = 0;
		/* where the longer layout has the shadow's offset */
		wire.shadow_offset = entry->datamatch;
	}
	memcpy(to, &wire, layout);
	return 0;
}

int
vu_io_fds_decode(const void *payload, size_t len, uint32_t index, uint64_t region_size,
	unsigned int nb_fds, struct vu_io_fds *list)
{
	struct vu_region_io_fds fixed;

	if (!fixed_copy(&fixed, sizeof(fixed), payload, len) || fixed.index != index ||
			fixed.argsz < sizeof(fixed))
		return -EPROTO;
	*list = (struct vu_io_fds) {
		.argsz = fixed.argsz,
		.count = fixed.count,
		.entries = (const uint8_t *)payload + sizeof(fixed),
		.region_size = region_size,
		.nb_fds = nb_fds,
	};
	if (fixed.count == 0)
		return 0;
	if (len == sizeof(fixed))
		return fixed.argsz > len ? 1 : -EPROTO;
	/* the two layouts in use differ in their length only */
	list->layout = (len - sizeof(fixed)) / fixed.count;
	if ((list->layout != VU_IO_FD_LAYOUT_SPEC && list->layout != VU_IO_FD_LAYOUT_SHADOW) ||
			list->layout * fixed.count != len - sizeof(fixed))
		return -EPROTO;
	return 0;
}

static bool
io_fd_valid(const struct vu_io_fds *list, const struct vu_io_fd *entry)
{
	if (entry->type > VU_IO_FD_IOEVENTFD_SHADOW || entry->fd_index >= list->nb_fds)
		return false;
	if (entry->type == VU_IO_FD_IOEVENTFD_SHADOW && entry->shadow_fd_index >= list->nb_fds)
		return false;
	/* an access of any width starts at a byte that there is */
	return vu_range_inside(entry->offset, RTE_MAX(entry->size, UINT64_C(1)), list->region_size);
}

int
vu_io_fd_decode(const struct vu_io_fds *list, uint32_t i, struct vu_io_fd *entry)
{
	struct vu_ioeventfd_shadow wire = { .offset = 0 };
	bool is_short = list->layout == VU_IO_FD_LAYOUT_SPEC;

	if (list->layout == 0 || i >= list->count)
		return -EPROTO;
	memcpy(&wire, list->entries + (size_t)i * list->layout, list->layout);
	*entry = (struct vu_io_fd) {
		.offset = wire.offset,
		.size = wire.size,
		.fd_index = wire.fd_index,
		.type = wire.type,
		.flags = wire.flags,
		.shadow_fd_index = is_short ? 0 : wire.shadow_fd_index,
		.shadow_offset = is_short ? 0 : wire.shadow_offset,
		.datamatch = is_short ? wire.shadow_offset : wire.datamatch,
	};
	if (is_short && entry->type == VU_IO_FD_IOEVENTFD_SHADOW)
		return -EPROTO;
	return io_fd_valid(list, entry) ? 0 : -EPROTO;
}

/* ------------------------------------------------------------ region access ---- */

int
vu_region_reply_check(const struct vu_region_access *request, const void *payload, size_t len,
	size_t data)
{
	struct vu_region_access reply;

	if (!fixed_copy(&reply, sizeof(reply), payload, len) || len != sizeof(reply) + data)
		return -EPROTO;
	if (reply.offset != request->offset || reply.region != request->region ||
			reply.count > request->count)
		return -EPROTO;
	if (reply.count == request->count)
		return 0;
	return data > 0 ? -EPROTO : -EIO;
}

int
vu_write_multi_count(const void *payload, size_t len)
{
	struct vu_write_multi fixed;

	if (!fixed_copy(&fixed, sizeof(fixed), payload, len))
		return -EINVAL;
	len -= sizeof(fixed);
	if (len % sizeof(struct vu_write_multi_entry) != 0 ||
			fixed.wr_cnt != len / sizeof(struct vu_write_multi_entry) ||
			fixed.wr_cnt > INT_MAX)
		return -EINVAL;
	return (int)fixed.wr_cnt;
}

int
vu_write_multi_entry(const void *payload, uint32_t i, struct vu_write_multi_entry *entry)
{
	const uint8_t *entries = (const uint8_t *)payload + sizeof(struct vu_write_multi);

	memcpy(entry, entries + (size_t)i * sizeof(*entry), sizeof(*entry));
	return entry->count >= 1 && entry->count <= sizeof(entry->data) ? 0 : -EINVAL;
}

/* ----------------------------------------------------- DMA_READ, DMA_WRITE ---- */

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
	if (!fixed_copy(&reply, sizeof(reply), payload, len) || reply.addr != request->addr ||
			reply.count != request->count || len - sizeof(reply) != reply.count)
		return -EPROTO;
	return 0;
}

/* ---------------------------------------------------------- DEVICE_FEATURE ---- */

/* What a feature does, and how many bytes it needs for that. */
struct feature_desc {
	bool known;
	bool can_get;
	bool can_set;
	uint8_t get_in;
	uint8_t get_out;
	uint8_t set_in;
};

static const struct feature_desc features[] = {
	[VFIO_DEVICE_FEATURE_MIGRATION] = { .known = true,
		.can_get = true, .get_out = sizeof(uint64_t) },
	[VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE] = { .known = true,
		.can_get = true, .get_out = 2 * sizeof(uint32_t),
		.can_set = true, .set_in = 2 * sizeof(uint32_t) },
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_START] = { .known = true,
		.can_set = true, .set_in = sizeof(struct vu_logging_start) },
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP] = { .known = true, .can_set = true },
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT] = { .known = true,
		.can_get = true, .get_in = sizeof(struct vu_logging_report),
		.get_out = sizeof(struct vu_logging_report) },
};

static int
feature_parse(const void *payload, size_t len, struct vu_feature *feature)
{
	const uint32_t known = VFIO_DEVICE_FEATURE_MASK | VFIO_DEVICE_FEATURE_GET |
		VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PROBE;
	struct vfio_device_feature fixed;

	if (!fixed_copy(&fixed, sizeof(fixed), payload, len))
		return -EINVAL;
	*feature = (struct vu_feature) {
		.argsz = fixed.argsz,
		.index = fixed.flags & VFIO_DEVICE_FEATURE_MASK,
		.get = fixed.flags & VFIO_DEVICE_FEATURE_GET,
		.set = fixed.flags & VFIO_DEVICE_FEATURE_SET,
		.probe = fixed.flags & VFIO_DEVICE_FEATURE_PROBE,
		.data = (const uint8_t *)payload + sizeof(fixed),
		.len = len - sizeof(fixed),
	};
	return (fixed.flags & ~known) == 0 ? 0 : -EINVAL;
}

/* A probe asks what there is and carries what it likes; the others need their data. */
static bool
feature_data_fits(const struct feature_desc *desc, const struct vu_feature *feature)
{
	const size_t fixed = sizeof(struct vfio_device_feature);

	if (feature->probe)
		return true;
	if (feature->get)
		return feature->len >= desc->get_in && feature->argsz - fixed >= desc->get_out;
	return feature->len >= desc->set_in;
}

int
vu_feature_decode(const void *payload, size_t len, struct vu_feature *feature)
{
	const struct feature_desc *desc;

	if (feature_parse(payload, len, feature) < 0 ||
			feature->argsz < sizeof(struct vfio_device_feature) ||
			feature->index >= RTE_DIM(features) || !features[feature->index].known)
		return -EINVAL;
	if (feature->get && feature->set && !feature->probe)
		return -EINVAL;
	if (!feature->get && !feature->set && !feature->probe)
		return -EINVAL;
	desc = &features[feature->index];
	if ((feature->get && !desc->can_get) || (feature->set && !desc->can_set))
		return -EINVAL;
	return feature_data_fits(desc, feature) ? 0 : -EINVAL;
}

void
vu_feature_encode(const struct vu_feature *feature, struct vfio_device_feature *fixed)
{
	fixed->argsz = feature->argsz;
	fixed->flags = feature->index | (feature->get ? VFIO_DEVICE_FEATURE_GET : 0) |
		(feature->set ? VFIO_DEVICE_FEATURE_SET : 0) |
		(feature->probe ? VFIO_DEVICE_FEATURE_PROBE : 0);
}

int
vu_feature_reply_decode(const struct vu_feature *request, const void *payload, size_t len,
	struct vu_feature *feature)
{
	size_t out = 0;

	if (feature_parse(payload, len, feature) < 0 || feature->index != request->index ||
			feature->get != request->get || feature->set != request->set ||
			feature->probe != request->probe)
		return -EPROTO;
	if (request->get && !request->probe && request->index < RTE_DIM(features))
		out = features[request->index].get_out;
	return feature->len >= out ? 0 : -EPROTO;
}

int
vu_logging_start_decode(const struct vu_feature *feature, struct vu_logging_start *start)
{
	struct vu_logging_range range;
	uint32_t i;

	if (!fixed_copy(start, sizeof(*start), feature->data, feature->len) ||
			!is_pow2(start->pgsize) || feature->len - sizeof(*start) !=
				start->nb_ranges * (uint64_t)sizeof(range))
		return -EINVAL;
	for (i = 0; i < start->nb_ranges; i++) {
		range = vu_logging_range(feature, i);
		if (!vu_range_valid(range.addr, range.size))
			return -EINVAL;
	}
	return 0;
}

struct vu_logging_range
vu_logging_range(const struct vu_feature *feature, uint32_t i)
{
	struct vu_logging_range range;

	memcpy(&range, feature->data + sizeof(struct vu_logging_start) + i * sizeof(range),
		sizeof(range));
	return range;
}

int
vu_logging_report_decode(const struct vu_feature *feature, uint64_t max_bitmap,
	struct vu_logging_report *report)
{
	const size_t fixed = sizeof(struct vfio_device_feature) + sizeof(*report);
	uint64_t bytes;

	if (!fixed_copy(report, sizeof(*report), feature->data, feature->len) ||
			!is_pow2(report->pgsize) || !vu_range_valid(report->addr, report->size))
		return -EINVAL;
	bytes = vu_bitmap_bytes(report->size, report->pgsize);
	return bytes <= max_bitmap && vu_range_inside(fixed, bytes, feature->argsz) ? 0 : -EINVAL;
}

/* -------------------------------------------------------------- migration data ---- */

int64_t
vu_mig_read_decode(const void *payload, size_t len, uint32_t max)
{
	struct vu_mig_data fixed;

	if (!fixed_copy(&fixed, sizeof(fixed), payload, len) || fixed.size > max ||
			!vu_range_inside(sizeof(fixed), fixed.size, fixed.argsz))
		return -EINVAL;
	return fixed.size;
}

int64_t
vu_mig_write_decode(const void *payload, size_t len, const void **data)
{
	struct vu_mig_data fixed;

	if (!fixed_copy(&fixed, sizeof(fixed), payload, len) || len - sizeof(fixed) != fixed.size)
		return -EINVAL;
	*data = (const uint8_t *)payload + sizeof(fixed);
	return fixed.size;
}

int64_t
vu_mig_read_reply_decode(const void *payload, size_t len, uint32_t wanted, const void **data)
{
	struct vu_mig_data fixed;

	/* libvfio-user pads to what was asked for: the field tells, not the message */
	if (!fixed_copy(&fixed, sizeof(fixed), payload, len) || fixed.size > wanted ||
			fixed.size > len - sizeof(fixed))
		return -EPROTO;
	*data = (const uint8_t *)payload + sizeof(fixed);
	return fixed.size;
}
