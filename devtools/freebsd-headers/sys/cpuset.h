/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SYS_CPUSET_H
#define STANDIN_SYS_CPUSET_H

#define CPU_SETSIZE 1024

typedef struct {
	long __bits[CPU_SETSIZE / (8 * sizeof(long))];
} cpuset_t;

#endif
