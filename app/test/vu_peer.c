/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "vu_peer.h"

#include "test.h"

#define TIMEOUT_S 20

void
peer_adopt(struct vu_peer *peer, int sock)
{
	const struct timeval limit = { .tv_sec = TIMEOUT_S };

	memset(peer, 0, sizeof(*peer));
	peer->sock = sock;
	peer->next_id = 100;
	peer->payload = malloc(PEER_PAYLOAD_MAX);
	assert_non_null(peer->payload);
	assert_int_equal(setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), 0);
}

void
peer_connect(struct vu_peer *peer, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(sock >= 0);
	memcpy(addr.sun_path, path, strlen(path));
	assert_int_equal(connect(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	peer_adopt(peer, sock);
}

static void
close_fds(struct vu_peer *peer)
{
	unsigned int i;

	for (i = 0; i < peer->nb_fds; i++)
		if (peer->fds[i] >= 0)
			close(peer->fds[i]);
	peer->nb_fds = 0;
}

void
peer_close(struct vu_peer *peer)
{
	close_fds(peer);
	if (peer->sock >= 0)
		close(peer->sock);
	peer->sock = -1;
	free(peer->payload);
	peer->payload = NULL;
}

void
peer_send_raw(struct vu_peer *peer, const void *data, size_t len, const int *fds,
	unsigned int nb_fds)
{
	char control[CMSG_SPACE(sizeof(int) * PEER_FDS_MAX)] = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (nb_fds > 0) {
		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * nb_fds);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nb_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nb_fds);
	}
	while (iov.iov_len > 0) {
		n = sendmsg(peer->sock, &mh, MSG_NOSIGNAL);
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return;
		assert_true(n > 0);
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
		mh.msg_controllen = 0;
	}
}

uint16_t
peer_send(struct vu_peer *peer, uint16_t cmd, uint32_t flags, const void *payload, size_t len,
	const int *fds, unsigned int nb_fds)
{
	struct vu_hdr hdr = {
		.id = peer->next_id++,
		.cmd = cmd,
		.size = (uint32_t)(sizeof(hdr) + len),
		.flags = flags,
	};
	char *buf = malloc(sizeof(hdr) + len);

	assert_non_null(buf);
	memcpy(buf, &hdr, sizeof(hdr));
	if (len > 0)
		memcpy(buf + sizeof(hdr), payload, len);
	peer_send_raw(peer, buf, sizeof(hdr) + len, fds, nb_fds);
	free(buf);
	return hdr.id;
}

static void
collect_fds(struct vu_peer *peer, struct msghdr *mh)
{
	struct cmsghdr *c;
	size_t nb;

	for (c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		nb = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(&peer->fds[peer->nb_fds], CMSG_DATA(c), nb * sizeof(int));
		peer->nb_fds += (unsigned int)nb;
	}
}

/* Returns false at the end of the stream. */
static bool
receive_bytes(struct vu_peer *peer, void *data, size_t len)
{
	char control[CMSG_SPACE(sizeof(int) * PEER_FDS_MAX)];
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		struct iovec iov = { .iov_base = (char *)data + done, .iov_len = len - done };
		struct msghdr mh = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};

		n = recvmsg(peer->sock, &mh, MSG_CMSG_CLOEXEC);
		if (n == 0 || (n < 0 && errno == ECONNRESET)) {
			assert_int_equal(done, 0);
			return false;
		}
		assert_true(n > 0);
		collect_fds(peer, &mh);
		done += (size_t)n;
	}
	return true;
}

bool
peer_receive(struct vu_peer *peer)
{
	close_fds(peer);
	if (!receive_bytes(peer, &peer->hdr, sizeof(peer->hdr)))
		return false;
	assert_true(peer->hdr.size >= sizeof(peer->hdr));
	peer->len = peer->hdr.size - sizeof(peer->hdr);
	assert_true(peer->len <= PEER_PAYLOAD_MAX);
	assert_true(receive_bytes(peer, peer->payload, peer->len));
	return true;
}

void
peer_expect_closed(struct vu_peer *peer)
{
	assert_false(peer_receive(peer));
}

void
peer_expect_silence(struct vu_peer *peer)
{
	struct pollfd pfd = { .fd = peer->sock, .events = POLLIN };

	assert_int_equal(poll(&pfd, 1, 20), 0);
}

int
peer_call_fds(struct vu_peer *peer, uint16_t cmd, const void *payload, size_t len, const int *fds,
	unsigned int nb_fds)
{
	uint16_t id = peer_send(peer, cmd, 0, payload, len, fds, nb_fds);

	assert_true(peer_receive(peer));
	assert_int_equal(peer->hdr.id, id);
	assert_int_equal(peer->hdr.cmd, cmd);
	if (peer->hdr.flags == VU_F_TYPE_REPLY) {
		assert_int_equal(peer->hdr.error, 0);
		return 0;
	}
	assert_int_equal(peer->hdr.flags, VU_F_TYPE_REPLY | VU_F_ERROR);
	assert_int_equal(peer->len, 0);
	assert_int_equal(peer->nb_fds, 0);
	assert_int_not_equal(peer->hdr.error, 0);
	return (int)peer->hdr.error;
}

int
peer_call(struct vu_peer *peer, uint16_t cmd, const void *payload, size_t len)
{
	return peer_call_fds(peer, cmd, payload, len, NULL, 0);
}

int
peer_take_fd(struct vu_peer *peer, unsigned int i)
{
	int fd;

	assert_true(i < peer->nb_fds);
	fd = peer->fds[i];
	peer->fds[i] = -1;
	return fd;
}

/* ---- commands ---- */

int
peer_version(struct vu_peer *peer, const char *json)
{
	size_t len = strlen(json) + 1;
	char *payload = calloc(1, 4 + len);
	int err;

	assert_non_null(payload);
	memcpy(payload + 4, json, len);
	err = peer_call(peer, VU_VERSION, payload, 4 + len);
	free(payload);
	return err;
}

void
peer_open(struct vu_peer *peer, const char *path)
{
	peer_connect(peer, path);
	assert_int_equal(peer_version(peer, "{\"capabilities\":{\"max_msg_fds\":8}}"), 0);
}

int
peer_read(struct vu_peer *peer, uint32_t region, uint64_t offset, void *data, uint32_t count)
{
	struct vu_region_access access = { .offset = offset, .region = region, .count = count };
	int err = peer_call(peer, VU_REGION_READ, &access, sizeof(access));

	if (err != 0)
		return err;
	assert_int_equal(peer->len, sizeof(access) + count);
	assert_memory_equal(peer->payload, &access, sizeof(access));
	if (count > 0)
		memcpy(data, peer->payload + sizeof(access), count);
	return 0;
}

static size_t
write_payload(uint8_t **payload, uint32_t region, uint64_t offset, const void *data, uint32_t count)
{
	struct vu_region_access access = { .offset = offset, .region = region, .count = count };

	*payload = malloc(sizeof(access) + count);
	assert_non_null(*payload);
	memcpy(*payload, &access, sizeof(access));
	if (count > 0)
		memcpy(*payload + sizeof(access), data, count);
	return sizeof(access) + count;
}

int
peer_write(struct vu_peer *peer, uint32_t region, uint64_t offset, const void *data, uint32_t count)
{
	uint8_t *payload;
	size_t len = write_payload(&payload, region, offset, data, count);
	int err = peer_call(peer, VU_REGION_WRITE, payload, len);

	if (err == 0) {
		assert_int_equal(peer->len, sizeof(struct vu_region_access));
		assert_memory_equal(peer->payload, payload, peer->len);
	}
	free(payload);
	return err;
}

void
peer_post(struct vu_peer *peer, uint32_t region, uint64_t offset, const void *data, uint32_t count)
{
	uint8_t *payload;
	size_t len = write_payload(&payload, region, offset, data, count);

	peer_send(peer, VU_REGION_WRITE, VU_F_NO_REPLY, payload, len, NULL, 0);
	free(payload);
}

int
peer_map(struct vu_peer *peer, uint64_t addr, uint64_t size, uint32_t flags, int fd,
	uint64_t offset)
{
	struct vu_dma_map map = {
		.argsz = sizeof(map),
		.flags = flags,
		.offset = offset,
		.addr = addr,
		.size = size,
	};

	return peer_call_fds(peer, VU_DMA_MAP, &map, sizeof(map), &fd, fd >= 0 ? 1 : 0);
}

int
peer_unmap(struct vu_peer *peer, uint64_t addr, uint64_t size, uint32_t flags)
{
	struct vu_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.flags = flags,
		.addr = addr,
		.size = size,
	};
	int err = peer_call(peer, VU_DMA_UNMAP, &unmap, sizeof(unmap));

	if (err == 0) {
		assert_int_equal(peer->len, sizeof(unmap));
		assert_memory_equal(peer->payload, &unmap, sizeof(unmap));
	}
	return err;
}

int
peer_set_irqs(struct vu_peer *peer, uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
	const int *fds, unsigned int nb_fds)
{
	uint32_t request[5] = { 20, flags, index, start, count };

	return peer_call_fds(peer, VU_SET_IRQS, request, sizeof(request), fds, nb_fds);
}

int
peer_memory(size_t size)
{
	int fd = memfd_create("peer", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}
