/* SPDX-License-Identifier: BSD-3-Clause */

#include <stddef.h>
#include <string.h>

#include "fake_vfio.h"
#include "test.h"

/* Capability chains. */

void
fake_caps_add(struct fake_caps *caps, uint16_t id, uint16_t version, const void *payload,
		uint32_t len)
{
	struct vfio_info_cap_header head = { .id = id, .version = version };
	uint32_t at = (caps->len + 7) & ~UINT32_C(7);

	assert_true(at + sizeof(head) + len <= sizeof(caps->bytes));
	if (caps->len != 0)
		fake_caps_set_last_next(caps, sizeof(struct vfio_region_info) + at);
	memcpy(&caps->bytes[at], &head, sizeof(head));
	if (len != 0)
		memcpy(&caps->bytes[at + sizeof(head)], payload, len);
	caps->last = at;
	caps->len = at + sizeof(head) + len;
}

void
fake_caps_set_last_next(struct fake_caps *caps, uint32_t off)
{
	memcpy(&caps->bytes[caps->last + offsetof(struct vfio_info_cap_header, next)], &off,
		sizeof(off));
}

void
fake_caps_add_sparse(struct fake_caps *caps, uint32_t nr_areas,
		const struct vfio_region_sparse_mmap_area *areas, uint32_t nb)
{
	struct {
		uint32_t nr_areas;
		uint32_t reserved;
		struct vfio_region_sparse_mmap_area areas[FAKE_WINDOWS_MAX];
	} payload = { .nr_areas = nr_areas };

	assert_true(nb <= FAKE_WINDOWS_MAX);
	if (nb != 0)
		memcpy(payload.areas, areas, nb * sizeof(areas[0]));
	fake_caps_add(caps, VFIO_REGION_INFO_CAP_SPARSE_MMAP, 1, &payload,
		8 + nb * sizeof(areas[0]));
}

void
fake_caps_add_msix_mappable(struct fake_caps *caps)
{
	fake_caps_add(caps, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, 1, NULL, 0);
}
