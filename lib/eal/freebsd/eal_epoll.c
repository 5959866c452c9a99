/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_epoll.h>
#include <rte_interrupts.h>

/* There is no epoll, and no device has interrupts that a driver could wait for. */

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_tls_epfd)
int
rte_intr_tls_epfd(void)
{
	return -ENOTSUP;
}

RTE_EXPORT_SYMBOL(rte_epoll_wait)
int
rte_epoll_wait(int epfd, struct rte_epoll_event *events, int maxevents, int timeout)
{
	RTE_SET_USED(epfd);
	RTE_SET_USED(events);
	RTE_SET_USED(maxevents);
	RTE_SET_USED(timeout);
	return -ENOTSUP;
}

RTE_EXPORT_SYMBOL(rte_epoll_wait_interruptible)
int
rte_epoll_wait_interruptible(int epfd, struct rte_epoll_event *events, int maxevents, int timeout)
{
	return rte_epoll_wait(epfd, events, maxevents, timeout);
}

RTE_EXPORT_SYMBOL(rte_epoll_ctl)
int
rte_epoll_ctl(int epfd, int op, int fd, struct rte_epoll_event *event)
{
	RTE_SET_USED(epfd);
	RTE_SET_USED(op);
	RTE_SET_USED(fd);
	RTE_SET_USED(event);
	return -ENOTSUP;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_rx_ctl)
int
rte_intr_rx_ctl(struct rte_intr_handle *intr_handle, int epfd, int op, unsigned int vec,
		void *data)
{
	RTE_SET_USED(intr_handle);
	RTE_SET_USED(epfd);
	RTE_SET_USED(op);
	RTE_SET_USED(vec);
	RTE_SET_USED(data);
	return -ENOTSUP;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_free_epoll_fd)
void
rte_intr_free_epoll_fd(struct rte_intr_handle *intr_handle)
{
	RTE_SET_USED(intr_handle);
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_efd_enable)
int
rte_intr_efd_enable(struct rte_intr_handle *intr_handle, uint32_t nb_efd)
{
	RTE_SET_USED(intr_handle);
	RTE_SET_USED(nb_efd);
	return -ENOTSUP;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_efd_disable)
void
rte_intr_efd_disable(struct rte_intr_handle *intr_handle)
{
	RTE_SET_USED(intr_handle);
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_dp_is_en)
int
rte_intr_dp_is_en(struct rte_intr_handle *intr_handle)
{
	RTE_SET_USED(intr_handle);
	return 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_allow_others)
int
rte_intr_allow_others(struct rte_intr_handle *intr_handle)
{
	RTE_SET_USED(intr_handle);
	return 1;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_cap_multiple)
int
rte_intr_cap_multiple(struct rte_intr_handle *intr_handle)
{
	RTE_SET_USED(intr_handle);
	return 0;
}
