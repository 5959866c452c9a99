/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_served.h"
#include "vu_socket.h"

#include "test.h"

/* ---- socket files ---- */

static void
test_socket_has_the_permissions_asked_for(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .sock_mode = 0660 };
	struct served *served = *state;
	struct stat st;

	assert_int_equal(stat(served->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	served_stop(served);
	memset(served, 0, offsetof(struct served, before));
	served_start(served, &opt);
	assert_int_equal(stat(served->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
}

static int
bind_socket(const char *path, bool listening)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, path);
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	if (listening)
		assert_int_equal(listen(sock, 0), 0);
	return sock;
}

static void
test_what_is_at_the_path_already(void **state)
{
	struct served *base = *state;
	struct served *served = calloc(1, sizeof(*served));
	char path[96];
	int sock, fd, i;

	snprintf(path, sizeof(path), "%s/other", base->dir);
	served_register(served, path, NULL);
	sock = bind_socket(path, true);
	/* also with a full queue */
	for (i = 0; i < 3; i++)
		assert_int_equal(rte_vfio_user_start(path), -EADDRINUSE);
	assert_int_equal(access(path, F_OK), 0);
	close(sock);
	/* now nobody listens */
	assert_int_equal(rte_vfio_user_start(path), 0);
	served_stop(served);
	memset(served, 0, sizeof(*served));
	served_register(served, path, NULL);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(rte_vfio_user_start(path), -EEXIST);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	assert_int_equal(symlink("/nonexistent", path), 0);
	assert_int_equal(rte_vfio_user_start(path), -EEXIST);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(rte_vfio_user_start(path), -EEXIST);
	rmdir(path);
	assert_int_equal(rte_vfio_user_start(path), 0);
	served_stop(served);
	free(served);
}

/* At the end a file is removed only if it is still the one that was made. */
static void
test_file_of_somebody_else_stays(void **state)
{
	struct served *served = *state;
	int sock;

	assert_int_equal(unlink(served->path), 0);
	sock = bind_socket(served->path, true);
	assert_int_equal(rte_vfio_user_unregister(served->path), 0);
	assert_int_equal(access(served->path, F_OK), 0);
	close(sock);
	unlink(served->path);
	/* for the teardown */
	assert_int_equal(rte_vfio_user_register(served->path, NULL), 0);
}

static void
test_adopted_sockets(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt),
		.flags = RTE_VFIO_USER_F_SOCK_FD };
	struct served *base = *state;
	struct served *served = calloc(1, sizeof(*served));
	struct vu_peer peer;
	char path[96];
	uint32_t value = 1;
	int sock[2], i;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
	opt.sock_fd = sock[0];
	served_register(served, "a name", &opt);
	assert_int_equal(rte_vfio_user_start("a name"), 0);
	peer_adopt(&peer, sock[1]);
	assert_int_equal(peer_version(&peer, "{}"), 0);
	assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &value, 4), 0);
	peer_close(&peer);
	served_wait(&served->destroy_device, 1);
	served_stop(served);
	memset(served, 0, sizeof(*served));
	snprintf(path, sizeof(path), "%s/other", base->dir);
	opt.sock_fd = bind_socket(path, true);
	served_register(served, "a name", &opt);
	assert_int_equal(rte_vfio_user_start("a name"), 0);
	for (i = 0; i < 3; i++) {
		peer_open(&peer, path);
		assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &value, 4), 0);
		peer_close(&peer);
	}
	served_wait(&served->destroy_device, 3);
	served_stop(served);
	unlink(path);
	memset(served, 0, sizeof(*served));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
	opt.sock_fd = sock[0];
	served_register(served, "never started", &opt);
	served_stop(served);
	close(sock[1]);
	free(served);
}

/* ---- servers that start at a time on a path that one left behind ---- */

#define RACERS 4u
#define RACES  200u

struct racer {
	const char *path;
	pthread_barrier_t *barrier;
	struct vu_listener listener;
	int rc;
};

static void *
racer_main(void *arg)
{
	struct racer *racer = arg;

	pthread_barrier_wait(racer->barrier);
	racer->rc = vu_socket_listen(&racer->listener, racer->path, 0600);
	return NULL;
}

/* Returns who won. */
static struct racer *
race(struct racer *racers, const char *path)
{
	struct racer *winner = NULL;
	pthread_t thread[RACERS];
	pthread_barrier_t barrier;
	unsigned int i;

	pthread_barrier_init(&barrier, NULL, RACERS);
	for (i = 0; i < RACERS; i++) {
		racers[i].path = path;
		racers[i].barrier = &barrier;
		assert_int_equal(pthread_create(&thread[i], NULL, racer_main, &racers[i]), 0);
	}
	for (i = 0; i < RACERS; i++) {
		pthread_join(thread[i], NULL);
		if (racers[i].rc == 0) {
			assert_null(winner);
			winner = &racers[i];
		} else {
			assert_int_equal(racers[i].rc, -EADDRINUSE);
		}
	}
	pthread_barrier_destroy(&barrier);
	return winner;
}

/* The one that wins is the one that clients get at, and none of the others takes its file away. */
static void
test_of_servers_that_start_at_a_time_one_wins(void **state)
{
	struct served *served = *state;
	struct racer racers[RACERS], *winner;
	struct vu_peer peer;
	char path[96];
	unsigned int i, k;
	int sock;

	snprintf(path, sizeof(path), "%s/other", served->dir);
	for (i = 0; i < RACES; i++) {
		close(bind_socket(path, false));
		winner = race(racers, path);
		assert_non_null(winner);
		for (k = 0; k < RACERS; k++)
			if (&racers[k] != winner)
				vu_socket_close(&racers[k].listener, path);
		peer_connect(&peer, path);
		sock = vu_socket_accept(winner->listener.fd);
		assert_true(sock >= 0);
		close(sock);
		peer_close(&peer);
		vu_socket_close(&winner->listener, path);
		assert_int_equal(access(path, F_OK), -1);
	}
}

static const struct CMUnitTest tests[] = {
	SERVED_TEST(test_socket_has_the_permissions_asked_for),
	SERVED_TEST(test_what_is_at_the_path_already),
	SERVED_TEST(test_file_of_somebody_else_stays),
	SERVED_TEST(test_adopted_sockets),
	SERVED_TEST(test_of_servers_that_start_at_a_time_one_wins),
};

TEST_SUITE(vu_server_socket, "functional", tests, served_warm_up_sessions, NULL)
