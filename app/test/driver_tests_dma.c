/* SPDX-License-Identifier: BSD-3-Clause */

/* The device copies between memory and its buffer of 4096 bytes. */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "driver_tests.h"

#define BUFFER RTE_EDU_BUFFER_SIZE
#define REACH (UINT64_C(1) << 28)	/* the device has 28 address lines */

/* Where no memory of EAL's is, and none that the driver maps. */
#define LOW_IOVA UINT64_C(0x1000000)
#define PAGE 4096u

struct transfer {
	uint32_t offset;
	size_t len;
};

static const struct transfer inside[] = {
	{ 0, 1 }, { 0, 2 }, { 0, 4 }, { 0, 8 }, { 1, 1 }, { 1, 7 }, { 3, 5 }, { 63, 2 },
	{ 100, 1000 }, { 511, 513 }, { 2047, 2 }, { 2048, 2000 }, { BUFFER - 2, 1 },
	{ 1, BUFFER - 2 }, { 0, BUFFER - 1 },
};

static const struct transfer to_the_end[] = {
	{ BUFFER - 1, 1 }, { BUFFER - 8, 8 }, { BUFFER - 7, 7 }, { 1, BUFFER - 1 }, { 0, BUFFER },
};

static const struct transfer outside[] = {
	{ 0, 0 }, { 0, BUFFER + 1 }, { BUFFER, 1 }, { BUFFER - 1, 2 }, { UINT32_MAX, 2 },
	{ 1, SIZE_MAX }, { UINT32_MAX, SIZE_MAX },
};

/* There and back, and not a byte more. */
static void
copy_both_ways(const struct driver_device *d, const struct transfer *t, unsigned int seed)
{
	uint8_t out[BUFFER], in[BUFFER + 1];

	driver_fill(out, sizeof(out), seed);
	memset(in, 0xaa, sizeof(in));
	assert_int_equal(rte_edu_dma_write(d->edu, t->offset, out, t->len, DRIVER_TIMEOUT_MS), 0);
	assert_int_equal(rte_edu_dma_read(d->edu, t->offset, in, t->len, DRIVER_TIMEOUT_MS), 0);
	assert_memory_equal(in, out, t->len);
	assert_int_equal(in[t->len], 0xaa);
}

static void
transfers_of_every_size_and_alignment(struct driver_device *d)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(inside); i++)
		copy_both_ways(d, &inside[i], i);
}

static void
transfers_reach_the_last_byte(struct driver_device *d)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(to_the_end); i++)
		copy_both_ways(d, &to_the_end[i], i);
}

static void
a_transfer_keeps_what_it_does_not_touch(struct driver_device *d)
{
	uint8_t buf[256], got[256];

	driver_fill(buf, sizeof(buf), 1);
	assert_int_equal(rte_edu_dma_write(d->edu, 0, buf, sizeof(buf), DRIVER_TIMEOUT_MS), 0);
	assert_int_equal(rte_edu_dma_write(d->edu, 100, "0123456789", 10, DRIVER_TIMEOUT_MS), 0);
	memcpy(&buf[100], "0123456789", 10);
	assert_int_equal(rte_edu_dma_read(d->edu, 0, got, sizeof(got), DRIVER_TIMEOUT_MS), 0);
	assert_memory_equal(got, buf, sizeof(buf));
}

static void
ranges_outside_the_buffer_are_refused(struct driver_device *d)
{
	uint8_t byte = 0;
	size_t i;

	for (i = 0; i < RTE_DIM(outside); i++) {
		assert_int_equal(rte_edu_dma_write(d->edu, outside[i].offset, &byte,
			outside[i].len, 1), -EINVAL);
		assert_int_equal(rte_edu_dma_read(d->edu, outside[i].offset, &byte,
			outside[i].len, 1), -EINVAL);
		assert_int_equal(rte_edu_dma_iova(d->edu, RTE_EDU_DMA_TO_DEVICE, LOW_IOVA,
			outside[i].offset, outside[i].len, 1), -EINVAL);
	}
	assert_int_equal(rte_edu_dma_write(d->edu, 0, NULL, 1, 1), -EINVAL);
	assert_int_equal(rte_edu_dma_read(d->edu, 0, NULL, 1, 1), -EINVAL);
}

static void
addresses_beyond_the_mask_are_refused(struct driver_device *d)
{
	static const struct {
		uint64_t iova;
		size_t len;
	} cases[] = {
		{ REACH, 1 }, { REACH - 1, 2 }, { REACH - BUFFER + 1, BUFFER }, { UINT64_MAX, 1 },
		{ UINT64_C(1) << 32, 1 }, { UINT64_MAX - 1, 4 },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		assert_int_equal(rte_edu_dma_iova(d->edu, RTE_EDU_DMA_TO_DEVICE, cases[i].iova, 0,
			cases[i].len, 1), -ERANGE);
		assert_int_equal(rte_edu_dma_iova(d->edu, RTE_EDU_DMA_FROM_DEVICE, cases[i].iova,
			0, cases[i].len, 1), -ERANGE);
	}
}

static void
iova_both_ways(const struct driver_device *d, uint64_t iova, uint8_t *memory, size_t len)
{
	uint8_t expected[PAGE];

	driver_fill(memory, len, 3);
	memcpy(expected, memory, len);
	assert_int_equal(rte_edu_dma_iova(d->edu, RTE_EDU_DMA_TO_DEVICE, iova, 0, len,
		DRIVER_TIMEOUT_MS), 0);
	memset(memory, 0, len);
	assert_int_equal(rte_edu_dma_iova(d->edu, RTE_EDU_DMA_FROM_DEVICE, iova, 0, len,
		DRIVER_TIMEOUT_MS), 0);
	assert_memory_equal(memory, expected, len);
}

/* Mapped at the places that are the hardest to reach: low, and the last below the mask. */
static void
mapped_both_ways(const struct driver_device *d, uint8_t *memory)
{
	static const uint64_t iovas[] = { LOW_IOVA, REACH - PAGE };
	size_t i;

	for (i = 0; i < RTE_DIM(iovas); i++) {
		assert_int_equal(rte_dev_dma_map(&d->dev->device, memory, iovas[i], PAGE), 0);
		iova_both_ways(d, iovas[i], memory, BUFFER - 1);
		iova_both_ways(d, iovas[i] + PAGE - 16, memory + PAGE - 16, 16);
		assert_int_equal(rte_dev_dma_unmap(&d->dev->device, memory, iovas[i], PAGE), 0);
	}
}

static void
memory_of_eal_is_reached_where_it_is_mapped(struct driver_device *d)
{
	uint8_t *memory = rte_malloc(NULL, PAGE, PAGE);

	assert_non_null(memory);
	mapped_both_ways(d, memory);
	rte_free(memory);
}

/* The device does not tell that there is nothing where it wrote to. */
static void
memory_that_was_taken_back_is_not_reached(struct driver_device *d)
{
	uint8_t expected[64];
	uint8_t *memory = rte_malloc(NULL, PAGE, PAGE);

	assert_non_null(memory);
	assert_int_equal(rte_dev_dma_map(&d->dev->device, memory, LOW_IOVA, PAGE), 0);
	iova_both_ways(d, LOW_IOVA, memory, sizeof(expected));
	assert_int_equal(rte_dev_dma_unmap(&d->dev->device, memory, LOW_IOVA, PAGE), 0);
	memset(memory, 0x55, PAGE);
	memset(expected, 0x55, sizeof(expected));
	assert_int_equal(rte_edu_dma_iova(d->edu, RTE_EDU_DMA_FROM_DEVICE, LOW_IOVA, 0,
		sizeof(expected), DRIVER_TIMEOUT_MS), 0);
	assert_memory_equal(memory, expected, sizeof(expected));
	assert_int_equal(rte_dev_dma_map(&d->dev->device, memory, LOW_IOVA, PAGE), 0);
	iova_both_ways(d, LOW_IOVA, memory, sizeof(expected));
	assert_int_equal(rte_dev_dma_unmap(&d->dev->device, memory, LOW_IOVA, PAGE), 0);
	rte_free(memory);
}

#define PAGES 4u

/* Page number i of so many, each mapped or not. */
static void
page_check(const struct driver_device *d, uint8_t *memory, unsigned int i, bool mapped)
{
	uint8_t expected[64];

	if (mapped) {
		iova_both_ways(d, LOW_IOVA + i * PAGE, memory + i * PAGE, sizeof(expected));
		return;
	}
	memset(memory + i * PAGE, 0x55, sizeof(expected));
	memset(expected, 0x55, sizeof(expected));
	assert_int_equal(rte_edu_dma_iova(d->edu, RTE_EDU_DMA_FROM_DEVICE, LOW_IOVA + i * PAGE, 0,
		sizeof(expected), DRIVER_TIMEOUT_MS), 0);
	assert_memory_equal(memory + i * PAGE, expected, sizeof(expected));
}

static void
part_is_taken_back(struct driver_device *d, uint8_t *memory, unsigned int first, unsigned int nb)
{
	struct rte_device *dev = &d->dev->device;
	unsigned int i;

	assert_int_equal(rte_dev_dma_map(dev, memory, LOW_IOVA, PAGES * PAGE), 0);
	assert_int_equal(rte_dev_dma_unmap(dev, memory + first * PAGE, LOW_IOVA + first * PAGE,
		nb * PAGE), 0);
	for (i = 0; i < PAGES; i++)
		page_check(d, memory, i, i - first >= nb);
	for (i = 0; i < PAGES; i++)
		if (i - first >= nb)
			assert_int_equal(rte_dev_dma_unmap(dev, memory + i * PAGE,
				LOW_IOVA + i * PAGE, PAGE), 0);
}

static void
part_of_what_is_mapped_can_be_taken_back(struct driver_device *d)
{
	uint8_t *memory = rte_malloc(NULL, PAGES * PAGE, PAGE);
	unsigned int first, nb;

	assert_non_null(memory);
	for (first = 0; first < PAGES; first++)
		for (nb = 1; nb <= PAGES - first; nb++)
			part_is_taken_back(d, memory, first, nb);
	rte_free(memory);
}

/* The two pages in the middle of two mappings of two. */
static void
neighbours_can_be_taken_back_at_once(struct driver_device *d)
{
	struct rte_device *dev = &d->dev->device;
	uint8_t *memory = rte_malloc(NULL, PAGES * PAGE, PAGE);
	unsigned int i;

	assert_non_null(memory);
	for (i = 0; i < PAGES; i += 2)
		assert_int_equal(rte_dev_dma_map(dev, memory + i * PAGE, LOW_IOVA + i * PAGE,
			2 * PAGE), 0);
	assert_int_equal(rte_dev_dma_unmap(dev, memory + PAGE, LOW_IOVA + PAGE, 2 * PAGE), 0);
	for (i = 0; i < PAGES; i++)
		page_check(d, memory, i, i == 0 || i == PAGES - 1);
	for (i = 0; i < PAGES; i += PAGES - 1)
		assert_int_equal(rte_dev_dma_unmap(dev, memory + i * PAGE, LOW_IOVA + i * PAGE,
			PAGE), 0);
	rte_free(memory);
}

static void
unmap_refused(const struct driver_device *d, uint8_t *memory, uint64_t iova, size_t len)
{
	rte_errno = 0;
	assert_int_equal(rte_dev_dma_unmap(&d->dev->device, memory, iova, len), -1);
	assert_int_equal(rte_errno, len == 0 ? ENOTSUP : EINVAL);
}

/* As a program does that maps it for each of several devices, which may share an IOMMU. */
static void
memory_that_is_mapped_again_is_mapped_once(struct driver_device *d)
{
	struct rte_device *dev = &d->dev->device;
	uint8_t *memory = rte_malloc(NULL, PAGES * PAGE, PAGE);

	assert_non_null(memory);
	assert_int_equal(rte_dev_dma_map(dev, memory, LOW_IOVA, 2 * PAGE), 0);
	assert_int_equal(rte_dev_dma_map(dev, memory, LOW_IOVA, 2 * PAGE), 0);
	iova_both_ways(d, LOW_IOVA, memory, 64);
	assert_int_equal(rte_dev_dma_unmap(dev, memory, LOW_IOVA, 2 * PAGE), 0);
	unmap_refused(d, memory, LOW_IOVA, 2 * PAGE);
	page_check(d, memory, 0, false);
	rte_free(memory);
}

static void
what_is_not_mapped_so_cannot_be_taken_back(struct driver_device *d)
{
	uint8_t *memory = rte_malloc(NULL, PAGES * PAGE, PAGE);
	unsigned int i;

	assert_non_null(memory);
	unmap_refused(d, memory, LOW_IOVA, PAGE);
	assert_int_equal(rte_dev_dma_map(&d->dev->device, memory, LOW_IOVA, 2 * PAGE), 0);
	unmap_refused(d, memory + PAGE, LOW_IOVA, PAGE);
	unmap_refused(d, memory + PAGE, LOW_IOVA, 2 * PAGE);
	unmap_refused(d, memory, LOW_IOVA + PAGE, PAGE);
	unmap_refused(d, memory, LOW_IOVA, 3 * PAGE);
	unmap_refused(d, memory - PAGE, LOW_IOVA - PAGE, 2 * PAGE);
	unmap_refused(d, memory, LOW_IOVA, 0);
	unmap_refused(d, memory, LOW_IOVA, SIZE_MAX);
	for (i = 0; i < 2; i++)
		page_check(d, memory, i, true);
	assert_int_equal(rte_dev_dma_unmap(&d->dev->device, memory, LOW_IOVA, 2 * PAGE), 0);
	rte_free(memory);
}

static void
memory_of_the_program_is_reached_too(struct driver_device *d)
{
	uint8_t *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(rte_extmem_register(memory, PAGE, NULL, 0, PAGE), 0);
	mapped_both_ways(d, memory);
	assert_int_equal(rte_extmem_unregister(memory, PAGE), 0);
	munmap(memory, PAGE);
}

/* rte_extmem_register() has told nothing of it. */
static void
memory_that_eal_does_not_know_is_not_mapped(struct driver_device *d)
{
	uint8_t *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	rte_errno = 0;
	assert_int_equal(rte_dev_dma_map(&d->dev->device, memory, LOW_IOVA, PAGE), -1);
	assert_int_equal(rte_errno, EINVAL);
	unmap_refused(d, memory, LOW_IOVA, PAGE);
	munmap(memory, PAGE);
}

/* EAL maps what it hands out, where the device reaches it or not. */
static void
memory_of_eal_is_reached_by_its_own_address(struct driver_device *d)
{
	uint8_t *memory = rte_malloc(NULL, 256, 0);
	uint64_t iova;

	assert_non_null(memory);
	iova = rte_mem_virt2iova(memory);
	if (iova <= REACH - 256)
		iova_both_ways(d, iova, memory, 256);
	else
		assert_int_equal(rte_edu_dma_iova(d->edu, RTE_EDU_DMA_TO_DEVICE, iova, 0, 256,
			DRIVER_TIMEOUT_MS), -ERANGE);
	rte_free(memory);
}

static unsigned int
use_dma(struct driver_device *d, unsigned int number)
{
	uint8_t out[512], in[512];
	unsigned int i, wrong = 0;

	for (i = 0; i < 4; i++) {
		driver_fill(out, sizeof(out), number * 100 + i);
		wrong += rte_edu_dma_write(d->edu, number * 512, out, sizeof(out),
			DRIVER_TIMEOUT_MS) != 0;
		wrong += rte_edu_dma_read(d->edu, number * 512, in, sizeof(in),
			DRIVER_TIMEOUT_MS) != 0;
		wrong += memcmp(in, out, sizeof(out)) != 0;
	}
	return wrong;
}

static void
threads_transfer_at_once(struct driver_device *d)
{
	struct driver_device *const same[] = { d, d, d };

	driver_threads(same, RTE_DIM(same), use_dma);
}

#define DMA DRIVER_NEED(DMA)

const struct driver_test driver_tests_dma[] = {
	DRIVER_TEST(transfers_of_every_size_and_alignment, DMA),
	DRIVER_TEST(transfers_reach_the_last_byte, DMA | DRIVER_NEED(LAST_BYTE)),
	DRIVER_TEST(a_transfer_keeps_what_it_does_not_touch, DMA),
	DRIVER_TEST(ranges_outside_the_buffer_are_refused, 0),
	DRIVER_TEST(addresses_beyond_the_mask_are_refused, 0),
	DRIVER_TEST(memory_of_eal_is_reached_where_it_is_mapped, DMA | DRIVER_NEED(IOVA)),
	DRIVER_TEST(memory_that_was_taken_back_is_not_reached, DMA | DRIVER_NEED(IOVA)),
	DRIVER_TEST(part_of_what_is_mapped_can_be_taken_back, DMA | DRIVER_NEED(IOVA)),
	DRIVER_TEST(neighbours_can_be_taken_back_at_once, DMA | DRIVER_NEED(IOVA)),
	DRIVER_TEST(memory_that_is_mapped_again_is_mapped_once, DMA | DRIVER_NEED(IOVA)),
	DRIVER_TEST(what_is_not_mapped_so_cannot_be_taken_back, DMA | DRIVER_NEED(IOVA)),
	DRIVER_TEST(memory_of_the_program_is_reached_too,
		DMA | DRIVER_NEED(IOVA) | DRIVER_NEED(OWN_MEMORY)),
	DRIVER_TEST(memory_that_eal_does_not_know_is_not_mapped, DMA | DRIVER_NEED(IOVA)),
	DRIVER_TEST(memory_of_eal_is_reached_by_its_own_address, DMA),
	DRIVER_TEST(threads_transfer_at_once, DMA),
	{ .name = NULL },
};
