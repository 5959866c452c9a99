/* SPDX-License-Identifier: BSD-3-Clause */

/* The devices of "dpdk-vfio-user serve", by their registers. */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <linux/pci_regs.h>

#include <rte_common.h>

#include "../vfio-user/devices.h"
#include "test.h"

#define CONFIG VFIO_PCI_CONFIG_REGION_INDEX

static struct rte_vfio_user_pci *dev;

static uint64_t
get(unsigned int region, uint64_t off, uint32_t len)
{
	uint64_t value = 0;

	assert_int_equal(rte_vfio_user_pci_region_read(dev, region, off, &value, len), 0);
	return value;
}

static void
put(unsigned int region, uint64_t off, uint64_t value, uint32_t len)
{
	assert_int_equal(rte_vfio_user_pci_region_write(dev, region, off, &value, len), 0);
}

/* ---- gpio ---- */

#define GPIO 2	/* the BAR */
#define OUT_0_7  0
#define IN_0_7   1
#define IRQ_CTL  2
#define OUT_8_15 4
#define IN_8_15  5
#define STATUS   6

static int
gpio_setup(void **state)
{
	return device_gpio.make((uint32_t)(uintptr_t)*state, &dev);
}

static int
gpio_teardown(void **state)
{
	(void)state;
	device_gpio.destroy(dev);
	return 0;
}

static uint64_t
level(void)
{
	return get(CONFIG, 6, 2) & 0x8;
}

static void
test_gpio_is_the_card_that_linux_knows(void **state)
{
	(void)state;
	assert_int_equal(get(CONFIG, 0, 4), 0x0dc8494f);
	assert_int_not_equal(get(CONFIG, 8, 4) >> 8, 0);
	assert_int_equal(get(CONFIG, 0x3d, 1), 1);
	put(CONFIG, 0x18, UINT32_MAX, 4);
	assert_int_equal(get(CONFIG, 0x18, 4), 0xfffffff9);
}

static void
test_gpio_in_memory_has_a_page(void **state)
{
	(void)state;
	put(CONFIG, 0x18, UINT32_MAX, 4);
	assert_int_equal(get(CONFIG, 0x18, 4), 0xfffff000);
	assert_int_equal(get(GPIO, 8, 4), UINT32_MAX);
}

static void
test_gpio_outputs_hold(void **state)
{
	(void)state;
	put(GPIO, OUT_0_7, 0xa5, 1);
	put(GPIO, OUT_8_15, 0x3c, 1);
	assert_int_equal(get(GPIO, OUT_0_7, 1), 0xa5);
	assert_int_equal(get(GPIO, OUT_8_15, 1), 0x3c);
	assert_int_equal(get(GPIO, IN_0_7, 1), 0);
	assert_int_equal(get(GPIO, IN_8_15, 1), 0);
}

static void
test_gpio_inputs_follow_in_a_loop(void **state)
{
	(void)state;
	put(GPIO, OUT_0_7, 0xa5, 1);
	put(GPIO, OUT_8_15, 0x3c, 1);
	assert_int_equal(get(GPIO, IN_0_7, 1), 0xa5);
	assert_int_equal(get(GPIO, IN_8_15, 1), 0x3c);
}

static void
test_gpio_interrupts_when_an_input_changes(void **state)
{
	(void)state;
	put(GPIO, OUT_0_7, 1, 1);
	assert_int_equal(level(), 0);
	get(GPIO, IRQ_CTL, 1);
	put(GPIO, OUT_0_7, 1, 1);
	assert_int_equal(level(), 0);
	put(GPIO, OUT_0_7, 3, 1);
	assert_int_not_equal(level(), 0);
	assert_int_equal(get(GPIO, STATUS, 1), 0x5);
	put(GPIO, OUT_8_15, 1, 1);
	assert_int_equal(get(GPIO, STATUS, 1), 0x7);
	put(GPIO, IN_0_7, 0, 1);
	assert_int_equal(level(), 0);
	assert_int_equal(get(GPIO, STATUS, 1), 0);
}

static void
test_gpio_disabled_interrupt_goes_down(void **state)
{
	(void)state;
	get(GPIO, IRQ_CTL, 1);
	put(GPIO, OUT_0_7, 1, 1);
	put(GPIO, IRQ_CTL, 0, 1);
	assert_int_equal(level(), 0);
	put(GPIO, OUT_0_7, 0, 1);
	assert_int_equal(level(), 0);
}

/* ---- edu ---- */

#define VECTORS 0x40	/* registers of edu with MSI-X */

static int
edu_setup(void **state)
{
	return device_edu.make((uint32_t)(uintptr_t)*state, &dev);
}

static int
edu_teardown(void **state)
{
	(void)state;
	device_edu.destroy(dev);
	return 0;
}

static void
wait_clear(uint64_t reg, uint64_t bit)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	int i;

	for (i = 0; i < 10000 && get(0, reg, 4) & bit; i++)
		nanosleep(&ms, NULL);
	assert_int_equal(get(0, reg, 4) & bit, 0);
}

static void
test_edu_is_that_of_qemu(void **state)
{
	(void)state;
	assert_int_equal(get(CONFIG, 0, 4), 0x11e81234);
	assert_int_equal(get(0, 0, 4), 0x010000ed);
	put(0, 4, 0x12345678, 4);
	assert_int_equal(get(0, 4, 4), 0xedcba987);
	put(CONFIG, 0x10, UINT32_MAX, 4);
	assert_int_equal(get(CONFIG, 0x10, 4), 0xfff00000);
}

static void
test_edu_takes_words_only(void **state)
{
	(void)state;
	assert_int_equal(get(0, 0, 2), 0xffff);
	put(0, 4, 1, 1);
	assert_int_equal(get(0, 4, 4), 0);
	assert_int_equal(get(0, 0x100, 4), UINT32_MAX);
}

static void
test_edu_computes_and_interrupts(void **state)
{
	(void)state;
	put(0, 0x20, 0x80, 4);
	put(0, 8, 10, 4);
	wait_clear(0x20, 0x1);
	assert_int_equal(get(0, 8, 4), 3628800);
	assert_int_equal(get(0, 0x24, 4), 0x1);
	assert_int_not_equal(level(), 0);
	put(0, 0x64, 0x1, 4);
	assert_int_equal(get(0, 0x24, 4), 0);
	assert_int_equal(level(), 0);
}

static void
test_edu_raises_what_it_is_told(void **state)
{
	(void)state;
	put(0, 0x60, 0x30, 4);
	assert_int_equal(get(0, 0x24, 4), 0x30);
	put(0, 0x64, 0x10, 4);
	assert_int_not_equal(level(), 0);
	put(0, 0x64, 0x20, 4);
	assert_int_equal(level(), 0);
}

/* Nobody is there whose memory it could be, and nothing hangs. */
static void
test_edu_transfer_without_a_client_ends(void **state)
{
	(void)state;
	put(0, 0x80, 0x1000, 8);
	put(0, 0x88, 0x40000, 8);
	put(0, 0x90, 64, 8);
	assert_int_equal(get(0, 0x88, 8), 0x40000);
	put(0, 0x98, 0x5, 4);
	wait_clear(0x98, 0x1);
	assert_int_equal(get(0, 0x24, 4), 0x100);
}

static void
test_edu_transfer_outside_its_buffer_is_none(void **state)
{
	static const struct {
		uint64_t dst, len;
	} cases[] = {
		{ 0x3ffff, 1 }, { 0x40000, 4097 }, { 0x41000, 1 }, { 0, 1 },
		{ 0x40001, UINT64_MAX }, { UINT64_MAX, 2 }, { 0x40000, 0 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		put(0, 0x88, cases[i].dst, 8);
		put(0, 0x90, cases[i].len, 8);
		put(0, 0x98, 0x1, 4);
		wait_clear(0x98, 0x1);
	}
}

static void
test_edu_memory_is_memory(void **state)
{
	(void)state;
	put(2, 0x3ffc, UINT64_C(0x1122334455667788), 8);
	assert_int_equal(get(2, 0x4000, 4), 0x11223344);
	put(2, 0xfffe, 0xabcd, 2);
	assert_int_equal(get(2, 0xfffe, 2), 0xabcd);
}

static void
test_edu_without_msix_is_that_of_qemu(void **state)
{
	uint64_t reg;

	(void)state;
	assert_int_equal(get(CONFIG, 0x40, 1), PCI_CAP_ID_MSI);
	for (reg = VECTORS; reg < VECTORS + 32; reg += 4) {
		put(0, reg, 0x03020100, 4);
		assert_int_equal(get(0, reg, 4), UINT32_MAX);
	}
	put(CONFIG, 0x20, UINT32_MAX, 4);
	assert_int_equal(get(CONFIG, 0x20, 4), 0);
}

static void
test_edu_with_msix_has_it_instead_of_msi(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(get(CONFIG, 0x40, 4), (DEVICE_EDU_VECTORS - 1) << 16 | PCI_CAP_ID_MSIX);
	assert_int_equal(get(CONFIG, 0x44, 4), 4);
	assert_int_equal(get(CONFIG, 0x48, 4), 0x800 | 4);
	put(CONFIG, 0x20, UINT32_MAX, 4);
	assert_int_equal(get(CONFIG, 0x20, 4), 0xfffff000);
	for (i = 0; i < DEVICE_EDU_VECTORS; i++)
		assert_int_equal(get(4, i * 16 + 12, 4), 1);
	assert_int_equal(get(4, DEVICE_EDU_VECTORS * 16, 4), UINT32_MAX);
	assert_int_equal(get(4, 0x800, 8), 0);
}

static void
test_edu_keeps_vectors_that_it_has(void **state)
{
	uint64_t reg;

	(void)state;
	for (reg = VECTORS; reg < VECTORS + 32; reg += 4) {
		assert_int_equal(get(0, reg, 4), 0);
		put(0, reg, 0x05000700 | reg, 4);
	}
	put(0, VECTORS + 12, 0xfff8090a, 4);
	for (reg = VECTORS; reg < VECTORS + 32; reg += 4)
		assert_int_equal(get(0, reg, 4), reg == VECTORS + 12 ? 0x07000102 :
			(0x05000700 | (reg & 7)));
	assert_int_equal(get(0, VECTORS, 2), 0xffff);
	assert_int_equal(get(0, VECTORS - 4, 4), UINT32_MAX);
}

/* A client that uses no messages gets the level, whatever the vector. */
static void
test_edu_without_messages_has_its_level(void **state)
{
	(void)state;
	put(0, VECTORS, 0x07060504, 4);
	put(0, 0x60, 0x6, 4);
	assert_int_not_equal(level(), 0);
	put(0, 0x64, 0x2, 4);
	assert_int_not_equal(level(), 0);
	put(0, 0x64, 0x4, 4);
	assert_int_equal(level(), 0);
}

#define GPIO_TEST(test, flags) { #test, test, gpio_setup, gpio_teardown, \
	(void *)(uintptr_t)(flags) }
#define EDU_TEST_OF(test, flags) { #test, test, edu_setup, edu_teardown, \
	(void *)(uintptr_t)(flags) }
#define EDU_TEST(test) EDU_TEST_OF(test, 0)

static const struct CMUnitTest tests[] = {
	GPIO_TEST(test_gpio_is_the_card_that_linux_knows, 0),
	GPIO_TEST(test_gpio_in_memory_has_a_page, DEVICE_MEMORY_BAR),
	GPIO_TEST(test_gpio_outputs_hold, 0),
	GPIO_TEST(test_gpio_inputs_follow_in_a_loop, DEVICE_LOOP),
	GPIO_TEST(test_gpio_interrupts_when_an_input_changes, DEVICE_LOOP),
	GPIO_TEST(test_gpio_disabled_interrupt_goes_down, DEVICE_LOOP),
	EDU_TEST(test_edu_is_that_of_qemu),
	EDU_TEST(test_edu_takes_words_only),
	EDU_TEST(test_edu_computes_and_interrupts),
	EDU_TEST(test_edu_raises_what_it_is_told),
	EDU_TEST(test_edu_transfer_without_a_client_ends),
	EDU_TEST(test_edu_transfer_outside_its_buffer_is_none),
	EDU_TEST(test_edu_memory_is_memory),
	EDU_TEST(test_edu_without_msix_is_that_of_qemu),
	EDU_TEST_OF(test_edu_with_msix_has_it_instead_of_msi, DEVICE_MSIX),
	EDU_TEST_OF(test_edu_keeps_vectors_that_it_has, DEVICE_MSIX),
	EDU_TEST_OF(test_edu_without_messages_has_its_level, DEVICE_MSIX),
};

TEST_SUITE(vu_devices, "functional", tests, NULL, NULL)
