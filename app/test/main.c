/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/standard_files.h"
#include "test.h"

static struct test_suite *suites;

void
test_suite_register(struct test_suite *suite)
{
	struct test_suite **at = &suites;

	while (*at != NULL && strcmp((*at)->name, suite->name) < 0)
		at = &(*at)->next;
	suite->next = *at;
	*at = suite;
}

static struct test_suite *
suite_find(const char *name)
{
	struct test_suite *suite;

	for (suite = suites; suite != NULL; suite = suite->next)
		if (strcmp(suite->name, name) == 0)
			return suite;
	return NULL;
}

/* What "all" means: a benchmark takes time, a vm suite needs its machine. */
static bool
suite_runs_by_default(const struct test_suite *suite)
{
	return strcmp(suite->kind, "unit") == 0 || strcmp(suite->kind, "functional") == 0;
}

static int
suite_run(const struct test_suite *suite)
{
	return _cmocka_run_group_tests(suite->name, suite->tests, suite->nb_tests, suite->setup,
			suite->teardown) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * Each of several suites has a process of its own: what one leaves behind or breaks is not the
 * next one's. It is this program again and not a fork, which sanitizers with threads do not
 * survive.
 */
static int
program_spawn(char *argv[], const char *what)
{
	int status = 0;
	pid_t pid;
	int err;

	fflush(NULL);
	err = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ);
	if (err != 0 || waitpid(pid, &status, 0) < 0) {
		fprintf(stderr, "dpdk-test: %s: cannot run: %s\n", what,
			strerror(err != 0 ? err : errno));
		return EXIT_FAILURE;
	}
	if (WIFSIGNALED(status))
		fprintf(stderr, "dpdk-test: %s: killed by signal %d (%s)\n", what,
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

static int
suite_spawn(const struct test_suite *suite, char *program)
{
	char *name = strdup(suite->name);
	char *argv[] = { program, name, NULL };
	int rc = program_spawn(argv, suite->name);

	free(name);
	return rc;
}

/* "--each": each test has a process of its own, as where EAL can be started only once. */
static int
suite_spawn_each(const struct test_suite *suite, char *program)
{
	char only[] = "--only";
	char *argv[] = { program, only, NULL, NULL, NULL };
	int rc = EXIT_SUCCESS;
	size_t i;

	argv[3] = strdup(suite->name);
	for (i = 0; i < suite->nb_tests; i++) {
		argv[2] = strdup(suite->tests[i].name);
		rc |= program_spawn(argv, argv[2]);
		free(argv[2]);
	}
	free(argv[3]);
	return rc;
}

static void
list(void)
{
	const struct test_suite *suite;

	for (suite = suites; suite != NULL; suite = suite->next)
		printf("%-24s %-10s %3zu tests\n", suite->name, suite->kind, suite->nb_tests);
}

static void
usage(FILE *out)
{
	fprintf(out,
		"usage: dpdk-test --list | --help | --only TEST SUITE | --each SUITE\n"
		"       dpdk-test [SUITE...]\n"
		"Runs the named test suites, or all that need neither time nor a machine; or\n"
		"one test of a suite, or each in a process of its own.\n");
}

static int
suite_unknown(const char *name)
{
	fprintf(stderr, "dpdk-test: no suite is called \"%s\" (see --list)\n", name);
	return EXIT_FAILURE;
}

/* "--only TEST SUITE" and "--each SUITE" */
static int
tests_run(char **argv, const char *suite_name)
{
	const struct test_suite *suite = suite_find(suite_name);

	if (suite == NULL)
		return suite_unknown(suite_name);
	if (strcmp(argv[1], "--each") == 0)
		return suite_spawn_each(suite, argv[0]);
	cmocka_set_test_filter(argv[2]);
	return suite_run(suite);
}

static int
run(int argc, char **argv)
{
	struct test_suite *suite;
	int rc = EXIT_SUCCESS;
	int i;

	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		list();
		return EXIT_SUCCESS;
	}
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		usage(stdout);
		return EXIT_SUCCESS;
	}
	if ((argc == 4 && strcmp(argv[1], "--only") == 0) ||
			(argc == 3 && strcmp(argv[1], "--each") == 0))
		return tests_run(argv, argv[argc - 1]);
	for (i = 1; i < argc; i++)
		if (suite_find(argv[i]) == NULL)
			return suite_unknown(argv[i]);
	if (argc == 2)
		return suite_run(suite_find(argv[1]));
	for (i = 1; i < argc; i++)
		rc |= suite_spawn(suite_find(argv[i]), argv[0]);
	for (suite = suites; argc == 1 && suite != NULL; suite = suite->next)
		if (suite_runs_by_default(suite))
			rc |= suite_spawn(suite, argv[0]);
	return rc;
}

int
main(int argc, char **argv)
{
	standard_files_open();
	return standard_output_end("dpdk-test", run(argc, argv));
}
