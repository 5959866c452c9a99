/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_FDS_H
#define VU_FDS_H

/**
 * @file
 * Descriptors that came with a message. Whoever holds the set owns them: one that is wanted is
 * taken out, the rest is closed.
 */

#include <stdbool.h>
#include <unistd.h>

#include "vu_proto.h"

struct vu_fds {
	unsigned int nb;
	int fd[VU_SCM_MAX_FD];	/**< -1: taken, or lost on the way */
};

/** Are some missing of those that came? To be asked before one is taken. */
static inline bool
vu_fds_lost(const struct vu_fds *fds)
{
	unsigned int i;

	for (i = 0; i < fds->nb; i++)
		if (fds->fd[i] < 0)
			return true;
	return false;
}

/** Note that some were sent that have no number in this process, which can have no more. */
static inline void
vu_fds_lose(struct vu_fds *fds)
{
	if (fds->nb < VU_SCM_MAX_FD)
		fds->fd[fds->nb++] = -1;
}

/**
 * Take a descriptor out of the set. @return it, now the caller's, or -1 if there is none at @p i
 */
static inline int
vu_fds_take(struct vu_fds *fds, unsigned int i)
{
	int fd;

	if (i >= fds->nb)
		return -1;
	fd = fds->fd[i];
	fds->fd[i] = -1;
	return fd;
}

/** Close what nobody took and empty the set. */
static inline void
vu_fds_close(struct vu_fds *fds)
{
	unsigned int i;

	for (i = 0; i < fds->nb; i++)
		if (fds->fd[i] >= 0)
			close(fds->fd[i]);
	fds->nb = 0;
}

#endif /* VU_FDS_H */
