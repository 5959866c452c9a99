/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_branch_prediction.h>

#include "vu_client.h"
#include "vu_cmd.h"

static uint32_t
slot_phase(uint32_t state)
{
	return state & VU_SLOT_PHASE;
}

static uint32_t
slot_state(uint16_t id, uint32_t phase)
{
	return (uint32_t)id << 16 | phase;
}

/* -------------------------------------------------------------------- late ids ---- */

static uint64_t
late_bit(uint16_t id)
{
	return UINT64_C(1) << (id % 64);
}

static bool
late_test(struct vu_client *client, uint16_t id)
{
	return (atomic_load_explicit(&client->late[id / 64], memory_order_relaxed) &
			late_bit(id)) != 0;
}

static void
late_set(struct vu_client *client, uint16_t id)
{
	atomic_fetch_or(&client->late[id / 64], late_bit(id));
	atomic_fetch_add(&client->nb_late, 1);
}

static bool
late_clear(struct vu_client *client, uint16_t id)
{
	if (!(atomic_fetch_and(&client->late[id / 64], ~late_bit(id)) & late_bit(id)))
		return false;
	atomic_fetch_sub(&client->nb_late, 1);
	return true;
}

/* --------------------------------------------------------------- the caller's side ---- */

uint16_t
vu_slot_post_id(struct vu_client *client)
{
	uint16_t id;

	do {
		id = (uint16_t)atomic_fetch_add_explicit(&client->next_id, 1, memory_order_relaxed);
	} while (unlikely(late_test(client, id)));
	return id;
}

int
vu_slot_claim(struct vu_client *client, struct vu_call *call, uint16_t *id)
{
	struct vu_slot *slot;
	unsigned int i;
	uint32_t free;

	for (i = 0; i < VU_CLIENT_SLOTS; i++) {
		*id = vu_slot_post_id(client);
		slot = &client->slots[*id % VU_CLIENT_SLOTS];
		free = VU_SLOT_FREE;
		if (!atomic_compare_exchange_strong(&slot->state, &free, VU_SLOT_CLAIMED))
			continue;
		slot->call = call;
		call->slot = *id % VU_CLIENT_SLOTS;
		atomic_store(&slot->state, slot_state(*id, VU_SLOT_WAITING));
		return 0;
	}
	return -EBUSY;
}

void
vu_slot_free(struct vu_client *client, struct vu_slot *slot)
{
	atomic_store(&slot->state, VU_SLOT_FREE);
	if (unlikely(atomic_load(&client->nb_crowded) > 0)) {
		atomic_fetch_add(&client->freed, 1);
		vu_futex_wake(&client->freed, 1);
	}
}

/* Takes a slot that waits. Whoever does so has it alone. */
static bool
slot_take(struct vu_slot *slot, uint32_t *state)
{
	while (slot_phase(*state) == VU_SLOT_WAITING)
		if (atomic_compare_exchange_weak(&slot->state, state,
				(*state & ~VU_SLOT_PHASE) | VU_SLOT_TAKEN))
			return true;
	return false;
}

bool
vu_slot_cancel(struct vu_client *client, struct vu_slot *slot, bool sent)
{
	uint32_t state = atomic_load(&slot->state);
	uint16_t id = (uint16_t)(state >> 16);

	/* known as late before it is no longer waited for */
	if (sent)
		late_set(client, id);
	if (slot_take(slot, &state))
		return true;
	if (sent)
		late_clear(client, id);
	return false;
}

void
vu_slot_sleep(struct vu_client *client, struct vu_slot *slot, uint64_t until_ms)
{
	uint32_t state;

	atomic_fetch_add(&client->nb_asleep, 1);
	state = atomic_fetch_or(&slot->state, VU_SLOT_ASLEEP) | VU_SLOT_ASLEEP;
	/* who ends the turn looks for sleepers after that: one of us sees the other */
	if (slot_phase(state) != VU_SLOT_DONE && atomic_load(&client->rx.word) != VU_TURN_FREE)
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
		if (slot_phase(state) != VU_SLOT_WAITING || !(state & VU_SLOT_ASLEEP))
			continue;
		/* a change of the word, or it could go to sleep after the call to wake it */
		if (!atomic_compare_exchange_strong(&slot->state, &state, state & ~VU_SLOT_ASLEEP))
			continue;
		vu_futex_wake(&slot->state, 1);
		return;
	}
}

/* The slot that was taken is done. */
static void
slot_finish(struct vu_slot *slot, uint32_t state, int rc)
{
	slot->rc = rc;
	state = (state & ~(VU_SLOT_PHASE | VU_SLOT_ASLEEP)) | VU_SLOT_DONE;
	if (atomic_exchange(&slot->state, state) & VU_SLOT_ASLEEP)
		vu_futex_wake(&slot->state, 1);
}

void
vu_slot_fail_all(struct vu_client *client, int rc)
{
	uint32_t state;
	unsigned int i;

	for (i = 0; i < VU_CLIENT_SLOTS; i++) {
		state = atomic_load(&client->slots[i].state);
		if (slot_take(&client->slots[i], &state))
			slot_finish(&client->slots[i], state, rc);
	}
}

/* What the server says went wrong. */
static int
reply_error(const struct vu_hdr *hdr)
{
	return hdr->error > 0 && hdr->error < 4096 ? -(int)hdr->error : -EIO;
}

static int
reply_copy(struct vu_call *call, const struct vu_rx_msg *msg)
{
	size_t fixed = call->data != NULL ? VU_RX_DEST_FIXED : msg->len;

	call->len = msg->len;
	if (fixed > call->cap || fixed > msg->len)
		return -EPROTO;
	if (call->data != NULL && msg->len - fixed != call->data_len)
		return -EPROTO;
	if (fixed > 0)
		memcpy(call->reply, msg->payload, fixed);
	if (call->data != NULL && msg->placed == 0)
		memcpy(call->data, msg->payload + fixed, call->data_len);
	return 0;
}

/* Check an answer and copy it to where it is wanted. */
static int
reply_take(struct vu_call *call, struct vu_rx_msg *msg)
{
	int rc;

	if (msg->hdr.cmd != call->cmd || (msg->hdr.flags & VU_F_NO_REPLY))
		return -EPROTO;
	if (msg->hdr.flags & VU_F_ERROR)
		return reply_error(&msg->hdr);
	if (vu_reply_check(call->cmd, msg->payload, msg->len, msg->fds->nb) < 0)
		return -EPROTO;
	if (call->reply_fds == NULL && msg->fds->nb > 0)
		return -EPROTO;
	rc = reply_copy(call, msg);
	if (rc < 0 || call->reply_fds == NULL)
		return rc;
	*call->reply_fds = *msg->fds;
	msg->fds->nb = 0;
	return 0;
}

int
vu_slot_deliver(struct vu_client *client, struct vu_rx_msg *msg)
{
	struct vu_slot *slot = &client->slots[msg->hdr.id % VU_CLIENT_SLOTS];
	uint32_t state = atomic_load(&slot->state);

	while (slot_phase(state) == VU_SLOT_WAITING && state >> 16 == msg->hdr.id) {
		if (!atomic_compare_exchange_weak(&slot->state, &state,
				(state & ~VU_SLOT_PHASE) | VU_SLOT_TAKEN))
			continue;
		slot_finish(slot, state, reply_take(slot->call, msg));
		return 0;
	}
	/* an answer that a connection's end came before is the server's right, too */
	return late_clear(client, msg->hdr.id) || atomic_load(&client->broken) ? 0 : -EPROTO;
}
