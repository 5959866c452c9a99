/* SPDX-License-Identifier: BSD-3-Clause */

/* Pages of the client's memory that the device writes to, as the table of DMA reports them. */

#include <errno.h>

#include "interpose.h"
#include "test.h"
#include "vu_dma_table.h"

#include "../../lib/vfio_user/vu_dirty.h"

static void
test_pages_written_are_reported_once(void **state)
{
	uint64_t bitmap = 0;

	(void)state;
	assert_int_equal(vu_dma_map(&dma, 0x10000, 16 * PAGE, RW, dma_file(16 * PAGE), 0), 0);
	vu_dma_dirty_mark(&dma, 0x10000, 1);
	assert_int_equal(vu_dma_dirty_report(&dma, 0x10000, 16 * PAGE, PAGE, &bitmap, 8), -ENOTSUP);
	assert_int_equal(vu_dma_dirty_track(&dma, PAGE), 0);
	vu_dma_dirty_mark(&dma, 0x10000 + 2 * PAGE - 1, 2);
	vu_dma_dirty_mark(&dma, 0x10000 + 15 * PAGE, 1);
	assert_int_equal(vu_dma_dirty_report(&dma, 0x10000, 16 * PAGE, PAGE, &bitmap, 8), 0);
	assert_int_equal(bitmap, 0x8006);
	assert_int_equal(vu_dma_dirty_report(&dma, 0x10000, 16 * PAGE, PAGE, &bitmap, 8), 0);
	assert_int_equal(bitmap, 0);
	assert_int_equal(vu_dma_dirty_track(&dma, 0), 0);
}

static void
test_reports_may_have_pages_of_another_size(void **state)
{
	uint64_t bitmap = 0;

	(void)state;
	assert_int_equal(vu_dma_map(&dma, 0, 64 * PAGE, RW, dma_file(64 * PAGE), 0), 0);
	assert_int_equal(vu_dma_map(&dma, 64 * PAGE, 64 * PAGE, RW,
		dma_file(64 * PAGE), 0), 0);
	assert_int_equal(vu_dma_dirty_track(&dma, PAGE), 0);
	vu_dma_dirty_mark(&dma, 63 * PAGE, 2 * PAGE);
	assert_int_equal(vu_dma_dirty_report(&dma, 0, 128 * PAGE, 2 * PAGE, &bitmap, 8), 0);
	assert_int_equal(bitmap, UINT64_C(3) << 31);
	vu_dma_dirty_mark(&dma, PAGE, 1);
	assert_int_equal(vu_dma_dirty_report(&dma, 0, 4 * PAGE, PAGE / 4, &bitmap, 8), 0);
	assert_int_equal(bitmap, 0xf0);
	assert_int_equal(vu_dma_dirty_track(&dma, 0), 0);
}

static void
test_reports_that_make_no_sense_are_refused(void **state)
{
	uint64_t bitmap[2];

	(void)state;
	assert_int_equal(vu_dma_map(&dma, 0, PAGE, RW, -1, 0), 0);
	assert_int_equal(vu_dma_dirty_track(&dma, 3), -EINVAL);
	assert_int_equal(vu_dma_dirty_track(&dma, PAGE), 0);
	assert_int_equal(vu_dma_dirty_report(&dma, 0, PAGE, PAGE, bitmap, 16), -EINVAL);
	assert_int_equal(vu_dma_dirty_report(&dma, 0, PAGE, PAGE, bitmap, 0), -EINVAL);
	assert_int_equal(vu_dma_dirty_report(&dma, 0, PAGE, 0, bitmap, 8), -EINVAL);
	assert_int_equal(vu_dma_dirty_report(&dma, 0, PAGE, 3, bitmap, 8), -EINVAL);
	assert_int_equal(vu_dma_dirty_report(&dma, UINT64_MAX, 2, PAGE, bitmap, 8), -EINVAL);
	assert_int_equal(vu_dma_dirty_report(&dma, PAGE, PAGE, PAGE, bitmap, 8), -ENOENT);
	assert_int_equal(vu_dma_dirty_track(&dma, 0), 0);
}

/* Else the next client finds it on. */
static void
test_tracking_ends_without_memory(void **state)
{
	uint64_t bitmap[1];

	(void)state;
	assert_int_equal(vu_dma_map(&dma, 0, PAGE, RW, dma_file(PAGE), 0), 0);
	assert_int_equal(vu_dma_dirty_track(&dma, PAGE), 0);
	interpose_fail(INTERPOSE_ONLY(ALLOC), 1, ENOMEM);
	assert_int_equal(vu_dma_dirty_track(&dma, 0), 0);
	interpose_disarm();
	assert_int_equal(vu_dma_dirty_report(&dma, 0, PAGE, PAGE, bitmap, 8), -ENOTSUP);
	interpose_fail(INTERPOSE_ONLY(ALLOC), 1, ENOMEM);
	if (vu_dma_dirty_track(&dma, PAGE) == -ENOMEM)
		assert_int_equal(vu_dma_dirty_report(&dma, 0, PAGE, PAGE, bitmap, 8), -ENOTSUP);
	interpose_disarm();
	assert_int_equal(vu_dma_dirty_track(&dma, PAGE), 0);
	assert_int_equal(vu_dma_dirty_report(&dma, 0, PAGE, PAGE, bitmap, 8), 0);
	assert_int_equal(vu_dma_dirty_track(&dma, 0), 0);
}

static void
test_marks_do_not_wrap(void **state)
{
	uint64_t bitmap[1];

	(void)state;
	assert_int_equal(vu_dma_map(&dma, 0, PAGE, RW, dma_file(PAGE), 0), 0);
	assert_int_equal(vu_dma_map(&dma, UINT64_MAX - PAGE + 1, PAGE, RW, dma_file(PAGE), 0),
		0);
	assert_int_equal(vu_dma_dirty_track(&dma, PAGE), 0);
	vu_dma_dirty_mark(&dma, UINT64_MAX, 2);
	assert_int_equal(vu_dma_dirty_report(&dma, 0, PAGE, PAGE, bitmap, 8), 0);
	assert_int_equal(bitmap[0], 0);
	assert_int_equal(vu_dma_dirty_report(&dma, UINT64_MAX - PAGE + 1, PAGE, PAGE, bitmap, 8),
		0);
	assert_int_equal(bitmap[0], 1);
	assert_int_equal(vu_dma_dirty_track(&dma, 0), 0);
}

static const struct CMUnitTest tests[] = {
	DMA_TEST(test_pages_written_are_reported_once),
	DMA_TEST(test_reports_may_have_pages_of_another_size),
	DMA_TEST(test_reports_that_make_no_sense_are_refused),
	DMA_TEST(test_tracking_ends_without_memory),
	DMA_TEST(test_marks_do_not_wrap),
};

TEST_SUITE(vu_dma_dirty, "functional", tests, NULL, NULL)
