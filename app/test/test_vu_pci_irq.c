/* SPDX-License-Identifier: BSD-3-Clause */

/* Which way an interrupt of an emulated PCI function takes, and when a level is told of. */

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include <rte_common.h>

#include "test.h"
#include "vu_gadget.h"
#include "vu_irq_flags.h"
#include "vu_peer.h"

#define MSI_FLAGS (0x40u + PCI_MSI_FLAGS)	/* the first capability */

static struct gadget gadget;
static struct vu_peer peer;
static int event[3];

static int
setup(void **state)
{
	unsigned int i;

	(void)state;
	memset(&gadget, 0, sizeof(gadget));
	gadget.intx_pin = 1;
	gadget.nb_msi = 4;
	gadget.nb_msix = 3;
	gadget_start(&gadget);
	for (i = 0; i < RTE_DIM(event); i++)
		event[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	peer_open(&peer, gadget.path);
	return 0;
}

static int
teardown(void **state)
{
	unsigned int i;

	(void)state;
	peer_close(&peer);
	gadget_end(&gadget);
	for (i = 0; i < RTE_DIM(event); i++)
		close(event[i]);
	return 0;
}

/* How often an eventfd was signalled since the last call. */
static uint64_t
events(unsigned int i)
{
	uint64_t count = 0;

	return read(event[i], &count, sizeof(count)) < 0 ? 0 : count;
}

static void
bind_event(uint32_t index, uint32_t vector, unsigned int i)
{
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, index, vector, 1, &event[i], 1), 0);
}

static void
unbind_all(uint32_t index)
{
	assert_int_equal(peer_set_irqs(&peer, NONE | TRIGGER, index, 0, 0, NULL, 0), 0);
}

static void
config_put(uint32_t off, uint16_t value)
{
	assert_int_equal(peer_write(&peer, VFIO_PCI_CONFIG_REGION_INDEX, off, &value, 2), 0);
}

static bool
line_is_up(void)
{
	uint16_t status = 0;

	assert_int_equal(peer_read(&peer, VFIO_PCI_CONFIG_REGION_INDEX, PCI_STATUS, &status, 2), 0);
	return (status & PCI_STATUS_INTERRUPT) != 0;
}

/* ---- INTx ---- */

static void
test_level_signals_for_each_cause_and_not_on_unmask(void **state)
{
	(void)state;
	bind_event(INTX, 0, 0);
	assert_int_equal(rte_vfio_user_pci_intx(gadget.pci, true), 0);
	assert_int_equal(events(0), 1);
	assert_true(line_is_up());
	assert_int_equal(peer_set_irqs(&peer, NONE | UNMASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(events(0), 0);
	assert_int_equal(rte_vfio_user_pci_intx(gadget.pci, true), 0);
	assert_int_equal(events(0), 1);
	rte_vfio_user_pci_lower(gadget.pci);
	assert_int_equal(events(0), 0);
	assert_false(line_is_up());
}

static void
test_disabled_level_is_made_up_for(void **state)
{
	(void)state;
	bind_event(INTX, 0, 0);
	config_put(PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
	assert_int_equal(rte_vfio_user_pci_intx(gadget.pci, true), 0);
	assert_int_equal(events(0), 0);
	config_put(PCI_COMMAND, 0);
	assert_int_equal(events(0), 1);
	config_put(PCI_COMMAND, PCI_COMMAND_MEMORY);
	assert_int_equal(events(0), 0);
}

static void
test_level_that_went_down_is_forgotten(void **state)
{
	(void)state;
	bind_event(INTX, 0, 0);
	config_put(PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
	assert_int_equal(rte_vfio_user_pci_intx(gadget.pci, true), 0);
	rte_vfio_user_pci_lower(gadget.pci);
	config_put(PCI_COMMAND, 0);
	assert_int_equal(events(0), 0);
}

static void
test_level_before_the_eventfd_is_made_up_for(void **state)
{
	(void)state;
	assert_int_equal(rte_vfio_user_pci_raise(gadget.pci, 0), 0);
	bind_event(INTX, 0, 0);
	assert_int_equal(events(0), 1);
}

/* ---- messages ---- */

static void
test_raise_takes_the_way_that_the_client_uses(void **state)
{
	(void)state;
	bind_event(INTX, 0, 0);
	assert_int_equal(rte_vfio_user_pci_raise(gadget.pci, 0), 0);
	assert_int_equal(events(0), 1);
	rte_vfio_user_pci_lower(gadget.pci);
	unbind_all(INTX);
	bind_event(MSI, 0, 1);
	assert_int_equal(rte_vfio_user_pci_raise(gadget.pci, 0), 0);
	assert_int_equal(events(1), 1);
	unbind_all(MSI);
	bind_event(MSIX, 2, 2);
	assert_int_equal(rte_vfio_user_pci_raise(gadget.pci, 2), 0);
	assert_int_equal(events(0) + events(1), 0);
	assert_int_equal(events(2), 1);
	assert_false(line_is_up());
	assert_int_equal(rte_vfio_user_pci_raise(gadget.pci, 4), -EINVAL);
}

static void
test_enable_bit_of_a_client_that_uses_the_level_does_not_matter(void **state)
{
	(void)state;
	config_put(MSI_FLAGS, PCI_MSI_FLAGS_ENABLE);
	bind_event(INTX, 0, 0);
	assert_int_equal(rte_vfio_user_pci_raise(gadget.pci, 0), 0);
	assert_int_equal(events(0), 1);
}

#define IRQ_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	IRQ_TEST(test_level_signals_for_each_cause_and_not_on_unmask),
	IRQ_TEST(test_disabled_level_is_made_up_for),
	IRQ_TEST(test_level_that_went_down_is_forgotten),
	IRQ_TEST(test_level_before_the_eventfd_is_made_up_for),
	IRQ_TEST(test_raise_takes_the_way_that_the_client_uses),
	IRQ_TEST(test_enable_bit_of_a_client_that_uses_the_level_does_not_matter),
};

TEST_SUITE(vu_pci_irq, "functional", tests, NULL, NULL)
