/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_client_slot.h"
#include "vu_cmd.h"
#include "vu_log.h"

/* Data shorter than this are not worth a place of their own. */
#define DATA_PLACED_MIN 4096u

void
vu_client_fail(struct vu_client *client, int rc)
{
	if (!atomic_exchange(&client->broken, true))
		VU_LOG(INFO, "%s: the connection is over: %s", client->name, strerror(-rc));
	/* who waits in a system call comes back */
	shutdown(client->conn.sock, SHUT_RDWR);
	if (client->twin.sock >= 0)
		shutdown(client->twin.sock, SHUT_RDWR);
	vu_slot_fail_all(client, rc);
}

/* --------------------------------------------------------- sending what is queued ---- */

static int
flush(struct vu_client *client, uint64_t until_ms)
{
	int rc;

	if (!vu_turn_wait(&client->tx, until_ms))
		return -ETIMEDOUT;
	rc = vu_conn_flush(&client->conn);
	atomic_store(&client->queued, vu_conn_want_write(&client->conn));
	vu_turn_end(&client->tx);
	if (rc < 0)
		vu_client_fail(client, -ENOTCONN);
	return rc < 0 ? -ENOTCONN : 0;
}

/* With turn rx. */
static int
flush_twin(struct vu_client *client)
{
	int rc = vu_conn_flush(&client->twin);

	atomic_store(&client->twin_queued, vu_conn_want_write(&client->twin));
	return rc < 0 ? -ENOTCONN : 0;
}

/* ------------------------------------------------------------------ receiving ---- */

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
	if (unlikely(msg->fds->nb > 0) && vu_fds_lost(msg->fds))
		return -EMFILE;
	rc = reply_copy(call, msg);
	if (rc < 0 || call->reply_fds == NULL)
		return rc;
	*call->reply_fds = *msg->fds;
	msg->fds->nb = 0;
	return 0;
}

/* Bring an answer to its slot. Returns -EPROTO if nobody asked for it. */
static int
slot_deliver(struct vu_client *client, struct vu_rx_msg *msg)
{
	struct vu_slot *slot = &client->slots[msg->hdr.id % VU_CLIENT_SLOTS];
	uint32_t state = atomic_load(&slot->state);

	/* if the slot is taken from under us, it may be another request's when we look again */
	while (likely(vu_slot_phase(state) == VU_SLOT_WAITING && state >> 16 == msg->hdr.id)) {
		if (unlikely(!vu_slot_try_take(slot, &state)))
			continue;
		vu_slot_finish(slot, state, reply_take(slot->call, msg));
		return 0;
	}
	/* an answer that a connection's end came before is the server's right, too */
	return vu_slot_late_clear(client, msg->hdr.id) || atomic_load(&client->broken) ? 0 :
		-EPROTO;
}

static int
message_take(struct vu_client *client, struct vu_conn *conn, struct vu_rx_msg *msg)
{
	if ((msg->hdr.flags & VU_F_TYPE_MASK) == VU_F_TYPE_COMMAND)
		return vu_client_serve(client, conn, msg);
	/* answers come where the questions went */
	return conn == &client->conn ? slot_deliver(client, msg) : -EPROTO;
}

/* Take what a receive brought. */
static int
messages_take(struct vu_client *client, struct vu_conn *conn, int rc)
{
	struct vu_rx_msg msg;

	if (rc < 0)
		return rc == -EAGAIN ? 0 : rc;
	while ((rc = vu_rx_next(&conn->rx, &msg)) == 1) {
		rc = message_take(client, conn, &msg);
		if (unlikely(rc < 0))
			break;
	}
	return rc;
}

/* A receive that leaves room has emptied the socket, but descriptors end it early. */
static int
conn_received(struct vu_client *client, int rc)
{
	const struct vu_rx *rx = &client->conn.rx;

	client->watch.more = rc > 0 && (rx->tail == rx->cap || rx->late_fds.nb > 0 ||
		client->watch.hup);
	return messages_take(client, &client->conn, rc);
}

static int
receive_twin(struct vu_client *client)
{
	return messages_take(client, &client->twin, vu_conn_fill(&client->twin));
}

static int
receive_from(struct vu_client *client, unsigned int what)
{
	int rc = 0;

	if (unlikely(what & VU_CLIENT_TWIN))
		rc = receive_twin(client);
	if ((what & VU_CLIENT_CONN) && likely(rc == 0))
		rc = conn_received(client, vu_conn_fill(&client->conn));
	return rc;
}

/* ------------------------------------------------- while something is to be sent ---- */

static int
left_ms(uint64_t until_ms)
{
	uint64_t now = vu_now_ms();

	if (until_ms <= now)
		return 0;
	return (int)RTE_MIN(until_ms - now, (uint64_t)VU_CLIENT_WAIT_MS);
}

/* Wait until the socket takes something, or for what it and the other one have. */
static int
drain_once(struct vu_client *client, bool reads, uint64_t until_ms)
{
	bool queued = atomic_load(&client->queued);
	bool twin_queued = reads && atomic_load(&client->twin_queued);
	struct pollfd pfd[] = {
		{ .fd = client->conn.sock,
			.events = (short)((reads ? POLLIN : 0) | (queued ? POLLOUT : 0)) },
		{ .fd = reads ? client->twin.sock : -1,
			.events = (short)(POLLIN | (twin_queued ? POLLOUT : 0)) },
	};
	unsigned int what;
	int rc = 0;

	if (poll(pfd, RTE_DIM(pfd), left_ms(until_ms)) < 0)
		return errno == EINTR ? 0 : -errno;
	if (queued && (pfd[0].revents & (POLLOUT | POLLERR | POLLHUP)))
		rc = flush(client, until_ms);
	if (rc == 0 && twin_queued && pfd[1].revents != 0)
		rc = flush_twin(client);
	what = (pfd[0].revents & (POLLIN | POLLERR | POLLHUP) ? VU_CLIENT_CONN : 0) |
		(pfd[1].revents != 0 ? VU_CLIENT_TWIN : 0);
	if (reads && rc == 0)
		rc = receive_from(client, what);
	return rc == -ETIMEDOUT ? 0 : rc;
}

/* -------------------------------------------------------------- receiving for all ---- */

/* What the connection ended for: something of ours that was lacking, or the server. */
static int
receive_error(int rc)
{
	return rc == -EPROTO || rc == -ENOMEM ? rc : -ENOTCONN;
}

static int
receive_end(struct vu_client *client, int rc)
{
	if (unlikely(rc < 0))
		vu_client_fail(client, receive_error(rc));
	return rc;
}

int
vu_client_receive_from(struct vu_client *client, unsigned int what)
{
	return receive_end(client, receive_from(client, what));
}

int
vu_client_received(struct vu_client *client, int rc)
{
	return receive_end(client, conn_received(client, rc));
}

int
vu_client_receive(struct vu_client *client, uint64_t until_ms)
{
	return receive_end(client, drain_once(client, true, until_ms));
}

/* The same for the answer to a request, whose time limit need not be exact. */
static int
receive_answer(struct vu_client *client, uint64_t until_ms)
{
	int rc;

	if (unlikely(atomic_load_explicit(&client->queued, memory_order_relaxed) ||
			atomic_load_explicit(&client->twin_queued, memory_order_relaxed)))
		return vu_client_receive(client, until_ms);
	rc = vu_client_watch_wait(&client->watch, until_ms);
	if (likely(rc > 0))
		rc = receive_from(client, (unsigned int)rc);
	return receive_end(client, rc);
}

static void
expect_data(struct vu_client *client, const struct vu_slot *slot)
{
	const struct vu_call *call = slot->call;
	uint32_t state = atomic_load(&slot->state);

	if (call->data != NULL && call->data_len >= DATA_PLACED_MIN)
		vu_rx_expect(&client->conn.rx, (uint16_t)(state >> 16), call->cmd, call->data,
			call->data_len);
}

void
vu_client_lead(struct vu_client *client, struct vu_slot *slot, uint64_t until_ms)
{
	while (likely(!vu_slot_done(slot) && !atomic_load(&client->broken))) {
		expect_data(client, slot);
		if (receive_answer(client, until_ms) < 0 || likely(vu_slot_done(slot)))
			break;
		if (vu_now_ms() >= until_ms)
			break;
	}
}

void
vu_client_lead_end(struct vu_client *client)
{
	if (unlikely(client->conn.rx.dest.buf != NULL) && vu_rx_unexpect(&client->conn.rx) < 0)
		vu_client_fail(client, -ENOTCONN);
	atomic_store(&client->rx.word, VU_TURN_FREE);
	if (unlikely(atomic_load(&client->nb_asleep) > 0))
		vu_slot_wake_one(client);
}

int
vu_client_drain(struct vu_client *client, uint64_t until_ms)
{
	bool leads;
	int rc = 0;

	while (rc == 0 && atomic_load(&client->queued)) {
		if (atomic_load(&client->broken))
			return -ENOTCONN;
		if (vu_now_ms() >= until_ms)
			return -ETIMEDOUT;
		leads = !vu_client_serving(client) && vu_turn_try(&client->rx);
		rc = drain_once(client, leads, until_ms);
		if (rc < 0)
			vu_client_fail(client, -ENOTCONN);
		if (leads)
			vu_client_lead_end(client);
	}
	return rc < 0 ? -ENOTCONN : 0;
}
