/* SPDX-License-Identifier: BSD-3-Clause */

/* A device comes and goes, while others stay. */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <rte_common.h>
#include <rte_dev.h>

#include "driver_tests.h"
#include "resources.h"

#define LIVENESS 0x04
#define STATUS 0x20
#define IRQ_STATUS 0x24
#define STATUS_COMPUTING 0x01u
#define ROUNDS 10u

/* All that the device can do here. */
static void
use(const struct driver_device *d)
{
	char data[16] = "sixteen letters";
	uint32_t result;

	assert_int_equal(rte_edu_liveness(d->edu, 0x600df00d), 0);
	assert_int_equal(rte_edu_factorial(d->edu, 7, &result, DRIVER_TIMEOUT_MS), 0);
	assert_int_equal(result, 5040);
	if (!driver_has(d, DRIVER_NEED(DMA)))
		return;
	assert_int_equal(rte_edu_dma_write(d->edu, 8, data, sizeof(data), DRIVER_TIMEOUT_MS), 0);
	assert_int_equal(rte_edu_dma_read(d->edu, 8, data, sizeof(data), DRIVER_TIMEOUT_MS), 0);
	assert_string_equal(data, "sixteen letters");
}

static void
a_handle_is_for_the_device_that_it_names(struct driver_device *d)
{
	struct rte_edu *other;

	assert_int_equal(rte_edu_open("0000:00:1f.7", &other), -ENODEV);
	assert_null(other);
	assert_int_equal(rte_edu_open(rte_dev_name(&d->dev->device), &other), 0);
	assert_ptr_equal(other, d->edu);
	rte_edu_close(other);
	use(d);
}

static void
a_device_that_is_unplugged_answers_nothing(struct driver_device *d)
{
	struct rte_edu *again;
	char name[64], data[4] = "";
	uint32_t value;

	snprintf(name, sizeof(name), "%s", rte_dev_name(&d->dev->device));
	driver_unplug(d);
	assert_int_equal(rte_edu_identification(d->edu, &value), -ENODEV);
	assert_int_equal(rte_edu_liveness(d->edu, 1), -ENODEV);
	assert_int_equal(rte_edu_factorial(d->edu, 1, &value, 1), -ENODEV);
	assert_int_equal(rte_edu_dma_write(d->edu, 0, data, 4, 1), -ENODEV);
	assert_int_equal(rte_edu_dma_read(d->edu, 0, data, 4, 1), -ENODEV);
	assert_int_equal(rte_edu_dma_iova(d->edu, RTE_EDU_DMA_TO_DEVICE, 0, 0, 4, 1), -ENODEV);
	assert_int_equal(rte_edu_irq_raise(d->edu, 0x10), -ENODEV);
	assert_int_equal(rte_edu_open(name, &again), -ENODEV);
}

static void
a_device_comes_back_as_another_one(struct driver_device *d)
{
	struct rte_edu *old = d->edu;
	uint32_t id;

	driver_unplug(d);
	d->edu = NULL;
	driver_plug(d);
	assert_ptr_not_equal(d->edu, old);
	assert_int_equal(rte_edu_identification(old, &id), -ENODEV);
	rte_edu_close(old);
	use(d);
}

static void
a_device_that_is_plugged_is_not_plugged_again(struct driver_device *d)
{
	assert_int_equal(rte_dev_probe(d->devargs), 0);
	use(d);
}

static void
a_device_is_found_reset(struct driver_device *d)
{
	driver_reg_write(d, LIVENESS, 0x12345678);
	assert_int_equal(driver_reg_read(d, LIVENESS), ~0x12345678u);
	driver_unplug(d);
	driver_plug(d);
	assert_int_equal(driver_reg_read(d, LIVENESS), 0);
	assert_int_equal(driver_reg_read(d, IRQ_STATUS), 0);
}

static void
come_and_go(void *ctx)
{
	struct driver_device *d = ctx;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		driver_plug(d);
		use(d);
		driver_unplug(d);
	}
}

static void
nothing_is_left_of_devices_that_came_and_went(struct driver_device *d)
{
	driver_unplug(d);
	resources_rounds(come_and_go, d, 0, 5);
}

/* ---- in the middle of something ---- */

struct waiter {
	pthread_t thread;
	struct rte_edu *edu;
	int rc;
};

static void *
wait_for_interrupt(void *arg)
{
	struct waiter *waiter = arg;

	waiter->rc = rte_edu_irq_wait(waiter->edu, 0x10, NULL, DRIVER_TIMEOUT_MS);
	return NULL;
}

static void
unplugging_wakes_up_who_waits_for_an_interrupt(struct driver_device *d)
{
	const struct timespec while_ = { .tv_nsec = 20000000 };
	struct waiter waiter = { .edu = d->edu };

	assert_int_equal(pthread_create(&waiter.thread, NULL, wait_for_interrupt, &waiter), 0);
	nanosleep(&while_, NULL);
	driver_unplug(d);
	pthread_join(waiter.thread, NULL);
	assert_int_equal(waiter.rc, -ENODEV);
	driver_plug(d);
	use(d);
}

/* Works until the device is gone, and then hears that. */
static void *
use_until_gone(void *arg)
{
	struct waiter *waiter = arg;
	uint32_t result = 0;

	do
		waiter->rc = rte_edu_factorial(waiter->edu, 9, &result, DRIVER_TIMEOUT_MS);
	while (waiter->rc == 0 && result == 362880);
	return NULL;
}

/* Where there is no reset, the device still computes what it was told to. */
static void
wait_until_idle(const struct driver_device *d)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	unsigned int left = DRIVER_TIMEOUT_MS;

	while ((driver_reg_read(d, STATUS) & STATUS_COMPUTING) != 0 && --left > 0)
		nanosleep(&ms, NULL);
	assert_true(left > 0);
}

static void
unplugging_in_the_middle_of_work_ends_it(struct driver_device *d)
{
	const struct timespec while_ = { .tv_nsec = 5000000 };
	struct waiter waiter;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		waiter = (struct waiter){ .edu = d->edu };
		assert_int_equal(pthread_create(&waiter.thread, NULL, use_until_gone, &waiter), 0);
		nanosleep(&while_, NULL);
		driver_unplug(d);
		pthread_join(waiter.thread, NULL);
		assert_int_equal(waiter.rc, -ENODEV);
		driver_plug(d);
		wait_until_idle(d);
	}
	use(d);
}

/* ---- more than one ---- */

static void
others_stay_when_a_device_goes(struct driver_device *d)
{
	unsigned int i;

	driver_unplug(d);
	for (i = 0; i < d->of->nb; i++)
		if (&d->of->device[i] != d)
			use(&d->of->device[i]);
	driver_plug(d);
	for (i = 0; i < d->of->nb; i++)
		use(&d->of->device[i]);
}

static unsigned int
work(struct driver_device *d, unsigned int number)
{
	unsigned int i, wrong = 0;
	char out[64], in[64];
	uint32_t result;

	driver_fill(out, sizeof(out), number);
	for (i = 0; i < 20; i++) {
		wrong += rte_edu_liveness(d->edu, number << 16 | i) != 0;
		wrong += rte_edu_factorial(d->edu, number + 3, &result, DRIVER_TIMEOUT_MS) != 0 ||
			result != (const uint32_t[]){ 6, 24, 120, 720 }[number];
		wrong += rte_edu_dma_write(d->edu, 0, out, sizeof(out), DRIVER_TIMEOUT_MS) != 0;
		wrong += rte_edu_dma_read(d->edu, 0, in, sizeof(in), DRIVER_TIMEOUT_MS) != 0;
		wrong += memcmp(in, out, sizeof(in)) != 0;
	}
	return wrong;
}

static void
devices_work_at_once(struct driver_device *d)
{
	struct driver_device *all[DRIVER_DEVICES_MAX];
	unsigned int i;

	for (i = 0; i < d->of->nb; i++)
		all[i] = &d->of->device[i];
	driver_threads(all, d->of->nb, work);
}

#define SEVERAL DRIVER_NEED(SEVERAL)

const struct driver_test driver_tests_life[] = {
	DRIVER_TEST(a_handle_is_for_the_device_that_it_names, 0),
	DRIVER_TEST(a_device_that_is_unplugged_answers_nothing, 0),
	DRIVER_TEST(a_device_comes_back_as_another_one, 0),
	DRIVER_TEST(a_device_that_is_plugged_is_not_plugged_again, DRIVER_NEED(EXISTS)),
	DRIVER_TEST(a_device_is_found_reset, DRIVER_NEED(RESET)),
	DRIVER_TEST(nothing_is_left_of_devices_that_came_and_went, 0),
	DRIVER_TEST(unplugging_wakes_up_who_waits_for_an_interrupt, DRIVER_NEED(INTERRUPTS)),
	DRIVER_TEST(unplugging_in_the_middle_of_work_ends_it, 0),
	DRIVER_TEST(others_stay_when_a_device_goes, SEVERAL),
	DRIVER_TEST(devices_work_at_once, SEVERAL | DRIVER_NEED(DMA)),
	{ .name = NULL },
};
