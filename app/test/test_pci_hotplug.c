/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <bus_pci_driver.h>
#include <rte_bus.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_eal.h>

#include "eal_session.h"
#include "fake_backend.h"
#include "tame_driver.h"
#include "test.h"

/* ---- coming and going ---- */

static void
test_device_is_added_and_removed_at_run_time(void **state)
{
	static const char *const forms[] = { "0000:01:00.0", "01:00.0", "1:0.0", "pci:01:00.0",
		"bus=pci,addr=0000:01:00.0", "bus=pci,addr=1:0.0" };
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct fake_pci *fake;
	unsigned int i;

	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(rte_dev_probe("01:00.0"), -ENODEV);
	fake = fake_pci_add("0000:01:00.0", &tame_device);
	for (i = 0; i < RTE_DIM(forms); i++) {
		assert_int_equal(rte_dev_probe(forms[i]), 0);
		assert_int_equal(one->nb_probes, i + 1);
		assert_int_equal(rte_dev_probe(forms[i]), 0);
		assert_int_equal(one->nb_probes, i + 1);
		assert_int_equal(rte_dev_remove(&one->dev->device), 0);
		tame_assert_released(one->dev);
	}
	assert_int_equal(fake->nb_closes, i);
	eal_session_stop();
}

/* A device that the user has named was driven, and is removed. */
static struct tame_driver *
allowed_and_removed(void)
{
	static const char *const allow[] = { "-a", "01:00.0,key=value", "-a", "02:00.0", NULL };
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);

	fake_pci_add("0000:01:00.0", &tame_device);
	tame_register(one);
	eal_session_start(allow);
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(tame_bus->scan(), 0);
	return one;
}

static void
test_user_wish_outlives_an_unplug(void **state)
{
	struct tame_driver *one = allowed_and_removed();

	assert_int_equal(tame_count(), 1);
	assert_int_equal(tame_bus->plug(tame_find("01:00.0")), 0);
	assert_int_equal(one->nb_probes, 2);
	assert_string_equal(one->dev->device.devargs->args, "key=value");
	eal_session_stop();
}

static void
test_devargs_that_eal_frees_are_not_used(void **state)
{
	struct tame_driver *one = allowed_and_removed();

	assert_int_equal(rte_devargs_remove(rte_devargs_next("pci", NULL)), 0);
	assert_int_equal(tame_bus->plug(tame_find("01:00.0")), 0);
	assert_null(one->dev->device.devargs);
	assert_string_equal(one->dev->device.name, "0000:01:00.0");
	eal_session_stop();
}

static void
test_devargs_that_eal_frees_late_are_not_used(void **state)
{
	struct tame_driver *one = allowed_and_removed();

	assert_ptr_equal(tame_find("01:00.0"), &one->dev->device);
	assert_int_equal(rte_devargs_remove(rte_devargs_next("pci", NULL)), 0);
	assert_int_equal(tame_bus->plug(&one->dev->device), 0);
	assert_null(one->dev->device.devargs);
	eal_session_stop();
}

static void
test_driver_may_refuse_to_let_go(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED, .remove_rc = -EBUSY);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);

	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(rte_dev_remove(&one->dev->device), -EBUSY);
	assert_true(rte_dev_is_probed(&one->dev->device));
	assert_non_null(one->dev->mem_resource[0].addr);
	assert_int_equal(fake->nb_closes, 0);
	rte_eal_cleanup();	/* does not ask twice */
	assert_int_equal(one->nb_removes, 2);
	assert_int_equal(fake->nb_closes, 1);
}

static int
remove_in_probe(struct rte_pci_device *dev)
{
	assert_int_equal(rte_bus_find_by_name("pci")->unplug(&dev->device), -EBUSY);
	assert_int_equal(rte_bus_find_by_name("pci")->plug(&dev->device), -EBUSY);
	return 0;
}

static void
test_device_is_not_removed_during_its_probe(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED,
		.in_probe = remove_in_probe);

	fake_pci_add("0000:01:00.0", &tame_device);
	tame_register(one);
	eal_session_start(NULL);
	assert_true(rte_dev_is_probed(&one->dev->device));
	eal_session_stop();
}

static struct fake_pci *vanishing;

static int
scan_in_probe(struct rte_pci_device *dev)
{
	vanishing->absent = true;
	assert_int_equal(rte_bus_scan(), 0);
	assert_int_equal(dev->id.vendor_id, 0x1234);
	return 1;
}

static void
test_device_that_vanishes_during_its_probe_stays_valid(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED,
		.in_probe = scan_in_probe);

	vanishing = fake_pci_add("0000:00:00.0", &tame_device);
	fake_pci_add("0000:01:00.0", &tame_device);
	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(one->nb_probes, 2);
	assert_int_equal(tame_bus->scan(), 0);
	assert_int_equal(tame_count(), 1);
	eal_session_stop();
}

static void
test_vanished_device_leaves_when_nobody_uses_it(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);

	tame_register(one);
	eal_session_start(NULL);
	fake->absent = true;
	assert_int_equal(tame_bus->scan(), 0);
	assert_ptr_equal(tame_find("01:00.0"), &one->dev->device);
	assert_non_null(one->dev->mem_resource[0].addr);
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(tame_bus->scan(), 0);
	assert_null(tame_find("01:00.0"));
	eal_session_stop();
}

static void
test_scan_changes_nothing_of_a_device_in_use(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);
	unsigned int i;

	tame_register(one);
	eal_session_start(NULL);
	fake->id.device_id = 2;
	eal_log_capture();
	for (i = 0; i < 10; i++)
		assert_int_equal(tame_bus->scan(), 0);
	assert_string_equal(eal_log_text(), "");
	eal_log_release();
	assert_int_equal(one->dev->id.device_id, 1);
	assert_non_null(one->dev->mem_resource[0].addr);
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(tame_bus->scan(), 0);
	assert_int_equal(RTE_DEV_TO_PCI(tame_find("01:00.0"))->id.device_id, 2);
	eal_session_stop();
}

static void
test_second_device_at_an_address_is_left_out(void **state)
{
	struct fake_pci other = tame_device;
	const char *text;

	other.id.device_id = 2;
	eal_session_start(NULL);
	fake_pci_add("0000:01:00.0", &other);
	fake_pci_add("0000:01:00.0", &tame_device);	/* is found first */
	eal_log_capture();
	assert_int_equal(tame_bus->scan(), 0);
	assert_int_equal(tame_bus->scan(), 0);
	text = eal_log_text();
	assert_int_equal(eal_log_lines_with(text, "0000:01:00.0"), 1);
	eal_log_release();
	assert_int_equal(tame_count(), 1);
	assert_int_equal(RTE_DEV_TO_PCI(tame_find("01:00.0"))->id.device_id, 1);
	eal_session_stop();
}

static const struct CMUnitTest tests[] = {
	TAME_TEST(test_device_is_added_and_removed_at_run_time),
	TAME_TEST(test_user_wish_outlives_an_unplug),
	TAME_TEST(test_devargs_that_eal_frees_are_not_used),
	TAME_TEST(test_devargs_that_eal_frees_late_are_not_used),
	TAME_TEST(test_driver_may_refuse_to_let_go),
	TAME_TEST(test_device_is_not_removed_during_its_probe),
	TAME_TEST(test_device_that_vanishes_during_its_probe_stays_valid),
	TAME_TEST(test_vanished_device_leaves_when_nobody_uses_it),
	TAME_TEST(test_scan_changes_nothing_of_a_device_in_use),
	TAME_TEST(test_second_device_at_an_address_is_left_out),
};

TEST_SUITE(pci_hotplug, "functional", tests, NULL, NULL)
