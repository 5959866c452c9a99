/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "vu_golden.h"

#define FDS_MAX 7u

int
fuzz_packet_next(const uint8_t **data, size_t *len, struct fuzz_packet *packet)
{
	const uint8_t *at = *data;
	size_t size;

	if (*len <= FUZZ_PACKET_HEAD)
		return 0;
	size = at[0] | (size_t)at[1] << 8;
	*packet = (struct fuzz_packet) {
		.data = at + FUZZ_PACKET_HEAD,
		.nb_fds = at[2] & 7,
		.fd_kind = at[2] >> 3 & 7,
		.bit6 = at[2] >> 6 & 1,
		.bit7 = at[2] >> 7,
	};
	*len -= FUZZ_PACKET_HEAD;
	packet->len = size < *len ? size : *len;
	*data = packet->data + packet->len;
	*len -= packet->len;
	return 1;
}

static int
fd_memory(void)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, 65536) < 0)
		return fd;
	return fd;
}

static int
fd_open(unsigned int kind)
{
	if (kind == 0)
		return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (kind == 1)
		return fd_memory();
	return open(kind == 2 ? "/" : "/dev/null", O_RDONLY | O_CLOEXEC);
}

int
fuzz_packet_send(int sock, const struct fuzz_packet *packet)
{
	union {
		struct cmsghdr hdr;
		char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control = { .space = { 0 } };
	uintptr_t base = (uintptr_t)packet->data;
	struct iovec iov = { (void *)base, packet->len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[FDS_MAX];
	unsigned int i;
	ssize_t n;

	for (i = 0; i < packet->nb_fds; i++)
		fds[i] = fd_open(packet->fd_kind);
	if (packet->nb_fds > 0) {
		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * packet->nb_fds);
		control.hdr.cmsg_level = SOL_SOCKET;
		control.hdr.cmsg_type = SCM_RIGHTS;
		control.hdr.cmsg_len = CMSG_LEN(sizeof(int) * packet->nb_fds);
		memcpy(CMSG_DATA(&control.hdr), fds, sizeof(int) * packet->nb_fds);
	}
	n = sendmsg(sock, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	for (i = 0; i < packet->nb_fds; i++)
		close(fds[i]);
	return n < 0 ? -errno : 0;
}

static size_t
seed_packet(const struct vu_golden *golden, uint8_t *to)
{
	size_t len = vu_golden_bytes(golden, to + FUZZ_PACKET_HEAD);

	to[0] = (uint8_t)len;
	to[1] = (uint8_t)(len >> 8);
	to[2] = (uint8_t)golden->nb_fds;
	/* memory goes with DMA_MAP */
	if (strncmp(golden->name, "dma_map", 7) == 0)
		to[2] |= 1 << 3;
	return FUZZ_PACKET_HEAD + len;
}

static size_t
seed_all(const char *kind, uint8_t *to)
{
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < vu_goldens_nb; i++)
		if (strstr(vu_goldens[i].name, kind) != NULL)
			len += seed_packet(&vu_goldens[i], to + len);
	return len;
}

/* Each message behind a negotiation; all commands; all replies. */
size_t
fuzz_seed(unsigned int i, uint8_t *to)
{
	size_t len;

	if (i == vu_goldens_nb)
		return seed_all("_request", to);
	if (i == vu_goldens_nb + 1)
		return seed_all("_reply", to);
	if (i > vu_goldens_nb)
		return 0;
	if (strstr(vu_goldens[i].name, "_reply") != NULL)
		len = seed_packet(vu_golden_find("version_reply"), to);
	else
		len = seed_packet(vu_golden_find("version_request"), to);
	return len + seed_packet(&vu_goldens[i], to + len);
}
