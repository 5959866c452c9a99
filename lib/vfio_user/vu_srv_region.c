/* SPDX-License-Identifier: BSD-3-Clause */

/* REGION_READ, REGION_WRITE, REGION_WRITE_MULTI. Protocol reference 5.8, 5.11. */

#include <errno.h>
#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_session.h"

/* Up to so many bytes a device gets aligned memory, and a reply needs no queue. */
#define SHORT_MAX 256u

#define DATA_ALIGN 8u

/* A reply in one piece; its data have no more than SHORT_MAX bytes, or none. */
struct short_reply {
	struct vu_hdr hdr;
	struct vu_region_access access;
	alignas(DATA_ALIGN) char data[SHORT_MAX];
};

/* ---- one access ---- */

/* A register that the device's own code reads at the same time is read in one piece. */
static void
memory_copy(void *to, const void *from, size_t len)
{
	uintptr_t bits = (uintptr_t)to | (uintptr_t)from;

	if (len == 8 && bits % 8 == 0)
		*(volatile uint64_t *)to = *(const volatile uint64_t *)from;
	else if (len == 4 && bits % 4 == 0)
		*(volatile uint32_t *)to = *(const volatile uint32_t *)from;
	else if (len == 2 && bits % 2 == 0)
		*(volatile uint16_t *)to = *(const volatile uint16_t *)from;
	else
		memcpy(to, from, len);
}

static inline int
region_access(struct vu_region *region, char *buf, const struct vu_region_access *access,
	bool write)
{
	struct rte_vfio_user_reg_info *reg = &region->pub;
	ssize_t n;
	char *at;

	if (reg->rw != NULL) {
		n = reg->rw(reg, buf, access->count, (loff_t)access->offset, write);
		if (likely(n == (ssize_t)access->count))
			return 0;
		return n < 0 && n > -4096 ? (int)n : -EIO;
	}
	at = (char *)reg->base + access->offset;
	memory_copy(write ? at : buf, write ? buf : at, access->count);
	return 0;
}

/* The region of an access that is permitted, or NULL. */
static struct vu_region *
region_find(const struct vu_session *s, const struct vu_region_access *access, uint32_t flag)
{
	struct vu_region *region;

	if (unlikely(access->region >= s->dev.nb_regions))
		return NULL;
	region = &s->dev.regions[access->region];
	if (unlikely(!(region->flags & flag) || access->count > s->opt.max_data_xfer_size ||
			!vu_range_inside(access->offset, access->count, region->size)))
		return NULL;
	return region;
}

/* ---- REGION_READ ---- */

/* The reply has the access already. */
static inline int
read_short(struct vu_session *s, const struct vu_rx_msg *msg, struct vu_region *region,
	struct short_reply *reply)
{
	uint32_t count = reply->access.count;
	int rc = 0;

	memset(reply->data, 0, DATA_ALIGN);
	if (likely(count > 0))
		rc = region_access(region, reply->data, &reply->access, false);
	if (unlikely(rc < 0))
		return rc;
	return vu_reply_whole(s, msg, &reply->hdr, offsetof(struct short_reply, data) + count);
}

/* The device fills in the reply itself. */
static __rte_noinline int
read_long(struct vu_session *s, const struct vu_rx_msg *msg, struct vu_region *region,
	const struct vu_region_access *access)
{
	size_t len = sizeof(*access) + access->count;
	char *payload;
	int rc;

	payload = vu_reply_begin(s, len);
	if (payload == NULL)
		return -ENOMEM;
	memcpy(payload, access, sizeof(*access));
	rc = region_access(region, payload + sizeof(*access), access, false);
	return rc == 0 ? vu_reply_end(s, msg, len) : rc;
}

int
vu_handle_region_read(struct vu_session *s, const struct vu_rx_msg *msg)
{
	struct short_reply reply;
	struct vu_region *region;

	memcpy(&reply.access, msg->payload, sizeof(reply.access));
	region = region_find(s, &reply.access, VFIO_REGION_INFO_FLAG_READ);
	if (unlikely(region == NULL))
		return -EINVAL;
	if (likely(reply.access.count <= SHORT_MAX))
		return read_short(s, msg, region, &reply);
	return read_long(s, msg, region, &reply.access);
}

/* ---- REGION_WRITE ---- */

static __rte_noinline int
write_unaligned(struct vu_region *region, const struct vu_region_access *access, const void *from)
{
	alignas(DATA_ALIGN) char data[SHORT_MAX];

	return region_access(region, memcpy(data, from, access->count), access, true);
}

static inline int
write_data(const struct vu_session *s, const struct vu_region_access *access, const void *from)
{
	struct vu_region *region = region_find(s, access, VFIO_REGION_INFO_FLAG_WRITE);

	if (unlikely(region == NULL))
		return -EINVAL;
	if (unlikely(access->count == 0))
		return 0;
	if (unlikely((uintptr_t)from % DATA_ALIGN != 0) && access->count <= SHORT_MAX)
		return write_unaligned(region, access, from);
	return region_access(region, (char *)(uintptr_t)from, access, true);
}

int
vu_handle_region_write(struct vu_session *s, const struct vu_rx_msg *msg)
{
	struct {
		struct vu_hdr hdr;
		struct vu_region_access access;
	} reply;
	int rc;

	memcpy(&reply.access, msg->payload, sizeof(reply.access));
	rc = write_data(s, &reply.access, msg->payload + sizeof(reply.access));
	if (unlikely(rc < 0))
		return rc;
	return vu_reply_whole(s, msg, &reply.hdr, sizeof(reply));
}

/* ---- REGION_WRITE_MULTI ---- */

static int
write_entry(const struct vu_session *s, const struct vu_rx_msg *msg, uint32_t i)
{
	struct vu_write_multi_entry entry;
	struct vu_region_access access;
	int rc;

	rc = vu_write_multi_entry(msg->payload, i, &entry);
	if (rc < 0)
		return rc;
	access.offset = entry.offset;
	access.region = entry.region;
	access.count = entry.count;
	return write_data(s, &access, entry.data);
}

/* The first write that fails ends it; the reply tells how many were done. */
int
vu_handle_region_write_multi(struct vu_session *s, const struct vu_rx_msg *msg)
{
	int count = vu_write_multi_count(msg->payload, msg->len);
	uint64_t done = 0;
	int rc = 0;

	if (count < 0)
		return count;
	while (done < (uint64_t)count) {
		rc = write_entry(s, msg, (uint32_t)done);
		if (rc < 0)
			break;
		done++;
	}
	if (rc < 0 && done == 0)
		return rc;
	return vu_reply_data(s, msg, &done, sizeof(done));
}
