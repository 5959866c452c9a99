/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_common.h>

#include "test.h"
#include "vu_served.h"

#define PAGE 4096u

static int hook_rc;

static int
hook_unregister(struct served *served, uint64_t value)
{
	(void)value;
	hook_rc = rte_vfio_user_unregister(served->path);
	return 0;
}

static void *
poll_main(void *arg)
{
	struct served *served = arg;

	while (rte_vfio_user_poll(served->dev_id) >= 0)
		sched_yield();
	return NULL;
}

/* From the thread that polls it is a callback as well. */
static void
test_no_end_from_a_callback(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = RTE_VFIO_USER_F_POLL };
	struct served *served = *state;
	struct served *polled = calloc(1, sizeof(*polled));
	uint64_t value = 0;
	struct vu_peer peer;
	pthread_t thread;

	served->hook = hook_unregister;
	peer_open(&peer, served->path);
	assert_int_equal(peer_write(&peer, SERVED_REGS, SERVED_REG_HOOK, &value, 8), 0);
	assert_int_equal(hook_rc, -EBUSY);
	peer_close(&peer);
	served_start(polled, &opt);
	polled->hook = hook_unregister;
	assert_int_equal(pthread_create(&thread, NULL, poll_main, polled), 0);
	peer_open(&peer, polled->path);
	hook_rc = 0;
	assert_int_equal(peer_write(&peer, SERVED_REGS, SERVED_REG_HOOK, &value, 8), 0);
	assert_int_equal(hook_rc, -EBUSY);
	/* and another thread may end it while it is polled */
	served_stop(polled);
	pthread_join(thread, NULL);
	peer_expect_closed(&peer);
	peer_close(&peer);
	free(polled);
}

static void
gone_unregister(struct served *served)
{
	hook_rc = rte_vfio_user_unregister(served->path);
}

/* Nor when it is the end of a client that is told. */
static void
test_no_end_from_the_end_of_a_client(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	int i;

	served->gone = gone_unregister;
	for (i = 1; i <= 2; i++) {
		hook_rc = 0;
		peer_open(&peer, served->path);
		peer_close(&peer);
		served_wait(&served->destroy_device, i);
		assert_int_equal(hook_rc, -EBUSY);
	}
	served->gone = NULL;
}

static void
test_no_end_from_the_end_of_a_polled_client(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = RTE_VFIO_USER_F_POLL };
	struct served *polled = calloc(1, sizeof(*polled));
	struct vu_peer peer;
	pthread_t thread;

	(void)state;
	served_start(polled, &opt);
	polled->gone = gone_unregister;
	hook_rc = 0;
	assert_int_equal(pthread_create(&thread, NULL, poll_main, polled), 0);
	peer_open(&peer, polled->path);
	peer_close(&peer);
	served_wait(&polled->destroy_device, 1);
	assert_int_equal(hook_rc, -EBUSY);
	polled->gone = NULL;
	served_stop(polled);
	pthread_join(thread, NULL);
	free(polled);
}

static atomic_int in_hook;
static atomic_bool leave_hook;

static int
hook_linger(struct served *served, uint64_t value)
{
	(void)served;
	(void)value;
	atomic_store(&in_hook, 1);
	while (!atomic_load(&leave_hook))
		usleep(100);
	return 0;
}

static void *
unregister_main(void *arg)
{
	served_stop(arg);
	return NULL;
}

/* The end waits for a request that is being answered, and then comes. */
static void
test_end_in_the_middle_of_a_request(void **state)
{
	struct served *served = *state;
	struct served *own = calloc(1, sizeof(*own));
	uint64_t request[3] = { SERVED_REG_HOOK, (uint64_t)8 << 32 | SERVED_REGS, 0 };
	struct vu_peer peer;
	pthread_t thread;

	(void)served;
	served_start(own, NULL);
	own->hook = hook_linger;
	atomic_store(&in_hook, 0);
	atomic_store(&leave_hook, false);
	peer_open(&peer, own->path);
	peer_send(&peer, VU_REGION_WRITE, 0, request, sizeof(request), NULL, 0);
	served_wait(&in_hook, 1);
	assert_int_equal(pthread_create(&thread, NULL, unregister_main, own), 0);
	usleep(2000);
	/* not under the feet of the callback */
	assert_int_equal(own->destroy_device, 0);
	atomic_store(&leave_hook, true);
	pthread_join(thread, NULL);
	assert_int_equal(own->destroy_device, 1);
	assert_int_equal(rte_vfio_user_dev_id(own->path), -ENOENT);
	while (peer_receive(&peer))
		assert_int_equal(peer.hdr.cmd, VU_REGION_WRITE);
	peer_close(&peer);
	free(own);
}

/* Half a message is in the buffer, replies are in the queue, others wait to be accepted. */
static void
test_end_with_work_left(void **state)
{
	const struct vu_region_access access = { .region = SERVED_LARGE, .count = 1u << 20 };
	const struct vu_hdr half = { .cmd = VU_DMA_MAP, .size = 48 };
	struct served *served = *state;
	struct vu_peer peer, waiting[3];
	int fd = peer_memory(PAGE);
	unsigned int i;

	peer_open(&peer, served->path);
	for (i = 0; i < RTE_DIM(waiting); i++)
		peer_connect(&waiting[i], served->path);
	assert_int_equal(peer_map(&peer, 0, PAGE, 3, fd, 0), 0);
	for (i = 0; i < 6; i++)
		peer_send(&peer, VU_REGION_READ, 0, &access, sizeof(access), NULL, 0);
	peer_send_raw(&peer, &half, sizeof(half), &fd, 1);
	close(fd);
	assert_int_equal(rte_vfio_user_unregister(served->path), 0);
	for (i = 0; i < RTE_DIM(waiting); i++) {
		peer_expect_closed(&waiting[i]);
		peer_close(&waiting[i]);
	}
	peer_close(&peer);
	/* for the teardown */
	assert_int_equal(rte_vfio_user_register(served->path, NULL), 0);
}

/* A child that was forked has the sockets, too, for as long as it lives. */
static pid_t
child_start(int *leash)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(ends[0]);
	*leash = ends[1];
	return pid;
}

static void
test_clients_see_the_end_in_spite_of_a_child(void **state)
{
	const struct vu_hdr impossible = { .size = 1 };
	struct served *served = *state;
	struct vu_peer peer;
	int i, leash, status;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		peer_open(&peer, served->path);
		pid = child_start(&leash);
		if (i == 0) {
			peer_send_raw(&peer, &impossible, sizeof(impossible), NULL, 0);
			assert_true(peer_receive(&peer));
			assert_int_equal(peer.hdr.error, EINVAL);
		} else {
			assert_int_equal(rte_vfio_user_unregister(served->path), 0);
		}
		peer_expect_closed(&peer);
		peer_close(&peer);
		close(leash);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	/* for the teardown */
	assert_int_equal(rte_vfio_user_register(served->path, NULL), 0);
}

static const struct CMUnitTest tests[] = {
	SERVED_TEST(test_no_end_from_a_callback),
	SERVED_TEST(test_no_end_from_the_end_of_a_client),
	SERVED_TEST(test_no_end_from_the_end_of_a_polled_client),
	SERVED_TEST(test_end_in_the_middle_of_a_request),
	SERVED_TEST(test_end_with_work_left),
	SERVED_TEST(test_clients_see_the_end_in_spite_of_a_child),
};

TEST_SUITE(vu_life_end, "functional", tests, served_warm_up_sessions, NULL)
