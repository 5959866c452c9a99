/* SPDX-License-Identifier: BSD-3-Clause */

/* I/O ports by UIO: the ways to them, and what holds for each. */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bus_driver.h>
#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_dev.h>

#include "eal_session.h"
#include "fake_port.h"
#include "fake_uio.h"
#include "interpose.h"
#include "test.h"
#include "uio_card.h"

#define MEM UIO_CARD_MEM
#define IO UIO_CARD_IO
#define SIZE 256u

/* ---- ways ---- */

/* What the kernel permits, and what comes of it. */
struct way {
	const char *name;	/* as the log has it */
	bool mapped;	/* I/O space can be */
	bool read_only;	/* the files can be opened for reading only */
	bool instructions;	/* the process may use them */
	bool writable;	/* so ports are */
};

static const struct way ways[] = {
	{ "mapped", .mapped = true, .writable = true },
	{ "mapped", .mapped = true, .instructions = true, .writable = true },
	{ "mapped", .mapped = true, .read_only = true },
	{ "by instructions", .instructions = true, .writable = true },
	{ "by instructions", .read_only = true, .instructions = true, .writable = true },
	{ "by its file", .writable = true },
	{ "by its file", .read_only = true },
};

static bool
device_answers(void *ctx, uint16_t port, void *buf, size_t width, bool write)
{
	const struct uio_card *card = ctx;

	return fake_uio_port(card->uio, port, buf, width, write);
}

/* Permission is a thread's own, and stays. */
static void *
card_map(void *card)
{
	return rte_pci_map_device(((struct uio_card *)card)->pci) == 0 ? card : NULL;
}

static void
mapped_by_a_new_thread(struct uio_card *card)
{
	pthread_t thread;
	void *done = NULL;

	assert_int_equal(pthread_create(&thread, NULL, card_map, card), 0);
	assert_int_equal(pthread_join(thread, &done), 0);
	assert_ptr_equal(done, card);
}

/* false: this machine has no such way. */
static bool
way_begin(struct uio_card *card, const struct way *way)
{
	const struct fake_uio_desc desc = {
		.bar[MEM] = { .len = 0x10000 },
		.bar[IO] = { .len = SIZE, .ioport = true, .io_mapped = way->mapped },
	};

	if (!fake_port_start(way->instructions ? device_answers : NULL, card) &&
			way->instructions)
		return false;
	uio_card_plug(card, &desc);
	card->uio->all_may_read = way->read_only;
	mapped_by_a_new_thread(card);
	return true;
}

static void
way_end(struct uio_card *card)
{
	uio_card_unplug(card);
	fake_port_stop();
}

static void
test_way_is_the_first_that_opens(void **state)
{
	uint32_t value = 0x12345678;
	struct uio_card card;
	char words[64];
	unsigned int i;

	for (i = 0; i < RTE_DIM(ways); i++) {
		uio_log_begin();
		if (way_begin(&card, &ways[i])) {
			snprintf(words, sizeof(words), "BAR1: its ports are reached %s\n",
				ways[i].name);
			uio_assert_log_tells(&card, eal_log_text(), (const char *[]){ words,
				NULL });
			assert_int_equal(rte_pci_mmio_write(card.pci, IO, &value, 4, 8),
				ways[i].writable ? 4 : -EACCES);
			assert_int_equal(rte_pci_mmio_read(card.pci, IO, &value, 4, 8), 4);
			assert_null(card.pci->mem_resource[IO].addr);
			assert_int_equal(rte_pci_bar_windows_get(card.pci, IO, NULL, 0), 0);
			way_end(&card);
		}
		uio_log_end();
	}
}

static void
test_bytes_pass_by_each_way(void **state)
{
	struct uio_card card;
	unsigned int i;

	for (i = 0; i < RTE_DIM(ways); i++) {
		if (!ways[i].writable || !way_begin(&card, &ways[i]))
			continue;
		uio_assert_bytes_pass(&card, IO, SIZE);
		way_end(&card);
	}
}

/* Ports begin in the middle of a page, where other devices have theirs before and behind. */
static void
test_mapped_ports_take_no_call(void **state)
{
	uint32_t value = 0x12345678;
	struct rte_pci_ioport port;
	struct uio_card card;

	assert_true(way_begin(&card, &ways[0]));
	assert_int_equal(rte_pci_ioport_map(card.pci, IO, &port), 0);
	interpose_fail(INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0, 0);
	rte_pci_ioport_write(&port, &value, 4, 16);
	value = 0;
	rte_pci_ioport_read(&port, &value, 4, 16);
	interpose_disarm();
	assert_int_equal(interpose_count(), 0);
	assert_int_equal(value, 0x12345678);
	assert_int_equal(card.uio->nb_accesses, 0);
	fake_uio_peek(card.uio, IO, 16, &value, 4);
	assert_int_equal(value, 0x12345678);
	way_end(&card);
}

static void
test_each_call_fails_in_turn_and_nothing_of_mapped_ports_leaks(void **state)
{
	struct fake_uio_desc desc = uio_card_common;
	struct interpose_loop loop;
	struct uio_card card;
	int rc;

	desc.bar[IO].io_mapped = true;
	uio_card_plug(&card, &desc);
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
		rc = rte_pci_map_device(card.pci);
		interpose_disarm();
		assert_true(rc == 0 || interpose_fired());
		rte_pci_unmap_device(card.pci);
		uio_assert_nothing_left(&card);
	}
	uio_card_unplug(&card);
}

/* ---- instructions that may not be used ---- */

struct port_user {
	struct rte_pci_device *pci;
	uint32_t value;
	int written;
	int read;
};

static void *
use_ports(void *arg)
{
	struct port_user *user = arg;

	user->written = rte_pci_mmio_write(user->pci, IO, &user->value, 4, 8);
	user->value = 0;
	user->read = rte_pci_mmio_read(user->pci, IO, &user->value, 4, 8);
	return NULL;
}

/* Mapped by a thread that may use instructions, used by one that may not. */
static struct port_user
ports_used_without_permission(struct uio_card *card)
{
	struct port_user user = { .pci = card->pci, .value = 0x12345678 };
	pthread_t thread;

	fake_port_start(NULL, NULL);
	assert_int_equal(pthread_create(&thread, NULL, use_ports, &user), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	return user;
}

static void
test_thread_without_permission_takes_the_file(void **state)
{
	const struct way way = { .instructions = true };
	struct port_user user;
	struct uio_card card;

	if (!way_begin(&card, &way))
		skip();
	user = ports_used_without_permission(&card);
	assert_int_equal(user.written, 4);
	assert_int_equal(user.read, 4);
	assert_int_equal(user.value, 0x12345678);
	way_end(&card);
}

static void
test_thread_without_permission_cannot_write_a_read_only_file(void **state)
{
	const struct way way = { .instructions = true, .read_only = true };
	struct port_user user;
	struct uio_card card;

	if (!way_begin(&card, &way))
		skip();
	user = ports_used_without_permission(&card);
	assert_int_equal(user.written, -EACCES);
	assert_int_equal(user.read, 4);
	assert_int_equal(user.value, 0);
	way_end(&card);
}

/* ---- the end ---- */

static void
ports_vanish(const struct uio_card *card)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s/resource1", uio_sysfs->devices, card->name);
	assert_int_equal(truncate(path, 0), 0);
}

/* What is stored from now on is nobody's, and shows nowhere. */
static void
assert_ports_are_gone(struct uio_card *card)
{
	const uint32_t zero = 0;
	struct rte_pci_ioport port;
	uint32_t value = 0;

	assert_int_equal(rte_pci_ioport_map(card->pci, IO, &port), 0);
	rte_pci_ioport_read(&port, &value, 4, 16);
	assert_int_equal(value, UINT32_MAX);
	rte_pci_ioport_write(&port, &zero, 4, 16);
	rte_pci_ioport_read(&port, &value, 4, 16);
	assert_int_equal(value, UINT32_MAX);
	assert_int_equal(rte_pci_mmio_read(card->pci, IO, &value, 1, 255), -ENODEV);
	assert_int_equal(rte_pci_mmio_write(card->pci, IO, &value, 1, 255), -ENODEV);
}

static void
test_mapped_ports_of_a_device_that_is_told_gone_are_gone(void **state)
{
	struct rte_bus *bus = rte_bus_find_by_name("pci");
	struct uio_card card;

	assert_non_null(bus);
	assert_true(way_begin(&card, &ways[0]));
	ports_vanish(&card);
	assert_int_equal(bus->hot_unplug_handler(&card.pci->device), 0);
	assert_ports_are_gone(&card);
	way_end(&card);
}

static void
test_mapped_ports_that_fault_are_gone(void **state)
{
	struct uio_card card;

	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	assert_true(way_begin(&card, &ways[0]));
	ports_vanish(&card);
	assert_ports_are_gone(&card);
	way_end(&card);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
}

/* The numbers may be another device's by then. */
static void
test_ports_of_a_device_that_is_told_gone_are_not_used_by_number(void **state)
{
	const struct way way = { .instructions = true };
	struct rte_bus *bus = rte_bus_find_by_name("pci");
	struct rte_pci_ioport port;
	struct uio_card card;
	uint32_t value = 0;

	if (!way_begin(&card, &way))
		skip();
	assert_int_equal(rte_pci_ioport_map(card.pci, IO, &port), 0);
	assert_int_equal(bus->hot_unplug_handler(&card.pci->device), 0);
	card.uio->nb_accesses = 0;
	assert_int_equal(rte_pci_mmio_read(card.pci, IO, &value, 4, 8), -ENODEV);
	assert_int_equal(rte_pci_mmio_write(card.pci, IO, &value, 4, 8), -ENODEV);
	rte_pci_ioport_read(&port, &value, 4, 8);
	assert_int_equal(value, UINT32_MAX);
	assert_int_equal(card.uio->nb_accesses, 0);
	way_end(&card);
}

/* There is no memory of it to blank, only numbers to leave alone. */
static void
test_device_of_ports_only_is_told_gone(void **state)
{
	const struct fake_uio_desc desc = { .bar[IO] = { .len = SIZE, .ioport = true } };
	struct rte_bus *bus = rte_bus_find_by_name("pci");
	struct uio_card card;
	uint32_t value = 0;

	if (!fake_port_start(device_answers, &card))
		skip();
	uio_card_plug(&card, &desc);
	mapped_by_a_new_thread(&card);
	assert_int_equal(rte_pci_mmio_read(card.pci, IO, &value, 4, 8), 4);
	assert_int_equal(bus->hot_unplug_handler(&card.pci->device), 0);
	assert_int_equal(rte_pci_mmio_read(card.pci, IO, &value, 4, 8), -ENODEV);
	way_end(&card);
}

/* ---- accesses ---- */

struct port_row {
	uint64_t offset;
	size_t len;
	struct {
		uint64_t offset;
		size_t len;
	} pieces[6];
};

static const struct port_row port_rows[] = {
	{ 0, 1, { { 0, 1 } } },
	{ 3, 1, { { 3, 1 } } },
	{ 2, 2, { { 2, 2 } } },
	{ 4, 4, { { 4, 4 } } },
	{ 8, 8, { { 8, 4 }, { 12, 4 } } },
	{ 1, 2, { { 1, 1 }, { 2, 1 } } },
	{ 2, 4, { { 2, 2 }, { 4, 2 } } },
	{ 1, 8, { { 1, 1 }, { 2, 2 }, { 4, 4 }, { 8, 1 } } },
	{ 31, 1, { { 31, 1 } } },
	{ 28, 4, { { 28, 4 } } },
};

static void
assert_pieces_are(const struct fake_uio *uio, const struct port_row *row, bool write)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(row->pieces) && row->pieces[i].len != 0; i++) {
		assert_int_equal(uio->accesses[i].bar, IO);
		assert_int_equal(uio->accesses[i].offset, row->pieces[i].offset);
		assert_int_equal(uio->accesses[i].len, row->pieces[i].len);
		assert_int_equal(uio->accesses[i].write, write);
	}
	assert_int_equal(uio->nb_accesses, i);
}

static void
assert_accesses_are_natural(struct uio_card *card, const struct port_row *row)
{
	static const uint8_t out[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct rte_pci_ioport port;
	uint8_t in[8];

	assert_int_equal(rte_pci_ioport_map(card->pci, IO, &port), 0);
	card->uio->nb_accesses = 0;
	rte_pci_ioport_write(&port, out, row->len, (off_t)row->offset);
	assert_pieces_are(card->uio, row, true);
	fake_uio_peek(card->uio, IO, row->offset, in, row->len);
	assert_memory_equal(in, out, row->len);
	card->uio->nb_accesses = 0;
	memset(in, 0, sizeof(in));
	rte_pci_ioport_read(&port, in, row->len, (off_t)row->offset);
	assert_pieces_are(card->uio, row, false);
	assert_memory_equal(in, out, row->len);
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
}

/* Loads and stores of what is mapped cannot be seen. */
static void
test_ports_take_natural_accesses(void **state)
{
	struct uio_card card;
	unsigned int i, j;

	for (i = 0; i < RTE_DIM(ways); i++) {
		if (ways[i].mapped || !ways[i].writable || !way_begin(&card, &ways[i]))
			continue;
		for (j = 0; j < RTE_DIM(port_rows); j++)
			assert_accesses_are_natural(&card, &port_rows[j]);
		way_end(&card);
	}
}

static void
test_ports_outside_read_as_ones(void **state)
{
	struct rte_pci_ioport port;
	struct uio_card card;
	uint32_t value;

	uio_card_map(&card, &uio_card_common);
	assert_int_equal(rte_pci_ioport_map(card.pci, -1, &port), -EINVAL);
	assert_int_equal(rte_pci_ioport_map(card.pci, 6, &port), -EINVAL);
	assert_int_equal(rte_pci_ioport_map(card.pci, 0, &port), -EINVAL);
	assert_int_equal(rte_pci_ioport_map(card.pci, IO, &port), 0);
	value = 0;
	rte_pci_ioport_read(&port, &value, 4, 29);
	assert_int_equal(value, UINT32_MAX);
	value = 0;
	rte_pci_ioport_read(&port, &value, 4, -4);
	assert_int_equal(value, UINT32_MAX);
	rte_pci_ioport_write(&port, &value, 4, 32);
	assert_int_equal(card.uio->nb_accesses, 0);
	uio_card_unplug(&card);
}

static void
test_ports_may_be_in_memory(void **state)
{
	uint16_t value = 0xabcd;
	struct rte_pci_ioport port;
	struct uio_card card;

	uio_card_map(&card, &uio_card_common);
	assert_int_equal(rte_pci_ioport_map(card.pci, MEM, &port), 0);
	rte_pci_ioport_write(&port, &value, 2, 0x100);
	value = 0;
	rte_pci_ioport_read(&port, &value, 2, 0x100);
	assert_int_equal(value, 0xabcd);
	uio_card_unplug(&card);
}

/* ---- the suite ---- */

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_way_is_the_first_that_opens),
	cmocka_unit_test(test_bytes_pass_by_each_way),
	cmocka_unit_test(test_mapped_ports_take_no_call),
	cmocka_unit_test(test_each_call_fails_in_turn_and_nothing_of_mapped_ports_leaks),
	cmocka_unit_test(test_thread_without_permission_takes_the_file),
	cmocka_unit_test(test_thread_without_permission_cannot_write_a_read_only_file),
	cmocka_unit_test(test_mapped_ports_of_a_device_that_is_told_gone_are_gone),
	cmocka_unit_test(test_mapped_ports_that_fault_are_gone),
	cmocka_unit_test(test_ports_of_a_device_that_is_told_gone_are_not_used_by_number),
	cmocka_unit_test(test_device_of_ports_only_is_told_gone),
	cmocka_unit_test(test_ports_take_natural_accesses),
	cmocka_unit_test(test_ports_outside_read_as_ones),
	cmocka_unit_test(test_ports_may_be_in_memory),
};
TEST_SUITE(pci_uio_port, "functional", tests, uio_card_setup, uio_card_teardown)
