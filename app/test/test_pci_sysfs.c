/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_bus.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_eal.h>
#include <rte_log.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "eal_session.h"
#include "fake_backend.h"
#include "fake_sysfs.h"
#include "interpose.h"
#include "test.h"

#define OURS FAKE_BACKEND_KERNEL_DRIVER

static const struct fake_sysfs_desc nic = {
	.driver = OURS,
	.vendor = 0x8086, .device = 0x1533, .subsystem_vendor = 0x103c, .subsystem_device = 3,
	.class_id = 0x020000, .numa_node = 1, .bar_len = 0x20000,
};

static const struct fake_sysfs_desc foreign = {
	.driver = "e1000e",
	.vendor = 0x8086, .device = 0x10d3, .class_id = 0x020000, .numa_node = -1,
	.bar_len = 0x1000,
};

static struct fake_sysfs *sysfs;
static struct rte_bus *bus;

static int
setup(void **state)
{
	sysfs = fake_sysfs_start();
	fake_backend_start();
	bus = rte_bus_find_by_name("pci");
	return bus == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	rte_eal_cleanup();	/* still runs after a failure */
	fake_backend_stop();
	fake_sysfs_stop(sysfs);
	return 0;
}

static struct rte_pci_device *
find(const char *name)
{
	char filter[64];
	struct rte_device *dev;

	snprintf(filter, sizeof(filter), "addr=%s", name);
	dev = bus->dev_iterate(NULL, filter, NULL);
	return dev == NULL ? NULL : RTE_DEV_TO_PCI(dev);
}

static unsigned int
count_devices(void)
{
	struct rte_device *dev = NULL;
	unsigned int nb = 0;

	while ((dev = bus->dev_iterate(dev, "", NULL)) != NULL)
		nb++;
	return nb;
}

static void
rescan(void)
{
	assert_int_equal(bus->scan(), 0);
}

/* ---- what a device is ---- */

static void
assert_is_nic(const struct rte_pci_device *dev)
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

static void
test_identity_is_what_sysfs_says(void **state)
{
	fake_sysfs_add(sysfs, "0000:01:00.0", &nic);
	eal_session_start(NULL);
	assert_is_nic(find("0000:01:00.0"));
	assert_int_equal(find("0000:01:00.0")->kdrv, RTE_PCI_KDRV_VFIO);
	assert_string_equal(find("0000:01:00.0")->name, "0000:01:00.0");
}

static void
test_identity_is_read_singly_without_modalias(void **state)
{
	struct fake_sysfs_desc old = nic;

	old.no_modalias = true;
	fake_sysfs_add(sysfs, "0000:01:00.0", &old);
	eal_session_start(NULL);
	assert_is_nic(find("0000:01:00.0"));
}

static void
test_numa_node_need_not_be_told(void **state)
{
	fake_sysfs_add(sysfs, "0000:01:00.0", &nic);
	fake_sysfs_set(sysfs, "0000:01:00.0", "numa_node", NULL);
	eal_session_start(NULL);
	assert_int_equal(find("0000:01:00.0")->device.numa_node, -1);
}

static void
test_device_without_kernel_driver_is_not_listed(void **state)
{
	struct fake_sysfs_desc idle = nic;

	idle.driver = NULL;
	fake_sysfs_add(sysfs, "0000:01:00.0", &idle);
	eal_session_start(NULL);
	assert_int_equal(count_devices(), 0);
	fake_sysfs_bind(sysfs, "0000:01:00.0", OURS);
	rescan();
	assert_is_nic(find("0000:01:00.0"));
	fake_sysfs_bind(sysfs, "0000:01:00.0", NULL);
	rescan();
	assert_int_equal(count_devices(), 0);
}

static void
test_device_of_another_kernel_driver_is_listed(void **state)
{
	fake_sysfs_add(sysfs, "0000:01:00.0", &foreign);
	eal_session_start(NULL);
	assert_int_equal(find("0000:01:00.0")->kdrv, RTE_PCI_KDRV_UNKNOWN);
	assert_int_equal(find("0000:01:00.0")->id.device_id, 0x10d3);
	assert_int_equal(rte_pci_map_device(find("0000:01:00.0")), 1);
	fake_sysfs_bind(sysfs, "0000:01:00.0", OURS);
	rescan();
	assert_int_equal(find("0000:01:00.0")->kdrv, RTE_PCI_KDRV_VFIO);
}

static void
test_domain_may_be_beyond_16_bits(void **state)
{
	static const char *const names[] = { "10000:00:01.0", "7fffffff:ff:1f.7" };
	unsigned int i;

	for (i = 0; i < RTE_DIM(names); i++)
		fake_sysfs_add(sysfs, names[i], &nic);
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(names); i++)
		assert_string_equal(find(names[i])->name, names[i]);
	assert_ptr_equal(find("00010000:00:01.0"), find("10000:00:01.0"));
}

static void
test_what_is_no_device_is_passed_over(void **state)
{
	fake_sysfs_add(sysfs, "0000:01:00.0", &nic);
	fake_sysfs_add(sysfs, "pci0000:00", &nic);
	fake_sysfs_add(sysfs, "1:00.0", &nic);
	fake_sysfs_add(sysfs, "0000:01:00.0.1", &nic);
	eal_session_start(NULL);
	assert_int_equal(count_devices(), 1);
}

static void
test_machine_without_pci_has_no_devices(void **state)
{
	char gone[sizeof(sysfs->devices) + 8];

	snprintf(gone, sizeof(gone), "%s/none", sysfs->devices);
	setenv("SYSFS_PCI_DEVICES", gone, 1);
	eal_session_start(NULL);
	assert_int_equal(bus->scan(), 0);
	assert_int_equal(count_devices(), 0);
	setenv("SYSFS_PCI_DEVICES", sysfs->devices, 1);
	fake_sysfs_add(sysfs, "0000:01:00.0", &nic);
	rescan();
	assert_int_equal(count_devices(), 1);
}

/* ---- what it costs ---- */

#define NB_DEVICES 50

static void
add_many(unsigned int nb, const struct fake_sysfs_desc *desc)
{
	char name[PCI_PRI_STR_SIZE];
	unsigned int i;

	for (i = 0; i < nb; i++) {
		/* all different, and not in order */
		snprintf(name, sizeof(name), "%04x:%02x:%02x.%x", (i * 7) & 3, (i * 37) & 0xff,
			(i >> 8) & 0x1f, (i >> 13) & 7);
		fake_sysfs_add(sysfs, name, desc);
	}
}

static unsigned int
count_calls_of_a_scan(void)
{
	unsigned int nb;

	interpose_fail(INTERPOSE_ANY & ~INTERPOSE_ONLY(ALLOC) & ~INTERPOSE_ONLY(READDIR), 0, 0);
	rescan();
	interpose_disarm();
	nb = interpose_count() - interpose_count_of(INTERPOSE_READLINK);
	assert_in_range(nb, 1, 8);	/* the folder, whatever is in it */
	return interpose_count_of(INTERPOSE_READLINK);
}

static void
test_scan_makes_one_call_for_each_device(void **state)
{
	add_many(NB_DEVICES, &nic);
	eal_session_start(NULL);
	assert_int_equal(count_calls_of_a_scan(), NB_DEVICES);
	assert_int_equal(count_devices(), NB_DEVICES);
	assert_int_equal(count_calls_of_a_scan(), NB_DEVICES);
}

static void
test_device_that_is_not_wanted_costs_nothing(void **state)
{
	static const char *const allow[] = { "-a", "0000:00:00.0", NULL };

	add_many(NB_DEVICES, &nic);
	eal_session_start(allow);
	assert_int_equal(count_calls_of_a_scan(), 1);
	assert_int_equal(count_devices(), 1);
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

	add_many(NB_DEVICES, &foreign);
	rte_pci_register(&mapper);
	eal_session_start(NULL);
	interpose_fail(INTERPOSE_ONLY(OPEN), 0, 0);
	assert_int_equal(bus->probe(), 0);
	assert_int_equal(bus->get_iommu_class(), RTE_IOVA_DC);
	interpose_disarm();
	rte_pci_unregister(&mapper);
	assert_int_equal(interpose_count(), 0);
}

static void
test_backend_is_asked_once_for_each_kernel_driver(void **state)
{
	add_many(NB_DEVICES, &nic);
	fake_sysfs_add(sysfs, "0005:00:00.0", &foreign);
	fake_sysfs_add(sysfs, "0005:00:00.1", &foreign);
	eal_session_start(NULL);
	assert_int_equal(fake_backend_nb_claims(), 2);
	rescan();
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

	fake_sysfs_add(sysfs, "0000:01:00.0", &nic);
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	assert_true(fd >= 0);
	for (i = 0; i < RTE_DIM(locked); i++) {
		fake_sysfs_set(sysfs, "0000:01:00.0", locked[i], "4\n");
		snprintf(path, sizeof(path), "%s/0000:01:00.0/%s", sysfs->devices, locked[i]);
		assert_true(inotify_add_watch(fd, path, IN_OPEN) >= 0);
	}
	eal_session_start(NULL);
	assert_int_equal(count_devices(), 1);
	rescan();
	assert_int_equal(bus->plug(&find("0000:01:00.0")->device), 1);
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

	add_many(5000, &nic);
	eal_session_start(NULL);
	while ((dev = bus->dev_iterate(dev, "", NULL)) != NULL) {
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
		fake_sysfs_add(sysfs, name, &nic);
	}
	eal_session_start(NULL);
	for (i = 0; i < 512; i += 2) {
		snprintf(name, sizeof(name), "%x:0.%x", i & 0xff, i >> 8);
		assert_int_equal(rte_devargs_add(RTE_DEVTYPE_BLOCKED, name), 0);
	}
	rescan();
	while ((dev = bus->dev_iterate(dev, "", NULL)) != NULL) {
		assert_int_equal(RTE_DEV_TO_PCI(dev)->addr.bus & 1, 1);
		nb++;
	}
	assert_int_equal(nb, 256);
}

/* ---- devices that come, go and lie ---- */

static void
test_device_that_vanishes_in_mid_scan_is_left_out(void **state)
{
	static const int errors[] = { ENOENT, ENODEV };
	unsigned int nth, i;

	add_many(8, &nic);
	eal_session_start(NULL);
	eal_log_capture();
	for (i = 0; i < RTE_DIM(errors); i++)
		for (nth = 1; nth <= 8; nth++) {
			interpose_fail(INTERPOSE_ONLY(READLINK), nth, errors[i]);
			rescan();
			interpose_disarm();
			assert_true(interpose_fired());
			assert_int_equal(count_devices(), 7);
		}
	assert_string_equal(eal_log_text(), "");
	eal_log_release();
	rescan();
	assert_int_equal(count_devices(), 8);
}

static void
test_device_that_vanishes_while_it_is_read_is_left_out(void **state)
{
	unsigned int nth, nb;

	add_many(3, &nic);
	eal_session_start(NULL);
	eal_log_capture();
	for (nth = 1;; nth++) {
		fake_sysfs_stop(sysfs);	/* so that all is read again */
		sysfs = fake_sysfs_start();
		add_many(3, &nic);
		rescan();
		interpose_fail(INTERPOSE_ONLY(OPEN) | INTERPOSE_ONLY(READ), nth, ENODEV);
		nb = count_devices();
		interpose_disarm();
		assert_int_equal(nb, interpose_fired() ? 2 : 3);
		if (!interpose_fired())
			break;
	}
	assert_true(nth > 3 * 3);
	assert_string_equal(eal_log_text(), "");
	eal_log_release();
}

static void
test_device_that_vanished_after_the_scan_is_left_out(void **state)
{
	add_many(3, &nic);
	eal_session_start(NULL);
	fake_sysfs_add(sysfs, "0008:00:00.0", &nic);
	rescan();
	fake_sysfs_remove(sysfs, "0008:00:00.0");
	eal_log_capture();
	assert_int_equal(count_devices(), 3);
	assert_null(find("0008:00:00.0"));
	assert_string_equal(eal_log_text(), "");
	eal_log_release();
}

#define NONE "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"

static void
test_device_whose_files_make_no_sense_is_named_once(void **state)
{
	static const struct {
		const char *file, *text;
	} cases[] = {
		{ "modalias", "" },
		{ "modalias", "pci:v00008086\n" },
		{ "modalias", "\377\376\n" },
		{ "numa_node", "" },
		{ "numa_node", "one\n" },
		{ "numa_node", "-2\n" },
		{ "resource", "" },
		{ "resource", "nonsense\n" },
		{ "resource", NONE NONE NONE NONE NONE },
		{ "resource", NONE NONE NONE NONE NONE
			"0x0000000000002000 0x0000000000001000 0x0000000000040200\n" },
		{ "resource", NULL },
	};
	const char *text;
	unsigned int i;

	fake_sysfs_add(sysfs, "0000:02:00.0", &nic);
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(cases); i++) {
		fake_sysfs_add(sysfs, "0000:01:00.0", &nic);
		fake_sysfs_set(sysfs, "0000:01:00.0", cases[i].file, cases[i].text);
		eal_log_capture();
		rescan();
		assert_int_equal(count_devices(), 1);
		rescan();
		assert_int_equal(count_devices(), 1);
		text = eal_log_text();
		if (eal_log_lines_with(text, "0000:01:00.0") != 1 ||
				eal_log_lines_with(text, cases[i].file) != 1)
			fail_msg("case %u: log is \"%s\"", i, text);
		eal_log_release();
		fake_sysfs_remove(sysfs, "0000:01:00.0");
		fake_sysfs_add(sysfs, "0000:01:00.0", &nic);
		rescan();
		assert_is_nic(find("0000:01:00.0"));
		fake_sysfs_remove(sysfs, "0000:01:00.0");
		rescan();
	}
}

static void
test_single_ids_that_make_no_sense_are_named(void **state)
{
	static const char *const files[] = { "vendor", "device", "subsystem_vendor",
		"subsystem_device", "class" };
	static const char *const texts[] = { "", "8086\n", "0x1000000000\n", "0x\n", NULL };
	struct fake_sysfs_desc old = nic;
	unsigned int i, j;

	old.no_modalias = true;
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(files); i++)
		for (j = 0; j < RTE_DIM(texts); j++) {
			fake_sysfs_add(sysfs, "0000:01:00.0", &old);
			fake_sysfs_set(sysfs, "0000:01:00.0", files[i], texts[j]);
			eal_log_capture();
			rescan();
			assert_null(find("0000:01:00.0"));
			assert_int_equal(eal_log_lines_with(eal_log_text(), files[i]), 1);
			eal_log_release();
			fake_sysfs_remove(sysfs, "0000:01:00.0");
			rescan();
		}
}

static void
test_driver_that_is_no_link_is_no_driver(void **state)
{
	fake_sysfs_add(sysfs, "0000:01:00.0", &nic);
	fake_sysfs_bind(sysfs, "0000:01:00.0", NULL);
	fake_sysfs_set(sysfs, "0000:01:00.0", "driver", "vfio-pci\n");
	fake_sysfs_add(sysfs, "0000:02:00.0", &nic);
	eal_session_start(NULL);
	assert_int_equal(count_devices(), 1);
}

/* ---- scans after the first one ---- */

static void
test_rescan_finds_what_came_and_went(void **state)
{
	fake_sysfs_add(sysfs, "0000:02:00.0", &nic);
	fake_sysfs_add(sysfs, "0000:04:00.0", &nic);
	eal_session_start(NULL);
	assert_int_equal(count_devices(), 2);
	fake_sysfs_add(sysfs, "0000:01:00.0", &nic);
	fake_sysfs_add(sysfs, "0000:03:00.0", &nic);
	fake_sysfs_add(sysfs, "0000:05:00.0", &nic);
	rescan();
	assert_int_equal(count_devices(), 5);
	fake_sysfs_remove(sysfs, "0000:01:00.0");
	fake_sysfs_remove(sysfs, "0000:04:00.0");
	fake_sysfs_remove(sysfs, "0000:05:00.0");
	rescan();
	assert_int_equal(count_devices(), 2);
	assert_non_null(find("02:00.0"));
	assert_non_null(find("03:00.0"));
}

static void
test_rescan_reads_an_unused_device_again(void **state)
{
	struct rte_pci_device *dev;

	fake_sysfs_add(sysfs, "0000:01:00.0", &nic);
	eal_session_start(NULL);
	dev = find("0000:01:00.0");
	fake_sysfs_set(sysfs, "0000:01:00.0", "modalias",
		"pci:v000015B3d00001019sv000015B3sd00000008bc02sc00i00\n");
	fake_sysfs_set(sysfs, "0000:01:00.0", "numa_node", "0\n");
	assert_is_nic(find("0000:01:00.0"));
	rescan();
	assert_ptr_equal(find("0000:01:00.0"), dev);
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
	struct fake_sysfs_desc other = nic;
	int node = nic.numa_node;

	other.numa_node = 0;
	fake_sysfs_add(sysfs, "0000:01:00.0", &nic);
	eal_session_start(NULL);
	assert_non_null(bus->find_device(NULL, cmp_numa, &node));
	fake_sysfs_remove(sysfs, "0000:01:00.0");
	fake_sysfs_add(sysfs, "0000:0f:00.0", &other);	/* takes the inode, if that is free */
	fake_sysfs_add(sysfs, "0000:01:00.0", &other);
	rescan();
	nb_compared = 0;
	assert_null(bus->find_device(NULL, cmp_numa, &node));
	assert_int_equal(nb_compared, 2);	/* each once, as it is now */
}

static void
test_device_that_is_found_is_read_and_compared_again(void **state)
{
	int node = nic.numa_node;

	fake_sysfs_add(sysfs, "0000:01:00.0", &nic);
	eal_session_start(NULL);
	assert_non_null(bus->find_device(NULL, cmp_numa, &node));
	fake_sysfs_set(sysfs, "0000:01:00.0", "numa_node", "0\n");
	rescan();
	assert_null(bus->find_device(NULL, cmp_numa, &node));
	node = 0;
	assert_non_null(bus->find_device(NULL, cmp_numa, &node));
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
	struct fake_sysfs_desc other = foreign;

	other.vendor = 0x15b3;
	fake_sysfs_add(sysfs, "0000:01:00.0", &foreign);
	fake_sysfs_add(sysfs, "0000:02:00.0", &other);
	nb_probes = 0;
	rte_pci_register(&sharing_driver);
	eal_session_start(NULL);
	assert_int_equal(nb_probes, 1);
	assert_ptr_equal(find("01:00.0")->driver, &sharing_driver);
	eal_session_stop();
	rte_pci_unregister(&sharing_driver);
}

static void
test_driver_sees_how_many_virtual_functions_are_on(void **state)
{
	static const unsigned int counts[] = { 0, 1, 2, 3, 7, 64, 65, 300 };
	char link[32];
	unsigned int i, have = 0;

	fake_sysfs_add(sysfs, "0000:01:00.0", &foreign);
	rte_pci_register(&sharing_driver);
	for (i = 0; i < RTE_DIM(counts); i++) {
		for (; have < counts[i]; have++) {
			snprintf(link, sizeof(link), "virtfn%u", have);
			fake_sysfs_set(sysfs, "0000:01:00.0", link, "");
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

	snprintf(path, sizeof(path), "%s/%s/iommu", sysfs->devices, name);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%s/iommu/intel-iommu", sysfs->devices, name);
	assert_int_equal(mkdir(path, 0755), 0);
	fake_sysfs_set(sysfs, name, "iommu/intel-iommu/cap", cap);
}

/* Of all devices that drivers may take, not only of the first one. */
static void
test_memory_is_where_each_iommu_reaches_it(void **state)
{
	fake_sysfs_add(sysfs, "0000:01:00.0", &foreign);
	iommu_make("0000:01:00.0", "d2008c40660462\n");	/* 39 bits */
	fake_sysfs_add(sysfs, "0000:02:00.0", &foreign);
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
		if (count_devices() < 10)
			return arg;
	return NULL;
}

static void
test_threads_may_walk_while_another_scans(void **state)
{
	pthread_t threads[2];
	void *failed;
	unsigned int i;

	add_many(10, &nic);
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, walk_often, &nb_probes), 0);
	for (i = 0; i < 50; i++)
		rescan();
	for (i = 0; i < RTE_DIM(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

#define SYSFS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	SYSFS_TEST(test_identity_is_what_sysfs_says),
	SYSFS_TEST(test_identity_is_read_singly_without_modalias),
	SYSFS_TEST(test_numa_node_need_not_be_told),
	SYSFS_TEST(test_device_without_kernel_driver_is_not_listed),
	SYSFS_TEST(test_device_of_another_kernel_driver_is_listed),
	SYSFS_TEST(test_domain_may_be_beyond_16_bits),
	SYSFS_TEST(test_what_is_no_device_is_passed_over),
	SYSFS_TEST(test_machine_without_pci_has_no_devices),
	SYSFS_TEST(test_scan_makes_one_call_for_each_device),
	SYSFS_TEST(test_device_that_is_not_wanted_costs_nothing),
	SYSFS_TEST(test_device_that_nobody_can_drive_is_not_read),
	SYSFS_TEST(test_backend_is_asked_once_for_each_kernel_driver),
	SYSFS_TEST(test_nothing_is_read_that_takes_a_lock),
	SYSFS_TEST(test_thousands_of_devices_are_in_order),
	SYSFS_TEST(test_long_lists_of_wishes_are_heeded),
	SYSFS_TEST(test_device_that_vanishes_in_mid_scan_is_left_out),
	SYSFS_TEST(test_device_that_vanishes_while_it_is_read_is_left_out),
	SYSFS_TEST(test_device_that_vanished_after_the_scan_is_left_out),
	SYSFS_TEST(test_device_whose_files_make_no_sense_is_named_once),
	SYSFS_TEST(test_single_ids_that_make_no_sense_are_named),
	SYSFS_TEST(test_driver_that_is_no_link_is_no_driver),
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
