/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <eal_export.h>

#include "vu_client.h"

/*
 * Answers to requests are no reason to wake anybody up, for who asked waits for them. Commands are,
 * if they can ask for more than what is refused anyway; and so is room for the rest of an answer to
 * one, which nobody waits for.
 */
static uint32_t
events_wanted(struct vu_client *client)
{
	const bool commands = client->twin.sock < 0 && atomic_load(&client->by_messages);
	const bool rest = atomic_load(&client->owes) && atomic_load(&client->queued);

	return EPOLLRDHUP | (commands ? EPOLLIN : 0) | (rest ? EPOLLOUT : 0);
}

static uint32_t
twin_events_wanted(struct vu_client *client)
{
	return EPOLLIN | (atomic_load(&client->twin_queued) ? EPOLLOUT : 0);
}

static int
socket_watch(int epfd, int op, int sock, uint32_t events)
{
	struct epoll_event event = { .events = events };

	return epoll_ctl(epfd, op, sock, &event) < 0 ? -errno : 0;
}

static int
event_open(struct vu_client *client)
{
	int epfd = epoll_create1(EPOLL_CLOEXEC);
	int rc;

	if (epfd < 0)
		return -errno;
	rc = socket_watch(epfd, EPOLL_CTL_ADD, client->conn.sock, events_wanted(client));
	if (rc == 0 && client->twin.sock >= 0)
		rc = socket_watch(epfd, EPOLL_CTL_ADD, client->twin.sock,
			twin_events_wanted(client));
	if (rc == 0)
		return epfd;
	close(epfd);
	return rc;
}

/* Of several threads that ask first, one has its descriptor kept. */
static int
event_fd(struct vu_client *client)
{
	int known = atomic_load(&client->event_fd);
	int epfd;

	if (known >= 0)
		return known;
	epfd = event_open(client);
	if (epfd < 0)
		return epfd;
	if (!atomic_compare_exchange_strong(&client->event_fd, &known, epfd)) {
		close(epfd);
		return known;
	}
	/* memory may have been named meanwhile */
	vu_client_event_update(client);
	return epfd;
}

/* Of several threads the last one says what it is. */
void
vu_client_event_update(struct vu_client *client)
{
	const int epfd = atomic_load(&client->event_fd);

	if (epfd < 0)
		return;
	pthread_mutex_lock(&client->host_lock);
	socket_watch(epfd, EPOLL_CTL_MOD, client->conn.sock, events_wanted(client));
	if (client->twin.sock >= 0)
		socket_watch(epfd, EPOLL_CTL_MOD, client->twin.sock, twin_events_wanted(client));
	pthread_mutex_unlock(&client->host_lock);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_event_fd, 25.11)
int
rte_vfio_user_event_fd(int dev_id)
{
	struct vu_client *client = vu_client_get(dev_id);
	int rc;

	if (client == NULL)
		return -ENODEV;
	rc = event_fd(client);
	vu_client_put(client);
	return rc;
}
