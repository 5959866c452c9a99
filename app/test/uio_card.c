/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_log.h>

#include "eal_session.h"
#include "test.h"
#include "uio_card.h"

/* ---- drivers that take what the tests plug in ---- */

struct fake_sysfs *uio_sysfs;

static const struct rte_pci_id plain_ids[] = {
	{ RTE_PCI_DEVICE(UIO_CARD_VENDOR, 1) },
	{ RTE_PCI_DEVICE(UIO_CARD_VENDOR, 3) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver plain_driver = {
	.driver.name = "test_pci_uio",
	.probe = card_probe,
	.remove = card_remove,
	.id_table = plain_ids,
};

static int
test_decline(struct rte_pci_driver *driver, struct rte_pci_device *device)
{
	return 1;
}

static const struct rte_pci_id declined_ids[] = {
	{ RTE_PCI_DEVICE(UIO_CARD_VENDOR, 3) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver declining_driver = {
	.driver.name = "test_pci_uio_declining",
	.probe = test_decline,
	.remove = card_remove,
	.id_table = declined_ids,
	.drv_flags = RTE_PCI_DRV_WC_ACTIVATE | RTE_PCI_DRV_NEED_MAPPING,
};

static const struct rte_pci_id wc_ids[] = {
	{ RTE_PCI_DEVICE(UIO_CARD_VENDOR, 2) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver wc_driver = {
	.driver.name = "test_pci_uio_wc",
	.probe = card_probe,
	.remove = card_remove,
	.id_table = wc_ids,
	.drv_flags = RTE_PCI_DRV_WC_ACTIVATE,
};

/* ---- devices ---- */

const char *const uio_kernel_drivers[2] = { "uio_pci_generic", "igb_uio" };

const struct fake_uio_desc uio_card_common = {
	.bar[UIO_CARD_MEM] = { .len = 0x10000 },
	.bar[UIO_CARD_IO] = { .len = 32, .ioport = true },
};

void
uio_card_plug(struct uio_card *card, const struct fake_uio_desc *from)
{
	struct fake_uio_desc desc = *from;

	card_address(card->name);
	desc.name = card->name;
	desc.vendor = UIO_CARD_VENDOR;
	if (desc.device == 0)
		desc.device = 1;
	card->uio = fake_uio_add(uio_sysfs, &desc);
	assert_int_equal(card_find(card->name, &card->pci), 0);
	assert_non_null(card->pci);
}

void
uio_card_map(struct uio_card *card, const struct fake_uio_desc *desc)
{
	uio_card_plug(card, desc);
	assert_int_equal(rte_pci_map_device(card->pci), 0);
}

void
uio_card_unplug(struct uio_card *card)
{
	rte_pci_unmap_device(card->pci);
	assert_int_equal(rte_dev_remove(&card->pci->device), 0);
	fake_uio_remove(card->uio);
}

uint16_t
uio_card_command(const struct uio_card *card)
{
	return fake_uio_config(card->uio, RTE_PCI_COMMAND);
}

void
uio_assert_nothing_left(const struct uio_card *card)
{
	unsigned int i;

	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		assert_null(card->pci->mem_resource[i].addr);
	assert_int_equal(card->uio->nb_node_open, 0);
	assert_int_equal(uio_card_command(card) & RTE_PCI_COMMAND_MASTER, 0);
}

/* ---- the log ---- */

void
uio_log_begin(void)
{
	rte_log_set_level_pattern("bus.pci", RTE_LOG_DEBUG);
	eal_log_capture();
}

void
uio_log_end(void)
{
	eal_log_release();
	rte_log_set_level_pattern("bus.pci", RTE_LOG_CRIT);
}

void
uio_assert_log_tells(const struct uio_card *card, const char *text, const char *const words[])
{
	unsigned int i;

	if (strstr(text, card->name) == NULL)
		fail_msg("the device is not named: %s", text);
	for (i = 0; words[i] != NULL; i++)
		if (strstr(text, words[i]) == NULL)
			fail_msg("no \"%s\" in: %s", words[i], text);
}

void
uio_assert_bytes_pass(const struct uio_card *card, int bar, uint64_t size)
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

/* ---- suites ---- */

void
uio_card_eal_start(const char *option)
{
	eal_session_start((const char *[]){ "-m", "16", "--iova-mode=va",
		"--log-level=bus.pci:critical", option, NULL });
}

int
uio_card_setup(void **state)
{
	rte_pci_register(&declining_driver);
	rte_pci_register(&plain_driver);
	rte_pci_register(&wc_driver);
	uio_sysfs = fake_sysfs_start();
	uio_card_eal_start(NULL);
	return 0;
}

int
uio_card_teardown(void **state)
{
	eal_session_stop();
	fake_sysfs_stop(uio_sysfs);
	rte_pci_unregister(&declining_driver);
	rte_pci_unregister(&plain_driver);
	rte_pci_unregister(&wc_driver);
	return 0;
}
