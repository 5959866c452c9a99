/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <sys/mman.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_vfio.h>

#include "fake_vfio.h"
#include "test.h"
#include "vfio_eal.h"

static void
test_user_mapping_comes_and_goes(void **state)
{
	uint8_t *mem = vfio_eal_pages(4 * KB4);
	int fd = vfio_eal_open_card();

	assert_int_equal(vfio_eal_map(mem, IOVA, 4 * KB4), 0);
	assert_non_null(vfio_eal_mapped_at(IOVA));
	assert_int_equal(vfio_eal_mapped_at(IOVA)->vaddr, (uintptr_t)mem);
	assert_int_equal(vfio_eal_mapped_at(IOVA)->size, 4 * KB4);
	assert_int_equal(vfio_eal_unmap(mem, IOVA, 4 * KB4), 0);
	assert_null(vfio_eal_mapped_at(IOVA));
	vfio_eal_close_card(fd);
	munmap(mem, 4 * KB4);
}

static void
test_part_of_a_user_mapping_goes(void **state)
{
	static const struct {
		uint64_t first, nb;	/* pages to unmap, of eight */
	} cases[] = { { 0, 1 }, { 7, 1 }, { 3, 2 }, { 0, 8 } };
	uint8_t *mem = vfio_eal_pages(8 * KB4);
	int fd = vfio_eal_open_card();
	uint64_t page;
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		assert_int_equal(vfio_eal_map(mem, IOVA, 8 * KB4), 0);
		assert_int_equal(vfio_eal_unmap(mem + cases[i].first * KB4,
			IOVA + cases[i].first * KB4,
			cases[i].nb * KB4), 0);
		for (page = 0; page < 8; page++) {
			const struct fake_dma *dma = vfio_eal_mapped_at(IOVA + page * KB4);
			bool gone = page - cases[i].first < cases[i].nb;

			assert_int_equal(dma == NULL, gone);
			if (dma != NULL)
				assert_int_equal(dma->vaddr - dma->iova, (uintptr_t)mem - IOVA);
			if (!gone)
				assert_int_equal(vfio_eal_unmap(mem + page * KB4, IOVA + page * KB4,
					KB4),
					0);
		}
	}
	vfio_eal_close_card(fd);
	munmap(mem, 8 * KB4);
}

static void
test_neighbouring_user_mappings_go_at_once(void **state)
{
	uint8_t *mem = vfio_eal_pages(4 * KB4);
	int fd = vfio_eal_open_card();

	assert_int_equal(vfio_eal_map(mem, IOVA, 2 * KB4), 0);
	assert_int_equal(vfio_eal_map(mem + 2 * KB4, IOVA + 2 * KB4, 2 * KB4), 0);
	assert_int_equal(vfio_eal_unmap(mem + KB4, IOVA + KB4, 2 * KB4), 0);
	assert_non_null(vfio_eal_mapped_at(IOVA));
	assert_null(vfio_eal_mapped_at(IOVA + KB4));
	assert_null(vfio_eal_mapped_at(IOVA + 2 * KB4));
	assert_non_null(vfio_eal_mapped_at(IOVA + 3 * KB4));
	assert_int_equal(vfio_eal_unmap(mem, IOVA, KB4), 0);
	assert_int_equal(vfio_eal_unmap(mem + 3 * KB4, IOVA + 3 * KB4, KB4), 0);
	vfio_eal_close_card(fd);
	munmap(mem, 4 * KB4);
}

static void
test_wrong_ranges_are_refused(void **state)
{
	uint8_t *mem = vfio_eal_pages(4 * KB4);
	int fd = vfio_eal_open_card();

	assert_int_equal(vfio_eal_map(mem, IOVA, 0), -EINVAL);
	assert_int_equal(vfio_eal_map(mem, IOVA + 1, KB4), -EINVAL);
	assert_int_equal(vfio_eal_map(mem + 1, IOVA, KB4), -EINVAL);
	assert_int_equal(vfio_eal_map(mem, IOVA, KB4 - 1), -EINVAL);
	assert_int_equal(vfio_eal_map(mem, UINT64_MAX - KB4 + 1, 2 * KB4), -EINVAL);
	assert_int_equal(vfio_eal_map((uint8_t *)(uintptr_t)(UINT64_MAX - KB4 + 1), IOVA, 2 * KB4),
		-EINVAL);
	assert_int_equal(vfio_eal_map(mem, IOVA, 2 * KB4), 0);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(vfio_eal_map(mem + 2 * KB4, IOVA + KB4, 2 * KB4), -EEXIST);
	assert_int_equal(vfio_eal_unmap(mem, IOVA, 3 * KB4), -EINVAL);
	assert_int_equal(vfio_eal_unmap(mem, IOVA + KB4, KB4), -EINVAL);
	assert_int_equal(vfio_eal_unmap(mem, IOVA, 0), -EINVAL);
	assert_int_equal(vfio_eal_unmap(mem, IOVA, UINT64_MAX), -EINVAL);
	assert_int_equal(vfio_eal_unmap(mem, IOVA, 2 * KB4), 0);
	assert_int_equal(vfio_eal_unmap(mem, IOVA, 2 * KB4), -EINVAL);
	vfio_eal_close_card(fd);
	munmap(mem, 4 * KB4);
}

static void
test_memory_of_eal_is_not_the_users_to_unmap(void **state)
{
	uint8_t *mem = rte_malloc(NULL, MB2, MB2);
	int fd = vfio_eal_open_card();

	assert_non_null(mem);
	assert_int_equal(vfio_eal_unmap(mem, (uintptr_t)mem, MB2), -EINVAL);
	assert_true(vfio_eal_is_mapped(fake_vfio_container(vfio_eal_card), mem, MB2));
	vfio_eal_close_card(fd);
	rte_free(mem);
}

static void
test_user_mapping_needs_a_device_first(void **state)
{
	uint8_t *mem = vfio_eal_pages(KB4);

	assert_int_equal(vfio_eal_map(mem, IOVA, 0), -EINVAL);
	assert_int_equal(vfio_eal_map(mem, IOVA, KB4), -ENODEV);
	assert_int_equal(rte_vfio_container_dma_map(12345, (uintptr_t)mem, IOVA, KB4), -ENODEV);
	munmap(mem, KB4);
}

static void
test_user_mapping_outlives_the_device(void **state)
{
	uint8_t *mem = vfio_eal_pages(KB4);
	int fd = vfio_eal_open_card();

	assert_int_equal(vfio_eal_map(mem, IOVA, KB4), 0);
	vfio_eal_close_card(fd);
	fd = vfio_eal_open_card();
	assert_non_null(vfio_eal_mapped_at(IOVA));
	vfio_eal_close_card(fd);
	assert_int_equal(vfio_eal_unmap(mem, IOVA, KB4), 0);
	fd = vfio_eal_open_card();
	assert_null(vfio_eal_mapped_at(IOVA));
	vfio_eal_close_card(fd);
	munmap(mem, KB4);
}

static const struct CMUnitTest tests[] = {
	VFIO_EAL_TEST_BOTH(test_user_mapping_comes_and_goes),
	VFIO_EAL_TEST_BOTH(test_part_of_a_user_mapping_goes),
	VFIO_EAL_TEST_BOTH(test_neighbouring_user_mappings_go_at_once),
	VFIO_EAL_TEST_BOTH(test_wrong_ranges_are_refused),
	VFIO_EAL_TEST_BOTH(test_memory_of_eal_is_not_the_users_to_unmap),
	VFIO_EAL_TEST_BOTH(test_user_mapping_needs_a_device_first),
	VFIO_EAL_TEST_BOTH(test_user_mapping_outlives_the_device),
};
TEST_SUITE(vfio_user_map, "functional", tests, NULL, NULL)
