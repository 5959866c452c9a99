/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_io.h>
#include <rte_lcore.h>
#include <rte_rwlock.h>
#include <rte_spinlock.h>
#include <rte_string_fns.h>
#include <rte_uuid.h>
#include <rte_version.h>

#include "eal_filesystem.h"
#include "test.h"

static const struct {
	const char *text;
	int max;
	const char *want;	/* the parts, each ended by ";" */
} split_cases[] = {
	{ "a b c", 8, "a;b;c;" },
	{ "a", 8, "a;" },
	{ "", 8, "" },
	{ "a b c", 2, "a;b c;" },
	{ " a", 8, ";a;" },
	{ "a  b", 8, "a;;b;" },
	{ "a ", 8, "a;" },
	{ "a b", 0, "" },
};

static void
test_string_is_split_at_each_delimiter(void **state)
{
	char text[32], got[64];
	char *parts[8];
	size_t i;
	int j, nb;

	(void)state;
	for (i = 0; i < RTE_DIM(split_cases); i++) {
		rte_strlcpy(text, split_cases[i].text, sizeof(text));
		nb = rte_strsplit(text, sizeof(text), parts, split_cases[i].max, ' ');
		got[0] = '\0';
		for (j = 0; j < nb; j++)
			strcat(strcat(got, parts[j]), ";");
		if (strcmp(got, split_cases[i].want) != 0)
			fail_msg("\"%s\" splits into \"%s\"", split_cases[i].text, got);
	}
	assert_int_equal(rte_strsplit(NULL, 1, parts, 1, ' '), -1);
	assert_int_equal(rte_strsplit(text, 1, NULL, 1, ' '), -1);
}

static void
test_copy_is_cut_and_ended(void **state)
{
	char text[4];

	(void)state;
	assert_int_equal(rte_strlcpy(text, "abcdef", sizeof(text)), 6);
	assert_string_equal(text, "abc");
	assert_int_equal(rte_strlcpy(text, "x", sizeof(text)), 1);
	assert_int_equal(rte_strlcat(text, "yz", sizeof(text)), 3);
	assert_string_equal(text, "xyz");
	assert_int_equal(rte_strlcat(text, "more", sizeof(text)), 7);
	assert_string_equal(text, "xyz");
	assert_int_equal(rte_strlcpy(text, "none", 0), 4);
	assert_string_equal(text, "xyz");
}

static void
test_copy_tells_when_it_does_not_fit(void **state)
{
	char text[4];

	(void)state;
	assert_int_equal(rte_strscpy(text, "abc", sizeof(text)), 3);
	assert_string_equal(text, "abc");
	rte_errno = 0;
	assert_int_equal(rte_strscpy(text, "wxyz", sizeof(text)), -E2BIG);
	assert_int_equal(rte_errno, E2BIG);
	assert_string_equal(text, "wxy");
	assert_int_equal(rte_strscpy(text, "a", 0), -E2BIG);
}

static const struct {
	const char *text;
	uint64_t want;
} size_cases[] = {
	{ "0", 0 },
	{ "1", 1 },
	{ "  12", 12 },
	{ "0x10", 16 },
	{ "1k", 1024 },
	{ "1 K", 1024 },
	{ "2M", 2 << 20 },
	{ "3g", UINT64_C(3) << 30 },
	{ "1T", UINT64_C(1) << 40 },
	{ "15E", UINT64_C(15) << 60 },
	{ "16E", 0 },
	{ "17E", 0 },
	{ "-1", 0 },
	{ "1x", 0 },
	{ "", 0 },
	{ "M", 0 },
	{ "99999999999999999999", 0 },
};

static void
test_size_with_unit(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(size_cases); i++)
		if (rte_str_to_size(size_cases[i].text) != size_cases[i].want)
			fail_msg("\"%s\" is %llu", size_cases[i].text,
				(unsigned long long)rte_str_to_size(size_cases[i].text));
}

static const struct {
	const char *text;
	bool valid;
} uuid_cases[] = {
	{ "01234567-89ab-cdef-0123-456789abcdef", true },
	{ "01234567-89AB-CDEF-0123-456789ABCDEF", true },
	{ "01234567-89ab-cdef-0123-456789abcde", false },
	{ "01234567-89ab-cdef-0123-456789abcdef0", false },
	{ "0123456789abcdef0123456789abcdef", false },
	{ "01234567-89ab-cdef-0123-456789abcdeg", false },
	{ "012345678-9ab-cdef-0123-456789abcdef", false },
	{ "", false },
};

static void
test_uuid_is_read_and_written(void **state)
{
	static const rte_uuid_t want = RTE_UUID_INIT(0x01234567, 0x89ab, 0xcdef, 0x0123,
		UINT64_C(0x456789abcdef));
	char text[RTE_UUID_STRLEN];
	rte_uuid_t uuid;
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(uuid_cases); i++) {
		memset(uuid, 0, sizeof(uuid));
		if ((rte_uuid_parse(uuid_cases[i].text, uuid) == 0) != uuid_cases[i].valid)
			fail_msg("\"%s\"", uuid_cases[i].text);
		assert_int_equal(rte_uuid_is_null(uuid), !uuid_cases[i].valid);
		assert_int_equal(rte_uuid_compare(uuid, want) == 0, uuid_cases[i].valid);
	}
	rte_uuid_unparse(want, text, sizeof(text));
	assert_string_equal(text, "01234567-89ab-cdef-0123-456789abcdef");
	rte_uuid_unparse(want, text, 5);
	assert_string_equal(text, "0123");
}

static void
test_bits(void **state)
{
	uint32_t pos;

	(void)state;
	assert_int_equal(RTE_GENMASK32(7, 4), 0xf0);
	assert_true(RTE_GENMASK64(63, 0) == UINT64_MAX);
	assert_int_equal(RTE_FIELD_GET32(UINT32_C(0xf00), 0x1234), 2);
	assert_int_equal(rte_bsf32(0x50), 4);
	assert_int_equal(rte_bsf64(UINT64_C(1) << 40), 40);
	assert_int_equal(rte_bsf32_safe(0, &pos), 0);
	assert_int_equal(rte_bsf64_safe(8, &pos), 1);
	assert_int_equal(pos, 3);
	assert_int_equal(rte_fls_u32(0), 0);
	assert_int_equal(rte_fls_u32(0x80000000), 32);
	assert_int_equal(rte_fls_u64(UINT64_MAX), 64);
	assert_int_equal(rte_popcount64(0xff00ff), 16);
}

static void
test_powers_of_two(void **state)
{
	(void)state;
	assert_true(rte_is_power_of_2(64));
	assert_false(rte_is_power_of_2(0));
	assert_false(rte_is_power_of_2(3));
	assert_int_equal(rte_align32pow2(0), 0);
	assert_int_equal(rte_align32pow2(1), 1);
	assert_int_equal(rte_align32pow2(33), 64);
	assert_int_equal(rte_align32pow2(0x80000001), 0);
	assert_int_equal(rte_align32prevpow2(33), 32);
	assert_true(rte_align64pow2((UINT64_C(1) << 40) + 1) == UINT64_C(1) << 41);
	assert_true(rte_align64pow2(UINT64_MAX) == 0);
	assert_true(rte_align64prevpow2(UINT64_MAX) == UINT64_C(1) << 63);
	assert_int_equal(rte_log2_u32(1), 0);
	assert_int_equal(rte_log2_u32(5), 3);
	assert_int_equal(rte_log2_u64(UINT64_C(1) << 33), 33);
}

struct outer {
	int before;
	int member;
};

static void
test_alignment_and_pointers(void **state)
{
	struct outer outer;
	const struct outer *const_outer = &outer;
	char *ptr = (char *)0x1001;
	int calls = 0;

	(void)state;
	assert_int_equal(RTE_ALIGN(0x1001, 0x1000), 0x2000);
	assert_int_equal(RTE_ALIGN_FLOOR(0x1fff, 0x1000), 0x1000);
	assert_int_equal(RTE_ALIGN_CEIL(0x1000, 0x1000), 0x1000);
	assert_int_equal(RTE_ALIGN_MUL_CEIL(10, 3), 12);
	assert_int_equal(RTE_ALIGN_MUL_FLOOR(10, 3), 9);
	assert_ptr_equal(RTE_PTR_ADD(ptr, 3), (char *)0x1004);
	assert_ptr_equal(RTE_PTR_SUB(ptr, 1), (char *)0x1000);
	assert_int_equal(RTE_PTR_DIFF(ptr + 5, ptr), 5);
	assert_ptr_equal(RTE_PTR_ALIGN(ptr, 16), (char *)0x1010);
	assert_ptr_equal(RTE_PTR_ALIGN_FLOOR(ptr, 16), (char *)0x1000);
	assert_ptr_equal(container_of(&outer.member, struct outer, member), &outer);
	assert_ptr_equal(container_of(&const_outer->member, const struct outer, member), &outer);
	assert_int_equal(RTE_MIN(RTE_MAX(++calls, 0), 7), 1);
	assert_int_equal(calls, 1);
}

static void
test_byte_order(void **state)
{
	uint32_t value = RTE_LE32(0x01020304);
	uint8_t bytes[4];

	(void)state;
	memcpy(bytes, &value, sizeof(bytes));
	assert_int_equal(bytes[0], 4);
	value = rte_cpu_to_be_32(0x01020304);
	memcpy(bytes, &value, sizeof(bytes));
	assert_int_equal(bytes[0], 1);
	assert_int_equal(rte_be_to_cpu_16(rte_cpu_to_be_16(0x1234)), 0x1234);
	assert_true(rte_bswap64(UINT64_C(0x0102030405060708)) == UINT64_C(0x0807060504030201));
}

static void
test_registers_are_accessed_by_width(void **state)
{
	uint64_t reg = UINT64_MAX;

	(void)state;
	rte_write8(0x11, &reg);
	rte_write16_relaxed(RTE_LE16(0x2233), (uint8_t *)&reg + 2);
	rte_write32(RTE_LE32(0x44556677), (uint8_t *)&reg + 4);
	assert_true(rte_read64(&reg) == RTE_LE64(UINT64_C(0x445566772233ff11)));
	assert_int_equal(rte_read8_relaxed(&reg), 0x11);
	assert_int_equal(rte_read16((uint8_t *)&reg + 2), RTE_LE16(0x2233));
}

static void
test_spinlock_is_taken_once(void **state)
{
	rte_spinlock_t lock = RTE_SPINLOCK_INITIALIZER;

	(void)state;
	assert_true(rte_spinlock_trylock(&lock));
	assert_false(rte_spinlock_trylock(&lock));
	assert_true(rte_spinlock_is_locked(&lock));
	rte_spinlock_unlock(&lock);
	rte_spinlock_lock(&lock);
	assert_true(rte_spinlock_is_locked(&lock));
}

static void
test_rwlock_has_readers_or_a_writer(void **state)
{
	rte_rwlock_t lock = RTE_RWLOCK_INITIALIZER;

	(void)state;
	rte_rwlock_read_lock(&lock);
	assert_int_equal(rte_rwlock_read_trylock(&lock), 0);
	assert_int_equal(rte_rwlock_write_trylock(&lock), -EBUSY);
	rte_rwlock_read_unlock(&lock);
	rte_rwlock_read_unlock(&lock);
	assert_int_equal(rte_rwlock_write_trylock(&lock), 0);
	assert_int_equal(rte_rwlock_read_trylock(&lock), -EBUSY);
	assert_int_equal(rte_rwlock_write_trylock(&lock), -EBUSY);
	rte_rwlock_write_unlock(&lock);
	assert_int_equal(rte_rwlock_read_trylock(&lock), 0);
}

static void
test_errors_have_texts(void **state)
{
	(void)state;
	assert_string_equal(rte_strerror(ENOENT), "No such file or directory");
	assert_non_null(strstr(rte_strerror(E_RTE_NO_CONFIG), "not started"));
	assert_non_null(strstr(rte_strerror(E_RTE_SECONDARY), "secondary"));
	assert_non_null(rte_strerror(123456));
}

static void
test_version_is_that_of_the_headers(void **state)
{
	(void)state;
	assert_int_equal(RTE_VERSION, RTE_VERSION_NUM(rte_version_year(), rte_version_month(),
		rte_version_minor(), rte_version_release()));
	assert_int_equal(strncmp(rte_version(), rte_version_prefix(),
		strlen(rte_version_prefix())), 0);
}

static void
test_delays_last_at_least_as_long_as_asked(void **state)
{
	uint64_t start = rte_get_tsc_cycles();

	(void)state;
	rte_delay_us_block(200);
	rte_delay_us_sleep(200);
	assert_true(rte_get_tsc_hz() > 0);
	assert_true(rte_get_tsc_cycles() - start > rte_get_tsc_hz() / 10000);
}

static void
test_numa_nodes_are_numbered(void **state)
{
	unsigned int i;

	(void)state;
	assert_in_range(rte_socket_count(), 1, RTE_MAX_NUMA_NODES);
	for (i = 0; i < rte_socket_count(); i++)
		assert_true(rte_socket_id_by_idx(i) >= 0);
	rte_errno = 0;
	assert_int_equal(rte_socket_id_by_idx(rte_socket_count()), -1);
	assert_int_equal(rte_errno, EINVAL);
}

static const struct {
	const char *text;
	int rc;
	unsigned long value;
} sysfs_cases[] = {
	{ "0x8086\n", 0, 0x8086 },
	{ "12", 0, 12 },
	{ "12\n", 0, 12 },
	{ "", -1, 0 },
	{ "\n", -1, 0 },
	{ "-1\n", -1, 0 },
	{ "12 34\n", -1, 0 },
	{ "0x10000000000000000\n", -1, 0 },
	{ "word\n", -1, 0 },
};

static void
sysfs_file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
test_sysfs_file_holds_one_number(void **state)
{
	char path[] = "/tmp/dpdk-test-XXXXXX";
	unsigned long value;
	size_t i;
	int rc;

	(void)state;
	close(mkstemp(path));
	for (i = 0; i < RTE_DIM(sysfs_cases); i++) {
		value = 0;
		sysfs_file_write(path, sysfs_cases[i].text);
		rc = eal_parse_sysfs_value(path, &value);
		if (rc != sysfs_cases[i].rc || value != sysfs_cases[i].value)
			fail_msg("\"%s\": %d, %lu", sysfs_cases[i].text, rc, value);
	}
	unlink(path);
	assert_int_equal(eal_parse_sysfs_value(path, &value), -1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_string_is_split_at_each_delimiter),
	cmocka_unit_test(test_copy_is_cut_and_ended),
	cmocka_unit_test(test_copy_tells_when_it_does_not_fit),
	cmocka_unit_test(test_size_with_unit),
	cmocka_unit_test(test_uuid_is_read_and_written),
	cmocka_unit_test(test_bits),
	cmocka_unit_test(test_powers_of_two),
	cmocka_unit_test(test_alignment_and_pointers),
	cmocka_unit_test(test_byte_order),
	cmocka_unit_test(test_registers_are_accessed_by_width),
	cmocka_unit_test(test_spinlock_is_taken_once),
	cmocka_unit_test(test_rwlock_has_readers_or_a_writer),
	cmocka_unit_test(test_errors_have_texts),
	cmocka_unit_test(test_version_is_that_of_the_headers),
	cmocka_unit_test(test_delays_last_at_least_as_long_as_asked),
	cmocka_unit_test(test_numa_nodes_are_numbered),
	cmocka_unit_test(test_sysfs_file_holds_one_number),
};

TEST_SUITE(base, "unit", tests, NULL, NULL)
