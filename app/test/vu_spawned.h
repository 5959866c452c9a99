/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_SPAWNED_H
#define VU_SPAWNED_H

/**
 * @file
 * The edu device, served by a process of its own, which may be killed at any time.
 */

#include <sys/types.h>

struct spawned {
	char dir[16];
	char path[32];
	char name[64];	/**< of the device on the bus */
	pid_t pid;	/**< 0: it was killed */
};

/** Start to serve at a new path, and wait until somebody listens there. */
void spawned_start(struct spawned *server);

/** Serve again at the same path, by a new process. */
void spawned_restart(struct spawned *server);

/** Kill it, without a last word. */
void spawned_kill(struct spawned *server);

/** Kill it, if it lives, and take all away. */
void spawned_end(struct spawned *server);

#endif /* VU_SPAWNED_H */
