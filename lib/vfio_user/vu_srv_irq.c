/* SPDX-License-Identifier: BSD-3-Clause */

/* SET_IRQS, GET_REGION_IO_FDS: what eventfds go to and fro. Protocol reference 5.5, 5.7. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "vu_epoch.h"
#include "vu_session.h"

/* ---- SET_IRQS ---- */

/* Does the request change what is bound? Masks and test interrupts are no affair of data paths. */
static bool
irqs_rebind(const struct vu_irq_set *set)
{
	return set->data == VFIO_IRQ_SET_DATA_EVENTFD || set->count == 0;
}

static int
irqs_change(struct vu_session *s, const struct vu_irq_set *set, struct vu_fds *fds)
{
	int rc;

	rc = vu_session_lock(s, 1);
	if (rc < 0)
		return rc;
	rc = vu_irqs_apply(&s->irqs, set, fds);
	vu_session_lock(s, 0);
	if (rc == 0)
		vu_session_updated(s);
	return rc;
}

/*
 * Errors and requests for the device have neither masks nor more than one vector. Nothing to
 * disable is no error: clients disable types that they found to be empty.
 */
static int
set_irqs(struct vu_session *s, const struct vu_rx_msg *msg)
{
	struct vu_irq_set set;
	int rc;

	rc = vu_irq_set_decode(msg->payload, msg->len, msg->fds->nb, s->dev.irqs, s->dev.nb_irqs,
		&set);
	if (rc < 0)
		return rc;
	vu_session_work(s, set.count);
	if (irqs_rebind(&set))
		return irqs_change(s, &set, msg->fds);
	return vu_irqs_apply(&s->irqs, &set, msg->fds);
}

int
vu_handle_set_irqs(struct vu_session *s, const struct vu_rx_msg *msg)
{
	int rc = set_irqs(s, msg);

	return rc == 0 ? vu_reply(s, msg, NULL, 0, NULL, 0) : rc;
}

/* ---- GET_REGION_IO_FDS ---- */

/* The reply as it is put together. */
struct io_fd_reply {
	size_t layout;	/* bytes of an entry */
	uint32_t max_fds;
	uint32_t nb_fds;
	int fds[VU_SCM_MAX_FD];
	uint32_t count;
	uint8_t *entries;
};

/* The place of a descriptor among those sent; one serves several entries. -1: no place is left */
static int
io_fd_place(struct io_fd_reply *reply, int fd)
{
	uint32_t i;

	for (i = 0; i < reply->nb_fds; i++)
		if (reply->fds[i] == fd)
			return (int)i;
	if (i == reply->max_fds)
		return -1;
	reply->fds[reply->nb_fds++] = fd;
	return (int)i;
}

static bool
io_fd_is_shadowed(const struct io_fd_reply *reply, const struct rte_vfio_user_io_fd *io_fd)
{
	return io_fd->shadow_fd >= 0 && reply->layout == VU_IO_FD_LAYOUT_SHADOW;
}

/* An entry whose descriptors the client cannot take is left out: it uses messages there. */
static bool
io_fd_build(struct io_fd_reply *reply, const struct rte_vfio_user_io_fd *io_fd,
	struct vu_io_fd *entry)
{
	int place = io_fd_place(reply, io_fd->fd);
	int shadow = 0;

	if (place >= 0 && io_fd_is_shadowed(reply, io_fd))
		shadow = io_fd_place(reply, io_fd->shadow_fd);
	if (place < 0 || shadow < 0)
		return false;
	*entry = (struct vu_io_fd) {
		.offset = io_fd->offset,
		.size = io_fd->size,
		.fd_index = (uint32_t)place,
		.type = VU_IO_FD_IOEVENTFD,
		.flags = io_fd->flags,
		.datamatch = io_fd->datamatch,
	};
	if (io_fd_is_shadowed(reply, io_fd)) {
		entry->type = VU_IO_FD_IOEVENTFD_SHADOW;
		entry->shadow_fd_index = (uint32_t)shadow;
		entry->shadow_offset = io_fd->shadow_offset;
	}
	return true;
}

static int
io_fds_collect(const struct vu_session *s, uint32_t region, struct io_fd_reply *reply)
{
	const struct vu_io_fd_list *list = atomic_load(&s->io_fds);
	struct vu_io_fd entry;
	uint32_t i;
	int rc;

	for (i = 0; list != NULL && i < list->nb; i++) {
		if (list->entry[i].region != region ||
				!io_fd_build(reply, &list->entry[i], &entry))
			continue;
		rc = vu_io_fd_encode(&entry, reply->layout,
			reply->entries + reply->count * reply->layout);
		if (rc < 0)
			return rc;
		reply->count++;
	}
	return 0;
}

static int
io_fds_reply(struct vu_session *s, const struct vu_rx_msg *msg, struct vu_region_io_fds *fixed,
	const struct io_fd_reply *reply)
{
	uint32_t asked = fixed->argsz;
	struct iovec iov[] = {
		{ .iov_base = fixed, .iov_len = sizeof(*fixed) },
		{ .iov_base = reply->entries, .iov_len = reply->count * reply->layout },
	};

	fixed->argsz = (uint32_t)(sizeof(*fixed) + iov[1].iov_len);
	fixed->count = reply->count;
	if (asked < fixed->argsz)
		return vu_reply(s, msg, iov, 1, NULL, 0);
	return vu_reply(s, msg, iov, 2, reply->fds, reply->nb_fds);
}

static int
io_fds_answer(struct vu_session *s, const struct vu_rx_msg *msg, struct vu_region_io_fds *fixed)
{
	const struct vu_io_fd_list *list = atomic_load(&s->io_fds);
	struct io_fd_reply reply = {
		.layout = s->opt.flags & RTE_VFIO_USER_F_LVU_IOFDS ? VU_IO_FD_LAYOUT_SHADOW :
			VU_IO_FD_LAYOUT_SPEC,
		.max_fds = RTE_MIN(s->peer.max_msg_fds, VU_SCM_MAX_FD),
	};
	int rc;

	reply.entries = calloc(list != NULL ? list->nb + 1 : 1, reply.layout);
	if (reply.entries == NULL)
		return -ENOMEM;
	rc = io_fds_collect(s, fixed->index, &reply);
	if (rc == 0)
		rc = io_fds_reply(s, msg, fixed, &reply);
	free(reply.entries);
	return rc;
}

int
vu_handle_get_region_io_fds(struct vu_session *s, const struct vu_rx_msg *msg)
{
	struct vu_region_io_fds fixed;
	int rc;

	rc = vu_io_fds_request_decode(msg->payload, msg->len, &fixed);
	if (rc < 0)
		return rc;
	if (fixed.index >= s->dev.nb_regions)
		return -EINVAL;
	/* the list may be replaced meanwhile */
	rc = vu_epoch_enter();
	if (rc < 0)
		return rc;
	rc = io_fds_answer(s, msg, &fixed);
	vu_epoch_leave();
	return rc;
}
