/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_PER_LCORE_H
#define RTE_PER_LCORE_H

/**
 * @file
 * Variables of which each thread has its own.
 */

/** Define the variable @p name; "static" or "extern" may stand before. */
#define RTE_DEFINE_PER_LCORE(type, name) __thread __typeof__(type) per_lcore_##name
/** Declare the variable @p name of another file. */
#define RTE_DECLARE_PER_LCORE(type, name) extern __thread __typeof__(type) per_lcore_##name
/** This thread's @p name. */
#define RTE_PER_LCORE(name) (per_lcore_##name)

#endif /* RTE_PER_LCORE_H */
