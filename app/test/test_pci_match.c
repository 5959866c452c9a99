/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_eal.h>

#include "eal_session.h"
#include "fake_backend.h"
#include "tame_driver.h"
#include "test.h"

/* ---- matching ---- */

static void
test_tables_match_with_wildcards(void **state)
{
	static const struct {
		struct rte_pci_id row;
		bool fits;
	} cases[] = {
		{ { RTE_CLASS_ANY_ID, 0x1234, 0x0001, 0xffff, 0xffff }, true },
		{ { RTE_CLASS_ANY_ID, 0x1234, 0xffff, 0xffff, 0xffff }, true },
		{ { RTE_CLASS_ANY_ID, 0xffff, 0x0001, 0xffff, 0xffff }, true },
		{ { RTE_CLASS_ANY_ID, 0xffff, 0xffff, 0xffff, 0xffff }, true },
		{ { 0x020000, 0x1234, 0x0001, 0x1af4, 0x1100 }, true },
		{ { 0x020000, 0xffff, 0xffff, 0xffff, 0xffff }, true },
		{ { RTE_CLASS_ANY_ID, 0x1234, 0x0001, 0xffff, 0x1100 }, true },
		{ { RTE_CLASS_ANY_ID, 0x1234, 0x0001, 0x1af4, 0xffff }, true },
		{ { 0x020001, 0x1234, 0x0001, 0xffff, 0xffff }, false },
		{ { RTE_CLASS_ANY_ID, 0x1234, 0x0001, 0x1af5, 0xffff }, false },
		{ { RTE_CLASS_ANY_ID, 0x1234, 0x0001, 0xffff, 0x1101 }, false },
		{ { RTE_CLASS_ANY_ID, 0x1234, 0x0002, 0xffff, 0xffff }, false },
		{ { RTE_CLASS_ANY_ID, 0x1235, 0x0001, 0xffff, 0xffff }, false },
		{ { RTE_CLASS_ANY_ID, 0x1235, 0xffff, 0xffff, 0xffff }, false },
		{ { RTE_CLASS_ANY_ID, 0xffff, 0x0002, 0xffff, 0xffff }, false },
	};
	struct rte_pci_id table[4] = {
		{ RTE_PCI_DEVICE(0x0001, 0x1234) },
		{ RTE_PCI_DEVICE(0xfffe, 0xfffe) },
	};
	struct tame_driver *driver = tame_new("driver", table, 0, .probe_rc = 1);
	unsigned int i;

	fake_pci_add("0000:01:00.0", &tame_device);
	for (i = 0; i < RTE_DIM(cases); i++) {
		table[2] = cases[i].row;
		driver->nb_probes = 0;
		tame_register(driver);
		eal_session_start(NULL);
		if (driver->nb_probes != cases[i].fits)
			fail_msg("row %u: %u probes", i, driver->nb_probes);
		eal_session_stop();
		tame_unregister(driver);
	}
}

static void
test_order_of_registration_decides_among_many_drivers(void **state)
{
	struct tame_driver *many[64];
	unsigned int i, turn = 0;

	fake_pci_add("0000:01:00.0", &tame_device);
	for (i = 0; i < RTE_DIM(many); i++) {
		many[i] = tame_new("many", i % 3 == 0 ? tame_ids_all : tame_ids_1, 0,
			.probe_rc = 1);
		if (i % 5 == 4)
			many[i]->pci.id_table = tame_ids_2;
		if (i % 7 == 6)
			many[i]->pci.id_table = NULL;
		tame_register(many[i]);
	}
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(many); i++) {
		assert_int_equal(many[i]->nb_probes, i % 5 != 4 && i % 7 != 6);
		if (many[i]->nb_probes != 0)
			assert_int_equal(many[i]->turn, ++turn);
	}
	eal_session_stop();
}

static void
test_drivers_may_come_go_and_change_their_tables(void **state)
{
	struct tame_driver *early = tame_new("early", tame_ids_2, 0);
	struct tame_driver *late = tame_new("late", tame_ids_1, 0);
	struct rte_device *dev;

	fake_pci_add("0000:01:00.0", &tame_device);
	tame_register(early);
	eal_session_start(NULL);
	dev = tame_find("0000:01:00.0");
	assert_int_equal(tame_bus->plug(dev), 1);
	early->pci.id_table = tame_ids_1;
	assert_int_equal(tame_bus->plug(dev), 0);
	assert_int_equal(rte_dev_remove(dev), 0);
	tame_unregister(early);
	assert_int_equal(tame_bus->plug(dev), 1);
	tame_register(late);
	assert_int_equal(tame_bus->plug(dev), 0);
	assert_int_equal(late->nb_probes, 1);
	eal_session_stop();
}

static struct tame_driver *leaving;

static int
unregister_in_probe(struct rte_pci_device *dev)
{
	tame_unregister(leaving);
	memset(&leaving->pci, 0xff, sizeof(leaving->pci));
	return 1;
}

static void
test_driver_that_goes_during_a_probe_is_not_asked(void **state)
{
	struct tame_driver *first = tame_new("first", tame_ids_1, 0,
		.in_probe = unregister_in_probe);
	struct tame_driver *last = tame_new("last", tame_ids_1, 0);

	leaving = tame_new("leaving", tame_ids_1, 0);
	fake_pci_add("0000:01:00.0", &tame_device);
	tame_register(first);
	tame_register(leaving);
	tame_register(last);
	eal_session_start(NULL);
	assert_int_equal(last->nb_probes, 1);
	eal_session_stop();
}

/* ---- flags ---- */

static void
test_driven_device_is_probed_again_only_if_its_driver_wants_it(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);

	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(tame_bus->plug(&one->dev->device), -EEXIST);
	assert_int_equal(one->nb_probes, 1);
	one->pci.drv_flags |= RTE_PCI_DRV_PROBE_AGAIN;
	assert_int_equal(tame_bus->plug(&one->dev->device), 0);
	assert_int_equal(one->nb_probes, 2);
	assert_true(one->was_probed);
	one->probe_rc = -EIO;	/* nothing of the first probe is undone */
	assert_int_equal(tame_bus->plug(&one->dev->device), -EIO);
	assert_true(rte_dev_is_probed(&one->dev->device));
	assert_non_null(one->dev->mem_resource[0].addr);
	assert_int_equal(fake->nb_opens, 1);
	eal_session_stop();
	assert_int_equal(one->nb_removes, 1);
}

static void
test_driver_that_needs_va_is_not_asked_under_pa(void **state)
{
	char name[] = "dpdk-test", *args[] = { name, NULL };
	struct tame_driver *va = tame_new("va", tame_ids_1,
		TAME_MAPPED | RTE_PCI_DRV_NEED_IOVA_AS_VA);
	struct tame_driver *pa = tame_new("pa", tame_ids_2, TAME_MAPPED, .probe_rc = 1);
	struct fake_pci other = tame_device;
	struct rte_device *dev;

	other.id.device_id = 2;
	other.iova_mode = RTE_IOVA_PA;
	fake_pci_add("0000:01:00.0", &tame_device);
	fake_pci_add("0000:02:00.0", &other);
	tame_register(va);
	tame_register(pa);
	if (rte_eal_init(RTE_DIM(args) - 1, args) < 0)
		skip();	/* EAL cannot have PA on this machine */
	assert_int_equal(rte_eal_iova_mode(), RTE_IOVA_PA);
	dev = tame_find("0000:01:00.0");
	assert_int_equal(va->nb_probes, 0);
	assert_int_equal(tame_bus->plug(dev), -EINVAL);
	tame_assert_released(RTE_DEV_TO_PCI(dev));
	eal_session_stop();
}

static void
test_iova_mode_is_what_the_devices_of_drivers_need(void **state)
{
	static const struct {
		uint32_t flags;
		enum rte_iova_mode first, second, bus;
	} cases[] = {
		{ TAME_MAPPED, RTE_IOVA_DC, RTE_IOVA_DC, RTE_IOVA_DC },
		{ TAME_MAPPED | RTE_PCI_DRV_NEED_IOVA_AS_VA, RTE_IOVA_DC, RTE_IOVA_DC,
			RTE_IOVA_VA },
		/* nobody drives the second */
		{ TAME_MAPPED, RTE_IOVA_DC, RTE_IOVA_PA, RTE_IOVA_DC },
		{ TAME_MAPPED, RTE_IOVA_PA, RTE_IOVA_VA, RTE_IOVA_PA },
		{ TAME_MAPPED, RTE_IOVA_VA, RTE_IOVA_DC, RTE_IOVA_VA },
	};
	struct tame_driver *one = tame_new("one", tame_ids_1, 0, .probe_rc = 1);
	struct fake_pci other = tame_device, *first, *second;
	unsigned int i;

	other.id.device_id = 2;
	first = fake_pci_add("0000:01:00.0", &tame_device);
	second = fake_pci_add("0000:02:00.0", &other);
	tame_register(one);
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(cases); i++) {
		one->pci.drv_flags = cases[i].flags;
		first->iova_mode = cases[i].first;
		second->iova_mode = cases[i].second;
		if (tame_bus->get_iommu_class() != cases[i].bus)
			fail_msg("case %u: mode %d", i, tame_bus->get_iommu_class());
	}
	one->pci.id_table = tame_ids_all;
	first->iova_mode = RTE_IOVA_VA;
	second->iova_mode = RTE_IOVA_PA;
	assert_int_equal(tame_bus->get_iommu_class(), RTE_IOVA_PA);
	eal_session_stop();
}

/* A device that would like VA works under PA as well, but for a driver that does not. */
static void
test_devices_that_cannot_be_used_under_pa_are_told_of(void **state)
{
	static const char told[] = "those that want it as VA cannot be used";
	struct tame_driver *one = tame_new("one", tame_ids_all, TAME_MAPPED, .probe_rc = 1);
	struct fake_pci *first = fake_pci_add("0000:01:00.0", &tame_device);
	struct fake_pci *second = fake_pci_add("0000:02:00.0", &tame_device);

	tame_register(one);
	eal_session_start(NULL);
	first->iova_mode = RTE_IOVA_VA;
	second->iova_mode = RTE_IOVA_PA;
	eal_log_capture();
	assert_int_equal(tame_bus->get_iommu_class(), RTE_IOVA_PA);
	assert_int_equal(eal_log_lines_with(eal_log_text(), told), 0);
	one->pci.drv_flags |= RTE_PCI_DRV_NEED_IOVA_AS_VA;
	assert_int_equal(tame_bus->get_iommu_class(), RTE_IOVA_PA);
	assert_int_equal(eal_log_lines_with(eal_log_text(), told), 1);
	eal_log_release();
	eal_session_stop();
}

static const struct CMUnitTest tests[] = {
	TAME_TEST(test_tables_match_with_wildcards),
	TAME_TEST(test_order_of_registration_decides_among_many_drivers),
	TAME_TEST(test_drivers_may_come_go_and_change_their_tables),
	TAME_TEST(test_driver_that_goes_during_a_probe_is_not_asked),
	TAME_TEST(test_driven_device_is_probed_again_only_if_its_driver_wants_it),
	TAME_TEST(test_driver_that_needs_va_is_not_asked_under_pa),
	TAME_TEST(test_iova_mode_is_what_the_devices_of_drivers_need),
	TAME_TEST(test_devices_that_cannot_be_used_under_pa_are_told_of),
};

TEST_SUITE(pci_match, "functional", tests, NULL, NULL)
