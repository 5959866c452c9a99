/* SPDX-License-Identifier: BSD-3-Clause */

/* VERSION. Protocol reference 3. */

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_log.h"
#include "vu_loop.h"
#include "vu_session.h"

#define REPLY_MAX 512

static int
version_read(struct vu_session *s, const struct vu_rx_msg *msg, struct vu_version_info *version)
{
	const char *why = "malformed";
	int rc;

	rc = vu_version_decode(msg->payload, msg->len, version, &why);
	if (rc == 0 && version->major != VU_MAJOR) {
		why = "of another major version";
		rc = -EINVAL;
	}
	if (rc < 0)
		VU_LOG(ERR, "%s: VERSION of the client: %s", s->name, why);
	return rc;
}

static bool
twin_wanted(const struct vu_session *s, const struct vu_caps *peer)
{
	return peer->twin_socket && peer->max_msg_fds > 0 &&
		!(s->opt.flags & RTE_VFIO_USER_F_NO_TWIN);
}

/* Make the socket for our own commands. Returns the client's end, or -errno. */
static int
twin_open(struct vu_session *s)
{
	struct epoll_event event = { .data.u64 = vu_watch_data(s, VU_WATCH_TWIN) };
	int sock[2];
	int rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0)
		return -errno;
	event.events = s->twin_events = EPOLLIN;
	rc = vu_conn_init(&s->twin, sock[0], s->opt.max_data_xfer_size + VU_CONN_OVERHEAD, 0);
	if (rc < 0)
		goto err_close;
	if (epoll_ctl(s->epfd, EPOLL_CTL_ADD, sock[0], &event) == 0)
		return sock[1];
	rc = -errno;
	s->twin.sock = -1;
	vu_conn_fini(&s->twin);

err_close:
	close(sock[0]);
	close(sock[1]);
	return rc;
}

/* What we say of ourselves; what the client did not offer is not switched on. */
static void
version_answer(const struct vu_session *s, const struct vu_version_info *peer, bool twin,
	struct vu_version_info *answer)
{
	struct vu_caps *caps = &answer->caps;

	answer->major = VU_MAJOR;
	answer->minor = RTE_MIN(peer->minor, VU_MINOR);
	answer->has_text = true;
	vu_caps_default(caps);
	caps->max_msg_fds = s->opt.max_msg_fds;
	caps->max_data_xfer_size = s->opt.max_data_xfer_size;
	caps->max_dma_maps = s->opt.max_dma_maps;
	caps->pgsizes = s->opt.pgsizes;
	caps->write_multiple = peer->caps.write_multiple;
	caps->map_multiple = peer->caps.map_multiple;
	caps->migration = s->dev.migratable;
	caps->twin_socket = twin;
	caps->twin_fd_index = twin ? 0 : -1;
}

static int
version_announce(struct vu_session *s)
{
	int rc;

	s->state = VU_READY;
	s->announced = true;
	atomic_store(&s->ready, true);
	rc = s->ops.new_device != NULL ? s->ops.new_device(s->id) : 0;
	if (rc >= 0)
		return 0;
	VU_LOG(ERR, "%s: the device refuses the client: %s", s->name, strerror(-rc));
	atomic_store(&s->ready, false);
	s->announced = false;
	s->state = VU_NEGOTIATING;
	return rc;
}

static int
version_reply(struct vu_session *s, const struct vu_rx_msg *msg,
	const struct vu_version_info *peer, int twin_fd)
{
	struct vu_version_info answer;
	char payload[REPLY_MAX];
	struct iovec iov = { .iov_base = payload };
	int rc;

	version_answer(s, peer, twin_fd >= 0, &answer);
	rc = vu_version_encode(&answer, payload, sizeof(payload));
	if (rc < 0)
		return rc;
	iov.iov_len = (size_t)rc;
	rc = version_announce(s);
	if (rc < 0)
		return rc;
	return vu_reply(s, msg, &iov, 1, &twin_fd, twin_fd >= 0 ? 1 : 0);
}

int
vu_handle_version(struct vu_session *s, const struct vu_rx_msg *msg)
{
	struct vu_version_info version;
	int twin_fd = -1;
	int rc;

	rc = version_read(s, msg, &version);
	if (rc < 0)
		return rc;
	s->peer = version.caps;
	if (twin_wanted(s, &version.caps)) {
		twin_fd = twin_open(s);
		/* the session is good for all else without */
		if (twin_fd < 0)
			VU_LOG(WARNING, "%s: no socket for DMA messages: %s", s->name,
				strerror(-twin_fd));
	}
	rc = version_reply(s, msg, &version, twin_fd);
	if (twin_fd >= 0)
		close(twin_fd);
	return rc;
}
