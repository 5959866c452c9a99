/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_vfio_user_pci.h>

#include "test.h"

#define KIB UINT64_C(1024)
#define MIB (UINT64_C(1024) * KIB)
#define GIB (UINT64_C(1024) * MIB)

#define BAR(i) (0x10u + 4 * (i))

/* What a function's author was told. */
static struct {
	unsigned int nb_commands, nb_bars, nb_resets, nb_writes;
	uint16_t command;
	unsigned int bar;
	uint64_t addr;
	uint32_t written_off, written_len;
} told;

/* The last access to registers. */
static struct {
	unsigned int nb;
	uint64_t offset, value;
	unsigned int width;
} seen;

static void
on_command(struct rte_vfio_user_pci *pci, uint16_t command)
{
	(void)pci;
	told.nb_commands++;
	told.command = command;
}

static void
on_bar(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t addr)
{
	(void)pci;
	told.nb_bars++;
	told.bar = bar;
	told.addr = addr;
}

static int
on_reset(struct rte_vfio_user_pci *pci)
{
	(void)pci;
	told.nb_resets++;
	return 0;
}

static void
on_config(struct rte_vfio_user_pci *pci, uint32_t off, uint32_t len)
{
	(void)pci;
	told.nb_writes++;
	told.written_off = off;
	told.written_len = len;
}

static const struct rte_vfio_user_pci_ops ops = {
	.reset = on_reset,
	.command_changed = on_command,
	.bar_changed = on_bar,
	.config_written = on_config,
};

static const struct rte_vfio_user_pci_info plain_info = {
	.size = sizeof(plain_info),
	.vendor_id = 0x1234,
	.device_id = 0x5678,
	.subsystem_vendor_id = 0x9abc,
	.subsystem_id = 0xdef0,
	.class_code = 0x028001,
	.revision_id = 0x42,
	.interrupt_pin = 1,
};

static struct rte_vfio_user_pci *pci;

static struct rte_vfio_user_pci *
create(bool express)
{
	struct rte_vfio_user_pci_info info = plain_info;
	struct rte_vfio_user_pci *made = NULL;

	info.express = express;
	assert_int_equal(rte_vfio_user_pci_create(&info, &ops, &told, &made), 0);
	return made;
}

static int
setup_plain(void **state)
{
	(void)state;
	memset(&told, 0, sizeof(told));
	memset(&seen, 0, sizeof(seen));
	pci = create(false);
	return 0;
}

static int
setup_express(void **state)
{
	setup_plain(state);
	rte_vfio_user_pci_free(pci);
	pci = create(true);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rte_vfio_user_pci_free(pci);
	return 0;
}

static uint32_t
get(uint32_t off, unsigned int len)
{
	uint8_t b[4] = { 0 };

	assert_int_equal(rte_vfio_user_pci_config_read(pci, off, b, len), 0);
	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void
put(uint32_t off, uint32_t value, unsigned int len)
{
	const uint8_t b[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
		(uint8_t)(value >> 24) };

	assert_int_equal(rte_vfio_user_pci_config_write(pci, off, b, len), 0);
}

static uint64_t
on_read(struct rte_vfio_user_pci *owner, unsigned int bar, uint64_t off, unsigned int width)
{
	(void)owner, (void)bar;
	seen.nb++;
	seen.offset = off;
	seen.width = width;
	return UINT64_C(0x8877665544332211);
}

static void
on_write(struct rte_vfio_user_pci *owner, unsigned int bar, uint64_t off, unsigned int width,
	uint64_t value)
{
	(void)owner, (void)bar;
	seen.nb++;
	seen.offset = off;
	seen.width = width;
	seen.value = value;
}

static void
add_registers(unsigned int bar, uint64_t size, uint32_t flags)
{
	const struct rte_vfio_user_pci_bar desc = {
		.size = size, .flags = flags, .read = on_read, .write = on_write,
	};

	assert_int_equal(rte_vfio_user_pci_set_bar(pci, bar, &desc), 0);
}

/* ---- the standard header ---- */

static void
test_header_tells_what_the_function_is(void **state)
{
	static const struct {
		uint32_t off;
		unsigned int len;
		uint32_t value;
	} cases[] = {
		{ 0x00, 2, 0x1234 }, { 0x02, 2, 0x5678 }, { 0x04, 2, 0 }, { 0x06, 2, 0 },
		{ 0x08, 1, 0x42 }, { 0x08, 4, 0x02800142 }, { 0x0e, 1, 0 }, { 0x2c, 2, 0x9abc },
		{ 0x2e, 2, 0xdef0 }, { 0x34, 1, 0 }, { 0x3d, 1, 1 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++)
		assert_int_equal(get(cases[i].off, cases[i].len), cases[i].value);
}

static void
test_only_some_bits_of_the_header_can_be_written(void **state)
{
	static const struct {
		uint32_t off;
		uint32_t kept;	/* of ones */
	} cases[] = {
		{ 0x00, 0x56781234 }, { 0x04, 0x00000547 }, { 0x08, 0x02800142 },
		{ 0x0c, 0x0000ffff }, { 0x10, 0 }, { 0x24, 0 }, { 0x28, 0 }, { 0x2c, 0xdef09abc },
		{ 0x30, 0 }, { 0x34, 0 }, { 0x3c, 0x000001ff }, { 0x40, 0 }, { 0xfc, 0 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		put(cases[i].off, UINT32_MAX, 4);
		assert_int_equal(get(cases[i].off, 4), cases[i].kept);
	}
}

static void
test_a_function_that_cannot_be_is_refused(void **state)
{
	static const struct rte_vfio_user_pci_info faulty[] = {
		{ .size = 1, .vendor_id = 1, .class_code = 1 },
		{ .size = sizeof(faulty[0]), .vendor_id = 0xffff, .class_code = 1 },
		{ .size = sizeof(faulty[0]), .vendor_id = 1, .class_code = 0 },
		{ .size = sizeof(faulty[0]), .vendor_id = 1, .class_code = 0x1000000 },
		{ .size = sizeof(faulty[0]), .vendor_id = 1, .class_code = 1, .interrupt_pin = 5 },
	};
	struct rte_vfio_user_pci *made;
	unsigned int i;

	(void)state;
	assert_int_equal(rte_vfio_user_pci_create(NULL, NULL, NULL, &made), -EINVAL);
	for (i = 0; i < RTE_DIM(faulty); i++)
		assert_int_equal(rte_vfio_user_pci_create(&faulty[i], NULL, NULL, &made), -EINVAL);
}

static void
test_configuration_space_ends(void **state)
{
	uint8_t b[8];

	(void)state;
	assert_int_equal(rte_vfio_user_pci_config_read(pci, 0xf8, b, 8), 0);
	assert_int_equal(rte_vfio_user_pci_config_read(pci, 0xf9, b, 8), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_config_write(pci, 0x100, b, 1), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_config_read(pci, UINT32_MAX, b, 8), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_config_set(pci, 0x3f, b, 2), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_region_read(pci, VFIO_PCI_CONFIG_REGION_INDEX,
		UINT64_C(1) << 32, b, 1), -EINVAL);
}

static void
test_priv_is_the_authors(void **state)
{
	(void)state;
	assert_ptr_equal(rte_vfio_user_pci_priv(pci), &told);
	assert_int_equal(rte_vfio_user_pci_dev_id(pci), -ENOTCONN);
	assert_int_equal(rte_vfio_user_pci_stop(pci), 0);
}

/* ---- BARs ---- */

static const struct {
	unsigned int bar;
	uint64_t size;
	uint32_t flags;
	uint32_t low, high;	/* of ones; high: of the next register */
} sizings[] = {
	{ 0, 16, 0, 0xfffffff0, 0 },
	{ 1, 4 * KIB, 0, 0xfffff000, 0 },
	{ 5, MIB, RTE_VFIO_USER_PCI_BAR_PREFETCH, 0xfff00008, 0 },
	{ 0, 2 * GIB, 0, 0x80000000, 0 },
	{ 2, 8, RTE_VFIO_USER_PCI_BAR_IO, 0xfffffff9, 0 },
	{ 2, 256, RTE_VFIO_USER_PCI_BAR_IO, 0xffffff01, 0 },
	{ 0, MIB, RTE_VFIO_USER_PCI_BAR_64, 0xfff00004, 0xffffffff },
	{ 4, 4 * GIB, RTE_VFIO_USER_PCI_BAR_64, 0x00000004, 0xffffffff },
	{ 2, 64 * GIB, RTE_VFIO_USER_PCI_BAR_64 | RTE_VFIO_USER_PCI_BAR_PREFETCH, 0x0000000c,
		0xfffffff0 },
};

static void
test_bar_tells_its_size(void **state)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(sizings); i++) {
		setup_plain(state);
		add_registers(sizings[i].bar, sizings[i].size, sizings[i].flags);
		put(BAR(sizings[i].bar), UINT32_MAX, 4);
		put(BAR(sizings[i].bar) + 4, UINT32_MAX, 4);
		assert_int_equal(get(BAR(sizings[i].bar), 4), sizings[i].low);
		if (sizings[i].bar < 5)
			assert_int_equal(get(BAR(sizings[i].bar) + 4, 4), sizings[i].high);
		put(BAR(sizings[i].bar), 0, 4);
		assert_int_equal(get(BAR(sizings[i].bar), 4), sizings[i].low & 0xf &
			(sizings[i].flags & RTE_VFIO_USER_PCI_BAR_IO ? 0x3 : 0xf));
		teardown(state);
	}
	setup_plain(state);
}

static void
test_bar_holds_its_address(void **state)
{
	(void)state;
	add_registers(0, MIB, RTE_VFIO_USER_PCI_BAR_64);
	add_registers(2, 8, RTE_VFIO_USER_PCI_BAR_IO);
	put(BAR(0), 0xfeb12345, 4);
	put(BAR(1), 0x12, 4);
	put(BAR(2), 0xc04d, 4);
	assert_int_equal(rte_vfio_user_pci_bar_addr(pci, 0), UINT64_C(0x12feb00000));
	assert_int_equal(rte_vfio_user_pci_bar_addr(pci, 2), 0xc048);
	assert_int_equal(rte_vfio_user_pci_bar_addr(pci, 1), 0);
	assert_int_equal(rte_vfio_user_pci_bar_addr(pci, 6), 0);
}

static void
test_bar_is_written_byte_by_byte_too(void **state)
{
	(void)state;
	add_registers(0, 4 * KIB, 0);
	put(BAR(0) + 1, 0xab, 1);
	put(BAR(0) + 2, 0xfeb1, 2);
	assert_int_equal(get(BAR(0), 4), 0xfeb1a000);
}

static void
test_bars_that_cannot_be_are_refused(void **state)
{
	static const struct vfio_region_sparse_mmap_area odd[] = { { 0, 100 } };
	static const struct vfio_region_sparse_mmap_area beyond[] = { { 0x1000, 0x2000 } };
	static const struct vfio_region_sparse_mmap_area twice[] = {
		{ 0, 0x1000 }, { 0, 0x1000 },
	};
	static uint8_t memory[1];
	const uint32_t mmap_flag = RTE_VFIO_USER_PCI_BAR_MMAP;
	const struct {
		unsigned int bar;
		struct rte_vfio_user_pci_bar desc;
	} cases[] = {
		{ 6, { .size = 16 } }, { 0, { .size = 0 } }, { 0, { .size = 8 } },
		{ 0, { .size = 24 } }, { 0, { .size = 4 * GIB } },
		{ 5, { .size = 16, .flags = RTE_VFIO_USER_PCI_BAR_64 } },
		{ UINT32_MAX, { .size = 16 } },
		{ 0, { .size = 2, .flags = RTE_VFIO_USER_PCI_BAR_IO } },
		{ 0, { .size = 512, .flags = RTE_VFIO_USER_PCI_BAR_IO } },
		{ 0, { .size = 16, .flags = 0x100 } },
		{ 0, { .size = 16, .flags = RTE_VFIO_USER_PCI_BAR_IO | mmap_flag } },
		{ 0, { .size = 0x2000, .flags = mmap_flag, .fd = -1, .base = memory } },
		{ 0, { .size = 0x2000, .flags = mmap_flag, .fd = 0 } },
		{ 0, { .size = 0x2000, .flags = mmap_flag, .base = memory, .fd_offset = 1 } },
		{ 0, { .size = 0x2000, .flags = mmap_flag, .base = memory, .areas = odd,
			.nb_areas = 1 } },
		{ 0, { .size = 0x2000, .flags = mmap_flag, .base = memory, .areas = beyond,
			.nb_areas = 1 } },
		{ 0, { .size = 0x2000, .flags = mmap_flag, .base = memory, .areas = twice,
			.nb_areas = 2 } },
	};
	unsigned int i;

	(void)state;
	assert_int_equal(rte_vfio_user_pci_set_bar(pci, 0, NULL), -EINVAL);
	for (i = 0; i < RTE_DIM(cases); i++)
		assert_int_equal(rte_vfio_user_pci_set_bar(pci, cases[i].bar, &cases[i].desc),
			-EINVAL);
}

static void
test_bar_registers_are_given_once(void **state)
{
	const struct rte_vfio_user_pci_bar narrow = { .size = 16 };
	const struct rte_vfio_user_pci_bar wide = { .size = 16,
		.flags = RTE_VFIO_USER_PCI_BAR_64 };

	(void)state;
	assert_int_equal(rte_vfio_user_pci_set_bar(pci, 2, &wide), 0);
	assert_int_equal(rte_vfio_user_pci_set_bar(pci, 2, &narrow), -EEXIST);
	assert_int_equal(rte_vfio_user_pci_set_bar(pci, 3, &narrow), -EEXIST);
	assert_int_equal(rte_vfio_user_pci_set_bar(pci, 1, &wide), -EEXIST);
	assert_int_equal(rte_vfio_user_pci_set_bar(pci, 1, &narrow), 0);
}

static void
test_rom_tells_its_size_and_ends_in_ones(void **state)
{
	static const uint8_t image[3] = { 0x55, 0xaa, 0x05 };
	uint8_t b[4];

	(void)state;
	assert_int_equal(rte_vfio_user_pci_set_rom(pci, image, 0), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_set_rom(pci, image, sizeof(image)), 0);
	assert_int_equal(rte_vfio_user_pci_set_rom(pci, image, sizeof(image)), -EEXIST);
	put(0x30, 0xfffff800, 4);
	assert_int_equal(get(0x30, 4), 0xfffff800);
	put(0x30, UINT32_MAX, 4);
	assert_int_equal(get(0x30, 4), 0xfffff801);
	assert_int_equal(rte_vfio_user_pci_region_read(pci, VFIO_PCI_ROM_REGION_INDEX, 0, b, 4), 0);
	assert_memory_equal(b, "\x55\xaa\x05\xff", 4);
	assert_int_equal(rte_vfio_user_pci_region_read(pci, VFIO_PCI_ROM_REGION_INDEX, 2046, b, 4),
		-EINVAL);
	assert_int_equal(rte_vfio_user_pci_region_write(pci, VFIO_PCI_ROM_REGION_INDEX, 0, b, 4),
		-EPERM);
}

/* ---- accesses to BARs ---- */

static void
test_registers_are_accessed_aligned(void **state)
{
	static const struct {
		uint64_t off;
		uint32_t len;
		unsigned int nb, last_width;
	} cases[] = {
		{ 0, 1, 1, 1 }, { 2, 2, 1, 2 }, { 4, 4, 1, 4 }, { 8, 8, 1, 8 }, { 4, 8, 2, 4 },
		{ 1, 4, 3, 1 }, { 0, 3, 2, 1 }, { 0, 32, 4, 8 }, { 255, 1, 1, 1 },
	};
	uint8_t b[32] = { 0 };
	unsigned int i;

	(void)state;
	add_registers(0, 256, 0);
	for (i = 0; i < RTE_DIM(cases); i++) {
		seen.nb = 0;
		assert_int_equal(rte_vfio_user_pci_region_read(pci, 0, cases[i].off, b,
			cases[i].len), 0);
		assert_int_equal(seen.nb, cases[i].nb);
		assert_int_equal(seen.width, cases[i].last_width);
		assert_int_equal(b[0], 0x11);
		seen.nb = 0;
		assert_int_equal(rte_vfio_user_pci_region_write(pci, 0, cases[i].off, b,
			cases[i].len), 0);
		assert_int_equal(seen.nb, cases[i].nb);
	}
}

static void
test_registers_are_little_endian(void **state)
{
	static const uint8_t in[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t b[8];

	(void)state;
	add_registers(0, 256, 0);
	assert_int_equal(rte_vfio_user_pci_region_write(pci, 0, 8, in, 8), 0);
	assert_int_equal(seen.value, UINT64_C(0x0807060504030201));
	assert_int_equal(rte_vfio_user_pci_region_write(pci, 0, 8, in, 2), 0);
	assert_int_equal(seen.value, 0x0201);
	assert_int_equal(rte_vfio_user_pci_region_read(pci, 0, 0, b, 8), 0);
	assert_memory_equal(b, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
}

static void
test_accesses_outside_a_bar_are_refused(void **state)
{
	uint8_t b[8];

	(void)state;
	add_registers(0, 256, 0);
	assert_int_equal(rte_vfio_user_pci_region_read(pci, 0, 253, b, 4), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_region_write(pci, 0, UINT64_MAX, b, 4), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_region_read(pci, 1, 0, b, 1), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_region_read(pci, 99, 0, b, 1), -EINVAL);
	assert_int_equal(seen.nb, 0);
}

static void
test_bar_without_registers_and_memory_reads_as_ones(void **state)
{
	const struct rte_vfio_user_pci_bar desc = { .size = 16 };
	uint8_t b[4] = { 0 };

	(void)state;
	assert_int_equal(rte_vfio_user_pci_set_bar(pci, 0, &desc), 0);
	assert_int_equal(rte_vfio_user_pci_region_write(pci, 0, 0, b, 4), 0);
	assert_int_equal(rte_vfio_user_pci_region_read(pci, 0, 0, b, 4), 0);
	assert_memory_equal(b, "\xff\xff\xff\xff", 4);
}

/* Registers at 0, memory in the window [0x1000, 0x2000), registers again. */
static void
test_access_over_the_edge_of_a_window_goes_both_ways(void **state)
{
	static const struct vfio_region_sparse_mmap_area window = { 0x1000, 0x1000 };
	static _Alignas(8) uint8_t memory[0x4000];
	const struct rte_vfio_user_pci_bar desc = {
		.size = sizeof(memory), .flags = RTE_VFIO_USER_PCI_BAR_MMAP,
		.read = on_read, .write = on_write,
		.base = memory, .areas = &window, .nb_areas = 1,
	};
	uint8_t b[16];

	(void)state;
	memset(memory, 0xee, sizeof(memory));
	assert_int_equal(rte_vfio_user_pci_set_bar(pci, 0, &desc), 0);
	assert_int_equal(rte_vfio_user_pci_region_read(pci, 0, 0xffc, b, 8), 0);
	assert_memory_equal(b, "\x11\x22\x33\x44\xee\xee\xee\xee", 8);
	assert_int_equal(rte_vfio_user_pci_region_read(pci, 0, 0x1ffc, b, 8), 0);
	assert_memory_equal(b, "\xee\xee\xee\xee\x11\x22\x33\x44", 8);
	seen.nb = 0;
	assert_int_equal(rte_vfio_user_pci_region_write(pci, 0, 0x1800, "\1\2\3\4\5\6\7\10", 8), 0);
	assert_memory_equal(&memory[0x1800], "\1\2\3\4\5\6\7\10", 8);
	assert_int_equal(seen.nb, 0);
	assert_int_equal(rte_vfio_user_pci_region_write(pci, 0, 0x2000, "\1\2\3\4", 4), 0);
	assert_int_equal(seen.offset, 0x2000);
	assert_int_equal(memory[0x2000], 0xee);
}

/* ---- capabilities ---- */

static void
test_capabilities_are_chained_in_order(void **state)
{
	int vendor, pm, msi;

	(void)state;
	vendor = rte_vfio_user_pci_add_vendor(pci, "hello", NULL, 5);
	pm = rte_vfio_user_pci_add_pm(pci);
	msi = rte_vfio_user_pci_add_msi(pci, 1, 0);
	assert_int_equal(get(0x06, 2), 0x10);
	assert_int_equal(get(0x34, 1), vendor);
	assert_int_equal(get((uint32_t)vendor, 1), 9);
	assert_int_equal(get((uint32_t)vendor + 1, 1), pm);
	assert_int_equal(get((uint32_t)vendor + 2, 1), 8);
	assert_int_equal(get((uint32_t)vendor + 3, 1), 'h');
	assert_int_equal(get((uint32_t)pm, 1), 1);
	assert_int_equal(get((uint32_t)pm + 1, 1), msi);
	assert_int_equal(get((uint32_t)msi, 1), 5);
	assert_int_equal(get((uint32_t)msi + 1, 1), 0);
	assert_true(vendor == 0x40 && pm % 4 == 0 && msi % 4 == 0);
}

static void
test_capability_is_written_where_its_author_permits(void **state)
{
	static const uint8_t body[4] = { 0x12, 0x34, 0x56, 0x78 };
	static const uint8_t writable[4] = { 0x00, 0xf0, 0xff, 0x01 };
	uint32_t cap = (uint32_t)rte_vfio_user_pci_add_cap(pci, 0x77, body, writable, 4);

	(void)state;
	put(cap, UINT32_MAX, 4);
	assert_int_equal(get(cap, 4), 0xf4120077);
	put(cap + 4, 0, 2);
	assert_int_equal(get(cap + 4, 2), 0x7800);
	assert_int_equal(rte_vfio_user_pci_config_set(pci, cap + 2, "\xab", 1), 0);
	assert_int_equal(get(cap + 2, 1), 0xab);
}

static void
test_capabilities_fill_256_bytes_and_no_more(void **state)
{
	(void)state;
	assert_int_equal(rte_vfio_user_pci_add_cap(pci, 9, NULL, NULL, 0), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_cap(pci, 0, NULL, NULL, 4), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_cap(pci, 9, NULL, NULL, 191), -ENOSPC);
	assert_int_equal(rte_vfio_user_pci_add_cap(pci, 9, NULL, NULL, SIZE_MAX), -ENOSPC);
	assert_int_equal(rte_vfio_user_pci_add_cap(pci, 9, NULL, NULL, 188), 0x40);
	assert_int_equal(rte_vfio_user_pci_add_cap(pci, 9, NULL, NULL, 2), -ENOSPC);
	assert_int_equal(rte_vfio_user_pci_add_vendor(pci, NULL, NULL, 190), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_ext_cap(pci, 3, 1, NULL, NULL, 4), -ENOTSUP);
	assert_int_equal(rte_vfio_user_pci_add_express(pci, false), -ENOTSUP);
}

static void
test_extended_capabilities_are_chained(void **state)
{
	int serial, other;

	(void)state;
	assert_int_equal(get(0x100, 4), 0);
	serial = rte_vfio_user_pci_add_ext_cap(pci, 3, 1, "serial!", NULL, 8);
	other = rte_vfio_user_pci_add_ext_cap(pci, 0xb, 2, NULL, NULL, 3);
	assert_int_equal(serial, 0x100);
	assert_int_equal(other, 0x10c);
	assert_int_equal(get(0x100, 4), 0x10c10003);
	assert_int_equal(get(0x104, 1), 's');
	assert_int_equal(get(0x10c, 4), 0x0002000b);
	assert_int_equal(rte_vfio_user_pci_add_ext_cap(pci, 0, 1, NULL, NULL, 4), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_ext_cap(pci, 1, 16, NULL, NULL, 4), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_ext_cap(pci, 1, 1, NULL, NULL, 4096), -ENOSPC);
	assert_int_equal(rte_vfio_user_pci_add_ext_cap(pci, 1, 1, NULL, NULL, SIZE_MAX), -ENOSPC);
	assert_int_equal(rte_vfio_user_pci_add_ext_cap(pci, 1, 1, NULL, NULL, 0xee9), -ENOSPC);
	assert_int_equal(rte_vfio_user_pci_add_ext_cap(pci, 1, 1, NULL, NULL, 0xee8), 0x114);
}

static void
test_express_endpoint_resets_when_asked(void **state)
{
	uint32_t cap = (uint32_t)rte_vfio_user_pci_add_express(pci, false);

	(void)state;
	assert_int_equal(get(cap + 2, 2), 0x0002);
	assert_int_equal(get(cap + 4, 4), 0x10008000);
	put(0x3c, 11, 1);
	put(cap + 8, 0x8000, 2);
	assert_int_equal(told.nb_resets, 1);
	assert_int_equal(get(cap + 8, 2), 0x2810);
	assert_int_equal(get(0x3c, 1), 0);
}

static void
test_power_management_keeps_its_state(void **state)
{
	uint32_t cap = (uint32_t)rte_vfio_user_pci_add_pm(pci);

	(void)state;
	assert_int_equal(get(cap + 2, 2), 3);
	put(cap + 4, 0xffff, 2);
	assert_int_equal(get(cap + 4, 2), 0x000b);
	put(cap + 4, 0, 2);
	assert_int_equal(get(cap + 4, 2), 0x0008);
}

static void
test_msi_of_every_shape(void **state)
{
	static const struct {
		unsigned int nb;
		uint32_t flags;
		uint32_t control;	/* after ones */
		uint32_t data_reg, mask_reg, mask;
	} cases[] = {
		{ 1, 0, 0x0071, 8, 0, 0 },
		{ 2, RTE_VFIO_USER_PCI_MSI_64, 0x00f3, 12, 0, 0 },
		{ 4, RTE_VFIO_USER_PCI_MSI_MASK, 0x0175, 8, 12, 0xf },
		{ 32, RTE_VFIO_USER_PCI_MSI_64 | RTE_VFIO_USER_PCI_MSI_MASK, 0x01fb, 12, 16,
			0xffffffff },
	};
	unsigned int i;
	uint32_t cap;

	for (i = 0; i < RTE_DIM(cases); i++) {
		setup_plain(state);
		cap = (uint32_t)rte_vfio_user_pci_add_msi(pci, cases[i].nb, cases[i].flags);
		assert_int_equal(cap, 0x40);
		put(cap + 2, 0xffff, 2);
		assert_int_equal(get(cap + 2, 2), cases[i].control);
		put(cap + 4, UINT32_MAX, 4);
		assert_int_equal(get(cap + 4, 4), 0xfffffffc);
		put(cap + cases[i].data_reg, 0xffff, 2);
		assert_int_equal(get(cap + cases[i].data_reg, 2), 0xffff);
		if (cases[i].mask_reg != 0) {
			put(cap + cases[i].mask_reg, UINT32_MAX, 4);
			assert_int_equal(get(cap + cases[i].mask_reg, 4), cases[i].mask);
		}
		assert_int_equal(rte_vfio_user_pci_add_msi(pci, 1, 0), -EEXIST);
		teardown(state);
	}
	setup_plain(state);
	assert_int_equal(rte_vfio_user_pci_add_msi(pci, 3, 0), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_msi(pci, 0, 0), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_msi(pci, 64, 0), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_msi(pci, 1, 4), -EINVAL);
}

static void
test_msix_table_and_pending_bits_are_answered(void **state)
{
	const struct rte_vfio_user_pci_msix msix = {
		.nb_vectors = 65, .table_bar = 1, .pba_bar = 1, .table_offset = 0x800,
		.pba_offset = 0x100,
	};
	uint8_t b[16];
	uint32_t cap;

	(void)state;
	add_registers(1, 4 * KIB, 0);
	cap = (uint32_t)rte_vfio_user_pci_add_msix(pci, &msix);
	put(cap + 2, 0xffff, 2);
	assert_int_equal(get(cap + 2, 2), 0xc040);
	assert_int_equal(get(cap + 4, 4), 0x801);
	assert_int_equal(get(cap + 8, 4), 0x101);

	assert_int_equal(rte_vfio_user_pci_region_read(pci, 1, 0x80c, b, 4), 0);
	assert_memory_equal(b, "\1\0\0\0", 4);
	assert_int_equal(rte_vfio_user_pci_region_write(pci, 1, 0x800 + 64 * 16,
		"\0\0\xe0\xfe\0\0\0\0\x21\0\0\0\0\0\0\0", 16), 0);
	assert_int_equal(rte_vfio_user_pci_region_read(pci, 1, 0x800 + 64 * 16, b, 16), 0);
	assert_memory_equal(b, "\0\0\xe0\xfe\0\0\0\0\x21\0\0\0\0\0\0\0", 16);
	assert_int_equal(seen.nb, 0);
	assert_int_equal(rte_vfio_user_pci_region_read(pci, 1, 0xf8, b, 16), 0);
	assert_int_equal(seen.nb, 1);
	assert_memory_equal(b, "\x11\x22\x33\x44\x55\x66\x77\x88\0\0\0\0\0\0\0\0", 16);
}

static void
test_msix_outside_its_bar_is_refused(void **state)
{
	static const struct rte_vfio_user_pci_msix cases[] = {
		{ 0, 1, 1, 0, 0x800 }, { 2049, 1, 1, 0, 0x800 }, { 1, 0, 1, 0, 0x800 },
		{ 1, 1, 2, 0, 0x0 }, { 1, 6, 1, 0, 0x0 }, { 1, 1, 1, 4, 0x800 },
		{ 256, 1, 1, 0x8, 0 }, { 2, 1, 1, 0, 0x18 }, { 1, 1, 1, 0xfffffff8, 0 },
		{ 1, 1, 1, 0x10, 0x1000 },
	};
	static const struct rte_vfio_user_pci_msix good = { 128, 1, 1, 0x800, 0x7f0 };
	const struct rte_vfio_user_pci_bar io = { .size = 256,
		.flags = RTE_VFIO_USER_PCI_BAR_IO };
	unsigned int i;

	(void)state;
	add_registers(1, 4 * KIB, 0);
	assert_int_equal(rte_vfio_user_pci_set_bar(pci, 2, &io), 0);
	for (i = 0; i < RTE_DIM(cases); i++)
		assert_int_equal(rte_vfio_user_pci_add_msix(pci, &cases[i]), -EINVAL);
	assert_true(rte_vfio_user_pci_add_msix(pci, &good) > 0);
	assert_int_equal(rte_vfio_user_pci_add_msix(pci, &good), -EEXIST);
}

/* ---- changes, reset ---- */

static void
test_author_is_told_what_changes(void **state)
{
	(void)state;
	add_registers(1, 4 * KIB, 0);
	put(0x04, 0x0006, 2);
	assert_int_equal(told.nb_commands, 1);
	assert_int_equal(told.command, 6);
	put(0x04, 0x0006, 2);
	assert_int_equal(told.nb_commands, 1);
	put(BAR(1), 0xfe000000, 4);
	assert_int_equal(told.nb_bars, 1);
	assert_int_equal(told.bar, 1);
	assert_int_equal(told.addr, 0xfe000000);
	assert_int_equal(told.nb_writes, 3);
	assert_int_equal(told.written_off, BAR(1));
	assert_int_equal(told.written_len, 4);
}

static void
test_interrupt_status_follows_the_level(void **state)
{
	(void)state;
	assert_int_equal(rte_vfio_user_pci_intx(pci, true), 0);
	assert_int_equal(get(0x06, 2), 0x08);
	assert_int_equal(get(0x06, 1), 0x08);
	assert_int_equal(get(0x04, 4), 0x00080000);
	assert_int_equal(get(0x07, 1), 0);
	put(0x04, 0x0400, 2);
	assert_int_equal(get(0x06, 2), 0x08);
	rte_vfio_user_pci_lower(pci);
	assert_int_equal(get(0x06, 2), 0);
}

static void
test_function_without_pin_has_no_level(void **state)
{
	struct rte_vfio_user_pci_info info = plain_info;
	struct rte_vfio_user_pci *mute;

	(void)state;
	info.interrupt_pin = 0;
	assert_int_equal(rte_vfio_user_pci_create(&info, NULL, NULL, &mute), 0);
	assert_int_equal(rte_vfio_user_pci_intx(mute, true), -ENOTSUP);
	assert_int_equal(rte_vfio_user_pci_raise(mute, 0), -ENOTCONN);
	rte_vfio_user_pci_free(mute);
}

static void
test_message_stays_pending_while_masked(void **state)
{
	uint32_t cap = (uint32_t)rte_vfio_user_pci_add_msi(pci, 4, RTE_VFIO_USER_PCI_MSI_MASK);

	(void)state;
	assert_int_equal(rte_vfio_user_pci_message(pci, 0), -ENOTCONN);
	assert_int_equal(rte_vfio_user_pci_message(pci, 4), -EINVAL);
	put(cap + 2, 0x21, 2);
	put(cap + 12, 0x6, 4);
	assert_int_equal(rte_vfio_user_pci_message(pci, 2), 0);
	assert_int_equal(get(cap + 16, 4), 0x4);
	/* with two vectors given, the last of four is the second */
	put(cap + 2, 0x11, 2);
	assert_int_equal(rte_vfio_user_pci_message(pci, 3), 0);
	assert_int_equal(get(cap + 16, 4), 0x6);
}

static void
test_reset_brings_back_the_beginning(void **state)
{
	uint32_t cap = (uint32_t)rte_vfio_user_pci_add_express(pci, true);

	(void)state;
	add_registers(1, 4 * KIB, 0);
	put(0x04, 0x0407, 2);
	put(BAR(1), 0xfe000000, 4);
	assert_int_equal(rte_vfio_user_pci_intx(pci, true), 0);
	put(cap + 8, 0x8000, 2);
	assert_int_equal(told.nb_resets, 1);
	assert_int_equal(told.command, 0);
	assert_int_equal(told.addr, 0);
	assert_int_equal(get(0x04, 4), 0x00100000);
	assert_int_equal(get(0x34, 1), cap);
	assert_int_equal(get(BAR(1), 4), 0);
}

static void
test_memory_of_the_client_needs_a_client(void **state)
{
	uint8_t b[4];

	(void)state;
	assert_int_equal(rte_vfio_user_pci_dma_read(pci, 0, b, 4), -ENODEV);
	assert_int_equal(rte_vfio_user_pci_dma_write(pci, 0, b, 4), -ENODEV);
}

#define PLAIN(test) cmocka_unit_test_setup_teardown(test, setup_plain, teardown)
#define EXPRESS(test) cmocka_unit_test_setup_teardown(test, setup_express, teardown)

static const struct CMUnitTest tests[] = {
	PLAIN(test_header_tells_what_the_function_is),
	PLAIN(test_only_some_bits_of_the_header_can_be_written),
	PLAIN(test_a_function_that_cannot_be_is_refused),
	PLAIN(test_configuration_space_ends),
	PLAIN(test_priv_is_the_authors),
	cmocka_unit_test_teardown(test_bar_tells_its_size, teardown),
	PLAIN(test_bar_holds_its_address),
	PLAIN(test_bar_is_written_byte_by_byte_too),
	PLAIN(test_bars_that_cannot_be_are_refused),
	PLAIN(test_bar_registers_are_given_once),
	PLAIN(test_rom_tells_its_size_and_ends_in_ones),
	PLAIN(test_registers_are_accessed_aligned),
	PLAIN(test_registers_are_little_endian),
	PLAIN(test_accesses_outside_a_bar_are_refused),
	PLAIN(test_bar_without_registers_and_memory_reads_as_ones),
	PLAIN(test_access_over_the_edge_of_a_window_goes_both_ways),
	PLAIN(test_capabilities_are_chained_in_order),
	PLAIN(test_capability_is_written_where_its_author_permits),
	PLAIN(test_capabilities_fill_256_bytes_and_no_more),
	EXPRESS(test_extended_capabilities_are_chained),
	EXPRESS(test_express_endpoint_resets_when_asked),
	PLAIN(test_power_management_keeps_its_state),
	cmocka_unit_test_teardown(test_msi_of_every_shape, teardown),
	PLAIN(test_msix_table_and_pending_bits_are_answered),
	PLAIN(test_msix_outside_its_bar_is_refused),
	PLAIN(test_author_is_told_what_changes),
	PLAIN(test_interrupt_status_follows_the_level),
	PLAIN(test_function_without_pin_has_no_level),
	PLAIN(test_message_stays_pending_while_masked),
	EXPRESS(test_reset_brings_back_the_beginning),
	PLAIN(test_memory_of_the_client_needs_a_client),
};

TEST_SUITE(vu_pci, "unit", tests, NULL, NULL)
