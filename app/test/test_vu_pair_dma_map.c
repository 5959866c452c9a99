/* SPDX-License-Identifier: BSD-3-Clause */

/* DMA_MAP, from our client to our server. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_pair.h"

#define NB 300u

static void
test_memory_is_shared_both_ways(void **state)
{
	struct pair *pair = *state;
	int fd = peer_memory(4 * PAIR_PAGE);
	char got[4] = "";

	assert_int_equal(pair_map(pair, 0x10000, 2 * PAIR_PAGE, PAIR_RW, fd, 2 * PAIR_PAGE), 0);
	close(fd);
	assert_int_equal(pair->served.update_status, 1);
	assert_int_equal(rte_vfio_user_dma_write(pair->served.dev_id, 0x10ffe, "abcd", 4), 0);
	assert_int_equal(rte_vfio_user_dma_read(pair->served.dev_id, 0x10ffe, got, 4), 0);
	assert_memory_equal(got, "abcd", 4);
	assert_int_equal(rte_vfio_user_dma_read(pair->served.dev_id, 0x11ffe, got, 4), -EFAULT);
}

static void
test_offset_in_the_file(void **state)
{
	struct pair *pair = *state;
	int fd = peer_memory(4 * PAIR_PAGE);
	char got[4] = "";

	assert_int_equal(pwrite(fd, "here", 4, 2 * PAIR_PAGE + 100), 4);
	/* offsets need not be aligned */
	assert_int_equal(pair_map(pair, 0, PAIR_PAGE, PAIR_RW, fd, 2 * PAIR_PAGE + 50), 0);
	assert_int_equal(rte_vfio_user_dma_read(pair->served.dev_id, 50, got, 4), 0);
	assert_memory_equal(got, "here", 4);
	assert_int_equal(rte_vfio_user_dma_write(pair->served.dev_id, PAIR_PAGE - 4, "last", 4), 0);
	assert_int_equal(pread(fd, got, 4, 3 * PAIR_PAGE + 46), 4);
	assert_memory_equal(got, "last", 4);
	close(fd);
}

static void
test_protection(void **state)
{
	struct pair *pair = *state;
	int fd = peer_memory(PAIR_PAGE);
	char byte = 1;

	assert_int_equal(pair_map(pair, 0, PAIR_PAGE, PROT_READ, fd, 0), 0);
	assert_int_equal(pair_map(pair, 0x10000, PAIR_PAGE, PROT_WRITE, fd, 0), 0);
	assert_int_equal(rte_vfio_user_dma_read(pair->served.dev_id, 0, &byte, 1), 0);
	assert_int_equal(rte_vfio_user_dma_write(pair->served.dev_id, 0, &byte, 1), -EACCES);
	assert_int_equal(rte_vfio_user_dma_read(pair->served.dev_id, 0x10000, &byte, 1), -EACCES);
	assert_int_equal(rte_vfio_user_dma_write(pair->served.dev_id, 0x10000, &byte, 1), 0);
	close(fd);
}

static void
test_maps_that_are_refused(void **state)
{
	struct pair *pair = *state;
	int fd = peer_memory(2 * PAIR_PAGE), pipes[2];

	assert_int_equal(pair_map(pair, PAIR_PAGE, PAIR_PAGE, PAIR_RW, fd, 0), 0);
	assert_int_equal(pair_map(pair, PAIR_PAGE, PAIR_PAGE, PAIR_RW, fd, 0), -EEXIST);
	assert_int_equal(pair_map(pair, 0, PAIR_PAGE + 1, PAIR_RW, -1, 0), -EEXIST);
	assert_int_equal(pair_map(pair, 2 * PAIR_PAGE - 1, 1, PAIR_RW, -1, 0), -EEXIST);
	assert_int_equal(pair_map(pair, 0x10000, 3 * PAIR_PAGE, PAIR_RW, fd, 0), -EINVAL);
	assert_int_equal(pair_map(pair, 0x10000, PAIR_PAGE, PAIR_RW, fd, 2 * PAIR_PAGE), -EINVAL);
	assert_int_equal(pair_map(pair, 0x10000, 0, PAIR_RW, fd, 0), -EINVAL);
	assert_int_equal(pair_map(pair, UINT64_MAX, 2, PAIR_RW, -1, 0), -EINVAL);
	assert_int_equal(pair_map(pair, 0x10000, PAIR_PAGE, 0, fd, 0), -EINVAL);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(pair_map(pair, 0x10000, PAIR_PAGE, PAIR_RW, pipes[0], 0), -EINVAL);
	atomic_store(&pair->served.refuse_lock, -EAGAIN);
	assert_int_equal(pair_map(pair, 0x10000, PAIR_PAGE, PAIR_RW, fd, 0), -EAGAIN);
	atomic_store(&pair->served.refuse_lock, 0);
	/* the last byte of all */
	assert_int_equal(pair_map(pair, UINT64_MAX, 1, PAIR_RW, -1, 0), 0);
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

static void
test_many_at_a_time(void **state)
{
	struct rte_vfio_user_mem_reg *mem = calloc(NB, sizeof(*mem));
	struct pair *pair = *state;
	int fds[NB];
	int fd = peer_memory(NB * PAIR_PAGE);
	uint32_t i, value;

	for (i = 0; i < NB; i++) {
		fds[i] = i % 3 == 0 ? -1 : fd;
		mem[i] = (struct rte_vfio_user_mem_reg) { .gpa = i * 0x10000ull,
			.size = PAIR_PAGE, .fd_offset = i * PAIR_PAGE, .protection = PAIR_RW,
			.flags = RTE_VUSER_MEM_MAPPABLE };
		assert_int_equal(pwrite(fd, &i, 4, i * PAIR_PAGE), 4);
	}
	assert_int_equal(rte_vfio_user_dma_map(pair->dev_id, mem, fds, NB), 0);
	/* each has the descriptor that was sent with it */
	for (i = 0; i < NB; i++) {
		if (fds[i] < 0)
			continue;
		assert_int_equal(rte_vfio_user_dma_read(pair->served.dev_id, mem[i].gpa, &value, 4),
			0);
		assert_int_equal(value, i);
	}
	/* all or nothing */
	mem[0].gpa = NB * 0x10000ull;
	assert_int_equal(rte_vfio_user_dma_map(pair->dev_id, mem, fds, NB), -EEXIST);
	assert_int_equal(served_nb_regions(&pair->served), NB);
	free(mem);
	close(fd);
}

/* The server refuses one, and another one cannot even be sent: those between them go, too. */
static void
test_two_that_fail_leave_nothing(void **state)
{
	struct rte_vfio_user_mem_reg mem[] = {
		{ .gpa = 0, .size = 4 * PAIR_PAGE },
		{ .gpa = 2 * PAIR_PAGE, .size = 4 * PAIR_PAGE },
		{ .gpa = 8 * PAIR_PAGE, .size = PAIR_PAGE },
		{ .gpa = 9 * PAIR_PAGE, .size = PAIR_PAGE, .flags = RTE_VUSER_MEM_MAPPABLE },
	};
	int fds[] = { -1, -1, -1, 1 << 20 };
	struct pair *pair = *state;
	size_t i;

	for (i = 0; i < RTE_DIM(mem); i++)
		mem[i].protection = PAIR_RW;
	assert_int_equal(rte_vfio_user_dma_map(pair->dev_id, mem, fds, RTE_DIM(mem)), -EEXIST);
	assert_int_equal(served_nb_regions(&pair->served), 0);
}

static struct pair_how few = { .server = { .max_dma_maps = 2 } };

static void
test_limit_of_regions(void **state)
{
	struct pair *pair = *state;

	assert_int_equal(pair_map(pair, 0, PAIR_PAGE, PAIR_RW, -1, 0), 0);
	assert_int_equal(pair_map(pair, PAIR_PAGE, PAIR_PAGE, PAIR_RW, -1, 0), 0);
	assert_int_equal(pair_map(pair, 2 * PAIR_PAGE, PAIR_PAGE, PAIR_RW, -1, 0), -ENOSPC);
	assert_int_equal(pair_unmap(pair, 0, PAIR_PAGE), 0);
	assert_int_equal(pair_map(pair, 2 * PAIR_PAGE, PAIR_PAGE, PAIR_RW, -1, 0), 0);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS(test_memory_is_shared_both_ways),
	PAIR_TESTS(test_offset_in_the_file),
	PAIR_TESTS(test_protection),
	PAIR_TESTS(test_maps_that_are_refused),
	PAIR_TESTS(test_many_at_a_time),
	PAIR_TESTS(test_two_that_fail_leave_nothing),
	PAIR_TESTS_HOW(test_limit_of_regions, &few),
};

TEST_SUITE(vu_pair_dma_map, "functional", tests, served_warm_up, NULL)
