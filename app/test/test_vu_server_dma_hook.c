/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vu_served.h"

#include "test.h"
#include "vu_unshared.h"

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
	unshared_open(&peer, served, "{}");
	send_hook(&peer, 64, 0);
	for (i = 1; i <= 100; i++)
		peer_post(&peer, SERVED_REGS, 0, &i, sizeof(i));
	peer_send(&peer, VU_DMA_MAP, 0, &map, sizeof(map), &fd, 1);
	id = peer_send(&peer, VU_REGION_READ, 0, &access, sizeof(access), NULL, 0);
	unshared_expect(&peer, VU_DMA_READ, &dma);
	assert_int_equal(served->sum, 0);
	memcpy(reply, &dma, sizeof(dma));
	for (i = 0; i < 64; i++)
		reply[16 + i] = unshared_pattern(BASE + i);
	unshared_reply(&peer, 0, 0, reply, sizeof(reply));
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
	unshared_assert_pattern(hook_buf, BASE, 64);
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
	unshared_open(&peer, served, "{}");
	peer_send_raw(&peer, &bytes, sizeof(bytes), NULL, 0);
	unshared_answer_read(&peer);
	for (id = 1; id <= 3; id++) {
		assert_true(peer_receive(&peer));
		assert_int_equal(peer.hdr.id, id);
		assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	}
	unshared_assert_pattern(hook_buf, BASE, 64);
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
	unshared_answer_read(&twin);
	unshared_answer_read(&twin);
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	unshared_assert_pattern(hook_buf, BASE, 100000);
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
	unshared_open(&peer, served, QEMU_JSON);
	send_hook(&peer, 64, 0);
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.error, EDEADLK);
	send_hook(&peer, 64, VU_F_NO_REPLY);
	unshared_answer_read(&peer);
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
	unshared_open(&peer, served, "{}");
	unshared_open(&second, other, "{}");
	send_hook(&peer, 64, 0);
	assert_int_equal(peer_write(&second, SERVED_REGS, 0, &value, sizeof(value)), 0);
	send_hook(&second, 32, 0);
	unshared_answer_read(&second);
	unshared_answer_read(&peer);
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
	unshared_open(&peer, served, "{}");
	send_hook(&peer, 64, 0);
	unshared_expect(&peer, VU_DMA_READ, &access);
	unshared_restart(served, NULL);
	assert_int_equal(hook_rc, -ENODEV);
	peer_close(&peer);
}

/* A client that does not answer holds up the end of its own session at most. */
static void
test_another_session_ends_during_a_wait(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .request_timeout_ms = 20000 };
	struct served *served = *state;
	struct served *other = calloc(1, sizeof(*other));
	struct vu_peer peer, second;

	served_start(other, NULL);
	unshared_restart(served, &opt);
	served->hook = hook_read;
	unshared_open(&peer, served, "{}");
	peer_open(&second, other->path);
	send_hook(&peer, 64, 0);
	served_wait(&served->update_status, 1);
	served_stop(other);
	peer_expect_closed(&second);
	assert_int_equal(other->destroy_device, 1);
	unshared_answer_read(&peer);
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	peer_close(&second);
	peer_close(&peer);
	free(other);
}

static void
test_client_that_leaves_ends_the_wait_of_a_callback(void **state)
{
	struct served *served = *state;
	struct vu_dma_access access;
	struct vu_peer peer;

	served->hook = hook_read;
	unshared_open(&peer, served, "{}");
	send_hook(&peer, 64, 0);
	unshared_expect(&peer, VU_DMA_READ, &access);
	peer_close(&peer);
	served_wait(&served->destroy_device, 1);
	assert_int_equal(hook_rc, -ENODEV);
	served->hook = NULL;
	peer_open(&peer, served->path);
	peer_close(&peer);
}

/* ---- what a command brought is there after a wait ---- */

static void
wait_for_client(struct served *served)
{
	uint8_t buf[64];

	hook_rc = rte_vfio_user_dma_read(served->dev_id, BASE, buf, sizeof(buf));
}

/* The device finishes what is under way, by messages, before it lets the table change. */
static void
test_descriptor_of_a_map_outlives_a_wait_of_the_lock(void **state)
{
	struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .size = PAGE };
	struct served *served = *state;
	const struct rte_vfio_user_mem *mem;
	int fd = peer_memory(PAGE);
	struct vu_peer peer;

	unshared_open(&peer, served, "{}");
	served->takes_time = wait_for_client;
	peer_send(&peer, VU_DMA_MAP, 0, &map, sizeof(map), &fd, 1);
	unshared_answer_read(&peer);
	assert_true(peer_receive(&peer));
	served->takes_time = NULL;
	assert_int_equal(peer.hdr.cmd, VU_DMA_MAP);
	assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	assert_int_equal(hook_rc, 0);
	mem = rte_vfio_user_get_mem_table(served->dev_id);
	assert_int_equal(mem->entry[0].gpa, 0);
	assert_true(mem->entry[0].fd >= 0);
	assert_non_null(mem->entry[0].mmap_addr);
	/* the other thread may free it from now on */
	rte_vfio_user_get_mem_table(served->dev_id);
	close(fd);
	peer_close(&peer);
}

static void
test_eventfds_outlive_a_wait_of_the_lock(void **state)
{
	const struct vfio_irq_set set = { .argsz = sizeof(set), .count = 2,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX };
	struct served *served = *state;
	int bound[2], fds[2] = { eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC) };
	struct vu_peer peer;

	unshared_open(&peer, served, "{}");
	served->takes_time = wait_for_client;
	peer_send(&peer, VU_SET_IRQS, 0, &set, sizeof(set), fds, 2);
	unshared_answer_read(&peer);
	assert_true(peer_receive(&peer));
	served->takes_time = NULL;
	assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	assert_int_equal(rte_vfio_user_get_irq(served->dev_id, set.index, 2, bound), 0);
	assert_true(bound[0] >= 0 && bound[1] >= 0);
	close(fds[0]);
	close(fds[1]);
	peer_close(&peer);
}

static struct served *neighbour;

static int
hook_read_of_neighbour(struct served *served, uint64_t value)
{
	(void)served;
	return hook_read(neighbour, value);
}

/* Has something been waited for on behalf of nobody's command, the next one that waits is safe. */
static void
test_data_outlive_a_wait_behind_one_outside_of_commands(void **state)
{
	static uint8_t data[4096], other[4096];
	struct served *served = *state;
	struct served *asking = calloc(1, sizeof(*asking));
	struct vu_region_access access = { .region = SERVED_LARGE, .count = sizeof(data) };
	uint8_t request[sizeof(access) + sizeof(data)];
	uint8_t reply[sizeof(struct vu_dma_access) + 64] = { 0 };
	struct vu_peer peer, second;
	struct vu_dma_access dma;

	served_start(asking, NULL);
	neighbour = served;
	asking->hook = hook_read_of_neighbour;
	unshared_open(&peer, served, "{}");
	peer_open(&second, asking->path);
	send_hook(&second, 64, 0);
	unshared_answer_read(&peer);
	assert_true(peer_receive(&second));
	assert_int_equal(second.hdr.flags, VU_F_TYPE_REPLY);

	served->takes_time = wait_for_client;
	memset(data, 0x11, sizeof(data));
	memset(other, 0xee, sizeof(other));
	memcpy(request, &access, sizeof(access));
	memcpy(request + sizeof(access), data, sizeof(data));
	peer_send(&peer, VU_REGION_WRITE, 0, request, sizeof(request), NULL, 0);
	unshared_expect(&peer, VU_DMA_READ, &dma);
	peer_post(&peer, SERVED_SINK, 0, other, sizeof(other));
	memcpy(reply, &dma, sizeof(dma));
	unshared_reply(&peer, 0, 0, reply, sizeof(reply));
	assert_true(peer_receive(&peer));
	served->takes_time = NULL;
	assert_int_equal(hook_rc, 0);
	assert_memory_equal(served->large, data, sizeof(data));
	peer_close(&peer);
	peer_close(&second);
	served_wait(&asking->destroy_device, 1);
	served_stop(asking);
	free(asking);
}

static const struct CMUnitTest tests[] = {
	SERVED_TEST(test_commands_that_come_meanwhile_wait),
	SERVED_TEST(test_command_leaves_while_replies_are_collected),
	SERVED_TEST(test_twin_socket_carries_the_commands),
	SERVED_TEST(test_twin_socket_takes_replies_only),
	SERVED_TEST(test_client_that_cannot_answer_is_not_waited_for),
	SERVED_TEST(test_other_sessions_are_served_meanwhile),
	SERVED_TEST(test_unregister_ends_a_wait),
	SERVED_TEST(test_another_session_ends_during_a_wait),
	SERVED_TEST(test_client_that_leaves_ends_the_wait_of_a_callback),
	SERVED_TEST(test_descriptor_of_a_map_outlives_a_wait_of_the_lock),
	SERVED_TEST(test_eventfds_outlive_a_wait_of_the_lock),
	SERVED_TEST(test_data_outlive_a_wait_behind_one_outside_of_commands),
};

TEST_SUITE(vu_server_dma_hook, "functional", tests, served_warm_up, NULL)
