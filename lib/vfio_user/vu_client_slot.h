/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_CLIENT_SLOT_H
#define VU_CLIENT_SLOT_H

/**
 * @file
 * What each request does to its slot, without a call. The rest is in vu_client_slot.c.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>

#include "vu_client.h"

static inline uint32_t
vu_slot_phase(uint32_t state)
{
	return state & VU_SLOT_PHASE;
}

static inline uint32_t
vu_slot_state(uint16_t id, uint32_t phase)
{
	return (uint32_t)id << 16 | phase;
}

static inline uint64_t
vu_slot_late_bit(uint16_t id)
{
	return UINT64_C(1) << (id % 64);
}

/** An id for a request that is not answered. */
static inline uint16_t
vu_slot_post_id(struct vu_client *client)
{
	uint16_t id;

	do {
		id = (uint16_t)atomic_fetch_add_explicit(&client->next_id, 1, memory_order_relaxed);
	} while (unlikely((atomic_load_explicit(&client->late[id / 64], memory_order_relaxed) &
			vu_slot_late_bit(id)) != 0));
	return id;
}

/**
 * Take a slot that was seen to wait. Whoever does so has it alone.
 *
 * @param state
 *   What it was seen to be; on failure set to what it is.
 */
static inline bool
vu_slot_try_take(struct vu_slot *slot, uint32_t *state)
{
	return atomic_compare_exchange_weak(&slot->state, state,
		(*state & ~VU_SLOT_PHASE) | VU_SLOT_TAKEN);
}

/** A slot is free that was waited for, or never in use. */
static inline void
vu_slot_freed(struct vu_client *client)
{
	if (unlikely(atomic_load(&client->nb_crowded) > 0)) {
		atomic_fetch_add(&client->freed, 1);
		vu_futex_wake(&client->freed, 1);
	}
}

static inline void
vu_slot_free(struct vu_client *client, struct vu_slot *slot)
{
	atomic_store(&slot->state, VU_SLOT_FREE);
	vu_slot_freed(client);
}

/** The slot that was taken is done. */
static inline void
vu_slot_finish(struct vu_slot *slot, uint32_t state, int rc)
{
	slot->rc = rc;
	state = (state & ~(VU_SLOT_PHASE | VU_SLOT_ASLEEP)) | VU_SLOT_DONE;
	if (unlikely(atomic_exchange(&slot->state, state) & VU_SLOT_ASLEEP))
		vu_futex_wake(&slot->state, 1);
}

#endif /* VU_CLIENT_SLOT_H */
