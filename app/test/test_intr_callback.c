/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_interrupts.h>

#include "eal_intr.h"
#include "eal_session.h"
#include "intr_probe.h"
#include "resources.h"
#include "test.h"

static void
test_callback_runs_in_the_interrupt_thread(void **state)
{
	struct intr_probe probe;

	intr_probe_init(&probe);
	intr_probe_register(&probe, intr_probe_called);
	intr_probe_fire(&probe);
	intr_probe_wait(&probe);
	assert_true(probe.in_intr_thread);
	assert_int_equal(probe.flags, RTE_INTR_EVENT_IN);
	assert_false(rte_thread_is_intr());
	assert_int_equal(rte_intr_active_events_flags(), 0);
	intr_probe_unregister(&probe, intr_probe_called);
	intr_probe_fini(&probe);
}

static void
test_counter_is_read_away_so_one_event_is_one_call(void **state)
{
	struct intr_probe probe;

	intr_probe_init(&probe);
	intr_probe_register(&probe, intr_probe_called);
	intr_probe_fire(&probe);
	intr_probe_wait(&probe);
	intr_barrier();
	assert_int_equal(probe.calls, 1);
	intr_probe_unregister(&probe, intr_probe_called);
	intr_probe_fini(&probe);
}

static void
test_handle_may_be_freed_after_registration(void **state)
{
	struct intr_probe probe;

	intr_probe_init(&probe);
	intr_probe_register(&probe, intr_probe_called);
	rte_intr_instance_free(probe.handle);
	intr_probe_fire(&probe);
	intr_probe_wait(&probe);
	probe.handle = intr_handle_new(RTE_INTR_HANDLE_VFIO_MSIX, probe.fd);
	intr_probe_unregister(&probe, intr_probe_called);
	intr_probe_fini(&probe);
}

static void
test_all_callbacks_of_a_descriptor_run_in_order(void **state)
{
	struct intr_probe first, second;

	intr_probe_init(&first);
	intr_probe_init_fd(&second, RTE_INTR_HANDLE_VFIO_MSIX, dup(first.fd));
	assert_int_equal(rte_intr_callback_register(first.handle, intr_probe_called, &first), 0);
	assert_int_equal(rte_intr_callback_register(first.handle, intr_probe_called, &second), 0);
	intr_probe_fire(&first);
	intr_probe_wait(&second);
	assert_int_equal(first.calls, 1);
	assert_int_equal(second.calls, 1);
	assert_int_equal(rte_intr_callback_unregister_sync(first.handle, intr_probe_called,
		ANY_ARG), 2);
	intr_probe_fini(&first);
	intr_probe_fini(&second);
}

static void
test_wrong_arguments_are_refused(void **state)
{
	struct rte_intr_handle *no_fd = intr_handle_new(RTE_INTR_HANDLE_EXT, -1);
	struct rte_intr_handle *good = intr_handle_new(RTE_INTR_HANDLE_EXT, 0);
	const struct {
		struct rte_intr_handle *handle;
		rte_intr_callback_fn fn;
	} rows[] = {
		{ NULL, intr_probe_called },
		{ no_fd, intr_probe_called },
		{ good, NULL },
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		assert_int_equal(rte_intr_callback_register(rows[i].handle, rows[i].fn, NULL),
			-EINVAL);
		assert_int_equal(rte_intr_callback_unregister(rows[i].handle, rows[i].fn, NULL),
			-EINVAL);
		assert_int_equal(rte_intr_callback_unregister_sync(rows[i].handle, rows[i].fn,
			NULL), -EINVAL);
		assert_int_equal(rte_intr_callback_unregister_pending(rows[i].handle, rows[i].fn,
			NULL, NULL), -EINVAL);
	}
	rte_intr_instance_free(no_fd);
	rte_intr_instance_free(good);
}

static void
test_unregister_counts_what_matches(void **state)
{
	struct intr_probe probe;

	intr_probe_init(&probe);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, intr_probe_called, &probe),
		-ENOENT);
	assert_int_equal(rte_intr_callback_register(probe.handle, intr_probe_called, &probe), 0);
	assert_int_equal(rte_intr_callback_register(probe.handle, intr_probe_called, NULL), 0);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, intr_probe_called, &state), 0);
	assert_int_equal(rte_intr_callback_unregister_pending(probe.handle, intr_probe_called,
		&probe,
		NULL), -EAGAIN);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, intr_probe_called, &probe), 1);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, intr_probe_called, ANY_ARG), 1);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, intr_probe_called, ANY_ARG),
		-ENOENT);
	intr_probe_fini(&probe);
}

static void
test_what_cannot_be_waited_for_is_refused(void **state)
{
	struct intr_probe probe;
	struct resources before;

	if (!WAITS_BY_EPOLL)
		skip();
	resources_take(&before);
	intr_probe_init_fd(&probe, RTE_INTR_HANDLE_EXT, open("/proc/self/exe",
		O_RDONLY | O_CLOEXEC));
	eal_log_capture();
	assert_int_equal(rte_intr_callback_register(probe.handle, intr_probe_called, &probe),
		-EPERM);
	assert_int_equal(eal_log_lines_with(eal_log_text(), ""), 1);
	eal_log_release();
	assert_int_equal(rte_intr_callback_unregister(probe.handle, intr_probe_called, &probe),
		-ENOENT);
	intr_probe_fini(&probe);
	resources_assert_same(&before);
	resources_drop(&before);
}

static void
unregister_myself(void *arg)
{
	struct intr_probe *probe = arg;

	probe->rc = rte_intr_callback_unregister(probe->handle, unregister_myself, probe);
	intr_probe_called(arg);
}

static void
test_unregister_in_own_callback_says_again(void **state)
{
	struct intr_probe probe;

	intr_probe_init(&probe);
	intr_probe_register(&probe, unregister_myself);
	intr_probe_fire(&probe);
	intr_probe_wait(&probe);
	assert_int_equal(probe.rc, -EAGAIN);
	intr_probe_unregister(&probe, unregister_myself);
	intr_probe_fini(&probe);
}

static struct intr_probe *gone_probe;
static int gone_fd;
static unsigned int gone_calls;

static void
on_gone(struct rte_intr_handle *handle, void *arg)
{
	gone_calls++;
	gone_probe = arg;
	gone_fd = rte_intr_fd_get(handle);
	sem_post(&gone_probe->called);
}

static void
unregister_myself_pending(void *arg)
{
	struct intr_probe *probe = arg;

	probe->calls++;
	probe->rc = rte_intr_callback_unregister_pending(probe->handle, unregister_myself_pending,
		probe, on_gone);
}

static void
test_pending_callback_is_told_once_it_is_gone(void **state)
{
	struct intr_probe probe;

	gone_calls = 0;
	intr_probe_init(&probe);
	intr_probe_register(&probe, unregister_myself_pending);
	intr_probe_fire(&probe);
	intr_probe_wait(&probe);
	assert_int_equal(probe.rc, 1);
	assert_ptr_equal(gone_probe, &probe);
	assert_int_equal(gone_fd, probe.fd);
	intr_probe_fire(&probe);
	intr_barrier();
	assert_int_equal(probe.calls, 1);
	assert_int_equal(gone_calls, 1);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, unregister_myself_pending,
		&probe), -ENOENT);
	intr_probe_fini(&probe);
}

/* As a hot-unplug does: take back, close, and the number is somebody else's at once. */
static void
unregister_sync_and_reopen(void *arg)
{
	struct intr_probe *probe = arg;

	probe->calls++;
	probe->rc = rte_intr_callback_unregister_sync(probe->handle, unregister_sync_and_reopen,
		probe);
	close(probe->fd);
	probe->fd = eventfd(0, EFD_CLOEXEC);
	rte_intr_fd_set(probe->handle, probe->fd);
	rte_intr_callback_register(probe->handle, intr_probe_called, probe);
	eventfd_write(probe->fd, 1);
}

static void
test_sync_in_own_callback_returns_and_frees_the_descriptor(void **state)
{
	struct intr_probe probe;

	intr_probe_init(&probe);
	intr_probe_register(&probe, unregister_sync_and_reopen);
	intr_probe_fire(&probe);
	intr_probe_wait(&probe);
	intr_barrier();
	assert_int_equal(probe.rc, 1);
	assert_int_equal(probe.calls, 2);
	intr_probe_unregister(&probe, intr_probe_called);
	intr_probe_fini(&probe);
}

static void
unregister_other(void *arg)
{
	struct intr_probe *probe = arg;

	probe->rc = rte_intr_callback_unregister_sync(probe->handle, intr_probe_called,
		probe->other);
	intr_probe_called(arg);
}

static void
test_callback_taken_back_by_the_one_before_does_not_start(void **state)
{
	struct intr_probe first, second;

	intr_probe_init(&first);
	intr_probe_init_fd(&second, RTE_INTR_HANDLE_VFIO_MSIX, dup(first.fd));
	first.other = &second;
	assert_int_equal(rte_intr_callback_register(first.handle, unregister_other, &first), 0);
	assert_int_equal(rte_intr_callback_register(first.handle, intr_probe_called, &second), 0);
	intr_probe_fire(&first);
	intr_probe_wait(&first);
	intr_barrier();
	assert_int_equal(first.rc, 1);
	assert_int_equal(second.calls, 0);
	intr_probe_unregister(&first, unregister_other);
	intr_probe_fini(&first);
	intr_probe_fini(&second);
}

static void *
go_after_a_while(void *arg)
{
	usleep(20000);
	sem_post(&intr_go_on);
	return NULL;
}

static void
test_sync_waits_for_the_callback_that_runs(void **state)
{
	struct intr_probe probe;
	pthread_t helper;

	sem_init(&intr_go_on, 0, 0);
	intr_probe_init(&probe);
	intr_probe_register(&probe, intr_probe_wait_for_go);
	intr_probe_fire(&probe);
	intr_probe_wait(&probe);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, intr_probe_wait_for_go, &probe),
		-EAGAIN);
	assert_int_equal(pthread_create(&helper, NULL, go_after_a_while, NULL), 0);
	intr_probe_unregister(&probe, intr_probe_wait_for_go);
	assert_int_equal(probe.calls, 101);
	pthread_join(helper, NULL);
	intr_probe_fini(&probe);
	sem_destroy(&intr_go_on);
}

static void
register_another(void *arg)
{
	struct intr_probe *probe = arg;

	if (probe->calls == 0)
		probe->rc = rte_intr_callback_register(probe->handle, intr_probe_called,
			probe->other);
	intr_probe_called(arg);
}

static void
test_callback_registered_in_a_callback_sees_the_next_event(void **state)
{
	struct intr_probe first, second;

	intr_probe_init(&first);
	intr_probe_init_fd(&second, RTE_INTR_HANDLE_VFIO_MSIX, dup(first.fd));
	first.other = &second;
	intr_probe_register(&first, register_another);
	intr_probe_fire(&first);
	intr_probe_wait(&first);
	intr_barrier();
	assert_int_equal(first.rc, 0);
	assert_int_equal(second.calls, 0);
	intr_probe_fire(&first);
	intr_probe_wait(&second);
	assert_int_equal(rte_intr_callback_unregister_sync(first.handle, intr_probe_called,
		&second), 1);
	intr_probe_unregister(&first, register_another);
	intr_probe_fini(&first);
	intr_probe_fini(&second);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_callback_runs_in_the_interrupt_thread),
	cmocka_unit_test(test_counter_is_read_away_so_one_event_is_one_call),
	cmocka_unit_test(test_handle_may_be_freed_after_registration),
	cmocka_unit_test(test_all_callbacks_of_a_descriptor_run_in_order),
	cmocka_unit_test(test_wrong_arguments_are_refused),
	cmocka_unit_test(test_unregister_counts_what_matches),
	cmocka_unit_test(test_what_cannot_be_waited_for_is_refused),
	cmocka_unit_test(test_unregister_in_own_callback_says_again),
	cmocka_unit_test(test_pending_callback_is_told_once_it_is_gone),
	cmocka_unit_test(test_sync_in_own_callback_returns_and_frees_the_descriptor),
	cmocka_unit_test(test_callback_taken_back_by_the_one_before_does_not_start),
	cmocka_unit_test(test_sync_waits_for_the_callback_that_runs),
	cmocka_unit_test(test_callback_registered_in_a_callback_sees_the_next_event),
};

TEST_SUITE(intr_callback, "functional", tests, intr_suite_start, intr_suite_stop)
