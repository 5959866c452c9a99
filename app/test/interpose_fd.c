/* SPDX-License-Identifier: BSD-3-Clause */

#include "interpose_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Routes of descriptors, and what is done with those. */

struct interpose_fd interpose_fds[INTERPOSE_FD_MAX];

void
interpose_route_fd(int fd, const struct interpose_fd_ops *ops, void *ctx)
{
	if (fd < 0 || fd >= INTERPOSE_FD_MAX)
		abort();
	interpose_fds[fd].ctx = ctx;
	__atomic_store_n(&interpose_fds[fd].ops, ops, __ATOMIC_RELEASE);
}

void
interpose_reroute_fd(int fd, const struct interpose_fd_ops *ops)
{
	interpose_route_fd(fd, ops, interpose_fds[fd].ctx);
}

int
close(int fd)
{
	const struct interpose_fd_ops *ops = interpose_fd_ops(fd);
	bool fail_it = interpose_fails(INTERPOSE_CLOSE);
	int err = errno;
	int rc;

	if (fd >= 0 && fd < INTERPOSE_FD_MAX)
		__atomic_store_n(&interpose_fds[fd].ops, NULL, __ATOMIC_RELEASE);
	if (ops != NULL && ops->close != NULL) {
		interpose_bypass++;
		ops->close(interpose_fds[fd].ctx);
		interpose_bypass--;
	}
	rc = REAL(close)(fd);
	if (fail_it)
		errno = err;
	return fail_it ? -1 : rc;
}

static bool
dup_fails(int cmd)
{
	return (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC) && interpose_fails(INTERPOSE_DUP);
}

/* What a duplicate does is what its original does. */
static int
dup_route(int from, int cmd, int fd)
{
	const struct interpose_fd_ops *ops;

	if (fd < 0 || (cmd != F_DUPFD && cmd != F_DUPFD_CLOEXEC))
		return fd;
	ops = interpose_fd_ops(from);
	if (ops != NULL && ops->dup != NULL) {
		interpose_route_fd(fd, ops, interpose_fds[from].ctx);
		ops->dup(interpose_fds[from].ctx, fd);
	}
	return fd;
}

/* All commands take a word at most. */
int
fcntl(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return dup_fails(cmd) ? -1 : dup_route(fd, cmd, REAL(fcntl)(fd, cmd, arg));
}

int
fcntl64(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return dup_fails(cmd) ? -1 : dup_route(fd, cmd, REAL(fcntl64)(fd, cmd, arg));
}

int
ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (interpose_fails(INTERPOSE_IOCTL))
		return -1;
	if (HAS_ROUTE(fd, ioctl))
		return (int)ROUTE(fd, ioctl, request, arg);
	return REAL(ioctl)(fd, request, arg);
}

ssize_t
pread(int fd, void *buf, size_t len, off_t off)
{
	if (interpose_fails(INTERPOSE_PREAD))
		return -1;
	return HAS_ROUTE(fd, pread) ? ROUTE(fd, pread, buf, len, off)
		: REAL(pread)(fd, buf, len, off);
}

ssize_t
pwrite(int fd, const void *buf, size_t len, off_t off)
{
	if (interpose_fails(INTERPOSE_PWRITE))
		return -1;
	return HAS_ROUTE(fd, pwrite) ? ROUTE(fd, pwrite, buf, len, off)
		: REAL(pwrite)(fd, buf, len, off);
}

/* With a 64-bit off_t the two variants are one function. */
#ifdef __LP64__
ssize_t pread64(int fd, void *buf, size_t len, off64_t off) ALIAS(pread);
ssize_t pwrite64(int fd, const void *buf, size_t len, off64_t off) ALIAS(pwrite);
#endif
