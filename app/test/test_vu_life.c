/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The life of a session in the order in which nobody should live it, and what is left of it:
 * calls out of order, sockets of other processes, clients that come and go, an end at any time.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_common.h>

#include "interpose.h"
#include "spawn_suite.h"
#include "test.h"
#include "vu_served.h"

#define PAGE 4096u

/* ---- calls out of order ---- */

static int
set_dev(const char *name)
{
	struct vfio_device_info info = { .argsz = sizeof(info), .flags = VFIO_DEVICE_FLAGS_PCI,
		.num_regions = 1, .num_irqs = 1 };

	return rte_vfio_user_set_dev_info(name, &info);
}

static int
set_reg(const char *name)
{
	struct vfio_region_info info = { .argsz = sizeof(info) };
	struct {
		struct rte_vfio_user_regions all;
		struct rte_vfio_user_reg_info one;
	} regions = { .all.reg_num = 1, .one = { .fd = -1, .info = &info } };

	return rte_vfio_user_set_reg_info(name, &regions.all);
}

static int
set_irq(const char *name)
{
	struct {
		struct rte_vfio_user_irq_info all;
		struct vfio_irq_info one;
	} irqs = { .all.irq_num = 1, .one = { .argsz = sizeof(irqs.one) } };

	return rte_vfio_user_set_irq_info(name, &irqs.all);
}

static int
set_mig(const char *name)
{
	struct rte_vfio_user_migration_ops mig = { .flags = 0 };

	return rte_vfio_user_set_migration(name, &mig);
}

static int
do_register(const char *name)
{
	return rte_vfio_user_register(name, NULL);
}

/* What a step does to a session, by what was done before. */
enum call {
	REGISTER,
	SET_DEV,
	SET_REG,
	SET_IRQ,
	SET_MIG,
	START,
	UNREGISTER,
	NB_CALLS
};

static int (*const calls[NB_CALLS])(const char *name) = {
	[REGISTER] = do_register,
	[SET_DEV] = set_dev,
	[SET_REG] = set_reg,
	[SET_IRQ] = set_irq,
	[SET_MIG] = set_mig,
	[START] = rte_vfio_user_start,
	[UNREGISTER] = rte_vfio_user_unregister,
};

/* A session as a test expects it to be. */
struct model {
	bool registered;
	bool started;
	unsigned int described;	/* bits of SET_DEV, SET_REG, SET_IRQ */
};

static bool
is_described(const struct model *model)
{
	return model->described == (1u << SET_DEV | 1u << SET_REG | 1u << SET_IRQ);
}

static int
model_refuses(const struct model *model, enum call call)
{
	if (call == REGISTER)
		return model->registered ? -EEXIST : 0;
	if (!model->registered)
		return -ENOENT;
	if (call == UNREGISTER)
		return 0;
	if (model->started)
		return -EBUSY;
	if (call == SET_MIG)
		return -EINVAL;
	return call == START && !is_described(model) ? -EINVAL : 0;
}

static void
model_step(struct model *model, enum call call)
{
	if (call == UNREGISTER)
		memset(model, 0, sizeof(*model));
	else if (call == REGISTER)
		model->registered = true;
	else if (call == START)
		model->started = true;
	else
		model->described |= 1u << call;
}

/* As many steps as it takes to have been everywhere, in an order that nobody thought of. */
static void
test_calls_in_any_order(void **state)
{
	struct served *served = *state;
	struct model model = { .registered = false };
	unsigned int i, seed = 1, seen[NB_CALLS][2] = { { 0 } };
	enum call call;
	char path[96];
	int rc;

	snprintf(path, sizeof(path), "%s/other", served->dir);
	for (i = 0; i < 3000; i++) {
		seed = seed * 1103515245u + 12345u;
		call = (enum call)((seed >> 16) % (NB_CALLS * 4));
		/* the end comes seldom */
		call = call < NB_CALLS ? call : call % UNREGISTER;
		rc = calls[call](path);
		if (rc != model_refuses(&model, call))
			fail_msg("step %u, call %d: %d, not %d", i, call, rc,
				model_refuses(&model, call));
		seen[call][rc == 0]++;
		if (rc == 0)
			model_step(&model, call);
		assert_int_equal(rte_vfio_user_dev_id(path) >= 0, model.registered);
		assert_int_equal(access(path, F_OK) == 0, model.started);
	}
	assert_true(seen[START][0] > 0 && seen[START][1] > 0);
	if (model.registered)
		assert_int_equal(rte_vfio_user_unregister(path), 0);
}

static void
test_ids_of_sessions_that_are_gone(void **state)
{
	struct rte_vfio_user_io_fd io_fd = { .fd = 0 };
	struct served *served = *state;
	struct iovec iov;
	char buf[96];
	int id, fds[1];

	assert_int_equal(rte_vfio_user_register("gone", NULL), 0);
	id = rte_vfio_user_dev_id("gone");
	assert_int_not_equal(id, served->dev_id);
	/* no client: nothing to reach */
	assert_int_equal(rte_vfio_user_dma_read(id, 0, buf, 1), -ENODEV);
	assert_int_equal(rte_vfio_user_unregister("gone"), 0);
	assert_int_equal(rte_vfio_get_sock_addr(id, buf, sizeof(buf)), -ENODEV);
	assert_int_equal(rte_vfio_user_poll(id), -ENODEV);
	assert_int_equal(rte_vfio_user_poll_fd(id), -ENODEV);
	assert_int_equal(rte_vfio_user_dma_enter(id), -ENODEV);
	assert_int_equal(rte_vfio_user_dma_sg(id, 0, 1, PROT_READ, &iov, 1), -ENODEV);
	assert_int_equal(rte_vfio_user_dma_read(id, 0, buf, 1), -ENODEV);
	assert_int_equal(rte_vfio_user_dma_write(id, 0, buf, 1), -ENODEV);
	assert_int_equal(rte_vfio_user_irq_raise(id, 0, 0), -ENODEV);
	assert_int_equal(rte_vfio_user_get_irq(id, 0, 1, fds), -ENODEV);
	assert_int_equal(rte_vfio_user_set_io_fds(id, &io_fd, 0), -ENODEV);
	assert_null(rte_vfio_user_get_mem_table(id));
	rte_vfio_user_dma_dirty(id, 0, PAGE);
}

/* ---- sockets of other processes ---- */

#define ENV_PATH "VU_LIFE_PATH"
#define SERVING '\1'	/* what it says when it does */

/* This program again: it serves at a path until its standard input ends. */
static void
test_serve_elsewhere(void **state)
{
	const char *path = getenv(ENV_PATH);
	struct served *served;
	char byte = SERVING;

	(void)state;
	if (path == NULL)
		skip();
	served = calloc(1, sizeof(*served));
	served_register(served, path, NULL);
	assert_int_equal(rte_vfio_user_start(path), 0);
	assert_int_equal(write(STDOUT_FILENO, &byte, 1), 1);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	served_stop(served);
	free(served);
}

struct elsewhere {
	pid_t pid;
	int in;
	int out;
};

static void
elsewhere_start(struct elsewhere *e, const char *path)
{
	posix_spawn_file_actions_t actions;
	char variable[128], byte = 0;
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	snprintf(variable, sizeof(variable), ENV_PATH "=%s", path);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	e->pid = spawn_suite("vu_life_server", variable, &actions);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	e->in = in[1];
	e->out = out[0];
	/* what cmocka says comes first */
	while (byte != SERVING)
		assert_int_equal(read(e->out, &byte, 1), 1);
}

static void
elsewhere_end(struct elsewhere *e)
{
	int status = 0;
	char buf[256];

	close(e->in);
	while (read(e->out, buf, sizeof(buf)) > 0)
		;
	close(e->out);
	assert_int_equal(waitpid(e->pid, &status, 0), e->pid);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
}

static void
expect_served(const char *path)
{
	uint32_t value = 1;
	struct vu_peer peer;

	peer_open(&peer, path);
	assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &value, sizeof(value)), 0);
	peer_close(&peer);
}

static void
test_live_socket_of_another_process_stays(void **state)
{
	struct served *served = *state;
	struct served *own = calloc(1, sizeof(*own));
	struct elsewhere other;
	struct vu_peer peer;
	uint32_t value = 1;
	char path[96];

	snprintf(path, sizeof(path), "%s/other", served->dir);
	elsewhere_start(&other, path);
	served_register(own, path, NULL);
	assert_int_equal(rte_vfio_user_start(path), -EADDRINUSE);
	expect_served(path);
	/* nor while it has a client and accepts nobody */
	peer_open(&peer, path);
	assert_int_equal(rte_vfio_user_start(path), -EADDRINUSE);
	assert_int_equal(rte_vfio_user_start(path), -EADDRINUSE);
	assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &value, sizeof(value)), 0);
	peer_close(&peer);
	/* the end of a session that never had it leaves it there */
	assert_int_equal(rte_vfio_user_unregister(path), 0);
	assert_int_equal(access(path, F_OK), 0);
	expect_served(path);
	assert_int_equal(rte_vfio_user_register(path, NULL), 0);
	elsewhere_end(&other);
	assert_int_equal(access(path, F_OK), -1);
	served_stop(own);
	free(own);
}

static void
test_socket_of_a_killed_process_is_replaced(void **state)
{
	struct served *served = *state;
	struct served *own = calloc(1, sizeof(*own));
	struct elsewhere other;
	struct stat st;
	char path[96];

	snprintf(path, sizeof(path), "%s/other", served->dir);
	elsewhere_start(&other, path);
	kill(other.pid, SIGKILL);
	elsewhere_end(&other);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	served_register(own, path, NULL);
	assert_int_equal(rte_vfio_user_start(path), 0);
	expect_served(path);
	served_stop(own);
	free(own);
}

static void
test_permissions_are_set_before_anybody_can_connect(void **state)
{
	static const mode_t modes[] = { 0600, 0660, 0666, 0777, 0200 };
	struct served *served = *state;
	struct served *own = calloc(1, sizeof(*own));
	mode_t mask = umask(0);
	struct stat st;
	char path[96];
	size_t i;

	snprintf(path, sizeof(path), "%s/other", served->dir);
	for (i = 0; i < 2 * RTE_DIM(modes); i++) {
		struct rte_vfio_user_options opt = { .size = sizeof(opt),
			.sock_mode = modes[i / 2] };

		/* whatever the mask */
		umask(i % 2 == 0 ? 0 : 0777);
		memset(own, 0, sizeof(*own));
		served_register(own, path, &opt);
		assert_int_equal(rte_vfio_user_start(path), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i / 2]);
		served_stop(own);
	}
	umask(mask);
	free(own);
}

static void
test_directory_that_forbids_or_is_not_there(void **state)
{
	struct served *served = *state;
	struct served *own = calloc(1, sizeof(*own));
	char path[96];

	snprintf(path, sizeof(path), "%s/no/sock", served->dir);
	served_register(own, path, NULL);
	assert_int_equal(rte_vfio_user_start(path), -ENOENT);
	path[strlen(served->dir) + 3] = '\0';
	assert_int_equal(mkdir(path, 0500), 0);
	/* root may do all things */
	assert_int_equal(rte_vfio_user_start(own->path), geteuid() == 0 ? 0 : -EACCES);
	served_stop(own);
	assert_int_equal(rmdir(path), 0);
	free(own);
}

/* ---- ends ---- */

static int hook_rc;

static int
hook_unregister(struct served *served, uint64_t value)
{
	(void)value;
	hook_rc = rte_vfio_user_unregister(served->path);
	return 0;
}

static void *
poll_main(void *arg)
{
	struct served *served = arg;

	while (rte_vfio_user_poll(served->dev_id) >= 0)
		sched_yield();
	return NULL;
}

/* From the thread that polls it is a callback as well. */
static void
test_no_end_from_a_callback(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = RTE_VFIO_USER_F_POLL };
	struct served *served = *state;
	struct served *polled = calloc(1, sizeof(*polled));
	uint64_t value = 0;
	struct vu_peer peer;
	pthread_t thread;

	served->hook = hook_unregister;
	peer_open(&peer, served->path);
	assert_int_equal(peer_write(&peer, SERVED_REGS, SERVED_REG_HOOK, &value, 8), 0);
	assert_int_equal(hook_rc, -EBUSY);
	peer_close(&peer);
	served_start(polled, &opt);
	polled->hook = hook_unregister;
	assert_int_equal(pthread_create(&thread, NULL, poll_main, polled), 0);
	peer_open(&peer, polled->path);
	hook_rc = 0;
	assert_int_equal(peer_write(&peer, SERVED_REGS, SERVED_REG_HOOK, &value, 8), 0);
	assert_int_equal(hook_rc, -EBUSY);
	/* and another thread may end it while it is polled */
	served_stop(polled);
	pthread_join(thread, NULL);
	peer_expect_closed(&peer);
	peer_close(&peer);
	free(polled);
}

static void
gone_unregister(struct served *served)
{
	hook_rc = rte_vfio_user_unregister(served->path);
}

/* Nor when it is the end of a client that is told. */
static void
test_no_end_from_the_end_of_a_client(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	int i;

	served->gone = gone_unregister;
	for (i = 1; i <= 2; i++) {
		hook_rc = 0;
		peer_open(&peer, served->path);
		peer_close(&peer);
		served_wait(&served->destroy_device, i);
		assert_int_equal(hook_rc, -EBUSY);
	}
	served->gone = NULL;
}

static void
test_no_end_from_the_end_of_a_polled_client(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = RTE_VFIO_USER_F_POLL };
	struct served *polled = calloc(1, sizeof(*polled));
	struct vu_peer peer;
	pthread_t thread;

	(void)state;
	served_start(polled, &opt);
	polled->gone = gone_unregister;
	hook_rc = 0;
	assert_int_equal(pthread_create(&thread, NULL, poll_main, polled), 0);
	peer_open(&peer, polled->path);
	peer_close(&peer);
	served_wait(&polled->destroy_device, 1);
	assert_int_equal(hook_rc, -EBUSY);
	polled->gone = NULL;
	served_stop(polled);
	pthread_join(thread, NULL);
	free(polled);
}

static atomic_int in_hook;
static atomic_bool leave_hook;

static int
hook_linger(struct served *served, uint64_t value)
{
	(void)served;
	(void)value;
	atomic_store(&in_hook, 1);
	while (!atomic_load(&leave_hook))
		usleep(100);
	return 0;
}

static void *
unregister_main(void *arg)
{
	served_stop(arg);
	return NULL;
}

/* The end waits for a request that is being answered, and then comes. */
static void
test_end_in_the_middle_of_a_request(void **state)
{
	struct served *served = *state;
	struct served *own = calloc(1, sizeof(*own));
	uint64_t request[3] = { SERVED_REG_HOOK, (uint64_t)8 << 32 | SERVED_REGS, 0 };
	struct vu_peer peer;
	pthread_t thread;

	(void)served;
	served_start(own, NULL);
	own->hook = hook_linger;
	atomic_store(&in_hook, 0);
	atomic_store(&leave_hook, false);
	peer_open(&peer, own->path);
	peer_send(&peer, VU_REGION_WRITE, 0, request, sizeof(request), NULL, 0);
	served_wait(&in_hook, 1);
	assert_int_equal(pthread_create(&thread, NULL, unregister_main, own), 0);
	usleep(2000);
	/* not under the feet of the callback */
	assert_int_equal(own->destroy_device, 0);
	atomic_store(&leave_hook, true);
	pthread_join(thread, NULL);
	assert_int_equal(own->destroy_device, 1);
	assert_int_equal(rte_vfio_user_dev_id(own->path), -ENOENT);
	while (peer_receive(&peer))
		assert_int_equal(peer.hdr.cmd, VU_REGION_WRITE);
	peer_close(&peer);
	free(own);
}

/* Half a message is in the buffer, replies are in the queue, others wait to be accepted. */
static void
test_end_with_work_left(void **state)
{
	const struct vu_region_access access = { .region = SERVED_LARGE, .count = 1u << 20 };
	const struct vu_hdr half = { .cmd = VU_DMA_MAP, .size = 48 };
	struct served *served = *state;
	struct vu_peer peer, waiting[3];
	int fd = peer_memory(PAGE);
	unsigned int i;

	peer_open(&peer, served->path);
	for (i = 0; i < RTE_DIM(waiting); i++)
		peer_connect(&waiting[i], served->path);
	assert_int_equal(peer_map(&peer, 0, PAGE, 3, fd, 0), 0);
	for (i = 0; i < 6; i++)
		peer_send(&peer, VU_REGION_READ, 0, &access, sizeof(access), NULL, 0);
	peer_send_raw(&peer, &half, sizeof(half), &fd, 1);
	close(fd);
	assert_int_equal(rte_vfio_user_unregister(served->path), 0);
	for (i = 0; i < RTE_DIM(waiting); i++) {
		peer_expect_closed(&waiting[i]);
		peer_close(&waiting[i]);
	}
	peer_close(&peer);
	/* for the teardown */
	assert_int_equal(rte_vfio_user_register(served->path, NULL), 0);
}

/* ---- clients that come and go ---- */

static void
use_memory_and_interrupts(int dev_id, uint32_t i)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = i * PAGE, .size = PAGE,
		.protection = PROT_READ | PROT_WRITE, .flags = RTE_VUSER_MEM_MAPPABLE };
	struct {
		struct vfio_irq_set set;
		int fd;
	} irqs = { .set = { .argsz = sizeof(irqs), .count = 1, .index = VFIO_PCI_MSIX_IRQ_INDEX,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER } };
	int memory = peer_memory(PAGE);

	assert_int_equal(rte_vfio_user_dma_map(dev_id, &mem, &memory, 1), 0);
	irqs.fd = memory;
	/* a memory is no eventfd */
	assert_int_equal(rte_vfio_user_set_irqs(dev_id, &irqs.set), -EINVAL);
	close(memory);
}

static void
test_attached_and_detached_many_times(void **state)
{
	struct served *served = *state;
	struct resources before;
	uint32_t i, got;
	int dev_id;

	for (i = 0; i < 200; i++) {
		dev_id = rte_vfio_user_attach_dev(served->path);
		assert_int_equal(dev_id, 0);
		use_memory_and_interrupts(dev_id, i);
		assert_int_equal(rte_vfio_user_region_write(dev_id, SERVED_REGS, 0, 4, &i), 0);
		assert_int_equal(rte_vfio_user_region_read(dev_id, SERVED_REGS, 0, 4, &got), 0);
		assert_int_equal(got, i);
		assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
		served_wait(&served->destroy_device, (int)i + 1);
		/* the first leaves what the session keeps for the next */
		if (i == 0)
			resources_take(&before);
	}
	resources_assert_same(&before);
	resources_drop(&before);
}

/* Who only looks in, says hello, or talks nonsense counts for nothing. */
static void
test_visitors_leave_nothing(void **state)
{
	struct served *served = *state;
	struct resources before;
	struct vu_peer peer;
	unsigned int i;

	resources_take(&before);
	for (i = 0; i < 100; i++) {
		peer_connect(&peer, served->path);
		if (i % 4 == 1)
			peer_send_raw(&peer, "hello", 5, NULL, 0);
		if (i % 4 == 2)
			peer_send_raw(&peer, "GET / HTTP/1.1\r\n\r\n", 18, NULL, 0);
		if (i % 4 == 3)
			peer_send(&peer, VU_GET_INFO, 0, NULL, 0, NULL, 0);
		peer_close(&peer);
	}
	expect_served(served->path);
	served_wait(&served->destroy_device, 1);
	assert_int_equal(served->new_device, 1);
	resources_assert_same(&before);
	resources_drop(&before);
}

/* ---- poll mode ---- */

static void
test_idle_poll_is_one_call(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = RTE_VFIO_USER_F_POLL };
	struct served *served = *state;
	struct served *own = calloc(1, sizeof(*own));
	struct vu_peer peer;
	int sock[2], i;

	(void)served;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	opt.flags |= RTE_VFIO_USER_F_SOCK_FD;
	opt.sock_fd = sock[0];
	served_register(own, "idle", &opt);
	assert_int_equal(rte_vfio_user_start("idle"), 0);
	peer_adopt(&peer, sock[1]);
	peer_send(&peer, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	assert_int_equal(rte_vfio_user_poll(own->dev_id), 1);
	assert_true(peer_receive(&peer));
	interpose_fail(INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0, 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(rte_vfio_user_poll(own->dev_id), 0);
	interpose_disarm();
	assert_int_equal(interpose_count(), 10);
	assert_int_equal(interpose_count_of(INTERPOSE_RECVMSG), 10);
	peer_close(&peer);
	served_stop(own);
	free(own);
}

/* As long as there is no client it is one accept(). */
static void
test_idle_poll_without_a_client_is_one_call(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = RTE_VFIO_USER_F_POLL };
	struct served *served = *state;
	struct served *own = calloc(1, sizeof(*own));
	char path[96];
	int i;

	snprintf(path, sizeof(path), "%s/other", served->dir);
	served_register(own, path, &opt);
	assert_int_equal(rte_vfio_user_start(path), 0);
	interpose_fail(INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0, 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(rte_vfio_user_poll(own->dev_id), 0);
	interpose_disarm();
	assert_int_equal(interpose_count(), 10);
	assert_int_equal(interpose_count_of(INTERPOSE_ACCEPT), 10);
	served_stop(own);
	free(own);
}

/* Places for sessions and clients are kept: have as many as any test needs. */
static int
warm_up(void **state)
{
	static const char *const names[] = { "warm 0", "warm 1", "warm 2", "warm 3" };
	size_t i;

	for (i = 0; i < RTE_DIM(names); i++)
		assert_int_equal(rte_vfio_user_register(names[i], NULL), 0);
	for (i = 0; i < RTE_DIM(names); i++)
		assert_int_equal(rte_vfio_user_unregister(names[i]), 0);
	return served_warm_up(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_calls_in_any_order),
	TEST(test_ids_of_sessions_that_are_gone),
	TEST(test_live_socket_of_another_process_stays),
	TEST(test_socket_of_a_killed_process_is_replaced),
	TEST(test_permissions_are_set_before_anybody_can_connect),
	TEST(test_directory_that_forbids_or_is_not_there),
	TEST(test_no_end_from_a_callback),
	TEST(test_no_end_from_the_end_of_a_client),
	TEST(test_no_end_from_the_end_of_a_polled_client),
	TEST(test_end_in_the_middle_of_a_request),
	TEST(test_end_with_work_left),
	TEST(test_attached_and_detached_many_times),
	TEST(test_visitors_leave_nothing),
	TEST(test_idle_poll_is_one_call),
	TEST(test_idle_poll_without_a_client_is_one_call),
};

TEST_SUITE(vu_life, "functional", tests, warm_up, NULL)

static const struct CMUnitTest server_tests[] = {
	cmocka_unit_test(test_serve_elsewhere),
};

TEST_SUITE(vu_life_server, "helper", server_tests, NULL, NULL)
