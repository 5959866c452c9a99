/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef COUNTER_H
#define COUNTER_H

/**
 * @file
 * Counters that callbacks in other threads raise, and tests wait for.
 */

#include <stdatomic.h>

/** Wait until it has been counted to @p value; the test fails if that takes a minute. */
void counter_wait(const atomic_uint *counter, unsigned int value);

#endif /* COUNTER_H */
