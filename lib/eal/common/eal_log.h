/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_LOG_H
#define EAL_LOG_H

/** @file The log of EAL itself. */

#include <rte_log.h>

/** Writes a line, given as for printf() without the line feed; @p level as ERR, INFO. */
#define EAL_LOG(level, ...) RTE_LOG_LINE(level, EAL, __VA_ARGS__)

#endif /* EAL_LOG_H */
