/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_common.h>

#include "spawn_suite.h"
#include "test.h"
#include "vu_served.h"

#define ENV_PATH "VU_LIFE_PATH"
#define SERVING '\1'	/* what it says when it does */

/* This program again: it serves at a path until its standard input ends. */
static void
test_serve_elsewhere(void **state)
{
	const char *path = getenv(ENV_PATH);
	struct served *served;
	char byte = SERVING;

	(void)state;
	if (path == NULL)
		skip();
	served = calloc(1, sizeof(*served));
	served_register(served, path, NULL);
	assert_int_equal(rte_vfio_user_start(path), 0);
	assert_int_equal(write(STDOUT_FILENO, &byte, 1), 1);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	served_stop(served);
	free(served);
}

struct elsewhere {
	pid_t pid;
	int in;
	int out;
};

static void
elsewhere_start(struct elsewhere *e, const char *path)
{
	posix_spawn_file_actions_t actions;
	char variable[128], byte = 0;
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	snprintf(variable, sizeof(variable), ENV_PATH "=%s", path);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	e->pid = spawn_suite("vu_life_server", variable, &actions);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	e->in = in[1];
	e->out = out[0];
	/* what cmocka says comes first */
	while (byte != SERVING)
		assert_int_equal(read(e->out, &byte, 1), 1);
}

static void
elsewhere_end(struct elsewhere *e)
{
	int status = 0;
	char buf[256];

	close(e->in);
	while (read(e->out, buf, sizeof(buf)) > 0)
		;
	close(e->out);
	assert_int_equal(waitpid(e->pid, &status, 0), e->pid);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
}

static void
test_live_socket_of_another_process_stays(void **state)
{
	struct served *served = *state;
	struct served *own = calloc(1, sizeof(*own));
	struct elsewhere other;
	struct vu_peer peer;
	uint32_t value = 1;
	char path[96];

	snprintf(path, sizeof(path), "%s/other", served->dir);
	elsewhere_start(&other, path);
	served_register(own, path, NULL);
	assert_int_equal(rte_vfio_user_start(path), -EADDRINUSE);
	served_expect(path);
	/* nor while it has a client and accepts nobody */
	peer_open(&peer, path);
	assert_int_equal(rte_vfio_user_start(path), -EADDRINUSE);
	assert_int_equal(rte_vfio_user_start(path), -EADDRINUSE);
	assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &value, sizeof(value)), 0);
	peer_close(&peer);
	/* the end of a session that never had it leaves it there */
	assert_int_equal(rte_vfio_user_unregister(path), 0);
	assert_int_equal(access(path, F_OK), 0);
	served_expect(path);
	assert_int_equal(rte_vfio_user_register(path, NULL), 0);
	elsewhere_end(&other);
	assert_int_equal(access(path, F_OK), -1);
	served_stop(own);
	free(own);
}

static void
test_socket_of_a_killed_process_is_replaced(void **state)
{
	struct served *served = *state;
	struct served *own = calloc(1, sizeof(*own));
	struct elsewhere other;
	struct stat st;
	char path[96];

	snprintf(path, sizeof(path), "%s/other", served->dir);
	elsewhere_start(&other, path);
	kill(other.pid, SIGKILL);
	elsewhere_end(&other);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	served_register(own, path, NULL);
	assert_int_equal(rte_vfio_user_start(path), 0);
	served_expect(path);
	served_stop(own);
	free(own);
}

static void
test_permissions_are_set_before_anybody_can_connect(void **state)
{
	static const mode_t modes[] = { 0600, 0660, 0666, 0777, 0200 };
	struct served *served = *state;
	struct served *own = calloc(1, sizeof(*own));
	mode_t mask = umask(0);
	struct stat st;
	char path[96];
	size_t i;

	snprintf(path, sizeof(path), "%s/other", served->dir);
	for (i = 0; i < 2 * RTE_DIM(modes); i++) {
		struct rte_vfio_user_options opt = { .size = sizeof(opt),
			.sock_mode = modes[i / 2] };

		/* whatever the mask */
		umask(i % 2 == 0 ? 0 : 0777);
		memset(own, 0, sizeof(*own));
		served_register(own, path, &opt);
		assert_int_equal(rte_vfio_user_start(path), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i / 2]);
		served_stop(own);
	}
	umask(mask);
	free(own);
}

static void
test_directory_that_forbids_or_is_not_there(void **state)
{
	struct served *served = *state;
	struct served *own = calloc(1, sizeof(*own));
	char path[96];

	snprintf(path, sizeof(path), "%s/no/sock", served->dir);
	served_register(own, path, NULL);
	assert_int_equal(rte_vfio_user_start(path), -ENOENT);
	path[strlen(served->dir) + 3] = '\0';
	assert_int_equal(mkdir(path, 0500), 0);
	/* root may do all things */
	assert_int_equal(rte_vfio_user_start(own->path), geteuid() == 0 ? 0 : -EACCES);
	served_stop(own);
	assert_int_equal(rmdir(path), 0);
	free(own);
}

static const struct CMUnitTest tests[] = {
	SERVED_TEST(test_live_socket_of_another_process_stays),
	SERVED_TEST(test_socket_of_a_killed_process_is_replaced),
	SERVED_TEST(test_permissions_are_set_before_anybody_can_connect),
	SERVED_TEST(test_directory_that_forbids_or_is_not_there),
};

TEST_SUITE(vu_life_socket, "functional", tests, served_warm_up_sessions, NULL)

static const struct CMUnitTest server_tests[] = {
	cmocka_unit_test(test_serve_elsewhere),
};

TEST_SUITE(vu_life_server, "helper", server_tests, NULL, NULL)
