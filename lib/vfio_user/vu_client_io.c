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

static int
receive_now(struct vu_client *client, struct vu_conn *conn)
{
	return messages_take(client, conn, vu_conn_fill(conn));
}

static int
left_ms(uint64_t until_ms)
{
	uint64_t now = vu_now_ms();

	if (until_ms <= now)
		return 0;
	return (int)RTE_MIN(until_ms - now, (uint64_t)VU_CLIENT_RECV_MS);
}

/*
 * Wait for any of the sockets. It is left to poll() to wait: a receive that sleeps is also woken
 * each time the server takes what was sent, for nothing.
 */
static int
receive_poll(struct vu_client *client, bool reads, uint64_t until_ms)
{
	bool queued = atomic_load_explicit(&client->queued, memory_order_relaxed);
	struct pollfd pfd[] = {
		{ .fd = client->conn.sock,
			.events = (short)((reads ? POLLIN : 0) | (queued ? POLLOUT : 0)) },
		{ .fd = reads ? client->twin.sock : -1, .events = POLLIN },
	};
	int rc = 0;

	if (unlikely(poll(pfd, RTE_DIM(pfd), left_ms(until_ms)) < 0))
		return errno == EINTR ? 0 : -errno;
	if (unlikely(queued) && (pfd[0].revents & (POLLOUT | POLLERR | POLLHUP)))
		rc = flush(client, until_ms);
	if (reads && pfd[1].revents != 0 && rc == 0)
		rc = receive_now(client, &client->twin);
	if (reads && (pfd[0].revents & (POLLIN | POLLERR | POLLHUP)) && rc == 0)
		rc = receive_now(client, &client->conn);
	return rc == -ETIMEDOUT ? 0 : rc;
}

/* What the connection ended for: something of ours that was lacking, or the server. */
static int
receive_error(int rc)
{
	return rc == -EPROTO || rc == -EMFILE || rc == -ENOMEM ? rc : -ENOTCONN;
}

int
vu_client_receive(struct vu_client *client, uint64_t until_ms)
{
	int rc;

	client->receive_until_ms = until_ms;
	rc = receive_poll(client, true, until_ms);
	if (unlikely(rc < 0))
		vu_client_fail(client, receive_error(rc));
	return rc;
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
		if (vu_client_receive(client, until_ms) < 0 || vu_slot_done(slot))
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
		if (leads)
			client->receive_until_ms = until_ms;
		rc = receive_poll(client, leads, until_ms);
		if (rc < 0)
			vu_client_fail(client, -ENOTCONN);
		if (leads)
			vu_client_lead_end(client);
	}
	return rc < 0 ? -ENOTCONN : 0;
}
