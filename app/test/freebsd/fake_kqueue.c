/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * kqueue(2), as far as FreeBSD's manual tells of EVFILT_READ, over poll(2): so the interrupt thread
 * waits as it does on FreeBSD. A descriptor that is closed is forgotten; what can be read is told
 * for as long as it can be.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/event.h>
#include <sys/eventfd.h>

#include <rte_common.h>

#include "interpose.h"
#include "test.h"

#define NOTES_MAX 256

/* One queue, which is its own descriptor to wake up who waits. */
static struct {
	pthread_mutex_t lock;
	int fd;
	unsigned int turn;	/* of whom to tell first */
	unsigned int nb;
	struct {
		int fd;
		void *udata;
	} note[NOTES_MAX];
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

static unsigned int
note_find(int fd)
{
	unsigned int i;

	for (i = 0; i < queue.nb && queue.note[i].fd != fd; i++)
		;
	return i;
}

static void
note_remove(unsigned int i)
{
	queue.note[i] = queue.note[--queue.nb];
}

static void
on_close(void *ctx)
{
	const int fd = (int)(intptr_t)ctx;
	unsigned int i;

	pthread_mutex_lock(&queue.lock);
	if (fd == queue.fd) {
		queue.fd = -1;
		queue.nb = 0;
	}
	i = note_find(fd);
	if (i < queue.nb)
		note_remove(i);
	pthread_mutex_unlock(&queue.lock);
}

static const struct interpose_fd_ops ops = { .close = on_close };

int
kqueue(void)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	if (fd < 0)
		return -1;
	pthread_mutex_lock(&queue.lock);
	assert_int_equal(queue.fd, -1);
	queue.fd = fd;
	pthread_mutex_unlock(&queue.lock);
	interpose_route_fd(fd, &ops, (void *)(intptr_t)fd);
	return fd;
}

static bool
fd_is_open(int fd)
{
	struct pollfd pfd = { .fd = fd };

	return poll(&pfd, 1, 0) < 1 || (pfd.revents & POLLNVAL) == 0;
}

/* To add what is there changes it; to enable or to delete what is not there is an error. */
static int
change_apply(const struct kevent *change)
{
	const int fd = (int)change->ident;
	unsigned int i = note_find(fd);

	if (!fd_is_open(fd))
		return EBADF;
	if (i == queue.nb && (change->flags & EV_ADD) == 0)
		return ENOENT;
	if ((change->flags & EV_DELETE) != 0) {
		note_remove(i);
		return 0;
	}
	if (i == queue.nb) {
		assert_in_range(i, 0, NOTES_MAX - 1);
		queue.nb++;
		queue.note[i].fd = fd;
	}
	queue.note[i].udata = change->udata;
	return 0;
}

/* The route is found by the descriptor's number, so it must not be taken with the lock held. */
static int
change_make(const struct kevent *change)
{
	int err;

	assert_int_equal(change->filter, EVFILT_READ);
	pthread_mutex_lock(&queue.lock);
	err = change_apply(change);
	pthread_mutex_unlock(&queue.lock);
	if (err == 0)
		interpose_route_fd((int)change->ident,
			(change->flags & EV_DELETE) != 0 ? NULL : &ops, (void *)change->ident);
	eventfd_write(queue.fd, 1);
	errno = err;
	return err == 0 ? 0 : -1;
}

/* The notes and, behind them, the queue itself. */
static unsigned int
pollfds_fill(struct pollfd *pfds)
{
	unsigned int i, nb;

	pthread_mutex_lock(&queue.lock);
	nb = queue.nb;
	for (i = 0; i < nb; i++)
		pfds[i] = (struct pollfd){ .fd = queue.note[i].fd, .events = POLLIN | POLLRDHUP };
	pfds[nb] = (struct pollfd){ .fd = queue.fd, .events = POLLIN };
	pthread_mutex_unlock(&queue.lock);
	return nb;
}

static bool
note_tell(const struct pollfd *pfd, struct kevent *event)
{
	unsigned int i;

	if (pfd->revents == 0 || (pfd->revents & POLLNVAL) != 0)
		return false;
	i = note_find(pfd->fd);
	if (i == queue.nb)
		return false;
	memset(event, 0, sizeof(*event));
	event->ident = (uintptr_t)pfd->fd;
	event->filter = EVFILT_READ;
	event->udata = queue.note[i].udata;
	if ((pfd->revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0)
		event->flags = EV_EOF;
	return true;
}

/* Nobody is told of twice before the others were. */
static bool
any_tell(const struct pollfd *pfds, unsigned int nb, struct kevent *event)
{
	bool told = false;
	unsigned int i;

	pthread_mutex_lock(&queue.lock);
	for (i = 0; i < nb && !told; i++)
		told = note_tell(&pfds[(queue.turn + i) % nb], event);
	queue.turn += i;
	pthread_mutex_unlock(&queue.lock);
	return told;
}

static int
event_wait(struct kevent *event)
{
	struct pollfd pfds[NOTES_MAX + 1];
	eventfd_t woken;
	unsigned int nb;

	for (;;) {
		nb = pollfds_fill(pfds);
		if (poll(pfds, nb + 1, -1) < 0)
			return -1;
		if (pfds[nb].revents != 0)
			eventfd_read(pfds[nb].fd, &woken);
		if (any_tell(pfds, nb, event))
			return 1;
	}
}

int
kevent(int kq, const struct kevent *changes, int nb_changes, struct kevent *events, int nb_events,
	const struct timespec *timeout)
{
	assert_int_equal(kq, queue.fd);
	assert_null(timeout);
	if (nb_changes == 1)
		return change_make(changes);
	assert_int_equal(nb_events, 1);
	return event_wait(events);
}
