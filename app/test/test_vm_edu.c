/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The driver of edu on the kernel's VFIO, as against what the kernel tells; what it does anywhere
 * is in driver_tests.h. The guest script says by DPDK_TEST_EAL_ARGS and DPDK_TEST_INTERRUPT in
 * which way interrupts come, by DPDK_TEST_HUGEPAGES whether there are huge pages, by
 * DPDK_TEST_DMA_MASK how far the device reaches (28 bits if not said), and by DPDK_TEST_IN_REACH
 * that this is far enough for EAL's memory.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_edu.h>
#include <rte_interrupts.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "test.h"
#include "vm.h"
#include "vm_bus.h"

#define TIMEOUT_MS 15000
#define EDU 0x1234, 0x11e8

static char bdf[VM_BDF_LEN];
static struct rte_pci_device *dev;
static struct rte_edu *edu;

static int
open_edu(void **state)
{
	const char *mask = getenv("DPDK_TEST_DMA_MASK");
	char args[64] = "";

	if (mask != NULL)
		snprintf(args, sizeof(args), "dma_mask=%s", mask);
	dev = vm_bus_probe(bdf, "vfio-pci", args);
	return dev == NULL ? -1 : rte_edu_open(bdf, &edu);
}

static int
close_edu(void **state)
{
	rte_edu_close(edu);
	return vm_bus_find(bdf) == NULL ? 0 : vm_bus_remove(dev);
}

static int
setup(void **state)
{
	return vm_find(EDU, bdf) ? vm_bus_setup(state) : -1;
}

/* Number that a line of /proc/interrupts with this text counts; -1: there is no such line. */
static long
kernel_interrupts(const char *text)
{
	FILE *interrupts = fopen("/proc/interrupts", "re");
	char line[1024];
	long count = -1;

	assert_non_null(interrupts);
	while (count < 0 && fgets(line, sizeof(line), interrupts) != NULL)
		if (strstr(line, text) != NULL)
			count = strtol(strchr(line, ':') + 1, NULL, 10);
	fclose(interrupts);
	return count;
}

static void
test_interrupts_come_the_way_that_was_asked_for(void **state)
{
	const char *way = getenv("DPDK_TEST_INTERRUPT");
	long before, after;

	assert_non_null(way);
	before = kernel_interrupts(way);
	assert_true(before >= 0);
	assert_int_equal(rte_edu_irq_raise(edu, 0x2), 0);
	assert_int_equal(rte_edu_irq_wait(edu, 0x2, NULL, TIMEOUT_MS), 0);
	after = kernel_interrupts(way);
	assert_true(after > before);
}

static const struct {
	uint32_t offset;
	size_t len;
} transfers[] = {
	{ 0, 1 },
	{ 0, 4 },
	{ 1, 7 },
	{ 100, 1000 },
	{ 2048, 2000 },
	{ 0, RTE_EDU_BUFFER_SIZE - 1 },
};

static void
fill(uint8_t *buf, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = (uint8_t)(i * 7 + seed + (i >> 8));
}

static void
test_dma_both_ways(void **state)
{
	uint8_t out[RTE_EDU_BUFFER_SIZE], in[RTE_EDU_BUFFER_SIZE];
	size_t i;

	for (i = 0; i < RTE_DIM(transfers); i++) {
		fill(out, sizeof(out), (unsigned int)i);
		memset(in, 0xaa, sizeof(in));
		assert_int_equal(rte_edu_dma_write(edu, transfers[i].offset, out,
			transfers[i].len, TIMEOUT_MS), 0);
		assert_int_equal(rte_edu_dma_read(edu, transfers[i].offset, in,
			transfers[i].len, TIMEOUT_MS), 0);
		assert_memory_equal(in, out, transfers[i].len);
		assert_int_equal(in[transfers[i].len], 0xaa);
	}
}

static void
dma_iova_both_ways(uint64_t iova, uint8_t *memory, size_t len)
{
	uint8_t expected[256];

	assert_true(len <= sizeof(expected));
	fill(memory, len, 3);
	memcpy(expected, memory, len);
	assert_int_equal(rte_edu_dma_iova(edu, RTE_EDU_DMA_TO_DEVICE, iova, 0, len, TIMEOUT_MS), 0);
	memset(memory, 0, len);
	assert_int_equal(rte_edu_dma_iova(edu, RTE_EDU_DMA_FROM_DEVICE, iova, 0, len, TIMEOUT_MS),
		0);
	assert_memory_equal(memory, expected, len);
}

static void
test_dma_of_memory_from_eal(void **state)
{
	const char *mask_text = getenv("DPDK_TEST_DMA_MASK");
	uint64_t mask = mask_text == NULL ? 0xfffffff : strtoull(mask_text, NULL, 16);
	uint8_t *memory = rte_malloc(NULL, 256, 0);
	uint64_t iova;

	assert_non_null(memory);
	iova = rte_mem_virt2iova(memory);
	if (getenv("DPDK_TEST_IN_REACH") != NULL)
		assert_true(iova <= mask - 256);
	if (iova <= mask - 256)
		dma_iova_both_ways(iova, memory, 256);
	else
		assert_int_equal(rte_edu_dma_iova(edu, RTE_EDU_DMA_TO_DEVICE, iova, 0, 256,
			TIMEOUT_MS), -ERANGE);
	rte_free(memory);
}

static long
meminfo(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[256];
	long value = -1;

	assert_non_null(file);
	while (value < 0 && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtol(strchr(line, ':') + 1, NULL, 10);
	fclose(file);
	return value;
}

static void
test_memory_is_of_the_pages_that_the_system_has(void **state)
{
	const char *huge = getenv("DPDK_TEST_HUGEPAGES");
	void *memory = rte_malloc(NULL, 1 << 20, 0);

	assert_non_null(memory);
	if (huge != NULL) {
		assert_int_equal(meminfo("HugePages_Total"), strtol(huge, NULL, 10));
		assert_true(meminfo("HugePages_Free") < meminfo("HugePages_Total"));
	} else {
		assert_int_equal(meminfo("HugePages_Total"), 0);
	}
	rte_free(memory);
}

struct unbinding {
	atomic_int asked;
};

static void
see_removal(const char *name, enum rte_dev_event_type type, void *arg)
{
	struct unbinding *unbinding = arg;

	if (type == RTE_DEV_EVENT_REMOVE)
		atomic_store(&unbinding->asked, 1);
}

static void *
unbind(void *arg)
{
	vm_bind(bdf, NULL);
	return NULL;
}

static void
test_unbinding_in_use_ends_well_for_both_sides(void **state)
{
	struct unbinding unbinding = { .asked = 0 };
	struct timespec deadline;
	uint32_t id;
	pthread_t thread;
	int left;

	assert_int_equal(rte_dev_event_callback_register(bdf, see_removal, &unbinding), 0);
	assert_int_equal(pthread_create(&thread, NULL, unbind, NULL), 0);
	for (left = TIMEOUT_MS / 10; left > 0 && atomic_load(&unbinding.asked) == 0; left--)
		usleep(10000);
	assert_int_equal(atomic_load(&unbinding.asked), 1);
	assert_int_equal(vm_bus_remove(dev), 0);
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += TIMEOUT_MS / 1000;
	assert_int_equal(pthread_timedjoin_np(thread, NULL, &deadline), 0);
	assert_false(vm_is_bound(bdf));
	assert_int_equal(rte_edu_identification(edu, &id), -ENODEV);
	assert_true(rte_dev_event_callback_unregister(bdf, see_removal, &unbinding) >= 0);
}

#define EDU_TEST(f) cmocka_unit_test_setup_teardown(f, open_edu, close_edu)

static const struct CMUnitTest tests[] = {
	EDU_TEST(test_interrupts_come_the_way_that_was_asked_for),
	EDU_TEST(test_dma_both_ways),
	EDU_TEST(test_dma_of_memory_from_eal),
	EDU_TEST(test_memory_is_of_the_pages_that_the_system_has),
	EDU_TEST(test_unbinding_in_use_ends_well_for_both_sides),
};

TEST_SUITE(vm_edu, "vm", tests, setup, vm_bus_teardown)
