/* SPDX-License-Identifier: BSD-3-Clause */

/* DEVICE_GET_REGION_INFO, from our client to our server. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_pair.h"

#define READ  VFIO_REGION_INFO_FLAG_READ
#define WRITE VFIO_REGION_INFO_FLAG_WRITE
#define MAP   VFIO_REGION_INFO_FLAG_MMAP
#define CAPS  VFIO_REGION_INFO_FLAG_CAPS

static void
test_regions_are_as_described(void **state)
{
	static const struct {
		uint64_t size;
		uint32_t flags;
	} expected[SERVED_REGIONS] = {
		[SERVED_REGS] = { 4096, READ | WRITE },
		[SERVED_MEM] = { 65536, READ | WRITE },
		[SERVED_MAPPABLE] = { 65536, READ | WRITE | MAP },
		[SERVED_LARGE] = { 2u << 20, READ | WRITE },
		[SERVED_ROM] = { 4096, READ },
		[SERVED_WHOLE] = { 65536, READ | WRITE | MAP },
		[SERVED_CONFIG] = { 256, READ | WRITE },
		[SERVED_SINK] = { 2u << 20, READ | WRITE },
	};
	struct pair *pair = *state;
	struct vfio_region_info info;
	uint32_t i;

	for (i = 0; i < SERVED_REGIONS; i++) {
		info = (struct vfio_region_info) { .argsz = sizeof(info), .index = i };
		assert_int_equal(rte_vfio_user_get_reg_info(pair->dev_id, &info, NULL), 0);
		assert_int_equal(info.index, i);
		assert_int_equal(info.size, expected[i].size);
		assert_int_equal(info.flags, expected[i].flags);
	}
	info = (struct vfio_region_info) { .argsz = sizeof(info), .index = SERVED_REGIONS };
	assert_int_equal(rte_vfio_user_get_reg_info(pair->dev_id, &info, NULL), -EINVAL);
	info = (struct vfio_region_info) { .argsz = sizeof(info) - 1 };
	assert_int_equal(rte_vfio_user_get_reg_info(pair->dev_id, &info, NULL), -EINVAL);
}

static void
test_sparse_areas_are_asked_for_twice(void **state)
{
	struct {
		struct vfio_region_info info;
		uint8_t rest[64];
	} reg = { .info = { .argsz = sizeof(reg.info), .index = SERVED_MAPPABLE } };
	const struct vfio_region_info_cap_sparse_mmap *cap = (void *)reg.rest;
	struct pair *pair = *state;
	int fd = 0;

	assert_int_equal(rte_vfio_user_get_reg_info(pair->dev_id, &reg.info, &fd), 0);
	assert_int_equal(reg.info.flags & CAPS, 0);
	/* the descriptor comes with the full answer only */
	assert_int_equal(fd, -1);
	assert_int_equal(reg.info.argsz, 32 + 16 + 2 * 16);
	assert_int_equal(rte_vfio_user_get_reg_info(pair->dev_id, &reg.info, &fd), 0);
	assert_int_equal(reg.info.flags & CAPS, CAPS);
	assert_int_equal(reg.info.cap_offset, 32);
	assert_int_equal(cap->header.id, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	assert_int_equal(cap->nr_areas, 2);
	assert_int_equal(cap->areas[1].offset, 32768);
	assert_int_equal(cap->areas[1].size, 8192);
	assert_true(fd >= 0);
	close(fd);
}

static void
test_region_is_mapped_from_its_descriptor(void **state)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = SERVED_WHOLE };
	struct pair *pair = *state;
	uint8_t *map, got[4];
	int fd;

	assert_int_equal(rte_vfio_user_get_reg_info(pair->dev_id, &info, &fd), 0);
	map = mmap(NULL, info.size, PAIR_RW, MAP_SHARED, fd, (off_t)info.offset);
	assert_ptr_not_equal(map, MAP_FAILED);
	memcpy(map + 100, "seen", 4);
	assert_int_equal(rte_vfio_user_region_read(pair->dev_id, SERVED_WHOLE, 100, 4, got), 0);
	assert_memory_equal(got, "seen", 4);
	assert_int_equal(rte_vfio_user_region_write(pair->dev_id, SERVED_WHOLE, 65532, 4, "last"),
		0);
	assert_memory_equal(map + 65532, "last", 4);
	munmap(map, info.size);
	close(fd);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS(test_regions_are_as_described),
	PAIR_TESTS(test_sparse_areas_are_asked_for_twice),
	PAIR_TESTS(test_region_is_mapped_from_its_descriptor),
};

TEST_SUITE(vu_pair_get_region_info, "functional", tests, served_warm_up, NULL)
