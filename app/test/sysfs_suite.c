/* SPDX-License-Identifier: BSD-3-Clause */

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_eal.h>

#include "fake_backend.h"
#include "fake_sysfs.h"
#include "sysfs_suite.h"
#include "test.h"

const struct fake_sysfs_desc sysfs_nic = {
	.driver = SYSFS_OURS,
	.vendor = 0x8086, .device = 0x1533, .subsystem_vendor = 0x103c, .subsystem_device = 3,
	.class_id = 0x020000, .numa_node = 1, .bar_len = 0x20000,
};

const struct fake_sysfs_desc sysfs_foreign = {
	.driver = "e1000e",
	.vendor = 0x8086, .device = 0x10d3, .class_id = 0x020000, .numa_node = -1,
	.bar_len = 0x1000,
};

struct fake_sysfs *sysfs_tree;
struct rte_bus *sysfs_bus;

int
sysfs_setup(void **state)
{
	sysfs_tree = fake_sysfs_start();
	fake_backend_start();
	sysfs_bus = rte_bus_find_by_name("pci");
	return sysfs_bus == NULL ? -1 : 0;
}

int
sysfs_teardown(void **state)
{
	rte_eal_cleanup();	/* still runs after a failure */
	fake_backend_stop();
	fake_sysfs_stop(sysfs_tree);
	return 0;
}

struct rte_pci_device *
sysfs_find(const char *name)
{
	char filter[64];
	struct rte_device *dev;

	snprintf(filter, sizeof(filter), "addr=%s", name);
	dev = sysfs_bus->dev_iterate(NULL, filter, NULL);
	return dev == NULL ? NULL : RTE_DEV_TO_PCI(dev);
}

unsigned int
sysfs_count(void)
{
	struct rte_device *dev = NULL;
	unsigned int nb = 0;

	while ((dev = sysfs_bus->dev_iterate(dev, "", NULL)) != NULL)
		nb++;
	return nb;
}

void
sysfs_rescan(void)
{
	assert_int_equal(sysfs_bus->scan(), 0);
}

void
sysfs_assert_is_nic(const struct rte_pci_device *dev)
{
	assert_non_null(dev);
	assert_int_equal(dev->id.vendor_id, 0x8086);
	assert_int_equal(dev->id.device_id, 0x1533);
	assert_int_equal(dev->id.subsystem_vendor_id, 0x103c);
	assert_int_equal(dev->id.subsystem_device_id, 3);
	assert_int_equal(dev->id.class_id, 0x020000);
	assert_int_equal(dev->device.numa_node, 1);
	assert_int_equal(dev->mem_resource[0].phys_addr, 0xfe000000);
	assert_int_equal(dev->mem_resource[0].len, 0x20000);
	assert_null(dev->mem_resource[0].addr);
	assert_int_equal(dev->mem_resource[1].len, 0);
}

void
sysfs_add_many(unsigned int nb, const struct fake_sysfs_desc *desc)
{
	char name[PCI_PRI_STR_SIZE];
	unsigned int i;

	for (i = 0; i < nb; i++) {
		/* all different, and not in order */
		snprintf(name, sizeof(name), "%04x:%02x:%02x.%x", (i * 7) & 3, (i * 37) & 0xff,
			(i >> 8) & 0x1f, (i >> 13) & 7);
		fake_sysfs_add(sysfs_tree, name, desc);
	}
}
