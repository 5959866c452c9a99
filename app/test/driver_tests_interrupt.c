/* SPDX-License-Identifier: BSD-3-Clause */

/* Interrupts, by whatever way they come. */

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <rte_common.h>
#include <rte_interrupts.h>

#include "driver_tests.h"

#define IRQ_STATUS 0x24
#define ROUNDS 200u
#define BIT 0x2u	/* one that the driver leaves to us */

static void
interrupts_are_of_the_kind_that_was_asked_for(struct driver_device *d)
{
	assert_int_equal(rte_intr_type_get(d->dev->intr_handle), d->of->transport->intr);
}

static void
each_raised_interrupt_is_told_once(struct driver_device *d)
{
	uint32_t seen, bit;

	for (bit = BIT; bit != 0x100; bit <<= 1) {
		seen = 0;
		assert_int_equal(rte_edu_irq_raise(d->edu, bit), 0);
		assert_int_equal(rte_edu_irq_wait(d->edu, bit, &seen, DRIVER_TIMEOUT_MS), 0);
		assert_int_equal(seen, bit);
		assert_int_equal(rte_edu_irq_wait(d->edu, bit, NULL, 0), -ETIMEDOUT);
	}
}

static void
an_interrupt_is_acknowledged(struct driver_device *d)
{
	assert_int_equal(rte_edu_irq_raise(d->edu, BIT), 0);
	assert_int_equal(rte_edu_irq_wait(d->edu, BIT, NULL, DRIVER_TIMEOUT_MS), 0);
	assert_int_equal(driver_reg_read(d, IRQ_STATUS), 0);
}

static void
causes_that_come_together_are_told_together(struct driver_device *d)
{
	uint32_t seen = 0;

	assert_int_equal(rte_edu_irq_raise(d->edu, 0x30), 0);
	assert_int_equal(rte_edu_irq_wait(d->edu, 0x10, &seen, DRIVER_TIMEOUT_MS), 0);
	assert_int_equal(seen, 0x10);
	assert_int_equal(rte_edu_irq_wait(d->edu, 0x20, &seen, 0), 0);
	assert_int_equal(seen, 0x20);
}

static void
count(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

/* Counters are behind what the driver tells by the time its callbacks take. */
static unsigned int
settled(const atomic_uint *counter, unsigned int expected)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	unsigned int left = DRIVER_TIMEOUT_MS;

	while (atomic_load(counter) < expected && --left > 0)
		nanosleep(&ms, NULL);
	return atomic_load(counter);
}

static void
of_n_interrupts_n_arrive(struct driver_device *d)
{
	struct rte_intr_handle *handle = d->dev->intr_handle;
	atomic_uint counter = 0;
	unsigned int i;

	assert_int_equal(rte_intr_callback_register(handle, count, &counter), 0);
	for (i = 1; i <= ROUNDS; i++) {
		assert_int_equal(rte_edu_irq_raise(d->edu, BIT), 0);
		assert_int_equal(rte_edu_irq_wait(d->edu, BIT, NULL, DRIVER_TIMEOUT_MS), 0);
		assert_int_equal(settled(&counter, i), i);
	}
	assert_true(rte_intr_callback_unregister_sync(handle, count, &counter) >= 0);
	assert_int_equal(atomic_load(&counter), ROUNDS);
}

/* What comes by interrupt is told to those who wait for it, and to nobody else. */
static void
factorials_do_not_show_as_raised_interrupts(struct driver_device *d)
{
	uint32_t result;

	assert_int_equal(rte_edu_factorial(d->edu, 6, &result, DRIVER_TIMEOUT_MS), 0);
	assert_int_equal(result, 720);
	assert_int_equal(rte_edu_irq_wait(d->edu, 0xfe, NULL, 0), -ETIMEDOUT);
}

static void
many_factorials_by_interrupt(struct driver_device *d)
{
	uint32_t result;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		assert_int_equal(rte_edu_factorial(d->edu, 10, &result, DRIVER_TIMEOUT_MS), 0);
		assert_int_equal(result, 3628800);
	}
}

static void
the_bits_of_the_driver_are_not_for_others(struct driver_device *d)
{
	static const uint32_t bits[] = { 0, RTE_EDU_IRQ_FACTORIAL, RTE_EDU_IRQ_DMA, 0x101, 0x103 };
	size_t i;

	for (i = 0; i < RTE_DIM(bits); i++) {
		assert_int_equal(rte_edu_irq_raise(d->edu, bits[i]), -EINVAL);
		assert_int_equal(rte_edu_irq_wait(d->edu, bits[i], NULL, 0), -EINVAL);
	}
}

/* Off and on again under the driver, which does not notice. */
static void
interrupts_can_be_switched_off_and_on(struct driver_device *d)
{
	struct rte_intr_handle *handle = d->dev->intr_handle;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		assert_int_equal(rte_intr_disable(handle), 0);
		assert_int_equal(rte_intr_enable(handle), 0);
		each_raised_interrupt_is_told_once(d);
	}
}

static unsigned int
use_interrupts(struct driver_device *d, unsigned int number)
{
	uint32_t bit = 0x10u << number % 4;
	unsigned int i, wrong = 0;

	for (i = 0; i < 50; i++) {
		wrong += rte_edu_irq_raise(d->edu, bit) != 0;
		wrong += rte_edu_irq_wait(d->edu, bit, NULL, DRIVER_TIMEOUT_MS) != 0;
	}
	return wrong;
}

static void
threads_get_their_own_interrupts(struct driver_device *d)
{
	struct driver_device *const same[] = { d, d, d };

	driver_threads(same, RTE_DIM(same), use_interrupts);
}

#define INTERRUPTS DRIVER_NEED(INTERRUPTS)

const struct driver_test driver_tests_interrupt[] = {
	DRIVER_TEST(interrupts_are_of_the_kind_that_was_asked_for, INTERRUPTS),
	DRIVER_TEST(each_raised_interrupt_is_told_once, INTERRUPTS),
	DRIVER_TEST(an_interrupt_is_acknowledged, INTERRUPTS),
	DRIVER_TEST(causes_that_come_together_are_told_together, INTERRUPTS),
	DRIVER_TEST(of_n_interrupts_n_arrive, INTERRUPTS),
	DRIVER_TEST(factorials_do_not_show_as_raised_interrupts, INTERRUPTS),
	DRIVER_TEST(many_factorials_by_interrupt, INTERRUPTS),
	DRIVER_TEST(the_bits_of_the_driver_are_not_for_others, 0),
	DRIVER_TEST(interrupts_can_be_switched_off_and_on, INTERRUPTS),
	DRIVER_TEST(threads_get_their_own_interrupts, INTERRUPTS),
	{ .name = NULL },
};
