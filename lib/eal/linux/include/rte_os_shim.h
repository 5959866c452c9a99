/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_OS_SHIM_H
#define RTE_OS_SHIM_H

/**
 * @file
 * What differs between systems, for sources of this tree.
 */

#include <rte_os.h>

#endif /* RTE_OS_SHIM_H */
