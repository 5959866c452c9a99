/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What a message costs when nothing special happens, counted over many of them and in all threads:
 * one send and one receive on each side, a wait where somebody sleeps, and nothing else: no memory
 * is allocated, no lock is taken. Memory and locks are not counted under a sanitizer.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "interpose.h"
#include "test.h"
#include "vu_function.h"
#include "vu_served.h"

#define ROUNDS 1000u
#define PAGE 4096u

#define FREE_IOVA 0x100000u

/* The device, its client, and what they share; and an emulated function with another client. */
struct path {
	struct served *served;
	int dev_id;	/* the client's */
	int irq_fd;
	int mem_fd;
	int pci_dev_id;	/* the other client's */
};

struct path_case {
	const char *name;
	void (*once)(struct path *path);
	/* at most, for each round, in both threads together */
	unsigned int sends;
	unsigned int receives;
	unsigned int waits;
	unsigned int writes;
	unsigned int ioctls;
	unsigned int closes;
};

static void
read_once(struct path *path)
{
	uint32_t value;

	assert_int_equal(rte_vfio_user_region_read(path->dev_id, SERVED_REGS, 0, 4, &value), 0);
}

static void
write_once(struct path *path)
{
	const uint32_t value = 1;

	assert_int_equal(rte_vfio_user_region_write(path->dev_id, SERVED_REGS, 0, 4, &value), 0);
}

/* A read behind it, so that it has arrived. */
static void
post_once(struct path *path)
{
	const uint32_t value = 1;

	assert_int_equal(rte_vfio_user_region_post(path->dev_id, SERVED_REGS, 0, 4, &value), 0);
	read_once(path);
}

static void
raise_once(struct path *path)
{
	assert_int_equal(rte_vfio_user_irq_raise(path->served->dev_id, VFIO_PCI_MSIX_IRQ_INDEX, 0),
		0);
}

static void
message_once(struct path *path)
{
	(void)path;
	assert_int_equal(rte_vfio_user_pci_message(vu_function, 0), 0);
	assert_int_equal(rte_vfio_user_pci_raise(vu_function, 0), 0);
}

static void
translate_once(struct path *path)
{
	struct iovec iov[2];

	assert_int_equal(rte_vfio_user_dma_enter(path->served->dev_id), 0);
	assert_int_equal(rte_vfio_user_dma_sg(path->served->dev_id, PAGE - 8, 16, PROT_READ, iov,
		2), 2);
	assert_int_equal(rte_vfio_user_dma_sg(path->served->dev_id, 0, 8, PROT_WRITE, iov, 1), 1);
	rte_vfio_user_dma_leave(path->served->dev_id);
}

static void
config_read_once(struct path *path)
{
	uint32_t value;

	assert_int_equal(rte_vfio_user_region_read(path->pci_dev_id, VFIO_PCI_CONFIG_REGION_INDEX,
		0, 4, &value), 0);
}

static void
config_write_once(struct path *path)
{
	const uint32_t value = 6;

	assert_int_equal(rte_vfio_user_region_write(path->pci_dev_id, VFIO_PCI_CONFIG_REGION_INDEX,
		4, 4, &value), 0);
}

static void
map_once(struct path *path)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = FREE_IOVA, .size = PAGE,
		.protection = PROT_READ | PROT_WRITE, .flags = RTE_VUSER_MEM_MAPPABLE };

	assert_int_equal(rte_vfio_user_dma_map(path->dev_id, &mem, &path->mem_fd, 1), 0);
	assert_int_equal(rte_vfio_user_dma_unmap(path->dev_id, &mem, 1), 0);
}

/* Memory of an emulated function: its author need not know. */
static void
function_map_once(struct path *path)
{
	struct path function = { .dev_id = path->pci_dev_id, .mem_fd = path->mem_fd };

	map_once(&function);
}

static const struct path_case cases[] = {
	{ "read", read_once, .sends = 2, .receives = 2, .waits = 2 },
	{ "write", write_once, .sends = 2, .receives = 2, .waits = 2 },
	{ "post and read", post_once, .sends = 3, .receives = 3, .waits = 3 },
	/* looks whether the eventfd takes one, which the client may have made wait */
	{ "interrupt", raise_once, .waits = 1, .writes = 1 },
	{ "messages of a function", message_once, .waits = 2, .writes = 2 },
	{ "translation", translate_once },
	{ "read of configuration space", config_read_once, .sends = 2, .receives = 2, .waits = 2 },
	{ "write of configuration space", config_write_once, .sends = 2, .receives = 2,
		.waits = 2 },
	/* asks once whether there is more behind the descriptor, which it closes in the end */
	{ "map and unmap", map_once, .sends = 4, .receives = 4, .waits = 4, .ioctls = 1,
		.closes = 1 },
	{ "map and unmap of a function", function_map_once, .sends = 4, .receives = 4, .waits = 4,
		.ioctls = 1, .closes = 1 },
};

/* What may be under way when counting begins or ends. */
#define STRAY 4u

static void
assert_counts(const char *name, const struct path_case *most, unsigned int rounds)
{
	const struct {
		enum interpose_call call;
		unsigned int most;
	} limits[] = {
		{ INTERPOSE_SENDMSG, most->sends },
		{ INTERPOSE_RECVMSG, most->receives },
		{ INTERPOSE_WAIT, most->waits },
		{ INTERPOSE_WRITE, most->writes },
		{ INTERPOSE_IOCTL, most->ioctls },
		{ INTERPOSE_CLOSE, most->closes },
	};
	unsigned int i, others = interpose_count();

	for (i = 0; i < RTE_DIM(limits); i++) {
		unsigned int count = interpose_count_of(limits[i].call);

		others -= count;
		if (count > limits[i].most * rounds + STRAY)
			fail_msg("%s: %u calls of kind %d in %u rounds", name, count,
				(int)limits[i].call, rounds);
	}
	if (others > 0)
		fail_msg("%s: %u other calls, %u of them for memory, %u for locks", name, others,
			interpose_count_of(INTERPOSE_ALLOC), interpose_count_of(INTERPOSE_LOCK));
}

static void
irq_bind(int dev_id, uint32_t index, int fd)
{
	struct {
		struct vfio_irq_set set;
		int fd;
	} irq = {
		.set = { .argsz = sizeof(irq), .index = index, .count = 1,
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER },
		.fd = fd,
	};

	assert_int_equal(rte_vfio_user_set_irqs(dev_id, &irq.set), 0);
}

static void
path_open(struct path *path)
{
	struct rte_vfio_user_mem_reg mem[] = {
		{ .gpa = 0, .size = PAGE, .protection = PROT_READ | PROT_WRITE,
			.flags = RTE_VUSER_MEM_MAPPABLE },
		{ .gpa = PAGE, .size = PAGE, .protection = PROT_READ,
			.flags = RTE_VUSER_MEM_MAPPABLE },
	};
	int fds[] = { peer_memory(PAGE), peer_memory(2 * PAGE) };

	path->dev_id = rte_vfio_user_attach_dev(path->served->path);
	assert_true(path->dev_id >= 0);
	path->irq_fd = eventfd(0, EFD_CLOEXEC);
	irq_bind(path->dev_id, VFIO_PCI_MSIX_IRQ_INDEX, path->irq_fd);
	assert_int_equal(rte_vfio_user_dma_map(path->dev_id, mem, fds, 2), 0);
	/* two requests that come together: from now on there is memory for replies that wait */
	assert_int_equal(rte_vfio_user_dma_unmap(path->dev_id, mem, 2), 0);
	assert_int_equal(rte_vfio_user_dma_map(path->dev_id, mem, fds, 2), 0);
	path->mem_fd = fds[0];
	close(fds[1]);
}

static void
path_close(struct path *path)
{
	rte_vfio_user_detach_dev(path->dev_id);
	close(path->irq_fd);
	close(path->mem_fd);
}

static void
function_open(struct path *path)
{
	char name[sizeof(path->served->path) + 8];

	snprintf(name, sizeof(name), "%s.pci", path->served->path);
	vu_function_setup(NULL);
	assert_true(rte_vfio_user_pci_add_msi(vu_function, 1, RTE_VFIO_USER_PCI_MSI_MASK) > 0);
	assert_true(rte_vfio_user_pci_start(vu_function, name, NULL) >= 0);
	path->pci_dev_id = rte_vfio_user_attach_dev(name);
	assert_true(path->pci_dev_id >= 0);
	irq_bind(path->pci_dev_id, VFIO_PCI_MSI_IRQ_INDEX, path->irq_fd);
}

static void
function_close(struct path *path)
{
	rte_vfio_user_detach_dev(path->pci_dev_id);
	vu_function_teardown(NULL);
}

static void
test_messages_cost_their_calls_and_nothing_else(void **state)
{
	struct path path = { .served = *state };
	unsigned int i, round;

	path_open(&path);
	function_open(&path);
	for (i = 0; i < RTE_DIM(cases); i++) {
		for (round = 0; round < 16; round++)
			cases[i].once(&path);
		interpose_fail(INTERPOSE_EVERY, 0, 0);
		for (round = 0; round < ROUNDS; round++)
			cases[i].once(&path);
		interpose_disarm();
		assert_counts(cases[i].name, &cases[i], ROUNDS);
	}
	function_close(&path);
	path_close(&path);
}

/* ---- poll mode ---- */

static void
test_an_idle_poll_is_one_receive(void **state)
{
	const struct rte_vfio_user_options opt = { .size = sizeof(opt),
		.flags = RTE_VFIO_USER_F_POLL };
	const struct path_case idle = { .receives = 1 };
	struct served *served = calloc(1, sizeof(*served));
	struct vu_peer peer;
	unsigned int round;

	(void)state;
	served_start(served, &opt);
	peer_connect(&peer, served->path);
	peer_send(&peer, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	while (rte_vfio_user_poll(served->dev_id) == 0)
		;
	interpose_fail(INTERPOSE_EVERY | INTERPOSE_THIS_THREAD, 0, 0);
	for (round = 0; round < ROUNDS; round++)
		assert_int_equal(rte_vfio_user_poll(served->dev_id), 0);
	interpose_disarm();
	assert_int_equal(interpose_count_of(INTERPOSE_RECVMSG), ROUNDS);
	assert_counts("idle poll", &idle, ROUNDS);
	peer_close(&peer);
	served_stop(served);
	free(served);
}

/* Many that came together are one receive. */
static void
test_posted_writes_in_poll_mode_are_received_together(void **state)
{
	const struct rte_vfio_user_options opt = { .size = sizeof(opt),
		.flags = RTE_VFIO_USER_F_POLL };
	struct served *served = calloc(1, sizeof(*served));
	const uint32_t value = 1;
	struct vu_peer peer;
	unsigned int i;

	(void)state;
	served_start(served, &opt);
	peer_connect(&peer, served->path);
	peer_send(&peer, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	while (rte_vfio_user_poll(served->dev_id) == 0)
		;
	for (i = 0; i < 100; i++)
		peer_post(&peer, SERVED_REGS, 0, &value, sizeof(value));
	interpose_fail(INTERPOSE_EVERY | INTERPOSE_THIS_THREAD, 0, 0);
	assert_int_equal(rte_vfio_user_poll(served->dev_id), 100);
	interpose_disarm();
	assert_int_equal(interpose_count_of(INTERPOSE_RECVMSG), 1);
	assert_int_equal(interpose_count(), 1);
	assert_int_equal(atomic_load(&served->sum), 100);
	peer_close(&peer);
	served_stop(served);
	free(served);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_messages_cost_their_calls_and_nothing_else),
	cmocka_unit_test(test_an_idle_poll_is_one_receive),
	cmocka_unit_test(test_posted_writes_in_poll_mode_are_received_together),
};

TEST_SUITE(vu_hot_path, "functional", tests, served_warm_up, NULL)
