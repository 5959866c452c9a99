/* SPDX-License-Identifier: BSD-3-Clause */

/* What a driver reaches by UIO: BARs, ports, configuration space, interrupts. */

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_eal_paging.h>
#include <rte_interrupts.h>

#include "eal_session.h"
#include "fake_uio.h"
#include "interpose.h"
#include "resources.h"
#include "test.h"
#include "uio_card.h"

#define K UINT64_C(0x1000)	/* 16 of it are at least a page anywhere */
#define MEM UIO_CARD_MEM
#define IO UIO_CARD_IO

/* ---- BARs of memory ---- */

static void
test_memory_is_mapped_as_a_whole(void **state)
{
	struct fake_uio_desc desc = uio_card_common;
	struct rte_pci_bar_window window;
	struct rte_pci_bar_info info;
	struct uio_card card;
	unsigned int i;

	for (i = 0; i < RTE_DIM(uio_kernel_drivers); i++) {
		desc.driver = uio_kernel_drivers[i];
		uio_card_map(&card, &desc);
		assert_string_equal(rte_pci_backend_name(card.pci), "uio");
		assert_int_equal(card.pci->kdrv, i == 0 ? RTE_PCI_KDRV_UIO_GENERIC :
			RTE_PCI_KDRV_IGB_UIO);
		assert_int_equal(rte_pci_bar_info_get(card.pci, MEM, &info), 0);
		assert_int_equal(info.size, 16 * K);
		assert_int_equal(rte_pci_bar_windows_get(card.pci, MEM, &window, 1), 1);
		assert_int_equal(window.offset, 0);
		assert_int_equal(window.size, 16 * K);
		assert_int_equal(window.prot, RTE_PROT_READ | RTE_PROT_WRITE);
		assert_ptr_equal(window.addr, card.pci->mem_resource[MEM].addr);
		assert_non_null(window.addr);
		assert_null(card.pci->mem_resource[0].addr);
		assert_null(card.pci->mem_resource[IO].addr);
		uio_card_unplug(&card);
	}
}

static void
test_mapped_bytes_pass_both_ways_without_a_call(void **state)
{
	uint32_t value = 0x12345678;
	struct uio_card card;

	uio_card_map(&card, &uio_card_common);
	uio_assert_bytes_pass(&card, MEM, 16 * K);
	*(volatile uint32_t *)RTE_PTR_ADD(card.pci->mem_resource[MEM].addr, 8 * K) = value;
	interpose_fail(INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0, 0);
	value = 0;
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &value, 4, 8 * K), 4);
	assert_int_equal(rte_pci_mmio_write(card.pci, MEM, &value, 4, 8 * K + 4), 4);
	interpose_disarm();
	assert_int_equal(interpose_count(), 0);
	assert_int_equal(value, 0x12345678);
	uio_card_unplug(&card);
}

static void
test_ranges_outside_are_refused(void **state)
{
	static const struct {
		int bar;
		size_t len;
		off_t offset;
	} rows[] = {
		{ -1, 4, 0 }, { 6, 4, 0 }, { 7, 4, 0 }, { 0, 4, 0 }, { MEM, 4, 16 * K },
		{ MEM, 4, 16 * K - 3 }, { MEM, 4, -4 }, { MEM, 8, -8 }, { MEM, SIZE_MAX, 4 },
		{ MEM, 4, INT64_MAX }, { MEM, 4, INT64_MIN }, { MEM, 16 * K + 1, 0 },
		{ IO, 4, 32 }, { IO, 4, 29 }, { IO, 4, -4 }, { IO, 33, 0 },
	};
	uint8_t byte = 0;
	struct uio_card card;
	unsigned int i;

	uio_card_map(&card, &uio_card_common);
	for (i = 0; i < RTE_DIM(rows); i++) {
		assert_int_equal(rte_pci_mmio_read(card.pci, rows[i].bar, &byte, rows[i].len,
			rows[i].offset), -EINVAL);
		assert_int_equal(rte_pci_mmio_write(card.pci, rows[i].bar, &byte, rows[i].len,
			rows[i].offset), -EINVAL);
	}
	rte_pci_unmap_device(card.pci);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &byte, 1, 0), -ENODEV);
	uio_card_unplug(&card);
}

static void
test_write_combining_is_for_the_driver_that_asks(void **state)
{
	static const struct {
		uint16_t device;
		bool wc;
		const char *opened;
	} rows[] = {
		{ 1, true, "resource2 " },
		{ 2, true, "resource2_wc " },
		{ 2, false, "resource2 " },
		{ 3, true, "resource2_wc resource2 " },
	};
	struct fake_uio_desc desc = { .bar[MEM] = { .len = 16 * K } };
	struct uio_card card;
	unsigned int i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		desc.device = rows[i].device;
		desc.bar[MEM].wc = rows[i].wc;
		uio_card_map(&card, &desc);
		assert_string_equal(card.uio->opened, rows[i].opened);
		uio_assert_bytes_pass(&card, MEM, 16 * K);
		uio_card_unplug(&card);
	}
}

/* The page that a mapping gives begins before the BAR, with what is another device's. */
static void
test_bar_in_the_middle_of_a_page_is_reached_by_calls(void **state)
{
	const struct fake_uio_desc desc = {
		.bar[MEM] = { .len = 256, .start = 0xe0000100 },
	};
	struct resources before;
	struct uio_card card;

	uio_card_map(&card, &desc);
	assert_null(card.pci->mem_resource[MEM].addr);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, MEM, NULL, 0), 0);
	uio_assert_bytes_pass(&card, MEM, 256);
	resources_take(&before);
	uio_assert_bytes_pass(&card, MEM, 256);
	resources_assert_same(&before);
	resources_drop(&before);
	uio_card_unplug(&card);
}

static void
test_bar_shorter_than_a_page_is_mapped(void **state)
{
	const struct fake_uio_desc desc = { .bar[MEM] = { .len = 256 } };
	struct uio_card card;
	uint8_t byte;

	uio_card_map(&card, &desc);
	assert_non_null(card.pci->mem_resource[MEM].addr);
	uio_assert_bytes_pass(&card, MEM, 256);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &byte, 1, 256), -EINVAL);
	uio_card_unplug(&card);
}

static void
test_bar_that_has_no_place_is_not_there(void **state)
{
	const struct fake_uio_desc desc = {
		.bar[MEM] = { .len = 16 * K, .unset = true },
		.bar[0] = { .len = 16 * K },
	};
	struct uio_card card;
	uint8_t byte;

	uio_card_map(&card, &desc);
	assert_string_equal(card.uio->opened, "resource0 ");
	assert_null(card.pci->mem_resource[MEM].addr);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &byte, 1, 0), -EINVAL);
	uio_card_unplug(&card);
}

static void
test_bar_without_a_file_cannot_be_accessed(void **state)
{
	const struct fake_uio_desc desc = {
		.bar[MEM] = { .len = 16 * K, .no_file = true },
		.bar[0] = { .len = 16 * K },
	};
	struct uio_card card;
	uint8_t byte = 0;

	uio_log_begin();
	uio_card_map(&card, &desc);
	uio_assert_log_tells(&card, eal_log_text(), (const char *[]){ "BAR2", "resource2", NULL });
	uio_log_end();
	assert_non_null(card.pci->mem_resource[0].addr);
	assert_null(card.pci->mem_resource[MEM].addr);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &byte, 1, 0), -EACCES);
	assert_int_equal(rte_pci_mmio_write(card.pci, MEM, &byte, 1, 0), -EACCES);
	uio_card_unplug(&card);
}

/* Secure Boot. Configuration space can be read. */
static void
test_locked_down_kernel_gives_errors(void **state)
{
	uint32_t value = 0;
	struct uio_card card;

	uio_card_plug(&card, &uio_card_common);
	card.uio->locked_down = true;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_null(card.pci->mem_resource[MEM].addr);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &value, 4, 0), -EPERM);
	assert_int_equal(rte_pci_mmio_write(card.pci, MEM, &value, 4, 0), -EPERM);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 0), 4);
	assert_int_equal(rte_pci_write_config(card.pci, &value, 4, 0), -EPERM);
	uio_card_unplug(&card);
}

/* ---- configuration space ---- */

static void
test_configuration_space(void **state)
{
	uint32_t value = 0;
	struct uio_card card;

	uio_card_map(&card, &uio_card_common);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 0), 4);
	assert_int_equal(value, 1u << 16 | UIO_CARD_VENDOR);
	value = 0x5a;
	assert_int_equal(rte_pci_write_config(card.pci, &value, 1, 0x3c), 1);
	assert_int_equal(fake_uio_config(card.uio, 0x3c), 0x5a);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 256), -EINVAL);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 254), -EINVAL);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, -4), -EINVAL);
	assert_int_equal(rte_pci_write_config(card.pci, &value, 4, 256), -EINVAL);
	uio_card_unplug(&card);
}

static void
test_who_may_read_the_header_only_has_the_header(void **state)
{
	uint32_t value = 0;
	struct uio_card card;

	uio_card_plug(&card, &uio_card_common);
	fake_uio_config_set(card.uio, RTE_PCI_STATUS, RTE_PCI_STATUS_CAP_LIST);
	fake_uio_config_set(card.uio, RTE_PCI_CAPABILITY_LIST, 0x40);
	fake_uio_config_set(card.uio, 0x40, RTE_PCI_CAP_ID_PM);
	card.uio->unprivileged = true;
	uio_log_begin();
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	uio_assert_log_tells(&card, eal_log_text(), (const char *[]){ "CAP_SYS_ADMIN", NULL });
	uio_log_end();
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 60), 4);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 64), -EINVAL);
	assert_true(rte_pci_find_capability(card.pci, RTE_PCI_CAP_ID_PM) < 0);
	rte_pci_unmap_device(card.pci);
	card.uio->unprivileged = false;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_int_equal(rte_pci_find_capability(card.pci, RTE_PCI_CAP_ID_PM), 0x40);
	uio_card_unplug(&card);
}

/* ---- bus mastering ---- */

/* Tests have no huge pages, so that EAL uses virtual addresses; the guest has the other case. */
static void
test_device_reaches_no_memory_where_iovas_are_virtual(void **state)
{
	struct fake_uio_desc desc = uio_card_common;
	struct uio_card card;
	unsigned int i;

	for (i = 0; i < RTE_DIM(uio_kernel_drivers); i++) {
		desc.driver = uio_kernel_drivers[i];
		uio_card_plug(&card, &desc);
		uio_log_begin();
		assert_int_equal(rte_pci_map_device(card.pci), 0);
		uio_assert_log_tells(&card, eal_log_text(), (const char *[]){
			"bus mastering stays off", "--iova-mode=pa", NULL });
		uio_log_end();
		assert_int_equal(uio_card_command(&card) & RTE_PCI_COMMAND_MASTER, 0);
		assert_int_equal(rte_pci_set_bus_master(card.pci, true), -EPERM);
		assert_int_equal(rte_pci_set_bus_master(card.pci, false), 0);
		assert_int_equal(uio_card_command(&card) & RTE_PCI_COMMAND_MASTER, 0);
		uio_card_unplug(&card);
	}
}

/* The kernel masks an interrupt, and the driver unmasks it, in the same register. */
static void
test_bus_mastering_changes_nothing_else(void **state)
{
	struct uio_card card;

	uio_card_map(&card, &uio_card_common);
	assert_int_equal(rte_intr_enable(card.pci->intr_handle), 0);
	fake_uio_config_set(card.uio, RTE_PCI_COMMAND,
		uio_card_command(&card) | RTE_PCI_COMMAND_MASTER);
	card.uio->irq_at_config_read = true;
	assert_int_equal(rte_pci_set_bus_master(card.pci, false), 0);
	assert_false(card.uio->irq_at_config_read);
	assert_int_equal(uio_card_command(&card) & RTE_PCI_COMMAND_MASTER, 0);
	assert_true((uio_card_command(&card) & RTE_PCI_COMMAND_INTX_DISABLE) != 0);
	uio_card_unplug(&card);
}

static void
test_eal_names_the_device_that_needs_physical_addresses(void **state)
{
	char texts[][16] = { "dpdk-test", "--no-huge", "--in-memory" };
	char *args[] = { texts[0], texts[1], texts[2], NULL };
	struct uio_card card;

	uio_card_plug(&card, &uio_card_common);
	eal_session_stop();
	uio_log_begin();
	assert_true(rte_eal_init(RTE_DIM(args) - 1, args) < 0);
	uio_assert_log_tells(&card, eal_log_text(), (const char *[]){
		"physical addresses", "CAP_SYS_ADMIN", "huge pages", "vfio-pci", "-b ", NULL });
	uio_log_end();
	fake_uio_remove(card.uio);
	uio_card_eal_start(NULL);
}

/* ---- the suite ---- */

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_memory_is_mapped_as_a_whole),
	cmocka_unit_test(test_mapped_bytes_pass_both_ways_without_a_call),
	cmocka_unit_test(test_ranges_outside_are_refused),
	cmocka_unit_test(test_write_combining_is_for_the_driver_that_asks),
	cmocka_unit_test(test_bar_in_the_middle_of_a_page_is_reached_by_calls),
	cmocka_unit_test(test_bar_shorter_than_a_page_is_mapped),
	cmocka_unit_test(test_bar_that_has_no_place_is_not_there),
	cmocka_unit_test(test_bar_without_a_file_cannot_be_accessed),
	cmocka_unit_test(test_locked_down_kernel_gives_errors),
	cmocka_unit_test(test_configuration_space),
	cmocka_unit_test(test_who_may_read_the_header_only_has_the_header),
	cmocka_unit_test(test_device_reaches_no_memory_where_iovas_are_virtual),
	cmocka_unit_test(test_bus_mastering_changes_nothing_else),
	cmocka_unit_test(test_eal_names_the_device_that_needs_physical_addresses),
};
TEST_SUITE(pci_uio, "functional", tests, uio_card_setup, uio_card_teardown)
