/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Much at a time: clients that send ahead of what they take, that ask for what takes long, or that
 * answer what nobody asked; devices whose threads use the library while the client changes things.
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_log.h>

#include "interpose.h"
#include "vu_served.h"

#include "test.h"

#define RW   (VU_DMA_F_READ | VU_DMA_F_WRITE)
#define PAGE 4096u
#define BASE 0x100000u	/* of the memory that a client did not share */

static void
open_unshared(struct vu_peer *peer, struct served *served)
{
	peer_connect(peer, served->path);
	assert_int_equal(peer_version(peer, "{}"), 0);
	assert_int_equal(peer_map(peer, BASE, 16 * PAGE, RW, -1, 0), 0);
}

/* ---- commands that a device made wait ---- */

static atomic_int hook_rc;

static int
hook_read(struct served *served, uint64_t value)
{
	uint8_t buf[64];

	(void)value;
	hook_rc = rte_vfio_user_dma_read(served->dev_id, BASE, buf, sizeof(buf));
	return 0;
}

static void
send_hook(struct vu_peer *peer)
{
	uint64_t request[3] = { SERVED_REG_HOOK, SERVED_REGS | 8ull << 32, 0 };

	peer_send(peer, VU_REGION_WRITE, 0, request, sizeof(request), NULL, 0);
}

/* Answer a DMA_READ of 64 bytes, with an id that is off by so many. */
static void
answer_read(struct vu_peer *peer, uint16_t off)
{
	struct {
		struct vu_hdr hdr;
		struct vu_dma_access access;
		uint8_t data[64];
	} reply = { .access = { .addr = BASE, .count = 64 } };

	reply.hdr = (struct vu_hdr) { .id = (uint16_t)(peer->hdr.id + off), .cmd = VU_DMA_READ,
		.size = sizeof(reply), .flags = VU_F_TYPE_REPLY };
	peer_send_raw(peer, &reply, sizeof(reply), NULL, 0);
}

static void
expect_read(struct vu_peer *peer)
{
	assert_true(peer_receive(peer));
	assert_int_equal(peer->hdr.cmd, VU_DMA_READ);
	assert_int_equal(peer->hdr.flags, VU_F_TYPE_COMMAND);
}

#define AHEAD 200u

/* Far more replies than a socket takes, or a turn handles: the client gets them as it reads. */
static void
test_client_that_sends_ahead_gets_all_its_replies(void **state)
{
	struct vu_region_access access = { .region = SERVED_LARGE, .count = 65536 };
	struct served *served = *state;
	struct vu_peer peer;
	uint16_t first = 0;
	uint32_t i;

	served->hook = hook_read;
	open_unshared(&peer, served);
	send_hook(&peer);
	for (i = 0; i < AHEAD; i++) {
		uint16_t id = peer_send(&peer, VU_REGION_READ, 0, &access, sizeof(access), NULL, 0);

		first = i == 0 ? id : first;
	}
	expect_read(&peer);
	answer_read(&peer, 0);
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.cmd, VU_REGION_WRITE);
	for (i = 0; i < AHEAD; i++) {
		assert_true(peer_receive(&peer));
		assert_int_equal(peer.hdr.id, first + i);
		assert_int_equal(peer.len, sizeof(access) + access.count);
	}
	assert_int_equal(hook_rc, 0);
	peer_close(&peer);
}

/* There cannot be more replies than there were requests: who sends them could do so for ever. */
static void
test_replies_that_nobody_asked_for_end_the_session(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;

	served->hook = hook_read;
	open_unshared(&peer, served);
	send_hook(&peer);
	expect_read(&peer);
	answer_read(&peer, 1);
	served_wait(&served->destroy_device, 1);
	assert_int_equal(hook_rc, -ENODEV);
	peer_close(&peer);
}

/* ---- what takes long ---- */

static void
send_report(struct vu_peer *peer, uint64_t size)
{
	struct {
		uint32_t argsz;
		uint32_t flags;
		uint64_t addr, size, pgsize;
	} report = { .argsz = (uint32_t)(32 + size / PAGE / 8), .size = size, .pgsize = PAGE,
		.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT };

	peer_send(peer, VU_FEATURE, VU_F_NO_REPLY, &report, sizeof(report), NULL, 0);
}

static void
logging_start(struct vu_peer *peer)
{
	struct {
		uint32_t argsz;
		uint32_t flags;
		uint64_t pgsize, zero;
	} start = { .argsz = sizeof(start), .pgsize = PAGE,
		.flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_START };

	peer_send(peer, VU_FEATURE, VU_F_NO_REPLY, &start, sizeof(start), NULL, 0);
}

static void
poll_until(struct served *served, const atomic_int *counter, int value)
{
	while (atomic_load(counter) != value)
		assert_true(rte_vfio_user_poll(served->dev_id) >= 0);
}

/* A turn of a session ends with the message that has taken long, however many wait behind it. */
static void
test_what_takes_long_is_a_turn_of_its_own(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = RTE_VFIO_USER_F_POLL };
	struct served *served = calloc(1, sizeof(*served));
	struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .size = UINT64_C(1) << 38 };
	struct vu_region_access read = { .region = SERVED_LARGE, .count = 1u << 20 };
	struct vu_peer peer;
	int i;

	(void)state;
	served_start(served, &opt);
	peer_connect(&peer, served->path);
	peer_send(&peer, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	poll_until(served, &served->new_device, 1);
	peer_send(&peer, VU_DMA_MAP, VU_F_NO_REPLY, &map, sizeof(map), NULL, 0);
	logging_start(&peer);
	for (i = 0; i < 10; i++)
		send_report(&peer, map.size);
	for (i = 0; i < 10; i++)
		peer_send(&peer, VU_REGION_READ, VU_F_NO_REPLY, &read, sizeof(read), NULL, 0);
	assert_int_equal(rte_vfio_user_poll(served->dev_id), 3);
	for (i = 1; i < 20; i++)
		assert_int_equal(rte_vfio_user_poll(served->dev_id), 1);
	assert_int_equal(rte_vfio_user_poll(served->dev_id), 0);
	peer_close(&peer);
	poll_until(served, &served->destroy_device, 1);
	served_stop(served);
	free(served);
}

/* ---- what the log is told ---- */

static unsigned int
lines_of(const char *text)
{
	unsigned int nb = 0;

	for (; *text != '\0'; text++)
		nb += *text == '\n';
	return nb;
}

/* A session that is polled without a pause does not complain without a pause. */
static void
test_lack_of_descriptors_is_told_once(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = RTE_VFIO_USER_F_POLL };
	struct served *served = calloc(1, sizeof(*served));
	struct vu_peer peer;
	char *text = NULL;
	size_t size = 0;
	FILE *log = open_memstream(&text, &size);
	int i;

	(void)state;
	served_start(served, &opt);
	peer_connect(&peer, served->path);
	peer_send(&peer, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_ERR);
	rte_openlog_stream(log);
	interpose_fail(INTERPOSE_ONLY(ACCEPT), 1, EMFILE);
	for (i = 0; i < 100; i++) {
		assert_int_equal(rte_vfio_user_poll(served->dev_id), 0);
		interpose_disarm();
		interpose_fail(INTERPOSE_ONLY(ACCEPT), 1, EMFILE);
	}
	interpose_disarm();
	poll_until(served, &served->new_device, 1);
	rte_openlog_stream(NULL);
	rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_CRIT);
	fclose(log);
	assert_non_null(strstr(text, "cannot accept"));
	assert_int_equal(lines_of(text), 1);
	peer_close(&peer);
	poll_until(served, &served->destroy_device, 1);
	served_stop(served);
	free(served);
	free(text);
}

/* ---- threads of the device ---- */

static atomic_bool stop;

static atomic_int at_work;

/* A thread of the device does something all the time, and its table changes. */
static void
table_changes_beside(struct served *served, void *(*thread_main)(void *arg))
{
	struct vu_peer peer;
	pthread_t thread;
	int i;

	peer_open(&peer, served->path);
	atomic_store(&stop, false);
	atomic_store(&at_work, 0);
	assert_int_equal(pthread_create(&thread, NULL, thread_main, served), 0);
	served_wait(&at_work, 1);
	for (i = 0; i < 2000; i++) {
		assert_int_equal(peer_map(&peer, 0, PAGE, RW, -1, 0), 0);
		assert_int_equal(peer_unmap(&peer, 0, PAGE, 0), 0);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	peer_close(&peer);
}

static void *
table_main(void *arg)
{
	struct served *served = arg;

	while (!atomic_load(&stop)) {
		rte_vfio_user_get_mem_table(served->dev_id);
		atomic_store(&at_work, 1);
	}
	return NULL;
}

/* The table is asked for while an unmap waits for those who use it. */
static void
test_table_is_asked_for_while_it_changes(void **state)
{
	table_changes_beside(*state, table_main);
}

/* Whoever is in a section gets an answer, too: which may be that there is none now. */
static void *
section_main(void *arg)
{
	struct served *served = arg;

	while (!atomic_load(&stop)) {
		assert_int_equal(rte_vfio_user_dma_enter(served->dev_id), 0);
		atomic_store(&at_work, 1);
		rte_vfio_user_get_mem_table(served->dev_id);
		rte_vfio_user_dma_leave(served->dev_id);
	}
	return NULL;
}

static void
test_table_is_asked_for_in_a_section_while_it_changes(void **state)
{
	table_changes_beside(*state, section_main);
}

/* It would wait for itself. */
static void
test_no_end_from_a_section(void **state)
{
	struct served *served = *state;

	assert_int_equal(rte_vfio_user_dma_enter(served->dev_id), 0);
	assert_int_equal(rte_vfio_user_unregister(served->path), -EDEADLK);
	rte_vfio_user_dma_leave(served->dev_id);
}

/* Two who do so would wait for one another. */
static void
test_no_change_of_descriptors_from_a_section(void **state)
{
	struct served *served = *state;

	assert_int_equal(rte_vfio_user_dma_enter(served->dev_id), 0);
	assert_int_equal(rte_vfio_user_set_io_fds(served->dev_id, NULL, 0), -EDEADLK);
	rte_vfio_user_dma_leave(served->dev_id);
	assert_int_equal(rte_vfio_user_set_io_fds(served->dev_id, NULL, 0), 0);
}

/* ---- a client that comes while the one before it is on its way out ---- */

static struct served *helper;

static void
gone_read(struct served *served)
{
	(void)served;
	hook_read(helper, 0);
}

static void
break_memory(struct served *served, struct vu_peer *peer)
{
	struct iovec iov;
	int fd = peer_memory(PAGE);

	assert_int_equal(peer_map(peer, 0, PAGE, RW, fd, 0), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	close(fd);
	assert_int_equal(rte_vfio_user_dma_enter(served->dev_id), 0);
	assert_int_equal(rte_vfio_user_dma_sg(served->dev_id, 0, 8, PROT_READ, &iov, 1), 1);
	assert_int_equal(*(volatile uint64_t *)iov.iov_base, 0);
	rte_vfio_user_dma_leave(served->dev_id);
}

/*
 * The end of a client takes its time, as the device waits for the memory of another one; meanwhile
 * the session is asked to look at itself. The next client has to wait.
 */
static void
test_next_client_waits_for_the_end_of_the_last(void **state)
{
	struct served *served = *state;
	struct vu_peer peer, next, other;

	helper = calloc(1, sizeof(*helper));
	served_start(helper, NULL);
	open_unshared(&other, helper);
	served->gone = gone_read;
	peer_open(&peer, served->path);
	break_memory(served, &peer);
	expect_read(&other);
	peer_connect(&next, served->path);
	peer_send(&next, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	assert_int_equal(rte_vfio_user_dma_enter(served->dev_id), 0);
	rte_vfio_user_dma_leave(served->dev_id);
	peer_expect_silence(&next);
	answer_read(&other, 0);
	assert_true(peer_receive(&next));
	assert_int_equal(next.hdr.flags, VU_F_TYPE_REPLY);
	served->gone = NULL;
	assert_int_equal(hook_rc, 0);
	peer_expect_closed(&peer);
	peer_close(&peer);
	peer_close(&next);
	peer_close(&other);
	served_wait(&helper->destroy_device, 1);
	served_stop(helper);
	free(helper);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_client_that_sends_ahead_gets_all_its_replies),
	TEST(test_replies_that_nobody_asked_for_end_the_session),
	TEST(test_what_takes_long_is_a_turn_of_its_own),
	TEST(test_lack_of_descriptors_is_told_once),
	TEST(test_table_is_asked_for_while_it_changes),
	TEST(test_table_is_asked_for_in_a_section_while_it_changes),
	TEST(test_no_end_from_a_section),
	TEST(test_no_change_of_descriptors_from_a_section),
	TEST(test_next_client_waits_for_the_end_of_the_last),
};

TEST_SUITE(vu_server_busy, "functional", tests, served_warm_up, NULL)
