/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_LOG_H
#define VU_LOG_H

#include <rte_log.h>

/** The log type "lib.vfio_user". */
extern int vu_logtype;
#define RTE_LOGTYPE_VFIO_USER vu_logtype

/** Log one line: VU_LOG(ERR, "%s: cannot bind: %s", path, reason). */
#define VU_LOG(level, ...) RTE_LOG_LINE(level, VFIO_USER, "" __VA_ARGS__)

#endif /* VU_LOG_H */
