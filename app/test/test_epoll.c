/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_epoll.h>
#include <rte_interrupts.h>

#include "interpose.h"
#include "resources.h"
#include "test.h"

#define LONG_MS 30000

static void
read_counter(int fd, void *arg)
{
	unsigned int *calls = arg;
	eventfd_t value;

	if (eventfd_read(fd, &value) == 0)
		(*calls)++;
}

static void
test_event_comes_with_its_owners_data(void **state)
{
	struct rte_epoll_event event = { .epdata = { .event = EPOLLIN } }, out[2];
	int set = epoll_create1(EPOLL_CLOEXEC);
	int fd = eventfd(0, EFD_CLOEXEC);
	unsigned int calls = 0;

	event.epdata.data = &fd;
	event.epdata.cb_fun = read_counter;
	event.epdata.cb_arg = &calls;
	assert_int_equal(rte_epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
	assert_int_equal(event.status, RTE_EPOLL_VALID);
	assert_int_equal(rte_epoll_wait(set, out, 2, 0), 0);
	eventfd_write(fd, 1);
	assert_int_equal(rte_epoll_wait(set, out, 2, LONG_MS), 1);
	assert_int_equal(out[0].fd, fd);
	assert_int_equal(out[0].epfd, set);
	assert_int_equal(out[0].status, RTE_EPOLL_VALID);
	assert_int_equal(out[0].epdata.event, EPOLLIN);
	assert_ptr_equal(out[0].epdata.data, &fd);
	assert_int_equal(calls, 1);
	assert_int_equal(rte_epoll_wait(set, out, 2, 0), 0);
	assert_int_equal(rte_epoll_ctl(set, EPOLL_CTL_DEL, fd, &event), 0);
	assert_int_equal(event.status, RTE_EPOLL_INVALID);
	eventfd_write(fd, 1);
	assert_int_equal(rte_epoll_wait(set, out, 2, 0), 0);
	close(fd);
	close(set);
}

static void
test_no_more_events_than_room(void **state)
{
	struct rte_epoll_event events[100], out[101];
	int set = epoll_create1(EPOLL_CLOEXEC);
	unsigned int calls = 0, i;
	int got = 0, n;

	memset(events, 0, sizeof(events));
	for (i = 0; i < RTE_DIM(events); i++) {
		events[i].epdata.event = EPOLLIN;
		events[i].epdata.cb_fun = read_counter;
		events[i].epdata.cb_arg = &calls;
		assert_int_equal(rte_epoll_ctl(set, EPOLL_CTL_ADD, eventfd(1, EFD_CLOEXEC),
			&events[i]), 0);
	}
	assert_int_equal(rte_epoll_wait(set, out, 1, 0), 1);
	for (n = 1; n > 0; got += n)
		n = rte_epoll_wait(set, out, RTE_DIM(out), 0);
	assert_int_equal(got, 99);
	assert_int_equal(calls, 100);
	for (i = 0; i < RTE_DIM(events); i++) {
		rte_epoll_ctl(set, EPOLL_CTL_DEL, events[i].fd, &events[i]);
		close(events[i].fd);
	}
	close(set);
}

static void
test_wrong_arguments_are_refused(void **state)
{
	struct rte_epoll_event event = { 0 }, out[1];
	int set = epoll_create1(EPOLL_CLOEXEC);
	int file_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int fd = eventfd(0, EFD_CLOEXEC);

	assert_int_equal(rte_epoll_wait(set, out, 0, 0), -EINVAL);
	assert_int_equal(rte_epoll_wait(set, NULL, 1, 0), -EINVAL);
	assert_int_equal(rte_epoll_wait(-2, out, 1, 0), -EBADF);
	assert_int_equal(rte_epoll_wait(file_fd, out, 1, 0), -EINVAL);
	assert_int_equal(rte_epoll_ctl(set, EPOLL_CTL_ADD, set, NULL), -EINVAL);
	assert_int_equal(rte_epoll_ctl(-2, EPOLL_CTL_ADD, file_fd, &event), -EBADF);
	assert_int_equal(rte_epoll_ctl(set, EPOLL_CTL_ADD, file_fd, &event), -EPERM);
	assert_int_equal(event.status, RTE_EPOLL_INVALID);
	assert_int_equal(rte_epoll_ctl(set, EPOLL_CTL_MOD, file_fd, &event), -EPERM);
	assert_int_equal(rte_epoll_ctl(set, EPOLL_CTL_DEL, fd, &event), -ENOENT);
	close(fd);
	close(file_fd);
	close(set);
}

static void
test_own_set_of_the_thread_is_made_once(void **state)
{
	int set = rte_intr_tls_epfd();

	assert_true(set >= 0);
	assert_int_equal(rte_intr_tls_epfd(), set);
}

static void *
use_own_set(void *arg)
{
	*(int *)arg = rte_intr_tls_epfd();
	return NULL;
}

static void
test_own_set_ends_with_its_thread(void **state)
{
	struct resources before;
	pthread_t thread;
	int mine = rte_intr_tls_epfd(), theirs = -1;

	assert_int_equal(pthread_create(&thread, NULL, use_own_set, &theirs), 0);
	pthread_join(thread, NULL);
	resources_take(&before);
	assert_int_equal(pthread_create(&thread, NULL, use_own_set, &theirs), 0);
	pthread_join(thread, NULL);
	assert_true(theirs >= 0);
	assert_int_not_equal(theirs, mine);
	assert_int_equal(fcntl(theirs, F_GETFD), -1);
	resources_assert_same(&before);
	resources_drop(&before);
}

static void
delete_itself(int fd, void *arg)
{
	struct rte_epoll_event *event = arg;

	rte_epoll_ctl(event->epfd, EPOLL_CTL_DEL, fd, event);
	memset(event, 0xa5, sizeof(*event));
}

static void
test_callback_may_delete_its_own_event(void **state)
{
	struct rte_epoll_event event = { .epdata = { .event = EPOLLIN } }, untouched, out[1];
	int set = epoll_create1(EPOLL_CLOEXEC);
	int fd = eventfd(1, EFD_CLOEXEC);

	memset(&untouched, 0xa5, sizeof(untouched));
	event.epdata.cb_fun = delete_itself;
	event.epdata.cb_arg = &event;
	assert_int_equal(rte_epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
	assert_int_equal(rte_epoll_wait(set, out, 1, LONG_MS), 1);
	assert_memory_equal(&event, &untouched, sizeof(event));
	close(fd);
	close(set);
}

static int in_callback;

static void
stay_a_while(int fd, void *arg)
{
	eventfd_t value;

	eventfd_read(fd, &value);
	__atomic_store_n(&in_callback, 1, __ATOMIC_RELEASE);
	usleep(20000);
	__atomic_store_n(&in_callback, 2, __ATOMIC_RELEASE);
}

static void *
wait_for_one(void *arg)
{
	struct rte_epoll_event out[1];

	return (void *)(intptr_t)rte_epoll_wait(*(int *)arg, out, 1, LONG_MS);
}

static void
test_deletion_waits_for_the_callback_in_another_thread(void **state)
{
	struct rte_epoll_event event = { .epdata = { .event = EPOLLIN, .cb_fun = stay_a_while } };
	int set = epoll_create1(EPOLL_CLOEXEC);
	int fd = eventfd(1, EFD_CLOEXEC);
	pthread_t thread;
	void *rc;

	__atomic_store_n(&in_callback, 0, __ATOMIC_RELEASE);
	assert_int_equal(rte_epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_one, &set), 0);
	while (__atomic_load_n(&in_callback, __ATOMIC_ACQUIRE) == 0)
		usleep(1000);
	assert_int_equal(rte_epoll_ctl(set, EPOLL_CTL_DEL, fd, &event), 0);
	assert_int_equal(__atomic_load_n(&in_callback, __ATOMIC_ACQUIRE), 2);
	pthread_join(thread, &rc);
	assert_int_equal((intptr_t)rc, 1);
	close(fd);
	close(set);
}

static void
on_signal(int sig)
{
}

/* A signal to itself after a while, without SA_RESTART. */
static void
signal_later(timer_t *timer)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct sigevent how = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec when = {
		.it_value = { .tv_nsec = 5000000 },
		.it_interval = { .tv_nsec = 5000000 },
	};

	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	assert_int_equal(timer_create(CLOCK_MONOTONIC, &how, timer), 0);
	assert_int_equal(timer_settime(*timer, 0, &when, NULL), 0);
}

static void
test_signal_ends_only_the_interruptible_wait(void **state)
{
	int set = epoll_create1(EPOLL_CLOEXEC);
	struct rte_epoll_event out[1];
	timer_t timer;

	signal_later(&timer);
	assert_int_equal(rte_epoll_wait_interruptible(set, out, 1, LONG_MS), -EINTR);
	assert_int_equal(rte_epoll_wait(set, out, 1, 40), 0);
	timer_delete(timer);
	close(set);
}

/* Queue interrupts. */

static struct rte_intr_handle *
queues_new(uint32_t nb)
{
	struct rte_intr_handle *handle = rte_intr_instance_alloc(0);

	assert_non_null(handle);
	rte_intr_type_set(handle, RTE_INTR_HANDLE_VFIO_MSIX);
	assert_int_equal(rte_intr_efd_enable(handle, nb), 0);
	return handle;
}

static void
queues_free(struct rte_intr_handle *handle)
{
	rte_intr_efd_disable(handle);
	rte_intr_instance_free(handle);
}

static void
test_queue_interrupt_wakes_its_thread_once(void **state)
{
	struct rte_intr_handle *handle = queues_new(2);
	struct rte_epoll_event out[2];
	int data;

	assert_int_equal(rte_intr_rx_ctl(handle, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_ADD, 2,
		&data), 0);
	eventfd_write(rte_intr_efds_index_get(handle, 1), 3);
	assert_int_equal(rte_epoll_wait(RTE_EPOLL_PER_THREAD, out, 2, LONG_MS), 1);
	assert_ptr_equal(out[0].epdata.data, &data);
	assert_int_equal(rte_epoll_wait(RTE_EPOLL_PER_THREAD, out, 2, 0), 0);
	eventfd_write(rte_intr_efds_index_get(handle, 1), 1);
	assert_int_equal(rte_epoll_wait(RTE_EPOLL_PER_THREAD, out, 2, LONG_MS), 1);
	queues_free(handle);
}

static void
test_vector_numbers_count_queues_from_one(void **state)
{
	static const struct {
		unsigned int vec;
		int queue;	/* -1: there is none */
	} rows[] = {
		{ 0, 0 }, { 1, 0 }, { 2, 1 }, { 3, 2 }, { 4, -1 }, { UINT32_MAX, -1 },
	};
	struct rte_intr_handle *handle = queues_new(3);
	struct rte_epoll_event out[3];
	unsigned int i;
	int rc;

	for (i = 0; i < RTE_DIM(rows); i++) {
		rc = rte_intr_rx_ctl(handle, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_ADD,
			rows[i].vec, NULL);
		assert_int_equal(rc, rows[i].queue < 0 ? -EPERM : 0);
		if (rc < 0)
			continue;
		eventfd_write(rte_intr_efds_index_get(handle, rows[i].queue), 1);
		assert_int_equal(rte_epoll_wait(RTE_EPOLL_PER_THREAD, out, 3, LONG_MS), 1);
		assert_int_equal(out[0].fd, rte_intr_efds_index_get(handle, rows[i].queue));
		assert_int_equal(rte_intr_rx_ctl(handle, -1, RTE_INTR_EVENT_DEL, rows[i].vec,
			NULL), 0);
	}
	queues_free(handle);
}

static void
test_vector_is_added_once_and_deleted_once(void **state)
{
	struct rte_intr_handle *handle = queues_new(1);

	assert_int_equal(rte_intr_rx_ctl(handle, -1, RTE_INTR_EVENT_DEL, 1, NULL), -EPERM);
	assert_int_equal(rte_intr_rx_ctl(handle, -1, RTE_INTR_EVENT_ADD, 1, NULL), 0);
	assert_int_equal(rte_intr_rx_ctl(handle, -1, RTE_INTR_EVENT_ADD, 1, NULL), -EEXIST);
	assert_int_equal(rte_intr_rx_ctl(handle, -1, 3, 1, NULL), -EPERM);
	assert_int_equal(rte_intr_rx_ctl(handle, -1, RTE_INTR_EVENT_DEL, 1, NULL), 0);
	assert_int_equal(rte_intr_rx_ctl(handle, -1, RTE_INTR_EVENT_DEL, 1, NULL), -EPERM);
	assert_int_equal(rte_intr_rx_ctl(handle, -1, RTE_INTR_EVENT_ADD, 1, NULL), 0);
	queues_free(handle);
}

static void
test_virtual_device_reads_its_counter_as_told(void **state)
{
	static const struct {
		uint8_t counter_size;
		int left;	/* events after the wait */
	} rows[] = {
		{ 8, 0 },
		{ 0, 1 },	/* the driver reads */
	};
	struct rte_epoll_event out[1];
	struct rte_intr_handle *handle;
	eventfd_t value;
	unsigned int i;
	int fd;

	for (i = 0; i < RTE_DIM(rows); i++) {
		handle = rte_intr_instance_alloc(0);
		fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		rte_intr_type_set(handle, RTE_INTR_HANDLE_VDEV);
		rte_intr_nb_efd_set(handle, 1);
		rte_intr_max_intr_set(handle, 2);
		rte_intr_efds_index_set(handle, 0, fd);
		rte_intr_efd_counter_size_set(handle, rows[i].counter_size);
		assert_int_equal(rte_intr_rx_ctl(handle, -1, RTE_INTR_EVENT_ADD, 1, NULL), 0);
		eventfd_write(fd, 1);
		assert_int_equal(rte_epoll_wait(-1, out, 1, LONG_MS), 1);
		assert_int_equal(eventfd_read(fd, &value) == 0, rows[i].left);
		queues_free(handle);
	}
}

/* Each thread polls queues of its own on the same handle. */
#define POLLERS 4

struct poller {
	struct rte_intr_handle *handle;
	unsigned int queue;
	unsigned int failures;
};

static void *
poller_main(void *arg)
{
	struct poller *poller = arg;
	struct rte_epoll_event out[1];
	unsigned int vec = RTE_INTR_VEC_RXTX_OFFSET + poller->queue;
	unsigned int i;

	for (i = 0; i < 200; i++) {
		poller->failures += rte_intr_rx_ctl(poller->handle, RTE_EPOLL_PER_THREAD,
			RTE_INTR_EVENT_ADD, vec, poller) != 0;
		eventfd_write(rte_intr_efds_index_get(poller->handle, poller->queue), 1);
		poller->failures += rte_epoll_wait(RTE_EPOLL_PER_THREAD, out, 1, LONG_MS) != 1;
		poller->failures += out[0].epdata.data != poller;
		poller->failures += rte_intr_rx_ctl(poller->handle, RTE_EPOLL_PER_THREAD,
			RTE_INTR_EVENT_DEL, vec, NULL) != 0;
	}
	return NULL;
}

static void
test_threads_poll_queues_of_one_device_without_a_lock(void **state)
{
	struct rte_intr_handle *handle = queues_new(POLLERS);
	struct poller pollers[POLLERS];
	pthread_t threads[POLLERS];
	unsigned int i;

	for (i = 0; i < POLLERS; i++) {
		pollers[i] = (struct poller){ .handle = handle, .queue = i };
		assert_int_equal(pthread_create(&threads[i], NULL, poller_main, &pollers[i]), 0);
	}
	for (i = 0; i < POLLERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(pollers[i].failures, 0);
	}
	queues_free(handle);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_event_comes_with_its_owners_data),
	cmocka_unit_test(test_no_more_events_than_room),
	cmocka_unit_test(test_wrong_arguments_are_refused),
	cmocka_unit_test(test_own_set_of_the_thread_is_made_once),
	cmocka_unit_test(test_own_set_ends_with_its_thread),
	cmocka_unit_test(test_callback_may_delete_its_own_event),
	cmocka_unit_test(test_deletion_waits_for_the_callback_in_another_thread),
	cmocka_unit_test(test_signal_ends_only_the_interruptible_wait),
	cmocka_unit_test(test_queue_interrupt_wakes_its_thread_once),
	cmocka_unit_test(test_vector_numbers_count_queues_from_one),
	cmocka_unit_test(test_vector_is_added_once_and_deleted_once),
	cmocka_unit_test(test_virtual_device_reads_its_counter_as_told),
	cmocka_unit_test(test_threads_poll_queues_of_one_device_without_a_lock),
};

TEST_SUITE(epoll, "functional", tests, NULL, NULL)
