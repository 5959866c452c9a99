/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef LOG_INTERNAL_H
#define LOG_INTERNAL_H

/**
 * @file
 * What EAL's option --log-level needs of the log. Not for several threads at a time.
 */

#include <stdint.h>

#include <rte_compat.h>

/**
 * Remember a level for the types, registered later, that a regular expression matches.
 *
 * @return 0; -1 when the expression is wrong or memory ran out.
 */
__rte_internal
int eal_log_save_regexp(const char *regex, uint32_t level);

/**
 * Remember a level for the types, registered later, that a shell pattern matches.
 *
 * @return 0; -1 when memory ran out.
 */
__rte_internal
int eal_log_save_pattern(const char *pattern, uint32_t level);

/** The name of a level, e.g. "debug"; "unknown" when it is out of range. */
__rte_internal
const char *eal_log_level2str(uint32_t level);

/** Forget the levels remembered; the stream of rte_openlog_stream() stays, it is the program's. */
__rte_internal
void rte_eal_log_cleanup(void);

#endif /* LOG_INTERNAL_H */
