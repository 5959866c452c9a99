/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_EVENT_H
#define VU_EVENT_H

/**
 * @file
 * Signals on eventfds that somebody else has, too.
 *
 * A write to an eventfd waits while its count is at the highest, unless its file is told not to.
 * The client shares both the count and that flag and can change them at any time, also between a
 * look and a write. The kernel itself has a way to add to the count that never waits; of the means
 * to have it do so asynchronous I/O is one that everybody has: it signals an eventfd when it is
 * done, and to wait for what is there already is done at once.
 */

/**
 * Have those means, which stay until the process ends: to give them back takes the kernel some
 * milliseconds. Where the system has none, signals look before they write.
 */
void vu_event_init(void);

/** Add one to an eventfd. If it is at its highest nobody needs another event. Any thread. */
void vu_event_signal(int fd);

#endif /* VU_EVENT_H */
