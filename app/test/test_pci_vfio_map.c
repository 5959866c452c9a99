/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_eal_memconfig.h>

#include "fake_vfio.h"
#include "test.h"
#include "vfio_card.h"

struct map_thread {
	struct rte_pci_device *dev;
	atomic_bool done;
};

static void *
map_in_thread(void *arg)
{
	struct map_thread *thread = arg;

	if (rte_pci_map_device(thread->dev) != 0)
		thread->dev = NULL;
	atomic_store(&thread->done, true);
	return NULL;
}

static void
test_s15_shared_list_changes_under_its_lock(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct map_thread thread = { 0 };
	struct vfio_card card;
	pthread_t id;

	vfio_card_plug(&card, &desc);
	thread.dev = card.pci;
	rte_mcfg_tailq_write_lock();
	assert_int_equal(pthread_create(&id, NULL, map_in_thread, &thread), 0);
	usleep(20000);
	assert_false(atomic_load(&thread.done));
	rte_mcfg_tailq_write_unlock();
	pthread_join(id, NULL);
	assert_true(atomic_load(&thread.done));
	assert_non_null(thread.dev);
	vfio_card_unplug(&card);
}

static void
test_s17_each_region_is_asked_for_once(void **state)
{
	struct fake_device_desc desc;
	struct vfio_config config;
	struct vfio_card card;
	unsigned int i;

	vfio_card_rich(&desc, &config);
	vfio_card_map(&card, &desc);
	for (i = 0; i < FAKE_NB_REGIONS; i++)
		assert_int_equal(card.fake->nb_region_infos[i], 1);
	vfio_card_unplug(&card);
}

static void
test_device_that_is_not_mapped_answers_enodev(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct rte_pci_ioport port;
	struct vfio_card card;
	uint32_t value;

	vfio_card_plug(&card, &desc);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &value, 4, 0), -ENODEV);
	assert_int_equal(rte_pci_mmio_write(card.pci, 2, &value, 4, 0), -ENODEV);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 0), -ENODEV);
	assert_int_equal(rte_pci_write_config(card.pci, &value, 4, 0), -ENODEV);
	assert_int_equal(rte_pci_ioport_map(card.pci, 2, &port), -ENODEV);
	assert_int_equal(rte_pci_find_capability(card.pci, 1), -ENODEV);
	assert_int_equal(rte_pci_find_ext_capability(card.pci, 1), -ENODEV);
	assert_int_equal(rte_pci_set_bus_master(card.pci, true), -ENODEV);
	assert_false(rte_pci_has_capability_list(card.pci));
	vfio_card_unplug(&card);
}

/* ---- kinds of BARs ---- */

static void
test_kinds_of_bars(void **state)
{
	static const uint32_t bars[6] = {
		0x80000000,	/* memory, 32 bits */
		0xe001,	/* ports */
		0x0000000c, 0x00000001,	/* memory, 64 bits, prefetchable, above 4 GiB */
		0x80010000,
		0xe101,
	};
	struct fake_device_desc desc = {
		.regions[0] = { .size = 4 * K, .flags = FAKE_REGION_RWM },
		.regions[1] = { .size = 32, .flags = FAKE_REGION_RWM },
		.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM },
		.regions[4] = { .size = 4 * K, .flags = FAKE_REGION_RW },
		.regions[5] = { .size = 256, .flags = FAKE_REGION_RW },
		.regions[6] = { .size = 4 * K, .flags = VFIO_REGION_INFO_FLAG_READ },
	};
	static const bool mapped[6] = { true, false, true, false, false, false };
	static const bool ioport[6] = { false, true, false, false, false, true };
	struct rte_pci_bar_info info;
	struct vfio_config config;
	struct vfio_card card;
	unsigned int i;

	vfio_config_init(&config);
	memcpy(&config.bytes[RTE_PCI_BASE_ADDRESS_0], bars, sizeof(bars));
	desc.config = config.bytes;
	desc.config_len = sizeof(config.bytes);
	vfio_card_map(&card, &desc);
	for (i = 0; i < 6; i++) {
		assert_int_equal(card.pci->mem_resource[i].addr != NULL, mapped[i]);
		assert_int_equal(rte_pci_bar_info_get(card.pci, (int)i, &info), 0);
		assert_int_equal((info.flags & RTE_PCI_BAR_F_IOPORT) != 0, ioport[i]);
		assert_int_equal(info.size, desc.regions[i].size);
	}
	vfio_card_unplug(&card);
}

static void
test_length_comes_from_the_region_where_sysfs_says_0(void **state)
{
	struct fake_device_desc desc = { 0 };
	struct vfio_card card;

	vfio_card_plug(&card, &desc);
	assert_int_equal(card.pci->mem_resource[2].len, 0);
	card.fake->desc.regions[2].size = 16 * K;
	card.fake->desc.regions[2].flags = FAKE_REGION_RWM;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_int_equal(card.pci->mem_resource[2].len, 16 * K);
	rte_pci_unmap_device(card.pci);
	assert_int_equal(card.pci->mem_resource[2].len, 0);
	vfio_card_unplug(&card);
}

static void
test_map_is_done_once(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;

	vfio_card_map(&card, &desc);
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_int_equal(card.fake->nb_opened, 1);
	assert_int_equal(rte_pci_map_device(NULL), -EINVAL);
	rte_pci_unmap_device(NULL);
	vfio_card_unplug(&card);
}

static void
test_device_of_a_foreign_driver_is_left_alone(void **state)
{
	static const char *const drivers[] = {
		"mlx5_core", "nvme", "xhci_hcd",
	};
	static const char *const variants[] = {
		"vfio-pci", "mlx5_vfio_pci", "nvgrace-gpu-vfio-pci", "hisi-acc-vfio-pci",
		"virtio-vfio-pci", "qat_vfio_pci",
		"acme-vfio",	/* known by its folder vfio-dev only */
	};
	const size_t nb_known_by_name = RTE_DIM(variants) - 1;
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;
	size_t i;

	for (i = 0; i < RTE_DIM(variants); i++) {
		desc.driver = variants[i];
		vfio_card_without_folder = i < nb_known_by_name;
		vfio_card_map(&card, &desc);
		assert_int_equal(card.pci->kdrv, RTE_PCI_KDRV_VFIO);
		assert_non_null(card.pci->mem_resource[2].addr);
		vfio_card_unplug(&card);
	}
	vfio_card_without_folder = false;
	for (i = 0; i < RTE_DIM(drivers); i++) {
		desc.driver = drivers[i];
		vfio_card_plug(&card, &desc);
		assert_int_equal(rte_pci_map_device(card.pci), 1);
		assert_null(rte_pci_backend_name(card.pci));
		vfio_assert_nothing_is_left(card.pci);
		vfio_card_unplug(&card);
	}
}

static void
test_kernel_resets_so_the_bus_need_not(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;

	desc.device_flags = VFIO_DEVICE_FLAGS_RESET;
	vfio_card_map(&card, &desc);
	assert_int_equal(card.fake->nb_resets, 0);
	vfio_card_unplug(&card);
}

static void
test_memory_and_bus_master_are_on_while_mapped(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;
	uint16_t command;

	vfio_card_map(&card, &desc);
	fake_vfio_peek(card.fake, VFIO_PCI_CONFIG_REGION_INDEX, RTE_PCI_COMMAND, &command, 2);
	assert_int_equal(command, RTE_PCI_COMMAND_MEMORY | RTE_PCI_COMMAND_MASTER);
	assert_int_equal(rte_pci_set_bus_master(card.pci, false), 0);
	fake_vfio_peek(card.fake, VFIO_PCI_CONFIG_REGION_INDEX, RTE_PCI_COMMAND, &command, 2);
	assert_int_equal(command, RTE_PCI_COMMAND_MEMORY);
	assert_int_equal(rte_pci_set_bus_master(card.pci, true), 0);
	rte_pci_unmap_device(card.pci);
	fake_vfio_peek(card.fake, VFIO_PCI_CONFIG_REGION_INDEX, RTE_PCI_COMMAND, &command, 2);
	assert_int_equal(command & RTE_PCI_COMMAND_MASTER, 0);
	vfio_card_unplug(&card);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_s15_shared_list_changes_under_its_lock),
	cmocka_unit_test(test_s17_each_region_is_asked_for_once),
	cmocka_unit_test(test_device_that_is_not_mapped_answers_enodev),
	cmocka_unit_test(test_kinds_of_bars),
	cmocka_unit_test(test_length_comes_from_the_region_where_sysfs_says_0),
	cmocka_unit_test(test_map_is_done_once),
	cmocka_unit_test(test_device_of_a_foreign_driver_is_left_alone),
	cmocka_unit_test(test_kernel_resets_so_the_bus_need_not),
	cmocka_unit_test(test_memory_and_bus_master_are_on_while_mapped),
};
VFIO_CARD_SUITES(pci_vfio_map, tests)
