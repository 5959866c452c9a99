/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_interrupts.h>

#include "fake_vfio.h"
#include "test.h"
#include "vfio_card.h"

struct fake_vfio *vfio_card_kernel;
bool vfio_card_without_folder;

static const struct rte_pci_id bare_ids[] = {
	{ RTE_PCI_DEVICE(VFIO_CARD_VENDOR, 1) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver bare_driver = {
	.driver.name = "test_pci_vfio",
	.probe = card_probe,
	.remove = card_remove,
	.id_table = bare_ids,
};

static const struct rte_pci_id mapped_ids[] = {
	{ RTE_PCI_DEVICE(VFIO_CARD_VENDOR, 2) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver mapped_driver = {
	.driver.name = "test_pci_vfio_mapped",
	.probe = card_probe,
	.remove = card_remove,
	.id_table = mapped_ids,
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING,
};

uint8_t
vfio_card_pattern(uint64_t offset)
{
	return (uint8_t)((offset * 2654435761u) >> 13 | 1);
}

static void
fill_with_pattern(struct fake_device *dev, uint32_t region)
{
	const uint64_t len = dev->desc.regions[region].size < MIB ?
		dev->desc.regions[region].size : MIB;
	uint8_t *bytes = malloc(len + 1);
	uint64_t i;

	assert_non_null(bytes);
	for (i = 0; i < len; i++)
		bytes[i] = vfio_card_pattern(i);
	fake_vfio_poke(dev, region, 0, bytes, len);
	free(bytes);
}

int
vfio_card_try(struct vfio_card *card, const struct fake_device_desc *from)
{
	struct fake_device_desc desc = *from;
	uint32_t i;

	desc.group = (int)card_address(card->name);
	desc.name = card->name;
	if (desc.driver == NULL)
		desc.driver = "vfio-pci";
	desc.vendor = VFIO_CARD_VENDOR;
	if (desc.device == 0)
		desc.device = 1;
	card->fake = fake_vfio_add(vfio_card_kernel, &desc);
	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		fill_with_pattern(card->fake, i);
	if (vfio_card_without_folder)
		fake_vfio_hide_node(card->fake);
	return card_find(card->name, &card->pci);
}

void
vfio_card_plug(struct vfio_card *card, const struct fake_device_desc *desc)
{
	assert_int_equal(vfio_card_try(card, desc), 0);
	assert_non_null(card->pci);
}

void
vfio_card_map(struct vfio_card *card, const struct fake_device_desc *desc)
{
	vfio_card_plug(card, desc);
	assert_int_equal(rte_pci_map_device(card->pci), 0);
	card->fake->nb_accesses = 0;
}

void
vfio_card_unplug(struct vfio_card *card)
{
	rte_pci_unmap_device(card->pci);
	assert_int_equal(rte_dev_remove(&card->pci->device), 0);
	fake_vfio_unplug(card->fake);
}

void
vfio_config_init(struct vfio_config *c)
{
	memset(c, 0, sizeof(*c));
	c->bytes[0] = VFIO_CARD_VENDOR & 0xff;
	c->bytes[1] = VFIO_CARD_VENDOR >> 8;
	c->bytes[2] = 1;
	c->end = 0x40;
	c->last = RTE_PCI_CAPABILITY_LIST;
}

uint8_t
vfio_config_cap(struct vfio_config *c, uint8_t id, uint8_t len)
{
	uint8_t at = c->end;

	c->bytes[RTE_PCI_STATUS] |= RTE_PCI_STATUS_CAP_LIST;
	c->bytes[c->last] = at;
	c->bytes[at] = id;
	c->last = at + RTE_PCI_CAP_NEXT;
	c->end = (uint8_t)(at + len);
	return at;
}

void
vfio_config_msix(struct vfio_config *c, unsigned int bar, uint32_t offset, unsigned int vectors)
{
	uint8_t at = vfio_config_cap(c, RTE_PCI_CAP_ID_MSIX, 12);
	uint32_t table = offset | bar;

	c->bytes[at + 2] = (uint8_t)(vectors - 1);
	c->bytes[at + 3] = (uint8_t)((vectors - 1) >> 8);
	memcpy(&c->bytes[at + 4], &table, sizeof(table));
}

struct map_line {
	uint64_t start, end;
	char prot[5];
};

/* The lines of /proc/self/maps that lie in a range. */
static unsigned int
maps_read(uint64_t start, uint64_t end, struct map_line *lines, unsigned int max)
{
	FILE *file = fopen("/proc/self/maps", "r");
	struct map_line line;
	unsigned int nb = 0;
	char text[512];

	assert_non_null(file);
	while (fgets(text, sizeof(text), file) != NULL) {
		if (sscanf(text, "%" SCNx64 "-%" SCNx64 " %4s", &line.start, &line.end,
				line.prot) != 3 || line.end <= start || line.start >= end)
			continue;
		assert_true(nb < max);
		lines[nb++] = line;
	}
	fclose(file);
	return nb;
}

void
vfio_assert_maps_are(const struct rte_pci_device *dev, unsigned int bar, uint64_t size,
	const struct rte_pci_bar_window *windows, unsigned int nb, const char *prot)
{
	const uint64_t base = (uint64_t)(uintptr_t)dev->mem_resource[bar].addr;
	struct map_line lines[64];
	unsigned int i, j, nb_lines, nb_shared = 0;
	uint64_t at = base;

	nb_lines = maps_read(base, base + size, lines, RTE_DIM(lines));
	for (i = 0; i < nb_lines; i++) {
		if (i > 0 || lines[i].start > base)
			assert_int_equal(lines[i].start, at);
		at = lines[i].end;
		if (lines[i].prot[3] != 's') {
			assert_string_equal(lines[i].prot, "---p");
			continue;
		}
		nb_shared++;
		assert_string_equal(lines[i].prot, prot);
		for (j = 0; j < nb && base + windows[j].offset != lines[i].start; j++)
			;
		assert_true(j < nb);
		assert_int_equal(lines[i].end - lines[i].start, (windows[j].size + K - 1) / K * K);
	}
	assert_true(at >= base + size);
	assert_int_equal(nb_shared, nb);
}

void
vfio_card_area(struct fake_caps *caps, uint64_t offset, uint64_t size)
{
	struct vfio_region_sparse_mmap_area area = { .offset = offset, .size = size };

	fake_caps_add_sparse(caps, 1, &area, 1);
}

static const struct fake_device_desc two_windows = {
	.regions[2] = {
		.size = 16 * K, .flags = FAKE_REGION_RWM,
		.windows = { { 0, 2 * K }, { 8 * K, K } }, .nb_windows = 2,
	},
};

struct fake_device_desc
vfio_card_two_windows(void)
{
	struct fake_device_desc desc = two_windows;

	fake_caps_add_sparse(&desc.regions[2].caps, 2, desc.regions[2].windows, 2);
	return desc;
}

void
vfio_assert_every_byte_is_the_same(struct vfio_card *card, uint64_t size)
{
	uint8_t *all = malloc(size);
	uint64_t i;
	uint8_t *ptr;
	uint8_t byte;

	assert_non_null(all);
	assert_int_equal(rte_pci_mmio_read(card->pci, 2, all, size, 0), size);
	for (i = 0; i < size; i++) {
		fake_vfio_peek(card->fake, 2, i, &byte, 1);
		assert_int_equal(all[i], byte);
		if (i % 7 == 0) {
			assert_int_equal(rte_pci_mmio_read(card->pci, 2, &byte, 1, (off_t)i), 1);
			assert_int_equal(all[i], byte);
		}
		ptr = rte_pci_bar_ptr(card->pci, 2, i, 1);
		if (ptr != NULL)
			assert_int_equal(*(volatile uint8_t *)ptr, all[i]);
	}
	free(all);
}

void
vfio_card_rich(struct fake_device_desc *desc, struct vfio_config *config)
{
	const struct fake_irq irq = { .count = 1, .flags = VFIO_IRQ_INFO_EVENTFD };

	*desc = vfio_card_two_windows();
	vfio_config_init(config);
	vfio_config_msix(config, 0, 2 * K, 4);
	vfio_config_cap(config, RTE_PCI_CAP_ID_VNDR, 8);
	desc->config = config->bytes;
	desc->config_len = sizeof(config->bytes);
	desc->regions[0].size = 8 * K;
	desc->regions[0].flags = FAKE_REGION_RWM;
	desc->regions[6].size = 2 * K;
	desc->regions[6].flags = VFIO_REGION_INFO_FLAG_READ;
	desc->irqs[VFIO_PCI_INTX_IRQ_INDEX] = irq;
	desc->irqs[VFIO_PCI_MSIX_IRQ_INDEX] = irq;
	desc->irqs[VFIO_PCI_MSIX_IRQ_INDEX].count = 4;
	desc->irqs[VFIO_PCI_REQ_IRQ_INDEX] = irq;
	desc->irqs[VFIO_PCI_ERR_IRQ_INDEX] = irq;
}

void
vfio_assert_nothing_is_left(const struct rte_pci_device *dev)
{
	unsigned int bar;

	for (bar = 0; bar < PCI_MAX_RESOURCE; bar++)
		assert_null(dev->mem_resource[bar].addr);
	if (dev->intr_handle != NULL) {
		assert_int_equal(rte_intr_fd_get(dev->intr_handle), -1);
		assert_int_equal(rte_intr_dev_fd_get(dev->intr_handle), -1);
	}
	if (dev->vfio_req_intr_handle != NULL) {
		assert_int_equal(rte_intr_fd_get(dev->vfio_req_intr_handle), -1);
		assert_int_equal(rte_intr_dev_fd_get(dev->vfio_req_intr_handle), -1);
	}
}

int
vfio_card_eal_start(const char *extra)
{
	char texts[][32] = {
		"dpdk-test", "--no-huge", "--in-memory", "-m", "16", "--log-level=bus.pci:critical",
		"",
	};
	char *args[RTE_DIM(texts) + 1] = { NULL };
	size_t i;

	for (i = 0; i < RTE_DIM(texts); i++)
		args[i] = texts[i];
	if (extra == NULL)
		args[RTE_DIM(texts) - 1] = NULL;
	else
		snprintf(texts[RTE_DIM(texts) - 1], sizeof(texts[0]), "%s", extra);
	return rte_eal_init((int)RTE_DIM(texts) - (extra == NULL), args);
}

int
vfio_card_setup(void **state)
{
	rte_pci_register(&bare_driver);
	rte_pci_register(&mapped_driver);
	vfio_card_kernel = fake_vfio_start();
	return vfio_card_eal_start(NULL) < 0 ? -1 : 0;
}

int
vfio_card_setup_cdev(void **state)
{
	rte_pci_register(&bare_driver);
	rte_pci_register(&mapped_driver);
	vfio_card_kernel = fake_vfio_start();
	vfio_card_kernel->cdev = true;
	return vfio_card_eal_start(NULL) < 0 ? -1 : 0;
}

int
vfio_card_teardown(void **state)
{
	if (rte_eal_cleanup() != 0)
		return -1;
	fake_vfio_stop(vfio_card_kernel);
	return 0;
}

/* Each was opened by its own node, but those that hide it. */
int
vfio_card_teardown_cdev(void **state)
{
	const struct fake_device *dev;
	unsigned int nb_binds = 0;

	for (dev = vfio_card_kernel->devices; dev != NULL; dev = dev->next)
		nb_binds += dev->nb_binds;
	printf("%u devices were opened by their own node\n", nb_binds);
	return nb_binds > 0 ? vfio_card_teardown(state) : -1;
}
