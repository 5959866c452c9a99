/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_EXECINFO_H
#define STANDIN_EXECINFO_H

#include <stddef.h>

size_t backtrace(void **, size_t);
char **backtrace_symbols(void *const *, size_t);
int backtrace_symbols_fd(void *const *, size_t, int);

#endif
