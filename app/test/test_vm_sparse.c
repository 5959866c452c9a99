/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Devices whose owner permits windows: the kernel module sparse_vfio_pci. What the bus has mapped
 * is read from /proc/self/maps, and what every byte holds by three ways: through the window, by
 * rte_pci_mmio_read(), and by pread() on the file of the device.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_bus_pci.h>

#include "test.h"
#include "vm.h"
#include "vm_bus.h"

#define PAGE 4096u
#define SPANS_MAX 16

/* plain memory of 1 MiB */
#define IVSHMEM 0x1af4, 0x1110
#define IVSHMEM_BAR 2
#define IVSHMEM_SIZE (1u << 20)
/* registers, which answer to aligned words only */
#define EDU 0x1234, 0x11e8
/* 16 KiB of registers, with the MSI-X table at 0x2000 */
#define NVME 0x1b36, 0x0010
#define NVME_SIZE 0x4000u
#define NVME_MSIX_TABLE 0x2000u
#define NVME_MSIX_VECTORS 65u
#define MSIX_ENTRY_SIZE 16u

static struct rte_pci_device *
probe_sparse(uint16_t vendor, uint16_t device, const char *windows)
{
	struct rte_pci_device *dev;
	char bdf[VM_BDF_LEN];

	assert_true(vm_find(vendor, device, bdf));
	assert_int_equal(vm_sparse_windows(windows), 0);
	dev = vm_bus_probe(bdf, "sparse-vfio-pci", "");
	assert_non_null(dev);
	return dev;
}

static void
assert_mapped(const struct rte_pci_device *dev, unsigned int bar, const char *name,
		const struct vm_span *expected, size_t nb)
{
	struct vm_span span[SPANS_MAX];
	size_t i, found = vm_mapped_spans(rte_dev_name(&dev->device), bar, span, SPANS_MAX);

	if (found != nb)
		fail_msg("%s: %zu spans mapped, %zu expected", name, found, nb);
	for (i = 0; i < nb; i++)
		if (span[i].off != expected[i].off || span[i].len != expected[i].len)
			fail_msg("%s: span %zu is [%#" PRIx64 ", +%#" PRIx64 ")", name, i,
				span[i].off, span[i].len);
}

/* Everything of the BAR's reservation that is no window: not accessible, and not of a file. */
static void
assert_holes_closed(const struct rte_pci_device *dev, unsigned int bar,
		const struct vm_span *window, size_t nb)
{
	uint8_t *base = dev->mem_resource[bar].addr;
	uint64_t off = 0;
	size_t i;

	for (i = 0; i <= nb && base != NULL; i++) {
		uint64_t end = i < nb ? window[i].off : RTE_ALIGN(dev->mem_resource[bar].len, PAGE);

		assert_true(vm_inaccessible(base + off, end - off));
		if (i < nb)
			off = window[i].off + window[i].len;
	}
}

static void
remove_and_see_it_gone(struct rte_pci_device *dev, unsigned int bar)
{
	struct vm_span span[SPANS_MAX];
	char bdf[VM_BDF_LEN];

	snprintf(bdf, sizeof(bdf), "%s", rte_dev_name(&dev->device));
	assert_int_equal(vm_bus_remove(dev), 0);
	assert_int_equal(vm_mapped_spans(bdf, bar, span, SPANS_MAX), 0);
	assert_null(vm_bus_find(bdf));
}

struct window_case {
	const char *name;
	const char *windows;
	size_t nb;
	struct vm_span mapped[4];
};

static const struct window_case memory_cases[] = {
	{ "not sparse", "", 1, { { 0, IVSHMEM_SIZE } } },
	{ "at the start", "2:0+0x1000", 1, { { 0, 0x1000 } } },
	{ "in the middle", "2:0x80000+0x3000", 1, { { 0x80000, 0x3000 } } },
	{ "at the end", "2:0xfe000+0x2000", 1, { { 0xfe000, 0x2000 } } },
	{ "several", "2:0+0x1000,0x2000+0x1000,0x80000+0x4000,0xff000+0x1000", 4,
		{ { 0, 0x1000 }, { 0x2000, 0x1000 }, { 0x80000, 0x4000 }, { 0xff000, 0x1000 } } },
	{ "in no order", "2:0x9000+0x1000,0x1000+0x1000", 2,
		{ { 0x1000, 0x1000 }, { 0x9000, 0x1000 } } },
	{ "adjacent", "2:0x1000+0x1000,0x2000+0x2000", 1, { { 0x1000, 0x3000 } } },
	{ "overlapping", "2:0x1000+0x2000,0x2000+0x2000", 1, { { 0x1000, 0x3000 } } },
	{ "one inside another", "2:0x1000+0x4000,0x2000+0x1000", 1, { { 0x1000, 0x4000 } } },
	{ "all of it", "2:0+0x100000", 1, { { 0, IVSHMEM_SIZE } } },
	{ "all but a page", "2:0+0x7f000,0x80000+0x80000", 2,
		{ { 0, 0x7f000 }, { 0x80000, 0x80000 } } },
	{ "empty list", "2:", 0, { { 0, 0 } } },
	{ "of no length", "2:0x1000+0", 0, { { 0, 0 } } },
	{ "both ends unaligned", "2:0x1800+0x3000", 1, { { 0x2000, 0x2000 } } },
	{ "start unaligned", "2:0x1001+0x1fff", 1, { { 0x2000, 0x1000 } } },
	{ "end unaligned", "2:0x1000+0x1fff", 1, { { 0x1000, 0x1000 } } },
	{ "less than a page", "2:0x1800+0x400", 0, { { 0, 0 } } },
	{ "more than a page, none whole", "2:0x1800+0x1000", 0, { { 0, 0 } } },
	{ "halves of one page", "2:0x1000+0x800,0x1800+0x800", 1, { { 0x1000, 0x1000 } } },
	/* an owner that claims what cannot be is not believed at all */
	{ "past the end", "2:0+0x1000,0xff000+0x10000", 0, { { 0, 0 } } },
	{ "behind the end", "2:0x100000+0x1000", 0, { { 0, 0 } } },
	{ "wrapping around", "2:0xff000+0xfffffffffffff000", 0, { { 0, 0 } } },
};

static void
test_exactly_the_windows_are_mapped(void **state)
{
	const struct window_case *c;
	struct rte_pci_device *dev;
	unsigned int refused;

	for (c = memory_cases; c < memory_cases + RTE_DIM(memory_cases); c++) {
		refused = vm_sparse_refused();
		dev = probe_sparse(IVSHMEM, c->windows);
		assert_mapped(dev, IVSHMEM_BAR, c->name, c->mapped, c->nb);
		assert_holes_closed(dev, IVSHMEM_BAR, c->mapped, c->nb);
		assert_int_equal(dev->mem_resource[IVSHMEM_BAR].len, IVSHMEM_SIZE);
		assert_int_equal(dev->mem_resource[IVSHMEM_BAR].addr != NULL, c->nb > 0);
		/* what is not permitted is not even tried */
		assert_int_equal(vm_sparse_refused(), refused);
		remove_and_see_it_gone(dev, IVSHMEM_BAR);
	}
}

static void
fill(uint8_t *buf, size_t len, uint32_t seed)
{
	size_t i;

	for (i = 0; i < len; i++) {
		seed = seed * 1664525u + 1013904223u;
		buf[i] = (uint8_t)(seed >> 24);
	}
}

static void
assert_windows_show(const struct rte_pci_device *dev, const struct window_case *c,
		const uint8_t *expected)
{
	const uint8_t *base = dev->mem_resource[IVSHMEM_BAR].addr;
	size_t i;

	for (i = 0; i < c->nb; i++)
		assert_memory_equal(base + c->mapped[i].off, expected + c->mapped[i].off,
			c->mapped[i].len);
}

/* Short accesses that begin before, at and behind an edge, aligned or not. */
static void
assert_edge_reads(const struct rte_pci_device *dev, uint64_t edge, const uint8_t *expected)
{
	static const size_t lengths[] = { 1, 2, 3, 4, 7, 8, 16, 4096, 5000 };
	uint64_t first = edge < 9 ? 0 : edge - 9;
	uint8_t got[5000];
	uint64_t off;
	size_t i;

	for (off = first; off < edge + 9; off++) {
		for (i = 0; i < RTE_DIM(lengths); i++) {
			if (off > IVSHMEM_SIZE || lengths[i] > IVSHMEM_SIZE - off)
				continue;
			assert_int_equal(rte_pci_mmio_read(dev, IVSHMEM_BAR, got, lengths[i],
				(off_t)off), lengths[i]);
			assert_memory_equal(got, expected + off, lengths[i]);
		}
	}
}

static void
test_every_byte_reads_the_same_three_ways(void **state)
{
	uint8_t *expected = malloc(IVSHMEM_SIZE);
	uint8_t *got = malloc(IVSHMEM_SIZE);
	const struct window_case *c;
	struct rte_pci_device *dev;
	uint32_t seed = 1;
	size_t i;

	assert_non_null(expected);
	assert_non_null(got);
	for (c = memory_cases; c < memory_cases + RTE_DIM(memory_cases); c++) {
		dev = probe_sparse(IVSHMEM, c->windows);
		fill(expected, IVSHMEM_SIZE, seed++);
		assert_int_equal(vm_bus_pwrite(dev, IVSHMEM_BAR, expected, IVSHMEM_SIZE, 0), 0);
		assert_windows_show(dev, c, expected);
		assert_int_equal(rte_pci_mmio_read(dev, IVSHMEM_BAR, got, IVSHMEM_SIZE, 0),
			IVSHMEM_SIZE);
		assert_memory_equal(got, expected, IVSHMEM_SIZE);
		assert_int_equal(vm_bus_pread(dev, IVSHMEM_BAR, got, IVSHMEM_SIZE, 0,
			IVSHMEM_SIZE), 0);
		assert_memory_equal(got, expected, IVSHMEM_SIZE);
		for (i = 0; i < c->nb; i++) {
			assert_edge_reads(dev, c->mapped[i].off, expected);
			assert_edge_reads(dev, c->mapped[i].off + c->mapped[i].len, expected);
		}
		assert_int_equal(vm_bus_remove(dev), 0);
	}
	free(got);
	free(expected);
}

static void
test_every_byte_written_by_the_helper_is_seen_by_window_and_pread(void **state)
{
	uint8_t *expected = malloc(IVSHMEM_SIZE);
	uint8_t *got = malloc(IVSHMEM_SIZE);
	const struct window_case *c;
	struct rte_pci_device *dev;
	uint32_t seed = 1000;

	assert_non_null(expected);
	assert_non_null(got);
	for (c = memory_cases; c < memory_cases + RTE_DIM(memory_cases); c++) {
		dev = probe_sparse(IVSHMEM, c->windows);
		fill(expected, IVSHMEM_SIZE, seed++);
		assert_int_equal(rte_pci_mmio_write(dev, IVSHMEM_BAR, expected, IVSHMEM_SIZE, 0),
			IVSHMEM_SIZE);
		assert_windows_show(dev, c, expected);
		assert_int_equal(vm_bus_pread(dev, IVSHMEM_BAR, got, IVSHMEM_SIZE, 0,
			IVSHMEM_SIZE), 0);
		assert_memory_equal(got, expected, IVSHMEM_SIZE);
		assert_int_equal(vm_bus_remove(dev), 0);
	}
	free(got);
	free(expected);
}

static void
test_a_bar_smaller_than_a_page_is_mapped_when_it_is_permitted_whole(void **state)
{
	static const struct vm_span page = { 0, PAGE };
	struct rte_pci_device *dev = probe_sparse(IVSHMEM, "0:0+0x100");

	assert_mapped(dev, 0, "0:0+0x100", &page, 1);
	assert_int_equal(dev->mem_resource[0].len, 0x100);
	remove_and_see_it_gone(dev, 0);
}

static void
test_windows_of_one_bar_leave_the_others_whole(void **state)
{
	static const struct vm_span window = { 0x1000, 0x1000 }, page = { 0, PAGE };
	struct rte_pci_device *dev = probe_sparse(IVSHMEM, "2:0x1000+0x1000");

	assert_mapped(dev, 0, "BAR 0", &page, 1);
	assert_mapped(dev, IVSHMEM_BAR, "BAR 2", &window, 1);
	remove_and_see_it_gone(dev, IVSHMEM_BAR);
}

/* offsets of registers of edu that have no side effect: docs/specs/edu.rst */
static const uint64_t edu_words[] = { 0x00, 0x04, 0x08, 0x20, 0x24 };

static const struct window_case edu_cases[] = {
	{ "registers trapped", "0:0x1000+0x1000", 1, { { 0x1000, 0x1000 } } },
	{ "registers mapped", "0:0+0x1000", 1, { { 0, 0x1000 } } },
	{ "empty list", "0:", 0, { { 0, 0 } } },
};

static uint32_t
edu_load(const struct rte_pci_device *dev, const struct window_case *c, uint64_t off)
{
	uint32_t value = 0;

	if (c->nb == 0 || off < c->mapped[0].off || off - c->mapped[0].off >= c->mapped[0].len)
		assert_int_equal(rte_pci_mmio_read(dev, 0, &value, 4, (off_t)off), 4);
	else
		value = *(const volatile uint32_t *)RTE_PTR_ADD(dev->mem_resource[0].addr, off);
	return value;
}

static void
assert_word_same(const struct rte_pci_device *dev, const struct window_case *c, uint64_t off)
{
	uint32_t by_helper = 0, by_pread = 0;

	assert_int_equal(rte_pci_mmio_read(dev, 0, &by_helper, 4, (off_t)off), 4);
	assert_int_equal(vm_bus_pread(dev, 0, &by_pread, 4, off, 4), 0);
	assert_int_equal(by_helper, by_pread);
	assert_int_equal(edu_load(dev, c, off), by_pread);
}

static void
test_registers_answer_the_same_mapped_and_trapped(void **state)
{
	const struct window_case *c;
	struct rte_pci_device *dev;
	uint32_t value = 0x12345678;
	uint64_t off;
	size_t i;

	for (c = edu_cases; c < edu_cases + RTE_DIM(edu_cases); c++) {
		dev = probe_sparse(EDU, c->windows);
		assert_mapped(dev, 0, c->name, c->mapped, c->nb);
		/* the register of liveness shows what is written to it, inverted */
		assert_int_equal(rte_pci_mmio_write(dev, 0, &value, 4, 4), 4);
		for (i = 0; i < RTE_DIM(edu_words); i++)
			assert_word_same(dev, c, edu_words[i]);
		for (off = 0x200; off < dev->mem_resource[0].len; off += PAGE / 2)
			assert_word_same(dev, c, off);
		assert_int_equal(edu_load(dev, c, 0) & 0xff, 0xed);
		assert_int_equal(edu_load(dev, c, 4), ~value);
		remove_and_see_it_gone(dev, 0);
		value += 0x01010101;
	}
}

static const struct {
	struct window_case windows;
	bool mappable;
} msix_cases[] = {
	{ { "table in a window of its own", "0:0x2000+0x1000", 1, { { 0x2000, 0x1000 } } }, true },
	{ { "table inside a window", "0:0x1000+0x3000", 1, { { 0x1000, 0x3000 } } }, true },
	{ { "table in no window", "0:0+0x2000", 1, { { 0, 0x2000 } } }, true },
	{ { "all of it", "0:0+0x4000", 1, { { 0, 0x4000 } } }, true },
	{ { "table inside, its page not mappable", "0:0x1000+0x3000", 2,
		{ { 0x1000, 0x1000 }, { 0x3000, 0x1000 } } }, false },
	{ { "only the table, not mappable", "0:0x2000+0x1000", 0, { { 0, 0 } } }, false },
};

static bool
in_msix_table(uint64_t off)
{
	return off >= NVME_MSIX_TABLE &&
		off - NVME_MSIX_TABLE < NVME_MSIX_VECTORS * MSIX_ENTRY_SIZE;
}

static void
assert_nvme_reads(const struct rte_pci_device *dev, const struct window_case *c)
{
	const uint8_t *base = dev->mem_resource[0].addr;
	uint32_t by_helper = 0, by_pread = 0, by_window;
	uint64_t off;
	size_t i;

	for (off = 0; off < NVME_SIZE; off += 4) {
		/* of the MSI-X table, calls show ones: the kernel keeps it to itself */
		assert_int_equal(vm_bus_pread(dev, 0, &by_pread, 4, off, 4), 0);
		if (in_msix_table(off))
			assert_int_equal(by_pread, UINT32_MAX);
		assert_int_equal(rte_pci_mmio_read(dev, 0, &by_helper, 4, (off_t)off), 4);
		by_window = by_pread;
		for (i = 0; i < c->nb; i++)
			if (off >= c->mapped[i].off && off - c->mapped[i].off < c->mapped[i].len)
				by_window = *(const volatile uint32_t *)(base + off);
		assert_int_equal(by_helper, by_window);
		if (!in_msix_table(off))
			assert_int_equal(by_helper, by_pread);
	}
}

static void
test_msix_table_inside_a_window(void **state)
{
	struct rte_pci_device *dev;
	size_t i;

	for (i = 0; i < RTE_DIM(msix_cases); i++) {
		assert_int_equal(vm_sparse_msix_mappable(msix_cases[i].mappable), 0);
		dev = probe_sparse(NVME, msix_cases[i].windows.windows);
		assert_int_equal(dev->mem_resource[0].len, NVME_SIZE);
		assert_mapped(dev, 0, msix_cases[i].windows.name, msix_cases[i].windows.mapped,
			msix_cases[i].windows.nb);
		assert_nvme_reads(dev, &msix_cases[i].windows);
		remove_and_see_it_gone(dev, 0);
	}
	assert_int_equal(vm_sparse_msix_mappable(true), 0);
}

static void
test_accesses_past_the_end_are_refused(void **state)
{
	static const struct {
		int bar;
		size_t len;
		off_t off;
	} refused[] = {
		{ IVSHMEM_BAR, 1, IVSHMEM_SIZE },
		{ IVSHMEM_BAR, 2, IVSHMEM_SIZE - 1 },
		{ IVSHMEM_BAR, IVSHMEM_SIZE, 1 },
		{ IVSHMEM_BAR, 1, -1 },
		{ -1, 4, 0 },
		{ 1, 4, 0 },
		{ 6, 4, 0 },
	};
	struct rte_pci_device *dev = probe_sparse(IVSHMEM, "2:0xff000+0x1000");
	uint32_t word;
	size_t i;

	for (i = 0; i < RTE_DIM(refused); i++)
		assert_true(rte_pci_mmio_read(dev, refused[i].bar, &word, refused[i].len,
			refused[i].off) < 0);
	assert_int_equal(vm_bus_remove(dev), 0);
}

static const struct CMUnitTest tests[] = {
	VM_BUS_TEST(test_exactly_the_windows_are_mapped),
	VM_BUS_TEST(test_every_byte_reads_the_same_three_ways),
	VM_BUS_TEST(test_every_byte_written_by_the_helper_is_seen_by_window_and_pread),
	VM_BUS_TEST(test_a_bar_smaller_than_a_page_is_mapped_when_it_is_permitted_whole),
	VM_BUS_TEST(test_windows_of_one_bar_leave_the_others_whole),
	VM_BUS_TEST(test_registers_answer_the_same_mapped_and_trapped),
	VM_BUS_TEST(test_msix_table_inside_a_window),
	VM_BUS_TEST(test_accesses_past_the_end_are_refused),
};

TEST_SUITE(vm_sparse, "vm", tests, vm_bus_setup, vm_bus_teardown)
