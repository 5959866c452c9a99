/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <rte_bus_pci.h>
#include <rte_dev.h>

#include "fake_vfio.h"
#include "interpose.h"
#include "resources.h"
#include "test.h"
#include "vfio_card.h"

static void hostile_far(struct fake_region *r) { vfio_card_area(&r->caps, 64 * K, K); }
static void hostile_long(struct fake_region *r) { vfio_card_area(&r->caps, 15 * K, 2 * K); }
static void hostile_huge(struct fake_region *r) { vfio_card_area(&r->caps, 0, UINT64_MAX); }
static void hostile_wrap(struct fake_region *r) { vfio_card_area(&r->caps, UINT64_MAX - K + 1,
	2 * K); }

static void
hostile_count(struct fake_region *r)
{
	struct vfio_region_sparse_mmap_area area = { .offset = 0, .size = K };

	fake_caps_add_sparse(&r->caps, 1000000, &area, 1);
}

static void
hostile_loop(struct fake_region *r)
{
	vfio_card_area(&r->caps, 0, K);
	fake_caps_set_last_next(&r->caps, sizeof(struct vfio_region_info));
}

static void
hostile_next(struct fake_region *r)
{
	vfio_card_area(&r->caps, 0, K);
	fake_caps_set_last_next(&r->caps, 0x7ffffff0);
}

static void
hostile_version(struct fake_region *r)
{
	uint8_t payload[24] = { 1 };

	fake_caps_add(&r->caps, VFIO_REGION_INFO_CAP_SPARSE_MMAP, 9, payload, sizeof(payload));
}

static void
hostile_argsz(struct fake_region *r)
{
	vfio_card_area(&r->caps, 0, K);
	r->lie_argsz = 0x40000000;
}

static void
hostile_cap_offset(struct fake_region *r)
{
	vfio_card_area(&r->caps, 0, K);
	r->lie_cap_offset = 3;
}

static void
test_s1_hostile_areas_touch_nothing_and_fall_back_to_calls(void **state)
{
	static void (*const rows[])(struct fake_region *region) = {
		hostile_far, hostile_long, hostile_huge, hostile_wrap, hostile_count,
		hostile_loop, hostile_next, hostile_version, hostile_argsz, hostile_cap_offset,
	};
	struct vfio_card card;
	size_t i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		struct fake_device_desc desc = {
			.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM },
		};

		rows[i](&desc.regions[2]);
		vfio_card_map(&card, &desc);
		assert_null(card.pci->mem_resource[2].addr);
		assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, NULL, 0), 0);
		vfio_assert_every_byte_is_the_same(&card, 16 * K);
		vfio_card_unplug(&card);
	}
}

/* One that no other way of opening the device is tried for; 0: what is usual for each call. */
static int
usual_error(void)
{
	return vfio_card_kernel->cdev ? EMFILE : 0;
}

static void
test_s11_each_call_fails_in_turn_and_nothing_leaks(void **state)
{
	struct interpose_loop loop;
	struct fake_device_desc desc;
	struct vfio_config config;
	struct vfio_card card;
	int rc;

	vfio_card_rich(&desc, &config);
	vfio_card_plug(&card, &desc);
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, usual_error()) {
		rc = rte_pci_map_device(card.pci);
		interpose_disarm();
		assert_true(rc == 0 || (rc < 0 && interpose_fired()));
		if (rc != 0)
			vfio_assert_nothing_is_left(card.pci);
		rte_pci_unmap_device(card.pci);
		vfio_assert_nothing_is_left(card.pci);
		assert_int_equal(card.fake->nb_open, 0);
	}
	vfio_card_unplug(&card);
}

/* What remains after this call failed is not ours to undo: of an address space as of a mapping. */
static bool
leaves_something(const char *call)
{
	return strcmp(call, "munmap") == 0 ||
		(vfio_card_kernel->cdev && strcmp(call, "ioctl") == 0);
}

/* munmap() as well: what it leaves is not ours to undo, but all else is. */
static void
test_s11_each_call_fails_while_unmapping_and_the_rest_is_undone(void **state)
{
	const uint64_t any = INTERPOSE_ANY | INTERPOSE_ONLY(MUNMAP) | INTERPOSE_THIS_THREAD;
	struct resources before;
	struct fake_device_desc desc;
	struct vfio_config config;
	struct vfio_card card;
	unsigned int nth = 0;

	vfio_card_rich(&desc, &config);
	vfio_card_plug(&card, &desc);
	do {
		resources_take(&before);
		assert_int_equal(rte_pci_map_device(card.pci), 0);
		interpose_fail(any, ++nth, 0);
		rte_pci_unmap_device(card.pci);
		interpose_disarm();
		vfio_assert_nothing_is_left(card.pci);
		assert_int_equal(card.fake->nb_open, 0);
		if (interpose_count_of(INTERPOSE_MUNMAP) == 0 ||
				!leaves_something(interpose_fired_name()))
			resources_assert_same(&before);
		resources_drop(&before);
	} while (interpose_fired());
	vfio_card_unplug(&card);
}

static void
test_s12_nothing_stale_after_unmap_or_failure(void **state)
{
	struct fake_device_desc desc;
	struct vfio_config config;
	struct vfio_card card;
	uint64_t len;

	vfio_card_rich(&desc, &config);
	vfio_card_plug(&card, &desc);
	len = card.pci->mem_resource[2].len;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	rte_pci_unmap_device(card.pci);
	vfio_assert_nothing_is_left(card.pci);
	assert_int_equal(card.pci->mem_resource[2].len, len);
	rte_pci_unmap_device(card.pci);
	card.fake->open_err = EBUSY;
	assert_int_equal(rte_pci_map_device(card.pci), -EBUSY);
	vfio_assert_nothing_is_left(card.pci);
	card.fake->open_err = 0;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_non_null(card.pci->mem_resource[2].addr);
	vfio_card_unplug(&card);
}

static void
test_s13_region_of_size_0_is_not_mapped(void **state)
{
	const struct fake_device_desc desc = {
		.regions[2] = { .size = 0, .flags = FAKE_REGION_RWM },
	};
	struct vfio_card card;
	uint8_t byte;

	vfio_card_map(&card, &desc);
	assert_null(card.pci->mem_resource[2].addr);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &byte, 1, 0), -EINVAL);
	vfio_card_unplug(&card);
}

static void
test_region_that_cannot_be_told_fails_the_map(void **state)
{
	static const struct {
		uint32_t region;
		int err;
		int rc;
	} rows[] = {
		{ VFIO_PCI_CONFIG_REGION_INDEX, EINVAL, -EINVAL },
		{ VFIO_PCI_CONFIG_REGION_INDEX, EIO, -EIO },
		{ VFIO_PCI_BAR2_REGION_INDEX, EIO, -EIO },
		{ VFIO_PCI_BAR2_REGION_INDEX, EINVAL, 0 },
		{ VFIO_PCI_VGA_REGION_INDEX, EINVAL, 0 },
		{ VFIO_PCI_VGA_REGION_INDEX, EIO, 0 },
		{ VFIO_PCI_ROM_REGION_INDEX, EIO, 0 },
	};
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;
	size_t i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		vfio_card_plug(&card, &desc);
		card.fake->desc.regions[rows[i].region].info_err = rows[i].err;
		assert_int_equal(rte_pci_map_device(card.pci), rows[i].rc);
		if (rows[i].rc != 0)
			vfio_assert_nothing_is_left(card.pci);
		vfio_card_unplug(&card);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_s1_hostile_areas_touch_nothing_and_fall_back_to_calls),
	cmocka_unit_test(test_s11_each_call_fails_in_turn_and_nothing_leaks),
	cmocka_unit_test(test_s11_each_call_fails_while_unmapping_and_the_rest_is_undone),
	cmocka_unit_test(test_s12_nothing_stale_after_unmap_or_failure),
	cmocka_unit_test(test_s13_region_of_size_0_is_not_mapped),
	cmocka_unit_test(test_region_that_cannot_be_told_fails_the_map),
};
VFIO_CARD_SUITES(pci_vfio_trouble, tests)
