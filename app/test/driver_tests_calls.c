/* SPDX-License-Identifier: BSD-3-Clause */

/* Each call of the bus gives the same, whichever way leads to the device: mapped, not, again. */

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_errno.h>

#include "driver_tests.h"

#define REGISTERS_SIZE (1 << 20)
#define ABSENT 1	/* a BAR that the device does not have */

static uint8_t buf[8];

static int
ioport_map(struct rte_pci_device *dev, int bar)
{
	struct rte_pci_ioport port;
	int rc = rte_pci_ioport_map(dev, bar, &port);

	if (rc == 0) {
		rc = rte_pci_ioport_unmap(&port);
		assert_int_equal(rte_pci_ioport_unmap(&port), -EINVAL);
	}
	return rc;
}

static int
bar_info(struct rte_pci_device *dev, int bar)
{
	struct rte_pci_bar_info info;

	return rte_pci_bar_info_get(dev, bar, &info);
}

static int
bar_windows(struct rte_pci_device *dev, int bar)
{
	return rte_pci_bar_windows_get(dev, bar, NULL, 0);
}

#define CALL(name_, expression_) \
static int \
name_(struct rte_pci_device *dev) \
{ \
	return (int)(expression_); \
}

CALL(config_read, rte_pci_read_config(dev, buf, 4, 0))
CALL(config_read_nothing, rte_pci_read_config(dev, buf, 0, 0))
CALL(config_read_before, rte_pci_read_config(dev, buf, 4, -4))
CALL(config_read_behind, rte_pci_read_config(dev, buf, 1, 4096))
CALL(config_read_much, rte_pci_read_config(dev, buf, SIZE_MAX, 0))
CALL(config_write_nothing, rte_pci_write_config(dev, buf, 0, 4))
CALL(config_write_behind, rte_pci_write_config(dev, buf, 2, 4095))
CALL(mmio_read, rte_pci_mmio_read(dev, 0, buf, 4, 0))
CALL(mmio_read_nothing, rte_pci_mmio_read(dev, 0, buf, 0, 0))
CALL(mmio_read_nothing_at_the_end, rte_pci_mmio_read(dev, 0, buf, 0, REGISTERS_SIZE))
CALL(mmio_read_nothing_behind, rte_pci_mmio_read(dev, 0, buf, 0, REGISTERS_SIZE + 1))
CALL(mmio_read_behind, rte_pci_mmio_read(dev, 0, buf, 4, REGISTERS_SIZE))
CALL(mmio_read_before, rte_pci_mmio_read(dev, 0, buf, 4, -4))
CALL(mmio_read_absent, rte_pci_mmio_read(dev, ABSENT, buf, 4, 0))
CALL(mmio_read_no_bar, rte_pci_mmio_read(dev, 6, buf, 4, 0))
CALL(mmio_write_nothing, rte_pci_mmio_write(dev, 0, buf, 0, 0))
CALL(mmio_write_behind, rte_pci_mmio_write(dev, 0, buf, 8, REGISTERS_SIZE - 7))
CALL(mmio_write_absent, rte_pci_mmio_write(dev, ABSENT, buf, 1, 0))
CALL(mmio_write_no_bar, rte_pci_mmio_write(dev, -1, buf, 1, 0))
CALL(ioport_of_memory, ioport_map(dev, 0))
CALL(ioport_absent, ioport_map(dev, ABSENT))
CALL(ioport_no_bar, ioport_map(dev, 6))
CALL(ioport_negative_bar, ioport_map(dev, -1))
CALL(info, bar_info(dev, 0))
CALL(info_absent, bar_info(dev, ABSENT))
CALL(info_no_bar, bar_info(dev, -1))
CALL(windows_absent, bar_windows(dev, ABSENT))
CALL(windows_no_bar, bar_windows(dev, 6))
CALL(pointer_absent, rte_pci_bar_ptr(dev, ABSENT, 0, 1) != NULL)
CALL(pointer_no_bar, rte_pci_bar_ptr(dev, -1, 0, 1) != NULL)
CALL(no_capability, rte_pci_find_capability(dev, 0xfe))
CALL(capability_behind_none, rte_pci_find_next_capability(dev, 5, 3))
CALL(no_ext_capability, rte_pci_find_ext_capability(dev, 0xfffe))
CALL(bus_master_off, rte_pci_set_bus_master(dev, false))
CALL(pasid_in_the_header, rte_pci_pasid_set_state(dev, 4, true))

/* A call, and what it returns for a device that is mapped, and for one that is not. */
static const struct call {
	const char *name;
	int (*call)(struct rte_pci_device *dev);
	int mapped, unmapped;
} calls[] = {
#define ROW(call_, mapped_, unmapped_) { #call_, call_, mapped_, unmapped_ }
	ROW(config_read, 4, -ENODEV),
	ROW(config_read_nothing, 0, -ENODEV),
	ROW(config_read_before, -EINVAL, -ENODEV),
	ROW(config_read_behind, -EINVAL, -ENODEV),
	ROW(config_read_much, -EINVAL, -ENODEV),
	ROW(config_write_nothing, 0, -ENODEV),
	ROW(config_write_behind, -EINVAL, -ENODEV),
	ROW(mmio_read, 4, -ENODEV),
	ROW(mmio_read_nothing, 0, -ENODEV),
	ROW(mmio_read_nothing_at_the_end, 0, -ENODEV),
	ROW(mmio_read_nothing_behind, -EINVAL, -ENODEV),
	ROW(mmio_read_behind, -EINVAL, -ENODEV),
	ROW(mmio_read_before, -EINVAL, -ENODEV),
	ROW(mmio_read_absent, -EINVAL, -ENODEV),
	ROW(mmio_read_no_bar, -EINVAL, -EINVAL),
	ROW(mmio_write_nothing, 0, -ENODEV),
	ROW(mmio_write_behind, -EINVAL, -ENODEV),
	ROW(mmio_write_absent, -EINVAL, -ENODEV),
	ROW(mmio_write_no_bar, -EINVAL, -EINVAL),
	ROW(ioport_of_memory, 0, -ENODEV),
	ROW(ioport_absent, -EINVAL, -ENODEV),
	ROW(ioport_no_bar, -EINVAL, -EINVAL),
	ROW(ioport_negative_bar, -EINVAL, -EINVAL),
	ROW(info, 0, -ENODEV),
	ROW(info_absent, 0, -ENODEV),
	ROW(info_no_bar, -EINVAL, -EINVAL),
	ROW(windows_absent, 0, -ENODEV),
	ROW(windows_no_bar, -EINVAL, -EINVAL),
	ROW(pointer_absent, 0, 0),
	ROW(pointer_no_bar, 0, 0),
	ROW(no_capability, 0, -ENODEV),
	ROW(capability_behind_none, -EINVAL, -ENODEV),
	ROW(no_ext_capability, 0, -ENODEV),
	ROW(bus_master_off, 0, -ENODEV),
	ROW(pasid_in_the_header, -EINVAL, -EINVAL),
#undef ROW
};

static void
calls_check(struct rte_pci_device *dev, bool mapped)
{
	size_t i;
	int rc, expected;

	for (i = 0; i < RTE_DIM(calls); i++) {
		rc = calls[i].call(dev);
		expected = mapped ? calls[i].mapped : calls[i].unmapped;
		if (rc != expected)
			fail_msg("%s, %smapped: %d, not %d", calls[i].name, mapped ? "" : "un", rc,
				expected);
	}
}

static void
each_call_gives_the_same_on_every_way(struct driver_device *d)
{
	calls_check(d->dev, true);
}

/* The device stays on the bus when its driver has given it up, and may be mapped without one. */
static void
calls_need_a_device_that_is_mapped(struct driver_device *d)
{
	struct rte_pci_device *dev = d->dev;
	unsigned int round;

	driver_unplug(d);
	calls_check(dev, false);
	for (round = 0; round < 2; round++) {
		assert_int_equal(rte_pci_map_device(dev), 0);
		assert_int_equal(rte_pci_map_device(dev), 0);
		calls_check(dev, true);
		rte_pci_unmap_device(dev);
		rte_pci_unmap_device(dev);
		calls_check(dev, false);
	}
	assert_int_equal(rte_pci_map_device(NULL), -EINVAL);
	assert_int_equal(rte_errno, EINVAL);
	rte_pci_unmap_device(NULL);
}

/* What is outside reads as ones, as on a bus where nobody answers; writes go nowhere. */
static void
memory_is_reached_by_the_calls_for_ports(struct driver_device *d)
{
	struct rte_pci_ioport port;
	uint32_t id = 0, value;

	assert_int_equal(rte_pci_mmio_read(d->dev, 0, &id, sizeof(id), 0), sizeof(id));
	assert_int_equal(rte_pci_ioport_map(d->dev, 0, &port), 0);
	rte_pci_ioport_read(&port, &value, sizeof(value), 0);
	assert_int_equal(value, id);
	value = 0x5a;
	rte_pci_ioport_write(&port, &value, sizeof(value), 4);
	rte_pci_ioport_read(&port, &value, sizeof(value), 4);
	assert_int_equal(value, ~UINT32_C(0x5a));
	value = 0;
	rte_pci_ioport_read(&port, &value, sizeof(value), REGISTERS_SIZE);
	assert_int_equal(value, UINT32_MAX);
	rte_pci_ioport_write(&port, &value, sizeof(value), REGISTERS_SIZE - 2);
	rte_pci_ioport_read(&port, &value, sizeof(value), -4);
	assert_int_equal(value, UINT32_MAX);
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
}

const struct driver_test driver_tests_calls[] = {
	DRIVER_TEST(each_call_gives_the_same_on_every_way, 0),
	DRIVER_TEST(memory_is_reached_by_the_calls_for_ports, 0),
	DRIVER_TEST(calls_need_a_device_that_is_mapped, 0),
	{ .name = NULL },
};
