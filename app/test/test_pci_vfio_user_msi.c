/* SPDX-License-Identifier: BSD-3-Clause */

/* A server that says how many messages it has, with a configuration space of its own making. */

#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_common.h>

#include "eal_session.h"
#include "test.h"
#include "vu_gadget.h"
#include "vu_served.h"

#define MSI_AT      0x40u
#define CLASS_OTHER 0xffu

static struct served served;

static void
put16(unsigned int at, uint16_t value)
{
	const rte_le16_t raw = rte_cpu_to_le_16(value);

	memcpy(&served.regs[at], &raw, sizeof(raw));
}

static uint16_t
get16(unsigned int at)
{
	rte_le16_t raw;

	memcpy(&raw, &served.regs[at], sizeof(raw));
	return rte_le_to_cpu_16(raw);
}

/* Its registers are its configuration space, too. */
static void
config_fill(void)
{
	put16(PCI_VENDOR_ID, GADGET_VENDOR);
	put16(PCI_DEVICE_ID, GADGET_DEVICE);
	put16(PCI_STATUS, PCI_STATUS_CAP_LIST);
	served.regs[PCI_CLASS_DEVICE + 1] = CLASS_OTHER;
	served.regs[PCI_CAPABILITY_LIST] = MSI_AT;
	put16(MSI_AT, PCI_CAP_ID_MSI);
}

static void
messages_set(uint32_t count)
{
	struct rte_vfio_user_irq_info *irqs;

	irqs = calloc(1, sizeof(*irqs) + SERVED_IRQS * sizeof(irqs->irq_info[0]));
	assert_non_null(irqs);
	irqs->irq_num = SERVED_IRQS;
	irqs->irq_info[VFIO_PCI_MSI_IRQ_INDEX].count = count;
	irqs->irq_info[VFIO_PCI_MSI_IRQ_INDEX].flags = VFIO_IRQ_INFO_EVENTFD;
	assert_int_equal(rte_vfio_user_set_irq_info(served.path, irqs), 0);
	free(irqs);
}

/* What the bus leaves in the flags of MSI when the server says that it has @p count messages. */
static uint16_t
flags_given(uint32_t count)
{
	char name[128];
	uint16_t flags;

	memset(&served, 0, sizeof(served));
	served_prepare(&served, NULL);
	messages_set(count);
	config_fill();
	assert_int_equal(rte_vfio_user_start(served.path), 0);
	snprintf(name, sizeof(name), "vfio-user:%s", served.path);
	eal_session_start((const char *[]){ "-a", name, NULL });
	assert_non_null(gadget_device);
	flags = get16(MSI_AT + PCI_MSI_FLAGS);
	eal_session_stop();
	served_stop(&served);
	return flags;
}

static void
test_no_more_than_32_messages_are_turned_on(void **state)
{
	static const struct {
		uint32_t count;
		uint16_t log2;
	} cases[] = {
		{ 1, 0 }, { 3, 2 }, { 32, 5 }, { 33, 5 }, { 64, 5 }, { 128, 5 }, { 2000, 5 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++)
		assert_int_equal(flags_given(cases[i].count),
			PCI_MSI_FLAGS_ENABLE | cases[i].log2 << 4);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_no_more_than_32_messages_are_turned_on),
};

TEST_SUITE(pci_vfio_user_msi, "functional", tests, gadget_suite_setup, gadget_suite_teardown)
