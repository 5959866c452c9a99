/* SPDX-License-Identifier: BSD-3-Clause */

/* DMA_UNMAP, from our client to our server. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vu_pair.h"

static void
test_region_is_gone(void **state)
{
	struct pair *pair = *state;
	int fd = peer_memory(PAIR_PAGE);
	char byte;

	assert_int_equal(pair_map(pair, 0, PAIR_PAGE, PAIR_RW, fd, 0), 0);
	assert_int_equal(rte_vfio_user_dma_read(pair->served.dev_id, 0, &byte, 1), 0);
	assert_int_equal(pair_unmap(pair, 0, PAIR_PAGE), 0);
	assert_int_equal(pair->served.update_status, 2);
	assert_int_equal(rte_vfio_user_dma_read(pair->served.dev_id, 0, &byte, 1), -EFAULT);
	assert_int_equal(pair_map(pair, 0, PAIR_PAGE, PAIR_RW, fd, 0), 0);
	close(fd);
}

static void
test_parts_are_refused_and_nothing_is_not(void **state)
{
	struct pair *pair = *state;

	assert_int_equal(pair_map(pair, PAIR_PAGE, 2 * PAIR_PAGE, PAIR_RW, -1, 0), 0);
	assert_int_equal(pair_map(pair, 8 * PAIR_PAGE, PAIR_PAGE, PAIR_RW, -1, 0), 0);
	assert_int_equal(pair_unmap(pair, PAIR_PAGE, PAIR_PAGE), -ENOENT);
	assert_int_equal(pair_unmap(pair, 2 * PAIR_PAGE, PAIR_PAGE), -ENOENT);
	assert_int_equal(pair_unmap(pair, 0, 2 * PAIR_PAGE), -ENOENT);
	assert_int_equal(pair_unmap(pair, 0, 0), -EINVAL);
	assert_int_equal(pair_unmap(pair, UINT64_MAX, 2), -EINVAL);
	assert_int_equal(served_nb_regions(&pair->served), 2);
	assert_int_equal(pair_unmap(pair, 0x100000, PAIR_PAGE), 0);
	atomic_store(&pair->served.refuse_lock, -EAGAIN);
	assert_int_equal(pair_unmap(pair, PAIR_PAGE, 2 * PAIR_PAGE), -EAGAIN);
	atomic_store(&pair->served.refuse_lock, 0);
	assert_int_equal(served_nb_regions(&pair->served), 2);
	/* as the kernel's: whole regions in a range that is larger */
	assert_int_equal(pair_unmap(pair, 0, 0x100000), 0);
	assert_int_equal(served_nb_regions(&pair->served), 0);
}

static void
test_every_region_is_tried(void **state)
{
	struct rte_vfio_user_mem_reg mem[] = {
		{ .gpa = 0, .size = PAIR_PAGE },
		{ .gpa = 0x10000, .size = 1 },
		{ .gpa = 0x20000, .size = PAIR_PAGE },
	};
	struct pair *pair = *state;
	int i;

	for (i = 0; i < 3; i++)
		assert_int_equal(pair_map(pair, mem[i].gpa, PAIR_PAGE, PAIR_RW, -1, 0), 0);
	assert_int_equal(rte_vfio_user_dma_unmap(pair->dev_id, mem, 3), -ENOENT);
	assert_int_equal(served_nb_regions(&pair->served), 1);
}

static void
test_all_at_once(void **state)
{
	struct pair *pair = *state;
	int i;

	assert_int_equal(rte_vfio_user_dma_unmap_all(pair->dev_id), 0);
	for (i = 0; i < 100; i++)
		assert_int_equal(pair_map(pair, i * 0x10000ull, PAIR_PAGE, PAIR_RW, -1, 0), 0);
	assert_int_equal(served_nb_regions(&pair->served), 100);
	assert_int_equal(rte_vfio_user_dma_unmap_all(pair->dev_id), 0);
	assert_int_equal(served_nb_regions(&pair->served), 0);
}

static void
test_dirty_pages_come_with_the_end(void **state)
{
	struct {
		struct vfio_device_feature head;
		uint64_t data[2];
	} start = { .head = { 24, VFIO_DEVICE_FEATURE_SET |
		VFIO_DEVICE_FEATURE_DMA_LOGGING_START }, .data = { PAIR_PAGE } };
	const uint64_t size = 128 * PAIR_PAGE;
	struct pair *pair = *state;
	uint64_t bitmap[2] = { 7, 7 };
	int fd = peer_memory(size);

	assert_int_equal(pair_map(pair, 0, size, PAIR_RW, fd, 0), 0);
	/* nobody tracks */
	assert_int_equal(rte_vfio_user_dma_unmap_dirty(pair->dev_id, 0, size, PAIR_PAGE, bitmap,
		16), -EINVAL);
	assert_int_equal(rte_vfio_user_feature(pair->dev_id, &start.head, 24), 24);
	assert_int_equal(rte_vfio_user_dma_write(pair->served.dev_id, 3 * PAIR_PAGE - 1, "ab", 2),
		0);
	assert_int_equal(rte_vfio_user_dma_write(pair->served.dev_id, size - 1, "c", 1), 0);
	assert_int_equal(rte_vfio_user_dma_unmap_dirty(pair->dev_id, 0, size, PAIR_PAGE, bitmap,
		8), -EINVAL);
	assert_int_equal(rte_vfio_user_dma_unmap_dirty(pair->dev_id, 0, size, 3, bitmap, 16),
		-EINVAL);
	assert_int_equal(rte_vfio_user_dma_unmap_dirty(pair->dev_id, PAIR_PAGE, size - PAIR_PAGE,
		PAIR_PAGE, bitmap, 16), -ENOENT);
	assert_int_equal(rte_vfio_user_dma_unmap_dirty(pair->dev_id, 0, size, PAIR_PAGE, bitmap,
		16), 0);
	assert_int_equal(bitmap[0], 0xc);
	assert_true(bitmap[1] == UINT64_C(1) << 63);
	assert_int_equal(served_nb_regions(&pair->served), 0);
	close(fd);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS(test_region_is_gone),
	PAIR_TESTS(test_parts_are_refused_and_nothing_is_not),
	PAIR_TESTS(test_every_region_is_tried),
	PAIR_TESTS(test_all_at_once),
	PAIR_TESTS(test_dirty_pages_come_with_the_end),
};

TEST_SUITE(vu_pair_dma_unmap, "functional", tests, served_warm_up, NULL)
