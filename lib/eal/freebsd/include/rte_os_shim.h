/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_OS_SHIM_H
#define RTE_OS_SHIM_H

/**
 * @file
 * What differs between systems, for sources of this tree.
 */

#include <errno.h>
#include <sys/mman.h>
#include <pthread.h>
#include <pthread_np.h>

#include <rte_os.h>

/** Address space costs nothing here until it is used. */
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

/** Exactly there, and only where nothing is. */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE (MAP_FIXED | MAP_EXCL)
#endif

/** What mmap() says when there is something: the manual knows the one, the kernel the other. */
#define MAP_TAKEN(err) ((err) == EINVAL || (err) == ENOMEM)

#endif /* RTE_OS_SHIM_H */
