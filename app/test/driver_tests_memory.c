/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * BAR 2, plain memory: every byte is reached by calls and shows the same by each width, and what
 * is mapped by pointer too.
 */

#include <errno.h>
#include <string.h>

#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_eal_paging.h>

#include "driver_tests.h"

#define BAR 2
#define SIZE (UINT64_C(64) << 10)

static void
put(const struct driver_device *d, uint64_t offset, const void *buf, size_t len)
{
	assert_int_equal(rte_pci_mmio_write(d->dev, BAR, buf, len, (off_t)offset), len);
}

static void
get(const struct driver_device *d, uint64_t offset, void *buf, size_t len)
{
	memset(buf, 0, len);
	assert_int_equal(rte_pci_mmio_read(d->dev, BAR, buf, len, (off_t)offset), len);
}

/* Where something begins or ends: the BAR, a window, a page. */
static uint64_t
place(const struct driver_device *d, unsigned int number)
{
	const struct rte_pci_bar_window *window = &d->of->transport->window;
	const uint64_t places[] = {
		0, 0x1000, window->offset, window->offset + window->size / 2,
		window->offset + window->size, SIZE,
	};

	return places[number];
}

#define PLACES 6u

/* The start of a range that has the place in its middle, and is in the BAR. */
static uint64_t
around(uint64_t middle, size_t len)
{
	if (middle < len / 2)
		return 0;
	return RTE_MIN(middle - len / 2, SIZE - len);
}

static void
the_bar_is_memory_from_end_to_end(struct driver_device *d)
{
	static uint8_t out[SIZE], in[SIZE];

	driver_fill(out, sizeof(out), 1);
	put(d, 0, out, sizeof(out));
	get(d, 0, in, sizeof(in));
	assert_memory_equal(in, out, sizeof(out));
}

/* Bytes that were written one by one, read by every width. */
static void
read_by_width(const struct driver_device *d, uint64_t start, const uint8_t *bytes, size_t len,
	size_t width)
{
	uint8_t in[16];
	size_t i;

	for (i = 0; i + width <= len; i++) {
		get(d, start + i, in, width);
		assert_memory_equal(in, bytes + i, width);
	}
}

static void
bytes_show_by_every_width_aligned_or_not(struct driver_device *d)
{
	static const size_t widths[] = { 1, 2, 3, 4, 7, 8, 16 };
	uint8_t bytes[32];
	unsigned int at;
	uint64_t start;
	size_t i;

	for (at = 0; at < PLACES; at++) {
		start = around(place(d, at), sizeof(bytes));
		driver_fill(bytes, sizeof(bytes), at);
		for (i = 0; i < sizeof(bytes); i++)
			put(d, start + i, &bytes[i], 1);
		for (i = 0; i < RTE_DIM(widths); i++)
			read_by_width(d, start, bytes, sizeof(bytes), widths[i]);
	}
}

/* A write at each offset leaves its neighbours alone. */
static void
write_by_width(const struct driver_device *d, uint64_t start, size_t width)
{
	uint8_t expected[32], value[16], in[32];
	size_t i;

	for (i = 0; i + width <= sizeof(expected); i++) {
		driver_fill(expected, sizeof(expected), 2);
		put(d, start, expected, sizeof(expected));
		driver_fill(value, width, (unsigned int)(3 + i));
		put(d, start + i, value, width);
		memcpy(expected + i, value, width);
		get(d, start, in, sizeof(in));
		assert_memory_equal(in, expected, sizeof(in));
	}
}

static void
writes_of_every_width_leave_neighbours_alone(struct driver_device *d)
{
	static const size_t widths[] = { 1, 2, 3, 4, 7, 8, 16 };
	unsigned int at;
	size_t i;

	for (at = 0; at < PLACES; at++)
		for (i = 0; i < RTE_DIM(widths); i++)
			write_by_width(d, around(place(d, at), 32), widths[i]);
}

static void
the_end_of_the_memory_is_kept(struct driver_device *d)
{
	uint8_t buf[8] = { 0 };

	assert_int_equal(rte_pci_mmio_read(d->dev, BAR, buf, 1, (off_t)SIZE), -EINVAL);
	assert_int_equal(rte_pci_mmio_read(d->dev, BAR, buf, 8, (off_t)SIZE - 7), -EINVAL);
	assert_int_equal(rte_pci_mmio_write(d->dev, BAR, buf, 2, (off_t)SIZE - 1), -EINVAL);
	assert_int_equal(rte_pci_mmio_write(d->dev, BAR, buf, 8, (off_t)SIZE - 8), 8);
}

/* ---- what is mapped ---- */

static void
exactly_the_window_is_mapped(struct driver_device *d)
{
	const struct rte_pci_bar_window *expected = &d->of->transport->window;
	struct rte_pci_bar_window window[2];
	struct rte_pci_bar_info info;

	assert_int_equal(rte_pci_bar_info_get(d->dev, BAR, &info), 0);
	assert_int_equal(info.size, SIZE);
	assert_int_equal(info.nb_windows, 1);
	assert_int_equal(rte_pci_bar_windows_get(d->dev, BAR, window, 2), 1);
	assert_int_equal(window[0].offset, expected->offset);
	assert_int_equal(window[0].size, expected->size);
	assert_int_equal(window[0].prot, RTE_PROT_READ | RTE_PROT_WRITE);
	assert_ptr_equal(window[0].addr, RTE_PTR_ADD(info.base, expected->offset));
	assert_ptr_equal(info.base, d->dev->mem_resource[BAR].addr);
}

static void
pointers_are_for_ranges_inside_the_window(struct driver_device *d)
{
	const struct rte_pci_bar_window *w = &d->of->transport->window;
	uint64_t end = w->offset + w->size;

	assert_ptr_equal(rte_pci_bar_ptr(d->dev, BAR, w->offset, w->size),
		RTE_PTR_ADD(d->dev->mem_resource[BAR].addr, w->offset));
	assert_non_null(rte_pci_bar_ptr(d->dev, BAR, end - 1, 1));
	assert_null(rte_pci_bar_ptr(d->dev, BAR, end - 1, 2));
	assert_null(rte_pci_bar_ptr(d->dev, BAR, end, 1));
	assert_null(rte_pci_bar_ptr(d->dev, BAR, w->offset, w->size + 1));
	assert_null(rte_pci_bar_ptr(d->dev, BAR, SIZE, 1));
	assert_null(rte_pci_bar_ptr(d->dev, BAR, UINT64_MAX, 2));
}

static void
before_the_window_nothing_has_a_pointer(struct driver_device *d)
{
	uint64_t offset = d->of->transport->window.offset;

	assert_null(rte_pci_bar_ptr(d->dev, BAR, 0, 1));
	assert_null(rte_pci_bar_ptr(d->dev, BAR, offset - 1, 1));
	assert_null(rte_pci_bar_ptr(d->dev, BAR, offset - 1, 2));
}

static volatile uint8_t *
window_pointer(const struct driver_device *d)
{
	const struct rte_pci_bar_window *w = &d->of->transport->window;
	volatile uint8_t *at = rte_pci_bar_ptr(d->dev, BAR, w->offset, w->size);

	assert_non_null(at);
	return at;
}

static void
stores_show_in_calls_and_writes_in_loads(struct driver_device *d)
{
	const struct rte_pci_bar_window *w = &d->of->transport->window;
	volatile uint8_t *at = window_pointer(d);
	uint8_t bytes[64], in[64];
	uint64_t offset;
	size_t i;

	for (offset = 0; offset < w->size; offset += w->size / 8) {
		driver_fill(bytes, sizeof(bytes), (unsigned int)offset);
		for (i = 0; i < sizeof(bytes); i++)
			at[offset + i] = bytes[i];
		get(d, w->offset + offset, in, sizeof(in));
		assert_memory_equal(in, bytes, sizeof(in));
		driver_fill(bytes, sizeof(bytes), (unsigned int)offset + 1);
		put(d, w->offset + offset, bytes, sizeof(bytes));
		for (i = 0; i < sizeof(bytes); i++)
			assert_int_equal(at[offset + i], bytes[i]);
	}
}

static void
a_write_across_the_edge_is_whole(struct driver_device *d)
{
	const struct rte_pci_bar_window *w = &d->of->transport->window;
	volatile uint8_t *at = window_pointer(d);
	uint8_t bytes[16], in[16];
	size_t i;

	driver_fill(bytes, sizeof(bytes), 9);
	put(d, w->offset - 8, bytes, sizeof(bytes));
	for (i = 0; i < 8; i++)
		assert_int_equal(at[i], bytes[8 + i]);
	get(d, w->offset - 8, in, 8);
	assert_memory_equal(in, bytes, 8);
}

/* It is the device's memory that was stored to, and not only ours. */
static void
what_was_stored_is_in_the_device(struct driver_device *d)
{
	uint8_t bytes[64], in[64];
	size_t i;

	driver_fill(bytes, sizeof(bytes), 11);
	for (i = 0; i < sizeof(bytes); i++)
		window_pointer(d)[i] = bytes[i];
	driver_unplug(d);
	driver_plug(d);
	for (i = 0; i < sizeof(bytes); i++)
		in[i] = window_pointer(d)[i];
	assert_memory_equal(in, bytes, sizeof(in));
}

/* Each thread has words of its own, everywhere in the BAR. */
static unsigned int
use_memory(struct driver_device *d, unsigned int number)
{
	uint64_t value, seen, i;
	unsigned int wrong = 0;
	off_t offset;

	for (i = 0; i < 300; i++) {
		offset = (off_t)(i * 1032 * 8 % SIZE / 64 * 64 + number * 8);
		value = i << 32 | number;
		wrong += rte_pci_mmio_write(d->dev, BAR, &value, 8, offset) != 8;
		wrong += rte_pci_mmio_read(d->dev, BAR, &seen, 8, offset) != 8 || seen != value;
	}
	return wrong;
}

static void
threads_use_the_memory_at_once(struct driver_device *d)
{
	struct driver_device *const same[] = { d, d, d, d };

	driver_threads(same, RTE_DIM(same), use_memory);
}

#define MEMORY DRIVER_NEED(MEMORY)
#define WINDOW (DRIVER_NEED(MEMORY) | DRIVER_NEED(WINDOW))
#define EDGE (DRIVER_NEED(MEMORY) | DRIVER_NEED(WINDOW) | DRIVER_NEED(TRAPPED))

const struct driver_test driver_tests_memory[] = {
	DRIVER_TEST(the_bar_is_memory_from_end_to_end, MEMORY),
	DRIVER_TEST(bytes_show_by_every_width_aligned_or_not, MEMORY),
	DRIVER_TEST(writes_of_every_width_leave_neighbours_alone, MEMORY),
	DRIVER_TEST(the_end_of_the_memory_is_kept, MEMORY),
	DRIVER_TEST(threads_use_the_memory_at_once, MEMORY),
	DRIVER_TEST(exactly_the_window_is_mapped, WINDOW),
	DRIVER_TEST(pointers_are_for_ranges_inside_the_window, WINDOW),
	DRIVER_TEST(stores_show_in_calls_and_writes_in_loads, WINDOW),
	DRIVER_TEST(what_was_stored_is_in_the_device, WINDOW),
	DRIVER_TEST(before_the_window_nothing_has_a_pointer, EDGE),
	DRIVER_TEST(a_write_across_the_edge_is_whole, EDGE),
	{ .name = NULL },
};
