/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <eal_export.h>
#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_client.h"

/* Entries of one REGION_WRITE_MULTI: what QEMU sends at most. */
#define MULTI_MAX 200u

/* Most bytes of data of an access that is brief. */
#define BRIEF_MAX 64u

/* Moves one piece; offset, region and count are in access. */
typedef int (*region_piece_t)(struct vu_client *client, const struct vu_region_access *access,
	uint8_t *data);

static int
piece_read(struct vu_client *client, const struct vu_region_access *access, uint8_t *data)
{
	struct {
		struct vu_hdr hdr;
		struct vu_region_access access;
	} request;
	struct vu_region_access reply;
	struct iovec iov = { &request.access, sizeof(request.access) };
	struct vu_call call = { .cmd = VU_REGION_READ, .payload = &iov, .nb = 1,
		.reply = &reply, .cap = sizeof(reply), .data = data, .data_len = access->count,
		.brief = access->count <= BRIEF_MAX, .whole = &request.hdr,
		.usual_len = sizeof(reply) + access->count };
	int rc;

	request.access = *access;
	rc = vu_client_call(client, &call);
	if (unlikely(rc < 0))
		return rc;
	return vu_region_reply_check(access, &reply, call.len, access->count);
}

static inline int
write_result(const struct vu_region_access *access, const struct vu_region_access *reply,
	const struct vu_call *call, int rc)
{
	return likely(rc == 0) ? vu_region_reply_check(access, reply, call->len, 0) : rc;
}

static int
write_brief(struct vu_client *client, const struct vu_region_access *access, const uint8_t *data)
{
	struct {
		struct vu_hdr hdr;
		struct vu_region_access access;
		uint8_t data[BRIEF_MAX];
	} request;
	struct vu_region_access reply;
	struct iovec iov = { &request.access, sizeof(request.access) + access->count };
	struct vu_call call = { .cmd = VU_REGION_WRITE, .payload = &iov, .nb = 1,
		.reply = &reply, .cap = sizeof(reply),
		.brief = true, .whole = &request.hdr, .usual_len = sizeof(reply) };

	request.access = *access;
	memcpy(request.data, data, access->count);
	return write_result(access, &reply, &call, vu_client_call(client, &call));
}

static int
write_long(struct vu_client *client, const struct vu_region_access *access, uint8_t *data)
{
	struct vu_region_access request = *access, reply;
	struct iovec iov[] = { { &request, sizeof(request) }, { data, access->count } };
	struct vu_call call = { .cmd = VU_REGION_WRITE, .payload = iov, .nb = RTE_DIM(iov),
		.reply = &reply, .cap = sizeof(reply) };

	return write_result(access, &reply, &call, vu_client_call(client, &call));
}

static int
piece_write(struct vu_client *client, const struct vu_region_access *access, uint8_t *data)
{
	if (likely(access->count <= BRIEF_MAX))
		return write_brief(client, access, data);
	return write_long(client, access, data);
}

static int
piece_post(struct vu_client *client, const struct vu_region_access *access, uint8_t *data)
{
	struct vu_region_access request = *access;
	struct iovec iov[] = { { &request, sizeof(request) }, { data, access->count } };
	struct vu_call call = { .cmd = VU_REGION_WRITE, .payload = iov, .nb = RTE_DIM(iov) };

	return vu_client_post(client, &call);
}

/* In pieces that the server takes. */
static __rte_noinline int
region_pieces(struct vu_client *client, const struct vu_region_access *all, uint8_t *data,
	uint32_t max, region_piece_t piece)
{
	struct vu_region_access access = *all;
	uint32_t done;
	int rc = 0;

	for (done = 0; done < all->count && rc == 0; done += access.count) {
		access.offset = all->offset + done;
		access.count = RTE_MIN(all->count - done, max);
		rc = piece(client, &access, data + done);
	}
	return rc;
}

static inline int
region_access(int dev_id, const struct vu_region_access *all, const void *data, bool read,
	region_piece_t piece)
{
	struct vu_client *client = vu_client_get(dev_id);
	uint8_t *bytes = (uint8_t *)(uintptr_t)data;
	uint32_t max;
	int rc;

	if (unlikely(client == NULL))
		return -ENODEV;
	max = read ? client->max_read : client->max_write;
	if (unlikely(all->count > UINT64_MAX - all->offset))
		rc = -EINVAL;
	else if (likely(all->count > 0 && all->count <= max))
		rc = piece(client, all, bytes);
	else
		rc = region_pieces(client, all, bytes, max, piece);
	vu_client_put(client);
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_region_read, 25.11)
int
rte_vfio_user_region_read(int dev_id, uint32_t idx, uint64_t offset, uint32_t size, void *data)
{
	const struct vu_region_access all = { .offset = offset, .region = idx, .count = size };

	return region_access(dev_id, &all, data, true, piece_read);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_region_write, 25.11)
int
rte_vfio_user_region_write(int dev_id, uint32_t idx, uint64_t offset, uint32_t size,
	const void *data)
{
	const struct vu_region_access all = { .offset = offset, .region = idx, .count = size };

	return region_access(dev_id, &all, data, false, piece_write);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_region_post, 25.11)
int
rte_vfio_user_region_post(int dev_id, uint32_t idx, uint64_t offset, uint32_t size,
	const void *data)
{
	const struct vu_region_access all = { .offset = offset, .region = idx, .count = size };

	return region_access(dev_id, &all, data, false, piece_post);
}

/* ------------------------------------------------------------ REGION_WRITE_MULTI ---- */

static int
multi_message(struct vu_client *client, const struct rte_vfio_user_write *wr, uint32_t nb,
	bool post)
{
	uint64_t count = nb, done;
	uintptr_t base = (uintptr_t)wr;
	struct iovec iov[] = { { &count, sizeof(count) },
		{ (void *)base, nb * sizeof(struct vu_write_multi_entry) } };
	struct vu_call call = { .cmd = VU_REGION_WRITE_MULTI, .payload = iov, .nb = RTE_DIM(iov),
		.reply = &done, .cap = sizeof(done) };
	int rc;

	rc = post ? vu_client_post(client, &call) : vu_client_call(client, &call);
	if (rc < 0 || post || done == nb)
		return rc;
	return done < nb ? -EIO : -EPROTO;
}

static int
multi_single(struct vu_client *client, const struct rte_vfio_user_write *wr, bool post)
{
	const struct vu_region_access access = { .offset = wr->offset, .region = wr->region,
		.count = wr->count };
	uint8_t data[sizeof(wr->data)];

	memcpy(data, wr->data, sizeof(data));
	return post ? piece_post(client, &access, data) : piece_write(client, &access, data);
}

static int
multi_write(struct vu_client *client, const struct rte_vfio_user_write *wr, uint32_t nb, bool post)
{
	bool multiple = client->server.caps.write_multiple;
	uint32_t done, part = 1;
	int rc = 0;

	for (done = 0; done < nb; done++)
		if (wr[done].count < 1 || wr[done].count > sizeof(wr->data))
			return -EINVAL;
	for (done = 0; done < nb && rc == 0; done += part) {
		if (multiple)
			part = RTE_MIN(nb - done, MULTI_MAX);
		rc = multiple ? multi_message(client, wr + done, part, post) :
			multi_single(client, wr + done, post);
	}
	return rc;
}

static_assert(sizeof(struct rte_vfio_user_write) == sizeof(struct vu_write_multi_entry),
	"REGION_WRITE_MULTI");

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_region_write_multi, 25.11)
int
rte_vfio_user_region_write_multi(int dev_id, const struct rte_vfio_user_write *wr, uint32_t nb,
	bool post)
{
	struct vu_client *client = vu_client_get(dev_id);
	int rc;

	if (client == NULL)
		return -ENODEV;
	rc = multi_write(client, wr, nb, post);
	vu_client_put(client);
	return rc;
}
