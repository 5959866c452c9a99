/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_interrupts.h>
#include <rte_os_shim.h>

#include "eal_alarm.h"
#include "eal_dev_event.h"
#include "eal_intr.h"
#include "eal_intr_poll.h"
#include "eal_log.h"

#define ANY_ARG ((void *)-1)
#define GONE (RTE_INTR_EVENT_ERR | RTE_INTR_EVENT_HUP | RTE_INTR_EVENT_RDHUP)
/* What is reported for the descriptor that ends the thread; sources count from 1. */
#define STOP_ID 0

struct intr_callback {
	TAILQ_ENTRY(intr_callback) next;
	uint64_t round;		/* the callback's first round */
	rte_intr_callback_fn fn;
	void *arg;
	rte_intr_unregister_callback_fn on_gone;
	bool doomed;		/* starts no more, freed when the round is over */
};

TAILQ_HEAD(intr_callback_list, intr_callback);

/*
 * A descriptor with its callbacks. It is watched by number, not by address, so an event
 * that comes late finds nothing rather than freed memory. One reference each for the list, for
 * the thread that runs a round of its callbacks, and for every thread that waits for that.
 */
struct intr_source {
	LIST_ENTRY(intr_source) next;
	uint64_t id;
	unsigned int refs;
	bool listed;
	bool active;		/* a round of its callbacks is running */
	struct rte_intr_handle *handle;	/* copy of the first callback's */
	struct intr_callback_list callbacks;
};

static LIST_HEAD(, intr_source) sources = LIST_HEAD_INITIALIZER(sources);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* of all that is static here */
static pthread_cond_t round_over = PTHREAD_COND_INITIALIZER;
static struct intr_source *running;	/* source whose round it is */
static uint64_t last_id;
static uint64_t round_nb;
static bool leftovers;		/* a descriptor is watched that we could not take out */
static int poll_fd = -1;
static int stop_fd = -1;
static pthread_t thread;

static __thread bool is_intr_thread;
static __thread uint32_t active_events;

/* Sources. All of these are called with the lock held. */

static void
source_unref(struct intr_source *source)
{
	struct intr_callback *callback;

	if (--source->refs > 0)
		return;
	while ((callback = TAILQ_FIRST(&source->callbacks)) != NULL) {
		TAILQ_REMOVE(&source->callbacks, callback, next);
		free(callback);
	}
	rte_intr_instance_free(source->handle);
	free(source);
}

static struct intr_source *
source_new(const struct rte_intr_handle *handle)
{
	struct intr_source *source = calloc(1, sizeof(*source));

	if (source == NULL)
		return NULL;
	source->handle = rte_intr_instance_dup(handle);
	if (source->handle == NULL) {
		free(source);
		return NULL;
	}
	TAILQ_INIT(&source->callbacks);
	source->id = ++last_id;
	source->refs = 1;
	return source;
}

static struct intr_source *
source_by_id(uint64_t id)
{
	struct intr_source *source;

	LIST_FOREACH(source, &sources, next)
		if (source->id == id)
			return source;
	return NULL;
}

static struct intr_source *
source_by_fd(int fd)
{
	struct intr_source *source;

	LIST_FOREACH(source, &sources, next)
		if (source->handle->fd == fd)
			return source;
	return NULL;
}

static int
source_watch(const struct intr_source *source)
{
	return poll_fd < 0 ? 0 : eal_intr_poll_add(poll_fd, source->handle->fd, source->id);
}

static int
source_watch_again(const struct intr_source *source)
{
	return poll_fd < 0 ? 0 : eal_intr_poll_change(poll_fd, source->handle->fd, source->id);
}

static int
source_unwatch(const struct intr_source *source)
{
	return poll_fd < 0 ? 0 : eal_intr_poll_remove(poll_fd, source->handle->fd);
}

/* The kernel forgets a descriptor when its file is closed, but the file may be open elsewhere. */
static void
source_unlist(struct intr_source *source)
{
	if (!source->listed)
		return;
	if (source_unwatch(source) < 0)
		leftovers = true;
	LIST_REMOVE(source, next);
	source->listed = false;
	source_unref(source);
}

static int
source_list(struct intr_source *source)
{
	int rc = source_watch(source);

	if (rc == -EEXIST)
		rc = source_watch_again(source);
	if (rc < 0)
		return rc;
	LIST_INSERT_HEAD(&sources, source, next);
	source->listed = true;
	return 0;
}

static bool
callback_matches(const struct intr_callback *callback, rte_intr_callback_fn fn, const void *arg)
{
	return !callback->doomed && callback->fn == fn && (arg == ANY_ARG || callback->arg == arg);
}

/* Keeps the callbacks from starting again; a source that has no others is listed no more. */
static int
source_doom(struct intr_source *source, rte_intr_callback_fn fn, const void *arg,
		rte_intr_unregister_callback_fn on_gone)
{
	struct intr_callback *callback;
	unsigned int left = 0;
	int n = 0;

	TAILQ_FOREACH(callback, &source->callbacks, next) {
		if (callback_matches(callback, fn, arg)) {
			callback->on_gone = on_gone;
			callback->doomed = true;
			n++;
		}
		left += !callback->doomed;
	}
	if (left == 0)
		source_unlist(source);
	return n;
}

static void
source_doom_all(struct intr_source *source)
{
	struct intr_callback *callback;

	TAILQ_FOREACH(callback, &source->callbacks, next)
		callback->doomed = true;
	source_unlist(source);
}

static struct intr_callback *
source_first_doomed(const struct intr_source *source)
{
	struct intr_callback *callback;

	TAILQ_FOREACH(callback, &source->callbacks, next)
		if (callback->doomed)
			return callback;
	return NULL;
}

/* Frees the doomed; each is told, without the lock. */
static void
source_bury(struct intr_source *source)
{
	struct intr_callback *callback;

	while ((callback = source_first_doomed(source)) != NULL) {
		TAILQ_REMOVE(&source->callbacks, callback, next);
		if (callback->on_gone != NULL) {
			pthread_mutex_unlock(&lock);
			callback->on_gone(source->handle, callback->arg);
			pthread_mutex_lock(&lock);
		}
		free(callback);
	}
}

/* Registration. */

/*
 * A descriptor number may have been closed and opened again without a word to us: then the
 * kernel does not find it, and the callbacks registered for the former file will never have an
 * event.
 */
static struct intr_source *
source_for_registration(int fd)
{
	struct intr_source *source = source_by_fd(fd);

	if (source == NULL || source_watch_again(source) == 0)
		return source;
	EAL_LOG(DEBUG, "Interrupt fd %d was closed with callbacks registered", fd);
	source->refs++;
	source_doom_all(source);
	if (!source->active)
		source_bury(source);
	source_unref(source);
	return NULL;
}

static int
callback_add(const struct rte_intr_handle *handle, struct intr_callback *callback)
{
	struct intr_source *source = source_for_registration(handle->fd);
	int rc;

	callback->round = round_nb + 1;
	if (source != NULL) {
		TAILQ_INSERT_TAIL(&source->callbacks, callback, next);
		return 0;
	}
	source = source_new(handle);
	if (source == NULL)
		return -ENOMEM;
	rc = source_list(source);
	if (rc < 0) {
		source_unref(source);
		return rc;
	}
	TAILQ_INSERT_TAIL(&source->callbacks, callback, next);
	return 0;
}

static bool
arguments_are_wrong(const struct rte_intr_handle *handle, rte_intr_callback_fn fn)
{
	return handle == NULL || handle->fd < 0 || fn == NULL;
}

RTE_EXPORT_SYMBOL(rte_intr_callback_register)
int
rte_intr_callback_register(const struct rte_intr_handle *intr_handle,
		rte_intr_callback_fn cb, void *cb_arg)
{
	struct intr_callback *callback;
	int rc;

	if (arguments_are_wrong(intr_handle, cb))
		return -EINVAL;
	callback = calloc(1, sizeof(*callback));
	if (callback == NULL)
		return -ENOMEM;
	callback->fn = cb;
	callback->arg = cb_arg;
	pthread_mutex_lock(&lock);
	rc = callback_add(intr_handle, callback);
	pthread_mutex_unlock(&lock);
	if (rc < 0) {
		EAL_LOG(ERR, "Cannot wait for %s interrupt of fd %d: %s",
			eal_intr_type(intr_handle->type)->name, intr_handle->fd, strerror(-rc));
		free(callback);
	}
	return rc;
}

static int
doom_and_bury(struct intr_source *source, rte_intr_callback_fn fn, const void *arg)
{
	int n;

	source->refs++;
	n = source_doom(source, fn, arg, NULL);
	source_bury(source);
	source_unref(source);
	return n;
}

RTE_EXPORT_SYMBOL(rte_intr_callback_unregister)
int
rte_intr_callback_unregister(const struct rte_intr_handle *intr_handle,
		rte_intr_callback_fn cb, void *cb_arg)
{
	struct intr_source *source;
	int rc;

	if (arguments_are_wrong(intr_handle, cb))
		return -EINVAL;
	pthread_mutex_lock(&lock);
	source = source_by_fd(intr_handle->fd);
	if (source == NULL)
		rc = -ENOENT;
	else if (source->active)
		rc = -EAGAIN;
	else
		rc = doom_and_bury(source, cb, cb_arg);
	pthread_mutex_unlock(&lock);
	return rc;
}

RTE_EXPORT_SYMBOL(rte_intr_callback_unregister_pending)
int
rte_intr_callback_unregister_pending(const struct rte_intr_handle *intr_handle,
		rte_intr_callback_fn cb_fn, void *cb_arg,
		rte_intr_unregister_callback_fn ucb_fn)
{
	struct intr_source *source;
	int rc;

	if (arguments_are_wrong(intr_handle, cb_fn))
		return -EINVAL;
	pthread_mutex_lock(&lock);
	source = source_by_fd(intr_handle->fd);
	if (source == NULL)
		rc = -ENOENT;
	else if (!source->active)
		rc = -EAGAIN;
	else
		rc = source_doom(source, cb_fn, cb_arg, ucb_fn);
	pthread_mutex_unlock(&lock);
	return rc;
}

/* The source whose round it is may be unlisted already and yet be what the caller means. */
static struct intr_source *
source_to_wait_for(int fd)
{
	struct intr_source *source = source_by_fd(fd);

	if (source == NULL && running != NULL && running->handle->fd == fd)
		source = running;
	return source;
}

static int
unregister_and_wait(struct intr_source *source, rte_intr_callback_fn fn, const void *arg)
{
	uint64_t round = round_nb;
	int n;

	if (!source->active)
		return doom_and_bury(source, fn, arg);
	source->refs++;
	n = source->listed ? source_doom(source, fn, arg, NULL) : -ENOENT;
	while (source->active && round_nb == round && !is_intr_thread)
		pthread_cond_wait(&round_over, &lock);
	source_unref(source);
	return n;
}

RTE_EXPORT_SYMBOL(rte_intr_callback_unregister_sync)
int
rte_intr_callback_unregister_sync(const struct rte_intr_handle *intr_handle,
		rte_intr_callback_fn cb, void *cb_arg)
{
	struct intr_source *source;
	int rc = -ENOENT;

	if (arguments_are_wrong(intr_handle, cb))
		return -EINVAL;
	pthread_mutex_lock(&lock);
	source = source_to_wait_for(intr_handle->fd);
	if (source != NULL)
		rc = unregister_and_wait(source, cb, cb_arg);
	pthread_mutex_unlock(&lock);
	return rc;
}

/* The thread. */

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

	round_nb++;
	active_events = events;
	TAILQ_FOREACH(callback, &source->callbacks, next) {
		if (callback->doomed || callback->round > round_nb)
			continue;
		pthread_mutex_unlock(&lock);
		callback->fn(callback->arg);
		pthread_mutex_lock(&lock);
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
	source_doom_all(source);
}

static void
source_round(struct intr_source *source, uint32_t events)
{
	int rc = 1;

	if ((events & RTE_INTR_EVENT_IN) != 0) {
		pthread_mutex_unlock(&lock);
		rc = counter_read(source->handle);
		pthread_mutex_lock(&lock);
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
	running = source;
	source_round(source, events);
	source_bury(source);
	running = NULL;
	source->active = false;
	pthread_cond_broadcast(&round_over);
	source_unref(source);
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

	for (source = LIST_FIRST(&sources); source != NULL; source = after) {
		after = LIST_NEXT(source, next);
		if (source_watch(source) == 0)
			continue;
		EAL_LOG(WARNING, "Interrupt fd %d cannot be waited for",
			source->handle->fd);
		source->refs++;
		source_doom_all(source);
		source_bury(source);
		source_unref(source);
	}
}

/* The only way to be rid of a file that is open elsewhere but has no descriptor here. */
static void
poll_remake(void)
{
	int fd = poll_make();

	if (fd < 0)
		return;
	close(poll_fd);
	poll_fd = fd;
	sources_relist();
	leftovers = false;
}

static void
event_handle(const struct eal_intr_event *event)
{
	struct intr_source *source;

	pthread_mutex_lock(&lock);
	source = source_by_id(event->id);
	if (source != NULL)
		source_serve(source, event->flags);
	else if (leftovers)
		poll_remake();
	pthread_mutex_unlock(&lock);
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
		n = eal_intr_poll_wait(poll_fd, &event);
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
	pthread_mutex_lock(&lock);
	poll_fd = fd;
	sources_relist();
	pthread_mutex_unlock(&lock);
	return 0;
}

static void
poll_close(void)
{
	pthread_mutex_lock(&lock);
	close(poll_fd);
	poll_fd = -1;
	leftovers = false;
	pthread_mutex_unlock(&lock);
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

	pthread_mutex_lock(&lock);
	while ((source = LIST_FIRST(&sources)) != NULL) {
		EAL_LOG(DEBUG, "Interrupt fd %d still has callbacks", source->handle->fd);
		LIST_REMOVE(source, next);
		source->listed = false;
		source_unref(source);
	}
	pthread_mutex_unlock(&lock);
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
