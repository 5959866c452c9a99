/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VM_BUS_H
#define VM_BUS_H

/**
 * @file
 * What suites of kind "vm" share that reach devices through the bus: EAL, and a driver that takes
 * any device of the guest and does nothing with it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bus_pci_driver.h>

struct vm_span;

/**
 * Start EAL with the options in the environment's DPDK_TEST_EAL_ARGS, none of the guest's devices
 * being bound. 0 or -1, as a cmocka group setup returns.
 */
int vm_bus_setup(void **state);

/** Remove what a test that failed has left on the bus, for the next one. A cmocka teardown. */
int vm_bus_clean(void **state);

/** A test that may use the bus. */
#define VM_BUS_TEST(f) cmocka_unit_test_teardown(f, vm_bus_clean)

/** Stop EAL. 0 or -1, as a cmocka group teardown returns. */
int vm_bus_teardown(void **state);

/**
 * Bind the device to the kernel driver, let the bus find and probe it with these arguments for its
 * driver. NULL: it did not.
 */
struct rte_pci_device *vm_bus_probe(const char *bdf, const char *kernel_driver, const char *args);

/** Remove the device from the bus, which unmaps it. 0 or -errno. */
int vm_bus_remove(struct rte_pci_device *dev);

/** Its address. */
const char *vm_bus_bdf(const struct rte_pci_device *dev);

/** Its command register, as the kernel tells it. The test fails if it does not. */
uint16_t vm_bus_command(const struct rte_pci_device *dev);

/** It masters the bus while it is mapped, and no longer. It is mapped, and removed at the end. */
void vm_bus_assert_masters_while_mapped(struct rte_pci_device *dev);

/** The device of this address, if the bus has probed it. */
struct rte_pci_device *vm_bus_find(const char *bdf);

/** Where region @p index of the device is in the file that rte_intr_dev_fd_get() tells. */
uint64_t vm_bus_region_offset(const struct rte_pci_device *dev, unsigned int index);

/**
 * Read a region by pread() on the device's file, naturally aligned words of @p width bytes
 * at a time. 0 or -errno.
 */
int vm_bus_pread(const struct rte_pci_device *dev, unsigned int index, void *buf, size_t len,
		uint64_t off, size_t width);

/** The same by pwrite(). */
int vm_bus_pwrite(const struct rte_pci_device *dev, unsigned int index, const void *buf, size_t len,
		uint64_t off);

#endif /* VM_BUS_H */
