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

/* A state besides those of the header: another thread has fetched the event meanwhile. */
#define EXEC_AGAIN (RTE_EPOLL_EXEC + 1)

/* The event whose callback this thread runs, until the callback deletes it. */
static __thread struct rte_epoll_event *executing;

/* What a wait has fetched; a callback may delete some of it, and may wait itself. */
struct fetched {
	struct epoll_event list[EVENTS_MAX];
	int nb;
	struct fetched *outer;
};

static __thread struct fetched *fetched;

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

static int
event_ctl(int epfd, int op, int fd, struct rte_epoll_event *event)
{
	struct epoll_event to = { .events = event->epdata.event, .data.ptr = event };

	return epoll_ctl(epfd, op, fd, &to) < 0 ? -errno : 0;
}

/* Fails if it was deleted, or if another thread has it, which is told that it came again. */
static bool
event_claim(struct rte_epoll_event *event)
{
	while (!status_move(event, RTE_EPOLL_VALID, RTE_EPOLL_EXEC)) {
		if (status_move(event, RTE_EPOLL_EXEC, EXEC_AGAIN))
			return false;
		if (__atomic_load_n(&event->status, __ATOMIC_ACQUIRE) != RTE_EPOLL_VALID)
			return false;
	}
	return true;
}

/*
 * The kernel tells an edge once. When it told another thread, in vain, it is made to look again
 * whether there is something.
 */
static void
event_release(struct rte_epoll_event *event)
{
	while (!status_move(event, RTE_EPOLL_EXEC, RTE_EPOLL_VALID)) {
		status_move(event, EXEC_AGAIN, RTE_EPOLL_EXEC);
		event_ctl(event->epfd, EPOLL_CTL_MOD, event->fd, event);
	}
}

/*
 * Hands out one event and runs its callback. An event that is not in the set any more, or that
 * another thread is handing out, is skipped. After its callback deleted it, an event is not
 * touched any more.
 */
static bool
event_take(int epfd, struct rte_epoll_event *event, uint32_t flags, struct rte_epoll_event *out)
{
	struct rte_epoll_event *outer = executing;

	if (!event_claim(event))
		return false;
	if (event->epfd != epfd) {
		event_release(event);
		return false;
	}
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
		event_release(event);
	executing = outer;
	return true;
}

static int
events_take(int epfd, struct fetched *from, struct rte_epoll_event *out)
{
	int n = 0;
	int i;

	from->outer = fetched;
	fetched = from;
	for (i = 0; i < from->nb; i++)
		if (from->list[i].data.ptr != NULL)
			n += event_take(epfd, from->list[i].data.ptr, from->list[i].events,
				&out[n]);
	fetched = from->outer;
	return n;
}

static void
fetched_forget(const struct rte_epoll_event *event)
{
	struct fetched *from;
	int i;

	for (from = fetched; from != NULL; from = from->outer)
		for (i = 0; i < from->nb; i++)
			if (from->list[i].data.ptr == event)
				from->list[i].data.ptr = NULL;
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

/* Number of events, 0 when the time is over, or -EAGAIN: nothing was there to hand out. */
static int
wait_once(int epfd, struct rte_epoll_event *events, int maxevents, int timeout)
{
	struct fetched from;
	int n;

	from.nb = epoll_wait(epfd, from.list, RTE_MIN(maxevents, EVENTS_MAX), timeout);
	if (from.nb <= 0)
		return from.nb < 0 ? -errno : 0;
	n = events_take(epfd, &from, events);
	if (n > 0 || timeout == 0)
		return n;
	sched_yield();
	return -EAGAIN;
}

static int
wait_for_events(int epfd, struct rte_epoll_event *events, int maxevents, int timeout,
		bool interruptible)
{
	int64_t end = timeout > 0 ? now_ms() + timeout : 0;
	int n;

	if (events == NULL || maxevents < 1)
		return -EINVAL;
	epfd = epfd_resolve(epfd);
	if (epfd < 0)
		return epfd;
	for (;;) {
		n = wait_once(epfd, events, maxevents, timeout);
		if (n != -EAGAIN && (n != -EINTR || interruptible))
			return n;
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
	fetched_forget(event);
	if (executing == event) {
		executing = NULL;
		__atomic_store_n(&event->status, RTE_EPOLL_INVALID, __ATOMIC_RELEASE);
		return;
	}
	while (__atomic_load_n(&event->status, __ATOMIC_ACQUIRE) != RTE_EPOLL_INVALID &&
			!status_move(event, RTE_EPOLL_VALID, RTE_EPOLL_INVALID))
		sched_yield();
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
