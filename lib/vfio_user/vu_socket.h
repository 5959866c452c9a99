/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_SOCKET_H
#define VU_SOCKET_H

/**
 * @file
 * Sockets that a server listens on.
 */

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/** Longest path of a socket, in bytes without the NUL. */
#define VU_SOCKET_PATH_MAX 107u

/** A listening socket and the file it made. */
struct vu_listener {
	int fd;	/**< owned; -1: none */
	bool has_file;	/**< dev and ino are those of a file that is to be removed at the end */
	dev_t dev;
	ino_t ino;
};

/** What a descriptor from somebody else is. */
enum vu_socket_kind {
	VU_SOCKET_LISTENING,
	VU_SOCKET_CONNECTED,
};

/**
 * Listen on a path. A socket file that nobody listens on is replaced.
 *
 * @param mode
 *   Permissions of the socket file.
 * @return
 *   0; -EADDRINUSE: somebody listens there; -EEXIST: what is there is no socket; or the errno of a
 *   system call
 */
int vu_socket_listen(struct vu_listener *listener, const char *path, mode_t mode);

/** Close, and remove the file if it is still the one that was made. */
void vu_socket_close(struct vu_listener *listener, const char *path);

/**
 * Look at a descriptor that was handed in.
 *
 * @return a kind; -EINVAL: it is no UNIX stream socket, or neither of both
 */
int vu_socket_kind(int fd);

/** Accept a client without waiting. @return a descriptor; -EAGAIN: nobody; or another errno */
int vu_socket_accept(int fd);

#endif /* VU_SOCKET_H */
