/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>
#include <string.h>

#include <rte_log.h>

#include "test.h"

#define RTE_LOGTYPE_SAMPLE sample_type
static int sample_type;

/* What was logged since log_start(). */
static char *logged;
static size_t logged_len;
static FILE *stream;

static int
log_start(void **state)
{
	(void)state;
	stream = open_memstream(&logged, &logged_len);
	rte_openlog_stream(stream);
	sample_type = rte_log_register_type_and_pick_level("sample", RTE_LOG_INFO);
	rte_log_set_level((uint32_t)sample_type, RTE_LOG_INFO);
	rte_log_set_global_level(RTE_LOG_DEBUG);
	return 0;
}

static int
log_stop(void **state)
{
	(void)state;
	rte_openlog_stream(NULL);
	fclose(stream);
	free(logged);
	logged = NULL;
	return 0;
}

static void
assert_logged(const char *text)
{
	fflush(stream);
	assert_string_equal(logged, text);
}

static void
test_message_passes_up_to_the_level_of_its_type(void **state)
{
	(void)state;
	RTE_LOG(DEBUG, SAMPLE, "debug\n");
	RTE_LOG(INFO, SAMPLE, "info %d\n", 1);
	RTE_LOG(EMERG, SAMPLE, "emergency\n");
	assert_logged("SAMPLE: info 1\nSAMPLE: emergency\n");
}

static void
test_message_above_the_global_level_does_not_pass(void **state)
{
	(void)state;
	rte_log_set_global_level(RTE_LOG_ERR);
	assert_int_equal(rte_log_get_global_level(), RTE_LOG_ERR);
	assert_int_equal(RTE_LOG(WARNING, SAMPLE, "warning\n"), 0);
	assert_int_equal(RTE_LOG(ERR, SAMPLE, "error\n"), strlen("SAMPLE: error\n"));
	assert_logged("SAMPLE: error\n");
}

static void
test_message_of_an_unknown_type_does_not_pass(void **state)
{
	(void)state;
	assert_int_equal(rte_log(RTE_LOG_ERR, 100000, "nobody\n"), 0);
	assert_false(rte_log_can_log(100000, RTE_LOG_ERR));
	assert_logged("");
}

static void
test_can_log_says_what_passes(void **state)
{
	(void)state;
	assert_true(rte_log_can_log(sample_type, RTE_LOG_INFO));
	assert_false(rte_log_can_log(sample_type, RTE_LOG_DEBUG));
	rte_log_set_global_level(RTE_LOG_NOTICE);
	assert_false(rte_log_can_log(sample_type, RTE_LOG_INFO));
}

static void
test_line_macros_end_the_line(void **state)
{
	(void)state;
	RTE_LOG_LINE(INFO, SAMPLE, "plain");
	RTE_LOG_LINE(INFO, SAMPLE, "%s", "argument");
	RTE_LOG_LINE_PREFIX(INFO, SAMPLE, "%s() %d: ", "function" RTE_LOG_COMMA 3, "text");
	RTE_LOG_LINE_PREFIX(INFO, SAMPLE, "%s: ", "prefix", "%u", 4);
	assert_logged("SAMPLE: plain\nSAMPLE: argument\nSAMPLE: function() 3: text\n"
		"SAMPLE: prefix: 4\n");
}

static void
test_data_path_macro_does_not_evaluate_what_is_not_compiled(void **state)
{
	int evaluated = 0;

	(void)state;
	rte_log_set_level(sample_type, RTE_LOG_DEBUG);
	RTE_LOG_DP(DEBUG, SAMPLE, "%d\n", ++evaluated);
	assert_int_equal(evaluated, 0);
	RTE_LOG_DP_LINE(INFO, SAMPLE, "%d", ++evaluated);
	assert_logged("SAMPLE: 1\n");
}

static void
test_same_name_is_the_same_type(void **state)
{
	int type = rte_log_register("name.twice");

	(void)state;
	assert_true(type >= RTE_LOGTYPE_FIRST_EXT_ID);
	assert_int_equal(rte_log_get_level(type), RTE_LOG_INFO);
	assert_int_equal(rte_log_register("name.twice"), type);
	assert_int_equal(rte_log_register_type_and_pick_level("name.twice", RTE_LOG_ERR), type);
	assert_true(rte_log_register(NULL) < 0);
}

static void
test_level_of_one_type(void **state)
{
	(void)state;
	assert_int_equal(rte_log_set_level(sample_type, RTE_LOG_CRIT), 0);
	assert_int_equal(rte_log_get_level(sample_type), RTE_LOG_CRIT);
	assert_int_equal(rte_log_set_level(sample_type, 0), -1);
	assert_int_equal(rte_log_set_level(sample_type, RTE_LOG_MAX + 1), -1);
	assert_int_equal(rte_log_set_level(100000, RTE_LOG_CRIT), -1);
	assert_int_equal(rte_log_get_level(100000), -1);
	assert_int_equal(rte_log_get_level(sample_type), RTE_LOG_CRIT);
}

static const struct {
	int (*set)(const char *text, uint32_t level);
	const char *text;
	bool a_b;	/* sets the level of "match.a.b" */
	bool ab;	/* and of "match.ab" */
} match_cases[] = {
	{ rte_log_set_level_pattern, "match.a.b", true, false },
	{ rte_log_set_level_pattern, "match.*", true, true },
	{ rte_log_set_level_pattern, "match", false, false },
	{ rte_log_set_level_pattern, "match.a?b", true, false },
	{ rte_log_set_level_pattern, "match.[a]b", false, true },
	{ rte_log_set_level_regexp, "^match\\.a\\.b$", true, false },
	{ rte_log_set_level_regexp, "match\\.", true, true },
	{ rte_log_set_level_regexp, "match.ab", false, true },
	{ rte_log_set_level_regexp, "nothing", false, false },
};

static void
test_level_by_pattern_and_by_regular_expression(void **state)
{
	int a_b = rte_log_register("match.a.b");
	int ab = rte_log_register("match.ab");
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(match_cases); i++) {
		rte_log_set_level(a_b, RTE_LOG_ERR);
		rte_log_set_level(ab, RTE_LOG_ERR);
		assert_int_equal(match_cases[i].set(match_cases[i].text, RTE_LOG_DEBUG), 0);
		if ((rte_log_get_level(a_b) == RTE_LOG_DEBUG) != match_cases[i].a_b ||
				(rte_log_get_level(ab) == RTE_LOG_DEBUG) != match_cases[i].ab)
			fail_msg("\"%s\" matches the wrong types", match_cases[i].text);
	}
}

static void
test_wrong_expression_and_level_are_refused(void **state)
{
	(void)state;
	assert_int_equal(rte_log_set_level_regexp("\\(", RTE_LOG_DEBUG), -1);
	assert_int_equal(rte_log_set_level_regexp("sample", 0), -1);
	assert_int_equal(rte_log_set_level_pattern("sample", RTE_LOG_MAX + 1), -1);
	assert_int_equal(rte_log_get_level(sample_type), RTE_LOG_INFO);
}

static int seen_level, seen_type;

static ssize_t
seen_write(void *cookie, const char *text, size_t len)
{
	(void)cookie;
	(void)text;
	seen_level = rte_log_cur_msg_loglevel();
	seen_type = rte_log_cur_msg_logtype();
	return (ssize_t)len;
}

static void
test_stream_can_ask_for_level_and_type(void **state)
{
	FILE *seen = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = seen_write });

	(void)state;
	rte_openlog_stream(seen);
	RTE_LOG(WARNING, SAMPLE, "message\n");
	rte_openlog_stream(stream);
	fclose(seen);
	assert_int_equal(seen_level, RTE_LOG_WARNING);
	assert_int_equal(seen_type, sample_type);
}

static void
test_messages_go_to_stderr_by_default(void **state)
{
	(void)state;
	rte_openlog_stream(NULL);
	assert_ptr_equal(rte_log_get_stream(), stderr);
	rte_openlog_stream(stream);
	assert_ptr_equal(rte_log_get_stream(), stream);
}

static void
test_dump_shows_every_type(void **state)
{
	(void)state;
	rte_log_set_level(sample_type, RTE_LOG_CRIT);
	rte_log_dump(stream);
	fflush(stream);
	assert_non_null(strstr(logged, "global log level is debug\n"));
	assert_non_null(strstr(logged, ": lib.eal, level is "));
	assert_non_null(strstr(logged, ": sample, level is critical\n"));
}

static void
test_list_names_every_type(void **state)
{
	(void)state;
	rte_log_list_types(stream, "- ");
	fflush(stream);
	assert_non_null(strstr(logged, "- lib.eal\n"));
	assert_non_null(strstr(logged, "- sample\n"));
}

#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, log_start, log_stop)

static const struct CMUnitTest tests[] = {
	LOG_TEST(test_message_passes_up_to_the_level_of_its_type),
	LOG_TEST(test_message_above_the_global_level_does_not_pass),
	LOG_TEST(test_message_of_an_unknown_type_does_not_pass),
	LOG_TEST(test_can_log_says_what_passes),
	LOG_TEST(test_line_macros_end_the_line),
	LOG_TEST(test_data_path_macro_does_not_evaluate_what_is_not_compiled),
	LOG_TEST(test_same_name_is_the_same_type),
	LOG_TEST(test_level_of_one_type),
	LOG_TEST(test_level_by_pattern_and_by_regular_expression),
	LOG_TEST(test_wrong_expression_and_level_are_refused),
	LOG_TEST(test_stream_can_ask_for_level_and_type),
	LOG_TEST(test_messages_go_to_stderr_by_default),
	LOG_TEST(test_dump_shows_every_type),
	LOG_TEST(test_list_names_every_type),
};

TEST_SUITE(log, "unit", tests, NULL, NULL)
