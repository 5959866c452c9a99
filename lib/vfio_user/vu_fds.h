/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_FDS_H
#define VU_FDS_H

/**
 * @file
 * Descriptors that came with a message. Whoever holds the set owns them: one that is wanted is
 * taken out, the rest is closed.
 */

#include <unistd.h>

#include "vu_proto.h"

struct vu_fds {
	unsigned int nb;
	int fd[VU_SCM_MAX_FD];	/**< -1: taken */
};

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
