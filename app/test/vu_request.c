/* SPDX-License-Identifier: BSD-3-Clause */

#include <sys/mman.h>

#include <rte_vfio_user.h>

#include "test.h"
#include "vu_request.h"

int
request_read(int dev_id)
{
	uint32_t value = 0;
	int rc = rte_vfio_user_region_read(dev_id, 3, 0x10, 4, &value);

	if (rc == 0)
		assert_int_equal(value, 0x13121110);
	return rc;
}

int
request_write(int dev_id)
{
	return rte_vfio_user_region_write(dev_id, 3, 0x10, 4, "\1\2\3\4");
}

int
request_post(int dev_id)
{
	return rte_vfio_user_region_post(dev_id, 3, 0x10, 4, "\1\2\3\4");
}

int
request_reset(int dev_id)
{
	return rte_vfio_user_reset(dev_id);
}

int
request_info(int dev_id)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	return rte_vfio_user_get_dev_info(dev_id, &info);
}

int
request_reg_info(int dev_id)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = 2 };

	return rte_vfio_user_get_reg_info(dev_id, &info, NULL);
}

int
request_irq_info(int dev_id)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = 2 };

	return rte_vfio_user_get_irq_info(dev_id, &info);
}

int
request_map(int dev_id)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = 0x1000, .size = 0x2000,
		.protection = PROT_READ };

	return rte_vfio_user_dma_map(dev_id, &mem, NULL, 1);
}

int
request_unmap(int dev_id)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = 0x1000, .size = 0x2000 };

	return rte_vfio_user_dma_unmap(dev_id, &mem, 1);
}

int
request_unmap_all(int dev_id)
{
	return rte_vfio_user_dma_unmap_all(dev_id);
}

int
request_irqs_off(int dev_id)
{
	struct vfio_irq_set set = { .argsz = sizeof(set), .index = 2,
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER };

	return rte_vfio_user_set_irqs(dev_id, &set);
}

int
request_mig_write(int dev_id)
{
	return rte_vfio_user_mig_write(dev_id, "abc", 3);
}
