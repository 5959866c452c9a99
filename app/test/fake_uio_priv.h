/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_UIO_PRIV_H
#define FAKE_UIO_PRIV_H

/**
 * @file
 * What the parts of the fake UIO share: devices, the kernel's side of sysfs, /dev/uioN.
 */

#include <limits.h>
#include <stdint.h>

#include <rte_eal_paging.h>

#include "fake_uio.h"

#define CONFIG_SIZE 256
/** What the kernel maps at once. */
#define PAGE ((uint64_t)rte_mem_page_size())

/** Where a file of the device really is. */
void fake_uio_path(const struct fake_uio *uio, const char *file, char path[PATH_MAX]);

/** Its configuration space, for fake_uio_fd_close(); calls on it are the test's own. */
int fake_uio_config_open(const struct fake_uio *uio);
void fake_uio_fd_close(int fd);

/** What becomes of opening and looking for its files, as interpose_path has it. */
int fake_uio_files_open(void *ctx, const char *path, int flags);
int fake_uio_files_access(void *ctx, const char *path);
int fake_uio_node_open(void *ctx, const char *path, int flags);

#endif /* FAKE_UIO_PRIV_H */
