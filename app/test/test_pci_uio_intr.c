/* SPDX-License-Identifier: BSD-3-Clause */

/* Interrupts by UIO. */

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_epoll.h>
#include <rte_interrupts.h>

#include "fake_uio.h"
#include "test.h"
#include "uio_card.h"

#define K UINT64_C(0x1000)	/* the page size of all machines that run this */
#define MEM UIO_CARD_MEM
#define TIMEOUT_MS 15000

static void
count(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

static void
wait_for(const atomic_uint *counter, unsigned int expected)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	unsigned int left = TIMEOUT_MS;

	while (atomic_load(counter) < expected && --left > 0)
		nanosleep(&ms, NULL);
	assert_int_equal(atomic_load(counter), expected);
}

static void
test_generic_unmasks_in_configuration_space(void **state)
{
	struct uio_card card;

	uio_card_map(&card, &uio_card_common);
	assert_int_equal(rte_intr_type_get(card.pci->intr_handle), RTE_INTR_HANDLE_UIO_INTX);
	assert_int_equal(rte_intr_disable(card.pci->intr_handle), 0);
	assert_true((uio_card_command(&card) & RTE_PCI_COMMAND_INTX_DISABLE) != 0);
	assert_false(fake_uio_fire(card.uio));
	assert_int_equal(rte_intr_enable(card.pci->intr_handle), 0);
	assert_false((uio_card_command(&card) & RTE_PCI_COMMAND_INTX_DISABLE) != 0);
	assert_int_equal(fake_uio_irqcontrol(card.uio), -1);
	uio_card_unplug(&card);
}

/* A callback that ends late does not switch on what another thread has switched off. */
static void
test_what_is_switched_off_is_not_acknowledged(void **state)
{
	struct fake_uio_desc desc = uio_card_common;
	struct uio_card card;
	unsigned int i;

	for (i = 0; i < RTE_DIM(uio_kernel_drivers); i++) {
		desc.driver = uio_kernel_drivers[i];
		uio_card_map(&card, &desc);
		assert_int_equal(rte_intr_enable(card.pci->intr_handle), 0);
		assert_int_equal(rte_intr_disable(card.pci->intr_handle), 0);
		assert_int_equal(rte_intr_ack(card.pci->intr_handle), 0);
		assert_false(fake_uio_fire(card.uio));
		assert_int_equal(rte_intr_enable(card.pci->intr_handle), 0);
		assert_true(fake_uio_fire(card.uio));
		uio_card_unplug(&card);
	}
}

static void
test_igb_uio_unmasks_by_its_file(void **state)
{
	struct fake_uio_desc desc = uio_card_common;
	struct uio_card card;

	desc.driver = "igb_uio";
	uio_card_map(&card, &desc);
	assert_int_equal(rte_intr_type_get(card.pci->intr_handle), RTE_INTR_HANDLE_UIO);
	assert_int_equal(rte_intr_enable(card.pci->intr_handle), 0);
	assert_int_equal(fake_uio_irqcontrol(card.uio), 1);
	assert_int_equal(rte_intr_disable(card.pci->intr_handle), 0);
	assert_int_equal(fake_uio_irqcontrol(card.uio), 0);
	assert_false(fake_uio_fire(card.uio));
	uio_card_unplug(&card);
}

/* The kernel masks each; what comes meanwhile is told when it is unmasked. */
static void
test_each_interrupt_arrives_once_and_is_masked_until_acknowledged(void **state)
{
	struct fake_uio_desc desc = uio_card_common;
	atomic_uint counter;
	struct uio_card card;
	unsigned int i, j;

	for (i = 0; i < RTE_DIM(uio_kernel_drivers); i++) {
		desc.driver = uio_kernel_drivers[i];
		atomic_store(&counter, 0);
		uio_card_map(&card, &desc);
		assert_int_equal(rte_intr_callback_register(card.pci->intr_handle, count,
			&counter), 0);
		assert_int_equal(rte_intr_enable(card.pci->intr_handle), 0);
		for (j = 1; j <= 100; j++) {
			assert_true(fake_uio_fire(card.uio));
			wait_for(&counter, j);
			assert_false(fake_uio_fire(card.uio));
			assert_int_equal(rte_intr_ack(card.pci->intr_handle), 0);
		}
		assert_int_equal(rte_intr_disable(card.pci->intr_handle), 0);
		assert_int_equal(rte_intr_callback_unregister_sync(card.pci->intr_handle, count,
			&counter), 1);
		assert_int_equal(atomic_load(&counter), 100);
		uio_card_unplug(&card);
	}
}

/* There is one for all queues, and a queue's thread can wait for it. */
static void
test_queue_waits_for_the_interrupt_of_the_device(void **state)
{
	struct rte_epoll_event event;
	struct rte_intr_handle *handle;
	struct uio_card card;
	int queue;

	uio_card_map(&card, &uio_card_common);
	handle = card.pci->intr_handle;
	assert_int_equal(rte_intr_efd_enable(handle, 4), 0);
	assert_true(rte_intr_dp_is_en(handle));
	assert_false(rte_intr_allow_others(handle));
	assert_int_equal(rte_intr_rx_ctl(handle, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_ADD, 0,
		&queue), 0);
	assert_int_equal(rte_intr_enable(handle), 0);
	assert_int_equal(rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, 0), 0);
	assert_true(fake_uio_fire(card.uio));
	assert_int_equal(rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, TIMEOUT_MS), 1);
	assert_ptr_equal(event.epdata.data, &queue);
	assert_int_equal(rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, 0), 0);
	assert_int_equal(rte_intr_rx_ctl(handle, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_DEL, 0,
		&queue), 0);
	rte_intr_efd_disable(handle);
	uio_card_unplug(&card);
}

/*
 * The kernel wakes all who wait for an interrupt, the interrupt thread and that of a queue, and
 * has something to read for one of them.
 */
static void
test_who_comes_late_does_not_wait_for_the_next_interrupt(void **state)
{
	struct fake_uio_desc desc = uio_card_common;
	struct uio_card card;
	uint32_t number;
	unsigned int i;

	for (i = 0; i < RTE_DIM(uio_kernel_drivers); i++) {
		desc.driver = uio_kernel_drivers[i];
		uio_card_map(&card, &desc);
		assert_int_equal(rte_intr_enable(card.pci->intr_handle), 0);
		assert_true(fake_uio_fire(card.uio));
		assert_int_equal(read(rte_intr_fd_get(card.pci->intr_handle), &number, 4), 4);
		assert_int_equal(read(rte_intr_fd_get(card.pci->intr_handle), &number, 4), -1);
		assert_int_equal(errno, EAGAIN);
		uio_card_unplug(&card);
	}
}

static void
test_device_without_interrupt_has_no_handle_to_wait_for(void **state)
{
	struct uio_card card;

	uio_card_plug(&card, &uio_card_common);
	card.uio->no_irq = true;
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	assert_int_equal(rte_intr_type_get(card.pci->intr_handle), RTE_INTR_HANDLE_UNKNOWN);
	assert_int_equal(rte_intr_fd_get(card.pci->intr_handle), -1);
	assert_true(rte_intr_enable(card.pci->intr_handle) < 0);
	uio_assert_bytes_pass(&card, MEM, 16 * K);
	uio_card_unplug(&card);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_generic_unmasks_in_configuration_space),
	cmocka_unit_test(test_what_is_switched_off_is_not_acknowledged),
	cmocka_unit_test(test_igb_uio_unmasks_by_its_file),
	cmocka_unit_test(test_each_interrupt_arrives_once_and_is_masked_until_acknowledged),
	cmocka_unit_test(test_queue_waits_for_the_interrupt_of_the_device),
	cmocka_unit_test(test_who_comes_late_does_not_wait_for_the_next_interrupt),
	cmocka_unit_test(test_device_without_interrupt_has_no_handle_to_wait_for),
};

TEST_SUITE(pci_uio_intr, "functional", tests, uio_card_setup, uio_card_teardown)
