/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A session that has nothing else to do has a short turn. What comes with a command, or between
 * two, is noticed all the same. The session is polled, so that the test tells its turns.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_served.h"

#include "test.h"
#include "vu_unshared.h"

/* REGION_READ of four bytes, as it is sent. */
struct read_command {
	struct vu_hdr hdr;
	struct vu_region_access access;
};

struct calm {
	struct served served;
	struct vu_peer peer;
};

static int
poll_once(const struct calm *c)
{
	return rte_vfio_user_poll(c->served.dev_id);
}

static void
poll_until(const struct calm *c, const atomic_int *counter)
{
	while (atomic_load(counter) == 0)
		assert_true(poll_once(c) >= 0);
}

static struct read_command
read_command(uint16_t id)
{
	return (struct read_command) {
		.hdr = { .id = id, .cmd = VU_REGION_READ, .size = sizeof(struct read_command) },
		.access = { .region = SERVED_REGS, .count = 4 },
	};
}

static void
send_read(struct calm *c, uint16_t id)
{
	const struct read_command command = read_command(id);

	peer_send_raw(&c->peer, &command, sizeof(command), NULL, 0);
}

static void
expect_reply(struct calm *c, uint16_t id, uint32_t error)
{
	assert_true(peer_receive(&c->peer));
	assert_int_equal(c->peer.hdr.id, id);
	assert_int_equal(c->peer.hdr.flags, VU_F_TYPE_REPLY | (error != 0 ? VU_F_ERROR : 0));
	assert_int_equal(c->peer.hdr.error, error);
}

static void
expect_two_together(struct calm *c)
{
	const struct read_command commands[] = { read_command(1), read_command(2) };

	peer_send_raw(&c->peer, commands, sizeof(commands), NULL, 0);
	assert_int_equal(poll_once(c), 2);
	expect_reply(c, 1, 0);
	expect_reply(c, 2, 0);
}

/* It answers as ever, in one turn. */
static void
expect_calm(struct calm *c)
{
	int i;

	for (i = 0; i < 2; i++) {
		expect_two_together(c);
		assert_int_equal(poll_once(c), 0);
		send_read(c, 1000);
		assert_int_equal(poll_once(c), 1);
		expect_reply(c, 1000, 0);
	}
}

/* With memory that the client does not share. */
static void
calm_connect(struct calm *c)
{
	const struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .addr = BASE,
		.size = SIZE };

	c->served.new_device = c->served.update_status = c->served.destroy_device = 0;
	peer_connect(&c->peer, c->served.path);
	peer_send(&c->peer, VU_VERSION, 0, "\0\0\0\0{}", 7, NULL, 0);
	poll_until(c, &c->served.new_device);
	assert_true(peer_receive(&c->peer));
	peer_send(&c->peer, VU_DMA_MAP, 0, &map, sizeof(map), NULL, 0);
	poll_until(c, &c->served.update_status);
	assert_true(peer_receive(&c->peer));
	expect_calm(c);
}

static int
calm_setup(void **state)
{
	const struct rte_vfio_user_options opt = { .size = sizeof(opt),
		.flags = RTE_VFIO_USER_F_POLL };
	struct calm *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	served_start(&c->served, &opt);
	calm_connect(c);
	*state = c;
	return 0;
}

static int
calm_teardown(void **state)
{
	struct calm *c = *state;

	peer_close(&c->peer);
	poll_until(c, &c->served.destroy_device);
	served_stop(&c->served);
	free(c);
	return 0;
}

/* ---- what a receive brings ---- */

static void
test_two_commands_come_together(void **state)
{
	struct calm *c = *state;

	expect_two_together(c);
	expect_calm(c);
}

static void
test_command_comes_in_two_pieces(void **state)
{
	const struct read_command command = read_command(1);
	struct calm *c = *state;
	size_t i;

	for (i = 1; i < sizeof(command); i++) {
		peer_send_raw(&c->peer, &command, i, NULL, 0);
		assert_int_equal(poll_once(c), 0);
		peer_send_raw(&c->peer, (const char *)&command + i, sizeof(command) - i, NULL, 0);
		assert_int_equal(poll_once(c), 1);
		expect_reply(c, 1, 0);
	}
	expect_calm(c);
}

static void
test_command_comes_with_a_piece_of_the_next(void **state)
{
	const struct read_command commands[] = { read_command(1), read_command(2) };
	struct calm *c = *state;
	size_t i;

	for (i = 1; i < sizeof(commands[1]); i++) {
		const size_t first = sizeof(commands[0]) + i;

		peer_send_raw(&c->peer, commands, first, NULL, 0);
		assert_int_equal(poll_once(c), 1);
		expect_reply(c, 1, 0);
		peer_send_raw(&c->peer, (const char *)commands + first, sizeof(commands) - first,
			NULL, 0);
		assert_int_equal(poll_once(c), 1);
		expect_reply(c, 2, 0);
	}
	expect_calm(c);
}

/* The descriptor is closed: the end of the test counts what is open. */
static void
test_descriptor_comes_with_a_command_that_takes_none(void **state)
{
	const struct read_command command = read_command(1);
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct calm *c = *state;

	assert_true(fd >= 0);
	peer_send_raw(&c->peer, &command, sizeof(command), &fd, 1);
	close(fd);
	assert_int_equal(poll_once(c), 1);
	expect_reply(c, 1, EINVAL);
	expect_calm(c);
}

/* Each ends a receive, and they are handled in one turn nevertheless. */
static void
test_commands_with_descriptors_come_one_behind_the_other(void **state)
{
	struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .size = PAGE };
	int fd = peer_memory(PAGE);
	struct calm *c = *state;
	int i;

	for (i = 0; i < 3; i++, map.addr += PAGE)
		peer_send(&c->peer, VU_DMA_MAP, 0, &map, sizeof(map), &fd, 1);
	close(fd);
	assert_int_equal(poll_once(c), 3);
	assert_int_equal(served_nb_regions(&c->served), 4);
	for (i = 0; i < 3; i++) {
		assert_true(peer_receive(&c->peer));
		assert_int_equal(c->peer.hdr.error, 0);
	}
	expect_calm(c);
}

static void
test_command_has_the_wrong_length(void **state)
{
	struct {
		struct read_command command;
		char more[4];
	} longer = { .command = read_command(1) };
	struct calm *c = *state;
	uint32_t size;

	for (size = sizeof(struct vu_hdr); size <= sizeof(longer); size += 4) {
		longer.command.hdr.size = size;
		peer_send_raw(&c->peer, &longer, size, NULL, 0);
		assert_int_equal(poll_once(c), 1);
		expect_reply(c, 1, size == sizeof(longer.command) ? 0 : EINVAL);
	}
	expect_calm(c);
}

static void
test_impossible_header_comes_behind_a_command(void **state)
{
	struct read_command commands[] = { read_command(1), read_command(2) };
	struct calm *c = *state;

	commands[1].hdr.size = sizeof(struct vu_hdr) - 1;
	peer_send_raw(&c->peer, commands, sizeof(commands), NULL, 0);
	assert_int_equal(poll_once(c), 1);
	assert_int_equal(c->served.destroy_device, 1);
	expect_reply(c, 1, 0);
	expect_reply(c, 2, EINVAL);
	peer_expect_closed(&c->peer);
}

static void
test_client_leaves_behind_its_command(void **state)
{
	struct calm *c = *state;

	send_read(c, 1);
	shutdown(c->peer.sock, SHUT_WR);
	poll_until(c, &c->served.destroy_device);
	expect_reply(c, 1, 0);
	peer_expect_closed(&c->peer);
}

static void
test_next_client_comes(void **state)
{
	struct calm *c = *state;

	peer_close(&c->peer);
	poll_until(c, &c->served.destroy_device);
	calm_connect(c);
}

/* ---- what a command brings with it ---- */

#define LONG (1u << 20)

static atomic_bool stop;

static void *
poll_main(void *arg)
{
	const struct calm *c = arg;

	while (!atomic_load(&stop))
		assert_true(poll_once(c) >= 0);
	return NULL;
}

static void
long_replies_receive(struct calm *c, unsigned int nb)
{
	pthread_t thread;

	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&thread, NULL, poll_main, c), 0);
	while (nb-- > 0) {
		assert_true(peer_receive(&c->peer));
		assert_int_equal(c->peer.len, sizeof(struct vu_region_access) + LONG);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
}

/* More than the socket takes: what is left of the replies goes out as the client reads. */
static void
test_replies_find_no_room(void **state)
{
	static const unsigned int numbers[] = { 1, 8 };
	const struct vu_region_access access = { .region = SERVED_LARGE, .count = LONG };
	struct calm *c = *state;
	unsigned int i, k;

	for (k = 0; k < RTE_DIM(numbers); k++) {
		for (i = 0; i < numbers[k]; i++)
			peer_send(&c->peer, VU_REGION_READ, 0, &access, sizeof(access), NULL, 0);
		assert_int_equal(poll_once(c), 1);
		assert_int_equal(poll_once(c), 0);
		long_replies_receive(c, numbers[k]);
		expect_calm(c);
	}
}

static int
hook_poll(struct served *served, uint64_t value)
{
	(void)value;
	send_read(served->priv, 2);
	return rte_vfio_user_poll(served->dev_id);
}

/* What is there then waits until the callback is over. */
static void
test_callback_polls_its_own_session(void **state)
{
	const uint64_t write[3] = { SERVED_REG_HOOK, SERVED_REGS | 8ull << 32, 0 };
	struct calm *c = *state;
	uint16_t id;

	c->served.hook = hook_poll;
	c->served.priv = c;
	id = peer_send(&c->peer, VU_REGION_WRITE, 0, write, sizeof(write), NULL, 0);
	assert_int_equal(poll_once(c), 2);
	expect_reply(c, id, 0);
	expect_reply(c, 2, 0);
	expect_calm(c);
}

/* ---- what comes between two commands ---- */

static void
test_thread_asks_for_memory(void **state)
{
	struct calm *c = *state;
	uint8_t bytes[64];
	struct unshared_worker w = { .served = &c->served, .addr = BASE, .buf = bytes,
		.len = sizeof(bytes) };
	char byte;
	int i;

	for (i = 0; i < 10; i++) {
		unshared_worker_start(&w);
		while (recv(c->peer.sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
			assert_int_equal(poll_once(c), 0);
		unshared_answer_read(&c->peer);
		assert_int_equal(poll_once(c), 1);
		assert_int_equal(unshared_worker_join(&w), 0);
		unshared_assert_pattern(bytes, BASE, sizeof(bytes));
		expect_calm(c);
	}
}

/* ---- in the control thread ---- */

/* As many commands as a receive takes, and some behind them. */
#define MANY (65536 / sizeof(struct read_command))
#define SOME 10u

static sem_t entered, sent;

static int
hook_hold(struct served *served, uint64_t value)
{
	(void)served;
	(void)value;
	sem_post(&entered);
	return sem_wait(&sent) == 0 ? 0 : -errno;
}

/* The control thread is told once of what it cannot take with one receive. */
static void
test_more_comes_than_a_receive_takes(void **state)
{
	const uint64_t write[3] = { SERVED_REG_HOOK, SERVED_REGS | 8ull << 32, 0 };
	struct read_command *commands = calloc(MANY + SOME, sizeof(*commands));
	struct served *served = *state;
	struct calm c = { .peer.sock = -1 };
	unsigned int i;

	sem_init(&entered, 0, 0);
	sem_init(&sent, 0, 0);
	served->hook = hook_hold;
	peer_open(&c.peer, served->path);
	for (i = 0; i < MANY + SOME; i++)
		commands[i] = read_command((uint16_t)i);
	peer_send(&c.peer, VU_REGION_WRITE, VU_F_NO_REPLY, write, sizeof(write), NULL, 0);
	sem_wait(&entered);
	peer_send_raw(&c.peer, commands, (MANY + SOME) * sizeof(*commands), NULL, 0);
	sem_post(&sent);
	for (i = 0; i < MANY + SOME; i++)
		expect_reply(&c, (uint16_t)i, 0);
	peer_close(&c.peer);
	free(commands);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, calm_setup, calm_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_two_commands_come_together),
	TEST(test_command_comes_in_two_pieces),
	TEST(test_command_comes_with_a_piece_of_the_next),
	TEST(test_descriptor_comes_with_a_command_that_takes_none),
	TEST(test_commands_with_descriptors_come_one_behind_the_other),
	TEST(test_command_has_the_wrong_length),
	TEST(test_impossible_header_comes_behind_a_command),
	TEST(test_client_leaves_behind_its_command),
	TEST(test_next_client_comes),
	TEST(test_replies_find_no_room),
	TEST(test_callback_polls_its_own_session),
	TEST(test_thread_asks_for_memory),
	SERVED_TEST(test_more_comes_than_a_receive_takes),
};

TEST_SUITE(vu_server_calm, "functional", tests, served_warm_up, NULL)
