/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include <bus_driver.h>
#include <rte_bus.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_interrupts.h>

#include "counter.h"
#include "fake_vfio.h"
#include "test.h"
#include "vfio_card.h"

/* ---- the kernel wants the device back ---- */

static struct fake_device_desc
notifying_desc(void)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	const struct fake_irq irq = { .count = 1, .flags = VFIO_IRQ_INFO_EVENTFD };

	desc.irqs[VFIO_PCI_REQ_IRQ_INDEX] = irq;
	desc.irqs[VFIO_PCI_ERR_IRQ_INDEX] = irq;
	return desc;
}

static struct {
	atomic_uint count;
	atomic_uint removals;
	atomic_bool fired;	/* the fake is done with its side */
	struct vfio_card *unplug;	/* in the callback */
	int unplug_rc;
} events;

/* The device asks to be let go; the callback goes on when that is over. */
static void
fire_request(struct vfio_card *card)
{
	assert_int_equal(fake_vfio_fire(card->fake, VFIO_PCI_REQ_IRQ_INDEX, 0), 0);
	atomic_store(&events.fired, true);
}

static void
on_event(const char *name, enum rte_dev_event_type event, void *arg)
{
	if (event == RTE_DEV_EVENT_REMOVE)
		atomic_fetch_add(&events.removals, 1);
	while (!atomic_load(&events.fired))
		usleep(100);
	if (events.unplug != NULL) {
		events.unplug_rc = rte_dev_remove(&events.unplug->pci->device);
		events.unplug = NULL;
	}
	atomic_fetch_add(&events.count, 1);
}

static void
events_start(const char *name)
{
	atomic_store(&events.count, 0);
	atomic_store(&events.removals, 0);
	atomic_store(&events.fired, false);
	events.unplug = NULL;
	assert_int_equal(rte_dev_event_callback_register(name, on_event, NULL), 0);
}

static void
test_request_raises_the_removal_event(void **state)
{
	struct fake_device_desc desc = notifying_desc();
	struct vfio_card card;

	vfio_card_map(&card, &desc);
	events_start(card.name);
	fire_request(&card);
	counter_wait(&events.count, 1);
	assert_int_equal(atomic_load(&events.removals), 1);
	assert_true(rte_dev_event_callback_unregister(card.name, on_event, NULL) >= 0);
	vfio_card_unplug(&card);
}

static void
test_repeated_requests_raise_one_event(void **state)
{
	struct fake_device_desc desc = notifying_desc();
	struct vfio_card card;
	int i;

	vfio_card_map(&card, &desc);
	events_start(card.name);
	fire_request(&card);
	counter_wait(&events.count, 1);
	for (i = 0; i < 5; i++) {
		assert_int_equal(fake_vfio_fire(card.fake, VFIO_PCI_REQ_IRQ_INDEX, 0), 0);
		usleep(2000);
	}
	assert_int_equal(atomic_load(&events.removals), 1);

	/* one who maps it anew is asked anew */
	rte_pci_unmap_device(card.pci);
	assert_int_equal(rte_pci_map_device(card.pci), 0);
	fire_request(&card);
	counter_wait(&events.count, 2);
	assert_true(rte_dev_event_callback_unregister(card.name, on_event, NULL) >= 0);
	vfio_card_unplug(&card);
}

static void
test_device_can_be_unplugged_in_the_callback(void **state)
{
	struct fake_device_desc desc = notifying_desc();
	struct vfio_card card;

	desc.device = 2;
	vfio_card_plug(&card, &desc);
	events_start(card.name);
	events.unplug = &card;
	fire_request(&card);
	counter_wait(&events.count, 1);
	assert_int_equal(events.unplug_rc, 0);
	assert_true(rte_dev_event_callback_unregister(card.name, on_event, NULL) >= 0);
	assert_int_equal(card.fake->nb_open, 0);
	fake_vfio_unplug(card.fake);
}

static void
test_request_while_unplugging_is_harmless(void **state)
{
	struct fake_device_desc desc = notifying_desc();
	struct vfio_card card;
	int i;

	for (i = 0; i < 50; i++) {
		vfio_card_map(&card, &desc);
		events_start(card.name);
		fire_request(&card);
		assert_int_equal(fake_vfio_fire(card.fake, VFIO_PCI_ERR_IRQ_INDEX, 0), 0);
		vfio_card_unplug(&card);
		rte_dev_event_callback_unregister(card.name, on_event, NULL);
		assert_true(atomic_load(&events.count) <= 1);
	}
}

/* As when the handler of SIGBUS is asked about the address of a load. */
static void
test_fault_in_a_window_puts_ones_there_and_leaves_calls(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	const struct rte_bus *bus = rte_bus_find_by_name("pci");
	volatile uint8_t *base;
	struct vfio_card card;
	uint8_t byte;

	assert_non_null(bus);
	vfio_card_map(&card, &desc);
	base = card.pci->mem_resource[2].addr;
	assert_int_equal(base[5], vfio_card_pattern(5));
	assert_int_equal(bus->sigbus_handler((const uint8_t *)card.pci->mem_resource[2].addr + 5),
		0);
	assert_int_equal(base[5], 0xff);
	base[8 * K] = 0x99;
	fake_vfio_peek(card.fake, 2, 8 * K, &byte, 1);
	assert_int_equal(byte, vfio_card_pattern(8 * K));
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &byte, 1, 8 * K), 1);
	assert_int_equal(byte, vfio_card_pattern(8 * K));
	byte = 0x77;
	assert_int_equal(rte_pci_mmio_write(card.pci, 2, &byte, 1, 8 * K), 1);
	fake_vfio_peek(card.fake, 2, 8 * K, &byte, 1);
	assert_int_equal(byte, 0x77);
	vfio_card_unplug(&card);
	assert_true(bus->sigbus_handler(&byte) > 0);
}

static void
test_notifiers_that_cannot_be_set_up_are_not_fatal(void **state)
{
	struct fake_device_desc desc = notifying_desc();
	struct vfio_card card;

	desc.irqs[VFIO_PCI_REQ_IRQ_INDEX].set_err = EINVAL;
	desc.irqs[VFIO_PCI_ERR_IRQ_INDEX].set_err = EINVAL;
	vfio_card_map(&card, &desc);
	assert_int_equal(rte_intr_fd_get(card.pci->vfio_req_intr_handle), -1);
	vfio_card_unplug(&card);
	desc.irqs[VFIO_PCI_REQ_IRQ_INDEX].info_err = EIO;
	desc.irqs[VFIO_PCI_ERR_IRQ_INDEX].info_err = EIO;
	vfio_card_map(&card, &desc);
	vfio_card_unplug(&card);
}

static void
test_error_interrupt_is_bound_while_mapped(void **state)
{
	struct fake_device_desc desc = notifying_desc();
	struct vfio_card card;
	uint32_t value;

	vfio_card_map(&card, &desc);
	assert_int_equal(card.fake->irqs[VFIO_PCI_ERR_IRQ_INDEX].nb, 1);
	assert_int_equal(fake_vfio_fire(card.fake, VFIO_PCI_ERR_IRQ_INDEX, 0), 0);
	assert_int_equal(rte_pci_mmio_read(card.pci, 2, &value, 4, 0), 4);
	rte_pci_unmap_device(card.pci);
	assert_int_equal(fake_vfio_fire(card.fake, VFIO_PCI_ERR_IRQ_INDEX, 0), -ENOTCONN);
	vfio_card_unplug(&card);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_request_raises_the_removal_event),
	cmocka_unit_test(test_repeated_requests_raise_one_event),
	cmocka_unit_test(test_device_can_be_unplugged_in_the_callback),
	cmocka_unit_test(test_request_while_unplugging_is_harmless),
	cmocka_unit_test(test_fault_in_a_window_puts_ones_there_and_leaves_calls),
	cmocka_unit_test(test_notifiers_that_cannot_be_set_up_are_not_fatal),
	cmocka_unit_test(test_error_interrupt_is_bound_while_mapped),
};
VFIO_CARD_SUITES(pci_vfio_removal, tests)
