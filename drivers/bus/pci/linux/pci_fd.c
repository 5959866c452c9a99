/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdint.h>

#include "pci_fd.h"

int
pci_fd_read_rest(int fd, void *buf, size_t len, off_t at, size_t done)
{
	ssize_t n;

	while (done < len) {
		n = pread(fd, (uint8_t *)buf + done, len - done, at + (off_t)done);
		if (n == 0)
			return -EIO;
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	return (int)len;
}

int
pci_fd_write_rest(int fd, const void *buf, size_t len, off_t at, size_t done)
{
	ssize_t n;

	while (done < len) {
		n = pwrite(fd, (const uint8_t *)buf + done, len - done, at + (off_t)done);
		if (n == 0)
			return -EIO;
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	return (int)len;
}
