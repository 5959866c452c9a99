/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "interpose.h"
#include "resources.h"
#include "test.h"

#define PAGE 4096

static void
test_nth_call_of_the_set_fails(void **state)
{
	int first, second, third;

	interpose_fail(INTERPOSE_ONLY(EVENTFD), 2, ENFILE);
	first = eventfd(0, 0);
	second = eventfd(0, 0);
	third = eventfd(0, 0);
	interpose_disarm();
	assert_true(first >= 0);
	assert_int_equal(second, -1);
	assert_true(third >= 0);
	assert_true(interpose_fired());
	assert_string_equal(interpose_fired_name(), "eventfd");
	assert_int_equal(interpose_count(), 3);
	close(first);
	close(third);
}

static void
test_calls_outside_the_set_are_not_counted(void **state)
{
	int fd;

	interpose_fail(INTERPOSE_ONLY(IOCTL), 1, 0);
	fd = open("/dev/null", O_RDONLY);
	interpose_disarm();
	assert_true(fd >= 0);
	assert_int_equal(interpose_count(), 0);
	assert_false(interpose_fired());
	close(fd);
}

static void *
open_null(void *arg)
{
	int *fd = arg;

	*fd = open("/dev/null", O_RDONLY);
	return NULL;
}

static void
test_other_threads_are_spared_on_request(void **state)
{
	pthread_t thread;
	int fd = -1;

	interpose_fail(INTERPOSE_ONLY(OPEN) | INTERPOSE_THIS_THREAD, 1, 0);
	assert_int_equal(pthread_create(&thread, NULL, open_null, &fd), 0);
	pthread_join(thread, NULL);
	interpose_disarm();
	assert_true(fd >= 0);
	close(fd);
}

static void
test_failed_close_still_closes(void **state)
{
	struct resources before;
	int fd, rc;

	resources_take(&before);
	fd = eventfd(0, 0);
	interpose_fail(INTERPOSE_ONLY(CLOSE), 1, EINTR);
	rc = close(fd);
	interpose_disarm();
	assert_int_equal(rc, -1);
	resources_assert_same(&before);
	resources_drop(&before);
}

static void
test_allocation_fails_inside_libc_too(void **state)
{
	char *text = NULL;
	int rc;

	interpose_fail(INTERPOSE_ONLY(ALLOC), 1, 0);
	rc = asprintf(&text, "%d", 1);
	interpose_disarm();
	assert_int_equal(rc < 0, interpose_fired());
	if (rc >= 0)
		free(text);
}

static unsigned int
leaks(const struct resources *before)
{
	char text[1024];

	return resources_diff(before, text, sizeof(text));
}

static void
test_snapshot_sees_descriptor_mapping_and_heap(void **state)
{
	struct resources before;
	char *volatile bytes;
	void *map;
	int fd;

	resources_take(&before);
	assert_int_equal(leaks(&before), 0);

	fd = open("/dev/null", O_RDONLY);
	assert_int_equal(leaks(&before), 1);
	close(fd);
	assert_int_equal(leaks(&before), 0);

	map = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_int_equal(leaks(&before), 1);
	munmap((char *)map + PAGE, PAGE);
	assert_int_equal(leaks(&before), 2);
	munmap(map, 3 * PAGE);
	assert_int_equal(leaks(&before), 0);

	bytes = malloc(1000);
	bytes[0] = 0;
	if (interpose_heap_bytes() != 0)
		assert_int_equal(leaks(&before), 1);
	free(bytes);
	assert_int_equal(leaks(&before), 0);
	resources_drop(&before);
}

static int
two_eventfds(int fds[2])
{
	fds[0] = eventfd(0, 0);
	if (fds[0] < 0)
		return -errno;
	fds[1] = eventfd(0, 0);
	if (fds[1] < 0) {
		int err = errno;

		close(fds[0]);
		return -err;
	}
	return 0;
}

static void
test_loop_runs_once_for_each_call(void **state)
{
	struct interpose_loop loop;
	unsigned int runs = 0, failures = 0;
	int fds[2] = { -1, -1 };
	int rc;

	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(EVENTFD), 0) {
		rc = two_eventfds(fds);
		interpose_disarm();
		assert_int_equal(rc, interpose_fired() ? -EMFILE : 0);
		runs++;
		failures += interpose_fired();
		if (rc == 0) {
			close(fds[0]);
			close(fds[1]);
		}
	}
	/*
	 * without a failure, with one in the first and in the second, and the run that finds no
	 * third
	 */
	assert_int_equal(runs, 4);
	assert_int_equal(failures, 2);
}

static int
fake_open(void *ctx, const char *path, int flags)
{
	(*(unsigned int *)ctx)++;
	return strcmp(path, "/dev/fake/none") == 0 ? -ENOENT : open("/dev/null", flags);
}

static int
fake_ioctl(void *ctx, unsigned long request, void *arg)
{
	*(unsigned long *)arg = request;
	return request == 7 ? -ENOTTY : 3;
}

static int
fake_mmap(void *ctx, size_t len, int prot, int flags, off_t off)
{
	return off == 0 ? 0 : -EPERM;
}

static void
fake_close(void *ctx)
{
	(*(unsigned int *)ctx)++;
}

static void
test_path_is_routed(void **state)
{
	unsigned int opened = 0;
	struct interpose_path route = { .path = "/dev/fake/", .open = fake_open, .ctx = &opened };
	FILE *file;
	int fd;

	interpose_route_path(&route);
	fd = open("/dev/fake/1", O_RDWR);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(open("/dev/fake/none", O_RDWR), -1);
	assert_int_equal(errno, ENOENT);
	file = fopen("/dev/fake/1", "r");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(access("/dev/fake/1", F_OK), 0);
	interpose_unroute_path(&route);
	assert_int_equal(opened, 3);
	assert_int_equal(open("/dev/fake/1", O_RDWR), -1);
}

static void
test_descriptor_is_routed_until_closed(void **state)
{
	static const struct interpose_fd_ops ops = {
		.ioctl = fake_ioctl, .mmap = fake_mmap, .close = fake_close,
	};
	unsigned int closed = 0;
	unsigned long arg = 0;
	void *map;
	int fd;

	fd = memfd_create("routed", 0);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 2 * PAGE), 0);
	interpose_route_fd(fd, &ops, &closed);
	assert_int_equal(ioctl(fd, 5, &arg), 3);
	assert_int_equal(arg, 5);
	assert_int_equal(ioctl(fd, 7, &arg), -1);
	assert_int_equal(errno, ENOTTY);
	assert_true(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE) == MAP_FAILED);
	assert_int_equal(errno, EPERM);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(map != MAP_FAILED);
	*(volatile char *)map = 1;
	munmap(map, PAGE);
	close(fd);
	assert_int_equal(closed, 1);
	assert_int_equal(ioctl(fd, FIONREAD, &arg), -1);
	assert_int_equal(errno, EBADF);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_nth_call_of_the_set_fails),
	cmocka_unit_test(test_calls_outside_the_set_are_not_counted),
	cmocka_unit_test(test_other_threads_are_spared_on_request),
	cmocka_unit_test(test_failed_close_still_closes),
	cmocka_unit_test(test_allocation_fails_inside_libc_too),
	cmocka_unit_test(test_snapshot_sees_descriptor_mapping_and_heap),
	cmocka_unit_test(test_loop_runs_once_for_each_call),
	cmocka_unit_test(test_path_is_routed),
	cmocka_unit_test(test_descriptor_is_routed_until_closed),
};

TEST_SUITE(interpose, "unit", tests, NULL, NULL)
