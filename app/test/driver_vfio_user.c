/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>

#include "../vfio-user/devices.h"
#include "driver_vfio_user.h"
#include "spawn_suite.h"

/*
 * The server is this program again, with the suite at the end of this file. It says a byte when it
 * serves, and ends when we do or hang up.
 */
#define ENV_SERVE "DRIVER_SERVE"	/* number of devices, DEVICE_* of each, folder */
#define SERVER_FD 9

const uint32_t driver_vfio_user_msix = DEVICE_MSIX;

struct server {
	char dir[32];
	uint32_t flags;	/* DEVICE_* */
	pid_t pid;
	int sock;
	unsigned int nb_fds;	/* that it had before anybody came */
};

static void
socket_path(char *path, size_t size, const char *dir, unsigned int number)
{
	snprintf(path, size, "%s/edu%u.sock", dir, number);
}

/* What the server says goes there, and is shown when it ends badly. */
static void
said_path(char *path, size_t size, const struct server *server)
{
	snprintf(path, size, "%s/said", server->dir);
}

static void
said_show(const struct server *server)
{
	char path[64], line[256];
	FILE *said;

	said_path(path, sizeof(path), server);
	said = fopen(path, "re");
	while (said != NULL && fgets(line, sizeof(line), said) != NULL)
		print_error("server: %s", line);
	if (said != NULL)
		fclose(said);
}

static void
said_remove(const struct server *server)
{
	char path[64];

	said_path(path, sizeof(path), server);
	unlink(path);
}

static unsigned int
descriptors(pid_t pid)
{
	char path[32];
	unsigned int nb = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir) != NULL)
		nb++;
	closedir(dir);
	return nb;
}

static pid_t
server_spawn(const struct server *server, unsigned int nb, int sock)
{
	posix_spawn_file_actions_t actions;
	char variable[64], path[64];
	pid_t pid;

	said_path(path, sizeof(path), server);
	snprintf(variable, sizeof(variable), ENV_SERVE "=%u %u %s", nb, server->flags,
		server->dir);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	posix_spawn_file_actions_adddup2(&actions, sock, SERVER_FD);
	pid = spawn_suite("driver_server", variable, &actions);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static void
server_start(struct server *server, unsigned int nb)
{
	int sock[2];
	char byte;

	strcpy(server->dir, "/tmp/driver.XXXXXX");
	assert_non_null(mkdtemp(server->dir));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	server->pid = server_spawn(server, nb, sock[1]);
	close(sock[1]);
	server->sock = sock[0];
	assert_int_equal(read(server->sock, &byte, 1), 1);
	server->nb_fds = descriptors(server->pid);
}

/* All that clients gave it is closed soon after they have gone. */
static void
server_assert_as_before(const struct server *server)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	unsigned int left = DRIVER_TIMEOUT_MS;

	while (descriptors(server->pid) != server->nb_fds && --left > 0)
		nanosleep(&ms, NULL);
	assert_int_equal(descriptors(server->pid), server->nb_fds);
}

/* It takes its sockets along, so that the folder is empty. */
static void
server_stop(const struct server *server)
{
	int status = 0;

	close(server->sock);
	assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
	if (status != 0)
		said_show(server);
	said_remove(server);
	assert_int_equal(status, 0);
	assert_int_equal(rmdir(server->dir), 0);
}

void
driver_vfio_user_setup(struct driver_case *c)
{
	struct server *server = calloc(1, sizeof(*server));
	unsigned int i;
	char path[64];

	assert_non_null(server);
	c->priv = server;
	server->flags = c->transport->priv == NULL ? 0 : *(const uint32_t *)c->transport->priv;
	server_start(server, c->nb);
	for (i = 0; i < c->nb; i++) {
		socket_path(path, sizeof(path), server->dir, i);
		snprintf(c->device[i].devargs, sizeof(c->device[i].devargs), "vfio-user:%s", path);
	}
}

void
driver_vfio_user_teardown(struct driver_case *c)
{
	struct server *server = c->priv;

	server_assert_as_before(server);
	server_stop(server);
	free(server);
}

/* ---- the server ---- */

static void
device_serve(struct rte_vfio_user_pci **pci, uint32_t flags, const char *dir, unsigned int number)
{
	char path[64];

	socket_path(path, sizeof(path), dir, number);
	assert_int_equal(device_edu.make(flags, pci), 0);
	assert_true(rte_vfio_user_pci_start(*pci, path, NULL) >= 0);
}

static void
test_serve_until_the_other_side_hangs_up(void **state)
{
	struct rte_vfio_user_pci *pci[DRIVER_DEVICES_MAX];
	const char *what = getenv(ENV_SERVE);
	unsigned int i, nb = 0;
	uint32_t flags = 0;
	char dir[32], byte = 0;

	assert_non_null(what);
	assert_int_equal(sscanf(what, "%u %u %31s", &nb, &flags, dir), 3);
	assert_in_range(nb, 1, DRIVER_DEVICES_MAX);
	for (i = 0; i < nb; i++)
		device_serve(&pci[i], flags, dir, i);
	assert_int_equal(write(SERVER_FD, &byte, 1), 1);
	assert_int_equal(read(SERVER_FD, &byte, 1), 0);
	for (i = 0; i < nb; i++)
		device_edu.destroy(pci[i]);
}

static const struct CMUnitTest server_tests[] = {
	cmocka_unit_test(test_serve_until_the_other_side_hangs_up),
};

TEST_SUITE(driver_server, "helper", server_tests, NULL, NULL)
