/* SPDX-License-Identifier: BSD-3-Clause */

/* Sessions: registration, socket files, clients that come and go, many at a time, poll mode. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>

#include "interpose.h"
#include "vu_served.h"

#include "test.h"

/* ---- registration ---- */

static void
test_registration_and_its_errors(void **state)
{
	struct served *served = *state;
	struct rte_vfio_user_options opt = { .size = sizeof(opt) };
	struct vfio_device_info info = { .argsz = sizeof(info) };
	char path[109], buf[96];

	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(rte_vfio_user_register(NULL, NULL), -EINVAL);
	assert_int_equal(rte_vfio_user_register("", NULL), -EINVAL);
	assert_int_equal(rte_vfio_user_register(path, NULL), -EINVAL);
	assert_int_equal(rte_vfio_user_register(served->path, NULL), -EEXIST);
	assert_int_equal(rte_vfio_user_start(served->path), -EBUSY);
	assert_int_equal(rte_vfio_user_set_dev_info(served->path, &info), -EBUSY);
	assert_int_equal(rte_vfio_user_start("/nowhere"), -ENOENT);
	assert_int_equal(rte_vfio_user_unregister("/nowhere"), -ENOENT);
	assert_int_equal(rte_vfio_user_set_dev_info("/nowhere", &info), -ENOENT);
	assert_int_equal(rte_vfio_user_dev_id("/nowhere"), -ENOENT);
	assert_int_equal(rte_vfio_get_sock_addr(served->dev_id, buf, sizeof(buf)), 0);
	assert_string_equal(buf, served->path);
	assert_int_equal(rte_vfio_get_sock_addr(served->dev_id, buf, strlen(served->path)),
		-ENOSPC);
	assert_int_equal(rte_vfio_get_sock_addr(served->dev_id + 1, buf, sizeof(buf)), -ENODEV);
	assert_int_equal(rte_vfio_get_sock_addr(-1, buf, sizeof(buf)), -ENODEV);
	opt.flags = 0x8000;
	assert_int_equal(rte_vfio_user_register_opt("/x", NULL, &opt), -EINVAL);
	opt.flags = RTE_VFIO_USER_F_SOCK_FD;
	opt.sock_fd = 0x7fff;
	assert_int_equal(rte_vfio_user_register_opt("/x", NULL, &opt), -EINVAL);
	opt.flags = 0;
	opt.max_dma_maps = 65536;
	assert_int_equal(rte_vfio_user_register_opt("/x", NULL, &opt), -EINVAL);
	opt.max_dma_maps = 0;
	assert_int_equal(rte_vfio_user_register_opt("/x", NULL, &opt), 0);
	assert_int_equal(rte_vfio_user_start("/x"), -EINVAL);
	assert_int_equal(rte_vfio_user_poll(rte_vfio_user_dev_id("/x")), -EINVAL);
	assert_int_equal(rte_vfio_user_unregister("/x"), 0);
}

static void
test_regions_that_make_no_sense(void **state)
{
	struct vfio_region_info good = { .argsz = 32, .flags = 3, .size = 4096 };
	struct rte_vfio_user_regions *regions = calloc(1, sizeof(*regions) +
		sizeof(regions->reg_info[0]));
	struct vfio_region_info info;
	char memory[16];

	(void)state;
	regions->reg_num = 1;
	regions->reg_info[0].fd = -1;
	assert_int_equal(rte_vfio_user_register("/x", NULL), 0);
	assert_int_equal(rte_vfio_user_set_reg_info("/x", regions), -EINVAL);
	regions->reg_info[0].info = &info;
	info = good;
	assert_int_equal(rte_vfio_user_set_reg_info("/x", regions), -EINVAL);
	regions->reg_info[0].base = memory;
	assert_int_equal(rte_vfio_user_set_reg_info("/x", regions), 0);
	info.argsz = 31;
	assert_int_equal(rte_vfio_user_set_reg_info("/x", regions), -EINVAL);
	info = good;
	info.index = 1;
	assert_int_equal(rte_vfio_user_set_reg_info("/x", regions), -EINVAL);
	info = good;
	info.flags |= VFIO_REGION_INFO_FLAG_MMAP;
	assert_int_equal(rte_vfio_user_set_reg_info("/x", regions), -EINVAL);
	info = good;
	info.size = UINT64_MAX;
	assert_int_equal(rte_vfio_user_set_reg_info("/x", regions), -EINVAL);
	assert_int_equal(rte_vfio_user_unregister("/x"), 0);
	free(regions);
}

/* Each system call and allocation of a start fails in turn: an error, and nothing is left. */
static void
test_each_failure_of_a_start_leaves_nothing(void **state)
{
	struct served *base = *state;
	struct served *served = calloc(1, sizeof(*served));
	struct rte_vfio_user_options opt = { .size = sizeof(opt) };
	struct interpose_loop loop;
	struct vu_peer peer;
	char path[96];
	uint32_t mode;
	int rc;

	snprintf(path, sizeof(path), "%s/other", base->dir);
	for (mode = 0; mode < 2; mode++) {
		opt.flags = mode * RTE_VFIO_USER_F_POLL;
		INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
			interpose_bypass_begin();
			served_register(served, path, &opt);
			interpose_bypass_end();
			rc = rte_vfio_user_start(path);
			interpose_disarm();
			if (rc == 0 && mode == 0) {
				peer_open(&peer, path);
				peer_close(&peer);
				served_wait(&served->destroy_device, 1);
			}
			served_stop(served);
			memset(served, 0, sizeof(*served));
		}
	}
	free(served);
}

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

/* ---- clients ---- */

static void
test_next_client_is_welcome_at_once(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	uint32_t i, got;

	for (i = 1; i <= 200; i++) {
		peer_open(&peer, served->path);
		assert_int_equal(peer_read(&peer, SERVED_REGS, 0, &got, sizeof(got)), 0);
		assert_int_equal(got, i - 1);
		assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &i, sizeof(i)), 0);
		peer_close(&peer);
	}
	served_wait(&served->destroy_device, 200);
	assert_int_equal(served->new_device, 200);
}

static void
test_second_client_waits(void **state)
{
	struct served *served = *state;
	struct vu_peer first, second;
	uint32_t value = 0;

	peer_open(&first, served->path);
	peer_connect(&second, served->path);
	peer_send(&second, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	peer_expect_silence(&second);
	assert_int_equal(peer_write(&first, SERVED_REGS, 0, &value, 4), 0);
	peer_close(&first);
	assert_true(peer_receive(&second));
	assert_int_equal(second.hdr.cmd, VU_VERSION);
	assert_int_equal(peer_write(&second, SERVED_REGS, 0, &value, 4), 0);
	peer_close(&second);
}

static void
test_header_in_pieces(void **state)
{
	struct served *served = *state;
	uint8_t message[16 + 16] = { 9, 0, VU_REGION_READ, 0, sizeof(message) };
	struct vu_region_access access = { .region = SERVED_REGS, .count = 4 };
	struct vu_peer peer;
	size_t i;

	memcpy(message + 16, &access, sizeof(access));
	peer_open(&peer, served->path);
	for (i = 1; i < sizeof(message); i++) {
		peer_send_raw(&peer, message, i, NULL, 0);
		if (i % 8 == 1)
			usleep(1000);
		peer_send_raw(&peer, message + i, sizeof(message) - i, NULL, 0);
		assert_true(peer_receive(&peer));
		assert_int_equal(peer.hdr.id, 9);
		assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	}
	peer_close(&peer);
}

/* ---- callbacks and threads ---- */

static atomic_int hook_rc;

static int
hook_unregister(struct served *served, uint64_t value)
{
	struct served *other = served->priv;

	(void)value;
	atomic_store(&hook_rc, rte_vfio_user_unregister(served->path));
	assert_int_equal(rte_vfio_user_unregister(other->path), 0);
	assert_int_equal(rte_vfio_user_register("/x", NULL), 0);
	assert_int_equal(rte_vfio_user_unregister("/x"), 0);
	return 0;
}

static void
test_callbacks_may_call_the_library(void **state)
{
	struct served *served = *state;
	struct served *other = calloc(1, sizeof(*other));
	struct vu_peer peer, second;
	uint64_t value = 0;

	served_start(other, NULL);
	served->hook = hook_unregister;
	served->priv = other;
	peer_open(&peer, served->path);
	peer_open(&second, other->path);
	assert_int_equal(peer_write(&peer, SERVED_REGS, SERVED_REG_HOOK, &value, 8), 0);
	assert_int_equal(hook_rc, -EBUSY);
	assert_int_equal(other->destroy_device, 1);
	peer_expect_closed(&second);
	peer_close(&second);
	peer_close(&peer);
	/* for the end of the other one */
	assert_int_equal(rte_vfio_user_register(other->path, NULL), 0);
	served_stop(other);
	free(other);
}

#define THREADS 4

static void *
churn_main(void *arg)
{
	struct served *served = calloc(1, sizeof(*served));
	struct vu_peer peer;
	uint32_t i;

	(void)arg;
	for (i = 0; i < 20; i++) {
		memset(served, 0, sizeof(*served));
		served_start(served, NULL);
		peer_open(&peer, served->path);
		assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &i, sizeof(i)), 0);
		if (i % 2 == 0)
			served_stop(served);
		peer_close(&peer);
		if (i % 2 == 1)
			served_stop(served);
	}
	free(served);
	return NULL;
}

static void
churn(void)
{
	pthread_t thread[THREADS];
	unsigned int i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, churn_main, NULL), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

/* Threads leave a few bytes behind for others to use again. A leak is there each time. */
static void
test_register_and_unregister_in_many_threads(void **state)
{
	unsigned int rounds = 5, differences;
	struct resources before;
	char text[1024];

	(void)state;
	do {
		resources_take(&before);
		churn();
		differences = resources_diff_settled(&before, text, sizeof(text));
		resources_drop(&before);
	} while (differences > 0 && --rounds > 0);
	if (rounds == 0)
		fail_msg("left each time: %s", text);
}

/* After a test that counts itself what it leaves behind. */
static int
teardown_uncounted(void **state)
{
	struct served *served = *state;

	served_stop(served);
	resources_drop(&served->before);
	free(served);
	return 0;
}

/* ---- many ---- */

#define MANY 1000u
#define FDS_EACH 5u	/* of a session and its client, both here */

/* As many as there can be descriptors for. */
static uint32_t
many_allowed(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return (uint32_t)RTE_MIN(MANY, limit.rlim_cur / (FDS_EACH + 1));
}

static void
test_stuck_and_flooding_clients_delay_nobody(void **state)
{
	struct served *served = *state;
	const uint32_t nb = many_allowed();
	struct served *many = calloc(nb, sizeof(*many));
	struct vu_peer *peers = calloc(nb, sizeof(*peers));
	struct vu_peer peer;
	uint8_t flood[36 * 100];
	struct vu_hdr hdr = { .cmd = VU_REGION_READ, .size = 32 };
	struct vu_region_access access = { .region = SERVED_LARGE, .count = 1048576 };
	uint32_t i, got;

	for (i = 0; i < nb; i++) {
		served_start(&many[i], NULL);
		peer_open(&peers[i], many[i].path);
	}
	/* one stops in the middle of a header, one reads no replies, one floods */
	peer_send_raw(&peers[0], &hdr, 7, NULL, 0);
	for (i = 0; i < 4; i++)
		peer_send(&peers[1], VU_REGION_READ, 0, &access, sizeof(access), NULL, 0);
	memset(flood, 0, sizeof(flood));
	for (i = 0; i < 100; i++) {
		struct vu_hdr post = { .cmd = VU_REGION_WRITE, .size = 36, .flags = VU_F_NO_REPLY };
		struct vu_region_access at = { .region = SERVED_REGS, .count = 4 };

		memcpy(flood + 36 * i, &post, sizeof(post));
		memcpy(flood + 36 * i + 16, &at, sizeof(at));
	}
	assert_int_equal(fcntl(peers[2].sock, F_SETFL, O_NONBLOCK), 0);
	peer_open(&peer, served->path);
	for (i = 0; i < 1000; i++) {
		if (send(peers[2].sock, flood, sizeof(flood), MSG_NOSIGNAL) != sizeof(flood))
			assert_int_equal(errno, EAGAIN);
		assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &i, sizeof(i)), 0);
		assert_int_equal(peer_read(&peer, SERVED_REGS, 0, &got, sizeof(got)), 0);
		assert_int_equal(got, i);
		if (errno == EAGAIN)
			break;
	}
	for (i = 3; i < nb; i++)
		assert_int_equal(peer_write(&peers[i], SERVED_REGS, 0, &i, sizeof(i)), 0);
	peer_close(&peer);
	for (i = 0; i < nb; i++) {
		peer_close(&peers[i]);
		served_stop(&many[i]);
	}
	free(many);
	free(peers);
}

static int
lowest_free_descriptor(void)
{
	int fd = dup(0);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static unsigned int
count_descriptors(void)
{
	unsigned int nb = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		nb += fcntl(fd, F_GETFD) >= 0;
	return nb;
}

/* A client comes and goes; when this returns the server has closed what it had for it. */
static void
client_visits(const struct served *served)
{
	unsigned int nb = count_descriptors(), left = 5000;
	struct vu_peer peer;

	peer_open(&peer, served->path);
	peer_close(&peer);
	while (count_descriptors() != nb && --left > 0)
		usleep(1000);
}

/* No descriptor is free for a client: it waits, the others are served. */
static void
test_descriptors_run_out(void **state)
{
	struct served *served = *state;
	struct served *other = calloc(1, sizeof(*other));
	struct vu_peer peer, second;
	struct rlimit old, few;
	uint32_t value = 0;
	int lowest;

	served_start(other, NULL);
	peer_open(&peer, served->path);
	client_visits(other);
	peer_adopt(&second, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	lowest = lowest_free_descriptor();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	{
		struct sockaddr_un addr = { .sun_family = AF_UNIX };

		strcpy(addr.sun_path, other->path);
		assert_int_equal(connect(second.sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	}
	peer_send(&second, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	peer_expect_silence(&second);
	assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &value, 4), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(peer_receive(&second));
	assert_int_equal(second.hdr.flags, VU_F_TYPE_REPLY);
	peer_close(&second);
	peer_close(&peer);
	served_wait(&other->destroy_device, 2);
	served_stop(other);
	free(other);
}

/* ---- poll mode ---- */

static void *
poll_main(void *arg)
{
	struct served *served = arg;
	struct pollfd pfd = { .fd = rte_vfio_user_poll_fd(served->dev_id), .events = POLLIN };

	assert_true(pfd.fd >= 0);
	while (served->priv == NULL || atomic_load((atomic_int *)served->priv) == 0) {
		while (rte_vfio_user_poll(served->dev_id) > 0)
			;
		poll(&pfd, 1, 10);
	}
	return NULL;
}

static void
test_poll_mode(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = RTE_VFIO_USER_F_POLL };
	struct served *base = *state;
	struct served *served = calloc(1, sizeof(*served));
	atomic_int stop = 0;
	struct vu_peer peer;
	pthread_t thread;
	uint32_t i, got;

	assert_int_equal(rte_vfio_user_poll(base->dev_id), -EINVAL);
	assert_int_equal(rte_vfio_user_poll_fd(base->dev_id), -EINVAL);
	served_start(served, &opt);
	assert_int_equal(rte_vfio_user_poll(served->dev_id), 0);
	served->priv = &stop;
	assert_int_equal(pthread_create(&thread, NULL, poll_main, served), 0);
	for (i = 1; i <= 100; i++) {
		if (i % 25 == 1)
			peer_open(&peer, served->path);
		assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &i, sizeof(i)), 0);
		assert_int_equal(peer_read(&peer, SERVED_REGS, 0, &got, sizeof(got)), 0);
		assert_int_equal(got, i);
		if (i % 25 == 0)
			peer_close(&peer);
	}
	served_wait(&served->destroy_device, 4);
	peer_open(&peer, served->path);
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	served_stop(served);
	peer_expect_closed(&peer);
	peer_close(&peer);
	free(served);
}

/* A sanitizer keeps what it knows of descriptors, in a table for each 1024 of them. */
static void
warm_up_descriptors(void)
{
	uint32_t last = FDS_EACH * (many_allowed() + 1);
	int fd;

	for (fd = 1024; fd < (int)last; fd += 1024)
		if (dup2(0, fd) == fd)
			close(fd);
}

/* Places for sessions are kept, too: have as many as any test needs. */
static int
warm_up(void **state)
{
	char name[32];
	uint32_t i;

	warm_up_descriptors();
	for (i = 0; i < MANY + 10; i++) {
		snprintf(name, sizeof(name), "warm %u", i);
		assert_int_equal(rte_vfio_user_register(name, NULL), 0);
	}
	for (i = 0; i < MANY + 10; i++) {
		snprintf(name, sizeof(name), "warm %u", i);
		assert_int_equal(rte_vfio_user_unregister(name), 0);
	}
	return served_warm_up(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_registration_and_its_errors),
	TEST(test_regions_that_make_no_sense),
	TEST(test_each_failure_of_a_start_leaves_nothing),
	TEST(test_socket_has_the_permissions_asked_for),
	TEST(test_what_is_at_the_path_already),
	TEST(test_file_of_somebody_else_stays),
	TEST(test_adopted_sockets),
	TEST(test_next_client_is_welcome_at_once),
	TEST(test_second_client_waits),
	TEST(test_header_in_pieces),
	TEST(test_callbacks_may_call_the_library),
	cmocka_unit_test_setup_teardown(test_register_and_unregister_in_many_threads, served_setup,
		teardown_uncounted),
	TEST(test_stuck_and_flooding_clients_delay_nobody),
	TEST(test_descriptors_run_out),
	TEST(test_poll_mode),
};

TEST_SUITE(vu_server_session, "functional", tests, warm_up, NULL)
