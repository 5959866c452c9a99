/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Interrupts that are switched off and on while the device raises them, counted. A line (INTx)
 * stays up until the driver has silenced the device, so what was raised while it was off comes
 * when it is on. A message (MSI, MSI-X) that the device would have sent while it was off, or is
 * under way when it is switched off, is not sent again: the guide tells drivers to look at the
 * device afterwards. Here an interrupt of our own makes the driver look, after each time that they
 * were switched on. Virtual devices interrupt all the time.
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <rte_common.h>
#include <rte_interrupts.h>

#include "driver_tests.h"

#define ROUNDS 300u
#define LOOK 0x80u	/* raised to make the driver look at the device */
#define BITS 4u
#define BIT(i) (0x4u << (i) % BITS)

static enum rte_intr_handle_type
kind(const struct driver_device *d)
{
	return d->of->transport->intr;
}

static bool
is_by_messages(const struct driver_device *d)
{
	return kind(d) == RTE_INTR_HANDLE_VFIO_MSI || kind(d) == RTE_INTR_HANDLE_VFIO_MSIX;
}

static int
switch_off(const struct driver_device *d)
{
	return rte_intr_disable(d->dev->intr_handle);
}

static int
switch_on(const struct driver_device *d)
{
	int rc = rte_intr_enable(d->dev->intr_handle);

	if (rc == 0 && is_by_messages(d))
		rc = rte_edu_irq_raise(d->edu, LOOK);
	return rc;
}

/* igb_uio cannot mask MSI of a device that has no mask bits. */
static bool
is_silent_while_off(const struct driver_device *d)
{
	return kind(d) != RTE_INTR_HANDLE_VDEV && kind(d) != RTE_INTR_HANDLE_UIO;
}

/* How often an interrupt was told that nobody raised, or not told that somebody did. */
static unsigned int
raise_and_wait(struct driver_device *d, uint32_t bit)
{
	uint32_t seen = 0;

	if (rte_edu_irq_raise(d->edu, bit) != 0 ||
			rte_edu_irq_wait(d->edu, bit, &seen, DRIVER_TIMEOUT_MS) != 0 ||
			seen != bit)
		return 1;
	return rte_edu_irq_wait(d->edu, bit, NULL, 0) == -ETIMEDOUT ? 0 : 1;
}

static void
what_is_raised_while_off_is_told_once_on(struct driver_device *d)
{
	uint32_t seen;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		assert_int_equal(switch_off(d), 0);
		assert_int_equal(rte_edu_irq_raise(d->edu, BIT(i)), 0);
		if (is_silent_while_off(d))
			assert_int_equal(rte_edu_irq_wait(d->edu, BIT(i), NULL, 0), -ETIMEDOUT);
		assert_int_equal(switch_on(d), 0);
		assert_int_equal(rte_edu_irq_wait(d->edu, BIT(i), &seen, DRIVER_TIMEOUT_MS), 0);
		assert_int_equal(seen, BIT(i));
		assert_int_equal(rte_edu_irq_wait(d->edu, BIT(i), NULL, 0), -ETIMEDOUT);
	}
}

struct toggler {
	pthread_t id;
	struct driver_device *d;
	atomic_uint nb;	/* how often they were off and on */
	atomic_uint wrong;
	atomic_bool done;
};

static void *
toggle(void *arg)
{
	struct toggler *toggler = arg;

	while (!atomic_load(&toggler->done)) {
		atomic_fetch_add(&toggler->wrong, switch_off(toggler->d) != 0);
		sched_yield();
		atomic_fetch_add(&toggler->wrong, switch_on(toggler->d) != 0);
		atomic_fetch_add(&toggler->nb, 1);
	}
	return NULL;
}

static void
toggler_start(struct toggler *toggler, struct driver_device *d)
{
	*toggler = (struct toggler){ .d = d };
	assert_int_equal(pthread_create(&toggler->id, NULL, toggle, toggler), 0);
}

static unsigned int
toggler_stop(struct toggler *toggler)
{
	atomic_store(&toggler->done, true);
	pthread_join(toggler->id, NULL);
	return atomic_load(&toggler->wrong);
}

/* At least as often off and on as there are rounds, however fast one side is. */
static void
no_interrupt_is_lost_while_another_thread_switches(struct driver_device *d)
{
	struct toggler toggler;
	unsigned int i, wrong = 0;

	toggler_start(&toggler, d);
	for (i = 0; i < ROUNDS || atomic_load(&toggler.nb) < ROUNDS; i++) {
		wrong = raise_and_wait(d, BIT(i));
		if (wrong != 0)
			break;
	}
	assert_int_equal(toggler_stop(&toggler), 0);
	assert_int_equal(wrong, 0);
	assert_true(i >= ROUNDS);
	assert_int_equal(raise_and_wait(d, BIT(0)), 0);
}

static unsigned int
raise_or_switch(struct driver_device *d, unsigned int number)
{
	unsigned int i, wrong = 0;

	for (i = 0; i < ROUNDS && wrong == 0; i++)
		if (number < BITS)
			wrong += raise_and_wait(d, BIT(number));
		else
			wrong += switch_off(d) != 0 || switch_on(d) != 0;
	return wrong;
}

/* Causes come together, and an interrupt is under way nearly always. */
static void
no_interrupt_of_several_threads_is_lost(struct driver_device *d)
{
	struct driver_device *const same[BITS + 1] = { d, d, d, d, d };

	driver_threads(same, RTE_DIM(same), raise_or_switch);
	assert_int_equal(raise_and_wait(d, BIT(0)), 0);
}

#define INTERRUPTS DRIVER_NEED(INTERRUPTS)

const struct driver_test driver_tests_mask[] = {
	DRIVER_TEST(what_is_raised_while_off_is_told_once_on, INTERRUPTS),
	DRIVER_TEST(no_interrupt_is_lost_while_another_thread_switches, INTERRUPTS),
	DRIVER_TEST(no_interrupt_of_several_threads_is_lost, INTERRUPTS),
	{ .name = NULL },
};
