/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_served.h"

#include "test.h"
#include "vu_feature.h"

/* ---- region I/O descriptors ---- */

static int
io_fds(struct vu_peer *peer, uint32_t index, uint32_t argsz)
{
	const uint32_t request[4] = { argsz, 0, index, 0 };

	return peer_call(peer, VU_GET_REGION_IO_FDS, request, sizeof(request));
}

static const struct rte_vfio_user_io_fd io_fd_template[] = {
	{ .region = SERVED_REGS, .offset = 16, .size = 4, .flags = 1, .datamatch = 0xdead,
		.shadow_fd = -1 },
	{ .region = SERVED_REGS, .offset = 32, .shadow_fd = -1 },
	{ .region = SERVED_MEM, .offset = 0, .size = 8, .shadow_fd = -1 },
	{ .region = SERVED_REGS, .offset = 64, .size = 2, .shadow_offset = 24 },
};

static void
set_io_fds(struct served *served, int *fd, int *shadow)
{
	struct rte_vfio_user_io_fd list[4];
	int i;

	memcpy(list, io_fd_template, sizeof(list));
	*fd = peer_memory(1);
	*shadow = peer_memory(PAGE);
	for (i = 0; i < 4; i++)
		list[i].fd = *fd;
	list[3].shadow_fd = *shadow;
	assert_int_equal(rte_vfio_user_set_io_fds(served->dev_id, list, 4), 0);
	list[0].offset = 4093;
	assert_int_equal(rte_vfio_user_set_io_fds(served->dev_id, list, 4), -EINVAL);
	list[0].region = SERVED_REGIONS;
	assert_int_equal(rte_vfio_user_set_io_fds(served->dev_id, list, 4), -EINVAL);
}

static void
test_io_fds_in_the_layout_of_the_specification(void **state)
{
	struct served *served = *state;
	struct vu_ioeventfd entry[3];
	uint32_t head[4];
	struct vu_peer peer;
	int fd, shadow;

	set_io_fds(served, &fd, &shadow);
	peer_open(&peer, served->path);
	assert_int_equal(io_fds(&peer, SERVED_REGS, 16), 0);
	assert_int_equal(peer.len, 16);
	assert_int_equal(peer.nb_fds, 0);
	memcpy(head, peer.payload, 16);
	assert_int_equal(head[0], 16 + 3 * 40);
	assert_int_equal(head[3], 3);
	assert_int_equal(io_fds(&peer, SERVED_REGS, head[0]), 0);
	assert_int_equal(peer.len, 16 + 3 * 40);
	assert_int_equal(peer.nb_fds, 1);
	memcpy(entry, peer.payload + 16, sizeof(entry));
	assert_int_equal(entry[0].offset, 16);
	assert_int_equal(entry[0].size, 4);
	assert_int_equal(entry[0].type, VU_IO_FD_IOEVENTFD);
	assert_int_equal(entry[0].flags, 1);
	assert_int_equal(entry[0].datamatch, 0xdead);
	assert_int_equal(entry[2].offset, 64);
	assert_int_equal(entry[2].type, VU_IO_FD_IOEVENTFD);
	assert_int_equal(io_fds(&peer, SERVED_CONFIG, 16), 0);
	memcpy(head, peer.payload, 16);
	assert_int_equal(head[0], 16);
	assert_int_equal(head[3], 0);
	assert_int_equal(io_fds(&peer, SERVED_REGIONS, 16), EINVAL);
	assert_int_equal(io_fds(&peer, SERVED_REGS, 15), EINVAL);
	assert_int_equal(rte_vfio_user_set_io_fds(served->dev_id, NULL, 0), 0);
	assert_int_equal(io_fds(&peer, SERVED_REGS, 4096), 0);
	assert_int_equal(peer.len, 16);
	peer_close(&peer);
	close(fd);
	close(shadow);
}

static void
test_io_fds_with_shadows_in_the_other_layout(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt),
		.flags = RTE_VFIO_USER_F_LVU_IOFDS };
	struct served *served = *state;
	struct vu_ioeventfd_shadow entry[3];
	struct vu_peer peer;
	int fd, shadow;

	served_stop(served);
	memset(served, 0, offsetof(struct served, before));
	served->new_device = served->destroy_device = 0;
	served_start(served, &opt);
	set_io_fds(served, &fd, &shadow);
	peer_open(&peer, served->path);
	assert_int_equal(io_fds(&peer, SERVED_REGS, 4096), 0);
	assert_int_equal(peer.len, 16 + 3 * 48);
	assert_int_equal(peer.nb_fds, 2);
	memcpy(entry, peer.payload + 16, sizeof(entry));
	assert_int_equal(entry[0].datamatch, 0xdead);
	assert_int_equal(entry[2].type, VU_IO_FD_IOEVENTFD_SHADOW);
	assert_int_equal(entry[2].shadow_fd_index, 1);
	assert_int_equal(entry[2].shadow_offset, 24);
	peer_close(&peer);
	/* a client that takes one descriptor gets what one can serve */
	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, "{}"), 0);
	assert_int_equal(io_fds(&peer, SERVED_REGS, 4096), 0);
	assert_int_equal(peer.nb_fds, 1);
	assert_int_equal(peer.len, 16 + 2 * 48);
	peer_close(&peer);
	close(fd);
	close(shadow);
}

/* ---- before the start ---- */

#define ROUNDS 2000u

static const char early[] = "io-fds";	/* a session that is never started */
static atomic_bool described;

/* With one region or with two. */
static void
describe(uint32_t nb)
{
	static uint8_t memory[PAGE];
	struct vfio_region_info info[2];
	struct rte_vfio_user_regions *regions;
	uint32_t i;

	regions = calloc(1, sizeof(*regions) + nb * sizeof(regions->reg_info[0]));
	assert_non_null(regions);
	regions->reg_num = nb;
	for (i = 0; i < nb; i++) {
		info[i] = (struct vfio_region_info){ .argsz = sizeof(info[i]), .index = i,
			.flags = VFIO_REGION_INFO_FLAG_READ, .size = sizeof(memory) };
		regions->reg_info[i] = (struct rte_vfio_user_reg_info){
			.base = memory, .fd = -1, .info = &info[i],
		};
	}
	assert_int_equal(rte_vfio_user_set_reg_info(early, regions), 0);
	free(regions);
}

static void *
describe_again(void *arg)
{
	uint32_t i;

	for (i = 0; i < ROUNDS; i++)
		describe(2 - i % 2);
	atomic_store(&described, true);
	return arg;
}

/* The region of the second entry comes and goes. */
static void
test_io_fds_are_offered_while_regions_are_described(void **state)
{
	static const struct rte_vfio_user_io_fd list[] = {
		{ .region = 0, .shadow_fd = -1 },
		{ .region = 1, .offset = PAGE - 8, .size = 8, .shadow_fd = -1 },
	};
	pthread_t thread;
	int id, rc;

	(void)state;
	assert_int_equal(rte_vfio_user_register(early, NULL), 0);
	id = rte_vfio_user_dev_id(early);
	describe(2);
	atomic_store(&described, false);
	assert_int_equal(pthread_create(&thread, NULL, describe_again, NULL), 0);
	do {
		assert_int_equal(rte_vfio_user_set_io_fds(id, list, 1), 0);
		rc = rte_vfio_user_set_io_fds(id, list, 2);
		assert_true(rc == 0 || rc == -EINVAL);
	} while (!atomic_load(&described));
	pthread_join(thread, NULL);
	assert_int_equal(rte_vfio_user_set_io_fds(id, list, 2), -EINVAL);
	assert_int_equal(rte_vfio_user_unregister(early), 0);
}

static const struct CMUnitTest tests[] = {
	SERVED_TEST(test_io_fds_in_the_layout_of_the_specification),
	SERVED_TEST(test_io_fds_with_shadows_in_the_other_layout),
	cmocka_unit_test(test_io_fds_are_offered_while_regions_are_described),
};

TEST_SUITE(vu_server_io_fds, "functional", tests, served_warm_up, NULL)
