/* SPDX-License-Identifier: BSD-3-Clause */

/* DEVICE_FEATURE, dirty pages, migration at a served device. Protocol reference 5.12, 5.13. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_served.h"

#include "test.h"

#define RW   (VU_DMA_F_READ | VU_DMA_F_WRITE)
#define PAGE 4096u

#define GET   0x10000u
#define SET   0x20000u
#define PROBE 0x40000u

#define MIGRATION 1u
#define STATE     2u
#define START     6u
#define STOP      7u
#define REPORT    8u

enum { S_ERROR, S_STOP, S_RUNNING, S_STOP_COPY, S_RESUMING, S_P2P, S_PRE_COPY, S_PRE_COPY_P2P };

static int
feature(struct vu_peer *peer, uint32_t flags, uint32_t argsz, const void *data, size_t len)
{
	uint8_t payload[256];

	memcpy(payload, &argsz, 4);
	memcpy(payload + 4, &flags, 4);
	if (len > 0)
		memcpy(payload + 8, data, len);
	return peer_call(peer, VU_FEATURE, payload, 8 + len);
}

/* ---- migration ---- */

static uint32_t steps[16];
static unsigned int nb_steps;
static int step_error;
static uint32_t step_fails;	/* the step to this state */
static char saved[64];
static size_t saved_at;

static int
on_set_state(int dev_id, uint32_t state)
{
	(void)dev_id;
	if (step_error != 0 && state == step_fails)
		return step_error;
	assert_true(nb_steps < RTE_DIM(steps));
	steps[nb_steps++] = state;
	return 0;
}

static ssize_t
on_read_data(int dev_id, void *buf, size_t len)
{
	size_t n = RTE_MIN(len, sizeof(saved) - saved_at);

	(void)dev_id;
	memcpy(buf, saved + saved_at, n);
	saved_at += n;
	return (ssize_t)n;
}

static ssize_t
on_write_data(int dev_id, const void *buf, size_t len)
{
	(void)dev_id;
	if (len > sizeof(saved))
		return -EFBIG;
	memcpy(saved, buf, len);
	return (ssize_t)len;
}

static int
migratable_setup(void **state, uint64_t flags)
{
	const struct rte_vfio_user_migration_ops ops = {
		.flags = flags,
		.set_state = on_set_state,
		.read_data = on_read_data,
		.write_data = on_write_data,
	};
	struct served *served = calloc(1, sizeof(*served));
	char path[96];

	nb_steps = 0;
	saved_at = 0;
	step_error = 0;
	resources_take(&served->before);
	strcpy(served->dir, "/tmp/vu-test-XXXXXX");
	assert_non_null(mkdtemp(served->dir));
	snprintf(path, sizeof(path), "%s/sock", served->dir);
	served_register(served, path, NULL);
	assert_int_equal(rte_vfio_user_set_migration(served->path, &ops), 0);
	assert_int_equal(rte_vfio_user_start(served->path), 0);
	*state = served;
	return 0;
}

static int
setup(void **state)
{
	return migratable_setup(state, 1 | 4);
}

static int
setup_without_pre_copy(void **state)
{
	return migratable_setup(state, 1);
}

static int
set_state(struct vu_peer *peer, uint32_t state)
{
	const uint32_t data[2] = { state, 0 };
	int err = feature(peer, SET | STATE, 16, data, sizeof(data));

	if (err == 0) {
		assert_int_equal(peer->len, 16);
		assert_memory_equal(peer->payload + 8, data, sizeof(data));
	}
	return err;
}

static uint32_t
get_state(struct vu_peer *peer)
{
	uint32_t state;

	assert_int_equal(feature(peer, GET | STATE, 16, NULL, 0), 0);
	assert_int_equal(peer->len, 16);
	memcpy(&state, peer->payload + 8, sizeof(state));
	return state;
}

static void
test_migration_flags_and_probes(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	uint64_t flags;

	peer_open(&peer, served->path);
	assert_int_equal(feature(&peer, GET | MIGRATION, 16, NULL, 0), 0);
	memcpy(&flags, peer.payload + 8, 8);
	assert_int_equal(flags, 5);
	assert_int_equal(feature(&peer, PROBE | MIGRATION | GET, 8, NULL, 0), 0);
	assert_int_equal(feature(&peer, PROBE | MIGRATION | SET, 8, NULL, 0), EINVAL);
	assert_int_equal(feature(&peer, PROBE | STATE | GET | SET, 8, NULL, 0), 0);
	assert_int_equal(feature(&peer, PROBE | START | SET, 8, NULL, 0), 0);
	assert_int_equal(feature(&peer, PROBE | REPORT | GET, 8, NULL, 0), 0);
	assert_int_equal(feature(&peer, GET | SET | STATE, 16, "01234567", 8), EINVAL);
	assert_int_equal(feature(&peer, GET | 3, 16, NULL, 0), EINVAL);
	assert_int_equal(feature(&peer, GET | 0xffff, 16, NULL, 0), EINVAL);
	assert_int_equal(feature(&peer, STATE, 16, NULL, 0), EINVAL);
	peer_close(&peer);
}

/* Protocol reference 5.13: the shortest chain without a saving state in its interior. */
static void
test_states_are_reached_by_single_steps(void **state)
{
	static const struct {
		uint32_t to;
		int err;
		uint32_t steps[4];
		unsigned int nb;
	} cases[] = {
		{ S_RUNNING, 0, { 0 }, 0 },
		{ S_STOP_COPY, 0, { S_STOP, S_STOP_COPY }, 2 },
		{ S_PRE_COPY, EINVAL, { 0 }, 0 },
		{ S_RUNNING, 0, { S_STOP, S_RUNNING }, 2 },
		{ S_PRE_COPY, 0, { S_PRE_COPY }, 1 },
		{ S_STOP_COPY, 0, { S_STOP_COPY }, 1 },
		{ S_RESUMING, 0, { S_STOP, S_RESUMING }, 2 },
		{ S_PRE_COPY, 0, { S_STOP, S_RUNNING, S_PRE_COPY }, 3 },
		{ S_RESUMING, 0, { S_RUNNING, S_STOP, S_RESUMING }, 3 },
		{ S_ERROR, EINVAL, { 0 }, 0 },
		{ S_P2P, EINVAL, { 0 }, 0 },
		{ S_PRE_COPY_P2P, EINVAL, { 0 }, 0 },
		{ 8, EINVAL, { 0 }, 0 },
		{ UINT32_MAX, EINVAL, { 0 }, 0 },
		{ S_RUNNING, 0, { S_STOP, S_RUNNING }, 2 },
	};
	struct served *served = *state;
	struct vu_peer peer;
	size_t i;

	peer_open(&peer, served->path);
	assert_int_equal(get_state(&peer), S_RUNNING);
	for (i = 0; i < RTE_DIM(cases); i++) {
		nb_steps = 0;
		assert_int_equal(set_state(&peer, cases[i].to), cases[i].err);
		assert_int_equal(nb_steps, cases[i].nb);
		assert_memory_equal(steps, cases[i].steps, cases[i].nb * sizeof(steps[0]));
		if (cases[i].err == 0)
			assert_int_equal(get_state(&peer), cases[i].to);
	}
	peer_close(&peer);
}

static void
test_step_that_fails(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;

	peer_open(&peer, served->path);
	step_fails = S_STOP_COPY;
	step_error = -ENOSPC;
	assert_int_equal(set_state(&peer, S_STOP_COPY), ENOSPC);
	assert_int_equal(get_state(&peer), S_STOP);
	step_error = -ENOTRECOVERABLE;
	assert_int_equal(set_state(&peer, S_STOP_COPY), ENOTRECOVERABLE);
	assert_int_equal(get_state(&peer), S_ERROR);
	assert_int_equal(set_state(&peer, S_RUNNING), EINVAL);
	assert_int_equal(peer_call(&peer, VU_RESET, NULL, 0), 0);
	assert_int_equal(get_state(&peer), S_RUNNING);
	peer_close(&peer);
}

static void
test_no_pre_copy_unless_the_device_has_it(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;

	peer_open(&peer, served->path);
	assert_int_equal(set_state(&peer, S_PRE_COPY), EINVAL);
	assert_int_equal(set_state(&peer, S_STOP_COPY), 0);
	peer_close(&peer);
}

static void
test_state_data_are_read_and_written(void **state)
{
	struct served *served = *state;
	uint32_t request[2] = { 8 + 40, 40 };
	uint8_t load[8 + 10] = { 18, 0, 0, 0, 10, 0, 0, 0, 'd', 'e', 'v' };
	struct vu_peer peer;
	uint32_t size;

	memset(saved, 's', sizeof(saved));
	peer_open(&peer, served->path);
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_READ, request, 8), EINVAL);
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_WRITE, load, sizeof(load)), EINVAL);
	assert_int_equal(set_state(&peer, S_STOP_COPY), 0);
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_READ, request, 8), 0);
	assert_int_equal(peer.len, 48);
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_READ, request, 8), 0);
	memcpy(&size, peer.payload + 4, 4);
	assert_int_equal(size, 24);
	assert_int_equal(peer.len, 32);
	assert_int_equal(peer.payload[8], 's');
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_READ, request, 8), 0);
	memcpy(&size, peer.payload + 4, 4);
	assert_int_equal(size, 0);
	request[1] = 1048577;
	request[0] = UINT32_MAX;
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_READ, request, 8), EINVAL);
	assert_int_equal(set_state(&peer, S_RESUMING), 0);
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_WRITE, load, sizeof(load)), 0);
	assert_int_equal(peer.len, 0);
	assert_memory_equal(saved, "dev", 3);
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_WRITE, load, sizeof(load) - 1), EINVAL);
	peer_close(&peer);
}

static void
test_device_without_migration(void **state)
{
	struct served *served = *state;
	uint32_t request[2] = { 8 + 40, 40 };
	struct vu_peer peer;

	peer_open(&peer, served->path);
	assert_int_equal(feature(&peer, GET | MIGRATION, 16, NULL, 0), EINVAL);
	assert_int_equal(feature(&peer, PROBE | STATE | GET, 16, NULL, 0), EINVAL);
	assert_int_equal(set_state(&peer, S_STOP), EINVAL);
	assert_int_equal(peer_call(&peer, VU_MIG_DATA_READ, request, 8), EINVAL);
	peer_close(&peer);
}

/* ---- dirty pages ---- */

static int
report(struct vu_peer *peer, uint64_t addr, uint64_t len, uint64_t pgsize, uint64_t *words,
	size_t nb)
{
	const uint64_t data[3] = { addr, len, pgsize };
	int err = feature(peer, GET | REPORT, (uint32_t)(8 + 24 + 8 * nb), data, sizeof(data));

	if (err != 0)
		return err;
	assert_int_equal(peer->len, 8 + 24 + 8 * nb);
	assert_memory_equal(peer->payload + 8, data, sizeof(data));
	memcpy(words, peer->payload + 32, 8 * nb);
	return 0;
}

static void
test_dirty_pages_are_reported_once(void **state)
{
	struct served *served = *state;
	const uint64_t start[2] = { PAGE, 0 };
	int fd = peer_memory(128 * PAGE);
	uint64_t words[2];
	struct vu_peer peer;

	peer_open(&peer, served->path);
	assert_int_equal(peer_map(&peer, 0, 128 * PAGE, RW, fd, 0), 0);
	assert_int_not_equal(report(&peer, 0, 128 * PAGE, PAGE, words, 2), 0);
	assert_int_equal(feature(&peer, SET | START, 24, start, sizeof(start)), 0);
	assert_int_equal(peer.len, 24);
	assert_int_equal(rte_vfio_user_dma_write(served->dev_id, 3 * PAGE - 1, "ab", 2), 0);
	rte_vfio_user_dma_dirty(served->dev_id, 100 * PAGE, 1);
	assert_int_equal(report(&peer, 0, 128 * PAGE, PAGE, words, 2), 0);
	assert_int_equal(words[0], 0xc);
	assert_int_equal(words[1], 1ull << 36);
	assert_int_equal(report(&peer, 0, 128 * PAGE, PAGE, words, 2), 0);
	assert_int_equal(words[0] | words[1], 0);
	rte_vfio_user_dma_dirty(served->dev_id, 5 * PAGE, 1);
	assert_int_equal(report(&peer, 0, 128 * PAGE, 4 * PAGE, words, 1), 0);
	assert_int_equal(words[0], 2);
	assert_int_equal(feature(&peer, SET | STOP, 8, NULL, 0), 0);
	assert_int_not_equal(report(&peer, 0, 128 * PAGE, PAGE, words, 2), 0);
	peer_close(&peer);
	close(fd);
}

static void
test_reports_that_are_refused(void **state)
{
	struct served *served = *state;
	const uint64_t start[2] = { PAGE, 0 };
	const uint64_t odd[2] = { 3, 0 };
	const uint64_t whole[3] = { 0, 128 * PAGE, PAGE };
	int fd = peer_memory(128 * PAGE);
	uint64_t words[2];
	struct vu_peer peer;

	peer_open(&peer, served->path);
	assert_int_equal(peer_map(&peer, 0, 128 * PAGE, RW, fd, 0), 0);
	assert_int_equal(feature(&peer, SET | START, 24, odd, sizeof(odd)), EINVAL);
	assert_int_equal(feature(&peer, SET | START, 24, start, 8), EINVAL);
	assert_int_equal(feature(&peer, SET | START, 24, start, sizeof(start)), 0);
	assert_int_equal(feature(&peer, SET | START, 24, start, sizeof(start)), EINVAL);
	assert_int_equal(report(&peer, 0, 0, PAGE, words, 2), EINVAL);
	assert_int_equal(report(&peer, UINT64_MAX, 2, PAGE, words, 2), EINVAL);
	assert_int_equal(report(&peer, 0, 128 * PAGE, 3, words, 2), EINVAL);
	assert_int_equal(report(&peer, 0, 128 * PAGE, 1, words, 2), EINVAL);
	assert_int_equal(report(&peer, 0, 1ull << 60, PAGE, words, 2), EINVAL);
	assert_int_equal(report(&peer, 1 << 30, PAGE, PAGE, words, 1), ENOENT);
	assert_int_equal(feature(&peer, GET | REPORT, 8 + 24 + 15, whole, sizeof(whole)), EINVAL);
	peer_close(&peer);
	close(fd);
}

/* Its client sees each write; the range may be of a size that no bitmap could have. */
static void
test_memory_reached_by_messages_is_not_tracked(void **state)
{
	struct served *served = *state;
	const uint64_t start[2] = { PAGE, 0 };
	struct vu_peer peer;
	uint64_t words[2];

	peer_open(&peer, served->path);
	assert_int_equal(peer_map(&peer, 0, UINT64_C(1) << 62, RW, -1, 0), 0);
	assert_int_equal(feature(&peer, SET | START, 24, start, sizeof(start)), 0);
	rte_vfio_user_dma_dirty(served->dev_id, 5 * PAGE, 1);
	assert_int_equal(report(&peer, 0, 128 * PAGE, PAGE, words, 2), 0);
	assert_int_equal(words[0] | words[1], 0);
	peer_close(&peer);
}

static void
test_unmap_gives_the_last_dirty_pages(void **state)
{
	struct served *served = *state;
	const uint64_t start[2] = { PAGE, 0 };
	struct {
		struct vu_dma_unmap unmap;
		struct vu_bitmap bitmap;
	} request = {
		.unmap = { .argsz = 56, .flags = VU_UNMAP_F_BITMAP, .size = 128 * PAGE },
		.bitmap = { .pgsize = PAGE, .size = 16 },
	};
	int fd = peer_memory(128 * PAGE);
	struct vu_peer peer;
	uint64_t words[2];

	peer_open(&peer, served->path);
	assert_int_equal(peer_map(&peer, 0, 128 * PAGE, RW, fd, 0), 0);
	assert_int_equal(peer_call(&peer, VU_DMA_UNMAP, &request, sizeof(request)), EINVAL);
	assert_int_equal(feature(&peer, SET | START, 24, start, sizeof(start)), 0);
	rte_vfio_user_dma_dirty(served->dev_id, 64 * PAGE, 1);
	request.unmap.argsz = 55;
	assert_int_equal(peer_call(&peer, VU_DMA_UNMAP, &request, sizeof(request)), EINVAL);
	request.unmap.argsz = 56;
	request.bitmap.size = 24;
	assert_int_equal(peer_call(&peer, VU_DMA_UNMAP, &request, sizeof(request)), EINVAL);
	request.bitmap.size = 16;
	assert_int_equal(peer_call(&peer, VU_DMA_UNMAP, &request, 24), EINVAL);
	assert_int_equal(peer_call(&peer, VU_DMA_UNMAP, &request, sizeof(request)), 0);
	assert_int_equal(peer.len, 56);
	memcpy(words, peer.payload + 40, 16);
	assert_int_equal(words[0], 0);
	assert_int_equal(words[1], 1);
	assert_null(rte_vfio_user_get_mem_table(served->dev_id));
	assert_int_equal(peer_call(&peer, VU_DMA_UNMAP, &request, sizeof(request)), ENOENT);
	peer_close(&peer);
	close(fd);
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)
#define MIG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, served_teardown)

static const struct CMUnitTest tests[] = {
	MIG_TEST(test_migration_flags_and_probes),
	MIG_TEST(test_states_are_reached_by_single_steps),
	MIG_TEST(test_step_that_fails),
	cmocka_unit_test_setup_teardown(test_no_pre_copy_unless_the_device_has_it,
		setup_without_pre_copy, served_teardown),
	MIG_TEST(test_state_data_are_read_and_written),
	TEST(test_device_without_migration),
	TEST(test_dirty_pages_are_reported_once),
	TEST(test_reports_that_are_refused),
	TEST(test_memory_reached_by_messages_is_not_tracked),
	TEST(test_unmap_gives_the_last_dirty_pages),
	TEST(test_io_fds_in_the_layout_of_the_specification),
	TEST(test_io_fds_with_shadows_in_the_other_layout),
};

TEST_SUITE(vu_server_feature, "functional", tests, served_warm_up, NULL)
