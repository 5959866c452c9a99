/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <rte_common.h>
#include <rte_pci.h>

#include "linux/pci_parse.h"
#include "test.h"

static void
test_modalias_gives_all_ids(void **state __rte_unused)
{
	struct rte_pci_id id;

	assert_int_equal(pci_modalias_parse(
		"pci:v00008086d00001533sv0000103Csd00000003bc02sc00i0a\n", &id), 0);
	assert_int_equal(id.vendor_id, 0x8086);
	assert_int_equal(id.device_id, 0x1533);
	assert_int_equal(id.subsystem_vendor_id, 0x103c);
	assert_int_equal(id.subsystem_device_id, 3);
	assert_int_equal(id.class_id, 0x02000a);
	assert_int_equal(pci_modalias_parse(
		"pci:v0000FFFFd0000ffffsv0000FFFFsd0000FFFFbcFFscFFiFF", &id), 0);
	assert_int_equal(id.class_id, 0xffffff);
}

static void
test_modalias_rejects_garbage(void **state __rte_unused)
{
	static const char *const bad[] = {
		"", "\n", "pci:", "pci:v", "acpi:PNP0A08:",
		"pci:v00008086d00001533sv0000103Csd00000003bc02sc00",
		"pci:v00008086d00001533sv0000103Csd00000003bc02sc00i",
		"pci:v00008086d00001533sv0000103Csd00000003bc02sc00i00x",
		"pci:v00008086d00001533sv0000103Csd00000003bc02sc00i00\n\n",
		"pci:v00018086d00001533sv0000103Csd00000003bc02sc00i00\n",
		"pci:v00008086d00010000sv0000103Csd00000003bc02sc00i00\n",
		"pci:v000008086d00001533sv0000103Csd00000003bc02sc00i00\n",
		"pci:v00008086d00001533sv0000103Csd00000003bc002sc00i00\n",
		"pci:v0x8086d00001533sv0000103Csd00000003bc02sc00i00\n",
		"pci:v d00001533sv0000103Csd00000003bc02sc00i00\n",
		"pci:v*d*sv*sd*bc*sc*i*\n",
		"pci:v00008086d00001533sd00000003sv0000103Cbc02sc00i00\n",
	};
	const struct rte_pci_id before = { 1, 2, 3, 4, 5 };
	struct rte_pci_id id = before;
	unsigned int i;

	for (i = 0; i < RTE_DIM(bad); i++) {
		if (pci_modalias_parse(bad[i], &id) != -EINVAL)
			fail_msg("\"%s\" was taken for a modalias", bad[i]);
		assert_memory_equal(&id, &before, sizeof(id));
	}
}

static void
test_hex_is_limited(void **state __rte_unused)
{
	static const char *const bad[] = {
		"", "\n", "0x", "8086", "0x8086 ", "0x8086\n\n", " 0x8086", "-0x1", "0x-1", "+0x1",
		"0x10000", "0x1ffff8086", "0x0x1", "0xg",
	};
	uint32_t value = 7;
	unsigned int i;

	assert_int_equal(pci_hex_parse("0x8086\n", UINT16_MAX, &value), 0);
	assert_int_equal(value, 0x8086);
	assert_int_equal(pci_hex_parse("0xFFFF", UINT16_MAX, &value), 0);
	assert_int_equal(value, 0xffff);
	for (i = 0; i < RTE_DIM(bad); i++)
		if (pci_hex_parse(bad[i], UINT16_MAX, &value) != -EINVAL)
			fail_msg("\"%s\" was taken for a number", bad[i]);
	assert_int_equal(value, 0xffff);
}

static void
test_numa_node_may_be_none(void **state __rte_unused)
{
	static const char *const bad[] = {
		"", "\n", "-", "-2", "-1x", "-1 \n", "+1", " 1", "1 ", "1\n\n", "0x1", "1.5",
		"2147483648", "99999999999999999999",
	};
	unsigned int i;
	int node = 7;

	assert_int_equal(pci_numa_parse("-1\n", &node), 0);
	assert_int_equal(node, -1);
	assert_int_equal(pci_numa_parse("0\n", &node), 0);
	assert_int_equal(node, 0);
	assert_int_equal(pci_numa_parse("12", &node), 0);
	assert_int_equal(node, 12);
	for (i = 0; i < RTE_DIM(bad); i++)
		if (pci_numa_parse(bad[i], &node) != -EINVAL)
			fail_msg("\"%s\" was taken for a node", bad[i]);
	assert_int_equal(node, 12);
}

#define NONE "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
#define MEM "0x00000000fe000000 0x00000000fe01ffff 0x0000000000040200\n"
#define MEM64 "0x0000380000000000 0x00003800ffffffff 0x000000000014220c\n"
#define IO "0x000000000000e000 0x000000000000e01f 0x0000000000040101\n"

static void
test_resource_gives_memory_bars(void **state __rte_unused)
{
	struct rte_mem_resource bar[PCI_MAX_RESOURCE];

	assert_int_equal(pci_resource_parse(MEM NONE IO MEM64 NONE NONE NONE, bar), 0);
	assert_int_equal(bar[0].phys_addr, 0xfe000000);
	assert_int_equal(bar[0].len, 0x20000);
	assert_null(bar[0].addr);
	assert_int_equal(bar[1].len, 0);
	assert_int_equal(bar[2].phys_addr, 0);
	assert_int_equal(bar[2].len, 0);
	assert_int_equal(bar[3].phys_addr, 0x380000000000);
	assert_int_equal(bar[3].len, 0x100000000);
}

static void
test_resource_rejects_garbage(void **state __rte_unused)
{
	static const char *const bad[] = {
		"", "\n", MEM, MEM MEM MEM MEM MEM, "garbage\n" MEM MEM MEM MEM MEM,
		NONE NONE NONE NONE NONE "0x0 0x0\n", NONE NONE NONE NONE NONE "0x0 0x0 0x0",
		NONE NONE NONE NONE NONE "0x0  0x0 0x0\n", NONE NONE NONE NONE NONE "0 0 0\n",
		/* the end before the start, and a length that does not fit */
		NONE NONE NONE NONE NONE "0x2000 0x1000 0x200\n",
		NONE NONE NONE NONE NONE "0x0 0xffffffffffffffff 0x200\n",
		NONE NONE NONE NONE NONE "0x0 0x1ffffffffffffffff 0x200\n",
	};
	struct rte_mem_resource bar[PCI_MAX_RESOURCE];
	unsigned int i;

	for (i = 0; i < RTE_DIM(bad); i++)
		if (pci_resource_parse(bad[i], bar) != -EINVAL)
			fail_msg("\"%s\" was taken for resources", bad[i]);
}

static void
test_bars_are_of_memory_or_ports(void **state __rte_unused)
{
	struct pci_bar_line bar[PCI_MAX_RESOURCE];

	assert_int_equal(pci_bars_parse(MEM NONE IO MEM64
		"0x0000000000000000 0x0000000000000fff 0x0000000020040200\n"
		"0x000000000000e000 0x0000000000000000 0x0000000000040101\n", bar), 0);
	assert_int_equal(bar[0].kind, PCI_BAR_MEMORY);
	assert_true(bar[0].assigned);
	assert_int_equal(bar[1].kind, PCI_BAR_NONE);
	assert_int_equal(bar[1].len, 0);
	assert_int_equal(bar[2].kind, PCI_BAR_IOPORT);
	assert_int_equal(bar[2].start, 0xe000);
	assert_int_equal(bar[2].len, 0x20);
	assert_int_equal(bar[3].start, 0x380000000000);
	assert_int_equal(bar[3].len, 0x100000000);
	assert_int_equal(bar[4].kind, PCI_BAR_MEMORY);
	assert_false(bar[4].assigned);
	assert_int_equal(bar[5].kind, PCI_BAR_NONE);
}

static void
test_uio_name_is_a_number(void **state __rte_unused)
{
	static const char *const bad[] = {
		"", "uio", "uio ", "uio-1", "uio+1", "uio1x", "uio0x1", "uio1\n", "Uio1", "1",
		"uio2147483648", "uio99999999999999999999", "../uio1",
	};
	uint32_t number = 7;
	unsigned int i;

	assert_int_equal(pci_uio_name_parse("uio0", &number), 0);
	assert_int_equal(number, 0);
	assert_int_equal(pci_uio_name_parse("uio2147483647", &number), 0);
	assert_int_equal(number, INT32_MAX);
	for (i = 0; i < RTE_DIM(bad); i++)
		if (pci_uio_name_parse(bad[i], &number) != -EINVAL)
			fail_msg("\"%s\" was taken for a name", bad[i]);
	assert_int_equal(number, INT32_MAX);
}

static void
test_device_number_has_two_parts(void **state __rte_unused)
{
	static const char *const bad[] = {
		"", ":", "1", "1:", ":1", "1:-1", "1 :1", "0x1:1", "1:1:1", "4096:0", "0:1048576",
		"99999999999999999999:1",
	};
	uint32_t major = 7, minor = 7;
	unsigned int i;

	assert_int_equal(pci_devnum_parse("246:0\n", &major, &minor), 0);
	assert_int_equal(major, 246);
	assert_int_equal(minor, 0);
	assert_int_equal(pci_devnum_parse("4095:1048575", &major, &minor), 0);
	assert_int_equal(major, 4095);
	assert_int_equal(minor, 1048575);
	for (i = 0; i < RTE_DIM(bad); i++)
		if (pci_devnum_parse(bad[i], &major, &minor) != -EINVAL)
			fail_msg("\"%s\" was taken for a device number", bad[i]);
	assert_int_equal(major, 4095);
}

static void
test_folder_has_the_canonical_name(void **state __rte_unused)
{
	static const char *const bad[] = {
		"", "01:00.0", "0:01:00.0", "0000:1:00.0", "0000:01:00.00", "00000:01:00.0",
		"0000:AB:00.0", "pci0000:00", "power",
	};
	struct rte_pci_addr addr;
	unsigned int i;

	assert_int_equal(pci_folder_parse("0000:ab:1f.7", &addr), 0);
	assert_int_equal(addr.bus, 0xab);
	assert_int_equal(pci_folder_parse("10000:00:00.0", &addr), 0);
	assert_int_equal(addr.domain, 0x10000);
	for (i = 0; i < RTE_DIM(bad); i++)
		assert_int_equal(pci_folder_parse(bad[i], &addr), -EINVAL);
}

static void
test_driver_is_the_last_part_of_the_link(void **state __rte_unused)
{
	assert_string_equal(pci_driver_parse("../../../../bus/pci/drivers/vfio-pci"), "vfio-pci");
	assert_string_equal(pci_driver_parse("vfio-pci"), "vfio-pci");
	assert_null(pci_driver_parse("/bus/pci/drivers/"));
	assert_null(pci_driver_parse(""));
}

static void
test_iommu_width_is_a_field_of_the_register(void **state __rte_unused)
{
	unsigned int bits = 0;

	assert_int_equal(pci_iommu_cap_parse("d2008c40660462\n", &bits), 0);
	assert_int_equal(bits, 39);
	assert_int_equal(pci_iommu_cap_parse("8d2078c106f0466\n", &bits), 0);
	assert_int_equal(bits, 48);
	assert_int_equal(pci_iommu_cap_parse("", &bits), -EINVAL);
	assert_int_equal(pci_iommu_cap_parse("no\n", &bits), -EINVAL);
	assert_int_equal(bits, 48);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_modalias_gives_all_ids),
	cmocka_unit_test(test_modalias_rejects_garbage),
	cmocka_unit_test(test_hex_is_limited),
	cmocka_unit_test(test_numa_node_may_be_none),
	cmocka_unit_test(test_resource_gives_memory_bars),
	cmocka_unit_test(test_resource_rejects_garbage),
	cmocka_unit_test(test_bars_are_of_memory_or_ports),
	cmocka_unit_test(test_uio_name_is_a_number),
	cmocka_unit_test(test_device_number_has_two_parts),
	cmocka_unit_test(test_folder_has_the_canonical_name),
	cmocka_unit_test(test_driver_is_the_last_part_of_the_link),
	cmocka_unit_test(test_iommu_width_is_a_field_of_the_register),
};

TEST_SUITE(pci_parse, "unit", tests, NULL, NULL)
