/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_LIMITS_H
#define STANDIN_LIMITS_H

#include_next <limits.h>

#define SSIZE_MAX __LONG_MAX__
#define PATH_MAX 1024
#define NAME_MAX 255
#define IOV_MAX 1024

#endif
