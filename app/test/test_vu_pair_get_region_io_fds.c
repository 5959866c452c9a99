/* SPDX-License-Identifier: BSD-3-Clause */

/* DEVICE_GET_REGION_IO_FDS, from our client to our server. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_pair.h"

#define MANY 40u

static void
fds_close(const struct rte_vfio_user_io_fd *list, int nb)
{
	while (nb-- > 0) {
		close(list[nb].fd);
		if (list[nb].shadow_fd >= 0)
			close(list[nb].shadow_fd);
	}
}

/* What is written to a descriptor at one end can be read at the other. */
static void
expect_same_event(int ours, int theirs)
{
	uint64_t count = 3;

	assert_int_equal(write(theirs, &count, sizeof(count)), sizeof(count));
	assert_int_equal(read(ours, &count, sizeof(count)), sizeof(count));
	assert_int_equal(count, 3);
}

static void
test_parts_of_a_region(void **state)
{
	int event = eventfd(0, EFD_CLOEXEC), other = eventfd(0, EFD_CLOEXEC);
	const struct rte_vfio_user_io_fd offered[] = {
		{ .region = SERVED_REGS, .offset = 16, .size = 4, .flags = 1, .datamatch = 0xdead,
			.fd = event, .shadow_fd = -1 },
		{ .region = SERVED_MEM, .offset = 0, .fd = other, .shadow_fd = -1 },
		{ .region = SERVED_REGS, .offset = 4095, .fd = event, .shadow_fd = -1 },
	};
	struct rte_vfio_user_io_fd got[3];
	struct pair *pair = *state;

	assert_int_equal(rte_vfio_user_get_io_fds(pair->dev_id, SERVED_REGS, got, 3), 0);
	assert_int_equal(rte_vfio_user_set_io_fds(pair->served.dev_id, offered, 3), 0);
	/* it tells how many there are */
	assert_int_equal(rte_vfio_user_get_io_fds(pair->dev_id, SERVED_REGS, NULL, 0), 2);
	assert_int_equal(rte_vfio_user_get_io_fds(pair->dev_id, SERVED_REGS, got, 3), 2);
	assert_int_equal(got[0].region, SERVED_REGS);
	assert_int_equal(got[0].offset, 16);
	assert_int_equal(got[0].size, 4);
	assert_int_equal(got[0].flags, 1);
	assert_true(got[0].datamatch == 0xdead);
	assert_int_equal(got[0].shadow_fd, -1);
	assert_int_equal(got[1].offset, 4095);
	assert_int_equal(got[1].size, 0);
	expect_same_event(event, got[0].fd);
	expect_same_event(event, got[1].fd);
	fds_close(got, 2);
	assert_int_equal(rte_vfio_user_get_io_fds(pair->dev_id, SERVED_MEM, got, 3), 1);
	expect_same_event(other, got[0].fd);
	fds_close(got, 1);
	assert_int_equal(rte_vfio_user_set_io_fds(pair->served.dev_id, NULL, 0), 0);
	assert_int_equal(rte_vfio_user_get_io_fds(pair->dev_id, SERVED_REGS, got, 3), 0);
	close(event);
	close(other);
}

static void
test_what_is_refused(void **state)
{
	struct rte_vfio_user_io_fd one = { .region = SERVED_REGS, .offset = 4096, .fd = 0,
		.shadow_fd = -1 };
	struct pair *pair = *state;

	/* a byte that there is not */
	assert_int_equal(rte_vfio_user_set_io_fds(pair->served.dev_id, &one, 1), -EINVAL);
	one.offset = 4094;
	one.size = 4;
	assert_int_equal(rte_vfio_user_set_io_fds(pair->served.dev_id, &one, 1), -EINVAL);
	one.region = SERVED_REGIONS;
	assert_int_equal(rte_vfio_user_set_io_fds(pair->served.dev_id, &one, 1), -EINVAL);
	assert_int_equal(rte_vfio_user_get_io_fds(pair->dev_id, SERVED_REGIONS, &one, 1), -EINVAL);
}

/* More than a client asks for at first. */
static void
test_many_parts_that_share_a_descriptor(void **state)
{
	struct rte_vfio_user_io_fd list[MANY];
	int event = eventfd(0, EFD_CLOEXEC);
	struct pair *pair = *state;
	uint32_t i;

	for (i = 0; i < MANY; i++)
		list[i] = (struct rte_vfio_user_io_fd) { .region = SERVED_REGS, .offset = 4 * i,
			.size = 4, .fd = event, .shadow_fd = -1 };
	assert_int_equal(rte_vfio_user_set_io_fds(pair->served.dev_id, list, MANY), 0);
	memset(list, 0, sizeof(list));
	assert_int_equal(rte_vfio_user_get_io_fds(pair->dev_id, SERVED_REGS, list, MANY), MANY);
	for (i = 0; i < MANY; i++) {
		assert_int_equal(list[i].offset, 4 * i);
		expect_same_event(event, list[i].fd);
	}
	fds_close(list, MANY);
	close(event);
}

static struct pair_how shadows = { .server = { .flags = RTE_VFIO_USER_F_LVU_IOFDS } };

static void
test_shadow_of_what_is_written(void **state)
{
	int event = eventfd(0, EFD_CLOEXEC), memory = peer_memory(PAIR_PAGE);
	const struct rte_vfio_user_io_fd offered = { .region = SERVED_REGS, .offset = 8, .size = 4,
		.fd = event, .shadow_fd = memory, .shadow_offset = 24 };
	struct rte_vfio_user_io_fd got;
	struct pair *pair = *state;
	char value[4];

	assert_int_equal(rte_vfio_user_set_io_fds(pair->served.dev_id, &offered, 1), 0);
	assert_int_equal(rte_vfio_user_get_io_fds(pair->dev_id, SERVED_REGS, &got, 1), 1);
	assert_int_equal(got.shadow_offset, 24);
	assert_int_equal(pwrite(got.shadow_fd, "data", 4, 24), 4);
	assert_int_equal(pread(memory, value, 4, 24), 4);
	assert_memory_equal(value, "data", 4);
	fds_close(&got, 1);
	close(event);
	close(memory);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS(test_parts_of_a_region),
	PAIR_TESTS(test_what_is_refused),
	PAIR_TESTS(test_many_parts_that_share_a_descriptor),
	PAIR_TESTS_HOW(test_shadow_of_what_is_written, &shadows),
};

TEST_SUITE(vu_pair_get_region_io_fds, "functional", tests, served_warm_up, NULL)
