/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_interrupts.h>
#include <rte_log.h>

#include "eal_intr.h"
#include "interpose.h"
#include "test.h"

/*
 * With kqueue, which the fake FreeBSD has, a file may be waited for, and a descriptor that was
 * closed is forgotten although its file is open elsewhere.
 */
#ifndef WAITS_BY_EPOLL
#define WAITS_BY_EPOLL 1
#endif

#define ANY_ARG ((void *)-1)

static struct rte_intr_handle *
handle_new(enum rte_intr_handle_type type, int fd)
{
	struct rte_intr_handle *handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);

	assert_non_null(handle);
	assert_int_equal(rte_intr_type_set(handle, type), 0);
	assert_int_equal(rte_intr_fd_set(handle, fd), 0);
	return handle;
}

/* A source of interrupts, and what its callback saw and is to do. */
struct probe {
	struct rte_intr_handle *handle;
	int fd;
	sem_t called;
	unsigned int calls;
	int in_intr_thread;
	uint32_t flags;
	int rc;			/* of what the callback did */
	struct probe *other;
};

static void
probe_init_fd(struct probe *probe, enum rte_intr_handle_type type, int fd)
{
	memset(probe, 0, sizeof(*probe));
	assert_true(fd >= 0);
	probe->fd = fd;
	probe->handle = handle_new(type, fd);
	assert_int_equal(sem_init(&probe->called, 0, 0), 0);
}

static void
probe_init(struct probe *probe)
{
	probe_init_fd(probe, RTE_INTR_HANDLE_VFIO_MSIX, eventfd(0, EFD_CLOEXEC));
}

static void
probe_fini(struct probe *probe)
{
	rte_intr_instance_free(probe->handle);
	if (probe->fd >= 0)
		close(probe->fd);
	sem_destroy(&probe->called);
}

static void
probe_fire(const struct probe *probe)
{
	assert_int_equal(eventfd_write(probe->fd, 1), 0);
}

static void
probe_wait(struct probe *probe)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 30;
	assert_int_equal(sem_timedwait(&probe->called, &end), 0);
}

static void
on_intr(void *arg)
{
	struct probe *probe = arg;

	probe->calls++;
	probe->in_intr_thread = rte_thread_is_intr();
	probe->flags = rte_intr_active_events_flags();
	sem_post(&probe->called);
}

static void
probe_register(struct probe *probe, rte_intr_callback_fn fn)
{
	assert_int_equal(rte_intr_callback_register(probe->handle, fn, probe), 0);
}

static void
probe_unregister(struct probe *probe, rte_intr_callback_fn fn)
{
	assert_int_equal(rte_intr_callback_unregister_sync(probe->handle, fn, probe), 1);
}

/* Returns when the interrupt thread is done with all that was ready before. */
static void
barrier(void)
{
	struct probe probe;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		probe_init(&probe);
		probe_register(&probe, on_intr);
		probe_fire(&probe);
		probe_wait(&probe);
		probe_unregister(&probe, on_intr);
		probe_fini(&probe);
	}
}

/* Log lines of the block between start and stop. */
static FILE *log_stream;
static char *log_text;
static size_t log_len;

static void
log_start(void)
{
	log_stream = open_memstream(&log_text, &log_len);
	assert_non_null(log_stream);
	rte_openlog_stream(log_stream);
}

static unsigned int
log_stop(void)
{
	unsigned int lines = 0;
	size_t i;

	rte_openlog_stream(NULL);
	fclose(log_stream);
	for (i = 0; i < log_len; i++)
		lines += log_text[i] == '\n';
	free(log_text);
	return lines;
}

static void
test_callback_runs_in_the_interrupt_thread(void **state)
{
	struct probe probe;

	probe_init(&probe);
	probe_register(&probe, on_intr);
	probe_fire(&probe);
	probe_wait(&probe);
	assert_true(probe.in_intr_thread);
	assert_int_equal(probe.flags, RTE_INTR_EVENT_IN);
	assert_false(rte_thread_is_intr());
	assert_int_equal(rte_intr_active_events_flags(), 0);
	probe_unregister(&probe, on_intr);
	probe_fini(&probe);
}

static void
test_counter_is_read_away_so_one_event_is_one_call(void **state)
{
	struct probe probe;

	probe_init(&probe);
	probe_register(&probe, on_intr);
	probe_fire(&probe);
	probe_wait(&probe);
	barrier();
	assert_int_equal(probe.calls, 1);
	probe_unregister(&probe, on_intr);
	probe_fini(&probe);
}

static void
test_handle_may_be_freed_after_registration(void **state)
{
	struct probe probe;

	probe_init(&probe);
	probe_register(&probe, on_intr);
	rte_intr_instance_free(probe.handle);
	probe_fire(&probe);
	probe_wait(&probe);
	probe.handle = handle_new(RTE_INTR_HANDLE_VFIO_MSIX, probe.fd);
	probe_unregister(&probe, on_intr);
	probe_fini(&probe);
}

static void
test_all_callbacks_of_a_descriptor_run_in_order(void **state)
{
	struct probe first, second;

	probe_init(&first);
	probe_init_fd(&second, RTE_INTR_HANDLE_VFIO_MSIX, dup(first.fd));
	assert_int_equal(rte_intr_callback_register(first.handle, on_intr, &first), 0);
	assert_int_equal(rte_intr_callback_register(first.handle, on_intr, &second), 0);
	probe_fire(&first);
	probe_wait(&second);
	assert_int_equal(first.calls, 1);
	assert_int_equal(second.calls, 1);
	assert_int_equal(rte_intr_callback_unregister_sync(first.handle, on_intr, ANY_ARG), 2);
	probe_fini(&first);
	probe_fini(&second);
}

static void
test_wrong_arguments_are_refused(void **state)
{
	struct rte_intr_handle *no_fd = handle_new(RTE_INTR_HANDLE_EXT, -1);
	struct rte_intr_handle *good = handle_new(RTE_INTR_HANDLE_EXT, 0);
	const struct {
		struct rte_intr_handle *handle;
		rte_intr_callback_fn fn;
	} rows[] = {
		{ NULL, on_intr },
		{ no_fd, on_intr },
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
	struct probe probe;

	probe_init(&probe);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, on_intr, &probe), -ENOENT);
	assert_int_equal(rte_intr_callback_register(probe.handle, on_intr, &probe), 0);
	assert_int_equal(rte_intr_callback_register(probe.handle, on_intr, NULL), 0);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, on_intr, &state), 0);
	assert_int_equal(rte_intr_callback_unregister_pending(probe.handle, on_intr, &probe,
		NULL), -EAGAIN);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, on_intr, &probe), 1);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, on_intr, ANY_ARG), 1);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, on_intr, ANY_ARG), -ENOENT);
	probe_fini(&probe);
}

static void
test_what_cannot_be_waited_for_is_refused(void **state)
{
	struct probe probe;
	struct resources before;

	if (!WAITS_BY_EPOLL)
		skip();
	resources_take(&before);
	probe_init_fd(&probe, RTE_INTR_HANDLE_EXT, open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	log_start();
	assert_int_equal(rte_intr_callback_register(probe.handle, on_intr, &probe), -EPERM);
	assert_int_equal(log_stop(), 1);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, on_intr, &probe), -ENOENT);
	probe_fini(&probe);
	resources_assert_same(&before);
	resources_drop(&before);
}

static void
unregister_myself(void *arg)
{
	struct probe *probe = arg;

	probe->rc = rte_intr_callback_unregister(probe->handle, unregister_myself, probe);
	on_intr(arg);
}

static void
test_unregister_in_own_callback_says_again(void **state)
{
	struct probe probe;

	probe_init(&probe);
	probe_register(&probe, unregister_myself);
	probe_fire(&probe);
	probe_wait(&probe);
	assert_int_equal(probe.rc, -EAGAIN);
	probe_unregister(&probe, unregister_myself);
	probe_fini(&probe);
}

static struct probe *gone_probe;
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
	struct probe *probe = arg;

	probe->calls++;
	probe->rc = rte_intr_callback_unregister_pending(probe->handle, unregister_myself_pending,
		probe, on_gone);
}

static void
test_pending_callback_is_told_once_it_is_gone(void **state)
{
	struct probe probe;

	gone_calls = 0;
	probe_init(&probe);
	probe_register(&probe, unregister_myself_pending);
	probe_fire(&probe);
	probe_wait(&probe);
	assert_int_equal(probe.rc, 1);
	assert_ptr_equal(gone_probe, &probe);
	assert_int_equal(gone_fd, probe.fd);
	probe_fire(&probe);
	barrier();
	assert_int_equal(probe.calls, 1);
	assert_int_equal(gone_calls, 1);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, unregister_myself_pending,
		&probe), -ENOENT);
	probe_fini(&probe);
}

/* As a hot-unplug does: take back, close, and the number is somebody else's at once. */
static void
unregister_sync_and_reopen(void *arg)
{
	struct probe *probe = arg;

	probe->calls++;
	probe->rc = rte_intr_callback_unregister_sync(probe->handle, unregister_sync_and_reopen,
		probe);
	close(probe->fd);
	probe->fd = eventfd(0, EFD_CLOEXEC);
	rte_intr_fd_set(probe->handle, probe->fd);
	rte_intr_callback_register(probe->handle, on_intr, probe);
	eventfd_write(probe->fd, 1);
}

static void
test_sync_in_own_callback_returns_and_frees_the_descriptor(void **state)
{
	struct probe probe;

	probe_init(&probe);
	probe_register(&probe, unregister_sync_and_reopen);
	probe_fire(&probe);
	probe_wait(&probe);
	barrier();
	assert_int_equal(probe.rc, 1);
	assert_int_equal(probe.calls, 2);
	probe_unregister(&probe, on_intr);
	probe_fini(&probe);
}

static void
unregister_other(void *arg)
{
	struct probe *probe = arg;

	probe->rc = rte_intr_callback_unregister_sync(probe->handle, on_intr, probe->other);
	on_intr(arg);
}

static void
test_callback_taken_back_by_the_one_before_does_not_start(void **state)
{
	struct probe first, second;

	probe_init(&first);
	probe_init_fd(&second, RTE_INTR_HANDLE_VFIO_MSIX, dup(first.fd));
	first.other = &second;
	assert_int_equal(rte_intr_callback_register(first.handle, unregister_other, &first), 0);
	assert_int_equal(rte_intr_callback_register(first.handle, on_intr, &second), 0);
	probe_fire(&first);
	probe_wait(&first);
	barrier();
	assert_int_equal(first.rc, 1);
	assert_int_equal(second.calls, 0);
	probe_unregister(&first, unregister_other);
	probe_fini(&first);
	probe_fini(&second);
}

static sem_t go_on;

static void
wait_for_go(void *arg)
{
	on_intr(arg);
	sem_wait(&go_on);
	((struct probe *)arg)->calls += 100;
}

static void *
go_after_a_while(void *arg)
{
	usleep(20000);
	sem_post(&go_on);
	return NULL;
}

static void
test_sync_waits_for_the_callback_that_runs(void **state)
{
	struct probe probe;
	pthread_t helper;

	sem_init(&go_on, 0, 0);
	probe_init(&probe);
	probe_register(&probe, wait_for_go);
	probe_fire(&probe);
	probe_wait(&probe);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, wait_for_go, &probe), -EAGAIN);
	assert_int_equal(pthread_create(&helper, NULL, go_after_a_while, NULL), 0);
	probe_unregister(&probe, wait_for_go);
	assert_int_equal(probe.calls, 101);
	pthread_join(helper, NULL);
	probe_fini(&probe);
	sem_destroy(&go_on);
}

static void
register_another(void *arg)
{
	struct probe *probe = arg;

	if (probe->calls == 0)
		probe->rc = rte_intr_callback_register(probe->handle, on_intr, probe->other);
	on_intr(arg);
}

static void
test_callback_registered_in_a_callback_sees_the_next_event(void **state)
{
	struct probe first, second;

	probe_init(&first);
	probe_init_fd(&second, RTE_INTR_HANDLE_VFIO_MSIX, dup(first.fd));
	first.other = &second;
	probe_register(&first, register_another);
	probe_fire(&first);
	probe_wait(&first);
	barrier();
	assert_int_equal(first.rc, 0);
	assert_int_equal(second.calls, 0);
	probe_fire(&first);
	probe_wait(&second);
	assert_int_equal(rte_intr_callback_unregister_sync(first.handle, on_intr, &second), 1);
	probe_unregister(&first, register_another);
	probe_fini(&first);
	probe_fini(&second);
}

static void
test_descriptor_in_error_is_dropped_with_one_line(void **state)
{
	static const enum rte_intr_handle_type types[] = {
		RTE_INTR_HANDLE_EXT, RTE_INTR_HANDLE_UIO, RTE_INTR_HANDLE_VFIO_MSIX,
	};
	struct probe probe;
	unsigned int i;
	int ends[2];

	for (i = 0; i < RTE_DIM(types); i++) {
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		probe_init_fd(&probe, types[i], ends[0]);
		log_start();
		probe_register(&probe, on_intr);
		close(ends[1]);
		probe_wait(&probe);
		barrier();
		assert_int_equal(log_stop(), 1);
		assert_int_equal(probe.calls, 1);
		assert_true((probe.flags & RTE_INTR_EVENT_HUP) != 0);
		assert_int_equal(rte_intr_callback_unregister(probe.handle, on_intr, &probe),
			-ENOENT);
		probe_fini(&probe);
	}
}

static void
read_a_byte(void *arg)
{
	struct probe *probe = arg;
	char byte;

	if (read(probe->fd, &byte, 1) == 1)
		probe->rc++;
	on_intr(arg);
}

static void
test_what_came_before_the_hangup_is_delivered(void **state)
{
	struct probe probe;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	close(ends[1]);
	probe_init_fd(&probe, RTE_INTR_HANDLE_EXT, ends[0]);
	log_start();
	probe_register(&probe, read_a_byte);
	probe_wait(&probe);
	probe_wait(&probe);
	probe_wait(&probe);
	barrier();
	assert_int_equal(log_stop(), 1);
	assert_int_equal(probe.rc, 3);
	probe_fini(&probe);
}

static void
test_unreadable_descriptor_is_dropped(void **state)
{
	struct probe probe;

	/* A counter has 8 bytes, and a type with 4 is not what it is. */
	probe_init_fd(&probe, RTE_INTR_HANDLE_UIO, eventfd(0, EFD_CLOEXEC));
	log_start();
	probe_register(&probe, on_intr);
	probe_fire(&probe);
	probe_wait(&probe);
	barrier();
	assert_int_equal(log_stop(), 1);
	assert_int_equal(probe.calls, 1);
	assert_true((probe.flags & RTE_INTR_EVENT_ERR) != 0);
	probe_fini(&probe);
}

static void
drain_other(void *arg)
{
	struct probe *probe = arg;
	eventfd_t value;

	wait_for_go(arg);
	eventfd_read(probe->other->fd, &value);
}

static void
test_event_that_a_callback_took_from_another_blocks_nothing(void **state)
{
	struct probe first, second;

	sem_init(&go_on, 0, 0);
	probe_init(&first);
	probe_init(&second);
	first.other = &second;
	probe_register(&first, drain_other);
	probe_register(&second, on_intr);
	probe_fire(&first);
	probe_wait(&first);
	probe_fire(&second);
	sem_post(&go_on);
	barrier();
	assert_int_equal(second.calls, 0);
	probe_unregister(&first, drain_other);
	probe_unregister(&second, on_intr);
	probe_fini(&first);
	probe_fini(&second);
	sem_destroy(&go_on);
}

static void
test_spurious_wakeup_runs_no_callback(void **state)
{
	struct probe probe;

	probe_init_fd(&probe, RTE_INTR_HANDLE_VFIO_MSIX, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	probe_register(&probe, on_intr);
	interpose_fail(INTERPOSE_ONLY(READ), 1, EAGAIN);
	probe_fire(&probe);
	probe_wait(&probe);
	barrier();
	interpose_disarm();
	assert_true(interpose_fired());
	assert_int_equal(probe.calls, 1);
	probe_unregister(&probe, on_intr);
	probe_fini(&probe);
}

static void
test_interrupted_read_is_tried_again(void **state)
{
	struct probe probe;

	probe_init(&probe);
	probe_register(&probe, on_intr);
	interpose_fail(INTERPOSE_ONLY(READ), 1, EINTR);
	probe_fire(&probe);
	probe_wait(&probe);
	interpose_disarm();
	assert_true(interpose_fired());
	barrier();
	assert_int_equal(probe.calls, 1);
	probe_unregister(&probe, on_intr);
	probe_fini(&probe);
}

static void
test_reopened_descriptor_is_a_new_source(void **state)
{
	struct probe old, now;
	int fd;

	probe_init(&old);
	probe_register(&old, on_intr);
	fd = old.fd;
	close(fd);
	old.fd = -1;
	probe_init(&now);
	assert_int_equal(now.fd, fd);
	probe_register(&now, on_intr);
	probe_fire(&now);
	probe_wait(&now);
	barrier();
	assert_int_equal(old.calls, 0);
	assert_int_equal(rte_intr_callback_unregister(now.handle, on_intr, ANY_ARG), 1);
	probe_fini(&now);
	probe_fini(&old);
}

static void
test_file_left_open_elsewhere_makes_no_busy_loop(void **state)
{
	struct probe probe;
	int twin;

	probe_init(&probe);
	twin = dup(probe.fd);
	probe_register(&probe, on_intr);
	close(probe.fd);
	probe_unregister(&probe, on_intr);
	interpose_fail(INTERPOSE_ONLY(EPOLL_CREATE), 0, 0);
	eventfd_write(twin, 1);
	barrier();
	barrier();
	interpose_disarm();
	assert_int_equal(interpose_count(), WAITS_BY_EPOLL);
	assert_int_equal(probe.calls, 0);
	close(twin);
	probe.fd = -1;
	probe_fini(&probe);
}

static void
cleanup_myself(void *arg)
{
	((struct probe *)arg)->rc = eal_intr_cleanup();
	on_intr(arg);
}

static void
test_the_thread_cannot_end_itself(void **state)
{
	struct probe probe;

	probe_init(&probe);
	probe_register(&probe, cleanup_myself);
	probe_fire(&probe);
	probe_wait(&probe);
	assert_int_equal(probe.rc, -EDEADLK);
	probe_unregister(&probe, cleanup_myself);
	probe_fini(&probe);
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

static void
test_what_is_registered_early_is_served_from_the_start(void **state)
{
	struct probe probe;

	assert_int_equal(eal_intr_cleanup(), 0);
	probe_init(&probe);
	probe_register(&probe, on_intr);
	probe_fire(&probe);
	assert_int_equal(eal_intr_init(), 0);
	assert_int_equal(eal_intr_init(), -EALREADY);
	probe_wait(&probe);
	probe_unregister(&probe, on_intr);
	probe_fini(&probe);
}

static void
test_cleanup_drops_what_is_registered(void **state)
{
	struct resources before;
	struct probe probe;

	assert_int_equal(eal_intr_cleanup(), 0);
	assert_int_equal(eal_intr_cleanup(), 0);
	resources_take(&before);
	probe_init(&probe);
	assert_int_equal(eal_intr_init(), 0);
	probe_register(&probe, on_intr);
	assert_int_equal(eal_intr_cleanup(), 0);
	assert_int_equal(rte_intr_callback_unregister(probe.handle, on_intr, &probe), -ENOENT);
	probe_fini(&probe);
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
	log_start();
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
		rc = eal_intr_init();
		interpose_disarm();
		assert_int_equal(rc < 0, interpose_fired());
		if (rc == 0)
			eal_intr_cleanup();
	}
	log_stop();
	assert_int_equal(eal_intr_init(), 0);
}

static void
test_failing_registration_leaves_nothing_behind(void **state)
{
	struct interpose_loop loop;
	struct probe probe;
	int rc;

	log_start();
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
		interpose_bypass_begin();
		probe_init(&probe);
		interpose_bypass_end();
		rc = rte_intr_callback_register(probe.handle, on_intr, &probe);
		interpose_disarm();
		assert_int_equal(rc < 0, interpose_fired());
		if (rc == 0)
			probe_unregister(&probe, on_intr);
		probe_fini(&probe);
	}
	log_stop();
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
	cmocka_unit_test(test_descriptor_in_error_is_dropped_with_one_line),
	cmocka_unit_test(test_what_came_before_the_hangup_is_delivered),
	cmocka_unit_test(test_unreadable_descriptor_is_dropped),
	cmocka_unit_test(test_event_that_a_callback_took_from_another_blocks_nothing),
	cmocka_unit_test(test_spurious_wakeup_runs_no_callback),
	cmocka_unit_test(test_interrupted_read_is_tried_again),
	cmocka_unit_test(test_reopened_descriptor_is_a_new_source),
	cmocka_unit_test(test_file_left_open_elsewhere_makes_no_busy_loop),
	cmocka_unit_test(test_the_thread_cannot_end_itself),
	cmocka_unit_test(test_what_is_registered_early_is_served_from_the_start),
	cmocka_unit_test(test_cleanup_drops_what_is_registered),
	cmocka_unit_test(test_failing_start_leaves_nothing_behind),
	cmocka_unit_test(test_failing_registration_leaves_nothing_behind),
	cmocka_unit_test(test_many_threads_register_fire_and_take_back),
};

TEST_SUITE(interrupts, "functional", tests, start, stop)
