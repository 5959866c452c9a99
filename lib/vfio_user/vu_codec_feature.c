/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_common.h>
#include <rte_vfio_region.h>

#include "vu_codec.h"
#include "vu_codec_priv.h"

/* DEVICE_FEATURE. */

/* What a feature does, and how many bytes it needs for that. */
struct feature_desc {
	bool known;
	bool can_get;
	bool can_set;
	uint8_t get_in;
	uint8_t get_out;
	uint8_t set_in;
};

static const struct feature_desc features[] = {
	[VFIO_DEVICE_FEATURE_MIGRATION] = { .known = true,
		.can_get = true, .get_out = sizeof(uint64_t) },
	[VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE] = { .known = true,
		.can_get = true, .get_out = 2 * sizeof(uint32_t),
		.can_set = true, .set_in = 2 * sizeof(uint32_t) },
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_START] = { .known = true,
		.can_set = true, .set_in = sizeof(struct vu_logging_start) },
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP] = { .known = true, .can_set = true },
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT] = { .known = true,
		.can_get = true, .get_in = sizeof(struct vu_logging_report),
		.get_out = sizeof(struct vu_logging_report) },
};

static int
feature_parse(const void *payload, size_t len, struct vu_feature *feature)
{
	const uint32_t known = VFIO_DEVICE_FEATURE_MASK | VFIO_DEVICE_FEATURE_GET |
		VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PROBE;
	struct vfio_device_feature fixed;

	if (!vu_fixed_copy(&fixed, sizeof(fixed), payload, len))
		return -EINVAL;
	*feature = (struct vu_feature) {
		.argsz = fixed.argsz,
		.index = fixed.flags & VFIO_DEVICE_FEATURE_MASK,
		.get = fixed.flags & VFIO_DEVICE_FEATURE_GET,
		.set = fixed.flags & VFIO_DEVICE_FEATURE_SET,
		.probe = fixed.flags & VFIO_DEVICE_FEATURE_PROBE,
		.data = (const uint8_t *)payload + sizeof(fixed),
		.len = len - sizeof(fixed),
	};
	return (fixed.flags & ~known) == 0 ? 0 : -EINVAL;
}

/* A probe asks what there is and carries what it likes; the others need their data. */
static bool
feature_data_fits(const struct feature_desc *desc, const struct vu_feature *feature)
{
	const size_t fixed = sizeof(struct vfio_device_feature);

	if (feature->probe)
		return true;
	if (feature->get)
		return feature->len >= desc->get_in && feature->argsz - fixed >= desc->get_out;
	return feature->len >= desc->set_in;
}

int
vu_feature_decode(const void *payload, size_t len, struct vu_feature *feature)
{
	const struct feature_desc *desc;

	if (feature_parse(payload, len, feature) < 0 ||
			feature->argsz < sizeof(struct vfio_device_feature) ||
			feature->index >= RTE_DIM(features) || !features[feature->index].known)
		return -EINVAL;
	if (feature->get && feature->set && !feature->probe)
		return -EINVAL;
	if (!feature->get && !feature->set && !feature->probe)
		return -EINVAL;
	desc = &features[feature->index];
	if ((feature->get && !desc->can_get) || (feature->set && !desc->can_set))
		return -EINVAL;
	return feature_data_fits(desc, feature) ? 0 : -EINVAL;
}

void
vu_feature_encode(const struct vu_feature *feature, struct vfio_device_feature *fixed)
{
	fixed->argsz = feature->argsz;
	fixed->flags = feature->index | (feature->get ? VFIO_DEVICE_FEATURE_GET : 0) |
		(feature->set ? VFIO_DEVICE_FEATURE_SET : 0) |
		(feature->probe ? VFIO_DEVICE_FEATURE_PROBE : 0);
}

int
vu_feature_reply_decode(const struct vu_feature *request, const void *payload, size_t len,
	struct vu_feature *feature)
{
	size_t out = 0;

	if (feature_parse(payload, len, feature) < 0 || feature->index != request->index ||
			feature->get != request->get || feature->set != request->set ||
			feature->probe != request->probe)
		return -EPROTO;
	if (request->get && !request->probe && request->index < RTE_DIM(features))
		out = features[request->index].get_out;
	return feature->len >= out ? 0 : -EPROTO;
}

int
vu_logging_start_decode(const struct vu_feature *feature, struct vu_logging_start *start)
{
	struct vu_logging_range range;
	uint32_t i;

	if (!vu_fixed_copy(start, sizeof(*start), feature->data, feature->len) ||
			!vu_is_pow2(start->pgsize) || feature->len - sizeof(*start) !=
				start->nb_ranges * (uint64_t)sizeof(range))
		return -EINVAL;
	for (i = 0; i < start->nb_ranges; i++) {
		range = vu_logging_range(feature, i);
		if (!vu_range_valid(range.addr, range.size))
			return -EINVAL;
	}
	return 0;
}

struct vu_logging_range
vu_logging_range(const struct vu_feature *feature, uint32_t i)
{
	struct vu_logging_range range;

	memcpy(&range, feature->data + sizeof(struct vu_logging_start) + i * sizeof(range),
		sizeof(range));
	return range;
}

int
vu_logging_report_decode(const struct vu_feature *feature, uint64_t max_bitmap,
	struct vu_logging_report *report)
{
	const size_t fixed = sizeof(struct vfio_device_feature) + sizeof(*report);
	uint64_t bytes;

	if (!vu_fixed_copy(report, sizeof(*report), feature->data, feature->len) ||
			!vu_is_pow2(report->pgsize) || !vu_range_valid(report->addr, report->size))
		return -EINVAL;
	bytes = vu_bitmap_bytes(report->size, report->pgsize);
	return bytes <= max_bitmap && vu_range_inside(fixed, bytes, feature->argsz) ? 0 : -EINVAL;
}
