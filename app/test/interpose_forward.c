/* SPDX-License-Identifier: BSD-3-Clause */

#include "interpose_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Calls that are let through or fail. */

FORWARD(FILE *, NULL, FOPEN, fdopen, (int fd, const char *mode), (fd, mode))
FORWARD(DIR *, NULL, OPENDIR, opendir, (const char *path), (path))
FORWARD(DIR *, NULL, OPENDIR, fdopendir, (int fd), (fd))
FORWARD(struct dirent *, NULL, READDIR, readdir, (DIR *dir), (dir))
FORWARD(struct dirent64 *, NULL, READDIR, readdir64, (DIR *dir), (dir))
FORWARD(ssize_t, -1, READLINK, readlink, (const char *path, char *buf, size_t len),
	(path, buf, len))
FORWARD(ssize_t, -1, READLINK, readlinkat, (int fd, const char *path, char *buf, size_t len),
	(fd, path, buf, len))
FORWARD(int, -1, EVENTFD, eventfd, (unsigned int count, int flags), (count, flags))
FORWARD(int, -1, EPOLL_CREATE, epoll_create, (int size), (size))
FORWARD(int, -1, EPOLL_CREATE, epoll_create1, (int flags), (flags))
FORWARD(int, -1, EPOLL_CTL, epoll_ctl, (int epfd, int op, int fd, struct epoll_event *event),
	(epfd, op, fd, event))
FORWARD(int, -1, PIPE, pipe, (int fd[2]), (fd))
FORWARD(int, -1, PIPE, pipe2, (int fd[2], int flags), (fd, flags))
FORWARD(int, -1, TIMERFD, timerfd_create, (clockid_t clock, int flags), (clock, flags))
FORWARD(int, -1, SOCKET, socket, (int domain, int type, int protocol), (domain, type, protocol))
FORWARD(int, -1, BIND, bind, (int fd, const struct sockaddr *addr, socklen_t len),
	(fd, addr, len))
FORWARD(int, -1, LISTEN, listen, (int fd, int backlog), (fd, backlog))
FORWARD(int, -1, CONNECT, connect, (int fd, const struct sockaddr *addr, socklen_t len),
	(fd, addr, len))
FORWARD(int, -1, ACCEPT, accept, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))
FORWARD(int, -1, ACCEPT, accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags),
	(fd, addr, len, flags))
FORWARD(int, -1, SOCKETPAIR, socketpair, (int domain, int type, int protocol, int fd[2]),
	(domain, type, protocol, fd))
FORWARD(int, -1, SETSOCKOPT, setsockopt,
	(int fd, int level, int name, const void *value, socklen_t len),
	(fd, level, name, value, len))
FORWARD(ssize_t, -1, SENDMSG, sendmsg, (int fd, const struct msghdr *msg, int flags),
	(fd, msg, flags))
FORWARD(ssize_t, -1, SENDMSG, send, (int fd, const void *buf, size_t len, int flags),
	(fd, buf, len, flags))
FORWARD(ssize_t, -1, RECVMSG, recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags))
FORWARD(int, -1, WAIT, poll, (struct pollfd *pfd, nfds_t nb, int timeout_ms), (pfd, nb, timeout_ms))
FORWARD(int, -1, WAIT, epoll_wait, (int epfd, struct epoll_event *events, int max, int timeout_ms),
	(epfd, events, max, timeout_ms))
FORWARD(int, -1, MEMFD, memfd_create, (const char *name, unsigned int flags), (name, flags))
FORWARD(int, -1, FTRUNCATE, ftruncate, (int fd, off_t len), (fd, len))
FORWARD(int, -1, FALLOCATE, fallocate, (int fd, int mode, off_t off, off_t len),
	(fd, mode, off, len))
FORWARD(int, -1, MPROTECT, mprotect, (void *addr, size_t len, int prot), (addr, len, prot))
FORWARD(int, -1, MADVISE, madvise, (void *addr, size_t len, int advice), (addr, len, advice))
FORWARD(ssize_t, -1, READ, read, (int fd, void *buf, size_t len), (fd, buf, len))
FORWARD(ssize_t, -1, WRITE, write, (int fd, const void *buf, size_t len), (fd, buf, len))

int
pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
	if (interpose_fails(INTERPOSE_THREAD))
		return errno;
	return REAL(pthread_create)(thread, attr, start, arg);
}

#if !SANITIZER_OWNS_CALLS
int
pthread_mutex_lock(pthread_mutex_t *mutex)
{
	return interpose_fails(INTERPOSE_LOCK) ? errno : REAL(pthread_mutex_lock)(mutex);
}
#endif

/* With a 64-bit off_t the two variants are one function. */
#ifdef __LP64__
int ftruncate64(int fd, off64_t len) ALIAS(ftruncate);
int fallocate64(int fd, int mode, off64_t off, off64_t len) ALIAS(fallocate);
#endif
