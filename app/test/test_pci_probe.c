/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <bus_pci_driver.h>
#include <rte_dev.h>
#include <rte_devargs.h>

#include "eal_session.h"
#include "fake_backend.h"
#include "tame_driver.h"
#include "test.h"

static void
test_driver_gets_the_device_that_its_table_names(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct tame_driver *two = tame_new("two", tame_ids_2, TAME_MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);

	tame_register(two);
	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(one->nb_probes, 1);
	assert_int_equal(two->nb_probes, 0);
	assert_true(one->had_handles && one->was_driver);
	assert_false(one->was_probed);
	assert_non_null(one->bar0);
	assert_ptr_equal(one->dev->device.driver, &one->pci.driver);
	assert_ptr_equal(one->dev->device.bus, tame_bus);
	assert_string_equal(one->dev->name, "0000:01:00.0");
	assert_string_equal(one->dev->device.name, "0000:01:00.0");
	assert_string_equal(one->dev->bus_info, "vendor_id=1234, device_id=1");
	assert_int_equal(one->dev->kdrv, RTE_PCI_KDRV_VFIO);
	assert_int_equal(one->dev->id.subsystem_device_id, 0x1100);
	assert_int_equal(one->dev->mem_resource[0].len, 0x10000);
	assert_int_equal(fake->nb_opens, 1);
	eal_session_stop();
	assert_int_equal(one->nb_removes, 1);
}

static void
test_every_byte_is_read_and_written_across_holes(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);
	uint8_t *memory, got[0x10000];
	unsigned int i;

	tame_register(one);
	eal_session_start(NULL);
	memory = fake_pci_bar_memory(fake, 0);
	for (i = 0; i < sizeof(got); i++)
		memory[i] = (uint8_t)(i * 7 + (i >> 8));
	assert_int_equal(rte_pci_mmio_read(one->dev, 0, got, sizeof(got), 0), sizeof(got));
	assert_memory_equal(got, memory, sizeof(got));
	assert_true(fake->nb_reads > 0);
	memset(got, 0x5a, sizeof(got));
	assert_int_equal(rte_pci_mmio_write(one->dev, 0, got, 0x2000, 0x3000), 0x2000);
	assert_memory_equal(got, memory + 0x3000, 0x2000);
	assert_int_equal(rte_pci_mmio_read(one->dev, 2, got, 4, 0xffc), 4);
	assert_int_equal(rte_pci_mmio_read(one->dev, 1, got, 4, 0), -EINVAL);
	munmap(memory, sizeof(got));
	eal_session_stop();
}

static void
test_declined_device_is_mapped_once_for_all_drivers(void **state)
{
	struct tame_driver *no = tame_new("no", tame_ids_1, TAME_MAPPED, .probe_rc = 1);
	struct tame_driver *nor = tame_new("nor", tame_ids_all, TAME_MAPPED, .probe_rc = 1);
	struct tame_driver *yes = tame_new("yes", tame_ids_1, TAME_MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);

	tame_register(no);
	tame_register(nor);
	tame_register(yes);
	eal_session_start(NULL);
	assert_int_equal(no->turn, 1);
	assert_int_equal(nor->turn, 2);
	assert_int_equal(yes->turn, 3);
	assert_non_null(yes->bar0);
	assert_ptr_equal(yes->dev->driver, &yes->pci);
	assert_int_equal(fake->nb_opens, 1);
	eal_session_stop();
	assert_int_equal(no->nb_removes + nor->nb_removes, 0);
}

static void
test_device_that_all_decline_is_released(void **state)
{
	struct tame_driver *no = tame_new("no", tame_ids_1, TAME_MAPPED, .probe_rc = 1);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);

	tame_register(no);
	eal_session_start(NULL);
	assert_int_equal(no->nb_probes, 1);
	tame_assert_released(no->dev);
	assert_int_equal(fake->nb_closes, 1);
	eal_session_stop();
}

static void
test_kept_mapping_serves_the_next_probe(void **state)
{
	struct tame_driver *no = tame_new("no", tame_ids_1,
		TAME_MAPPED | RTE_PCI_DRV_KEEP_MAPPED_RES,
		.probe_rc = 1);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);
	struct rte_pci_device *dev;

	tame_register(no);
	eal_session_start(NULL);
	dev = no->dev;
	assert_null(dev->driver);
	assert_non_null(dev->mem_resource[0].addr);
	assert_int_equal(fake->nb_closes, 0);
	no->probe_rc = 0;
	assert_int_equal(tame_bus->plug(&dev->device), 0);
	assert_int_equal(fake->nb_opens, 1);
	assert_int_equal(rte_dev_remove(&dev->device), 0);
	tame_assert_released(dev);
	no->probe_rc = 1;
	assert_int_equal(tame_bus->plug(&dev->device), 1);
	assert_int_equal(fake->nb_opens, 2);
	assert_int_equal(fake->nb_closes, 1);
	eal_session_stop();	/* closes what was kept */
}

static void
test_probe_error_stops_asking(void **state)
{
	struct tame_driver *bad = tame_new("bad", tame_ids_1,
		TAME_MAPPED | RTE_PCI_DRV_KEEP_MAPPED_RES,
		.probe_rc = -EIO);
	struct tame_driver *next = tame_new("next", tame_ids_1, TAME_MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);

	tame_register(bad);
	tame_register(next);
	eal_session_start(NULL);
	assert_int_equal(next->nb_probes, 0);
	tame_assert_released(bad->dev);
	assert_int_equal(fake->nb_closes, 1);
	assert_int_equal(tame_bus->plug(&bad->dev->device), -EIO);
	eal_session_stop();
}

static void
test_probe_error_ends_what_another_driver_kept(void **state)
{
	struct tame_driver *keeper = tame_new("keeper", tame_ids_1,
		TAME_MAPPED | RTE_PCI_DRV_KEEP_MAPPED_RES, .probe_rc = 1);
	struct tame_driver *bad = tame_new("bad", tame_ids_1, TAME_MAPPED, .probe_rc = -EIO);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);

	tame_register(keeper);
	tame_register(bad);
	eal_session_start(NULL);
	assert_non_null(bad->bar0);
	tame_assert_released(bad->dev);
	assert_int_equal(fake->nb_closes, 1);
	eal_session_stop();
}

static void
test_bus_fails_only_if_all_devices_fail(void **state)
{
	struct tame_driver *bad = tame_new("bad", tame_ids_1, TAME_MAPPED, .probe_rc = -EIO);
	struct tame_driver *good = tame_new("good", tame_ids_2, TAME_MAPPED);
	struct fake_pci other = tame_device;

	other.id.device_id = 2;
	fake_pci_add("0000:01:00.0", &tame_device);
	tame_register(bad);
	tame_register(good);
	eal_session_start(NULL);
	assert_int_equal(tame_bus->probe(), -EIO);
	fake_pci_add("0000:02:00.0", &other);
	assert_int_equal(tame_bus->scan(), 0);
	assert_int_equal(tame_bus->probe(), 0);
	assert_int_equal(good->nb_probes, 1);
	assert_int_equal(tame_bus->probe(), 0);	/* the good one is driven already */
	eal_session_stop();
}

static void
test_device_that_cannot_be_opened_is_an_error(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);
	struct rte_pci_device *dev;

	fake->open_rc = -EBUSY;
	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(one->nb_probes, 0);
	dev = RTE_DEV_TO_PCI(tame_find("0000:01:00.0"));
	assert_int_equal(tame_bus->plug(&dev->device), -EBUSY);
	tame_assert_released(dev);
	fake->open_rc = 0;
	fake->start_rc = -EPERM;
	assert_int_equal(tame_bus->plug(&dev->device), -EPERM);
	tame_assert_released(dev);
	assert_int_equal(fake->nb_closes, 1);
	fake->start_rc = 0;
	fake->open_rc = 1;	/* not managed: no error, but not for a driver that maps */
	assert_int_equal(tame_bus->plug(&dev->device), 1);
	assert_int_equal(rte_pci_map_device(dev), 1);
	fake->open_rc = 0;
	assert_int_equal(tame_bus->plug(&dev->device), 0);
	eal_session_stop();
}

static void
test_driver_may_map_by_itself(void **state)
{
	struct tame_driver *self = tame_new("self", tame_ids_1, 0, .in_probe = rte_pci_map_device);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);

	tame_register(self);
	eal_session_start(NULL);
	assert_null(self->bar0);
	assert_non_null(self->dev->mem_resource[0].addr);
	assert_int_equal(rte_pci_map_device(self->dev), 0);
	assert_int_equal(fake->nb_opens, 1);
	rte_pci_unmap_device(self->dev);
	rte_pci_unmap_device(self->dev);
	assert_int_equal(fake->nb_closes, 1);
	assert_null(self->dev->mem_resource[0].addr);
	assert_non_null(self->dev->intr_handle);
	assert_int_equal(rte_pci_map_device(self->dev), 0);
	eal_session_stop();
}

static void
test_map_without_a_driver(void **state)
{
	struct rte_pci_device *dev;

	fake_pci_add("0000:01:00.0", &tame_device);
	eal_session_start(NULL);
	dev = RTE_DEV_TO_PCI(tame_find("0000:01:00.0"));
	assert_int_equal(rte_pci_map_device(NULL), -EINVAL);
	rte_pci_unmap_device(NULL);
	assert_int_equal(rte_pci_map_device(dev), 0);
	assert_non_null(dev->intr_handle);
	rte_pci_unmap_device(dev);
	tame_assert_released(dev);
	assert_int_equal(rte_pci_map_device(dev), 0);
	eal_session_stop();
}

static const struct CMUnitTest tests[] = {
	TAME_TEST(test_driver_gets_the_device_that_its_table_names),
	TAME_TEST(test_every_byte_is_read_and_written_across_holes),
	TAME_TEST(test_declined_device_is_mapped_once_for_all_drivers),
	TAME_TEST(test_device_that_all_decline_is_released),
	TAME_TEST(test_kept_mapping_serves_the_next_probe),
	TAME_TEST(test_probe_error_stops_asking),
	TAME_TEST(test_probe_error_ends_what_another_driver_kept),
	TAME_TEST(test_bus_fails_only_if_all_devices_fail),
	TAME_TEST(test_device_that_cannot_be_opened_is_an_error),
	TAME_TEST(test_driver_may_map_by_itself),
	TAME_TEST(test_map_without_a_driver),
};

TEST_SUITE(pci_probe, "functional", tests, NULL, NULL)
