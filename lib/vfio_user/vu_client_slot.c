/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_branch_prediction.h>

#include "vu_client_slot.h"

/* -------------------------------------------------------------------- late ids ---- */

static void
late_set(struct vu_client *client, uint16_t id)
{
	atomic_fetch_or(&client->late[id / 64], vu_slot_late_bit(id));
	atomic_fetch_add(&client->nb_late, 1);
}

bool
vu_slot_late_clear(struct vu_client *client, uint16_t id)
{
	uint64_t bit = vu_slot_late_bit(id);

	if (!(atomic_fetch_and(&client->late[id / 64], ~bit) & bit))
		return false;
	atomic_fetch_sub(&client->nb_late, 1);
	return true;
}

/* --------------------------------------------------------------- the caller's side ---- */

/* Takes a slot that waits, whatever the request. */
static bool
slot_take(struct vu_slot *slot, uint32_t *state)
{
	while (vu_slot_phase(*state) == VU_SLOT_WAITING)
		if (vu_slot_try_take(slot, state))
			return true;
	return false;
}

bool
vu_slot_cancel(struct vu_client *client, struct vu_slot *slot)
{
	uint32_t state = atomic_load(&slot->state);
	uint16_t id = (uint16_t)(state >> 16);

	/* known as late before it is no longer waited for */
	late_set(client, id);
	if (slot_take(slot, &state))
		return true;
	vu_slot_late_clear(client, id);
	return false;
}

void
vu_slot_drop(struct vu_client *client, struct vu_slot *slot)
{
	uint32_t state = atomic_load(&slot->state);

	if (!slot_take(slot, &state))
		while (!vu_slot_done(slot))
			vu_slot_sleep(client, slot, UINT64_MAX);
	vu_slot_free(client, slot);
}

void
vu_slot_sleep(struct vu_client *client, struct vu_slot *slot, uint64_t until_ms)
{
	uint32_t state;

	atomic_fetch_add(&client->nb_asleep, 1);
	state = atomic_fetch_or(&slot->state, VU_SLOT_ASLEEP) | VU_SLOT_ASLEEP;
	/* who ends the turn looks for sleepers after that: one of us sees the other */
	if (vu_slot_phase(state) != VU_SLOT_DONE && atomic_load(&client->rx.word) != VU_TURN_FREE)
		vu_futex_wait(&slot->state, state, until_ms);
	atomic_fetch_and(&slot->state, ~VU_SLOT_ASLEEP);
	atomic_fetch_sub(&client->nb_asleep, 1);
}

/* ------------------------------------------------------------- the receiver's side ---- */

void
vu_slot_wake_one(struct vu_client *client)
{
	struct vu_slot *slot;
	unsigned int i;
	uint32_t state;

	for (i = 0; i < VU_CLIENT_SLOTS; i++) {
		slot = &client->slots[i];
		state = atomic_load(&slot->state);
		if (vu_slot_phase(state) != VU_SLOT_WAITING || !(state & VU_SLOT_ASLEEP))
			continue;
		/* a change of the word, or it could go to sleep after the call to wake it */
		if (!atomic_compare_exchange_strong(&slot->state, &state, state & ~VU_SLOT_ASLEEP))
			continue;
		vu_futex_wake(&slot->state, 1);
		return;
	}
}

void
vu_slot_fail_all(struct vu_client *client, int rc)
{
	uint32_t state;
	unsigned int i;

	for (i = 0; i < VU_CLIENT_SLOTS; i++) {
		state = atomic_load(&client->slots[i].state);
		if (slot_take(&client->slots[i], &state))
			vu_slot_finish(&client->slots[i], state, rc);
	}
}
