/* SPDX-License-Identifier: BSD-3-Clause */

/* The list of devices as FreeBSD's kernel tells it, well or badly. */

#include <errno.h>
#include <string.h>

#include <bus_pci_driver.h>
#include <rte_common.h>

#include "bsd_card.h"
#include "fake_freebsd.h"
#include "interpose.h"
#include "pci_bsd_scan.h"
#include "resources.h"
#include "test.h"

/* So many devices at 0000:00:00.0, .1 and so on. */
static void
devices_add(unsigned int nb)
{
	struct fake_freebsd_device like = { .vendor = 0x8086, .driver = "nic_uio" };
	unsigned int i;

	for (i = 0; i < nb; i++) {
		like.device = (uint16_t)i;
		like.bus = (uint8_t)(i / 256);
		like.slot = (uint8_t)(i / 8 % 32);
		like.function = (uint8_t)(i % 8);
		fake_freebsd_add(&like);
	}
}

static unsigned int
nb_known(void)
{
	struct pci_bsd_device device;
	uint64_t from = 0;
	unsigned int nb = 0;

	while (pci_bsd_next(&from, &device) == 0)
		nb++;
	return nb;
}

/* ---- the list ---- */

static void
test_lists_of_every_length_in_parts_of_16(void **state)
{
	static const unsigned int lengths[] = { 0, 1, 15, 16, 17, 32, 33, 300 };
	unsigned int i;

	for (i = 0; i < RTE_DIM(lengths); i++) {
		devices_add(lengths[i]);
		assert_int_equal(pci_bsd_scan(), 0);
		assert_int_equal(nb_known(), lengths[i]);
		/* a list of no device takes a request as well */
		assert_int_equal(fake_freebsd.nb_lists, RTE_MAX(1u, (lengths[i] + 15) / 16));
		bsd_scan_teardown(state);
		bsd_scan_setup(state);
	}
}

/* Neither the one before nor the one behind is meant. */
static void
test_a_device_that_is_not_listed_is_not_found(void **state)
{
	const struct rte_pci_addr between = { .devid = 2 };
	struct fake_freebsd_device like = { .vendor = 0x8086 };
	struct pci_bsd_device device;

	(void)state;
	assert_int_equal(pci_bsd_find(&between, &device), -ENODEV);
	like.slot = 1;
	fake_freebsd_add(&like);
	like.slot = 3;
	fake_freebsd_add(&like);
	assert_int_equal(pci_bsd_scan(), 0);
	assert_int_equal(pci_bsd_find(&between, &device), -ENODEV);
}

static void
test_devices_of_each_release_are_found(void **state)
{
	static const struct {
		int release;
		bool compat14;
		int numa;
	} rows[] = { { 13, false, -1 }, { 14, false, -1 }, { 15, true, 1 }, { 15, false, 1 } };
	const struct rte_pci_addr addr = { .domain = 2, .bus = 3, .devid = 4, .function = 5 };
	const struct fake_freebsd_device like = {
		.domain = 2, .bus = 3, .slot = 4, .function = 5, .vendor = 0x1af4,
		.device = 0x1041, .subvendor = 0x1111, .subdevice = 0x2222, .class_id = 0x020000,
		.driver = "virtio_pci", .numa_domain = 1,
	};
	struct pci_bsd_device device;
	unsigned int i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		fake_freebsd.release = rows[i].release;
		fake_freebsd.compat14 = rows[i].compat14;
		fake_freebsd_add(&like);
		assert_int_equal(pci_bsd_scan(), 0);
		assert_int_equal(pci_bsd_find(&addr, &device), 0);
		assert_int_equal(device.id.vendor_id, 0x1af4);
		assert_int_equal(device.id.device_id, 0x1041);
		assert_int_equal(device.id.subsystem_vendor_id, 0x1111);
		assert_int_equal(device.id.subsystem_device_id, 0x2222);
		assert_int_equal(device.id.class_id, 0x020000);
		assert_string_equal(device.driver, "virtio_pci");
		assert_int_equal(device.numa_node, rows[i].numa);
		bsd_scan_teardown(state);
		bsd_scan_setup(state);
	}
}

static void
test_list_that_changes_is_begun_anew(void **state)
{
	(void)state;
	devices_add(40);
	fake_freebsd.changes = 5;
	assert_int_equal(pci_bsd_scan(), 0);
	assert_int_equal(nb_known(), 40);
	assert_int_equal(fake_freebsd.changes, 0);
}

static void
test_list_that_changes_for_ever_leaves_the_former_one(void **state)
{
	(void)state;
	devices_add(40);
	assert_int_equal(pci_bsd_scan(), 0);
	devices_add(1);
	fake_freebsd.changes = UINT32_MAX;
	fake_freebsd.nb_lists = 0;
	assert_int_equal(pci_bsd_scan(), -EAGAIN);
	assert_in_range(fake_freebsd.nb_lists, 2, 100);
	assert_int_equal(nb_known(), 40);
}

static int
spoil_status_error(unsigned long request, void *arg, int rc)
{
	struct pci_bsd_list *list = arg;

	if (request == PCI_BSD_LIST_14)
		list->status = PCI_BSD_LIST_ERROR;
	return rc;
}

static int
spoil_too_many(unsigned long request, void *arg, int rc)
{
	struct pci_bsd_list *list = arg;

	if (request == PCI_BSD_LIST_14)
		list->nb_matches = 17;
	return rc;
}

static int
spoil_more_but_none(unsigned long request, void *arg, int rc)
{
	struct pci_bsd_list *list = arg;

	if (request == PCI_BSD_LIST_14) {
		list->status = PCI_BSD_LIST_MORE;
		list->nb_matches = 0;
	}
	return rc;
}

/* The same 16 devices for ever. */
static int
spoil_more_for_ever(unsigned long request, void *arg, int rc)
{
	struct pci_bsd_list *list = arg;

	if (request == PCI_BSD_LIST_14) {
		list->status = PCI_BSD_LIST_MORE;
		list->offset = 0;
	}
	return rc;
}

static int
spoil_slot(unsigned long request, void *arg, int rc)
{
	struct pci_bsd_list *list = arg;

	if (request == PCI_BSD_LIST_14)
		((uint8_t *)list->matches)[5] = 32;
	return rc;
}

static int
spoil_name(unsigned long request, void *arg, int rc)
{
	struct pci_bsd_list *list = arg;

	if (request == PCI_BSD_LIST_14)
		memset((uint8_t *)list->matches + 22, 'A', 26);
	return rc;
}

static void
test_answers_that_make_no_sense_leave_the_former_list(void **state)
{
	static const struct {
		int (*spoil)(unsigned long request, void *arg, int rc);
		int rc;
	} rows[] = {
		{ spoil_status_error, -EIO },
		{ spoil_too_many, -EPROTO },
		{ spoil_more_but_none, -EPROTO },
		{ spoil_more_for_ever, -EPROTO },
		{ spoil_slot, -EPROTO },
		{ spoil_name, -EPROTO },
	};
	struct resources before;
	unsigned int i;

	(void)state;
	devices_add(16);
	assert_int_equal(pci_bsd_scan(), 0);
	resources_take(&before);
	for (i = 0; i < RTE_DIM(rows); i++) {
		fake_freebsd.spoil = rows[i].spoil;
		assert_int_equal(pci_bsd_scan(), rows[i].rc);
		assert_int_equal(nb_known(), 16);
	}
	resources_assert_same(&before);
	resources_drop(&before);
}

static void
test_a_machine_without_pci_has_no_devices(void **state)
{
	(void)state;
	devices_add(1);
	assert_int_equal(pci_bsd_scan(), 0);
	pci_bsd_scan_fini();
	fake_freebsd.no_dev_pci = true;
	assert_int_equal(pci_bsd_scan(), 0);
	assert_int_equal(nb_known(), 0);
}

static void
test_a_list_that_nobody_may_read_is_an_error(void **state)
{
	(void)state;
	fake_freebsd.read_rc = -EACCES;
	assert_int_equal(pci_bsd_scan(), -EACCES);
	fake_freebsd.read_rc = 0;
	assert_int_equal(pci_bsd_scan(), 0);
}

static void
test_each_call_of_a_scan_fails_in_turn(void **state)
{
	static const int errors[] = { -EIO, -ENOMEM, -EPERM, -ENOTTY, -EFAULT };
	struct resources before;
	unsigned int i, n;

	(void)state;
	devices_add(20);
	assert_int_equal(pci_bsd_scan(), 0);
	pci_bsd_scan_fini();
	resources_take(&before);
	for (i = 0; i < RTE_DIM(errors); i++) {
		n = 1;
		do {
			fake_freebsd_fail(n++, errors[i]);
			if (pci_bsd_scan() == 0)
				assert_int_equal(nb_known(), 20);
			else
				assert_int_equal(nb_known(), 0);
			pci_bsd_scan_fini();
		} while (fake_freebsd_failed());
		assert_int_equal(fake_freebsd.nb_open, 0);
	}
	fake_freebsd_fail(0, 0);
	resources_assert_same(&before);
	resources_drop(&before);
}

static void
test_memory_fails_in_turn(void **state)
{
	struct interpose_loop loop;
	int rc;

	(void)state;
	devices_add(200);
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(ALLOC), 0) {
		rc = pci_bsd_scan();
		interpose_disarm();
		/* libc sorts without memory if it must */
		assert_true(rc == 0 || (rc == -ENOMEM && interpose_fired()));
		pci_bsd_scan_fini();
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bsd_scan_setup, bsd_scan_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_lists_of_every_length_in_parts_of_16),
	TEST(test_a_device_that_is_not_listed_is_not_found),
	TEST(test_devices_of_each_release_are_found),
	TEST(test_list_that_changes_is_begun_anew),
	TEST(test_list_that_changes_for_ever_leaves_the_former_one),
	TEST(test_answers_that_make_no_sense_leave_the_former_list),
	TEST(test_a_machine_without_pci_has_no_devices),
	TEST(test_a_list_that_nobody_may_read_is_an_error),
	TEST(test_each_call_of_a_scan_fails_in_turn),
	TEST(test_memory_fails_in_turn),
};

TEST_SUITE(pci_bsd_scan, "functional", tests, NULL, NULL)
