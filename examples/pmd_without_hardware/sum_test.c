/* SPDX-License-Identifier: BSD-3-Clause */

/* Tests of the driver: each starts a device, right or wrong, plugs it in, and sees what comes. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_malloc.h>

#include "sum.h"
#include "sum_pmd.h"

#define LONG_MS 10000	/* never passes in a test that works */
#define SHORT_MS 100

extern char **environ;

/* Ends the test that it is in. */
#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			return false; \
		} \
	} while (0)

/* ---- a device in a process of its own ---- */

/* All have one name, so that for the driver it is always the same slot. */
static char folder[] = "/tmp/sum.XXXXXX";
static char path[sizeof(folder) + 8];
static char devargs[sizeof(path) + 16];	/* for EAL */
static char *program;	/* of the device */
static pid_t device;

/* When it has said its first line, it serves. */
static bool
wait_for_line(int fd)
{
	char c = 0;

	while (c != '\n')
		if (read(fd, &c, 1) != 1)
			return false;
	return true;
}

static bool
device_start(const char *fault)
{
	char scenario[32];
	char *argv[] = { program, path, scenario, NULL };
	posix_spawn_file_actions_t actions;
	int out[2], rc;
	bool serves;

	snprintf(scenario, sizeof(scenario), "%s", fault);
	if (pipe(out) != 0)
		return false;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, out[0]);
	rc = posix_spawn(&device, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	serves = rc == 0 && wait_for_line(out[0]);
	close(out[0]);
	return serves;
}

static void
device_end(int sig)
{
	if (device > 0 && kill(device, sig) == 0)
		waitpid(device, NULL, 0);
	device = -1;
}

/* What rte_dev_remove() wants. */
static struct rte_device *
plugged(void)
{
	struct rte_dev_iterator it;
	struct rte_device *dev, *found = NULL;

	RTE_DEV_FOREACH(dev, "bus=pci", &it)
		if (rte_dev_is_probed(dev))
			found = dev;
	return found;
}

/* ---- the tests ---- */

static uint8_t *bytes;	/* of EAL's memory */

static bool
sums_are_right(void)
{
	static const uint32_t lengths[] = { 1, 2, 3, 255, 4096, 4097, SUM_LENGTH_MAX };
	uint32_t result;
	size_t i;

	memset(bytes, 3, SUM_LENGTH_MAX);
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		result = 0;
		CHECK(sum_compute(sum_get(), bytes, lengths[i], &result, LONG_MS) == 0);
		CHECK(result == 3 * lengths[i]);
	}
	return true;
}

static bool
wrong_lengths_are_errors(void)
{
	uint32_t result;

	CHECK(sum_compute(sum_get(), bytes, 0, &result, LONG_MS) == -EIO);
	CHECK(sum_compute(sum_get(), bytes, SUM_LENGTH_MAX + 1, &result, LONG_MS) == -EIO);
	return sums_are_right();
}

static bool
memory_that_is_not_there_is_an_error(void)
{
	static const uint8_t elsewhere[16];	/* not of EAL's memory: the device has not got it */
	uint32_t result;

	CHECK(sum_compute(sum_get(), elsewhere, sizeof(elsewhere), &result, LONG_MS) == -EIO);
	return sums_are_right();
}

/* From here on the device is faulty. */
static bool
a_device_that_never_ends_is_given_up(void)
{
	uint32_t result;

	CHECK(sum_compute(sum_get(), bytes, 16, &result, SHORT_MS) == -ETIMEDOUT);
	return true;
}

static bool
a_lost_interrupt_loses_no_result(void)
{
	uint32_t result = 0;

	memset(bytes, 1, 16);
	CHECK(sum_compute(sum_get(), bytes, 16, &result, SHORT_MS) == 0);
	CHECK(result == 16);
	return true;
}

static bool
all_ones_are_no_result(void)
{
	uint32_t result;

	CHECK(sum_compute(sum_get(), bytes, 16, &result, LONG_MS) == -EIO);
	return true;
}

/* Those of a process that ends. */
static bool
a_device_that_dies_is_an_error(void)
{
	uint32_t result;

	CHECK(sum_compute(sum_get(), bytes, 16, &result, SHORT_MS) < 0);
	return true;
}

static bool
a_device_that_is_killed_is_an_error(void)
{
	uint32_t result;

	CHECK(sums_are_right());
	device_end(SIGKILL);
	CHECK(sum_compute(sum_get(), bytes, 16, &result, SHORT_MS) < 0);
	return true;
}

/* What the bus tells of the device: a byte for each event. */
static void
on_event(const char *name, enum rte_dev_event_type type, void *arg)
{
	const int *out = arg;

	if (write(*out, &(uint8_t){ (uint8_t)type }, 1) != 1)
		abort();
}

static bool
told(int in, enum rte_dev_event_type type)
{
	struct pollfd pfd = { .fd = in, .events = POLLIN };
	uint8_t byte;

	return poll(&pfd, 1, LONG_MS) == 1 && read(in, &byte, 1) == 1 && byte == (uint8_t)type;
}

/* The driver keeps its state, for all that it needs it writes for each sum. */
static bool
kill_and_start_again(int in)
{
	CHECK(sums_are_right());
	device_end(SIGKILL);
	CHECK(told(in, RTE_DEV_EVENT_REMOVE));
	CHECK(device_start("none"));
	CHECK(told(in, RTE_DEV_EVENT_ADD));
	return sums_are_right();
}

/* Hear what the bus tells, and kill the device. */
static bool
a_device_that_comes_back_works(void)
{
	const char *name = rte_dev_name(plugged());
	int events[2];
	bool good;

	CHECK(pipe(events) == 0);
	CHECK(rte_dev_event_callback_register(name, on_event, &events[1]) == 0);
	good = kill_and_start_again(events[0]);
	CHECK(rte_dev_event_callback_unregister(name, on_event, &events[1]) == 1);
	close(events[0]);
	close(events[1]);
	return good;
}

static const struct test {
	const char *name;
	const char *fault;	/* of the device */
	bool refused;	/* by the driver */
	bool (*run)(void);
} tests[] = {
	{ "sums are right", "none", false, sums_are_right },
	{ "wrong lengths are errors", "none", false, wrong_lengths_are_errors },
	{ "memory that is not there", "none", false, memory_that_is_not_there_is_an_error },
	{ "a device that is another one is refused", "wrong-id", true, NULL },
	{ "a device that never ends", "never-done", false, a_device_that_never_ends_is_given_up },
	{ "a lost interrupt", "no-interrupt", false, a_lost_interrupt_loses_no_result },
	{ "all ones", "all-ones", false, all_ones_are_no_result },
	{ "a device that dies at work", "dies", false, a_device_that_dies_is_an_error },
	{ "a device that is killed", "none", false, a_device_that_is_killed_is_an_error },
	{ "a device that comes back", "none", false, a_device_that_comes_back_works },
};

/* Plug the device in, use it, pull it out. */
static bool
test_plugged(const struct test *test)
{
	int rc = rte_dev_probe(devargs);
	bool good;

	if (test->refused) {
		CHECK(rc < 0);
		CHECK(sum_get() == NULL);
		return true;
	}
	CHECK(rc == 0);
	CHECK(sum_get() != NULL);
	good = test->run();
	CHECK(rte_dev_remove(plugged()) == 0);
	CHECK(sum_get() == NULL);
	return good;
}

/* A new device for each test. */
static bool
test_run(const struct test *test)
{
	bool good = device_start(test->fault) && test_plugged(test);

	device_end(SIGTERM);
	printf("%s - %s\n", good ? "ok" : "not ok", test->name);
	return good;
}

/* EAL needs neither root nor huge pages, and looks at no device of this machine. */
static bool
eal_start(char *name)
{
	char huge[] = "--no-huge", memory[] = "--in-memory", allow[] = "-a", none[] = "00:00.0";
	char *argv[] = { name, huge, memory, allow, none, NULL };

	return rte_eal_init(5, argv) >= 0;
}

/* Tell the program of the device. */
int
main(int argc, char **argv)
{
	unsigned int i, failed = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DEVICE_PROGRAM\n", argv[0]);
		return 2;
	}
	program = argv[1];
	if (!eal_start(argv[0]))
		return EXIT_FAILURE;
	bytes = rte_malloc(NULL, SUM_LENGTH_MAX, 0);
	if (bytes == NULL || mkdtemp(folder) == NULL)
		return EXIT_FAILURE;
	snprintf(path, sizeof(path), "%s/sock", folder);
	snprintf(devargs, sizeof(devargs), "vfio-user:%s", path);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		failed += !test_run(&tests[i]);
	unlink(path);
	rmdir(folder);
	rte_free(bytes);
	if (rte_eal_cleanup() != 0)
		failed++;
	printf("%u of %u tests failed\n", failed, i);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
