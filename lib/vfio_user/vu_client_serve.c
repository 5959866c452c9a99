/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <eal_export.h>
#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_client.h"
#include "vu_cmd.h"

/* A handler that a thread is in. From one it may use other clients, and come into theirs. */
struct serving {
	const struct vu_client *client;
	const struct serving *outer;
};

static _Thread_local const struct serving *serving;

bool
vu_client_serving(const struct vu_client *client)
{
	const struct serving *inner = serving;

	while (unlikely(inner != NULL) && inner->client != client)
		inner = inner->outer;
	return inner != NULL;
}

/* ----------------------------------- memory told of; but for range_copy, with its lock ---- */

/* The first range that ends behind addr. */
static uint32_t
range_find(const struct vu_client *client, uint64_t addr)
{
	uint32_t low = 0;
	uint32_t high = client->nb_ranges;
	uint32_t mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (client->ranges[mid].addr + (client->ranges[mid].size - 1) < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
range_overlaps(const struct vu_client *client, uint32_t i, uint64_t addr, uint64_t size)
{
	return i < client->nb_ranges && client->ranges[i].addr <= addr + (size - 1);
}

static int
range_add(struct vu_client *client, const struct vu_host_range *range)
{
	uint32_t i = range_find(client, range->addr);
	struct vu_host_range *ranges;

	if (range_overlaps(client, i, range->addr, range->size))
		return -EEXIST;
	ranges = realloc(client->ranges, (client->nb_ranges + 1) * sizeof(*ranges));
	if (ranges == NULL)
		return -ENOMEM;
	memmove(ranges + i + 1, ranges + i, (client->nb_ranges - i) * sizeof(*ranges));
	ranges[i] = *range;
	client->ranges = ranges;
	client->nb_ranges++;
	return 0;
}

static int
range_remove(struct vu_client *client, uint64_t addr, uint64_t size)
{
	uint32_t i = range_find(client, addr);

	if (i == client->nb_ranges || client->ranges[i].addr != addr ||
			client->ranges[i].size != size)
		return -ENOENT;
	client->nb_ranges--;
	memmove(client->ranges + i, client->ranges + i + 1,
		(client->nb_ranges - i) * sizeof(*client->ranges));
	return 0;
}

/*
 * Copy as much as lies in one range. Returns the number of bytes, 0 where no range is, or -errno.
 */
static int64_t
range_copy_locked(const struct vu_client *client, uint64_t addr, uint8_t *buf, uint64_t len,
	bool write)
{
	uint32_t i = range_find(client, addr);
	const struct vu_host_range *range;
	uint64_t off;

	if (i == client->nb_ranges || client->ranges[i].addr > addr)
		return 0;
	range = &client->ranges[i];
	if (!(range->prot & (write ? PROT_WRITE : PROT_READ)))
		return -EACCES;
	off = addr - range->addr;
	len = RTE_MIN(len, range->size - off);
	if (write)
		memcpy(range->host + off, buf, len);
	else
		memcpy(buf, range->host + off, len);
	return (int64_t)len;
}

static int64_t
range_copy(struct vu_client *client, uint64_t addr, uint8_t *buf, uint64_t len, bool write)
{
	int64_t n;

	pthread_mutex_lock(&client->host_lock);
	n = range_copy_locked(client, addr, buf, len, write);
	pthread_mutex_unlock(&client->host_lock);
	return n;
}

static int
handler_call(struct vu_client *client, uint64_t addr, uint8_t *buf, uint64_t len, bool write)
{
	const struct serving self = { .client = client, .outer = serving };
	int rc;

	if (client->handler == NULL)
		return -EFAULT;
	serving = &self;
	rc = client->handler(client->dev_id, addr, buf, len, write, client->handler_ctx);
	serving = self.outer;
	return rc;
}

/* What the ranges do not have from some byte on is the handler's. */
static int
dma_access(struct vu_client *client, uint64_t addr, uint8_t *buf, uint64_t len, bool write)
{
	int64_t n = 1;

	while (len > 0 && n > 0) {
		n = range_copy(client, addr, buf, len, write);
		if (n > 0) {
			addr += (uint64_t)n;
			buf += n;
			len -= (uint64_t)n;
		}
	}
	if (len == 0)
		return 0;
	return n < 0 ? (int)n : handler_call(client, addr, buf, len, write);
}

/* ------------------------------------------------------------------- commands ---- */

/* In the turn to send, for the connection. What it does not take now is queued. */
static int
answer_send(struct vu_conn *conn, const struct vu_hdr *hdr, const struct iovec *payload,
	unsigned int nb, int err)
{
	int rc;

	conn->tx.limit = VU_CLIENT_ANSWERS_MAX;
	rc = err < 0 ? vu_conn_reply_error(conn, hdr, err) :
		vu_conn_reply(conn, hdr, payload, nb, NULL, 0);
	conn->tx.limit = 0;
	return rc;
}

static int
answer(struct vu_client *client, struct vu_conn *conn, const struct vu_hdr *hdr,
	const struct iovec *payload, unsigned int nb, int err)
{
	int rc;

	if (conn == &client->twin) {
		rc = answer_send(conn, hdr, payload, nb, err);
		atomic_store(&client->twin_queued, vu_conn_want_write(conn));
		if (rc > 0)
			atomic_store(&client->owes, true);
		return rc < 0 ? -ENOTCONN : 0;
	}
	if (!vu_turn_wait(&client->tx, vu_client_deadline(client)))
		return -ENOTCONN;
	rc = answer_send(conn, hdr, payload, nb, err);
	if (rc > 0) {
		atomic_store(&client->queued, true);
		atomic_store(&client->owes, true);
	}
	vu_turn_end(&client->tx);
	return rc < 0 ? -ENOTCONN : 0;
}

static int
serve_access(struct vu_client *client, struct vu_conn *conn, const struct vu_rx_msg *msg,
	const struct vu_dma_access *access)
{
	struct vu_dma_access fixed = *access;
	struct iovec iov[] = { { &fixed, sizeof(fixed) }, { client->dma_buf, access->count } };
	bool write = msg->hdr.cmd == VU_DMA_WRITE;
	int rc;

	if (write)
		memcpy(client->dma_buf, msg->payload + sizeof(*access), access->count);
	rc = dma_access(client, access->addr, client->dma_buf, access->count, write);
	return answer(client, conn, &msg->hdr, iov, write ? 1 : 2, rc);
}

/* Why a command is refused, or 0. */
static int
serve_check(struct vu_client *client, const struct vu_rx_msg *msg, struct vu_dma_access *access)
{
	int rc;

	rc = vu_request_check(msg->hdr.cmd, VU_TO_CLIENT, msg->payload, msg->len, msg->fds->nb);
	if (rc < 0)
		return rc;
	memcpy(access, msg->payload, sizeof(*access));
	if (access->count > VU_CLIENT_MAX_XFER)
		return -E2BIG;
	if (!vu_range_valid(access->addr, access->count))
		return -EINVAL;
	if (client->dma_buf == NULL)
		client->dma_buf = calloc(1, VU_CLIENT_MAX_XFER);
	return client->dma_buf != NULL ? 0 : -ENOMEM;
}

int
vu_client_serve(struct vu_client *client, struct vu_conn *conn, struct vu_rx_msg *msg)
{
	struct vu_dma_access access = { .count = 0 };
	int rc;

	/* who asks for that is another client, or sends back what it was sent */
	if (msg->hdr.cmd == VU_VERSION)
		return -EPROTO;
	client->nb_served++;
	rc = serve_check(client, msg, &access);
	if (rc < 0)
		return answer(client, conn, &msg->hdr, NULL, 0, rc);
	return serve_access(client, conn, msg, &access);
}

/* ------------------------------------------------------------------------ API ---- */

void
vu_client_by_messages(struct vu_client *client)
{
	if (!atomic_load(&client->by_messages) && !atomic_exchange(&client->by_messages, true))
		vu_client_event_update(client);
}

/* What commands of the server need changes in the turn to receive. */
static int
serve_lock(struct vu_client *client)
{
	uint64_t until_ms = vu_client_deadline(client);

	if (vu_client_serving(client))
		return -EDEADLK;
	while (!vu_turn_try(&client->rx)) {
		if (vu_now_ms() >= until_ms)
			return -ETIMEDOUT;
		vu_futex_wait(&client->rx.word, VU_TURN_TAKEN, vu_now_ms() + 1);
	}
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_set_dma_handler, 25.11)
int
rte_vfio_user_set_dma_handler(int dev_id, rte_vfio_user_dma_handler_t handler, void *ctx)
{
	struct vu_client *client = vu_client_get(dev_id);
	int rc;

	if (client == NULL)
		return -ENODEV;
	rc = serve_lock(client);
	if (rc == 0) {
		client->handler = handler;
		client->handler_ctx = ctx;
		vu_client_by_messages(client);
		vu_client_lead_end(client);
	}
	vu_client_put(client);
	return rc;
}

/* Memory may have to go at once, so this does not wait for a thread that waits for the server. */
static int
host_change(struct vu_client *client, const struct vu_host_range *range)
{
	int rc;

	if (!vu_range_valid(range->addr, range->size))
		return -EINVAL;
	if (vu_client_serving(client))
		return -EDEADLK;
	pthread_mutex_lock(&client->host_lock);
	rc = range->host != NULL ? range_add(client, range) :
		range_remove(client, range->addr, range->size);
	pthread_mutex_unlock(&client->host_lock);
	vu_client_by_messages(client);
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_dma_host, 25.11)
int
rte_vfio_user_dma_host(int dev_id, uint64_t gpa, uint64_t size, void *host, int prot)
{
	const struct vu_host_range range = { .addr = gpa, .size = size, .host = host,
		.prot = prot };
	struct vu_client *client = vu_client_get(dev_id);
	int rc;

	if (client == NULL)
		return -ENODEV;
	rc = host_change(client, &range);
	vu_client_put(client);
	return rc;
}

static bool
has_queued(struct vu_client *client)
{
	return atomic_load(&client->queued) || atomic_load(&client->twin_queued);
}

/* In the turn to receive. */
static void
send_rest(struct vu_client *client)
{
	uint64_t until_ms = vu_client_deadline(client);
	int rc = 0;

	while (rc == 0 && vu_now_ms() < until_ms && !atomic_load(&client->broken) &&
			has_queued(client))
		rc = vu_client_receive(client, until_ms);
}

void
vu_client_rest(struct vu_client *client)
{
	/* who adds to it meanwhile says so after it is in the queue */
	atomic_store(&client->owes, false);
	if (has_queued(client))
		atomic_store(&client->owes, true);
	if (atomic_load(&client->event_fd) >= 0) {
		vu_client_event_update(client);
	} else if (atomic_load(&client->owes) && vu_turn_try(&client->rx)) {
		send_rest(client);
		vu_client_lead_end(client);
	}
}

/* Serve until one command was served, time is over or the client is to get another id. */
static int
serve_until(struct vu_client *client, uint64_t until_ms)
{
	unsigned int before = client->nb_served;
	int rc = 0;

	do {
		if (atomic_load(&client->broken))
			return -ENOTCONN;
		rc = vu_client_receive(client, until_ms);
	} while (rc == 0 && client->nb_served == before && vu_now_ms() < until_ms &&
		!atomic_load(&client->moves));
	return rc < 0 ? -ENOTCONN : (int)(client->nb_served - before);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_serve, 25.11)
int
rte_vfio_user_serve(int dev_id, int timeout_ms)
{
	uint64_t until_ms = timeout_ms < 0 ? UINT64_MAX : vu_now_ms() + (uint64_t)timeout_ms;
	struct vu_client *client = vu_client_get(dev_id);
	int rc;

	if (client == NULL)
		return -ENODEV;
	rc = vu_client_serving(client) ? -EDEADLK : 0;
	/* whoever receives serves: nothing to do if that is another thread */
	if (rc == 0 && vu_turn_try(&client->rx)) {
		rc = serve_until(client, until_ms);
		vu_client_lead_end(client);
		if (unlikely(atomic_load(&client->owes)))
			vu_client_rest(client);
	}
	vu_client_put(client);
	return rc;
}
