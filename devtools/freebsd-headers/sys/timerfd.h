/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SYS_TIMERFD_H
#define STANDIN_SYS_TIMERFD_H

#include <time.h>

#define TFD_NONBLOCK 0x00000004
#define TFD_CLOEXEC 0x00100000
#define TFD_TIMER_ABSTIME 0x01

int timerfd_create(int, int);
int timerfd_settime(int, int, const struct itimerspec *, struct itimerspec *);

#endif
