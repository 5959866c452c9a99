/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_PENDING_H
#define VU_PENDING_H

/**
 * @file
 * Requests that were sent and wait for their reply: which id belongs to whom. Ids do not come back
 * soon, so that a reply that is late is nobody's and not somebody else's.
 *
 * No allocation, no lock: the caller has one where it needs one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vu_proto.h"

/** Most requests that wait at a time; a power of two. */
#define VU_PENDING_MAX 256u

struct vu_pending_slot {
	void *who;	/**< NULL: free */
	uint16_t id;
	uint16_t cmd;
};

/** Zeroes are an empty table. */
struct vu_pending {
	struct vu_pending_slot slot[VU_PENDING_MAX];
	uint16_t next_id;
	unsigned int nb;	/**< that wait */
};

/**
 * @param who
 *   Not NULL; what vu_pending_take() returns.
 * @return an id for the header, 0 to 65535; -EBUSY: VU_PENDING_MAX requests wait
 */
int vu_pending_add(struct vu_pending *pending, uint16_t cmd, void *who);

/** @return who waits for this reply, still waiting; NULL: nobody, or the command is another one */
void *vu_pending_find(const struct vu_pending *pending, const struct vu_hdr *reply);

/** @return who waited for this reply and no longer does; NULL as above */
void *vu_pending_take(struct vu_pending *pending, const struct vu_hdr *reply);

/** A request waits no longer, its reply will be nobody's. @return whether it did wait */
bool vu_pending_cancel(struct vu_pending *pending, uint16_t id);

/** Take any that waits, to tell it that the connection is lost. @return NULL: nobody waits */
void *vu_pending_pop(struct vu_pending *pending);

#endif /* VU_PENDING_H */
