/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_cmd.h"
#include "vu_codec.h"
#include "vu_conn.h"

#include "test.h"
#include "vu_golden.h"

#define IOVA UINT64_C(0x100000000)

/* Writes a structure, its fields named, behind what there is. */
#define PUT(to, type, ...) put((to), &(const struct type) { __VA_ARGS__ }, sizeof(struct type))

struct bytes {
	size_t len;
	uint8_t at[VU_GOLDEN_MAX];
};

static void
put(struct bytes *to, const void *from, size_t len)
{
	assert_true(len <= sizeof(to->at) - to->len);
	memcpy(to->at + to->len, from, len);
	to->len += len;
}

/* ---- payloads as the library makes them ---- */

static void
make_none(struct bytes *to)
{
	(void)to;
}

static void
make_version_request(struct bytes *to)
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
make_version_bare(struct bytes *to)
{
	struct vu_version_info version = { .minor = 1 };

	assert_int_equal(vu_version_encode(&version, to->at, sizeof(to->at)), 4);
	to->len = 4;
}

static void
make_version_reply(struct bytes *to)
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

static void
make_dma_map(struct bytes *to)
{
	PUT(to, vu_dma_map, .argsz = 32, .flags = VU_DMA_F_READ | VU_DMA_F_WRITE, .addr = IOVA,
		.size = 65536);
}

static void
make_dma_map_rom(struct bytes *to)
{
	PUT(to, vu_dma_map, .argsz = 32, .flags = VU_DMA_F_READ, .addr = 0xfffc0000,
		.size = 0x40000);
}

static const struct vu_unmap unmap_one = { .addr = IOVA, .size = 65536 };
static const struct vu_unmap unmap_all = { .all = true };
static const struct vu_unmap unmap_bitmap = {
	.want_bitmap = true, .addr = IOVA, .size = 65536,
	.bitmap = { .pgsize = 4096, .size = 8 },
};

static void
make_unmap(struct bytes *to)
{
	to->len = vu_unmap_encode(&unmap_one, to->at);
}

static void
make_unmap_all(struct bytes *to)
{
	to->len = vu_unmap_encode(&unmap_all, to->at);
}

static void
make_unmap_bitmap(struct bytes *to)
{
	to->len = vu_unmap_encode(&unmap_bitmap, to->at);
}

static void
make_unmap_bitmap_reply(struct bytes *to)
{
	make_unmap_bitmap(to);
	put(to, "\x01\x80\0\0\0\0\0", 8);
}

static void
make_get_info(struct bytes *to)
{
	const uint32_t words[] = { 16, 0, 0, 0 };

	put(to, words, sizeof(words));
}

static void
make_get_info_reply(struct bytes *to)
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
make_region_info(struct bytes *to)
{
	PUT(to, vfio_region_info, .argsz = 32, .index = 2);
}

/* A region with two windows, and what is answered to a client with that much room. */
static void
region_info_reply(struct bytes *to, uint32_t argsz)
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
make_region_info_short(struct bytes *to)
{
	region_info_reply(to, 32);
}

static void
make_region_info_full(struct bytes *to)
{
	region_info_reply(to, 80);
}

static void
make_io_fds(struct bytes *to)
{
	PUT(to, vu_region_io_fds, .argsz = 1024, .index = 1);
}

static void
io_fds_reply(struct bytes *to, size_t layout, const struct vu_io_fd *entry)
{
	PUT(to, vu_region_io_fds, .argsz = (uint32_t)(16 + layout), .index = 1, .count = 1);
	assert_int_equal(vu_io_fd_encode(entry, layout, to->at + to->len), 0);
	to->len += layout;
}

static const struct vu_io_fd io_fd_plain = {
	.offset = 0x1000, .size = 4, .flags = 1, .datamatch = 0x11223344,
};
static const struct vu_io_fd io_fd_shadow = {
	.offset = 0x1000, .size = 4, .type = VU_IO_FD_IOEVENTFD_SHADOW, .flags = 1,
	.shadow_fd_index = 1, .shadow_offset = 0x200, .datamatch = 0x11223344,
};

static void
make_io_fds_reply(struct bytes *to)
{
	io_fds_reply(to, VU_IO_FD_LAYOUT_SPEC, &io_fd_plain);
}

static void
make_io_fds_shadow_reply(struct bytes *to)
{
	io_fds_reply(to, VU_IO_FD_LAYOUT_SHADOW, &io_fd_shadow);
}

static void
make_irq_info(struct bytes *to)
{
	PUT(to, vfio_irq_info, .argsz = 16, .index = 2);
}

static void
make_irq_info_reply(struct bytes *to)
{
	PUT(to, vfio_irq_info, .argsz = 16, .flags = VFIO_IRQ_INFO_EVENTFD, .index = 2, .count = 8);
}

/* A request as it is made from the argument of the ioctl. */
static void
irq_set(struct bytes *to, uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
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
make_irqs_bind(struct bytes *to)
{
	irq_set(to, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 2, 0, 2,
		&(const int32_t[2]) { 3, 4 }, 8);
}

static void
make_irqs_unbind(struct bytes *to)
{
	irq_set(to, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 2, 2, 1,
		&(const int32_t) { -1 }, 4);
}

static void
make_irqs_bool(struct bytes *to)
{
	irq_set(to, VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER, 2, 4, 3, "\1\0\1", 3);
}

static void
make_irqs_mask(struct bytes *to)
{
	irq_set(to, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, 0, 0, 1, NULL, 0);
}

static void
make_irqs_disable(struct bytes *to)
{
	irq_set(to, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 2, 0, 0, NULL, 0);
}

static const struct vu_region_access region_access = { .offset = 0x10, .count = 4 };

static void
make_region_access(struct bytes *to)
{
	put(to, &region_access, sizeof(region_access));
}

static void
make_region_read_reply(struct bytes *to)
{
	make_region_access(to);
	put(to, "\xdd\xcc\xbb\xaa", 4);
}

static void
make_region_write(struct bytes *to)
{
	make_region_access(to);
	put(to, "\x78\x56\x34\x12", 4);
}

static const struct vu_dma_access dma_access = { .addr = IOVA + 0x1000, .count = 4 };

static void
make_dma_access(struct bytes *to)
{
	put(to, &dma_access, sizeof(dma_access));
}

static void
make_dma_data(struct bytes *to)
{
	make_dma_access(to);
	put(to, "\1\2\3\4", 4);
}

static void
make_write_multi(struct bytes *to)
{
	put(to, &(const uint64_t) { 2 }, 8);
	PUT(to, vu_write_multi_entry, .offset = 0x10, .count = 4, .data = {
		0x78, 0x56, 0x34, 0x12 });
	PUT(to, vu_write_multi_entry, .offset = 0x18, .count = 8, .data = {
		1, 2, 3, 4, 5, 6, 7, 8 });
}

static void
make_write_multi_reply(struct bytes *to)
{
	put(to, &(const uint64_t) { 2 }, 8);
}

static void
feature(struct bytes *to, const struct vu_feature *f, const void *data, size_t len)
{
	struct vfio_device_feature fixed;

	vu_feature_encode(f, &fixed);
	put(to, &fixed, sizeof(fixed));
	if (len > 0)
		put(to, data, len);
}

static const struct vu_feature feature_get = {
	.argsz = 16, .index = VFIO_DEVICE_FEATURE_MIGRATION, .get = true };
static const struct vu_feature feature_probe = {
	.argsz = 8, .index = VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, .get = true, .set = true,
	.probe = true };
static const struct vu_feature feature_state = {
	.argsz = 16, .index = VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, .set = true };
static const struct vu_feature feature_start = {
	.argsz = 40, .index = VFIO_DEVICE_FEATURE_DMA_LOGGING_START, .set = true };
static const struct vu_feature feature_stop = {
	.argsz = 8, .index = VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, .set = true };
static const struct vu_feature feature_report = {
	.argsz = 40, .index = VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, .get = true };

static void
make_feature_get(struct bytes *to)
{
	feature(to, &feature_get, NULL, 0);
}

static void
make_feature_get_reply(struct bytes *to)
{
	/* stop-copy and pre-copy, which older headers do not name */
	feature(to, &feature_get, &(const uint64_t) { VFIO_MIGRATION_STOP_COPY | 0x4 }, 8);
}

static void
make_feature_probe(struct bytes *to)
{
	feature(to, &feature_probe, NULL, 0);
}

static void
make_feature_state(struct bytes *to)
{
	feature(to, &feature_state, &(const uint32_t[2]) { VFIO_DEVICE_STATE_STOP_COPY, 0 }, 8);
}

static void
make_feature_start(struct bytes *to)
{
	feature(to, &feature_start, NULL, 0);
	PUT(to, vu_logging_start, .pgsize = 4096, .nb_ranges = 1);
	PUT(to, vu_logging_range, .addr = IOVA, .size = 65536);
}

static void
make_feature_stop(struct bytes *to)
{
	feature(to, &feature_stop, NULL, 0);
}

static void
make_feature_report(struct bytes *to)
{
	feature(to, &feature_report, NULL, 0);
	PUT(to, vu_logging_report, .addr = IOVA, .size = 65536, .pgsize = 4096);
}

static void
make_feature_report_reply(struct bytes *to)
{
	make_feature_report(to);
	put(to, "\x01\x80\0\0\0\0\0", 8);
}

static void
make_mig_read(struct bytes *to)
{
	PUT(to, vu_mig_data, .argsz = 12, .size = 4);
}

static void
make_mig_data(struct bytes *to)
{
	make_mig_read(to);
	put(to, "\x0a\x0b\x0c\x0d", 4);
}

/* ---- each message, its header, its payload ---- */

#define CMD .flags = VU_F_TYPE_COMMAND
#define POSTED .flags = VU_F_TYPE_COMMAND | VU_F_NO_REPLY
#define REPLY .flags = VU_F_TYPE_REPLY

static const struct {
	const char *name;
	struct vu_hdr hdr;
	void (*make)(struct bytes *to);
} made[] = {
	{ "version_bare_request", { 1, VU_VERSION, CMD }, make_version_bare },
	{ "version_request", { 1, VU_VERSION, CMD }, make_version_request },
	{ "version_reply", { 1, VU_VERSION, REPLY }, make_version_reply },
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
	{ "feature_migration_get_request", { 10, VU_FEATURE, CMD }, make_feature_get },
	{ "feature_migration_get_reply", { 10, VU_FEATURE, REPLY }, make_feature_get_reply },
	{ "feature_probe_request", { 10, VU_FEATURE, CMD }, make_feature_probe },
	{ "feature_probe_reply", { 10, VU_FEATURE, REPLY }, make_feature_probe },
	{ "feature_set_state_request", { 10, VU_FEATURE, CMD }, make_feature_state },
	{ "feature_set_state_reply", { 10, VU_FEATURE, REPLY }, make_feature_state },
	{ "feature_logging_start_request", { 10, VU_FEATURE, CMD }, make_feature_start },
	{ "feature_logging_stop_request", { 10, VU_FEATURE, CMD }, make_feature_stop },
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

/* Two connected sockets. */
struct wire {
	int sock[2];
	int eventfd;
};

static int
wire_setup(void **state)
{
	static struct wire wire;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wire.sock), 0);
	wire.eventfd = eventfd(0, EFD_CLOEXEC);
	assert_true(wire.eventfd >= 0);
	*state = &wire;
	return 0;
}

static int
wire_teardown(void **state)
{
	struct wire *wire = *state;

	close(wire->sock[0]);
	close(wire->sock[1]);
	close(wire->eventfd);
	return 0;
}

static void
assert_made(const struct wire *wire, unsigned int i)
{
	const struct vu_golden *golden = vu_golden_find(made[i].name);
	uint8_t expected[VU_GOLDEN_MAX], sent[VU_GOLDEN_MAX];
	struct bytes payload = { .len = 0 };
	struct iovec iov = { .iov_base = payload.at };
	struct vu_tx tx;
	size_t len;

	assert_non_null(golden);
	len = vu_golden_bytes(golden, expected);
	made[i].make(&payload);
	iov.iov_len = payload.len;
	vu_tx_init(&tx);
	assert_int_equal(vu_tx_send(&tx, wire->sock[0], &made[i].hdr, &iov, 1, NULL, 0), 0);
	vu_tx_fini(&tx);
	if (read(wire->sock[1], sent, sizeof(sent)) != (ssize_t)len ||
			memcmp(sent, expected, len) != 0)
		fail_msg("%s is made otherwise", golden->name);
}

static void
test_messages_are_made_as_written_down(void **state)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(made); i++)
		assert_made(*state, i);
}

/* ---- and read ---- */

static struct vu_rx_msg
received(const struct wire *wire, struct vu_rx *rx, const struct vu_golden *golden)
{
	uint8_t bytes[VU_GOLDEN_MAX];
	struct vu_rx_msg msg;
	struct vu_hdr hdr;
	struct vu_tx tx;
	size_t len = vu_golden_bytes(golden, bytes);
	struct iovec iov = { bytes + sizeof(hdr), len - sizeof(hdr) };
	int fds[] = { wire->eventfd, wire->eventfd };

	memcpy(&hdr, bytes, sizeof(hdr));
	assert_int_equal(hdr.size, len);
	vu_tx_init(&tx);
	assert_int_equal(vu_tx_send(&tx, wire->sock[0], &hdr, &iov, 1, fds, golden->nb_fds), 0);
	vu_tx_fini(&tx);
	assert_int_equal(vu_rx_fill(rx, wire->sock[1], 0), len);
	assert_int_equal(vu_rx_next(rx, &msg), 1);
	assert_memory_equal(&msg.hdr, &hdr, sizeof(hdr));
	assert_int_equal(msg.fds->nb, golden->nb_fds);
	return msg;
}

static int
shape_check(const struct vu_rx_msg *msg)
{
	const struct vu_cmd_desc *desc = vu_cmd_desc(msg->hdr.cmd);

	assert_non_null(desc);
	if (msg->hdr.flags & VU_F_ERROR)
		return 0;
	if ((msg->hdr.flags & VU_F_TYPE_MASK) == VU_F_TYPE_REPLY)
		return vu_reply_check(msg->hdr.cmd, msg->payload, msg->len, msg->fds->nb);
	return vu_request_check(msg->hdr.cmd, desc->dir, msg->payload, msg->len, msg->fds->nb);
}

static void
test_shapes_are_accepted(void **state)
{
	const struct wire *wire = *state;
	struct vu_rx_msg msg;
	struct vu_rx rx;
	unsigned int i;

	assert_int_equal(vu_rx_init(&rx, 4096, 8), 0);
	for (i = 0; i < vu_goldens_nb; i++) {
		msg = received(wire, &rx, &vu_goldens[i]);
		if (shape_check(&msg) != 0)
			fail_msg("%s is refused", vu_goldens[i].name);
	}
	vu_rx_fini(&rx);
}

/* Every command there is has both its messages among these. */
static void
test_no_command_is_missing(void **state)
{
	bool seen[VU_CMD_NB][2] = { { false } };
	uint8_t bytes[VU_GOLDEN_MAX];
	struct vu_hdr hdr;
	unsigned int i;

	(void)state;
	for (i = 0; i < vu_goldens_nb; i++) {
		vu_golden_bytes(&vu_goldens[i], bytes);
		memcpy(&hdr, bytes, sizeof(hdr));
		seen[hdr.cmd][hdr.flags & VU_F_TYPE_MASK] = true;
	}
	for (i = 0; i < VU_CMD_NB; i++) {
		if (vu_cmd_desc(i) == NULL)
			continue;
		assert_true(seen[i][VU_F_TYPE_COMMAND]);
		assert_true(seen[i][VU_F_TYPE_REPLY]);
	}
}

/* The payload of a message; where the caller keeps it. */
static size_t
payload_of(const char *name, uint8_t *bytes, const uint8_t **payload)
{
	const struct vu_golden *golden = vu_golden_find(name);
	size_t len;

	assert_non_null(golden);
	len = vu_golden_bytes(golden, bytes);
	*payload = bytes + sizeof(struct vu_hdr);
	return len - sizeof(struct vu_hdr);
}

static void
test_version_is_read(void **state)
{
	struct vu_version_info version;
	uint8_t bytes[VU_GOLDEN_MAX];
	const uint8_t *payload;
	const char *why;
	size_t len;

	(void)state;
	len = payload_of("version_qemu_request", bytes, &payload);
	assert_int_equal(vu_version_decode(payload, len, &version, &why), 0);
	assert_int_equal(version.major, 0);
	assert_int_equal(version.minor, 0);
	assert_true(version.has_text);
	assert_int_equal(version.caps.max_msg_fds, 16);
	assert_true(version.caps.write_multiple);
	assert_true(version.caps.migration);
	assert_false(version.caps.twin_socket);
	len = payload_of("version_reply", bytes, &payload);
	assert_int_equal(vu_version_decode(payload, len, &version, &why), 0);
	assert_int_equal(version.caps.max_msg_fds, 8);
	assert_true(version.caps.twin_socket);
	assert_int_equal(version.caps.twin_fd_index, 0);
	len = payload_of("version_bare_request", bytes, &payload);
	assert_int_equal(vu_version_decode(payload, len, &version, &why), 0);
	assert_false(version.has_text);
	assert_int_equal(version.minor, 1);
	assert_int_equal(version.caps.max_msg_fds, 1);
	len = payload_of("version_empty_request", bytes, &payload);
	assert_int_equal(vu_version_decode(payload, len, &version, &why), 0);
	assert_true(version.has_text);
}

static void
assert_same_unmap(const struct vu_unmap *a, const struct vu_unmap *b)
{
	assert_int_equal(a->all, b->all);
	assert_int_equal(a->want_bitmap, b->want_bitmap);
	assert_int_equal(a->addr, b->addr);
	assert_int_equal(a->size, b->size);
	assert_memory_equal(&a->bitmap, &b->bitmap, sizeof(a->bitmap));
}

static void
test_dma_messages_are_read(void **state)
{
	uint8_t bytes[VU_GOLDEN_MAX];
	const uint8_t *payload;
	const void *bitmap;
	struct vu_unmap unmap;
	struct vu_dma_map map;
	size_t len;

	(void)state;
	len = payload_of("dma_map_request", bytes, &payload);
	assert_int_equal(vu_dma_map_decode(payload, len, &map), 0);
	assert_int_equal(map.flags, VU_DMA_F_READ | VU_DMA_F_WRITE);
	assert_int_equal(map.addr, IOVA);
	assert_int_equal(map.size, 65536);
	len = payload_of("dma_unmap_request", bytes, &payload);
	assert_int_equal(vu_unmap_decode(payload, len, 1024, &unmap), 0);
	assert_same_unmap(&unmap, &unmap_one);
	len = payload_of("dma_unmap_reply", bytes, &payload);
	assert_int_equal(vu_unmap_reply_decode(&unmap, payload, len, &bitmap), 0);
	len = payload_of("dma_unmap_all_request", bytes, &payload);
	assert_int_equal(vu_unmap_decode(payload, len, 1024, &unmap), 0);
	assert_same_unmap(&unmap, &unmap_all);
	len = payload_of("dma_unmap_bitmap_request", bytes, &payload);
	assert_int_equal(vu_unmap_decode(payload, len, 1024, &unmap), 0);
	assert_same_unmap(&unmap, &unmap_bitmap);
	len = payload_of("dma_unmap_bitmap_reply", bytes, &payload);
	assert_int_equal(vu_unmap_reply_decode(&unmap, payload, len, &bitmap), 0);
	assert_memory_equal(bitmap, "\x01\x80\0\0\0\0\0", 8);
	len = payload_of("dma_read_reply", bytes, &payload);
	assert_int_equal(vu_dma_reply_check(VU_DMA_READ, &dma_access, payload, len), 0);
	len = payload_of("dma_write_reply", bytes, &payload);
	assert_int_equal(vu_dma_reply_check(VU_DMA_WRITE, &dma_access, payload, len), 0);
	len = payload_of("dma_write_u32_count_reply", bytes, &payload);
	assert_int_equal(vu_dma_reply_check(VU_DMA_WRITE, &dma_access, payload, len), 0);
	len = payload_of("dma_write_bare_reply", bytes, &payload);
	assert_int_equal(vu_dma_reply_check(VU_DMA_WRITE, &dma_access, payload, len), 0);
}

static void
test_information_is_read(void **state)
{
	uint8_t bytes[VU_GOLDEN_MAX];
	struct vfio_device_info info;
	struct vfio_region_info region;
	struct vfio_irq_info irq;
	const uint8_t *payload;
	size_t len;

	(void)state;
	len = payload_of("get_info_reply", bytes, &payload);
	assert_int_equal(vu_device_info_decode(payload, len, &info), 0);
	assert_int_equal(info.flags, 3);
	assert_int_equal(info.num_regions, 9);
	assert_int_equal(info.num_irqs, 5);
	len = payload_of("get_region_info_short_reply", bytes, &payload);
	assert_int_equal(vu_region_info_decode(payload, len, 2, 32, &region), 1);
	assert_int_equal(region.argsz, 80);
	len = payload_of("get_region_info_reply", bytes, &payload);
	assert_int_equal(vu_region_info_decode(payload, len, 2, 80, &region), 0);
	assert_int_equal(region.size, 1048576);
	assert_int_equal(region.cap_offset, 32);
	len = payload_of("get_irq_info_reply", bytes, &payload);
	assert_int_equal(vu_irq_info_decode(payload, len, 2, &irq), 0);
	assert_int_equal(irq.count, 8);
}

static void
test_io_fds_are_read_in_both_layouts(void **state)
{
	uint8_t bytes[VU_GOLDEN_MAX];
	struct vu_region_io_fds request;
	struct vu_io_fds list;
	struct vu_io_fd entry;
	const uint8_t *payload;
	size_t len;

	(void)state;
	len = payload_of("get_region_io_fds_request", bytes, &payload);
	assert_int_equal(vu_io_fds_request_decode(payload, len, &request), 0);
	assert_int_equal(request.index, 1);
	len = payload_of("get_region_io_fds_reply", bytes, &payload);
	assert_int_equal(vu_io_fds_decode(payload, len, 1, 0x2000, 1, &list), 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(vu_io_fd_decode(&list, 0, &entry), 0);
	assert_memory_equal(&entry, &io_fd_plain, sizeof(entry));
	len = payload_of("get_region_io_fds_shadow_reply", bytes, &payload);
	assert_int_equal(vu_io_fds_decode(payload, len, 1, 0x2000, 2, &list), 0);
	assert_int_equal(vu_io_fd_decode(&list, 0, &entry), 0);
	assert_memory_equal(&entry, &io_fd_shadow, sizeof(entry));
}

static void
test_interrupt_sets_are_read(void **state)
{
	static const struct vfio_irq_info irqs[] = {
		{ .count = 1 }, { .count = 0 }, { .count = 8 } };
	static const struct {
		const char *name;
		unsigned int nb_fds;
		struct vu_irq_set set;
	} cases[] = {
		{ "set_irqs_bind_request", 2, { 4, 32, 2, 0, 2, NULL } },
		{ "set_irqs_unbind_request", 0, { 4, 32, 2, 2, 1, NULL } },
		{ "set_irqs_bool_request", 0, { 2, 32, 2, 4, 3, NULL } },
		{ "set_irqs_mask_request", 0, { 1, 8, 0, 0, 1, NULL } },
		{ "set_irqs_disable_request", 0, { 1, 32, 2, 0, 0, NULL } },
	};
	uint8_t bytes[VU_GOLDEN_MAX];
	struct vu_irq_set set;
	const uint8_t *payload;
	unsigned int i;
	size_t len;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		len = payload_of(cases[i].name, bytes, &payload);
		assert_int_equal(vu_irq_set_decode(payload, len, cases[i].nb_fds, irqs,
			RTE_DIM(irqs), &set), 0);
		if (set.data == VFIO_IRQ_SET_DATA_BOOL)
			assert_memory_equal(set.bools, "\1\0\1", 3);
		assert_memory_equal(&set, &cases[i].set, offsetof(struct vu_irq_set, bools));
	}
}

static void
test_region_accesses_are_read(void **state)
{
	struct vu_write_multi_entry entry;
	uint8_t bytes[VU_GOLDEN_MAX];
	const uint8_t *payload;
	size_t len;

	(void)state;
	len = payload_of("region_read_reply", bytes, &payload);
	assert_int_equal(vu_region_reply_check(&region_access, payload, len, 4), 0);
	len = payload_of("region_write_reply", bytes, &payload);
	assert_int_equal(vu_region_reply_check(&region_access, payload, len, 0), 0);
	len = payload_of("region_write_multi_request", bytes, &payload);
	assert_int_equal(vu_write_multi_count(payload, len), 2);
	assert_int_equal(vu_write_multi_entry(payload, 1, &entry), 0);
	assert_int_equal(entry.offset, 0x18);
	assert_int_equal(entry.count, 8);
	assert_memory_equal(entry.data, "\1\2\3\4\5\6\7\10", 8);
}

static void
test_features_are_read(void **state)
{
	struct vu_logging_report report;
	struct vu_logging_start start;
	uint8_t bytes[VU_GOLDEN_MAX];
	const uint8_t *payload;
	struct vu_feature f;
	size_t len;

	(void)state;
	len = payload_of("feature_migration_get_request", bytes, &payload);
	assert_int_equal(vu_feature_decode(payload, len, &f), 0);
	assert_true(f.get && !f.set && !f.probe);
	len = payload_of("feature_migration_get_reply", bytes, &payload);
	assert_int_equal(vu_feature_reply_decode(&feature_get, payload, len, &f), 0);
	assert_int_equal(f.len, 8);
	len = payload_of("feature_probe_request", bytes, &payload);
	assert_int_equal(vu_feature_decode(payload, len, &f), 0);
	assert_true(f.get && f.set && f.probe);
	len = payload_of("feature_set_state_request", bytes, &payload);
	assert_int_equal(vu_feature_decode(payload, len, &f), 0);
	assert_int_equal(f.data[0], VFIO_DEVICE_STATE_STOP_COPY);
	len = payload_of("feature_logging_start_request", bytes, &payload);
	assert_int_equal(vu_feature_decode(payload, len, &f), 0);
	assert_int_equal(vu_logging_start_decode(&f, &start), 0);
	assert_int_equal(start.nb_ranges, 1);
	assert_int_equal(vu_logging_range(&f, 0).addr, IOVA);
	len = payload_of("feature_logging_stop_request", bytes, &payload);
	assert_int_equal(vu_feature_decode(payload, len, &f), 0);
	len = payload_of("feature_logging_report_request", bytes, &payload);
	assert_int_equal(vu_feature_decode(payload, len, &f), 0);
	assert_int_equal(vu_logging_report_decode(&f, 1024, &report), 0);
	assert_int_equal(report.pgsize, 4096);
	len = payload_of("feature_logging_report_reply", bytes, &payload);
	assert_int_equal(vu_feature_reply_decode(&feature_report, payload, len, &f), 0);
	assert_int_equal(f.len, 32);
}

static void
test_migration_data_are_read(void **state)
{
	uint8_t bytes[VU_GOLDEN_MAX];
	const uint8_t *payload;
	const void *data;
	size_t len;

	(void)state;
	len = payload_of("mig_data_read_request", bytes, &payload);
	assert_int_equal(vu_mig_read_decode(payload, len, 1024), 4);
	len = payload_of("mig_data_read_reply", bytes, &payload);
	assert_int_equal(vu_mig_read_reply_decode(payload, len, 4, &data), 4);
	assert_memory_equal(data, "\x0a\x0b\x0c\x0d", 4);
	len = payload_of("mig_data_read_padded_reply", bytes, &payload);
	assert_int_equal(vu_mig_read_reply_decode(payload, len, 4, &data), 2);
	len = payload_of("mig_data_write_request", bytes, &payload);
	assert_int_equal(vu_mig_write_decode(payload, len, &data), 4);
	assert_memory_equal(data, "\x0a\x0b\x0c\x0d", 4);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_messages_are_made_as_written_down),
	cmocka_unit_test(test_shapes_are_accepted),
	cmocka_unit_test(test_no_command_is_missing),
	cmocka_unit_test(test_version_is_read),
	cmocka_unit_test(test_dma_messages_are_read),
	cmocka_unit_test(test_information_is_read),
	cmocka_unit_test(test_io_fds_are_read_in_both_layouts),
	cmocka_unit_test(test_interrupt_sets_are_read),
	cmocka_unit_test(test_region_accesses_are_read),
	cmocka_unit_test(test_features_are_read),
	cmocka_unit_test(test_migration_data_are_read),
};

TEST_SUITE(vu_golden, "unit", tests, wire_setup, wire_teardown)
