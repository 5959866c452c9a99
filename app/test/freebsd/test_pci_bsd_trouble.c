/* SPDX-License-Identifier: BSD-3-Clause */

/* A device under FreeBSD, by nic_uio and by /dev/pci alone: what is lacking, what fails. */

#include <errno.h>
#include <string.h>

#include <bus_pci_driver.h>
#include <rte_common.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "bsd_card.h"
#include "eal_session.h"
#include "interpose.h"
#include "pci_device.h"
#include "pci_list.h"
#include "resources.h"
#include "test.h"

/* ---- what is lacking ---- */

static void
test_nic_uio_goes_on_without_the_right_to_write(void **state)
{
	(void)state;
	bsd_begin(&bsd_ways[0]);
	bsd_card->config[COMMAND] = COMMAND_MEMORY;
	fake_freebsd.write_rc = -EACCES;
	eal_log_capture();
	assert_int_equal(rte_pci_map_device(bsd_dev), 0);
	assert_int_equal(eal_log_lines_with(eal_log_text(),
		"cannot open /dev/pci to write, going on without configuration space: "
		"Permission denied (only root may"), 1);
	eal_log_release();
	assert_non_null(bsd_dev->mem_resource[0].addr);
	assert_int_equal(rte_pci_read_config(bsd_dev, bsd_mem, 4, 0), -EINVAL);
	assert_int_equal(rte_pci_mmio_read(bsd_dev, SMALL, bsd_mem, 4, 0), -EPERM);
	assert_int_equal(bsd_card->config[COMMAND], COMMAND_MEMORY);
	eal_log_capture();
	rte_pci_unmap_device(bsd_dev);
	assert_string_equal(eal_log_text(), "");
	eal_log_release();
	bsd_end();
}

static void
test_a_device_that_does_not_listen_is_told_of(void **state)
{
	(void)state;
	bsd_begin(&bsd_ways[0]);
	fake_freebsd.write_rc = -EPERM;
	eal_log_capture();
	assert_int_equal(rte_pci_map_device(bsd_dev), 0);
	assert_int_equal(eal_log_lines_with(eal_log_text(), "does not listen to its BARs"), 1);
	eal_log_release();
	bsd_end_mapped();
}

static void
test_dev_pci_needs_the_right_to_write(void **state)
{
	static const struct {
		int rc;
		const char *hint;
	} rows[] = {
		{ -EPERM, "Operation not permitted (securelevel above 0?)" },
		{ -EACCES, "Permission denied (only root may" },
		{ -ENOENT, "No such file or directory" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(rows); i++) {
		bsd_begin(&bsd_ways[1]);
		fake_freebsd.write_rc = rows[i].rc;
		eal_log_capture();
		assert_true(rte_pci_map_device(bsd_dev) < 0);
		assert_int_equal(rte_errno, -rows[i].rc);
		assert_int_equal(eal_log_lines_with(eal_log_text(), rows[i].hint), 1);
		eal_log_release();
		bsd_end();
	}
}

static void
test_nic_uio_needs_the_device_s_file(void **state)
{
	static const struct {
		int rc;
		const char *hint;
	} rows[] = {
		{ -EACCES, "cannot open /dev/uio@pci:10:31:7: Permission denied (it is root's" },
		{ -ENOENT, "No such file or directory (hidden from this jail?)" },
		{ -EIO, "Input/output error" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(rows); i++) {
		bsd_begin(&bsd_ways[0]);
		fake_freebsd.uio_rc = rows[i].rc;
		eal_log_capture();
		assert_int_equal(rte_pci_map_device(bsd_dev), rows[i].rc);
		assert_int_equal(eal_log_lines_with(eal_log_text(), rows[i].hint), 1);
		eal_log_release();
		bsd_end();
	}
}

/* nic_uio names files without the domain. */
static void
test_a_file_of_two_devices_is_nobody_s(void **state)
{
	struct fake_freebsd_device like = bsd_card_like;

	(void)state;
	fake_freebsd_start();
	strcpy(like.driver, "nic_uio");
	bsd_card = fake_freebsd_add(&like);
	like.domain = 1;
	fake_freebsd_add(&like);
	eal_session_start(NULL);
	bsd_dev = &pci_list_find(&bsd_card_addr)->pub;
	assert_int_equal(rte_pci_map_device(bsd_dev), -EEXIST);
	bsd_end();
}

static void
test_a_device_of_another_driver_is_left_alone(void **state)
{
	static const struct bsd_way way = { "ixl", NULL };

	(void)state;
	bsd_begin(&way);
	rte_log_set_level_pattern("bus.pci", RTE_LOG_INFO);
	eal_log_capture();
	assert_int_equal(rte_pci_map_device(bsd_dev), 1);
	assert_int_equal(eal_log_lines_with(eal_log_text(), "left to its kernel driver ixl"), 1);
	eal_log_release();
	assert_int_equal(bsd_card->config[COMMAND], 0);
	bsd_end();
}

/* ---- failures ---- */

static void
use_and_unmap(void)
{
	rte_pci_read_config(bsd_dev, bsd_mem, 7, 1);
	rte_pci_mmio_read(bsd_dev, SMALL, bsd_mem, 8, 1);
	rte_pci_mmio_read(bsd_dev, PORTS, bsd_mem, 8, 0);
	rte_pci_unmap_device(bsd_dev);
}

static void
test_each_call_of_the_kernel_fails_in_turn(void **state)
{
	static const int errors[] = { -EIO, -ENODEV, -EPERM, -EINVAL, -EBUSY, -ENOTTY };
	struct resources before;
	unsigned int i, n;

	(void)state;
	EACH_WAY(way) {
		bsd_begin_mapped(way);
		fake_freebsd.release = 13;
		use_and_unmap();
		resources_take(&before);
		for (i = 0; i < RTE_DIM(errors); i++) {
			n = 1;
			do {
				fake_freebsd_fail(n++, errors[i]);
				if (rte_pci_map_device(bsd_dev) == 0)
					use_and_unmap();
				assert_null(bsd_dev->mem_resource[0].addr);
			} while (fake_freebsd_failed());
			/* more than that are not needed */
			assert_in_range(n, 20, 100);
		}
		fake_freebsd_fail(0, 0);
		resources_assert_same(&before);
		resources_drop(&before);
		bsd_end();
	}
}

static void
test_each_call_of_libc_fails_in_turn(void **state)
{
	struct interpose_loop loop;

	(void)state;
	EACH_WAY(way) {
		bsd_begin(way);
		INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(ALLOC) | INTERPOSE_ONLY(MMAP) |
				INTERPOSE_ONLY(OPEN), 0) {
			if (rte_pci_map_device(bsd_dev) == 0)
				use_and_unmap();
			interpose_disarm();
			assert_int_equal(fake_freebsd.nb_open, 1);	/* the scan's */
		}
		bsd_end();
	}
}

static void
test_mapping_again_and_again_leaves_nothing(void **state)
{
	struct resources before;
	unsigned int i;

	(void)state;
	EACH_WAY(way) {
		bsd_begin_mapped(way);
		use_and_unmap();
		resources_take(&before);
		for (i = 0; i < 100; i++) {
			assert_int_equal(rte_pci_map_device(bsd_dev), 0);
			bsd_card->bar[0].held = false;
			use_and_unmap();
		}
		resources_assert_same(&before);
		resources_drop(&before);
		bsd_end();
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_nic_uio_goes_on_without_the_right_to_write),
	cmocka_unit_test(test_a_device_that_does_not_listen_is_told_of),
	cmocka_unit_test(test_dev_pci_needs_the_right_to_write),
	cmocka_unit_test(test_nic_uio_needs_the_device_s_file),
	cmocka_unit_test(test_a_file_of_two_devices_is_nobody_s),
	cmocka_unit_test(test_a_device_of_another_driver_is_left_alone),
	cmocka_unit_test(test_each_call_of_the_kernel_fails_in_turn),
	cmocka_unit_test(test_each_call_of_libc_fails_in_turn),
	cmocka_unit_test(test_mapping_again_and_again_leaves_nothing),
};

TEST_SUITE(pci_bsd_trouble, "functional", tests, NULL, NULL)
