/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Waiting for the server. A receive that sleeps is woken twice for each exchange: when the server
 * frees the request, which makes room to send, and when the answer comes; and a time limit of its
 * own makes each wait dearer by a timer that is started and stopped. So an epoll waits, for both
 * sockets and for one timer, which is left to run over as many requests as it lasts.
 */

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_client.h"

/* The clock of time limits is behind that of the timer by up to so much. */
#define CLOCK_LAG_MS 10u

static int
watch_add(struct vu_client_watch *watch, int fd, uint32_t events, uint32_t what)
{
	struct epoll_event event = { .events = events, .data.u32 = what };

	return epoll_ctl(watch->epfd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void
vu_client_watch_init(struct vu_client_watch *watch)
{
	watch->epfd = watch->timer_fd = -1;
	watch->timer_ms = UINT64_MAX;
}

void
vu_client_watch_fini(struct vu_client_watch *watch)
{
	if (watch->timer_fd >= 0)
		close(watch->timer_fd);
	if (watch->epfd >= 0)
		close(watch->epfd);
	vu_client_watch_init(watch);
}

int
vu_client_watch_open(struct vu_client_watch *watch, int sock)
{
	int rc;

	watch->epfd = epoll_create1(EPOLL_CLOEXEC);
	watch->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (watch->epfd < 0 || watch->timer_fd < 0)
		return -errno;
	/* told once, which saves the kernel a look for each message */
	rc = watch_add(watch, sock, EPOLLIN | EPOLLRDHUP | (uint32_t)EPOLLET, VU_CLIENT_CONN);
	if (rc == 0)
		rc = watch_add(watch, watch->timer_fd, EPOLLIN | (uint32_t)EPOLLET, 0);
	return rc;
}

int
vu_client_watch_twin(struct vu_client_watch *watch, int sock)
{
	return watch_add(watch, sock, EPOLLIN, VU_CLIENT_TWIN);
}

/* The timer ends a wait that began with a later limit; who has a longer one starts it again. */
static void
timer_start(struct vu_client_watch *watch, uint64_t until_ms)
{
	uint64_t ms = until_ms + CLOCK_LAG_MS;
	struct itimerspec when = { .it_value = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000 * 1000000),
	} };

	timerfd_settime(watch->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
	watch->timer_ms = until_ms;
}

/* The timer tells as well, once; then it is over. */
static unsigned int
watch_events(struct vu_client_watch *watch, const struct epoll_event *event, int nb)
{
	unsigned int what = 0;

	for (; nb > 0; nb--, event++) {
		if (unlikely(event->data.u32 == 0))
			watch->timer_ms = UINT64_MAX;
		if (unlikely(event->data.u32 == VU_CLIENT_CONN && event->events != EPOLLIN))
			watch->hup = true;
		what |= event->data.u32;
	}
	return what;
}

int
vu_client_watch_wait(struct vu_client_watch *watch, uint64_t until_ms)
{
	struct epoll_event events[3];
	unsigned int what;
	int nb;

	if (unlikely(until_ms < watch->timer_ms))
		timer_start(watch, until_ms);
	nb = epoll_wait(watch->epfd, events, RTE_DIM(events), watch->more ? 0 : -1);
	if (unlikely(nb < 0))
		return errno == EINTR ? 0 : -errno;
	if (likely(nb == 1 && events[0].data.u32 == VU_CLIENT_CONN && events[0].events == EPOLLIN))
		return VU_CLIENT_CONN;
	what = watch_events(watch, events, nb);
	return (int)(what | (watch->more ? VU_CLIENT_CONN : 0));
}
