/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <rte_branch_prediction.h>

#include "vu_client_slot.h"

/* ------------------------------------------------------------------------ slots ---- */

static int
slot_claim(struct vu_client *client, struct vu_call *call, uint16_t *id)
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
		atomic_store(&slot->state, vu_slot_state(*id, VU_SLOT_WAITING));
		return 0;
	}
	return -EBUSY;
}

/* ---------------------------------------------------------------------- sending ---- */

/* A message that fails before its first byte is sent harms nobody else. */
static int
send_result(struct vu_client *client, int rc)
{
	if (likely(rc >= 0) || !(rc == -ENOTCONN || client->conn.tx.broken))
		return rc;
	vu_client_fail(client, -ENOTCONN);
	return -ENOTCONN;
}

static int
send_in_turn(struct vu_client *client, const struct vu_hdr *hdr, const struct vu_call *call)
{
	struct vu_conn *conn = &client->conn;
	int rc;

	conn->tx.corked = call->more;
	rc = vu_tx_send_patient(&conn->tx, conn->sock, hdr, call->payload, call->nb, call->fds,
			call->nb_fds);
	conn->tx.corked = false;
	if (unlikely(rc > 0 || call->more || atomic_load(&client->queued)))
		atomic_store(&client->queued, vu_conn_want_write(conn));
	return send_result(client, rc);
}

/* With turn tx. Is there too much before it? Else it is the kernel that has no room. */
static inline bool
send_has_to_wait(const struct vu_client *client, int rc)
{
	return unlikely(rc == -ENOBUFS) && vu_conn_want_write(&client->conn);
}

static inline int
request_send(struct vu_client *client, const struct vu_hdr *hdr, const struct vu_call *call,
	uint64_t until_ms)
{
	bool wait;
	int rc;

	do {
		if (unlikely(atomic_load(&client->broken)))
			return -ENOTCONN;
		if (!vu_turn_wait(&client->tx, until_ms))
			return -ETIMEDOUT;
		rc = send_in_turn(client, hdr, call);
		wait = send_has_to_wait(client, rc);
		vu_turn_end(&client->tx);
		if (likely(!wait))
			return rc;
		rc = vu_client_drain(client, until_ms);
	} while (rc == 0);
	return rc;
}

/* --------------------------------------------------------------------- requests ---- */

int
vu_client_begin(struct vu_client *client, struct vu_call *call, uint64_t until_ms)
{
	struct vu_hdr hdr = { .cmd = call->cmd };
	int rc;

	/* who serves for all cannot wait for an answer */
	if (unlikely(vu_client_serving(client)))
		return -EDEADLK;
	rc = slot_claim(client, call, &hdr.id);
	if (unlikely(rc < 0))
		return rc;
	/* the connection that breaks from now on ends the slot */
	rc = request_send(client, &hdr, call, until_ms);
	if (likely(rc >= 0))
		return 0;
	vu_slot_drop(client, &client->slots[call->slot]);
	return rc;
}

/* Ids of requests without an answer cannot be used again: a server must not take all of them. */
static int
timed_out(struct vu_client *client)
{
	if (atomic_load(&client->nb_late) >= VU_CLIENT_LATE_MAX)
		vu_client_fail(client, -ETIMEDOUT);
	return -ETIMEDOUT;
}

/* Until the answer is there, receive for all or let another thread do so. */
static int
wait_done(struct vu_client *client, struct vu_slot *slot, uint64_t until_ms)
{
	while (!vu_slot_done(slot)) {
		if (likely(vu_turn_try(&client->rx))) {
			vu_client_lead(client, slot, until_ms);
			vu_client_lead_end(client);
		} else {
			vu_slot_sleep(client, slot, until_ms);
		}
		if (!vu_slot_done(slot) && vu_now_ms() >= until_ms &&
				vu_slot_cancel(client, slot))
			return timed_out(client);
	}
	return slot->rc;
}

int
vu_client_wait(struct vu_client *client, struct vu_call *call, uint64_t until_ms)
{
	struct vu_slot *slot = &client->slots[call->slot];
	int rc;

	if (unlikely(atomic_load_explicit(&client->queued, memory_order_relaxed)))
		vu_client_drain(client, until_ms);
	rc = wait_done(client, slot, until_ms);
	vu_slot_free(client, slot);
	/* I may have been the one who was woken to receive */
	if (unlikely(atomic_load(&client->nb_asleep) > 0) &&
			atomic_load(&client->rx.word) == VU_TURN_FREE)
		vu_slot_wake_one(client);
	if (unlikely(atomic_load_explicit(&client->owes, memory_order_relaxed)))
		vu_client_rest(client);
	return rc;
}

void
vu_client_crowded(struct vu_client *client, uint64_t until_ms)
{
	uint32_t freed = atomic_load(&client->freed);
	uint64_t soon = vu_now_ms() + VU_CLIENT_SEND_MS;

	atomic_fetch_add(&client->nb_crowded, 1);
	vu_futex_wait(&client->freed, freed, until_ms < soon ? until_ms : soon);
	atomic_fetch_sub(&client->nb_crowded, 1);
}

int
vu_client_call_until(struct vu_client *client, struct vu_call *call, uint64_t until_ms)
{
	int rc;

	while ((rc = vu_client_begin(client, call, until_ms)) == -EBUSY) {
		if (vu_now_ms() >= until_ms)
			return -ETIMEDOUT;
		vu_client_crowded(client, until_ms);
	}
	return likely(rc == 0) ? vu_client_wait(client, call, until_ms) : rc;
}

int
vu_client_call(struct vu_client *client, struct vu_call *call)
{
	uint64_t until_ms = vu_client_deadline(client);
	int rc = VU_CLIENT_BUSY;

	if (likely(call->brief))
		rc = vu_client_brief(client, call, until_ms);
	return likely(rc <= 0) ? rc : vu_client_call_until(client, call, until_ms);
}

int
vu_client_post(struct vu_client *client, struct vu_call *call)
{
	uint64_t until_ms = vu_client_deadline(client);
	struct vu_hdr hdr = { .cmd = call->cmd, .flags = VU_F_NO_REPLY };
	int rc;

	hdr.id = vu_slot_post_id(client);
	rc = request_send(client, &hdr, call, until_ms);
	if (likely(rc <= 0))
		return rc;
	rc = vu_client_drain(client, until_ms);
	if (unlikely(atomic_load_explicit(&client->owes, memory_order_relaxed)))
		vu_client_rest(client);
	return rc;
}
