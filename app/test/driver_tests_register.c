/* SPDX-License-Identifier: BSD-3-Clause */

/* Registers: what the device is, and what the bus says to accesses of every kind. */

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <rte_bus_pci.h>
#include <rte_common.h>

#include "driver_tests.h"

#define ID 0x00
#define LIVENESS 0x04
#define FACTORIAL 0x08
#define STATUS 0x20
#define DMA_SOURCE 0x80

#define ID_VALUE 0x010000edu
#define STATUS_COMPUTING 0x01u

#define REGISTERS_SIZE (INT64_C(1) << 20)

static void
the_device_says_what_it_is(struct driver_device *d)
{
	uint32_t id = 0;

	assert_int_equal(rte_edu_identification(d->edu, &id), 0);
	assert_int_equal(id, ID_VALUE);
	assert_int_equal(driver_reg_read(d, ID), ID_VALUE);
}

static void
the_device_is_alive(struct driver_device *d)
{
	static const uint32_t values[] = { 0, 1, 0x12345678, 0x80000000, UINT32_MAX };
	size_t i;

	for (i = 0; i < RTE_DIM(values); i++) {
		assert_int_equal(rte_edu_liveness(d->edu, values[i]), 0);
		assert_int_equal(driver_reg_read(d, LIVENESS), ~values[i]);
	}
}

static void
the_bus_names_the_way_to_the_device(struct driver_device *d)
{
	assert_string_equal(rte_pci_backend_name(d->dev), d->of->transport->backend);
}

static void
each_bit_of_a_register_is_its_own(struct driver_device *d)
{
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		driver_reg_write(d, LIVENESS, UINT32_C(1) << bit);
		assert_int_equal(driver_reg_read(d, LIVENESS), ~(UINT32_C(1) << bit));
	}
}

/* The registers of DMA take eight bytes; the upper half shows that it was one access. */
static void
eight_bytes_are_one_access(struct driver_device *d)
{
	const uint64_t value = UINT64_C(0x0123456789abcdef);
	uint64_t seen = 0;

	assert_int_equal(rte_pci_mmio_write(d->dev, 0, &value, 8, DMA_SOURCE), 8);
	assert_int_equal(rte_pci_mmio_read(d->dev, 0, &seen, 8, DMA_SOURCE), 8);
	assert_int_equal(seen, value);
}

/* What the device makes of them is its business, and it survives. */
static void
accesses_of_any_width_and_place_do_no_harm(struct driver_device *d)
{
	static const size_t widths[] = { 1, 2, 3, 4, 5, 7, 8, 16 };
	uint8_t buf[16];
	off_t offset;
	size_t i;

	driver_reg_write(d, LIVENESS, 0x11223344);
	for (i = 0; i < RTE_DIM(widths); i++)
		for (offset = 0; offset < 16; offset++)
			assert_int_equal(rte_pci_mmio_read(d->dev, 0, buf, widths[i],
				REGISTERS_SIZE / 2 + offset), widths[i]);
	for (i = 0; i < RTE_DIM(widths); i++)
		assert_int_equal(rte_pci_mmio_read(d->dev, 0, buf, widths[i], ID + 1), widths[i]);
	assert_int_equal(driver_reg_read(d, LIVENESS), ~0x11223344u);
}

static void
a_narrow_write_leaves_a_register_alone(struct driver_device *d)
{
	const uint16_t narrow = 0;

	driver_reg_write(d, LIVENESS, 0x55667788);
	assert_int_equal(rte_pci_mmio_write(d->dev, 0, &narrow, 2, LIVENESS), 2);
	assert_int_equal(rte_pci_mmio_write(d->dev, 0, &narrow, 1, LIVENESS + 3), 1);
	assert_int_equal(driver_reg_read(d, LIVENESS), ~0x55667788u);
}

static void
the_last_register_is_inside(struct driver_device *d)
{
	uint32_t value;

	assert_int_equal(rte_pci_mmio_read(d->dev, 0, &value, 4, REGISTERS_SIZE - 4), 4);
	assert_int_equal(rte_pci_mmio_write(d->dev, 0, &value, 4, REGISTERS_SIZE - 4), 4);
}

static void
ranges_outside_a_bar_are_refused(struct driver_device *d)
{
	static const struct {
		int bar;
		off_t offset;
		size_t len;
	} cases[] = {
		{ 0, REGISTERS_SIZE, 1 }, { 0, REGISTERS_SIZE - 3, 4 },
		{ 0, REGISTERS_SIZE - 1, 2 }, { 0, -1, 1 }, { 0, -4, 8 }, { 0, INT64_MAX, 1 },
		{ 0, INT64_MIN, 4 },
		{ 0, 4, SIZE_MAX }, { 0, 0, (size_t)INT_MAX + 1 }, { 0, 0, REGISTERS_SIZE + 1 },
		{ -1, 0, 4 }, { 6, 0, 4 }, { 7, 0, 4 }, { INT_MAX, 0, 4 }, { INT_MIN, 0, 4 },
		{ 1, 0, 4 }, { 5, 0, 1 },	/* there is none */
	};
	uint8_t buf[8] = { 0 };
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		if (rte_pci_mmio_read(d->dev, cases[i].bar, buf, cases[i].len,
				cases[i].offset) != -EINVAL ||
				rte_pci_mmio_write(d->dev, cases[i].bar, buf, cases[i].len,
				cases[i].offset) != -EINVAL)
			fail_msg("BAR %d, offset %jd, %zu bytes: not refused", cases[i].bar,
				(intmax_t)cases[i].offset, cases[i].len);
	}
}

static void
a_bar_tells_its_size_and_what_may_be_done(struct driver_device *d)
{
	struct rte_pci_bar_info info;
	int bar;

	assert_int_equal(rte_pci_bar_info_get(d->dev, 0, &info), 0);
	assert_int_equal(info.size, REGISTERS_SIZE);
	assert_int_equal(info.flags, RTE_PCI_BAR_F_READ | RTE_PCI_BAR_F_WRITE);
	assert_int_equal(info.nb_windows, d->of->transport->registers_mapped);
	for (bar = 3; bar < 6; bar += 2) {
		assert_int_equal(rte_pci_bar_info_get(d->dev, bar, &info), 0);
		assert_int_equal(info.size, 0);
	}
	assert_int_equal(rte_pci_bar_info_get(d->dev, -1, &info), -EINVAL);
	assert_int_equal(rte_pci_bar_info_get(d->dev, 6, &info), -EINVAL);
}

static void
registers_have_an_address_only_where_they_are_mapped(struct driver_device *d)
{
	const uint8_t *base = rte_pci_bar_ptr(d->dev, 0, 0, REGISTERS_SIZE);
	uint32_t id;

	assert_ptr_equal(base, d->dev->mem_resource[0].addr);
	if (!d->of->transport->registers_mapped) {
		assert_null(base);
		return;
	}
	assert_non_null(base);
	id = *(const volatile uint32_t *)(const volatile void *)(base + ID);
	assert_int_equal(id, ID_VALUE);
	assert_null(rte_pci_bar_ptr(d->dev, 0, 0, REGISTERS_SIZE + 1));
}

static const struct {
	uint32_t n, result;
} factorials[] = {
	{ 0, 1 }, { 1, 1 }, { 5, 120 }, { 12, 479001600 }, { 13, 1932053504 }, { 20, 2192834560 },
};

static uint32_t
factorial_by_looking(const struct driver_device *d, uint32_t n)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	unsigned int left = DRIVER_TIMEOUT_MS;

	driver_reg_write(d, STATUS, 0);
	driver_reg_write(d, FACTORIAL, n);
	while ((driver_reg_read(d, STATUS) & STATUS_COMPUTING) != 0 && --left > 0)
		nanosleep(&ms, NULL);
	assert_true(left > 0);
	return driver_reg_read(d, FACTORIAL);
}

static void
factorials_by_looking_at_the_status(struct driver_device *d)
{
	size_t i;

	for (i = 0; i < RTE_DIM(factorials); i++)
		assert_int_equal(factorial_by_looking(d, factorials[i].n), factorials[i].result);
}

/* By interrupt where they arrive, else the driver looks too. */
static void
factorials_by_the_driver(struct driver_device *d)
{
	uint32_t result;
	size_t i;

	for (i = 0; i < RTE_DIM(factorials); i++) {
		assert_int_equal(rte_edu_factorial(d->edu, factorials[i].n, &result,
			DRIVER_TIMEOUT_MS), 0);
		assert_int_equal(result, factorials[i].result);
	}
}

/* Half of the threads use the driver, which takes turns, half the bus, which needs none. */
static unsigned int
use_registers(struct driver_device *d, unsigned int number)
{
	uint32_t i, value, wrong = 0;

	for (i = 0; i < 500; i++) {
		if (number % 2 == 0)
			wrong += rte_edu_liveness(d->edu, i * 0x01010101u + number) != 0;
		else
			wrong += rte_pci_mmio_read(d->dev, 0, &value, sizeof(value), ID) !=
				(int)sizeof(value) || value != ID_VALUE;
	}
	return wrong;
}

static void
threads_use_registers_at_once(struct driver_device *d)
{
	struct driver_device *const same[] = { d, d, d, d };

	driver_threads(same, RTE_DIM(same), use_registers);
}

const struct driver_test driver_tests_register[] = {
	DRIVER_TEST(the_device_says_what_it_is, 0),
	DRIVER_TEST(the_device_is_alive, 0),
	DRIVER_TEST(the_bus_names_the_way_to_the_device, 0),
	DRIVER_TEST(each_bit_of_a_register_is_its_own, 0),
	DRIVER_TEST(eight_bytes_are_one_access, DRIVER_NEED(WIDE)),
	DRIVER_TEST(accesses_of_any_width_and_place_do_no_harm, DRIVER_NEED(ANY_WIDTH)),
	DRIVER_TEST(a_narrow_write_leaves_a_register_alone, DRIVER_NEED(ANY_WIDTH)),
	DRIVER_TEST(the_last_register_is_inside, 0),
	DRIVER_TEST(ranges_outside_a_bar_are_refused, 0),
	DRIVER_TEST(a_bar_tells_its_size_and_what_may_be_done, 0),
	DRIVER_TEST(registers_have_an_address_only_where_they_are_mapped, 0),
	DRIVER_TEST(factorials_by_looking_at_the_status, 0),
	DRIVER_TEST(factorials_by_the_driver, 0),
	DRIVER_TEST(threads_use_registers_at_once, 0),
	{ .name = NULL },
};
