/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

#include <rte_interrupts.h>

#include "eal_intr_poll.h"

_Static_assert(sizeof(void *) >= sizeof(uint64_t), "an id goes where kqueue keeps a pointer");

int
eal_intr_poll_make(void)
{
	int fd = kqueue();
	int rc;

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static int
control(int poll_fd, unsigned short op, int fd, uint64_t id)
{
	struct kevent change;
	int rc;

	EV_SET(&change, fd, EVFILT_READ, op, 0, 0, (void *)(uintptr_t)id);
	do
		rc = kevent(poll_fd, &change, 1, NULL, 0, NULL);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

int
eal_intr_poll_add(int poll_fd, int fd, uint64_t id)
{
	return control(poll_fd, EV_ADD, fd, id);
}

/* To add would also do for one that is there, and would not tell that it is not. */
int
eal_intr_poll_change(int poll_fd, int fd, uint64_t id)
{
	return control(poll_fd, EV_ENABLE, fd, id);
}

int
eal_intr_poll_remove(int poll_fd, int fd)
{
	return control(poll_fd, EV_DELETE, fd, 0);
}

/* The end of a stream can be read, as an end. */
static uint32_t
flags_from_kevent(const struct kevent *came)
{
	return RTE_INTR_EVENT_IN |
		((came->flags & EV_ERROR) != 0 ? RTE_INTR_EVENT_ERR : 0) |
		((came->flags & EV_EOF) != 0 ? RTE_INTR_EVENT_HUP | RTE_INTR_EVENT_RDHUP : 0);
}

int
eal_intr_poll_wait(int poll_fd, struct eal_intr_event *event)
{
	struct kevent came;
	int n = kevent(poll_fd, NULL, 0, &came, 1, NULL);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	event->id = (uintptr_t)came.udata;
	event->flags = flags_from_kevent(&came);
	return n;
}
