/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_ALARM_H
#define RTE_ALARM_H

/**
 * @file
 * Calls after a time. They come once, in the interrupt thread, one after the other.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Is called when the time has come.
 *
 * @param arg what was given to rte_eal_alarm_set()
 */
typedef void (*rte_eal_alarm_callback)(void *arg);

/**
 * Has a callback called once, not before a time has passed.
 *
 * Safe in every thread and in callbacks. Before rte_eal_init() the alarm waits for it;
 * rte_eal_cleanup() forgets it.
 *
 * @param us microseconds from now, at least 1
 * @param cb the callback
 * @param cb_arg its argument; stays the caller's
 * @return 0, or
 *   - -EINVAL: @p us is 0 or more than 2^63 nanoseconds, or @p cb is NULL
 *   - -ENOMEM: out of memory
 */
int
rte_eal_alarm_set(uint64_t us, rte_eal_alarm_callback cb, void *cb_arg);

/**
 * Takes alarms back, and waits until a callback among them is not running any more.
 *
 * Safe in every thread; one that is not the interrupt thread must hold no lock that the callback
 * takes. In the callback itself, which cannot be waited for, rte_errno tells EINPROGRESS.
 *
 * @param cb_fn the callback
 * @param cb_arg its argument, or (void *)-1 for all with this callback
 * @return number of alarms taken back before they came, perhaps with rte_errno
 *   - ENOENT: there was none
 *   - EINPROGRESS: the caller is such a callback
 *   .
 *   or -1 with rte_errno EINVAL: @p cb_fn is NULL
 */
int
rte_eal_alarm_cancel(rte_eal_alarm_callback cb_fn, void *cb_arg);

#ifdef __cplusplus
}
#endif

#endif /* RTE_ALARM_H */
