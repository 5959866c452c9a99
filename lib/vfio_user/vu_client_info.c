/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_vfio_region.h>

#include "vu_client.h"
#include "vu_log.h"

/* More than any device has; who believes a count allocates for it. */
#define MAX_REGIONS 4096u
#define MAX_IRQS    4096u
#define MAX_VECTORS 2048u	/* of MSI-X */

/* ---------------------------------------------------------------- DEVICE_GET_INFO ---- */

int
vu_client_device_info(struct vu_client *client, struct vfio_device_info *info)
{
	const struct vfio_device_info request = { .argsz = VU_DEVICE_INFO_SIZE };
	uintptr_t base = (uintptr_t)&request;
	uint8_t reply[VU_DEVICE_INFO_SIZE];
	struct iovec iov = { (void *)base, VU_DEVICE_INFO_SIZE };
	struct vu_call call = { .cmd = VU_GET_INFO, .payload = &iov, .nb = 1,
		.reply = reply, .cap = sizeof(reply) };
	int rc;

	rc = vu_client_call(client, &call);
	if (rc == 0)
		rc = vu_device_info_decode(reply, call.len, info);
	if (rc == 0 && (info->num_regions > MAX_REGIONS || info->num_irqs > MAX_IRQS))
		rc = -EPROTO;
	if (rc == 0)
		/* what follows 16 bytes is the kernel's only */
		info->flags &= ~(uint32_t)VFIO_DEVICE_FLAGS_CAPS;
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_get_dev_info, 25.11)
int
rte_vfio_user_get_dev_info(int dev_id, struct vfio_device_info *info)
{
	struct vu_client *client = vu_client_get(dev_id);
	struct vfio_device_info full;
	int rc;

	if (client == NULL)
		return -ENODEV;
	rc = info->argsz >= VU_DEVICE_INFO_SIZE ? vu_client_device_info(client, &full) : -EINVAL;
	if (rc == 0) {
		full.argsz = VU_DEVICE_INFO_SIZE;
		memcpy(info, &full, VU_DEVICE_INFO_SIZE);
	}
	vu_client_put(client);
	return rc;
}

/* --------------------------------------------------------- DEVICE_GET_REGION_INFO ---- */

/* Whether a descriptor is of a kind that can be mapped at all. Those of drivers have no kind. */
static bool
fd_is_mappable(const struct stat *st)
{
	return !S_ISFIFO(st->st_mode) && !S_ISDIR(st->st_mode) && !S_ISSOCK(st->st_mode) &&
		!S_ISLNK(st->st_mode);
}

/* How many bytes of its file a region claims. */
static uint64_t
region_extent(const struct rte_vfio_region *region)
{
	const struct rte_vfio_area *last;

	if (!region->sparse)
		return region->size;
	if (region->nb_areas == 0)
		return 0;
	last = &region->areas[region->nb_areas - 1];
	return last->offset + last->size;
}

/* A file that is shorter than what is promised kills who touches what is not there. */
static int
region_fd_check(const struct vfio_region_info *info, size_t len, int fd)
{
	struct rte_vfio_region region;
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!fd_is_mappable(&st))
		return -EPROTO;
	if (!S_ISREG(st.st_mode))
		return 0;
	rc = rte_vfio_region_parse(info, len, &region);
	if (rc == 0 && !vu_range_inside(info->offset, region_extent(&region), (uint64_t)st.st_size))
		rc = -EPROTO;
	rte_vfio_region_fini(&region);
	return rc;
}

/* The descriptor of a full answer, or -1. Returns 0, -errno. */
static int
region_fd_take(const struct vfio_region_info *info, size_t len, struct vu_fds *fds, int *fd)
{
	int rc = 0;

	*fd = -1;
	if (!(info->flags & VFIO_REGION_INFO_FLAG_MMAP) || fds->nb == 0)
		return 0;
	rc = region_fd_check(info, len, fds->fd[0]);
	if (rc == 0)
		*fd = vu_fds_take(fds, 0);
	return rc;
}

static int
region_info_read(const void *reply, const struct vu_call *call, uint32_t index, uint32_t argsz,
	int *fd)
{
	struct vfio_region_info fixed;
	int rc;

	rc = vu_region_info_decode(reply, call->len, index, argsz, &fixed);
	if (rc != 0)
		return rc;
	return region_fd_take(reply, call->len, call->reply_fds, fd);
}

/* Into info itself, which has room for argsz bytes. */
static int
region_info(struct vu_client *client, struct vfio_region_info *info, uint32_t argsz, int *fd)
{
	struct vfio_region_info request = { .argsz = argsz, .index = info->index };
	struct vu_fds fds = { .nb = 0 };
	struct iovec iov = { &request, sizeof(request) };
	struct vu_call call = { .cmd = VU_GET_REGION_INFO, .payload = &iov, .nb = 1,
		.reply = info, .cap = argsz, .reply_fds = &fds };
	int rc;

	rc = vu_client_call(client, &call);
	if (rc == 0)
		rc = region_info_read(info, &call, request.index, argsz, fd);
	vu_fds_close(&fds);
	if (rc < 0)
		memset(info, 0, call.len < argsz ? call.len : argsz);
	else if (rc == 1)
		/* there is more than was asked for */
		info->flags &= ~(uint32_t)VFIO_REGION_INFO_FLAG_CAPS;
	return rc < 0 ? rc : 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_get_reg_info, 25.11)
int
rte_vfio_user_get_reg_info(int dev_id, struct vfio_region_info *info, int *fd)
{
	struct vu_client *client = vu_client_get(dev_id);
	uint32_t argsz = RTE_MIN(info->argsz, (uint32_t)RTE_VFIO_REGION_INFO_MAX);
	int got = -1;
	int rc = -EINVAL;

	if (fd != NULL)
		*fd = -1;
	if (client == NULL)
		return -ENODEV;
	if (argsz >= sizeof(*info))
		rc = region_info(client, info, argsz, &got);
	if (fd != NULL)
		*fd = got;
	else if (got >= 0)
		close(got);
	vu_client_put(client);
	return rc;
}

/* ------------------------------------------------------------ DEVICE_GET_IRQ_INFO ---- */

static int
irq_info(struct vu_client *client, struct vfio_irq_info *info)
{
	struct vfio_irq_info request = { .argsz = sizeof(request), .index = info->index };
	struct vfio_irq_info reply;
	struct iovec iov = { &request, sizeof(request) };
	struct vu_call call = { .cmd = VU_GET_IRQ_INFO, .payload = &iov, .nb = 1,
		.reply = &reply, .cap = sizeof(reply) };
	int rc;

	rc = vu_client_call(client, &call);
	if (rc == 0)
		rc = vu_irq_info_decode(&reply, call.len, request.index, info);
	if (rc == 0 && info->count > MAX_VECTORS)
		rc = -EPROTO;
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_get_irq_info, 25.11)
int
rte_vfio_user_get_irq_info(int dev_id, struct vfio_irq_info *info)
{
	struct vu_client *client = vu_client_get(dev_id);
	struct vfio_irq_info full = *info;
	int rc;

	if (client == NULL)
		return -ENODEV;
	rc = info->argsz >= sizeof(full) ? irq_info(client, &full) : -EINVAL;
	if (rc == 0) {
		full.argsz = sizeof(full);
		*info = full;
	}
	vu_client_put(client);
	return rc;
}
