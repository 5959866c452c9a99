/* SPDX-License-Identifier: BSD-3-Clause */

/* The driver of the edu device, from the match on the bus to the removal in mid-wait. */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_edu.h>
#include <rte_malloc.h>

#include "eal_session.h"
#include "fake_edu.h"
#include "fake_sysfs.h"
#include "test.h"

#define NAME "0000:00:04.0"

/* Long enough never to pass in a test that works, short enough to end one that does not. */
#define LONG_MS 20000
#define SHORT_MS 20

#define LOW_IOVA UINT64_C(0x1000000)

struct fixture {
	struct fake_sysfs *system;	/* empty: what this machine has is not ours */
	struct fake_edu *fake;
	struct rte_edu *edu;
};

static struct fixture fixture;

static void
session_start(const char *allow)
{
	const char *const args[] = { "--iova-mode=va", "-a", allow, NULL };

	eal_session_start(args);
}

static int
setup(void **state)
{
	fixture.system = fake_sysfs_start();
	fixture.fake = fake_edu_start(NAME);
	fixture.edu = NULL;
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	rte_edu_close(f->edu);
	eal_session_stop();
	fake_edu_stop(f->fake);
	fake_sysfs_stop(f->system);
	return 0;
}

/* EAL runs, the device is open. */
static struct fixture *
begin(void **state)
{
	struct fixture *f = *state;

	session_start(NAME);
	assert_int_equal(rte_edu_open(NAME, &f->edu), 0);
	return f;
}

static struct rte_device *
bus_device(void)
{
	struct rte_dev_iterator it;
	struct rte_device *dev;

	RTE_DEV_FOREACH(dev, "bus=pci,addr=" NAME, &it)
		return dev;
	return NULL;
}

/* Runs a function beside the test. */
struct helper {
	pthread_t thread;
	void (*fn)(struct fixture *f);
	struct fixture *f;
};

static void *
helper_main(void *arg)
{
	struct helper *helper = arg;

	helper->fn(helper->f);
	return NULL;
}

static void
helper_start(struct helper *helper, struct fixture *f, void (*fn)(struct fixture *))
{
	helper->f = f;
	helper->fn = fn;
	assert_int_equal(pthread_create(&helper->thread, NULL, helper_main, helper), 0);
}

static void
helper_join(struct helper *helper)
{
	pthread_join(helper->thread, NULL);
}

static void
test_identification_is_read(void **state)
{
	struct fixture *f = begin(state);
	uint32_t id = 0;

	assert_int_equal(rte_edu_identification(f->edu, &id), 0);
	assert_int_equal(id, 0x010000ed);
}

static void
test_device_is_found_by_name_or_as_the_first(void **state)
{
	struct fixture *f = begin(state);
	struct rte_edu *other;

	assert_int_equal(rte_edu_open("0000:00:05.0", &other), -ENODEV);
	assert_null(other);
	assert_int_equal(rte_edu_open(NULL, NULL), -EINVAL);
	assert_int_equal(rte_edu_open(NULL, &other), 0);
	assert_ptr_equal(other, f->edu);
	rte_edu_close(other);
}

static void
test_device_that_says_it_is_something_else_is_refused(void **state)
{
	struct fixture *f = *state;
	struct rte_edu *edu;

	f->fake->id = 0xdeadbeef;
	session_start(NAME);
	assert_int_equal(rte_edu_open(NAME, &edu), -ENODEV);
}

static void
test_liveness_is_told_from_death(void **state)
{
	struct fixture *f = begin(state);

	assert_int_equal(rte_edu_liveness(f->edu, 0x12345678), 0);
	assert_int_equal(f->fake->liveness, ~0x12345678u);
	f->fake->dead = true;
	assert_int_equal(rte_edu_liveness(f->edu, 0x12345678), -EIO);
}

static void
test_factorials_come_by_interrupt_and_without(void **state)
{
	static const struct { uint32_t n, result; } cases[] = {
		{ 0, 1 }, { 1, 1 }, { 5, 120 }, { 12, 479001600 }, { 13, 1932053504 },
	};
	struct fixture *f = *state;
	uint32_t result;
	size_t i;

	begin(state);
	for (i = 0; i < RTE_DIM(cases); i++) {
		assert_int_equal(rte_edu_factorial(f->edu, cases[i].n, &result, LONG_MS), 0);
		assert_int_equal(result, cases[i].result);
	}
}

static int
setup_without_irq(void **state)
{
	int rc = setup(state);

	fixture.fake->no_irq = true;
	return rc;
}

static void
finish_later(struct fixture *f)
{
	usleep(SHORT_MS * 1000);
	fake_edu_finish(f->fake);
}

static void
test_waiter_sleeps_until_the_factorial_is_ready(void **state)
{
	struct fixture *f = begin(state);
	struct helper helper;
	uint32_t result = 0;

	f->fake->hold = true;
	helper_start(&helper, f, finish_later);
	assert_int_equal(rte_edu_factorial(f->edu, 5, &result, LONG_MS), 0);
	assert_int_equal(result, 120);
	helper_join(&helper);
}

static void
test_factorial_that_takes_too_long_leaves_the_device_busy(void **state)
{
	struct fixture *f = begin(state);
	uint32_t result;

	f->fake->hold = true;
	assert_int_equal(rte_edu_factorial(f->edu, 5, &result, SHORT_MS), -ETIMEDOUT);
	assert_int_equal(rte_edu_factorial(f->edu, 6, &result, SHORT_MS), -EBUSY);
	fake_edu_finish(f->fake);
	f->fake->hold = false;
	assert_int_equal(rte_edu_factorial(f->edu, 6, &result, LONG_MS), 0);
	assert_int_equal(result, 720);
}

static void
raise_then_finish_later(struct fixture *f)
{
	usleep(SHORT_MS * 1000);
	fake_edu_raise(f->fake, RTE_EDU_IRQ_FACTORIAL);
	finish_later(f);
}

static void
test_late_interrupt_of_an_old_factorial_does_not_end_a_new_one(void **state)
{
	struct fixture *f = begin(state);
	struct helper helper;
	uint32_t result = 0;

	f->fake->hold = true;
	helper_start(&helper, f, raise_then_finish_later);
	assert_int_equal(rte_edu_factorial(f->edu, 4, &result, LONG_MS), 0);
	assert_int_equal(result, 24);
	helper_join(&helper);
}

static void
test_dma_copies_both_ways(void **state)
{
	struct fixture *f = begin(state);
	uint8_t out[RTE_EDU_BUFFER_SIZE], in[RTE_EDU_BUFFER_SIZE];
	size_t i;

	for (i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + 1);
	assert_int_equal(rte_edu_dma_write(f->edu, 0, out, sizeof(out), LONG_MS), 0);
	assert_memory_equal(f->fake->buffer, out, sizeof(out));
	memset(in, 0, sizeof(in));
	assert_int_equal(rte_edu_dma_read(f->edu, 100, in, 50, LONG_MS), 0);
	assert_memory_equal(in, out + 100, 50);
	assert_int_equal(in[50], 0);
	assert_int_equal(f->fake->nb_dma_faults, 0);
}

static void
test_dma_memory_is_where_the_device_can_reach_it(void **state)
{
	struct fixture *f = begin(state);

	assert_true(f->fake->maps[0].len >= RTE_EDU_BUFFER_SIZE);
	assert_true(f->fake->maps[0].iova + f->fake->maps[0].len <= UINT64_C(1) << 28);
}

static void
test_dma_ranges_outside_the_buffer_are_refused(void **state)
{
	static const struct { uint32_t offset; size_t len; } cases[] = {
		{ 0, 0 }, { 0, 4097 }, { 4096, 1 }, { 4095, 2 }, { UINT32_MAX, 2 }, { 1, SIZE_MAX },
	};
	struct fixture *f = begin(state);
	char data[1];
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		assert_int_equal(rte_edu_dma_write(f->edu, cases[i].offset, data, cases[i].len, 1),
			-EINVAL);
		assert_int_equal(rte_edu_dma_read(f->edu, cases[i].offset, data, cases[i].len, 1),
			-EINVAL);
		assert_int_equal(rte_edu_dma_iova(f->edu, RTE_EDU_DMA_TO_DEVICE, LOW_IOVA,
			cases[i].offset, cases[i].len, 1), -EINVAL);
	}
	assert_int_equal(rte_edu_dma_write(f->edu, 0, NULL, 1, 1), -EINVAL);
	assert_int_equal(rte_edu_dma_read(f->edu, 0, NULL, 1, 1), -EINVAL);
}

static void
test_iova_beyond_the_mask_is_refused(void **state)
{
	static const struct { uint64_t iova; size_t len; int rc; } cases[] = {
		{ UINT64_C(1) << 28, 1, -ERANGE }, { (UINT64_C(1) << 28) - 1, 2, -ERANGE },
		{ UINT64_MAX, 1, -ERANGE }, { UINT64_C(1) << 32, 1, -ERANGE },
		{ (UINT64_C(1) << 28) - 1, 1, 0 },
	};
	struct fixture *f = begin(state);
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++)
		assert_int_equal(rte_edu_dma_iova(f->edu, RTE_EDU_DMA_TO_DEVICE, cases[i].iova, 0,
			cases[i].len, LONG_MS), cases[i].rc);
}

static void
test_dma_reaches_memory_that_the_caller_mapped(void **state)
{
	struct fixture *f = begin(state);
	struct rte_device *dev = bus_device();
	char *memory;

	assert_non_null(dev);
	memory = rte_zmalloc(NULL, 4096, 4096);
	assert_non_null(memory);
	assert_int_equal(rte_dev_dma_map(dev, memory, LOW_IOVA, 4096), 0);
	memcpy(memory + 8, "hello", 5);
	assert_int_equal(rte_edu_dma_iova(f->edu, RTE_EDU_DMA_TO_DEVICE, LOW_IOVA + 8, 16, 5,
		LONG_MS), 0);
	assert_int_equal(rte_edu_dma_iova(f->edu, RTE_EDU_DMA_FROM_DEVICE, LOW_IOVA + 100, 16, 5,
		LONG_MS), 0);
	assert_memory_equal(memory + 100, "hello", 5);
	assert_int_equal(rte_dev_dma_unmap(dev, memory, LOW_IOVA, 4096), 0);
	rte_free(memory);
}

static void
test_transfer_that_takes_too_long_keeps_the_page(void **state)
{
	struct fixture *f = begin(state);
	char data[8] = "old";

	f->fake->hold = true;
	assert_int_equal(rte_edu_dma_write(f->edu, 0, data, sizeof(data), SHORT_MS), -ETIMEDOUT);
	memcpy(data, "new", 4);
	assert_int_equal(rte_edu_dma_write(f->edu, 0, data, sizeof(data), SHORT_MS), -EBUSY);
	fake_edu_finish(f->fake);
	assert_string_equal((char *)f->fake->buffer, "old");
}

static int
setup_without_dma(void **state)
{
	int rc = setup(state);

	fixture.fake->no_dma_map = true;
	return rc;
}

static void
test_without_reachable_memory_only_dma_fails(void **state)
{
	struct fixture *f = begin(state);
	uint32_t result;
	char data[4];

	assert_int_equal(rte_edu_dma_write(f->edu, 0, data, sizeof(data), LONG_MS), -ENOTSUP);
	assert_int_equal(rte_edu_factorial(f->edu, 3, &result, LONG_MS), 0);
}

static void
test_raised_interrupt_arrives_once_and_is_acknowledged(void **state)
{
	struct fixture *f = begin(state);
	uint32_t seen = 0;

	assert_int_equal(rte_edu_irq_raise(f->edu, 0x30), 0);
	assert_int_equal(rte_edu_irq_wait(f->edu, 0x10, &seen, LONG_MS), 0);
	assert_int_equal(seen, 0x10);
	assert_int_equal(rte_edu_irq_wait(f->edu, 0x10, &seen, 0), -ETIMEDOUT);
	assert_int_equal(rte_edu_irq_wait(f->edu, 0x20, NULL, 0), 0);
	assert_int_equal(f->fake->irq_status, 0);
}

static void
test_interrupt_bits_of_the_driver_are_not_for_users(void **state)
{
	static const uint32_t bits[] = { 0, RTE_EDU_IRQ_FACTORIAL, RTE_EDU_IRQ_DMA, 0x101, 0x103 };
	struct fixture *f = begin(state);
	size_t i;

	for (i = 0; i < RTE_DIM(bits); i++) {
		assert_int_equal(rte_edu_irq_raise(f->edu, bits[i]), -EINVAL);
		assert_int_equal(rte_edu_irq_wait(f->edu, bits[i], NULL, 0), -EINVAL);
	}
}

static void
test_waiting_for_an_interrupt_needs_one(void **state)
{
	struct fixture *f = begin(state);

	assert_int_equal(rte_edu_irq_wait(f->edu, 0x10, NULL, LONG_MS), -ENOTSUP);
}

static void
remove_later(struct fixture *f)
{
	(void)f;
	usleep(SHORT_MS * 1000);
	rte_dev_remove(bus_device());
}

static void
test_removal_wakes_up_who_waits_for_a_factorial(void **state)
{
	struct fixture *f = begin(state);
	struct helper helper;
	uint32_t result;

	f->fake->hold = true;
	helper_start(&helper, f, remove_later);
	assert_int_equal(rte_edu_factorial(f->edu, 5, &result, LONG_MS), -ENODEV);
	helper_join(&helper);
	assert_int_equal(f->fake->nb_closes, 1);
}

static void
test_removal_wakes_up_who_waits_for_an_interrupt(void **state)
{
	struct fixture *f = begin(state);
	struct helper helper;

	helper_start(&helper, f, remove_later);
	assert_int_equal(rte_edu_irq_wait(f->edu, 0x10, NULL, LONG_MS), -ENODEV);
	helper_join(&helper);
}

static void
test_removed_device_answers_nothing_and_harms_nobody(void **state)
{
	struct fixture *f = begin(state);
	struct rte_edu *again;
	char data[4];
	uint32_t value;

	assert_int_equal(rte_dev_remove(bus_device()), 0);
	assert_int_equal(rte_edu_identification(f->edu, &value), -ENODEV);
	assert_int_equal(rte_edu_liveness(f->edu, 1), -ENODEV);
	assert_int_equal(rte_edu_factorial(f->edu, 1, &value, 1), -ENODEV);
	assert_int_equal(rte_edu_dma_write(f->edu, 0, data, 4, 1), -ENODEV);
	assert_int_equal(rte_edu_dma_read(f->edu, 0, data, 4, 1), -ENODEV);
	assert_int_equal(rte_edu_dma_iova(f->edu, RTE_EDU_DMA_TO_DEVICE, 0, 0, 4, 1), -ENODEV);
	assert_int_equal(rte_edu_irq_raise(f->edu, 0x10), -ENODEV);
	assert_int_equal(rte_edu_irq_wait(f->edu, 0x10, NULL, 0), -ENODEV);
	assert_int_equal(rte_edu_open(NAME, &again), -ENODEV);
}

static void
test_device_comes_back_as_another_one(void **state)
{
	struct fixture *f = begin(state);
	struct rte_edu *again;
	uint32_t id;

	assert_int_equal(rte_dev_remove(bus_device()), 0);
	assert_int_equal(rte_dev_probe(NAME), 0);
	assert_int_equal(rte_edu_open(NAME, &again), 0);
	assert_ptr_not_equal(again, f->edu);
	assert_int_equal(rte_edu_identification(again, &id), 0);
	assert_int_equal(rte_edu_identification(f->edu, &id), -ENODEV);
	rte_edu_close(again);
}

static void
test_driver_leaves_the_device_quiet(void **state)
{
	struct fixture *f = begin(state);
	uint32_t result;

	assert_int_equal(rte_edu_factorial(f->edu, 1, &result, LONG_MS), 0);
	assert_true(f->fake->bus_master);
	assert_int_equal(rte_dev_remove(bus_device()), 0);
	assert_false(f->fake->bus_master);
	assert_int_equal(f->fake->status, 0);
	assert_int_equal(f->fake->irq_status, 0);
	assert_int_equal(f->fake->maps[0].len, 0);
}

static void
test_registers_are_accessed_as_the_device_wants(void **state)
{
	struct fixture *f = begin(state);
	uint32_t result;
	char data[16] = { 0 };

	rte_edu_liveness(f->edu, 1);
	rte_edu_factorial(f->edu, 3, &result, LONG_MS);
	rte_edu_dma_write(f->edu, 0, data, sizeof(data), LONG_MS);
	rte_edu_irq_raise(f->edu, 0x10);
	assert_int_equal(f->fake->nb_odd_accesses, 0);
}

static void
test_errors_of_the_transport_reach_the_caller(void **state)
{
	struct fixture *f = begin(state);
	uint32_t value;
	char data[4];

	f->fake->io_rc = -ENOTCONN;
	assert_int_equal(rte_edu_identification(f->edu, &value), -ENOTCONN);
	assert_int_equal(rte_edu_factorial(f->edu, 1, &value, LONG_MS), -ENOTCONN);
	assert_int_equal(rte_edu_dma_write(f->edu, 0, data, 4, LONG_MS), -ENOTCONN);
	f->fake->io_rc = 0;
	f->fake->dead = true;
	assert_int_equal(rte_edu_factorial(f->edu, 1, &value, LONG_MS), -EIO);
	assert_int_equal(rte_edu_dma_write(f->edu, 0, data, 4, LONG_MS), -EIO);
}

static void
test_mask_comes_from_the_device_arguments(void **state)
{
	struct fixture *f = *state;

	session_start(NAME ",dma_mask=0xffff");
	assert_int_equal(rte_edu_open(NAME, &f->edu), 0);
	assert_int_equal(rte_edu_dma_iova(f->edu, RTE_EDU_DMA_TO_DEVICE, 0x10000, 0, 1, LONG_MS),
		-ERANGE);
	assert_true(f->fake->maps[0].iova + f->fake->maps[0].len <= 0x10000);
}

static void
test_arguments_may_name_the_driver(void **state)
{
	struct fixture *f = *state;

	session_start("bus=pci,addr=" NAME "/driver=raw_edu,dma_mask=0xffff");
	assert_int_equal(rte_edu_open(NAME, &f->edu), 0);
	assert_int_equal(rte_edu_dma_iova(f->edu, RTE_EDU_DMA_TO_DEVICE, 0x10000, 0, 1, LONG_MS),
		-ERANGE);
}

static void
test_wrong_arguments_are_refused(void **state)
{
	static const char *const args[] = {
		"dma_mask=", "dma_mask=xyz", "dma_mask=0xff", "dma_mask=0xfffe",
		"dma_mask=0x10ffff", "dma_mask=0x1ffffffff", "colour=red",
	};
	char devargs[64];
	size_t i;

	(void)state;
	session_start("0000:00:1f.0");
	for (i = 0; i < RTE_DIM(args); i++) {
		snprintf(devargs, sizeof(devargs), "%s,%s", NAME, args[i]);
		if (rte_dev_probe(devargs) != -EINVAL)
			fail_msg("%s is taken", args[i]);
	}
}

#define EDU_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	EDU_TEST(test_identification_is_read),
	EDU_TEST(test_device_is_found_by_name_or_as_the_first),
	EDU_TEST(test_device_that_says_it_is_something_else_is_refused),
	EDU_TEST(test_liveness_is_told_from_death),
	EDU_TEST(test_factorials_come_by_interrupt_and_without),
	cmocka_unit_test_setup_teardown(test_factorials_come_by_interrupt_and_without,
		setup_without_irq, teardown),
	EDU_TEST(test_waiter_sleeps_until_the_factorial_is_ready),
	EDU_TEST(test_factorial_that_takes_too_long_leaves_the_device_busy),
	EDU_TEST(test_late_interrupt_of_an_old_factorial_does_not_end_a_new_one),
	EDU_TEST(test_dma_copies_both_ways),
	EDU_TEST(test_dma_memory_is_where_the_device_can_reach_it),
	EDU_TEST(test_dma_ranges_outside_the_buffer_are_refused),
	EDU_TEST(test_iova_beyond_the_mask_is_refused),
	EDU_TEST(test_dma_reaches_memory_that_the_caller_mapped),
	EDU_TEST(test_transfer_that_takes_too_long_keeps_the_page),
	cmocka_unit_test_setup_teardown(test_without_reachable_memory_only_dma_fails,
		setup_without_dma, teardown),
	EDU_TEST(test_raised_interrupt_arrives_once_and_is_acknowledged),
	EDU_TEST(test_interrupt_bits_of_the_driver_are_not_for_users),
	cmocka_unit_test_setup_teardown(test_waiting_for_an_interrupt_needs_one,
		setup_without_irq, teardown),
	EDU_TEST(test_removal_wakes_up_who_waits_for_a_factorial),
	EDU_TEST(test_removal_wakes_up_who_waits_for_an_interrupt),
	EDU_TEST(test_removed_device_answers_nothing_and_harms_nobody),
	EDU_TEST(test_device_comes_back_as_another_one),
	EDU_TEST(test_driver_leaves_the_device_quiet),
	EDU_TEST(test_registers_are_accessed_as_the_device_wants),
	EDU_TEST(test_errors_of_the_transport_reach_the_caller),
	EDU_TEST(test_mask_comes_from_the_device_arguments),
	EDU_TEST(test_arguments_may_name_the_driver),
	EDU_TEST(test_wrong_arguments_are_refused),
};

TEST_SUITE(edu, "functional", tests, NULL, NULL)
