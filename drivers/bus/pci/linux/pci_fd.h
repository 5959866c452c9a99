/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_FD_H
#define PCI_FD_H

/**
 * @file
 * Transfers between memory and a place in a file: all of it or an error.
 */

#include <errno.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include <rte_branch_prediction.h>

/** Finish a read of which one call has done @p done bytes. Result as pci_fd_read(). */
int pci_fd_read_rest(int fd, void *buf, size_t len, off_t at, size_t done);

/** Finish a write of which one call has done @p done bytes. Result as pci_fd_write(). */
int pci_fd_write_rest(int fd, const void *buf, size_t len, off_t at, size_t done);

/**
 * Read; the first call does all of it, unless something is wrong.
 *
 * @param fd
 *   The file.
 * @param buf
 *   Where to.
 * @param len
 *   Bytes, 1 to INT_MAX.
 * @param at
 *   Where in the file.
 * @return
 *   @p len; -EIO: the file ends before; another -errno
 */
static inline int
pci_fd_read(int fd, void *buf, size_t len, off_t at)
{
	const ssize_t n = pread(fd, buf, len, at);

	if (likely(n == (ssize_t)len))
		return (int)len;
	return n < 0 && errno != EINTR ? -errno :
		pci_fd_read_rest(fd, buf, len, at, n > 0 ? (size_t)n : 0);
}

/** Write; as pci_fd_read(). */
static inline int
pci_fd_write(int fd, const void *buf, size_t len, off_t at)
{
	const ssize_t n = pwrite(fd, buf, len, at);

	if (likely(n == (ssize_t)len))
		return (int)len;
	return n < 0 && errno != EINTR ? -errno :
		pci_fd_write_rest(fd, buf, len, at, n > 0 ? (size_t)n : 0);
}

#endif /* PCI_FD_H */
