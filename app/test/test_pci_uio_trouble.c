/* SPDX-License-Identifier: BSD-3-Clause */

/* UIO where something is wrong: files, contents, calls that fail. */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_eal_paging.h>
#include <rte_interrupts.h>

#include "eal_session.h"
#include "fake_uio.h"
#include "interpose.h"
#include "test.h"
#include "uio_card.h"

#define K UINT64_C(0x1000)	/* 16 of it are at least a page anywhere */
#define MEM UIO_CARD_MEM
#define IO UIO_CARD_IO

/* ---- sysfs that may not be written ---- */

static void
assert_read_only(const struct uio_card *card)
{
	struct rte_pci_bar_window window;
	uint32_t value = 0x12345678;

	assert_int_equal(rte_pci_bar_windows_get(card->pci, MEM, &window, 1), 1);
	assert_int_equal(window.prot, RTE_PROT_READ);
	fake_uio_poke(card->uio, MEM, 8, &value, 4);
	value = 0;
	assert_int_equal(rte_pci_mmio_read(card->pci, MEM, &value, 4, 8), 4);
	assert_int_equal(value, 0x12345678);
	assert_int_equal(rte_pci_mmio_write(card->pci, MEM, &value, 4, 8), -EACCES);
	assert_int_equal(rte_pci_read_config(card->pci, &value, 4, 0), 4);
	assert_int_equal(rte_pci_write_config(card->pci, &value, 4, 0), -EACCES);
}

static void
test_read_only_sysfs_is_told_and_can_be_read(void **state)
{
	struct uio_card card;

	uio_card_plug(&card, &uio_card_common);
	card.uio->read_only = true;
	uio_log_begin();
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	uio_assert_log_tells(&card, eal_log_text(), (const char *[]){
		"sysfs is read-only", "interrupt cannot be used", NULL });
	uio_log_end();
	assert_read_only(&card);
	assert_int_equal(rte_intr_type_get(card.pci->intr_handle), RTE_INTR_HANDLE_UNKNOWN);
	assert_true(rte_pci_set_bus_master(card.pci, true) < 0);
	uio_card_unplug(&card);
}

static void
test_files_that_may_only_be_read_are_told_one_by_one(void **state)
{
	struct uio_card card;

	uio_card_plug(&card, &uio_card_common);
	card.uio->all_may_read = true;
	uio_log_begin();
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	uio_assert_log_tells(&card, eal_log_text(), (const char *[]){
		"config in sysfs can be read but not written: Permission denied",
		"resource2 in sysfs can be read but not written: Permission denied",
		"interrupt cannot be used", NULL });
	uio_log_end();
	assert_read_only(&card);
	uio_card_unplug(&card);
}

/* Its interrupts need nothing of sysfs, and it enables bus mastering itself. */
static void
test_interrupts_of_igb_uio_work_with_read_only_sysfs(void **state)
{
	struct fake_uio_desc desc = uio_card_common;
	struct uio_card card;

	desc.driver = "igb_uio";
	uio_card_plug(&card, &desc);
	card.uio->read_only = true;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_read_only(&card);
	assert_int_equal(rte_intr_enable(card.pci->intr_handle), 0);
	assert_int_equal(fake_uio_irqcontrol(card.uio), 1);
	assert_true(fake_uio_fire(card.uio));
	uio_card_unplug(&card);
}

static void
test_bars_of_another_user_fail_the_map(void **state)
{
	struct uio_card card;

	uio_card_plug(&card, &uio_card_common);
	card.uio->denied = true;
	uio_log_begin();
	assert_int_equal(rte_pci_map_device(card.pci), -EACCES);
	uio_assert_log_tells(&card, eal_log_text(), (const char *[]){
		"resource", "Permission denied", "run as root", NULL });
	uio_log_end();
	uio_assert_nothing_left(&card);
	uio_card_unplug(&card);
}

/* ---- /dev/uioN ---- */

static void
test_node_that_cannot_be_opened_is_told_with_what_to_do(void **state)
{
	static const struct {
		int err;
		const char *words[4];
	} rows[] = {
		{ ENOENT, { "/dev/uio7", "--create-uio-dev", "container" } },
		{ EACCES, { "/dev/uio7", "run as root", "owner" } },
		{ EPERM, { "/dev/uio7", "container" } },
		{ ENODEV, { "/dev/uio7", "not bound" } },
		{ EMFILE, { "/dev/uio7", "Too many open files" } },
	};
	struct uio_card card;
	unsigned int i;

	uio_card_plug(&card, &uio_card_common);
	for (i = 0; i < RTE_DIM(rows); i++) {
		card.uio->node_err = rows[i].err;
		uio_log_begin();
		assert_int_equal(rte_pci_map_device(card.pci), -rows[i].err);
		uio_assert_log_tells(&card, eal_log_text(), rows[i].words);
		uio_log_end();
		uio_assert_nothing_left(&card);
	}
	card.uio->node_err = 0;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	uio_card_unplug(&card);
}

/* What is made by mknod(). */
static struct {
	struct fake_uio *uio;	/* whose node appears by it; NULL: it may not be called */
	int err;
	unsigned int nb;
	char path[32];
	mode_t mode;
	dev_t number;
} made;

/* Stands in for libc's. */
int
mknod(const char *path, mode_t mode, dev_t number)
{
	made.nb++;
	snprintf(made.path, sizeof(made.path), "%s", path);
	made.mode = mode;
	made.number = number;
	if (made.uio == NULL || made.err != 0) {
		errno = made.err != 0 ? made.err : EPERM;
		return -1;
	}
	made.uio->node_err = 0;
	return 0;
}

static void
eal_restart(const char *option)
{
	eal_session_stop();
	uio_card_eal_start(option);
}

/* The number is not that of the fake's file, which is no device. */
static void
test_missing_node_is_made_when_the_user_wants_it(void **state)
{
	struct uio_card card;

	eal_restart("--create-uio-dev");
	uio_card_plug(&card, &uio_card_common);
	fake_sysfs_set(uio_sysfs, card.name, "uio/uio7/dev", "246:7\n");
	made.uio = card.uio;
	made.nb = 0;
	card.uio->node_err = ENOENT;
	uio_log_begin();
	assert_int_equal(rte_pci_map_device(card.pci), -ENXIO);
	uio_assert_log_tells(&card, eal_log_text(), (const char *[]){
		"/dev/uio7", "246:7", "another device", NULL });
	uio_log_end();
	assert_int_equal(made.nb, 1);
	assert_string_equal(made.path, "/dev/uio7");
	assert_true(S_ISCHR(made.mode));
	assert_int_equal(made.number, makedev(246, 7));
	made.err = EROFS;
	card.uio->node_err = ENOENT;
	assert_int_equal(rte_pci_map_device(card.pci), -EROFS);
	made.err = 0;
	fake_sysfs_set(uio_sysfs, card.name, "uio/uio7/dev", "garbage\n");
	card.uio->node_err = ENOENT;
	assert_int_equal(rte_pci_map_device(card.pci), -EINVAL);
	assert_int_equal(made.nb, 2);
	uio_assert_nothing_left(&card);
	made.uio = NULL;
	uio_card_unplug(&card);
	eal_restart(NULL);
}

static void
test_folder_of_uio_gives_the_number(void **state)
{
	static const char *const folders[] = { "uio/uio0", "uio/uio12345", "uio:uio3" };
	struct fake_uio_desc desc = uio_card_common;
	struct uio_card card;
	unsigned int i;

	for (i = 0; i < RTE_DIM(folders); i++) {
		desc.folder = folders[i];
		uio_card_map(&card, &desc);
		assert_int_equal(card.uio->nb_node_open, 1);
		uio_card_unplug(&card);
	}
}

static void
test_device_without_a_folder_of_uio_is_left_alone(void **state)
{
	static const char *const folders[] = {
		"uio/", "uio/uio", "uio/uio-1", "uio/uio1x", "uio/uio99999999999999999999",
		"uio/0", "uio/uio 1", "uio/.uio1", "uio:uio",
	};
	struct fake_uio_desc desc = uio_card_common;
	struct uio_card card;
	unsigned int i;

	for (i = 0; i < RTE_DIM(folders); i++) {
		desc.folder = folders[i];
		uio_card_plug(&card, &desc);
		assert_int_equal(rte_pci_map_device(card.pci), 1);
		uio_assert_nothing_left(&card);
		uio_card_unplug(&card);
	}
}

/* ---- what makes no sense ---- */

#define LINE(first, last, flags) "0x" first " 0x" last " 0x" flags "\n"
#define NO_BAR LINE("0000000000000000", "0000000000000000", "0000000000000000")

static void
test_hostile_resources_fail_the_map(void **state)
{
	static const char *const texts[] = {
		"", "\n", "garbage", NO_BAR, NO_BAR NO_BAR NO_BAR NO_BAR NO_BAR,
		NO_BAR NO_BAR LINE("e0001000", "e0000fff", "200") NO_BAR NO_BAR,
		LINE("0", "ffffffffffffffff", "200") NO_BAR NO_BAR NO_BAR NO_BAR NO_BAR,
		LINE("e0000000", "e0000fff", "fffffffffffffffff") NO_BAR NO_BAR NO_BAR NO_BAR
			NO_BAR,
	};
	struct uio_card card;
	unsigned int i;

	uio_card_plug(&card, &uio_card_common);
	for (i = 0; i < RTE_DIM(texts); i++) {
		fake_sysfs_set(uio_sysfs, card.name, "resource", texts[i]);
		assert_true(rte_pci_map_device(card.pci) < 0);
		uio_assert_nothing_left(&card);
	}
	uio_card_unplug(&card);
}

/* The file of BAR 2 has sixteen pages; whatever else is claimed, no foreign byte is touched. */
static void
test_hostile_lengths_map_nothing(void **state)
{
	static const struct {
		const char *line;
		int rc;
	} rows[] = {
		{ LINE("0", "fffffffffffffffe", "200"), -EINVAL },
		{ LINE("0", "7fffffffffffffff", "200"), -EINVAL },
		{ LINE("e0000000", "7fffffffffffffff", "200"), 0 },
		{ LINE("fffffffff0000000", "fffffffffffffffe", "200"), 0 },
		{ LINE("e0000800", "e0008000", "200"), 0 },
	};
	char text[1024];
	struct uio_card card;
	uint8_t byte;
	unsigned int i;

	uio_card_plug(&card, &uio_card_common);
	for (i = 0; i < RTE_DIM(rows); i++) {
		snprintf(text, sizeof(text), NO_BAR NO_BAR "%s" NO_BAR NO_BAR NO_BAR,
			rows[i].line);
		fake_sysfs_set(uio_sysfs, card.name, "resource", text);
		assert_int_equal(rte_pci_map_device(card.pci), rows[i].rc);
		assert_null(card.pci->mem_resource[MEM].addr);
		assert_true(rte_pci_mmio_read(card.pci, MEM, &byte, 1, 1 << 20) < 0);
		rte_pci_unmap_device(card.pci);
		uio_assert_nothing_left(&card);
	}
	uio_card_unplug(&card);
}

static void
test_ports_that_make_no_sense_are_none(void **state)
{
	struct rte_pci_ioport port;
	struct uio_card card;

	uio_card_plug(&card, &uio_card_common);
	fake_sysfs_set(uio_sysfs, card.name, "resource", NO_BAR LINE("c020", "c000", "101")
		LINE("e0000000", "e0003fff", "200") NO_BAR NO_BAR NO_BAR);
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_non_null(card.pci->mem_resource[MEM].addr);
	assert_int_equal(rte_pci_ioport_map(card.pci, IO, &port), -EINVAL);
	uio_card_unplug(&card);
}

static void
test_configuration_space_that_is_too_short_fails_the_map(void **state)
{
	static const char sixty_three[] = "this text is one byte shorter than what the header of "
		"PCI takes";
	static const char *const texts[] = { "", "\xfe\xca", sixty_three };
	char path[256];
	struct uio_card card;
	unsigned int i;

	uio_card_plug(&card, &uio_card_common);
	for (i = 0; i < RTE_DIM(texts); i++) {
		fake_sysfs_set(uio_sysfs, card.name, "config", texts[i]);
		assert_int_equal(rte_pci_map_device(card.pci), -EIO);
		assert_int_equal(card.uio->nb_node_open, 0);
	}
	snprintf(path, sizeof(path), "%s/%s/config", uio_sysfs->devices, card.name);
	assert_int_equal(truncate(path, 256), 0);
	uio_card_unplug(&card);
}

/* ---- calls that fail ---- */

static void
test_each_call_fails_in_turn_and_nothing_leaks(void **state)
{
	struct fake_uio_desc desc = uio_card_common;
	struct interpose_loop loop;
	struct uio_card card;
	unsigned int i;
	int rc;

	desc.device = 2;
	desc.bar[MEM].wc = true;
	desc.bar[MEM + 1] = desc.bar[MEM];
	for (i = 0; i < RTE_DIM(uio_kernel_drivers); i++) {
		desc.driver = uio_kernel_drivers[i];
		uio_card_plug(&card, &desc);
		INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
			rc = rte_pci_map_device(card.pci);
			interpose_disarm();
			assert_true(rc == 0 || interpose_fired());
			if (rc != 0)
				uio_assert_nothing_left(&card);
			rte_pci_unmap_device(card.pci);
			uio_assert_nothing_left(&card);
		}
		uio_card_unplug(&card);
	}
}

/* munmap() as well: what it leaves is not ours to undo, but all else is. */
static void
test_each_call_fails_while_unmapping_and_the_rest_is_undone(void **state)
{
	const uint64_t any = INTERPOSE_ANY | INTERPOSE_ONLY(MUNMAP) | INTERPOSE_THIS_THREAD;
	unsigned int nth = 0;
	struct uio_card card;

	uio_card_plug(&card, &uio_card_common);
	do {
		assert_int_equal(rte_pci_map_device(card.pci), 0);
		interpose_fail(any, ++nth, 0);
		rte_pci_unmap_device(card.pci);
		interpose_disarm();
		uio_assert_nothing_left(&card);
	} while (interpose_fired());
	uio_card_unplug(&card);
}

static void
test_access_by_calls_fails_with_what_the_call_says(void **state)
{
	const struct fake_uio_desc desc = {
		.bar[MEM] = { .len = 256, .start = 0xe0000100 },
		.bar[IO] = { .len = 32, .ioport = true },
	};
	uint32_t value = 0;
	struct uio_card card;

	uio_card_plug(&card, &desc);
	/* the first one is for ports */
	interpose_fail(INTERPOSE_ONLY(MMAP) | INTERPOSE_THIS_THREAD, 2, ENOMEM);
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_true(interpose_fired());
	uio_assert_bytes_pass(&card, MEM, 256);
	interpose_fail(INTERPOSE_ONLY(MMAP) | INTERPOSE_THIS_THREAD, 1, ENOMEM);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &value, 4, 0), -ENOMEM);
	interpose_fail(INTERPOSE_ONLY(MMAP) | INTERPOSE_THIS_THREAD, 1, EPERM);
	assert_int_equal(rte_pci_mmio_write(card.pci, MEM, &value, 4, 0), -EPERM);
	interpose_fail(INTERPOSE_ONLY(PREAD) | INTERPOSE_THIS_THREAD, 2, ENODEV);
	assert_int_equal(rte_pci_mmio_read(card.pci, IO, &value, 4, 2), -ENODEV);
	interpose_fail(INTERPOSE_ONLY(PWRITE) | INTERPOSE_THIS_THREAD, 1, EINTR);
	assert_int_equal(rte_pci_mmio_write(card.pci, IO, &value, 4, 0), 4);
	interpose_fail(INTERPOSE_ONLY(PREAD) | INTERPOSE_THIS_THREAD, 1, ENODEV);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 0), -ENODEV);
	interpose_disarm();
	uio_card_unplug(&card);
}

/* ---- the suite ---- */

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_read_only_sysfs_is_told_and_can_be_read),
	cmocka_unit_test(test_files_that_may_only_be_read_are_told_one_by_one),
	cmocka_unit_test(test_interrupts_of_igb_uio_work_with_read_only_sysfs),
	cmocka_unit_test(test_bars_of_another_user_fail_the_map),
	cmocka_unit_test(test_node_that_cannot_be_opened_is_told_with_what_to_do),
	cmocka_unit_test(test_missing_node_is_made_when_the_user_wants_it),
	cmocka_unit_test(test_folder_of_uio_gives_the_number),
	cmocka_unit_test(test_device_without_a_folder_of_uio_is_left_alone),
	cmocka_unit_test(test_hostile_resources_fail_the_map),
	cmocka_unit_test(test_hostile_lengths_map_nothing),
	cmocka_unit_test(test_ports_that_make_no_sense_are_none),
	cmocka_unit_test(test_configuration_space_that_is_too_short_fails_the_map),
	cmocka_unit_test(test_each_call_fails_in_turn_and_nothing_leaks),
	cmocka_unit_test(test_each_call_fails_while_unmapping_and_the_rest_is_undone),
	cmocka_unit_test(test_access_by_calls_fails_with_what_the_call_says),
};
TEST_SUITE(pci_uio_trouble, "functional", tests, uio_card_setup, uio_card_teardown)
