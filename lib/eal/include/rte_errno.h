/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_ERRNO_H
#define RTE_ERRNO_H

/**
 * @file
 * The error of the last failed call, for calls that promise to tell it here.
 */

#include <rte_per_lcore.h>

#ifdef __cplusplus
extern "C" {
#endif

RTE_DECLARE_PER_LCORE(int, _rte_errno);

/** A value of errno.h or one of the E_RTE_ values; each thread has its own. */
#define rte_errno RTE_PER_LCORE(_rte_errno)

/**
 * Say what an error number means.
 *
 * @param errnum A positive number, from errno.h or from this file.
 * @return A text, never NULL; it belongs to the thread and lasts until its next call.
 */
const char *rte_strerror(int errnum);

/** Errors that errno.h does not know. */
enum {
	RTE_MIN_ERRNO = 1000,	/**< all are greater */
	E_RTE_SECONDARY,	/**< not for a secondary process */
	E_RTE_NO_CONFIG,	/**< rte_eal_init() has not run */
	RTE_MAX_ERRNO	/**< all are smaller */
};

#ifdef __cplusplus
}
#endif

#endif /* RTE_ERRNO_H */
