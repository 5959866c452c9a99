/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "eal_command.h"
#include "interpose.h"
#include "memory_suite.h"
#include "test.h"

/* ---- failures ---- */

static void
test_growth_that_fails_leaves_all_as_it_was(void **state)
{
	const uint64_t calls = INTERPOSE_ONLY(FTRUNCATE) | INTERPOSE_ONLY(FALLOCATE) |
		INTERPOSE_ONLY(MADVISE) | INTERPOSE_ONLY(MMAP) | INTERPOSE_THIS_THREAD;
	char *keep = rte_malloc("test", 64, 0), *ptr;
	struct interpose_loop loop;
	size_t len = MIB;

	assert_non_null(keep);
	INTERPOSE_EACH_FAILURE(loop, calls, 0) {
		len += 4 * MIB;
		ptr = rte_malloc("test", len, 0);
		if (ptr == NULL)
			assert_int_equal(rte_errno, ENOMEM);
		else
			memset(ptr, 1, len);
		rte_free(ptr);
		interpose_disarm();
		assert_int_equal(rte_eal_get_physmem_size(), SEGMENT);
		assert_int_equal(rte_malloc_validate(keep, NULL), 0);
	}
	rte_free(keep);
}

/* ---- DMA mask ---- */

static void
test_a_dma_mask_that_memory_exceeds_is_refused(void **state)
{
	char *ptr = rte_malloc("test", 100, 0);
	unsigned int bits = 64 - __builtin_clzll((uintptr_t)ptr + SEGMENT);

	assert_int_equal(rte_mem_check_dma_mask(0), -1);
	assert_int_equal(rte_mem_check_dma_mask(64), -1);
	assert_int_equal(rte_mem_check_dma_mask(20), -1);
	assert_int_equal(rte_mem_check_dma_mask((uint8_t)bits), 0);
	assert_int_equal(rte_mem_check_dma_mask_thread_unsafe((uint8_t)bits), 0);
	assert_non_null(rte_malloc("test", SEGMENT, 0));
}

static void
test_memory_beyond_the_dma_mask_does_not_come(void **state)
{
	rte_mem_set_dma_mask(20);
	rte_mem_set_dma_mask(40);
	assert_null(rte_malloc("test", 100, 0));
	assert_int_equal(rte_errno, ENOMEM);
	assert_int_equal(rte_eal_get_physmem_size(), 0);
	rte_eal_cleanup();
	assert_true(eal_command_init("--no-pci --no-huge") >= 0);
	assert_non_null(rte_malloc("test", 100, 0));
}

static const struct CMUnitTest tests[] = {
	MEMORY_TEST(test_growth_that_fails_leaves_all_as_it_was),
	MEMORY_TEST(test_a_dma_mask_that_memory_exceeds_is_refused),
	MEMORY_TEST(test_memory_beyond_the_dma_mask_does_not_come),
};
TEST_SUITE(memory_limit, "functional", tests, NULL, NULL)
