/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_KERNEL_H
#define EAL_KERNEL_H

/**
 * @file
 * What the memory of EAL asks of FreeBSD's kernel, so that a test can answer in its place.
 */

#include <stddef.h>
#include <sys/types.h>

/** All results are -errno where something is wrong. */
struct eal_kernel {
	/** A descriptor that is closed on exec. */
	int (*open)(const char *path, int flags);
	void (*close)(int fd);
	/** Be the only one who has the file; -EWOULDBLOCK: somebody else is. */
	int (*lock)(int fd);
	/** Map to be read and written, shared, in the place of what is at @p addr. */
	int (*map)(void *addr, size_t len, int fd, off_t offset);
	/** Give the memory of a part of a file back. */
	int (*punch)(int fd, off_t offset, off_t len);
	/** *len: room there is, then bytes that came. -ENOENT: there is no such name. */
	int (*sysctl)(const char *name, void *value, size_t *len);
};

/** The kernel that is asked. */
extern const struct eal_kernel *eal_kernel;

#endif /* EAL_KERNEL_H */
