/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "vu_socket.h"

#define BACKLOG 16

/* How long another server may take to bind. */
#define LOCK_TRIES 500u
#define LOCK_NAP_NS 1000000

static struct sockaddr_un
socket_addr(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	/* a path of full length has its NUL in the padding or needs none */
	memcpy(addr.sun_path, path, strnlen(path, sizeof(addr.sun_path) - 1));
	return addr;
}

/* Does somebody listen there? Nobody is asked to accept: a full queue is an answer, too. */
static int
socket_probe(const struct sockaddr_un *addr)
{
	int fd, rc = 0;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 || errno == EAGAIN)
		rc = -EADDRINUSE;
	else if (errno != ECONNREFUSED)
		rc = errno == EPROTOTYPE ? -EADDRINUSE : -errno;
	close(fd);
	return rc;
}

/* Remove a socket file that nobody listens on; any other file stays. */
static int
socket_remove_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int rc;

	if (lstat(addr->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	rc = socket_probe(addr);
	if (rc < 0)
		return rc;
	return unlink(addr->sun_path) == 0 || errno == ENOENT ? 0 : -errno;
}

static int
socket_bind(int fd, const struct sockaddr_un *addr)
{
	int rc;

	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	rc = socket_remove_stale(addr);
	if (rc < 0)
		return rc;
	return bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ? 0 : -errno;
}

/*
 * Between finding a file that nobody listens on and removing it another server must not take its
 * place: servers lock the directory while they bind and begin to listen. Without the right to
 * read the directory there is no lock, and just the risk; and nobody is waited for who does not
 * give the lock back.
 */
static int
directory_lock(const char *path)
{
	const struct timespec nap = { .tv_nsec = LOCK_NAP_NS };
	char copy[VU_SOCKET_PATH_MAX + 1] = { 0 };
	unsigned int tries = 0;
	int fd;

	memcpy(copy, path, strnlen(path, VU_SOCKET_PATH_MAX));
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && ++tries < LOCK_TRIES)
		nanosleep(&nap, NULL);
	return fd;
}

/* Nobody can connect before listen(), so the permissions are never wider than asked for. */
static int
listener_open(struct vu_listener *listener, const struct sockaddr_un *addr, mode_t mode)
{
	struct stat st;
	int rc;

	rc = socket_bind(listener->fd, addr);
	if (rc < 0)
		return rc;
	if (chmod(addr->sun_path, mode) == 0 && lstat(addr->sun_path, &st) == 0 &&
			listen(listener->fd, BACKLOG) == 0) {
		listener->has_file = true;
		listener->dev = st.st_dev;
		listener->ino = st.st_ino;
		return 0;
	}
	rc = -errno;
	unlink(addr->sun_path);
	return rc;
}

int
vu_socket_listen(struct vu_listener *listener, const char *path, mode_t mode)
{
	struct sockaddr_un addr = socket_addr(path);
	int lock, rc;

	listener->has_file = false;
	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener->fd < 0)
		return -errno;
	lock = directory_lock(path);
	rc = listener_open(listener, &addr, mode);
	if (lock >= 0)
		close(lock);
	if (rc < 0)
		vu_socket_close(listener, path);
	return rc;
}

void
vu_socket_close(struct vu_listener *listener, const char *path)
{
	struct stat st;

	if (listener->has_file && lstat(path, &st) == 0 && st.st_dev == listener->dev &&
			st.st_ino == listener->ino)
		unlink(path);
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
	listener->has_file = false;
}

static int
socket_option(int fd, int option)
{
	socklen_t len = sizeof(int);
	int value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 ? value : -1;
}

int
vu_socket_kind(int fd)
{
	struct sockaddr_un peer;
	socklen_t len = sizeof(peer);

	if (socket_option(fd, SO_DOMAIN) != AF_UNIX || socket_option(fd, SO_TYPE) != SOCK_STREAM)
		return -EINVAL;
	if (socket_option(fd, SO_ACCEPTCONN) == 1)
		return VU_SOCKET_LISTENING;
	if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0)
		return VU_SOCKET_CONNECTED;
	return -EINVAL;
}

int
vu_socket_accept(int fd)
{
	int sock;

	do {
		sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	} while (sock < 0 && (errno == EINTR || errno == ECONNABORTED));
	return sock >= 0 ? sock : -errno;
}
