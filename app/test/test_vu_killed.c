/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Processes at the other end of a connection are killed at each step of a conversation: the one
 * that is left gets a clear error and has all back that it gave, others are served on.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_log.h>

#include "spawn_suite.h"
#include "test.h"
#include "vu_bystander.h"
#include "vu_served.h"

#define PAGE 4096u
#define RW (VU_DMA_F_READ | VU_DMA_F_WRITE)
#define MESSAGES_ONLY 0x100000u	/* where the victim maps memory without a descriptor */
#define LARGE (1u << 20)

/*
 * A victim is this program again, with the suite at the end of this file. What it is to do is in
 * its environment.
 */
#define ENV_STEP "VU_KILLED_STEP"
#define SOCK_FD 9	/* where a server finds its socket */

static void __attribute__((noreturn))
die(void)
{
	for (;;)
		kill(getpid(), SIGKILL);
}

/* The number of a step goes to the victim. */
static pid_t
victim_start(char kind, size_t step, const char *path, int sock)
{
	posix_spawn_file_actions_t actions;
	char variable[160];
	pid_t pid;

	snprintf(variable, sizeof(variable), ENV_STEP "=%c%zu %s", kind, step, path);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (sock >= 0)
		posix_spawn_file_actions_adddup2(&actions, sock, SOCK_FD);
	pid = spawn_suite("vu_killed_victim", variable, &actions);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

/* It got as far as it should. */
static void
victim_expect_killed(pid_t pid, const char *name)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail_msg("%s: the victim ended with status 0x%x", name, status);
}

/* ------------------------------------------------------------ clients that are killed ---- */

static struct vu_peer victim;

static void
step_connected(void)
{
}

static void
step_half_header(void)
{
	const struct vu_hdr hdr = { .cmd = VU_VERSION, .size = 64 };

	peer_send_raw(&victim, &hdr, 7, NULL, 0);
}

static void
step_version_unread(void)
{
	peer_send(&victim, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
}

static void
negotiate(void)
{
	assert_int_equal(peer_version(&victim, "{\"capabilities\":{\"max_msg_fds\":8}}"), 0);
}

static void
step_negotiated(void)
{
	negotiate();
}

static void
step_twin_socket(void)
{
	assert_int_equal(peer_version(&victim, "{\"capabilities\":{\"max_msg_fds\":8,"
		"\"twin_socket\":{\"supported\":true}}}"), 0);
	assert_int_equal(victim.nb_fds, 1);
}

static void
map_memory(void)
{
	int fd = peer_memory(16 * PAGE);

	assert_int_equal(peer_map(&victim, 0, 16 * PAGE, RW, fd, 0), 0);
	assert_int_equal(peer_map(&victim, MESSAGES_ONLY, 16 * PAGE, RW, -1, 0), 0);
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
	peer_send_raw(&victim, &msg, sizeof(msg) - 9, &fd, 1);
}

static void
step_map_unread(void)
{
	const struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .size = PAGE };
	int fd = peer_memory(PAGE);

	negotiate();
	peer_send(&victim, VU_DMA_MAP, 0, &map, sizeof(map), &fd, 1);
}

static void
step_mapped(void)
{
	negotiate();
	map_memory();
}

static void
step_unmap_unread(void)
{
	const struct vu_dma_unmap unmap = { .argsz = sizeof(unmap), .size = 16 * PAGE };

	step_mapped();
	peer_send(&victim, VU_DMA_UNMAP, 0, &unmap, sizeof(unmap), NULL, 0);
}

static void
step_region_info_unread(void)
{
	const struct vfio_region_info info = { .argsz = 256, .index = SERVED_MAPPABLE };

	negotiate();
	peer_send(&victim, VU_GET_REGION_INFO, 0, &info, sizeof(info), NULL, 0);
}

static void
step_irqs_bound(void)
{
	int fds[4], i;

	step_mapped();
	for (i = 0; i < 4; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(peer_set_irqs(&victim,
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
	peer_send_raw(&victim, &msg, sizeof(msg.hdr), fds, 2);
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
	peer_send_raw(&victim, data, len, NULL, 0);
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
		peer_send(&victim, VU_REGION_READ, 0, &access, sizeof(access), NULL, 0);
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
		peer_post(&victim, SERVED_REGS, 0, &i, sizeof(i));
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
	peer_send(&victim, VU_REGION_WRITE, 0, request, sizeof(request), NULL, 0);
	assert_true(peer_receive(&victim));
	assert_int_equal(victim.hdr.cmd, VU_DMA_READ);
}

static void
step_dma_read_half_answered(void)
{
	struct vu_dma_access access;
	struct vu_hdr hdr = { .cmd = VU_DMA_READ, .flags = VU_F_TYPE_REPLY };

	step_dma_read_from_callback();
	memcpy(&access, victim.payload, sizeof(access));
	hdr.id = victim.hdr.id;
	hdr.size = (uint32_t)(sizeof(hdr) + sizeof(access) + access.count);
	peer_send_raw(&victim, &hdr, sizeof(hdr), NULL, 0);
	peer_send_raw(&victim, &access, sizeof(access), NULL, 0);
}

/* Commands that came while the callback waits are not lost memory, either. */
static void
step_commands_put_aside(void)
{
	const struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .size = PAGE,
		.addr = 0x800000 };
	int fd = peer_memory(PAGE);

	step_dma_read_from_callback();
	peer_send(&victim, VU_DMA_MAP, 0, &map, sizeof(map), &fd, 1);
	ask_for_megabytes();
}

/* A thread of the device reads memory by messages; the test's side is device_reads(). */
static void
step_dma_read_from_thread(void)
{
	uint32_t go = 1;

	step_irqs_bound();
	peer_post(&victim, SERVED_REGS, 0, &go, sizeof(go));
	assert_true(peer_receive(&victim));
	assert_int_equal(victim.hdr.cmd, VU_DMA_READ);
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
		pid = victim_start('c', i, served->path, -1);
		if (client_steps[i].meanwhile != NULL)
			client_steps[i].meanwhile(served);
		victim_expect_killed(pid, client_steps[i].name);
		bystander_check(&beside);
		next_client(served);
		served_stop(served);
		resources_assert_same(&before);
		resources_drop(&before);
	}
	bystander_stop(&beside);
	free(served);
}

/* ------------------------------------------------------------ servers that are killed ---- */

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
	victim.next_id = victim.hdr.id;
	peer_send(&victim, victim.hdr.cmd, VU_F_TYPE_REPLY, payload, len, NULL, 0);
}

/* What it has to answer until the one that kills it comes. */
static void
server_answer(void)
{
	static const char version[] = "\0\0\0\0{\"capabilities\":{\"max_msg_fds\":8,"
		"\"write_multiple\":true,\"max_dma_maps\":1000}}";
	struct vfio_device_info device = { .argsz = 16, .flags = VFIO_DEVICE_FLAGS_PCI,
		.num_regions = 9, .num_irqs = 5 };
	struct vfio_region_info region = { .argsz = sizeof(region), .flags = 3, .size = LARGE };

	if (victim.hdr.cmd == VU_VERSION)
		server_reply(version, sizeof(version));
	else if (victim.hdr.cmd == VU_GET_INFO)
		server_reply(&device, 16);
	else if (victim.hdr.cmd == VU_GET_REGION_INFO)
		server_reply(&region, sizeof(region));
	else if (!(victim.hdr.flags & VU_F_NO_REPLY))
		server_reply(NULL, 0);
}

static void
server_ask(void)
{
	const struct vu_dma_access access = { .addr = PAGE, .count = 64 };

	peer_send(&victim, VU_DMA_READ, 0, &access, sizeof(access), NULL, 0);
	assert_true(peer_receive(&victim));
	assert_int_equal(victim.hdr.cmd, VU_DMA_READ);
	assert_int_equal(victim.hdr.flags, VU_F_TYPE_REPLY);
}

static void __attribute__((noreturn))
server_die(enum when when)
{
	struct {
		struct vu_hdr hdr;
		uint8_t payload[16];
	} reply = { .hdr = { .id = victim.hdr.id, .cmd = victim.hdr.cmd,
		.flags = VU_F_TYPE_REPLY, .size = 32 } };

	if (when == HALF_HEADER)
		peer_send_raw(&victim, &reply, 7, NULL, 0);
	if (when == HALF_ANSWER) {
		if (victim.hdr.cmd == VU_REGION_READ)
			reply.hdr.size = 32 + LARGE;
		peer_send_raw(&victim, &reply, 31, NULL, 0);
	}
	if (when == ASKING)
		server_ask();
	die();
}

static void
server_run(const struct server_step *step)
{
	unsigned int nb = 0;
	struct vu_hdr hdr;

	peer_adopt(&victim, SOCK_FD);
	while (recv(SOCK_FD, &hdr, sizeof(hdr), MSG_PEEK | MSG_WAITALL) == sizeof(hdr)) {
		if (hdr.cmd == step->cmd && step->when == UNREAD)
			die();
		assert_true(peer_receive(&victim));
		if (hdr.cmd == step->cmd && (step->when != CROWD || ++nb == CROWD_NB))
			server_die(step->when);
		if (hdr.cmd != step->cmd)
			server_answer();
	}
}

/* ---- the test's side ---- */

static int
server_start(const struct server_step *step, pid_t *pid)
{
	struct rte_vfio_user_attach_options opt = { .size = sizeof(opt), .timeout_ms = 20000,
		.flags = RTE_VFIO_USER_ATTACH_F_SOCK_FD };
	int sock[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	*pid = victim_start('s', (size_t)(step - server_steps), "", sock[1]);
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
	victim_expect_killed(pid, step->name);
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
	cmocka_unit_test(test_clients_are_killed_at_each_step),
	cmocka_unit_test(test_servers_are_killed_at_each_step),
};

TEST_SUITE(vu_killed, "functional", tests, served_warm_up, NULL)

/* ------------------------------------------------------------------------ the victim ---- */

/* Returns only if it was not killed, which the test then says. */
static void
test_be_killed(void **state)
{
	const char *step = getenv(ENV_STEP);
	char *path;
	size_t i;

	(void)state;
	if (step == NULL)
		skip();
	i = strtoul(step + 1, &path, 10);
	if (step[0] == 's') {
		assert_true(i < RTE_DIM(server_steps));
		server_run(&server_steps[i]);
		return;
	}
	assert_true(i < RTE_DIM(client_steps));
	peer_connect(&victim, path + 1);
	client_steps[i].go();
	die();
}

static const struct CMUnitTest victim_tests[] = {
	cmocka_unit_test(test_be_killed),
};

TEST_SUITE(vu_killed_victim, "helper", victim_tests, NULL, NULL)
