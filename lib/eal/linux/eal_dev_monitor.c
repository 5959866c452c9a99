/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#include <bus_driver.h>
#include <dev_driver.h>
#include <eal_export.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_interrupts.h>

#include "eal_dev_event.h"
#include "eal_log.h"
#include "eal_uevent.h"

#define GROUP_KERNEL 1		/* events of the kernel, not of udev */
#define ROOM (4 << 20)		/* for events that come at once, as of a whole switch */
#define MSG_MAX 8192		/* the kernel's environment has 2048 bytes, a path 4096 */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int users;
static struct rte_intr_handle *monitor;

static int
name_cmp(const struct rte_device *dev, const void *name)
{
	return strcmp(dev->name, name);
}

static void
removal_handle(const char *name)
{
	struct rte_bus *bus = rte_bus_find_by_name("pci");
	struct rte_device *dev;

	if (bus == NULL || bus->hot_unplug_handler == NULL)
		return;
	dev = bus->find_device(NULL, name_cmp, name);
	if (dev != NULL && bus->hot_unplug_handler(dev) < 0)
		EAL_LOG(ERR, "%s: bus could not handle the removal", name);
}

/* Anybody may send to our socket; only the kernel has port 0. */
static ssize_t
msg_receive(int fd, char *msg, size_t size)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = msg, .iov_len = size };
	struct msghdr hdr = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n = recvmsg(fd, &hdr, MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	return from.nl_pid == 0 && (hdr.msg_flags & MSG_TRUNC) == 0 ? n : -EPROTO;
}

RTE_EXPORT_INTERNAL_SYMBOL(eal_uevent_deliver)
void
eal_uevent_deliver(const char *msg, size_t len)
{
	struct eal_uevent event;

	if (eal_uevent_parse(msg, len, &event) < 0)
		return;
	EAL_LOG(DEBUG, "%s: %s", event.name,
		event.type == RTE_DEV_EVENT_ADD ? "added" : "removed");
	if (event.type == RTE_DEV_EVENT_REMOVE && eal_sigbus_enabled())
		removal_handle(event.name);
	rte_dev_event_callback_process(event.name, event.type);
}

/* One message a time, as the descriptor may be gone after the application's callbacks. */
static void
monitor_read(void *arg)
{
	char msg[MSG_MAX];
	ssize_t n;

	n = msg_receive((int)(intptr_t)arg, msg, sizeof(msg));
	if (n == -ENOBUFS)
		EAL_LOG(WARNING, "Device events came faster than they were read, some are lost");
	if (n > 0)
		eal_uevent_deliver(msg, n);
}

/* What the system limits is for those who may not go beyond it. */
static void
socket_widen(int fd)
{
	const int room = ROOM;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
}

static int
socket_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = GROUP_KERNEL };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		NETLINK_KOBJECT_UEVENT);
	int rc;

	if (fd < 0)
		return -errno;
	socket_widen(fd);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

/* The handle owns the socket. */
static int
monitor_make(struct rte_intr_handle **out)
{
	struct rte_intr_handle *handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	int rc, fd;

	if (handle == NULL)
		return -ENOMEM;
	fd = socket_open();
	if (fd < 0) {
		rc = fd;
		goto err_free;
	}
	rte_intr_fd_set(handle, fd);
	rte_intr_type_set(handle, RTE_INTR_HANDLE_DEV_EVENT);
	rc = rte_intr_callback_register(handle, monitor_read, (void *)(intptr_t)fd);
	if (rc < 0)
		goto err_close;
	*out = handle;
	return 0;

err_close:
	close(fd);
err_free:
	rte_intr_instance_free(handle);
	return rc;
}

static void
monitor_free(struct rte_intr_handle *handle)
{
	int fd = rte_intr_fd_get(handle);

	rte_intr_callback_unregister_sync(handle, monitor_read, (void *)(intptr_t)fd);
	rte_intr_instance_free(handle);
	close(fd);
}

RTE_EXPORT_SYMBOL(rte_dev_event_monitor_start)
int
rte_dev_event_monitor_start(void)
{
	int rc = 0;

	pthread_mutex_lock(&lock);
	if (users == 0)
		rc = monitor_make(&monitor);
	if (rc == 0)
		users++;
	pthread_mutex_unlock(&lock);
	if (rc < 0)
		EAL_LOG(ERR, "Cannot listen to device events of the kernel: %s%s",
			strerror(-rc), rc == -EPERM || rc == -EACCES ?
				" (a netlink socket is not allowed here)" : "");
	return rc;
}

/* The wait for a callback that is running is without the lock, which the callback may want. */
static int
monitor_release(unsigned int count)
{
	struct rte_intr_handle *last = NULL;

	pthread_mutex_lock(&lock);
	if (count > users) {
		pthread_mutex_unlock(&lock);
		return -EINVAL;
	}
	users -= count;
	if (users == 0) {
		last = monitor;
		monitor = NULL;
	}
	pthread_mutex_unlock(&lock);
	if (last != NULL)
		monitor_free(last);
	return 0;
}

RTE_EXPORT_SYMBOL(rte_dev_event_monitor_stop)
int
rte_dev_event_monitor_stop(void)
{
	if (monitor_release(1) < 0)
		EAL_LOG(ERR, "The device event monitor is not started");
	return 0;
}

void
eal_dev_monitor_cleanup(void)
{
	monitor_release(users);
}
