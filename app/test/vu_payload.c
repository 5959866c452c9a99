/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "vu_codec.h"

#include "test.h"
#include "vu_payload.h"

/* Writes a structure, its fields named, behind what there is. */
#define PUT(to, type, ...) put((to), &(const struct type) { __VA_ARGS__ }, sizeof(struct type))

static void
put(struct vu_payload *to, const void *from, size_t len)
{
	assert_true(len <= sizeof(to->at) - to->len);
	memcpy(to->at + to->len, from, len);
	to->len += len;
}

/* ---- payloads as the library makes them ---- */

static void
make_none(struct vu_payload *to)
{
	(void)to;
}

static void
make_version_request(struct vu_payload *to)
{
	struct vu_version_info version = { .minor = 1, .has_text = true };
	int len;

	vu_caps_default(&version.caps);
	version.caps.max_msg_fds = 16;
	version.caps.write_multiple = true;
	len = vu_version_encode(&version, to->at, sizeof(to->at));
	assert_true(len > 0);
	to->len = (size_t)len;
}

static void
make_version_bare(struct vu_payload *to)
{
	struct vu_version_info version = { .minor = 1 };

	assert_int_equal(vu_version_encode(&version, to->at, sizeof(to->at)), 4);
	to->len = 4;
}

static void
make_version_reply(struct vu_payload *to)
{
	struct vu_version_info version = { .has_text = true };
	int len;

	vu_caps_default(&version.caps);
	version.caps.max_msg_fds = 8;
	version.caps.twin_socket = true;
	version.caps.twin_fd_index = 0;
	version.caps.migration = true;
	len = vu_version_encode(&version, to->at, sizeof(to->at));
	assert_true(len > 0);
	to->len = (size_t)len;
}

/* All that a client can offer, and all that a server can answer. */
static void
make_version_full(struct vu_payload *to, bool reply)
{
	struct vu_version_info version = { .minor = 1, .has_text = true };
	int len;

	vu_caps_default(&version.caps);
	version.caps.max_msg_fds = 16;
	version.caps.write_multiple = true;
	version.caps.map_multiple = true;
	version.caps.twin_socket = true;
	version.caps.twin_fd_index = reply ? 0 : -1;
	version.caps.migration = reply;
	len = vu_version_encode(&version, to->at, sizeof(to->at));
	assert_true(len > 0);
	to->len = (size_t)len;
}

static void
make_version_full_request(struct vu_payload *to)
{
	make_version_full(to, false);
}

static void
make_version_full_reply(struct vu_payload *to)
{
	make_version_full(to, true);
}

static void
make_dma_map(struct vu_payload *to)
{
	PUT(to, vu_dma_map, .argsz = 32, .flags = VU_DMA_F_READ | VU_DMA_F_WRITE,
		.addr = VU_PAYLOAD_IOVA,
		.size = 65536);
}

static void
make_dma_map_rom(struct vu_payload *to)
{
	PUT(to, vu_dma_map, .argsz = 32, .flags = VU_DMA_F_READ, .addr = 0xfffc0000,
		.size = 0x40000);
}

const struct vu_unmap vu_payload_unmap_one = { .addr = VU_PAYLOAD_IOVA, .size = 65536 };
const struct vu_unmap vu_payload_unmap_all = { .all = true };
const struct vu_unmap vu_payload_unmap_bitmap = {
	.want_bitmap = true, .addr = VU_PAYLOAD_IOVA, .size = 65536,
	.bitmap = { .pgsize = 4096, .size = 8 },
};

static void
make_unmap(struct vu_payload *to)
{
	to->len = vu_unmap_encode(&vu_payload_unmap_one, to->at);
}

static void
make_unmap_all(struct vu_payload *to)
{
	to->len = vu_unmap_encode(&vu_payload_unmap_all, to->at);
}

static void
make_unmap_bitmap(struct vu_payload *to)
{
	to->len = vu_unmap_encode(&vu_payload_unmap_bitmap, to->at);
}

static void
make_unmap_bitmap_reply(struct vu_payload *to)
{
	make_unmap_bitmap(to);
	put(to, "\x01\x80\0\0\0\0\0", 8);
}

static void
make_get_info(struct vu_payload *to)
{
	const uint32_t words[] = { 16, 0, 0, 0 };

	put(to, words, sizeof(words));
}

static void
make_get_info_reply(struct vu_payload *to)
{
	const struct vfio_device_info info = {
		.argsz = 16,
		.flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
		.num_regions = 9,
		.num_irqs = 5,
	};

	put(to, &info, VU_DEVICE_INFO_SIZE);
}

static void
make_region_info(struct vu_payload *to)
{
	PUT(to, vfio_region_info, .argsz = 32, .index = 2);
}

/* A region with two windows, and what is answered to a client with that much room. */
static void
region_info_reply(struct vu_payload *to, uint32_t argsz)
{
	struct {
		struct vfio_region_info info;
		struct vfio_info_cap_header cap;
		uint32_t nb_areas;
		uint32_t reserved;
		uint64_t area[4];
	} all = {
		.info = { .argsz = sizeof(all), .flags = 0xf, .index = 2, .cap_offset = 32,
			.size = 1048576 },
		.cap = { .id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1 },
		.nb_areas = 2,
		.area = { 0x1000, 0x1000, 0x80000, 0x80000 },
	};
	struct vfio_region_info fixed;
	size_t len = vu_region_info_reply(&all.info, sizeof(all), argsz, &fixed);

	put(to, &fixed, sizeof(fixed));
	put(to, &all.cap, len - sizeof(fixed));
}

static void
make_region_info_short(struct vu_payload *to)
{
	region_info_reply(to, 32);
}

static void
make_region_info_full(struct vu_payload *to)
{
	region_info_reply(to, 80);
}

static void
make_io_fds(struct vu_payload *to)
{
	PUT(to, vu_region_io_fds, .argsz = 1024, .index = 1);
}

static void
io_fds_reply(struct vu_payload *to, size_t layout, const struct vu_io_fd *entry)
{
	PUT(to, vu_region_io_fds, .argsz = (uint32_t)(16 + layout), .index = 1, .count = 1);
	assert_int_equal(vu_io_fd_encode(entry, layout, to->at + to->len), 0);
	to->len += layout;
}

const struct vu_io_fd vu_payload_io_fd_plain = {
	.offset = 0x1000, .size = 4, .flags = 1, .datamatch = 0x11223344,
};
const struct vu_io_fd vu_payload_io_fd_shadow = {
	.offset = 0x1000, .size = 4, .type = VU_IO_FD_IOEVENTFD_SHADOW, .flags = 1,
	.shadow_fd_index = 1, .shadow_offset = 0x200, .datamatch = 0x11223344,
};

static void
make_io_fds_reply(struct vu_payload *to)
{
	io_fds_reply(to, VU_IO_FD_LAYOUT_SPEC, &vu_payload_io_fd_plain);
}

static void
make_io_fds_shadow_reply(struct vu_payload *to)
{
	io_fds_reply(to, VU_IO_FD_LAYOUT_SHADOW, &vu_payload_io_fd_shadow);
}

static void
make_irq_info(struct vu_payload *to)
{
	PUT(to, vfio_irq_info, .argsz = 16, .index = 2);
}

static void
make_irq_info_reply(struct vu_payload *to)
{
	PUT(to, vfio_irq_info, .argsz = 16, .flags = VFIO_IRQ_INFO_EVENTFD, .index = 2, .count = 8);
}

/* A request as it is made from the argument of the ioctl. */
static void
irq_set(struct vu_payload *to, uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
	const void *data, size_t len)
{
	union {
		struct vfio_irq_set set;
		uint8_t room[64];
	} u = { .set = { .argsz = (uint32_t)(sizeof(u.set) + len), .flags = flags, .index = index,
		.start = start, .count = count } };
	struct vu_irq_msg msg;
	uint32_t done = 0;
	unsigned int i;

	if (len > 0)
		memcpy(u.room + sizeof(u.set), data, len);
	assert_int_equal(vu_irq_set_next(&u.set, 16, &done, &msg), 1);
	for (i = 0; i < msg.nb; i++)
		put(to, msg.payload[i].iov_base, msg.payload[i].iov_len);
	assert_int_equal(vu_irq_set_next(&u.set, 16, &done, &msg), 0);
}

static void
make_irqs_bind(struct vu_payload *to)
{
	irq_set(to, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 2, 0, 2,
		&(const int32_t[2]) { 3, 4 }, 8);
}

static void
make_irqs_unbind(struct vu_payload *to)
{
	irq_set(to, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 2, 2, 1,
		&(const int32_t) { -1 }, 4);
}

static void
make_irqs_bool(struct vu_payload *to)
{
	irq_set(to, VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER, 2, 4, 3, "\1\0\1", 3);
}

static void
make_irqs_mask(struct vu_payload *to)
{
	irq_set(to, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, 0, 0, 1, NULL, 0);
}

static void
make_irqs_disable(struct vu_payload *to)
{
	irq_set(to, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 2, 0, 0, NULL, 0);
}

const struct vu_region_access vu_payload_region_access = { .offset = 0x10, .count = 4 };

static void
make_region_access(struct vu_payload *to)
{
	put(to, &vu_payload_region_access, sizeof(vu_payload_region_access));
}

static void
make_region_read_reply(struct vu_payload *to)
{
	make_region_access(to);
	put(to, "\xdd\xcc\xbb\xaa", 4);
}

static void
make_region_write(struct vu_payload *to)
{
	make_region_access(to);
	put(to, "\x78\x56\x34\x12", 4);
}

const struct vu_dma_access vu_payload_dma_access = { .addr = VU_PAYLOAD_IOVA + 0x1000, .count = 4 };

static void
make_dma_access(struct vu_payload *to)
{
	put(to, &vu_payload_dma_access, sizeof(vu_payload_dma_access));
}

static void
make_dma_data(struct vu_payload *to)
{
	make_dma_access(to);
	put(to, "\1\2\3\4", 4);
}

static void
make_write_multi(struct vu_payload *to)
{
	put(to, &(const uint64_t) { 2 }, 8);
	PUT(to, vu_write_multi_entry, .offset = 0x10, .count = 4, .data = {
		0x78, 0x56, 0x34, 0x12 });
	PUT(to, vu_write_multi_entry, .offset = 0x18, .count = 8, .data = {
		1, 2, 3, 4, 5, 6, 7, 8 });
}

static void
make_write_multi_reply(struct vu_payload *to)
{
	put(to, &(const uint64_t) { 2 }, 8);
}

static void
make_map_multi(struct vu_payload *to)
{
	PUT(to, vu_map_multi, .count = 2);
	make_dma_map(to);
	PUT(to, vu_dma_map, .argsz = 32, .flags = VU_DMA_F_READ, .offset = 0x1000,
		.addr = VU_PAYLOAD_IOVA + 0x20000, .size = 0x8000);
}

static void
make_map_multi_reply(struct vu_payload *to)
{
	PUT(to, vu_map_multi, .count = 2);
}

static void
make_map_multi_part_reply(struct vu_payload *to)
{
	PUT(to, vu_map_multi, .count = 1, .error = EEXIST);
}

static void
feature(struct vu_payload *to, const struct vu_feature *f, const void *data, size_t len)
{
	struct vfio_device_feature fixed;

	vu_feature_encode(f, &fixed);
	put(to, &fixed, sizeof(fixed));
	if (len > 0)
		put(to, data, len);
}

const struct vu_feature vu_payload_feature_get = {
	.argsz = 16, .index = VFIO_DEVICE_FEATURE_MIGRATION, .get = true };
static const struct vu_feature feature_probe = {
	.argsz = 8, .index = VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, .get = true, .set = true,
	.probe = true };
static const struct vu_feature feature_state = {
	.argsz = 16, .index = VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, .set = true };
const struct vu_feature vu_payload_feature_get_state = {
	.argsz = 16, .index = VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, .get = true };
static const struct vu_feature feature_start = {
	.argsz = 40, .index = VFIO_DEVICE_FEATURE_DMA_LOGGING_START, .set = true };
static const struct vu_feature feature_stop = {
	.argsz = 8, .index = VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, .set = true };
const struct vu_feature vu_payload_feature_report = {
	.argsz = 40, .index = VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, .get = true };

static void
make_feature_get(struct vu_payload *to)
{
	feature(to, &vu_payload_feature_get, NULL, 0);
}

static void
make_feature_get_reply(struct vu_payload *to)
{
	/* stop-copy and pre-copy, which older headers do not name */
	feature(to, &vu_payload_feature_get, &(const uint64_t) { VFIO_MIGRATION_STOP_COPY | 0x4 },
		8);
}

static void
make_feature_probe(struct vu_payload *to)
{
	feature(to, &feature_probe, NULL, 0);
}

static void
make_feature_state(struct vu_payload *to)
{
	feature(to, &feature_state, &(const uint32_t[2]) { VFIO_DEVICE_STATE_STOP_COPY, 0 }, 8);
}

static void
make_feature_get_state(struct vu_payload *to)
{
	feature(to, &vu_payload_feature_get_state, NULL, 0);
}

static void
make_feature_get_state_reply(struct vu_payload *to)
{
	feature(to, &vu_payload_feature_get_state,
		&(const uint32_t[2]) { VFIO_DEVICE_STATE_RUNNING, UINT32_MAX }, 8);
}

static void
make_feature_start(struct vu_payload *to)
{
	feature(to, &feature_start, NULL, 0);
	PUT(to, vu_logging_start, .pgsize = 4096, .nb_ranges = 1);
	PUT(to, vu_logging_range, .addr = VU_PAYLOAD_IOVA, .size = 65536);
}

static void
make_feature_stop(struct vu_payload *to)
{
	feature(to, &feature_stop, NULL, 0);
}

static void
make_feature_report(struct vu_payload *to)
{
	feature(to, &vu_payload_feature_report, NULL, 0);
	PUT(to, vu_logging_report, .addr = VU_PAYLOAD_IOVA, .size = 65536, .pgsize = 4096);
}

static void
make_feature_report_reply(struct vu_payload *to)
{
	make_feature_report(to);
	put(to, "\x01\x80\0\0\0\0\0", 8);
}

static void
make_mig_read(struct vu_payload *to)
{
	PUT(to, vu_mig_data, .argsz = 12, .size = 4);
}

static void
make_mig_data(struct vu_payload *to)
{
	make_mig_read(to);
	put(to, "\x0a\x0b\x0c\x0d", 4);
}

#define CMD .flags = VU_F_TYPE_COMMAND
#define POSTED .flags = VU_F_TYPE_COMMAND | VU_F_NO_REPLY
#define REPLY .flags = VU_F_TYPE_REPLY

const struct vu_payload_row vu_payloads[] = {
	{ "version_bare_request", { 1, VU_VERSION, CMD }, make_version_bare },
	{ "version_request", { 1, VU_VERSION, CMD }, make_version_request },
	{ "version_reply", { 1, VU_VERSION, REPLY }, make_version_reply },
	{ "version_full_request", { 1, VU_VERSION, CMD }, make_version_full_request },
	{ "version_full_reply", { 1, VU_VERSION, REPLY }, make_version_full_reply },
	{ "dma_map_request", { 2, VU_DMA_MAP, CMD }, make_dma_map },
	{ "dma_map_rom_request", { 2, VU_DMA_MAP, CMD }, make_dma_map_rom },
	{ "dma_map_reply", { 2, VU_DMA_MAP, REPLY }, make_none },
	{ "dma_unmap_request", { 3, VU_DMA_UNMAP, CMD }, make_unmap },
	{ "dma_unmap_reply", { 3, VU_DMA_UNMAP, REPLY }, make_unmap },
	{ "dma_unmap_all_request", { 3, VU_DMA_UNMAP, CMD }, make_unmap_all },
	{ "dma_unmap_all_reply", { 3, VU_DMA_UNMAP, REPLY }, make_unmap_all },
	{ "dma_unmap_bitmap_request", { 3, VU_DMA_UNMAP, CMD }, make_unmap_bitmap },
	{ "dma_unmap_bitmap_reply", { 3, VU_DMA_UNMAP, REPLY }, make_unmap_bitmap_reply },
	{ "get_info_request", { 4, VU_GET_INFO, CMD }, make_get_info },
	{ "get_info_reply", { 4, VU_GET_INFO, REPLY }, make_get_info_reply },
	{ "get_region_info_request", { 5, VU_GET_REGION_INFO, CMD }, make_region_info },
	{ "get_region_info_short_reply", { 5, VU_GET_REGION_INFO, REPLY }, make_region_info_short },
	{ "get_region_info_reply", { 5, VU_GET_REGION_INFO, REPLY }, make_region_info_full },
	{ "get_region_io_fds_request", { 6, VU_GET_REGION_IO_FDS, CMD }, make_io_fds },
	{ "get_region_io_fds_reply", { 6, VU_GET_REGION_IO_FDS, REPLY }, make_io_fds_reply },
	{ "get_region_io_fds_shadow_reply", { 6, VU_GET_REGION_IO_FDS, REPLY },
		make_io_fds_shadow_reply },
	{ "get_irq_info_request", { 7, VU_GET_IRQ_INFO, CMD }, make_irq_info },
	{ "get_irq_info_reply", { 7, VU_GET_IRQ_INFO, REPLY }, make_irq_info_reply },
	{ "set_irqs_bind_request", { 6, VU_SET_IRQS, CMD }, make_irqs_bind },
	{ "set_irqs_unbind_request", { 6, VU_SET_IRQS, CMD }, make_irqs_unbind },
	{ "set_irqs_bool_request", { 6, VU_SET_IRQS, CMD }, make_irqs_bool },
	{ "set_irqs_mask_request", { 6, VU_SET_IRQS, CMD }, make_irqs_mask },
	{ "set_irqs_disable_request", { 6, VU_SET_IRQS, CMD }, make_irqs_disable },
	{ "set_irqs_reply", { 6, VU_SET_IRQS, REPLY }, make_none },
	{ "region_read_request", { 3, VU_REGION_READ, CMD }, make_region_access },
	{ "region_read_reply", { 3, VU_REGION_READ, REPLY }, make_region_read_reply },
	{ "region_write_posted_request", { 4, VU_REGION_WRITE, POSTED }, make_region_write },
	{ "region_write_request", { 4, VU_REGION_WRITE, CMD }, make_region_write },
	{ "region_write_reply", { 4, VU_REGION_WRITE, REPLY }, make_region_access },
	{ "dma_read_request", { 1, VU_DMA_READ, CMD }, make_dma_access },
	{ "dma_read_reply", { 1, VU_DMA_READ, REPLY }, make_dma_data },
	{ "dma_write_request", { 1, VU_DMA_WRITE, CMD }, make_dma_data },
	{ "dma_write_reply", { 1, VU_DMA_WRITE, REPLY }, make_dma_access },
	{ "dma_write_bare_reply", { 1, VU_DMA_WRITE, REPLY }, make_none },
	{ "reset_request", { 8, VU_RESET, CMD }, make_none },
	{ "reset_reply", { 8, VU_RESET, REPLY }, make_none },
	{ "region_write_multi_request", { 9, VU_REGION_WRITE_MULTI, POSTED }, make_write_multi },
	{ "region_write_multi_reply", { 9, VU_REGION_WRITE_MULTI, REPLY }, make_write_multi_reply },
	{ "dma_map_multi_request", { 11, VU_DMA_MAP_MULTI, CMD }, make_map_multi },
	{ "dma_map_multi_reply", { 11, VU_DMA_MAP_MULTI, REPLY }, make_map_multi_reply },
	{ "dma_map_multi_part_reply", { 11, VU_DMA_MAP_MULTI, REPLY }, make_map_multi_part_reply },
	{ "feature_migration_get_request", { 10, VU_FEATURE, CMD }, make_feature_get },
	{ "feature_migration_get_reply", { 10, VU_FEATURE, REPLY }, make_feature_get_reply },
	{ "feature_probe_request", { 10, VU_FEATURE, CMD }, make_feature_probe },
	{ "feature_probe_reply", { 10, VU_FEATURE, REPLY }, make_feature_probe },
	{ "feature_set_state_request", { 10, VU_FEATURE, CMD }, make_feature_state },
	{ "feature_set_state_reply", { 10, VU_FEATURE, REPLY }, make_feature_state },
	{ "feature_get_state_request", { 10, VU_FEATURE, CMD }, make_feature_get_state },
	{ "feature_get_state_reply", { 10, VU_FEATURE, REPLY }, make_feature_get_state_reply },
	{ "feature_logging_start_request", { 10, VU_FEATURE, CMD }, make_feature_start },
	{ "feature_logging_start_reply", { 10, VU_FEATURE, REPLY }, make_feature_start },
	{ "feature_logging_stop_request", { 10, VU_FEATURE, CMD }, make_feature_stop },
	{ "feature_logging_stop_reply", { 10, VU_FEATURE, REPLY }, make_feature_stop },
	{ "feature_logging_report_request", { 10, VU_FEATURE, CMD }, make_feature_report },
	{ "feature_logging_report_reply", { 10, VU_FEATURE, REPLY }, make_feature_report_reply },
	{ "mig_data_read_request", { 11, VU_MIG_DATA_READ, CMD }, make_mig_read },
	{ "mig_data_read_reply", { 11, VU_MIG_DATA_READ, REPLY }, make_mig_data },
	{ "mig_data_write_request", { 12, VU_MIG_DATA_WRITE, CMD }, make_mig_data },
	{ "mig_data_write_reply", { 12, VU_MIG_DATA_WRITE, REPLY }, make_none },
	{ "error_reply", { 7, VU_DMA_UNMAP, .flags = VU_F_TYPE_REPLY | VU_F_ERROR,
		.error = EINVAL },
		make_none },
};

const unsigned int vu_payloads_nb = RTE_DIM(vu_payloads);
