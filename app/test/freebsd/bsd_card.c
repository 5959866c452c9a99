/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>
#include <unistd.h>

#include "bsd_card.h"
#include "eal_session.h"
#include "pci_bsd_scan.h"
#include "pci_device.h"
#include "pci_list.h"
#include "test.h"

const struct rte_pci_addr bsd_card_addr = { .bus = 10, .devid = 31, .function = 7 };

const struct fake_freebsd_device bsd_card_like = {
	.bus = 10, .slot = 31, .function = 7, .vendor = 0x8086, .device = 0x1572,
	.config = {
		[0x06] = 0x10,	/* there are capabilities */
		[0x34] = 0x40,
		[0x40] = 0x01, 0x50,	/* power management */
		[0x50] = 0x10, 0x00,	/* PCI Express */
		[0x100] = 0x03, 0x00, 0x01, 0x00,	/* extended: serial number */
	},
	.config_len = 4096,
	.bar = {
		[0] = { .base = 0x38000000000c, .length = 0x200000 },
		[PORTS] = { .base = 0xc049, .length = 8 },
		[MEMORY] = { .base = 0xfeb00000, .length = 0x8000 },
		[SMALL] = { .base = 0xfeb10100, .length = 0x100 },
	},
};

const struct bsd_way bsd_ways[2] = {
	{ "nic_uio", "nic_uio" },
	{ "", "dev_pci" },
};

struct fake_freebsd_device *bsd_card;
struct rte_pci_device *bsd_dev;
uint8_t bsd_mem[4096];

int
bsd_scan_setup(void **state)
{
	(void)state;
	fake_freebsd_start();
	return 0;
}

int
bsd_scan_teardown(void **state)
{
	(void)state;
	pci_bsd_scan_fini();
	fake_freebsd_stop();
	return 0;
}

void
bsd_begin(const struct bsd_way *way)
{
	struct fake_freebsd_device like = bsd_card_like;

	fake_freebsd_start();
	strcpy(like.driver, way->driver);
	bsd_card = fake_freebsd_add(&like);
	eal_session_start(NULL);
	bsd_dev = &pci_list_find(&bsd_card_addr)->pub;
}

void
bsd_end(void)
{
	eal_session_stop();
	fake_freebsd_stop();
}

void
bsd_begin_mapped(const struct bsd_way *way)
{
	bsd_begin(way);
	assert_int_equal(rte_pci_map_device(bsd_dev), 0);
}

void
bsd_end_mapped(void)
{
	rte_pci_unmap_device(bsd_dev);
	bsd_end();
}

uint8_t
bsd_card_byte(unsigned int bar, uint64_t offset)
{
	uint8_t byte;

	assert_int_equal(pread(bsd_card->bar[bar].memfd, &byte, 1, (off_t)offset), 1);
	return byte;
}

void
bsd_card_fill(unsigned int bar)
{
	uint64_t i;
	uint8_t byte;

	for (i = 0; i < bsd_card->bar[bar].length && i < 4096; i++) {
		byte = (uint8_t)(i * 7 + bar);
		assert_int_equal(pwrite(bsd_card->bar[bar].memfd, &byte, 1, (off_t)i), 1);
	}
}
