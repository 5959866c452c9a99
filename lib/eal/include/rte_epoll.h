/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_EPOLL_H
#define RTE_EPOLL_H

/**
 * @file
 * Waiting for events on file descriptors, by epoll sets that belong to the application
 * or to the calling thread. Queue interrupts of drivers arrive this way.
 */

#include <stdint.h>

#include <rte_compat.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RTE_INTR_EVENT_ADD	1UL	/**< rte_intr_rx_ctl(): watch a vector */
#define RTE_INTR_EVENT_DEL	2UL	/**< rte_intr_rx_ctl(): watch a vector no longer */

/**
 * Called by rte_epoll_wait() for each event before it returns, to read the counter behind @p fd.
 *
 * @param fd the descriptor that became ready
 * @param arg what stands in rte_epoll_data::cb_arg
 */
typedef void (*rte_intr_event_cb_t)(int fd, void *arg);

/** What the owner of an event asks for, and what it gets back. */
struct rte_epoll_data {
	uint32_t event;			/**< in: EPOLL* flags to wait for; out: those that came */
	void *data;			/**< in and out: the owner's own */
	rte_intr_event_cb_t cb_fun;	/**< in: called at each event, or NULL */
	void *cb_arg;			/**< in: argument of cb_fun */
};

/** States of an event object. */
enum {
	RTE_EPOLL_INVALID = 0,	/**< in no epoll set */
	RTE_EPOLL_VALID,	/**< in a set, at rest */
	RTE_EPOLL_EXEC,		/**< in a set, some thread runs its callback */
};

/**
 * An event object. It is in use by its epoll set from EPOLL_CTL_ADD until EPOLL_CTL_DEL, and
 * must not move or be freed in between.
 */
struct rte_epoll_event {
	uint32_t status;		/**< out: one of the states above */
	int fd;				/**< out: the descriptor */
	int epfd;			/**< out: the epoll set it is in */
	struct rte_epoll_data epdata;	/**< what is asked and what came */
};

/** Stands for the epoll set of the calling thread, which is made at first use. */
#define RTE_EPOLL_PER_THREAD	-1

/**
 * Waits for events of an epoll set, and goes on waiting after a signal.
 *
 * Any thread may call it; several may wait on one set.
 *
 * @param epfd epoll descriptor, or RTE_EPOLL_PER_THREAD
 * @param[out] events filled in from the first element on: status, fd, epfd, and in epdata the
 *   flags that came, and the owner's data
 * @param maxevents elements of @p events, at least 1
 * @param timeout milliseconds; 0 returns at once, negative waits without limit
 * @return number of events, 0 when the time is over, or
 *   - -EINVAL: @p maxevents below 1, or @p epfd is no epoll descriptor, or @p events is NULL
 *   - -EBADF: @p epfd is not open
 *   - -EMFILE, -ENFILE, -ENOMEM: the thread's own set could not be made
 */
int
rte_epoll_wait(int epfd, struct rte_epoll_event *events, int maxevents, int timeout);

/**
 * Waits for events of an epoll set, until a signal handler has run.
 *
 * As rte_epoll_wait(), with one more error.
 *
 * @param epfd epoll descriptor, or RTE_EPOLL_PER_THREAD
 * @param[out] events filled in from the first element on
 * @param maxevents elements of @p events, at least 1
 * @param timeout milliseconds; 0 returns at once, negative waits without limit
 * @return number of events, 0 when the time is over, -EINTR when a signal came first, or what
 *   rte_epoll_wait() returns
 */
int
rte_epoll_wait_interruptible(int epfd, struct rte_epoll_event *events, int maxevents, int timeout);

/**
 * Adds, changes or deletes an event of an epoll set.
 *
 * Deleting waits until no other thread runs the callback of the event. The caller may then free
 * @p event, unless another thread is waiting on the set, which may have fetched the event already:
 * then once that wait has returned. The callback itself may delete its own event.
 *
 * @param epfd epoll descriptor, or RTE_EPOLL_PER_THREAD
 * @param op EPOLL_CTL_ADD, EPOLL_CTL_MOD or EPOLL_CTL_DEL
 * @param fd the descriptor to watch
 * @param event the event object; the caller owns it and keeps it in place while it is in the set
 * @return 0, or
 *   - -EINVAL: @p event is NULL, or @p op or @p epfd is wrong
 *   - -EBADF: @p epfd or @p fd is not open
 *   - -EEXIST: ADD of a descriptor that is in the set already
 *   - -ENOENT: MOD or DEL of one that is not; DEL sets the event to RTE_EPOLL_INVALID all the same
 *   - -EPERM: @p fd is of a kind that cannot be waited for
 *   - -ENOMEM, -ENOSPC: the kernel has no room for it
 */
int
rte_epoll_ctl(int epfd, int op, int fd, struct rte_epoll_event *event);

#ifdef __cplusplus
}
#endif

#endif /* RTE_EPOLL_H */
