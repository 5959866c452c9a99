/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include <rte_common.h>
#include <rte_vfio_region.h>

#include "vu_codec.h"
#include "vu_codec_priv.h"

/* GET_REGION_IO_FDS, and accesses to regions. */

int
vu_io_fds_request_decode(const void *payload, size_t len, struct vu_region_io_fds *request)
{
	if (!vu_fixed_copy(request, sizeof(*request), payload, len) ||
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

	if (!vu_fixed_copy(&fixed, sizeof(fixed), payload, len) || fixed.index != index ||
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

	if (!vu_fixed_copy(&reply, sizeof(reply), payload, len) || len != sizeof(reply) + data)
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

	if (!vu_fixed_copy(&fixed, sizeof(fixed), payload, len))
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
