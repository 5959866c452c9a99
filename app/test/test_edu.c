/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The driver of the edu device where the device must do as the test says: be slow, be dead, be
 * another one. What any edu does is in driver_tests.h.
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_edu.h>

#include "eal_session.h"
#include "fake_edu.h"
#include "fake_sysfs.h"
#include "test.h"

#define NAME "0000:00:04.0"

/* Long enough never to pass in a test that works, short enough to end one that does not. */
#define LONG_MS 20000
#define SHORT_MS 20

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
test_dma_memory_is_where_the_device_can_reach_it(void **state)
{
	struct fixture *f = begin(state);

	assert_true(f->fake->maps[0].len >= RTE_EDU_BUFFER_SIZE);
	assert_true(f->fake->maps[0].iova + f->fake->maps[0].len <= UINT64_C(1) << 28);
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
	EDU_TEST(test_device_is_found_by_name_or_as_the_first),
	EDU_TEST(test_device_that_says_it_is_something_else_is_refused),
	EDU_TEST(test_liveness_is_told_from_death),
	EDU_TEST(test_waiter_sleeps_until_the_factorial_is_ready),
	EDU_TEST(test_factorial_that_takes_too_long_leaves_the_device_busy),
	EDU_TEST(test_late_interrupt_of_an_old_factorial_does_not_end_a_new_one),
	EDU_TEST(test_dma_memory_is_where_the_device_can_reach_it),
	EDU_TEST(test_transfer_that_takes_too_long_keeps_the_page),
	cmocka_unit_test_setup_teardown(test_without_reachable_memory_only_dma_fails,
		setup_without_dma, teardown),
	cmocka_unit_test_setup_teardown(test_waiting_for_an_interrupt_needs_one,
		setup_without_irq, teardown),
	EDU_TEST(test_removal_wakes_up_who_waits_for_a_factorial),
	EDU_TEST(test_driver_leaves_the_device_quiet),
	EDU_TEST(test_registers_are_accessed_as_the_device_wants),
	EDU_TEST(test_errors_of_the_transport_reach_the_caller),
	EDU_TEST(test_mask_comes_from_the_device_arguments),
	EDU_TEST(test_arguments_may_name_the_driver),
	EDU_TEST(test_wrong_arguments_are_refused),
};

TEST_SUITE(edu, "functional", tests, NULL, NULL)
