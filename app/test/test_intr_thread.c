/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_interrupts.h>

#include "eal_intr.h"
#include "eal_session.h"
#include "interpose.h"
#include "intr_probe.h"
#include "test.h"

static void
cleanup_myself(void *arg)
{
	((struct intr_probe *)arg)->rc = eal_intr_cleanup();
	intr_probe_called(arg);
}

static void
test_the_thread_cannot_end_itself(void **state)
{
	struct intr_probe probe;

	intr_probe_init(&probe);
	intr_probe_register(&probe, cleanup_myself);
	intr_probe_fire(&probe);
	intr_probe_wait(&probe);
	assert_int_equal(probe.rc, -EDEADLK);
	intr_probe_unregister(&probe, cleanup_myself);
	intr_probe_fini(&probe);
}

static void
test_what_is_registered_early_is_served_from_the_start(void **state)
{
	struct intr_probe probe;

	assert_int_equal(eal_intr_cleanup(), 0);
	intr_probe_init(&probe);
	intr_probe_register(&probe, intr_probe_called);
	intr_probe_fire(&probe);
	assert_int_equal(eal_intr_init(), 0);
	assert_int_equal(eal_intr_init(), -EALREADY);
	intr_probe_wait(&probe);
	intr_probe_unregister(&probe, intr_probe_called);
	intr_probe_fini(&probe);
}

static void
test_cleanup_drops_what_is_registered(void **state)
{
	struct resources before;
	struct intr_probe probe;

	assert_int_equal(eal_intr_cleanup(), 0);
	assert_int_equal(eal_intr_cleanup(), 0);
	resources_take(&before);
	intr_probe_init(&probe);
	assert_int_equal(eal_intr_init(), 0);
	intr_probe_register(&probe, intr_probe_called);
	assert_int_equal(eal_intr_cleanup(), 0);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, intr_probe_called, &probe),
		-ENOENT);
	intr_probe_fini(&probe);
	resources_assert_same(&before);
	resources_drop(&before);
	assert_int_equal(eal_intr_init(), 0);
}

static void
test_failing_start_leaves_nothing_behind(void **state)
{
	struct interpose_loop loop;
	int rc;

	assert_int_equal(eal_intr_cleanup(), 0);
	eal_log_capture();
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
		rc = eal_intr_init();
		interpose_disarm();
		assert_int_equal(rc < 0, interpose_fired());
		if (rc == 0)
			eal_intr_cleanup();
	}
	eal_log_release();
	assert_int_equal(eal_intr_init(), 0);
}

static void
test_failing_registration_leaves_nothing_behind(void **state)
{
	struct interpose_loop loop;
	struct intr_probe probe;
	int rc;

	eal_log_capture();
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
		interpose_bypass_begin();
		intr_probe_init(&probe);
		interpose_bypass_end();
		rc = rte_intr_callback_register(probe.handle, intr_probe_called, &probe);
		interpose_disarm();
		assert_int_equal(rc < 0, interpose_fired());
		if (rc == 0)
			intr_probe_unregister(&probe, intr_probe_called);
		intr_probe_fini(&probe);
	}
	eal_log_release();
}

/* Threads that register, fire and take back at once, with arguments that live no longer. */
#define STRESS_THREADS 4
#define STRESS_ROUNDS 300

struct stress_arg {
	int canary;
	unsigned int *calls;
};

static void
on_stress(void *arg)
{
	struct stress_arg *stress = arg;

	if (stress->canary == 42)
		__atomic_fetch_add(stress->calls, 1, __ATOMIC_RELAXED);
}

static void
stress_round(unsigned int *calls, unsigned int *failures)
{
	struct stress_arg *arg = malloc(sizeof(*arg));
	int fd = eventfd(0, EFD_CLOEXEC);
	struct rte_intr_handle *handle = rte_intr_instance_alloc(0);

	arg->canary = 42;
	arg->calls = calls;
	rte_intr_fd_set(handle, fd);
	rte_intr_type_set(handle, RTE_INTR_HANDLE_VFIO_MSIX);
	*failures += rte_intr_callback_register(handle, on_stress, arg) != 0;
	eventfd_write(fd, 1);
	*failures += rte_intr_callback_unregister_sync(handle, on_stress, arg) != 1;
	close(fd);
	rte_intr_instance_free(handle);
	arg->canary = 0;
	free(arg);
}

static unsigned int stress_calls;

static void *
stress_main(void *arg)
{
	unsigned int *failures = arg;
	unsigned int i;

	for (i = 0; i < STRESS_ROUNDS; i++)
		stress_round(&stress_calls, failures);
	return NULL;
}

static void
test_many_threads_register_fire_and_take_back(void **state)
{
	unsigned int failures[STRESS_THREADS] = { 0 };
	pthread_t threads[STRESS_THREADS];
	unsigned int i;

	for (i = 0; i < STRESS_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, stress_main, &failures[i]), 0);
	for (i = 0; i < STRESS_THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(failures[i], 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_the_thread_cannot_end_itself),
	cmocka_unit_test(test_what_is_registered_early_is_served_from_the_start),
	cmocka_unit_test(test_cleanup_drops_what_is_registered),
	cmocka_unit_test(test_failing_start_leaves_nothing_behind),
	cmocka_unit_test(test_failing_registration_leaves_nothing_behind),
	cmocka_unit_test(test_many_threads_register_fire_and_take_back),
};

TEST_SUITE(intr_thread, "functional", tests, intr_suite_start, intr_suite_stop)
