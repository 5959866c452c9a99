/* SPDX-License-Identifier: BSD-3-Clause */

/* DMA by messages: the device reads and writes memory that the client did not share. */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_served.h"

#include "test.h"

#define RW   (VU_DMA_F_READ | VU_DMA_F_WRITE)
#define PAGE 4096u
#define BASE 0x100000u	/* of the memory that the client did not share */
#define SIZE (4u << 20)

#define TWIN_JSON "{\"capabilities\":{\"max_data_xfer_size\":65536," \
	"\"twin_socket\":{\"supported\":true}}}"
#define SMALL_JSON "{\"capabilities\":{\"max_data_xfer_size\":65536}}"
#define QEMU_JSON "{\"capabilities\":{\"write_multiple\":true}}"

/* A thread of the device. */
struct worker {
	struct served *served;
	bool write;
	uint64_t addr;
	uint64_t len;
	uint8_t *buf;
	int rc;
	pthread_t thread;
};

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	int dev_id = w->served->dev_id;

	w->rc = w->write ? rte_vfio_user_dma_write(dev_id, w->addr, w->buf, w->len) :
		rte_vfio_user_dma_read(dev_id, w->addr, w->buf, w->len);
	return NULL;
}

static void
worker_start(struct worker *w)
{
	w->rc = 1;
	assert_int_equal(pthread_create(&w->thread, NULL, worker_main, w), 0);
}

static int
worker_join(struct worker *w)
{
	pthread_join(w->thread, NULL);
	return w->rc;
}

/* The next message is such a command of the server. Leaves it in peer->payload. */
static void
expect_command(struct vu_peer *peer, uint16_t cmd, struct vu_dma_access *access)
{
	assert_true(peer_receive(peer));
	assert_int_equal(peer->hdr.cmd, cmd);
	assert_int_equal(peer->hdr.flags, VU_F_TYPE_COMMAND);
	assert_true(peer->len >= sizeof(*access));
	memcpy(access, peer->payload, sizeof(*access));
	assert_int_equal(peer->len,
		sizeof(*access) + (cmd == VU_DMA_WRITE ? access->count : 0));
}

static void
send_reply(struct vu_peer *peer, uint32_t flags, uint32_t error, const void *payload, size_t len)
{
	struct vu_hdr hdr = peer->hdr;
	uint8_t *bytes = malloc(sizeof(hdr) + len);

	hdr.size = (uint32_t)(sizeof(hdr) + len);
	hdr.flags = VU_F_TYPE_REPLY | flags;
	hdr.error = error;
	memcpy(bytes, &hdr, sizeof(hdr));
	if (len > 0)
		memcpy(bytes + sizeof(hdr), payload, len);
	peer_send_raw(peer, bytes, sizeof(hdr) + len, NULL, 0);
	free(bytes);
}

/* What is at an address of the client's memory. */
static uint8_t
pattern(uint64_t addr)
{
	return (uint8_t)(addr * 31 + (addr >> 8));
}

static void
answer_read(struct vu_peer *peer)
{
	struct vu_dma_access access;
	uint8_t *reply;
	uint64_t i;

	expect_command(peer, VU_DMA_READ, &access);
	reply = malloc(sizeof(access) + access.count);
	memcpy(reply, &access, sizeof(access));
	for (i = 0; i < access.count; i++)
		reply[sizeof(access) + i] = pattern(access.addr + i);
	send_reply(peer, 0, 0, reply, sizeof(access) + access.count);
	free(reply);
}

static void
answer_write(struct vu_peer *peer, size_t reply_len)
{
	struct vu_dma_access access;
	uint64_t i;

	expect_command(peer, VU_DMA_WRITE, &access);
	for (i = 0; i < access.count; i++)
		assert_int_equal(peer->payload[sizeof(access) + i], pattern(access.addr + i));
	send_reply(peer, 0, 0, &access, reply_len);
}

static void
open_unshared(struct vu_peer *peer, struct served *served, const char *json)
{
	peer_connect(peer, served->path);
	assert_int_equal(peer_version(peer, json), 0);
	assert_int_equal(peer_map(peer, BASE, SIZE, RW, -1, 0), 0);
}

static void
assert_pattern(const uint8_t *buf, uint64_t addr, uint64_t len)
{
	uint64_t i;

	for (i = 0; i < len; i++)
		if (buf[i] != pattern(addr + i))
			fail_msg("byte %lu", (unsigned long)i);
}

/* ---- from a thread of the device ---- */

static void
test_read_is_split_at_what_the_client_takes(void **state)
{
	struct served *served = *state;
	struct worker w = { .served = served, .addr = BASE + 100, .len = 200000 };
	struct vu_peer peer;
	int i;

	w.buf = malloc(w.len);
	open_unshared(&peer, served, SMALL_JSON);
	worker_start(&w);
	for (i = 0; i < 4; i++) {
		answer_read(&peer);
		assert_int_equal(peer.hdr.flags, 0);
	}
	assert_int_equal(worker_join(&w), 0);
	assert_pattern(w.buf, w.addr, w.len);
	free(w.buf);
	peer_close(&peer);
}

/* Protocol reference 5.10: replies of 16 bytes, of 12, and none at all. */
static void
test_write_takes_each_form_of_reply(void **state)
{
	static const size_t forms[] = { 16, 12, 0 };
	struct served *served = *state;
	struct worker w = { .served = served, .write = true, .addr = BASE, .len = 5000 };
	struct vu_peer peer;
	size_t i;

	w.buf = malloc(w.len);
	for (i = 0; i < w.len; i++)
		w.buf[i] = pattern(w.addr + i);
	open_unshared(&peer, served, "{}");
	for (i = 0; i < RTE_DIM(forms); i++) {
		worker_start(&w);
		answer_write(&peer, forms[i]);
		assert_int_equal(worker_join(&w), 0);
	}
	free(w.buf);
	peer_close(&peer);
}

static void
test_range_over_shared_and_unshared_memory(void **state)
{
	struct served *served = *state;
	struct worker w = { .served = served, .addr = BASE - 100, .len = 200 };
	int fd = peer_memory(PAGE);
	struct vu_peer peer;
	uint8_t bytes[100];
	int i;

	for (i = 0; i < 100; i++)
		bytes[i] = pattern(BASE - 100 + (uint64_t)i);
	assert_int_equal(pwrite(fd, bytes, 100, PAGE - 100), 100);
	w.buf = malloc(w.len);
	open_unshared(&peer, served, "{}");
	assert_int_equal(peer_map(&peer, BASE - PAGE, PAGE, RW, fd, 0), 0);
	worker_start(&w);
	answer_read(&peer);
	assert_int_equal(worker_join(&w), 0);
	assert_pattern(w.buf, w.addr, w.len);
	w.addr = BASE + SIZE - 10;
	worker_start(&w);
	answer_read(&peer);
	assert_int_equal(worker_join(&w), -EFAULT);
	free(w.buf);
	close(fd);
	peer_close(&peer);
}

static void
test_errors_and_lies_of_the_client(void **state)
{
	struct served *served = *state;
	struct worker w = { .served = served, .addr = BASE, .len = 64 };
	struct vu_dma_access access;
	uint8_t reply[16 + 65] = { 0 };
	struct vu_peer peer;

	w.buf = malloc(w.len);
	open_unshared(&peer, served, "{}");
	worker_start(&w);
	expect_command(&peer, VU_DMA_READ, &access);
	send_reply(&peer, VU_F_ERROR, ENODEV, NULL, 0);
	assert_int_equal(worker_join(&w), -ENODEV);
	worker_start(&w);
	expect_command(&peer, VU_DMA_READ, &access);
	send_reply(&peer, VU_F_ERROR, 0, NULL, 0);
	assert_int_equal(worker_join(&w), -EIO);
	worker_start(&w);
	expect_command(&peer, VU_DMA_READ, &access);
	memcpy(reply, &access, sizeof(access));
	send_reply(&peer, 0, 0, reply, 16 + 63);
	assert_int_equal(worker_join(&w), -EPROTO);
	worker_start(&w);
	expect_command(&peer, VU_DMA_READ, &access);
	access.count = 65;
	memcpy(reply, &access, sizeof(access));
	send_reply(&peer, 0, 0, reply, 16 + 65);
	assert_int_equal(worker_join(&w), -EPROTO);
	free(w.buf);
	peer_close(&peer);
}

static void
test_reply_that_nobody_asked_for(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;

	open_unshared(&peer, served, "{}");
	peer.hdr.cmd = VU_DMA_READ;
	send_reply(&peer, 0, 0, "0123456789abcdef", 16);
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.error, EINVAL);
	peer_expect_closed(&peer);
	peer_close(&peer);
}

static void
test_client_that_leaves_ends_the_wait(void **state)
{
	struct served *served = *state;
	struct worker w = { .served = served, .addr = BASE, .len = 64 };
	struct vu_dma_access access;
	struct vu_peer peer;

	w.buf = malloc(w.len);
	open_unshared(&peer, served, "{}");
	worker_start(&w);
	expect_command(&peer, VU_DMA_READ, &access);
	peer_close(&peer);
	assert_int_equal(worker_join(&w), -ENODEV);
	assert_int_equal(rte_vfio_user_dma_read(served->dev_id, BASE, w.buf, 1), -ENODEV);
	free(w.buf);
}

static void
restart(struct served *served, const struct rte_vfio_user_options *opt)
{
	served_stop(served);
	memset(served, 0, offsetof(struct served, before));
	served->new_device = served->destroy_device = 0;
	served_start(served, opt);
}

static void
test_time_limit_and_late_reply(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .request_timeout_ms = 50 };
	struct served *served = *state;
	struct worker w = { .served = served, .addr = BASE, .len = 64 };
	struct vu_dma_access access;
	struct vu_peer peer;
	uint8_t reply[16 + 64] = { 0 };
	uint32_t value;

	restart(served, &opt);
	w.buf = malloc(w.len);
	open_unshared(&peer, served, "{}");
	worker_start(&w);
	expect_command(&peer, VU_DMA_READ, &access);
	assert_int_equal(worker_join(&w), -ETIMEDOUT);
	memcpy(reply, &access, sizeof(access));
	send_reply(&peer, 0, 0, reply, sizeof(reply));
	assert_int_equal(peer_read(&peer, SERVED_REGS, 0, &value, sizeof(value)), 0);
	free(w.buf);
	peer_close(&peer);
}

static void
test_not_from_a_section(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	char buf[4];

	open_unshared(&peer, served, "{}");
	assert_int_equal(rte_vfio_user_dma_enter(served->dev_id), 0);
	assert_int_equal(rte_vfio_user_dma_read(served->dev_id, BASE, buf, 4), -EDEADLK);
	rte_vfio_user_dma_leave(served->dev_id);
	peer_close(&peer);
}

/* ---- from a callback ---- */

static uint8_t hook_buf[100000];
static int hook_rc;

static int
hook_read(struct served *served, uint64_t value)
{
	hook_rc = rte_vfio_user_dma_read(served->dev_id, BASE, hook_buf, value);
	return hook_rc;
}

static void
send_hook(struct vu_peer *peer, uint64_t value, uint32_t flags)
{
	uint64_t request[3] = { SERVED_REG_HOOK, SERVED_REGS | 8ull << 32, value };

	peer_send(peer, VU_REGION_WRITE, flags, request, sizeof(request), NULL, 0);
}

/* Commands that come while the device waits are handled behind the one that made it wait. */
static void
test_commands_that_come_meanwhile_wait(void **state)
{
	struct served *served = *state;
	struct vu_region_access access = { .region = SERVED_REGS, .count = 4 };
	struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .size = PAGE };
	struct vu_dma_access dma;
	struct vu_peer peer;
	uint8_t reply[16 + 64];
	int fd = peer_memory(PAGE);
	uint32_t i, value;
	uint16_t id;

	served->hook = hook_read;
	open_unshared(&peer, served, "{}");
	send_hook(&peer, 64, 0);
	for (i = 1; i <= 100; i++)
		peer_post(&peer, SERVED_REGS, 0, &i, sizeof(i));
	peer_send(&peer, VU_DMA_MAP, 0, &map, sizeof(map), &fd, 1);
	id = peer_send(&peer, VU_REGION_READ, 0, &access, sizeof(access), NULL, 0);
	expect_command(&peer, VU_DMA_READ, &dma);
	assert_int_equal(served->sum, 0);
	memcpy(reply, &dma, sizeof(dma));
	for (i = 0; i < 64; i++)
		reply[16 + i] = pattern(BASE + i);
	send_reply(&peer, 0, 0, reply, sizeof(reply));
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.cmd, VU_REGION_WRITE);
	assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.cmd, VU_DMA_MAP);
	assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.id, id);
	memcpy(&value, peer.payload + 16, sizeof(value));
	assert_int_equal(value, 100);
	assert_int_equal(served->sum, 5050);
	assert_pattern(hook_buf, BASE, 64);
	close(fd);
	peer_close(&peer);
}

/* All of it in one receive: the question must leave although replies are being collected. */
static void
test_command_leaves_while_replies_are_collected(void **state)
{
	struct served *served = *state;
	struct {
		struct vu_hdr hook_hdr;
		uint64_t hook[3];
		struct vu_hdr reset[2];
	} bytes = {
		.hook_hdr = { .id = 1, .cmd = VU_REGION_WRITE, .size = 40 },
		.hook = { SERVED_REG_HOOK, SERVED_REGS | 8ull << 32, 64 },
		.reset = { { .id = 2, .cmd = VU_RESET, .size = 16 },
			{ .id = 3, .cmd = VU_RESET, .size = 16 } },
	};
	struct vu_peer peer;
	uint16_t id;

	served->hook = hook_read;
	open_unshared(&peer, served, "{}");
	peer_send_raw(&peer, &bytes, sizeof(bytes), NULL, 0);
	answer_read(&peer);
	for (id = 1; id <= 3; id++) {
		assert_true(peer_receive(&peer));
		assert_int_equal(peer.hdr.id, id);
		assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	}
	assert_pattern(hook_buf, BASE, 64);
	peer_close(&peer);
}

static void
test_twin_socket_carries_the_commands(void **state)
{
	struct served *served = *state;
	struct vu_peer peer, twin;

	served->hook = hook_read;
	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, TWIN_JSON), 0);
	peer_adopt(&twin, peer_take_fd(&peer, 0));
	assert_int_equal(peer_map(&peer, BASE, SIZE, RW, -1, 0), 0);
	send_hook(&peer, 100000, 0);
	answer_read(&twin);
	answer_read(&twin);
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	assert_pattern(hook_buf, BASE, 100000);
	peer_close(&twin);
	peer_expect_closed(&peer);
	peer_close(&peer);
}

static void
test_twin_socket_takes_replies_only(void **state)
{
	struct served *served = *state;
	struct vu_peer peer, twin;

	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, TWIN_JSON), 0);
	peer_adopt(&twin, peer_take_fd(&peer, 0));
	peer_send(&twin, VU_RESET, 0, NULL, 0, NULL, 0);
	peer_expect_closed(&peer);
	assert_int_equal(served->reset_device, 0);
	peer_close(&twin);
	peer_close(&peer);
}

/* qemu-client 2.5: while QEMU waits for a reply it answers no command. */
static void
test_client_that_cannot_answer_is_not_waited_for(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;

	served->hook = hook_read;
	open_unshared(&peer, served, QEMU_JSON);
	send_hook(&peer, 64, 0);
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.error, EDEADLK);
	send_hook(&peer, 64, VU_F_NO_REPLY);
	answer_read(&peer);
	peer_call(&peer, VU_RESET, NULL, 0);
	assert_int_equal(hook_rc, 0);
	peer_close(&peer);
}

static void
test_other_sessions_are_served_meanwhile(void **state)
{
	struct served *served = *state;
	struct served *other = calloc(1, sizeof(*other));
	struct vu_peer peer, second;
	uint32_t value = 7;

	served->hook = hook_read;
	served_start(other, NULL);
	other->hook = hook_read;
	open_unshared(&peer, served, "{}");
	open_unshared(&second, other, "{}");
	send_hook(&peer, 64, 0);
	assert_int_equal(peer_write(&second, SERVED_REGS, 0, &value, sizeof(value)), 0);
	send_hook(&second, 32, 0);
	answer_read(&second);
	answer_read(&peer);
	assert_true(peer_receive(&second));
	assert_int_equal(second.hdr.flags, VU_F_TYPE_REPLY);
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	peer_close(&peer);
	peer_close(&second);
	served_wait(&other->destroy_device, 1);
	served_stop(other);
	free(other);
}

static void
test_unregister_ends_a_wait(void **state)
{
	struct served *served = *state;
	struct vu_dma_access access;
	struct vu_peer peer;

	served->hook = hook_read;
	open_unshared(&peer, served, "{}");
	send_hook(&peer, 64, 0);
	expect_command(&peer, VU_DMA_READ, &access);
	restart(served, NULL);
	assert_int_equal(hook_rc, -ENODEV);
	peer_close(&peer);
}

static void
test_client_that_leaves_ends_the_wait_of_a_callback(void **state)
{
	struct served *served = *state;
	struct vu_dma_access access;
	struct vu_peer peer;

	served->hook = hook_read;
	open_unshared(&peer, served, "{}");
	send_hook(&peer, 64, 0);
	expect_command(&peer, VU_DMA_READ, &access);
	peer_close(&peer);
	served_wait(&served->destroy_device, 1);
	assert_int_equal(hook_rc, -ENODEV);
	served->hook = NULL;
	peer_open(&peer, served->path);
	peer_close(&peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_read_is_split_at_what_the_client_takes),
	TEST(test_write_takes_each_form_of_reply),
	TEST(test_range_over_shared_and_unshared_memory),
	TEST(test_errors_and_lies_of_the_client),
	TEST(test_reply_that_nobody_asked_for),
	TEST(test_client_that_leaves_ends_the_wait),
	TEST(test_time_limit_and_late_reply),
	TEST(test_not_from_a_section),
	TEST(test_commands_that_come_meanwhile_wait),
	TEST(test_command_leaves_while_replies_are_collected),
	TEST(test_twin_socket_carries_the_commands),
	TEST(test_twin_socket_takes_replies_only),
	TEST(test_client_that_cannot_answer_is_not_waited_for),
	TEST(test_other_sessions_are_served_meanwhile),
	TEST(test_unregister_ends_a_wait),
	TEST(test_client_that_leaves_ends_the_wait_of_a_callback),
};

TEST_SUITE(vu_server_dma_msg, "functional", tests, served_warm_up, NULL)
