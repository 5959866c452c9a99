/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_vfio_user_pci.h>

#include "test.h"
#include "vu_function.h"

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
		vu_function_setup(state);
		vu_function_add_registers(sizings[i].bar, sizings[i].size, sizings[i].flags);
		vu_function_put(BAR(sizings[i].bar), UINT32_MAX, 4);
		vu_function_put(BAR(sizings[i].bar) + 4, UINT32_MAX, 4);
		assert_int_equal(vu_function_get(BAR(sizings[i].bar), 4), sizings[i].low);
		if (sizings[i].bar < 5)
			assert_int_equal(vu_function_get(BAR(sizings[i].bar) + 4, 4),
				sizings[i].high);
		vu_function_put(BAR(sizings[i].bar), 0, 4);
		assert_int_equal(vu_function_get(BAR(sizings[i].bar), 4), sizings[i].low & 0xf &
			(sizings[i].flags & RTE_VFIO_USER_PCI_BAR_IO ? 0x3 : 0xf));
		vu_function_teardown(state);
	}
	vu_function_setup(state);
}

static void
test_bar_holds_its_address(void **state)
{
	(void)state;
	vu_function_add_registers(0, MIB, RTE_VFIO_USER_PCI_BAR_64);
	vu_function_add_registers(2, 8, RTE_VFIO_USER_PCI_BAR_IO);
	vu_function_put(BAR(0), 0xfeb12345, 4);
	vu_function_put(BAR(1), 0x12, 4);
	vu_function_put(BAR(2), 0xc04d, 4);
	assert_int_equal(rte_vfio_user_pci_bar_addr(vu_function, 0), UINT64_C(0x12feb00000));
	assert_int_equal(rte_vfio_user_pci_bar_addr(vu_function, 2), 0xc048);
	assert_int_equal(rte_vfio_user_pci_bar_addr(vu_function, 1), 0);
	assert_int_equal(rte_vfio_user_pci_bar_addr(vu_function, 6), 0);
}

static void
test_bar_is_written_byte_by_byte_too(void **state)
{
	(void)state;
	vu_function_add_registers(0, 4 * KIB, 0);
	vu_function_put(BAR(0) + 1, 0xab, 1);
	vu_function_put(BAR(0) + 2, 0xfeb1, 2);
	assert_int_equal(vu_function_get(BAR(0), 4), 0xfeb1a000);
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
	assert_int_equal(rte_vfio_user_pci_set_bar(vu_function, 0, NULL), -EINVAL);
	for (i = 0; i < RTE_DIM(cases); i++)
		assert_int_equal(rte_vfio_user_pci_set_bar(vu_function, cases[i].bar,
			&cases[i].desc),
			-EINVAL);
}

static void
test_bar_registers_are_given_once(void **state)
{
	const struct rte_vfio_user_pci_bar narrow = { .size = 16 };
	const struct rte_vfio_user_pci_bar wide = { .size = 16,
		.flags = RTE_VFIO_USER_PCI_BAR_64 };

	(void)state;
	assert_int_equal(rte_vfio_user_pci_set_bar(vu_function, 2, &wide), 0);
	assert_int_equal(rte_vfio_user_pci_set_bar(vu_function, 2, &narrow), -EEXIST);
	assert_int_equal(rte_vfio_user_pci_set_bar(vu_function, 3, &narrow), -EEXIST);
	assert_int_equal(rte_vfio_user_pci_set_bar(vu_function, 1, &wide), -EEXIST);
	assert_int_equal(rte_vfio_user_pci_set_bar(vu_function, 1, &narrow), 0);
}

static void
test_rom_tells_its_size_and_ends_in_ones(void **state)
{
	static const uint8_t image[3] = { 0x55, 0xaa, 0x05 };
	uint8_t b[4];

	(void)state;
	assert_int_equal(rte_vfio_user_pci_set_rom(vu_function, image, 0), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_set_rom(vu_function, image, sizeof(image)), 0);
	assert_int_equal(rte_vfio_user_pci_set_rom(vu_function, image, sizeof(image)), -EEXIST);
	vu_function_put(0x30, 0xfffff800, 4);
	assert_int_equal(vu_function_get(0x30, 4), 0xfffff800);
	vu_function_put(0x30, UINT32_MAX, 4);
	assert_int_equal(vu_function_get(0x30, 4), 0xfffff801);
	assert_int_equal(rte_vfio_user_pci_region_read(vu_function, VFIO_PCI_ROM_REGION_INDEX, 0, b,
		4), 0);
	assert_memory_equal(b, "\x55\xaa\x05\xff", 4);
	assert_int_equal(rte_vfio_user_pci_region_read(vu_function, VFIO_PCI_ROM_REGION_INDEX, 2046,
		b, 4),
		-EINVAL);
	assert_int_equal(rte_vfio_user_pci_region_write(vu_function, VFIO_PCI_ROM_REGION_INDEX, 0,
		b, 4),
		-EPERM);
}

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
	vu_function_add_registers(0, 256, 0);
	for (i = 0; i < RTE_DIM(cases); i++) {
		vu_function_seen.nb = 0;
		assert_int_equal(rte_vfio_user_pci_region_read(vu_function, 0, cases[i].off, b,
			cases[i].len), 0);
		assert_int_equal(vu_function_seen.nb, cases[i].nb);
		assert_int_equal(vu_function_seen.width, cases[i].last_width);
		assert_int_equal(b[0], 0x11);
		vu_function_seen.nb = 0;
		assert_int_equal(rte_vfio_user_pci_region_write(vu_function, 0, cases[i].off, b,
			cases[i].len), 0);
		assert_int_equal(vu_function_seen.nb, cases[i].nb);
	}
}

static void
test_registers_are_little_endian(void **state)
{
	static const uint8_t in[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t b[8];

	(void)state;
	vu_function_add_registers(0, 256, 0);
	assert_int_equal(rte_vfio_user_pci_region_write(vu_function, 0, 8, in, 8), 0);
	assert_int_equal(vu_function_seen.value, UINT64_C(0x0807060504030201));
	assert_int_equal(rte_vfio_user_pci_region_write(vu_function, 0, 8, in, 2), 0);
	assert_int_equal(vu_function_seen.value, 0x0201);
	assert_int_equal(rte_vfio_user_pci_region_read(vu_function, 0, 0, b, 8), 0);
	assert_memory_equal(b, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
}

static void
test_accesses_outside_a_bar_are_refused(void **state)
{
	uint8_t b[8];

	(void)state;
	vu_function_add_registers(0, 256, 0);
	assert_int_equal(rte_vfio_user_pci_region_read(vu_function, 0, 253, b, 4), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_region_write(vu_function, 0, UINT64_MAX, b, 4), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_region_read(vu_function, 1, 0, b, 1), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_region_read(vu_function, 99, 0, b, 1), -EINVAL);
	assert_int_equal(vu_function_seen.nb, 0);
}

static void
test_bar_without_registers_and_memory_reads_as_ones(void **state)
{
	const struct rte_vfio_user_pci_bar desc = { .size = 16 };
	uint8_t b[4] = { 0 };

	(void)state;
	assert_int_equal(rte_vfio_user_pci_set_bar(vu_function, 0, &desc), 0);
	assert_int_equal(rte_vfio_user_pci_region_write(vu_function, 0, 0, b, 4), 0);
	assert_int_equal(rte_vfio_user_pci_region_read(vu_function, 0, 0, b, 4), 0);
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
		.read = vu_function_read, .write = vu_function_write,
		.base = memory, .areas = &window, .nb_areas = 1,
	};
	uint8_t b[16];

	(void)state;
	memset(memory, 0xee, sizeof(memory));
	assert_int_equal(rte_vfio_user_pci_set_bar(vu_function, 0, &desc), 0);
	assert_int_equal(rte_vfio_user_pci_region_read(vu_function, 0, 0xffc, b, 8), 0);
	assert_memory_equal(b, "\x11\x22\x33\x44\xee\xee\xee\xee", 8);
	assert_int_equal(rte_vfio_user_pci_region_read(vu_function, 0, 0x1ffc, b, 8), 0);
	assert_memory_equal(b, "\xee\xee\xee\xee\x11\x22\x33\x44", 8);
	vu_function_seen.nb = 0;
	assert_int_equal(rte_vfio_user_pci_region_write(vu_function, 0, 0x1800, "\1\2\3\4\5\6\7\10",
		8), 0);
	assert_memory_equal(&memory[0x1800], "\1\2\3\4\5\6\7\10", 8);
	assert_int_equal(vu_function_seen.nb, 0);
	assert_int_equal(rte_vfio_user_pci_region_write(vu_function, 0, 0x2000, "\1\2\3\4", 4), 0);
	assert_int_equal(vu_function_seen.offset, 0x2000);
	assert_int_equal(memory[0x2000], 0xee);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_teardown(test_bar_tells_its_size, vu_function_teardown),
	VU_FUNCTION_TEST(test_bar_holds_its_address),
	VU_FUNCTION_TEST(test_bar_is_written_byte_by_byte_too),
	VU_FUNCTION_TEST(test_bars_that_cannot_be_are_refused),
	VU_FUNCTION_TEST(test_bar_registers_are_given_once),
	VU_FUNCTION_TEST(test_rom_tells_its_size_and_ends_in_ones),
	VU_FUNCTION_TEST(test_registers_are_accessed_aligned),
	VU_FUNCTION_TEST(test_registers_are_little_endian),
	VU_FUNCTION_TEST(test_accesses_outside_a_bar_are_refused),
	VU_FUNCTION_TEST(test_bar_without_registers_and_memory_reads_as_ones),
	VU_FUNCTION_TEST(test_access_over_the_edge_of_a_window_goes_both_ways),
};

TEST_SUITE(vu_pci_bar, "unit", tests, NULL, NULL)
