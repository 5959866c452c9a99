/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_alarm.h>
#include <rte_common.h>
#include <rte_errno.h>
#include <rte_interrupts.h>

#include "eal_intr.h"
#include "interpose.h"
#include "resources.h"
#include "test.h"

#define ANY_ARG ((void *)-1)
#define SOON_US 1000
#define NEVER_US UINT64_C(3600000000)

static sem_t called;
static char order[8];
static unsigned int nb_calls;
static int rc_in_callback, errno_in_callback;

static void
called_reset(void)
{
	memset(order, 0, sizeof(order));
	nb_calls = 0;
	sem_init(&called, 0, 0);
}

static void
called_wait(void)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 30;
	assert_int_equal(sem_timedwait(&called, &end), 0);
}

static void
on_alarm(void *arg)
{
	order[nb_calls++] = rte_thread_is_intr() ? *(const char *)arg : '?';
	sem_post(&called);
}

static void
test_alarms_come_in_order_of_time(void **state)
{
	called_reset();
	assert_int_equal(rte_eal_alarm_set(30 * SOON_US, on_alarm, (char[]){ 'c' }), 0);
	assert_int_equal(rte_eal_alarm_set(10 * SOON_US, on_alarm, (char[]){ 'a' }), 0);
	assert_int_equal(rte_eal_alarm_set(40 * SOON_US, on_alarm, (char[]){ 'd' }), 0);
	assert_int_equal(rte_eal_alarm_set(20 * SOON_US, on_alarm, (char[]){ 'b' }), 0);
	called_wait();
	called_wait();
	called_wait();
	called_wait();
	assert_string_equal(order, "abcd");
}

static void
test_alarm_taken_back_does_not_come(void **state)
{
	called_reset();
	assert_int_equal(rte_eal_alarm_set(NEVER_US, on_alarm, (char[]){ 'x' }), 0);
	assert_int_equal(rte_eal_alarm_set(NEVER_US, on_alarm, NULL), 0);
	assert_int_equal(rte_eal_alarm_set(NEVER_US, on_alarm, &called), 0);
	assert_int_equal(rte_eal_alarm_cancel(on_alarm, NULL), 1);
	assert_int_equal(rte_eal_alarm_cancel(on_alarm, ANY_ARG), 2);
	rte_errno = 0;
	assert_int_equal(rte_eal_alarm_cancel(on_alarm, ANY_ARG), 0);
	assert_int_equal(rte_errno, ENOENT);
}

static void
test_wrong_times_and_callbacks_are_refused(void **state)
{
	assert_int_equal(rte_eal_alarm_set(0, on_alarm, NULL), -EINVAL);
	assert_int_equal(rte_eal_alarm_set(UINT64_MAX, on_alarm, NULL), -EINVAL);
	assert_int_equal(rte_eal_alarm_set(INT64_MAX / 1000, on_alarm, NULL), -EINVAL);
	assert_int_equal(rte_eal_alarm_set(1, NULL, NULL), -EINVAL);
	rte_errno = 0;
	assert_int_equal(rte_eal_alarm_cancel(NULL, NULL), -1);
	assert_int_equal(rte_errno, EINVAL);
}

static void
cancel_myself(void *arg)
{
	rte_errno = 0;
	rc_in_callback = rte_eal_alarm_cancel(cancel_myself, arg);
	errno_in_callback = rte_errno;
	sem_post(&called);
}

static void
test_callback_cannot_wait_for_itself(void **state)
{
	called_reset();
	assert_int_equal(rte_eal_alarm_set(1, cancel_myself, NULL), 0);
	called_wait();
	assert_int_equal(rc_in_callback, 0);
	assert_int_equal(errno_in_callback, EINPROGRESS);
}

static unsigned int nb_set_again;

/* As drivers poll: each alarm sets the next. */
static void
set_again(void *arg)
{
	sem_post(&called);
	usleep(SOON_US);
	rte_eal_alarm_set(1, set_again, arg);
	__atomic_fetch_add(&nb_set_again, 1, __ATOMIC_RELAXED);
}

static void
test_cancel_ends_an_alarm_that_sets_itself_again(void **state)
{
	unsigned int before;

	called_reset();
	assert_int_equal(rte_eal_alarm_set(1, set_again, NULL), 0);
	called_wait();
	called_wait();
	rte_eal_alarm_cancel(set_again, NULL);
	before = __atomic_load_n(&nb_set_again, __ATOMIC_RELAXED);
	called_reset();
	assert_int_equal(rte_eal_alarm_set(5 * SOON_US, on_alarm, (char[]){ 'e' }), 0);
	called_wait();
	assert_string_equal(order, "e");
	assert_int_equal(__atomic_load_n(&nb_set_again, __ATOMIC_RELAXED), before);
}

static void
test_alarms_set_before_the_start_come_after_it(void **state)
{
	called_reset();
	assert_int_equal(eal_intr_cleanup(), 0);
	assert_int_equal(rte_eal_alarm_set(1, on_alarm, (char[]){ 'a' }), 0);
	assert_int_equal(eal_intr_init(), 0);
	called_wait();
	assert_string_equal(order, "a");
}

static void
test_forgotten_alarms_go_with_eal(void **state)
{
	struct resources before;

	assert_int_equal(eal_intr_cleanup(), 0);
	resources_take(&before);
	assert_int_equal(eal_intr_init(), 0);
	assert_int_equal(rte_eal_alarm_set(NEVER_US, on_alarm, NULL), 0);
	assert_int_equal(eal_intr_cleanup(), 0);
	resources_assert_same(&before);
	resources_drop(&before);
	assert_int_equal(eal_intr_init(), 0);
}

static void *
set_and_cancel(void *arg)
{
	unsigned int *failures = arg;
	unsigned int i;

	for (i = 0; i < 300; i++) {
		*failures += rte_eal_alarm_set(NEVER_US, on_alarm, failures) != 0;
		*failures += rte_eal_alarm_set(NEVER_US + i, on_alarm, failures) != 0;
		*failures += rte_eal_alarm_cancel(on_alarm, failures) != 2;
	}
	return NULL;
}

static void
test_threads_set_and_cancel(void **state)
{
	unsigned int failures[3] = { 0 };
	pthread_t threads[RTE_DIM(failures)];
	unsigned int i;

	for (i = 0; i < RTE_DIM(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, set_and_cancel, &failures[i]),
			0);
	for (i = 0; i < RTE_DIM(threads); i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(failures[i], 0);
	}
}

static int
start(void **state)
{
	return eal_intr_init();
}

static int
stop(void **state)
{
	return eal_intr_cleanup();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_alarms_come_in_order_of_time),
	cmocka_unit_test(test_alarm_taken_back_does_not_come),
	cmocka_unit_test(test_wrong_times_and_callbacks_are_refused),
	cmocka_unit_test(test_callback_cannot_wait_for_itself),
	cmocka_unit_test(test_cancel_ends_an_alarm_that_sets_itself_again),
	cmocka_unit_test(test_alarms_set_before_the_start_come_after_it),
	cmocka_unit_test(test_forgotten_alarms_go_with_eal),
	cmocka_unit_test(test_threads_set_and_cancel),
};

TEST_SUITE(alarm, "functional", tests, start, stop)
