/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_eal.h>

#include "eal_session.h"
#include "fake_backend.h"
#include "fake_sysfs.h"
#include "interpose.h"
#include "sysfs_suite.h"
#include "test.h"

#define NB_DEVICES 50

static unsigned int
count_calls_of_a_scan(void)
{
	unsigned int nb;

	interpose_fail(INTERPOSE_ANY & ~INTERPOSE_ONLY(ALLOC) & ~INTERPOSE_ONLY(READDIR), 0, 0);
	sysfs_rescan();
	interpose_disarm();
	nb = interpose_count() - interpose_count_of(INTERPOSE_READLINK);
	assert_in_range(nb, 1, 8);	/* the folder, whatever is in it */
	return interpose_count_of(INTERPOSE_READLINK);
}

static void
test_scan_makes_one_call_for_each_device(void **state)
{
	sysfs_add_many(NB_DEVICES, &sysfs_nic);
	eal_session_start(NULL);
	assert_int_equal(count_calls_of_a_scan(), NB_DEVICES);
	assert_int_equal(sysfs_count(), NB_DEVICES);
	assert_int_equal(count_calls_of_a_scan(), NB_DEVICES);
}

static void
test_device_that_is_not_wanted_costs_nothing(void **state)
{
	static const char *const allow[] = { "-a", "0000:00:00.0", NULL };

	sysfs_add_many(NB_DEVICES, &sysfs_nic);
	eal_session_start(allow);
	assert_int_equal(count_calls_of_a_scan(), 1);
	assert_int_equal(sysfs_count(), 1);
}

static void
test_device_that_nobody_can_drive_is_not_read(void **state)
{
	static const struct rte_pci_id all[] = {
		{ RTE_PCI_DEVICE(RTE_PCI_ANY_ID, RTE_PCI_ANY_ID) },
		{ .vendor_id = 0 },
	};
	struct rte_pci_driver mapper = {
		.driver.name = "mapper", .id_table = all, .drv_flags = RTE_PCI_DRV_NEED_MAPPING,
	};

	sysfs_add_many(NB_DEVICES, &sysfs_foreign);
	rte_pci_register(&mapper);
	eal_session_start(NULL);
	interpose_fail(INTERPOSE_ONLY(OPEN), 0, 0);
	assert_int_equal(sysfs_bus->probe(), 0);
	assert_int_equal(sysfs_bus->get_iommu_class(), RTE_IOVA_DC);
	interpose_disarm();
	rte_pci_unregister(&mapper);
	assert_int_equal(interpose_count(), 0);
}

static void
test_backend_is_asked_once_for_each_kernel_driver(void **state)
{
	sysfs_add_many(NB_DEVICES, &sysfs_nic);
	fake_sysfs_add(sysfs_tree, "0005:00:00.0", &sysfs_foreign);
	fake_sysfs_add(sysfs_tree, "0005:00:00.1", &sysfs_foreign);
	eal_session_start(NULL);
	assert_int_equal(fake_backend_nb_claims(), 2);
	sysfs_rescan();
	assert_int_equal(fake_backend_nb_claims(), 4);
}

/* Somebody may hold the kernel's lock of a device and wait for us to let it go. */
static void
test_nothing_is_read_that_takes_a_lock(void **state)
{
	static const char *const locked[] = { "sriov_numvfs", "uevent", "config" };
	char path[256], events[4096];
	unsigned int i;
	int fd;

	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_nic);
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	assert_true(fd >= 0);
	for (i = 0; i < RTE_DIM(locked); i++) {
		fake_sysfs_set(sysfs_tree, "0000:01:00.0", locked[i], "4\n");
		snprintf(path, sizeof(path), "%s/0000:01:00.0/%s", sysfs_tree->devices, locked[i]);
		assert_true(inotify_add_watch(fd, path, IN_OPEN) >= 0);
	}
	eal_session_start(NULL);
	assert_int_equal(sysfs_count(), 1);
	sysfs_rescan();
	assert_int_equal(sysfs_bus->plug(&sysfs_find("0000:01:00.0")->device), 1);
	assert_true(read(fd, events, sizeof(events)) < 0);
	assert_int_equal(errno, EAGAIN);
	close(fd);
}

static void
test_thousands_of_devices_are_in_order(void **state)
{
	const struct rte_pci_device *before = NULL;
	struct rte_device *dev = NULL;
	unsigned int nb = 0;

	sysfs_add_many(5000, &sysfs_nic);
	eal_session_start(NULL);
	while ((dev = sysfs_bus->dev_iterate(dev, "", NULL)) != NULL) {
		if (before != NULL)
			assert_true(rte_pci_addr_cmp(&RTE_DEV_TO_PCI(dev)->addr,
				&before->addr) > 0);
		before = RTE_DEV_TO_PCI(dev);
		nb++;
	}
	assert_int_equal(nb, 5000);
}

static void
test_long_lists_of_wishes_are_heeded(void **state)
{
	struct rte_device *dev = NULL;
	char name[PCI_PRI_STR_SIZE];
	unsigned int i, nb = 0;

	for (i = 0; i < 512; i++) {
		snprintf(name, sizeof(name), "0000:%02x:00.%x", i & 0xff, i >> 8);
		fake_sysfs_add(sysfs_tree, name, &sysfs_nic);
	}
	eal_session_start(NULL);
	for (i = 0; i < 512; i += 2) {
		snprintf(name, sizeof(name), "%x:0.%x", i & 0xff, i >> 8);
		assert_int_equal(rte_devargs_add(RTE_DEVTYPE_BLOCKED, name), 0);
	}
	sysfs_rescan();
	while ((dev = sysfs_bus->dev_iterate(dev, "", NULL)) != NULL) {
		assert_int_equal(RTE_DEV_TO_PCI(dev)->addr.bus & 1, 1);
		nb++;
	}
	assert_int_equal(nb, 256);
}

static const struct CMUnitTest tests[] = {
	SYSFS_TEST(test_scan_makes_one_call_for_each_device),
	SYSFS_TEST(test_device_that_is_not_wanted_costs_nothing),
	SYSFS_TEST(test_device_that_nobody_can_drive_is_not_read),
	SYSFS_TEST(test_backend_is_asked_once_for_each_kernel_driver),
	SYSFS_TEST(test_nothing_is_read_that_takes_a_lock),
	SYSFS_TEST(test_thousands_of_devices_are_in_order),
	SYSFS_TEST(test_long_lists_of_wishes_are_heeded),
};

TEST_SUITE(pci_sysfs_cost, "functional", tests, NULL, NULL)
