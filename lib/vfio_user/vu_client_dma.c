/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <eal_export.h>
#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_client.h"

/*
 * Regions under way at a time for one caller. Also descriptors: of those a process can have so many
 * on their way only as it can have open.
 */
#define WINDOW 64u

struct dma_batch;

/* What is done with regions. */
struct dma_op {
	/* Send request i. Returns as vu_client_begin(). */
	int (*send)(struct dma_batch *batch, uint32_t i, struct vu_call *call, bool more);
	/* Check the answer to it; NULL: it has nothing to check. */
	int (*judge)(struct dma_batch *batch, uint32_t i, const struct vu_call *call);
	bool stops;	/* at the first error */
	bool takes_back;	/* what a server that does not answer may go on using */
};

union dma_reply {
	struct vu_dma_unmap unmap;
	struct vu_map_multi map;
};

/*
 * Requests that are sent without waiting for one another, each for the next `per` regions, the last
 * one for what is left. Answers are waited for in their order.
 */
struct dma_batch {
	struct vu_client *client;
	const struct dma_op *op;
	const struct rte_vfio_user_mem_reg *mem;
	const int *fds;	/* NULL: none */
	uint32_t nb_mem;
	uint32_t per;
	uint32_t num;	/* requests */
	uint32_t sent;
	uint32_t done;	/* answered */
	uint32_t nb_ok;
	uint32_t bad;	/* the first request that failed */
	int rc;	/* its error */
	bool stopped;
	struct vu_call calls[WINDOW];
	uint64_t until_ms[WINDOW];	/* when their time is over */
	union dma_reply replies[WINDOW];
	uint32_t nb_may[WINDOW];	/* of their regions: the server may have done so many */
};

/* Calls and answers are set before they are used. */
static void
batch_init(struct dma_batch *batch, struct vu_client *client, const struct dma_op *op,
	const struct rte_vfio_user_mem_reg *mem, uint32_t nb_mem, uint32_t per)
{
	memset(batch, 0, offsetof(struct dma_batch, calls));
	batch->client = client;
	batch->op = op;
	batch->mem = mem;
	batch->nb_mem = nb_mem;
	batch->per = per;
	batch->num = nb_mem / per + (nb_mem % per > 0);
}

/* Regions of request i. */
static uint32_t
batch_part(const struct dma_batch *batch, uint32_t i)
{
	return RTE_MIN(batch->per, batch->nb_mem - i * batch->per);
}

static void
batch_error(struct dma_batch *batch, uint32_t i, int rc)
{
	/* one that cannot be sent is known before those under way have failed */
	if (batch->rc == 0 || i < batch->bad) {
		batch->rc = rc;
		batch->bad = i;
	}
	batch->stopped |= batch->op->stops || rc == -ENOTCONN;
	if (batch->op->takes_back)
		vu_client_unmap_check(batch->client, rc);
}

static void
batch_wait_one(struct dma_batch *batch)
{
	uint32_t i = batch->done++;
	struct vu_call *call = &batch->calls[i % WINDOW];
	int rc;

	rc = vu_client_wait(batch->client, call, batch->until_ms[i % WINDOW]);
	batch->nb_may[i % WINDOW] = rc == 0 || rc == -ETIMEDOUT ? batch_part(batch, i) : 0;
	if (rc == 0 && batch->op->judge != NULL)
		rc = batch->op->judge(batch, i, call);
	if (likely(rc == 0))
		batch->nb_ok++;
	else
		batch_error(batch, i, rc);
}

/* Returns whether there is room for one more. */
static bool
batch_send_one(struct dma_batch *batch)
{
	uint32_t under_way = batch->sent - batch->done, window = WINDOW / batch->per;
	uint32_t i = batch->sent;
	int rc;

	if (batch->stopped || i == batch->num || under_way == window)
		return false;
	batch->until_ms[i % WINDOW] = vu_client_deadline(batch->client);
	rc = batch->op->send(batch, i, &batch->calls[i % WINDOW],
			i + 1 < batch->num && under_way + 1 < window);
	if (likely(rc == 0))
		batch->sent++;
	else if (rc == -EBUSY && under_way > 0)
		return false;
	else if (rc == -EBUSY)
		vu_client_crowded(batch->client, batch->until_ms[i % WINDOW]);
	else {
		batch_error(batch, i, rc);
		batch->stopped = true;
	}
	return true;
}

static void
batch_run(struct dma_batch *batch)
{
	do {
		while (batch_send_one(batch))
			;
		if (batch->done < batch->sent)
			batch_wait_one(batch);
	} while (batch->done < batch->sent || (!batch->stopped && batch->sent < batch->num));
}

/* --------------------------------------------------------------------- DMA_UNMAP ---- */

static inline struct vu_dma_unmap
unmap_encode(const struct rte_vfio_user_mem_reg *mem)
{
	return (struct vu_dma_unmap) {
		.argsz = sizeof(struct vu_dma_unmap),
		.addr = mem->gpa,
		.size = mem->size,
	};
}

static int
unmap_answer(const struct rte_vfio_user_mem_reg *mem, const struct vu_call *call)
{
	const struct vu_unmap unmap = { .addr = mem->gpa, .size = mem->size };
	const void *bitmap;

	return vu_unmap_reply_decode(&unmap, call->reply, call->len, &bitmap);
}

static int
unmap_send(struct dma_batch *batch, uint32_t i, struct vu_call *call, bool more)
{
	struct vu_dma_unmap request = unmap_encode(&batch->mem[i]);
	struct vu_dma_unmap *reply = &batch->replies[i % WINDOW].unmap;
	struct iovec iov = { &request, sizeof(request) };

	*call = (struct vu_call) { .cmd = VU_DMA_UNMAP, .payload = &iov, .nb = 1,
		.reply = reply, .cap = sizeof(*reply), .more = more };
	return vu_client_begin(batch->client, call, batch->until_ms[i % WINDOW]);
}

static int
unmap_judge(struct dma_batch *batch, uint32_t i, const struct vu_call *call)
{
	return unmap_answer(&batch->mem[i], call);
}

static const struct dma_op op_unmap = { .send = unmap_send, .judge = unmap_judge,
	.takes_back = true };

/* All of them are mapped: a server that does not unmap one is not asked for the others. */
static const struct dma_op op_undo = { .send = unmap_send, .judge = unmap_judge,
	.takes_back = true, .stops = true };

/* The memory is about to be used for other things: with the connection all maps end. */
void
vu_client_unmap_check(struct vu_client *client, int rc)
{
	if (unlikely(rc == -ETIMEDOUT))
		vu_client_fail(client, -ENOTCONN);
}

void
vu_client_maps_forget(struct vu_client *client, uint32_t nb)
{
	uint32_t old = atomic_load(&client->nb_maps);

	while (!atomic_compare_exchange_weak(&client->nb_maps, &old, old - RTE_MIN(old, nb)))
		;
}

/* Returns how many the server has unmapped. */
static __rte_noinline uint32_t
dma_unmap(struct vu_client *client, const struct dma_op *op,
	const struct rte_vfio_user_mem_reg *mem, uint32_t num, int *rc)
{
	struct dma_batch batch;

	batch_init(&batch, client, op, mem, num, 1);
	batch_run(&batch);
	*rc = batch.rc;
	return batch.nb_ok;
}

/* The same for one region, which needs no batch if nothing is in the way of its request. */
static uint32_t
dma_unmap_one(struct vu_client *client, const struct rte_vfio_user_mem_reg *mem, int *rc)
{
	struct {
		struct vu_hdr hdr;
		struct vu_dma_unmap unmap;
	} request;
	struct iovec iov = { &request.unmap, sizeof(request.unmap) };
	struct vu_dma_unmap reply;
	struct vu_call call = { .cmd = VU_DMA_UNMAP, .payload = &iov, .nb = 1,
		.reply = &reply, .cap = sizeof(reply),
		.brief = true, .whole = &request.hdr, .usual_len = sizeof(reply) };

	request.unmap = unmap_encode(mem);
	*rc = vu_client_brief(client, &call, vu_client_deadline(client));
	if (unlikely(*rc == VU_CLIENT_BUSY))
		return dma_unmap(client, &op_unmap, mem, 1, rc);
	if (likely(*rc == 0))
		*rc = unmap_answer(mem, &call);
	vu_client_unmap_check(client, *rc);
	return *rc == 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_dma_unmap, 25.11)
int
rte_vfio_user_dma_unmap(int dev_id, struct rte_vfio_user_mem_reg *mem, uint32_t num)
{
	struct vu_client *client = vu_client_get(dev_id);
	uint32_t nb;
	int rc;

	if (client == NULL)
		return -ENODEV;
	nb = num == 1 ? dma_unmap_one(client, mem, &rc) :
		dma_unmap(client, &op_unmap, mem, num, &rc);
	vu_client_maps_forget(client, nb);
	vu_client_put(client);
	return rc;
}

static int
unmap_all(struct vu_client *client)
{
	const struct vu_unmap unmap = { .all = true };
	uint8_t request[VU_UNMAP_MAX], reply[sizeof(struct vu_dma_unmap)];
	struct iovec iov = { request, vu_unmap_encode(&unmap, request) };
	struct vu_call call = { .cmd = VU_DMA_UNMAP, .payload = &iov, .nb = 1,
		.reply = reply, .cap = sizeof(reply) };
	const void *bitmap;
	int rc;

	rc = vu_client_call(client, &call);
	vu_client_unmap_check(client, rc);
	if (rc == 0)
		rc = vu_unmap_reply_decode(&unmap, reply, call.len, &bitmap);
	if (rc == 0)
		atomic_store(&client->nb_maps, 0);
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_dma_unmap_all, 25.11)
int
rte_vfio_user_dma_unmap_all(int dev_id)
{
	struct vu_client *client = vu_client_get(dev_id);
	int rc;

	if (client == NULL)
		return -ENODEV;
	rc = unmap_all(client);
	vu_client_put(client);
	return rc;
}

/* ----------------------------------------------------------------------- DMA_MAP ---- */

static int
map_fd(const struct vu_client *client, const struct rte_vfio_user_mem_reg *mem, const int *fd)
{
	if (fd == NULL || !(mem->flags & RTE_VUSER_MEM_MAPPABLE) ||
			client->server.caps.max_msg_fds == 0)
		return -1;
	return *fd;
}

static inline struct vu_dma_map
map_encode(const struct rte_vfio_user_mem_reg *mem, bool has_fd)
{
	return (struct vu_dma_map) {
		.argsz = sizeof(struct vu_dma_map),
		.flags = (mem->protection & PROT_READ ? VU_DMA_F_READ : 0) |
			(mem->protection & PROT_WRITE ? VU_DMA_F_WRITE : 0),
		.offset = has_fd ? mem->fd_offset : 0,
		.addr = mem->gpa,
		.size = mem->size,
	};
}

static int
map_send(struct dma_batch *batch, uint32_t i, struct vu_call *call, bool more)
{
	int fd = map_fd(batch->client, &batch->mem[i],
			batch->fds != NULL ? &batch->fds[i] : NULL);
	struct vu_dma_map map = map_encode(&batch->mem[i], fd >= 0);
	struct iovec iov = { &map, sizeof(map) };

	/* what has a descriptor is not collected: it would need a duplicate */
	*call = (struct vu_call) { .cmd = VU_DMA_MAP, .payload = &iov, .nb = 1,
		.fds = &fd, .nb_fds = fd >= 0 ? 1 : 0, .more = more && fd < 0 };
	if (fd < 0)
		vu_client_by_messages(batch->client);
	return vu_client_begin(batch->client, call, batch->until_ms[i % WINDOW]);
}

static const struct dma_op op_map = { .send = map_send, .stops = true };

/* ----------------------------------------------------------------- DMA_MAP_MULTI ---- */

static int
map_multi_send(struct dma_batch *batch, uint32_t i, struct vu_call *call, bool more)
{
	const struct rte_vfio_user_mem_reg *mem = batch->mem + i * batch->per;
	struct vu_map_multi fixed = { .count = batch_part(batch, i) };
	struct vu_dma_map maps[WINDOW];
	struct iovec iov[] = { { &fixed, sizeof(fixed) },
		{ maps, fixed.count * sizeof(maps[0]) } };
	uint32_t k;

	RTE_SET_USED(more);
	for (k = 0; k < fixed.count; k++)
		maps[k] = map_encode(&mem[k], true);
	*call = (struct vu_call) { .cmd = VU_DMA_MAP_MULTI, .payload = iov, .nb = RTE_DIM(iov),
		.fds = batch->fds + i * batch->per, .nb_fds = fixed.count,
		.reply = &batch->replies[i % WINDOW].map, .cap = sizeof(struct vu_map_multi) };
	return vu_client_begin(batch->client, call, batch->until_ms[i % WINDOW]);
}

static int
map_multi_judge(struct dma_batch *batch, uint32_t i, const struct vu_call *call)
{
	return vu_map_multi_reply_decode(batch_part(batch, i), call->reply, call->len,
		&batch->nb_may[i % WINDOW]);
}

static const struct dma_op op_map_multi = { .send = map_multi_send, .judge = map_multi_judge,
	.stops = true };

/* How many regions go in one message: more than one only if each has a descriptor. */
static uint32_t
map_per(const struct vu_client *client, const struct rte_vfio_user_mem_reg *mem, const int *fds,
	uint32_t num)
{
	uint32_t i;

	if (!client->server.caps.map_multiple || fds == NULL || num < 2)
		return 1;
	for (i = 0; i < num; i++)
		if (fds[i] < 0 || !(mem[i].flags & RTE_VUSER_MEM_MAPPABLE))
			return 1;
	return RTE_MAX(RTE_MIN(client->server.caps.max_msg_fds, WINDOW), 1u);
}

/* ------------------------------------------------------------------------ mapping ---- */

/* Undo what the server accepted: all before the first error, and some that were under way then. */
static void
map_undo(const struct dma_batch *batch)
{
	struct rte_vfio_user_mem_reg maybe[WINDOW];
	uint32_t i, k, nb = 0;
	int rc;

	for (i = batch->bad; i < batch->sent; i++)
		for (k = 0; k < batch->nb_may[i % WINDOW]; k++)
			maybe[nb++] = batch->mem[i * batch->per + k];
	dma_unmap(batch->client, &op_unmap, maybe, nb, &rc);
	dma_unmap(batch->client, &op_undo, batch->mem, batch->bad * batch->per, &rc);
}

static int
map_check(const struct rte_vfio_user_mem_reg *mem, uint32_t num)
{
	uint32_t i;

	for (i = 0; i < num; i++) {
		if (!vu_range_valid(mem[i].gpa, mem[i].size) ||
				!vu_range_valid(mem[i].fd_offset, mem[i].size))
			return -EINVAL;
		if ((mem[i].flags & ~RTE_VUSER_MEM_MAPPABLE) != 0 || mem[i].protection == 0 ||
				(mem[i].protection & ~(uint32_t)(PROT_READ | PROT_WRITE)) != 0)
			return -EINVAL;
	}
	return 0;
}

/* The server refuses more than it said; it is not even asked. */
static int
maps_reserve(struct vu_client *client, uint32_t nb)
{
	uint32_t max = client->server.caps.max_dma_maps;
	uint32_t old = atomic_load(&client->nb_maps);

	do {
		if (nb > max || old > max - nb)
			return -ENOSPC;
	} while (!atomic_compare_exchange_weak(&client->nb_maps, &old, old + nb));
	return 0;
}

static __rte_noinline int
dma_map_many(struct vu_client *client, const struct rte_vfio_user_mem_reg *mem, const int *fds,
	uint32_t num)
{
	uint32_t per = map_per(client, mem, fds, num);
	struct dma_batch batch;

	batch_init(&batch, client, per > 1 ? &op_map_multi : &op_map, mem, num, per);
	batch.fds = fds;
	batch_run(&batch);
	if (batch.rc == 0)
		return 0;
	map_undo(&batch);
	return batch.rc;
}

/* The same for one region, which needs no batch if nothing is in the way of its request. */
static int
dma_map_one(struct vu_client *client, const struct rte_vfio_user_mem_reg *mem, const int *fds)
{
	struct {
		struct vu_hdr hdr;
		struct vu_dma_map map;
	} request;
	struct iovec iov = { &request.map, sizeof(request.map) };
	int fd = map_fd(client, mem, fds);
	struct vu_call call = { .cmd = VU_DMA_MAP, .payload = &iov, .nb = 1, .fds = &fd,
		.nb_fds = fd >= 0, .brief = true, .whole = fd < 0 ? &request.hdr : NULL };
	int rc, undo_rc;

	request.map = map_encode(mem, fd >= 0);
	if (fd < 0)
		vu_client_by_messages(client);
	rc = vu_client_brief(client, &call, vu_client_deadline(client));
	if (unlikely(rc == VU_CLIENT_BUSY))
		return dma_map_many(client, mem, fds, 1);
	/* a server that does not answer may have mapped it */
	if (unlikely(rc == -ETIMEDOUT))
		dma_unmap_one(client, mem, &undo_rc);
	return rc;
}

static int
dma_map(struct vu_client *client, const struct rte_vfio_user_mem_reg *mem, const int *fds,
	uint32_t num)
{
	int rc;

	rc = map_check(mem, num);
	if (rc == 0)
		rc = maps_reserve(client, num);
	if (unlikely(rc < 0))
		return rc;
	rc = num == 1 ? dma_map_one(client, mem, fds) : dma_map_many(client, mem, fds, num);
	if (unlikely(rc < 0))
		vu_client_maps_forget(client, num);
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_dma_map, 25.11)
int
rte_vfio_user_dma_map(int dev_id, struct rte_vfio_user_mem_reg *mem, int *fds, uint32_t num)
{
	struct vu_client *client = vu_client_get(dev_id);
	int rc;

	if (client == NULL)
		return -ENODEV;
	rc = dma_map(client, mem, fds, num);
	vu_client_put(client);
	return rc;
}
