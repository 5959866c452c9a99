/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_PTHREAD_NP_H
#define STANDIN_PTHREAD_NP_H

#include <sys/cpuset.h>
#include <sys/param.h>

int pthread_getthreadid_np(void);

#endif
