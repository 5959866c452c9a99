/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_DEV_EVENT_H
#define EAL_DEV_EVENT_H

/**
 * @file
 * Device events inside EAL: how they get from a signal handler to the interrupt thread, and how
 * what the application forgot is undone.
 */

#include <stdbool.h>

/** Makes what deferred events need; the interrupt thread delivers them. 0, or -errno. */
int eal_dev_event_defer_init(void);

/** Undoes eal_dev_event_defer_init(); what is not delivered yet, is not any more. */
void eal_dev_event_defer_cleanup(void);

/**
 * While @p on, rte_dev_event_callback_process() calls nobody in this thread: it stores the event
 * for the interrupt thread. Safe in a signal handler, as rte_dev_event_callback_process() then is.
 */
void eal_dev_event_defer(bool on);

/** Forgets all callbacks. No other thread may be in rte_dev_event_*() functions. */
void eal_dev_event_cleanup(void);

/** Stops the monitor however often it was started. */
void eal_dev_monitor_cleanup(void);

/** Takes the SIGBUS handler out. */
void eal_sigbus_cleanup(void);

/** Whether rte_dev_hotplug_handle_enable() is in force. */
bool eal_sigbus_enabled(void);

#endif /* EAL_DEV_EVENT_H */
