/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_SPAWNED_H
#define VU_SPAWNED_H

/**
 * @file
 * The edu device, served by a process of its own, which may be killed at any time.
 */

#include <sys/types.h>

/** Start to serve at a path, and wait until somebody listens there. */
pid_t spawned_edu(const char *path);

/** Kill it, without a last word. */
void spawned_kill(pid_t pid);

#endif /* VU_SPAWNED_H */
