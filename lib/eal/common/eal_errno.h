/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_ERRNO_H
#define EAL_ERRNO_H

#include <stddef.h>

/** The text of an error of the system. It is in @p text, or lives as long as the process. */
const char *
eal_strerror(int errnum, char *text, size_t len);

/** What DPDK's functions of memory return for @p rc: -1 and rte_errno for -errno, else the same. */
int
eal_errno_result(int rc);

#endif /* EAL_ERRNO_H */
