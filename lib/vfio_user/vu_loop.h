/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_LOOP_H
#define VU_LOOP_H

/**
 * @file
 * The control thread: serves all sessions that are not polled. It starts with the first of them
 * and ends with the last.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vu_session.h"

/** Serve a session, whose socket is there. @return 0, -errno of epoll or of starting the thread */
int vu_loop_add(struct vu_session *s);

/**
 * End a session (vu_session_end()) in the control thread, and wait for that. Not from a callback of
 * that session.
 */
void vu_loop_remove(struct vu_session *s);

/** Is the caller the control thread? */
bool vu_loop_inside(void);

/** Have the control thread look at a session. Any thread. */
void vu_loop_attend(struct vu_session *s);

/** Serve what there is to serve; in the control thread, which waits for a client. */
void vu_loop_turn(int timeout_ms);

/** A session that cannot accept for want of descriptors is to try again in a moment. */
void vu_loop_pause(struct vu_session *s);

/** What epoll gives back for a session. */
static inline uint64_t
vu_watch_data(const struct vu_session *s, enum vu_watch watch)
{
	return (uint64_t)s->serial << 32 | (uint32_t)s->id << 2 | watch;
}

#endif /* VU_LOOP_H */
