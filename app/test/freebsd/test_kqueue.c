/* SPDX-License-Identifier: BSD-3-Clause */

/* How the interrupt thread waits on FreeBSD. */

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_interrupts.h>

#include "eal_intr_poll.h"
#include "test.h"

#define NB 3
#define WIDE UINT64_C(0xfedcba9876543210)

static int poll_fd;
static int fds[NB];

static int
setup(void **state)
{
	unsigned int i;

	(void)state;
	poll_fd = eal_intr_poll_make();
	assert_true(poll_fd >= 0);
	for (i = 0; i < NB; i++) {
		fds[i] = eventfd(0, EFD_NONBLOCK);
		assert_true(fds[i] >= 0);
	}
	return 0;
}

static int
teardown(void **state)
{
	unsigned int i;

	(void)state;
	close(poll_fd);
	for (i = 0; i < NB; i++)
		close(fds[i]);
	return 0;
}

static void
assert_comes(uint64_t id, uint32_t flags)
{
	struct eal_intr_event event;

	assert_int_equal(eal_intr_poll_wait(poll_fd, &event), 1);
	assert_int_equal(event.id, id);
	assert_int_equal(event.flags, flags);
}

static void
test_what_can_be_read_is_told_by_its_id(void **state)
{
	(void)state;
	assert_int_equal(eal_intr_poll_add(poll_fd, fds[0], WIDE), 0);
	assert_int_equal(eal_intr_poll_add(poll_fd, fds[1], 2), 0);
	eventfd_write(fds[0], 1);
	assert_comes(WIDE, RTE_INTR_EVENT_IN);
	assert_comes(WIDE, RTE_INTR_EVENT_IN);
}

static void
test_another_id_takes_the_place_of_the_former(void **state)
{
	(void)state;
	assert_int_equal(eal_intr_poll_add(poll_fd, fds[0], 1), 0);
	assert_int_equal(eal_intr_poll_change(poll_fd, fds[0], 9), 0);
	eventfd_write(fds[0], 1);
	assert_comes(9, RTE_INTR_EVENT_IN);
}

/* Though it can be read still. */
static void
test_what_was_removed_is_not_told(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(eal_intr_poll_add(poll_fd, fds[0], 1), 0);
	assert_int_equal(eal_intr_poll_add(poll_fd, fds[1], 2), 0);
	eventfd_write(fds[0], 1);
	eventfd_write(fds[1], 1);
	assert_int_equal(eal_intr_poll_remove(poll_fd, fds[0]), 0);
	for (i = 0; i < 4; i++)
		assert_comes(2, RTE_INTR_EVENT_IN);
}

static void
test_what_is_not_watched_is_not_found(void **state)
{
	(void)state;
	assert_int_equal(eal_intr_poll_change(poll_fd, fds[0], 1), -ENOENT);
	assert_int_equal(eal_intr_poll_remove(poll_fd, fds[0]), -ENOENT);
	assert_int_equal(eal_intr_poll_add(poll_fd, fds[0], 1), 0);
	close(fds[0]);
	fds[0] = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(eal_intr_poll_change(poll_fd, fds[0], 1), -ENOENT);
}

static void
test_what_is_not_open_is_refused(void **state)
{
	(void)state;
	assert_int_equal(eal_intr_poll_add(poll_fd, 4000, 1), -EBADF);
}

static void
test_the_end_of_a_stream_is_told(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(eal_intr_poll_add(poll_fd, pair[0], 5), 0);
	close(pair[1]);
	assert_comes(5, RTE_INTR_EVENT_IN | RTE_INTR_EVENT_HUP | RTE_INTR_EVENT_RDHUP);
	close(pair[0]);
}

static void
test_programs_that_are_started_do_not_get_the_set(void **state)
{
	(void)state;
	assert_int_equal(fcntl(poll_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_what_can_be_read_is_told_by_its_id),
	TEST(test_another_id_takes_the_place_of_the_former),
	TEST(test_what_was_removed_is_not_told),
	TEST(test_what_is_not_watched_is_not_found),
	TEST(test_what_is_not_open_is_refused),
	TEST(test_the_end_of_a_stream_is_told),
	TEST(test_programs_that_are_started_do_not_get_the_set),
};

TEST_SUITE(kqueue, "unit", tests, NULL, NULL)
