/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_VERSION_H
#define RTE_VERSION_H

/**
 * @file
 * The version of this tree, for the compiler and at run time.
 */

#include <rte_common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A version as a number that can be compared; each part 0 to 255. */
#define RTE_VERSION_NUM(year, month, minor, release) \
	((year) << 24 | (month) << 16 | (minor) << 8 | (release))

/** The version of the headers. */
#define RTE_VERSION \
	RTE_VERSION_NUM(RTE_VER_YEAR, RTE_VER_MONTH, RTE_VER_MINOR, RTE_VER_RELEASE)

/**
 * What the version starts with. Any thread, as all that follow.
 *
 * @return A text, e.g. "DPDK-VFIO"; lasts as long as the program.
 */
const char *rte_version_prefix(void);

/**
 * The year of the library.
 *
 * @return Two digits.
 */
unsigned int rte_version_year(void);

/**
 * The month of the library.
 *
 * @return 1 to 12.
 */
unsigned int rte_version_month(void);

/**
 * The minor number of the library.
 *
 * @return 0 to 255.
 */
unsigned int rte_version_minor(void);

/**
 * What the version ends with.
 *
 * @return A text, may be ""; lasts as long as the program.
 */
const char *rte_version_suffix(void);

/**
 * Which candidate of a release the library is.
 *
 * @return Its number; 99: the release.
 */
unsigned int rte_version_release(void);

/**
 * The version of the library.
 *
 * @return A text, e.g. "DPDK-VFIO 25.11.0"; lasts as long as the program.
 */
const char *rte_version(void);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VERSION_H */
