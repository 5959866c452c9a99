/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_common.h>

#include "vu_client.h"

/* Room for so many entries is asked for at first. */
#define FIRST_ENTRIES 16u

/* An answer, whole or not. */
struct io_fds_reply {
	uint8_t *buf;
	struct vu_fds fds;
	struct vu_io_fds list;
};

/* Size of the region, which the entries must lie in. */
static int
region_size(struct vu_client *client, uint32_t index, uint64_t *size)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };
	int rc;

	rc = rte_vfio_user_get_reg_info(client->dev_id, &info, NULL);
	*size = info.size;
	return rc;
}

static int
io_fds_ask(struct vu_client *client, uint32_t region, uint64_t size, uint32_t argsz,
	struct io_fds_reply *reply)
{
	struct vu_region_io_fds request = { .argsz = argsz, .index = region };
	struct iovec iov = { &request, sizeof(request) };
	struct vu_call call = { .cmd = VU_GET_REGION_IO_FDS, .payload = &iov, .nb = 1,
		.cap = argsz, .reply_fds = &reply->fds };
	int rc;

	free(reply->buf);
	reply->buf = call.reply = malloc(argsz);
	if (reply->buf == NULL)
		return -ENOMEM;
	vu_fds_close(&reply->fds);
	rc = vu_client_call(client, &call);
	return rc < 0 ? rc : vu_io_fds_decode(reply->buf, call.len, region, size, reply->fds.nb,
			&reply->list);
}

static int
fd_dup(const struct vu_fds *fds, uint32_t index)
{
	int fd = fcntl(fds->fd[index], F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* The library's entry with descriptors of its own, since entries may share them. */
static int
io_fd_fill(const struct io_fds_reply *reply, uint32_t region, uint32_t i,
	struct rte_vfio_user_io_fd *io_fd)
{
	struct vu_io_fd entry;
	int rc;

	rc = vu_io_fd_decode(&reply->list, i, &entry);
	if (rc < 0)
		return rc;
	*io_fd = (struct rte_vfio_user_io_fd) {
		.region = region,
		.flags = entry.flags,
		.offset = entry.offset,
		.size = entry.size,
		.datamatch = entry.datamatch,
		.shadow_fd = -1,
		.shadow_offset = entry.shadow_offset,
	};
	io_fd->fd = fd_dup(&reply->fds, entry.fd_index);
	if (io_fd->fd < 0 || entry.type != VU_IO_FD_IOEVENTFD_SHADOW)
		return io_fd->fd < 0 ? io_fd->fd : 0;
	io_fd->shadow_fd = fd_dup(&reply->fds, entry.shadow_fd_index);
	if (io_fd->shadow_fd >= 0)
		return 0;
	close(io_fd->fd);
	return io_fd->shadow_fd;
}

static int
io_fds_fill(const struct io_fds_reply *reply, uint32_t region, struct rte_vfio_user_io_fd *io_fd)
{
	uint32_t i;
	int rc;

	for (i = 0; i < reply->list.count; i++) {
		rc = io_fd_fill(reply, region, i, &io_fd[i]);
		if (rc < 0)
			goto err_close;
	}
	return 0;

err_close:
	while (i-- > 0) {
		close(io_fd[i].fd);
		if (io_fd[i].shadow_fd >= 0)
			close(io_fd[i].shadow_fd);
	}
	return rc;
}

static int
io_fds_get(struct vu_client *client, uint32_t region, struct rte_vfio_user_io_fd *io_fd,
	uint32_t nb, struct io_fds_reply *reply)
{
	uint32_t argsz = sizeof(struct vu_region_io_fds) +
		FIRST_ENTRIES * sizeof(struct vu_ioeventfd_shadow);
	uint64_t size;
	int rc;

	rc = region_size(client, region, &size);
	if (rc == 0)
		rc = io_fds_ask(client, region, size, argsz, reply);
	if (rc == 1)
		rc = reply->list.argsz <= client->max_read ?
			io_fds_ask(client, region, size, reply->list.argsz, reply) : -EPROTO;
	/* still more: it changes its mind all the time */
	if (rc != 0)
		return rc < 0 ? rc : -EPROTO;
	if (reply->list.count <= nb)
		rc = io_fds_fill(reply, region, io_fd);
	return rc < 0 ? rc : (int)reply->list.count;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_get_io_fds, 25.11)
int
rte_vfio_user_get_io_fds(int dev_id, uint32_t region, struct rte_vfio_user_io_fd *io_fd,
	uint32_t nb)
{
	struct vu_client *client = vu_client_get(dev_id);
	struct io_fds_reply reply = { .buf = NULL };
	int rc;

	if (client == NULL)
		return -ENODEV;
	rc = io_fds_get(client, region, io_fd, nb, &reply);
	vu_fds_close(&reply.fds);
	free(reply.buf);
	vu_client_put(client);
	return rc;
}
