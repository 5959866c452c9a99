/* SPDX-License-Identifier: BSD-3-Clause */

/* VERSION at a served device. Protocol reference 3. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <jansson.h>

#include <rte_common.h>

#include "vu_served.h"

#include "test.h"

#define QEMU_JSON "{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, " \
	"\"max_dma_maps\": 65535, \"max_data_xfer_size\": 1048576, " \
	"\"migration\": {\"max_bitmap_size\": 268435456, \"pgsize\": 4096}, " \
	"\"write_multiple\": true}}"

/* Length of the longest reply that QEMU takes. */
#define QEMU_REPLY_MAX 214u

static json_t *
reply_capabilities(const struct vu_peer *peer, json_t **root)
{
	assert_true(peer->len > 4);
	assert_int_equal(peer->payload[peer->len - 1], 0);
	*root = json_loads((const char *)peer->payload + 4, 0, NULL);
	assert_non_null(*root);
	return json_object_get(*root, "capabilities");
}

static int
version_of(struct vu_peer *peer, uint16_t major, uint16_t minor)
{
	uint16_t payload[] = { major, minor };

	return peer_call(peer, VU_VERSION, payload, sizeof(payload));
}

static void
test_qemu_is_answered_what_it_accepts(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	json_t *root, *caps;

	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, QEMU_JSON), 0);
	assert_in_range(peer.hdr.size, 16, QEMU_REPLY_MAX);
	assert_int_equal(peer.nb_fds, 0);
	assert_memory_equal(peer.payload, "\0\0\0\0", 4);
	caps = reply_capabilities(&peer, &root);
	assert_int_equal(json_integer_value(json_object_get(caps, "max_msg_fds")), 16);
	assert_in_range(json_integer_value(json_object_get(caps, "max_dma_maps")), 0, 65535);
	assert_in_range(json_integer_value(json_object_get(caps, "max_data_xfer_size")), 0,
		1048576);
	assert_true(json_is_true(json_object_get(caps, "write_multiple")));
	assert_null(json_object_get(caps, "twin_socket"));
	assert_null(json_object_get(caps, "migration"));
	json_decref(root);
	assert_int_equal(served->new_device, 1);
	peer_close(&peer);
}

/* The limit of transfers is none of commands. */
static void
test_server_of_short_transfers_takes_long_commands(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .max_data_xfer_size = 16 };
	struct served *served = calloc(1, sizeof(*served));
	char data[32] = "";
	struct vu_peer peer;

	(void)state;
	served_start(served, &opt);
	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, QEMU_JSON), 0);
	assert_int_equal(peer_write(&peer, SERVED_REGS, 0, data, 16), 0);
	assert_int_equal(peer_write(&peer, SERVED_REGS, 0, data, 17), EINVAL);
	assert_int_equal(peer_read(&peer, SERVED_REGS, 0, data, 17), EINVAL);
	peer_close(&peer);
	served_wait(&served->destroy_device, 1);
	served_stop(served);
	free(served);
}

static void
test_what_was_not_offered_is_not_switched_on(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	json_t *root, *caps;

	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, "{}"), 0);
	caps = reply_capabilities(&peer, &root);
	assert_false(json_is_true(json_object_get(caps, "write_multiple")));
	assert_null(json_object_get(caps, "twin_socket"));
	json_decref(root);
	peer_close(&peer);
}

static void
test_minor_is_the_smaller_one(void **state)
{
	static const uint16_t minors[][2] = { { 0, 0 }, { 1, 1 }, { 2, 1 }, { 65535, 1 } };
	struct served *served = *state;
	struct vu_peer peer;
	uint16_t got[2];
	size_t i;

	for (i = 0; i < RTE_DIM(minors); i++) {
		peer_connect(&peer, served->path);
		assert_int_equal(version_of(&peer, 0, minors[i][0]), 0);
		memcpy(got, peer.payload, sizeof(got));
		assert_int_equal(got[0], 0);
		assert_int_equal(got[1], minors[i][1]);
		peer_close(&peer);
	}
}

static void
test_twin_socket_comes_as_the_first_descriptor(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	json_t *root, *twin;
	int type = 0;
	socklen_t len = sizeof(type);

	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer,
		"{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}"), 0);
	assert_int_equal(peer.nb_fds, 1);
	twin = json_object_get(reply_capabilities(&peer, &root), "twin_socket");
	assert_true(json_is_true(json_object_get(twin, "supported")));
	assert_int_equal(json_integer_value(json_object_get(twin, "fd_index")), 0);
	json_decref(root);
	assert_int_equal(getsockopt(peer.fds[0], SOL_SOCKET, SO_TYPE, &type, &len), 0);
	assert_int_equal(type, SOCK_STREAM);
	peer_close(&peer);
	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, "{\"capabilities\":{\"max_msg_fds\":0,"
		"\"twin_socket\":{\"supported\":true}}}"), 0);
	assert_int_equal(peer.nb_fds, 0);
	peer_close(&peer);
}

static void
test_bad_version_is_answered_and_ends_the_connection(void **state)
{
	static const char * const texts[] = {
		"", "x", "[]", "1", "{\"capabilities\":1}", "{\"capabilities\":[]}",
		"{\"capabilities\":{\"max_msg_fds\":\"8\"}}",
		"{\"capabilities\":{\"max_msg_fds\":-1}}",
		"{\"capabilities\":{\"max_data_xfer_size\":0}}",
		"{\"capabilities\":{\"max_data_xfer_size\":1.5}}",
		"{\"capabilities\":{\"twin_socket\":true}}",
		"{\"capabilities\":{\"twin_socket\":{\"supported\":1}}}",
		"{\"capabilities\":{\"max_msg_fds\":1,\"max_msg_fds\":2}}",
		"{\"capabilities\":{}} x", "{\"capabilities\":", "{\"a\":\"\\ud800\"}",
	};
	struct served *served = *state;
	struct vu_peer peer;
	size_t i;

	for (i = 0; i < RTE_DIM(texts); i++) {
		peer_connect(&peer, served->path);
		assert_int_equal(peer_version(&peer, texts[i]), EINVAL);
		peer_expect_closed(&peer);
		peer_close(&peer);
	}
	peer_connect(&peer, served->path);
	assert_int_equal(version_of(&peer, 1, 0), EINVAL);
	peer_expect_closed(&peer);
	peer_close(&peer);
	assert_int_equal(served->new_device, 0);
}

static void
test_version_comes_first_and_once(void **state)
{
	struct served *served = *state;
	uint32_t request[4] = { 16 };
	struct vu_peer peer;

	peer_connect(&peer, served->path);
	assert_int_equal(peer_call(&peer, VU_GET_INFO, request, sizeof(request)), EINVAL);
	peer_expect_closed(&peer);
	peer_close(&peer);
	peer_open(&peer, served->path);
	assert_int_equal(peer_version(&peer, "{}"), EINVAL);
	assert_int_equal(peer_call(&peer, VU_GET_INFO, request, sizeof(request)), 0);
	peer_close(&peer);
}

/* The one command to which no-reply does not apply. */
static void
test_version_is_answered_always(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;

	peer_connect(&peer, served->path);
	peer_send(&peer, VU_VERSION, VU_F_NO_REPLY, "\0\0\0\0", 4, NULL, 0);
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	peer_close(&peer);
}

static void
test_device_may_refuse_a_client(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;

	atomic_store(&served->refuse_new, -EBUSY);
	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, "{}"), EBUSY);
	peer_expect_closed(&peer);
	peer_close(&peer);
	assert_int_equal(served->destroy_device, 0);
	atomic_store(&served->refuse_new, 0);
	peer_open(&peer, served->path);
	peer_close(&peer);
	served_wait(&served->destroy_device, 1);
	atomic_store(&served->new_device, 1);
}

static void
test_unknown_commands_and_wrong_types(void **state)
{
	static const uint16_t unknown[] = { 0, 14, 19, 100, 65535, VU_DMA_READ, VU_DMA_WRITE };
	struct served *served = *state;
	struct vu_peer peer;
	struct vu_hdr hdr = { .id = 1, .cmd = VU_GET_INFO, .size = 16 };
	uint32_t flags;
	size_t i;
	int err;

	peer_open(&peer, served->path);
	for (i = 0; i < RTE_DIM(unknown); i++) {
		err = peer_call(&peer, unknown[i], "0123456789abcdef", 16);
		assert_true(err == EINVAL || err == ENOSYS);
		peer_send(&peer, unknown[i], VU_F_NO_REPLY, NULL, 0, NULL, 0);
	}
	peer_close(&peer);
	for (flags = 1; flags < 16; flags++) {
		peer_open(&peer, served->path);
		hdr.flags = flags;
		peer_send_raw(&peer, &hdr, sizeof(hdr), NULL, 0);
		assert_true(peer_receive(&peer));
		assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY | VU_F_ERROR);
		assert_int_equal(peer.hdr.error, EINVAL);
		peer_expect_closed(&peer);
		peer_close(&peer);
	}
}

static void
test_impossible_sizes_end_the_connection(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 15, 1048576 + 65, UINT32_MAX, INT32_MAX };
	struct served *served = *state;
	struct vu_hdr hdr = { .id = 1, .cmd = VU_GET_INFO };
	struct vu_peer peer;
	size_t i;

	for (i = 0; i < RTE_DIM(sizes); i++) {
		peer_open(&peer, served->path);
		hdr.size = sizes[i];
		peer_send_raw(&peer, &hdr, sizeof(hdr), NULL, 0);
		assert_true(peer_receive(&peer));
		assert_int_equal(peer.hdr.error, EINVAL);
		peer_expect_closed(&peer);
		peer_close(&peer);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_qemu_is_answered_what_it_accepts),
	TEST(test_server_of_short_transfers_takes_long_commands),
	TEST(test_what_was_not_offered_is_not_switched_on),
	TEST(test_minor_is_the_smaller_one),
	TEST(test_twin_socket_comes_as_the_first_descriptor),
	TEST(test_bad_version_is_answered_and_ends_the_connection),
	TEST(test_version_comes_first_and_once),
	TEST(test_version_is_answered_always),
	TEST(test_device_may_refuse_a_client),
	TEST(test_unknown_commands_and_wrong_types),
	TEST(test_impossible_sizes_end_the_connection),
};

TEST_SUITE(vu_server_version, "functional", tests, served_warm_up, NULL)
