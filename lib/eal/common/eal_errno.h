/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_ERRNO_H
#define EAL_ERRNO_H

#include <stddef.h>

/** The text of an error of the system. It is in @p text, or lives as long as the process. */
const char *
eal_strerror(int errnum, char *text, size_t len);

#endif /* EAL_ERRNO_H */
