/* SPDX-License-Identifier: BSD-3-Clause */

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "eal_session.h"
#include "fake_sysfs.h"
#include "sysfs_suite.h"
#include "test.h"

/* ---- what a device is ---- */

static void
test_identity_is_what_sysfs_says(void **state)
{
	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_nic);
	eal_session_start(NULL);
	sysfs_assert_is_nic(sysfs_find("0000:01:00.0"));
	assert_int_equal(sysfs_find("0000:01:00.0")->kdrv, RTE_PCI_KDRV_VFIO);
	assert_string_equal(sysfs_find("0000:01:00.0")->name, "0000:01:00.0");
}

static void
test_identity_is_read_singly_without_modalias(void **state)
{
	struct fake_sysfs_desc old = sysfs_nic;

	old.no_modalias = true;
	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &old);
	eal_session_start(NULL);
	sysfs_assert_is_nic(sysfs_find("0000:01:00.0"));
}

static void
test_numa_node_need_not_be_told(void **state)
{
	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_nic);
	fake_sysfs_set(sysfs_tree, "0000:01:00.0", "numa_node", NULL);
	eal_session_start(NULL);
	assert_int_equal(sysfs_find("0000:01:00.0")->device.numa_node, -1);
}

static void
test_device_without_kernel_driver_is_not_listed(void **state)
{
	struct fake_sysfs_desc idle = sysfs_nic;

	idle.driver = NULL;
	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &idle);
	eal_session_start(NULL);
	assert_int_equal(sysfs_count(), 0);
	fake_sysfs_bind(sysfs_tree, "0000:01:00.0", SYSFS_OURS);
	sysfs_rescan();
	sysfs_assert_is_nic(sysfs_find("0000:01:00.0"));
	fake_sysfs_bind(sysfs_tree, "0000:01:00.0", NULL);
	sysfs_rescan();
	assert_int_equal(sysfs_count(), 0);
}

static void
test_device_of_another_kernel_driver_is_listed(void **state)
{
	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_foreign);
	eal_session_start(NULL);
	assert_int_equal(sysfs_find("0000:01:00.0")->kdrv, RTE_PCI_KDRV_UNKNOWN);
	assert_int_equal(sysfs_find("0000:01:00.0")->id.device_id, 0x10d3);
	assert_int_equal(rte_pci_map_device(sysfs_find("0000:01:00.0")), 1);
	fake_sysfs_bind(sysfs_tree, "0000:01:00.0", SYSFS_OURS);
	sysfs_rescan();
	assert_int_equal(sysfs_find("0000:01:00.0")->kdrv, RTE_PCI_KDRV_VFIO);
}

static void
test_domain_may_be_beyond_16_bits(void **state)
{
	static const char *const names[] = { "10000:00:01.0", "7fffffff:ff:1f.7" };
	unsigned int i;

	for (i = 0; i < RTE_DIM(names); i++)
		fake_sysfs_add(sysfs_tree, names[i], &sysfs_nic);
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(names); i++)
		assert_string_equal(sysfs_find(names[i])->name, names[i]);
	assert_ptr_equal(sysfs_find("00010000:00:01.0"), sysfs_find("10000:00:01.0"));
}

static void
test_what_is_no_device_is_passed_over(void **state)
{
	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_nic);
	fake_sysfs_add(sysfs_tree, "pci0000:00", &sysfs_nic);
	fake_sysfs_add(sysfs_tree, "1:00.0", &sysfs_nic);
	fake_sysfs_add(sysfs_tree, "0000:01:00.0.1", &sysfs_nic);
	eal_session_start(NULL);
	assert_int_equal(sysfs_count(), 1);
}

static void
test_machine_without_pci_has_no_devices(void **state)
{
	char gone[sizeof(sysfs_tree->devices) + 8];

	snprintf(gone, sizeof(gone), "%s/none", sysfs_tree->devices);
	setenv("SYSFS_PCI_DEVICES", gone, 1);
	eal_session_start(NULL);
	assert_int_equal(sysfs_bus->scan(), 0);
	assert_int_equal(sysfs_count(), 0);
	setenv("SYSFS_PCI_DEVICES", sysfs_tree->devices, 1);
	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_nic);
	sysfs_rescan();
	assert_int_equal(sysfs_count(), 1);
}

/* ---- scans after the first one ---- */

static void
test_rescan_finds_what_came_and_went(void **state)
{
	fake_sysfs_add(sysfs_tree, "0000:02:00.0", &sysfs_nic);
	fake_sysfs_add(sysfs_tree, "0000:04:00.0", &sysfs_nic);
	eal_session_start(NULL);
	assert_int_equal(sysfs_count(), 2);
	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_nic);
	fake_sysfs_add(sysfs_tree, "0000:03:00.0", &sysfs_nic);
	fake_sysfs_add(sysfs_tree, "0000:05:00.0", &sysfs_nic);
	sysfs_rescan();
	assert_int_equal(sysfs_count(), 5);
	fake_sysfs_remove(sysfs_tree, "0000:01:00.0");
	fake_sysfs_remove(sysfs_tree, "0000:04:00.0");
	fake_sysfs_remove(sysfs_tree, "0000:05:00.0");
	sysfs_rescan();
	assert_int_equal(sysfs_count(), 2);
	assert_non_null(sysfs_find("02:00.0"));
	assert_non_null(sysfs_find("03:00.0"));
}

static void
test_rescan_reads_an_unused_device_again(void **state)
{
	struct rte_pci_device *dev;

	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_nic);
	eal_session_start(NULL);
	dev = sysfs_find("0000:01:00.0");
	fake_sysfs_set(sysfs_tree, "0000:01:00.0", "modalias",
		"pci:v000015B3d00001019sv000015B3sd00000008bc02sc00i00\n");
	fake_sysfs_set(sysfs_tree, "0000:01:00.0", "numa_node", "0\n");
	sysfs_assert_is_nic(sysfs_find("0000:01:00.0"));
	sysfs_rescan();
	assert_ptr_equal(sysfs_find("0000:01:00.0"), dev);
	assert_int_equal(dev->id.vendor_id, 0x15b3);
	assert_int_equal(dev->device.numa_node, 0);
	assert_string_equal(dev->bus_info, "vendor_id=15b3, device_id=1019");
}

static unsigned int nb_compared;

static int
cmp_numa(const struct rte_device *dev, const void *data)
{
	nb_compared++;
	return rte_dev_numa_node(dev) != *(const int *)data;
}

static void
test_another_device_at_the_address_is_read_before_it_is_compared(void **state)
{
	struct fake_sysfs_desc other = sysfs_nic;
	int node = sysfs_nic.numa_node;

	other.numa_node = 0;
	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_nic);
	eal_session_start(NULL);
	assert_non_null(sysfs_bus->find_device(NULL, cmp_numa, &node));
	fake_sysfs_remove(sysfs_tree, "0000:01:00.0");
	fake_sysfs_add(sysfs_tree, "0000:0f:00.0", &other);	/* takes the inode,
		if that is free */
	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &other);
	sysfs_rescan();
	nb_compared = 0;
	assert_null(sysfs_bus->find_device(NULL, cmp_numa, &node));
	assert_int_equal(nb_compared, 2);	/* each once, as it is now */
}

static void
test_device_that_is_found_is_read_and_compared_again(void **state)
{
	int node = sysfs_nic.numa_node;

	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_nic);
	eal_session_start(NULL);
	assert_non_null(sysfs_bus->find_device(NULL, cmp_numa, &node));
	fake_sysfs_set(sysfs_tree, "0000:01:00.0", "numa_node", "0\n");
	sysfs_rescan();
	assert_null(sysfs_bus->find_device(NULL, cmp_numa, &node));
	node = 0;
	assert_non_null(sysfs_bus->find_device(NULL, cmp_numa, &node));
}

/* ---- drivers that do without a mapping ---- */

static unsigned int nb_probes;
static uint16_t max_vfs;

static int
note_probe(struct rte_pci_driver *driver, struct rte_pci_device *dev)
{
	nb_probes++;
	max_vfs = dev->max_vfs;
	return 0;
}

static const struct rte_pci_id intel[] = {
	{ RTE_PCI_DEVICE(0x8086, RTE_PCI_ANY_ID) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver sharing_driver = {
	.driver.name = "sharing", .id_table = intel, .probe = note_probe,
};

static void
test_driver_without_mapping_shares_a_device_with_the_kernel(void **state)
{
	struct fake_sysfs_desc other = sysfs_foreign;

	other.vendor = 0x15b3;
	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_foreign);
	fake_sysfs_add(sysfs_tree, "0000:02:00.0", &other);
	nb_probes = 0;
	rte_pci_register(&sharing_driver);
	eal_session_start(NULL);
	assert_int_equal(nb_probes, 1);
	assert_ptr_equal(sysfs_find("01:00.0")->driver, &sharing_driver);
	eal_session_stop();
	rte_pci_unregister(&sharing_driver);
}

static void
test_driver_sees_how_many_virtual_functions_are_on(void **state)
{
	static const unsigned int counts[] = { 0, 1, 2, 3, 7, 64, 65, 300 };
	char link[32];
	unsigned int i, have = 0;

	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_foreign);
	rte_pci_register(&sharing_driver);
	for (i = 0; i < RTE_DIM(counts); i++) {
		for (; have < counts[i]; have++) {
			snprintf(link, sizeof(link), "virtfn%u", have);
			fake_sysfs_set(sysfs_tree, "0000:01:00.0", link, "");
		}
		max_vfs = UINT16_MAX;
		eal_session_start(NULL);
		assert_int_equal(max_vfs, counts[i]);
		eal_session_stop();
	}
	rte_pci_unregister(&sharing_driver);
}

static void
iommu_make(const char *name, const char *cap)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/iommu", sysfs_tree->devices, name);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%s/iommu/intel-iommu", sysfs_tree->devices, name);
	assert_int_equal(mkdir(path, 0755), 0);
	fake_sysfs_set(sysfs_tree, name, "iommu/intel-iommu/cap", cap);
}

/* Of all devices that drivers may take, not only of the first one. */
static void
test_memory_is_where_each_iommu_reaches_it(void **state)
{
	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_foreign);
	iommu_make("0000:01:00.0", "d2008c40660462\n");	/* 39 bits */
	fake_sysfs_add(sysfs_tree, "0000:02:00.0", &sysfs_foreign);
	rte_pci_register(&sharing_driver);
	eal_session_start(NULL);
	assert_int_equal(rte_mem_check_dma_mask(39), 0);
	rte_free(rte_malloc(NULL, 1, 0));
	eal_session_stop();
	iommu_make("0000:02:00.0", "130000\n");	/* 20 bits: no memory is there */
	eal_session_start(NULL);
	assert_null(rte_malloc(NULL, 1, 0));
	eal_session_stop();
	rte_pci_unregister(&sharing_driver);
	eal_session_start(NULL);
	assert_non_null(rte_malloc(NULL, 1, 0));
}

/* ---- threads ---- */

static void *
walk_often(void *arg)
{
	unsigned int i;

	for (i = 0; i < 200; i++)
		if (sysfs_count() < 10)
			return arg;
	return NULL;
}

static void
test_threads_may_walk_while_another_scans(void **state)
{
	pthread_t threads[2];
	void *failed;
	unsigned int i;

	sysfs_add_many(10, &sysfs_nic);
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, walk_often, &nb_probes), 0);
	for (i = 0; i < 50; i++)
		sysfs_rescan();
	for (i = 0; i < RTE_DIM(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

static const struct CMUnitTest tests[] = {
	SYSFS_TEST(test_identity_is_what_sysfs_says),
	SYSFS_TEST(test_identity_is_read_singly_without_modalias),
	SYSFS_TEST(test_numa_node_need_not_be_told),
	SYSFS_TEST(test_device_without_kernel_driver_is_not_listed),
	SYSFS_TEST(test_device_of_another_kernel_driver_is_listed),
	SYSFS_TEST(test_domain_may_be_beyond_16_bits),
	SYSFS_TEST(test_what_is_no_device_is_passed_over),
	SYSFS_TEST(test_machine_without_pci_has_no_devices),
	SYSFS_TEST(test_rescan_finds_what_came_and_went),
	SYSFS_TEST(test_rescan_reads_an_unused_device_again),
	SYSFS_TEST(test_another_device_at_the_address_is_read_before_it_is_compared),
	SYSFS_TEST(test_device_that_is_found_is_read_and_compared_again),
	SYSFS_TEST(test_driver_without_mapping_shares_a_device_with_the_kernel),
	SYSFS_TEST(test_driver_sees_how_many_virtual_functions_are_on),
	SYSFS_TEST(test_memory_is_where_each_iommu_reaches_it),
	SYSFS_TEST(test_threads_may_walk_while_another_scans),
};

TEST_SUITE(pci_sysfs, "functional", tests, NULL, NULL)
