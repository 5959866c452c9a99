/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>

#include "fake_vfio.h"
#include "test.h"
#include "vfio_card.h"

/* ---- config space, ports ---- */

static void
test_config_space(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;
	uint8_t bytes[16] = { 1, 2, 3, 4 };
	uint16_t id = 0;

	vfio_card_map(&card, &desc);
	assert_int_equal(rte_pci_read_config(card.pci, &id, 2, RTE_PCI_VENDOR_ID), 2);
	assert_int_equal(id, VFIO_CARD_VENDOR);
	assert_int_equal(rte_pci_write_config(card.pci, bytes, 4, 0xfc), 4);
	assert_int_equal(rte_pci_read_config(card.pci, bytes, 4, 0xfc), 4);
	assert_int_equal(bytes[3], 4);
	assert_int_equal(rte_pci_read_config(card.pci, bytes, 4, 0xfe), -EINVAL);
	assert_int_equal(rte_pci_read_config(card.pci, bytes, 4, 256), -EINVAL);
	assert_int_equal(rte_pci_read_config(card.pci, bytes, 4, -4), -EINVAL);
	assert_int_equal(rte_pci_write_config(card.pci, bytes, 8, -8), -EINVAL);
	vfio_card_unplug(&card);
}

static void
test_ports(void **state)
{
	struct fake_device_desc desc = {
		.regions[0] = { .size = 32, .flags = FAKE_REGION_RW },
	};
	struct rte_pci_ioport port;
	struct vfio_config config;
	struct vfio_card card;
	uint32_t value;

	vfio_config_init(&config);
	config.bytes[RTE_PCI_BASE_ADDRESS_0] = 1;
	desc.config = config.bytes;
	desc.config_len = sizeof(config.bytes);
	vfio_card_map(&card, &desc);
	assert_int_equal(rte_pci_ioport_map(card.pci, -1, &port), -EINVAL);
	assert_int_equal(rte_pci_ioport_map(card.pci, 6, &port), -EINVAL);
	assert_int_equal(rte_pci_ioport_map(card.pci, 1, &port), -EINVAL);
	assert_int_equal(rte_pci_ioport_map(card.pci, 0, &port), 0);
	value = 0x12345678;
	rte_pci_ioport_write(&port, &value, 4, 8);
	value = 0;
	rte_pci_ioport_read(&port, &value, 4, 8);
	assert_int_equal(value, 0x12345678);
	assert_int_equal(card.fake->accesses[0].len, 4);
	value = 0;
	rte_pci_ioport_read(&port, &value, 4, 32);
	assert_int_equal(value, UINT32_MAX);
	value = 0;
	rte_pci_ioport_read(&port, &value, 2, -2);
	assert_int_equal(value, UINT16_MAX);
	rte_pci_ioport_write(&port, &value, 4, 32);
	card.fake->desc.regions[0].io_err = EIO;
	value = 0;
	rte_pci_ioport_read(&port, &value, 4, 0);
	assert_int_equal(value, UINT32_MAX);
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
	assert_int_equal(rte_pci_ioport_unmap(&port), -EINVAL);
	vfio_card_unplug(&card);
}

/* ---- capabilities ---- */

struct caps_row {
	const char *name;
	uint8_t status, first;
	struct {
		uint8_t at, id, next;
	} caps[5];
	uint8_t find;
	off_t rc;
	off_t next_rc;	/* of the next one like it */
};

static const struct caps_row caps_rows[] = {
	{ "found", 0x10, 0x40, { { 0x40, 1, 0x50 }, { 0x50, 9, 0 } }, 9, 0x50, 0 },
	{ "absent", 0x10, 0x40, { { 0x40, 1, 0 } }, 9, 0, 0 },
	{ "second of two", 0x10, 0x40,
		{ { 0x40, 9, 0x50 }, { 0x50, 1, 0x60 }, { 0x60, 9, 0 } }, 9, 0x40, 0x60 },
	{ "no list says the status", 0, 0x40, { { 0x40, 9, 0 } }, 9, 0, 0 },
	{ "pointer's low bits are reserved", 0x10, 0x43, { { 0x40, 1, 0x53 }, { 0x50, 9, 0 } },
		9, 0x50, 0 },
	{ "first pointer in the header", 0x10, 0x10, { { 0x10, 9, 0 } }, 9, 0, 0 },
	{ "pointer in the header", 0x10, 0x40, { { 0x40, 1, 0x3c }, { 0x3c, 9, 0 } }, 9, 0, 0 },
	{ "loop of one", 0x10, 0x40, { { 0x40, 1, 0x40 } }, 9, 0, 0 },
	{ "loop of two", 0x10, 0x40, { { 0x40, 9, 0x50 }, { 0x50, 1, 0x40 } }, 9, 0x40, 0 },
	{ "last place", 0x10, 0xfc, { { 0xfc, 9, 0 } }, 9, 0xfc, 0 },
	{ "id 0 is passed over", 0x10, 0x40, { { 0x40, 0, 0x50 }, { 0x50, 9, 0 } }, 9, 0x50, 0 },
	{ "all ones end it", 0x10, 0x40, { { 0x40, 0xff, 0xff } }, 0xff, 0, 0 },
	{ "overlapping", 0x10, 0x40, { { 0x40, 9, 0x44 }, { 0x44, 9, 0 } }, 9, 0x40, 0x44 },
};

static void
test_capability_lists(void **state)
{
	const struct caps_row *row;
	struct vfio_config config;
	struct vfio_card card;
	size_t i, j;
	off_t at;

	for (i = 0; i < RTE_DIM(caps_rows); i++) {
		struct fake_device_desc desc = vfio_card_two_windows();

		row = &caps_rows[i];
		vfio_config_init(&config);
		config.bytes[RTE_PCI_STATUS] = row->status;
		config.bytes[RTE_PCI_CAPABILITY_LIST] = row->first;
		for (j = 0; j < RTE_DIM(row->caps) && row->caps[j].at != 0; j++) {
			config.bytes[row->caps[j].at] = row->caps[j].id;
			config.bytes[row->caps[j].at + 1] = row->caps[j].next;
		}
		desc.config = config.bytes;
		desc.config_len = sizeof(config.bytes);
		vfio_card_map(&card, &desc);
		assert_int_equal(rte_pci_has_capability_list(card.pci), row->status != 0);
		at = rte_pci_find_capability(card.pci, row->find);
		if (at != row->rc)
			fail_msg("%s: %#jx", row->name, (uintmax_t)at);
		if (at > 0)
			assert_int_equal(rte_pci_find_next_capability(card.pci, row->find, at),
				row->next_rc);
		assert_int_equal(rte_pci_find_next_capability(card.pci, row->find, 0x99), -EINVAL);
		assert_int_equal(card.fake->nb_accesses, 0);
		vfio_card_unplug(&card);
	}
}

static void
test_random_config_space_never_hangs_or_leaves_it(void **state)
{
	uint32_t seed = 4711;
	struct vfio_config config;
	struct vfio_card card;
	unsigned int round, i;
	off_t at;

	for (round = 0; round < 40; round++) {
		struct fake_device_desc desc = vfio_card_two_windows();

		for (i = 0; i < sizeof(config.bytes); i++) {
			seed = seed * 1664525 + 1013904223;
			config.bytes[i] = (uint8_t)(seed >> 24);
		}
		desc.config = config.bytes;
		desc.config_len = sizeof(config.bytes);
		vfio_card_map(&card, &desc);
		for (i = 0; i < 256; i++) {
			at = rte_pci_find_capability(card.pci, (uint8_t)i);
			assert_in_range(at, 0, 252);
			assert_true(at == 0 || at >= 0x40);
		}
		vfio_card_unplug(&card);
	}
}

static void
ext_cap(uint8_t *config, unsigned int at, uint32_t id, uint32_t next)
{
	uint32_t header = id | 1u << 16 | next << 20;

	memcpy(config + at, &header, sizeof(header));
}

static void
test_extended_capabilities(void **state)
{
	static uint8_t config[4096];
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;

	vfio_card_map(&card, &desc);
	assert_int_equal(rte_pci_find_ext_capability(card.pci, 1), 0);
	vfio_card_unplug(&card);

	ext_cap(config, 0x100, RTE_PCI_EXT_CAP_ID_ERR, 0x140);
	ext_cap(config, 0x140, RTE_PCI_EXT_CAP_ID_DSN, 0xffc);
	ext_cap(config, 0xffc, RTE_PCI_EXT_CAP_ID_ACS, 0x100);	/* a loop */
	desc.config = config;
	desc.config_len = sizeof(config);
	vfio_card_map(&card, &desc);
	assert_int_equal(rte_pci_find_ext_capability(card.pci, RTE_PCI_EXT_CAP_ID_ERR), 0x100);
	assert_int_equal(rte_pci_find_ext_capability(card.pci, RTE_PCI_EXT_CAP_ID_DSN), 0x140);
	assert_int_equal(rte_pci_find_ext_capability(card.pci, RTE_PCI_EXT_CAP_ID_ACS), 0xffc);
	assert_int_equal(rte_pci_find_ext_capability(card.pci, RTE_PCI_EXT_CAP_ID_SRIOV), 0);
	card.fake->desc.regions[VFIO_PCI_CONFIG_REGION_INDEX].io_err = EIO;
	assert_int_equal(rte_pci_find_ext_capability(card.pci, RTE_PCI_EXT_CAP_ID_ERR), -EIO);
	card.fake->desc.regions[VFIO_PCI_CONFIG_REGION_INDEX].io_err = 0;
	vfio_card_unplug(&card);

	memset(config + 0x100, 0xff, sizeof(config) - 0x100);
	vfio_card_map(&card, &desc);
	assert_int_equal(rte_pci_find_ext_capability(card.pci, 0xffff), 0);
	vfio_card_unplug(&card);
}

static void
test_pasid_is_switched_by_two_bytes(void **state)
{
	static uint8_t config[4096];
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;
	uint16_t control;

	desc.config = config;
	desc.config_len = sizeof(config);
	vfio_card_map(&card, &desc);
	assert_int_equal(rte_pci_pasid_set_state(card.pci, 0x180, true), 0);
	fake_vfio_peek(card.fake, VFIO_PCI_CONFIG_REGION_INDEX, 0x186, &control, 2);
	assert_int_equal(control, 1);
	assert_int_equal(rte_pci_pasid_set_state(card.pci, 0x180, false), 0);
	fake_vfio_peek(card.fake, VFIO_PCI_CONFIG_REGION_INDEX, 0x186, &control, 2);
	assert_int_equal(control, 0);
	assert_true(rte_pci_pasid_set_state(card.pci, 0, true) < 0);
	assert_true(rte_pci_pasid_set_state(card.pci, 4094, true) < 0);
	vfio_card_unplug(&card);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_config_space),
	cmocka_unit_test(test_ports),
	cmocka_unit_test(test_capability_lists),
	cmocka_unit_test(test_random_config_space_never_hangs_or_leaves_it),
	cmocka_unit_test(test_extended_capabilities),
	cmocka_unit_test(test_pasid_is_switched_by_two_bytes),
};
VFIO_CARD_SUITES(pci_vfio_config, tests)
