/* SPDX-License-Identifier: BSD-3-Clause */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../vfio-user/devices.h"
#include "spawn_suite.h"
#include "test.h"
#include "vu_spawned.h"

#define ENV_PATH "VU_SPAWNED_PATH"
#define READY_FD 9

void
spawned_restart(struct spawned *server)
{
	posix_spawn_file_actions_t actions;
	char variable[160], ready;
	int pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	snprintf(variable, sizeof(variable), ENV_PATH "=%s", server->path);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], READY_FD);
	server->pid = spawn_suite("vu_spawned", variable, &actions);
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &ready, 1), 1);
	close(pipes[0]);
}

void
spawned_start(struct spawned *server)
{
	strcpy(server->dir, "/tmp/vuXXXXXX");
	assert_non_null(mkdtemp(server->dir));
	snprintf(server->path, sizeof(server->path), "%.15s/edu", server->dir);
	snprintf(server->name, sizeof(server->name), "vfio-user:%.15s/edu", server->dir);
	spawned_restart(server);
}

void
spawned_kill(struct spawned *server)
{
	int status = 0;

	assert_int_equal(kill(server->pid, SIGKILL), 0);
	assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
	assert_true(WIFSIGNALED(status));
	server->pid = 0;
}

void
spawned_end(struct spawned *server)
{
	if (server->pid > 0)
		spawned_kill(server);
	unlink(server->path);
	assert_int_equal(rmdir(server->dir), 0);
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
