/* SPDX-License-Identifier: BSD-3-Clause */

/* The folder for files of this process. */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>

#include "eal_command.h"
#include "eal_session.h"
#include "fake_process.h"
#include "test.h"

#define PREFIX "dpdk-test-dir"
#define START  "--no-pci --no-huge --file-prefix=" PREFIX

/* Numbers of users that nobody here has. */
#define USER  64711u
#define OTHER 64712u

static char base[32];
static char above[64];	/* what all folders of EAL are in */
static char folder[96];

static int
setup(void **state)
{
	(void)state;
	strcpy(base, "/tmp/eal-dir-XXXXXX");
	assert_non_null(mkdtemp(base));
	snprintf(above, sizeof(above), "%s/dpdk", base);
	snprintf(folder, sizeof(folder), "%s/" PREFIX, above);
	setenv("XDG_RUNTIME_DIR", base, 1);
	eal_log_capture();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rte_eal_cleanup();	/* a test may have done so */
	eal_log_release();
	unsetenv("XDG_RUNTIME_DIR");
	fake_process_set_own_user();
	remove(folder);
	remove(above);
	assert_int_equal(rmdir(base), 0);
	return 0;
}

static void
test_folder_is_there_while_eal_runs(void **state)
{
	char path[128];
	struct stat st;

	(void)state;
	assert_string_equal(rte_eal_get_runtime_dir(), "");
	assert_true(eal_command_init(START) >= 0);
	snprintf(path, sizeof(path), "%s", rte_eal_get_runtime_dir());
	if (path[0] == '\0')
		skip();
	assert_non_null(strstr(path, "/dpdk/" PREFIX));
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 077, 0);
	assert_int_equal(rte_eal_cleanup(), 0);
	assert_int_equal(stat(path, &st), -1);
	assert_string_equal(rte_eal_get_runtime_dir(), "");
}

/* ---- whose it is ---- */

enum owner {
	NOBODY,	/* it is not there */
	OURS,
	OTHERS,
	ROOTS,
};

/* Only root can give it to whom it likes; what others make is of a user that EAL does not have. */
static bool
folder_give(const char *path, enum owner owner)
{
	static const uid_t uids[] = { [OURS] = USER, [OTHERS] = OTHER, [ROOTS] = 0 };

	if (owner == NOBODY)
		return true;
	assert_int_equal(mkdir(path, 0700), 0);
	return geteuid() != 0 ? owner == OTHERS : chown(path, uids[owner], (gid_t)-1) == 0;
}

static const struct {
	enum owner above, folder;
	const char *message;	/* NULL: it is taken */
} owner_cases[] = {
	{ OURS, OURS, NULL },
	{ ROOTS, OURS, NULL },
	{ OTHERS, OURS, "/dpdk belongs to user " },
	{ OTHERS, NOBODY, "/dpdk belongs to user " },
	{ OURS, OTHERS, "/dpdk/" PREFIX " belongs to user " },
	{ OURS, ROOTS, "/dpdk/" PREFIX " belongs to user 0" },
	{ ROOTS, OTHERS, "/dpdk/" PREFIX " belongs to user " },
};

static void
folder_check(const char *message)
{
	assert_string_equal(rte_eal_get_runtime_dir(), message == NULL ? folder : "");
	if (message != NULL)
		assert_non_null(strstr(eal_log_text(), message));
}

static void
test_folder_of_another_user_is_refused(void **state)
{
	size_t i;

	(void)state;
	fake_process_set_user(USER);
	for (i = 0; i < RTE_DIM(owner_cases); i++) {
		if (folder_give(above, owner_cases[i].above) &&
				folder_give(folder, owner_cases[i].folder)) {
			assert_true(eal_command_init(START) >= 0);
			folder_check(owner_cases[i].message);
			assert_int_equal(rte_eal_cleanup(), 0);
		}
		rmdir(folder);
		rmdir(above);
	}
}

static void
test_what_is_no_folder_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir(above, 0700), 0);
	assert_int_equal(symlink(base, folder), 0);
	if (geteuid() == 0 && lchown(folder, USER, (gid_t)-1) == 0)
		fake_process_set_user(USER);
	assert_true(eal_command_init(START) >= 0);
	folder_check("/dpdk/" PREFIX " is no folder");
}

#define DIR_TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

static const struct CMUnitTest tests[] = {
	DIR_TEST(test_folder_is_there_while_eal_runs),
	DIR_TEST(test_folder_of_another_user_is_refused),
	DIR_TEST(test_what_is_no_folder_is_refused),
};

TEST_SUITE(eal_runtime_dir, "functional", tests, NULL, NULL)
