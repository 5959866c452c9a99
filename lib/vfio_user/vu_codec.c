/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_vfio_region.h>

#include "vu_codec.h"
#include "vu_codec_priv.h"

/* ----------------------------------------------------------------- VERSION ---- */

int
vu_version_decode(const void *payload, size_t len, struct vu_version_info *version,
	const char **why)
{
	struct vu_version fixed;

	*why = "no version numbers";
	if (!vu_fixed_copy(&fixed, sizeof(fixed), payload, len))
		return -EINVAL;
	version->major = fixed.major;
	version->minor = fixed.minor;
	version->has_text = len > sizeof(fixed);
	return vu_caps_parse((const char *)payload + sizeof(fixed), len - sizeof(fixed),
			&version->caps, why);
}

int
vu_version_encode(const struct vu_version_info *version, void *payload, size_t cap)
{
	const struct vu_version fixed = { .major = version->major, .minor = version->minor };
	int len = 0;

	if (cap < sizeof(fixed))
		return -ENOSPC;
	memcpy(payload, &fixed, sizeof(fixed));
	if (version->has_text)
		len = vu_caps_print(&version->caps, (char *)payload + sizeof(fixed),
				cap - sizeof(fixed));
	return len < 0 ? len : (int)sizeof(fixed) + len;
}

/* ------------------------------------------------------------- information ---- */

int
vu_device_info_decode(const void *payload, size_t len, struct vfio_device_info *info)
{
	memset(info, 0, sizeof(*info));
	if (!vu_fixed_copy(info, VU_DEVICE_INFO_SIZE, payload, len) ||
			info->argsz < VU_DEVICE_INFO_SIZE)
		return -EPROTO;
	return 0;
}

size_t
vu_region_info_reply(const struct vfio_region_info *info, size_t len, uint32_t argsz,
	struct vfio_region_info *fixed)
{
	memcpy(fixed, info, sizeof(*fixed));
	fixed->argsz = (uint32_t)len;
	if (len <= argsz)
		return len;
	/* there are capabilities, but not here */
	fixed->flags &= ~(uint32_t)VFIO_REGION_INFO_FLAG_CAPS;
	fixed->cap_offset = 0;
	return sizeof(*fixed);
}

static int
region_caps_check(const void *payload, size_t len)
{
	struct rte_vfio_region region;
	int rc;

	rc = rte_vfio_region_parse(payload, len, &region);
	rte_vfio_region_fini(&region);
	return rc == 0 || rc == -ENOMEM ? rc : -EPROTO;
}

int
vu_region_info_decode(const void *payload, size_t len, uint32_t index, uint32_t argsz,
	struct vfio_region_info *fixed)
{
	if (!vu_fixed_copy(fixed, sizeof(*fixed), payload, len) || len > argsz)
		return -EPROTO;
	if (fixed->index != index || fixed->argsz < sizeof(*fixed) ||
			fixed->argsz > RTE_VFIO_REGION_INFO_MAX)
		return -EPROTO;
	if (fixed->argsz > argsz)
		return 1;
	/* a reply may be padded behind what it needs, but must not lack some of it */
	return fixed->argsz > len ? -EPROTO : region_caps_check(payload, len);
}

int
vu_irq_info_decode(const void *payload, size_t len, uint32_t index, struct vfio_irq_info *info)
{
	if (!vu_fixed_copy(info, sizeof(*info), payload, len) || info->argsz < sizeof(*info) ||
			info->index != index)
		return -EPROTO;
	return 0;
}

/* -------------------------------------------------------------- migration data ---- */

int64_t
vu_mig_read_decode(const void *payload, size_t len, uint32_t max)
{
	struct vu_mig_data fixed;

	if (!vu_fixed_copy(&fixed, sizeof(fixed), payload, len) || fixed.size > max ||
			!vu_range_inside(sizeof(fixed), fixed.size, fixed.argsz))
		return -EINVAL;
	return fixed.size;
}

int64_t
vu_mig_write_decode(const void *payload, size_t len, const void **data)
{
	struct vu_mig_data fixed;

	if (!vu_fixed_copy(&fixed, sizeof(fixed), payload, len) ||
			len - sizeof(fixed) != fixed.size)
		return -EINVAL;
	*data = (const uint8_t *)payload + sizeof(fixed);
	return fixed.size;
}

int64_t
vu_mig_read_reply_decode(const void *payload, size_t len, uint32_t wanted, const void **data)
{
	struct vu_mig_data fixed;

	/* libvfio-user pads to what was asked for: the field tells, not the message */
	if (!vu_fixed_copy(&fixed, sizeof(fixed), payload, len) || fixed.size > wanted ||
			fixed.size > len - sizeof(fixed))
		return -EPROTO;
	*data = (const uint8_t *)payload + sizeof(fixed);
	return fixed.size;
}
