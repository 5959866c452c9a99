/* SPDX-License-Identifier: BSD-3-Clause */

#include <rte_vfio_region.h>

#include "test.h"
#include "vfio_areas.h"

uint32_t
vfio_areas_random(void)
{
	static uint32_t seed = 12345;

	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

void
vfio_areas_assert_good(const struct rte_vfio_area *areas, uint32_t nb, uint64_t size)
{
	uint64_t end = 0;
	uint32_t i;

	for (i = 0; i < nb; i++) {
		assert_true(areas[i].size > 0);
		assert_true(i == 0 || areas[i].offset > end);
		assert_true(areas[i].offset <= size && areas[i].size <= size - areas[i].offset);
		end = areas[i].offset + areas[i].size;
	}
}
