/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <rte_common.h>

#include "vu_cmd.h"
#include "vu_codec.h"
#include "vu_decode.h"

#define MAX_BITMAP 4096u
#define MAX_DATA VU_DEFAULT_MAX_DATA_XFER

/* What was read is used, so that a sanitizer sees a byte that is not there. */
static volatile uint64_t sink;

static void
use(const void *data, size_t len)
{
	const uint8_t *at = data;

	for (; len > 0; len--)
		sink = sink + *at++;
}

static int
version(const struct vu_rx_msg *msg)
{
	struct vu_version_info info;
	const char *why;

	return vu_version_decode(msg->payload, msg->len, &info, &why);
}

static int
dma_map(const struct vu_rx_msg *msg)
{
	struct vu_dma_map map;

	return vu_dma_map_decode(msg->payload, msg->len, &map);
}

static int
dma_map_multi(const struct vu_rx_msg *msg)
{
	int nb = vu_map_multi_count(msg->payload, msg->len, msg->fds->nb);
	struct vu_dma_map map;
	int i, rc = 0;

	for (i = 0; rc == 0 && i < nb; i++)
		rc = vu_map_multi_entry(msg->payload, (uint32_t)i, &map);
	return nb < 0 ? nb : rc;
}

static int
dma_unmap(const struct vu_rx_msg *msg)
{
	struct vu_unmap unmap;

	return vu_unmap_decode(msg->payload, msg->len, MAX_BITMAP, &unmap);
}

static int
io_fds(const struct vu_rx_msg *msg)
{
	struct vu_region_io_fds request;

	return vu_io_fds_request_decode(msg->payload, msg->len, &request);
}

static int
set_irqs(const struct vu_rx_msg *msg)
{
	static const struct vfio_irq_info irqs[5] = { { .count = 1 }, { .count = 1 },
		{ .count = 8 }, { .count = 1 }, { .count = 1 } };
	struct vu_irq_set set;
	int rc;

	rc = vu_irq_set_decode(msg->payload, msg->len, msg->fds->nb, irqs, RTE_DIM(irqs), &set);
	if (rc == 0 && set.data == VFIO_IRQ_SET_DATA_BOOL)
		use(set.bools, set.count);
	return rc;
}

static int
write_multi(const struct vu_rx_msg *msg)
{
	struct vu_write_multi_entry entry;
	int nb = vu_write_multi_count(msg->payload, msg->len);
	int i, rc = 0;

	for (i = 0; rc == 0 && i < nb; i++) {
		rc = vu_write_multi_entry(msg->payload, (uint32_t)i, &entry);
		if (rc == 0)
			use(entry.data, entry.count);
	}
	return nb < 0 ? nb : rc;
}

static int
feature(const struct vu_rx_msg *msg)
{
	struct vu_logging_report report;
	struct vu_logging_start start;
	struct vu_logging_range range;
	struct vu_feature f;
	uint32_t i;
	int rc;

	rc = vu_feature_decode(msg->payload, msg->len, &f);
	if (rc < 0 || f.probe)
		return rc;
	use(f.data, f.len);
	if (f.index == VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT)
		return vu_logging_report_decode(&f, MAX_BITMAP, &report);
	if (f.index != VFIO_DEVICE_FEATURE_DMA_LOGGING_START)
		return 0;
	rc = vu_logging_start_decode(&f, &start);
	for (i = 0; rc == 0 && i < start.nb_ranges; i++) {
		range = vu_logging_range(&f, i);
		use(&range, sizeof(range));
	}
	return rc;
}

static int
mig_read(const struct vu_rx_msg *msg)
{
	int64_t n = vu_mig_read_decode(msg->payload, msg->len, MAX_DATA);

	return n < 0 ? (int)n : 0;
}

static int
mig_write(const struct vu_rx_msg *msg)
{
	const void *data = NULL;
	int64_t n = vu_mig_write_decode(msg->payload, msg->len, &data);

	if (n > 0)
		use(data, (size_t)n);
	return n < 0 ? (int)n : 0;
}

static int
unmap_reply(const struct vu_rx_msg *msg)
{
	const struct vu_unmap asked = { .want_bitmap = msg->len > sizeof(struct vu_dma_unmap),
		.addr = UINT64_C(0x100000000), .size = 65536,
		.bitmap = { .pgsize = 4096, .size = 8 } };
	const void *bitmap = NULL;
	int rc = vu_unmap_reply_decode(&asked, msg->payload, msg->len, &bitmap);

	if (rc == 0 && bitmap != NULL)
		use(bitmap, asked.bitmap.size);
	return rc;
}

static int
info_reply(const struct vu_rx_msg *msg)
{
	struct vfio_device_info info;

	return vu_device_info_decode(msg->payload, msg->len, &info);
}

static int
region_info_reply(const struct vu_rx_msg *msg)
{
	struct vfio_region_info info;
	int rc = vu_region_info_decode(msg->payload, msg->len, 2, 4096, &info);

	return rc < 0 ? rc : 0;
}

static int
map_multi_reply(const struct vu_rx_msg *msg)
{
	uint32_t done;
	int rc = vu_map_multi_reply_decode(2, msg->payload, msg->len, &done);

	/* the first one that failed had an error of its own */
	return rc == -EPROTO ? rc : 0;
}

static int
io_fds_reply(const struct vu_rx_msg *msg)
{
	struct vu_io_fds list;
	struct vu_io_fd entry;
	uint32_t i;
	int rc;

	rc = vu_io_fds_decode(msg->payload, msg->len, 1, 0x2000, msg->fds->nb, &list);
	for (i = 0; rc == 0 && i < list.count; i++)
		rc = vu_io_fd_decode(&list, i, &entry);
	return rc < 0 ? rc : 0;
}

static int
irq_info_reply(const struct vu_rx_msg *msg)
{
	struct vfio_irq_info info;

	return vu_irq_info_decode(msg->payload, msg->len, 2, &info);
}

static int
region_reply(const struct vu_rx_msg *msg)
{
	const struct vu_region_access asked = { .offset = 0x10, .count = 4 };

	return vu_region_reply_check(&asked, msg->payload, msg->len,
			msg->hdr.cmd == VU_REGION_READ ? asked.count : 0);
}

static int
dma_reply(const struct vu_rx_msg *msg)
{
	const struct vu_dma_access asked = { .addr = UINT64_C(0x100001000), .count = 4 };

	return vu_dma_reply_check(msg->hdr.cmd, &asked, msg->payload, msg->len);
}

static int
feature_reply(const struct vu_rx_msg *msg)
{
	const struct vu_feature asked = { .index = VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
		.get = true };
	struct vu_feature f;
	int rc = vu_feature_reply_decode(&asked, msg->payload, msg->len, &f);

	if (rc == 0)
		use(f.data, f.len);
	return rc;
}

static int
mig_read_reply(const struct vu_rx_msg *msg)
{
	const void *data = NULL;
	int64_t n = vu_mig_read_reply_decode(msg->payload, msg->len, 4, &data);

	if (n > 0)
		use(data, (size_t)n);
	return n < 0 ? (int)n : 0;
}

static const struct {
	int (*request)(const struct vu_rx_msg *msg);
	int (*reply)(const struct vu_rx_msg *msg);
} decoders[VU_CMD_NB] = {
	[VU_VERSION] = { version, version },
	[VU_DMA_MAP] = { dma_map, NULL },
	[VU_DMA_UNMAP] = { dma_unmap, unmap_reply },
	[VU_GET_INFO] = { NULL, info_reply },
	[VU_GET_REGION_INFO] = { NULL, region_info_reply },
	[VU_GET_REGION_IO_FDS] = { io_fds, io_fds_reply },
	[VU_GET_IRQ_INFO] = { NULL, irq_info_reply },
	[VU_SET_IRQS] = { set_irqs, NULL },
	[VU_REGION_READ] = { NULL, region_reply },
	[VU_REGION_WRITE] = { NULL, region_reply },
	[VU_DMA_READ] = { NULL, dma_reply },
	[VU_DMA_WRITE] = { NULL, dma_reply },
	[VU_REGION_WRITE_MULTI] = { write_multi, NULL },
	[VU_FEATURE] = { feature, feature_reply },
	[VU_MIG_DATA_READ] = { mig_read, mig_read_reply },
	[VU_MIG_DATA_WRITE] = { mig_write, NULL },
	[VU_DMA_MAP_MULTI] = { dma_map_multi, map_multi_reply },
};

int
vu_decode_request(const struct vu_rx_msg *msg)
{
	const struct vu_cmd_desc *desc = vu_cmd_desc(msg->hdr.cmd);
	int shape, rc = 0;

	if (desc == NULL)
		return -ENOSYS;
	shape = vu_request_check(msg->hdr.cmd, desc->dir, msg->payload, msg->len, msg->fds->nb);
	/* decoders do not rely on the shape */
	if (decoders[msg->hdr.cmd].request != NULL)
		rc = decoders[msg->hdr.cmd].request(msg);
	use(msg->payload, msg->len);
	return shape < 0 ? shape : rc;
}

int
vu_decode_reply(const struct vu_rx_msg *msg)
{
	int shape, rc = 0;

	shape = vu_reply_check(msg->hdr.cmd, msg->payload, msg->len, msg->fds->nb);
	if (vu_cmd_desc(msg->hdr.cmd) == NULL)
		return shape;
	if (decoders[msg->hdr.cmd].reply != NULL)
		rc = decoders[msg->hdr.cmd].reply(msg);
	use(msg->payload, msg->len);
	return shape < 0 ? shape : rc;
}
