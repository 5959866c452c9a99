/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_debug.h>
#include <rte_devargs.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include "eal_command.h"
#include "fake_bus.h"
#include "interpose.h"
#include "test.h"

/* How many words init() gives to EAL. */
#define NB_ARGS 5

static int
init(void)
{
	rte_errno = 0;
	return eal_command_init("--no-pci --no-huge --log-level=a.*:info -a d1,x=1");
}

static int
start(void **state)
{
	(void)state;
	fake_bus_add();
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	rte_eal_cleanup();
	fake_bus_remove();
	return 0;
}

static void
test_devices_are_there_after_init_and_gone_after_cleanup(void **state)
{
	(void)state;
	assert_int_equal(init(), NB_ARGS);
	assert_int_equal(rte_lcore_id(), rte_get_main_lcore());
	assert_true(rte_dev_is_probed(fake_bus_device(1)));
	assert_string_equal(rte_dev_devargs(fake_bus_device(1))->args, "x=1");
	assert_int_equal(fake_bus.nb_scans, 1);
	assert_int_equal(fake_bus.nb_probes, 1);
	assert_int_equal(rte_eal_cleanup(), 0);
	assert_null(fake_bus_device(1));
	assert_null(rte_devargs_next(NULL, NULL));
	assert_int_equal(rte_lcore_id(), LCORE_ID_ANY);
}

static void
test_init_runs_once_until_cleanup(void **state)
{
	(void)state;
	assert_int_equal(init(), NB_ARGS);
	assert_int_equal(init(), -1);
	assert_int_equal(rte_errno, EALREADY);
	assert_true(rte_dev_is_probed(fake_bus_device(1)));
	assert_int_equal(rte_eal_cleanup(), 0);
	assert_int_equal(rte_eal_cleanup(), -EALREADY);
	assert_int_equal(init(), NB_ARGS);
	assert_int_equal(fake_bus.nb_scans, 2);
}

static void
test_no_arguments_are_refused(void **state)
{
	char *argv[] = { NULL };

	(void)state;
	assert_int_equal(rte_eal_init(0, argv), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_eal_init(1, NULL), -1);
	assert_int_equal(rte_errno, EINVAL);
}

static const struct {
	enum rte_iova_mode bus;
	const char *options;
	enum rte_iova_mode want;
} iova_cases[] = {
	{ RTE_IOVA_DC, "--no-pci --no-huge", RTE_IOVA_VA },
	{ RTE_IOVA_VA, "--no-pci", RTE_IOVA_VA },
	{ RTE_IOVA_DC, "--no-pci --iova-mode=va", RTE_IOVA_VA },
	{ RTE_IOVA_PA, "--no-pci --iova-mode=va", RTE_IOVA_VA },
};

static void
test_address_kind_is_what_the_user_asks_for_then_what_buses_want(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(iova_cases); i++) {
		fake_bus.iova_mode = iova_cases[i].bus;
		assert_true(eal_command_init(iova_cases[i].options) > 0);
		if (rte_eal_iova_mode() != iova_cases[i].want)
			fail_msg("case %zu: %d", i, rte_eal_iova_mode());
		assert_int_equal(rte_eal_cleanup(), 0);
	}
}

static void
test_failing_bus_does_not_stop_the_program(void **state)
{
	(void)state;
	fake_bus.scan_rc = -EIO;
	fake_bus.probe_rc = -EIO;
	fake_bus.cleanup_rc = -EIO;
	assert_int_equal(init(), NB_ARGS);
	assert_int_equal(rte_eal_cleanup(), 0);
	assert_int_equal(init(), NB_ARGS);
}

static const char *const cleanup_cases[] = {
	"--no-pci",
	"--no-pci --no-huge -m 4 -a d1,x=1 -a bus=fake,number=2",
	"--no-pci --in-memory -b d1",
	"--no-pci --log-level a.*:info --log-level ^b.*,info",
};

static void
test_cleanup_leaves_nothing_behind(void **state)
{
	struct resources before;
	size_t i;

	(void)state;
	/* what the C library and EAL's constructors keep is there after the first time */
	assert_true(eal_command_init(cleanup_cases[0]) > 0);
	rte_eal_cleanup();
	resources_take(&before);
	for (i = 0; i < 2 * RTE_DIM(cleanup_cases); i++) {
		assert_true(eal_command_init(cleanup_cases[i % RTE_DIM(cleanup_cases)]) > 0);
		rte_eal_cleanup();
		resources_assert_same(&before);
	}
	resources_drop(&before);
}

static void
test_failed_init_leaves_nothing_behind(void **state)
{
	struct interpose_loop loop;
	int rc;

	(void)state;
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
		rc = init();
		interpose_disarm();
		if (rc < 0)
			assert_int_not_equal(rte_errno, 0);
		assert_true(rc == NB_ARGS || interpose_fired());
		assert_int_equal(rte_eal_cleanup(), rc < 0 ? -EALREADY : 0);
		assert_null(rte_devargs_next(NULL, NULL));
		assert_null(fake_bus_device(1));
	}
}

/* The message and status of a child that leaves by rte_exit(). */
static void
test_exit_cleans_up(void **state)
{
	int fds[2], status;
	char text[64] = "";
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (init() != NB_ARGS)
			_exit(100);
		rte_openlog_stream(fdopen(fds[1], "w"));
		rte_exit(3, "leaving: %s\n", "now");
	}
	close(fds[1]);
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_string_equal(text, "leaving: now\n");
}

static void
test_panic_aborts_with_a_message(void **state)
{
	char text[64] = "";
	int fds[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		rte_openlog_stream(fdopen(fds[1], "w"));
		RTE_VERIFY(fds[0] < 0);
		_exit(EXIT_SUCCESS);
	}
	close(fds[1]);
	assert_true(read(fds[0], text, 8) == 8);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_string_equal(text, "PANIC in");
}

#define INIT_TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

static const struct CMUnitTest tests[] = {
	INIT_TEST(test_devices_are_there_after_init_and_gone_after_cleanup),
	INIT_TEST(test_init_runs_once_until_cleanup),
	INIT_TEST(test_no_arguments_are_refused),
	INIT_TEST(test_address_kind_is_what_the_user_asks_for_then_what_buses_want),
	INIT_TEST(test_failing_bus_does_not_stop_the_program),
	INIT_TEST(test_cleanup_leaves_nothing_behind),
	INIT_TEST(test_failed_init_leaves_nothing_behind),
	INIT_TEST(test_exit_cleans_up),
	INIT_TEST(test_panic_aborts_with_a_message),
};

TEST_SUITE(eal_init, "functional", tests, NULL, NULL)
