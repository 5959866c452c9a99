/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
suite_spawn(const struct test_suite *suite, char *program)
{
	char *name = strdup(suite->name);
	char *argv[] = { program, name, NULL };
	int status = 0;
	pid_t pid;
	int err;

	fflush(NULL);
	err = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ);
	free(name);
	if (err != 0 || waitpid(pid, &status, 0) < 0) {
		fprintf(stderr, "dpdk-test: suite %s: cannot run: %s\n", suite->name,
			strerror(err != 0 ? err : errno));
		return EXIT_FAILURE;
	}
	if (WIFSIGNALED(status))
		fprintf(stderr, "dpdk-test: suite %s: killed by signal %d (%s)\n",
			suite->name, WTERMSIG(status), strsignal(WTERMSIG(status)));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
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
		"usage: dpdk-test [--list | --help | SUITE...]\n"
		"Runs the named test suites, or all that need neither time nor a machine.\n");
}

int
main(int argc, char **argv)
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
	for (i = 1; i < argc; i++) {
		if (suite_find(argv[i]) == NULL) {
			fprintf(stderr, "dpdk-test: no suite is called \"%s\" (see --list)\n",
				argv[i]);
			return EXIT_FAILURE;
		}
	}
	if (argc == 2)
		return suite_run(suite_find(argv[1]));
	for (i = 1; i < argc; i++)
		rc |= suite_spawn(suite_find(argv[i]), argv[0]);
	for (suite = suites; argc == 1 && suite != NULL; suite = suite->next)
		if (suite_runs_by_default(suite))
			rc |= suite_spawn(suite, argv[0]);
	return rc;
}
