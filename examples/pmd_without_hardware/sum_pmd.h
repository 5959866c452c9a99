/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef SUM_PMD_H
#define SUM_PMD_H

#include <stdint.h>

/* The driver of the device in sum.h, as an author may begin it: one device, one caller. */

struct sum;

/* The device that was probed last and is still there; NULL: there is none. */
struct sum *sum_get(void);

/*
 * Add bytes of EAL's memory, and sleep until that is done, at most for timeout_ms.
 *
 * Returns 0; -EIO: the device could not, or is not there; -ETIMEDOUT: it did not end in time; or
 * what the bus says when the device cannot be reached.
 */
int sum_compute(struct sum *sum, const void *bytes, uint32_t length, uint32_t *result,
	unsigned int timeout_ms);

#endif /* SUM_PMD_H */
