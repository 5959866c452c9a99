/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "vu_codec.h"

#include "test.h"

/* The good cases stand in the golden messages; here is what must not be taken for good. */

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
	cmocka_unit_test(test_region_info_of_another_region_or_length_is_refused),
	cmocka_unit_test(test_io_fd_entries_stay_inside),
	cmocka_unit_test(test_io_fd_list_has_the_length_of_its_entries),
	cmocka_unit_test(test_io_fds_request_is_otherwise_zero),
	cmocka_unit_test(test_region_reply_belongs_to_its_request),
	cmocka_unit_test(test_multiple_writes_have_one_to_eight_bytes),
	cmocka_unit_test(test_version_that_does_not_fit_is_not_written),
};

TEST_SUITE(vu_codec_region, "unit", tests, NULL, NULL)
