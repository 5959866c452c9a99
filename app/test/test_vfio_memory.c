/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "eal_session.h"
#include "fake_vfio.h"
#include "test.h"
#include "vfio_eal.h"

static int
count_segment(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	(*(size_t *)arg)++;
	return vfio_eal_is_mapped(fake_vfio_container(vfio_eal_card), ms->addr, ms->len) ? 0 : 1;
}

/* There are mappings of exactly the segments. */
static void
assert_all_memory_is_mapped(void)
{
	size_t nb = 0;

	assert_int_equal(rte_memseg_walk(count_segment, &nb), 0);
	assert_int_equal(fake_vfio_container(vfio_eal_card)->nb_dma, nb);
}

static void
test_memory_is_mapped_with_the_first_device(void **state)
{
	void *mem = rte_malloc(NULL, 3 * MB2, 0);
	int fd;

	assert_non_null(mem);
	fd = vfio_eal_open_card();
	assert_true(vfio_eal_is_mapped(fake_vfio_container(vfio_eal_card), mem, 3 * MB2));
	vfio_eal_close_card(fd);
	rte_free(mem);
}

static void
test_memory_that_stays_is_mapped_in_one_piece(void **state)
{
	int fd;

	vfio_eal_start("-m64");
	fd = vfio_eal_open_card();
	assert_int_equal(fake_vfio_container(vfio_eal_card)->nb_dma, 1);
	assert_true(fake_vfio_container(vfio_eal_card)->dma[0].size >= 32 * MB2);
	vfio_eal_close_card(fd);
}

static void
test_memory_is_mapped_as_it_comes_and_unmapped_as_it_goes(void **state)
{
	int fd = vfio_eal_open_card();
	void *mem = rte_malloc(NULL, 8 * MB2, 0);
	const uint64_t at = (uintptr_t)mem;

	assert_non_null(mem);
	assert_true(vfio_eal_is_mapped(fake_vfio_container(vfio_eal_card), mem, 8 * MB2));
	assert_all_memory_is_mapped();
	rte_free(mem);
	assert_false(vfio_eal_range_is_mapped(fake_vfio_container(vfio_eal_card), at, 8 * MB2));
	assert_all_memory_is_mapped();
	vfio_eal_close_card(fd);
}

static void
test_memory_that_goes_does_not_disturb_the_rest(void **state)
{
	enum { NB = 6 };
	void *mem[NB];
	unsigned int nb_maps;
	int fd = vfio_eal_open_card();
	int i;

	for (i = 0; i < NB; i++) {
		mem[i] = rte_malloc(NULL, 3 * MB2, 0);
		assert_non_null(mem[i]);
	}
	nb_maps = fake_vfio_container(vfio_eal_card)->nb_maps;
	for (i = 0; i < NB; i += 2)
		rte_free(mem[i]);
	for (i = 1; i < NB; i += 2)
		assert_true(vfio_eal_is_mapped(fake_vfio_container(vfio_eal_card), mem[i],
			3 * MB2));
	/* nothing was taken out and put back */
	assert_int_equal(fake_vfio_container(vfio_eal_card)->nb_maps, nb_maps);
	for (i = 1; i < NB; i += 2)
		rte_free(mem[i]);
	vfio_eal_close_card(fd);
}

static void
test_memory_is_mapped_again_when_a_device_comes_back(void **state)
{
	void *mem;
	int fd;

	vfio_eal_close_card(vfio_eal_open_card());
	mem = rte_malloc(NULL, MB2, 0);
	assert_non_null(mem);
	fd = vfio_eal_open_card();
	assert_true(vfio_eal_is_mapped(fake_vfio_container(vfio_eal_card), mem, MB2));
	vfio_eal_close_card(fd);
	rte_free(mem);
}

static void
test_too_many_mappings_are_told(void **state)
{
	void *mem = rte_malloc(NULL, 8 * MB2, 0);
	int fd = -1;

	vfio_eal_kernel->dma_avail = 2;
	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), -ENOSPC);
	assert_non_null(strstr(eal_log_text(), "dma_entry_limit"));
	assert_null(fake_vfio_container(vfio_eal_card));
	vfio_eal_kernel->dma_avail = 65535;
	vfio_eal_close_card(vfio_eal_open_card());
	rte_free(mem);
}

static void
test_memory_beyond_the_iommu_is_told(void **state)
{
	void *mem = rte_malloc(NULL, MB2, 0);
	int fd = -1;

	vfio_eal_kernel->iova_ranges[0] = (struct vfio_iova_range){ 0, 0xfedfffff };
	vfio_eal_kernel->iova_ranges[1] = (struct vfio_iova_range){ 0xfef00000, 0xffffffff };
	vfio_eal_kernel->nb_iova_ranges = 2;
	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), -EINVAL);
	assert_non_null(strstr(eal_log_text(), "0x0-0xfedfffff 0xfef00000-0xffffffff"));
	rte_free(mem);
}

static void
test_lies_of_the_iommu_do_no_harm(void **state)
{
	static const struct {
		uint32_t argsz, cap_offset, nr_iovas, next;
	} lies[] = {
		{ .argsz = 1 },
		{ .argsz = UINT32_MAX },
		{ .cap_offset = 1 },
		{ .cap_offset = 4 },
		{ .cap_offset = UINT32_MAX - 3 },
		{ .cap_offset = 80 },
		{ .nr_iovas = UINT32_MAX },
		{ .nr_iovas = 0x10000000 },
		{ .nr_iovas = 3 },
		{ .next = 24, .cap_offset = 24, .nr_iovas = 100 },
		{ .next = UINT32_MAX - 3 },
	};
	size_t i;

	vfio_eal_kernel->iova_ranges[0] = (struct vfio_iova_range){ 0, UINT64_MAX };
	vfio_eal_kernel->nb_iova_ranges = 1;
	for (i = 0; i < RTE_DIM(lies); i++) {
		memcpy(&vfio_eal_kernel->iommu_lie, &lies[i], sizeof(lies[i]));
		vfio_eal_close_card(vfio_eal_open_card());
	}
}

static void *
churn_memory(void *arg)
{
	volatile int *stop = arg;
	void *mem;

	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
		mem = rte_malloc(NULL, 3 * MB2, 0);
		if (mem != NULL)
			rte_free(mem);
	}
	return NULL;
}

static void
test_devices_and_memory_may_come_at_once(void **state)
{
	pthread_t thread;
	int stop = 0;
	int i;

	assert_int_equal(pthread_create(&thread, NULL, churn_memory, &stop), 0);
	for (i = 0; i < 50; i++)
		vfio_eal_close_card(vfio_eal_open_card());
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
}

static const struct CMUnitTest tests[] = {
	VFIO_EAL_TEST_BOTH(test_memory_is_mapped_with_the_first_device),
	VFIO_EAL_TEST_UNSTARTED(test_memory_that_stays_is_mapped_in_one_piece),
	VFIO_EAL_TEST_BOTH(test_memory_is_mapped_as_it_comes_and_unmapped_as_it_goes),
	VFIO_EAL_TEST_BOTH(test_memory_that_goes_does_not_disturb_the_rest),
	VFIO_EAL_TEST_BOTH(test_memory_is_mapped_again_when_a_device_comes_back),
	VFIO_EAL_TEST_BOTH(test_too_many_mappings_are_told),
	VFIO_EAL_TEST_BOTH(test_memory_beyond_the_iommu_is_told),
	VFIO_EAL_TEST(test_lies_of_the_iommu_do_no_harm),
	VFIO_EAL_TEST_BOTH(test_devices_and_memory_may_come_at_once),
};
TEST_SUITE(vfio_memory, "functional", tests, NULL, NULL)
