/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SYS_IOCTL_H
#define STANDIN_SYS_IOCTL_H

#include <sys/ioccom.h>
#include <sys/filio.h>

int ioctl(int, unsigned long, ...);

#endif
