/* SPDX-License-Identifier: BSD-3-Clause */

/* Answers of a client to commands of the server, which takes them late, in pieces, or never. */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

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

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_answer_that_is_not_taken_keeps_nobody),
	cmocka_unit_test(test_detaching_ends_an_answer_that_is_not_taken),
	cmocka_unit_test(test_answer_to_the_server_is_sent_to_its_end),
	cmocka_unit_test(test_answer_to_the_server_is_sent_as_events_come),
};

TEST_SUITE(vu_client_answer, "functional", tests, stand_setup, stand_teardown)
