/* SPDX-License-Identifier: BSD-3-Clause */

/* DMA_WRITE, from our server to our client: on a second socket, and on the one and only. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_pair_dma.h"

static void
test_all_lengths(void **state)
{
	static const uint32_t lengths[] = { 1, 2, 3, 4, 8, 4095, 65536, 1048576, 1048577, SIZE };
	uint8_t *memory = calloc(1, SIZE), *buf = calloc(1, SIZE);
	struct pair *pair = *state;
	uint32_t i, off;

	pair_dma_host(pair, GPA, SIZE, PAIR_RW, memory, PAIR_RW);
	pair_dma_fill(buf, SIZE);
	for (i = 0; i < RTE_DIM(lengths); i++) {
		off = SIZE - lengths[i];
		memset(memory, 0, SIZE);
		assert_int_equal(pair_dma_write(pair, GPA + off, buf, lengths[i]), 0);
		assert_memory_equal(memory + off, buf, lengths[i]);
	}
	assert_int_equal(pair_unmap(pair, GPA, SIZE), 0);
	assert_int_equal(pair_dma_write(pair, GPA, buf, 1), -EFAULT);
	free(memory);
	free(buf);
}

/* What the device may not do it does not ask for; what the client does not want it refuses. */
static void
test_protection(void **state)
{
	uint8_t byte = 0, memory[16] = { 0 };
	struct pair *pair = *state;

	pair_dma_host(pair, GPA, 16, PROT_READ, memory, PAIR_RW);
	assert_int_equal(pair_dma_write(pair, GPA, &byte, 1), -EACCES);
	pair_dma_host(pair, 2 * GPA, 16, PAIR_RW, memory, PROT_READ);
	assert_int_equal(pair_dma_write(pair, 2 * GPA, &byte, 1), -EACCES);
	/* nobody said where it is */
	assert_int_equal(pair_map(pair, 3 * GPA, 16, PAIR_RW, -1, 0), 0);
	assert_int_equal(pair_dma_write(pair, 3 * GPA, &byte, 1), -EFAULT);
}

static int
handler(int dev_id, uint64_t addr, void *buf, uint64_t len, bool write, void *ctx)
{
	uint8_t *memory = ctx;

	(void)dev_id;
	if (addr == GPA + 0x1000)
		return -ENOMEM;
	if (!write)
		return -EBADF;
	memcpy(memory + (addr - GPA), buf, len);
	return 0;
}

static void
test_handler_of_the_client(void **state)
{
	uint8_t memory[64], buf[64];
	struct pair *pair = *state;

	assert_int_equal(pair_map(pair, GPA, SIZE, PAIR_RW, -1, 0), 0);
	assert_int_equal(rte_vfio_user_set_dma_handler(pair->dev_id, handler, memory), 0);
	pair_dma_fill(buf, 64);
	memset(memory, 0, 64);
	assert_int_equal(pair_dma_write(pair, GPA, buf, 64), 0);
	assert_memory_equal(buf, memory, 64);
	assert_int_equal(pair_dma_write(pair, GPA + 0x1000, buf, 4), -ENOMEM);
	assert_int_equal(rte_vfio_user_set_dma_handler(pair->dev_id, NULL, NULL), 0);
	assert_int_equal(pair_dma_write(pair, GPA, buf, 4), -EFAULT);
}

static int
hook(struct served *served, uint64_t addr)
{
	uint8_t bytes[4] = "hook";

	return rte_vfio_user_dma_write(served->dev_id, addr, bytes, 4);
}

/* While the client waits for its access to a register. */
static void
test_in_the_middle_of_an_access(void **state)
{
	uint8_t memory[16] = { 0 };
	struct pair *pair = *state;

	pair->served.hook = hook;
	pair_dma_host(pair, GPA, 16, PAIR_RW, memory, PAIR_RW);
	assert_int_equal(pair_hook(pair, GPA + 4), 0);
	assert_int_equal(pair_hook(pair, GPA + 13), -EFAULT);
	assert_memory_equal(memory, "\0\0\0\0hook\0", 9);
}

/* Not every client could answer: the server does not try. */
static void
test_not_in_the_middle_of_an_access(void **state)
{
	uint8_t memory[16] = { 0 };
	struct pair *pair = *state;

	pair->served.hook = hook;
	pair_dma_host(pair, GPA, 16, PAIR_RW, memory, PAIR_RW);
	assert_int_equal(pair_hook(pair, GPA), -EDEADLK);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS(test_all_lengths),
	PAIR_TESTS(test_protection),
	PAIR_TESTS(test_handler_of_the_client),
	PAIR_TESTS(test_in_the_middle_of_an_access),
	PAIR_TESTS_HOW(test_all_lengths, &pair_dma_no_twin),
	PAIR_TESTS_HOW(test_protection, &pair_dma_no_twin),
	PAIR_TESTS_HOW(test_handler_of_the_client, &pair_dma_no_twin),
	PAIR_TESTS_HOW(test_not_in_the_middle_of_an_access, &pair_dma_no_twin),
};

TEST_SUITE(vu_pair_dma_write, "functional", tests, served_warm_up, NULL)
