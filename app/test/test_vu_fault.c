/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What goes wrong around a session: a client takes away memory that the device is using; there
 * are no descriptors, or no memory. Sessions beside it must not notice.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <rte_common.h>

#include "interpose.h"
#include "test.h"
#include "vu_bystander.h"
#include "vu_served.h"

#define PAGE 4096u
#define NB_PAGES 15u
#define SIZE (NB_PAGES * PAGE)
#define RW (VU_DMA_F_READ | VU_DMA_F_WRITE)

/*
 * A session whose client does harm, and one beside it. Made by the test itself: before each test
 * cmocka puts its own handler of SIGBUS in the place of the library's.
 */
struct scene {
	struct resources before;
	struct served served;
	struct bystander beside;
};

static struct scene *
scene_start(const struct rte_vfio_user_options *opt)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	resources_take(&scene->before);
	served_start(&scene->served, opt);
	bystander_start(&scene->beside);
	return scene;
}

/* The next client of the session is served as if nothing had been. */
static void
scene_next_client(struct scene *scene)
{
	int fd = peer_memory(PAGE);
	char buf[2] = "";
	struct vu_peer peer;

	assert_int_equal(pwrite(fd, "ok", 2, 0), 2);
	peer_open(&peer, scene->served.path);
	assert_int_equal(peer_map(&peer, 0, PAGE, RW, fd, 0), 0);
	assert_int_equal(rte_vfio_user_dma_read(scene->served.dev_id, 0, buf, 2), 0);
	assert_memory_equal(buf, "ok", 2);
	assert_int_equal(rte_vfio_user_dma_write(scene->served.dev_id, 2, "ko", 2), 0);
	assert_int_equal(pread(fd, buf, 2, 2), 2);
	assert_memory_equal(buf, "ko", 2);
	peer_close(&peer);
	close(fd);
}

static void
scene_stop(struct scene *scene)
{
	scene_next_client(scene);
	bystander_stop(&scene->beside);
	served_stop(&scene->served);
	resources_assert_same(&scene->before);
	resources_drop(&scene->before);
	free(scene);
}

/* A client of ours has left, and the server knows. */
static void
wait_left(struct served *served)
{
	served_wait(&served->destroy_device, atomic_load(&served->new_device));
}

/* ---- memory that goes away ---- */

#define USERS 3u

/* A thread of the device that uses its pages of the client's memory all the time. */
struct user {
	pthread_t thread;
	int dev_id;
	unsigned int nr;	/* of USERS */
	atomic_bool stop;
	atomic_uint rounds;	/* in which it reached the memory */
	atomic_uint refused;	/* in which it did not */
	atomic_uint wrong;	/* in which it read what never was there */
};

#define PATTERN 0x5au

static bool
is_possible(uint8_t byte)
{
	return byte == PATTERN || byte == 0;
}

/* Through pointers: a page is what it was or zeros, and pointers hold until the section ends. */
static bool
use_pointers(struct user *user, uint64_t addr)
{
	volatile uint8_t *at;
	struct iovec iov;
	bool reached;

	if (rte_vfio_user_dma_enter(user->dev_id) < 0)
		return false;
	reached = rte_vfio_user_dma_sg(user->dev_id, addr, PAGE, PROT_READ | PROT_WRITE, &iov,
		1) == 1;
	if (reached) {
		at = iov.iov_base;
		if (!is_possible(at[0]) || !is_possible(at[PAGE - 1]))
			atomic_fetch_add(&user->wrong, 1);
		at[0] = PATTERN;
		at[PAGE - 1] = PATTERN;
	}
	rte_vfio_user_dma_leave(user->dev_id);
	return reached;
}

/* By copies: they fail, or give what is possible. */
static bool
use_copies(struct user *user, uint64_t addr)
{
	uint8_t buf[64];

	if (rte_vfio_user_dma_read(user->dev_id, addr, buf, sizeof(buf)) < 0)
		return false;
	if (!is_possible(buf[0]) || !is_possible(buf[63]))
		atomic_fetch_add(&user->wrong, 1);
	memset(buf, PATTERN, sizeof(buf));
	return rte_vfio_user_dma_write(user->dev_id, addr, buf, sizeof(buf)) == 0;
}

static void *
user_main(void *arg)
{
	struct user *user = arg;
	unsigned int i;
	uint64_t addr;
	bool reached;

	for (i = 0; !atomic_load(&user->stop); i++) {
		addr = (i / 2 % (NB_PAGES / USERS) * USERS + user->nr) * PAGE;
		reached = i & 1 ? use_copies(user, addr) : use_pointers(user, addr);
		atomic_fetch_add(reached ? &user->rounds : &user->refused, 1);
	}
	return NULL;
}

static void
user_start(struct user *user, int dev_id, unsigned int nr)
{
	memset(user, 0, sizeof(*user));
	user->nr = nr;
	user->dev_id = dev_id;
	assert_int_equal(pthread_create(&user->thread, NULL, user_main, user), 0);
	while (atomic_load(&user->rounds) < 2 * NB_PAGES)
		usleep(100);
}

static void
user_stop(struct user *user)
{
	atomic_store(&user->stop, true);
	pthread_join(user->thread, NULL);
	assert_int_equal(user->wrong, 0);
}

static int
pattern_memory(void)
{
	uint8_t page[PAGE];
	int fd = peer_memory(SIZE);
	unsigned int i;

	memset(page, PATTERN, sizeof(page));
	for (i = 0; i < NB_PAGES; i++)
		assert_int_equal(pwrite(fd, page, PAGE, i * PAGE), PAGE);
	return fd;
}

/* Cut the file under threads that use it in both ways. */
static void
truncate_under_users(struct scene *scene, off_t left)
{
	struct user users[USERS];
	int fd = pattern_memory();
	struct vu_peer peer;
	unsigned int i;

	peer_open(&peer, scene->served.path);
	assert_int_equal(peer_map(&peer, 0, SIZE, RW, fd, 0), 0);
	for (i = 0; i < USERS; i++)
		user_start(&users[i], scene->served.dev_id, i);
	assert_int_equal(ftruncate(fd, left), 0);
	peer_expect_closed(&peer);
	bystander_check(&scene->beside);
	for (i = 0; i < USERS; i++) {
		while (atomic_load(&users[i].refused) == 0)
			usleep(100);
		user_stop(&users[i]);
	}
	peer_close(&peer);
	close(fd);
}

static void
test_file_is_truncated_under_threads_of_the_device(void **state)
{
	static const off_t left[] = { 0, PAGE, SIZE / 2, SIZE - PAGE };
	struct scene *scene = scene_start(NULL);
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(left); i++)
		truncate_under_users(scene, left[i]);
	scene_stop(scene);
}

/* Holes are no fault: their pages are zeros, for both sides. */
static void
test_holes_are_zeros_and_harm_nobody(void **state)
{
	struct scene *scene = scene_start(NULL);
	struct user users[USERS];
	int fd = pattern_memory();
	uint8_t buf[PAGE], zeros[PAGE] = { 0 };
	struct vu_peer peer;
	unsigned int i;

	(void)state;
	peer_open(&peer, scene->served.path);
	assert_int_equal(peer_map(&peer, 0, SIZE, RW, fd, 0), 0);
	for (i = 0; i < USERS; i++)
		user_start(&users[i], scene->served.dev_id, i);
	for (i = 0; i < 200; i++)
		assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			i % NB_PAGES * PAGE, PAGE), 0);
	for (i = 0; i < USERS; i++) {
		user_stop(&users[i]);
		assert_int_equal(users[i].refused, 0);
	}
	assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE), 0);
	assert_int_equal(rte_vfio_user_dma_read(scene->served.dev_id, PAGE, buf, PAGE), 0);
	assert_memory_equal(buf, zeros, PAGE);
	assert_int_equal(rte_vfio_user_dma_write(scene->served.dev_id, 0, "back", 4), 0);
	assert_int_equal(pread(fd, buf, 4, 0), 4);
	assert_memory_equal(buf, "back", 4);
	assert_int_equal(scene->served.destroy_device, 0);
	peer_close(&peer);
	close(fd);
	scene_stop(scene);
}

/* How a device reaches memory that is gone, and what it gets. */
static int
reach_read(int dev_id, uint64_t addr)
{
	uint8_t buf[256];

	return rte_vfio_user_dma_read(dev_id, addr, buf, sizeof(buf));
}

static int
reach_write(int dev_id, uint64_t addr)
{
	uint8_t buf[256] = { 1 };

	return rte_vfio_user_dma_write(dev_id, addr, buf, sizeof(buf));
}

/* Returns -EFAULT if it read zeros; the session is told at the end of the section only. */
static int
reach_load(int dev_id, uint64_t addr)
{
	struct iovec iov;
	int rc;

	assert_int_equal(rte_vfio_user_dma_enter(dev_id), 0);
	rc = rte_vfio_user_dma_sg(dev_id, addr, 8, PROT_READ, &iov, 1);
	assert_int_equal(rc, 1);
	rc = *(volatile uint64_t *)iov.iov_base == 0 ? -EFAULT : 0;
	rte_vfio_user_dma_leave(dev_id);
	return rc;
}

static int
reach_store(int dev_id, uint64_t addr)
{
	volatile uint64_t *at;
	struct iovec iov;
	int rc;

	assert_int_equal(rte_vfio_user_dma_enter(dev_id), 0);
	assert_int_equal(rte_vfio_user_dma_sg(dev_id, addr, 8, PROT_WRITE, &iov, 1), 1);
	at = iov.iov_base;
	*at = 7;
	/* what replaces the memory holds it to the end of the section */
	rc = *at == 7 ? -EFAULT : 0;
	rte_vfio_user_dma_leave(dev_id);
	return rc;
}

static int (*const reaches[])(int dev_id, uint64_t addr) = {
	reach_read, reach_write, reach_load, reach_store,
};

static void
test_each_access_to_truncated_memory_ends_the_session(void **state)
{
	struct scene *scene = scene_start(NULL);
	struct vu_peer peer;
	unsigned int i;
	int fd;

	(void)state;
	for (i = 0; i < RTE_DIM(reaches); i++) {
		fd = pattern_memory();
		peer_open(&peer, scene->served.path);
		assert_int_equal(peer_map(&peer, 0, SIZE, RW, fd, 0), 0);
		assert_int_equal(ftruncate(fd, PAGE), 0);
		/* what is left is good until somebody falls into the rest */
		assert_int_equal(reach_read(scene->served.dev_id, 0), 0);
		assert_int_equal(reaches[i](scene->served.dev_id, 3 * PAGE), -EFAULT);
		peer_expect_closed(&peer);
		peer_close(&peer);
		served_wait(&scene->served.destroy_device, (int)i + 1);
		assert_int_equal(reach_read(scene->served.dev_id, 0), -ENODEV);
		bystander_check(&scene->beside);
		close(fd);
	}
	scene_stop(scene);
}

/* The device falls into it from within a callback, where the client waits for an answer. */
static int
hook_read(struct served *served, uint64_t value)
{
	return reach_read(served->dev_id, value);
}

static void
test_callback_falls_into_truncated_memory(void **state)
{
	struct scene *scene = scene_start(NULL);
	uint64_t addr = 4 * PAGE;
	int fd = pattern_memory();
	struct vu_peer peer;

	(void)state;
	scene->served.hook = hook_read;
	peer_open(&peer, scene->served.path);
	assert_int_equal(peer_map(&peer, 0, SIZE, RW, fd, 0), 0);
	assert_int_equal(peer_write(&peer, SERVED_REGS, SERVED_REG_HOOK, &addr, 8), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	/* it is told what became of the command that it sent, before the end */
	assert_int_equal(peer_write(&peer, SERVED_REGS, SERVED_REG_HOOK, &addr, 8), EFAULT);
	peer_expect_closed(&peer);
	peer_close(&peer);
	close(fd);
	scene_stop(scene);
}

/* Two sessions share the file: each breaks when its own device falls into it. */
static void
test_sessions_break_one_by_one(void **state)
{
	struct scene *scene = scene_start(NULL);
	struct served *other = calloc(1, sizeof(*other));
	struct vu_peer one, two;
	int fd = pattern_memory();

	(void)state;
	served_start(other, NULL);
	peer_open(&one, scene->served.path);
	peer_open(&two, other->path);
	assert_int_equal(peer_map(&one, 0, SIZE, RW, fd, 0), 0);
	assert_int_equal(peer_map(&two, 0, SIZE, RW, fd, 0), 0);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	assert_int_equal(reach_read(scene->served.dev_id, PAGE), -EFAULT);
	peer_expect_closed(&one);
	assert_int_equal(reach_read(other->dev_id, 0), 0);
	assert_int_equal(other->destroy_device, 0);
	assert_int_equal(reach_write(other->dev_id, PAGE), -EFAULT);
	peer_expect_closed(&two);
	peer_close(&one);
	peer_close(&two);
	close(fd);
	served_stop(other);
	free(other);
	scene_stop(scene);
}

/* It also holds when the client takes the memory away and the region at the same time. */
static void
test_unmapped_and_truncated_at_a_time(void **state)
{
	struct scene *scene = scene_start(NULL);
	struct user users[USERS];
	struct vu_peer peer;
	unsigned int i;
	int fd;

	(void)state;
	peer_open(&peer, scene->served.path);
	for (i = 0; i < USERS; i++) {
		fd = pattern_memory();
		assert_int_equal(peer_map(&peer, 0, SIZE, RW, fd, 0), 0);
		user_start(&users[i], scene->served.dev_id, i);
		assert_int_equal(peer_unmap(&peer, 0, SIZE, 0), 0);
		assert_int_equal(ftruncate(fd, 0), 0);
		close(fd);
	}
	/* nobody used it after the reply to the unmap */
	for (i = 0; i < USERS; i++)
		user_stop(&users[i]);
	assert_int_equal(scene->served.destroy_device, 0);
	peer_close(&peer);
	scene_stop(scene);
}

/* ---- no descriptors ---- */

static struct rlimit limit;

static int
limit_setup(void **state)
{
	(void)state;
	return getrlimit(RLIMIT_NOFILE, &limit);
}

static int
limit_teardown(void **state)
{
	(void)state;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

/* From now on the process gets no further descriptor. */
static void
descriptors_run_out(void)
{
	struct rlimit few = limit;
	int lowest = dup(0);

	assert_true(lowest >= 0);
	close(lowest);
	few.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(dup(0), -1);
}

static void
descriptors_are_back(void)
{
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void
test_server_cannot_take_a_descriptor(void **state)
{
	struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .size = PAGE };
	struct scene *scene = scene_start(NULL);
	int fd = peer_memory(PAGE);
	struct vu_peer peer;

	(void)state;
	peer_open(&peer, scene->served.path);
	descriptors_run_out();
	/* the stream has lost what belongs to it: it ends there */
	peer_send(&peer, VU_DMA_MAP, 0, &map, sizeof(map), &fd, 1);
	peer_expect_closed(&peer);
	bystander_check(&scene->beside);
	descriptors_are_back();
	peer_close(&peer);
	close(fd);
	scene_stop(scene);
}

/* The server has received what was sent, so it has accepted the client. */
static void
wait_received(const struct vu_peer *peer)
{
	int left = 1;

	while (left > 0) {
		assert_int_equal(ioctl(peer->sock, SIOCOUTQ, &left), 0);
		usleep(100);
	}
}

static void
test_server_has_no_descriptor_for_a_twin_socket(void **state)
{
	static const char json[] = "{\"capabilities\":{\"max_msg_fds\":8,"
		"\"twin_socket\":{\"supported\":true}}}";
	const struct vu_hdr hdr = { .cmd = VU_VERSION, .size = sizeof(hdr) + 4 + sizeof(json) };
	struct scene *scene = scene_start(NULL);
	uint32_t value = 0;
	struct vu_peer peer;

	(void)state;
	peer_connect(&peer, scene->served.path);
	peer_send_raw(&peer, &hdr, sizeof(hdr), NULL, 0);
	wait_received(&peer);
	descriptors_run_out();
	peer_send_raw(&peer, "\0\0\0\0", 4, NULL, 0);
	peer_send_raw(&peer, json, sizeof(json), NULL, 0);
	assert_true(peer_receive(&peer));
	descriptors_are_back();
	assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	assert_int_equal(peer.nb_fds, 0);
	assert_null(strstr((const char *)peer.payload + 4, "fd_index"));
	assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &value, sizeof(value)), 0);
	peer_close(&peer);
	scene_stop(scene);
}

static void
test_start_without_descriptors(void **state)
{
	struct scene *scene = scene_start(NULL);
	struct served *other = calloc(1, sizeof(*other));
	char path[96];
	uint32_t flags;

	(void)state;
	for (flags = 0; flags <= RTE_VFIO_USER_F_POLL; flags += RTE_VFIO_USER_F_POLL) {
		struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = flags };

		memset(other, 0, sizeof(*other));
		snprintf(path, sizeof(path), "%s/other", scene->served.dir);
		served_register(other, path, &opt);
		descriptors_run_out();
		assert_int_equal(rte_vfio_user_start(path), -EMFILE);
		bystander_check(&scene->beside);
		descriptors_are_back();
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(rte_vfio_user_start(path), 0);
		served_stop(other);
	}
	free(other);
	scene_stop(scene);
}

static void
test_client_without_descriptors(void **state)
{
	struct scene *scene = scene_start(NULL);
	struct {
		struct vfio_region_info info;
		uint8_t caps[128];
	} reg = { .info = { .argsz = sizeof(reg), .index = SERVED_MAPPABLE } };
	uint32_t value;
	int dev_id, fd;

	(void)state;
	descriptors_run_out();
	assert_int_equal(rte_vfio_user_attach_dev(scene->served.path), -EMFILE);
	descriptors_are_back();
	dev_id = rte_vfio_user_attach_dev(scene->served.path);
	assert_true(dev_id >= 0);
	descriptors_run_out();
	assert_int_equal(rte_vfio_user_region_read(dev_id, SERVED_REGS, 0, 4, &value), 0);
	assert_int_equal(rte_vfio_user_get_reg_info(dev_id, &reg.info, &fd), -EMFILE);
	assert_int_equal(fd, -1);
	descriptors_are_back();
	/* what came was received, only its descriptor was not: the device is there yet, or gone */
	assert_int_equal(rte_vfio_user_region_read(dev_id, SERVED_REGS, 0, 4, &value), -ENOTCONN);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
	scene_stop(scene);
}

/* A client whom no descriptor was free for is accepted even if the others never rest. */
static void *
flood_main(void *arg)
{
	struct bystander *b = ((void **)arg)[0];
	atomic_bool *stop = ((void **)arg)[1];

	while (!atomic_load(stop))
		bystander_check(b);
	return NULL;
}

static void
test_client_that_was_not_accepted_beside_a_busy_one(void **state)
{
	struct scene *scene = scene_start(NULL);
	atomic_bool stop = false;
	void *arg[] = { &scene->beside, &stop };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct vu_peer peer;
	pthread_t flood;

	(void)state;
	peer_adopt(&peer, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	strcpy(addr.sun_path, scene->served.path);
	descriptors_run_out();
	assert_int_equal(connect(peer.sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	peer_send(&peer, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	peer_expect_silence(&peer);
	assert_int_equal(pthread_create(&flood, NULL, flood_main, arg), 0);
	descriptors_are_back();
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	atomic_store(&stop, true);
	pthread_join(flood, NULL);
	peer_close(&peer);
	scene_stop(scene);
}

/* ---- a call that fails, each in turn ---- */

/* All that a client does with a device. Returns 0, or the first error. */
static int
use_device(const char *path)
{
	struct rte_vfio_user_attach_options opt = { .size = sizeof(opt), .timeout_ms = 20000 };
	struct {
		struct vfio_region_info info;
		uint8_t caps[128];
	} reg = { .info = { .argsz = sizeof(reg), .index = SERVED_MAPPABLE } };
	struct rte_vfio_user_mem_reg mem = { .size = PAGE, .protection = PROT_READ | PROT_WRITE,
		.flags = RTE_VUSER_MEM_MAPPABLE };
	struct {
		struct vfio_irq_set set;
		int fd;
	} irqs = { .set = { .argsz = sizeof(irqs), .count = 1, .index = VFIO_PCI_MSIX_IRQ_INDEX,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER } };
	static uint8_t data[1u << 19];
	int dev_id, rc, memory, fd = -1;

	interpose_bypass_begin();
	memory = peer_memory(PAGE);
	irqs.fd = eventfd(0, EFD_CLOEXEC);
	interpose_bypass_end();
	rc = dev_id = rte_vfio_user_attach_dev_opt(path, &opt);
	if (dev_id < 0)
		goto out;
	rc = rte_vfio_user_get_reg_info(dev_id, &reg.info, &fd);
	if (rc == 0)
		rc = rte_vfio_user_dma_map(dev_id, &mem, &memory, 1);
	if (rc == 0)
		rc = rte_vfio_user_set_irqs(dev_id, &irqs.set);
	if (rc == 0)
		rc = rte_vfio_user_region_write(dev_id, SERVED_LARGE, 0, sizeof(data), data);
	if (rc == 0)
		rc = rte_vfio_user_region_read(dev_id, SERVED_LARGE, 0, sizeof(data), data);
	if (rc == 0)
		rc = rte_vfio_user_region_post(dev_id, SERVED_REGS, 0, 4, data);
	if (rc == 0)
		rc = rte_vfio_user_dma_unmap(dev_id, &mem, 1);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
out:
	interpose_bypass_begin();
	if (fd >= 0)
		close(fd);
	close(irqs.fd);
	close(memory);
	interpose_bypass_end();
	return rc;
}

/* Calls that tell nothing when they fail, or whose failure says nothing of a lack of means. */
#define LACK (INTERPOSE_ANY & ~INTERPOSE_ONLY(CLOSE) & ~INTERPOSE_ONLY(READ) & \
	~INTERPOSE_ONLY(WRITE))

static void
test_client_survives_each_failure(void **state)
{
	struct scene *scene = scene_start(NULL);
	struct interpose_loop loop;
	int rc;

	(void)state;
	INTERPOSE_EACH_FAILURE(loop, LACK | INTERPOSE_THIS_THREAD, 0) {
		rc = use_device(scene->served.path);
		interpose_disarm();
		/* what can be tried again is no error: a sendmsg() that found no buffers */
		if (rc == -ETIMEDOUT || (rc < 0 && !interpose_fired()))
			fail_msg("%s failed: %s", interpose_fired_name(), strerror(-rc));
		bystander_check(&scene->beside);
		wait_left(&scene->served);
	}
	scene_stop(scene);
}

/* The server's calls fail: this thread's count for nothing. */
static void
test_server_survives_each_failure(void **state)
{
	struct scene *scene = scene_start(NULL);
	struct interpose_loop loop;
	int rc;

	(void)state;
	interpose_bypass_begin();
	INTERPOSE_EACH_FAILURE(loop, LACK, 0) {
		rc = use_device(scene->served.path);
		interpose_disarm();
		if (rc == -ETIMEDOUT || (rc < 0 && !interpose_fired()))
			fail_msg("%s failed: %s", interpose_fired_name(), strerror(-rc));
		bystander_check(&scene->beside);
		/* it is there again */
		rc = use_device(scene->served.path);
		if (rc < 0)
			fail_msg("after %s failed: %s", interpose_fired_name(), strerror(-rc));
		wait_left(&scene->served);
	}
	interpose_bypass_end();
	scene_stop(scene);
}

static void
serve_once(const char *path, uint32_t flags)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = flags };
	struct vfio_device_info info = { .argsz = sizeof(info), .flags = VFIO_DEVICE_FLAGS_PCI };
	struct rte_vfio_user_regions regions = { .reg_num = 0 };
	struct rte_vfio_user_irq_info irqs = { .irq_num = 0 };
	int rc;

	rc = rte_vfio_user_register_opt(path, NULL, &opt);
	if (rc == 0)
		rc = rte_vfio_user_set_dev_info(path, &info);
	if (rc == 0)
		rc = rte_vfio_user_set_reg_info(path, &regions);
	if (rc == 0)
		rc = rte_vfio_user_set_irq_info(path, &irqs);
	if (rc == 0)
		rc = rte_vfio_user_start(path);
	interpose_disarm();
	/* that the directory cannot be locked is no error */
	assert_true(rc == 0 || interpose_fired());
	assert_int_equal(access(path, F_OK), rc == 0 ? 0 : -1);
	rc = rte_vfio_user_unregister(path);
	assert_true(rc == 0 || (rc == -ENOENT && interpose_fired()));
	assert_int_equal(access(path, F_OK), -1);
}

static void
test_start_survives_each_failure(void **state)
{
	struct scene *scene = scene_start(NULL);
	struct interpose_loop loop;
	char path[96];

	(void)state;
	snprintf(path, sizeof(path), "%s/other", scene->served.dir);
	INTERPOSE_EACH_FAILURE(loop, LACK | INTERPOSE_THIS_THREAD, 0)
		serve_once(path, 0);
	INTERPOSE_EACH_FAILURE(loop, LACK | INTERPOSE_THIS_THREAD, 0)
		serve_once(path, RTE_VFIO_USER_F_POLL);
	scene_stop(scene);
}

/* The first session also starts the control thread. */
static void
test_first_start_survives_each_failure(void **state)
{
	char dir[] = "/tmp/vu-test-XXXXXX";
	struct interpose_loop loop;
	char path[96];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sock", dir);
	INTERPOSE_EACH_FAILURE(loop, LACK | INTERPOSE_THIS_THREAD, 0)
		serve_once(path, 0);
	assert_int_equal(rmdir(dir), 0);
}

/* Places for sessions are kept: have as many as any test needs. */
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

#define LIMITED(name_) cmocka_unit_test_setup_teardown(name_, limit_setup, limit_teardown)

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_file_is_truncated_under_threads_of_the_device),
	cmocka_unit_test(test_holes_are_zeros_and_harm_nobody),
	cmocka_unit_test(test_each_access_to_truncated_memory_ends_the_session),
	cmocka_unit_test(test_callback_falls_into_truncated_memory),
	cmocka_unit_test(test_sessions_break_one_by_one),
	cmocka_unit_test(test_unmapped_and_truncated_at_a_time),
	LIMITED(test_server_cannot_take_a_descriptor),
	LIMITED(test_server_has_no_descriptor_for_a_twin_socket),
	LIMITED(test_start_without_descriptors),
	LIMITED(test_client_without_descriptors),
	LIMITED(test_client_that_was_not_accepted_beside_a_busy_one),
	cmocka_unit_test(test_client_survives_each_failure),
	cmocka_unit_test(test_server_survives_each_failure),
	cmocka_unit_test(test_start_survives_each_failure),
	cmocka_unit_test(test_first_start_survives_each_failure),
};

TEST_SUITE(vu_fault, "functional", tests, warm_up, NULL)
