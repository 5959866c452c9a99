/* SPDX-License-Identifier: BSD-3-Clause */

/* What a device under FreeBSD is, and what the bus makes of it. */

#include <errno.h>
#include <string.h>

#include <bus_pci_driver.h>
#include <rte_common.h>
#include <rte_lcore.h>

#include "bsd_card.h"
#include "eal_session.h"
#include "fake_freebsd.h"
#include "pci_bsd_scan.h"
#include "pci_device.h"
#include "pci_list.h"
#include "pci_scan.h"
#include "test.h"

/* ---- BARs ---- */

static const struct fake_freebsd_device card = {
	.bus = 2, .vendor = 0x8086, .device = 0x1572, .class_id = 0x020000,
	.driver = "nic_uio",
	.bar = {
		[0] = { .base = 0x38000000000c, .length = 0x800000 },
		[2] = { .base = 0xc049, .length = 8 },
		[3] = { .base = 0xfeb00000, .length = 0x8000 },
		[5] = { .base = 0xfeb10108, .length = 0x100 },
	},
};
static const struct rte_pci_addr card_addr = { .bus = 2 };

static void
test_bars_are_told_without_the_right_to_write(void **state)
{
	struct pci_bsd_bar bars[PCI_MAX_RESOURCE];
	struct fake_freebsd_device *dev;

	(void)state;
	dev = fake_freebsd_add(&card);
	fake_freebsd.write_rc = -EPERM;
	assert_int_equal(pci_bsd_bars_get(&card_addr, bars), 0);
	assert_int_equal(bars[0].base, 0x380000000000);
	assert_int_equal(bars[0].length, 0x800000);
	assert_true(bars[0].wide);
	assert_int_equal(bars[1].length, 0);
	assert_true(bars[2].ioport);
	assert_int_equal(bars[2].base, 0xc048);
	assert_int_equal(bars[3].base, 0xfeb00000);
	assert_int_equal(bars[4].length, 0);
	assert_int_equal(bars[5].base, 0xfeb10100);
	assert_false(bars[3].enabled);
	dev->config[4] = 2;
	assert_int_equal(pci_bsd_bars_get(&card_addr, bars), 0);
	assert_true(bars[3].enabled);
	assert_false(bars[2].enabled);
}

static int
spoil_bar(unsigned long request, void *arg, int rc)
{
	struct pci_bsd_get_bar *answer = arg;

	if (request == PCI_BSD_GET_BAR)
		answer->length = UINT64_MAX;
	return rc;
}

/* A kernel that takes the upper half of an address for a BAR. */
static int
spoil_upper_half(unsigned long request, void *arg, int rc)
{
	struct pci_bsd_get_bar *answer = arg;

	if (request != PCI_BSD_GET_BAR || answer->reg != 0x14)
		return rc;
	answer->base = 0x3800;
	answer->length = 0x1000;
	return 0;
}

static void
test_the_upper_half_of_a_bar_is_none(void **state)
{
	struct pci_bsd_bar bars[PCI_MAX_RESOURCE];

	(void)state;
	fake_freebsd_add(&card);
	fake_freebsd.spoil = spoil_upper_half;
	assert_int_equal(pci_bsd_bars_get(&card_addr, bars), 0);
	assert_int_equal(bars[0].length, 0x800000);
	assert_int_equal(bars[1].length, 0);
}

static void
test_bars_that_cannot_be_told_are_errors(void **state)
{
	struct pci_bsd_bar bars[PCI_MAX_RESOURCE];
	struct fake_freebsd_device *dev;

	(void)state;
	dev = fake_freebsd_add(&card);
	dev->absent = true;
	assert_int_equal(pci_bsd_bars_get(&card_addr, bars), -ENODEV);
	dev->absent = false;
	fake_freebsd.spoil = spoil_bar;
	assert_int_equal(pci_bsd_bars_get(&card_addr, bars), -EPROTO);
	fake_freebsd.spoil = NULL;
	fake_freebsd_fail(1, -EIO);
	assert_int_equal(pci_bsd_bars_get(&card_addr, bars), -EIO);
	fake_freebsd_fail(0, 0);
}

/* ---- the bus ---- */

/* The device at an address, which the bus lists. */
static struct pci_device *
device_find(const struct rte_pci_addr *addr)
{
	return pci_list_find(addr);
}

static void
test_the_bus_knows_what_a_device_is(void **state)
{
	const struct rte_pci_device *dev;

	(void)state;
	fake_freebsd_add(&card);
	eal_session_start(NULL);
	assert_non_null(device_find(&card_addr));
	dev = &device_find(&card_addr)->pub;
	assert_string_equal(dev->name, "0000:02:00.0");
	assert_int_equal(dev->id.vendor_id, 0x8086);
	assert_int_equal(dev->id.device_id, 0x1572);
	assert_int_equal(dev->id.class_id, 0x020000);
	assert_int_equal(dev->kdrv, RTE_PCI_KDRV_NIC_UIO);
	assert_int_equal(dev->max_vfs, 0);
	assert_int_equal(dev->device.numa_node, -1);
	assert_int_equal(dev->mem_resource[0].phys_addr, 0x380000000000);
	assert_int_equal(dev->mem_resource[0].len, 0x800000);
	assert_int_equal(dev->mem_resource[1].len, 0);
	assert_int_equal(dev->mem_resource[2].len, 0);
	assert_int_equal(dev->mem_resource[2].phys_addr, 0);
	assert_null(dev->mem_resource[2].addr);
	assert_int_equal(dev->mem_resource[3].phys_addr, 0xfeb00000);
	assert_null(rte_pci_get_sysfs_path());
	eal_session_stop();
}

static void
test_the_kernel_driver_says_which_backend_it_is(void **state)
{
	static const struct {
		const char *driver;
		const char *backend;
		enum rte_pci_kernel_driver kdrv;
	} rows[] = {
		{ "nic_uio", "nic_uio", RTE_PCI_KDRV_NIC_UIO },
		{ "", "dev_pci", RTE_PCI_KDRV_NONE },
		{ "ixl", NULL, RTE_PCI_KDRV_UNKNOWN },
		{ "nic_uio2", NULL, RTE_PCI_KDRV_UNKNOWN },
		{ "a_name_16_letters", NULL, RTE_PCI_KDRV_UNKNOWN },
	};
	struct fake_freebsd_device like = { .vendor = 1 };
	struct rte_pci_addr addr = { 0 };
	const struct pci_device *dev;
	const char *backend;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(rows); i++) {
		memset(like.driver, 0, sizeof(like.driver));
		memcpy(like.driver, rows[i].driver, strnlen(rows[i].driver, 16));
		like.slot = (uint8_t)i;
		fake_freebsd_add(&like);
	}
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(rows); i++) {
		addr.devid = (uint8_t)i;
		dev = device_find(&addr);
		assert_non_null(dev);
		assert_int_equal(dev->pub.kdrv, rows[i].kdrv);
		backend = rte_pci_backend_name(&dev->pub);
		assert_int_equal(backend == NULL, rows[i].backend == NULL);
		if (backend != NULL)
			assert_string_equal(backend, rows[i].backend);
	}
	eal_session_stop();
}

static void
test_lists_of_the_user_hold(void **state)
{
	static const char *const allow[] = { "-a", "00:01.0", NULL };
	static const char *const block[] = { "-b", "00:01.0", NULL };
	const struct rte_pci_addr first = { .devid = 0 }, second = { .devid = 1 };
	struct fake_freebsd_device like = { .vendor = 0x8086, .driver = "nic_uio" };

	(void)state;
	fake_freebsd_add(&like);
	like.slot = 1;
	fake_freebsd_add(&like);
	eal_session_start(allow);
	assert_null(device_find(&first));
	assert_non_null(device_find(&second));
	eal_session_stop();
	eal_session_start(block);
	assert_non_null(device_find(&first));
	eal_session_stop();
}

static void
test_eal_starts_where_there_is_no_pci(void **state)
{
	(void)state;
	fake_freebsd.no_dev_pci = true;
	eal_session_start(NULL);
	assert_null(device_find(&card_addr));
	eal_session_stop();
}

/* What is at an address may be another device after a while. */
static void
test_rescans_see_what_has_changed(void **state)
{
	struct fake_freebsd_device *dev;

	(void)state;
	dev = fake_freebsd_add(&card);
	eal_session_start(NULL);
	assert_int_equal(device_find(&card_addr)->pub.id.device_id, 0x1572);
	dev->device = 0x1573;
	memset(dev->driver, 0, sizeof(dev->driver));
	assert_int_equal(pci_scan_run(), 0);
	assert_int_equal(device_find(&card_addr)->pub.id.device_id, 0x1573);
	assert_string_equal(rte_pci_backend_name(&device_find(&card_addr)->pub), "dev_pci");
	eal_session_stop();
}

static void
test_a_device_whose_bars_cannot_be_told_is_left_out(void **state)
{
	struct fake_freebsd_device *dev;

	(void)state;
	dev = fake_freebsd_add(&card);
	dev->absent = true;
	eal_session_start(NULL);
	assert_null(device_find(&card_addr));
	eal_session_stop();
	dev->absent = false;
	fake_freebsd.spoil = spoil_bar;
	eal_log_capture();
	eal_session_start(NULL);
	assert_null(device_find(&card_addr));
	eal_session_stop();
	assert_int_equal(eal_log_lines_with(eal_log_text(), "BARs: not what a kernel says"), 1);
	eal_log_release();
}

static void
test_nodes_that_eal_does_not_have_are_no_nodes(void **state)
{
	struct fake_freebsd_device like = card;
	struct rte_pci_addr far = card_addr;

	(void)state;
	fake_freebsd.release = 15;
	fake_freebsd_add(&like);
	like.slot = 1;
	far.devid = 1;
	like.numa_domain = 7;
	fake_freebsd_add(&like);
	eal_session_start(NULL);
	assert_int_equal(device_find(&card_addr)->pub.device.numa_node, 0);
	assert_int_equal(device_find(&far)->pub.device.numa_node, -1);
	eal_session_stop();
	fake_freebsd_stop();
	fake_freebsd_start();
	fake_freebsd.release = 15;
	like.numa_domain = (int)rte_socket_count();
	fake_freebsd_add(&like);
	eal_session_start(NULL);
	assert_int_equal(device_find(&far)->pub.device.numa_node, -1);
	eal_session_stop();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bsd_scan_setup, bsd_scan_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_bars_are_told_without_the_right_to_write),
	TEST(test_the_upper_half_of_a_bar_is_none),
	TEST(test_bars_that_cannot_be_told_are_errors),
	TEST(test_the_bus_knows_what_a_device_is),
	TEST(test_the_kernel_driver_says_which_backend_it_is),
	TEST(test_lists_of_the_user_hold),
	TEST(test_eal_starts_where_there_is_no_pci),
	TEST(test_rescans_see_what_has_changed),
	TEST(test_a_device_whose_bars_cannot_be_told_is_left_out),
	TEST(test_nodes_that_eal_does_not_have_are_no_nodes),
};

TEST_SUITE(pci_bsd_bus, "functional", tests, NULL, NULL)
