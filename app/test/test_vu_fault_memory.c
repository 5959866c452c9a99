/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "test.h"
#include "vu_bystander.h"
#include "vu_scene.h"
#include "vu_served.h"

/* ---- memory that goes away ---- */

#define USERS 3u

/* A thread of the device that uses its pages of the client's memory all the time. */
struct user {
	pthread_t thread;
	int dev_id;
	unsigned int nr;	/* of USERS */
	atomic_bool stop;
	atomic_uint rounds;	/* in which it reached the memory */
	atomic_uint refused;	/* in which it did not */
	atomic_uint wrong;	/* in which it read what never was there */
};

#define PATTERN 0x5au

static bool
is_possible(uint8_t byte)
{
	return byte == PATTERN || byte == 0;
}

/* Through pointers: a page is what it was or zeros, and pointers hold until the section ends. */
static bool
use_pointers(struct user *user, uint64_t addr)
{
	volatile uint8_t *at;
	struct iovec iov;
	bool reached;

	if (rte_vfio_user_dma_enter(user->dev_id) < 0)
		return false;
	reached = rte_vfio_user_dma_sg(user->dev_id, addr, PAGE, PROT_READ | PROT_WRITE, &iov,
		1) == 1;
	if (reached) {
		at = iov.iov_base;
		if (!is_possible(at[0]) || !is_possible(at[PAGE - 1]))
			atomic_fetch_add(&user->wrong, 1);
		at[0] = PATTERN;
		at[PAGE - 1] = PATTERN;
	}
	rte_vfio_user_dma_leave(user->dev_id);
	return reached;
}

/* By copies: they fail, or give what is possible. */
static bool
use_copies(struct user *user, uint64_t addr)
{
	uint8_t buf[64];

	if (rte_vfio_user_dma_read(user->dev_id, addr, buf, sizeof(buf)) < 0)
		return false;
	if (!is_possible(buf[0]) || !is_possible(buf[63]))
		atomic_fetch_add(&user->wrong, 1);
	memset(buf, PATTERN, sizeof(buf));
	return rte_vfio_user_dma_write(user->dev_id, addr, buf, sizeof(buf)) == 0;
}

static void *
user_main(void *arg)
{
	struct user *user = arg;
	unsigned int i;
	uint64_t addr;
	bool reached;

	for (i = 0; !atomic_load(&user->stop); i++) {
		addr = (i / 2 % (NB_PAGES / USERS) * USERS + user->nr) * PAGE;
		reached = i & 1 ? use_copies(user, addr) : use_pointers(user, addr);
		atomic_fetch_add(reached ? &user->rounds : &user->refused, 1);
	}
	return NULL;
}

static void
user_start(struct user *user, int dev_id, unsigned int nr)
{
	memset(user, 0, sizeof(*user));
	user->nr = nr;
	user->dev_id = dev_id;
	assert_int_equal(pthread_create(&user->thread, NULL, user_main, user), 0);
	while (atomic_load(&user->rounds) < 2 * NB_PAGES)
		usleep(100);
}

static void
user_stop(struct user *user)
{
	atomic_store(&user->stop, true);
	pthread_join(user->thread, NULL);
	assert_int_equal(user->wrong, 0);
}

static int
pattern_memory(void)
{
	uint8_t page[PAGE];
	int fd = peer_memory(SIZE);
	unsigned int i;

	memset(page, PATTERN, sizeof(page));
	for (i = 0; i < NB_PAGES; i++)
		assert_int_equal(pwrite(fd, page, PAGE, i * PAGE), PAGE);
	return fd;
}

/* Cut the file under threads that use it in both ways. */
static void
truncate_under_users(struct vu_scene *scene, off_t left)
{
	struct user users[USERS];
	int fd = pattern_memory();
	struct vu_peer peer;
	unsigned int i;

	peer_open(&peer, scene->served.path);
	assert_int_equal(peer_map(&peer, 0, SIZE, RW, fd, 0), 0);
	for (i = 0; i < USERS; i++)
		user_start(&users[i], scene->served.dev_id, i);
	assert_int_equal(ftruncate(fd, left), 0);
	peer_expect_closed(&peer);
	bystander_check(&scene->beside);
	for (i = 0; i < USERS; i++) {
		while (atomic_load(&users[i].refused) == 0)
			usleep(100);
		user_stop(&users[i]);
	}
	peer_close(&peer);
	close(fd);
}

static void
test_file_is_truncated_under_threads_of_the_device(void **state)
{
	static const off_t left[] = { 0, PAGE, SIZE / 2, SIZE - PAGE };
	struct vu_scene *scene = vu_scene_start(NULL);
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(left); i++)
		truncate_under_users(scene, left[i]);
	vu_scene_stop(scene);
}

/* Holes are no fault: their pages are zeros, for both sides. */
static void
test_holes_are_zeros_and_harm_nobody(void **state)
{
	struct vu_scene *scene = vu_scene_start(NULL);
	struct user users[USERS];
	int fd = pattern_memory();
	uint8_t buf[PAGE], zeros[PAGE] = { 0 };
	struct vu_peer peer;
	unsigned int i;

	(void)state;
	peer_open(&peer, scene->served.path);
	assert_int_equal(peer_map(&peer, 0, SIZE, RW, fd, 0), 0);
	for (i = 0; i < USERS; i++)
		user_start(&users[i], scene->served.dev_id, i);
	for (i = 0; i < 200; i++)
		assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			i % NB_PAGES * PAGE, PAGE), 0);
	for (i = 0; i < USERS; i++) {
		user_stop(&users[i]);
		assert_int_equal(users[i].refused, 0);
	}
	assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE), 0);
	assert_int_equal(rte_vfio_user_dma_read(scene->served.dev_id, PAGE, buf, PAGE), 0);
	assert_memory_equal(buf, zeros, PAGE);
	assert_int_equal(rte_vfio_user_dma_write(scene->served.dev_id, 0, "back", 4), 0);
	assert_int_equal(pread(fd, buf, 4, 0), 4);
	assert_memory_equal(buf, "back", 4);
	assert_int_equal(scene->served.destroy_device, 0);
	peer_close(&peer);
	close(fd);
	vu_scene_stop(scene);
}

/* How a device reaches memory that is gone, and what it gets. */
static int
reach_read(int dev_id, uint64_t addr)
{
	uint8_t buf[256];

	return rte_vfio_user_dma_read(dev_id, addr, buf, sizeof(buf));
}

static int
reach_write(int dev_id, uint64_t addr)
{
	uint8_t buf[256] = { 1 };

	return rte_vfio_user_dma_write(dev_id, addr, buf, sizeof(buf));
}

/* Returns -EFAULT if it read zeros; the session is told at the end of the section only. */
static int
reach_load(int dev_id, uint64_t addr)
{
	struct iovec iov;
	int rc;

	assert_int_equal(rte_vfio_user_dma_enter(dev_id), 0);
	rc = rte_vfio_user_dma_sg(dev_id, addr, 8, PROT_READ, &iov, 1);
	assert_int_equal(rc, 1);
	rc = *(volatile uint64_t *)iov.iov_base == 0 ? -EFAULT : 0;
	rte_vfio_user_dma_leave(dev_id);
	return rc;
}

static int
reach_store(int dev_id, uint64_t addr)
{
	volatile uint64_t *at;
	struct iovec iov;
	int rc;

	assert_int_equal(rte_vfio_user_dma_enter(dev_id), 0);
	assert_int_equal(rte_vfio_user_dma_sg(dev_id, addr, 8, PROT_WRITE, &iov, 1), 1);
	at = iov.iov_base;
	*at = 7;
	/* what replaces the memory holds it to the end of the section */
	rc = *at == 7 ? -EFAULT : 0;
	rte_vfio_user_dma_leave(dev_id);
	return rc;
}

static int (*const reaches[])(int dev_id, uint64_t addr) = {
	reach_read, reach_write, reach_load, reach_store,
};

static void
test_each_access_to_truncated_memory_ends_the_session(void **state)
{
	struct vu_scene *scene = vu_scene_start(NULL);
	struct vu_peer peer;
	unsigned int i;
	int fd;

	(void)state;
	for (i = 0; i < RTE_DIM(reaches); i++) {
		fd = pattern_memory();
		peer_open(&peer, scene->served.path);
		assert_int_equal(peer_map(&peer, 0, SIZE, RW, fd, 0), 0);
		assert_int_equal(ftruncate(fd, PAGE), 0);
		/* what is left is good until somebody falls into the rest */
		assert_int_equal(reach_read(scene->served.dev_id, 0), 0);
		assert_int_equal(reaches[i](scene->served.dev_id, 3 * PAGE), -EFAULT);
		peer_expect_closed(&peer);
		peer_close(&peer);
		served_wait(&scene->served.destroy_device, (int)i + 1);
		assert_int_equal(reach_read(scene->served.dev_id, 0), -ENODEV);
		bystander_check(&scene->beside);
		close(fd);
	}
	vu_scene_stop(scene);
}

/* The device falls into it from within a callback, where the client waits for an answer. */
static int
hook_read(struct served *served, uint64_t value)
{
	return reach_read(served->dev_id, value);
}

static void
test_callback_falls_into_truncated_memory(void **state)
{
	struct vu_scene *scene = vu_scene_start(NULL);
	uint64_t addr = 4 * PAGE;
	int fd = pattern_memory();
	struct vu_peer peer;

	(void)state;
	scene->served.hook = hook_read;
	peer_open(&peer, scene->served.path);
	assert_int_equal(peer_map(&peer, 0, SIZE, RW, fd, 0), 0);
	assert_int_equal(peer_write(&peer, SERVED_REGS, SERVED_REG_HOOK, &addr, 8), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	/* it is told what became of the command that it sent, before the end */
	assert_int_equal(peer_write(&peer, SERVED_REGS, SERVED_REG_HOOK, &addr, 8), EFAULT);
	peer_expect_closed(&peer);
	peer_close(&peer);
	close(fd);
	vu_scene_stop(scene);
}

/* Two sessions share the file: each breaks when its own device falls into it. */
static void
test_sessions_break_one_by_one(void **state)
{
	struct vu_scene *scene = vu_scene_start(NULL);
	struct served *other = calloc(1, sizeof(*other));
	struct vu_peer one, two;
	int fd = pattern_memory();

	(void)state;
	served_start(other, NULL);
	peer_open(&one, scene->served.path);
	peer_open(&two, other->path);
	assert_int_equal(peer_map(&one, 0, SIZE, RW, fd, 0), 0);
	assert_int_equal(peer_map(&two, 0, SIZE, RW, fd, 0), 0);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	assert_int_equal(reach_read(scene->served.dev_id, PAGE), -EFAULT);
	peer_expect_closed(&one);
	assert_int_equal(reach_read(other->dev_id, 0), 0);
	assert_int_equal(other->destroy_device, 0);
	assert_int_equal(reach_write(other->dev_id, PAGE), -EFAULT);
	peer_expect_closed(&two);
	peer_close(&one);
	peer_close(&two);
	close(fd);
	served_stop(other);
	free(other);
	vu_scene_stop(scene);
}

/* It also holds when the client takes the memory away and the region at the same time. */
static void
test_unmapped_and_truncated_at_a_time(void **state)
{
	struct vu_scene *scene = vu_scene_start(NULL);
	struct user users[USERS];
	struct vu_peer peer;
	unsigned int i;
	int fd;

	(void)state;
	peer_open(&peer, scene->served.path);
	for (i = 0; i < USERS; i++) {
		fd = pattern_memory();
		assert_int_equal(peer_map(&peer, 0, SIZE, RW, fd, 0), 0);
		user_start(&users[i], scene->served.dev_id, i);
		assert_int_equal(peer_unmap(&peer, 0, SIZE, 0), 0);
		assert_int_equal(ftruncate(fd, 0), 0);
		close(fd);
	}
	/* nobody used it after the reply to the unmap */
	for (i = 0; i < USERS; i++)
		user_stop(&users[i]);
	assert_int_equal(scene->served.destroy_device, 0);
	peer_close(&peer);
	vu_scene_stop(scene);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_file_is_truncated_under_threads_of_the_device),
	cmocka_unit_test(test_holes_are_zeros_and_harm_nobody),
	cmocka_unit_test(test_each_access_to_truncated_memory_ends_the_session),
	cmocka_unit_test(test_callback_falls_into_truncated_memory),
	cmocka_unit_test(test_sessions_break_one_by_one),
	cmocka_unit_test(test_unmapped_and_truncated_at_a_time),
};

TEST_SUITE(vu_fault_memory, "functional", tests, served_warm_up_sessions, NULL)
