/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_PROCESS_H
#define FAKE_PROCESS_H

/**
 * @file
 * Which kind of process EAL says this is. EAL's own answer is always that it is a primary one;
 * here a forked child can be a secondary one. And whose process it is.
 */

#include <sys/types.h>

#include <rte_eal.h>

/** In @ref fake_process_in_secondary(): end with the number of the line if this does not hold. */
#define FAKE_PROCESS_CHECK(condition_) do { \
	if (!(condition_)) \
		return __LINE__ % 255 + 1; \
} while (0)

/**
 * Run in a secondary process, which inherits all that this one has.
 *
 * @param body
 *   What it does; returns 0 if all is well, else a number up to 255.
 * @return that
 */
int fake_process_in_secondary(int (*body)(void *arg), void *arg);

/** What rte_eal_process_type() says from now on; RTE_PROC_PRIMARY at first. */
void fake_process_set(enum rte_proc_type_t type);

/** What getuid() says from now on, until fake_process_set_own_user(). */
void fake_process_set_user(uid_t uid);
void fake_process_set_own_user(void);

#endif /* FAKE_PROCESS_H */
