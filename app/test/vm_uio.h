/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VM_UIO_H
#define VM_UIO_H

/**
 * @file
 * What suites about the bus on the kernel's uio_pci_generic share: the guest's devices, their
 * registers, and how they are mapped. Functions fail the test if they cannot do what they should.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <rte_bus_pci.h>

#define TESTDEV 0x1b36, 0x0005
#define NVME 0x1b36, 0x0010
#define E1000E 0x8086, 0x10d3
#define VIRTIO_NET 0x1af4, 0x1000
#define IVSHMEM 0x1af4, 0x1110

/** All of them. */
#define VM_UIO_DEVICES 5
extern const struct vm_uio_device {
	uint16_t vendor, device;
} vm_uio_devices[VM_UIO_DEVICES];

/** Setup of a suite: whatever ran before in this guest, none of them is bound; EAL runs. */
int vm_uio_setup(void **state);

/** BARs of e1000e: the same registers in memory, and through ports by address and data. */
#define VM_UIO_E1000E_MEM 0
#define VM_UIO_E1000E_IO 2

/** Have the bus drive a device of the guest by UIO. */
struct rte_pci_device *vm_uio_probe(uint16_t vendor, uint16_t device);

/** A register of four bytes. */
uint32_t vm_uio_mem_read(const struct rte_pci_device *dev, int bar, off_t offset);
uint32_t vm_uio_port_read(struct rte_pci_ioport *port, off_t offset);

/** A register of e1000e through its ports. */
uint32_t vm_uio_read_by_ports(struct rte_pci_ioport *port, uint32_t reg);

/** Registers of e1000e read the same through both BARs. */
void vm_uio_assert_ports_and_memory_agree(struct rte_pci_device *dev);

/** Does a line of the process's mappings end with this file, and have this protection? */
bool vm_uio_maps_have(const char *file, const char *prot);

#endif /* VM_UIO_H */
