/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"
#include "vu_hostile.h"

static int
fd_open(enum vu_hostile_fd kind)
{
	int fd[2] = { -1, -1 };

	switch (kind) {
	case VU_HOSTILE_FD_MEMFD:
	case VU_HOSTILE_FD_EMPTY:
		fd[0] = memfd_create("hostile", MFD_CLOEXEC);
		if (kind == VU_HOSTILE_FD_MEMFD)
			assert_int_equal(ftruncate(fd[0], 65536), 0);
		break;
	case VU_HOSTILE_FD_READ_ONLY:
		fd[0] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		break;
	case VU_HOSTILE_FD_PIPE:
		assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
		break;
	case VU_HOSTILE_FD_DIRECTORY:
		fd[0] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		break;
	case VU_HOSTILE_FD_SOCKET:
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
		break;
	default:
		fd[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		break;
	}
	if (fd[1] >= 0)
		close(fd[1]);
	assert_true(fd[0] >= 0);
	return fd[0];
}

void
vu_hostile_fds(enum vu_hostile_fd kind, unsigned int nb, int *fds)
{
	unsigned int i;

	for (i = 0; i < nb; i++)
		fds[i] = i == 0 ? fd_open(kind) : fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
}

int
vu_hostile_send_bytes(int sock, const void *bytes, size_t len, const int *fds, unsigned int nb_fds)
{
	union {
		struct cmsghdr hdr;
		char space[CMSG_SPACE(sizeof(int) * VU_SCM_MAX_FD)];
	} control;
	uintptr_t base = (uintptr_t)bytes;
	struct iovec iov = { (void *)base, len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nb_fds > 0) {
		memset(&control, 0, sizeof(control));
		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * nb_fds);
		control.hdr.cmsg_level = SOL_SOCKET;
		control.hdr.cmsg_type = SCM_RIGHTS;
		control.hdr.cmsg_len = CMSG_LEN(sizeof(int) * nb_fds);
		memcpy(CMSG_DATA(&control.hdr), fds, sizeof(int) * nb_fds);
	}
	return sendmsg(sock, &mh, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int
vu_hostile_send(int sock, const struct vu_hostile_msg *msg)
{
	const uint16_t cmd = vu_hostile_hdr(msg).cmd;
	const bool is_map = cmd == VU_DMA_MAP || cmd == VU_DMA_MAP_MULTI;
	int fds[VU_SCM_MAX_FD];
	unsigned int i;
	int rc;

	vu_hostile_fds(is_map && msg->fd_kind == VU_HOSTILE_FD_AS_IS ? VU_HOSTILE_FD_MEMFD :
		msg->fd_kind, msg->nb_fds, fds);
	rc = vu_hostile_send_bytes(sock, msg->bytes, msg->len, fds, msg->nb_fds);
	for (i = 0; i < msg->nb_fds; i++)
		close(fds[i]);
	return rc;
}
