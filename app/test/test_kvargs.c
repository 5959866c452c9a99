/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_kvargs.h>

#include "interpose.h"
#include "test.h"

static const char *const some_keys[] = { "a", "b", NULL };

static const struct {
	const char *text;
	const char *const *keys;
	/* the pairs, "key" or "key=value", each ended by ";"; NULL: refused */
	const char *want;
} parse_cases[] = {
	{ "", NULL, "" },
	{ "a=1", NULL, "a=1;" },
	{ "a=1,b=2", NULL, "a=1;b=2;" },
	{ "a=1,a=2", NULL, "a=1;a=2;" },
	{ "a", NULL, "a;" },
	{ "a,b=2", NULL, "a;b=2;" },
	{ "a=", NULL, "a=;" },
	{ "a=1=2", NULL, "a=1=2;" },
	{ "a=[1,2],b=3", NULL, "a=[1,2];b=3;" },
	{ "a=[1,[2,3]],b", NULL, "a=[1,[2,3]];b;" },
	{ "a=x[0],b=1", NULL, "a=x[0];b=1;" },
	{ "a=1,,b=2", NULL, "a=1;b=2;" },
	{ "a=1,", NULL, "a=1;" },
	{ ",a=1", NULL, "a=1;" },
	{ "a=/dir/file", NULL, "a=/dir/file;" },
	{ "a=1,b=2", some_keys, "a=1;b=2;" },
	{ "a=1,c=2", some_keys, NULL },
	{ "=1", NULL, NULL },
	{ "a=[1,2", NULL, NULL },
	{ "a=1]", NULL, NULL },
	{ "a=]1[", NULL, NULL },
};

static int
pair_print(const char *key, const char *value, void *opaque)
{
	char *out = opaque;

	strcat(out, key);
	if (value != NULL)
		strcat(strcat(out, "="), value);
	strcat(out, ";");
	return 0;
}

static void
assert_pairs(const struct rte_kvargs *kvlist, const char *text, const char *want)
{
	char got[256] = "";

	if ((kvlist == NULL) != (want == NULL))
		fail_msg("\"%s\" is %s", text, kvlist == NULL ? "refused" : "taken");
	if (kvlist == NULL)
		return;
	assert_int_equal(rte_kvargs_process_opt(kvlist, NULL, pair_print, got), 0);
	if (strcmp(got, want) != 0)
		fail_msg("\"%s\" is read as \"%s\"", text, got);
}

static void
test_text_becomes_pairs(void **state)
{
	struct rte_kvargs *kvlist;
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(parse_cases); i++) {
		kvlist = rte_kvargs_parse(parse_cases[i].text, parse_cases[i].keys);
		assert_pairs(kvlist, parse_cases[i].text, parse_cases[i].want);
		rte_kvargs_free(kvlist);
	}
	assert_null(rte_kvargs_parse(NULL, NULL));
}

static void
test_more_pairs_than_a_list_holds_are_refused(void **state)
{
	char text[2 * RTE_KVARGS_MAX + 3] = "";
	struct rte_kvargs *kvlist;
	int i;

	(void)state;
	for (i = 0; i < RTE_KVARGS_MAX; i++)
		strcat(text, "a,");
	kvlist = rte_kvargs_parse(text, NULL);
	assert_non_null(kvlist);
	assert_int_equal(rte_kvargs_count(kvlist, "a"), RTE_KVARGS_MAX);
	rte_kvargs_free(kvlist);
	strcat(text, "b");
	assert_null(rte_kvargs_parse(text, NULL));
}

static void
test_list_ends_before_a_delimiter(void **state)
{
	struct rte_kvargs *kvlist;

	(void)state;
	kvlist = rte_kvargs_parse_delim("a=1,b=2/c=3", NULL, "/");
	assert_pairs(kvlist, "up to /", "a=1;b=2;");
	rte_kvargs_free(kvlist);
	kvlist = rte_kvargs_parse_delim("a=1/2", NULL, NULL);
	assert_pairs(kvlist, "no delimiter", "a=1/2;");
	rte_kvargs_free(kvlist);
}

static void
test_value_of_a_key_is_the_first_one(void **state)
{
	struct rte_kvargs *kvlist = rte_kvargs_parse("a=1,b,a=2", NULL);

	(void)state;
	assert_string_equal(rte_kvargs_get(kvlist, "a"), "1");
	assert_null(rte_kvargs_get(kvlist, "b"));
	assert_null(rte_kvargs_get(kvlist, "c"));
	assert_null(rte_kvargs_get(kvlist, NULL));
	assert_null(rte_kvargs_get(NULL, "a"));
	rte_kvargs_free(kvlist);
}

static void
test_value_may_be_asked_for(void **state)
{
	struct rte_kvargs *kvlist = rte_kvargs_parse("a=1,b,a=2", NULL);

	(void)state;
	assert_string_equal(rte_kvargs_get_with_value(kvlist, "a", "2"), "2");
	assert_string_equal(rte_kvargs_get_with_value(kvlist, NULL, "1"), "1");
	assert_null(rte_kvargs_get_with_value(kvlist, "b", "1"));
	assert_null(rte_kvargs_get_with_value(kvlist, "a", "3"));
	rte_kvargs_free(kvlist);
}

static void
test_count_of_a_key(void **state)
{
	struct rte_kvargs *kvlist = rte_kvargs_parse("a=1,b,a=2", NULL);

	(void)state;
	assert_int_equal(rte_kvargs_count(kvlist, "a"), 2);
	assert_int_equal(rte_kvargs_count(kvlist, "c"), 0);
	assert_int_equal(rte_kvargs_count(kvlist, NULL), 3);
	assert_int_equal(rte_kvargs_count(NULL, NULL), 0);
	rte_kvargs_free(kvlist);
}

static void
test_processing_calls_for_the_key_only(void **state)
{
	struct rte_kvargs *kvlist = rte_kvargs_parse("a=1,b=2,a=3", NULL);
	char got[64] = "";

	(void)state;
	assert_int_equal(rte_kvargs_process(kvlist, "a", pair_print, got), 0);
	assert_string_equal(got, "a=1;a=3;");
	rte_kvargs_free(kvlist);
}

static void
test_processing_wants_values_unless_optional(void **state)
{
	struct rte_kvargs *kvlist = rte_kvargs_parse("a", NULL);
	char got[64] = "";

	(void)state;
	assert_int_equal(rte_kvargs_process(kvlist, "a", pair_print, got), -1);
	assert_string_equal(got, "");
	assert_int_equal(rte_kvargs_process_opt(kvlist, "a", pair_print, got), 0);
	assert_string_equal(got, "a;");
	rte_kvargs_free(kvlist);
	assert_int_equal(rte_kvargs_process(NULL, "a", pair_print, got), 0);
}

static int
pair_refuse(const char *key, const char *value, void *opaque)
{
	(void)key;
	(void)value;
	++*(int *)opaque;
	return -5;
}

static void
test_processing_stops_at_a_refusal(void **state)
{
	struct rte_kvargs *kvlist = rte_kvargs_parse("a=1,b=2", NULL);
	int calls = 0;

	(void)state;
	assert_int_equal(rte_kvargs_process(kvlist, NULL, pair_refuse, &calls), -1);
	assert_int_equal(calls, 1);
	rte_kvargs_free(kvlist);
}

static void
test_nothing_leaks_when_memory_runs_out(void **state)
{
	struct interpose_loop loop;
	struct rte_kvargs *kvlist;

	(void)state;
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(ALLOC), 0) {
		kvlist = rte_kvargs_parse("a=1,b=2", NULL);
		interpose_disarm();
		assert_int_equal(kvlist == NULL, interpose_fired());
		rte_kvargs_free(kvlist);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_text_becomes_pairs),
	cmocka_unit_test(test_more_pairs_than_a_list_holds_are_refused),
	cmocka_unit_test(test_list_ends_before_a_delimiter),
	cmocka_unit_test(test_value_of_a_key_is_the_first_one),
	cmocka_unit_test(test_value_may_be_asked_for),
	cmocka_unit_test(test_count_of_a_key),
	cmocka_unit_test(test_processing_calls_for_the_key_only),
	cmocka_unit_test(test_processing_wants_values_unless_optional),
	cmocka_unit_test(test_processing_stops_at_a_refusal),
	cmocka_unit_test(test_nothing_leaks_when_memory_runs_out),
};

TEST_SUITE(kvargs, "unit", tests, NULL, NULL)
