/* SPDX-License-Identifier: BSD-3-Clause */

/* DMA_MAP_MULTI, from our client to our server. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_pair.h"

#define NB 200u
#define AT(i_) ((i_) * 0x10000ull)

/* Regions, each a page of one of two files, which says its number there, and there only. */
struct maps {
	struct rte_vfio_user_mem_reg mem[NB];
	int fds[NB];
	int files[2];
};

static void
maps_make(struct maps *maps)
{
	uint32_t i;

	maps->files[0] = peer_memory(NB * PAIR_PAGE);
	maps->files[1] = peer_memory(NB * PAIR_PAGE);
	for (i = 0; i < NB; i++) {
		maps->fds[i] = maps->files[i % 2];
		maps->mem[i] = (struct rte_vfio_user_mem_reg) { .gpa = AT(i), .size = PAIR_PAGE,
			.fd_offset = i * PAIR_PAGE, .protection = PAIR_RW,
			.flags = RTE_VUSER_MEM_MAPPABLE };
		assert_int_equal(pwrite(maps->fds[i], &i, 4, i * PAIR_PAGE), 4);
	}
}

static void
maps_end(struct maps *maps)
{
	close(maps->files[0]);
	close(maps->files[1]);
}

static void
assert_mapped(const struct pair *pair, uint32_t nb)
{
	uint32_t i, value;

	for (i = 0; i < nb; i++) {
		assert_int_equal(rte_vfio_user_dma_read(pair->served.dev_id, AT(i), &value, 4), 0);
		assert_int_equal(value, i);
	}
	assert_int_equal(served_nb_regions(&pair->served), nb);
}

/* The device is told of each message once. */
static void
assert_messages(struct pair *pair, struct maps *maps, int messages)
{
	int before = pair->served.update_status, locks = pair->served.locks;

	assert_int_equal(rte_vfio_user_dma_map(pair->dev_id, maps->mem, maps->fds, NB), 0);
	assert_int_equal(pair->served.update_status - before, messages);
	assert_int_equal(pair->served.locks - locks, messages);
	assert_mapped(pair, NB);
	assert_int_equal(rte_vfio_user_dma_unmap(pair->dev_id, maps->mem, NB), 0);
	maps_end(maps);
}

static void
test_each_region_has_its_descriptor(void **state)
{
	struct maps maps;

	maps_make(&maps);
	/* of 16 descriptors, what a server takes that is not told otherwise */
	assert_messages(*state, &maps, 13);
}

static struct pair_how one_fd = { .server = { .max_msg_fds = 1 } };

static void
test_server_that_takes_one_descriptor_gets_one(void **state)
{
	struct maps maps;

	maps_make(&maps);
	assert_messages(*state, &maps, NB);
}

static struct pair_how most_fds = { .server = { .max_msg_fds = 253 } };

static void
test_no_more_than_64_are_under_way(void **state)
{
	struct maps maps;

	maps_make(&maps);
	assert_messages(*state, &maps, 4);
}

static void
test_regions_without_descriptor_go_alone(void **state)
{
	struct pair *pair = *state;
	struct maps maps;
	uint32_t value;

	maps_make(&maps);
	maps.mem[100].flags = 0;
	assert_int_equal(rte_vfio_user_dma_map(pair->dev_id, maps.mem, maps.fds, NB), 0);
	assert_int_equal(pair->served.update_status, NB);
	assert_int_equal(rte_vfio_user_dma_read(pair->served.dev_id, AT(99), &value, 4), 0);
	assert_int_equal(value, 99);
	maps_end(&maps);
}

/* Also what had been there before stays, although the same range is asked for. */
static void
test_one_that_fails_undoes_all(void **state)
{
	static const uint32_t nth[] = { 0, 1, 15, 16, 17, 63, 64, 100, NB - 1 };
	struct pair *pair = *state;
	struct maps maps;
	uint32_t i;

	maps_make(&maps);
	for (i = 0; i < RTE_DIM(nth); i++) {
		assert_int_equal(pair_map(pair, AT(nth[i]), PAIR_PAGE, PAIR_RW, maps.fds[0], 0), 0);
		assert_int_equal(rte_vfio_user_dma_map(pair->dev_id, maps.mem, maps.fds, NB),
			-EEXIST);
		assert_int_equal(served_nb_regions(&pair->served), 1);
		assert_int_equal(pair_unmap(pair, AT(nth[i]), PAIR_PAGE), 0);
	}
	assert_int_equal(rte_vfio_user_dma_map(pair->dev_id, maps.mem, maps.fds, NB), 0);
	assert_mapped(pair, NB);
	maps_end(&maps);
}

static void
test_descriptor_of_the_wrong_kind(void **state)
{
	struct pair *pair = *state;
	struct maps maps;
	int pipes[2];

	maps_make(&maps);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	maps.fds[20] = pipes[0];
	assert_int_equal(rte_vfio_user_dma_map(pair->dev_id, maps.mem, maps.fds, NB), -EINVAL);
	assert_int_equal(served_nb_regions(&pair->served), 0);
	close(pipes[0]);
	close(pipes[1]);
	maps_end(&maps);
}

static void
test_device_that_cannot_now(void **state)
{
	struct pair *pair = *state;
	struct maps maps;

	maps_make(&maps);
	atomic_store(&pair->served.refuse_lock, -EAGAIN);
	assert_int_equal(rte_vfio_user_dma_map(pair->dev_id, maps.mem, maps.fds, NB), -EAGAIN);
	atomic_store(&pair->served.refuse_lock, 0);
	assert_int_equal(pair->served.update_status, 0);
	assert_int_equal(served_nb_regions(&pair->served), 0);
	maps_end(&maps);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS(test_each_region_has_its_descriptor),
	PAIR_TESTS_HOW(test_server_that_takes_one_descriptor_gets_one, &one_fd),
	PAIR_TESTS_HOW(test_no_more_than_64_are_under_way, &most_fds),
	PAIR_TESTS(test_regions_without_descriptor_go_alone),
	PAIR_TESTS(test_one_that_fails_undoes_all),
	PAIR_TESTS(test_descriptor_of_the_wrong_kind),
	PAIR_TESTS(test_device_that_cannot_now),
};

TEST_SUITE(vu_pair_dma_map_multi, "functional", tests, served_warm_up, NULL)
