/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_bus.h>
#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_eal_paging.h>
#include <rte_interrupts.h>
#include <rte_log.h>

#include "eal_session.h"
#include "fake_process.h"
#include "fake_uio.h"
#include "interpose.h"
#include "resources.h"
#include "test.h"

#define K UINT64_C(0x1000)	/* the page size of all machines that run this */
#define VENDOR 0xcafe
#define TIMEOUT_MS 15000
#define MEM 2	/* the BAR of memory that most devices here have */
#define IO 1	/* and that of ports */

/* ---- drivers that take what the tests plug in ---- */

static struct fake_sysfs *sysfs;
static struct rte_pci_device *probed;

static int
test_probe(struct rte_pci_driver *driver, struct rte_pci_device *device)
{
	probed = device;
	return 0;
}

static int
test_remove(struct rte_pci_device *device)
{
	return 0;
}

static const struct rte_pci_id plain_ids[] = {
	{ RTE_PCI_DEVICE(VENDOR, 1) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver plain_driver = {
	.driver.name = "test_pci_uio",
	.probe = test_probe,
	.remove = test_remove,
	.id_table = plain_ids,
};

static const struct rte_pci_id wc_ids[] = {
	{ RTE_PCI_DEVICE(VENDOR, 2) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver wc_driver = {
	.driver.name = "test_pci_uio_wc",
	.probe = test_probe,
	.remove = test_remove,
	.id_table = wc_ids,
	.drv_flags = RTE_PCI_DRV_WC_ACTIVATE,
};

/* ---- devices ---- */

struct card {
	struct fake_uio *uio;
	struct rte_pci_device *pci;
	char name[16];
};

static const struct fake_uio_desc common = {
	.bar[MEM] = { .len = 16 * K },
	.bar[IO] = { .len = 32, .ioport = true },
};

static void
card_plug(struct card *card, const struct fake_uio_desc *from)
{
	static unsigned int number;
	struct fake_uio_desc desc = *from;

	number++;
	snprintf(card->name, sizeof(card->name), "%04x:%02x:00.0", number >> 8 & 0xff,
		number & 0xff);
	desc.name = card->name;
	desc.vendor = VENDOR;
	if (desc.device == 0)
		desc.device = 1;
	card->uio = fake_uio_add(sysfs, &desc);
	probed = NULL;
	assert_int_equal(rte_eal_hotplug_add("pci", card->name, ""), 0);
	assert_non_null(probed);
	card->pci = probed;
}

static void
card_map(struct card *card, const struct fake_uio_desc *desc)
{
	card_plug(card, desc);
	assert_int_equal(rte_pci_map_device(card->pci), 0);
}

static void
card_unplug(struct card *card)
{
	rte_pci_unmap_device(card->pci);
	assert_int_equal(rte_dev_remove(&card->pci->device), 0);
	fake_uio_remove(card->uio);
}

static uint16_t
command(const struct card *card)
{
	return fake_uio_config(card->uio, RTE_PCI_COMMAND);
}

static void
assert_nothing_is_left(const struct card *card)
{
	unsigned int i;

	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		assert_null(card->pci->mem_resource[i].addr);
	assert_int_equal(card->uio->nb_node_open, 0);
	assert_int_equal(command(card) & RTE_PCI_COMMAND_MASTER, 0);
}

/* ---- the log ---- */

static void
log_begin(void)
{
	rte_log_set_level_pattern("bus.pci", RTE_LOG_DEBUG);
	eal_log_capture();
}

static void
log_end(void)
{
	eal_log_release();
	rte_log_set_level_pattern("bus.pci", RTE_LOG_CRIT);
}

/* What the log has since log_begin() names the device and has all of these words. */
static void
assert_log_tells(const struct card *card, const char *text, const char *const words[])
{
	unsigned int i;

	if (strstr(text, card->name) == NULL)
		fail_msg("the device is not named: %s", text);
	for (i = 0; words[i] != NULL; i++)
		if (strstr(text, words[i]) == NULL)
			fail_msg("no \"%s\" in: %s", words[i], text);
}

/* ---- BARs of memory ---- */

static const char *const kernel_drivers[] = { "uio_pci_generic", "igb_uio" };

static void
test_memory_is_mapped_as_a_whole(void **state)
{
	struct fake_uio_desc desc = common;
	struct rte_pci_bar_window window;
	struct rte_pci_bar_info info;
	struct card card;
	unsigned int i;

	for (i = 0; i < RTE_DIM(kernel_drivers); i++) {
		desc.driver = kernel_drivers[i];
		card_map(&card, &desc);
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
		card_unplug(&card);
	}
}

/* Both ways between the process and the device, in all widths, aligned or not. */
static void
assert_bytes_pass(const struct card *card, int bar, uint64_t size)
{
	static const size_t widths[] = { 1, 2, 3, 4, 7, 8, 16, 33 };
	uint8_t out[64], in[64], seen[64];
	size_t i, j, at;

	for (i = 0; i < RTE_DIM(widths); i++) {
		for (at = 0; at < 24; at++) {
			for (j = 0; j < sizeof(out); j++)
				out[j] = (uint8_t)(at * 31 + i * 7 + j * 3 + 1);
			fake_uio_poke(card->uio, (unsigned int)bar, at, out, widths[i]);
			assert_int_equal(rte_pci_mmio_read(card->pci, bar, in, widths[i],
				(off_t)at), widths[i]);
			assert_memory_equal(in, out, widths[i]);
			for (j = 0; j < sizeof(out); j++)
				out[j] = (uint8_t)~out[j];
			assert_int_equal(rte_pci_mmio_write(card->pci, bar, out, widths[i],
				(off_t)(size - 64 + at)), widths[i]);
			fake_uio_peek(card->uio, (unsigned int)bar, size - 64 + at, seen,
				widths[i]);
			assert_memory_equal(seen, out, widths[i]);
		}
	}
}

static void
test_mapped_bytes_pass_both_ways_without_a_call(void **state)
{
	uint32_t value = 0x12345678;
	struct card card;

	card_map(&card, &common);
	assert_bytes_pass(&card, MEM, 16 * K);
	*(volatile uint32_t *)RTE_PTR_ADD(card.pci->mem_resource[MEM].addr, 8 * K) = value;
	interpose_fail(INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0, 0);
	value = 0;
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &value, 4, 8 * K), 4);
	assert_int_equal(rte_pci_mmio_write(card.pci, MEM, &value, 4, 8 * K + 4), 4);
	interpose_disarm();
	assert_int_equal(interpose_count(), 0);
	assert_int_equal(value, 0x12345678);
	card_unplug(&card);
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
	struct card card;
	unsigned int i;

	card_map(&card, &common);
	for (i = 0; i < RTE_DIM(rows); i++) {
		assert_int_equal(rte_pci_mmio_read(card.pci, rows[i].bar, &byte, rows[i].len,
			rows[i].offset), -EINVAL);
		assert_int_equal(rte_pci_mmio_write(card.pci, rows[i].bar, &byte, rows[i].len,
			rows[i].offset), -EINVAL);
	}
	rte_pci_unmap_device(card.pci);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &byte, 1, 0), -ENODEV);
	card_unplug(&card);
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
	};
	struct fake_uio_desc desc = { .bar[MEM] = { .len = 16 * K } };
	struct card card;
	unsigned int i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		desc.device = rows[i].device;
		desc.bar[MEM].wc = rows[i].wc;
		card_map(&card, &desc);
		assert_string_equal(card.uio->opened, rows[i].opened);
		assert_bytes_pass(&card, MEM, 16 * K);
		card_unplug(&card);
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
	struct card card;

	card_map(&card, &desc);
	assert_null(card.pci->mem_resource[MEM].addr);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, MEM, NULL, 0), 0);
	assert_bytes_pass(&card, MEM, 256);
	resources_take(&before);
	assert_bytes_pass(&card, MEM, 256);
	resources_assert_same(&before);
	resources_drop(&before);
	card_unplug(&card);
}

static void
test_bar_shorter_than_a_page_is_mapped(void **state)
{
	const struct fake_uio_desc desc = { .bar[MEM] = { .len = 256 } };
	struct card card;
	uint8_t byte;

	card_map(&card, &desc);
	assert_non_null(card.pci->mem_resource[MEM].addr);
	assert_bytes_pass(&card, MEM, 256);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &byte, 1, 256), -EINVAL);
	card_unplug(&card);
}

static void
test_bar_that_has_no_place_is_not_there(void **state)
{
	const struct fake_uio_desc desc = {
		.bar[MEM] = { .len = 16 * K, .unset = true },
		.bar[0] = { .len = 16 * K },
	};
	struct card card;
	uint8_t byte;

	card_map(&card, &desc);
	assert_string_equal(card.uio->opened, "resource0 ");
	assert_null(card.pci->mem_resource[MEM].addr);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &byte, 1, 0), -EINVAL);
	card_unplug(&card);
}

static void
test_bar_without_a_file_cannot_be_accessed(void **state)
{
	const struct fake_uio_desc desc = {
		.bar[MEM] = { .len = 16 * K, .no_file = true },
		.bar[0] = { .len = 16 * K },
	};
	struct card card;
	uint8_t byte = 0;

	log_begin();
	card_map(&card, &desc);
	assert_log_tells(&card, eal_log_text(), (const char *[]){ "BAR2", "resource2", NULL });
	log_end();
	assert_non_null(card.pci->mem_resource[0].addr);
	assert_null(card.pci->mem_resource[MEM].addr);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &byte, 1, 0), -EACCES);
	assert_int_equal(rte_pci_mmio_write(card.pci, MEM, &byte, 1, 0), -EACCES);
	card_unplug(&card);
}

/* Secure Boot. Configuration space can be read. */
static void
test_locked_down_kernel_gives_errors(void **state)
{
	uint32_t value = 0;
	struct card card;

	card_plug(&card, &common);
	card.uio->locked_down = true;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_null(card.pci->mem_resource[MEM].addr);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &value, 4, 0), -EPERM);
	assert_int_equal(rte_pci_mmio_write(card.pci, MEM, &value, 4, 0), -EPERM);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 0), 4);
	assert_int_equal(rte_pci_write_config(card.pci, &value, 4, 0), -EPERM);
	card_unplug(&card);
}

/* ---- ports ---- */

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
test_ports_take_natural_accesses(void **state)
{
	static const uint8_t out[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	const struct port_row *row;
	struct rte_pci_ioport port;
	uint8_t in[8];
	struct card card;
	unsigned int i;

	card_map(&card, &common);
	assert_int_equal(rte_pci_ioport_map(card.pci, IO, &port), 0);
	for (i = 0; i < RTE_DIM(port_rows); i++) {
		row = &port_rows[i];
		card.uio->nb_accesses = 0;
		rte_pci_ioport_write(&port, out, row->len, (off_t)row->offset);
		assert_pieces_are(card.uio, row, true);
		fake_uio_peek(card.uio, IO, row->offset, in, row->len);
		assert_memory_equal(in, out, row->len);
		card.uio->nb_accesses = 0;
		memset(in, 0, sizeof(in));
		rte_pci_ioport_read(&port, in, row->len, (off_t)row->offset);
		assert_pieces_are(card.uio, row, false);
		assert_memory_equal(in, out, row->len);
	}
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
	card_unplug(&card);
}

static void
test_ports_outside_read_as_ones(void **state)
{
	struct rte_pci_ioport port;
	struct card card;
	uint32_t value;

	card_map(&card, &common);
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
	card_unplug(&card);
}

static void
test_ports_may_be_in_memory(void **state)
{
	uint16_t value = 0xabcd;
	struct rte_pci_ioport port;
	struct card card;

	card_map(&card, &common);
	assert_int_equal(rte_pci_ioport_map(card.pci, MEM, &port), 0);
	rte_pci_ioport_write(&port, &value, 2, 0x100);
	value = 0;
	rte_pci_ioport_read(&port, &value, 2, 0x100);
	assert_int_equal(value, 0xabcd);
	card_unplug(&card);
}

/* ---- configuration space ---- */

static void
test_configuration_space(void **state)
{
	uint32_t value = 0;
	struct card card;

	card_map(&card, &common);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 0), 4);
	assert_int_equal(value, 1u << 16 | VENDOR);
	value = 0x5a;
	assert_int_equal(rte_pci_write_config(card.pci, &value, 1, 0x3c), 1);
	assert_int_equal(fake_uio_config(card.uio, 0x3c), 0x5a);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 256), -EINVAL);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 254), -EINVAL);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, -4), -EINVAL);
	assert_int_equal(rte_pci_write_config(card.pci, &value, 4, 256), -EINVAL);
	card_unplug(&card);
}

static void
test_who_may_read_the_header_only_has_the_header(void **state)
{
	uint32_t value = 0;
	struct card card;

	card_plug(&card, &common);
	fake_uio_config_set(card.uio, RTE_PCI_STATUS, RTE_PCI_STATUS_CAP_LIST);
	fake_uio_config_set(card.uio, RTE_PCI_CAPABILITY_LIST, 0x40);
	fake_uio_config_set(card.uio, 0x40, RTE_PCI_CAP_ID_PM);
	card.uio->unprivileged = true;
	log_begin();
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_log_tells(&card, eal_log_text(), (const char *[]){ "CAP_SYS_ADMIN", NULL });
	log_end();
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 60), 4);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 64), -EINVAL);
	assert_true(rte_pci_find_capability(card.pci, RTE_PCI_CAP_ID_PM) < 0);
	rte_pci_unmap_device(card.pci);
	card.uio->unprivileged = false;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_int_equal(rte_pci_find_capability(card.pci, RTE_PCI_CAP_ID_PM), 0x40);
	card_unplug(&card);
}

/* ---- bus mastering ---- */

/* Tests have no huge pages, so that EAL uses virtual addresses; the guest has the other case. */
static void
test_device_reaches_no_memory_where_iovas_are_virtual(void **state)
{
	struct fake_uio_desc desc = common;
	struct card card;
	unsigned int i;

	for (i = 0; i < RTE_DIM(kernel_drivers); i++) {
		desc.driver = kernel_drivers[i];
		card_plug(&card, &desc);
		log_begin();
		assert_int_equal(rte_pci_map_device(card.pci), 0);
		assert_log_tells(&card, eal_log_text(), (const char *[]){
			"bus mastering stays off", "--iova-mode=pa", NULL });
		log_end();
		assert_int_equal(command(&card) & RTE_PCI_COMMAND_MASTER, 0);
		assert_int_equal(rte_pci_set_bus_master(card.pci, true), -EPERM);
		assert_int_equal(rte_pci_set_bus_master(card.pci, false), 0);
		assert_int_equal(command(&card) & RTE_PCI_COMMAND_MASTER, 0);
		card_unplug(&card);
	}
}

static void
test_eal_names_the_device_that_needs_physical_addresses(void **state)
{
	char texts[][16] = { "dpdk-test", "--no-huge", "--in-memory" };
	char *args[] = { texts[0], texts[1], texts[2], NULL };
	struct card card;

	card_plug(&card, &common);
	eal_session_stop();
	log_begin();
	assert_true(rte_eal_init(RTE_DIM(args) - 1, args) < 0);
	assert_log_tells(&card, eal_log_text(), (const char *[]){
		"physical addresses", "CAP_SYS_ADMIN", "huge pages", "vfio-pci", "-b ", NULL });
	log_end();
	fake_uio_remove(card.uio);
	eal_session_start((const char *[]){ "-m", "16", "--iova-mode=va",
		"--log-level=bus.pci:critical", NULL });
}

/* ---- interrupts ---- */

static void
count(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

static void
wait_for(const atomic_uint *counter, unsigned int expected)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	unsigned int left = TIMEOUT_MS;

	while (atomic_load(counter) < expected && --left > 0)
		nanosleep(&ms, NULL);
	assert_int_equal(atomic_load(counter), expected);
}

static void
test_generic_unmasks_in_configuration_space(void **state)
{
	struct card card;

	card_map(&card, &common);
	assert_int_equal(rte_intr_type_get(card.pci->intr_handle), RTE_INTR_HANDLE_UIO_INTX);
	assert_int_equal(rte_intr_disable(card.pci->intr_handle), 0);
	assert_true((command(&card) & RTE_PCI_COMMAND_INTX_DISABLE) != 0);
	assert_false(fake_uio_fire(card.uio));
	assert_int_equal(rte_intr_enable(card.pci->intr_handle), 0);
	assert_false((command(&card) & RTE_PCI_COMMAND_INTX_DISABLE) != 0);
	assert_int_equal(fake_uio_irqcontrol(card.uio), -1);
	card_unplug(&card);
}

static void
test_igb_uio_unmasks_by_its_file(void **state)
{
	struct fake_uio_desc desc = common;
	struct card card;

	desc.driver = "igb_uio";
	card_map(&card, &desc);
	assert_int_equal(rte_intr_type_get(card.pci->intr_handle), RTE_INTR_HANDLE_UIO);
	assert_int_equal(rte_intr_enable(card.pci->intr_handle), 0);
	assert_int_equal(fake_uio_irqcontrol(card.uio), 1);
	assert_int_equal(rte_intr_disable(card.pci->intr_handle), 0);
	assert_int_equal(fake_uio_irqcontrol(card.uio), 0);
	assert_false(fake_uio_fire(card.uio));
	card_unplug(&card);
}

/* The kernel masks each; what comes meanwhile is told when it is unmasked. */
static void
test_each_interrupt_arrives_once_and_is_masked_until_acknowledged(void **state)
{
	struct fake_uio_desc desc = common;
	atomic_uint counter;
	struct card card;
	unsigned int i, j;

	for (i = 0; i < RTE_DIM(kernel_drivers); i++) {
		desc.driver = kernel_drivers[i];
		atomic_store(&counter, 0);
		card_map(&card, &desc);
		assert_int_equal(rte_intr_callback_register(card.pci->intr_handle, count,
			&counter), 0);
		assert_int_equal(rte_intr_enable(card.pci->intr_handle), 0);
		for (j = 1; j <= 100; j++) {
			assert_true(fake_uio_fire(card.uio));
			wait_for(&counter, j);
			assert_false(fake_uio_fire(card.uio));
			assert_int_equal(rte_intr_ack(card.pci->intr_handle), 0);
		}
		assert_int_equal(rte_intr_disable(card.pci->intr_handle), 0);
		assert_int_equal(rte_intr_callback_unregister_sync(card.pci->intr_handle, count,
			&counter), 1);
		assert_int_equal(atomic_load(&counter), 100);
		card_unplug(&card);
	}
}

static void
test_device_without_interrupt_has_no_handle_to_wait_for(void **state)
{
	struct card card;

	card_plug(&card, &common);
	card.uio->no_irq = true;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_int_equal(rte_intr_type_get(card.pci->intr_handle), RTE_INTR_HANDLE_UNKNOWN);
	assert_int_equal(rte_intr_fd_get(card.pci->intr_handle), -1);
	assert_true(rte_intr_enable(card.pci->intr_handle) < 0);
	assert_bytes_pass(&card, MEM, 16 * K);
	card_unplug(&card);
}

/* ---- sysfs that may not be written ---- */

static void
assert_read_only(const struct card *card)
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
	struct card card;

	card_plug(&card, &common);
	card.uio->read_only = true;
	log_begin();
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_log_tells(&card, eal_log_text(), (const char *[]){
		"sysfs is read-only", "interrupt cannot be used", NULL });
	log_end();
	assert_read_only(&card);
	assert_int_equal(rte_intr_type_get(card.pci->intr_handle), RTE_INTR_HANDLE_UNKNOWN);
	assert_true(rte_pci_set_bus_master(card.pci, true) < 0);
	card_unplug(&card);
}

/* Its interrupts need nothing of sysfs, and it enables bus mastering itself. */
static void
test_interrupts_of_igb_uio_work_with_read_only_sysfs(void **state)
{
	struct fake_uio_desc desc = common;
	struct card card;

	desc.driver = "igb_uio";
	card_plug(&card, &desc);
	card.uio->read_only = true;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_read_only(&card);
	assert_int_equal(rte_intr_enable(card.pci->intr_handle), 0);
	assert_int_equal(fake_uio_irqcontrol(card.uio), 1);
	assert_true(fake_uio_fire(card.uio));
	card_unplug(&card);
}

static void
test_bars_of_another_user_fail_the_map(void **state)
{
	struct card card;

	card_plug(&card, &common);
	card.uio->denied = true;
	log_begin();
	assert_int_equal(rte_pci_map_device(card.pci), -EACCES);
	assert_log_tells(&card, eal_log_text(), (const char *[]){
		"resource", "Permission denied", "run as root", NULL });
	log_end();
	assert_nothing_is_left(&card);
	card_unplug(&card);
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
	struct card card;
	unsigned int i;

	card_plug(&card, &common);
	for (i = 0; i < RTE_DIM(rows); i++) {
		card.uio->node_err = rows[i].err;
		log_begin();
		assert_int_equal(rte_pci_map_device(card.pci), -rows[i].err);
		assert_log_tells(&card, eal_log_text(), rows[i].words);
		log_end();
		assert_nothing_is_left(&card);
	}
	card.uio->node_err = 0;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	card_unplug(&card);
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
	eal_session_start((const char *[]){ "-m", "16", "--iova-mode=va",
		"--log-level=bus.pci:critical", option, NULL });
}

/* The number is not that of the fake's file, which is no device. */
static void
test_missing_node_is_made_when_the_user_wants_it(void **state)
{
	struct card card;

	eal_restart("--create-uio-dev");
	card_plug(&card, &common);
	fake_sysfs_set(sysfs, card.name, "uio/uio7/dev", "246:7\n");
	made.uio = card.uio;
	made.nb = 0;
	card.uio->node_err = ENOENT;
	log_begin();
	assert_int_equal(rte_pci_map_device(card.pci), -ENXIO);
	assert_log_tells(&card, eal_log_text(), (const char *[]){
		"/dev/uio7", "246:7", "another device", NULL });
	log_end();
	assert_int_equal(made.nb, 1);
	assert_string_equal(made.path, "/dev/uio7");
	assert_true(S_ISCHR(made.mode));
	assert_int_equal(made.number, makedev(246, 7));
	made.err = EROFS;
	card.uio->node_err = ENOENT;
	assert_int_equal(rte_pci_map_device(card.pci), -EROFS);
	made.err = 0;
	fake_sysfs_set(sysfs, card.name, "uio/uio7/dev", "garbage\n");
	card.uio->node_err = ENOENT;
	assert_int_equal(rte_pci_map_device(card.pci), -EINVAL);
	assert_int_equal(made.nb, 2);
	assert_nothing_is_left(&card);
	made.uio = NULL;
	card_unplug(&card);
	eal_restart(NULL);
}

static void
test_folder_of_uio_gives_the_number(void **state)
{
	static const char *const folders[] = { "uio/uio0", "uio/uio12345", "uio:uio3" };
	struct fake_uio_desc desc = common;
	struct card card;
	unsigned int i;

	for (i = 0; i < RTE_DIM(folders); i++) {
		desc.folder = folders[i];
		card_map(&card, &desc);
		assert_int_equal(card.uio->nb_node_open, 1);
		card_unplug(&card);
	}
}

static void
test_device_without_a_folder_of_uio_is_left_alone(void **state)
{
	static const char *const folders[] = {
		"uio/", "uio/uio", "uio/uio-1", "uio/uio1x", "uio/uio99999999999999999999",
		"uio/0", "uio/uio 1", "uio/.uio1", "uio:uio",
	};
	struct fake_uio_desc desc = common;
	struct card card;
	unsigned int i;

	for (i = 0; i < RTE_DIM(folders); i++) {
		desc.folder = folders[i];
		card_plug(&card, &desc);
		assert_int_equal(rte_pci_map_device(card.pci), 1);
		assert_nothing_is_left(&card);
		card_unplug(&card);
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
	struct card card;
	unsigned int i;

	card_plug(&card, &common);
	for (i = 0; i < RTE_DIM(texts); i++) {
		fake_sysfs_set(sysfs, card.name, "resource", texts[i]);
		assert_true(rte_pci_map_device(card.pci) < 0);
		assert_nothing_is_left(&card);
	}
	card_unplug(&card);
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
	struct card card;
	uint8_t byte;
	unsigned int i;

	card_plug(&card, &common);
	for (i = 0; i < RTE_DIM(rows); i++) {
		snprintf(text, sizeof(text), NO_BAR NO_BAR "%s" NO_BAR NO_BAR NO_BAR,
			rows[i].line);
		fake_sysfs_set(sysfs, card.name, "resource", text);
		assert_int_equal(rte_pci_map_device(card.pci), rows[i].rc);
		assert_null(card.pci->mem_resource[MEM].addr);
		assert_true(rte_pci_mmio_read(card.pci, MEM, &byte, 1, 1 << 20) < 0);
		rte_pci_unmap_device(card.pci);
		assert_nothing_is_left(&card);
	}
	card_unplug(&card);
}

static void
test_ports_that_make_no_sense_are_none(void **state)
{
	struct rte_pci_ioport port;
	struct card card;

	card_plug(&card, &common);
	fake_sysfs_set(sysfs, card.name, "resource", NO_BAR LINE("c020", "c000", "101")
		LINE("e0000000", "e0003fff", "200") NO_BAR NO_BAR NO_BAR);
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_non_null(card.pci->mem_resource[MEM].addr);
	assert_int_equal(rte_pci_ioport_map(card.pci, IO, &port), -EINVAL);
	card_unplug(&card);
}

static void
test_configuration_space_that_is_too_short_fails_the_map(void **state)
{
	static const char sixty_three[] = "this text is one byte shorter than what the header of "
		"PCI takes";
	static const char *const texts[] = { "", "\xfe\xca", sixty_three };
	char path[256];
	struct card card;
	unsigned int i;

	card_plug(&card, &common);
	for (i = 0; i < RTE_DIM(texts); i++) {
		fake_sysfs_set(sysfs, card.name, "config", texts[i]);
		assert_int_equal(rte_pci_map_device(card.pci), -EIO);
		assert_int_equal(card.uio->nb_node_open, 0);
	}
	snprintf(path, sizeof(path), "%s/%s/config", sysfs->devices, card.name);
	assert_int_equal(truncate(path, 256), 0);
	card_unplug(&card);
}

/* ---- calls that fail ---- */

static void
test_each_call_fails_in_turn_and_nothing_leaks(void **state)
{
	struct fake_uio_desc desc = common;
	struct interpose_loop loop;
	struct card card;
	unsigned int i;
	int rc;

	desc.device = 2;
	desc.bar[MEM].wc = true;
	desc.bar[MEM + 1] = desc.bar[MEM];
	for (i = 0; i < RTE_DIM(kernel_drivers); i++) {
		desc.driver = kernel_drivers[i];
		card_plug(&card, &desc);
		INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
			rc = rte_pci_map_device(card.pci);
			interpose_disarm();
			assert_true(rc == 0 || interpose_fired());
			if (rc != 0)
				assert_nothing_is_left(&card);
			rte_pci_unmap_device(card.pci);
			assert_nothing_is_left(&card);
		}
		card_unplug(&card);
	}
}

/* munmap() as well: what it leaves is not ours to undo, but all else is. */
static void
test_each_call_fails_while_unmapping_and_the_rest_is_undone(void **state)
{
	const uint64_t any = INTERPOSE_ANY | INTERPOSE_ONLY(MUNMAP) | INTERPOSE_THIS_THREAD;
	unsigned int nth = 0;
	struct card card;

	card_plug(&card, &common);
	do {
		assert_int_equal(rte_pci_map_device(card.pci), 0);
		interpose_fail(any, ++nth, 0);
		rte_pci_unmap_device(card.pci);
		interpose_disarm();
		assert_nothing_is_left(&card);
	} while (interpose_fired());
	card_unplug(&card);
}

static void
test_access_by_calls_fails_with_what_the_call_says(void **state)
{
	const struct fake_uio_desc desc = {
		.bar[MEM] = { .len = 256, .start = 0xe0000100 },
		.bar[IO] = { .len = 32, .ioport = true },
	};
	uint32_t value = 0;
	struct card card;

	card_map(&card, &desc);
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
	card_unplug(&card);
}

/* ---- secondary processes ---- */

static int
in_secondary(struct card *card, int (*body)(struct card *card))
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		fake_process_set(RTE_PROC_SECONDARY);
		_exit(body(card) & 0xff);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The line modulo 256, never 0: tells where a child failed. */
#define CHECK(condition_) do { \
	if (!(condition_)) \
		return __LINE__ % 255 + 1; \
} while (0)

/*
 * The child inherits the parent's mapping, which a secondary process would not have. It never
 * opens /dev/uioN: closing that would switch bus mastering off.
 */
static int
secondary_uses_device(struct card *card)
{
	void *base = card->pci->mem_resource[MEM].addr;
	unsigned int opened = card->uio->nb_node_opened;
	uint32_t value = 0;

	rte_pci_unmap_device(card->pci);
	fake_uio_config_set(card->uio, RTE_PCI_COMMAND, RTE_PCI_COMMAND_MASTER);
	CHECK(rte_pci_map_device(card->pci) == 0);
	CHECK(card->pci->mem_resource[MEM].addr == base);
	CHECK(card->uio->nb_node_opened == opened);
	CHECK(rte_intr_fd_get(card->pci->intr_handle) == -1);
	CHECK(rte_pci_mmio_read(card->pci, MEM, &value, 4, 0) == 4);
	CHECK(value == 0x12345678);
	value = 0x5a5a5a5a;
	CHECK(rte_pci_mmio_write(card->pci, MEM, &value, 4, 4) == 4);
	CHECK(rte_pci_mmio_read(card->pci, IO, &value, 4, 0) == 4);
	CHECK(rte_pci_read_config(card->pci, &value, 4, 0) == 4);
	rte_pci_unmap_device(card->pci);
	CHECK(card->pci->mem_resource[MEM].addr == NULL);
	CHECK((command(card) & RTE_PCI_COMMAND_MASTER) != 0);
	return 0;
}

static void
test_secondary_has_the_same_addresses_and_leaves_the_device_alone(void **state)
{
	uint32_t value = 0x12345678;
	struct card card;

	card_map(&card, &common);
	assert_int_equal(rte_pci_mmio_write(card.pci, MEM, &value, 4, 0), 4);
	assert_int_equal(in_secondary(&card, secondary_uses_device), 0);
	assert_int_equal(rte_pci_mmio_read(card.pci, MEM, &value, 4, 4), 4);
	assert_int_equal(value, 0x5a5a5a5a);
	assert_int_equal(in_secondary(&card, secondary_uses_device), 0);
	card_unplug(&card);
}

static int
secondary_finds_none(struct card *card)
{
	CHECK(rte_pci_map_device(card->pci) == -ENOENT);
	CHECK(card->pci->mem_resource[MEM].addr == NULL);
	return 0;
}

static void
test_secondary_needs_a_primary_that_has_mapped_the_device(void **state)
{
	struct card card;

	card_plug(&card, &common);
	assert_int_equal(in_secondary(&card, secondary_finds_none), 0);
	card_unplug(&card);
}

/* ---- the end ---- */

/* The file of a device that is gone has no bytes, as far as a load can tell. */
static void
test_device_that_goes_leaves_private_memory(void **state)
{
	volatile uint32_t *reg;
	char path[256];
	struct rte_bus *bus;
	struct card card;

	card_map(&card, &common);
	bus = rte_bus_find_by_name("pci");
	assert_non_null(bus);
	reg = card.pci->mem_resource[MEM].addr;
	*reg = 0x12345678;
	snprintf(path, sizeof(path), "%s/%s/resource2", sysfs->devices, card.name);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(bus->hot_unplug_handler(&card.pci->device), 0);
	assert_int_equal(*reg, 0);
	*reg = 1;
	assert_int_equal(*reg, 1);
	assert_int_equal(truncate(path, 16 * K), 0);
	card_unplug(&card);
}

static void
test_device_is_mapped_again_and_again(void **state)
{
	struct resources before;
	struct card card;
	unsigned int i;

	card_map(&card, &common);
	rte_pci_unmap_device(card.pci);
	resources_take(&before);
	for (i = 0; i < 20; i++) {
		assert_int_equal(rte_pci_map_device(card.pci), 0);
		assert_int_equal(rte_pci_map_device(card.pci), 0);
		assert_int_equal(card.uio->nb_node_open, 1);
		assert_bytes_pass(&card, MEM, 16 * K);
		rte_pci_unmap_device(card.pci);
		assert_nothing_is_left(&card);
	}
	resources_assert_same(&before);
	resources_drop(&before);
	card_unplug(&card);
}

/* ---- the suite ---- */

static int
setup(void **state)
{
	rte_pci_register(&plain_driver);
	rte_pci_register(&wc_driver);
	sysfs = fake_sysfs_start();
	eal_session_start((const char *[]){ "-m", "16", "--iova-mode=va",
		"--log-level=bus.pci:critical", NULL });
	return 0;
}

static int
teardown(void **state)
{
	eal_session_stop();
	fake_sysfs_stop(sysfs);
	rte_pci_unregister(&plain_driver);
	rte_pci_unregister(&wc_driver);
	return 0;
}

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
	cmocka_unit_test(test_ports_take_natural_accesses),
	cmocka_unit_test(test_ports_outside_read_as_ones),
	cmocka_unit_test(test_ports_may_be_in_memory),
	cmocka_unit_test(test_configuration_space),
	cmocka_unit_test(test_who_may_read_the_header_only_has_the_header),
	cmocka_unit_test(test_device_reaches_no_memory_where_iovas_are_virtual),
	cmocka_unit_test(test_eal_names_the_device_that_needs_physical_addresses),
	cmocka_unit_test(test_generic_unmasks_in_configuration_space),
	cmocka_unit_test(test_igb_uio_unmasks_by_its_file),
	cmocka_unit_test(test_each_interrupt_arrives_once_and_is_masked_until_acknowledged),
	cmocka_unit_test(test_device_without_interrupt_has_no_handle_to_wait_for),
	cmocka_unit_test(test_read_only_sysfs_is_told_and_can_be_read),
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
	cmocka_unit_test(test_secondary_has_the_same_addresses_and_leaves_the_device_alone),
	cmocka_unit_test(test_secondary_needs_a_primary_that_has_mapped_the_device),
	cmocka_unit_test(test_device_that_goes_leaves_private_memory),
	cmocka_unit_test(test_device_is_mapped_again_and_again),
};
TEST_SUITE(pci_uio, "functional", tests, setup, teardown)
