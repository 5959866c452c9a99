/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_PTHREAD_NP_H
#define STANDIN_PTHREAD_NP_H

#include <pthread.h>

int pthread_getthreadid_np(void);
int pthread_setname_np(pthread_t, const char *);

#endif
