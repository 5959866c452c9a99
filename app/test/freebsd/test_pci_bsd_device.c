/* SPDX-License-Identifier: BSD-3-Clause */

/* A device under FreeBSD, by nic_uio and by /dev/pci alone: mapping, and its command register. */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <bus_pci_driver.h>
#include <rte_common.h>

#include "bsd_card.h"
#include "eal_session.h"
#include "pci_bsd_conf.h"
#include "resources.h"
#include "test.h"

/* ---- mapping ---- */

static void
test_bars_are_mapped_whole(void **state)
{
	struct rte_pci_bar_window window;

	(void)state;
	EACH_WAY(way) {
		bsd_begin_mapped(way);
		assert_string_equal(rte_pci_backend_name(bsd_dev), way->backend);
		assert_int_equal(rte_pci_bar_windows_get(bsd_dev, 0, &window, 1), 1);
		assert_int_equal(window.offset, 0);
		assert_int_equal(window.size, 0x200000);
		assert_ptr_equal(window.addr, bsd_dev->mem_resource[0].addr);
		((uint8_t *)bsd_dev->mem_resource[0].addr)[0x1fffff] = 0x42;
		assert_int_equal(bsd_card_byte(0, 0x1fffff), 0x42);
		((uint8_t *)bsd_dev->mem_resource[MEMORY].addr)[0x7fff] = 0x43;
		assert_int_equal(bsd_card_byte(MEMORY, 0x7fff), 0x43);
		assert_int_equal(bsd_card->bar[0].nb_calls, 0);
		bsd_end_mapped();
	}
}

/* The upper half of a wide BAR, and numbers behind the last one. */
static void
test_bars_that_are_none(void **state)
{
	struct rte_pci_bar_info info;

	(void)state;
	EACH_WAY(way) {
		bsd_begin_mapped(way);
		assert_int_equal(rte_pci_bar_info_get(bsd_dev, 1, &info), 0);
		assert_int_equal(info.size, 0);
		assert_int_equal(rte_pci_mmio_read(bsd_dev, 1, bsd_mem, 4, 0), -EINVAL);
		assert_int_equal(rte_pci_mmio_read(bsd_dev, 4, bsd_mem, 1, 0), -EINVAL);
		assert_int_equal(rte_pci_mmio_read(bsd_dev, 6, bsd_mem, 1, 0), -EINVAL);
		assert_int_equal(rte_pci_mmio_read(bsd_dev, -1, bsd_mem, 1, 0), -EINVAL);
		bsd_end_mapped();
	}
}

/* Its page may be shared with others, so nobody maps it. */
static void
test_a_bar_smaller_than_a_page_is_reached_by_calls(void **state)
{
	size_t len, offset, i;

	(void)state;
	EACH_WAY(way) {
		bsd_begin_mapped(way);
		bsd_card_fill(SMALL);
		assert_null(bsd_dev->mem_resource[SMALL].addr);
		for (offset = 0; offset < 16; offset++)
			for (len = 0; len <= 17; len++) {
				memset(bsd_mem, 0, sizeof(bsd_mem));
				assert_int_equal(rte_pci_mmio_read(bsd_dev, SMALL, bsd_mem, len,
					(off_t)offset), len);
				for (i = 0; i < len; i++)
					assert_int_equal(bsd_mem[i],
						(uint8_t)((offset + i) * 7 + SMALL));
			}
		assert_int_equal(rte_pci_mmio_write(bsd_dev, SMALL, "abcdefgh", 7, 0xf9), 7);
		assert_int_equal(bsd_card_byte(SMALL, 0xf9), 'a');
		assert_int_equal(bsd_card_byte(SMALL, 0xff), 'g');
		assert_int_equal(rte_pci_mmio_write(bsd_dev, SMALL, "abc", 2, 0xff), -EINVAL);
		bsd_end_mapped();
	}
}

/* A register of 4 bytes that is asked for is asked for once. */
static void
test_an_aligned_access_is_one_access(void **state)
{
	static const struct {
		size_t len;
		off_t offset;
		unsigned int calls;
	} rows[] = {
		{ 1, 0, 1 }, { 1, 3, 1 }, { 2, 0, 1 }, { 2, 2, 1 }, { 4, 0, 1 }, { 4, 4, 1 },
		{ 8, 0, 2 }, { 2, 1, 2 }, { 4, 2, 2 }, { 4, 1, 3 }, { 3, 0, 2 },
	};
	unsigned int i;

	(void)state;
	EACH_WAY(way) {
		bsd_begin_mapped(way);
		for (i = 0; i < RTE_DIM(rows); i++) {
			bsd_card->bar[SMALL].nb_calls = 0;
			assert_int_equal(rte_pci_mmio_read(bsd_dev, SMALL, bsd_mem, rows[i].len,
				rows[i].offset), rows[i].len);
			assert_int_equal(bsd_card->bar[SMALL].nb_calls, rows[i].calls);
		}
		bsd_end_mapped();
	}
}

static void
test_a_bar_that_cannot_be_mapped_is_reached_by_calls(void **state)
{
	(void)state;
	EACH_WAY(way) {
		bsd_begin(way);
		bsd_card->bar[MEMORY].map_rc = -ENOMEM;
		eal_log_capture();
		assert_int_equal(rte_pci_map_device(bsd_dev), 0);
		assert_int_equal(eal_log_lines_with(eal_log_text(), "BAR3: cannot map"), 1);
		eal_log_release();
		assert_null(bsd_dev->mem_resource[MEMORY].addr);
		assert_non_null(bsd_dev->mem_resource[0].addr);
		assert_int_equal(rte_pci_mmio_write(bsd_dev, MEMORY, "abcd", 4, 0x7ffc), 4);
		assert_int_equal(bsd_card_byte(MEMORY, 0x7fff), 'd');
		bsd_end_mapped();
	}
}

/* The kernel of FreeBSD 13 has no calls for that. */
static void
test_without_calls_such_a_bar_is_not_reached(void **state)
{
	(void)state;
	EACH_WAY(way) {
		bsd_begin(way);
		fake_freebsd.release = 13;
		assert_int_equal(rte_pci_map_device(bsd_dev), 0);
		assert_int_equal(rte_pci_mmio_read(bsd_dev, SMALL, bsd_mem, 4, 0), -ENOTSUP);
		fake_freebsd.release = 14;
		bsd_card->bar[SMALL].held = true;
		assert_int_equal(rte_pci_mmio_read(bsd_dev, SMALL, bsd_mem, 4, 0), -EBUSY);
		bsd_end_mapped();
	}
}

static int
spoil_elsewhere(unsigned long request, void *arg, int rc)
{
	struct pci_bsd_map_bar *answer = arg;
	void *other;

	if (request != PCI_BSD_MAP_BAR || rc != 0)
		return rc;
	other = mmap(NULL, answer->map_length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(other, MAP_FAILED);
	answer->map_base = other;
	return 0;
}

static int
spoil_length(unsigned long request, void *arg, int rc)
{
	struct pci_bsd_map_bar *answer = arg;

	if (request == PCI_BSD_MAP_BAR)
		answer->map_length /= 2;
	return rc;
}

static int
spoil_start(unsigned long request, void *arg, int rc)
{
	struct pci_bsd_map_bar *answer = arg;

	if (request == PCI_BSD_MAP_BAR)
		answer->bar_off = 0x100;
	return rc;
}

/* /dev/pci maps by itself, and says where: what it says must be what was asked for. */
static void
test_a_mapping_that_is_not_as_asked_for_is_none(void **state)
{
	static int (*const spoils[])(unsigned long request, void *arg, int rc) = {
		spoil_elsewhere, spoil_length, spoil_start,
	};
	struct resources before;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(spoils); i++) {
		bsd_begin(&bsd_ways[1]);
		assert_int_equal(rte_pci_map_device(bsd_dev), 0);
		rte_pci_unmap_device(bsd_dev);
		resources_take(&before);
		fake_freebsd.spoil = spoils[i];
		assert_int_equal(rte_pci_map_device(bsd_dev), 0);
		assert_null(bsd_dev->mem_resource[0].addr);
		assert_int_equal(rte_pci_mmio_write(bsd_dev, 0, "x", 1, 0), 1);
		assert_int_equal(bsd_card_byte(0, 0), 'x');
		rte_pci_unmap_device(bsd_dev);
		resources_assert_same(&before);
		resources_drop(&before);
		bsd_end();
	}
}

static struct rte_pci_driver combining = {
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING | RTE_PCI_DRV_WC_ACTIVATE,
};

/* Of two BARs one is prefetchable. */
static void
test_write_combining_for_who_asks_for_it(void **state)
{
	(void)state;
	bsd_begin_mapped(&bsd_ways[1]);
	assert_int_equal(fake_freebsd.nb_combining, 0);
	rte_pci_unmap_device(bsd_dev);
	bsd_dev->driver = &combining;
	assert_int_equal(rte_pci_map_device(bsd_dev), 0);
	bsd_dev->driver = NULL;
	assert_int_equal(fake_freebsd.nb_combining, 1);
	bsd_end_mapped();
}

/* ---- the command register ---- */

static void
test_the_device_listens_while_it_is_mapped(void **state)
{
	(void)state;
	EACH_WAY(way) {
		bsd_begin_mapped(way);
		assert_int_equal(bsd_card->config[COMMAND] & 3, COMMAND_IO | COMMAND_MEMORY);
		rte_pci_unmap_device(bsd_dev);
		assert_int_equal(bsd_card->config[COMMAND], 0);
		bsd_end();
	}
}

static void
test_a_device_that_listens_already_goes_on(void **state)
{
	(void)state;
	EACH_WAY(way) {
		bsd_begin(way);
		bsd_card->config[COMMAND] = COMMAND_MEMORY;
		bsd_card->config[COMMAND + 1] = 0x04;	/* INTx off */
		assert_int_equal(rte_pci_map_device(bsd_dev), 0);
		rte_pci_unmap_device(bsd_dev);
		assert_int_equal(bsd_card->config[COMMAND], COMMAND_MEMORY);
		assert_int_equal(bsd_card->config[COMMAND + 1], 0x04);
		bsd_end();
	}
}

/* Addresses that are not physical would reach the memory of others. */
static void
test_no_dma_without_contigmem(void **state)
{
	(void)state;
	EACH_WAY(way) {
		bsd_begin(way);
		bsd_card->config[COMMAND] = COMMAND_MASTER;
		eal_log_capture();
		assert_int_equal(rte_pci_map_device(bsd_dev), 0);
		assert_int_equal(eal_log_lines_with(eal_log_text(), "no contigmem"), 1);
		eal_log_release();
		assert_int_equal(bsd_card->config[COMMAND] & COMMAND_MASTER, 0);
		assert_true(rte_pci_set_bus_master(bsd_dev, true) < 0);
		assert_int_equal(bsd_card->config[COMMAND] & COMMAND_MASTER, 0);
		bsd_end_mapped();
	}
}

static int
spoil_command_write(unsigned long request, void *arg, int rc)
{
	const struct pci_bsd_reg *reg = arg;

	return request == PCI_BSD_WRITE && reg->reg == COMMAND ? -EIO : rc;
}

static int
spoil_command_read(unsigned long request, void *arg, int rc)
{
	const struct pci_bsd_reg *reg = arg;

	return request == PCI_BSD_READ && reg->reg == COMMAND ? -EIO : rc;
}

/* A device that cannot be kept from the memory of others, or cannot reach its own, is not used. */
static void
test_a_device_whose_bus_mastering_cannot_be_set_is_not_used(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 2 * RTE_DIM(bsd_ways); i++) {
		bsd_begin(&bsd_ways[i / 2]);
		bsd_card->config[COMMAND] = COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER;
		fake_freebsd.spoil = i % 2 == 0 ? spoil_command_write : spoil_command_read;
		eal_log_capture();
		assert_int_equal(rte_pci_map_device(bsd_dev), -EIO);
		assert_int_equal(eal_log_lines_with(eal_log_text(),
			"cannot disable bus mastering: Input/output error"), 1);
		eal_log_release();
		assert_null(bsd_dev->mem_resource[0].addr);
		bsd_end();
	}
}

static void
test_no_interrupts(void **state)
{
	(void)state;
	EACH_WAY(way) {
		bsd_begin_mapped(way);
		assert_int_equal(rte_intr_fd_get(bsd_dev->intr_handle), -1);
		assert_int_equal(rte_intr_enable(bsd_dev->intr_handle), -ENOTSUP);
		bsd_end_mapped();
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_bars_are_mapped_whole),
	cmocka_unit_test(test_bars_that_are_none),
	cmocka_unit_test(test_a_bar_smaller_than_a_page_is_reached_by_calls),
	cmocka_unit_test(test_an_aligned_access_is_one_access),
	cmocka_unit_test(test_a_bar_that_cannot_be_mapped_is_reached_by_calls),
	cmocka_unit_test(test_without_calls_such_a_bar_is_not_reached),
	cmocka_unit_test(test_a_mapping_that_is_not_as_asked_for_is_none),
	cmocka_unit_test(test_write_combining_for_who_asks_for_it),
	cmocka_unit_test(test_the_device_listens_while_it_is_mapped),
	cmocka_unit_test(test_a_device_that_listens_already_goes_on),
	cmocka_unit_test(test_no_dma_without_contigmem),
	cmocka_unit_test(test_a_device_whose_bus_mastering_cannot_be_set_is_not_used),
	cmocka_unit_test(test_no_interrupts),
};

TEST_SUITE(pci_bsd_device, "functional", tests, NULL, NULL)
