/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_malloc.h>

#include "eal_session.h"
#include "fake_backend.h"
#include "fake_sysfs.h"
#include "interpose.h"
#include "tame_driver.h"
#include "test.h"

/* ---- DMA ---- */

static void
test_dma_is_mapped_by_the_driver_or_else_the_backend(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);
	void *memory;

	tame_register(one);
	eal_session_start(NULL);
	memory = rte_malloc(NULL, 16, 0);
	assert_int_equal(rte_dev_dma_map(&one->dev->device, memory, 0x1000, 16), 0);
	assert_int_equal(rte_dev_dma_unmap(&one->dev->device, memory, 0x1000, 16), 0);
	assert_int_equal(fake->nb_dma_maps, 1);
	assert_int_equal(fake->nb_dma_unmaps, 1);
	fake->dma_rc = -ENOSPC;
	assert_int_equal(rte_dev_dma_map(&one->dev->device, memory, 0x1000, 16), -1);
	assert_int_equal(rte_errno, ENOSPC);
	one->pci.dma_map = tame_dma_map;
	one->pci.dma_unmap = tame_dma_unmap;
	assert_int_equal(rte_dev_dma_map(&one->dev->device, memory, 0x1000, 16), 0);
	assert_int_equal(rte_dev_dma_unmap(&one->dev->device, memory, 0x1000, 16), 0);
	assert_int_equal(one->nb_dma_maps, 1);
	assert_int_equal(one->nb_dma_unmaps, 1);
	assert_int_equal(fake->nb_dma_maps, 2);
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(tame_bus->dma_map(&one->dev->device, memory, 0x1000, 16), -1);
	assert_int_equal(rte_errno, EINVAL);
	rte_free(memory);
	eal_session_stop();
}

/* ---- failures ---- */

static void
test_nothing_leaks_whatever_fails_in_plug_and_unplug(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct interpose_loop loop;
	struct resources first;
	struct rte_device *dev;
	int rc;

	fake_pci_add("0000:01:00.0", &tame_device);
	eal_session_start(NULL);
	tame_register(one);
	dev = tame_find("0000:01:00.0");
	rte_log_set_global_level(RTE_LOG_EMERG);
	resources_take(&first);	/* finding the calls that this makes frees memory, once */
	resources_drop(&first);
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
		rc = tame_bus->plug(dev);
		interpose_disarm();
		assert_int_equal(rte_dev_is_probed(dev), rc == 0);
		if (rc == 0)
			assert_int_equal(tame_bus->unplug(dev), 0);
		tame_assert_released(RTE_DEV_TO_PCI(dev));
	}
	rte_log_set_global_level(RTE_LOG_DEBUG);
	eal_session_stop();
}

static void
test_nothing_leaks_whatever_fails_in_a_scan(void **state)
{
	struct interpose_loop loop;
	struct fake_pci *fake;
	int rc;

	fake_pci_add("0000:01:00.0", &tame_device);
	fake = fake_pci_add("0000:02:00.0", &tame_device);
	fake_sysfs_add(tame_sysfs, "0000:03:00.0", &(struct fake_sysfs_desc){ .driver = "e1000e" });
	eal_session_start(NULL);
	assert_int_equal(tame_count(), 3);
	rte_log_set_global_level(RTE_LOG_EMERG);
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
		fake->absent = true;
		rc = tame_bus->scan();
		tame_count();
		interpose_disarm();
		assert_true(rc == 0 || interpose_fired());
		fake->absent = false;
		assert_int_equal(tame_bus->scan(), 0);
		assert_int_equal(tame_count(), 3);
	}
	rte_log_set_global_level(RTE_LOG_DEBUG);
	eal_session_stop();
}

static void
test_session_leaves_nothing_behind(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct resources before;

	fake_pci_add("0000:01:00.0", &tame_device);
	fake_pci_add("0000:02:00.0", &tame_device);
	tame_register(one);
	eal_session_start(NULL);
	eal_session_stop();
	resources_take(&before);
	eal_session_start(NULL);
	assert_int_equal(one->nb_probes, 4);
	eal_session_stop();
	resources_assert_same(&before);
	resources_drop(&before);
}

static const struct CMUnitTest tests[] = {
	TAME_TEST(test_dma_is_mapped_by_the_driver_or_else_the_backend),
	TAME_TEST(test_nothing_leaks_whatever_fails_in_plug_and_unplug),
	TAME_TEST(test_nothing_leaks_whatever_fails_in_a_scan),
	TAME_TEST(test_session_leaves_nothing_behind),
};

TEST_SUITE(pci_leak, "functional", tests, NULL, NULL)
