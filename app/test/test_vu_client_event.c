/* SPDX-License-Identifier: BSD-3-Clause */

/* A client that has other things to wait for than its server, and servers that come back. */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "resources.h"
#include "test.h"
#include "vu_served.h"

static struct served *
served_new(const char *path)
{
	struct served *served = calloc(1, sizeof(*served));

	assert_non_null(served);
	if (path == NULL) {
		served_start(served, NULL);
	} else {
		served_register(served, path, NULL);
		assert_int_equal(rte_vfio_user_start(served->path), 0);
	}
	return served;
}

static void
served_end(struct served *served)
{
	served_stop(served);
	free(served);
}

static bool
readable(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, timeout_ms) == 1;
}

static int
attach(struct served *served, uint32_t flags)
{
	const struct rte_vfio_user_attach_options opt = { .size = sizeof(opt), .flags = flags };
	int dev_id = rte_vfio_user_attach_dev_opt(served->path, &opt);

	assert_true(dev_id >= 0);
	return dev_id;
}

/* From the same path. @return 0, or why it could not be attached to */
static int
replace(int dev_id, const char *path)
{
	int by = rte_vfio_user_attach_dev(path);

	if (by < 0)
		return by;
	assert_int_equal(rte_vfio_user_replace_dev(dev_id, by), 0);
	assert_int_equal(rte_vfio_user_detach_dev(by), -ENODEV);
	return 0;
}

static int
read_something(int dev_id)
{
	uint32_t value;

	return rte_vfio_user_region_read(dev_id, SERVED_REGS, 0, sizeof(value), &value);
}

static void
test_answers_wake_nobody(void **state)
{
	int dev_id = attach(*state, 0);
	int fd = rte_vfio_user_event_fd(dev_id);
	unsigned int i;

	assert_true(fd >= 0);
	assert_int_equal(rte_vfio_user_event_fd(dev_id), fd);
	for (i = 0; i < 100; i++) {
		assert_int_equal(read_something(dev_id), 0);
		assert_false(readable(fd, 0));
	}
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
	assert_int_equal(rte_vfio_user_event_fd(dev_id), -ENODEV);
}

static void *
device_reads(void *arg)
{
	struct served *served = arg;
	uint32_t value = 0;

	assert_int_equal(rte_vfio_user_dma_read(served->dev_id, 0x10000, &value, sizeof(value)), 0);
	return (void *)(uintptr_t)value;
}

/* Whichever socket the command comes on, whatever is known first: the memory or who waits. */
static void
command_wakes(struct served *served, uint32_t flags, bool memory_first)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = 0x10000, .size = 4096,
		.protection = PROT_READ | PROT_WRITE };
	uint32_t host[1024] = { 0x12345678 };
	int dev_id = attach(served, flags);
	pthread_t thread;
	void *value;
	int fd = -1;

	if (!memory_first)
		fd = rte_vfio_user_event_fd(dev_id);
	assert_int_equal(rte_vfio_user_dma_map(dev_id, &mem, NULL, 1), 0);
	assert_int_equal(rte_vfio_user_dma_host(dev_id, 0x10000, 4096, host, PROT_READ), 0);
	if (memory_first)
		fd = rte_vfio_user_event_fd(dev_id);
	assert_false(readable(fd, 0));
	assert_int_equal(pthread_create(&thread, NULL, device_reads, served), 0);
	assert_true(readable(fd, 20000));
	assert_int_equal(rte_vfio_user_serve(dev_id, 20000), 1);
	pthread_join(thread, &value);
	assert_int_equal((uintptr_t)value, 0x12345678);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
}

static void
test_command_wakes_who_waits(void **state)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		command_wakes(*state, (i & 1) != 0 ? RTE_VFIO_USER_ATTACH_F_NO_TWIN : 0,
			(i & 2) != 0);
}

static void
test_end_wakes_who_waits(void **state)
{
	struct served *served = served_new(NULL);
	int dev_id = attach(served, 0);
	int fd = rte_vfio_user_event_fd(dev_id);

	assert_false(readable(fd, 0));
	served_end(served);
	assert_true(readable(fd, 20000));
	assert_int_equal(rte_vfio_user_serve(dev_id, 0), -ENOTCONN);
	assert_true(readable(fd, 0));
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
}

static void
test_device_is_the_same_at_a_new_server(void **state)
{
	struct served *served = served_new(NULL);
	char path[sizeof(served->path)], dir[sizeof(served->dir)];
	int dev_id = attach(served, 0);
	unsigned int i;
	int fd;

	strcpy(path, served->path);
	strcpy(dir, served->dir);
	served->dir[0] = '\0';
	for (i = 0; i < 3; i++) {
		fd = rte_vfio_user_event_fd(dev_id);
		served_end(served);
		assert_int_equal(read_something(dev_id), -ENOTCONN);
		assert_int_equal(replace(dev_id, path), -ENOENT);
		assert_int_equal(read_something(dev_id), -ENOTCONN);
		assert_true(readable(fd, 0));
		served = served_new(path);
		assert_int_equal(replace(dev_id, path), 0);
		assert_int_equal(read_something(dev_id), 0);
		assert_false(readable(rte_vfio_user_event_fd(dev_id), 0));
	}
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
	served_end(served);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_impossible_replacements_change_nothing(void **state)
{
	int dev_id = attach(*state, 0);

	assert_int_equal(rte_vfio_user_replace_dev(dev_id, dev_id), -EINVAL);
	assert_int_equal(rte_vfio_user_replace_dev(dev_id, 1000), -ENODEV);
	assert_int_equal(rte_vfio_user_replace_dev(1000, dev_id), -ENODEV);
	assert_int_equal(rte_vfio_user_replace_dev(-1, dev_id), -ENODEV);
	assert_int_equal(read_something(dev_id), 0);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
}

struct reader {
	pthread_t thread;
	int dev_id;
	atomic_bool stop;
	unsigned int nb_odd;
};

static void *
reader_main(void *arg)
{
	struct reader *reader = arg;
	int rc;

	while (!atomic_load(&reader->stop)) {
		rc = read_something(reader->dev_id);
		reader->nb_odd += rc != 0 && rc != -ENOTCONN && rc != -ENODEV;
	}
	return NULL;
}

/* From one server to the other, and back. */
static void
test_threads_may_go_on_meanwhile(void **state)
{
	struct served *served = *state, *other = served_new(NULL);
	struct reader reader[3] = { { .nb_odd = 0 } };
	int dev_id = attach(served, 0);
	unsigned int i;

	for (i = 0; i < RTE_DIM(reader); i++) {
		reader[i].dev_id = dev_id;
		assert_int_equal(pthread_create(&reader[i].thread, NULL, reader_main, &reader[i]),
			0);
	}
	for (i = 0; i < 50; i++)
		assert_int_equal(replace(dev_id, i % 2 == 0 ? other->path : served->path), 0);
	for (i = 0; i < RTE_DIM(reader); i++) {
		atomic_store(&reader[i].stop, true);
		pthread_join(reader[i].thread, NULL);
		assert_int_equal(reader[i].nb_odd, 0);
	}
	assert_int_equal(read_something(dev_id), 0);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
	served_wait(&served->destroy_device, 26);
	served_end(other);
}

static void *
server_main(void *arg)
{
	const int *dev_id = arg;
	int rc = rte_vfio_user_serve(*dev_id, -1);

	return (void *)(intptr_t)rc;
}

static void *
replacer_main(void *arg)
{
	const int *ids = arg;
	int rc = rte_vfio_user_replace_dev(ids[0], ids[1]);

	return (void *)(intptr_t)rc;
}

/* Whatever is served, there is no command: the thread leaves, and may serve by the other id. */
static void
test_thread_that_serves_makes_way(void **state)
{
	struct served *other = served_new(NULL);
	int ids[] = { attach(*state, 0), attach(other, 0) };
	pthread_t server, replacer;
	struct timespec until;
	void *rc;

	assert_int_equal(pthread_create(&server, NULL, server_main, &ids[1]), 0);
	/* also right, but no test, if it has not begun by then */
	usleep(20000);
	assert_int_equal(pthread_create(&replacer, NULL, replacer_main, ids), 0);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	assert_int_equal(pthread_timedjoin_np(replacer, &rc, &until), 0);
	assert_int_equal((intptr_t)rc, 0);
	assert_int_equal(pthread_join(server, &rc), 0);
	assert_true((intptr_t)rc == 0 || (intptr_t)rc == -ENODEV);
	assert_int_equal(read_something(ids[0]), 0);
	assert_int_equal(rte_vfio_user_detach_dev(ids[0]), 0);
	served_end(other);
}

#define EVENT_TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

static const struct CMUnitTest tests[] = {
	EVENT_TEST(test_answers_wake_nobody),
	EVENT_TEST(test_command_wakes_who_waits),
	cmocka_unit_test(test_end_wakes_who_waits),
	cmocka_unit_test(test_device_is_the_same_at_a_new_server),
	EVENT_TEST(test_impossible_replacements_change_nothing),
	EVENT_TEST(test_threads_may_go_on_meanwhile),
	EVENT_TEST(test_thread_that_serves_makes_way),
};

TEST_SUITE(vu_client_event, "functional", tests, served_warm_up, NULL)
