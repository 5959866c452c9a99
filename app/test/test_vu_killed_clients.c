/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>

#include "test.h"
#include "vu_bystander.h"
#include "vu_served.h"
#include "vu_victim.h"

#define MESSAGES_ONLY 0x100000u	/* where the victim maps memory without a descriptor */

static void
step_connected(void)
{
}

static void
step_half_header(void)
{
	const struct vu_hdr hdr = { .cmd = VU_VERSION, .size = 64 };

	peer_send_raw(&vu_victim, &hdr, 7, NULL, 0);
}

static void
step_version_unread(void)
{
	peer_send(&vu_victim, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
}

static void
negotiate(void)
{
	assert_int_equal(peer_version(&vu_victim, "{\"capabilities\":{\"max_msg_fds\":8}}"), 0);
}

static void
step_negotiated(void)
{
	negotiate();
}

static void
step_twin_socket(void)
{
	assert_int_equal(peer_version(&vu_victim, "{\"capabilities\":{\"max_msg_fds\":8,"
		"\"twin_socket\":{\"supported\":true}}}"), 0);
	assert_int_equal(vu_victim.nb_fds, 1);
}

static void
map_memory(void)
{
	int fd = peer_memory(16 * PAGE);

	assert_int_equal(peer_map(&vu_victim, 0, 16 * PAGE, RW, fd, 0), 0);
	assert_int_equal(peer_map(&vu_victim, MESSAGES_ONLY, 16 * PAGE, RW, -1, 0), 0);
	close(fd);
}

static void
step_map_half(void)
{
	struct {
		struct vu_hdr hdr;
		struct vu_dma_map map;
	} msg = { .hdr = { .cmd = VU_DMA_MAP, .size = sizeof(msg) },
		.map = { .argsz = sizeof(msg.map), .flags = RW, .size = PAGE } };
	int fd = peer_memory(PAGE);

	negotiate();
	peer_send_raw(&vu_victim, &msg, sizeof(msg) - 9, &fd, 1);
}

static void
step_map_unread(void)
{
	const struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .size = PAGE };
	int fd = peer_memory(PAGE);

	negotiate();
	peer_send(&vu_victim, VU_DMA_MAP, 0, &map, sizeof(map), &fd, 1);
}

static void
step_mapped(void)
{
	negotiate();
	map_memory();
}

/* Regions that come in one message, each with a descriptor. */
#define MULTI_NB 4u

static void
send_map_multi(size_t cut)
{
	struct {
		struct vu_hdr hdr;
		struct vu_map_multi fixed;
		struct vu_dma_map map[MULTI_NB];
	} msg = { .hdr = { .cmd = VU_DMA_MAP_MULTI, .size = sizeof(msg) },
		.fixed = { .count = MULTI_NB } };
	int fds[MULTI_NB];
	uint32_t i;

	assert_int_equal(peer_version(&vu_victim, "{\"capabilities\":{\"max_msg_fds\":8,"
		"\"dpdk_map_multiple\":true}}"), 0);
	for (i = 0; i < MULTI_NB; i++) {
		fds[i] = peer_memory(PAGE);
		msg.map[i] = (struct vu_dma_map) { .argsz = sizeof(msg.map[i]), .flags = RW,
			.addr = i * PAGE, .size = PAGE };
	}
	peer_send_raw(&vu_victim, &msg, sizeof(msg) - cut, fds, MULTI_NB);
}

/* In the last region. */
static void
step_map_multi_half(void)
{
	send_map_multi(9);
}

static void
step_map_multi_unread(void)
{
	send_map_multi(0);
}

static void
step_mapped_multi(void)
{
	send_map_multi(0);
	assert_true(peer_receive(&vu_victim));
	assert_int_equal(vu_victim.hdr.flags, VU_F_TYPE_REPLY);
}

static void
step_unmap_unread(void)
{
	const struct vu_dma_unmap unmap = { .argsz = sizeof(unmap), .size = 16 * PAGE };

	step_mapped();
	peer_send(&vu_victim, VU_DMA_UNMAP, 0, &unmap, sizeof(unmap), NULL, 0);
}

static void
step_region_info_unread(void)
{
	const struct vfio_region_info info = { .argsz = 256, .index = SERVED_MAPPABLE };

	negotiate();
	peer_send(&vu_victim, VU_GET_REGION_INFO, 0, &info, sizeof(info), NULL, 0);
}

static void
step_irqs_bound(void)
{
	int fds[4], i;

	step_mapped();
	for (i = 0; i < 4; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(peer_set_irqs(&vu_victim,
		VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_PCI_MSIX_IRQ_INDEX,
		3, 4, fds, 4), 0);
}

static void
step_irqs_half(void)
{
	struct {
		struct vu_hdr hdr;
		uint32_t set[5];
	} msg = { .hdr = { .cmd = VU_SET_IRQS, .size = sizeof(msg) } };
	int fds[2] = { eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC) };

	step_irqs_bound();
	peer_send_raw(&vu_victim, &msg, sizeof(msg.hdr), fds, 2);
}

/* The start of a write of a megabyte. */
static void
send_large_write(size_t len)
{
	const struct vu_hdr hdr = { .cmd = VU_REGION_WRITE, .size = 32 + LARGE };
	const struct vu_region_access access = { .region = SERVED_LARGE, .count = LARGE };
	uint8_t *data = calloc(1, hdr.size);

	assert_non_null(data);
	memcpy(data, &hdr, sizeof(hdr));
	memcpy(data + sizeof(hdr), &access, sizeof(access));
	peer_send_raw(&vu_victim, data, len, NULL, 0);
	free(data);
}

static void
step_large_write_half(void)
{
	step_irqs_bound();
	send_large_write(32 + LARGE / 2);
}

static void
step_large_write_unread(void)
{
	step_irqs_bound();
	send_large_write(32 + LARGE);
}

static void
ask_for_megabytes(void)
{
	const struct vu_region_access access = { .region = SERVED_LARGE, .count = LARGE };
	int i;

	for (i = 0; i < 4; i++)
		peer_send(&vu_victim, VU_REGION_READ, 0, &access, sizeof(access), NULL, 0);
}

/* The server has more to say than the socket takes. */
static void
step_large_reads_unread(void)
{
	step_irqs_bound();
	ask_for_megabytes();
}

static void
step_posted_writes(void)
{
	uint32_t i;

	step_mapped();
	for (i = 0; i < 1000; i++)
		peer_post(&vu_victim, SERVED_REGS, 0, &i, sizeof(i));
}

/* The device reads memory by messages in a callback, and this is what is left of the client. */
static void
step_dma_read_from_callback(void)
{
	const struct vu_region_access access = { .region = SERVED_REGS, .offset = SERVED_REG_HOOK,
		.count = 8 };
	uint64_t request[3] = { 0, 0, MESSAGES_ONLY };

	step_irqs_bound();
	memcpy(request, &access, sizeof(access));
	peer_send(&vu_victim, VU_REGION_WRITE, 0, request, sizeof(request), NULL, 0);
	assert_true(peer_receive(&vu_victim));
	assert_int_equal(vu_victim.hdr.cmd, VU_DMA_READ);
}

static void
step_dma_read_half_answered(void)
{
	struct vu_dma_access access;
	struct vu_hdr hdr = { .cmd = VU_DMA_READ, .flags = VU_F_TYPE_REPLY };

	step_dma_read_from_callback();
	memcpy(&access, vu_victim.payload, sizeof(access));
	hdr.id = vu_victim.hdr.id;
	hdr.size = (uint32_t)(sizeof(hdr) + sizeof(access) + access.count);
	peer_send_raw(&vu_victim, &hdr, sizeof(hdr), NULL, 0);
	peer_send_raw(&vu_victim, &access, sizeof(access), NULL, 0);
}

/* Commands that came while the callback waits are not lost memory, either. */
static void
step_commands_put_aside(void)
{
	const struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .size = PAGE,
		.addr = 0x800000 };
	int fd = peer_memory(PAGE);

	step_dma_read_from_callback();
	peer_send(&vu_victim, VU_DMA_MAP, 0, &map, sizeof(map), &fd, 1);
	ask_for_megabytes();
}

/* A thread of the device reads memory by messages; the test's side is device_reads(). */
static void
step_dma_read_from_thread(void)
{
	uint32_t go = 1;

	step_irqs_bound();
	peer_post(&vu_victim, SERVED_REGS, 0, &go, sizeof(go));
	assert_true(peer_receive(&vu_victim));
	assert_int_equal(vu_victim.hdr.cmd, VU_DMA_READ);
}

static void
device_reads(struct served *served)
{
	static uint8_t buf[2 * PAGE];

	while (atomic_load(&served->writes) == 0)
		usleep(100);
	assert_int_equal(rte_vfio_user_dma_read(served->dev_id, MESSAGES_ONLY, buf, sizeof(buf)),
		-ENODEV);
}

struct client_step {
	const char *name;
	void (*go)(void);	/* what the victim does before it is killed */
	void (*meanwhile)(struct served *served);	/* what the test does, or NULL */
};

#define STEP(name_) { .name = #name_, .go = step_##name_ }

static const struct client_step client_steps[] = {
	STEP(connected),
	STEP(half_header),
	STEP(version_unread),
	STEP(negotiated),
	STEP(twin_socket),
	STEP(map_half),
	STEP(map_unread),
	STEP(mapped),
	STEP(map_multi_half),
	STEP(map_multi_unread),
	STEP(mapped_multi),
	STEP(unmap_unread),
	STEP(region_info_unread),
	STEP(irqs_bound),
	STEP(irqs_half),
	STEP(large_write_half),
	STEP(large_write_unread),
	STEP(large_reads_unread),
	STEP(posted_writes),
	STEP(dma_read_from_callback),
	STEP(dma_read_half_answered),
	STEP(commands_put_aside),
	{ "dma_read_from_thread", step_dma_read_from_thread, device_reads },
};

void
vu_victim_be_client(size_t step)
{
	assert_true(step < RTE_DIM(client_steps));
	client_steps[step].go();
}

/* A device that wants memory when a register is written to. The client does not live to tell. */
static int
hook_read(struct served *served, uint64_t value)
{
	static uint8_t buf[2 * PAGE];

	assert_int_equal(rte_vfio_user_dma_read(served->dev_id, value, buf, sizeof(buf)),
		-ENODEV);
	return 0;
}

/* Nothing is left of the client before. */
static void
next_client(struct served *served)
{
	uint32_t value = 7, got = 0;
	struct vu_peer peer;
	uint32_t i;

	peer_open(&peer, served->path);
	assert_null(rte_vfio_user_get_mem_table(served->dev_id));
	for (i = 0; i < SERVED_MSIX_NB; i++)
		assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, VFIO_PCI_MSIX_IRQ_INDEX,
			i), -ENOTCONN);
	assert_int_equal(peer_write(&peer, SERVED_REGS, 8, &value, 4), 0);
	assert_int_equal(peer_read(&peer, SERVED_REGS, 8, &got, 4), 0);
	assert_int_equal(got, value);
	peer_close(&peer);
}

static void
test_clients_are_killed_at_each_step(void **state)
{
	struct served *served = calloc(1, sizeof(*served));
	struct bystander beside;
	struct resources before;
	size_t i;
	pid_t pid;

	(void)state;
	bystander_start(&beside);
	for (i = 0; i < RTE_DIM(client_steps); i++) {
		resources_take(&before);
		memset(served, 0, sizeof(*served));
		served->hook = hook_read;
		served_start(served, NULL);
		pid = vu_victim_start_client(i, served->path);
		if (client_steps[i].meanwhile != NULL)
			client_steps[i].meanwhile(served);
		vu_victim_expect_killed(pid, client_steps[i].name);
		bystander_check(&beside);
		next_client(served);
		served_stop(served);
		resources_assert_same(&before);
		resources_drop(&before);
	}
	bystander_stop(&beside);
	free(served);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_clients_are_killed_at_each_step),
};

TEST_SUITE(vu_killed_clients, "functional", tests, served_warm_up, NULL)
