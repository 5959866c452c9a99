/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>

#include "interpose.h"
#include "resources.h"
#include "test.h"
#include "vu_dma_table.h"

static int
sg(uint64_t addr, uint64_t len, int prot, struct iovec *iov, int nb)
{
	int rc;

	assert_int_equal(vu_epoch_enter(), 0);
	rc = vu_dma_sg(&dma, addr, len, prot, iov, nb);
	vu_epoch_leave();
	return rc;
}

static void
test_translation_gives_the_bytes_of_the_file(void **state)
{
	struct iovec iov;

	(void)state;
	assert_int_equal(vu_dma_map(&dma, 0x100000, 4 * PAGE, RW, dma_file(8 * PAGE), PAGE), 0);
	assert_int_equal(sg(0x100000 + 0x1238, 8, PROT_READ, &iov, 1), 1);
	assert_int_equal(iov.iov_len, 8);
	assert_int_equal(*(uint64_t *)iov.iov_base, PAGE + 0x1238);
}

static void
test_file_offsets_need_not_be_aligned(void **state)
{
	struct iovec iov;

	(void)state;
	assert_int_equal(vu_dma_map(&dma, 0, 2 * PAGE, RW, dma_file(4 * PAGE), 0x808), 0);
	assert_int_equal(sg(2 * PAGE - 8, 8, RW, &iov, 1), 1);
	assert_int_equal(*(uint64_t *)iov.iov_base, 0x808 + 2 * PAGE - 8);
}

static void
test_ranges_across_adjacent_regions_are_pieces(void **state)
{
	struct iovec iov[3];

	(void)state;
	assert_int_equal(vu_dma_map(&dma, 0, PAGE, RW, dma_file(PAGE), 0), 0);
	assert_int_equal(vu_dma_map(&dma, PAGE, PAGE, RW, dma_file(3 * PAGE), 2 * PAGE), 0);
	assert_int_equal(sg(PAGE - 16, 32, PROT_READ, iov, 3), 2);
	assert_int_equal(iov[0].iov_len, 16);
	assert_int_equal(iov[1].iov_len, 16);
	assert_int_equal(*(uint64_t *)iov[1].iov_base, 2 * PAGE);
	assert_int_equal(sg(PAGE - 16, 32, PROT_READ, iov, 1), -ENOSPC);
}

static void
test_ranges_that_may_not_be_used_are_refused(void **state)
{
	struct iovec iov[2];

	(void)state;
	assert_int_equal(vu_dma_map(&dma, 0, PAGE, PROT_READ, dma_file(PAGE), 0), 0);
	assert_int_equal(vu_dma_map(&dma, 2 * PAGE, PAGE, RW, dma_file(PAGE), 0), 0);
	assert_int_equal(vu_dma_map(&dma, 3 * PAGE, PAGE, RW, -1, 0), 0);
	assert_int_equal(sg(0, 8, PROT_WRITE, iov, 2), -EACCES);
	assert_int_equal(sg(PAGE - 8, 16, PROT_READ, iov, 2), -EFAULT);
	assert_int_equal(sg(PAGE, 8, PROT_READ, iov, 2), -EFAULT);
	assert_int_equal(sg(3 * PAGE - 8, 16, PROT_READ, iov, 2), -ENOTSUP);
	assert_int_equal(sg(UINT64_MAX, 2, PROT_READ, iov, 2), -EINVAL);
	assert_int_equal(sg(0, 0, PROT_READ, iov, 2), -EINVAL);
	assert_int_equal(sg(0, UINT64_MAX, PROT_READ, iov, 2), -EFAULT);
}

static void
test_the_last_byte_of_the_address_space_can_be_mapped(void **state)
{
	struct iovec iov;

	(void)state;
	assert_int_equal(vu_dma_map(&dma, UINT64_MAX - PAGE + 1, PAGE, RW, dma_file(PAGE), 0),
		0);
	assert_int_equal(sg(UINT64_MAX, 1, PROT_READ, &iov, 1), 1);
	assert_int_equal(vu_dma_unmap(&dma, UINT64_MAX - PAGE + 1, PAGE), 0);
	assert_int_equal(sg(UINT64_MAX, 1, PROT_READ, &iov, 1), -EFAULT);
}

static void
test_maps_that_make_no_sense_are_refused(void **state)
{
	static const struct {
		uint64_t addr, size, offset;
		int rc;
	} cases[] = {
		{ 0x10000, 0, 0, -EINVAL },
		{ UINT64_MAX, 2, 0, -EINVAL },
		{ PAGE, UINT64_MAX, 0, -EINVAL },
		{ 0x10000, PAGE, 2 * PAGE - 1, -EINVAL },
		{ 0x10000, PAGE, UINT64_MAX, -EINVAL },
		{ 0x10000, 3 * PAGE, 0, -EINVAL },
		{ 0x20000, PAGE, 0, -EEXIST },
		{ 0x20000 + PAGE - 1, PAGE, 0, -EEXIST },
		{ 0x20000 - 1, 2, 0, -EEXIST },
		{ 0x1f000, 2 * PAGE, 0, -EEXIST },
	};
	struct resources before;
	int fd = dma_file(2 * PAGE);
	size_t i;

	(void)state;
	assert_int_equal(vu_dma_map(&dma, 0x20000, PAGE, RW, -1, 0), 0);
	resources_take(&before);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(vu_dma_map(&dma, cases[i].addr, cases[i].size, RW, fd,
			cases[i].offset), cases[i].rc);
	resources_assert_same(&before);
	resources_drop(&before);
	close(fd);
}

static void
test_descriptors_that_are_no_memory_are_refused(void **state)
{
	int fds[3] = { -1, -1, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	int i;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(vu_dma_map(&dma, 0, PAGE, RW, fds[i], 0), -EINVAL);
		assert_int_equal(close(fds[i]), 0);
	}
}

static void
test_descriptors_that_do_not_permit_the_access_are_refused(void **state)
{
	static const struct {
		int flags, prot, rc;
	} cases[] = {
		{ O_RDONLY, PROT_READ, 0 },
		{ O_RDONLY, RW, -EACCES },
		{ O_RDONLY, PROT_WRITE, -EACCES },
		{ O_WRONLY, PROT_WRITE, -EACCES },
		{ O_WRONLY, PROT_READ, -EACCES },
		{ O_RDWR, PROT_WRITE, 0 },
		{ O_PATH, PROT_READ, -EBADF },
	};
	int fd = dma_file(PAGE), again;
	char path[64];
	size_t i;

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		again = open(path, cases[i].flags | O_CLOEXEC);
		assert_true(again >= 0);
		assert_int_equal(vu_dma_map(&dma, 0, PAGE, cases[i].prot, again, 0), cases[i].rc);
		if (cases[i].rc < 0)
			assert_int_equal(close(again), 0);
		else
			assert_int_equal(vu_dma_unmap(&dma, 0, PAGE), 0);
	}
	close(fd);
}

/* ---- when regions are mapped ---- */

static void
test_a_region_is_mapped_when_it_is_first_used(void **state)
{
	struct iovec iov;

	(void)state;
	assert_int_equal(vu_dma_map(&dma, 0, PAGE, RW, dma_file(PAGE), 0), 0);
	assert_int_equal(vu_dma_map(&dma, PAGE, PAGE, RW, dma_file(PAGE), 0), 0);
	interpose_fail(INTERPOSE_ONLY(MMAP) | INTERPOSE_ONLY(MUNMAP), 0, 0);
	assert_int_equal(sg(0, PAGE, PROT_READ, &iov, 1), 1);
	assert_int_equal(sg(8, 8, PROT_READ, &iov, 1), 1);
	assert_int_equal(interpose_count_of(INTERPOSE_MMAP), 1);
	assert_int_equal(vu_dma_unmap_all(&dma), 2);
	assert_int_equal(interpose_count_of(INTERPOSE_MUNMAP), 1);
	interpose_disarm();
}

static void
test_a_region_that_cannot_be_mapped_now_can_be_later(void **state)
{
	struct iovec iov;

	(void)state;
	assert_int_equal(vu_dma_map(&dma, 0, PAGE, RW, dma_file(PAGE), 0), 0);
	interpose_fail(INTERPOSE_ONLY(MMAP), 1, ENOMEM);
	assert_int_equal(sg(0, 8, PROT_READ, &iov, 1), -ENOMEM);
	interpose_disarm();
	assert_int_equal(sg(0x808, 8, PROT_READ, &iov, 1), 1);
	assert_int_equal(*(uint64_t *)iov.iov_base, 0x808);
}

static void
test_the_flat_table_maps_all(void **state)
{
	const struct rte_vfio_user_mem *flat;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(vu_dma_map(&dma, i * PAGE, PAGE, RW, dma_file(2 * PAGE),
			i * 8), 0);
	flat = vu_dma_flat(&dma);
	assert_int_equal(flat->entry_num, 3);
	for (i = 0; i < 3; i++) {
		uintptr_t addr = (uintptr_t)flat->entry[i].host_user_addr;

		assert_int_equal(*(uint64_t *)addr, i * 8);
		assert_int_equal(addr, (uintptr_t)flat->entry[i].mmap_addr + i * 8);
		assert_int_equal(flat->entry[i].mmap_size, i == 0 ? PAGE : 2 * PAGE);
	}
}

static void
test_unmap_wants_just_what_was_mapped(void **state)
{
	(void)state;
	assert_int_equal(vu_dma_map(&dma, 0, 2 * PAGE, RW, -1, 0), 0);
	assert_int_equal(vu_dma_unmap(&dma, 0, PAGE), -ENOENT);
	assert_int_equal(vu_dma_unmap(&dma, PAGE, PAGE), -ENOENT);
	assert_int_equal(vu_dma_unmap(&dma, 0, 0), -ENOENT);
	assert_int_equal(vu_dma_unmap(&dma, 0, 2 * PAGE), 0);
	assert_int_equal(vu_dma_unmap(&dma, 0, 2 * PAGE), -ENOENT);
}

static void
test_there_is_a_limit_of_regions(void **state)
{
	struct vu_dma small;

	(void)state;
	assert_int_equal(vu_dma_init(&small, 2), 0);
	assert_int_equal(vu_dma_map(&small, 0, 1, RW, -1, 0), 0);
	assert_int_equal(vu_dma_map(&small, 1, 1, RW, -1, 0), 0);
	assert_int_equal(vu_dma_map(&small, 2, 1, RW, -1, 0), -ENOSPC);
	assert_int_equal(vu_dma_unmap(&small, 0, 1), 0);
	assert_int_equal(vu_dma_map(&small, 2, 1, RW, -1, 0), 0);
	vu_dma_fini(&small);
}

static void
test_nothing_is_left_behind(void **state)
{
	struct resources before;
	struct vu_dma other;
	unsigned int i;

	(void)state;
	assert_int_equal(vu_epoch_enter(), 0);
	vu_epoch_leave();
	resources_take(&before);
	assert_int_equal(vu_dma_init(&other, 1000), 0);
	for (i = 0; i < 300; i++)
		assert_int_equal(vu_dma_map(&other, i * UINT64_C(0x10000), PAGE, RW,
			dma_file(PAGE), 0), 0);
	for (i = 0; i < 300; i += 3)
		assert_int_equal(vu_dma_unmap(&other, i * UINT64_C(0x10000), PAGE), 0);
	assert_non_null(vu_dma_flat(&other));
	assert_int_equal(vu_dma_unmap_all(&other), 200);
	vu_dma_fini(&other);
	resources_assert_same(&before);
	resources_drop(&before);
}

/* ---- against a table that is plainly right ---- */

#define SLOTS 6000u
#define SLOT_SIZE 0x1000u

static void
model_check(const bool *mapped)
{
	const struct rte_vfio_user_mem *flat = vu_dma_flat(&dma);
	uint32_t i, nb = 0;

	for (i = 0; i < SLOTS; i++) {
		assert_int_equal(vu_dma_find(&dma, i * SLOT_SIZE + 7) != NULL, mapped[i]);
		if (!mapped[i])
			continue;
		assert_int_equal(flat->entry[nb].gpa, i * SLOT_SIZE);
		assert_int_equal(flat->entry[nb].size, SLOT_SIZE);
		nb++;
	}
	assert_int_equal(flat != NULL ? flat->entry_num : 0, nb);
}

static void
any_order_of_changes(uint32_t nb_slots)
{
	static bool mapped[SLOTS];
	unsigned int seed = 1;
	uint32_t i, slot, round;
	int rc;

	for (round = 0; round < 8; round++) {
		/* even rounds fill, odd rounds empty */
		for (i = 0; i < nb_slots; i++) {
			slot = (uint32_t)rand_r(&seed) % nb_slots;
			if (round % 2 == 0)
				rc = vu_dma_map(&dma, slot * SLOT_SIZE, SLOT_SIZE, RW, -1, 0);
			else
				rc = vu_dma_unmap(&dma, slot * SLOT_SIZE, SLOT_SIZE);
			assert_int_equal(rc, mapped[slot] == (round % 2 != 0) ? 0 :
				round % 2 == 0 ? -EEXIST : -ENOENT);
			mapped[slot] = round % 2 == 0;
		}
		model_check(mapped);
	}
	vu_dma_unmap_all(&dma);
	memset(mapped, 0, sizeof(mapped));
}

static void
test_any_order_of_changes_gives_the_right_table(void **state)
{
	/* that one node can hold, or just not, and many */
	static const uint32_t nbs[] = { 1, 2, 3, 40, 64, 65, 100, SLOTS };
	unsigned int i;

	(void)state;
	assert_int_equal(vu_epoch_enter(), 0);
	for (i = 0; i < RTE_DIM(nbs); i++)
		any_order_of_changes(nbs[i]);
	vu_epoch_leave();
}

/* ---- a client that takes memory away ---- */

static void
test_a_truncated_file_breaks_the_table_and_nothing_else(void **state)
{
	int fd = dma_file(4 * PAGE);
	struct vu_dma other;
	struct iovec iov;

	(void)state;
	/* cmocka has put its handler in the place of that of the setup */
	assert_int_equal(vu_dma_init(&other, 1), 0);
	assert_int_equal(vu_dma_map(&dma, 0, 4 * PAGE, RW, dup(fd), 0), 0);
	assert_int_equal(vu_epoch_enter(), 0);
	assert_int_equal(vu_dma_sg(&dma, 0, 4 * PAGE, PROT_READ, &iov, 1), 1);
	assert_int_equal(((volatile uint64_t *)iov.iov_base)[3 * PAGE / 8], 3 * PAGE);
	assert_false(atomic_load(&dma.broken));
	assert_int_equal(ftruncate(fd, PAGE), 0);
	assert_int_equal(((volatile uint64_t *)iov.iov_base)[3 * PAGE / 8], 0);
	assert_true(atomic_load(&dma.broken));
	((volatile uint64_t *)iov.iov_base)[2 * PAGE / 8] = 1;
	vu_epoch_leave();
	assert_false(atomic_load(&other.broken));
	vu_dma_fini(&other);
	close(fd);
}

/* ---- data paths beside changes ---- */

#define THREADS 2
#define CHANGES 100
#define STABLE 64u

static atomic_bool stop;

/* What stays mapped is found at any time; what comes and goes is found whole or not at all. */
static void *
reader_main(void *arg)
{
	struct iovec iov;
	uint64_t slot, found = 0;
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	int rc;

	while (!atomic_load(&stop)) {
		slot = (uint64_t)rand_r(&seed) % (2 * STABLE);
		if (vu_epoch_enter() < 0)
			return NULL;
		rc = vu_dma_sg(&dma, slot * PAGE + 8, 8, PROT_READ, &iov, 1);
		if (rc == 1)
			found += *(uint64_t *)iov.iov_base == 8;
		if (rc != 1 && slot % 2 == 0)
			found = UINT64_MAX / 2;
		vu_epoch_leave();
	}
	return (void *)(uintptr_t)found;
}

static void
test_readers_see_a_whole_table_while_it_changes(void **state)
{
	pthread_t thread[THREADS];
	void *found;
	uint64_t slot;
	unsigned int i;

	(void)state;
	atomic_store(&stop, false);
	for (slot = 0; slot < 2 * STABLE; slot += 2)
		assert_int_equal(vu_dma_map(&dma, slot * PAGE, PAGE, RW, dma_file(PAGE), 0), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, reader_main,
			(void *)(uintptr_t)(i + 1)), 0);
	for (i = 0; i < CHANGES; i++) {
		slot = 2 * (i % STABLE) + 1;
		assert_int_equal(vu_dma_map(&dma, slot * PAGE, PAGE, RW, dma_file(PAGE), 0), 0);
		assert_int_equal(vu_dma_unmap(&dma, slot * PAGE, PAGE), 0);
	}
	atomic_store(&stop, true);
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(thread[i], &found), 0);
		assert_true((uintptr_t)found < UINT64_MAX / 2);
	}
}

static const struct CMUnitTest tests[] = {
	DMA_TEST(test_translation_gives_the_bytes_of_the_file),
	DMA_TEST(test_file_offsets_need_not_be_aligned),
	DMA_TEST(test_ranges_across_adjacent_regions_are_pieces),
	DMA_TEST(test_ranges_that_may_not_be_used_are_refused),
	DMA_TEST(test_the_last_byte_of_the_address_space_can_be_mapped),
	DMA_TEST(test_maps_that_make_no_sense_are_refused),
	DMA_TEST(test_descriptors_that_are_no_memory_are_refused),
	DMA_TEST(test_descriptors_that_do_not_permit_the_access_are_refused),
	DMA_TEST(test_a_region_is_mapped_when_it_is_first_used),
	DMA_TEST(test_a_region_that_cannot_be_mapped_now_can_be_later),
	DMA_TEST(test_the_flat_table_maps_all),
	DMA_TEST(test_unmap_wants_just_what_was_mapped),
	DMA_TEST(test_there_is_a_limit_of_regions),
	DMA_TEST(test_nothing_is_left_behind),
	DMA_TEST(test_any_order_of_changes_gives_the_right_table),
	DMA_TEST(test_a_truncated_file_breaks_the_table_and_nothing_else),
	DMA_TEST(test_readers_see_a_whole_table_while_it_changes),
};

TEST_SUITE(vu_dma, "functional", tests, NULL, NULL)
