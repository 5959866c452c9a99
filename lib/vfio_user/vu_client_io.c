/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_client.h"
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

/* -------------------------------------------------------------------- sending ---- */

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

int
vu_client_send(struct vu_client *client, const struct vu_hdr *hdr, const struct vu_call *call,
	uint64_t until_ms)
{
	int rc;

	do {
		if (unlikely(atomic_load(&client->broken)))
			return -ENOTCONN;
		if (!vu_turn_wait(&client->tx, until_ms))
			return -ETIMEDOUT;
		rc = send_in_turn(client, hdr, call);
		vu_turn_end(&client->tx);
		if (likely(rc != -ENOBUFS))
			return rc;
		rc = vu_client_drain(client, until_ms);
	} while (rc == 0);
	return rc;
}

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

static int
message_take(struct vu_client *client, struct vu_conn *conn, struct vu_rx_msg *msg)
{
	if ((msg->hdr.flags & VU_F_TYPE_MASK) == VU_F_TYPE_COMMAND)
		return vu_client_serve(client, conn, msg);
	/* answers come where the questions went */
	return conn == &client->conn ? vu_slot_deliver(client, msg) : -EPROTO;
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
receive_conn(struct vu_client *client)
{
	const struct vu_rx *rx = &client->conn.rx;
	int rc = vu_conn_fill(&client->conn);

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
		rc = receive_conn(client);
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
	return rc == -EPROTO || rc == -EMFILE || rc == -ENOMEM ? rc : -ENOTCONN;
}

static int
receive_end(struct vu_client *client, int rc)
{
	if (unlikely(rc < 0))
		vu_client_fail(client, receive_error(rc));
	return rc;
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
	while (!vu_slot_done(slot) && !atomic_load(&client->broken)) {
		expect_data(client, slot);
		if (receive_answer(client, until_ms) < 0 || vu_slot_done(slot))
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
