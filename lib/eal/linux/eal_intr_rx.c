/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_interrupts.h>

#include "eal_intr.h"
#include "eal_log.h"

static size_t
counter_size(const struct rte_intr_handle *handle)
{
	if (handle->type == RTE_INTR_HANDLE_VDEV)
		return RTE_MIN((size_t)handle->efd_counter_size, (size_t)EAL_INTR_COUNTER_MAX);
	return eal_intr_type(handle->type)->counter_size;
}

/* Makes room for the next edge of a queue's event descriptor. */
static void
vector_read(int fd, void *arg)
{
	char counter[EAL_INTR_COUNTER_MAX];
	size_t size = counter_size(arg);
	ssize_t n;

	if (size == 0)
		return;
	do
		n = read(fd, counter, size);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN)
		EAL_LOG(ERR, "Cannot read queue interrupt of fd %d: %s",
			fd, strerror(errno));
}

static int
vector_add(struct rte_intr_handle *handle, int epfd, int fd, struct rte_epoll_event *event,
		void *data)
{
	if (__atomic_load_n(&event->status, __ATOMIC_ACQUIRE) != RTE_EPOLL_INVALID)
		return -EEXIST;
	event->epdata = (struct rte_epoll_data){
		.event = EPOLLIN | EPOLLPRI | EPOLLET,
		.data = data,
		.cb_fun = vector_read,
		.cb_arg = handle,
	};
	return rte_epoll_ctl(epfd, EPOLL_CTL_ADD, fd, event);
}

static int
vector_del(struct rte_epoll_event *event)
{
	if (__atomic_load_n(&event->status, __ATOMIC_ACQUIRE) == RTE_EPOLL_INVALID)
		return -EPERM;
	return rte_epoll_ctl(event->epfd, EPOLL_CTL_DEL, event->fd, event);
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_rx_ctl)
int
rte_intr_rx_ctl(struct rte_intr_handle *intr_handle, int epfd, int op, unsigned int vec,
		void *data)
{
	unsigned int queue = vec < RTE_INTR_VEC_RXTX_OFFSET ? vec : vec - RTE_INTR_VEC_RXTX_OFFSET;
	struct rte_epoll_event *event;

	if (intr_handle == NULL || queue >= intr_handle->nb_efd)
		return -EPERM;
	event = &intr_handle->elist[queue];
	if (op == RTE_INTR_EVENT_ADD)
		return vector_add(intr_handle, epfd, intr_handle->efds[queue], event, data);
	return op == RTE_INTR_EVENT_DEL ? vector_del(event) : -EPERM;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_free_epoll_fd)
void
rte_intr_free_epoll_fd(struct rte_intr_handle *intr_handle)
{
	uint32_t i;

	for (i = 0; intr_handle != NULL && i < intr_handle->nb_efd; i++)
		vector_del(&intr_handle->elist[i]);
}

static void
efds_close(struct rte_intr_handle *handle, uint32_t count)
{
	while (count-- > 0) {
		if (handle->efds[count] >= 0)
			close(handle->efds[count]);
		handle->efds[count] = -1;
	}
}

static int
efds_make(struct rte_intr_handle *handle, uint32_t count)
{
	uint32_t i;
	int rc;

	rc = rte_intr_nb_efd_set(handle, count);
	for (i = 0; rc == 0 && i < count; i++) {
		handle->efds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (handle->efds[i] < 0)
			rc = -errno;
	}
	if (rc == 0)
		return 0;
	EAL_LOG(ERR, "Cannot make %u event descriptors: %s", count, strerror(-rc));
	if (handle->efds != NULL)
		efds_close(handle, i);
	handle->nb_efd = 0;
	return rc;
}

/* One vector for everything: the queues' event is that of the device. */
static int
shared_efd_enable(struct rte_intr_handle *handle)
{
	int rc = rte_intr_nb_efd_set(handle, 1);

	if (rc < 0)
		return rc;
	handle->efds[0] = handle->fd;
	handle->max_intr = 1;
	return 0;
}

/* Vector 0 is one of the nb_intr that the device has. */
static int
msix_efd_enable(struct rte_intr_handle *handle, uint32_t nb_efd)
{
	uint32_t count = RTE_MIN(nb_efd, handle->nb_intr - RTE_INTR_VEC_RXTX_OFFSET);
	int rc;

	if (count == 0)
		return shared_efd_enable(handle);
	rc = efds_make(handle, count);
	if (rc == 0)
		handle->max_intr = RTE_INTR_VEC_RXTX_OFFSET + count;
	return rc;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_efd_enable)
int
rte_intr_efd_enable(struct rte_intr_handle *intr_handle, uint32_t nb_efd)
{
	if (intr_handle == NULL || nb_efd == 0)
		return -EINVAL;
	if (intr_handle->type == RTE_INTR_HANDLE_VFIO_MSIX)
		return msix_efd_enable(intr_handle, nb_efd);
	if (intr_handle->type == RTE_INTR_HANDLE_VDEV)
		return intr_handle->efd_counter_size <= EAL_INTR_COUNTER_MAX ? 0 : -EINVAL;
	return shared_efd_enable(intr_handle);
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_efd_disable)
void
rte_intr_efd_disable(struct rte_intr_handle *intr_handle)
{
	if (intr_handle == NULL)
		return;
	rte_intr_free_epoll_fd(intr_handle);
	if (intr_handle->type == RTE_INTR_HANDLE_VDEV)
		return;
	if (intr_handle->max_intr > intr_handle->nb_efd)
		efds_close(intr_handle, intr_handle->nb_efd);
	intr_handle->nb_efd = 0;
	intr_handle->max_intr = 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_dp_is_en)
int
rte_intr_dp_is_en(struct rte_intr_handle *intr_handle)
{
	return intr_handle != NULL && intr_handle->nb_efd > 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_allow_others)
int
rte_intr_allow_others(struct rte_intr_handle *intr_handle)
{
	return !rte_intr_dp_is_en(intr_handle) || intr_handle->max_intr != intr_handle->nb_efd;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_cap_multiple)
int
rte_intr_cap_multiple(struct rte_intr_handle *intr_handle)
{
	return intr_handle != NULL && (intr_handle->type == RTE_INTR_HANDLE_VFIO_MSIX ||
		intr_handle->type == RTE_INTR_HANDLE_VDEV);
}
