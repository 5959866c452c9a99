/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_bus.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_eal_memconfig.h>
#include <rte_eal_paging.h>
#include <rte_errno.h>
#include <rte_interrupts.h>

#include "fake_process.h"
#include "fake_vfio.h"
#include "interpose.h"
#include "resources.h"
#include "test.h"

#define DIM(a) (sizeof(a) / sizeof((a)[0]))
#define K UINT64_C(0x1000)	/* the page size of all machines that run this */
#define MIB UINT64_C(0x100000)
#define VENDOR 0xcafe

/* ---- a driver that takes what the tests plug in ---- */

static struct fake_vfio *fake;
static struct rte_pci_device *probed;
static bool without_vfio_folder;	/* as kernels before 6.1 */

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

static const struct rte_pci_id bare_ids[] = {
	{ RTE_PCI_DEVICE(VENDOR, 1) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver bare_driver = {
	.driver.name = "test_pci_vfio",
	.probe = test_probe,
	.remove = test_remove,
	.id_table = bare_ids,
};

static const struct rte_pci_id mapped_ids[] = {
	{ RTE_PCI_DEVICE(VENDOR, 2) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver mapped_driver = {
	.driver.name = "test_pci_vfio_mapped",
	.probe = test_probe,
	.remove = test_remove,
	.id_table = mapped_ids,
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING,
};

/* ---- devices ---- */

struct card {
	struct fake_device *fake;
	struct rte_pci_device *pci;
	char name[16];
};

/* What a byte of a BAR is at first; never 0. */
static uint8_t
pattern(uint64_t offset)
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
		bytes[i] = pattern(i);
	fake_vfio_poke(dev, region, 0, bytes, len);
	free(bytes);
}

/* Plug a device in at an address of its own; the bus finds it and asks our driver. */
static int
card_try(struct card *card, const struct fake_device_desc *from)
{
	static unsigned int number;
	struct fake_device_desc desc = *from;
	uint32_t i;
	int rc;

	number++;
	snprintf(card->name, sizeof(card->name), "%04x:%02x:00.0", number >> 8 & 0xff,
		number & 0xff);
	desc.name = card->name;
	if (desc.driver == NULL)
		desc.driver = "vfio-pci";
	desc.group = (int)number;
	desc.vendor = VENDOR;
	if (desc.device == 0)
		desc.device = 1;
	card->fake = fake_vfio_add(fake, &desc);
	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		fill_with_pattern(card->fake, i);
	if (without_vfio_folder)
		fake_vfio_hide_node(card->fake);
	probed = NULL;
	rc = rte_eal_hotplug_add("pci", card->name, "");
	card->pci = probed;
	return rc;
}

static void
card_plug(struct card *card, const struct fake_device_desc *desc)
{
	assert_int_equal(card_try(card, desc), 0);
	assert_non_null(card->pci);
}

static void
card_map(struct card *card, const struct fake_device_desc *desc)
{
	card_plug(card, desc);
	assert_int_equal(rte_pci_map_device(card->pci), 0);
	card->fake->nb_accesses = 0;
}

static void
card_unplug(struct card *card)
{
	rte_pci_unmap_device(card->pci);
	assert_int_equal(rte_dev_remove(&card->pci->device), 0);
	fake_vfio_unplug(card->fake);
}

/* ---- config space ---- */

struct config {
	uint8_t bytes[256];
	uint8_t end;	/* where the next capability goes */
	uint8_t last;	/* the pointer to link it to */
};

static void
config_init(struct config *c)
{
	memset(c, 0, sizeof(*c));
	c->bytes[0] = VENDOR & 0xff;
	c->bytes[1] = VENDOR >> 8;
	c->bytes[2] = 1;
	c->end = 0x40;
	c->last = RTE_PCI_CAPABILITY_LIST;
}

static uint8_t
config_cap(struct config *c, uint8_t id, uint8_t len)
{
	uint8_t at = c->end;

	c->bytes[RTE_PCI_STATUS] |= RTE_PCI_STATUS_CAP_LIST;
	c->bytes[c->last] = at;
	c->bytes[at] = id;
	c->last = at + RTE_PCI_CAP_NEXT;
	c->end = (uint8_t)(at + len);
	return at;
}

static void
config_msix(struct config *c, unsigned int bar, uint32_t offset, unsigned int vectors)
{
	uint8_t at = config_cap(c, RTE_PCI_CAP_ID_MSIX, 12);
	uint32_t table = offset | bar;

	c->bytes[at + 2] = (uint8_t)(vectors - 1);
	c->bytes[at + 3] = (uint8_t)((vectors - 1) >> 8);
	memcpy(&c->bytes[at + 4], &table, sizeof(table));
}

/* ---- what is mapped, as the kernel says ---- */

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

/* Exactly the windows are mapped with this protection, and the rest of the BAR is reserved. */
static void
assert_maps_are(const struct rte_pci_device *dev, unsigned int bar, uint64_t size,
	const struct rte_pci_bar_window *windows, unsigned int nb, const char *prot)
{
	const uint64_t base = (uint64_t)(uintptr_t)dev->mem_resource[bar].addr;
	struct map_line lines[64];
	unsigned int i, j, nb_lines, nb_shared = 0;
	uint64_t at = base;

	nb_lines = maps_read(base, base + size, lines, DIM(lines));
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

/* ---- windows ---- */

struct windows_row {
	const char *name;
	uint64_t size;
	bool sparse;	/* there is a sparse capability, with these areas: */
	uint32_t nb_areas;
	struct vfio_region_sparse_mmap_area areas[5];
	bool msix, msix_mappable;
	uint32_t msix_offset;
	uint32_t flags;	/* 0: read, write, mmap */
	uint32_t nb;	/* expected windows */
	struct vfio_region_sparse_mmap_area expected[5];
};

static const struct windows_row windows_rows[] = {
	{ "whole BAR", 16 * K, .nb = 1, .expected = { { 0, 16 * K } } },
	{ "whole BAR shorter than a page", 256, .nb = 1, .expected = { { 0, 256 } } },
	{ "no mmap flag", 16 * K, .flags = FAKE_REGION_RW },
	{ "window at the start", 16 * K, true, 1, { { 0, K } }, .nb = 1, .expected = { { 0, K } } },
	{ "window in the middle", 16 * K, true, 1, { { 4 * K, 3 * K } },
		.nb = 1, .expected = { { 4 * K, 3 * K } } },
	{ "window at the end", 16 * K, true, 1, { { 15 * K, K } },
		.nb = 1, .expected = { { 15 * K, K } } },
	{ "several windows out of order", 16 * K, true, 3,
		{ { 15 * K, K }, { 0, K }, { 4 * K, 2 * K } },
		.nb = 3, .expected = { { 0, K }, { 4 * K, 2 * K }, { 15 * K, K } } },
	{ "adjacent windows are one", 16 * K, true, 3, { { 2 * K, K }, { K, K }, { 3 * K, K } },
		.nb = 1, .expected = { { K, 3 * K } } },
	{ "overlapping windows are one", 16 * K, true, 2, { { 2 * K, 3 * K }, { K, 2 * K } },
		.nb = 1, .expected = { { K, 4 * K } } },
	{ "empty list", 16 * K, true },
	{ "all of size 0", 16 * K, true, 2, { { 0, 0 }, { 4 * K, 0 } } },
	{ "unaligned: the inner pages", 16 * K, true, 1, { { 0x800, 4 * K } },
		.nb = 1, .expected = { { K, 3 * K } } },
	{ "unaligned: no whole page", 16 * K, true, 1, { { 0x800, K } } },
	{ "one of two is unaligned", 16 * K, true, 2, { { 0, 0x800 }, { 8 * K, K } },
		.nb = 1, .expected = { { 8 * K, K } } },
	{ "MSI-X table in the BAR", 16 * K, .msix = true, .msix_offset = 2 * K,
		.nb = 2, .expected = { { 0, 2 * K }, { 3 * K, 13 * K } } },
	{ "MSI-X table at offset 0", 16 * K, .msix = true,
		.nb = 1, .expected = { { K, 15 * K } } },
	{ "MSI-X table fills the BAR", K, .msix = true },
	{ "MSI-X table mappable", 16 * K, .msix = true, .msix_mappable = true,
		.msix_offset = 2 * K, .nb = 1, .expected = { { 0, 16 * K } } },
	{ "MSI-X table in a window", 16 * K, true, 1, { { K, 4 * K } }, .msix = true,
		.msix_offset = 2 * K, .nb = 2, .expected = { { K, K }, { 3 * K, 2 * K } } },
	{ "MSI-X table in a mappable window", 16 * K, true, 1, { { K, 4 * K } }, .msix = true,
		.msix_mappable = true, .msix_offset = 2 * K, .nb = 1,
		.expected = { { K, 4 * K } } },
	{ "MSI-X table in a hole", 16 * K, true, 1, { { K, 4 * K } }, .msix = true,
		.msix_offset = 8 * K, .nb = 1, .expected = { { K, 4 * K } } },
};

static void
windows_desc(const struct windows_row *row, struct config *config, struct fake_device_desc *desc)
{
	struct fake_region *region = &desc->regions[2];
	uint32_t i;

	memset(desc, 0, sizeof(*desc));
	config_init(config);
	if (row->msix)
		config_msix(config, 2, row->msix_offset, 4);
	desc->config = config->bytes;
	desc->config_len = sizeof(config->bytes);
	region->size = row->size;
	region->flags = row->flags != 0 ? row->flags : FAKE_REGION_RWM;
	if (row->sparse)
		fake_caps_add_sparse(&region->caps, row->nb_areas, row->areas, row->nb_areas);
	if (row->msix_mappable)
		fake_caps_add_msix_mappable(&region->caps);
	/* this kernel permits the expected windows and nothing else */
	for (i = 0; i < row->nb; i++) {
		region->windows[i].offset = row->expected[i].offset;
		region->windows[i].size = (row->expected[i].size + K - 1) / K * K;
	}
	region->nb_windows = row->nb;
}

static void
assert_windows_are(const struct rte_pci_device *dev, const struct windows_row *row)
{
	struct rte_pci_bar_window windows[8];
	uint32_t i;

	assert_int_equal(rte_pci_bar_windows_get(dev, 2, NULL, 0), row->nb);
	assert_int_equal(rte_pci_bar_windows_get(dev, 2, windows, DIM(windows)), row->nb);
	for (i = 0; i < row->nb; i++) {
		assert_int_equal(windows[i].offset, row->expected[i].offset);
		assert_int_equal(windows[i].size, row->expected[i].size);
		assert_int_equal(windows[i].prot, RTE_PROT_READ | RTE_PROT_WRITE);
		assert_ptr_equal(windows[i].addr,
			(uint8_t *)dev->mem_resource[2].addr + windows[i].offset);
	}
	if (row->nb == 0)
		assert_null(dev->mem_resource[2].addr);
	else
		assert_maps_are(dev, 2, row->size, windows, row->nb, "rw-s");
}

static void
test_exactly_the_permitted_windows_are_mapped(void **state)
{
	struct fake_device_desc desc;
	struct config config;
	struct card card;
	size_t i;

	for (i = 0; i < DIM(windows_rows); i++) {
		print_message("    %s\n", windows_rows[i].name);
		windows_desc(&windows_rows[i], &config, &desc);
		card_map(&card, &desc);
		assert_windows_are(card.pci, &windows_rows[i]);
		card_unplug(&card);
	}
}

/* By a pointer where there is one, by the helper, and by what the device has. */
static void
assert_every_byte_is_the_same(struct card *card, uint64_t size)
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

static void
test_every_byte_reads_the_same_by_window_helper_and_pread(void **state)
{
	struct fake_device_desc desc;
	struct config config;
	struct card card;
	size_t i;

	for (i = 0; i < DIM(windows_rows); i++) {
		windows_desc(&windows_rows[i], &config, &desc);
		card_map(&card, &desc);
		assert_every_byte_is_the_same(&card, windows_rows[i].size);
		card_unplug(&card);
	}
}

static void
test_every_byte_written_by_the_helper_arrives(void **state)
{
	struct fake_device_desc desc;
	uint8_t bytes[16 * K], seen[16 * K];
	struct config config;
	struct card card;
	size_t i, j;

	for (j = 0; j < sizeof(bytes); j++)
		bytes[j] = (uint8_t)(j * 31 + 7);
	for (i = 0; i < DIM(windows_rows); i++) {
		windows_desc(&windows_rows[i], &config, &desc);
		card_map(&card, &desc);
		assert_int_equal(rte_pci_mmio_write(card.pci, 2, bytes, windows_rows[i].size, 0),
			windows_rows[i].size);
		fake_vfio_peek(card.fake, 2, 0, seen, windows_rows[i].size);
		assert_memory_equal(seen, bytes, windows_rows[i].size);
		card_unplug(&card);
	}
}

/* ---- the faults S1 to S18 of a widely used bus, each of which must not be here ---- */

static void
caps_area(struct fake_caps *caps, uint64_t offset, uint64_t size)
{
	struct vfio_region_sparse_mmap_area area = { .offset = offset, .size = size };

	fake_caps_add_sparse(caps, 1, &area, 1);
}

static void hostile_far(struct fake_region *r) { caps_area(&r->caps, 64 * K, K); }
static void hostile_long(struct fake_region *r) { caps_area(&r->caps, 15 * K, 2 * K); }
static void hostile_huge(struct fake_region *r) { caps_area(&r->caps, 0, UINT64_MAX); }
static void hostile_wrap(struct fake_region *r) { caps_area(&r->caps, UINT64_MAX - K + 1, 2 * K); }

static void
hostile_count(struct fake_region *r)
{
	struct vfio_region_sparse_mmap_area area = { .offset = 0, .size = K };

	fake_caps_add_sparse(&r->caps, 1000000, &area, 1);
}

static void
hostile_loop(struct fake_region *r)
{
	caps_area(&r->caps, 0, K);
	fake_caps_set_last_next(&r->caps, sizeof(struct vfio_region_info));
}

static void
hostile_next(struct fake_region *r)
{
	caps_area(&r->caps, 0, K);
	fake_caps_set_last_next(&r->caps, 0x7ffffff0);
}

static void
hostile_version(struct fake_region *r)
{
	uint8_t payload[24] = { 1 };

	fake_caps_add(&r->caps, VFIO_REGION_INFO_CAP_SPARSE_MMAP, 9, payload, sizeof(payload));
}

static void
hostile_argsz(struct fake_region *r)
{
	caps_area(&r->caps, 0, K);
	r->lie_argsz = 0x40000000;
}

static void
hostile_cap_offset(struct fake_region *r)
{
	caps_area(&r->caps, 0, K);
	r->lie_cap_offset = 3;
}

static void
test_s1_hostile_areas_touch_nothing_and_fall_back_to_calls(void **state)
{
	static void (*const rows[])(struct fake_region *region) = {
		hostile_far, hostile_long, hostile_huge, hostile_wrap, hostile_count,
		hostile_loop, hostile_next, hostile_version, hostile_argsz, hostile_cap_offset,
	};
	struct card card;
	size_t i;

	for (i = 0; i < DIM(rows); i++) {
		struct fake_device_desc desc = {
			.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM },
		};

		rows[i](&desc.regions[2]);
		card_map(&card, &desc);
		assert_null(card.pci->mem_resource[2].addr);
		assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, NULL, 0), 0);
		assert_every_byte_is_the_same(&card, 16 * K);
		card_unplug(&card);
	}
}

static const struct fake_device_desc two_windows = {
	.regions[2] = {
		.size = 16 * K, .flags = FAKE_REGION_RWM,
		.windows = { { 0, 2 * K }, { 8 * K, K } }, .nb_windows = 2,
	},
};

static struct fake_device_desc
two_windows_desc(void)
{
	struct fake_device_desc desc = two_windows;

	fake_caps_add_sparse(&desc.regions[2].caps, 2, desc.regions[2].windows, 2);
	return desc;
}

/* Run as a secondary process; @p body returns 0 if all is well, else a line number. */
static int
in_secondary(int (*body)(struct card *card), struct card *card)
{
	int status;
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

/* The child inherits the parent's mapping, which a secondary process would not have. */
static int
secondary_map(struct card *card)
{
	rte_pci_unmap_device(card->pci);
	return rte_pci_map_device(card->pci);
}

static int
secondary_uses_device(struct card *card)
{
	void *base = card->pci->mem_resource[2].addr;
	uint8_t byte = 0x5a;

	CHECK(secondary_map(card) == 0);
	CHECK(card->pci->mem_resource[2].addr == base);
	CHECK(rte_pci_bar_windows_get(card->pci, 2, NULL, 0) == 2);
	CHECK(*((volatile uint8_t *)base + 5) == pattern(5));
	CHECK(rte_pci_mmio_write(card->pci, 2, &byte, 1, 8 * K + 3) == 1);
	CHECK(rte_pci_mmio_read(card->pci, 2, &byte, 1, 3 * K) == 1);
	CHECK(byte == pattern(3 * K));
	rte_pci_unmap_device(card->pci);
	CHECK(card->pci->mem_resource[2].addr == NULL);
	return 0;
}

static void
test_s2_secondary_unmaps_without_harm_to_the_others(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;
	uint8_t byte;

	card_map(&card, &desc);
	assert_int_equal(in_secondary(secondary_uses_device, &card), 0);
	assert_int_equal(in_secondary(secondary_uses_device, &card), 0);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &byte, 1, 8 * K + 3), 1);
	assert_int_equal(byte, 0x5a);
	card_unplug(&card);
}

static int
secondary_finds_place_taken(struct card *card)
{
	void *base = card->pci->mem_resource[2].addr;
	uint8_t *mine;

	rte_pci_unmap_device(card->pci);
	mine = mmap((uint8_t *)base + 4 * K, K, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(mine == (uint8_t *)base + 4 * K);
	mine[0] = 0x77;
	CHECK(rte_pci_map_device(card->pci) == -EEXIST);
	CHECK(mine[0] == 0x77);
	CHECK(card->pci->mem_resource[2].addr == NULL);
	munmap(mine, K);
	CHECK(rte_pci_map_device(card->pci) == 0);
	CHECK(card->pci->mem_resource[2].addr == base);
	return 0;
}

static int
secondary_is_refused_windows(struct card *card)
{
	rte_pci_unmap_device(card->pci);
	card->fake->desc.regions[2].refuse_mmap = true;
	CHECK(rte_pci_map_device(card->pci) == 0);
	CHECK(card->pci->mem_resource[2].addr == NULL);
	return 0;
}

static void
test_s3_failure_in_a_secondary_changes_nothing_for_the_next(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;

	card_map(&card, &desc);
	assert_int_equal(in_secondary(secondary_is_refused_windows, &card), 0);
	assert_int_equal(in_secondary(secondary_uses_device, &card), 0);
	card_unplug(&card);
}

static void
test_s4_secondary_never_takes_a_place_that_is_in_use(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;

	card_map(&card, &desc);
	assert_int_equal(in_secondary(secondary_finds_place_taken, &card), 0);
	card_unplug(&card);
}

static int
secondary_has_nothing_to_share(struct card *card)
{
	CHECK(rte_pci_map_device(card->pci) == -ENOENT);
	CHECK(card->pci->mem_resource[2].addr == NULL);
	return 0;
}

static void
test_secondary_needs_a_primary_that_has_mapped_the_device(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;

	card_map(&card, &desc);
	rte_pci_unmap_device(card.pci);
	assert_int_equal(in_secondary(secondary_has_nothing_to_share, &card), 0);
	card_unplug(&card);
}

static int
secondary_sees_another_size(struct card *card)
{
	rte_pci_unmap_device(card->pci);
	card->fake->desc.regions[2].size = 32 * K;
	CHECK(rte_pci_map_device(card->pci) == -EPROTO);
	CHECK(card->pci->mem_resource[2].addr == NULL);
	return 0;
}

static void
test_secondary_refuses_a_bar_of_another_size(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;

	card_map(&card, &desc);
	assert_int_equal(in_secondary(secondary_sees_another_size, &card), 0);
	card_unplug(&card);
}

static void
assert_calls_only(const struct fake_device_desc *desc)
{
	struct card card;

	card_map(&card, desc);
	assert_null(card.pci->mem_resource[2].addr);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, NULL, 0), 0);
	assert_null(rte_pci_bar_ptr(card.pci, 2, 0, 1));
	assert_every_byte_is_the_same(&card, desc->regions[2].size);
	card_unplug(&card);
}

static void
test_s5_capability_without_areas_means_nothing_is_mapped(void **state)
{
	struct fake_device_desc desc = {
		.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM },
	};

	fake_caps_add_sparse(&desc.regions[2].caps, 0, NULL, 0);
	assert_calls_only(&desc);
}

static void
test_s6_areas_of_size_0_leave_addr_null(void **state)
{
	const struct vfio_region_sparse_mmap_area none[] = { { 0, 0 }, { K, 0 } };
	struct fake_device_desc desc = {
		.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM },
	};

	fake_caps_add_sparse(&desc.regions[2].caps, 2, none, 2);
	assert_calls_only(&desc);
}

static void
test_s7_unaligned_area_is_mapped_where_pages_are_whole(void **state)
{
	struct fake_device_desc desc = {
		.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM },
	};
	struct rte_pci_bar_window window;
	struct card card;

	caps_area(&desc.regions[2].caps, 0x10, 3 * K);
	card_map(&card, &desc);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, &window, 1), 1);
	assert_int_equal(window.offset, K);
	assert_int_equal(window.size, 2 * K);
	assert_every_byte_is_the_same(&card, 16 * K);
	card_unplug(&card);
}

static void
test_s8_refused_window_does_not_fail_the_probe(void **state)
{
	struct fake_device_desc desc = {
		.device = 2,
		.regions[0] = { .size = 4 * K, .flags = FAKE_REGION_RWM, .refuse_mmap = true },
		.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM,
			.windows = { { 8 * K, K } }, .nb_windows = 1 },
	};
	const struct vfio_region_sparse_mmap_area areas[] = { { 0, K }, { 8 * K, K } };
	struct rte_pci_bar_window window;
	struct card card;

	fake_caps_add_sparse(&desc.regions[2].caps, 2, areas, 2);
	card_plug(&card, &desc);
	assert_null(card.pci->mem_resource[0].addr);
	assert_non_null(card.pci->mem_resource[2].addr);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, &window, 1), 1);
	assert_int_equal(window.offset, 8 * K);
	assert_maps_are(card.pci, 2, 16 * K, &window, 1, "rw-s");
	assert_every_byte_is_the_same(&card, 16 * K);
	card_unplug(&card);
}

static void
test_s9_protection_follows_the_flags_of_the_region(void **state)
{
	static const struct {
		uint32_t flags;
		int read_rc, write_rc, prot;
		const char *maps;
	} rows[] = {
		{ FAKE_REGION_RWM, 4, 4, RTE_PROT_READ | RTE_PROT_WRITE, "rw-s" },
		{ VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_MMAP, 4, -EACCES,
			RTE_PROT_READ, "r--s" },
		{ VFIO_REGION_INFO_FLAG_WRITE | VFIO_REGION_INFO_FLAG_MMAP, -EACCES, 4,
			RTE_PROT_WRITE, "-w-s" },
		{ VFIO_REGION_INFO_FLAG_READ, 4, -EACCES, 0, NULL },
		{ VFIO_REGION_INFO_FLAG_WRITE, -EACCES, 4, 0, NULL },
		{ VFIO_REGION_INFO_FLAG_MMAP, -EACCES, -EACCES, 0, NULL },
	};
	struct rte_pci_bar_window window;
	struct card card;
	uint32_t word = 0;
	size_t i;
	int nb;

	for (i = 0; i < DIM(rows); i++) {
		const struct fake_device_desc desc = {
			.regions[2] = { .size = 4 * K, .flags = rows[i].flags },
		};

		card_map(&card, &desc);
		assert_int_equal(rte_pci_mmio_read(card.pci, 2, &word, 4, 8), rows[i].read_rc);
		assert_int_equal(rte_pci_mmio_write(card.pci, 2, &word, 4, 8), rows[i].write_rc);
		assert_int_equal(rte_pci_mmio_read(card.pci, 2, &word, 3, 8),
			rows[i].read_rc == 4 ? 3 : rows[i].read_rc);
		nb = rte_pci_bar_windows_get(card.pci, 2, &window, 1);
		assert_int_equal(nb, rows[i].prot != 0);
		if (nb != 0) {
			assert_int_equal(window.prot, rows[i].prot);
			assert_maps_are(card.pci, 2, 4 * K, &window, 1, rows[i].maps);
		}
		card_unplug(&card);
	}
}

static void
test_s10_driver_can_ask_what_is_mapped(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	static const struct {
		uint64_t offset, len;
		bool mapped;
	} rows[] = {
		{ 0, 1, true }, { 0, 2 * K, true }, { 0, 2 * K + 1, false },
		{ 2 * K - 1, 1, true }, { 2 * K - 1, 2, false }, { 2 * K, 1, false },
		{ 8 * K - 1, 2, false }, { 8 * K, K, true }, { 8 * K + 1, K, false },
		{ 9 * K, 0, false }, { 16 * K, 1, false }, { UINT64_MAX, 1, false },
		{ 0, UINT64_MAX, false }, { 8 * K + 4, UINT64_MAX, false },
	};
	struct rte_pci_bar_window windows[2];
	struct rte_pci_bar_info info;
	struct card card;
	size_t i;

	card_map(&card, &desc);
	for (i = 0; i < DIM(rows); i++)
		assert_ptr_equal(rte_pci_bar_ptr(card.pci, 2, rows[i].offset, rows[i].len),
			rows[i].mapped ?
			(uint8_t *)card.pci->mem_resource[2].addr + rows[i].offset : NULL);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, windows, 1), 2);
	assert_int_equal(windows[0].size, 2 * K);
	assert_int_equal(rte_pci_bar_info_get(card.pci, 2, &info), 0);
	assert_int_equal(info.size, 16 * K);
	assert_int_equal(info.flags, RTE_PCI_BAR_F_READ | RTE_PCI_BAR_F_WRITE);
	assert_int_equal(info.nb_windows, 2);
	assert_ptr_equal(info.base, card.pci->mem_resource[2].addr);
	assert_int_equal(rte_pci_bar_info_get(card.pci, 0, &info), 0);
	assert_int_equal(info.size, 0);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, -1, windows, 1), -EINVAL);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 6, windows, 1), -EINVAL);
	assert_int_equal(rte_pci_bar_info_get(card.pci, 6, &info), -EINVAL);
	assert_null(rte_pci_bar_ptr(card.pci, 6, 0, 1));
	assert_string_equal(rte_pci_backend_name(card.pci), "vfio");
	rte_pci_unmap_device(card.pci);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, windows, 1), -ENODEV);
	assert_int_equal(rte_pci_bar_info_get(card.pci, 2, &info), -ENODEV);
	assert_null(rte_pci_bar_ptr(card.pci, 2, 0, 1));
	card_unplug(&card);
}

/* A device with some of everything. */
static void
rich_desc(struct fake_device_desc *desc, struct config *config)
{
	const struct fake_irq irq = { .count = 1, .flags = VFIO_IRQ_INFO_EVENTFD };

	*desc = two_windows_desc();
	config_init(config);
	config_msix(config, 0, 2 * K, 4);
	config_cap(config, RTE_PCI_CAP_ID_VNDR, 8);
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

static void
assert_nothing_is_left(const struct rte_pci_device *dev)
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

/* One that no other way of opening the device is tried for; 0: what is usual for each call. */
static int
usual_error(void)
{
	return fake->cdev ? EMFILE : 0;
}

static void
test_s11_each_call_fails_in_turn_and_nothing_leaks(void **state)
{
	struct interpose_loop loop;
	struct fake_device_desc desc;
	struct config config;
	struct card card;
	int rc;

	rich_desc(&desc, &config);
	card_plug(&card, &desc);
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, usual_error()) {
		rc = rte_pci_map_device(card.pci);
		interpose_disarm();
		assert_true(rc == 0 || (rc < 0 && interpose_fired()));
		if (rc != 0)
			assert_nothing_is_left(card.pci);
		rte_pci_unmap_device(card.pci);
		assert_nothing_is_left(card.pci);
		assert_int_equal(card.fake->nb_open, 0);
	}
	card_unplug(&card);
}

/* What remains after this call failed is not ours to undo: of an address space as of a mapping. */
static bool
leaves_something(const char *call)
{
	return strcmp(call, "munmap") == 0 || (fake->cdev && strcmp(call, "ioctl") == 0);
}

/* munmap() as well: what it leaves is not ours to undo, but all else is. */
static void
test_s11_each_call_fails_while_unmapping_and_the_rest_is_undone(void **state)
{
	const uint64_t any = INTERPOSE_ANY | INTERPOSE_ONLY(MUNMAP) | INTERPOSE_THIS_THREAD;
	struct resources before;
	struct fake_device_desc desc;
	struct config config;
	struct card card;
	unsigned int nth = 0;

	rich_desc(&desc, &config);
	card_plug(&card, &desc);
	do {
		resources_take(&before);
		assert_int_equal(rte_pci_map_device(card.pci), 0);
		interpose_fail(any, ++nth, 0);
		rte_pci_unmap_device(card.pci);
		interpose_disarm();
		assert_nothing_is_left(card.pci);
		assert_int_equal(card.fake->nb_open, 0);
		if (interpose_count_of(INTERPOSE_MUNMAP) == 0 ||
				!leaves_something(interpose_fired_name()))
			resources_assert_same(&before);
		resources_drop(&before);
	} while (interpose_fired());
	card_unplug(&card);
}

static void
test_s12_nothing_stale_after_unmap_or_failure(void **state)
{
	struct fake_device_desc desc;
	struct config config;
	struct card card;
	uint64_t len;

	rich_desc(&desc, &config);
	card_plug(&card, &desc);
	len = card.pci->mem_resource[2].len;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	rte_pci_unmap_device(card.pci);
	assert_nothing_is_left(card.pci);
	assert_int_equal(card.pci->mem_resource[2].len, len);
	rte_pci_unmap_device(card.pci);
	card.fake->open_err = EBUSY;
	assert_int_equal(rte_pci_map_device(card.pci), -EBUSY);
	assert_nothing_is_left(card.pci);
	card.fake->open_err = 0;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_non_null(card.pci->mem_resource[2].addr);
	card_unplug(&card);
}

static void
test_s13_region_of_size_0_is_not_mapped(void **state)
{
	const struct fake_device_desc desc = {
		.regions[2] = { .size = 0, .flags = FAKE_REGION_RWM },
	};
	struct card card;
	uint8_t byte;

	card_map(&card, &desc);
	assert_null(card.pci->mem_resource[2].addr);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &byte, 1, 0), -EINVAL);
	card_unplug(&card);
}

static void
test_s14_window_refused_for_its_msix_table_is_mapped_around_it(void **state)
{
	struct fake_device_desc desc = {
		.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM,
			.windows = { { 0, 2 * K }, { 3 * K, 13 * K } }, .nb_windows = 2 },
	};
	struct rte_pci_bar_window windows[2];
	struct config config;
	struct card card;

	/* the kernel says that the table may be mapped, and refuses it */
	config_init(&config);
	config_msix(&config, 2, 2 * K, 4);
	desc.config = config.bytes;
	desc.config_len = sizeof(config.bytes);
	fake_caps_add_msix_mappable(&desc.regions[2].caps);
	card_map(&card, &desc);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, windows, 2), 2);
	assert_int_equal(windows[0].size, 2 * K);
	assert_int_equal(windows[1].offset, 3 * K);
	assert_maps_are(card.pci, 2, 16 * K, windows, 2, "rw-s");
	assert_every_byte_is_the_same(&card, 16 * K);
	card_unplug(&card);
}

struct map_thread {
	struct rte_pci_device *dev;
	atomic_bool done;
};

static void *
map_in_thread(void *arg)
{
	struct map_thread *thread = arg;

	if (rte_pci_map_device(thread->dev) != 0)
		thread->dev = NULL;
	atomic_store(&thread->done, true);
	return NULL;
}

static void
test_s15_shared_list_changes_under_its_lock(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct map_thread thread = { 0 };
	struct card card;
	pthread_t id;

	card_plug(&card, &desc);
	thread.dev = card.pci;
	rte_mcfg_tailq_write_lock();
	assert_int_equal(pthread_create(&id, NULL, map_in_thread, &thread), 0);
	usleep(20000);
	assert_false(atomic_load(&thread.done));
	rte_mcfg_tailq_write_unlock();
	pthread_join(id, NULL);
	assert_true(atomic_load(&thread.done));
	assert_non_null(thread.dev);
	card_unplug(&card);
}

static void
test_s16_bars_are_aligned_for_huge_pages(void **state)
{
	static const struct {
		uint64_t size, align;
	} rows[] = {
		{ K, K }, { 64 * K, 64 * K }, { 2 * MIB, 2 * MIB }, { 16 * MIB, 16 * MIB },
		{ 1024 * MIB, 1024 * MIB }, { 2048 * MIB, 1024 * MIB },
	};
	struct rte_pci_bar_window window;
	struct card card;
	size_t i;

	for (i = 0; i < DIM(rows); i++) {
		struct fake_device_desc desc = {
			.regions[1] = { .size = 4 * K, .flags = FAKE_REGION_RWM },
			.regions[2] = { .size = rows[i].size, .flags = FAKE_REGION_RWM },
		};

		card_map(&card, &desc);
		assert_int_equal((uintptr_t)card.pci->mem_resource[2].addr % rows[i].align, 0);
		assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, &window, 1), 1);
		assert_maps_are(card.pci, 2, rows[i].size, &window, 1, "rw-s");
		card_unplug(&card);
	}
}

static void
test_s17_each_region_is_asked_for_once(void **state)
{
	struct fake_device_desc desc;
	struct config config;
	struct card card;
	unsigned int i;

	rich_desc(&desc, &config);
	card_map(&card, &desc);
	for (i = 0; i < FAKE_NB_REGIONS; i++)
		assert_int_equal(card.fake->nb_region_infos[i], 1);
	card_unplug(&card);
}

static void
test_long_capability_is_asked_for_twice(void **state)
{
	struct vfio_region_sparse_mmap_area areas[60];
	struct fake_device_desc desc = {
		.regions[2] = { .size = MIB, .flags = FAKE_REGION_RWM },
	};
	struct card card;
	size_t i;

	for (i = 0; i < DIM(areas); i++) {
		areas[i].offset = i * 2 * K;
		areas[i].size = K;
	}
	fake_caps_add_sparse(&desc.regions[2].caps, DIM(areas), areas, DIM(areas));
	card_map(&card, &desc);
	assert_int_equal(card.fake->nb_region_infos[2], 2);
	assert_int_equal(rte_pci_bar_windows_get(card.pci, 2, NULL, 0), DIM(areas));
	assert_every_byte_is_the_same(&card, 128 * K);
	card_unplug(&card);
}

static void
test_s18_place_of_a_bar_does_not_wander(void **state)
{
	const struct fake_device_desc desc = {
		.regions[2] = { .size = MIB, .flags = FAKE_REGION_RWM },
	};
	struct card card, other;
	void *first;
	int i;

	card_map(&card, &desc);
	first = card.pci->mem_resource[2].addr;
	for (i = 0; i < 100; i++) {
		rte_pci_unmap_device(card.pci);
		assert_int_equal(rte_pci_map_device(card.pci), 0);
		assert_ptr_equal(card.pci->mem_resource[2].addr, first);
	}
	card_map(&other, &desc);
	assert_true((uint8_t *)other.pci->mem_resource[2].addr >= (uint8_t *)first + MIB ||
		(uint8_t *)other.pci->mem_resource[2].addr + MIB <= (uint8_t *)first);
	card_unplug(&other);
	card_unplug(&card);
}

/* ---- reading and writing, as section 3.4 of what was learnt demands ---- */

static void
test_mapped_bytes_cost_no_call(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;
	uint8_t bytes[64];

	card_map(&card, &desc);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, sizeof(bytes), 4), sizeof(bytes));
	assert_int_equal(rte_pci_mmio_write(card.pci, 2, bytes, 8, 8 * K), 8);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, 8, 9 * K - 8), 8);
	assert_int_equal(card.fake->nb_accesses, 0);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, 1, 9 * K), 1);
	assert_int_equal(card.fake->nb_accesses, 1);
	card_unplug(&card);
}

static void
test_range_is_split_at_the_edges_of_windows(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	const struct fake_access expected[] = {
		{ 2, 2 * K, 6 * K, false }, { 2, 9 * K, 16, false },
	};
	struct card card;
	uint8_t *bytes;
	size_t i;

	bytes = malloc(16 * K);
	assert_non_null(bytes);
	card_map(&card, &desc);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, 7 * K + 32, 2 * K - 16), 7 * K + 32);
	for (i = 0; i < 7 * K + 32; i++)
		assert_int_equal(bytes[i], pattern(2 * K - 16 + i));
	assert_int_equal(card.fake->nb_accesses, 2);
	for (i = 0; i < DIM(expected); i++) {
		assert_int_equal(card.fake->accesses[i].off, expected[i].off);
		assert_int_equal(card.fake->accesses[i].len, expected[i].len);
	}
	free(bytes);
	card_unplug(&card);
}

static void
test_natural_access_in_a_hole_is_one_call(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;
	uint64_t value;
	size_t len;

	card_map(&card, &desc);
	for (len = 1; len <= 8; len *= 2) {
		card.fake->nb_accesses = 0;
		assert_int_equal(rte_pci_mmio_write(card.pci, 2, &value, len, 4 * K + 8), len);
		assert_int_equal(card.fake->nb_accesses, 1);
		assert_int_equal(card.fake->accesses[0].len, len);
		assert_int_equal(card.fake->accesses[0].off, 4 * K + 8);
	}
	card_unplug(&card);
}

static void
test_every_width_and_alignment_in_a_window(void **state)
{
	const struct fake_device_desc desc = {
		.regions[2] = { .size = K, .flags = FAKE_REGION_RWM },
	};
	uint8_t bytes[40], out[40];
	struct card card;
	size_t len, at, i;

	card_map(&card, &desc);
	for (at = 0; at < 16; at++)
		for (len = 0; len <= sizeof(bytes); len++) {
			memset(bytes, 0xee, sizeof(bytes));
			assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, len, (off_t)at),
				len);
			for (i = 0; i < sizeof(bytes); i++)
				assert_int_equal(bytes[i], i < len ? pattern(at + i) : 0xee);
			memset(out, (int)(len + at), sizeof(out));
			assert_int_equal(rte_pci_mmio_write(card.pci, 2, out, len,
				(off_t)(128 + at)), len);
			fake_vfio_peek(card.fake, 2, 128 + at, bytes, len);
			assert_memory_equal(bytes, out, len);
		}
	assert_int_equal(card.fake->nb_accesses, 0);
	card_unplug(&card);
}

static void
test_ranges_outside_are_refused(void **state)
{
	static const struct {
		int bar;
		uint64_t len;
		off_t offset;
		int rc;
	} rows[] = {
		{ 2, 0, 0, 0 },
		{ 2, 0, 16 * K, 0 },
		{ 2, 1, 16 * K - 1, 1 },
		{ 2, 2, 16 * K - 1, -EINVAL },
		{ 2, 4, 16 * K, -EINVAL },
		{ 2, 0, 16 * K + 1, -EINVAL },
		{ 2, 8, -8, -EINVAL },
		{ 2, 4, -1, -EINVAL },
		{ 2, 4, LONG_MIN, -EINVAL },
		{ 2, 4, LONG_MAX, -EINVAL },
		{ 2, SIZE_MAX, 0, -EINVAL },
		{ 2, SIZE_MAX, 1, -EINVAL },
		{ 2, SIZE_MAX - 7, 8, -EINVAL },
		{ 2, (size_t)INT_MAX + 1, 0, -EINVAL },
		{ -1, 4, 0, -EINVAL },
		{ INT_MIN, 4, 0, -EINVAL },
		{ 6, 4, 0, -EINVAL },
		{ 7, 4, 0, -EINVAL },
		{ INT_MAX, 4, 0, -EINVAL },
		{ 0, 1, 0, -EINVAL },
	};
	struct fake_device_desc desc = two_windows_desc();
	struct card card;
	uint64_t value = 0;
	size_t i;

	card_map(&card, &desc);
	for (i = 0; i < DIM(rows); i++) {
		assert_int_equal(rte_pci_mmio_read(card.pci, rows[i].bar, &value, rows[i].len,
			rows[i].offset), rows[i].rc);
		assert_int_equal(rte_pci_mmio_write(card.pci, rows[i].bar, &value, rows[i].len,
			rows[i].offset), rows[i].rc);
	}
	card_unplug(&card);
}

static void
test_errors_of_calls_come_through(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;
	uint8_t bytes[32];

	card_map(&card, &desc);
	card.fake->desc.regions[2].io_err = EPERM;
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, 4, 4 * K), -EPERM);
	assert_int_equal(rte_pci_mmio_write(card.pci, 2, bytes, 4, 4 * K), -EPERM);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, 16, 2 * K - 8), -EPERM);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, 4, 0), 4);
	card.fake->desc.regions[2].io_err = EIO;
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, 4, 4 * K), -EIO);
	card_unplug(&card);
}

static void
test_short_calls_are_completed(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;
	uint8_t bytes[32];
	size_t i;

	card_map(&card, &desc);
	card.fake->desc.regions[2].io_max = 3;
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, bytes, sizeof(bytes), 4 * K),
		sizeof(bytes));
	for (i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], pattern(4 * K + i));
	memset(bytes, 0x42, sizeof(bytes));
	assert_int_equal(rte_pci_mmio_write(card.pci, 2, bytes, sizeof(bytes), 4 * K),
		sizeof(bytes));
	fake_vfio_peek(card.fake, 2, 4 * K + sizeof(bytes) - 1, bytes, 1);
	assert_int_equal(bytes[0], 0x42);
	card_unplug(&card);
}

static void
test_device_that_is_not_mapped_answers_enodev(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct rte_pci_ioport port;
	struct card card;
	uint32_t value;

	card_plug(&card, &desc);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &value, 4, 0), -ENODEV);
	assert_int_equal(rte_pci_mmio_write(card.pci, 2, &value, 4, 0), -ENODEV);
	assert_int_equal(rte_pci_read_config(card.pci, &value, 4, 0), -ENODEV);
	assert_int_equal(rte_pci_write_config(card.pci, &value, 4, 0), -ENODEV);
	assert_int_equal(rte_pci_ioport_map(card.pci, 2, &port), -ENODEV);
	assert_int_equal(rte_pci_find_capability(card.pci, 1), -ENODEV);
	assert_int_equal(rte_pci_find_ext_capability(card.pci, 1), -ENODEV);
	assert_int_equal(rte_pci_set_bus_master(card.pci, true), -ENODEV);
	assert_false(rte_pci_has_capability_list(card.pci));
	card_unplug(&card);
}

static void
test_msix_table_reads_as_the_kernel_says(void **state)
{
	struct fake_device_desc desc = {
		.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM },
		.msix_table = { .bar = 2, .off = 2 * K, .len = 64 },
	};
	struct config config;
	struct card card;
	uint32_t value = 0;

	config_init(&config);
	config_msix(&config, 2, 2 * K, 4);
	desc.config = config.bytes;
	desc.config_len = sizeof(config.bytes);
	card_map(&card, &desc);
	assert_null(rte_pci_bar_ptr(card.pci, 2, 2 * K, 4));
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &value, 4, 2 * K), 4);
	assert_int_equal(value, UINT32_MAX);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &value, 4, 2 * K + 64), 4);
	assert_int_equal(value & 0xff, pattern(2 * K + 64));
	card_unplug(&card);
}

/* ---- kinds of BARs ---- */

static void
test_kinds_of_bars(void **state)
{
	static const uint32_t bars[6] = {
		0x80000000,	/* memory, 32 bits */
		0xe001,	/* ports */
		0x0000000c, 0x00000001,	/* memory, 64 bits, prefetchable, above 4 GiB */
		0x80010000,
		0xe101,
	};
	struct fake_device_desc desc = {
		.regions[0] = { .size = 4 * K, .flags = FAKE_REGION_RWM },
		.regions[1] = { .size = 32, .flags = FAKE_REGION_RWM },
		.regions[2] = { .size = 16 * K, .flags = FAKE_REGION_RWM },
		.regions[4] = { .size = 4 * K, .flags = FAKE_REGION_RW },
		.regions[5] = { .size = 256, .flags = FAKE_REGION_RW },
		.regions[6] = { .size = 4 * K, .flags = VFIO_REGION_INFO_FLAG_READ },
	};
	static const bool mapped[6] = { true, false, true, false, false, false };
	static const bool ioport[6] = { false, true, false, false, false, true };
	struct rte_pci_bar_info info;
	struct config config;
	struct card card;
	unsigned int i;

	config_init(&config);
	memcpy(&config.bytes[RTE_PCI_BASE_ADDRESS_0], bars, sizeof(bars));
	desc.config = config.bytes;
	desc.config_len = sizeof(config.bytes);
	card_map(&card, &desc);
	for (i = 0; i < 6; i++) {
		assert_int_equal(card.pci->mem_resource[i].addr != NULL, mapped[i]);
		assert_int_equal(rte_pci_bar_info_get(card.pci, (int)i, &info), 0);
		assert_int_equal((info.flags & RTE_PCI_BAR_F_IOPORT) != 0, ioport[i]);
		assert_int_equal(info.size, desc.regions[i].size);
	}
	card_unplug(&card);
}

static void
test_length_comes_from_the_region_where_sysfs_says_0(void **state)
{
	struct fake_device_desc desc = { 0 };
	struct card card;

	card_plug(&card, &desc);
	assert_int_equal(card.pci->mem_resource[2].len, 0);
	card.fake->desc.regions[2].size = 16 * K;
	card.fake->desc.regions[2].flags = FAKE_REGION_RWM;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_int_equal(card.pci->mem_resource[2].len, 16 * K);
	rte_pci_unmap_device(card.pci);
	assert_int_equal(card.pci->mem_resource[2].len, 0);
	card_unplug(&card);
}

static void
test_region_that_cannot_be_told_fails_the_map(void **state)
{
	static const struct {
		uint32_t region;
		int err;
		int rc;
	} rows[] = {
		{ VFIO_PCI_CONFIG_REGION_INDEX, EINVAL, -EINVAL },
		{ VFIO_PCI_CONFIG_REGION_INDEX, EIO, -EIO },
		{ VFIO_PCI_BAR2_REGION_INDEX, EIO, -EIO },
		{ VFIO_PCI_BAR2_REGION_INDEX, EINVAL, 0 },
		{ VFIO_PCI_VGA_REGION_INDEX, EINVAL, 0 },
		{ VFIO_PCI_VGA_REGION_INDEX, EIO, 0 },
		{ VFIO_PCI_ROM_REGION_INDEX, EIO, 0 },
	};
	struct fake_device_desc desc = two_windows_desc();
	struct card card;
	size_t i;

	for (i = 0; i < DIM(rows); i++) {
		card_plug(&card, &desc);
		card.fake->desc.regions[rows[i].region].info_err = rows[i].err;
		assert_int_equal(rte_pci_map_device(card.pci), rows[i].rc);
		if (rows[i].rc != 0)
			assert_nothing_is_left(card.pci);
		card_unplug(&card);
	}
}

static void
test_map_is_done_once(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;

	card_map(&card, &desc);
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_int_equal(card.fake->nb_opened, 1);
	assert_int_equal(rte_pci_map_device(NULL), -EINVAL);
	rte_pci_unmap_device(NULL);
	card_unplug(&card);
}

static void
test_device_of_a_foreign_driver_is_left_alone(void **state)
{
	static const char *const drivers[] = {
		"mlx5_core", "nvme", "xhci_hcd",
	};
	static const char *const variants[] = {
		"vfio-pci", "mlx5_vfio_pci", "nvgrace-gpu-vfio-pci", "hisi-acc-vfio-pci",
		"virtio-vfio-pci", "qat_vfio_pci",
		"acme-vfio",	/* known by its folder vfio-dev only */
	};
	const size_t nb_known_by_name = DIM(variants) - 1;
	struct fake_device_desc desc = two_windows_desc();
	struct card card;
	size_t i;

	for (i = 0; i < DIM(variants); i++) {
		desc.driver = variants[i];
		without_vfio_folder = i < nb_known_by_name;
		card_map(&card, &desc);
		assert_int_equal(card.pci->kdrv, RTE_PCI_KDRV_VFIO);
		assert_non_null(card.pci->mem_resource[2].addr);
		card_unplug(&card);
	}
	without_vfio_folder = false;
	for (i = 0; i < DIM(drivers); i++) {
		desc.driver = drivers[i];
		card_plug(&card, &desc);
		assert_int_equal(rte_pci_map_device(card.pci), 1);
		assert_null(rte_pci_backend_name(card.pci));
		assert_nothing_is_left(card.pci);
		card_unplug(&card);
	}
}

static void
test_kernel_resets_so_the_bus_need_not(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;

	desc.device_flags = VFIO_DEVICE_FLAGS_RESET;
	card_map(&card, &desc);
	assert_int_equal(card.fake->nb_resets, 0);
	card_unplug(&card);
}

static void
test_memory_and_bus_master_are_on_while_mapped(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;
	uint16_t command;

	card_map(&card, &desc);
	fake_vfio_peek(card.fake, VFIO_PCI_CONFIG_REGION_INDEX, RTE_PCI_COMMAND, &command, 2);
	assert_int_equal(command, RTE_PCI_COMMAND_MEMORY | RTE_PCI_COMMAND_MASTER);
	assert_int_equal(rte_pci_set_bus_master(card.pci, false), 0);
	fake_vfio_peek(card.fake, VFIO_PCI_CONFIG_REGION_INDEX, RTE_PCI_COMMAND, &command, 2);
	assert_int_equal(command, RTE_PCI_COMMAND_MEMORY);
	assert_int_equal(rte_pci_set_bus_master(card.pci, true), 0);
	rte_pci_unmap_device(card.pci);
	fake_vfio_peek(card.fake, VFIO_PCI_CONFIG_REGION_INDEX, RTE_PCI_COMMAND, &command, 2);
	assert_int_equal(command & RTE_PCI_COMMAND_MASTER, 0);
	card_unplug(&card);
}

/* ---- config space, ports ---- */

static void
test_config_space(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;
	uint8_t bytes[16] = { 1, 2, 3, 4 };
	uint16_t id = 0;

	card_map(&card, &desc);
	assert_int_equal(rte_pci_read_config(card.pci, &id, 2, RTE_PCI_VENDOR_ID), 2);
	assert_int_equal(id, VENDOR);
	assert_int_equal(rte_pci_write_config(card.pci, bytes, 4, 0xfc), 4);
	assert_int_equal(rte_pci_read_config(card.pci, bytes, 4, 0xfc), 4);
	assert_int_equal(bytes[3], 4);
	assert_int_equal(rte_pci_read_config(card.pci, bytes, 4, 0xfe), -EINVAL);
	assert_int_equal(rte_pci_read_config(card.pci, bytes, 4, 256), -EINVAL);
	assert_int_equal(rte_pci_read_config(card.pci, bytes, 4, -4), -EINVAL);
	assert_int_equal(rte_pci_write_config(card.pci, bytes, 8, -8), -EINVAL);
	card_unplug(&card);
}

static void
test_ports(void **state)
{
	struct fake_device_desc desc = {
		.regions[0] = { .size = 32, .flags = FAKE_REGION_RW },
	};
	struct rte_pci_ioport port;
	struct config config;
	struct card card;
	uint32_t value;

	config_init(&config);
	config.bytes[RTE_PCI_BASE_ADDRESS_0] = 1;
	desc.config = config.bytes;
	desc.config_len = sizeof(config.bytes);
	card_map(&card, &desc);
	assert_int_equal(rte_pci_ioport_map(card.pci, -1, &port), -EINVAL);
	assert_int_equal(rte_pci_ioport_map(card.pci, 6, &port), -EINVAL);
	assert_int_equal(rte_pci_ioport_map(card.pci, 1, &port), -EINVAL);
	assert_int_equal(rte_pci_ioport_map(card.pci, 0, &port), 0);
	value = 0x12345678;
	rte_pci_ioport_write(&port, &value, 4, 8);
	value = 0;
	rte_pci_ioport_read(&port, &value, 4, 8);
	assert_int_equal(value, 0x12345678);
	assert_int_equal(card.fake->accesses[0].len, 4);
	value = 0;
	rte_pci_ioport_read(&port, &value, 4, 32);
	assert_int_equal(value, UINT32_MAX);
	value = 0;
	rte_pci_ioport_read(&port, &value, 2, -2);
	assert_int_equal(value, UINT16_MAX);
	rte_pci_ioport_write(&port, &value, 4, 32);
	card.fake->desc.regions[0].io_err = EIO;
	value = 0;
	rte_pci_ioport_read(&port, &value, 4, 0);
	assert_int_equal(value, UINT32_MAX);
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
	assert_int_equal(rte_pci_ioport_unmap(&port), -EINVAL);
	card_unplug(&card);
}

/* ---- capabilities ---- */

struct caps_row {
	const char *name;
	uint8_t status, first;
	struct {
		uint8_t at, id, next;
	} caps[5];
	uint8_t find;
	off_t rc;
	off_t next_rc;	/* of the next one like it */
};

static const struct caps_row caps_rows[] = {
	{ "found", 0x10, 0x40, { { 0x40, 1, 0x50 }, { 0x50, 9, 0 } }, 9, 0x50, 0 },
	{ "absent", 0x10, 0x40, { { 0x40, 1, 0 } }, 9, 0, 0 },
	{ "second of two", 0x10, 0x40,
		{ { 0x40, 9, 0x50 }, { 0x50, 1, 0x60 }, { 0x60, 9, 0 } }, 9, 0x40, 0x60 },
	{ "no list says the status", 0, 0x40, { { 0x40, 9, 0 } }, 9, 0, 0 },
	{ "pointer's low bits are reserved", 0x10, 0x43, { { 0x40, 1, 0x53 }, { 0x50, 9, 0 } },
		9, 0x50, 0 },
	{ "first pointer in the header", 0x10, 0x10, { { 0x10, 9, 0 } }, 9, 0, 0 },
	{ "pointer in the header", 0x10, 0x40, { { 0x40, 1, 0x3c }, { 0x3c, 9, 0 } }, 9, 0, 0 },
	{ "loop of one", 0x10, 0x40, { { 0x40, 1, 0x40 } }, 9, 0, 0 },
	{ "loop of two", 0x10, 0x40, { { 0x40, 9, 0x50 }, { 0x50, 1, 0x40 } }, 9, 0x40, 0 },
	{ "last place", 0x10, 0xfc, { { 0xfc, 9, 0 } }, 9, 0xfc, 0 },
	{ "id 0 is passed over", 0x10, 0x40, { { 0x40, 0, 0x50 }, { 0x50, 9, 0 } }, 9, 0x50, 0 },
	{ "all ones end it", 0x10, 0x40, { { 0x40, 0xff, 0xff } }, 0xff, 0, 0 },
	{ "overlapping", 0x10, 0x40, { { 0x40, 9, 0x44 }, { 0x44, 9, 0 } }, 9, 0x40, 0x44 },
};

static void
test_capability_lists(void **state)
{
	const struct caps_row *row;
	struct config config;
	struct card card;
	size_t i, j;
	off_t at;

	for (i = 0; i < DIM(caps_rows); i++) {
		struct fake_device_desc desc = two_windows_desc();

		row = &caps_rows[i];
		config_init(&config);
		config.bytes[RTE_PCI_STATUS] = row->status;
		config.bytes[RTE_PCI_CAPABILITY_LIST] = row->first;
		for (j = 0; j < DIM(row->caps) && row->caps[j].at != 0; j++) {
			config.bytes[row->caps[j].at] = row->caps[j].id;
			config.bytes[row->caps[j].at + 1] = row->caps[j].next;
		}
		desc.config = config.bytes;
		desc.config_len = sizeof(config.bytes);
		card_map(&card, &desc);
		assert_int_equal(rte_pci_has_capability_list(card.pci), row->status != 0);
		at = rte_pci_find_capability(card.pci, row->find);
		if (at != row->rc)
			fail_msg("%s: %#jx", row->name, (uintmax_t)at);
		if (at > 0)
			assert_int_equal(rte_pci_find_next_capability(card.pci, row->find, at),
				row->next_rc);
		assert_int_equal(rte_pci_find_next_capability(card.pci, row->find, 0x99), -EINVAL);
		assert_int_equal(card.fake->nb_accesses, 0);
		card_unplug(&card);
	}
}

static void
test_random_config_space_never_hangs_or_leaves_it(void **state)
{
	uint32_t seed = 4711;
	struct config config;
	struct card card;
	unsigned int round, i;
	off_t at;

	for (round = 0; round < 40; round++) {
		struct fake_device_desc desc = two_windows_desc();

		for (i = 0; i < sizeof(config.bytes); i++) {
			seed = seed * 1664525 + 1013904223;
			config.bytes[i] = (uint8_t)(seed >> 24);
		}
		desc.config = config.bytes;
		desc.config_len = sizeof(config.bytes);
		card_map(&card, &desc);
		for (i = 0; i < 256; i++) {
			at = rte_pci_find_capability(card.pci, (uint8_t)i);
			assert_in_range(at, 0, 252);
			assert_true(at == 0 || at >= 0x40);
		}
		card_unplug(&card);
	}
}

static void
ext_cap(uint8_t *config, unsigned int at, uint32_t id, uint32_t next)
{
	uint32_t header = id | 1u << 16 | next << 20;

	memcpy(config + at, &header, sizeof(header));
}

static void
test_extended_capabilities(void **state)
{
	static uint8_t config[4096];
	struct fake_device_desc desc = two_windows_desc();
	struct card card;

	card_map(&card, &desc);
	assert_int_equal(rte_pci_find_ext_capability(card.pci, 1), 0);
	card_unplug(&card);

	ext_cap(config, 0x100, RTE_PCI_EXT_CAP_ID_ERR, 0x140);
	ext_cap(config, 0x140, RTE_PCI_EXT_CAP_ID_DSN, 0xffc);
	ext_cap(config, 0xffc, RTE_PCI_EXT_CAP_ID_ACS, 0x100);	/* a loop */
	desc.config = config;
	desc.config_len = sizeof(config);
	card_map(&card, &desc);
	assert_int_equal(rte_pci_find_ext_capability(card.pci, RTE_PCI_EXT_CAP_ID_ERR), 0x100);
	assert_int_equal(rte_pci_find_ext_capability(card.pci, RTE_PCI_EXT_CAP_ID_DSN), 0x140);
	assert_int_equal(rte_pci_find_ext_capability(card.pci, RTE_PCI_EXT_CAP_ID_ACS), 0xffc);
	assert_int_equal(rte_pci_find_ext_capability(card.pci, RTE_PCI_EXT_CAP_ID_SRIOV), 0);
	card.fake->desc.regions[VFIO_PCI_CONFIG_REGION_INDEX].io_err = EIO;
	assert_int_equal(rte_pci_find_ext_capability(card.pci, RTE_PCI_EXT_CAP_ID_ERR), -EIO);
	card.fake->desc.regions[VFIO_PCI_CONFIG_REGION_INDEX].io_err = 0;
	card_unplug(&card);

	memset(config + 0x100, 0xff, sizeof(config) - 0x100);
	card_map(&card, &desc);
	assert_int_equal(rte_pci_find_ext_capability(card.pci, 0xffff), 0);
	card_unplug(&card);
}

static void
test_pasid_is_switched_by_two_bytes(void **state)
{
	static uint8_t config[4096];
	struct fake_device_desc desc = two_windows_desc();
	struct card card;
	uint16_t control;

	desc.config = config;
	desc.config_len = sizeof(config);
	card_map(&card, &desc);
	assert_int_equal(rte_pci_pasid_set_state(card.pci, 0x180, true), 0);
	fake_vfio_peek(card.fake, VFIO_PCI_CONFIG_REGION_INDEX, 0x186, &control, 2);
	assert_int_equal(control, 1);
	assert_int_equal(rte_pci_pasid_set_state(card.pci, 0x180, false), 0);
	fake_vfio_peek(card.fake, VFIO_PCI_CONFIG_REGION_INDEX, 0x186, &control, 2);
	assert_int_equal(control, 0);
	assert_true(rte_pci_pasid_set_state(card.pci, 0, true) < 0);
	assert_true(rte_pci_pasid_set_state(card.pci, 4094, true) < 0);
	card_unplug(&card);
}

/* ---- interrupts ---- */

struct intr_row {
	const char *name;
	struct {
		uint32_t count, flags;
	} irqs[3];	/* INTx, MSI, MSI-X */
	enum rte_intr_handle_type type;
};

#define EVENTFD VFIO_IRQ_INFO_EVENTFD

static const struct intr_row intr_rows[] = {
	{ "all", { { 1, EVENTFD }, { 1, EVENTFD }, { 4, EVENTFD } }, RTE_INTR_HANDLE_VFIO_MSIX },
	{ "no MSI-X, as the kernel says it", { { 1, EVENTFD }, { 2, EVENTFD }, { 0, EVENTFD } },
		RTE_INTR_HANDLE_VFIO_MSI },
	{ "INTx", { { 1, EVENTFD }, { 0, EVENTFD }, { 0, EVENTFD } }, RTE_INTR_HANDLE_VFIO_LEGACY },
	{ "MSI-X without eventfd", { { 1, EVENTFD }, { 0, EVENTFD }, { 4, 0 } },
		RTE_INTR_HANDLE_VFIO_LEGACY },
	{ "none", { { 0, EVENTFD }, { 0, EVENTFD }, { 0, EVENTFD } }, RTE_INTR_HANDLE_UNKNOWN },
};

static void
test_best_kind_of_interrupt_with_vectors_is_chosen(void **state)
{
	struct card card;
	size_t i, j;

	for (i = 0; i < DIM(intr_rows); i++) {
		struct fake_device_desc desc = two_windows_desc();

		for (j = 0; j < 3; j++) {
			desc.irqs[j].count = intr_rows[i].irqs[j].count;
			desc.irqs[j].flags = intr_rows[i].irqs[j].flags;
		}
		card_map(&card, &desc);
		assert_int_equal(rte_intr_type_get(card.pci->intr_handle), intr_rows[i].type);
		assert_int_equal(rte_intr_fd_get(card.pci->intr_handle) >= 0,
			intr_rows[i].type != RTE_INTR_HANDLE_UNKNOWN);
		assert_true(rte_intr_dev_fd_get(card.pci->intr_handle) >= 0);
		card_unplug(&card);
	}
}

static void
test_event_list_holds_all_vectors(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;

	desc.irqs[VFIO_PCI_MSIX_IRQ_INDEX].count = 2048;
	desc.irqs[VFIO_PCI_MSIX_IRQ_INDEX].flags = VFIO_IRQ_INFO_EVENTFD;
	card_map(&card, &desc);
	assert_true(rte_intr_nb_intr_get(card.pci->intr_handle) >= 2048);
	card_unplug(&card);
}

static void
test_dump_tells_the_vectors_that_the_device_has(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;
	char *text = NULL;
	size_t size = 0;
	FILE *f;

	desc.irqs[VFIO_PCI_MSIX_IRQ_INDEX].count = 3;
	desc.irqs[VFIO_PCI_MSIX_IRQ_INDEX].flags = VFIO_IRQ_INFO_EVENTFD;
	card_map(&card, &desc);
	f = open_memstream(&text, &size);
	rte_pci_dump(f);
	fclose(f);
	assert_non_null(strstr(text, "interrupts: MSI-X, 3 vectors\n"));
	free(text);
	card_unplug(&card);
}

/* As many queues as a network driver may have share the vectors of a small device. */
static void
test_queues_may_be_more_than_vectors(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	struct card card;

	desc.irqs[VFIO_PCI_MSIX_IRQ_INDEX].count = 3;
	desc.irqs[VFIO_PCI_MSIX_IRQ_INDEX].flags = VFIO_IRQ_INFO_EVENTFD;
	card_map(&card, &desc);
	assert_true(rte_intr_nb_intr_get(card.pci->intr_handle) >= RTE_MAX_RXTX_INTR_VEC_ID);
	assert_int_equal(rte_intr_vec_list_alloc(card.pci->intr_handle, "queues", 8), 0);
	rte_intr_vec_list_free(card.pci->intr_handle);
	card_unplug(&card);
}

static void
count_interrupt(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

static bool
wait_for(atomic_uint *count, unsigned int value)
{
	unsigned int i;

	for (i = 0; i < 5000 && atomic_load(count) < value; i++)
		usleep(1000);
	return atomic_load(count) >= value;
}

static void
test_interrupts_arrive(void **state)
{
	static const uint32_t indexes[] = {
		VFIO_PCI_INTX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX, VFIO_PCI_MSIX_IRQ_INDEX,
	};
	atomic_uint count;
	struct card card;
	size_t i;

	for (i = 0; i < DIM(indexes); i++) {
		struct fake_device_desc desc = two_windows_desc();

		desc.irqs[indexes[i]].count = 1;
		desc.irqs[indexes[i]].flags = VFIO_IRQ_INFO_EVENTFD |
			(i == 0 ? VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED : 0);
		atomic_init(&count, 0);
		card_map(&card, &desc);
		assert_int_equal(rte_intr_callback_register(card.pci->intr_handle,
			count_interrupt, &count), 0);
		assert_int_equal(rte_intr_enable(card.pci->intr_handle), 0);
		assert_int_equal(fake_vfio_fire(card.fake, indexes[i], 0), 0);
		assert_true(wait_for(&count, 1));
		assert_int_equal(rte_intr_disable(card.pci->intr_handle), 0);
		assert_int_equal(rte_intr_callback_unregister_sync(card.pci->intr_handle,
			count_interrupt, &count), 1);
		card_unplug(&card);
	}
}

/* ---- the kernel wants the device back ---- */

static struct fake_device_desc
notifying_desc(void)
{
	struct fake_device_desc desc = two_windows_desc();
	const struct fake_irq irq = { .count = 1, .flags = VFIO_IRQ_INFO_EVENTFD };

	desc.irqs[VFIO_PCI_REQ_IRQ_INDEX] = irq;
	desc.irqs[VFIO_PCI_ERR_IRQ_INDEX] = irq;
	return desc;
}

static struct {
	atomic_uint count;
	atomic_uint removals;
	atomic_bool fired;	/* the fake is done with its side */
	struct card *unplug;	/* in the callback */
	int unplug_rc;
} events;

/* The device asks to be let go; the callback goes on when that is over. */
static void
fire_request(struct card *card)
{
	assert_int_equal(fake_vfio_fire(card->fake, VFIO_PCI_REQ_IRQ_INDEX, 0), 0);
	atomic_store(&events.fired, true);
}

static void
on_event(const char *name, enum rte_dev_event_type event, void *arg)
{
	if (event == RTE_DEV_EVENT_REMOVE)
		atomic_fetch_add(&events.removals, 1);
	while (!atomic_load(&events.fired))
		usleep(100);
	if (events.unplug != NULL) {
		events.unplug_rc = rte_dev_remove(&events.unplug->pci->device);
		events.unplug = NULL;
	}
	atomic_fetch_add(&events.count, 1);
}

static void
events_start(const char *name)
{
	atomic_store(&events.count, 0);
	atomic_store(&events.removals, 0);
	atomic_store(&events.fired, false);
	events.unplug = NULL;
	assert_int_equal(rte_dev_event_callback_register(name, on_event, NULL), 0);
}

static void
test_request_raises_the_removal_event(void **state)
{
	struct fake_device_desc desc = notifying_desc();
	struct card card;

	card_map(&card, &desc);
	events_start(card.name);
	fire_request(&card);
	assert_true(wait_for(&events.count, 1));
	assert_int_equal(atomic_load(&events.removals), 1);
	assert_true(rte_dev_event_callback_unregister(card.name, on_event, NULL) >= 0);
	card_unplug(&card);
}

static void
test_repeated_requests_raise_one_event(void **state)
{
	struct fake_device_desc desc = notifying_desc();
	struct card card;
	int i;

	card_map(&card, &desc);
	events_start(card.name);
	fire_request(&card);
	assert_true(wait_for(&events.count, 1));
	for (i = 0; i < 5; i++) {
		assert_int_equal(fake_vfio_fire(card.fake, VFIO_PCI_REQ_IRQ_INDEX, 0), 0);
		usleep(2000);
	}
	assert_int_equal(atomic_load(&events.removals), 1);

	/* one who maps it anew is asked anew */
	rte_pci_unmap_device(card.pci);
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	fire_request(&card);
	assert_true(wait_for(&events.count, 2));
	assert_true(rte_dev_event_callback_unregister(card.name, on_event, NULL) >= 0);
	card_unplug(&card);
}

static void
test_device_can_be_unplugged_in_the_callback(void **state)
{
	struct fake_device_desc desc = notifying_desc();
	struct card card;

	desc.device = 2;
	card_plug(&card, &desc);
	events_start(card.name);
	events.unplug = &card;
	fire_request(&card);
	assert_true(wait_for(&events.count, 1));
	assert_int_equal(events.unplug_rc, 0);
	assert_true(rte_dev_event_callback_unregister(card.name, on_event, NULL) >= 0);
	assert_int_equal(card.fake->nb_open, 0);
	fake_vfio_unplug(card.fake);
}

static void
test_request_while_unplugging_is_harmless(void **state)
{
	struct fake_device_desc desc = notifying_desc();
	struct card card;
	int i;

	for (i = 0; i < 50; i++) {
		card_map(&card, &desc);
		events_start(card.name);
		fire_request(&card);
		assert_int_equal(fake_vfio_fire(card.fake, VFIO_PCI_ERR_IRQ_INDEX, 0), 0);
		card_unplug(&card);
		rte_dev_event_callback_unregister(card.name, on_event, NULL);
		assert_true(atomic_load(&events.count) <= 1);
	}
}

/* As when the handler of SIGBUS is asked about the address of a load. */
static void
test_fault_in_a_window_puts_ones_there(void **state)
{
	struct fake_device_desc desc = two_windows_desc();
	const struct rte_bus *bus = rte_bus_find_by_name("pci");
	volatile uint8_t *base;
	struct card card;
	uint8_t byte;

	assert_non_null(bus);
	card_map(&card, &desc);
	base = card.pci->mem_resource[2].addr;
	assert_int_equal(base[5], pattern(5));
	assert_int_equal(bus->sigbus_handler((const uint8_t *)card.pci->mem_resource[2].addr + 5),
		0);
	assert_int_equal(base[5], 0xff);
	base[8 * K] = 0x99;
	fake_vfio_peek(card.fake, 2, 8 * K, &byte, 1);
	assert_int_equal(byte, pattern(8 * K));
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &byte, 1, 8 * K), 1);
	assert_int_equal(byte, 0x99);
	card_unplug(&card);
	assert_true(bus->sigbus_handler(&byte) > 0);
}

static void
test_notifiers_that_cannot_be_set_up_are_not_fatal(void **state)
{
	struct fake_device_desc desc = notifying_desc();
	struct card card;

	desc.irqs[VFIO_PCI_REQ_IRQ_INDEX].set_err = EINVAL;
	desc.irqs[VFIO_PCI_ERR_IRQ_INDEX].set_err = EINVAL;
	card_map(&card, &desc);
	assert_int_equal(rte_intr_fd_get(card.pci->vfio_req_intr_handle), -1);
	card_unplug(&card);
	desc.irqs[VFIO_PCI_REQ_IRQ_INDEX].info_err = EIO;
	desc.irqs[VFIO_PCI_ERR_IRQ_INDEX].info_err = EIO;
	card_map(&card, &desc);
	card_unplug(&card);
}

static void
test_error_interrupt_is_bound_while_mapped(void **state)
{
	struct fake_device_desc desc = notifying_desc();
	struct card card;
	uint32_t value;

	card_map(&card, &desc);
	assert_int_equal(card.fake->irqs[VFIO_PCI_ERR_IRQ_INDEX].nb, 1);
	assert_int_equal(fake_vfio_fire(card.fake, VFIO_PCI_ERR_IRQ_INDEX, 0), 0);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &value, 4, 0), 4);
	rte_pci_unmap_device(card.pci);
	assert_int_equal(fake_vfio_fire(card.fake, VFIO_PCI_ERR_IRQ_INDEX, 0), -ENOTCONN);
	card_unplug(&card);
}

/* ---- the suite ---- */

static int
eal_start(const char *extra)
{
	char texts[][32] = {
		"dpdk-test", "--no-huge", "--in-memory", "-m", "16", "--log-level=bus.pci:critical",
		"",
	};
	char *args[DIM(texts) + 1] = { NULL };
	size_t i;

	for (i = 0; i < DIM(texts); i++)
		args[i] = texts[i];
	if (extra == NULL)
		args[DIM(texts) - 1] = NULL;
	else
		snprintf(texts[DIM(texts) - 1], sizeof(texts[0]), "%s", extra);
	return rte_eal_init((int)DIM(texts) - (extra == NULL), args);
}

static void
test_user_chooses_the_kind_of_interrupt(void **state)
{
	static const struct {
		const char *option;
		enum rte_intr_handle_type type, type_without_msi;
	} rows[] = {
		{ "--vfio-intr=msix", RTE_INTR_HANDLE_VFIO_MSIX, RTE_INTR_HANDLE_VFIO_MSIX },
		{ "--vfio-intr=msi", RTE_INTR_HANDLE_VFIO_MSI, RTE_INTR_HANDLE_UNKNOWN },
		{ "--vfio-intr=legacy", RTE_INTR_HANDLE_VFIO_LEGACY, RTE_INTR_HANDLE_VFIO_LEGACY },
	};
	struct card card;
	size_t i;

	for (i = 0; i < DIM(rows); i++) {
		struct fake_device_desc desc = two_windows_desc();
		struct fake_irq irq = { .count = 1, .flags = VFIO_IRQ_INFO_EVENTFD };

		assert_int_equal(rte_eal_cleanup(), 0);
		assert_true(eal_start(rows[i].option) >= 0);
		desc.irqs[VFIO_PCI_INTX_IRQ_INDEX] = irq;
		desc.irqs[VFIO_PCI_MSI_IRQ_INDEX] = irq;
		desc.irqs[VFIO_PCI_MSIX_IRQ_INDEX] = irq;
		card_map(&card, &desc);
		assert_int_equal(rte_intr_type_get(card.pci->intr_handle), rows[i].type);
		card_unplug(&card);
		desc.irqs[VFIO_PCI_MSI_IRQ_INDEX].count = 0;
		card_map(&card, &desc);
		assert_int_equal(rte_intr_type_get(card.pci->intr_handle),
			rows[i].type_without_msi);
		card_unplug(&card);
	}
	assert_int_equal(rte_eal_cleanup(), 0);
	assert_true(eal_start(NULL) >= 0);
}

static int
setup(void **state)
{
	rte_pci_register(&bare_driver);
	rte_pci_register(&mapped_driver);
	fake = fake_vfio_start();
	return eal_start(NULL) < 0 ? -1 : 0;
}

/* The bus does not know how EAL has the devices. */
static int
setup_cdev(void **state)
{
	rte_pci_register(&bare_driver);
	rte_pci_register(&mapped_driver);
	fake = fake_vfio_start();
	fake->cdev = true;
	return eal_start(NULL) < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	if (rte_eal_cleanup() != 0)
		return -1;
	fake_vfio_stop(fake);
	return 0;
}

/* Each was opened by its own node, but those that hide it. */
static int
teardown_cdev(void **state)
{
	const struct fake_device *dev;
	unsigned int nb_binds = 0;

	for (dev = fake->devices; dev != NULL; dev = dev->next)
		nb_binds += dev->nb_binds;
	printf("%u devices were opened by their own node\n", nb_binds);
	return nb_binds > 100 ? teardown(state) : -1;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_exactly_the_permitted_windows_are_mapped),
	cmocka_unit_test(test_every_byte_reads_the_same_by_window_helper_and_pread),
	cmocka_unit_test(test_every_byte_written_by_the_helper_arrives),
	cmocka_unit_test(test_s1_hostile_areas_touch_nothing_and_fall_back_to_calls),
	cmocka_unit_test(test_s2_secondary_unmaps_without_harm_to_the_others),
	cmocka_unit_test(test_s3_failure_in_a_secondary_changes_nothing_for_the_next),
	cmocka_unit_test(test_s4_secondary_never_takes_a_place_that_is_in_use),
	cmocka_unit_test(test_secondary_needs_a_primary_that_has_mapped_the_device),
	cmocka_unit_test(test_secondary_refuses_a_bar_of_another_size),
	cmocka_unit_test(test_s5_capability_without_areas_means_nothing_is_mapped),
	cmocka_unit_test(test_s6_areas_of_size_0_leave_addr_null),
	cmocka_unit_test(test_s7_unaligned_area_is_mapped_where_pages_are_whole),
	cmocka_unit_test(test_s8_refused_window_does_not_fail_the_probe),
	cmocka_unit_test(test_s9_protection_follows_the_flags_of_the_region),
	cmocka_unit_test(test_s10_driver_can_ask_what_is_mapped),
	cmocka_unit_test(test_s11_each_call_fails_in_turn_and_nothing_leaks),
	cmocka_unit_test(test_s11_each_call_fails_while_unmapping_and_the_rest_is_undone),
	cmocka_unit_test(test_s12_nothing_stale_after_unmap_or_failure),
	cmocka_unit_test(test_s13_region_of_size_0_is_not_mapped),
	cmocka_unit_test(test_s14_window_refused_for_its_msix_table_is_mapped_around_it),
	cmocka_unit_test(test_s15_shared_list_changes_under_its_lock),
	cmocka_unit_test(test_s16_bars_are_aligned_for_huge_pages),
	cmocka_unit_test(test_s17_each_region_is_asked_for_once),
	cmocka_unit_test(test_long_capability_is_asked_for_twice),
	cmocka_unit_test(test_s18_place_of_a_bar_does_not_wander),
	cmocka_unit_test(test_mapped_bytes_cost_no_call),
	cmocka_unit_test(test_range_is_split_at_the_edges_of_windows),
	cmocka_unit_test(test_natural_access_in_a_hole_is_one_call),
	cmocka_unit_test(test_every_width_and_alignment_in_a_window),
	cmocka_unit_test(test_ranges_outside_are_refused),
	cmocka_unit_test(test_errors_of_calls_come_through),
	cmocka_unit_test(test_short_calls_are_completed),
	cmocka_unit_test(test_device_that_is_not_mapped_answers_enodev),
	cmocka_unit_test(test_msix_table_reads_as_the_kernel_says),
	cmocka_unit_test(test_kinds_of_bars),
	cmocka_unit_test(test_length_comes_from_the_region_where_sysfs_says_0),
	cmocka_unit_test(test_region_that_cannot_be_told_fails_the_map),
	cmocka_unit_test(test_map_is_done_once),
	cmocka_unit_test(test_device_of_a_foreign_driver_is_left_alone),
	cmocka_unit_test(test_kernel_resets_so_the_bus_need_not),
	cmocka_unit_test(test_memory_and_bus_master_are_on_while_mapped),
	cmocka_unit_test(test_config_space),
	cmocka_unit_test(test_ports),
	cmocka_unit_test(test_capability_lists),
	cmocka_unit_test(test_random_config_space_never_hangs_or_leaves_it),
	cmocka_unit_test(test_extended_capabilities),
	cmocka_unit_test(test_pasid_is_switched_by_two_bytes),
	cmocka_unit_test(test_best_kind_of_interrupt_with_vectors_is_chosen),
	cmocka_unit_test(test_event_list_holds_all_vectors),
	cmocka_unit_test(test_dump_tells_the_vectors_that_the_device_has),
	cmocka_unit_test(test_queues_may_be_more_than_vectors),
	cmocka_unit_test(test_user_chooses_the_kind_of_interrupt),
	cmocka_unit_test(test_interrupts_arrive),
	cmocka_unit_test(test_request_raises_the_removal_event),
	cmocka_unit_test(test_repeated_requests_raise_one_event),
	cmocka_unit_test(test_device_can_be_unplugged_in_the_callback),
	cmocka_unit_test(test_request_while_unplugging_is_harmless),
	cmocka_unit_test(test_fault_in_a_window_puts_ones_there),
	cmocka_unit_test(test_notifiers_that_cannot_be_set_up_are_not_fatal),
	cmocka_unit_test(test_error_interrupt_is_bound_while_mapped),
};
TEST_SUITE(pci_vfio, "functional", tests, setup, teardown)
TEST_SUITE(pci_vfio_cdev, "functional", tests, setup_cdev, teardown_cdev)
