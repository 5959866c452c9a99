/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What FreeBSD's kernel says, byte by byte. All expectations are its interface's numbers, written
 * down here once more: sys/pciio.h, dev/io/iodev.h, on 64-bit machines.
 */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "pci_bsd_conf.h"
#include "test.h"

/* An Intel network card at 0000:02:1f.7, held by nic_uio: what FreeBSD 14 lists. */
static const uint8_t record_14[48] = {
	[0] = 0x00, 0x00, 0x00, 0x00,	/* pc_domain */
	[4] = 0x02, 0x1f, 0x07,	/* bus, device, function */
	[8] = 0x80,	/* pc_hdr: several functions */
	[10] = 0x28, 0x10,	/* pc_subvendor */
	[12] = 0x34, 0x12,	/* pc_subdevice */
	[14] = 0x86, 0x80,	/* pc_vendor */
	[16] = 0x72, 0x15,	/* pc_device */
	[18] = 0x02, 0x00, 0x01,	/* class, subclass, interface */
	[21] = 0x03,	/* pc_revid */
	[22] = 'n', 'i', 'c', '_', 'u', 'i', 'o', '\0',	/* pd_name */
	[40] = 0x05,	/* pd_unit */
};

static void
assert_is_the_card(const struct pci_bsd_device *device)
{
	assert_int_equal(device->addr.domain, 0);
	assert_int_equal(device->addr.bus, 2);
	assert_int_equal(device->addr.devid, 31);
	assert_int_equal(device->addr.function, 7);
	assert_int_equal(device->id.vendor_id, 0x8086);
	assert_int_equal(device->id.device_id, 0x1572);
	assert_int_equal(device->id.subsystem_vendor_id, 0x1028);
	assert_int_equal(device->id.subsystem_device_id, 0x1234);
	assert_int_equal(device->id.class_id, 0x020001);
	assert_string_equal(device->driver, "nic_uio");
}

static void
test_record_of_freebsd_14(void **state)
{
	struct pci_bsd_device device;

	(void)state;
	assert_int_equal(pci_bsd_device_parse(record_14, sizeof(record_14), &device), 0);
	assert_is_the_card(&device);
	assert_int_equal(device.numa_node, -1);
}

static void
record_15_make(uint8_t record[128], int32_t numa, uint64_t reported)
{
	memset(record, 0xa5, 128);	/* what is spare may hold anything */
	memcpy(record, record_14, sizeof(record_14));
	memcpy(record + 48, &numa, sizeof(numa));
	memcpy(record + 56, &reported, sizeof(reported));
}

static void
test_record_of_freebsd_15_tells_its_node(void **state)
{
	struct pci_bsd_device device;
	uint8_t record[128];

	(void)state;
	record_15_make(record, 1, 66);
	assert_int_equal(pci_bsd_device_parse(record, sizeof(record), &device), 0);
	assert_is_the_card(&device);
	assert_int_equal(device.numa_node, 1);
}

/* A field that the kernel did not fill is not looked at. */
static void
test_record_that_reports_less_has_no_node(void **state)
{
	static const struct {
		int32_t numa;
		uint64_t reported;
		int node;
	} rows[] = {
		{ 1, 48, -1 }, { 1, 51, -1 }, { 1, 52, 1 }, { 1, 0, -1 }, { -5, 66, -1 },
		{ 0, 128, 0 }, { 3, UINT64_MAX, 3 },
	};
	struct pci_bsd_device device;
	uint8_t record[128];
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(rows); i++) {
		record_15_make(record, rows[i].numa, rows[i].reported);
		assert_int_equal(pci_bsd_device_parse(record, sizeof(record), &device), 0);
		assert_int_equal(device.numa_node, rows[i].node);
	}
}

static void
test_domain_has_32_bits(void **state)
{
	struct pci_bsd_device device;
	uint8_t record[48];

	(void)state;
	memcpy(record, record_14, sizeof(record));
	memcpy(record, "\x78\x56\x34\x12", 4);
	assert_int_equal(pci_bsd_device_parse(record, sizeof(record), &device), 0);
	assert_int_equal(device.addr.domain, 0x12345678);
}

static void
test_record_that_makes_no_sense_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = { { 5, 32 }, { 5, 255 }, { 6, 8 }, { 6, 255 } };
	struct pci_bsd_device device;
	uint8_t record[48];
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(rows); i++) {
		memcpy(record, record_14, sizeof(record));
		record[rows[i].at] = rows[i].value;
		assert_int_equal(pci_bsd_device_parse(record, sizeof(record), &device), -EPROTO);
	}
	memcpy(record, record_14, sizeof(record));
	memset(record + 22, 'x', 17);
	assert_int_equal(pci_bsd_device_parse(record, sizeof(record), &device), -EPROTO);
	record[22 + 16] = '\0';
	assert_int_equal(pci_bsd_device_parse(record, sizeof(record), &device), 0);
	assert_int_equal(strlen(device.driver), 16);
}

static void
test_record_of_another_length_is_refused(void **state)
{
	struct pci_bsd_device device;
	uint8_t record[129] = { 0 };
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(record); len++)
		assert_int_equal(pci_bsd_device_parse(record, len, &device),
			len == 48 || len == 128 ? 0 : -EINVAL);
}

static void
test_answer_to_a_request_for_the_list(void **state)
{
	static const struct {
		uint32_t nb, status;
		int rc;
	} rows[] = {
		{ 0, 0, 0 }, { 16, 0, 0 }, { 16, 2, 1 }, { 1, 2, 1 },
		{ 0, 1, -EAGAIN }, { 3, 1, -EAGAIN },
		{ 0, 3, -EIO }, { 16, 3, -EIO },
		{ 17, 0, -EPROTO }, { UINT32_MAX, 2, -EPROTO }, { 0, 2, -EPROTO },
		{ 1, 4, -EPROTO }, { 1, UINT32_MAX, -EPROTO },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(rows); i++) {
		struct pci_bsd_list list = {
			.nb_matches = rows[i].nb, .status = rows[i].status,
		};

		assert_int_equal(pci_bsd_list_check(&list, 16), rows[i].rc);
	}
}

static void
test_bars_of_every_kind(void **state)
{
	static const struct {
		uint64_t told, length;
		struct pci_bsd_bar bar;
	} rows[] = {
		{ 0xfebd0000, 0x1000, { .base = 0xfebd0000, .length = 0x1000 } },
		{ 0xfebd0008, 0x1000, { .base = 0xfebd0000, .length = 0x1000,
			.prefetchable = true } },
		{ 0x38000000000c, 1ull << 32, { .base = 0x380000000000, .length = 1ull << 32,
			.wide = true, .prefetchable = true } },
		{ 0xfebd0004, 0x4000, { .base = 0xfebd0000, .length = 0x4000, .wide = true } },
		/* below 1 MiB */
		{ 0x000c0002, 0x1000, { .base = 0x000c0000, .length = 0x1000 } },
		/* bits 3 and 2 of a port are the port's */
		{ 0xc04d, 4, { .base = 0xc04c, .length = 4, .ioport = true } },
		{ 0xc041, 32, { .base = 0xc040, .length = 32, .ioport = true } },
		{ 0x0009, 8, { .base = 0x8, .length = 8, .ioport = true } },
	};
	struct pci_bsd_bar bar;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(rows); i++) {
		struct pci_bsd_get_bar answer = {
			.base = rows[i].told, .length = rows[i].length,
		};

		assert_int_equal(pci_bsd_bar_parse(&answer, &bar), 0);
		assert_int_equal(bar.base, rows[i].bar.base);
		assert_int_equal(bar.length, rows[i].bar.length);
		assert_int_equal(bar.ioport, rows[i].bar.ioport);
		assert_int_equal(bar.wide, rows[i].bar.wide);
		assert_int_equal(bar.prefetchable, rows[i].bar.prefetchable);
		assert_false(bar.enabled);
	}
}

static void
test_bar_that_makes_no_sense_is_refused(void **state)
{
	static const struct {
		uint64_t told, length;
	} rows[] = {
		{ 0xfffffffffffff000, 0x2000 },
		{ 0, UINT64_MAX },
		{ 0, 1ull << 63 },
		{ 0xfffffff1, 0x20 },
		{ 0x100000001, 4 },
	};
	struct pci_bsd_bar bar;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(rows); i++) {
		struct pci_bsd_get_bar answer = {
			.base = rows[i].told, .length = rows[i].length,
		};

		assert_int_equal(pci_bsd_bar_parse(&answer, &bar), -EPROTO);
	}
}

/* The numbers that a kernel of a 64-bit machine knows. */
static void
test_numbers_of_requests(void **state)
{
	(void)state;
	assert_int_equal(PCI_BSD_READ, 0xc0147002);
	assert_int_equal(PCI_BSD_WRITE, 0xc0147003);
	assert_int_equal(PCI_BSD_LIST_14, 0xc0307005);
	assert_int_equal(PCI_BSD_GET_BAR, 0xc0207006);
	assert_int_equal(PCI_BSD_MAP_BAR, 0xc0307008);
	assert_int_equal(PCI_BSD_BAR_IO, 0xc01c7009);
	assert_int_equal(PCI_BSD_LIST_15, 0xc030700a);
	assert_int_equal(PCI_BSD_PORT, 0xc0104900);
}

#define AT(type, field, at_, len_) \
	{ offsetof(struct type, field), sizeof(((struct type *)0)->field), at_, len_ }

/* Every field of every argument. */
static void
test_fields_of_requests(void **state)
{
	static const struct {
		size_t is_at, is_len, at, len;
	} rows[] = {
		AT(pci_bsd_sel, domain, 0, 4), AT(pci_bsd_sel, bus, 4, 1),
		AT(pci_bsd_sel, dev, 5, 1), AT(pci_bsd_sel, func, 6, 1),
		AT(pci_bsd_list, pat_buf_len, 0, 4), AT(pci_bsd_list, nb_patterns, 4, 4),
		AT(pci_bsd_list, patterns, 8, 8), AT(pci_bsd_list, match_buf_len, 16, 4),
		AT(pci_bsd_list, nb_matches, 20, 4), AT(pci_bsd_list, matches, 24, 8),
		AT(pci_bsd_list, offset, 32, 4), AT(pci_bsd_list, generation, 36, 4),
		AT(pci_bsd_list, status, 40, 4),
		AT(pci_bsd_reg, sel, 0, 8), AT(pci_bsd_reg, reg, 8, 4),
		AT(pci_bsd_reg, width, 12, 4), AT(pci_bsd_reg, data, 16, 4),
		AT(pci_bsd_get_bar, sel, 0, 8), AT(pci_bsd_get_bar, reg, 8, 4),
		AT(pci_bsd_get_bar, enabled, 12, 4), AT(pci_bsd_get_bar, base, 16, 8),
		AT(pci_bsd_get_bar, length, 24, 8),
		AT(pci_bsd_map_bar, map_base, 0, 8), AT(pci_bsd_map_bar, map_length, 8, 8),
		AT(pci_bsd_map_bar, bar_length, 16, 8), AT(pci_bsd_map_bar, bar_off, 24, 4),
		AT(pci_bsd_map_bar, sel, 28, 8), AT(pci_bsd_map_bar, reg, 36, 4),
		AT(pci_bsd_map_bar, flags, 40, 4), AT(pci_bsd_map_bar, memattr, 44, 4),
		AT(pci_bsd_bar_io, sel, 0, 8), AT(pci_bsd_bar_io, op, 8, 4),
		AT(pci_bsd_bar_io, bar, 12, 4), AT(pci_bsd_bar_io, offset, 16, 4),
		AT(pci_bsd_bar_io, width, 20, 4), AT(pci_bsd_bar_io, value, 24, 4),
		AT(pci_bsd_port, access, 0, 4), AT(pci_bsd_port, port, 4, 4),
		AT(pci_bsd_port, width, 8, 4), AT(pci_bsd_port, value, 12, 4),
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(rows); i++) {
		assert_int_equal(rows[i].is_at, rows[i].at);
		assert_int_equal(rows[i].is_len, rows[i].len);
	}
}

static void
test_a_device_is_told_by_its_address(void **state)
{
	static const uint8_t told[8] = { 0x78, 0x56, 0x34, 0x12, 0xab, 0x1f, 0x07, 0x00 };
	const struct rte_pci_addr addr = {
		.domain = 0x12345678, .bus = 0xab, .devid = 0x1f, .function = 7,
	};
	struct pci_bsd_sel sel = pci_bsd_sel_of(&addr);

	(void)state;
	assert_memory_equal(&sel, told, sizeof(told));
}

static void
test_accesses_are_as_wide_as_they_are_aligned(void **state)
{
	static const struct {
		uint64_t offset;
		size_t len;
		uint32_t width;
	} rows[] = {
		{ 0, 1, 1 }, { 0, 2, 2 }, { 0, 3, 2 }, { 0, 4, 4 }, { 0, 4096, 4 },
		{ 1, 4, 1 }, { 2, 4, 2 }, { 3, 4, 1 }, { 4, 4, 4 }, { 6, 8, 2 }, { 8, 8, 4 },
		{ 0xfff, 1, 1 }, { 0xffe, 2, 2 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(rows); i++)
		assert_int_equal(pci_bsd_width(rows[i].offset, rows[i].len), rows[i].width);
}

static void
test_values_are_bytes_in_little_endian(void **state)
{
	uint8_t buf[5] = { 0 };

	(void)state;
	pci_bsd_value_put(buf, 0x44332211, 4);
	assert_memory_equal(buf, "\x11\x22\x33\x44\x00", 5);
	pci_bsd_value_put(buf, 0xffffbbaa, 2);
	assert_memory_equal(buf, "\xaa\xbb\x33\x44\x00", 5);
	assert_int_equal(pci_bsd_value_get(buf, 4), 0x4433bbaa);
	assert_int_equal(pci_bsd_value_get(buf, 2), 0xbbaa);
	assert_int_equal(pci_bsd_value_get(buf + 1, 1), 0xbb);
}

/* Decimal, and no zeros in front: the classic error of users is to write them as lspci does. */
static void
test_name_of_a_file_of_nic_uio(void **state)
{
	static const struct {
		struct rte_pci_addr addr;
		const char *name;
	} rows[] = {
		{ { .bus = 0x0a, .devid = 0x1f, .function = 7 }, "/dev/uio@pci:10:31:7" },
		{ { .bus = 255, .devid = 0, .function = 0 }, "/dev/uio@pci:255:0:0" },
		{ { .domain = 1, .bus = 2 }, "/dev/uio@pci:2:0:0" },
	};
	char name[PCI_BSD_UIO_NAME_SIZE];
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(rows); i++) {
		pci_bsd_uio_name(&rows[i].addr, name);
		assert_string_equal(name, rows[i].name);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_record_of_freebsd_14),
	cmocka_unit_test(test_record_of_freebsd_15_tells_its_node),
	cmocka_unit_test(test_record_that_reports_less_has_no_node),
	cmocka_unit_test(test_domain_has_32_bits),
	cmocka_unit_test(test_record_that_makes_no_sense_is_refused),
	cmocka_unit_test(test_record_of_another_length_is_refused),
	cmocka_unit_test(test_answer_to_a_request_for_the_list),
	cmocka_unit_test(test_bars_of_every_kind),
	cmocka_unit_test(test_bar_that_makes_no_sense_is_refused),
	cmocka_unit_test(test_numbers_of_requests),
	cmocka_unit_test(test_fields_of_requests),
	cmocka_unit_test(test_a_device_is_told_by_its_address),
	cmocka_unit_test(test_accesses_are_as_wide_as_they_are_aligned),
	cmocka_unit_test(test_values_are_bytes_in_little_endian),
	cmocka_unit_test(test_name_of_a_file_of_nic_uio),
};

TEST_SUITE(pci_bsd_conf, "unit", tests, NULL, NULL)
