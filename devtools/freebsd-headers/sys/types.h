/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SYS_TYPES_H
#define STANDIN_SYS_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;
typedef int64_t off_t;
typedef int32_t pid_t;
typedef uint32_t uid_t;
typedef uint32_t gid_t;
typedef uint16_t mode_t;
typedef uint64_t dev_t;
typedef uint64_t ino_t;
typedef uint64_t nlink_t;
typedef int64_t time_t;
typedef long suseconds_t;
typedef int32_t clockid_t;
typedef unsigned int u_int;
typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned long u_long;

/* Macros, as far as programs can see; the numbers are not FreeBSD's. */
#define major(d) ((int)((d) >> 8))
#define minor(d) ((int)((d) & 0xff))
#define makedev(x, y) ((dev_t)((x) << 8 | (y)))

#endif
