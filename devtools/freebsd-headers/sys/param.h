/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SYS_PARAM_H
#define STANDIN_SYS_PARAM_H

#include <sys/types.h>

#define __FreeBSD_version 1400097
#define MAXPATHLEN 1024

#endif
