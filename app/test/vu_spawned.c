/* SPDX-License-Identifier: BSD-3-Clause */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../vfio-user/devices.h"
#include "spawn_suite.h"
#include "test.h"
#include "vu_spawned.h"

#define ENV_PATH "VU_SPAWNED_PATH"
#define READY_FD 9

pid_t
spawned_edu(const char *path)
{
	posix_spawn_file_actions_t actions;
	char variable[160], ready;
	int pipes[2];
	pid_t pid;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	snprintf(variable, sizeof(variable), ENV_PATH "=%s", path);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], READY_FD);
	pid = spawn_suite("vu_spawned", variable, &actions);
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &ready, 1), 1);
	close(pipes[0]);
	return pid;
}

void
spawned_kill(pid_t pid)
{
	int status = 0;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* ---- the server ---- */

static void
test_serve_until_killed(void **state)
{
	const char *path = getenv(ENV_PATH);
	struct rte_vfio_user_pci *pci;

	(void)state;
	if (path == NULL)
		skip();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	assert_int_equal(device_edu.make(0, &pci), 0);
	assert_true(rte_vfio_user_pci_start(pci, path, NULL) >= 0);
	assert_int_equal(write(READY_FD, "", 1), 1);
	close(READY_FD);
	for (;;)
		pause();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_serve_until_killed),
};

TEST_SUITE(vu_spawned, "helper", tests, NULL, NULL)
