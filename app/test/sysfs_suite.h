/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef SYSFS_SUITE_H
#define SYSFS_SUITE_H

/**
 * @file
 * What suites about the scan of Linux share: a tree of devices, and the bus that looks at it.
 * Functions fail the test if they cannot do what they should.
 */

#include <bus_driver.h>
#include <bus_pci_driver.h>

#include "fake_backend.h"
#include "fake_sysfs.h"

/** A test with an empty tree around it, and without EAL. */
#define SYSFS_TEST(name_) cmocka_unit_test_setup_teardown(name_, sysfs_setup, sysfs_teardown)

#define SYSFS_OURS FAKE_BACKEND_KERNEL_DRIVER

/** A device that is for us, and one that the kernel has a driver for. */
extern const struct fake_sysfs_desc sysfs_nic;
extern const struct fake_sysfs_desc sysfs_foreign;

extern struct fake_sysfs *sysfs_tree;
extern struct rte_bus *sysfs_bus;

int sysfs_setup(void **state);
int sysfs_teardown(void **state);

/** The device of a name that the bus has, or NULL. */
struct rte_pci_device *sysfs_find(const char *name);

/** How many it has. */
unsigned int sysfs_count(void);

/** Add many of them to the tree. */
void sysfs_add_many(unsigned int nb, const struct fake_sysfs_desc *desc);

/** A device is sysfs_nic. */
void sysfs_assert_is_nic(const struct rte_pci_device *dev);

/** Scan now. */
void sysfs_rescan(void);

#endif /* SYSFS_SUITE_H */
