/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SYS_FILIO_H
#define STANDIN_SYS_FILIO_H

#include <sys/ioccom.h>

#define FIONREAD _IOR('f', 127, int)

#endif
