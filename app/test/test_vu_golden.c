/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
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
#include "vu_payload.h"

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
	const struct vu_golden *golden = vu_golden_find(vu_payloads[i].name);
	uint8_t expected[VU_GOLDEN_MAX], sent[VU_GOLDEN_MAX];
	struct vu_payload payload = { .len = 0 };
	struct iovec iov = { .iov_base = payload.at };
	struct vu_tx tx;
	size_t len;

	assert_non_null(golden);
	len = vu_golden_bytes(golden, expected);
	vu_payloads[i].make(&payload);
	iov.iov_len = payload.len;
	vu_tx_init(&tx);
	assert_int_equal(vu_tx_send(&tx, wire->sock[0], &vu_payloads[i].hdr, &iov, 1, NULL, 0), 0);
	vu_tx_fini(&tx);
	if (read(wire->sock[1], sent, sizeof(sent)) != (ssize_t)len ||
			memcmp(sent, expected, len) != 0)
		fail_msg("%s is made otherwise", golden->name);
}

static void
test_messages_are_made_as_written_down(void **state)
{
	unsigned int i;

	for (i = 0; i < vu_payloads_nb; i++)
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
	len = payload_of("version_full_request", bytes, &payload);
	assert_int_equal(vu_version_decode(payload, len, &version, &why), 0);
	assert_true(version.caps.write_multiple && version.caps.map_multiple);
	assert_true(version.caps.twin_socket);
	assert_int_equal(version.caps.twin_fd_index, -1);
	len = payload_of("version_full_reply", bytes, &payload);
	assert_int_equal(vu_version_decode(payload, len, &version, &why), 0);
	assert_true(version.caps.write_multiple && version.caps.map_multiple);
	assert_true(version.caps.twin_socket && version.caps.migration);
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
	assert_int_equal(map.addr, VU_PAYLOAD_IOVA);
	assert_int_equal(map.size, 65536);
	len = payload_of("dma_unmap_request", bytes, &payload);
	assert_int_equal(vu_unmap_decode(payload, len, 1024, &unmap), 0);
	assert_same_unmap(&unmap, &vu_payload_unmap_one);
	len = payload_of("dma_unmap_reply", bytes, &payload);
	assert_int_equal(vu_unmap_reply_decode(&unmap, payload, len, &bitmap), 0);
	len = payload_of("dma_unmap_all_request", bytes, &payload);
	assert_int_equal(vu_unmap_decode(payload, len, 1024, &unmap), 0);
	assert_same_unmap(&unmap, &vu_payload_unmap_all);
	len = payload_of("dma_unmap_bitmap_request", bytes, &payload);
	assert_int_equal(vu_unmap_decode(payload, len, 1024, &unmap), 0);
	assert_same_unmap(&unmap, &vu_payload_unmap_bitmap);
	len = payload_of("dma_unmap_bitmap_reply", bytes, &payload);
	assert_int_equal(vu_unmap_reply_decode(&unmap, payload, len, &bitmap), 0);
	assert_memory_equal(bitmap, "\x01\x80\0\0\0\0\0", 8);
	len = payload_of("dma_read_reply", bytes, &payload);
	assert_int_equal(vu_dma_reply_check(VU_DMA_READ, &vu_payload_dma_access, payload, len), 0);
	len = payload_of("dma_write_reply", bytes, &payload);
	assert_int_equal(vu_dma_reply_check(VU_DMA_WRITE, &vu_payload_dma_access, payload, len), 0);
	len = payload_of("dma_write_u32_count_reply", bytes, &payload);
	assert_int_equal(vu_dma_reply_check(VU_DMA_WRITE, &vu_payload_dma_access, payload, len), 0);
	len = payload_of("dma_write_bare_reply", bytes, &payload);
	assert_int_equal(vu_dma_reply_check(VU_DMA_WRITE, &vu_payload_dma_access, payload, len), 0);
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
	assert_memory_equal(&entry, &vu_payload_io_fd_plain, sizeof(entry));
	len = payload_of("get_region_io_fds_shadow_reply", bytes, &payload);
	assert_int_equal(vu_io_fds_decode(payload, len, 1, 0x2000, 2, &list), 0);
	assert_int_equal(vu_io_fd_decode(&list, 0, &entry), 0);
	assert_memory_equal(&entry, &vu_payload_io_fd_shadow, sizeof(entry));
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
		/* up to the padding before the pointer */
		assert_memory_equal(&set, &cases[i].set,
			offsetof(struct vu_irq_set, count) + sizeof(set.count));
	}
}

static void
test_several_maps_are_read(void **state)
{
	uint8_t bytes[VU_GOLDEN_MAX];
	const uint8_t *payload;
	struct vu_dma_map map;
	uint32_t done;
	size_t len;

	(void)state;
	len = payload_of("dma_map_multi_request", bytes, &payload);
	assert_int_equal(vu_map_multi_count(payload, len, 2), 2);
	assert_int_equal(vu_map_multi_entry(payload, 1, &map), 0);
	assert_int_equal(map.flags, VU_DMA_F_READ);
	assert_int_equal(map.offset, 0x1000);
	assert_int_equal(map.addr, VU_PAYLOAD_IOVA + 0x20000);
	assert_int_equal(map.size, 0x8000);
	len = payload_of("dma_map_multi_reply", bytes, &payload);
	assert_int_equal(vu_map_multi_reply_decode(2, payload, len, &done), 0);
	assert_int_equal(done, 2);
	len = payload_of("dma_map_multi_part_reply", bytes, &payload);
	assert_int_equal(vu_map_multi_reply_decode(2, payload, len, &done), -EEXIST);
	assert_int_equal(done, 1);
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
	assert_int_equal(vu_region_reply_check(&vu_payload_region_access, payload, len, 4), 0);
	len = payload_of("region_write_reply", bytes, &payload);
	assert_int_equal(vu_region_reply_check(&vu_payload_region_access, payload, len, 0), 0);
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
	assert_int_equal(vu_feature_reply_decode(&vu_payload_feature_get, payload, len, &f), 0);
	assert_int_equal(f.len, 8);
	len = payload_of("feature_probe_request", bytes, &payload);
	assert_int_equal(vu_feature_decode(payload, len, &f), 0);
	assert_true(f.get && f.set && f.probe);
	len = payload_of("feature_set_state_request", bytes, &payload);
	assert_int_equal(vu_feature_decode(payload, len, &f), 0);
	assert_int_equal(f.data[0], VFIO_DEVICE_STATE_STOP_COPY);
	len = payload_of("feature_get_state_request", bytes, &payload);
	assert_int_equal(vu_feature_decode(payload, len, &f), 0);
	assert_true(f.get && !f.set && !f.probe);
	len = payload_of("feature_get_state_reply", bytes, &payload);
	assert_int_equal(vu_feature_reply_decode(&vu_payload_feature_get_state, payload, len, &f),
		0);
	assert_int_equal(f.data[0], VFIO_DEVICE_STATE_RUNNING);
	len = payload_of("feature_logging_start_request", bytes, &payload);
	assert_int_equal(vu_feature_decode(payload, len, &f), 0);
	assert_int_equal(vu_logging_start_decode(&f, &start), 0);
	assert_int_equal(start.nb_ranges, 1);
	assert_int_equal(vu_logging_range(&f, 0).addr, VU_PAYLOAD_IOVA);
	len = payload_of("feature_logging_stop_request", bytes, &payload);
	assert_int_equal(vu_feature_decode(payload, len, &f), 0);
	len = payload_of("feature_logging_report_request", bytes, &payload);
	assert_int_equal(vu_feature_decode(payload, len, &f), 0);
	assert_int_equal(vu_logging_report_decode(&f, 1024, &report), 0);
	assert_int_equal(report.pgsize, 4096);
	len = payload_of("feature_logging_report_reply", bytes, &payload);
	assert_int_equal(vu_feature_reply_decode(&vu_payload_feature_report, payload, len, &f), 0);
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
	cmocka_unit_test(test_several_maps_are_read),
	cmocka_unit_test(test_region_accesses_are_read),
	cmocka_unit_test(test_features_are_read),
	cmocka_unit_test(test_migration_data_are_read),
};

TEST_SUITE(vu_golden, "unit", tests, wire_setup, wire_teardown)
