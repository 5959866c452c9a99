/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>

#include "eal_command.h"
#include "test.h"

#define ROUNDS 30

static double
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void
child_empty(void)
{
}

static void
child_init(void)
{
	if (eal_command_init("--no-pci") < 0)
		_exit(EXIT_FAILURE);
}

static void
child_init_cleanup(void)
{
	child_init();
	rte_eal_cleanup();
}

/* The time that a child of the process takes to do something, in ms: the least of many. */
static double
child_ms(void (*run)(void))
{
	double start, took, least = 1e9;
	int i, status;
	pid_t pid;

	for (i = 0; i < ROUNDS; i++) {
		start = now_ms();
		pid = fork();
		if (pid == 0) {
			run();
			_exit(EXIT_SUCCESS);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		took = now_ms() - start;
		least = took < least ? took : least;
	}
	return least;
}

static void
test_init_time(void **state)
{
	double empty = child_ms(child_empty);
	double init = child_ms(child_init);
	double both = child_ms(child_init_cleanup);

	(void)state;
	printf("fork and exit          %8.3f ms\n", empty);
	printf("... with rte_eal_init  %8.3f ms  %6.2fx  (limit of init alone: 10 ms)\n", init,
		init / empty);
	printf("... and rte_eal_cleanup%8.3f ms  %6.2fx\n", both, both / empty);
	assert_true(init - empty < 10.0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_init_time),
};

TEST_SUITE(eal_init_time, "benchmark", tests, NULL, NULL)
