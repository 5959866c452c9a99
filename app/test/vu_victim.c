/* SPDX-License-Identifier: BSD-3-Clause */

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn_suite.h"
#include "test.h"
#include "vu_victim.h"

/* What a victim is to do is in its environment. */
#define ENV_STEP "VU_KILLED_STEP"
#define SOCK_FD 9	/* where a server finds its socket */

struct vu_peer vu_victim;

void __attribute__((noreturn))
vu_victim_die(void)
{
	for (;;)
		kill(getpid(), SIGKILL);
}

/* The number of a step goes to the victim. */
static pid_t
victim_start(char kind, size_t step, const char *path, int sock)
{
	posix_spawn_file_actions_t actions;
	char variable[160];
	pid_t pid;

	snprintf(variable, sizeof(variable), ENV_STEP "=%c%zu %s", kind, step, path);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (sock >= 0)
		posix_spawn_file_actions_adddup2(&actions, sock, SOCK_FD);
	pid = spawn_suite("vu_killed_victim", variable, &actions);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

pid_t
vu_victim_start_client(size_t step, const char *path)
{
	return victim_start('c', step, path, -1);
}

pid_t
vu_victim_start_server(size_t step, int sock)
{
	return victim_start('s', step, "", sock);
}

void
vu_victim_expect_killed(pid_t pid, const char *name)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail_msg("%s: the victim ended with status 0x%x", name, status);
}

/* Returns only if it was not killed, which the test then says. */
static void
test_be_killed(void **state)
{
	const char *what = getenv(ENV_STEP);
	char *path;
	size_t step;

	(void)state;
	if (what == NULL)
		skip();
	step = strtoul(what + 1, &path, 10);
	if (what[0] == 's') {
		peer_adopt(&vu_victim, SOCK_FD);
		vu_victim_be_server(step);
	} else {
		peer_connect(&vu_victim, path + 1);
		vu_victim_be_client(step);
		vu_victim_die();
	}
}

static const struct CMUnitTest victim_tests[] = {
	cmocka_unit_test(test_be_killed),
};

TEST_SUITE(vu_killed_victim, "helper", victim_tests, NULL, NULL)
