/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A short request with a short answer, and nothing in its way, as most are: the thread has both
 * turns, sends, waits, and finds nothing but the answer in the receive buffer. All that is
 * otherwise leaves the request as vu_client_begin() would have, for vu_client_wait().
 */

#include <string.h>
#include <sys/socket.h>

#include <rte_branch_prediction.h>

#include "vu_client_slot.h"

/* The request is under way but not sent: more than 0, as VU_CLIENT_BUSY. */
#define BEGUN 2

/* The slot waits at once: answers are brought by who has turn rx, and that is this thread. */
static inline bool
slot_claim(struct vu_client *client, struct vu_call *call, uint16_t id)
{
	struct vu_slot *slot = &client->slots[id % VU_CLIENT_SLOTS];
	uint32_t free = VU_SLOT_FREE;

	if (unlikely(!atomic_compare_exchange_strong(&slot->state, &free,
			vu_slot_state(id, VU_SLOT_WAITING))))
		return false;
	slot->call = call;
	call->slot = id % VU_CLIENT_SLOTS;
	return true;
}

static inline int
message_send(struct vu_conn *conn, const struct vu_call *call, uint16_t id)
{
	struct vu_hdr hdr = { .id = id, .cmd = call->cmd };

	if (unlikely(call->whole == NULL))
		return vu_conn_send(conn, &hdr, call->payload, call->nb, call->fds, call->nb_fds);
	hdr.size = (uint32_t)(sizeof(hdr) + call->payload->iov_len);
	*call->whole = hdr;
	return vu_tx_send_whole(&conn->tx, conn->sock, MSG_DONTWAIT, call->whole, hdr.size);
}

/*
 * With turn tx. What cannot be sent is tried once more by who can say why; one that ends what
 * waits has shut the socket down before.
 */
static inline int
request_send(struct vu_client *client, struct vu_call *call, uint16_t id)
{
	int rc;

	if (unlikely(!slot_claim(client, call, id)))
		return VU_CLIENT_BUSY;
	rc = message_send(&client->conn, call, id);
	if (likely(rc == 0))
		return 0;
	if (rc > 0) {
		atomic_store(&client->queued, true);
		return BEGUN;
	}
	vu_slot_drop(client, &client->slots[call->slot]);
	return VU_CLIENT_BUSY;
}

/* The lengths that are usual need no call. */
static inline void
copy_short(void *to, const void *from, size_t len)
{
	if (len == sizeof(struct vu_region_access))
		memcpy(to, from, sizeof(struct vu_region_access));
	else if (len == sizeof(uint32_t))
		memcpy(to, from, sizeof(uint32_t));
	else if (len > 0)
		memcpy(to, from, len);
}

/* The answer is all that came: copy it. Its length says that its shape is right. */
static inline bool
answer_take(struct vu_client *client, struct vu_call *call, uint16_t id)
{
	const struct vu_hdr want = { .id = id, .cmd = call->cmd, .flags = VU_F_TYPE_REPLY,
		.size = (uint32_t)(sizeof(want) + call->usual_len) };
	const uint8_t *payload = vu_rx_only(&client->conn.rx, &want);

	if (unlikely(payload == NULL))
		return false;
	call->len = call->usual_len;
	copy_short(call->reply, payload, call->usual_len - call->data_len);
	copy_short(call->data, payload + VU_RX_DEST_FIXED, call->data_len);
	vu_rx_done(&client->conn.rx);
	return true;
}

/* Wait once. Returns whether the answer is there; what else came is taken in any case. */
static inline bool
answer_wait(struct vu_client *client, struct vu_call *call, uint16_t id, uint64_t until_ms)
{
	int rc = vu_client_watch_wait(&client->watch, until_ms);

	if (unlikely(rc != VU_CLIENT_CONN || client->watch.more || client->watch.hup)) {
		if (rc > 0)
			vu_client_receive_from(client, (unsigned int)rc);
		return false;
	}
	rc = vu_conn_fill(&client->conn);
	if (likely(rc > 0 && answer_take(client, call, id)))
		return true;
	vu_client_received(client, rc);
	return false;
}

/* Unless the end of the connection has ended it before. */
static inline bool
slot_end(struct vu_client *client, const struct vu_call *call, uint16_t id)
{
	uint32_t waiting = vu_slot_state(id, VU_SLOT_WAITING);

	if (unlikely(!atomic_compare_exchange_strong(&client->slots[call->slot].state, &waiting,
			VU_SLOT_FREE)))
		return false;
	vu_slot_freed(client);
	return true;
}

/* With turn rx. What the server still has to get on the second socket it may need to answer. */
static inline int
request_begin(struct vu_client *client, struct vu_call *call, uint16_t *id)
{
	int rc;

	if (unlikely(atomic_load_explicit(&client->twin_queued, memory_order_relaxed) ||
			!vu_turn_try(&client->tx)))
		return VU_CLIENT_BUSY;
	*id = vu_slot_post_id(client);
	rc = request_send(client, call, *id);
	vu_turn_end(&client->tx);
	return rc;
}

int
vu_client_brief(struct vu_client *client, struct vu_call *call, uint64_t until_ms)
{
	bool done = false;
	uint16_t id;
	int rc;

	if (unlikely(!vu_turn_try(&client->rx)))
		return VU_CLIENT_BUSY;
	rc = request_begin(client, call, &id);
	if (likely(rc == 0))
		done = answer_wait(client, call, id, until_ms) && slot_end(client, call, id);
	vu_client_lead_end(client);
	if (unlikely(!done))
		return rc == VU_CLIENT_BUSY ? rc : vu_client_wait(client, call, until_ms);
	if (unlikely(atomic_load_explicit(&client->owes, memory_order_relaxed)))
		vu_client_rest(client);
	return 0;
}
