/* SPDX-License-Identifier: BSD-3-Clause */

/* DEVICE_GET_IRQ_INFO, from our client to our server. */

#include <errno.h>
#include <stdlib.h>

#include "vu_pair.h"

static void
test_types_are_as_described(void **state)
{
	static const struct {
		uint32_t count;
		uint32_t flags;
	} expected[SERVED_IRQS] = {
		[VFIO_PCI_INTX_IRQ_INDEX] = { 1, VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE |
			VFIO_IRQ_INFO_AUTOMASKED },
		[VFIO_PCI_MSI_IRQ_INDEX] = { 4, VFIO_IRQ_INFO_EVENTFD },
		[VFIO_PCI_MSIX_IRQ_INDEX] = { SERVED_MSIX_NB, VFIO_IRQ_INFO_EVENTFD },
		[VFIO_PCI_ERR_IRQ_INDEX] = { 1, VFIO_IRQ_INFO_EVENTFD },
		[VFIO_PCI_REQ_IRQ_INDEX] = { 1, VFIO_IRQ_INFO_EVENTFD },
	};
	struct pair *pair = *state;
	struct vfio_irq_info info;
	uint32_t i;

	for (i = 0; i < SERVED_IRQS; i++) {
		info = (struct vfio_irq_info) { .argsz = sizeof(info), .index = i };
		assert_int_equal(rte_vfio_user_get_irq_info(pair->dev_id, &info), 0);
		assert_int_equal(info.argsz, sizeof(info));
		assert_int_equal(info.index, i);
		assert_int_equal(info.count, expected[i].count);
		assert_int_equal(info.flags, expected[i].flags);
	}
}

static void
test_what_is_refused(void **state)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = SERVED_IRQS };
	struct pair *pair = *state;

	assert_int_equal(rte_vfio_user_get_irq_info(pair->dev_id, &info), -EINVAL);
	info.index = 0;
	info.argsz = sizeof(info) - 1;
	assert_int_equal(rte_vfio_user_get_irq_info(pair->dev_id, &info), -EINVAL);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS(test_types_are_as_described),
	PAIR_TESTS(test_what_is_refused),
};

TEST_SUITE(vu_pair_get_irq_info, "functional", tests, served_warm_up, NULL)
