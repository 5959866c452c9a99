/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_INTTYPES_H
#define STANDIN_INTTYPES_H

#include <stdint.h>

#define PRId64 "ld"
#define PRIi64 "li"
#define PRIu64 "lu"
#define PRIx64 "lx"
#define PRIX64 "lX"
#define PRIu32 "u"
#define PRId32 "d"
#define PRIx32 "x"
#define PRIX32 "X"
#define PRIu16 "u"
#define PRIx16 "x"
#define PRIX16 "X"
#define PRIu8 "u"
#define PRIx8 "x"
#define PRIX8 "X"
#define PRIxPTR "lx"
#define PRIuPTR "lu"
#define SCNx8 "hhx"
#define SCNx16 "hx"
#define SCNx32 "x"
#define SCNu8 "hhu"
#define SCNu16 "hu"
#define SCNu32 "u"
#define SCNx64 "lx"
#define SCNu64 "lu"

intmax_t strtoimax(const char *, char **, int);
uintmax_t strtoumax(const char *, char **, int);

#endif
