/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "vu_codec.h"

#include "test.h"

/* The good cases stand in the golden messages; here is what must not be taken for good. */

static void
test_ranges_end_at_the_last_byte_there_is(void **state)
{
	(void)state;
	assert_true(vu_range_valid(0, 1));
	assert_true(vu_range_valid(0, UINT64_MAX));
	assert_true(vu_range_valid(UINT64_MAX, 1));
	assert_true(vu_range_valid(UINT64_MAX - 4095, 4096));
	assert_false(vu_range_valid(0, 0));
	assert_false(vu_range_valid(UINT64_MAX, 2));
	assert_false(vu_range_valid(1, UINT64_MAX) && vu_range_valid(2, UINT64_MAX));
	assert_true(vu_range_inside(0, 0, 0));
	assert_true(vu_range_inside(10, 0, 10));
	assert_false(vu_range_inside(11, 0, 10));
	assert_false(vu_range_inside(1, UINT64_MAX, 10));
	assert_false(vu_range_inside(UINT64_MAX, 1, 10));
}

static void
test_bitmap_has_a_bit_for_each_page_in_words(void **state)
{
	static const struct {
		uint64_t size, pgsize, bytes;
	} cases[] = {
		{ 1, 1, 8 }, { 64, 1, 8 }, { 65, 1, 16 }, { 1, 4096, 8 }, { 4096, 4096, 8 },
		{ 64 * 4096, 4096, 8 }, { 64 * 4096 + 1, 4096, 16 },
		{ UINT64_MAX, 1, UINT64_C(1) << 61 },
		{ UINT64_MAX, UINT64_C(1) << 63, 8 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++)
		assert_int_equal(vu_bitmap_bytes(cases[i].size, cases[i].pgsize), cases[i].bytes);
}

static void
test_map_of_an_impossible_range_is_refused(void **state)
{
	static const struct {
		struct vu_dma_map map;
		int rc;
	} cases[] = {
		{ { 32, 3, 0, 0, 1 }, 0 },
		{ { 64, 1, 0, UINT64_MAX, 1 }, 0 },
		{ { 32, 2, UINT64_MAX - 9, 0, 10 }, 0 },
		{ { 31, 3, 0, 0, 4096 }, -EINVAL },
		{ { 32, 0, 0, 0, 4096 }, -EINVAL },
		{ { 32, 4, 0, 0, 4096 }, -EINVAL },
		{ { 32, 7, 0, 0, 4096 }, -EINVAL },
		{ { 32, 0x80000001, 0, 0, 4096 }, -EINVAL },
		{ { 32, 3, 0, 0, 0 }, -EINVAL },
		{ { 32, 3, 0, UINT64_MAX, 2 }, -EINVAL },
		{ { 32, 3, 0, 4096, UINT64_MAX }, -EINVAL },
		{ { 32, 3, UINT64_MAX, 0, 4096 }, -EINVAL },
	};
	struct vu_dma_map map;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++)
		assert_int_equal(vu_dma_map_decode(&cases[i].map, 32, &map), cases[i].rc);
	assert_int_equal(vu_dma_map_decode(&cases[0].map, 31, &map), -EINVAL);
}

static void
test_unmap_flags_exclude_each_other(void **state)
{
	static const struct {
		struct vu_dma_unmap fixed;
		struct vu_bitmap bitmap;
		int rc;
	} cases[] = {
		{ { 24, 0, 4096, 4096 }, { 0, 0 }, 0 },
		{ { 24, 0, UINT64_C(0xfef00000), UINT64_C(0xffffffff01100000) }, { 0, 0 }, 0 },
		{ { 24, 0, UINT64_C(0x800000000000), UINT64_C(0x800000000000) }, { 0, 0 }, 0 },
		{ { 24, 2, 0, 0 }, { 0, 0 }, 0 },
		{ { 48, 1, 0, 65536 }, { 4096, 8 }, 0 },
		{ { 23, 0, 4096, 4096 }, { 0, 0 }, -EINVAL },
		{ { 24, 0, 4096, 0 }, { 0, 0 }, -EINVAL },
		{ { 24, 0, UINT64_MAX, 2 }, { 0, 0 }, -EINVAL },
		{ { 24, 2, 4096, 0 }, { 0, 0 }, -EINVAL },
		{ { 24, 2, 0, 4096 }, { 0, 0 }, -EINVAL },
		{ { 48, 3, 0, 0 }, { 4096, 8 }, -EINVAL },
		{ { 24, 4, 4096, 4096 }, { 0, 0 }, -EINVAL },
		{ { 24, 0x80000000, 4096, 4096 }, { 0, 0 }, -EINVAL },
		{ { 47, 1, 0, 65536 }, { 4096, 8 }, -EINVAL },
		{ { 48, 1, 0, 65536 }, { 4096, 16 }, -EINVAL },
		{ { 48, 1, 0, 65536 }, { 4096, 0 }, -EINVAL },
		{ { 48, 1, 0, 65536 }, { 0, 8 }, -EINVAL },
		{ { 48, 1, 0, 65536 }, { 4097, 8 }, -EINVAL },
		{ { UINT32_MAX, 1, 0, UINT64_MAX }, { 1, UINT64_C(1) << 61 }, -EINVAL },
		{ { UINT32_MAX, 1, 0, UINT64_C(1) << 30 }, { 4096, 32768 }, -EINVAL },
	};
	uint8_t payload[VU_UNMAP_MAX];
	struct vu_unmap unmap;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		memcpy(payload, &cases[i].fixed, 24);
		memcpy(payload + 24, &cases[i].bitmap, 16);
		assert_int_equal(vu_unmap_decode(payload, sizeof(payload), 4096, &unmap),
			cases[i].rc);
	}
	/* a bitmap is wanted and not described */
	memcpy(payload, &cases[4].fixed, 24);
	assert_int_equal(vu_unmap_decode(payload, 24, 4096, &unmap), -EINVAL);
	assert_int_equal(vu_unmap_decode(payload, 39, 4096, &unmap), -EINVAL);
}

static void
test_unmap_reply_is_of_the_same_range(void **state)
{
	const struct vu_unmap plain = { .addr = 4096, .size = 4096 };
	const struct vu_unmap dirty = { .want_bitmap = true, .addr = 4096, .size = 4096,
		.bitmap = { 4096, 8 } };
	uint8_t payload[64] = { 0 };
	struct vu_dma_unmap reply = { 24, 0, 4096, 4096 };
	const void *bitmap;

	(void)state;
	memcpy(payload, &reply, sizeof(reply));
	assert_int_equal(vu_unmap_reply_decode(&plain, payload, 24, &bitmap), 0);
	/* libvfio-user, of a device without DMA */
	assert_int_equal(vu_unmap_reply_decode(&plain, payload, 0, &bitmap), 0);
	assert_int_equal(vu_unmap_reply_decode(&plain, payload, 23, &bitmap), -EPROTO);
	assert_int_equal(vu_unmap_reply_decode(&plain, payload, 32, &bitmap), -EPROTO);
	assert_int_equal(vu_unmap_reply_decode(&dirty, payload, 48, &bitmap), 0);
	assert_ptr_equal(bitmap, payload + 40);
	assert_int_equal(vu_unmap_reply_decode(&dirty, payload, 0, &bitmap), -EPROTO);
	assert_int_equal(vu_unmap_reply_decode(&dirty, payload, 24, &bitmap), -EPROTO);
	assert_int_equal(vu_unmap_reply_decode(&dirty, payload, 40, &bitmap), -EPROTO);
	assert_int_equal(vu_unmap_reply_decode(&dirty, payload, 47, &bitmap), -EPROTO);
	assert_int_equal(vu_unmap_reply_decode(&dirty, payload, 56, &bitmap), -EPROTO);
	reply.addr = 0;
	memcpy(payload, &reply, sizeof(reply));
	assert_int_equal(vu_unmap_reply_decode(&plain, payload, 24, &bitmap), -EPROTO);
}

static void
test_region_info_of_another_region_or_length_is_refused(void **state)
{
	struct vfio_region_info info = { .argsz = 32, .index = 3, .size = 4096 };
	uint8_t payload[96] = { 0 };
	struct vfio_region_info fixed;

	(void)state;
	memcpy(payload, &info, sizeof(info));
	assert_int_equal(vu_region_info_decode(payload, 32, 3, 32, &fixed), 0);
	/* padded to what was asked for, as libvfio-user does */
	assert_int_equal(vu_region_info_decode(payload, 96, 3, 96, &fixed), 0);
	assert_int_equal(vu_region_info_decode(payload, 31, 3, 32, &fixed), -EPROTO);
	assert_int_equal(vu_region_info_decode(payload, 33, 3, 32, &fixed), -EPROTO);
	assert_int_equal(vu_region_info_decode(payload, 32, 2, 32, &fixed), -EPROTO);
	info.argsz = 31;
	memcpy(payload, &info, sizeof(info));
	assert_int_equal(vu_region_info_decode(payload, 32, 3, 32, &fixed), -EPROTO);
	info.argsz = UINT32_MAX;
	memcpy(payload, &info, sizeof(info));
	assert_int_equal(vu_region_info_decode(payload, 32, 3, 32, &fixed), -EPROTO);
	info.argsz = 64;
	memcpy(payload, &info, sizeof(info));
	assert_int_equal(vu_region_info_decode(payload, 32, 3, 32, &fixed), 1);
	/* it fits and is not there */
	assert_int_equal(vu_region_info_decode(payload, 32, 3, 64, &fixed), -EPROTO);
}

static const struct vfio_irq_info irqs[] = {
	[VFIO_PCI_INTX_IRQ_INDEX] = { .count = 1 },
	[VFIO_PCI_MSI_IRQ_INDEX] = { .count = 0 },
	[VFIO_PCI_MSIX_IRQ_INDEX] = { .count = 8 },
	[VFIO_PCI_ERR_IRQ_INDEX] = { .count = 1 },
	[VFIO_PCI_REQ_IRQ_INDEX] = { .count = 1 },
};

#define NONE VFIO_IRQ_SET_DATA_NONE
#define BOOLS VFIO_IRQ_SET_DATA_BOOL
#define FDS VFIO_IRQ_SET_DATA_EVENTFD
#define MASK VFIO_IRQ_SET_ACTION_MASK
#define UNMASK VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER

static void
test_interrupt_sets_are_checked(void **state)
{
	static const struct {
		uint32_t flags, index, start, count;
		unsigned int nb_fds;
		uint32_t bools;
		int rc;
	} cases[] = {
		{ FDS | TRIGGER, 2, 0, 8, 8, 0, 0 },
		{ FDS | TRIGGER, 2, 7, 1, 1, 0, 0 },
		{ FDS | TRIGGER, 2, 0, 1, 0, 0, 0 },
		{ FDS | TRIGGER, 3, 0, 1, 1, 0, 0 },
		{ FDS | UNMASK, 0, 0, 1, 1, 0, 0 },
		{ NONE | TRIGGER, 2, 3, 5, 0, 0, 0 },
		{ NONE | TRIGGER, 2, 0, 0, 0, 0, 0 },
		{ NONE | TRIGGER, 1, 0, 0, 0, 0, 0 },
		{ NONE | MASK, 0, 0, 1, 0, 0, 0 },
		{ BOOLS | TRIGGER, 2, 1, 3, 0, 3, 0 },
		/* not one data type, not one action */
		{ TRIGGER, 2, 0, 1, 0, 0, -EINVAL },
		{ NONE, 2, 0, 1, 0, 0, -EINVAL },
		{ NONE | FDS | TRIGGER, 2, 0, 1, 0, 0, -EINVAL },
		{ NONE | MASK | TRIGGER, 2, 0, 1, 0, 0, -EINVAL },
		{ NONE | TRIGGER | 0x40, 2, 0, 1, 0, 0, -EINVAL },
		{ NONE | TRIGGER | 0x80000000, 2, 0, 1, 0, 0, -EINVAL },
		/* vectors that are not there */
		{ NONE | TRIGGER, 5, 0, 0, 0, 0, -EINVAL },
		{ NONE | TRIGGER, UINT32_MAX, 0, 0, 0, 0, -EINVAL },
		{ NONE | TRIGGER, 1, 0, 1, 0, 0, -EINVAL },
		{ NONE | TRIGGER, 2, 8, 1, 0, 0, -EINVAL },
		{ NONE | TRIGGER, 2, 0, 9, 0, 0, -EINVAL },
		{ NONE | TRIGGER, 2, 4, UINT32_MAX, 0, 0, -EINVAL },
		{ NONE | TRIGGER, 2, UINT32_MAX, 2, 0, 0, -EINVAL },
		/* nothing at all, but not to disable */
		{ NONE | TRIGGER, 2, 1, 0, 0, 0, -EINVAL },
		{ NONE | MASK, 2, 0, 0, 0, 0, -EINVAL },
		{ FDS | TRIGGER, 2, 0, 0, 0, 0, -EINVAL },
		{ BOOLS | TRIGGER, 2, 0, 0, 0, 0, -EINVAL },
		/* descriptors: all or none */
		{ FDS | TRIGGER, 2, 0, 4, 3, 0, -EINVAL },
		{ FDS | TRIGGER, 2, 0, 4, 5, 0, -EINVAL },
		{ NONE | TRIGGER, 2, 0, 1, 1, 0, -EINVAL },
		{ BOOLS | TRIGGER, 2, 0, 1, 1, 1, -EINVAL },
		/* data that do not belong there */
		{ NONE | TRIGGER, 2, 0, 1, 0, 1, -EINVAL },
		{ BOOLS | TRIGGER, 2, 0, 3, 0, 2, -EINVAL },
		{ BOOLS | TRIGGER, 2, 0, 3, 0, 4, -EINVAL },
		/* error and request cannot be masked */
		{ NONE | MASK, 3, 0, 1, 0, 0, -EINVAL },
		{ NONE | UNMASK, 4, 0, 1, 0, 0, -EINVAL },
	};
	struct vu_irq_set set;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		struct vu_irq_fixed fixed = { 20, cases[i].flags, cases[i].index, cases[i].start,
			cases[i].count };
		uint8_t *payload = calloc(1, sizeof(fixed) + cases[i].bools);
		int rc;

		memcpy(payload, &fixed, sizeof(fixed));
		rc = vu_irq_set_decode(payload, sizeof(fixed) + cases[i].bools, cases[i].nb_fds,
				irqs, RTE_DIM(irqs), &set);
		free(payload);
		if (rc != cases[i].rc)
			fail_msg("case %u: %d", i, rc);
	}
}

/* Vectors with and without descriptors, more than go into one message. */
static void
test_interrupt_set_is_cut_into_messages(void **state)
{
	static const struct {
		uint32_t start, count;
		unsigned int nb_fds;
	} expected[] = {
		{ 100, 2, 2 }, { 102, 1, 0 }, { 103, 3, 3 }, { 106, 1, 1 }, { 107, 3, 0 },
	};
	union {
		struct vfio_irq_set set;
		int32_t words[5 + 10];
	} u = {
		.words = { 60, FDS | TRIGGER, 2, 100, 10, 5, 6, -1, 7, 8, 9, 10, -1, -1, -1 },
	};
	struct vu_irq_msg msg;
	uint32_t done = 0;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(expected); i++) {
		assert_int_equal(vu_irq_set_next(&u.set, 3, &done, &msg), 1);
		assert_int_equal(msg.fixed.argsz, 20);
		assert_int_equal(msg.fixed.start, expected[i].start);
		assert_int_equal(msg.fixed.count, expected[i].count);
		assert_int_equal(msg.nb_fds, expected[i].nb_fds);
		assert_int_equal(msg.nb, 1);
		if (msg.nb_fds > 0)
			assert_int_equal(msg.fds[0], u.words[5 + expected[i].start - 100]);
	}
	assert_int_equal(vu_irq_set_next(&u.set, 3, &done, &msg), 0);
}

static void
test_interrupt_set_that_lacks_its_data_is_refused(void **state)
{
	static const struct vu_irq_fixed cases[] = {
		{ 19, NONE | TRIGGER, 2, 0, 0 },
		{ 20, FDS | TRIGGER, 2, 0, 1 },
		{ 23, FDS | TRIGGER, 2, 0, 1 },
		{ 20, BOOLS | TRIGGER, 2, 0, 1 },
		{ 24, FDS | TRIGGER, 2, 0, 0x40000001 },
		{ 24, BOOLS | TRIGGER, 2, 0, UINT32_MAX },
		{ 20, NONE | TRIGGER, 2, 1, UINT32_MAX },
		{ 20, NONE, 2, 0, 1 },
		{ 20, TRIGGER, 2, 0, 1 },
		{ 20, NONE | BOOLS | TRIGGER, 2, 0, 1 },
	};
	union {
		struct vfio_irq_set set;
		uint8_t bytes[32];
	} u = { .bytes = { 0 } };
	struct vu_irq_msg msg;
	uint32_t done;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		memcpy(&u, &cases[i], sizeof(cases[i]));
		done = 0;
		assert_int_equal(vu_irq_set_next(&u.set, 8, &done, &msg), -EINVAL);
	}
}

/* A reply with one entry, to be spoiled. */
static size_t
io_fds_make(uint8_t *payload, const struct vu_io_fd *entry, size_t layout)
{
	struct vu_region_io_fds fixed = { (uint32_t)(16 + layout), 0, 1, 1 };

	memcpy(payload, &fixed, sizeof(fixed));
	assert_int_equal(vu_io_fd_encode(entry, layout, payload + sizeof(fixed)), 0);
	return sizeof(fixed) + layout;
}

static void
test_io_fd_entries_stay_inside(void **state)
{
	static const struct {
		struct vu_io_fd entry;
		int rc;
	} cases[] = {
		{ { .offset = 0, .size = 4 }, 0 },
		{ { .offset = 0xffc, .size = 4 }, 0 },
		{ { .offset = 0xfff, .size = 0 }, 0 },
		{ { .type = VU_IO_FD_IOREGIONFD, .size = 8 }, 0 },
		{ { .type = VU_IO_FD_IOEVENTFD_SHADOW, .shadow_fd_index = 1 }, 0 },
		{ { .offset = 0xffd, .size = 4 }, -EPROTO },
		{ { .offset = 0x1000, .size = 0 }, -EPROTO },
		{ { .offset = UINT64_MAX, .size = 4 }, -EPROTO },
		{ { .offset = 4, .size = UINT64_MAX }, -EPROTO },
		{ { .fd_index = 2 }, -EPROTO },
		{ { .fd_index = UINT32_MAX }, -EPROTO },
		{ { .type = 3 }, -EPROTO },
		{ { .type = UINT32_MAX }, -EPROTO },
		{ { .type = VU_IO_FD_IOEVENTFD_SHADOW, .shadow_fd_index = 2 }, -EPROTO },
	};
	uint8_t payload[64];
	struct vu_io_fds list;
	struct vu_io_fd entry;
	unsigned int i;
	size_t len;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		len = io_fds_make(payload, &cases[i].entry, VU_IO_FD_LAYOUT_SHADOW);
		assert_int_equal(vu_io_fds_decode(payload, len, 1, 0x1000, 2, &list), 0);
		assert_int_equal(vu_io_fd_decode(&list, 0, &entry), cases[i].rc);
		assert_int_equal(vu_io_fd_decode(&list, 1, &entry), -EPROTO);
	}
}

static void
test_io_fd_list_has_the_length_of_its_entries(void **state)
{
	const struct vu_io_fd entry = { .size = 4 };
	const struct vu_io_fd shadow = { .type = VU_IO_FD_IOEVENTFD_SHADOW };
	uint8_t payload[128] = { 0 };
	struct vu_region_io_fds fixed;
	struct vu_io_fds list;
	size_t len, cut;

	(void)state;
	len = io_fds_make(payload, &entry, VU_IO_FD_LAYOUT_SPEC);
	for (cut = 0; cut < len; cut++)
		if (cut != 16)
			assert_int_equal(vu_io_fds_decode(payload, cut, 1, 64, 1, &list), -EPROTO);
	/* only the fixed part: there was no room for more */
	assert_int_equal(vu_io_fds_decode(payload, 16, 1, 64, 0, &list), 1);
	assert_int_equal(list.argsz, 56);
	assert_int_equal(vu_io_fds_decode(payload, len + 1, 1, 64, 1, &list), -EPROTO);
	assert_int_equal(vu_io_fds_decode(payload, len, 2, 64, 1, &list), -EPROTO);
	memcpy(&fixed, payload, sizeof(fixed));
	fixed.count = UINT32_MAX;
	memcpy(payload, &fixed, sizeof(fixed));
	assert_int_equal(vu_io_fds_decode(payload, len, 1, 64, 1, &list), -EPROTO);
	fixed.count = 0;
	memcpy(payload, &fixed, sizeof(fixed));
	assert_int_equal(vu_io_fds_decode(payload, 16, 1, 64, 1, &list), 0);
	/* the short layout has no room for a shadow, in neither direction */
	assert_int_equal(vu_io_fd_encode(&shadow, VU_IO_FD_LAYOUT_SPEC, payload), -EINVAL);
	len = io_fds_make(payload, &entry, VU_IO_FD_LAYOUT_SPEC);
	payload[16 + offsetof(struct vu_ioeventfd, type)] = VU_IO_FD_IOEVENTFD_SHADOW;
	assert_int_equal(vu_io_fds_decode(payload, len, 1, 64, 1, &list), 0);
	assert_int_equal(vu_io_fd_decode(&list, 0, &(struct vu_io_fd) { 0 }), -EPROTO);
}

static void
test_io_fds_request_is_otherwise_zero(void **state)
{
	static const struct vu_region_io_fds bad[] = {
		{ 15, 0, 1, 0 }, { 16, 1, 1, 0 }, { 16, 0, 1, 1 } };
	struct vu_region_io_fds request;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(bad); i++)
		assert_int_equal(vu_io_fds_request_decode(&bad[i], 16, &request), -EINVAL);
}

static void
test_region_reply_belongs_to_its_request(void **state)
{
	static const struct vu_region_access asked = { 0x10, 2, 4 };
	static const struct {
		struct vu_region_access reply;
		size_t len;
		size_t data;
		int rc;
	} cases[] = {
		{ { 0x10, 2, 4 }, 20, 4, 0 },
		{ { 0x10, 2, 4 }, 16, 0, 0 },
		{ { 0x10, 2, 3 }, 16, 0, -EIO },
		{ { 0x10, 2, 5 }, 16, 0, -EPROTO },
		{ { 0x10, 2, 3 }, 20, 4, -EPROTO },
		{ { 0x10, 2, 4 }, 19, 4, -EPROTO },
		{ { 0x10, 2, 4 }, 21, 4, -EPROTO },
		{ { 0x10, 2, 4 }, 15, 0, -EPROTO },
		{ { 0x10, 2, 4 }, 0, 0, -EPROTO },
		{ { 0x11, 2, 4 }, 20, 4, -EPROTO },
		{ { 0x10, 3, 4 }, 20, 4, -EPROTO },
		{ { 0x10, 2, UINT32_MAX }, 20, 4, -EPROTO },
	};
	uint8_t payload[32] = { 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		memcpy(payload, &cases[i].reply, 16);
		assert_int_equal(vu_region_reply_check(&asked, payload, cases[i].len,
			cases[i].data), cases[i].rc);
	}
}

static void
test_multiple_writes_have_one_to_eight_bytes(void **state)
{
	struct {
		uint64_t nb;
		struct vu_write_multi_entry wr[2];
	} payload = { 2, { { 0, 0, 1, { 0 } }, { 0, 0, 8, { 0 } } } };
	struct vu_write_multi_entry entry;

	(void)state;
	assert_int_equal(vu_write_multi_count(&payload, sizeof(payload)), 2);
	assert_int_equal(vu_write_multi_entry(&payload, 0, &entry), 0);
	assert_int_equal(vu_write_multi_entry(&payload, 1, &entry), 0);
	payload.wr[0].count = 0;
	payload.wr[1].count = 9;
	assert_int_equal(vu_write_multi_entry(&payload, 0, &entry), -EINVAL);
	assert_int_equal(vu_write_multi_entry(&payload, 1, &entry), -EINVAL);
	assert_int_equal(vu_write_multi_count(&payload, sizeof(payload) - 1), -EINVAL);
	assert_int_equal(vu_write_multi_count(&payload, 8 + 24), -EINVAL);
	assert_int_equal(vu_write_multi_count(&payload, 7), -EINVAL);
	payload.nb = 1;
	assert_int_equal(vu_write_multi_count(&payload, 8 + 24 + 1), -EINVAL);
	payload.nb = UINT64_MAX;
	assert_int_equal(vu_write_multi_count(&payload, sizeof(payload)), -EINVAL);
	/* 24 times this is 48 again */
	payload.nb = UINT64_C(0x2000000000000002);
	assert_int_equal(vu_write_multi_count(&payload, sizeof(payload)), -EINVAL);
}

static void
test_several_maps_have_a_descriptor_each(void **state)
{
	struct {
		struct vu_map_multi fixed;
		struct vu_dma_map map[2];
	} payload = { { 2, 0 }, { { 32, VU_DMA_F_READ, 0, 0, 4096 }, { 32, 0, 0, 0, 4096 } } };
	const size_t one = sizeof(payload.fixed) + sizeof(payload.map[0]);
	struct vu_dma_map map;

	(void)state;
	assert_int_equal(vu_map_multi_count(&payload, sizeof(payload), 2), 2);
	assert_int_equal(vu_map_multi_entry(&payload, 0, &map), 0);
	assert_int_equal(vu_map_multi_entry(&payload, 1, &map), -EINVAL);
	assert_int_equal(vu_map_multi_count(&payload, sizeof(payload), 1), -EINVAL);
	assert_int_equal(vu_map_multi_count(&payload, sizeof(payload), 3), -EINVAL);
	assert_int_equal(vu_map_multi_count(&payload, sizeof(payload) - 1, 2), -EINVAL);
	assert_int_equal(vu_map_multi_count(&payload, one, 2), -EINVAL);
	assert_int_equal(vu_map_multi_count(&payload, one, 1), -EINVAL);
	assert_int_equal(vu_map_multi_count(&payload, 7, 2), -EINVAL);
	payload.fixed.count = 0;
	assert_int_equal(vu_map_multi_count(&payload, sizeof(payload.fixed), 0), -EINVAL);
	/* 32 times this is 64 again */
	payload.fixed.count = 0x8000002;
	assert_int_equal(vu_map_multi_count(&payload, sizeof(payload), 2), -EINVAL);
	payload.fixed = (struct vu_map_multi) { 2, EEXIST };
	assert_int_equal(vu_map_multi_count(&payload, sizeof(payload), 2), -EINVAL);
}

static void
test_reply_to_several_maps_tells_how_many(void **state)
{
	static const struct {
		struct vu_map_multi reply;
		size_t len;
		int rc;
		uint32_t done;
	} cases[] = {
		{ { 3, 0 }, 8, 0, 3 },
		{ { 2, EEXIST }, 8, -EEXIST, 2 },
		{ { 0, 4095 }, 8, -4095, 0 },
		{ { 3, 0 }, 7, -EPROTO, 0 },
		{ { 3, 0 }, 9, -EPROTO, 0 },
		{ { 4, 0 }, 8, -EPROTO, 0 },
		{ { 4, EEXIST }, 8, -EPROTO, 0 },
		{ { 3, EEXIST }, 8, -EPROTO, 0 },
		{ { 2, 0 }, 8, -EPROTO, 0 },
		{ { 2, 4096 }, 8, -EPROTO, 0 },
		{ { 2, UINT32_MAX }, 8, -EPROTO, 0 },
		{ { UINT32_MAX, 0 }, 8, -EPROTO, 0 },
	};
	uint8_t payload[16] = { 0 };
	unsigned int i;
	uint32_t done;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		memcpy(payload, &cases[i].reply, sizeof(cases[i].reply));
		assert_int_equal(vu_map_multi_reply_decode(3, payload, cases[i].len, &done),
			cases[i].rc);
		assert_int_equal(done, cases[i].done);
	}
}

static void
test_dma_reply_belongs_to_its_request(void **state)
{
	static const struct vu_dma_access asked = { 0x1000, 4 };
	struct vu_dma_access reply = { 0x1000, 4 };
	uint8_t payload[32] = { 0 };
	size_t len;

	(void)state;
	memcpy(payload, &reply, 16);
	for (len = 0; len < sizeof(payload); len++) {
		assert_int_equal(vu_dma_reply_check(VU_DMA_READ, &asked, payload, len),
			len == 20 ? 0 : -EPROTO);
		assert_int_equal(vu_dma_reply_check(VU_DMA_WRITE, &asked, payload, len),
			len == 0 || len == 12 || len == 16 ? 0 : -EPROTO);
	}
	reply.count = 3;
	memcpy(payload, &reply, 16);
	assert_int_equal(vu_dma_reply_check(VU_DMA_READ, &asked, payload, 19), -EPROTO);
	assert_int_equal(vu_dma_reply_check(VU_DMA_WRITE, &asked, payload, 16), -EPROTO);
	reply = (struct vu_dma_access) { 0x1001, 4 };
	memcpy(payload, &reply, 16);
	assert_int_equal(vu_dma_reply_check(VU_DMA_READ, &asked, payload, 20), -EPROTO);
	assert_int_equal(vu_dma_reply_check(VU_DMA_WRITE, &asked, payload, 12), -EPROTO);
}

#define GET VFIO_DEVICE_FEATURE_GET
#define SET VFIO_DEVICE_FEATURE_SET
#define PROBE VFIO_DEVICE_FEATURE_PROBE

static void
test_features_have_their_methods(void **state)
{
	static const struct {
		uint32_t argsz, flags;
		size_t len;	/* of the data */
		int rc;
	} cases[] = {
		{ 16, 1 | GET, 0, 0 },
		{ 8, 1 | GET | PROBE, 0, 0 },
		{ 16, 2 | GET, 0, 0 },
		{ 16, 2 | SET, 8, 0 },
		{ 8, 2 | GET | SET | PROBE, 0, 0 },
		{ 8, 2 | PROBE, 0, 0 },
		{ 24, 6 | SET, 16, 0 },
		{ 8, 7 | SET, 0, 0 },
		{ 40, 8 | GET, 24, 0 },
		/* no such feature */
		{ 64, 0 | GET, 24, -EINVAL },
		{ 64, 3 | GET, 24, -EINVAL },
		{ 64, 5 | PROBE, 24, -EINVAL },
		{ 64, 9 | GET, 24, -EINVAL },
		{ 64, 0xffff | PROBE, 24, -EINVAL },
		/* no such method */
		{ 64, 1 | SET, 24, -EINVAL },
		{ 64, 1 | SET | PROBE, 24, -EINVAL },
		{ 64, 6 | GET, 24, -EINVAL },
		{ 64, 7 | GET | SET | PROBE, 24, -EINVAL },
		{ 64, 8 | SET, 24, -EINVAL },
		/* not one method, unknown flags */
		{ 64, 1, 24, -EINVAL },
		{ 64, 2 | GET | SET, 24, -EINVAL },
		{ 64, 2 | GET | 0x80000, 24, -EINVAL },
		{ 64, 2 | GET | 0x80000000, 24, -EINVAL },
		/* too little data, too little room */
		{ 15, 1 | GET, 0, -EINVAL },
		{ 7, 7 | SET, 0, -EINVAL },
		{ 16, 2 | SET, 7, -EINVAL },
		{ 40, 8 | GET, 23, -EINVAL },
		{ 31, 8 | GET, 24, -EINVAL },
		{ 24, 6 | SET, 15, -EINVAL },
	};
	struct vu_feature feature;
	uint8_t payload[64] = { 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		memcpy(payload, &cases[i].argsz, 4);
		memcpy(payload + 4, &cases[i].flags, 4);
		if (vu_feature_decode(payload, 8 + cases[i].len, &feature) != cases[i].rc)
			fail_msg("case %u", i);
	}
	assert_int_equal(vu_feature_decode(payload, 7, &feature), -EINVAL);
}

static void
test_feature_reply_is_of_the_same_feature(void **state)
{
	static const struct vu_feature asked = { .argsz = 16, .index = 1, .get = true };
	struct vu_feature got;
	uint32_t words[4] = { 16, 1 | GET, 5, 0 };

	(void)state;
	assert_int_equal(vu_feature_reply_decode(&asked, words, 16, &got), 0);
	assert_int_equal(vu_feature_reply_decode(&asked, words, 15, &got), -EPROTO);
	assert_int_equal(vu_feature_reply_decode(&asked, words, 7, &got), -EPROTO);
	words[1] = 2 | GET;
	assert_int_equal(vu_feature_reply_decode(&asked, words, 16, &got), -EPROTO);
	words[1] = 1 | SET;
	assert_int_equal(vu_feature_reply_decode(&asked, words, 16, &got), -EPROTO);
	words[1] = 1 | GET | PROBE;
	assert_int_equal(vu_feature_reply_decode(&asked, words, 16, &got), -EPROTO);
}

static void
test_logging_ranges_are_as_many_as_they_say(void **state)
{
	struct {
		struct vu_logging_start start;
		struct vu_logging_range range[2];
	} data = { { 4096, 2, 0 }, { { 0, 4096 }, { UINT64_MAX - 4095, 4096 } } };
	struct vu_feature feature = { .data = (const uint8_t *)&data, .len = sizeof(data) };
	struct vu_logging_start start;

	(void)state;
	assert_int_equal(vu_logging_start_decode(&feature, &start), 0);
	assert_int_equal(vu_logging_range(&feature, 1).size, 4096);
	feature.len--;
	assert_int_equal(vu_logging_start_decode(&feature, &start), -EINVAL);
	feature.len = sizeof(data);
	data.start.nb_ranges = 3;
	assert_int_equal(vu_logging_start_decode(&feature, &start), -EINVAL);
	data.start.nb_ranges = UINT32_MAX;
	assert_int_equal(vu_logging_start_decode(&feature, &start), -EINVAL);
	data.start.nb_ranges = 2;
	data.start.pgsize = 3;
	assert_int_equal(vu_logging_start_decode(&feature, &start), -EINVAL);
	data.start.pgsize = 0;
	assert_int_equal(vu_logging_start_decode(&feature, &start), -EINVAL);
	data.start.pgsize = 4096;
	data.range[1].size++;
	assert_int_equal(vu_logging_start_decode(&feature, &start), -EINVAL);
	data.range[1].size = 0;
	assert_int_equal(vu_logging_start_decode(&feature, &start), -EINVAL);
}

static void
test_logging_report_fits_in_its_reply(void **state)
{
	static const struct {
		uint32_t argsz;
		struct vu_logging_report report;
		int rc;
	} cases[] = {
		{ 40, { 0, 65536, 4096 }, 0 },
		{ 4096 + 32, { 0, 4096 * 8 * 4096, 4096 }, 0 },
		{ 39, { 0, 65536, 4096 }, -EINVAL },
		{ 40, { 0, 65536, 0 }, -EINVAL },
		{ 40, { 0, 65536, 4097 }, -EINVAL },
		{ 40, { 0, 0, 4096 }, -EINVAL },
		{ 40, { UINT64_MAX, 2, 4096 }, -EINVAL },
		{ UINT32_MAX, { 0, UINT64_MAX, 1 }, -EINVAL },
		{ UINT32_MAX, { 0, 4096 * 8 * 4096 + 1, 4096 }, -EINVAL },
	};
	struct vu_logging_report report;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		struct vu_feature feature = {
			.argsz = cases[i].argsz,
			.data = (const uint8_t *)&cases[i].report,
			.len = sizeof(report),
		};

		assert_int_equal(vu_logging_report_decode(&feature, 4096, &report), cases[i].rc);
	}
}

static void
test_migration_data_have_their_length(void **state)
{
	struct {
		struct vu_mig_data fixed;
		uint8_t data[8];
	} m = { { 16, 8 }, { 0 } };
	const void *data;

	(void)state;
	assert_int_equal(vu_mig_read_decode(&m, 8, 8), 8);
	assert_int_equal(vu_mig_read_decode(&m, 8, 7), -EINVAL);
	assert_int_equal(vu_mig_read_decode(&m, 7, 8), -EINVAL);
	assert_int_equal(vu_mig_write_decode(&m, 16, &data), 8);
	assert_int_equal(vu_mig_write_decode(&m, 15, &data), -EINVAL);
	assert_int_equal(vu_mig_read_reply_decode(&m, 16, 8, &data), 8);
	assert_int_equal(vu_mig_read_reply_decode(&m, 16, 7, &data), -EPROTO);
	assert_int_equal(vu_mig_read_reply_decode(&m, 15, 8, &data), -EPROTO);
	m.fixed.argsz = 15;
	assert_int_equal(vu_mig_read_decode(&m, 8, 8), -EINVAL);
	m.fixed = (struct vu_mig_data) { 8, 0 };
	assert_int_equal(vu_mig_read_reply_decode(&m, 16, 8, &data), 0);
	m.fixed.size = UINT32_MAX;
	assert_int_equal(vu_mig_read_decode(&m, 8, UINT32_MAX), -EINVAL);
	assert_int_equal(vu_mig_write_decode(&m, 16, &data), -EINVAL);
	assert_int_equal(vu_mig_read_reply_decode(&m, 16, UINT32_MAX, &data), -EPROTO);
}

static void
test_version_that_does_not_fit_is_not_written(void **state)
{
	struct vu_version_info version = { .has_text = true };
	const char *why = NULL;
	char payload[256];
	int len, cap;

	(void)state;
	vu_caps_default(&version.caps);
	len = vu_version_encode(&version, payload, sizeof(payload));
	assert_true(len > 0);
	for (cap = 0; cap < len; cap++)
		assert_int_equal(vu_version_encode(&version, payload, (size_t)cap), -ENOSPC);
	for (cap = 0; cap < 4; cap++)
		assert_int_equal(vu_version_decode(payload, (size_t)cap, &version, &why), -EINVAL);
	assert_non_null(why);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_ranges_end_at_the_last_byte_there_is),
	cmocka_unit_test(test_bitmap_has_a_bit_for_each_page_in_words),
	cmocka_unit_test(test_map_of_an_impossible_range_is_refused),
	cmocka_unit_test(test_unmap_flags_exclude_each_other),
	cmocka_unit_test(test_unmap_reply_is_of_the_same_range),
	cmocka_unit_test(test_region_info_of_another_region_or_length_is_refused),
	cmocka_unit_test(test_interrupt_sets_are_checked),
	cmocka_unit_test(test_interrupt_set_is_cut_into_messages),
	cmocka_unit_test(test_interrupt_set_that_lacks_its_data_is_refused),
	cmocka_unit_test(test_io_fd_entries_stay_inside),
	cmocka_unit_test(test_io_fd_list_has_the_length_of_its_entries),
	cmocka_unit_test(test_io_fds_request_is_otherwise_zero),
	cmocka_unit_test(test_region_reply_belongs_to_its_request),
	cmocka_unit_test(test_multiple_writes_have_one_to_eight_bytes),
	cmocka_unit_test(test_several_maps_have_a_descriptor_each),
	cmocka_unit_test(test_reply_to_several_maps_tells_how_many),
	cmocka_unit_test(test_dma_reply_belongs_to_its_request),
	cmocka_unit_test(test_features_have_their_methods),
	cmocka_unit_test(test_feature_reply_is_of_the_same_feature),
	cmocka_unit_test(test_logging_ranges_are_as_many_as_they_say),
	cmocka_unit_test(test_logging_report_fits_in_its_reply),
	cmocka_unit_test(test_migration_data_have_their_length),
	cmocka_unit_test(test_version_that_does_not_fit_is_not_written),
};

TEST_SUITE(vu_codec, "unit", tests, NULL, NULL)
