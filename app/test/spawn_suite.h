/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef SPAWN_SUITE_H
#define SPAWN_SUITE_H

/**
 * @file
 * This program again, as the other end of a test, which may come to a bad end. It is no fork:
 * sanitizers with threads do not survive one.
 */

#include <spawn.h>
#include <sys/types.h>

/**
 * Run a suite of the kind "helper" in a process of its own.
 *
 * @param suite
 *   Its name.
 * @param variable
 *   "NAME=value", what its environment has more than ours: it tells the suite what to do.
 * @param actions
 *   On its descriptors. NULL: none.
 * @return
 *   For waitpid().
 */
pid_t spawn_suite(const char *suite, const char *variable,
	const posix_spawn_file_actions_t *actions);

#endif /* SPAWN_SUITE_H */
