/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_interrupts.h>

#include "eal_alarm.h"
#include "eal_dev_event.h"
#include "eal_intr.h"
#include "eal_intr_poll.h"
#include "eal_intr_source.h"
#include "eal_log.h"

#define GONE (RTE_INTR_EVENT_ERR | RTE_INTR_EVENT_HUP | RTE_INTR_EVENT_RDHUP)
/* What is reported for the descriptor that ends the thread; sources count from 1. */
#define STOP_ID 0

static int stop_fd = -1;
static pthread_t thread;

static __thread bool is_intr_thread;
static __thread uint32_t active_events;

RTE_EXPORT_SYMBOL(rte_thread_is_intr)
int
rte_thread_is_intr(void)
{
	return is_intr_thread;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_active_events_flags)
uint32_t
rte_intr_active_events_flags(void)
{
	return active_events;
}

/*
 * Reads the counter of the event away. The descriptor may be a blocking one, but the kernel has
 * just said that there is something.
 *
 * Returns 1, 0 if it turned out that there was nothing, or -errno if there never will be.
 */
static int
counter_read(const struct rte_intr_handle *handle)
{
	char counter[EAL_INTR_COUNTER_MAX];
	size_t size = eal_intr_type(handle->type)->counter_size;
	ssize_t n;

	if (size == 0)
		return 1;
	do
		n = read(handle->fd, counter, size);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return 1;
	if (n == 0)
		return -EPIPE;
	return errno == EAGAIN ? 0 : -errno;
}

/* One round of a source's callbacks. Called with the lock held, which callbacks run without. */
static void
callbacks_run(struct intr_source *source, uint32_t events)
{
	struct intr_callback *callback;

	eal_intr.round_nb++;
	active_events = events;
	TAILQ_FOREACH(callback, &source->callbacks, next) {
		if (callback->doomed || callback->round > eal_intr.round_nb)
			continue;
		pthread_mutex_unlock(&eal_intr.lock);
		callback->fn(callback->arg);
		pthread_mutex_lock(&eal_intr.lock);
	}
	active_events = 0;
}

/* Looks again, after the callbacks, whether the descriptor is in error with nothing to read. */
static bool
fd_is_dead(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLRDHUP };
	int len = 0;

	if (poll(&pfd, 1, 0) < 1 || (pfd.revents & (POLLERR | POLLHUP | POLLRDHUP | POLLNVAL)) == 0)
		return false;
	return (pfd.revents & POLLIN) == 0 || ioctl(fd, FIONREAD, &len) < 0 || len == 0;
}

static void
source_drop(struct intr_source *source, int err)
{
	if (!source->listed)
		return;
	EAL_LOG(WARNING, "%s interrupt of fd %d is dead (%s), its callbacks are dropped",
		eal_intr_type(source->handle->type)->name, source->handle->fd, strerror(err));
	eal_intr_source_doom_all(source);
}

static void
source_round(struct intr_source *source, uint32_t events)
{
	int rc = 1;

	if ((events & RTE_INTR_EVENT_IN) != 0) {
		pthread_mutex_unlock(&eal_intr.lock);
		rc = counter_read(source->handle);
		pthread_mutex_lock(&eal_intr.lock);
	}
	if (rc != 0)
		callbacks_run(source, rc < 0 ? events | RTE_INTR_EVENT_ERR : events);
	if (rc < 0)
		source_drop(source, -rc);
	else if ((events & GONE) != 0 && fd_is_dead(source->handle->fd))
		source_drop(source, EPIPE);
}

/* Nobody else frees the source or its callbacks while it is active. */
static void
source_serve(struct intr_source *source, uint32_t events)
{
	source->refs++;
	source->active = true;
	eal_intr.running = source;
	source_round(source, events);
	eal_intr_source_bury(source);
	eal_intr.running = NULL;
	source->active = false;
	pthread_cond_broadcast(&eal_intr.round_over);
	eal_intr_source_unref(source);
}

static int
poll_make(void)
{
	int fd = eal_intr_poll_make();
	int rc;

	if (fd < 0)
		return fd;
	rc = eal_intr_poll_add(fd, stop_fd, STOP_ID);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

/* Sources whose descriptor was closed in the meantime go. */
static void
sources_relist(void)
{
	struct intr_source *source, *after;

	for (source = LIST_FIRST(&eal_intr.sources); source != NULL; source = after) {
		after = LIST_NEXT(source, next);
		if (eal_intr_source_watch(source) == 0)
			continue;
		EAL_LOG(WARNING, "Interrupt fd %d cannot be waited for",
			source->handle->fd);
		source->refs++;
		eal_intr_source_doom_all(source);
		eal_intr_source_bury(source);
		eal_intr_source_unref(source);
	}
}

/* The only way to be rid of a file that is open elsewhere but has no descriptor here. */
static void
poll_remake(void)
{
	int fd = poll_make();

	if (fd < 0)
		return;
	close(eal_intr.poll_fd);
	eal_intr.poll_fd = fd;
	sources_relist();
	eal_intr.leftovers = false;
}

static void
event_handle(const struct eal_intr_event *event)
{
	struct intr_source *source;

	pthread_mutex_lock(&eal_intr.lock);
	source = eal_intr_source_by_id(event->id);
	if (source != NULL)
		source_serve(source, event->flags);
	else if (eal_intr.leftovers)
		poll_remake();
	pthread_mutex_unlock(&eal_intr.lock);
}

/*
 * One event at a time: what an earlier callback read away or took back is not reported, so that
 * the read of the counter does not block.
 */
static void *
intr_thread_main(void *arg)
{
	struct eal_intr_event event;
	int n;

	(void)arg;
	is_intr_thread = true;
	for (;;) {
		n = eal_intr_poll_wait(eal_intr.poll_fd, &event);
		if (n < 0)
			break;
		if (n == 1 && event.id == STOP_ID)
			return NULL;
		if (n == 1)
			event_handle(&event);
	}
	EAL_LOG(ERR, "Cannot wait for interrupts: %s", strerror(-n));
	return NULL;
}

/* Signals are for the application's threads, except for those that this thread's faults raise. */
static void
signals_to_block(sigset_t *set)
{
	static const int faults[] = { SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP, SIGABRT };
	unsigned int i;

	sigfillset(set);
	for (i = 0; i < RTE_DIM(faults); i++)
		sigdelset(set, faults[i]);
}

static int
thread_start(void)
{
	sigset_t blocked, saved;
	int rc;

	signals_to_block(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, &saved);
	rc = pthread_create(&thread, NULL, intr_thread_main, NULL);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	if (rc == 0)
		pthread_setname_np(thread, "dpdk-intr");
	return -rc;
}

/* What the thread serves for EAL itself. Undone in the reverse order, as far as it was done. */
static int
own_sources_init(void)
{
	int rc = eal_dev_event_defer_init();

	if (rc < 0)
		return rc;
	rc = eal_alarm_init();
	if (rc < 0)
		eal_dev_event_defer_cleanup();
	return rc;
}

static void
own_sources_cleanup(void)
{
	eal_alarm_cleanup();
	eal_dev_event_defer_cleanup();
}

static int
poll_open(void)
{
	int fd = poll_make();

	if (fd < 0)
		return fd;
	pthread_mutex_lock(&eal_intr.lock);
	eal_intr.poll_fd = fd;
	sources_relist();
	pthread_mutex_unlock(&eal_intr.lock);
	return 0;
}

static void
poll_close(void)
{
	pthread_mutex_lock(&eal_intr.lock);
	close(eal_intr.poll_fd);
	eal_intr.poll_fd = -1;
	eal_intr.leftovers = false;
	pthread_mutex_unlock(&eal_intr.lock);
}

RTE_EXPORT_INTERNAL_SYMBOL(eal_intr_init)
int
eal_intr_init(void)
{
	int rc;

	if (stop_fd >= 0)
		return -EALREADY;
	stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (stop_fd < 0) {
		rc = -errno;
		goto err;
	}
	rc = poll_open();
	if (rc < 0)
		goto err_stop_fd;
	rc = own_sources_init();
	if (rc < 0)
		goto err_poll;
	rc = thread_start();
	if (rc < 0)
		goto err_own_sources;
	return 0;

err_own_sources:
	own_sources_cleanup();
err_poll:
	poll_close();
err_stop_fd:
	close(stop_fd);
	stop_fd = -1;
err:
	EAL_LOG(ERR, "Cannot start the interrupt thread: %s", strerror(-rc));
	return rc;
}

static void
sources_free(void)
{
	struct intr_source *source;

	pthread_mutex_lock(&eal_intr.lock);
	while ((source = LIST_FIRST(&eal_intr.sources)) != NULL) {
		EAL_LOG(DEBUG, "Interrupt fd %d still has callbacks", source->handle->fd);
		LIST_REMOVE(source, next);
		source->listed = false;
		eal_intr_source_unref(source);
	}
	pthread_mutex_unlock(&eal_intr.lock);
}

RTE_EXPORT_INTERNAL_SYMBOL(eal_intr_cleanup)
int
eal_intr_cleanup(void)
{
	if (is_intr_thread)
		return -EDEADLK;
	if (stop_fd < 0)
		return 0;
	eal_dev_monitor_cleanup();
	eal_sigbus_cleanup();
	own_sources_cleanup();
	eventfd_write(stop_fd, 1);
	pthread_join(thread, NULL);
	poll_close();
	sources_free();
	eal_dev_event_cleanup();
	close(stop_fd);
	stop_fd = -1;
	return 0;
}
