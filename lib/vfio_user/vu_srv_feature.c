/* SPDX-License-Identifier: BSD-3-Clause */

/* DEVICE_FEATURE, MIG_DATA_READ, MIG_DATA_WRITE. Protocol reference 5.12, 5.13. */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "vu_dirty.h"
#include "vu_mig.h"
#include "vu_session.h"

/* A bit of a bitmap stands for a page of at least so many bytes. */
#define LOGGING_PGSIZE_MIN 4096u

/* What a feature does. A missing method is refused by the codec. */
struct feature_ops {
	int (*get)(struct vu_session *s, const struct vu_rx_msg *msg, const struct vu_feature *f);
	int (*set)(struct vu_session *s, const struct vu_rx_msg *msg, const struct vu_feature *f);
	bool migration;	/* only of devices that can migrate */
};

/* The request's payload again. */
static int
feature_echo(struct vu_session *s, const struct vu_rx_msg *msg)
{
	return vu_reply_data(s, msg, msg->payload, msg->len);
}

static int
feature_reply(struct vu_session *s, const struct vu_rx_msg *msg, const struct vu_feature *f,
	void *data, size_t len)
{
	struct vu_feature answer = *f;
	struct vfio_device_feature fixed;
	struct iovec iov[2];

	answer.argsz = (uint32_t)(sizeof(fixed) + len);
	vu_feature_encode(&answer, &fixed);
	iov[0].iov_base = &fixed;
	iov[0].iov_len = sizeof(fixed);
	iov[1].iov_base = data;
	iov[1].iov_len = len;
	return vu_reply(s, msg, iov, 2, NULL, 0);
}

/* ---- migration ---- */

static int
migration_get(struct vu_session *s, const struct vu_rx_msg *msg, const struct vu_feature *f)
{
	uint64_t flags = s->dev.mig.flags;

	return feature_reply(s, msg, f, &flags, sizeof(flags));
}

/* State and a descriptor that the protocol does not use. */
struct mig_state_data {
	uint32_t state;
	uint32_t data_fd;
};

static int
state_get(struct vu_session *s, const struct vu_rx_msg *msg, const struct vu_feature *f)
{
	struct mig_state_data data = { .state = s->mig_state, .data_fd = UINT32_MAX };

	return feature_reply(s, msg, f, &data, sizeof(data));
}

static int
state_set(struct vu_session *s, const struct vu_rx_msg *msg, const struct vu_feature *f)
{
	struct mig_state_data data;
	int rc;

	memcpy(&data, f->data, sizeof(data));
	rc = vu_mig_go(&s->mig_state, data.state, &s->dev.mig, s->id);
	return rc == 0 ? feature_echo(s, msg) : rc;
}

/* ---- dirty pages ---- */

static int
logging_start(struct vu_session *s, const struct vu_rx_msg *msg, const struct vu_feature *f)
{
	struct vfio_device_feature fixed;
	struct vu_logging_start start;
	struct iovec iov[3];
	int rc;

	rc = vu_logging_start_decode(f, &start);
	if (rc < 0)
		return rc;
	/* the page size is a wish; all memory is tracked, whatever ranges are named */
	start.pgsize = RTE_MAX(start.pgsize, LOGGING_PGSIZE_MIN);
	if (atomic_load(&s->dma.dirty_pgsize) != 0)
		return -EINVAL;
	vu_session_work(s, s->dma.nb_regions);
	rc = vu_dma_dirty_track(&s->dma, start.pgsize);
	if (rc < 0)
		return rc;
	memcpy(&fixed, msg->payload, sizeof(fixed));
	iov[0].iov_base = &fixed;
	iov[0].iov_len = sizeof(fixed);
	iov[1].iov_base = &start;
	iov[1].iov_len = sizeof(start);
	iov[2].iov_base = (void *)(uintptr_t)(f->data + sizeof(start));
	iov[2].iov_len = f->len - sizeof(start);
	return vu_reply(s, msg, iov, 3, NULL, 0);
}

static int
logging_stop(struct vu_session *s, const struct vu_rx_msg *msg, const struct vu_feature *f)
{
	(void)f;
	vu_session_work(s, s->dma.nb_regions);
	vu_dma_dirty_track(&s->dma, 0);
	return feature_echo(s, msg);
}

static int
logging_report(struct vu_session *s, const struct vu_rx_msg *msg, const struct vu_feature *f)
{
	uint64_t max_bitmap = RTE_MIN(s->peer.mig_max_bitmap_size, VU_DEFAULT_MAX_BITMAP);
	struct vu_feature answer = *f;
	struct vu_logging_report report;
	struct vfio_device_feature fixed;
	uint8_t *payload;
	size_t bytes, len;
	int rc;

	rc = vu_logging_report_decode(f, max_bitmap, &report);
	if (rc < 0)
		return rc;
	if (report.pgsize < LOGGING_PGSIZE_MIN)
		return -EINVAL;
	bytes = (size_t)vu_bitmap_bytes(report.size, report.pgsize);
	len = sizeof(fixed) + sizeof(report) + bytes;
	payload = vu_reply_begin(s, len);
	if (payload == NULL)
		return -ENOMEM;
	answer.argsz = (uint32_t)len;
	vu_feature_encode(&answer, &fixed);
	memcpy(payload, &fixed, sizeof(fixed));
	memcpy(payload + sizeof(fixed), &report, sizeof(report));
	rc = vu_dma_dirty_report(&s->dma, report.addr, report.size, report.pgsize,
		(void *)(payload + sizeof(fixed) + sizeof(report)), bytes);
	return rc == 0 ? vu_reply_end(s, msg, len) : rc;
}

/* ---- DEVICE_FEATURE ---- */

#define FEATURE_MIGRATION        1
#define FEATURE_MIG_DEVICE_STATE 2
#define FEATURE_LOGGING_START    6
#define FEATURE_LOGGING_STOP     7
#define FEATURE_LOGGING_REPORT   8

static const struct feature_ops features[] = {
	[FEATURE_MIGRATION] = { .get = migration_get, .migration = true },
	[FEATURE_MIG_DEVICE_STATE] = { .get = state_get, .set = state_set, .migration = true },
	[FEATURE_LOGGING_START] = { .set = logging_start },
	[FEATURE_LOGGING_STOP] = { .set = logging_stop },
	[FEATURE_LOGGING_REPORT] = { .get = logging_report },
};

int
vu_handle_feature(struct vu_session *s, const struct vu_rx_msg *msg)
{
	const struct feature_ops *ops;
	struct vu_feature f;
	int rc;

	rc = vu_feature_decode(msg->payload, msg->len, &f);
	if (rc < 0)
		return rc;
	if (f.index >= RTE_DIM(features))
		return -EINVAL;
	ops = &features[f.index];
	if ((ops->migration && !s->dev.migratable) || (f.get && ops->get == NULL) ||
			(f.set && ops->set == NULL))
		return -EINVAL;
	if (f.probe)
		return feature_echo(s, msg);
	return f.get ? ops->get(s, msg, &f) : ops->set(s, msg, &f);
}

/* ---- MIG_DATA ---- */

int
vu_handle_mig_data_read(struct vu_session *s, const struct vu_rx_msg *msg)
{
	int64_t wanted = vu_mig_read_decode(msg->payload, msg->len, s->opt.max_data_xfer_size);
	struct vu_mig_data fixed;
	uint8_t *payload;
	ssize_t n;

	if (wanted < 0)
		return (int)wanted;
	if (!s->dev.migratable || !vu_mig_is_saving(s->mig_state))
		return -EINVAL;
	payload = vu_reply_begin(s, sizeof(fixed) + (size_t)wanted);
	if (payload == NULL)
		return -ENOMEM;
	n = s->dev.mig.read_data(s->id, payload + sizeof(fixed), (size_t)wanted);
	if (n < 0 || n > wanted)
		return n < 0 && n > -4096 ? (int)n : -EIO;
	fixed.size = (uint32_t)n;
	fixed.argsz = (uint32_t)sizeof(fixed) + fixed.size;
	memcpy(payload, &fixed, sizeof(fixed));
	return vu_reply_end(s, msg, fixed.argsz);
}

int
vu_handle_mig_data_write(struct vu_session *s, const struct vu_rx_msg *msg)
{
	const void *data;
	int64_t len = vu_mig_write_decode(msg->payload, msg->len, &data);
	ssize_t n;

	if (len < 0)
		return (int)len;
	if (!s->dev.migratable || s->mig_state != VFIO_DEVICE_STATE_RESUMING ||
			len > s->opt.max_data_xfer_size)
		return -EINVAL;
	n = s->dev.mig.write_data(s->id, data, (size_t)len);
	if (n != len)
		return n < 0 && n > -4096 ? (int)n : -EIO;
	return vu_reply(s, msg, NULL, 0, NULL, 0);
}
