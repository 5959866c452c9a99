/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <sys/epoll.h>

#include <rte_interrupts.h>

#include "eal_intr_poll.h"

#define WATCHED (EPOLLIN | EPOLLPRI | EPOLLRDHUP)

int
eal_intr_poll_make(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int
control(int poll_fd, int op, int fd, uint64_t id)
{
	struct epoll_event event = { .events = WATCHED, .data.u64 = id };

	return epoll_ctl(poll_fd, op, fd, &event) < 0 ? -errno : 0;
}

int
eal_intr_poll_add(int poll_fd, int fd, uint64_t id)
{
	return control(poll_fd, EPOLL_CTL_ADD, fd, id);
}

int
eal_intr_poll_change(int poll_fd, int fd, uint64_t id)
{
	return control(poll_fd, EPOLL_CTL_MOD, fd, id);
}

int
eal_intr_poll_remove(int poll_fd, int fd)
{
	return control(poll_fd, EPOLL_CTL_DEL, fd, 0);
}

static uint32_t
flags_from_epoll(uint32_t events)
{
	return ((events & (EPOLLIN | EPOLLPRI)) != 0 ? RTE_INTR_EVENT_IN : 0) |
		((events & EPOLLERR) != 0 ? RTE_INTR_EVENT_ERR : 0) |
		((events & EPOLLHUP) != 0 ? RTE_INTR_EVENT_HUP : 0) |
		((events & EPOLLRDHUP) != 0 ? RTE_INTR_EVENT_RDHUP : 0);
}

int
eal_intr_poll_wait(int poll_fd, struct eal_intr_event *event)
{
	struct epoll_event came;
	int n = epoll_wait(poll_fd, &came, 1, -1);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	event->id = came.data.u64;
	event->flags = flags_from_epoll(came.events);
	return n;
}
