/* SPDX-License-Identifier: BSD-3-Clause */

/* DMA_MAP and DMA_UNMAP at a served device, and what the device sees of the memory. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "interpose.h"
#include "vu_served.h"

#include "test.h"

#define RW (VU_DMA_F_READ | VU_DMA_F_WRITE)
#define PAGE 4096u

static void
test_mapped_memory_is_shared(void **state)
{
	struct served *served = *state;
	int fd = peer_memory(4 * PAGE);
	const struct rte_vfio_user_mem *mem;
	struct iovec iov[2];
	struct vu_peer peer;
	char buf[6] = "";

	peer_open(&peer, served->path);
	assert_int_equal(peer_map(&peer, 0x10000, 4 * PAGE, RW, fd, 0), 0);
	assert_int_equal(served->locks, 1);
	assert_int_equal(served->update_status, 1);
	assert_int_equal(pwrite(fd, "hello", 5, PAGE), 5);
	assert_int_equal(rte_vfio_user_dma_read(served->dev_id, 0x10000 + PAGE, buf, 5), 0);
	assert_string_equal(buf, "hello");
	assert_int_equal(rte_vfio_user_dma_write(served->dev_id, 0x10000, "there", 5), 0);
	assert_int_equal(pread(fd, buf, 5, 0), 5);
	assert_string_equal(buf, "there");
	mem = rte_vfio_user_get_mem_table(served->dev_id);
	assert_non_null(mem);
	assert_int_equal(mem->entry_num, 1);
	assert_int_equal(mem->entry[0].gpa, 0x10000);
	assert_int_equal(mem->entry[0].size, 4 * PAGE);
	assert_int_equal(served_nb_regions(served), 1);
	assert_int_equal(rte_vfio_user_dma_enter(served->dev_id), 0);
	assert_int_equal(rte_vfio_user_dma_sg(served->dev_id, 0x10000, 5, PROT_READ, iov, 2), 1);
	assert_memory_equal(iov[0].iov_base, "there", 5);
	rte_vfio_user_dma_leave(served->dev_id);
	assert_int_equal(peer_unmap(&peer, 0x10000, 4 * PAGE, 0), 0);
	assert_null(rte_vfio_user_get_mem_table(served->dev_id));
	assert_int_equal(rte_vfio_user_dma_read(served->dev_id, 0x10000, buf, 5), -EFAULT);
	peer_close(&peer);
	close(fd);
}

static void
test_protection_is_what_the_device_may_do(void **state)
{
	struct served *served = *state;
	int fd = peer_memory(PAGE);
	struct vu_peer peer;
	char buf[4] = "";

	peer_open(&peer, served->path);
	assert_int_equal(peer_map(&peer, 0, PAGE, VU_DMA_F_READ, fd, 0), 0);
	assert_int_equal(rte_vfio_user_dma_write(served->dev_id, 0, buf, 4), -EACCES);
	assert_int_equal(rte_vfio_user_dma_read(served->dev_id, 0, buf, 4), 0);
	peer_close(&peer);
	close(fd);
}

static void
test_maps_that_are_refused(void **state)
{
	static const struct {
		uint64_t addr;
		uint64_t size;
		uint32_t flags;
		uint64_t offset;
		int err;
	} cases[] = {
		{ 0x10000, PAGE, RW, 0, EEXIST },
		{ 0x10000 - PAGE, 2 * PAGE, RW, 0, EEXIST },
		{ 0x10000 + PAGE, PAGE, RW, 0, EEXIST },
		{ 0, UINT64_MAX, RW, 0, EEXIST },
		{ 0x20000, UINT64_MAX, RW, 0, EINVAL },
		{ 0x100000, 0, RW, 0, EINVAL },
		{ UINT64_MAX - PAGE + 1, 2 * PAGE, RW, 0, EINVAL },
		{ 0x100000, PAGE, 0, 0, EINVAL },
		{ 0x100000, PAGE, 0x4 | RW, 0, EINVAL },
		{ 0x100000, PAGE, 0x80000000u | RW, 0, EINVAL },
		{ 0x100000, 8 * PAGE, RW, 0, EINVAL },
		{ 0x100000, PAGE, RW, UINT64_MAX - PAGE + 1, EINVAL },
		{ 0x100000, PAGE, RW, 4 * PAGE, EINVAL },
	};
	struct served *served = *state;
	int fd = peer_memory(4 * PAGE);
	struct vu_peer peer;
	size_t i;
	int err;

	peer_open(&peer, served->path);
	assert_int_equal(peer_map(&peer, 0x10000, 4 * PAGE, RW, fd, 0), 0);
	for (i = 0; i < RTE_DIM(cases); i++) {
		err = peer_map(&peer, cases[i].addr, cases[i].size, cases[i].flags, fd,
			cases[i].offset);
		if (err != cases[i].err)
			print_error("case %zu\n", i);
		assert_int_equal(err, cases[i].err);
	}
	assert_int_equal(served_nb_regions(served), 1);
	peer_close(&peer);
	close(fd);
}

static void
test_descriptors_of_the_wrong_kind_or_number(void **state)
{
	struct served *served = *state;
	struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .size = PAGE };
	struct vu_peer peer;
	int fds[2], sock[2], dir = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
	peer_open(&peer, served->path);
	assert_int_not_equal(peer_map(&peer, 0, PAGE, RW, fds[0], 0), 0);
	assert_int_not_equal(peer_map(&peer, 0, PAGE, RW, sock[0], 0), 0);
	assert_int_not_equal(peer_map(&peer, 0, PAGE, RW, dir, 0), 0);
	assert_int_equal(peer_call_fds(&peer, VU_DMA_MAP, &map, sizeof(map), fds, 2), EINVAL);
	assert_null(rte_vfio_user_get_mem_table(served->dev_id));
	peer_close(&peer);
	close(fds[0]);
	close(fds[1]);
	close(sock[0]);
	close(sock[1]);
	close(dir);
}

/* As the kernel's VFIO: whole regions, several or none; QEMU does so behind a virtual IOMMU. */
static void
test_unmap_takes_whole_regions_and_nothing(void **state)
{
	struct served *served = *state;
	int fd = peer_memory(8 * PAGE);
	struct vu_peer peer;

	peer_open(&peer, served->path);
	assert_int_equal(peer_map(&peer, 0x10000, 4 * PAGE, RW, fd, 0), 0);
	assert_int_equal(peer_map(&peer, 0x14000, 4 * PAGE, RW, fd, 4 * PAGE), 0);
	assert_int_equal(peer_unmap(&peer, 0x10000, PAGE, 0), ENOENT);
	assert_int_equal(peer_unmap(&peer, 0x10000, 7 * PAGE, 0), ENOENT);
	assert_int_equal(peer_unmap(&peer, 0x11000, 3 * PAGE, 0), ENOENT);
	assert_int_equal(peer_unmap(&peer, 0x11000, 7 * PAGE, 0), ENOENT);
	assert_int_equal(peer_unmap(&peer, 0x100000, PAGE, 0), 0);
	assert_int_equal(peer_unmap(&peer, 0x800000000000, 0x800000000000, 0), 0);
	assert_int_equal(peer_unmap(&peer, 0xfef00000, 0xffffffff01100000, 0), 0);
	assert_int_equal(peer_unmap(&peer, 0x100000, 0, 0), EINVAL);
	assert_int_equal(peer_unmap(&peer, UINT64_MAX, 2, 0), EINVAL);
	assert_int_equal(peer_unmap(&peer, 0, 0, 0x4), EINVAL);
	assert_int_equal(peer_unmap(&peer, 0, 0, 0x3), EINVAL);
	assert_int_equal(peer_unmap(&peer, 0x10000, 0, VU_UNMAP_F_ALL), EINVAL);
	assert_int_equal(peer_unmap(&peer, 0, PAGE, VU_UNMAP_F_ALL), EINVAL);
	assert_int_equal(served_nb_regions(served), 2);
	assert_int_equal(peer_unmap(&peer, 0x10000, 4 * PAGE, 0), 0);
	assert_int_equal(peer_map(&peer, 0x10000, 4 * PAGE, RW, -1, 0), 0);
	assert_int_equal(peer_unmap(&peer, 0, 0x1000000, 0), 0);
	assert_null(rte_vfio_user_get_mem_table(served->dev_id));
	assert_int_equal(peer_map(&peer, 0x12000, PAGE, RW, -1, 0), 0);
	assert_int_equal(peer_unmap(&peer, 0, 0, VU_UNMAP_F_ALL), 0);
	assert_null(rte_vfio_user_get_mem_table(served->dev_id));
	assert_int_equal(peer_unmap(&peer, 0, 0, VU_UNMAP_F_ALL), 0);
	peer_close(&peer);
	close(fd);
}

static void
restart(struct served *served, const struct rte_vfio_user_options *opt)
{
	served_stop(served);
	memset(served, 0, offsetof(struct served, before));
	served->new_device = served->destroy_device = 0;
	served_start(served, opt);
}

static int
map_many(struct vu_peer *peer, int fd, uint32_t nb)
{
	struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW };
	uint32_t i;
	int failed = 0;

	for (i = 0; i < nb; i++) {
		map.addr = (uint64_t)i * 2 * PAGE;
		map.size = PAGE;
		peer_send(peer, VU_DMA_MAP, 0, &map, sizeof(map), &fd, 1);
		if (i % 64 == 63)
			peer_post(peer, SERVED_REGS, 0, &i, sizeof(i));
	}
	for (i = 0; i < nb; i++) {
		assert_true(peer_receive(peer));
		failed += peer->hdr.error != 0;
	}
	return failed;
}

/* Descriptors stay with their messages when maps and other commands come together. */
static void
test_maps_in_a_burst_keep_their_descriptors(void **state)
{
	struct served *served = *state;
	struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .size = PAGE };
	struct vu_peer peer;
	uint32_t i, value;
	int fd[64];

	peer_open(&peer, served->path);
	for (i = 0; i < 64; i++) {
		fd[i] = peer_memory(PAGE);
		assert_int_equal(pwrite(fd[i], &i, sizeof(i), 0), sizeof(i));
		map.addr = (uint64_t)i * PAGE;
		peer_send(&peer, VU_DMA_MAP, 0, &map, sizeof(map), &fd[i], i % 3 != 0);
		peer_post(&peer, SERVED_REGS, 0, &i, sizeof(i));
	}
	for (i = 0; i < 64; i++) {
		assert_true(peer_receive(&peer));
		assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	}
	for (i = 0; i < 64; i++) {
		close(fd[i]);
		if (i % 3 == 0)
			continue;
		assert_int_equal(rte_vfio_user_dma_read(served->dev_id, (uint64_t)i * PAGE, &value,
			sizeof(value)), 0);
		assert_int_equal(value, i);
	}
	peer_close(&peer);
}

static void
test_limit_of_regions(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .max_dma_maps = 100 };
	struct served *served = *state;
	int fd = peer_memory(PAGE);
	struct vu_peer peer;

	restart(served, &opt);
	peer_open(&peer, served->path);
	assert_int_equal(map_many(&peer, fd, 110), 10);
	peer_close(&peer);
	close(fd);
}

static void
test_lock_may_refuse_a_change(void **state)
{
	struct served *served = *state;
	int fd = peer_memory(PAGE);
	struct vu_peer peer;

	peer_open(&peer, served->path);
	atomic_store(&served->refuse_lock, -EBUSY);
	assert_int_equal(peer_map(&peer, 0, PAGE, RW, fd, 0), EBUSY);
	assert_null(rte_vfio_user_get_mem_table(served->dev_id));
	atomic_store(&served->refuse_lock, 0);
	assert_int_equal(peer_map(&peer, 0, PAGE, RW, fd, 0), 0);
	atomic_store(&served->refuse_lock, -EBUSY);
	assert_int_equal(peer_unmap(&peer, 0, PAGE, 0), EBUSY);
	atomic_store(&served->refuse_lock, 0);
	peer_close(&peer);
	close(fd);
}

static void
test_memory_goes_with_the_client(void **state)
{
	struct served *served = *state;
	int fd = peer_memory(PAGE);
	struct vu_peer peer;

	peer_open(&peer, served->path);
	assert_int_equal(peer_map(&peer, 0, PAGE, RW, fd, 0), 0);
	peer_close(&peer);
	served_wait(&served->destroy_device, 1);
	peer_open(&peer, served->path);
	assert_null(rte_vfio_user_get_mem_table(served->dev_id));
	assert_int_equal(peer_map(&peer, 0, PAGE, RW, fd, 0), 0);
	peer_close(&peer);
	close(fd);
}

/* ---- a file that shrinks ---- */

struct reader {
	struct served *served;
	atomic_bool stop;
	atomic_int reads;
};

static void *
reader_main(void *arg)
{
	struct reader *reader = arg;
	struct iovec iov;
	int dev_id = reader->served->dev_id;

	while (!atomic_load(&reader->stop)) {
		if (rte_vfio_user_dma_enter(dev_id) < 0)
			continue;
		if (rte_vfio_user_dma_sg(dev_id, 0, 64, PROT_READ, &iov, 1) == 1)
			atomic_fetch_add(&reader->reads, *(volatile uint8_t *)iov.iov_base);
		rte_vfio_user_dma_leave(dev_id);
	}
	return NULL;
}

static void
test_truncated_memory_ends_the_session_only(void **state)
{
	struct served *served = *state;
	struct reader reader = { .served = served };
	int fd = peer_memory(PAGE);
	struct vu_peer peer;
	pthread_t thread;

	/* cmocka has put its own handler in the place of the library's since the setup */
	restart(served, NULL);
	assert_int_equal(pwrite(fd, "\1", 1, 0), 1);
	peer_open(&peer, served->path);
	assert_int_equal(peer_map(&peer, 0, PAGE, RW, fd, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, reader_main, &reader), 0);
	while (atomic_load(&reader.reads) == 0)
		usleep(1000);
	assert_int_equal(ftruncate(fd, 0), 0);
	peer_expect_closed(&peer);
	served_wait(&served->destroy_device, 1);
	atomic_store(&reader.stop, true);
	pthread_join(thread, NULL);
	peer_close(&peer);
	peer_open(&peer, served->path);
	peer_close(&peer);
	close(fd);
}

static void
test_copy_from_truncated_memory_fails(void **state)
{
	struct served *served = *state;
	int fd = peer_memory(PAGE);
	struct vu_peer peer;
	char buf[16];

	restart(served, NULL);
	peer_open(&peer, served->path);
	assert_int_equal(peer_map(&peer, 0, PAGE, RW, fd, 0), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(rte_vfio_user_dma_read(served->dev_id, 0, buf, sizeof(buf)), -EFAULT);
	peer_expect_closed(&peer);
	peer_close(&peer);
	close(fd);
}

#define TOGETHER 16u

/* Descriptors end a receive: each map is one of its own, and all are one turn and one answer. */
static void
test_maps_with_descriptors_are_answered_together(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = RTE_VFIO_USER_F_POLL };
	struct served *served = calloc(1, sizeof(*served));
	struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .size = PAGE };
	int fd = peer_memory(PAGE);
	struct vu_peer peer;
	unsigned int i;

	(void)state;
	served_start(served, &opt);
	peer_connect(&peer, served->path);
	peer_send(&peer, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	while (rte_vfio_user_poll(served->dev_id) == 0)
		;
	assert_true(peer_receive(&peer));
	for (i = 0; i < TOGETHER; i++, map.addr += PAGE)
		peer_send(&peer, VU_DMA_MAP, 0, &map, sizeof(map), &fd, 1);
	interpose_fail(INTERPOSE_ONLY(SENDMSG) | INTERPOSE_ONLY(RECVMSG), 0, 0);
	assert_int_equal(rte_vfio_user_poll(served->dev_id), TOGETHER);
	interpose_disarm();
	assert_int_equal(interpose_count_of(INTERPOSE_RECVMSG), TOGETHER + 1);
	assert_int_equal(interpose_count_of(INTERPOSE_SENDMSG), 1);
	for (i = 0; i < TOGETHER; i++) {
		assert_true(peer_receive(&peer));
		assert_int_equal(peer.hdr.error, 0);
	}
	assert_int_equal(rte_vfio_user_get_mem_table(served->dev_id)->entry_num, TOGETHER);
	peer_close(&peer);
	served_stop(served);
	free(served);
	close(fd);
}

/* What follows the last address is not the first one again. */
static void
test_copies_do_not_wrap(void **state)
{
	struct served *served = *state;
	int fd = peer_memory(2 * PAGE);
	struct vu_peer peer;
	char buf[32];

	peer_open(&peer, served->path);
	assert_int_equal(peer_map(&peer, UINT64_MAX - PAGE + 1, PAGE, RW, fd, 0), 0);
	assert_int_equal(peer_map(&peer, 0, PAGE, RW, fd, PAGE), 0);
	assert_int_equal(rte_vfio_user_dma_read(served->dev_id, UINT64_MAX - 15, buf, 16), 0);
	assert_int_equal(rte_vfio_user_dma_read(served->dev_id, UINT64_MAX - 15, buf, 17),
		-EINVAL);
	assert_int_equal(rte_vfio_user_dma_write(served->dev_id, UINT64_MAX - 15, buf, 17),
		-EINVAL);
	assert_int_equal(rte_vfio_user_dma_write(served->dev_id, UINT64_MAX, buf, UINT64_MAX),
		-EINVAL);
	assert_int_equal(rte_vfio_user_dma_read(served->dev_id, 0, buf, 0), 0);
	peer_close(&peer);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_mapped_memory_is_shared),
	TEST(test_protection_is_what_the_device_may_do),
	TEST(test_maps_that_are_refused),
	TEST(test_descriptors_of_the_wrong_kind_or_number),
	TEST(test_unmap_takes_whole_regions_and_nothing),
	TEST(test_maps_in_a_burst_keep_their_descriptors),
	TEST(test_maps_with_descriptors_are_answered_together),
	TEST(test_limit_of_regions),
	TEST(test_lock_may_refuse_a_change),
	TEST(test_memory_goes_with_the_client),
	TEST(test_truncated_memory_ends_the_session_only),
	TEST(test_copy_from_truncated_memory_fails),
	TEST(test_copies_do_not_wrap),
};

TEST_SUITE(vu_server_dma, "functional", tests, served_warm_up, NULL)
