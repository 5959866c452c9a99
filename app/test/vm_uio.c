/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "test.h"
#include "vm.h"
#include "vm_bus.h"
#include "vm_uio.h"

const struct vm_uio_device vm_uio_devices[VM_UIO_DEVICES] = {
	{ TESTDEV }, { NVME }, { E1000E }, { VIRTIO_NET }, { IVSHMEM },
};

int
vm_uio_setup(void **state)
{
	char bdf[VM_BDF_LEN];
	unsigned int i;

	for (i = 0; i < VM_UIO_DEVICES; i++)
		if (vm_find(vm_uio_devices[i].vendor, vm_uio_devices[i].device, bdf))
			vm_bind(bdf, NULL);
	return vm_bus_setup(state);
}

struct rte_pci_device *
vm_uio_probe(uint16_t vendor, uint16_t device)
{
	struct rte_pci_device *dev;
	char bdf[VM_BDF_LEN];

	assert_true(vm_find(vendor, device, bdf));
	dev = vm_bus_probe(bdf, "uio_pci_generic", "");
	assert_non_null(dev);
	assert_int_equal(dev->kdrv, RTE_PCI_KDRV_UIO_GENERIC);
	return dev;
}

uint32_t
vm_uio_mem_read(const struct rte_pci_device *dev, int bar, off_t offset)
{
	uint32_t value = 0;

	assert_int_equal(rte_pci_mmio_read(dev, bar, &value, sizeof(value), offset),
		sizeof(value));
	return value;
}

/* Registers of e1000e as its ports give them: one takes the address, the other has the data. */
#define IOADDR 0
#define IODATA 4
static const uint32_t e1000e_registers[] = { 0x0008, 0x5400, 0x5404, 0x0010 };

uint32_t
vm_uio_port_read(struct rte_pci_ioport *port, off_t offset)
{
	uint32_t value = 0;

	rte_pci_ioport_read(port, &value, sizeof(value), offset);
	return value;
}

uint32_t
vm_uio_read_by_ports(struct rte_pci_ioport *port, uint32_t reg)
{
	rte_pci_ioport_write(port, &reg, sizeof(reg), IOADDR);
	return vm_uio_port_read(port, IODATA);
}

void
vm_uio_assert_ports_and_memory_agree(struct rte_pci_device *dev)
{
	struct rte_pci_ioport port;
	size_t i;

	assert_int_equal(rte_pci_ioport_map(dev, VM_UIO_E1000E_IO, &port), 0);
	for (i = 0; i < RTE_DIM(e1000e_registers); i++)
		assert_int_equal(vm_uio_read_by_ports(&port, e1000e_registers[i]),
			vm_uio_mem_read(dev, VM_UIO_E1000E_MEM, e1000e_registers[i]));
	assert_int_not_equal(vm_uio_read_by_ports(&port, 0x5400), 0);	/* the MAC's start */
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
}

bool
vm_uio_maps_have(const char *file, const char *prot)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	bool found = false;

	assert_non_null(maps);
	while (!found && fgets(line, sizeof(line), maps) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		found = strlen(line) > strlen(file) && strstr(line, prot) != NULL &&
			strcmp(line + strlen(line) - strlen(file), file) == 0;
	}
	fclose(maps);
	return found;
}
