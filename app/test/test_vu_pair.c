/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "test.h"
#include "vu_served.h"

/* The library's client and the library's server over a socket file. */

static int
attach(struct served *served, uint32_t flags)
{
	const struct rte_vfio_user_attach_options opt = { .size = sizeof(opt), .flags = flags };
	int dev_id = rte_vfio_user_attach_dev_opt(served->path, &opt);

	assert_true(dev_id >= 0);
	return dev_id;
}

static void
test_registers_are_written_posted_and_read(void **state)
{
	struct served *served = *state;
	int dev_id = attach(served, 0);
	uint32_t value = 1;

	assert_int_equal(rte_vfio_user_region_write(dev_id, SERVED_REGS, 16, 4, "abcd"), 0);
	assert_int_equal(rte_vfio_user_region_post(dev_id, SERVED_REGS, 18, 2, "xy"), 0);
	assert_int_equal(rte_vfio_user_region_read(dev_id, SERVED_REGS, 16, 4, &value), 0);
	assert_memory_equal(&value, "abxy", 4);
	assert_int_equal(rte_vfio_user_region_read(dev_id, SERVED_REGS, SERVED_REG_FAIL, 4,
		&value), -EPERM);
	assert_int_equal(rte_vfio_user_region_read(dev_id, SERVED_REGS, 4096, 4, &value),
		-EINVAL);
	assert_int_equal(rte_vfio_user_reset(dev_id), 0);
	assert_int_equal(atomic_load(&served->reset_device), 1);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
}

static void
test_several_writes_are_done_in_their_order(void **state)
{
	const struct rte_vfio_user_write wr[] = {
		{ .offset = 8, .region = SERVED_REGS, .count = 4, .data = "1111" },
		{ .offset = 10, .region = SERVED_REGS, .count = 2, .data = "22" },
	};
	int dev_id = attach(*state, 0);
	char value[4];

	assert_int_equal(rte_vfio_user_region_write_multi(dev_id, wr, 2, false), 0);
	assert_int_equal(rte_vfio_user_region_read(dev_id, SERVED_REGS, 8, 4, value), 0);
	assert_memory_equal(value, "1122", 4);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
}

static void
test_long_transfers_arrive_whole(void **state)
{
	const uint32_t size = 2u << 20;
	uint8_t *out = malloc(size), *in = calloc(1, size);
	int dev_id = attach(*state, 0);
	uint32_t i;

	for (i = 0; i < size; i++)
		out[i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(rte_vfio_user_region_write(dev_id, SERVED_LARGE, 0, size, out), 0);
	assert_int_equal(rte_vfio_user_region_read(dev_id, SERVED_LARGE, 0, size, in), 0);
	assert_memory_equal(in, out, size);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
	free(out);
	free(in);
}

/* Adds one to each of 4 bytes of the client's memory. */
static int
increment(struct served *served, uint64_t addr)
{
	uint8_t bytes[4];
	unsigned int i;
	int rc;

	rc = rte_vfio_user_dma_read(served->dev_id, addr, bytes, sizeof(bytes));
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i]++;
	return rc < 0 ? rc : rte_vfio_user_dma_write(served->dev_id, addr, bytes, sizeof(bytes));
}

static void
check_increment(struct served *served, int dev_id, const uint8_t *memory)
{
	const uint64_t addr = 0x10000 + 8;

	served->hook = increment;
	assert_int_equal(rte_vfio_user_region_write(dev_id, SERVED_REGS, SERVED_REG_HOOK,
		sizeof(addr), &addr), 0);
	assert_int_equal(memory[7], 0);
	assert_int_equal(memory[8], 1);
	assert_int_equal(memory[11], 1);
	assert_int_equal(memory[12], 0);
}

static void
test_device_reaches_memory_by_messages_on_a_second_socket(void **state)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = 0x10000, .size = 4096,
		.protection = PROT_READ | PROT_WRITE };
	uint8_t *memory = calloc(1, 4096);
	int dev_id = attach(*state, 0);

	assert_int_equal(rte_vfio_user_dma_map(dev_id, &mem, NULL, 1), 0);
	assert_int_equal(rte_vfio_user_dma_host(dev_id, mem.gpa, mem.size, memory,
		PROT_READ | PROT_WRITE), 0);
	check_increment(*state, dev_id, memory);
	assert_int_equal(rte_vfio_user_dma_unmap(dev_id, &mem, 1), 0);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
	free(memory);
}

/* Not every client could answer: the server does not try. */
static void
test_device_does_not_ask_on_the_socket_of_the_access(void **state)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = 0x10000, .size = 4096,
		.protection = PROT_READ | PROT_WRITE };
	struct served *served = *state;
	int dev_id = attach(served, RTE_VFIO_USER_ATTACH_F_NO_TWIN);

	served->hook = increment;
	assert_int_equal(rte_vfio_user_dma_map(dev_id, &mem, NULL, 1), 0);
	assert_int_equal(rte_vfio_user_region_write(dev_id, SERVED_REGS, SERVED_REG_HOOK,
		sizeof(mem.gpa), &mem.gpa), -EDEADLK);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
}

static void
test_device_reaches_memory_that_is_shared(void **state)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = 0x10000, .size = 4096,
		.protection = PROT_READ | PROT_WRITE, .flags = RTE_VUSER_MEM_MAPPABLE };
	int fd = peer_memory(4096);
	uint8_t *memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	int dev_id = attach(*state, 0);

	assert_int_equal(rte_vfio_user_dma_map(dev_id, &mem, &fd, 1), 0);
	assert_int_equal(rte_vfio_user_dma_map(dev_id, &mem, &fd, 1), -EEXIST);
	check_increment(*state, dev_id, memory);
	assert_int_equal(rte_vfio_user_dma_unmap_all(dev_id), 0);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
	munmap(memory, 4096);
	close(fd);
}

static void
test_interrupt_arrives(void **state)
{
	struct {
		struct vfio_irq_set set;
		int32_t fd[2];
	} irqs = { .set = { .argsz = sizeof(irqs), .index = VFIO_PCI_MSIX_IRQ_INDEX, .start = 5,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, .count = 2 } };
	struct served *served = *state;
	int dev_id = attach(served, 0);
	uint64_t count = 0;

	irqs.fd[0] = -1;
	irqs.fd[1] = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(rte_vfio_user_set_irqs(dev_id, &irqs.set), 0);
	assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, irqs.set.index, 6), 0);
	assert_int_equal(read(irqs.fd[1], &count, sizeof(count)), sizeof(count));
	assert_int_equal(count, 1);
	assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, irqs.set.index, 5), -ENOTCONN);
	close(irqs.fd[1]);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
}

/* What is asked for may be longer than a client takes: the server is told, and says no. */
static void
test_report_that_is_too_long_is_refused(void **state)
{
	struct rte_vfio_user_mem_reg mem = { .size = UINT64_C(1) << 37,
		.protection = PROT_READ | PROT_WRITE };
	struct {
		struct vfio_device_feature head;
		uint64_t data[3];
	} start = { .head = { sizeof(start), VFIO_DEVICE_FEATURE_SET |
		VFIO_DEVICE_FEATURE_DMA_LOGGING_START }, .data = { 4096 } };
	const uint32_t room = 8 + 24 + (4u << 20);
	struct vfio_device_feature *report = calloc(1, room);
	uint64_t range[3] = { 0, mem.size, 4096 };
	int dev_id = attach(*state, 0);

	start.head.argsz = 8 + 16;
	assert_int_equal(rte_vfio_user_dma_map(dev_id, &mem, NULL, 1), 0);
	assert_int_equal(rte_vfio_user_feature(dev_id, &start.head, 24), 24);
	report->argsz = room;
	report->flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT;
	memcpy(report->data, range, sizeof(range));
	assert_int_equal(rte_vfio_user_feature(dev_id, report, 32), -EINVAL);
	/* the longest one there can be */
	range[1] = UINT64_C(1) << 35;
	report->argsz = room;
	report->flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT;
	memcpy(report->data, range, sizeof(range));
	assert_int_equal(rte_vfio_user_feature(dev_id, report, 32), 32 + (1 << 20));
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
	free(report);
}

static void
test_next_client_is_welcome(void **state)
{
	unsigned int i;

	for (i = 0; i < 20; i++)
		assert_int_equal(rte_vfio_user_detach_dev(attach(*state, 0)), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_registers_are_written_posted_and_read),
	TEST(test_several_writes_are_done_in_their_order),
	TEST(test_long_transfers_arrive_whole),
	TEST(test_device_reaches_memory_by_messages_on_a_second_socket),
	TEST(test_device_does_not_ask_on_the_socket_of_the_access),
	TEST(test_device_reaches_memory_that_is_shared),
	TEST(test_interrupt_arrives),
	TEST(test_report_that_is_too_long_is_refused),
	TEST(test_next_client_is_welcome),
};

TEST_SUITE(vu_pair, "functional", tests, served_warm_up, NULL)
