/* SPDX-License-Identifier: BSD-3-Clause */

/* Commands that want no reply. Protocol reference 6.2. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>

#include "../../lib/vfio_user/vu_cmd.h"
#include "../../lib/vfio_user/vu_codec.h"

#include "test.h"
#include "vu_pair.h"
#include "vu_served.h"

#define PAGE 4096u
#define JSON "{\"capabilities\":{\"max_msg_fds\":16,\"write_multiple\":true," \
	"\"dpdk_map_multiple\":true}}"

/* A device that does all there is, and its client. */
struct scene {
	struct resources before;
	struct served served;
	struct vu_peer peer;
	int memory, event;
};

/* A command, and how the device tells that it was carried out; NULL: nothing to be seen. */
struct silent_case {
	const char *name;
	uint16_t cmd;
	int fd;	/* which descriptor of the scene goes with it */
	const void *payload;
	size_t len;
	bool (*done)(const struct scene *scene);
};

enum { NO_FD, MEMORY_FD, EVENT_FD };

static bool
has_one_region(const struct scene *scene)
{
	return served_nb_regions(&scene->served) == 1;
}

static bool
has_two_regions(const struct scene *scene)
{
	return served_nb_regions(&scene->served) == 2;
}

static bool
has_no_region(const struct scene *scene)
{
	return served_nb_regions(&scene->served) == 0;
}

static bool
has_interrupt(const struct scene *scene)
{
	return rte_vfio_user_irq_raise(scene->served.dev_id, VFIO_PCI_MSI_IRQ_INDEX, 0) == 0;
}

static bool
has_written_one(const struct scene *scene)
{
	return scene->served.sum == 7;
}

static bool
has_written_two(const struct scene *scene)
{
	return scene->served.sum == 7 + 11 + 13;
}

static bool
was_reset(const struct scene *scene)
{
	return scene->served.reset_device == 1;
}

static bool
is_saving(const struct scene *scene)
{
	(void)scene;
	return pair_mig_state == VFIO_DEVICE_STATE_STOP_COPY;
}

static bool
is_resuming(const struct scene *scene)
{
	(void)scene;
	return pair_mig_state == VFIO_DEVICE_STATE_RESUMING;
}

static bool
has_state(const struct scene *scene)
{
	(void)scene;
	return memcmp(pair_state, "state", 5) == 0;
}

static const struct vu_dma_map map = { .argsz = sizeof(map), .flags = 3, .size = PAGE };
static const struct {
	struct vu_map_multi fixed;
	struct vu_dma_map map;
} map_multi = { { .count = 1 }, { .argsz = 32, .flags = 3, .addr = PAGE, .size = PAGE } };
static const struct vu_dma_unmap unmap = { .argsz = sizeof(unmap), .flags = VU_UNMAP_F_ALL };
static const uint32_t info[4] = { 16 };
static const struct vfio_region_info region = { .argsz = 4096, .index = SERVED_MAPPABLE };
static const struct vu_region_io_fds io_fds = { .argsz = 4096, .index = SERVED_REGS };
static const struct vfio_irq_info irq = { .argsz = sizeof(irq) };
static const uint32_t irqs[5] = { 20, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
	VFIO_PCI_MSI_IRQ_INDEX, 0, 1 };
static const struct vu_region_access read_regs = { .region = SERVED_REGS, .count = 4 };
static const struct vu_region_access read_large = { .region = SERVED_LARGE, .count = 100000 };
static const uint32_t write_regs[5] = { 0, 0, SERVED_REGS, 4, 7 };
static const struct {
	uint64_t nb;
	struct vu_write_multi_entry wr[2];
} write_multi = { 2, { { .region = SERVED_REGS, .count = 4, .data = { 11 } },
	{ .region = SERVED_REGS, .count = 4, .data = { 13 } } } };
static const uint32_t save[4] = { 16, VFIO_DEVICE_FEATURE_SET |
	VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, VFIO_DEVICE_STATE_STOP_COPY };
static const uint32_t resume[4] = { 16, VFIO_DEVICE_FEATURE_SET |
	VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, VFIO_DEVICE_STATE_RESUMING };
static const struct vu_mig_data mig_read = { .argsz = 5008, .size = 5000 };
static const struct {
	struct vu_mig_data fixed;
	char data[8];
} mig_write = { { .argsz = 16, .size = 8 }, "state" };

#define CASE(cmd_, payload_, fd_, done_) \
	{ #payload_, cmd_, fd_, &payload_, sizeof(payload_), done_ }

/* In this order. */
static const struct silent_case cases[] = {
	CASE(VU_DMA_MAP, map, MEMORY_FD, has_one_region),
	CASE(VU_DMA_MAP_MULTI, map_multi, MEMORY_FD, has_two_regions),
	CASE(VU_DMA_UNMAP, unmap, NO_FD, has_no_region),
	CASE(VU_GET_INFO, info, NO_FD, NULL),
	CASE(VU_GET_REGION_INFO, region, NO_FD, NULL),
	CASE(VU_GET_REGION_IO_FDS, io_fds, NO_FD, NULL),
	CASE(VU_GET_IRQ_INFO, irq, NO_FD, NULL),
	CASE(VU_SET_IRQS, irqs, EVENT_FD, has_interrupt),
	CASE(VU_REGION_READ, read_regs, NO_FD, NULL),
	CASE(VU_REGION_READ, read_large, NO_FD, NULL),
	CASE(VU_REGION_WRITE, write_regs, NO_FD, has_written_one),
	CASE(VU_REGION_WRITE_MULTI, write_multi, NO_FD, has_written_two),
	CASE(VU_FEATURE, save, NO_FD, is_saving),
	CASE(VU_MIG_DATA_READ, mig_read, NO_FD, NULL),
	CASE(VU_FEATURE, resume, NO_FD, is_resuming),
	CASE(VU_MIG_DATA_WRITE, mig_write, NO_FD, has_state),
	{ "reset", VU_RESET, NO_FD, NULL, 0, was_reset },
};

static const struct rte_vfio_user_io_fd io_fd_template = { .region = SERVED_REGS, .size = 4,
	.shadow_fd = -1 };

static struct scene *
scene_start(void)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct rte_vfio_user_io_fd io_fd = io_fd_template;
	char path[] = "/tmp/vu-silent-XXXXXX";

	resources_take(&scene->before);
	assert_non_null(mkdtemp(path));
	strcpy(scene->served.dir, path);
	snprintf(scene->served.path, sizeof(scene->served.path), "%s/s", path);
	served_register(&scene->served, scene->served.path, NULL);
	pair_migratable(&scene->served);
	assert_int_equal(rte_vfio_user_start(scene->served.path), 0);
	scene->memory = peer_memory(PAGE);
	scene->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	io_fd.fd = scene->event;
	assert_int_equal(rte_vfio_user_set_io_fds(scene->served.dev_id, &io_fd, 1), 0);
	peer_connect(&scene->peer, scene->served.path);
	assert_int_equal(peer_version(&scene->peer, JSON), 0);
	return scene;
}

static void
scene_end(struct scene *scene)
{
	peer_close(&scene->peer);
	close(scene->memory);
	close(scene->event);
	served_stop(&scene->served);
	rmdir(scene->served.dir);
	resources_assert_same(&scene->before);
	resources_drop(&scene->before);
	free(scene);
}

/* Send it, and then what is answered: its answer is the next thing that comes. */
static void
send_silently(struct scene *scene, const struct silent_case *c, size_t len)
{
	const int fds[] = { [NO_FD] = -1, [MEMORY_FD] = scene->memory, [EVENT_FD] = scene->event };

	peer_send(&scene->peer, c->cmd, VU_F_NO_REPLY, c->payload, len, &fds[c->fd],
		c->fd == NO_FD ? 0 : 1);
	assert_int_equal(peer_call(&scene->peer, VU_GET_IRQ_INFO, &irq, sizeof(irq)), 0);
	assert_int_equal(scene->peer.nb_fds, 0);
}

static void
test_each_command_is_carried_out_without_an_answer(void **state)
{
	struct scene *scene = scene_start();
	size_t i;

	(void)state;
	memset(pair_state, 0, sizeof(pair_state));
	for (i = 0; i < RTE_DIM(cases); i++) {
		send_silently(scene, &cases[i], cases[i].len);
		if (cases[i].done != NULL && !cases[i].done(scene))
			fail_msg("%s was not carried out", cases[i].name);
	}
	scene_end(scene);
}

/* Nor does a mistake get one: here the last byte is missing. */
static void
test_no_mistake_is_answered(void **state)
{
	struct scene *scene = scene_start();
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++)
		if (cases[i].len > 0)
			send_silently(scene, &cases[i], cases[i].len - 1);
	assert_int_equal(served_nb_regions(&scene->served), 0);
	assert_int_equal(scene->served.writes, 0);
	scene_end(scene);
}

static void
test_no_command_is_forgotten_here(void **state)
{
	const struct vu_cmd_desc *desc;
	uint32_t cmd;
	size_t i;

	(void)state;
	for (cmd = 0; cmd < VU_CMD_NB; cmd++) {
		desc = vu_cmd_desc(cmd);
		if (desc == NULL || desc->dir != VU_TO_SERVER || desc->always_answered)
			continue;
		for (i = 0; i < RTE_DIM(cases) && cases[i].cmd != cmd; i++)
			;
		if (i == RTE_DIM(cases))
			fail_msg("%s", desc->name);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_each_command_is_carried_out_without_an_answer),
	cmocka_unit_test(test_no_mistake_is_answered),
	cmocka_unit_test(test_no_command_is_forgotten_here),
};

TEST_SUITE(vu_server_silent, "functional", tests, served_warm_up, NULL)
