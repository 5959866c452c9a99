/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "vu_codec.h"

#include "test.h"

/* The good cases stand in the golden messages; here is what must not be taken for good. */

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

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_features_have_their_methods),
	cmocka_unit_test(test_feature_reply_is_of_the_same_feature),
	cmocka_unit_test(test_logging_ranges_are_as_many_as_they_say),
	cmocka_unit_test(test_logging_report_fits_in_its_reply),
	cmocka_unit_test(test_migration_data_have_their_length),
};

TEST_SUITE(vu_codec_feature, "unit", tests, NULL, NULL)
