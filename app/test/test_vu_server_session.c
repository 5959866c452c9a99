/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static const struct CMUnitTest tests[] = {
	SERVED_TEST(test_registration_and_its_errors),
	SERVED_TEST(test_regions_that_make_no_sense),
	SERVED_TEST(test_each_failure_of_a_start_leaves_nothing),
	SERVED_TEST(test_next_client_is_welcome_at_once),
	SERVED_TEST(test_second_client_waits),
	SERVED_TEST(test_header_in_pieces),
	SERVED_TEST(test_callbacks_may_call_the_library),
	SERVED_TEST(test_poll_mode),
};

TEST_SUITE(vu_server_session, "functional", tests, served_warm_up_sessions, NULL)
