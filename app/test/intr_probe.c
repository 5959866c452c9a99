/* SPDX-License-Identifier: BSD-3-Clause */

#include <semaphore.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_interrupts.h>

#include "eal_intr.h"
#include "intr_probe.h"
#include "test.h"

struct rte_intr_handle *
intr_handle_empty(void)
{
	struct rte_intr_handle *handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);

	assert_non_null(handle);
	return handle;
}

struct rte_intr_handle *
intr_handle_new(enum rte_intr_handle_type type, int fd)
{
	struct rte_intr_handle *handle = intr_handle_empty();

	assert_int_equal(rte_intr_type_set(handle, type), 0);
	assert_int_equal(rte_intr_fd_set(handle, fd), 0);
	return handle;
}

void
intr_probe_init_fd(struct intr_probe *probe, enum rte_intr_handle_type type, int fd)
{
	memset(probe, 0, sizeof(*probe));
	assert_true(fd >= 0);
	probe->fd = fd;
	probe->handle = intr_handle_new(type, fd);
	assert_int_equal(sem_init(&probe->called, 0, 0), 0);
}

void
intr_probe_init(struct intr_probe *probe)
{
	intr_probe_init_fd(probe, RTE_INTR_HANDLE_VFIO_MSIX, eventfd(0, EFD_CLOEXEC));
}

void
intr_probe_fini(struct intr_probe *probe)
{
	rte_intr_instance_free(probe->handle);
	if (probe->fd >= 0)
		close(probe->fd);
	sem_destroy(&probe->called);
}

void
intr_probe_fire(const struct intr_probe *probe)
{
	assert_int_equal(eventfd_write(probe->fd, 1), 0);
}

void
intr_probe_wait(struct intr_probe *probe)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 30;
	assert_int_equal(sem_timedwait(&probe->called, &end), 0);
}

void
intr_probe_called(void *arg)
{
	struct intr_probe *probe = arg;

	probe->calls++;
	probe->in_intr_thread = rte_thread_is_intr();
	probe->flags = rte_intr_active_events_flags();
	sem_post(&probe->called);
}

sem_t intr_go_on;

void
intr_probe_wait_for_go(void *arg)
{
	intr_probe_called(arg);
	sem_wait(&intr_go_on);
	((struct intr_probe *)arg)->calls += 100;
}

void
intr_probe_register(struct intr_probe *probe, rte_intr_callback_fn fn)
{
	assert_int_equal(rte_intr_callback_register(probe->handle, fn, probe), 0);
}

void
intr_probe_unregister(struct intr_probe *probe, rte_intr_callback_fn fn)
{
	assert_int_equal(rte_intr_callback_unregister_sync(probe->handle, fn, probe), 1);
}

void
intr_barrier(void)
{
	struct intr_probe probe;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		intr_probe_init(&probe);
		intr_probe_register(&probe, intr_probe_called);
		intr_probe_fire(&probe);
		intr_probe_wait(&probe);
		intr_probe_unregister(&probe, intr_probe_called);
		intr_probe_fini(&probe);
	}
}

int
intr_suite_start(void **state)
{
	return eal_intr_init();
}

int
intr_suite_stop(void **state)
{
	return eal_intr_cleanup();
}
