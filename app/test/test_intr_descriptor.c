/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_interrupts.h>

#include "eal_session.h"
#include "interpose.h"
#include "intr_probe.h"
#include "test.h"

static void
test_descriptor_in_error_is_dropped_with_one_line(void **state)
{
	static const enum rte_intr_handle_type types[] = {
		RTE_INTR_HANDLE_EXT, RTE_INTR_HANDLE_UIO, RTE_INTR_HANDLE_VFIO_MSIX,
	};
	struct intr_probe probe;
	unsigned int i;
	int ends[2];

	for (i = 0; i < RTE_DIM(types); i++) {
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		intr_probe_init_fd(&probe, types[i], ends[0]);
		eal_log_capture();
		intr_probe_register(&probe, intr_probe_called);
		close(ends[1]);
		intr_probe_wait(&probe);
		intr_barrier();
		assert_int_equal(eal_log_lines_with(eal_log_text(), ""), 1);
		eal_log_release();
		assert_int_equal(probe.calls, 1);
		assert_true((probe.flags & RTE_INTR_EVENT_HUP) != 0);
		assert_int_equal(rte_intr_callback_unregister(probe.handle, intr_probe_called,
			&probe),
			-ENOENT);
		intr_probe_fini(&probe);
	}
}

static void
read_a_byte(void *arg)
{
	struct intr_probe *probe = arg;
	char byte;

	if (read(probe->fd, &byte, 1) == 1)
		probe->rc++;
	intr_probe_called(arg);
}

static void
test_what_came_before_the_hangup_is_delivered(void **state)
{
	struct intr_probe probe;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	close(ends[1]);
	intr_probe_init_fd(&probe, RTE_INTR_HANDLE_EXT, ends[0]);
	eal_log_capture();
	intr_probe_register(&probe, read_a_byte);
	intr_probe_wait(&probe);
	intr_probe_wait(&probe);
	intr_probe_wait(&probe);
	intr_barrier();
	assert_int_equal(eal_log_lines_with(eal_log_text(), ""), 1);
	eal_log_release();
	assert_int_equal(probe.rc, 3);
	intr_probe_fini(&probe);
}

static void
test_unreadable_descriptor_is_dropped(void **state)
{
	struct intr_probe probe;

	/* A counter has 8 bytes, and a type with 4 is not what it is. */
	intr_probe_init_fd(&probe, RTE_INTR_HANDLE_UIO, eventfd(0, EFD_CLOEXEC));
	eal_log_capture();
	intr_probe_register(&probe, intr_probe_called);
	intr_probe_fire(&probe);
	intr_probe_wait(&probe);
	intr_barrier();
	assert_int_equal(eal_log_lines_with(eal_log_text(), ""), 1);
	eal_log_release();
	assert_int_equal(probe.calls, 1);
	assert_true((probe.flags & RTE_INTR_EVENT_ERR) != 0);
	intr_probe_fini(&probe);
}

static void
drain_other(void *arg)
{
	struct intr_probe *probe = arg;
	eventfd_t value;

	intr_probe_wait_for_go(arg);
	eventfd_read(probe->other->fd, &value);
}

static void
test_event_that_a_callback_took_from_another_blocks_nothing(void **state)
{
	struct intr_probe first, second;

	sem_init(&intr_go_on, 0, 0);
	intr_probe_init(&first);
	intr_probe_init(&second);
	first.other = &second;
	intr_probe_register(&first, drain_other);
	intr_probe_register(&second, intr_probe_called);
	intr_probe_fire(&first);
	intr_probe_wait(&first);
	intr_probe_fire(&second);
	sem_post(&intr_go_on);
	intr_barrier();
	assert_int_equal(second.calls, 0);
	intr_probe_unregister(&first, drain_other);
	intr_probe_unregister(&second, intr_probe_called);
	intr_probe_fini(&first);
	intr_probe_fini(&second);
	sem_destroy(&intr_go_on);
}

static void
test_spurious_wakeup_runs_no_callback(void **state)
{
	struct intr_probe probe;

	intr_probe_init_fd(&probe, RTE_INTR_HANDLE_VFIO_MSIX, eventfd(0,
		EFD_CLOEXEC | EFD_NONBLOCK));
	intr_probe_register(&probe, intr_probe_called);
	interpose_fail(INTERPOSE_ONLY(READ), 1, EAGAIN);
	intr_probe_fire(&probe);
	intr_probe_wait(&probe);
	intr_barrier();
	interpose_disarm();
	assert_true(interpose_fired());
	assert_int_equal(probe.calls, 1);
	intr_probe_unregister(&probe, intr_probe_called);
	intr_probe_fini(&probe);
}

static void
test_interrupted_read_is_tried_again(void **state)
{
	struct intr_probe probe;

	intr_probe_init(&probe);
	intr_probe_register(&probe, intr_probe_called);
	interpose_fail(INTERPOSE_ONLY(READ), 1, EINTR);
	intr_probe_fire(&probe);
	intr_probe_wait(&probe);
	interpose_disarm();
	assert_true(interpose_fired());
	intr_barrier();
	assert_int_equal(probe.calls, 1);
	intr_probe_unregister(&probe, intr_probe_called);
	intr_probe_fini(&probe);
}

static void
test_reopened_descriptor_is_a_new_source(void **state)
{
	struct intr_probe old, now;
	int fd;

	intr_probe_init(&old);
	intr_probe_register(&old, intr_probe_called);
	fd = old.fd;
	close(fd);
	old.fd = -1;
	intr_probe_init(&now);
	assert_int_equal(now.fd, fd);
	intr_probe_register(&now, intr_probe_called);
	intr_probe_fire(&now);
	intr_probe_wait(&now);
	intr_barrier();
	assert_int_equal(old.calls, 0);
	assert_int_equal(rte_intr_callback_unregister(now.handle, intr_probe_called, ANY_ARG), 1);
	intr_probe_fini(&now);
	intr_probe_fini(&old);
}

static void
test_file_left_open_elsewhere_makes_no_busy_loop(void **state)
{
	struct intr_probe probe;
	int twin;

	intr_probe_init(&probe);
	twin = dup(probe.fd);
	intr_probe_register(&probe, intr_probe_called);
	close(probe.fd);
	intr_probe_unregister(&probe, intr_probe_called);
	interpose_fail(INTERPOSE_ONLY(EPOLL_CREATE), 0, 0);
	eventfd_write(twin, 1);
	intr_barrier();
	intr_barrier();
	interpose_disarm();
	assert_int_equal(interpose_count(), WAITS_BY_EPOLL);
	assert_int_equal(probe.calls, 0);
	close(twin);
	probe.fd = -1;
	intr_probe_fini(&probe);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_descriptor_in_error_is_dropped_with_one_line),
	cmocka_unit_test(test_what_came_before_the_hangup_is_delivered),
	cmocka_unit_test(test_unreadable_descriptor_is_dropped),
	cmocka_unit_test(test_event_that_a_callback_took_from_another_blocks_nothing),
	cmocka_unit_test(test_spurious_wakeup_runs_no_callback),
	cmocka_unit_test(test_interrupted_read_is_tried_again),
	cmocka_unit_test(test_reopened_descriptor_is_a_new_source),
	cmocka_unit_test(test_file_left_open_elsewhere_makes_no_busy_loop),
};

TEST_SUITE(intr_descriptor, "functional", tests, intr_suite_start, intr_suite_stop)
