/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "vu_caps.h"
#include "vu_proto.h"

#include "interpose.h"
#include "test.h"

static int
parse(const char *text, struct vu_caps *caps)
{
	const char *why = NULL;
	/* just as long as it is, on the heap, for a sanitizer to see what is read behind it */
	size_t len = strlen(text) + 1;
	char *copy = malloc(len);
	int rc;

	memcpy(copy, text, len);
	rc = vu_caps_parse(copy, len, caps, &why);
	if (rc < 0)
		assert_non_null(why);
	free(copy);
	return rc;
}

static void
assert_same(const struct vu_caps *a, const struct vu_caps *b)
{
	assert_int_equal(a->max_msg_fds, b->max_msg_fds);
	assert_int_equal(a->max_data_xfer_size, b->max_data_xfer_size);
	assert_int_equal(a->max_dma_maps, b->max_dma_maps);
	assert_int_equal(a->pgsizes, b->pgsizes);
	assert_int_equal(a->write_multiple, b->write_multiple);
	assert_int_equal(a->map_multiple, b->map_multiple);
	assert_int_equal(a->twin_socket, b->twin_socket);
	assert_int_equal(a->twin_fd_index, b->twin_fd_index);
	assert_int_equal(a->migration, b->migration);
	assert_int_equal(a->mig_pgsize, b->mig_pgsize);
	assert_int_equal(a->mig_max_bitmap_size, b->mig_max_bitmap_size);
}

static void
test_silence_means_the_defaults(void **state)
{
	static const char *const silent[] = {
		"{}", "{\"capabilities\":{}}", " { \"capabilities\" : { } } ",
		"{\"capabilities\":{\"of_tomorrow\":[1,2,{\"a\":null}]}}",
		"{\"of_tomorrow\":true}",
	};
	struct vu_caps caps, defaults;
	const char *why;
	unsigned int i;

	(void)state;
	vu_caps_default(&defaults);
	assert_int_equal(defaults.max_msg_fds, 1);
	assert_int_equal(defaults.max_data_xfer_size, 1048576);
	assert_int_equal(defaults.max_dma_maps, 65535);
	assert_int_equal(defaults.pgsizes, 4096);
	assert_int_equal(defaults.twin_fd_index, -1);
	assert_int_equal(vu_caps_parse(NULL, 0, &caps, &why), 0);
	assert_same(&caps, &defaults);
	for (i = 0; i < RTE_DIM(silent); i++) {
		assert_int_equal(parse(silent[i], &caps), 0);
		assert_same(&caps, &defaults);
	}
}

static void
test_what_is_said_is_read(void **state)
{
	struct vu_caps caps;

	(void)state;
	assert_int_equal(parse("{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":65536,"
		"\"max_dma_maps\":100,\"pgsizes\":2101248,\"write_multiple\":true,"
		"\"dpdk_map_multiple\":true,"
		"\"migration\":{\"pgsize\":65536,\"max_bitmap_size\":1024},"
		"\"twin_socket\":{\"supported\":true,\"fd_index\":2}}}", &caps), 0);
	assert_int_equal(caps.max_msg_fds, 8);
	assert_int_equal(caps.max_data_xfer_size, 65536);
	assert_int_equal(caps.max_dma_maps, 100);
	assert_int_equal(caps.pgsizes, 2101248);
	assert_true(caps.write_multiple);
	assert_true(caps.map_multiple);
	assert_true(caps.migration);
	assert_int_equal(caps.mig_pgsize, 65536);
	assert_int_equal(caps.mig_max_bitmap_size, 1024);
	assert_true(caps.twin_socket);
	assert_int_equal(caps.twin_fd_index, 2);
	/* of other peers */
	assert_int_equal(parse("{\"capabilities\":{\"max_msg_fds\":1,"
		"\"max_data_xfer_size\":1048576,\"migration\":{\"pgsize\":4096}}}", &caps), 0);
	assert_true(caps.migration);
	assert_int_equal(parse("{\"capabilities\":{\"twin_socket\":{\"supported\":false}}}", &caps),
		0);
	assert_false(caps.twin_socket);
}

/* As the value of a member of capabilities. */
static const char *const bad_values[] = {
	"-1", "0.5", "8.0", "1e3", "\"8\"", "[]", "{}", "null", "99999999999999999999",
	"-99999999999999999999",
};

static void
test_members_of_the_wrong_type_are_refused(void **state)
{
	static const struct {
		const char *name;
		bool object;
		const char *bad[6];	/* besides the values above */
	} members[] = {
		{ "max_msg_fds", false, { "true", "4294967296" } },
		{ "max_data_xfer_size", false, { "0", "false", "4294967296" } },
		{ "max_dma_maps", false, { "true", "4294967296" } },
		{ "pgsizes", false, { "0", "true" } },
		{ "write_multiple", false, { "0", "1" } },
		{ "dpdk_map_multiple", false, { "0", "1" } },
		{ "migration", true, { "0", "true", "{\"pgsize\":0}", "{\"pgsize\":-1}",
			"{\"max_bitmap_size\":\"1\"}" } },
		{ "twin_socket", true, { "true", "{\"supported\":1}", "{\"fd_index\":-1}",
			"{\"supported\":true,\"fd_index\":253}",
			"{\"supported\":true,\"fd_index\":\"0\"}" } },
	};
	struct vu_caps caps;
	char text[256];
	unsigned int i, k;

	(void)state;
	for (i = 0; i < RTE_DIM(members); i++) {
		for (k = 0; k < RTE_DIM(bad_values) + RTE_DIM(members[i].bad); k++) {
			const char *bad = k < RTE_DIM(bad_values) ? bad_values[k] :
				members[i].bad[k - RTE_DIM(bad_values)];

			if (bad == NULL || (members[i].object && strcmp(bad, "{}") == 0))
				continue;
			snprintf(text, sizeof(text), "{\"capabilities\":{\"%s\":%s}}",
				members[i].name, bad);
			if (parse(text, &caps) != -EINVAL)
				fail_msg("accepted: %s", text);
		}
	}
}

static void
test_what_is_no_text_is_refused(void **state)
{
	static const char *const bad[] = {
		"", " ", "0", "null", "true", "\"capabilities\"", "[]", "[{}]", "{", "}", "{]",
		"{\"capabilities\"}", "{\"capabilities\":}", "{\"capabilities\":{}",
		"{capabilities:{}}",
		"{\"capabilities\":{},}", "{'capabilities':{}}", "{\"capabilities\":{}}}",
		"{\"capabilities\":{}} {}", "{\"capabilities\":{}}x",
		"{\"capabilities\":[]}", "{\"capabilities\":null}", "{\"capabilities\":0}",
		"{\"capabilities\":\"\"}", "{\"capabilities\":true}",
		"{\"capabilities\":{},\"capabilities\":{}}",
		"{\"capabilities\":{\"max_msg_fds\":1,\"max_msg_fds\":2}}",
		"{\"capabilities\":{\"\xff\":1}}",
		"{\"capabilities\":{\"\xc0\x80\":1}}",
		"{\"\\u0000\":1}", "{\"\\ud800\":1}", "{\"a\":\"\t\"}", "{\"a\":01}", "{\"a\":+1}",
		"{\"a\":.5}", "{\"a\":1e999}", "{\"a\":NaN}", "{\"a\":Infinity}", "\xef\xbb\xbf{}",
		"{\"a\":/**/1}", "{\"a\":tru", "{\"a\":\"",
	};
	struct vu_caps caps;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(bad); i++)
		if (parse(bad[i], &caps) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
}

static void
test_text_ends_in_its_only_nul(void **state)
{
	struct vu_caps caps;
	const char *why;

	(void)state;
	assert_int_equal(vu_caps_parse("{}", 3, &caps, &why), 0);
	assert_int_equal(vu_caps_parse("{}", 2, &caps, &why), -EINVAL);
	assert_int_equal(vu_caps_parse("{}\0", 4, &caps, &why), -EINVAL);
	assert_int_equal(vu_caps_parse("{\0}", 4, &caps, &why), -EINVAL);
	assert_int_equal(vu_caps_parse("\0{}", 4, &caps, &why), -EINVAL);
	assert_int_equal(vu_caps_parse("", 1, &caps, &why), -EINVAL);
}

static void
test_long_and_deep_text_is_refused(void **state)
{
	char *text = malloc(VU_CAPS_TEXT_MAX + 2);
	struct vu_caps caps;
	const char *why;

	(void)state;
	memset(text, ' ', VU_CAPS_TEXT_MAX + 1);
	text[0] = '{';
	text[1] = '}';
	text[VU_CAPS_TEXT_MAX] = '\0';
	assert_int_equal(vu_caps_parse(text, VU_CAPS_TEXT_MAX + 1, &caps, &why), 0);
	text[VU_CAPS_TEXT_MAX] = ' ';
	text[VU_CAPS_TEXT_MAX + 1] = '\0';
	assert_int_equal(vu_caps_parse(text, VU_CAPS_TEXT_MAX + 2, &caps, &why), -EINVAL);
	memset(text, '[', VU_CAPS_TEXT_MAX);
	text[VU_CAPS_TEXT_MAX] = '\0';
	assert_int_equal(vu_caps_parse(text, VU_CAPS_TEXT_MAX + 1, &caps, &why), -EINVAL);
	free(text);
}

/* Every text with a byte missing at the end, and with each byte another one: no crash. */
static void
test_damaged_text_is_survived(void **state)
{
	static const char good[] = "{\"capabilities\":{\"max_msg_fds\":8,\"pgsizes\":4096,"
		"\"migration\":{\"pgsize\":4096},\"twin_socket\":{\"supported\":true}}}";
	char text[sizeof(good)];
	struct vu_caps caps;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) - 1; i++) {
		memcpy(text, good, sizeof(good));
		text[i] = '\0';
		assert_int_equal(parse(text, &caps), -EINVAL);
		memcpy(text, good, sizeof(good));
		text[i] ^= 0x11;
		parse(text, &caps);
		text[i] = (char)0x80;
		parse(text, &caps);
	}
}

static void
test_what_is_written_is_read_back(void **state)
{
	struct vu_caps said = {
		.max_msg_fds = 16,
		.max_data_xfer_size = 4096,
		.max_dma_maps = 1,
		.pgsizes = 1 << 21,
		.write_multiple = true,
		.map_multiple = true,
		.twin_socket = true,
		.twin_fd_index = 0,
		.migration = true,
		.mig_pgsize = 65536,
		.mig_max_bitmap_size = 8,
	};
	struct vu_caps caps;
	const char *why;
	char text[512];
	int len;

	(void)state;
	len = vu_caps_print(&said, text, sizeof(text));
	assert_int_equal(len, strlen(text) + 1);
	assert_int_equal(vu_caps_parse(text, (size_t)len, &caps, &why), 0);
	assert_same(&caps, &said);
	vu_caps_default(&said);
	len = vu_caps_print(&said, text, sizeof(text));
	assert_true(len > 0);
	assert_int_equal(vu_caps_parse(text, (size_t)len, &caps, &why), 0);
	assert_same(&caps, &said);
}

static void
test_capabilities_member_is_always_there(void **state)
{
	struct vu_caps caps;
	char text[512];

	(void)state;
	vu_caps_default(&caps);
	assert_true(vu_caps_print(&caps, text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "\"capabilities\":{"));
	caps.migration = true;
	assert_true(vu_caps_print(&caps, text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "\"migration\":{\"pgsize\":4096"));
}

/* What a server of ours answers to QEMU, which takes 193 characters and offers no twin socket. */
static void
test_answer_to_qemu_is_short_enough(void **state)
{
	struct vu_caps caps;
	char text[512];
	int len;

	(void)state;
	vu_caps_default(&caps);
	caps.max_msg_fds = 16;
	caps.max_data_xfer_size = 67108864;
	caps.max_dma_maps = 65534;
	caps.pgsizes = 4096 | 1 << 21 | 1 << 30;
	caps.write_multiple = true;
	caps.migration = true;
	len = vu_caps_print(&caps, text, sizeof(text));
	assert_true(len > 0);
	assert_true(len - 1 <= (int)VU_CAPS_REPLY_MAX);
}

static void
test_text_that_does_not_fit_is_not_written(void **state)
{
	struct vu_caps caps;
	char text[512];
	int len, cap;

	(void)state;
	vu_caps_default(&caps);
	len = vu_caps_print(&caps, text, sizeof(text));
	for (cap = 0; cap < len; cap++) {
		char *exact = malloc((size_t)cap);

		assert_int_equal(vu_caps_print(&caps, exact, (size_t)cap), -ENOSPC);
		free(exact);
	}
	assert_int_equal(vu_caps_print(&caps, text, (size_t)len), len);
}

static void
test_memory_that_runs_out_is_reported(void **state)
{
	struct vu_caps caps;
	struct interpose_loop loop;
	const char *why;
	char text[512];
	int rc;

	(void)state;
	vu_caps_default(&caps);
	caps.migration = caps.twin_socket = true;
	caps.twin_fd_index = 0;
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(ALLOC), 0) {
		rc = vu_caps_print(&caps, text, sizeof(text));
		interpose_disarm();
		if (interpose_fired())
			assert_true(rc == -ENOMEM || rc == -ENOSPC);
		else
			assert_true(rc > 0);
	}
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(ALLOC), 0) {
		struct vu_caps got;

		rc = vu_caps_parse(text, strlen(text) + 1, &got, &why);
		interpose_disarm();
		assert_true(rc == 0 || (interpose_fired() && rc == -EINVAL));
		/* what the parser can do without is not missed */
		if (rc == 0)
			assert_same(&got, &caps);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_silence_means_the_defaults),
	cmocka_unit_test(test_what_is_said_is_read),
	cmocka_unit_test(test_members_of_the_wrong_type_are_refused),
	cmocka_unit_test(test_what_is_no_text_is_refused),
	cmocka_unit_test(test_text_ends_in_its_only_nul),
	cmocka_unit_test(test_long_and_deep_text_is_refused),
	cmocka_unit_test(test_damaged_text_is_survived),
	cmocka_unit_test(test_what_is_written_is_read_back),
	cmocka_unit_test(test_capabilities_member_is_always_there),
	cmocka_unit_test(test_answer_to_qemu_is_short_enough),
	cmocka_unit_test(test_text_that_does_not_fit_is_not_written),
	cmocka_unit_test(test_memory_that_runs_out_is_reported),
};

TEST_SUITE(vu_caps, "unit", tests, NULL, NULL)
