/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_devargs.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "eal_command.h"
#include "fake_bus.h"
#include "test.h"

static struct eal_command line;
static char *logged;
static size_t logged_len;
static FILE *stream;

static int
init(const char *text)
{
	eal_command_make(&line, text);
	rte_errno = 0;
	return rte_eal_init(line.argc, line.argv);
}

static void
init_ok(const char *text)
{
	if (init(text) < 0)
		fail_msg("\"%s\" is refused: %s", text, rte_strerror(rte_errno));
}

static int
start(void **state)
{
	(void)state;
	fake_bus_add();
	stream = open_memstream(&logged, &logged_len);
	rte_openlog_stream(stream);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	rte_eal_cleanup();
	rte_openlog_stream(NULL);
	fclose(stream);
	free(logged);
	fake_bus_remove();
	return 0;
}

static const struct {
	const char *text;
	int taken;
	const char *rest;	/* of the words after the program's name, each ended by ";" */
} taken_cases[] = {
	{ "--no-pci", 1, "" },
	{ "--no-pci word", 1, "word;" },
	{ "--no-pci -- --word -x", 2, "--word;-x;" },
	{ "--no-pci --", 2, "" },
	{ "--no-pci -m 8 -- x", 4, "x;" },
	{ "--no-pci -m8 x --no-huge", 2, "x;--no-huge;" },
	{ "--no-pci - x", 1, "-;x;" },
	{ "--file-prefix=a --no-pci x", 2, "x;" },
	{ "--file-prefix a --no-pci x", 3, "x;" },
};

static void
test_program_finds_its_own_arguments(void **state)
{
	char rest[64];
	size_t i;
	int j, taken;

	(void)state;
	for (i = 0; i < RTE_DIM(taken_cases); i++) {
		taken = init(taken_cases[i].text);
		rest[0] = '\0';
		for (j = taken + 1; j < line.argc; j++)
			strcat(strcat(rest, line.argv[j]), ";");
		if (taken != taken_cases[i].taken || strcmp(rest, taken_cases[i].rest) != 0)
			fail_msg("\"%s\": %d, \"%s\"", taken_cases[i].text, taken, rest);
		assert_string_equal(line.argv[taken], "dpdk-test");
		rte_eal_cleanup();
	}
}

static const struct {
	const char *text;
	const char *message;	/* what the user reads */
} wrong_cases[] = {
	{ "--foo", "option --foo: not known" },
	{ "--foo=3", "option --foo: not known" },
	{ "-Z", "option -Z: not known" },
	{ "--no-hug", "option --no-hug: not known" },
	{ "--no-pci=1", "option --no-pci: \"1\": it takes no value" },
	{ "-vx", "option -v: \"x\": it takes no value" },
	{ "-m", "option -m: its value is missing" },
	{ "--file-prefix", "option --file-prefix: its value is missing" },
	{ "-m 0", "option -m: \"0\": out of range" },
	{ "-m -5", "option -m: \"-5\": not a number" },
	{ "-m 5x", "option -m: \"5x\": not a number" },
	{ "-m 99999999999999999999", "out of range" },
	{ "-m 18446744073709551", "out of range" },
	{ "--iova-mode=dc", "option --iova-mode: \"dc\": neither pa nor va" },
	{ "--vfio-intr=intx", "option --vfio-intr: \"intx\": neither legacy nor msi nor msix" },
	{ "--vfio-vf-token=1234", "option --vfio-vf-token: \"1234\": not a UUID" },
	{ "--base-virtaddr=xyz", "option --base-virtaddr: \"xyz\": not a hexadecimal number" },
	{ "--base-virtaddr=ffffffffffffffff", "out of range" },
	{ "--file-prefix=a/b", "option --file-prefix: \"a/b\": not the start of a file's name" },
	{ "--file-prefix=", "not the start of a file's name" },
	{ "--file-prefix=..", "not the start of a file's name" },
	{ "--log-level=9", "option --log-level: \"9\": not a log level" },
	{ "--log-level=0", "not a log level" },
	{ "--log-level=x:loud", "not a log level" },
	{ "--log-level=x:", "not a log level" },
	{ "--log-level=:debug", "no log type is named" },
	{ "--log-level=\\(,debug", "not a regular expression" },
	{ "-a", "option -a: its value is missing" },
	{ "--allow=", "option --allow: \"\": the value is empty" },
	{ "-a d1 -b d2", "option -b: \"d2\": devices are either allowed or blocked" },
	{ "--block=d1 --allow=d2", "option --allow: \"d2\": devices are either" },
	{ "-a other", "device \"other\": no bus knows such a device" },
	{ "-a fake:other", "device \"other\": it is no device of bus fake" },
	{ "-a class=fakeclass", "device \"class=fakeclass\": no bus is named" },
	{ "-l 0-3", "option -l: EAL starts no threads" },
	{ "--lcores=0", "option --lcores: EAL starts no threads" },
	{ "-n 4", "option -n: memory" },
	{ "--vdev=net_null0", "option --vdev: there is no bus" },
};

static void
test_wrong_option_is_named_with_the_reason(void **state)
{
	size_t i;
	char text[64];

	(void)state;
	for (i = 0; i < RTE_DIM(wrong_cases); i++) {
		snprintf(text, sizeof(text), "--no-pci %s", wrong_cases[i].text);
		fseek(stream, 0, SEEK_SET);
		if (init(text) != -1 || rte_errno != EINVAL)
			fail_msg("\"%s\": %s", text, rte_strerror(rte_errno));
		fflush(stream);
		if (strstr(logged, wrong_cases[i].message) == NULL)
			fail_msg("\"%s\": the user reads \"%s\"", text, logged);
		assert_int_equal(rte_eal_cleanup(), -EALREADY);
	}
}

static void
test_defaults(void **state)
{
	static const rte_uuid_t null;
	rte_uuid_t token;

	(void)state;
	init_ok("--no-pci");
	assert_false(rte_eal_has_pci());
	assert_true(rte_eal_has_hugepages());
	assert_false(rte_eal_create_uio_dev());
	assert_int_equal(rte_eal_vfio_intr_mode(), RTE_INTR_MODE_NONE);
	assert_int_equal(rte_eal_process_type(), RTE_PROC_PRIMARY);
	assert_true(rte_eal_get_baseaddr() != 0);
	rte_eal_vfio_get_vf_token(token);
	assert_memory_equal(token, null, sizeof(null));
}

static void
test_options_settle_the_facts(void **state)
{
	static const rte_uuid_t want = RTE_UUID_INIT(0x01234567, 0x89ab, 0xcdef, 0x0123,
		UINT64_C(0x456789abcdef));
	rte_uuid_t token;

	(void)state;
	init_ok("--no-pci --no-huge --in-memory --create-uio-dev --iova-mode va --vfio-intr=msi "
		"--vfio-vf-token=01234567-89ab-cdef-0123-456789abcdef "
		"--base-virtaddr=0x200000001");
	assert_false(rte_eal_has_hugepages());
	assert_true(rte_eal_create_uio_dev());
	assert_int_equal(rte_eal_iova_mode(), RTE_IOVA_VA);
	assert_int_equal(rte_eal_vfio_intr_mode(), RTE_INTR_MODE_MSI);
	rte_eal_vfio_get_vf_token(token);
	assert_memory_equal(token, want, sizeof(want));
	assert_int_equal(rte_eal_get_baseaddr(), 0x201000000);
	assert_string_equal(rte_eal_get_runtime_dir(), "");
}

static void
test_facts_do_not_outlive_cleanup(void **state)
{
	(void)state;
	init_ok("--no-pci --no-huge --vfio-intr=legacy -b d1");
	assert_int_equal(rte_devargs_type_count(RTE_DEVTYPE_BLOCKED), 1);
	rte_eal_cleanup();
	assert_true(rte_eal_has_pci());
	assert_true(rte_eal_has_hugepages());
	assert_int_equal(rte_eal_vfio_intr_mode(), RTE_INTR_MODE_NONE);
	assert_int_equal(rte_eal_iova_mode(), RTE_IOVA_DC);
	assert_int_equal(rte_devargs_type_count(RTE_DEVTYPE_BLOCKED), 0);
	assert_int_equal(fake_bus.bus.conf.scan_mode, RTE_BUS_SCAN_UNDEFINED);
}

static const struct {
	const char *text;
	uint32_t probed;	/* bit n: device dn */
} policy_cases[] = {
	{ "", 0xe },
	{ "-a d2", 0x4 },
	{ "--allow=d2 -a fake:d03", 0xc },
	{ "-a bus=fake,number=1/driver=x", 0x2 },
	{ "-b d2", 0xa },
	{ "--block d2 -b d003", 0x2 },
	{ "-a d7", 0 },
};

static void
test_devices_are_used_as_allowed(void **state)
{
	uint32_t probed;
	unsigned int j;
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(policy_cases); i++) {
		snprintf(text, sizeof(text), "--no-pci %s", policy_cases[i].text);
		init_ok(text);
		probed = 0;
		for (j = 0; j < FAKE_BUS_DEVICES; j++)
			if (fake_bus_device(j) != NULL && rte_dev_is_probed(fake_bus_device(j)))
				probed |= 1u << j;
		if (probed != policy_cases[i].probed)
			fail_msg("\"%s\": 0x%x", text, probed);
		rte_eal_cleanup();
	}
}

static const struct {
	const char *text;
	uint32_t level;	/* of "option.before" and "option.after" */
} level_cases[] = {
	{ "option.*:debug", RTE_LOG_DEBUG },
	{ "option.*:8", RTE_LOG_DEBUG },
	{ "option.*:max", RTE_LOG_DEBUG },
	{ "option.*:crit", RTE_LOG_CRIT },
	{ "option.*:e", RTE_LOG_EMERG },
	{ "option.*:err", RTE_LOG_ERR },
	{ "option\\.[ab],notice", RTE_LOG_NOTICE },
	{ "other:debug", RTE_LOG_INFO },
};

static void
test_log_level_holds_for_types_registered_before_and_after(void **state)
{
	char text[64];
	int before, after;
	size_t i;

	(void)state;
	before = rte_log_register("option.before");
	for (i = 0; i < RTE_DIM(level_cases); i++) {
		rte_log_set_level(before, RTE_LOG_INFO);
		snprintf(text, sizeof(text), "--no-pci --log-level=%s", level_cases[i].text);
		init_ok(text);
		snprintf(text, sizeof(text), "option.after%zu", i);
		after = rte_log_register_type_and_pick_level(text, RTE_LOG_INFO);
		if (rte_log_get_level(before) != (int)level_cases[i].level ||
				rte_log_get_level(after) != (int)level_cases[i].level)
			fail_msg("\"%s\": %d, %d", level_cases[i].text,
				rte_log_get_level(before), rte_log_get_level(after));
		rte_eal_cleanup();
		assert_int_equal(rte_log_register_type_and_pick_level(text, RTE_LOG_INFO), after);
		assert_int_equal(rte_log_get_level(after), RTE_LOG_INFO);
	}
}

static void
test_log_level_without_a_type_is_global(void **state)
{
	(void)state;
	init_ok("--no-pci --log-level error");
	assert_int_equal(rte_log_get_global_level(), RTE_LOG_ERR);
	rte_log_set_global_level(RTE_LOG_MAX);
}

static const struct {
	const char *text;
	int rc;
	const char *message;
} plugin_cases[] = {
	{ "-d /nonexistent/driver.so", ENOENT, "driver /nonexistent/driver.so: No such file" },
	{ "-d no_such_driver.so", ENOEXEC, "driver no_such_driver.so: " },
	{ "-d /proc/self/status", ENOEXEC, "driver /proc/self/status: " },
	{ "-d /tmp", EPERM, "driver /tmp: anybody may write to it" },
};

static void
test_driver_that_cannot_be_loaded_is_named(void **state)
{
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(plugin_cases); i++) {
		snprintf(text, sizeof(text), "--no-pci %s", plugin_cases[i].text);
		fseek(stream, 0, SEEK_SET);
		assert_int_equal(init(text), -1);
		fflush(stream);
		if (rte_errno != plugin_cases[i].rc ||
				strstr(logged, plugin_cases[i].message) == NULL)
			fail_msg("\"%s\": %s: %s", text, rte_strerror(rte_errno), logged);
	}
}

static void
test_driver_in_a_folder_that_anybody_may_write_is_refused(void **state)
{
	char dir[] = "/tmp/dpdk-test-XXXXXX", file[64], text[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/driver.so", dir);
	fclose(fopen(file, "we"));
	assert_int_equal(chmod(file, 0666), 0);
	snprintf(text, sizeof(text), "--no-pci -d %s", dir);
	fseek(stream, 0, SEEK_SET);
	assert_int_equal(init(text), -1);
	fflush(stream);
	unlink(file);
	rmdir(dir);
	assert_int_equal(rte_errno, EPERM);
	assert_non_null(strstr(logged, "driver.so: anybody may write to it"));
}

/* Runs a function in a child of the process whose output goes to *text, to be freed. */
static int
output_of(void (*run)(void), char **text)
{
	size_t len = 0;
	FILE *out = open_memstream(text, &len);
	int fds[2], status, c;
	FILE *in;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		run();
		_exit(100);
	}
	close(fds[1]);
	in = fdopen(fds[0], "r");
	while ((c = fgetc(in)) != EOF)
		fputc(c, out);
	fclose(in);
	fclose(out);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The folder of this program, where the build puts sample_plugin.so. */
static void
plugin_dir(char *dir, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", dir, size - 1);

	assert_true(len > 0);
	dir[len] = '\0';
	*strrchr(dir, '/') = '\0';
}

static void
test_driver_is_loaded_by_file(void **state)
{
	char dir[256], text[512];

	(void)state;
	plugin_dir(dir, sizeof(dir));
	snprintf(text, sizeof(text), "%s/sample_plugin.so", dir);
	if (access(text, R_OK) < 0)
		skip();
	unsetenv("SAMPLE_PLUGIN");
	snprintf(text, sizeof(text), "--no-pci -d %s/sample_plugin.so", dir);
	init_ok(text);
	assert_string_equal(getenv("SAMPLE_PLUGIN"), "loaded");
}

static void
run_plugin_dir(void)
{
	char dir[256], link[300], text[300], target[300];
	char folder[] = "/tmp/dpdk-test-XXXXXX";
	int rc;

	plugin_dir(dir, sizeof(dir));
	assert_non_null(mkdtemp(folder));
	snprintf(target, sizeof(target), "%s/sample_plugin.so", dir);
	snprintf(link, sizeof(link), "%s/a.so", folder);
	snprintf(text, sizeof(text), "--no-pci -d %s", folder);
	rc = symlink(target, link) == 0 ? init(text) : -1;
	unlink(link);
	rmdir(folder);
	_exit(rc == 3 && getenv("SAMPLE_PLUGIN") != NULL ? 9 : EXIT_FAILURE);
}

static void
test_drivers_are_loaded_by_folder(void **state)
{
	char dir[256], text[512];
	char *output;

	(void)state;
	plugin_dir(dir, sizeof(dir));
	snprintf(text, sizeof(text), "%s/sample_plugin.so", dir);
	if (access(text, R_OK) < 0)
		skip();
	unsetenv("SAMPLE_PLUGIN");
	assert_int_equal(output_of(run_plugin_dir, &output), 9);
	free(output);
}

static void
test_folder_without_drivers_loads_nothing(void **state)
{
	char dir[] = "/tmp/dpdk-test-XXXXXX";
	char text[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(text, sizeof(text), "--no-pci -d %s", dir);
	init_ok(text);
	rmdir(dir);
}

static void
print_usage(const char *prgname)
{
	printf("usage of the program itself: %s\n", prgname);
}

static void
run_help(void)
{
	rte_set_application_usage_hook(print_usage);
	init("--help");
}

static void
test_help_lists_the_options_and_ends_the_program(void **state)
{
	static const char *const options[] = {
		"-a, --allow", "-b, --block", "--no-pci", "-d ", "-m ", "--no-huge", "--in-memory",
		"--iova-mode", "--log-level", "--vfio-intr", "--vfio-vf-token", "--base-virtaddr",
		"--file-prefix", "-h, --help", "-v, --version",
		"usage of the program itself: dpdk-test",
	};
	char *text;
	size_t i;

	(void)state;
	assert_int_equal(output_of(run_help, &text), EXIT_SUCCESS);
	for (i = 0; i < RTE_DIM(options); i++)
		if (strstr(text, options[i]) == NULL)
			fail_msg("the help does not tell about %s", options[i]);
	free(text);
}

static void
run_version(void)
{
	int rc = init("--no-pci -v");

	fflush(stdout);
	_exit(rc == 2 ? 7 : EXIT_FAILURE);
}

static void
test_version_is_printed_and_the_program_goes_on(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(output_of(run_version, &text), 7);
	assert_non_null(strstr(text, "DPDK-VFIO "));
	free(text);
}

#define OPTIONS_TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

static const struct CMUnitTest tests[] = {
	OPTIONS_TEST(test_program_finds_its_own_arguments),
	OPTIONS_TEST(test_wrong_option_is_named_with_the_reason),
	OPTIONS_TEST(test_defaults),
	OPTIONS_TEST(test_options_settle_the_facts),
	OPTIONS_TEST(test_facts_do_not_outlive_cleanup),
	OPTIONS_TEST(test_devices_are_used_as_allowed),
	OPTIONS_TEST(test_log_level_holds_for_types_registered_before_and_after),
	OPTIONS_TEST(test_log_level_without_a_type_is_global),
	OPTIONS_TEST(test_driver_that_cannot_be_loaded_is_named),
	OPTIONS_TEST(test_driver_in_a_folder_that_anybody_may_write_is_refused),
	OPTIONS_TEST(test_folder_without_drivers_loads_nothing),
	OPTIONS_TEST(test_drivers_are_loaded_by_folder),
	OPTIONS_TEST(test_driver_is_loaded_by_file),
	OPTIONS_TEST(test_help_lists_the_options_and_ends_the_program),
	OPTIONS_TEST(test_version_is_printed_and_the_program_goes_on),
};

TEST_SUITE(options, "functional", tests, NULL, NULL)
