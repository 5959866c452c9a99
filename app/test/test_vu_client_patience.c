/* SPDX-License-Identifier: BSD-3-Clause */

/* How long a client waits, for servers that answer late, never, or do not take what it sends. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_log.h>
#include <rte_vfio_user.h>

#include "test.h"
#include "vu_stand.h"

/* Time limits that do not run out, and what is well below of them on any machine. */
#define LONG_MS 60000u
#define SOON_MS 30000u

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ------------------------------------------------------------------------- reset ---- */

static bool
answer_reset_late(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	(void)stand;
	(void)payload;
	(void)len;
	if (hdr->cmd == VU_RESET)
		usleep(500000);
	return false;
}

static void
test_reset_may_take_longer_than_a_request(void **state)
{
	struct stand stand = { .answer = answer_reset_late, .timeout_ms = 200 };

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	stand_end(&stand);
}

static void
test_reset_without_a_limit(void **state)
{
	struct stand stand = { .answer = answer_reset_late, .timeout_ms = 200,
		.reset_timeout_ms = UINT32_MAX };

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	stand_end(&stand);
}

struct sleeper {
	atomic_bool asked, go;
};

static bool
answer_reset_when_told(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload,
	size_t len)
{
	struct sleeper *sleeper = stand->ctx;

	(void)payload;
	(void)len;
	if (hdr->cmd != VU_RESET)
		return false;
	atomic_store(&sleeper->asked, true);
	while (!atomic_load(&sleeper->go))
		usleep(1000);
	return false;
}

static void
test_reset_has_a_limit_of_its_own(void **state)
{
	struct sleeper sleeper = { .go = false };
	struct stand stand = { .answer = answer_reset_when_told, .ctx = &sleeper,
		.reset_timeout_ms = 50 };

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), -ETIMEDOUT);
	atomic_store(&sleeper.go, true);
	stand_end(&stand);
}

/* ------------------------------------------------------------------ no answer at all ---- */

#define NB_MAPS 64u

static bool
answer_no_maps(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	(void)stand;
	(void)payload;
	(void)len;
	return hdr->cmd == VU_DMA_MAP || hdr->cmd == VU_DMA_UNMAP;
}

static void
maps_make(struct rte_vfio_user_mem_reg *mem)
{
	uint32_t i;

	memset(mem, 0, NB_MAPS * sizeof(*mem));
	for (i = 0; i < NB_MAPS; i++) {
		mem[i].gpa = i * 0x1000;
		mem[i].size = 0x1000;
		mem[i].protection = PROT_READ;
	}
}

/* Requests that are under way together run out of time together. */
static void
test_many_maps_wait_no_longer_than_one(void **state)
{
	struct stand stand = { .answer = answer_no_maps, .timeout_ms = 200 };
	struct rte_vfio_user_mem_reg mem[NB_MAPS];
	uint64_t start;

	(void)state;
	maps_make(mem);
	stand_start(&stand);
	start = now_ms();
	assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, mem, NULL, NB_MAPS), -ETIMEDOUT);
	/* one after another it would be 25 s */
	assert_true(now_ms() - start < 15000);
	stand_end(&stand);
}

static bool
answer_unmaps_only(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload,
	size_t len)
{
	(void)stand;
	(void)payload;
	(void)len;
	return hdr->cmd == VU_DMA_MAP;
}

/* The id of a request without an answer is lost, and there are 65536 of them. */
static void
test_server_that_never_answers_is_given_up(void **state)
{
	struct stand stand = { .answer = answer_unmaps_only, .timeout_ms = 20 };
	struct rte_vfio_user_mem_reg mem[NB_MAPS];
	unsigned int i;
	int rc = -ETIMEDOUT;

	(void)state;
	maps_make(mem);
	stand_start(&stand);
	for (i = 0; i < 50 && rc == -ETIMEDOUT; i++)
		rc = rte_vfio_user_dma_map(stand.dev_id, mem, NULL, NB_MAPS);
	assert_int_equal(rc, -ENOTCONN);
	stand_end(&stand);
}

/* ---------------------------------------------------- memory that is not given back ---- */

static int
take_back(int dev_id)
{
	struct rte_vfio_user_mem_reg mem[NB_MAPS];

	maps_make(mem);
	return rte_vfio_user_dma_unmap(dev_id, mem, NB_MAPS);
}

static int
take_back_with_bitmap(int dev_id)
{
	uint64_t bitmap;

	return rte_vfio_user_dma_unmap_dirty(dev_id, 0, 0x1000, 0x1000, &bitmap, sizeof(bitmap));
}

static bool
answer_no_unmap(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	(void)stand;
	(void)payload;
	(void)len;
	return hdr->cmd == VU_DMA_UNMAP;
}

/* What the server may go on using it loses with the connection, and this at once. */
static void
test_memory_that_is_not_given_back_ends_the_connection(void **state)
{
	int (*const calls[])(int) = { take_back, take_back_with_bitmap,
		rte_vfio_user_dma_unmap_all };
	struct stand stand;
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(calls); i++) {
		stand = (struct stand){ .answer = answer_no_unmap, .timeout_ms = 200 };
		stand_start(&stand);
		assert_int_equal(calls[i](stand.dev_id), -ETIMEDOUT);
		assert_int_equal(rte_vfio_user_serve(stand.dev_id, 0), -ENOTCONN);
		assert_int_equal(rte_vfio_user_reset(stand.dev_id), -ENOTCONN);
		assert_int_equal(calls[i](stand.dev_id), -ENOTCONN);
		stand_end(&stand);
	}
}

/* A server that says that it cannot do it has at least heard of it. */
static bool
answer_refuses_unmap(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload,
	size_t len)
{
	(void)payload;
	(void)len;
	return hdr->cmd == VU_DMA_UNMAP && stand_error(stand, hdr, EINVAL);
}

static void
test_memory_that_was_not_mapped_does_not_end_the_connection(void **state)
{
	struct stand stand = { .answer = answer_refuses_unmap };

	(void)state;
	stand_start(&stand);
	assert_int_equal(take_back(stand.dev_id), -EINVAL);
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	stand_end(&stand);
}

/* ------------------------------------------------- a second socket that is not read ---- */

#define LONG 1048576u

struct drip {
	size_t taken;	/* bytes of the answer */
	bool takes;	/* some of it, now and then; else nothing */
	atomic_bool asked;
	atomic_bool over;	/* the reset, for the client */
};

/* All of it would take longer than a minute. */
static void
drip_take(struct drip *drip, int sock)
{
	char buf[128];
	ssize_t n = 1;

	while (n > 0 && !atomic_load(&drip->over)) {
		usleep(10000);
		n = drip->takes ? read(sock, buf, sizeof(buf)) : 1;
		drip->taken += drip->takes && n > 0 ? (size_t)n : 0;
	}
}

/* Asks for memory in the middle of a reset, on a second socket, and hardly takes it. */
static bool
answer_drip(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct vu_dma_access access = { .addr = 0, .count = LONG };
	struct drip *drip = stand->ctx;

	(void)payload;
	(void)len;
	if (hdr->cmd != VU_RESET)
		return stand_answer_twin(stand, hdr);
	stand_command(stand->twin, 1, VU_DMA_READ, &access, sizeof(access));
	atomic_store(&drip->asked, true);
	drip_take(drip, stand->twin);
	return true;
}

static void
test_answer_that_is_not_taken_keeps_nobody(void **state)
{
	struct drip drip = { .takes = true };
	struct stand stand = { .answer = answer_drip, .ctx = &drip, .timeout_ms = 200,
		.reset_timeout_ms = 200 };
	uint8_t *memory = calloc(1, LONG);

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0, LONG, memory, PROT_READ), 0);
	assert_true(rte_vfio_user_reset(stand.dev_id) < 0);
	atomic_store(&drip.over, true);
	stand_end(&stand);
	assert_true(drip.taken < LONG);
	free(memory);
}

static void *
reset_main(void *arg)
{
	struct stand *stand = arg;
	struct drip *drip = stand->ctx;
	int rc;

	rc = rte_vfio_user_reset(stand->dev_id);
	atomic_store(&drip->over, true);
	return (void *)(intptr_t)rc;
}

static void
test_detaching_ends_an_answer_that_is_not_taken(void **state)
{
	struct drip drip = { .takes = false };
	struct stand stand = { .answer = answer_drip, .ctx = &drip, .timeout_ms = LONG_MS };
	uint8_t *memory = calloc(1, LONG);
	uint64_t start;
	pthread_t thread;
	void *rc;

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0, LONG, memory, PROT_READ), 0);
	stand_thread_create(&thread, reset_main, &stand);
	while (!atomic_load(&drip.asked))
		usleep(1000);
	usleep(100000);
	start = now_ms();
	stand_end(&stand);
	pthread_join(thread, &rc);
	assert_int_equal((intptr_t)rc, -ENOTCONN);
	assert_true(now_ms() - start < SOON_MS);
	free(memory);
}

/* ------------------------------------- answers to the server that are taken in pieces ---- */

struct taker {
	atomic_bool go;	/* take the answer */
	atomic_size_t taken;
};

/* Asks for memory, answers the reset, and takes the memory when it is told to. */
static bool
answer_reset_and_take(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload,
	size_t len)
{
	const struct vu_dma_access access = { .addr = 0, .count = LONG };
	struct taker *taker = stand->ctx;
	static char buf[LONG];
	ssize_t n = 1;

	(void)payload;
	(void)len;
	if (hdr->cmd != VU_RESET)
		return false;
	stand_command(stand->sock, 1, VU_DMA_READ, &access, sizeof(access));
	stand_reply(stand, hdr, NULL, 0, NULL, 0);
	while (!atomic_load(&taker->go))
		usleep(1000);
	while (n > 0 && atomic_load(&taker->taken) < LONG) {
		n = read(stand->sock, buf, sizeof(buf));
		atomic_fetch_add(&taker->taken, n > 0 ? (size_t)n : 0);
	}
	return true;
}

static bool
taken_all(struct taker *taker)
{
	unsigned int ms;

	for (ms = 0; ms < SOON_MS && atomic_load(&taker->taken) < LONG; ms++)
		usleep(1000);
	return atomic_load(&taker->taken) >= LONG;
}

/* Nobody comes after the request that found the command, so it sees the answer to its end. */
static void
test_answer_to_the_server_is_sent_to_its_end(void **state)
{
	struct taker taker = { .go = true };
	struct stand stand = { .answer = answer_reset_and_take, .ctx = &taker };
	uint8_t *memory = calloc(1, LONG);

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0, LONG, memory, PROT_READ), 0);
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	assert_true(taken_all(&taker));
	stand_end(&stand);
	free(memory);
}

static bool
readable(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, timeout_ms) == 1;
}

/* Who has more to wait for is not kept, and is told when there is room for the rest. */
static void
test_answer_to_the_server_is_sent_as_events_come(void **state)
{
	struct taker taker = { .go = false };
	struct stand stand = { .answer = answer_reset_and_take, .ctx = &taker,
		.timeout_ms = LONG_MS };
	uint8_t *memory = calloc(1, LONG);
	uint64_t start = now_ms();
	int fd;

	(void)state;
	stand_start(&stand);
	fd = rte_vfio_user_event_fd(stand.dev_id);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0, LONG, memory, PROT_READ), 0);
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	assert_false(readable(fd, 20));
	assert_true(rte_vfio_user_serve(stand.dev_id, 0) >= 0);
	assert_true(now_ms() - start < SOON_MS);
	atomic_store(&taker.go, true);
	while (now_ms() - start < SOON_MS && atomic_load(&taker.taken) < LONG)
		if (readable(fd, 10))
			assert_true(rte_vfio_user_serve(stand.dev_id, 0) >= 0);
	assert_true(taken_all(&taker));
	assert_false(readable(fd, 0));
	stand_end(&stand);
	free(memory);
}

/* ----------------------------------------------- memory, while the server is slow ---- */

static void *
reset_thread(void *arg)
{
	struct stand *stand = arg;

	return (void *)(intptr_t)rte_vfio_user_reset(stand->dev_id);
}

/* Memory that must go is taken back, however long another thread waits for the server. */
static void
test_memory_is_told_of_while_another_thread_waits(void **state)
{
	struct sleeper sleeper = { .go = false };
	struct stand stand = { .answer = answer_reset_when_told, .ctx = &sleeper,
		.timeout_ms = 50, .reset_timeout_ms = LONG_MS };
	char memory[64];
	pthread_t thread;
	void *rc;

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0, 64, memory, PROT_READ), 0);
	stand_thread_create(&thread, reset_thread, &stand);
	while (!atomic_load(&sleeper.asked))
		usleep(1000);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 64, 64, memory, PROT_READ), 0);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0, 64, NULL, 0), 0);
	atomic_store(&sleeper.go, true);
	pthread_join(thread, &rc);
	assert_int_equal((intptr_t)rc, 0);
	stand_end(&stand);
}

/* ---------------------------------------------------------------------- sockets ---- */

static void
test_socket_is_taken_over_even_if_attaching_fails(void **state)
{
	struct rte_vfio_user_attach_options opt = { .size = sizeof(opt),
		.flags = RTE_VFIO_USER_ATTACH_F_SOCK_FD };
	int sock[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	opt.sock_fd = sock[0];
	assert_int_equal(rte_vfio_user_attach_dev_opt("", &opt), -EINVAL);
	assert_int_equal(fcntl(sock[0], F_GETFD), -1);
	opt.sock_fd = sock[1];
	opt.flags |= 0x8000;
	assert_int_equal(rte_vfio_user_attach_dev_opt("x", &opt), -EINVAL);
	assert_int_equal(close(sock[1]), 0);
}

static int
suite_setup(void **state)
{
	(void)state;
	rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_CRIT);
	return 0;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_reset_may_take_longer_than_a_request),
	cmocka_unit_test(test_reset_without_a_limit),
	cmocka_unit_test(test_reset_has_a_limit_of_its_own),
	cmocka_unit_test(test_many_maps_wait_no_longer_than_one),
	cmocka_unit_test(test_server_that_never_answers_is_given_up),
	cmocka_unit_test(test_memory_that_is_not_given_back_ends_the_connection),
	cmocka_unit_test(test_memory_that_was_not_mapped_does_not_end_the_connection),
	cmocka_unit_test(test_answer_that_is_not_taken_keeps_nobody),
	cmocka_unit_test(test_detaching_ends_an_answer_that_is_not_taken),
	cmocka_unit_test(test_answer_to_the_server_is_sent_to_its_end),
	cmocka_unit_test(test_answer_to_the_server_is_sent_as_events_come),
	cmocka_unit_test(test_memory_is_told_of_while_another_thread_waits),
	cmocka_unit_test(test_socket_is_taken_over_even_if_attaching_fails),
};

TEST_SUITE(vu_client_patience, "functional", tests, suite_setup, NULL)
