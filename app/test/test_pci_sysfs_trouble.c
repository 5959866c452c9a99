/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>

#include "eal_session.h"
#include "fake_sysfs.h"
#include "interpose.h"
#include "sysfs_suite.h"
#include "test.h"

/* ---- devices that come, go and lie ---- */

static void
test_device_that_vanishes_in_mid_scan_is_left_out(void **state)
{
	static const int errors[] = { ENOENT, ENODEV };
	unsigned int nth, i;

	sysfs_add_many(8, &sysfs_nic);
	eal_session_start(NULL);
	eal_log_capture();
	for (i = 0; i < RTE_DIM(errors); i++)
		for (nth = 1; nth <= 8; nth++) {
			interpose_fail(INTERPOSE_ONLY(READLINK), nth, errors[i]);
			sysfs_rescan();
			interpose_disarm();
			assert_true(interpose_fired());
			assert_int_equal(sysfs_count(), 7);
		}
	assert_string_equal(eal_log_text(), "");
	eal_log_release();
	sysfs_rescan();
	assert_int_equal(sysfs_count(), 8);
}

static void
test_device_that_vanishes_while_it_is_read_is_left_out(void **state)
{
	unsigned int nth, nb;

	sysfs_add_many(3, &sysfs_nic);
	eal_session_start(NULL);
	eal_log_capture();
	for (nth = 1;; nth++) {
		fake_sysfs_stop(sysfs_tree);	/* so that all is read again */
		sysfs_tree = fake_sysfs_start();
		sysfs_add_many(3, &sysfs_nic);
		sysfs_rescan();
		interpose_fail(INTERPOSE_ONLY(OPEN) | INTERPOSE_ONLY(READ), nth, ENODEV);
		nb = sysfs_count();
		interpose_disarm();
		assert_int_equal(nb, interpose_fired() ? 2 : 3);
		if (!interpose_fired())
			break;
	}
	assert_true(nth > 3 * 3);
	assert_string_equal(eal_log_text(), "");
	eal_log_release();
}

static void
test_device_that_vanished_after_the_scan_is_left_out(void **state)
{
	sysfs_add_many(3, &sysfs_nic);
	eal_session_start(NULL);
	fake_sysfs_add(sysfs_tree, "0008:00:00.0", &sysfs_nic);
	sysfs_rescan();
	fake_sysfs_remove(sysfs_tree, "0008:00:00.0");
	eal_log_capture();
	assert_int_equal(sysfs_count(), 3);
	assert_null(sysfs_find("0008:00:00.0"));
	assert_string_equal(eal_log_text(), "");
	eal_log_release();
}

#define NONE "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"

static void
test_device_whose_files_make_no_sense_is_named_once(void **state)
{
	static const struct {
		const char *file, *text;
	} cases[] = {
		{ "modalias", "" },
		{ "modalias", "pci:v00008086\n" },
		{ "modalias", "\377\376\n" },
		{ "numa_node", "" },
		{ "numa_node", "one\n" },
		{ "numa_node", "-2\n" },
		{ "resource", "" },
		{ "resource", "nonsense\n" },
		{ "resource", NONE NONE NONE NONE NONE },
		{ "resource", NONE NONE NONE NONE NONE
			"0x0000000000002000 0x0000000000001000 0x0000000000040200\n" },
		{ "resource", NULL },
	};
	const char *text;
	unsigned int i;

	fake_sysfs_add(sysfs_tree, "0000:02:00.0", &sysfs_nic);
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(cases); i++) {
		fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_nic);
		fake_sysfs_set(sysfs_tree, "0000:01:00.0", cases[i].file, cases[i].text);
		eal_log_capture();
		sysfs_rescan();
		assert_int_equal(sysfs_count(), 1);
		sysfs_rescan();
		assert_int_equal(sysfs_count(), 1);
		text = eal_log_text();
		if (eal_log_lines_with(text, "0000:01:00.0") != 1 ||
				eal_log_lines_with(text, cases[i].file) != 1)
			fail_msg("case %u: log is \"%s\"", i, text);
		eal_log_release();
		fake_sysfs_remove(sysfs_tree, "0000:01:00.0");
		fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_nic);
		sysfs_rescan();
		sysfs_assert_is_nic(sysfs_find("0000:01:00.0"));
		fake_sysfs_remove(sysfs_tree, "0000:01:00.0");
		sysfs_rescan();
	}
}

static void
test_single_ids_that_make_no_sense_are_named(void **state)
{
	static const char *const files[] = { "vendor", "device", "subsystem_vendor",
		"subsystem_device", "class" };
	static const char *const texts[] = { "", "8086\n", "0x1000000000\n", "0x\n", NULL };
	struct fake_sysfs_desc old = sysfs_nic;
	unsigned int i, j;

	old.no_modalias = true;
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(files); i++)
		for (j = 0; j < RTE_DIM(texts); j++) {
			fake_sysfs_add(sysfs_tree, "0000:01:00.0", &old);
			fake_sysfs_set(sysfs_tree, "0000:01:00.0", files[i], texts[j]);
			eal_log_capture();
			sysfs_rescan();
			assert_null(sysfs_find("0000:01:00.0"));
			assert_int_equal(eal_log_lines_with(eal_log_text(), files[i]), 1);
			eal_log_release();
			fake_sysfs_remove(sysfs_tree, "0000:01:00.0");
			sysfs_rescan();
		}
}

static void
test_driver_that_is_no_link_is_no_driver(void **state)
{
	fake_sysfs_add(sysfs_tree, "0000:01:00.0", &sysfs_nic);
	fake_sysfs_bind(sysfs_tree, "0000:01:00.0", NULL);
	fake_sysfs_set(sysfs_tree, "0000:01:00.0", "driver", "vfio-pci\n");
	fake_sysfs_add(sysfs_tree, "0000:02:00.0", &sysfs_nic);
	eal_session_start(NULL);
	assert_int_equal(sysfs_count(), 1);
}

static const struct CMUnitTest tests[] = {
	SYSFS_TEST(test_device_that_vanishes_in_mid_scan_is_left_out),
	SYSFS_TEST(test_device_that_vanishes_while_it_is_read_is_left_out),
	SYSFS_TEST(test_device_that_vanished_after_the_scan_is_left_out),
	SYSFS_TEST(test_device_whose_files_make_no_sense_is_named_once),
	SYSFS_TEST(test_single_ids_that_make_no_sense_are_named),
	SYSFS_TEST(test_driver_that_is_no_link_is_no_driver),
};

TEST_SUITE(pci_sysfs_trouble, "functional", tests, NULL, NULL)
