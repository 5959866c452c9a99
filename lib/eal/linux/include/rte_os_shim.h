/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_OS_SHIM_H
#define RTE_OS_SHIM_H

/**
 * @file
 * What differs between systems, for sources of this tree.
 */

#include <errno.h>

#include <rte_os.h>

/** What mmap() says when there is something and MAP_FIXED_NOREPLACE. */
#define MAP_TAKEN(err) ((err) == EEXIST)

#endif /* RTE_OS_SHIM_H */
