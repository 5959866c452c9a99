/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/** A named list of tests; one file holds one suite. */
struct test_suite {
	struct test_suite *next;
	const char *name;	/**< as typed on the command line */
	const char *kind;	/**< "unit", "functional", "vm" or "benchmark" */
	const struct CMUnitTest *tests;
	size_t nb_tests;
	CMFixtureFunction setup;	/**< once before the first test, or NULL */
	CMFixtureFunction teardown;	/**< once after the last test, or NULL */
};

void test_suite_register(struct test_suite *suite);

/** Makes the array of tests @p tests_ known to dpdk-test as the suite @p name_. */
#define TEST_SUITE(name_, kind_, tests_, setup_, teardown_) \
static struct test_suite suite_##name_ = { \
	.name = #name_, \
	.kind = kind_, \
	.tests = tests_, \
	.nb_tests = sizeof(tests_) / sizeof((tests_)[0]), \
	.setup = setup_, \
	.teardown = teardown_, \
}; \
static void __attribute__((constructor)) \
suite_register_##name_(void) \
{ \
	test_suite_register(&suite_##name_); \
}

#endif /* TEST_H */
