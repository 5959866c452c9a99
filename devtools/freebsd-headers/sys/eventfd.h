/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SYS_EVENTFD_H
#define STANDIN_SYS_EVENTFD_H

#include <sys/types.h>

#define EFD_SEMAPHORE 0x00000001
#define EFD_NONBLOCK 0x00000004
#define EFD_CLOEXEC 0x00100000

typedef uint64_t eventfd_t;

int eventfd(unsigned int, int);
int eventfd_read(int, eventfd_t *);
int eventfd_write(int, eventfd_t);

#endif
