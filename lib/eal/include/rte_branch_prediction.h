/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_BRANCH_PREDICTION_H
#define RTE_BRANCH_PREDICTION_H

/**
 * @file
 * Hints about which way a branch goes.
 */

#ifndef likely
/** @p x is mostly true. */
#define likely(x) __builtin_expect(!!(x), 1)
#endif

#ifndef unlikely
/** @p x is mostly false. */
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

#endif /* RTE_BRANCH_PREDICTION_H */
