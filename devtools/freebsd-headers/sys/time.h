/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SYS_TIME_H
#define STANDIN_SYS_TIME_H

#include <time.h>

struct timeval {
	time_t tv_sec;
	suseconds_t tv_usec;
};

#endif
