/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_ALARM_H
#define EAL_ALARM_H

/** @file Alarms inside EAL. */

/** Makes the timer and has the interrupt thread serve it. 0, or -errno. */
int eal_alarm_init(void);

/** Undoes eal_alarm_init() and forgets all alarms. */
void eal_alarm_cleanup(void);

#endif /* EAL_ALARM_H */
