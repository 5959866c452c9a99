/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "test.h"
#include "vu_stand.h"

#define NB_THREADS 12u
#define NB_ROUNDS 300u

/* ------------------------------------------------------------ answers in any order ---- */

#define SHUFFLE 8u

/* Requests that wait for their answer. */
struct shuffle {
	unsigned int nb;
	struct {
		struct vu_hdr hdr;
		struct vu_region_access access;
	} kept[SHUFFLE];
	atomic_bool straight;	/* answer at once */
};

static void
shuffle_answer(struct stand *stand, struct shuffle *shuffle, unsigned int i)
{
	struct {
		struct vu_region_access access;
		uint64_t data;
	} reply = { .access = shuffle->kept[i].access };

	/* the data tell who asked */
	reply.data = ~reply.access.offset;
	stand_reply(stand, &shuffle->kept[i].hdr, &reply, sizeof(reply), NULL, 0);
	shuffle->kept[i] = shuffle->kept[--shuffle->nb];
}

/* Keeps what it can, and answers what it has in an order of its own. */
static bool
answer_shuffled(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	struct shuffle *shuffle = stand->ctx;

	(void)len;
	if (hdr->cmd != VU_REGION_READ)
		return false;
	shuffle->kept[shuffle->nb].hdr = *hdr;
	memcpy(&shuffle->kept[shuffle->nb].access, payload, sizeof(struct vu_region_access));
	shuffle->nb++;
	while (shuffle->nb > 0 && (shuffle->nb == SHUFFLE || atomic_load(&shuffle->straight)))
		shuffle_answer(stand, shuffle, (hdr->id * 7u) % shuffle->nb);
	return true;
}

struct reader {
	pthread_t thread;
	struct stand *stand;
	struct shuffle *shuffle;
	uint64_t base;
	atomic_uint *running;
	unsigned int wrong;
	int rc;
};

static void *
reader_run(void *arg)
{
	struct reader *reader = arg;
	uint64_t data = 0;
	unsigned int i;

	for (i = 0; i < NB_ROUNDS && reader->rc == 0; i++) {
		reader->rc = rte_vfio_user_region_read(reader->stand->dev_id, 0, reader->base + i,
				sizeof(data), &data);
		reader->wrong += data != ~(reader->base + i);
	}
	/* fewer than the server waits for are left */
	if (atomic_fetch_sub(reader->running, 1) <= SHUFFLE) {
		atomic_store(&reader->shuffle->straight, true);
		rte_vfio_user_region_read(reader->stand->dev_id, 0, 0, sizeof(data), &data);
	}
	return NULL;
}

static void
test_each_thread_gets_its_answer_in_whatever_order_they_come(void **state)
{
	struct shuffle shuffle = { .nb = 0 };
	struct stand stand = { .answer = answer_shuffled, .ctx = &shuffle, .timeout_ms = 20000 };
	struct reader readers[NB_THREADS] = { { .rc = 0 } };
	atomic_uint running = NB_THREADS;
	unsigned int i;

	(void)state;
	stand_start(&stand);
	for (i = 0; i < NB_THREADS; i++) {
		readers[i].stand = &stand;
		readers[i].shuffle = &shuffle;
		readers[i].base = (uint64_t)i << 32;
		readers[i].running = &running;
		stand_thread_create(&readers[i].thread, reader_run, &readers[i]);
	}
	for (i = 0; i < NB_THREADS; i++) {
		pthread_join(readers[i].thread, NULL);
		assert_int_equal(readers[i].rc, 0);
		assert_int_equal(readers[i].wrong, 0);
	}
	stand_end(&stand);
}

/* ------------------------------------------------------------------- the server dies ---- */

static bool
answer_never(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	(void)payload;
	(void)len;
	/* all of them wait */
	if (hdr->cmd == VU_RESET && atomic_load(&stand->nb_log) == NB_THREADS)
		stand_hang_up(stand);
	return hdr->cmd == VU_RESET;
}

static void *
reset_run(void *arg)
{
	struct reader *reader = arg;

	reader->rc = rte_vfio_user_reset(reader->stand->dev_id);
	return NULL;
}

static void
start_resets(struct stand *stand, struct reader *readers)
{
	unsigned int i;

	for (i = 0; i < NB_THREADS; i++) {
		readers[i].stand = stand;
		stand_thread_create(&readers[i].thread, reset_run, &readers[i]);
	}
}

static void
end_resets(const struct reader *readers, int rc)
{
	unsigned int i;

	for (i = 0; i < NB_THREADS; i++) {
		pthread_join(readers[i].thread, NULL);
		assert_int_equal(readers[i].rc, rc);
	}
}

static void
test_all_that_wait_are_told_when_the_server_dies(void **state)
{
	struct stand stand = { .answer = answer_never, .timeout_ms = 60000 };
	struct reader readers[NB_THREADS] = { { .rc = 0 } };

	(void)state;
	stand_start(&stand);
	start_resets(&stand, readers);
	end_resets(readers, -ENOTCONN);
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), -ENOTCONN);
	stand_end(&stand);
}

static bool
answer_silence(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	(void)stand;
	(void)payload;
	(void)len;
	return hdr->cmd == VU_RESET;
}

static void
test_detaching_ends_what_waits(void **state)
{
	struct stand stand = { .answer = answer_silence, .timeout_ms = 60000 };
	struct reader readers[NB_THREADS] = { { .rc = 0 } };

	(void)state;
	stand_start(&stand);
	start_resets(&stand, readers);
	while (atomic_load(&stand.nb_log) < NB_THREADS)
		usleep(1000);
	stand_end(&stand);
	end_resets(readers, -ENOTCONN);
}

static void
test_all_that_wait_time_out(void **state)
{
	struct stand stand = { .answer = answer_silence, .timeout_ms = 100,
		.reset_timeout_ms = 100 };
	struct reader readers[NB_THREADS] = { { .rc = 0 } };

	(void)state;
	stand_start(&stand);
	start_resets(&stand, readers);
	end_resets(readers, -ETIMEDOUT);
	stand_end(&stand);
}

/* ------------------------------------------------------------------------ everything ---- */

static atomic_uint nb_commands;

static int
count_handler(int dev_id, uint64_t addr, void *buf, uint64_t len, bool write, void *ctx)
{
	(void)dev_id;
	(void)addr;
	(void)ctx;
	if (!write)
		memset(buf, 0x5a, len);
	atomic_fetch_add(&nb_commands, 1);
	return 0;
}

/* A command before each fourth answer, whose reply is recognised and dropped. */
static bool
answer_busy(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct vu_dma_access access = { .addr = hdr->id, .count = 5000 };

	(void)payload;
	(void)len;
	if (hdr->flags & VU_F_TYPE_REPLY)
		return true;
	if (hdr->id % 4 == 0)
		stand_command(stand->sock, hdr->id, VU_DMA_READ, &access, sizeof(access));
	return false;
}

static int
mixed_round(int dev_id, unsigned int i, uint8_t *data)
{
	struct rte_vfio_user_mem_reg mem[5];
	unsigned int k;

	switch (i % 4) {
	case 0:
		return rte_vfio_user_region_read(dev_id, 0, i, 20000, data);
	case 1:
		return rte_vfio_user_region_write(dev_id, 0, i, 30000, data);
	case 2:
		return rte_vfio_user_region_post(dev_id, 0, i, 8, data);
	default:
		for (k = 0; k < RTE_DIM(mem); k++)
			mem[k] = (struct rte_vfio_user_mem_reg) { .gpa = k, .size = 1,
				.protection = PROT_READ };
		return rte_vfio_user_dma_map(dev_id, mem, NULL, RTE_DIM(mem));
	}
}

static void *
mixed_run(void *arg)
{
	struct reader *reader = arg;
	uint8_t *data = calloc(1, 30000);
	unsigned int i;

	for (i = 0; i < NB_ROUNDS / 2 && reader->rc == 0; i++)
		reader->rc = mixed_round(reader->stand->dev_id, i, data);
	free(data);
	return NULL;
}

static void
test_requests_of_all_kinds_and_commands_at_once(void **state)
{
	struct stand stand = { .answer = answer_busy, .timeout_ms = 30000,
		.json = "{\"capabilities\":{\"max_msg_fds\":8,\"max_dma_maps\":65535}}" };
	struct reader readers[NB_THREADS] = { { .rc = 0 } };
	unsigned int i;

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_set_dma_handler(stand.dev_id, count_handler, NULL), 0);
	for (i = 0; i < NB_THREADS; i++) {
		readers[i].stand = &stand;
		stand_thread_create(&readers[i].thread, mixed_run, &readers[i]);
	}
	for (i = 0; i < NB_THREADS; i++) {
		pthread_join(readers[i].thread, NULL);
		assert_int_equal(readers[i].rc, 0);
	}
	assert_true(atomic_load(&nb_commands) > 0);
	stand_end(&stand);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_each_thread_gets_its_answer_in_whatever_order_they_come),
	cmocka_unit_test(test_all_that_wait_are_told_when_the_server_dies),
	cmocka_unit_test(test_detaching_ends_what_waits),
	cmocka_unit_test(test_all_that_wait_time_out),
	cmocka_unit_test(test_requests_of_all_kinds_and_commands_at_once),
};

TEST_SUITE(vu_client_threads, "functional", tests, stand_setup, stand_teardown)
