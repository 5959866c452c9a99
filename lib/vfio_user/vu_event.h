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

/** Have those means; where the system has none, signals look before they write. */
void vu_event_get(void);

/** Have them no longer, as often as vu_event_get(). */
void vu_event_put(void);

/**
 * Add one to an eventfd. If it is at its highest nobody needs another event. Any thread, between
 * vu_event_get() and vu_event_put().
 */
void vu_event_signal(int fd);

#endif /* VU_EVENT_H */
