/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_INTR_POLL_H
#define EAL_INTR_POLL_H

/**
 * @file
 * How the interrupt thread waits for many descriptors at once. Each system has its own way, and
 * one file for it. A descriptor that is closed everywhere is watched no more.
 */

#include <stdint.h>

/** What came. */
struct eal_intr_event {
	uint64_t id;	/**< of the descriptor, as it was added */
	uint32_t flags;	/**< RTE_INTR_EVENT_* */
};

/** Make a set of descriptors. Returns its own, for close(), or -errno. */
int
eal_intr_poll_make(void);

/**
 * Watch a descriptor from now on, for as long as there is something to read.
 *
 * @return 0, on some systems also if it was watched already, now under this id; -EEXIST, on the
 *   others: it is watched already, and as it was; another -errno
 */
int
eal_intr_poll_add(int poll_fd, int fd, uint64_t id);

/** Watch it under another id. 0; -ENOENT: it is not watched; another -errno. */
int
eal_intr_poll_change(int poll_fd, int fd, uint64_t id);

/** Watch it no more. 0; -ENOENT: it was not watched; another -errno. */
int
eal_intr_poll_remove(int poll_fd, int fd);

/** Wait for one event. 1; 0: a signal came; -errno. */
int
eal_intr_poll_wait(int poll_fd, struct eal_intr_event *event);

#endif /* EAL_INTR_POLL_H */
