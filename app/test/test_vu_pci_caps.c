/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>

#include <rte_common.h>
#include <rte_vfio_user_pci.h>

#include "test.h"
#include "vu_function.h"

static void
test_capabilities_are_chained_in_order(void **state)
{
	int vendor, pm, msi;

	(void)state;
	vendor = rte_vfio_user_pci_add_vendor(vu_function, "hello", NULL, 5);
	pm = rte_vfio_user_pci_add_pm(vu_function);
	msi = rte_vfio_user_pci_add_msi(vu_function, 1, 0);
	assert_int_equal(vu_function_get(0x06, 2), 0x10);
	assert_int_equal(vu_function_get(0x34, 1), vendor);
	assert_int_equal(vu_function_get((uint32_t)vendor, 1), 9);
	assert_int_equal(vu_function_get((uint32_t)vendor + 1, 1), pm);
	assert_int_equal(vu_function_get((uint32_t)vendor + 2, 1), 8);
	assert_int_equal(vu_function_get((uint32_t)vendor + 3, 1), 'h');
	assert_int_equal(vu_function_get((uint32_t)pm, 1), 1);
	assert_int_equal(vu_function_get((uint32_t)pm + 1, 1), msi);
	assert_int_equal(vu_function_get((uint32_t)msi, 1), 5);
	assert_int_equal(vu_function_get((uint32_t)msi + 1, 1), 0);
	assert_true(vendor == 0x40 && pm % 4 == 0 && msi % 4 == 0);
}

static void
test_capability_is_written_where_its_author_permits(void **state)
{
	static const uint8_t body[4] = { 0x12, 0x34, 0x56, 0x78 };
	static const uint8_t writable[4] = { 0x00, 0xf0, 0xff, 0x01 };
	uint32_t cap = (uint32_t)rte_vfio_user_pci_add_cap(vu_function, 0x77, body, writable, 4);

	(void)state;
	vu_function_put(cap, UINT32_MAX, 4);
	assert_int_equal(vu_function_get(cap, 4), 0xf4120077);
	vu_function_put(cap + 4, 0, 2);
	assert_int_equal(vu_function_get(cap + 4, 2), 0x7800);
	assert_int_equal(rte_vfio_user_pci_config_set(vu_function, cap + 2, "\xab", 1), 0);
	assert_int_equal(vu_function_get(cap + 2, 1), 0xab);
}

static void
test_capabilities_fill_256_bytes_and_no_more(void **state)
{
	(void)state;
	assert_int_equal(rte_vfio_user_pci_add_cap(vu_function, 9, NULL, NULL, 0), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_cap(vu_function, 0, NULL, NULL, 4), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_cap(vu_function, 9, NULL, NULL, 191), -ENOSPC);
	assert_int_equal(rte_vfio_user_pci_add_cap(vu_function, 9, NULL, NULL, SIZE_MAX), -ENOSPC);
	assert_int_equal(rte_vfio_user_pci_add_cap(vu_function, 9, NULL, NULL, 188), 0x40);
	assert_int_equal(rte_vfio_user_pci_add_cap(vu_function, 9, NULL, NULL, 2), -ENOSPC);
	assert_int_equal(rte_vfio_user_pci_add_vendor(vu_function, NULL, NULL, 190), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_ext_cap(vu_function, 3, 1, NULL, NULL, 4), -ENOTSUP);
	assert_int_equal(rte_vfio_user_pci_add_express(vu_function, false), -ENOTSUP);
}

static void
test_extended_capabilities_are_chained(void **state)
{
	int serial, other;

	(void)state;
	assert_int_equal(vu_function_get(0x100, 4), 0);
	serial = rte_vfio_user_pci_add_ext_cap(vu_function, 3, 1, "serial!", NULL, 8);
	other = rte_vfio_user_pci_add_ext_cap(vu_function, 0xb, 2, NULL, NULL, 3);
	assert_int_equal(serial, 0x100);
	assert_int_equal(other, 0x10c);
	assert_int_equal(vu_function_get(0x100, 4), 0x10c10003);
	assert_int_equal(vu_function_get(0x104, 1), 's');
	assert_int_equal(vu_function_get(0x10c, 4), 0x0002000b);
	assert_int_equal(rte_vfio_user_pci_add_ext_cap(vu_function, 0, 1, NULL, NULL, 4), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_ext_cap(vu_function, 1, 16, NULL, NULL, 4), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_ext_cap(vu_function, 1, 1, NULL, NULL, 4096),
		-ENOSPC);
	assert_int_equal(rte_vfio_user_pci_add_ext_cap(vu_function, 1, 1, NULL, NULL, SIZE_MAX),
		-ENOSPC);
	assert_int_equal(rte_vfio_user_pci_add_ext_cap(vu_function, 1, 1, NULL, NULL, 0xee9),
		-ENOSPC);
	assert_int_equal(rte_vfio_user_pci_add_ext_cap(vu_function, 1, 1, NULL, NULL, 0xee8),
		0x114);
}

static void
test_express_endpoint_resets_when_asked(void **state)
{
	uint32_t cap = (uint32_t)rte_vfio_user_pci_add_express(vu_function, false);

	(void)state;
	assert_int_equal(vu_function_get(cap + 2, 2), 0x0002);
	assert_int_equal(vu_function_get(cap + 4, 4), 0x10008000);
	vu_function_put(0x3c, 11, 1);
	vu_function_put(cap + 8, 0x8000, 2);
	assert_int_equal(vu_function_told.nb_resets, 1);
	assert_int_equal(vu_function_get(cap + 8, 2), 0x2810);
	assert_int_equal(vu_function_get(0x3c, 1), 0);
}

static void
test_power_management_keeps_its_state(void **state)
{
	uint32_t cap = (uint32_t)rte_vfio_user_pci_add_pm(vu_function);

	(void)state;
	assert_int_equal(vu_function_get(cap + 2, 2), 3);
	vu_function_put(cap + 4, 0xffff, 2);
	assert_int_equal(vu_function_get(cap + 4, 2), 0x000b);
	vu_function_put(cap + 4, 0, 2);
	assert_int_equal(vu_function_get(cap + 4, 2), 0x0008);
}

static void
test_msi_of_every_shape(void **state)
{
	static const struct {
		unsigned int nb;
		uint32_t flags;
		uint32_t control;	/* after ones */
		uint32_t data_reg, mask_reg, mask;
	} cases[] = {
		{ 1, 0, 0x0071, 8, 0, 0 },
		{ 2, RTE_VFIO_USER_PCI_MSI_64, 0x00f3, 12, 0, 0 },
		{ 4, RTE_VFIO_USER_PCI_MSI_MASK, 0x0175, 8, 12, 0xf },
		{ 32, RTE_VFIO_USER_PCI_MSI_64 | RTE_VFIO_USER_PCI_MSI_MASK, 0x01fb, 12, 16,
			0xffffffff },
	};
	unsigned int i;
	uint32_t cap;

	for (i = 0; i < RTE_DIM(cases); i++) {
		vu_function_setup(state);
		cap = (uint32_t)rte_vfio_user_pci_add_msi(vu_function, cases[i].nb, cases[i].flags);
		assert_int_equal(cap, 0x40);
		vu_function_put(cap + 2, 0xffff, 2);
		assert_int_equal(vu_function_get(cap + 2, 2), cases[i].control);
		vu_function_put(cap + 4, UINT32_MAX, 4);
		assert_int_equal(vu_function_get(cap + 4, 4), 0xfffffffc);
		vu_function_put(cap + cases[i].data_reg, 0xffff, 2);
		assert_int_equal(vu_function_get(cap + cases[i].data_reg, 2), 0xffff);
		if (cases[i].mask_reg != 0) {
			vu_function_put(cap + cases[i].mask_reg, UINT32_MAX, 4);
			assert_int_equal(vu_function_get(cap + cases[i].mask_reg, 4),
				cases[i].mask);
		}
		assert_int_equal(rte_vfio_user_pci_add_msi(vu_function, 1, 0), -EEXIST);
		vu_function_teardown(state);
	}
	vu_function_setup(state);
	assert_int_equal(rte_vfio_user_pci_add_msi(vu_function, 3, 0), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_msi(vu_function, 0, 0), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_msi(vu_function, 64, 0), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_add_msi(vu_function, 1, 4), -EINVAL);
}

static void
test_msix_table_and_pending_bits_are_answered(void **state)
{
	const struct rte_vfio_user_pci_msix msix = {
		.nb_vectors = 65, .table_bar = 1, .pba_bar = 1, .table_offset = 0x800,
		.pba_offset = 0x100,
	};
	uint8_t b[16];
	uint32_t cap;

	(void)state;
	vu_function_add_registers(1, 4 * KIB, 0);
	cap = (uint32_t)rte_vfio_user_pci_add_msix(vu_function, &msix);
	vu_function_put(cap + 2, 0xffff, 2);
	assert_int_equal(vu_function_get(cap + 2, 2), 0xc040);
	assert_int_equal(vu_function_get(cap + 4, 4), 0x801);
	assert_int_equal(vu_function_get(cap + 8, 4), 0x101);

	assert_int_equal(rte_vfio_user_pci_region_read(vu_function, 1, 0x80c, b, 4), 0);
	assert_memory_equal(b, "\1\0\0\0", 4);
	assert_int_equal(rte_vfio_user_pci_region_write(vu_function, 1, 0x800 + 64 * 16,
		"\0\0\xe0\xfe\0\0\0\0\x21\0\0\0\0\0\0\0", 16), 0);
	assert_int_equal(rte_vfio_user_pci_region_read(vu_function, 1, 0x800 + 64 * 16, b, 16), 0);
	assert_memory_equal(b, "\0\0\xe0\xfe\0\0\0\0\x21\0\0\0\0\0\0\0", 16);
	assert_int_equal(vu_function_seen.nb, 0);
	assert_int_equal(rte_vfio_user_pci_region_read(vu_function, 1, 0xf8, b, 16), 0);
	assert_int_equal(vu_function_seen.nb, 1);
	assert_memory_equal(b, "\x11\x22\x33\x44\x55\x66\x77\x88\0\0\0\0\0\0\0\0", 16);
}

static void
test_msix_outside_its_bar_is_refused(void **state)
{
	static const struct rte_vfio_user_pci_msix cases[] = {
		{ 0, 1, 1, 0, 0x800 }, { 2049, 1, 1, 0, 0x800 }, { 1, 0, 1, 0, 0x800 },
		{ 1, 1, 2, 0, 0x0 }, { 1, 6, 1, 0, 0x0 }, { 1, 1, 1, 4, 0x800 },
		{ 256, 1, 1, 0x8, 0 }, { 2, 1, 1, 0, 0x18 }, { 1, 1, 1, 0xfffffff8, 0 },
		{ 1, 1, 1, 0x10, 0x1000 },
	};
	static const struct rte_vfio_user_pci_msix good = { 128, 1, 1, 0x800, 0x7f0 };
	const struct rte_vfio_user_pci_bar io = { .size = 256,
		.flags = RTE_VFIO_USER_PCI_BAR_IO };
	unsigned int i;

	(void)state;
	vu_function_add_registers(1, 4 * KIB, 0);
	assert_int_equal(rte_vfio_user_pci_set_bar(vu_function, 2, &io), 0);
	for (i = 0; i < RTE_DIM(cases); i++)
		assert_int_equal(rte_vfio_user_pci_add_msix(vu_function, &cases[i]), -EINVAL);
	assert_true(rte_vfio_user_pci_add_msix(vu_function, &good) > 0);
	assert_int_equal(rte_vfio_user_pci_add_msix(vu_function, &good), -EEXIST);
}

static const struct CMUnitTest tests[] = {
	VU_FUNCTION_TEST(test_capabilities_are_chained_in_order),
	VU_FUNCTION_TEST(test_capability_is_written_where_its_author_permits),
	VU_FUNCTION_TEST(test_capabilities_fill_256_bytes_and_no_more),
	VU_FUNCTION_TEST_EXPRESS(test_extended_capabilities_are_chained),
	VU_FUNCTION_TEST_EXPRESS(test_express_endpoint_resets_when_asked),
	VU_FUNCTION_TEST(test_power_management_keeps_its_state),
	cmocka_unit_test_teardown(test_msi_of_every_shape, vu_function_teardown),
	VU_FUNCTION_TEST(test_msix_table_and_pending_bits_are_answered),
	VU_FUNCTION_TEST(test_msix_outside_its_bar_is_refused),
};

TEST_SUITE(vu_pci_caps, "unit", tests, NULL, NULL)
