/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "vu_cmd.h"

#include "test.h"

/* A payload of which nothing is readable behind its end, for the sanitizer. */
static uint8_t *
payload_of(size_t len)
{
	return calloc(1, len);
}

static void
put32(uint8_t *at, size_t offset, uint32_t value)
{
	memcpy(at + offset, &value, sizeof(value));
}

static void
put64(uint8_t *at, size_t offset, uint64_t value)
{
	memcpy(at + offset, &value, sizeof(value));
}

static int
check_request(uint32_t cmd, size_t len, uint32_t argsz, unsigned int nb_fds)
{
	const struct vu_cmd_desc *desc = vu_cmd_desc(cmd);
	uint8_t *payload = payload_of(len);
	int rc;

	if (desc->has_argsz && len >= sizeof(argsz))
		put32(payload, 0, argsz);
	rc = vu_request_check(cmd, desc->dir, payload, len, nb_fds);
	free(payload);
	return rc;
}

/* What each command must be like, told once more, from the reference. */
static const struct {
	uint32_t cmd;
	enum vu_dir dir;
	uint32_t request;	/* bytes of a zero request */
	bool longer;	/* may be longer with the same fixed part */
	bool argsz;
	uint8_t fds;	/* most in the request; 255: any */
	uint32_t reply;
	uint8_t reply_fds;
} commands[] = {
	{ VU_VERSION, VU_TO_SERVER, 4, true, false, 0, 4, 1 },
	{ VU_DMA_MAP, VU_TO_SERVER, 32, false, true, 1, 0, 0 },
	{ VU_DMA_UNMAP, VU_TO_SERVER, 24, false, true, 0, 24, 0 },
	{ VU_GET_INFO, VU_TO_SERVER, 16, false, true, 0, 16, 0 },
	{ VU_GET_REGION_INFO, VU_TO_SERVER, 32, false, true, 0, 32, 1 },
	{ VU_GET_REGION_IO_FDS, VU_TO_SERVER, 16, false, true, 0, 16, 255 },
	{ VU_GET_IRQ_INFO, VU_TO_SERVER, 16, false, true, 0, 16, 0 },
	{ VU_SET_IRQS, VU_TO_SERVER, 20, false, true, 255, 0, 0 },
	{ VU_REGION_READ, VU_TO_SERVER, 16, false, false, 0, 16, 0 },
	{ VU_REGION_WRITE, VU_TO_SERVER, 16, false, false, 0, 16, 0 },
	{ VU_DMA_READ, VU_TO_CLIENT, 16, false, false, 0, 16, 0 },
	{ VU_DMA_WRITE, VU_TO_CLIENT, 16, false, false, 0, 16, 0 },
	{ VU_RESET, VU_TO_SERVER, 0, false, false, 0, 0, 0 },
	{ VU_REGION_WRITE_MULTI, VU_TO_SERVER, 8, false, false, 0, 8, 0 },
	{ VU_FEATURE, VU_TO_SERVER, 8, true, true, 0, 8, 0 },
	{ VU_MIG_DATA_READ, VU_TO_SERVER, 8, false, true, 0, 8, 0 },
	{ VU_MIG_DATA_WRITE, VU_TO_SERVER, 8, false, true, 0, 0, 0 },
	{ VU_DMA_MAP_MULTI, VU_TO_SERVER, 8, false, false, 255, 8, 0 },
};

static void
test_all_commands_are_known_and_no_other(void **state)
{
	unsigned int known = 0;
	uint32_t cmd;

	(void)state;
	for (cmd = 0; cmd < 70000; cmd++)
		known += vu_cmd_desc(cmd) != NULL;
	assert_int_equal(known, RTE_DIM(commands));
	assert_null(vu_cmd_desc(0));
	assert_null(vu_cmd_desc(14));
	assert_null(vu_cmd_desc(19));
	assert_null(vu_cmd_desc(UINT32_MAX));
	assert_string_equal(vu_cmd_name(VU_GET_REGION_IO_FDS), "DEVICE_GET_REGION_IO_FDS");
	assert_non_null(vu_cmd_name(14));
}

static void
test_request_has_its_length(void **state)
{
	unsigned int i;
	uint32_t len;

	(void)state;
	for (i = 0; i < RTE_DIM(commands); i++) {
		uint32_t cmd = commands[i].cmd, right = commands[i].request;

		for (len = 0; len < right; len++)
			assert_int_equal(check_request(cmd, len, 4096, 0), -EINVAL);
		assert_int_equal(check_request(cmd, right, 4096, 0), 0);
		for (len = right + 1; len < right + 70; len++)
			assert_int_equal(check_request(cmd, len, 4096, 0),
				commands[i].longer ? 0 : -EINVAL);
	}
}

static void
test_argsz_covers_the_fixed_part(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(commands); i++) {
		uint32_t right = commands[i].request;

		if (!commands[i].argsz)
			continue;
		assert_int_equal(check_request(commands[i].cmd, right, 0, 0), -EINVAL);
		assert_int_equal(check_request(commands[i].cmd, right, right - 1, 0), -EINVAL);
		assert_int_equal(check_request(commands[i].cmd, right, right, 0), 0);
		assert_int_equal(check_request(commands[i].cmd, right, UINT32_MAX, 0), 0);
	}
}

static void
test_request_has_no_more_descriptors_than_it_can(void **state)
{
	unsigned int i, nb;

	(void)state;
	for (i = 0; i < RTE_DIM(commands); i++)
		for (nb = 0; nb <= VU_SCM_MAX_FD; nb++)
			assert_int_equal(check_request(commands[i].cmd, commands[i].request, 64,
				nb), commands[i].fds == 255 || nb <= commands[i].fds ? 0 : -EINVAL);
}

static void
test_command_of_the_other_side_is_unknown(void **state)
{
	static const uint8_t zeroes[64];
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(commands); i++) {
		enum vu_dir other = commands[i].dir == VU_TO_SERVER ? VU_TO_CLIENT :
			VU_TO_SERVER;

		assert_int_equal(vu_request_check(commands[i].cmd, other, zeroes,
			commands[i].request, 0), -ENOSYS);
	}
	assert_int_equal(vu_request_check(0, VU_TO_SERVER, zeroes, 16, 0), -ENOSYS);
	assert_int_equal(vu_request_check(14, VU_TO_SERVER, zeroes, 16, 0), -ENOSYS);
}

static void
test_reply_has_its_length_and_descriptors(void **state)
{
	static const uint8_t zeroes[64];
	unsigned int i, nb;
	uint32_t len;

	(void)state;
	for (i = 0; i < RTE_DIM(commands); i++) {
		uint32_t cmd = commands[i].cmd, right = commands[i].reply;
		/* peers are known that leave these out */
		bool lenient = cmd == VU_DMA_UNMAP || cmd == VU_DMA_WRITE;

		for (len = 0; len < right && !lenient; len++)
			assert_int_equal(vu_reply_check(cmd, zeroes, len, 0), -EPROTO);
		assert_int_equal(vu_reply_check(cmd, zeroes, right, 0), 0);
		for (nb = 0; nb <= VU_SCM_MAX_FD; nb++)
			assert_int_equal(vu_reply_check(cmd, zeroes, right, nb),
				commands[i].reply_fds == 255 || nb <= commands[i].reply_fds ? 0 :
				-EPROTO);
	}
	assert_int_equal(vu_reply_check(14, zeroes, 16, 0), -EPROTO);
}

/* A count says how many bytes follow; it may be anything. */
static void
test_data_are_as_long_as_their_count_says(void **state)
{
	static const struct {
		uint32_t cmd;
		size_t fixed;
		size_t at;	/* of the count */
		uint8_t width;
		uint32_t unit;
		uint32_t flags;	/* at offset 4, with argsz before it */
		bool reply;
	} cases[] = {
		{ VU_REGION_WRITE, 16, 12, 4, 1, 0, false },
		{ VU_REGION_READ, 16, 12, 4, 1, 0, true },
		{ VU_DMA_WRITE, 16, 8, 8, 1, 0, false },
		{ VU_DMA_READ, 16, 8, 8, 1, 0, true },
		{ VU_REGION_WRITE_MULTI, 8, 0, 8, 24, 0, false },
		{ VU_MIG_DATA_WRITE, 8, 4, 4, 1, 0, false },
		{ VU_DMA_MAP_MULTI, 8, 0, 4, 32, 0, false },
		{ VU_SET_IRQS, 20, 16, 4, 1, VFIO_IRQ_SET_DATA_BOOL, false },
	};
	static const uint64_t counts[] = { 0, 1, 2, 7, 0x7fffffff, 0x80000000, 0xffffffff,
		UINT64_C(0x100000000), UINT64_C(0x0aaaaaaaaaaaaaab), INT64_MAX, UINT64_MAX - 1,
		UINT64_MAX };
	unsigned int i, k;
	size_t data;
	int rc;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		for (k = 0; k < RTE_DIM(counts); k++) {
			if (cases[i].width == 4 && counts[k] > UINT32_MAX)
				continue;
			for (data = 0; data < 200; data++) {
				uint8_t *payload = payload_of(cases[i].fixed + data);
				bool fits = counts[k] < 200 &&
					counts[k] * cases[i].unit == data;

				if (vu_cmd_desc(cases[i].cmd)->has_argsz)
					put32(payload, 0, 4096);
				if (cases[i].flags != 0)
					put32(payload, 4, cases[i].flags);
				if (cases[i].width == 4)
					put32(payload, cases[i].at, (uint32_t)counts[k]);
				else
					put64(payload, cases[i].at, counts[k]);
				if (cases[i].reply)
					rc = vu_reply_check(cases[i].cmd, payload,
						cases[i].fixed + data, 0);
				else
					rc = vu_request_check(cases[i].cmd,
						vu_cmd_desc(cases[i].cmd)->dir, payload,
						cases[i].fixed + data, 0);
				assert_int_equal(rc == 0, fits);
				free(payload);
			}
		}
	}
}

static void
test_header_is_checked(void **state)
{
	static const struct {
		struct vu_hdr hdr;
		bool replies;
		int rc;
	} cases[] = {
		{ { .size = 16 }, false, 0 },
		{ { .size = 1000 }, false, 0 },
		{ { .size = 1001 }, false, -EPROTO },
		{ { .size = 15 }, true, -EPROTO },
		{ { .size = 0 }, true, -EPROTO },
		{ { .size = UINT32_MAX }, true, -EPROTO },
		{ { .size = 16, .flags = VU_F_TYPE_REPLY }, true, 0 },
		{ { .size = 16, .flags = VU_F_TYPE_REPLY }, false, -EPROTO },
		{ { .size = 16, .flags = VU_F_NO_REPLY }, false, 0 },
		{ { .size = 16, .flags = 2 }, true, -EPROTO },
		{ { .size = 16, .flags = 0xf }, true, -EPROTO },
		{ { .size = 16, .flags = 0x11 }, true, 0 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++)
		assert_int_equal(vu_hdr_check(&cases[i].hdr, 1000, cases[i].replies), cases[i].rc);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_all_commands_are_known_and_no_other),
	cmocka_unit_test(test_request_has_its_length),
	cmocka_unit_test(test_argsz_covers_the_fixed_part),
	cmocka_unit_test(test_request_has_no_more_descriptors_than_it_can),
	cmocka_unit_test(test_command_of_the_other_side_is_unknown),
	cmocka_unit_test(test_reply_has_its_length_and_descriptors),
	cmocka_unit_test(test_data_are_as_long_as_their_count_says),
	cmocka_unit_test(test_header_is_checked),
};

TEST_SUITE(vu_cmd, "unit", tests, NULL, NULL)
