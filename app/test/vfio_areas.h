/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_AREAS_H
#define VFIO_AREAS_H

/**
 * @file
 * What suites about lists of areas share.
 */

#include <stdint.h>

#include <rte_vfio_region.h>

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

/** A number; all runs have the same ones. */
uint32_t vfio_areas_random(void);

/** The areas are sorted and disjoint, none is empty, and all lie in a region of @p size bytes. */
void vfio_areas_assert_good(const struct rte_vfio_area *areas, uint32_t nb, uint64_t size);

#endif /* VFIO_AREAS_H */
