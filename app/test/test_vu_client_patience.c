/* SPDX-License-Identifier: BSD-3-Clause */

/* How long a client waits for servers that answer late or never. */

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "test.h"
#include "vu_stand.h"

#define LONG_MS 60000u	/* does not run out */

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

/* What a client asked for in the end. */
struct asked {
	atomic_uint maps, unmaps;
	atomic_bool go;
};

static bool
answer_no_map_but_unmaps(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload,
	size_t len)
{
	struct asked *asked = stand->ctx;

	(void)payload;
	(void)len;
	if (hdr->cmd == VU_DMA_UNMAP)
		atomic_fetch_add(&asked->unmaps, 1);
	return hdr->cmd == VU_DMA_MAP;
}

/* The server may have mapped it. */
static void
test_map_without_an_answer_is_taken_back(void **state)
{
	struct asked asked = { .unmaps = 0 };
	struct stand stand = { .answer = answer_no_map_but_unmaps, .ctx = &asked,
		.timeout_ms = 200 };
	struct rte_vfio_user_mem_reg mem[NB_MAPS];

	(void)state;
	maps_make(mem);
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, mem, NULL, 1), -ETIMEDOUT);
	assert_int_equal(atomic_load(&asked.unmaps), 1);
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	stand_end(&stand);
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
take_back_one(int dev_id)
{
	struct rte_vfio_user_mem_reg mem[NB_MAPS];

	maps_make(mem);
	return rte_vfio_user_dma_unmap(dev_id, mem, 1);
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
	int (*const calls[])(int) = { take_back, take_back_one,
		take_back_with_bitmap, rte_vfio_user_dma_unmap_all };
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
	assert_int_equal(take_back_one(stand.dev_id), -EINVAL);
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	stand_end(&stand);
}

/* --------------------------------------------------- no room for another request ---- */

/* So many callers of so many maps take all of it. */
#define CROWD 4u

static bool
answer_when_told(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	struct asked *asked = stand->ctx;

	(void)payload;
	(void)len;
	if (hdr->cmd != VU_DMA_MAP && hdr->cmd != VU_DMA_UNMAP)
		return false;
	atomic_fetch_add(hdr->cmd == VU_DMA_UNMAP ? &asked->unmaps : &asked->maps, 1);
	while (!atomic_load(&asked->go))
		usleep(1000);
	return false;
}

static void *
map_thread(void *arg)
{
	struct rte_vfio_user_mem_reg mem[NB_MAPS];
	struct stand *stand = arg;

	maps_make(mem);
	return (void *)(intptr_t)rte_vfio_user_dma_map(stand->dev_id, mem, NULL, NB_MAPS);
}

static void *
unmap_one_thread(void *arg)
{
	struct stand *stand = arg;

	return (void *)(intptr_t)take_back_one(stand->dev_id);
}

static void *
map_one_thread(void *arg)
{
	struct rte_vfio_user_mem_reg mem[NB_MAPS];
	struct stand *stand = arg;

	maps_make(mem);
	return (void *)(intptr_t)rte_vfio_user_dma_map(stand->dev_id, mem, NULL, 1);
}

static void
test_one_region_waits_for_room(void **state)
{
	struct asked asked = { .go = false };
	struct stand stand = { .answer = answer_when_told, .ctx = &asked, .timeout_ms = LONG_MS };
	void *(*const main[CROWD + 2])(void *) = { map_thread, map_thread, map_thread, map_thread,
		unmap_one_thread, map_one_thread };
	pthread_t threads[CROWD + 2];
	unsigned int i;
	void *rc;

	(void)state;
	stand_start(&stand);
	for (i = 0; i < RTE_DIM(threads); i++) {
		stand_thread_create(&threads[i], main[i], &stand);
		/* time to send what it can */
		usleep(20000);
	}
	atomic_store(&asked.go, true);
	for (i = 0; i < RTE_DIM(threads); i++) {
		pthread_join(threads[i], &rc);
		assert_int_equal((intptr_t)rc, 0);
	}
	assert_int_equal(atomic_load(&asked.unmaps), 1);
	assert_int_equal(atomic_load(&asked.maps), CROWD * NB_MAPS + 1);
	stand_end(&stand);
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

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_reset_may_take_longer_than_a_request),
	cmocka_unit_test(test_reset_without_a_limit),
	cmocka_unit_test(test_reset_has_a_limit_of_its_own),
	cmocka_unit_test(test_map_without_an_answer_is_taken_back),
	cmocka_unit_test(test_many_maps_wait_no_longer_than_one),
	cmocka_unit_test(test_server_that_never_answers_is_given_up),
	cmocka_unit_test(test_memory_that_is_not_given_back_ends_the_connection),
	cmocka_unit_test(test_memory_that_was_not_mapped_does_not_end_the_connection),
	cmocka_unit_test(test_one_region_waits_for_room),
	cmocka_unit_test(test_memory_is_told_of_while_another_thread_waits),
};

TEST_SUITE(vu_client_patience, "functional", tests, stand_setup, stand_teardown)
