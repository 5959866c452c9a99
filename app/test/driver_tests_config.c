/* SPDX-License-Identifier: BSD-3-Clause */

/* Configuration space, as PCI Local Bus 3.0 has it. */

#include <errno.h>
#include <string.h>

#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_pci.h>

#include "driver_tests.h"

#define CONFIG_SIZE 256u
#define LINE 0x3c	/* a byte that can be written and has no effect */
#define BAR0 0x10
#define CAPABILITIES 0x34
#define COMMAND_MASTER 0x4u

static uint32_t
config_read(const struct driver_device *d, off_t offset, size_t width)
{
	uint32_t value = 0;

	assert_int_equal(rte_pci_read_config(d->dev, &value, width, offset), width);
	return value;
}

static void
config_write(const struct driver_device *d, off_t offset, uint32_t value, size_t width)
{
	assert_int_equal(rte_pci_write_config(d->dev, &value, width, offset), width);
}

static void
configuration_space_names_the_device(struct driver_device *d)
{
	assert_int_equal(config_read(d, 0, 4), 0x11e81234);
	assert_int_equal(config_read(d, 0, 2), 0x1234);
	assert_int_equal(config_read(d, 2, 2), 0x11e8);
	assert_int_equal(config_read(d, 0x0b, 1), 0x00);
	assert_int_equal(config_read(d, 0x0a, 1), 0xff);
	assert_int_equal(config_read(d, 0x0e, 1) & 0x7f, 0);
	assert_int_equal(d->dev->id.vendor_id, 0x1234);
	assert_int_equal(d->dev->id.device_id, 0x11e8);
	assert_int_equal(d->dev->id.class_id, 0x00ff00);
}

static void
configuration_space_reads_the_same_by_every_width(struct driver_device *d)
{
	static const size_t widths[] = { 1, 2, 3, 4, 5, 8, 64 };
	uint8_t whole[CONFIG_SIZE], part[CONFIG_SIZE];
	size_t i, offset;

	assert_int_equal(rte_pci_read_config(d->dev, whole, sizeof(whole), 0), sizeof(whole));
	for (i = 0; i < RTE_DIM(widths); i++) {
		for (offset = 0; offset + widths[i] <= sizeof(whole); offset++) {
			assert_int_equal(rte_pci_read_config(d->dev, part, widths[i],
				(off_t)offset), widths[i]);
			assert_memory_equal(part, &whole[offset], widths[i]);
		}
	}
}

static void
a_byte_is_written_alone(struct driver_device *d)
{
	uint32_t before = config_read(d, LINE, 4);

	config_write(d, LINE, 0x5a, 1);
	assert_int_equal(config_read(d, LINE, 4), (before & 0xffffff00) | 0x5a);
	config_write(d, LINE, before, 1);
	assert_int_equal(config_read(d, LINE, 4), before);
}

static void
the_command_register_is_written_by_two_bytes(struct driver_device *d)
{
	uint32_t before = config_read(d, RTE_PCI_COMMAND, 2);

	config_write(d, RTE_PCI_COMMAND, before ^ COMMAND_MASTER, 2);
	assert_int_equal(config_read(d, RTE_PCI_COMMAND, 2), before ^ COMMAND_MASTER);
	config_write(d, RTE_PCI_COMMAND, before, 2);
	assert_int_equal(config_read(d, RTE_PCI_COMMAND, 2), before);
}

static void
a_bar_is_sized_by_four_bytes(struct driver_device *d)
{
	uint32_t before = config_read(d, BAR0, 4);

	config_write(d, BAR0, UINT32_MAX, 4);
	assert_int_equal(config_read(d, BAR0, 4), 0xfff00000);
	config_write(d, BAR0, before, 4);
	assert_int_equal(config_read(d, BAR0, 4), before);
	assert_int_equal(rte_edu_liveness(d->edu, 0xba), 0);
}

static void
what_cannot_be_written_stays(struct driver_device *d)
{
	config_write(d, 0, 0, 4);
	config_write(d, 8, 0, 4);
	configuration_space_names_the_device(d);
}

static void
ranges_outside_configuration_space_are_refused(struct driver_device *d)
{
	static const struct {
		off_t offset;
		size_t len;
	} cases[] = {
		{ -1, 1 }, { -4, 4 }, { 4096, 1 }, { 4093, 4 }, { 0, 4097 }, { 4, SIZE_MAX },
		{ INT64_MAX, 1 }, { INT64_MIN, 1 },
	};
	uint8_t buf[8] = { 0 };
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		assert_int_equal(rte_pci_read_config(d->dev, buf, cases[i].len, cases[i].offset),
			-EINVAL);
		assert_int_equal(rte_pci_write_config(d->dev, buf, cases[i].len, cases[i].offset),
			-EINVAL);
	}
}

/* By hand, as against what the bus says. */
static unsigned int
capabilities_walk(const struct driver_device *d, uint32_t id, off_t *found)
{
	uint32_t at = config_read(d, CAPABILITIES, 1) & 0xfc;
	unsigned int nb = 0;

	*found = 0;
	for (; at != 0 && nb < 48; at = config_read(d, at + 1, 1) & 0xfc, nb++) {
		assert_in_range(at, 0x40, CONFIG_SIZE - 4);
		if (config_read(d, at, 1) == id && *found == 0)
			*found = at;
	}
	return nb;
}

static void
capabilities_are_walked_to_their_end(struct driver_device *d)
{
	uint32_t id;
	off_t found;

	assert_true(rte_pci_has_capability_list(d->dev));
	assert_in_range(capabilities_walk(d, 0, &found), 1, 47);
	for (id = 1; id < 0x20; id++) {
		capabilities_walk(d, id, &found);
		assert_int_equal(rte_pci_find_capability(d->dev, (uint8_t)id), found);
	}
}

static void
msi_is_there_with_one_vector_and_long_addresses(struct driver_device *d)
{
	off_t msi = rte_pci_find_capability(d->dev, RTE_PCI_CAP_ID_MSI);

	assert_true(msi >= 0x40);
	assert_int_equal(config_read(d, msi + 2, 2) & 0x008e, 0x0080);
	assert_int_equal(rte_pci_find_next_capability(d->dev, RTE_PCI_CAP_ID_MSI, msi), 0);
	assert_int_equal(rte_pci_find_next_capability(d->dev, RTE_PCI_CAP_ID_MSI, msi + 1),
		-EINVAL);
}

static void
what_the_device_does_not_have_is_not_found(struct driver_device *d)
{
	assert_int_equal(rte_pci_find_capability(d->dev, RTE_PCI_CAP_ID_VNDR), 0);
	assert_int_equal(rte_pci_find_ext_capability(d->dev, 0x0001), 0);
}

static void
bus_mastering_follows_the_call(struct driver_device *d)
{
	assert_int_equal(rte_pci_set_bus_master(d->dev, false), 0);
	assert_int_equal(config_read(d, RTE_PCI_COMMAND, 2) & COMMAND_MASTER, 0);
	assert_int_equal(rte_pci_set_bus_master(d->dev, true), 0);
	assert_int_equal(rte_pci_set_bus_master(d->dev, true), 0);
	assert_int_equal(config_read(d, RTE_PCI_COMMAND, 2) & COMMAND_MASTER, COMMAND_MASTER);
}

const struct driver_test driver_tests_config[] = {
	DRIVER_TEST(configuration_space_names_the_device, 0),
	DRIVER_TEST(configuration_space_reads_the_same_by_every_width, 0),
	DRIVER_TEST(a_byte_is_written_alone, 0),
	DRIVER_TEST(the_command_register_is_written_by_two_bytes, 0),
	DRIVER_TEST(a_bar_is_sized_by_four_bytes, 0),
	DRIVER_TEST(what_cannot_be_written_stays, 0),
	DRIVER_TEST(ranges_outside_configuration_space_are_refused, 0),
	DRIVER_TEST(capabilities_are_walked_to_their_end, 0),
	DRIVER_TEST(msi_is_there_with_one_vector_and_long_addresses, DRIVER_NEED(MSI)),
	DRIVER_TEST(what_the_device_does_not_have_is_not_found, 0),
	DRIVER_TEST(bus_mastering_follows_the_call, DRIVER_NEED(DMA)),
	{ .name = NULL },
};
