/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include "eal_kernel.h"

static int
kernel_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void
kernel_close(int fd)
{
	close(fd);
}

static int
kernel_lock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

static int
kernel_map(void *addr, size_t len, int fd, off_t offset)
{
	void *got = mmap(addr, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, offset);

	return got == MAP_FAILED ? -errno : 0;
}

static int
kernel_punch(int fd, off_t offset, off_t len)
{
	struct spacectl_range range = { .r_offset = offset, .r_len = len };

	return fspacectl(fd, SPACECTL_DEALLOC, &range, 0, &range) < 0 ? -errno : 0;
}

static int
kernel_sysctl(const char *name, void *value, size_t *len)
{
	return sysctlbyname(name, value, len, NULL, 0) < 0 ? -errno : 0;
}

static const struct eal_kernel kernel = {
	.open = kernel_open,
	.close = kernel_close,
	.lock = kernel_lock,
	.map = kernel_map,
	.punch = kernel_punch,
	.sysctl = kernel_sysctl,
};

const struct eal_kernel *eal_kernel = &kernel;
