/* SPDX-License-Identifier: BSD-3-Clause */

#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_interrupts.h>

#include "edu_vectors.h"
#include "vm_doorbell.h"

static int
reg_write(const struct rte_pci_device *dev, off_t reg, uint32_t value)
{
	int rc = rte_pci_mmio_write(dev, 0, &value, sizeof(value), reg);

	return rc < 0 ? rc : 0;
}

/* ---- ivshmem, docs/specs/ivshmem-spec.rst: alone with itself ---- */

#define IVSHMEM_REG_ID       8
#define IVSHMEM_REG_DOORBELL 12

static int
nothing_to_do(struct rte_pci_device *dev)
{
	return 0;
}

static int
ivshmem_raise(const struct rte_pci_device *dev, unsigned int vector)
{
	uint32_t id;
	int rc = rte_pci_mmio_read(dev, 0, &id, sizeof(id), IVSHMEM_REG_ID);

	return rc < 0 ? rc : reg_write(dev, IVSHMEM_REG_DOORBELL, id << 16 | vector);
}

/* ---- edu, doc/guides/tools/dpdk-vfio-user.rst ---- */

/* Its driver has the first vector, by which it also acknowledges what comes. */
static int
edu_open(struct rte_pci_device *dev)
{
	edu_vectors_choose(dev, 0);
	return rte_intr_disable(dev->intr_handle);
}

static int
edu_close(struct rte_pci_device *dev)
{
	return rte_intr_enable(dev->intr_handle);
}

static int
edu_raise(const struct rte_pci_device *dev, unsigned int vector)
{
	return reg_write(dev, EDU_REG_RAISE, UINT32_C(1) << vector);
}

/* ---- which there is ---- */

static const struct vm_doorbell doorbells[] = {
	{
		.vendor = 0x1af4, .id = 0x1110,
		.open = nothing_to_do, .close = nothing_to_do, .raise = ivshmem_raise,
		.knows_masks = true,
	},
	{
		/* its server does not see the table, which QEMU has */
		.vendor = 0x1234, .id = 0x11e8,
		.open = edu_open, .close = edu_close, .raise = edu_raise,
		.knows_masks = false,
	},
};

const struct vm_doorbell *
vm_doorbell_find(char bdf[VM_BDF_LEN])
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(doorbells); i++)
		if (vm_find(doorbells[i].vendor, doorbells[i].id, bdf))
			return &doorbells[i];
	return NULL;
}
