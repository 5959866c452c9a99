/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "interpose.h"
#include "test.h"
#include "vu_served.h"

#define PAGE 4096u

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
	served_expect(served->path);
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

static const struct CMUnitTest tests[] = {
	SERVED_TEST(test_attached_and_detached_many_times),
	SERVED_TEST(test_visitors_leave_nothing),
	SERVED_TEST(test_idle_poll_is_one_call),
	SERVED_TEST(test_idle_poll_without_a_client_is_one_call),
};

TEST_SUITE(vu_life_visits, "functional", tests, served_warm_up_sessions, NULL)
