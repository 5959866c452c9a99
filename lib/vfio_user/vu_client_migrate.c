/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <eal_export.h>
#include <rte_common.h>

#include "vu_client.h"

/* ---------------------------------------------------------------- DEVICE_FEATURE ---- */

static int
feature(struct vu_client *client, struct vfio_device_feature *feature, size_t len)
{
	struct vu_feature request = {
		.index = feature->flags & VFIO_DEVICE_FEATURE_MASK,
		.get = feature->flags & VFIO_DEVICE_FEATURE_GET,
		.set = feature->flags & VFIO_DEVICE_FEATURE_SET,
		.probe = feature->flags & VFIO_DEVICE_FEATURE_PROBE,
	};
	/* of an answer that is longer than we take the server would not know */
	struct vfio_device_feature fixed = { .flags = feature->flags,
		.argsz = RTE_MIN(feature->argsz, VU_CLIENT_MAX_REPLY) };
	struct vu_feature reply;
	struct iovec iov[] = { { &fixed, sizeof(fixed) }, { feature->data, len - sizeof(fixed) } };
	struct vu_call call = { .cmd = VU_FEATURE, .payload = iov, .nb = RTE_DIM(iov),
		.reply = feature, .cap = feature->argsz };
	int rc;

	if (len < sizeof(*feature) || len > feature->argsz || len > client->max_write)
		return -EINVAL;
	rc = vu_client_call(client, &call);
	if (rc == 0)
		rc = vu_feature_reply_decode(&request, feature, call.len, &reply);
	return rc < 0 ? rc : (int)call.len;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_feature, 25.11)
int
rte_vfio_user_feature(int dev_id, struct vfio_device_feature *data, size_t len)
{
	struct vu_client *client = vu_client_get(dev_id);
	int rc;

	if (client == NULL)
		return -ENODEV;
	rc = feature(client, data, len);
	vu_client_put(client);
	return rc;
}

/* ----------------------------------------------------------------- migration data ---- */

/* The data arrive behind 8 bytes, so they come by way of a buffer. */
static ssize_t
mig_read(struct vu_client *client, void *buf, uint32_t len)
{
	struct vu_mig_data request = { .argsz = (uint32_t)sizeof(request) + len, .size = len };
	struct iovec iov = { &request, sizeof(request) };
	struct vu_call call = { .cmd = VU_MIG_DATA_READ, .payload = &iov, .nb = 1,
		.cap = request.argsz };
	const void *data = NULL;
	int64_t n;

	call.reply = malloc(call.cap);
	if (call.reply == NULL)
		return -ENOMEM;
	n = vu_client_call(client, &call);
	if (n == 0)
		n = vu_mig_read_reply_decode(call.reply, call.len, len, &data);
	if (n > 0)
		memcpy(buf, data, (size_t)n);
	free(call.reply);
	return (ssize_t)n;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_mig_read, 25.11)
ssize_t
rte_vfio_user_mig_read(int dev_id, void *buf, size_t len)
{
	struct vu_client *client = vu_client_get(dev_id);
	ssize_t rc;

	if (client == NULL)
		return -ENODEV;
	rc = mig_read(client, buf, (uint32_t)RTE_MIN(len, (size_t)client->max_read));
	vu_client_put(client);
	return rc;
}

static int
mig_write(struct vu_client *client, const void *buf, uint32_t len)
{
	struct vu_mig_data request = { .argsz = (uint32_t)sizeof(request) + len, .size = len };
	uintptr_t base = (uintptr_t)buf;
	struct iovec iov[] = { { &request, sizeof(request) }, { (void *)base, len } };
	struct vu_call call = { .cmd = VU_MIG_DATA_WRITE, .payload = iov, .nb = RTE_DIM(iov) };

	return vu_client_call(client, &call);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_mig_write, 25.11)
int
rte_vfio_user_mig_write(int dev_id, const void *buf, size_t len)
{
	struct vu_client *client = vu_client_get(dev_id);
	const uint8_t *from = buf;
	size_t done, part;
	int rc = 0;

	if (client == NULL)
		return -ENODEV;
	for (done = 0; done < len && rc == 0; done += part) {
		part = RTE_MIN(len - done, (size_t)client->max_write);
		rc = mig_write(client, from + done, (uint32_t)part);
	}
	vu_client_put(client);
	return rc;
}

/* -------------------------------------------------------- DMA_UNMAP with a bitmap ---- */

static int
unmap_dirty(struct vu_client *client, const struct vu_unmap *unmap, uint64_t *bitmap)
{
	uint8_t request[VU_UNMAP_MAX];
	struct iovec iov = { request, vu_unmap_encode(unmap, request) };
	struct vu_call call = { .cmd = VU_DMA_UNMAP, .payload = &iov, .nb = 1,
		.cap = VU_UNMAP_MAX + unmap->bitmap.size };
	const void *bits;
	int rc;

	call.reply = malloc(call.cap);
	if (call.reply == NULL)
		return -ENOMEM;
	rc = vu_client_call(client, &call);
	vu_client_unmap_check(client, rc);
	if (rc == 0)
		rc = vu_unmap_reply_decode(unmap, call.reply, call.len, &bits);
	if (rc == 0)
		memcpy(bitmap, bits, unmap->bitmap.size);
	free(call.reply);
	return rc;
}

static bool
bitmap_fits(const struct vu_client *client, const struct vu_unmap *unmap)
{
	uint64_t pgsize = unmap->bitmap.pgsize;

	if (!vu_range_valid(unmap->addr, unmap->size) || pgsize == 0 || (pgsize & (pgsize - 1)))
		return false;
	return unmap->bitmap.size == vu_bitmap_bytes(unmap->size, pgsize) &&
		unmap->bitmap.size <= RTE_MIN((uint64_t)client->max_read,
			client->server.caps.mig_max_bitmap_size);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_dma_unmap_dirty, 25.11)
int
rte_vfio_user_dma_unmap_dirty(int dev_id, uint64_t gpa, uint64_t size, uint64_t pgsize,
	uint64_t *bitmap, uint64_t bitmap_size)
{
	const struct vu_unmap unmap = { .want_bitmap = true, .addr = gpa, .size = size,
		.bitmap = { .pgsize = pgsize, .size = bitmap_size } };
	struct vu_client *client = vu_client_get(dev_id);
	int rc = -EINVAL;

	if (client == NULL)
		return -ENODEV;
	if (bitmap_fits(client, &unmap))
		rc = unmap_dirty(client, &unmap, bitmap);
	if (rc == 0)
		vu_client_maps_forget(client, 1);
	vu_client_put(client);
	return rc;
}
