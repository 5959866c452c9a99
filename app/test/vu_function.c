/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdbool.h>
#include <string.h>

#include <rte_vfio_user_pci.h>

#include "test.h"
#include "vu_function.h"

struct vu_function_told vu_function_told;
struct vu_function_seen vu_function_seen;

static void
on_command(struct rte_vfio_user_pci *pci, uint16_t command)
{
	(void)pci;
	vu_function_told.nb_commands++;
	vu_function_told.command = command;
}

static void
on_bar(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t addr)
{
	(void)pci;
	vu_function_told.nb_bars++;
	vu_function_told.bar = bar;
	vu_function_told.addr = addr;
}

static int
on_reset(struct rte_vfio_user_pci *pci)
{
	(void)pci;
	vu_function_told.nb_resets++;
	return 0;
}

static void
on_config(struct rte_vfio_user_pci *pci, uint32_t off, uint32_t len)
{
	(void)pci;
	vu_function_told.nb_writes++;
	vu_function_told.written_off = off;
	vu_function_told.written_len = len;
}

const struct rte_vfio_user_pci_ops vu_function_ops = {
	.reset = on_reset,
	.command_changed = on_command,
	.bar_changed = on_bar,
	.config_written = on_config,
};

const struct rte_vfio_user_pci_info vu_function_info = {
	.size = sizeof(vu_function_info),
	.vendor_id = 0x1234,
	.device_id = 0x5678,
	.subsystem_vendor_id = 0x9abc,
	.subsystem_id = 0xdef0,
	.class_code = 0x028001,
	.revision_id = 0x42,
	.interrupt_pin = 1,
};

struct rte_vfio_user_pci *vu_function;

struct rte_vfio_user_pci *
vu_function_create(bool express)
{
	struct rte_vfio_user_pci_info info = vu_function_info;
	struct rte_vfio_user_pci *made = NULL;

	info.express = express;
	assert_int_equal(rte_vfio_user_pci_create(&info, &vu_function_ops, &vu_function_told,
		&made), 0);
	return made;
}

int
vu_function_setup(void **state)
{
	(void)state;
	memset(&vu_function_told, 0, sizeof(vu_function_told));
	memset(&vu_function_seen, 0, sizeof(vu_function_seen));
	vu_function = vu_function_create(false);
	return 0;
}

int
vu_function_setup_express(void **state)
{
	vu_function_setup(state);
	rte_vfio_user_pci_free(vu_function);
	vu_function = vu_function_create(true);
	return 0;
}

int
vu_function_teardown(void **state)
{
	(void)state;
	rte_vfio_user_pci_free(vu_function);
	return 0;
}

uint32_t
vu_function_get(uint32_t off, unsigned int len)
{
	uint8_t b[4] = { 0 };

	assert_int_equal(rte_vfio_user_pci_config_read(vu_function, off, b, len), 0);
	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

void
vu_function_put(uint32_t off, uint32_t value, unsigned int len)
{
	const uint8_t b[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
		(uint8_t)(value >> 24) };

	assert_int_equal(rte_vfio_user_pci_config_write(vu_function, off, b, len), 0);
}

uint64_t
vu_function_read(struct rte_vfio_user_pci *owner, unsigned int bar, uint64_t off,
	unsigned int width)
{
	(void)owner, (void)bar;
	vu_function_seen.nb++;
	vu_function_seen.offset = off;
	vu_function_seen.width = width;
	return UINT64_C(0x8877665544332211);
}

void
vu_function_write(struct rte_vfio_user_pci *owner, unsigned int bar, uint64_t off,
	unsigned int width, uint64_t value)
{
	(void)owner, (void)bar;
	vu_function_seen.nb++;
	vu_function_seen.offset = off;
	vu_function_seen.width = width;
	vu_function_seen.value = value;
}

void
vu_function_add_registers(unsigned int bar, uint64_t size, uint32_t flags)
{
	const struct rte_vfio_user_pci_bar desc = {
		.size = size, .flags = flags, .read = vu_function_read, .write = vu_function_write,
	};

	assert_int_equal(rte_vfio_user_pci_set_bar(vu_function, bar, &desc), 0);
}
