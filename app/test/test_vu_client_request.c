/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "test.h"
#include "vu_request.h"
#include "vu_stand.h"

struct request_case {
	const char *name;
	int (*run)(int dev_id);
	uint16_t cmd;
	uint32_t flags;
	size_t len;
	const char *payload;
};

static const struct request_case request_cases[] = {
	{ "read", request_read, VU_REGION_READ, 0, 16,
		"\x10\0\0\0\0\0\0\0\3\0\0\0\4\0\0\0" },
	{ "write", request_write, VU_REGION_WRITE, 0, 20,
		"\x10\0\0\0\0\0\0\0\3\0\0\0\4\0\0\0\1\2\3\4" },
	{ "post", request_post, VU_REGION_WRITE, VU_F_NO_REPLY, 20,
		"\x10\0\0\0\0\0\0\0\3\0\0\0\4\0\0\0\1\2\3\4" },
	{ "reset", request_reset, VU_RESET, 0, 0, "" },
	{ "map", request_map, VU_DMA_MAP, 0, 32,
		"\x20\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\x20\0\0\0\0\0\0" },
	{ "unmap", request_unmap, VU_DMA_UNMAP, 0, 24,
		"\x18\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\x20\0\0\0\0\0\0" },
	{ "unmap all", request_unmap_all, VU_DMA_UNMAP, 0, 24,
		"\x18\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" },
	{ "info", request_info, VU_GET_INFO, 0, 16, "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" },
	{ "interrupts off", request_irqs_off, VU_SET_IRQS, 0, 20,
		"\x14\0\0\0\x21\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0" },
	{ "migration data", request_mig_write, VU_MIG_DATA_WRITE, 0, 11,
		"\x0b\0\0\0\3\0\0\0abc" },
};

static void
test_requests_have_the_bytes_of_the_protocol(void **state)
{
	struct stand stand = { .answer = NULL };
	const struct stand_request *request;
	size_t i;

	(void)state;
	stand_start(&stand);
	for (i = 0; i < RTE_DIM(request_cases); i++) {
		const struct request_case *c = &request_cases[i];

		stand_forget(&stand);
		assert_int_equal(c->run(stand.dev_id), 0);
		/* also when nothing is awaited: it is there before an answer to the next is */
		if (c->flags & VU_F_NO_REPLY)
			assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
		request = c->flags ? &stand.log[0] : stand_only_request(&stand);
		if (request->hdr.cmd != c->cmd || request->hdr.flags != c->flags ||
				request->hdr.error != 0 || request->len != c->len ||
				memcmp(request->head, c->payload, c->len) != 0)
			fail_msg("%s", c->name);
	}
	stand_end(&stand);
}

/* ---------------------------------------------------------------- splitting, placing ---- */

static void
test_long_access_is_split_at_the_servers_limit(void **state)
{
	struct stand stand = { .json = "{\"capabilities\":{\"max_data_xfer_size\":1000,"
		"\"max_dma_maps\":1}}" };
	uint8_t data[2500];
	size_t i;

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_region_read(stand.dev_id, 1, 5, sizeof(data), data), 0);
	assert_int_equal(atomic_load(&stand.nb_log), 3);
	assert_memory_equal(stand.log[2].head, "\xd5\7\0\0\0\0\0\0\1\0\0\0\xf4\1\0\0", 16);
	for (i = 0; i < sizeof(data); i++)
		assert_int_equal(data[i], (uint8_t)(i + 5));
	stand_forget(&stand);
	assert_int_equal(rte_vfio_user_region_write(stand.dev_id, 1, 0, sizeof(data), data), 0);
	assert_int_equal(atomic_load(&stand.nb_log), 3);
	assert_int_equal(stand.log[2].len, 16 + 500);
	assert_int_equal(rte_vfio_user_region_read(stand.dev_id, 1, 0, 0, NULL), 0);
	assert_int_equal(rte_vfio_user_region_read(stand.dev_id, 1, UINT64_MAX, 2, data), -EINVAL);
	stand_end(&stand);
}

static void
test_servers_that_lose_long_writes_get_short_ones(void **state)
{
	struct stand stand = { .json = "{\"capabilities\":{\"max_msg_fds\":8}}" };
	static uint8_t data[10000];

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_region_write(stand.dev_id, 1, 0, sizeof(data), data), 0);
	assert_int_equal(atomic_load(&stand.nb_log), 3);
	assert_int_equal(stand.log[0].len, 16 + 4096);
	stand_end(&stand);
}

static void
test_long_reads_of_all_lengths(void **state)
{
	static const uint32_t lengths[] = { 4095, 4096, 65535, 65536, 65537, 300000, 1048576 };
	struct stand stand = { .answer = NULL };
	uint8_t *data = malloc(1048576);
	size_t i, k;

	(void)state;
	stand_start(&stand);
	for (i = 0; i < RTE_DIM(lengths); i++) {
		memset(data, 0xa5, 1048576);
		assert_int_equal(rte_vfio_user_region_read(stand.dev_id, 0, i, lengths[i], data),
			0);
		for (k = 0; k < lengths[i]; k++)
			if (data[k] != (uint8_t)(k + i))
				fail_msg("byte %zu of %u", k, lengths[i]);
	}
	stand_end(&stand);
	free(data);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_requests_have_the_bytes_of_the_protocol),
	cmocka_unit_test(test_long_access_is_split_at_the_servers_limit),
	cmocka_unit_test(test_servers_that_lose_long_writes_get_short_ones),
	cmocka_unit_test(test_long_reads_of_all_lengths),
};

TEST_SUITE(vu_client_request, "functional", tests, stand_setup, stand_teardown)
