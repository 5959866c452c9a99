/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vu_served.h"

#include "test.h"
#include "vu_feature.h"

/* ---- dirty pages ---- */

static int
report(struct vu_peer *peer, uint64_t addr, uint64_t len, uint64_t pgsize, uint64_t *words,
	size_t nb)
{
	const uint64_t data[3] = { addr, len, pgsize };
	int err = vu_feature(peer, GET | REPORT, (uint32_t)(8 + 24 + 8 * nb), data, sizeof(data));

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
	assert_int_equal(vu_feature(&peer, SET | START, 24, start, sizeof(start)), 0);
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
	assert_int_equal(vu_feature(&peer, SET | STOP, 8, NULL, 0), 0);
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
	assert_int_equal(vu_feature(&peer, SET | START, 24, odd, sizeof(odd)), EINVAL);
	assert_int_equal(vu_feature(&peer, SET | START, 24, start, 8), EINVAL);
	assert_int_equal(vu_feature(&peer, SET | START, 24, start, sizeof(start)), 0);
	assert_int_equal(vu_feature(&peer, SET | START, 24, start, sizeof(start)), EINVAL);
	assert_int_equal(report(&peer, 0, 0, PAGE, words, 2), EINVAL);
	assert_int_equal(report(&peer, UINT64_MAX, 2, PAGE, words, 2), EINVAL);
	assert_int_equal(report(&peer, 0, 128 * PAGE, 3, words, 2), EINVAL);
	assert_int_equal(report(&peer, 0, 128 * PAGE, 1, words, 2), EINVAL);
	assert_int_equal(report(&peer, 0, 1ull << 60, PAGE, words, 2), EINVAL);
	assert_int_equal(report(&peer, 1 << 30, PAGE, PAGE, words, 1), ENOENT);
	assert_int_equal(vu_feature(&peer, GET | REPORT, 8 + 24 + 15, whole, sizeof(whole)),
		EINVAL);
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
	assert_int_equal(vu_feature(&peer, SET | START, 24, start, sizeof(start)), 0);
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
	assert_int_equal(vu_feature(&peer, SET | START, 24, start, sizeof(start)), 0);
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

/* A thread of the device that is using the memory when the client takes it away. */
struct writer {
	int dev_id;
	atomic_int inside;
	pthread_t thread;
};

static void *
writer_main(void *arg)
{
	struct writer *writer = arg;
	struct iovec iov, gone;
	int rc;

	rte_vfio_user_dma_enter(writer->dev_id);
	rc = rte_vfio_user_dma_sg(writer->dev_id, 5 * PAGE, 1, PROT_WRITE, &iov, 1);
	atomic_store(&writer->inside, rc);
	while (rte_vfio_user_dma_sg(writer->dev_id, 5 * PAGE, 1, PROT_WRITE, &gone, 1) == 1)
		usleep(100);
	*(char *)iov.iov_base = 'x';
	rte_vfio_user_dma_dirty(writer->dev_id, 5 * PAGE, 1);
	rte_vfio_user_dma_leave(writer->dev_id);
	return NULL;
}

/* What it writes until it is done is among what the client is told. */
static void
test_unmap_gives_what_is_written_meanwhile(void **state)
{
	struct served *served = *state;
	struct writer writer = { .dev_id = served->dev_id };
	const uint64_t start[2] = { PAGE, 0 };
	const struct {
		struct vu_dma_unmap unmap;
		struct vu_bitmap bitmap;
	} request = {
		.unmap = { .argsz = 48, .flags = VU_UNMAP_F_BITMAP, .size = 16 * PAGE },
		.bitmap = { .pgsize = PAGE, .size = 8 },
	};
	int fd = peer_memory(16 * PAGE);
	struct vu_peer peer;
	uint64_t word;
	char byte = 0;

	peer_open(&peer, served->path);
	assert_int_equal(peer_map(&peer, 0, 16 * PAGE, RW, fd, 0), 0);
	assert_int_equal(vu_feature(&peer, SET | START, 24, start, sizeof(start)), 0);
	rte_vfio_user_dma_dirty(served->dev_id, 0, 1);
	assert_int_equal(pthread_create(&writer.thread, NULL, writer_main, &writer), 0);
	served_wait(&writer.inside, 1);
	assert_int_equal(peer_call(&peer, VU_DMA_UNMAP, &request, sizeof(request)), 0);
	pthread_join(writer.thread, NULL);
	memcpy(&word, peer.payload + 40, sizeof(word));
	assert_int_equal(pread(fd, &byte, 1, 5 * PAGE), 1);
	assert_int_equal(byte, 'x');
	assert_int_equal(word, 1 | 1 << 5);
	peer_close(&peer);
	close(fd);
}

static const struct CMUnitTest tests[] = {
	SERVED_TEST(test_dirty_pages_are_reported_once),
	SERVED_TEST(test_reports_that_are_refused),
	SERVED_TEST(test_memory_reached_by_messages_is_not_tracked),
	SERVED_TEST(test_unmap_gives_the_last_dirty_pages),
	SERVED_TEST(test_unmap_gives_what_is_written_meanwhile),
};

TEST_SUITE(vu_server_dirty, "functional", tests, served_warm_up, NULL)
