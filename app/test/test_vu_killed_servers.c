/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "test.h"
#include "vu_served.h"
#include "vu_victim.h"

/* When a server dies, of the message that it is about. */
enum when {
	UNREAD,	/* it is in the socket */
	READ,	/* nothing is answered */
	HALF_HEADER,	/* of the answer */
	HALF_ANSWER,	/* its header and a part of what follows */
	CROWD,	/* as READ, when CROWD_NB of them have come */
	ASKING,	/* it has asked for memory, and got it */
};

#define CROWD_NB 3

struct server_step {
	const char *name;
	uint16_t cmd;
	enum when when;
	int (*call)(int dev_id);	/* what the client does; NULL: it attaches */
	int rc;	/* that it gets */
};

static int
call_dev_info(int dev_id)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	return rte_vfio_user_get_dev_info(dev_id, &info);
}

static int
call_reg_info(int dev_id)
{
	struct vfio_region_info info = { .argsz = sizeof(info) };
	int fd, rc;

	rc = rte_vfio_user_get_reg_info(dev_id, &info, &fd);
	assert_int_equal(fd, -1);
	return rc;
}

static int
call_irq_info(int dev_id)
{
	struct vfio_irq_info info = { .argsz = sizeof(info) };

	return rte_vfio_user_get_irq_info(dev_id, &info);
}

static int
call_io_fds(int dev_id)
{
	struct rte_vfio_user_io_fd io_fd;

	return rte_vfio_user_get_io_fds(dev_id, 0, &io_fd, 1);
}

static int
map_regions(int dev_id, uint32_t nb)
{
	struct rte_vfio_user_mem_reg mem[100];
	int fds[100];
	int fd = peer_memory(PAGE);
	uint32_t i;
	int rc;

	for (i = 0; i < nb; i++) {
		mem[i] = (struct rte_vfio_user_mem_reg) { .gpa = i * PAGE, .size = PAGE,
			.protection = 3, .flags = RTE_VUSER_MEM_MAPPABLE };
		fds[i] = fd;
	}
	rc = rte_vfio_user_dma_map(dev_id, mem, fds, nb);
	close(fd);
	return rc;
}

static int
call_map(int dev_id)
{
	return map_regions(dev_id, 1);
}

static int
call_map_many(int dev_id)
{
	return map_regions(dev_id, 100);
}

static int
call_unmap(int dev_id)
{
	struct rte_vfio_user_mem_reg mem = { .size = PAGE };

	return rte_vfio_user_dma_unmap(dev_id, &mem, 1);
}

static int
call_unmap_all(int dev_id)
{
	return rte_vfio_user_dma_unmap_all(dev_id);
}

static int
call_set_irqs(int dev_id)
{
	struct {
		struct vfio_irq_set set;
		int fd;
	} irqs = { .set = { .argsz = sizeof(irqs), .count = 1,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER } };
	int rc;

	irqs.fd = eventfd(0, EFD_CLOEXEC);
	rc = rte_vfio_user_set_irqs(dev_id, &irqs.set);
	close(irqs.fd);
	return rc;
}

static uint8_t large[LARGE];

static int
call_read(int dev_id)
{
	uint32_t value;

	return rte_vfio_user_region_read(dev_id, 0, 0, sizeof(value), &value);
}

static int
call_read_large(int dev_id)
{
	return rte_vfio_user_region_read(dev_id, 0, 0, LARGE, large);
}

static int
call_write(int dev_id)
{
	return rte_vfio_user_region_write(dev_id, 0, 0, 4, large);
}

static int
call_write_large(int dev_id)
{
	return rte_vfio_user_region_write(dev_id, 0, 0, LARGE, large);
}

/* Posting succeeds until it is known that nobody is there. */
static int
call_post(int dev_id)
{
	int i, rc = 0;

	for (i = 0; i < 1000000 && rc == 0; i++)
		rc = rte_vfio_user_region_post(dev_id, 0, 0, 4, large);
	return rc;
}

static int
call_write_multi(int dev_id)
{
	const struct rte_vfio_user_write wr[2] = { { .count = 4 }, { .offset = 8, .count = 8 } };

	return rte_vfio_user_region_write_multi(dev_id, wr, 2, false);
}

static int
call_reset(int dev_id)
{
	return rte_vfio_user_reset(dev_id);
}

static int
call_feature(int dev_id)
{
	struct {
		struct vfio_device_feature feature;
		uint64_t data;
	} request = { .feature = { .argsz = sizeof(request),
		.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIGRATION } };

	return rte_vfio_user_feature(dev_id, &request.feature, sizeof(request.feature));
}

static int
call_mig_read(int dev_id)
{
	return (int)rte_vfio_user_mig_read(dev_id, large, PAGE);
}

static int
call_mig_write(int dev_id)
{
	return rte_vfio_user_mig_write(dev_id, large, PAGE);
}

static atomic_int handled;

static int
on_dma(int dev_id, uint64_t addr, void *buf, uint64_t len, bool write, void *ctx)
{
	(void)dev_id;
	(void)addr;
	(void)ctx;
	if (!write)
		memset(buf, 0x11, len);
	atomic_fetch_add(&handled, 1);
	return 0;
}

static int
call_served_meanwhile(int dev_id)
{
	atomic_store(&handled, 0);
	assert_int_equal(rte_vfio_user_set_dma_handler(dev_id, on_dma, NULL), 0);
	assert_int_equal(call_reset(dev_id), -ENOTCONN);
	assert_int_equal(handled, 1);
	/* nor does it wait for commands that cannot come */
	return rte_vfio_user_serve(dev_id, -1);
}

static void *
crowd_main(void *arg)
{
	assert_int_equal(call_read(*(int *)arg), -ENOTCONN);
	return NULL;
}

static int
call_crowd(int dev_id)
{
	pthread_t thread[CROWD_NB];
	int i;

	for (i = 0; i < CROWD_NB; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, crowd_main, &dev_id), 0);
	for (i = 0; i < CROWD_NB; i++)
		pthread_join(thread[i], NULL);
	return call_read(dev_id);
}

static const struct server_step server_steps[] = {
	{ "version unread", VU_VERSION, UNREAD, NULL, -EPROTO },
	{ "version", VU_VERSION, READ, NULL, -EPROTO },
	{ "version half header", VU_VERSION, HALF_HEADER, NULL, -EPROTO },
	{ "version half answer", VU_VERSION, HALF_ANSWER, NULL, -EPROTO },
	{ "info", VU_GET_INFO, READ, NULL, -ENOTCONN },
	{ "info half answer", VU_GET_INFO, HALF_ANSWER, NULL, -ENOTCONN },
	{ "region info", VU_GET_REGION_INFO, READ, call_reg_info, -ENOTCONN },
	{ "region info half", VU_GET_REGION_INFO, HALF_ANSWER, call_reg_info, -ENOTCONN },
	{ "irq info", VU_GET_IRQ_INFO, HALF_HEADER, call_irq_info, -ENOTCONN },
	{ "io fds", VU_GET_REGION_IO_FDS, READ, call_io_fds, -ENOTCONN },
	{ "map", VU_DMA_MAP, READ, call_map, -ENOTCONN },
	{ "map many", VU_DMA_MAP, UNREAD, call_map_many, -ENOTCONN },
	{ "map multi unread", VU_DMA_MAP_MULTI, UNREAD, call_map_many, -ENOTCONN },
	{ "map multi", VU_DMA_MAP_MULTI, READ, call_map_many, -ENOTCONN },
	{ "map multi half header", VU_DMA_MAP_MULTI, HALF_HEADER, call_map_many, -ENOTCONN },
	{ "map multi half answer", VU_DMA_MAP_MULTI, HALF_ANSWER, call_map_many, -ENOTCONN },
	{ "map multi crowd", VU_DMA_MAP_MULTI, CROWD, call_map_many, -ENOTCONN },
	{ "unmap", VU_DMA_UNMAP, HALF_ANSWER, call_unmap, -ENOTCONN },
	{ "unmap all", VU_DMA_UNMAP, READ, call_unmap_all, -ENOTCONN },
	{ "set irqs", VU_SET_IRQS, READ, call_set_irqs, -ENOTCONN },
	{ "read", VU_REGION_READ, HALF_HEADER, call_read, -ENOTCONN },
	{ "large read", VU_REGION_READ, HALF_ANSWER, call_read_large, -ENOTCONN },
	{ "write", VU_REGION_WRITE, READ, call_write, -ENOTCONN },
	{ "large write", VU_REGION_WRITE, UNREAD, call_write_large, -ENOTCONN },
	{ "post", VU_REGION_WRITE, READ, call_post, -ENOTCONN },
	{ "write multi", VU_REGION_WRITE_MULTI, READ, call_write_multi, -ENOTCONN },
	{ "reset", VU_RESET, HALF_HEADER, call_reset, -ENOTCONN },
	{ "feature", VU_FEATURE, READ, call_feature, -ENOTCONN },
	{ "mig read", VU_MIG_DATA_READ, READ, call_mig_read, -ENOTCONN },
	{ "mig write", VU_MIG_DATA_WRITE, READ, call_mig_write, -ENOTCONN },
	{ "asking", VU_RESET, ASKING, call_served_meanwhile, -ENOTCONN },
	{ "crowd", VU_REGION_READ, CROWD, call_crowd, -ENOTCONN },
};

/* ---- the victim's side ---- */

static void
server_reply(const void *payload, size_t len)
{
	vu_victim.next_id = vu_victim.hdr.id;
	peer_send(&vu_victim, vu_victim.hdr.cmd, VU_F_TYPE_REPLY, payload, len, NULL, 0);
}

/* It understands DMA_MAP_MULTI only where it is to die of it: nobody sends DMA_MAP then. */
static void
server_answer_version(uint16_t cmd)
{
	char reply[256] = { 0 };
	int len;

	len = snprintf(reply + sizeof(struct vu_version), sizeof(reply) - sizeof(struct vu_version),
		"{\"capabilities\":{\"max_msg_fds\":8,\"write_multiple\":true,"
		"\"max_dma_maps\":1000,\"dpdk_map_multiple\":%s}}",
		cmd == VU_DMA_MAP_MULTI ? "true" : "false");
	server_reply(reply, sizeof(struct vu_version) + (size_t)len + 1);
}

/* What it has to answer until the one that kills it, cmd, comes. */
static void
server_answer(uint16_t cmd)
{
	struct vfio_device_info device = { .argsz = 16, .flags = VFIO_DEVICE_FLAGS_PCI,
		.num_regions = 9, .num_irqs = 5 };
	struct vfio_region_info region = { .argsz = sizeof(region), .flags = 3, .size = LARGE };

	if (vu_victim.hdr.cmd == VU_VERSION)
		server_answer_version(cmd);
	else if (vu_victim.hdr.cmd == VU_GET_INFO)
		server_reply(&device, 16);
	else if (vu_victim.hdr.cmd == VU_GET_REGION_INFO)
		server_reply(&region, sizeof(region));
	else if (!(vu_victim.hdr.flags & VU_F_NO_REPLY))
		server_reply(NULL, 0);
}

static void
server_ask(void)
{
	const struct vu_dma_access access = { .addr = PAGE, .count = 64 };

	peer_send(&vu_victim, VU_DMA_READ, 0, &access, sizeof(access), NULL, 0);
	assert_true(peer_receive(&vu_victim));
	assert_int_equal(vu_victim.hdr.cmd, VU_DMA_READ);
	assert_int_equal(vu_victim.hdr.flags, VU_F_TYPE_REPLY);
}

static void __attribute__((noreturn))
server_die(enum when when)
{
	struct {
		struct vu_hdr hdr;
		uint8_t payload[16];
	} reply = { .hdr = { .id = vu_victim.hdr.id, .cmd = vu_victim.hdr.cmd,
		.flags = VU_F_TYPE_REPLY, .size = 32 } };

	if (when == HALF_HEADER)
		peer_send_raw(&vu_victim, &reply, 7, NULL, 0);
	if (when == HALF_ANSWER) {
		if (vu_victim.hdr.cmd == VU_REGION_READ)
			reply.hdr.size = 32 + LARGE;
		peer_send_raw(&vu_victim, &reply, 31, NULL, 0);
	}
	if (when == ASKING)
		server_ask();
	vu_victim_die();
}

static void
server_run(const struct server_step *step)
{
	unsigned int nb = 0;
	struct vu_hdr hdr;

	while (recv(vu_victim.sock, &hdr, sizeof(hdr), MSG_PEEK | MSG_WAITALL) == sizeof(hdr)) {
		if (hdr.cmd == step->cmd && step->when == UNREAD)
			vu_victim_die();
		assert_true(peer_receive(&vu_victim));
		if (hdr.cmd == step->cmd && (step->when != CROWD || ++nb == CROWD_NB))
			server_die(step->when);
		if (hdr.cmd != step->cmd)
			server_answer(step->cmd);
	}
}

void
vu_victim_be_server(size_t step)
{
	assert_true(step < RTE_DIM(server_steps));
	server_run(&server_steps[step]);
}

/* ---- the test's side ---- */

static int
server_start(const struct server_step *step, pid_t *pid)
{
	struct rte_vfio_user_attach_options opt = { .size = sizeof(opt), .timeout_ms = 20000,
		.flags = RTE_VFIO_USER_ATTACH_F_SOCK_FD };
	int sock[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	*pid = vu_victim_start_server((size_t)(step - server_steps), sock[1]);
	close(sock[1]);
	opt.sock_fd = sock[0];
	return rte_vfio_user_attach_dev_opt(step->name, &opt);
}

static void
server_step_run(const struct server_step *step)
{
	pid_t pid;
	int dev_id, rc;

	rc = dev_id = server_start(step, &pid);
	if (dev_id >= 0 && step->call != NULL)
		rc = step->call(dev_id);
	vu_victim_expect_killed(pid, step->name);
	if (rc != step->rc)
		fail_msg("%s: %d (%s)", step->name, rc, strerror(-rc));
	if (dev_id < 0)
		return;
	/* it stays as it is, and costs nobody time */
	assert_int_equal(call_dev_info(dev_id), -ENOTCONN);
	assert_int_equal(call_map_many(dev_id), -ENOTCONN);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
	assert_int_equal(call_dev_info(dev_id), -ENODEV);
}

static void
test_servers_are_killed_at_each_step(void **state)
{
	struct served *served = calloc(1, sizeof(*served));
	struct resources before;
	int dev_id, rc;
	uint32_t value = 0;
	size_t i;

	(void)state;
	served_start(served, NULL);
	dev_id = rte_vfio_user_attach_dev(served->path);
	assert_true(dev_id >= 0);
	for (i = 0; i < RTE_DIM(server_steps); i++) {
		resources_take(&before);
		server_step_run(&server_steps[i]);
		rc = rte_vfio_user_region_read(dev_id, SERVED_REGS, 0, 4, &value);
		assert_int_equal(rc, 0);
		resources_assert_same(&before);
		resources_drop(&before);
	}
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
	served_stop(served);
	free(served);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_servers_are_killed_at_each_step),
};

TEST_SUITE(vu_killed_servers, "functional", tests, served_warm_up, NULL)
