/* SPDX-License-Identifier: BSD-3-Clause */

/* GET_INFO, GET_REGION_INFO, GET_IRQ_INFO, RESET. Protocol reference 5.3, 5.4, 5.6, 5.9. */

#include <errno.h>
#include <string.h>

#include "vu_log.h"
#include "vu_session.h"

int
vu_handle_get_info(struct vu_session *s, const struct vu_rx_msg *msg)
{
	struct vfio_device_info info = {
		.argsz = VU_DEVICE_INFO_SIZE,
		.flags = s->dev.flags,
		.num_regions = s->dev.num_regions,
		.num_irqs = s->dev.num_irqs,
	};

	return vu_reply_data(s, msg, &info, VU_DEVICE_INFO_SIZE);
}

/* The descriptor goes with a complete answer only: QEMU takes one, once. */
static int
region_info_reply(struct vu_session *s, const struct vu_rx_msg *msg, const struct vu_region *region,
	uint32_t argsz)
{
	struct vfio_region_info *info = region->pub.info;
	struct vfio_region_info fixed;
	struct iovec iov[2];
	bool with_fd;
	size_t len;

	len = vu_region_info_reply(info, region->info_len, argsz, &fixed);
	iov[0].iov_base = &fixed;
	iov[0].iov_len = sizeof(fixed);
	iov[1].iov_base = info + 1;
	iov[1].iov_len = len - sizeof(fixed);
	with_fd = len == region->info_len && info->flags & VFIO_REGION_INFO_FLAG_MMAP &&
		region->pub.fd >= 0;
	return vu_reply(s, msg, iov, len > sizeof(fixed) ? 2 : 1, &region->pub.fd, with_fd ? 1 : 0);
}

/* A client that takes no descriptor is not promised one. */
static int
region_info_reply_unmappable(struct vu_session *s, const struct vu_rx_msg *msg,
	const struct vu_region *region)
{
	struct vfio_region_info fixed = *region->pub.info;

	fixed.argsz = sizeof(fixed);
	fixed.flags &= ~(uint32_t)(VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS);
	fixed.cap_offset = 0;
	return vu_reply_data(s, msg, &fixed, sizeof(fixed));
}

int
vu_handle_get_region_info(struct vu_session *s, const struct vu_rx_msg *msg)
{
	struct vfio_region_info request;
	const struct vu_region *region;

	memcpy(&request, msg->payload, sizeof(request));
	if (request.index >= s->dev.nb_regions)
		return -EINVAL;
	region = &s->dev.regions[request.index];
	if (s->peer.max_msg_fds == 0 && region->pub.info->flags & VFIO_REGION_INFO_FLAG_MMAP)
		return region_info_reply_unmappable(s, msg, region);
	return region_info_reply(s, msg, region, request.argsz);
}

int
vu_handle_get_irq_info(struct vu_session *s, const struct vu_rx_msg *msg)
{
	struct vfio_irq_info request;

	memcpy(&request, msg->payload, sizeof(request));
	if (request.index >= s->dev.nb_irqs)
		return -EINVAL;
	return vu_reply_data(s, msg, &s->dev.irqs[request.index], sizeof(request));
}

int
vu_handle_reset(struct vu_session *s, const struct vu_rx_msg *msg)
{
	int rc;

	rc = vu_session_lock(s, 1);
	if (rc < 0)
		return rc;
	rc = s->ops.reset_device != NULL ? s->ops.reset_device(s->id) : 0;
	vu_session_lock(s, 0);
	if (rc < 0)
		return rc;
	/* also the way out of a failed migration */
	s->mig_state = VFIO_DEVICE_STATE_RUNNING;
	return vu_reply(s, msg, NULL, 0, NULL, 0);
}
