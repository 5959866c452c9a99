/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SCHED_H
#define STANDIN_SCHED_H

int sched_yield(void);
int sched_getcpu(void);

#endif
