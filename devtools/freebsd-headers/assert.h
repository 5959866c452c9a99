/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_ASSERT_H
#define STANDIN_ASSERT_H

void __assert(const char *, const char *, int, const char *) __attribute__((noreturn));
#define static_assert _Static_assert
#ifdef NDEBUG
#define assert(e) ((void)0)
#else
#define assert(e) ((e) ? (void)0 : __assert(__func__, __FILE__, __LINE__, #e))
#endif

#endif
