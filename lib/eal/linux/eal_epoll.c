/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_epoll.h>
#include <rte_interrupts.h>

/* A longer list of events is filled in by the next call. */
#define EVENTS_MAX 64

static pthread_once_t own_once = PTHREAD_ONCE_INIT;
static pthread_key_t own_key;	/* descriptor + 1 of the thread's own set */
static int own_key_rc;

/* The event whose callback this thread runs, until the callback deletes it. */
static __thread struct rte_epoll_event *executing;

static void
own_set_close(void *value)
{
	close((int)(intptr_t)value - 1);
}

static void
own_key_make(void)
{
	own_key_rc = -pthread_key_create(&own_key, own_set_close);
}

static int
own_set_make(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = pthread_setspecific(own_key, (void *)(intptr_t)(fd + 1));
	if (rc == 0)
		return fd;
	close(fd);
	return -rc;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_tls_epfd)
int
rte_intr_tls_epfd(void)
{
	void *value;

	pthread_once(&own_once, own_key_make);
	if (own_key_rc < 0)
		return own_key_rc;
	value = pthread_getspecific(own_key);
	return value == NULL ? own_set_make() : (int)(intptr_t)value - 1;
}

static int
epfd_resolve(int epfd)
{
	if (epfd >= 0)
		return epfd;
	return epfd == RTE_EPOLL_PER_THREAD ? rte_intr_tls_epfd() : -EBADF;
}

static bool
status_move(struct rte_epoll_event *event, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&event->status, &from, to, false,
		__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/*
 * Hands out one event and runs its callback. An event that was deleted, or that another thread
 * is handing out, is skipped. After its callback deleted it, an event is not touched any more.
 */
static bool
event_take(struct rte_epoll_event *event, uint32_t flags, struct rte_epoll_event *out)
{
	struct rte_epoll_event *outer = executing;

	if (!status_move(event, RTE_EPOLL_VALID, RTE_EPOLL_EXEC))
		return false;
	*out = (struct rte_epoll_event){
		.status = RTE_EPOLL_VALID,
		.fd = event->fd,
		.epfd = event->epfd,
		.epdata = event->epdata,
	};
	out->epdata.event = flags;
	executing = event;
	if (out->epdata.cb_fun != NULL)
		out->epdata.cb_fun(out->fd, out->epdata.cb_arg);
	if (executing == event)
		__atomic_store_n(&event->status, RTE_EPOLL_VALID, __ATOMIC_RELEASE);
	executing = outer;
	return true;
}

static int
events_take(const struct epoll_event *from, int nb, struct rte_epoll_event *out)
{
	int n = 0;
	int i;

	for (i = 0; i < nb; i++)
		n += event_take(from[i].data.ptr, from[i].events, &out[n]);
	return n;
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int
left_ms(int64_t end)
{
	int64_t left = end - now_ms();

	return left > 0 ? (int)left : 0;
}

static int
wait_for_events(int epfd, struct rte_epoll_event *events, int maxevents, int timeout,
		bool interruptible)
{
	struct epoll_event from[EVENTS_MAX];
	int64_t end = timeout > 0 ? now_ms() + timeout : 0;
	int n;

	if (events == NULL || maxevents < 1)
		return -EINVAL;
	epfd = epfd_resolve(epfd);
	if (epfd < 0)
		return epfd;
	for (;;) {
		n = epoll_wait(epfd, from, RTE_MIN(maxevents, EVENTS_MAX), timeout);
		if (n >= 0)
			return events_take(from, n, events);
		if (errno != EINTR || interruptible)
			return -errno;
		if (timeout > 0)
			timeout = left_ms(end);
	}
}

RTE_EXPORT_SYMBOL(rte_epoll_wait)
int
rte_epoll_wait(int epfd, struct rte_epoll_event *events, int maxevents, int timeout)
{
	return wait_for_events(epfd, events, maxevents, timeout, false);
}

RTE_EXPORT_SYMBOL(rte_epoll_wait_interruptible)
int
rte_epoll_wait_interruptible(int epfd, struct rte_epoll_event *events, int maxevents, int timeout)
{
	return wait_for_events(epfd, events, maxevents, timeout, true);
}

/* Waits until no thread runs the event's callback, except the caller itself. */
static void
event_retire(struct rte_epoll_event *event)
{
	if (executing == event) {
		executing = NULL;
		__atomic_store_n(&event->status, RTE_EPOLL_INVALID, __ATOMIC_RELEASE);
		return;
	}
	while (__atomic_load_n(&event->status, __ATOMIC_ACQUIRE) != RTE_EPOLL_INVALID &&
			!status_move(event, RTE_EPOLL_VALID, RTE_EPOLL_INVALID))
		sched_yield();
}

static int
event_ctl(int epfd, int op, int fd, struct rte_epoll_event *event)
{
	struct epoll_event to = { .events = event->epdata.event, .data.ptr = event };

	return epoll_ctl(epfd, op, fd, &to) < 0 ? -errno : 0;
}

/* The event is complete before the first wait can see it. */
static int
event_add(int epfd, int fd, struct rte_epoll_event *event)
{
	int rc;

	event->fd = fd;
	event->epfd = epfd;
	__atomic_store_n(&event->status, RTE_EPOLL_VALID, __ATOMIC_RELEASE);
	rc = event_ctl(epfd, EPOLL_CTL_ADD, fd, event);
	if (rc < 0)
		__atomic_store_n(&event->status, RTE_EPOLL_INVALID, __ATOMIC_RELEASE);
	return rc;
}

RTE_EXPORT_SYMBOL(rte_epoll_ctl)
int
rte_epoll_ctl(int epfd, int op, int fd, struct rte_epoll_event *event)
{
	int rc;

	if (event == NULL)
		return -EINVAL;
	epfd = epfd_resolve(epfd);
	if (epfd < 0)
		return epfd;
	if (op == EPOLL_CTL_ADD)
		return event_add(epfd, fd, event);
	rc = event_ctl(epfd, op, fd, event);
	if (op == EPOLL_CTL_DEL)
		event_retire(event);
	return rc;
}
