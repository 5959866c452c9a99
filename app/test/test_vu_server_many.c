/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_served.h"

#include "test.h"

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
churn(void *ctx)
{
	pthread_t thread[THREADS];
	unsigned int i;

	(void)ctx;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, churn_main, NULL), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

/* Threads leave a few bytes behind for others to use again. */
static void
test_register_and_unregister_in_many_threads(void **state)
{
	(void)state;
	resources_rounds(churn, NULL, 0, 5);
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

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_register_and_unregister_in_many_threads, served_setup,
		teardown_uncounted),
	SERVED_TEST(test_stuck_and_flooding_clients_delay_nobody),
	SERVED_TEST(test_descriptors_run_out),
};

TEST_SUITE(vu_server_many, "functional", tests, warm_up, NULL)
