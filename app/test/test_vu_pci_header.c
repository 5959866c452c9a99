/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>

#include <rte_common.h>
#include <rte_vfio_user_pci.h>

#include "test.h"
#include "vu_function.h"

static void
test_header_tells_what_the_function_is(void **state)
{
	static const struct {
		uint32_t off;
		unsigned int len;
		uint32_t value;
	} cases[] = {
		{ 0x00, 2, 0x1234 }, { 0x02, 2, 0x5678 }, { 0x04, 2, 0 }, { 0x06, 2, 0 },
		{ 0x08, 1, 0x42 }, { 0x08, 4, 0x02800142 }, { 0x0e, 1, 0 }, { 0x2c, 2, 0x9abc },
		{ 0x2e, 2, 0xdef0 }, { 0x34, 1, 0 }, { 0x3d, 1, 1 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++)
		assert_int_equal(vu_function_get(cases[i].off, cases[i].len), cases[i].value);
}

static void
test_only_some_bits_of_the_header_can_be_written(void **state)
{
	static const struct {
		uint32_t off;
		uint32_t kept;	/* of ones */
	} cases[] = {
		{ 0x00, 0x56781234 }, { 0x04, 0x00000547 }, { 0x08, 0x02800142 },
		{ 0x0c, 0x0000ffff }, { 0x10, 0 }, { 0x24, 0 }, { 0x28, 0 }, { 0x2c, 0xdef09abc },
		{ 0x30, 0 }, { 0x34, 0 }, { 0x3c, 0x000001ff }, { 0x40, 0 }, { 0xfc, 0 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		vu_function_put(cases[i].off, UINT32_MAX, 4);
		assert_int_equal(vu_function_get(cases[i].off, 4), cases[i].kept);
	}
}

static void
test_a_function_that_cannot_be_is_refused(void **state)
{
	static const struct rte_vfio_user_pci_info faulty[] = {
		{ .size = 1, .vendor_id = 1, .class_code = 1 },
		{ .size = sizeof(faulty[0]), .vendor_id = 0xffff, .class_code = 1 },
		{ .size = sizeof(faulty[0]), .vendor_id = 1, .class_code = 0 },
		{ .size = sizeof(faulty[0]), .vendor_id = 1, .class_code = 0x1000000 },
		{ .size = sizeof(faulty[0]), .vendor_id = 1, .class_code = 1, .interrupt_pin = 5 },
	};
	struct rte_vfio_user_pci *made;
	unsigned int i;

	(void)state;
	assert_int_equal(rte_vfio_user_pci_create(NULL, NULL, NULL, &made), -EINVAL);
	for (i = 0; i < RTE_DIM(faulty); i++)
		assert_int_equal(rte_vfio_user_pci_create(&faulty[i], NULL, NULL, &made), -EINVAL);
}

static void
test_configuration_space_ends(void **state)
{
	uint8_t b[8];

	(void)state;
	assert_int_equal(rte_vfio_user_pci_config_read(vu_function, 0xf8, b, 8), 0);
	assert_int_equal(rte_vfio_user_pci_config_read(vu_function, 0xf9, b, 8), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_config_write(vu_function, 0x100, b, 1), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_config_read(vu_function, UINT32_MAX, b, 8), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_config_set(vu_function, 0x3f, b, 2), -EINVAL);
	assert_int_equal(rte_vfio_user_pci_region_read(vu_function, VFIO_PCI_CONFIG_REGION_INDEX,
		UINT64_C(1) << 32, b, 1), -EINVAL);
}

static void
test_priv_is_the_authors(void **state)
{
	(void)state;
	assert_ptr_equal(rte_vfio_user_pci_priv(vu_function), &vu_function_told);
	assert_int_equal(rte_vfio_user_pci_dev_id(vu_function), -ENOTCONN);
	assert_int_equal(rte_vfio_user_pci_stop(vu_function), 0);
}

static void
test_author_is_told_what_changes(void **state)
{
	(void)state;
	vu_function_add_registers(1, 4 * KIB, 0);
	vu_function_put(0x04, 0x0006, 2);
	assert_int_equal(vu_function_told.nb_commands, 1);
	assert_int_equal(vu_function_told.command, 6);
	vu_function_put(0x04, 0x0006, 2);
	assert_int_equal(vu_function_told.nb_commands, 1);
	vu_function_put(BAR(1), 0xfe000000, 4);
	assert_int_equal(vu_function_told.nb_bars, 1);
	assert_int_equal(vu_function_told.bar, 1);
	assert_int_equal(vu_function_told.addr, 0xfe000000);
	assert_int_equal(vu_function_told.nb_writes, 3);
	assert_int_equal(vu_function_told.written_off, BAR(1));
	assert_int_equal(vu_function_told.written_len, 4);
}

static void
test_interrupt_status_follows_the_level(void **state)
{
	(void)state;
	assert_int_equal(rte_vfio_user_pci_intx(vu_function, true), 0);
	assert_int_equal(vu_function_get(0x06, 2), 0x08);
	assert_int_equal(vu_function_get(0x06, 1), 0x08);
	assert_int_equal(vu_function_get(0x04, 4), 0x00080000);
	assert_int_equal(vu_function_get(0x07, 1), 0);
	vu_function_put(0x04, 0x0400, 2);
	assert_int_equal(vu_function_get(0x06, 2), 0x08);
	rte_vfio_user_pci_lower(vu_function);
	assert_int_equal(vu_function_get(0x06, 2), 0);
}

static void
test_function_without_pin_has_no_level(void **state)
{
	struct rte_vfio_user_pci_info info = vu_function_info;
	struct rte_vfio_user_pci *mute;

	(void)state;
	info.interrupt_pin = 0;
	assert_int_equal(rte_vfio_user_pci_create(&info, NULL, NULL, &mute), 0);
	assert_int_equal(rte_vfio_user_pci_intx(mute, true), -ENOTSUP);
	assert_int_equal(rte_vfio_user_pci_raise(mute, 0), -ENOTCONN);
	rte_vfio_user_pci_free(mute);
}

static void
test_message_stays_pending_while_masked(void **state)
{
	uint32_t cap = (uint32_t)rte_vfio_user_pci_add_msi(vu_function, 4,
		RTE_VFIO_USER_PCI_MSI_MASK);

	(void)state;
	assert_int_equal(rte_vfio_user_pci_message(vu_function, 0), -ENOTCONN);
	assert_int_equal(rte_vfio_user_pci_message(vu_function, 4), -EINVAL);
	vu_function_put(cap + 2, 0x21, 2);
	vu_function_put(cap + 12, 0x6, 4);
	assert_int_equal(rte_vfio_user_pci_message(vu_function, 2), 0);
	assert_int_equal(vu_function_get(cap + 16, 4), 0x4);
	/* with two vectors given, the last of four is the second */
	vu_function_put(cap + 2, 0x11, 2);
	assert_int_equal(rte_vfio_user_pci_message(vu_function, 3), 0);
	assert_int_equal(vu_function_get(cap + 16, 4), 0x6);
}

static void
test_reset_brings_back_the_beginning(void **state)
{
	uint32_t cap = (uint32_t)rte_vfio_user_pci_add_express(vu_function, true);

	(void)state;
	vu_function_add_registers(1, 4 * KIB, 0);
	vu_function_put(0x04, 0x0407, 2);
	vu_function_put(BAR(1), 0xfe000000, 4);
	assert_int_equal(rte_vfio_user_pci_intx(vu_function, true), 0);
	vu_function_put(cap + 8, 0x8000, 2);
	assert_int_equal(vu_function_told.nb_resets, 1);
	assert_int_equal(vu_function_told.command, 0);
	assert_int_equal(vu_function_told.addr, 0);
	assert_int_equal(vu_function_get(0x04, 4), 0x00100000);
	assert_int_equal(vu_function_get(0x34, 1), cap);
	assert_int_equal(vu_function_get(BAR(1), 4), 0);
}

static void
test_memory_of_the_client_needs_a_client(void **state)
{
	uint8_t b[4];

	(void)state;
	assert_int_equal(rte_vfio_user_pci_dma_read(vu_function, 0, b, 4), -ENODEV);
	assert_int_equal(rte_vfio_user_pci_dma_write(vu_function, 0, b, 4), -ENODEV);
}

static const struct CMUnitTest tests[] = {
	VU_FUNCTION_TEST(test_header_tells_what_the_function_is),
	VU_FUNCTION_TEST(test_only_some_bits_of_the_header_can_be_written),
	VU_FUNCTION_TEST(test_a_function_that_cannot_be_is_refused),
	VU_FUNCTION_TEST(test_configuration_space_ends),
	VU_FUNCTION_TEST(test_priv_is_the_authors),
	VU_FUNCTION_TEST(test_author_is_told_what_changes),
	VU_FUNCTION_TEST(test_interrupt_status_follows_the_level),
	VU_FUNCTION_TEST(test_function_without_pin_has_no_level),
	VU_FUNCTION_TEST(test_message_stays_pending_while_masked),
	VU_FUNCTION_TEST_EXPRESS(test_reset_brings_back_the_beginning),
	VU_FUNCTION_TEST(test_memory_of_the_client_needs_a_client),
};

TEST_SUITE(vu_pci_header, "unit", tests, NULL, NULL)
