/* SPDX-License-Identifier: BSD-3-Clause */

/* DEVICE_GET_INFO, from our client to our server. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vu_pair.h"

static void
test_device_is_as_described(void **state)
{
	struct pair *pair = *state;
	struct vfio_device_info info = { .argsz = sizeof(info) };

	assert_int_equal(rte_vfio_user_get_dev_info(pair->dev_id, &info), 0);
	assert_int_equal(info.argsz, 16);
	assert_int_equal(info.flags, VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI);
	assert_int_equal(info.num_regions, SERVED_REGIONS);
	assert_int_equal(info.num_irqs, SERVED_IRQS);
}

static void
test_room_for_it(void **state)
{
	struct pair *pair = *state;
	uint8_t bytes[sizeof(struct vfio_device_info) + 16];
	struct vfio_device_info *info = (void *)bytes;

	memset(bytes, 0x5a, sizeof(bytes));
	info->argsz = 15;
	assert_int_equal(rte_vfio_user_get_dev_info(pair->dev_id, info), -EINVAL);
	assert_int_equal(bytes[4], 0x5a);
	info->argsz = 16;
	assert_int_equal(rte_vfio_user_get_dev_info(pair->dev_id, info), 0);
	assert_int_equal(bytes[16], 0x5a);
}

static void
describe_no_pci(struct served *served)
{
	struct vfio_device_info info = { .argsz = sizeof(info), .num_regions = SERVED_REGIONS,
		.num_irqs = SERVED_IRQS };

	assert_int_equal(rte_vfio_user_set_dev_info(served->path, &info), 0);
}

static struct pair_how no_pci = { .prepare = describe_no_pci };

static void
test_only_pci_devices_are_attached_to(void **state)
{
	struct pair *pair = *state;

	assert_int_equal(pair->dev_id, -ENODEV);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS(test_device_is_as_described),
	PAIR_TESTS(test_room_for_it),
	PAIR_TESTS_HOW(test_only_pci_devices_are_attached_to, &no_pci),
};

TEST_SUITE(vu_pair_get_info, "functional", tests, served_warm_up, NULL)
