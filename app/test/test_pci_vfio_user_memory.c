/* SPDX-License-Identifier: BSD-3-Clause */

/* What memory an emulated device reaches, seen from the device. */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_vfio_user.h>

#include "counter.h"
#include "test.h"
#include "vu_gadget.h"

#define LOW_IOVA UINT64_C(0x100000)
#define LEN      65536u

static struct gadget gadget;

static int
setup(void **state)
{
	(void)state;
	memset(&gadget, 0, sizeof(gadget));
	gadget.nb_msix = 2;
	gadget_attach(&gadget, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	gadget_detach(&gadget);
	return 0;
}

static struct rte_device *
device(void)
{
	return &gadget_device->device;
}

/* ---- the device's view ---- */

static int
device_read(uint64_t iova, void *buf, size_t len)
{
	return rte_vfio_user_dma_read(gadget.session, iova, buf, len);
}

static int
device_write(uint64_t iova, const void *buf, size_t len)
{
	return rte_vfio_user_dma_write(gadget.session, iova, buf, len);
}

/* What the device does comes before and after this by way of a socket, which no tool sees. */
__attribute__((no_sanitize("thread")))
static void
copy(volatile char *to, const volatile char *from, size_t len)
{
	while (len-- > 0)
		*to++ = *from++;
}

/* Both ways, of the first and the last bytes. */
static void
device_reaches(void *memory, uint64_t iova, size_t len)
{
	const size_t at[] = { 0, len - 8 };
	char text[8];
	size_t i;

	for (i = 0; i < RTE_DIM(at); i++) {
		copy((char *)memory + at[i], "to dev.", 8);
		assert_int_equal(device_read(iova + at[i], text, 8), 0);
		assert_string_equal(text, "to dev.");
		assert_int_equal(device_write(iova + at[i], "to mem.", 8), 0);
		copy(text, (char *)memory + at[i], 8);
		assert_string_equal(text, "to mem.");
	}
}

static bool
device_reaches_not(uint64_t iova)
{
	char byte;

	return device_read(iova, &byte, 1) < 0;
}

static int
segment_check(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	unsigned int *nb = arg;

	if (msl->external)
		return 0;
	(*nb)++;
	return device_reaches_not(ms->iova) || device_reaches_not(ms->iova + ms->len - 1);
}

/* ---- memory of EAL ---- */

static void
test_all_memory_of_eal_is_shared(void **state)
{
	unsigned int nb = 0;
	void *memory;

	(void)state;
	memory = rte_malloc(NULL, LEN, 4096);
	assert_non_null(memory);
	device_reaches(memory, rte_malloc_virt2iova(memory), LEN);
	assert_int_equal(rte_memseg_walk(segment_check, &nb), 0);
	assert_int_not_equal(nb, 0);
	rte_free(memory);
}

static void
test_memory_is_shared_when_it_comes_and_taken_when_it_goes(void **state)
{
	const size_t len = 64 << 20;
	unsigned int i;
	rte_iova_t iova;
	void *memory;

	(void)state;
	for (i = 0; i < 3; i++) {
		memory = rte_malloc(NULL, len, 0);
		assert_non_null(memory);
		iova = rte_malloc_virt2iova(memory);
		device_reaches(memory, iova, len);
		rte_free(memory);
		assert_true(device_reaches_not(iova + len / 2));
	}
}

/* ---- memory that the application maps ---- */

static void *
anonymous(size_t len)
{
	void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(rte_extmem_register(memory, len, NULL, 0, 4096), 0);
	return memory;
}

static void
anonymous_free(void *memory, size_t len)
{
	assert_int_equal(rte_extmem_unregister(memory, len), 0);
	munmap(memory, len);
}

/* Memory that is in no file goes by messages, which the interrupt thread answers. */
static void
test_anonymous_memory_is_reached_by_messages(void **state)
{
	void *memory = anonymous(LEN);

	(void)state;
	assert_int_equal(rte_dev_dma_map(device(), memory, LOW_IOVA, LEN), 0);
	device_reaches(memory, LOW_IOVA, LEN);
	assert_int_equal(rte_dev_dma_unmap(device(), memory, LOW_IOVA, LEN), 0);
	assert_true(device_reaches_not(LOW_IOVA));
	anonymous_free(memory, LEN);
}

static void
test_memory_of_eal_can_be_at_another_iova_too(void **state)
{
	char *memory = rte_malloc(NULL, 3 * LEN, 4096);

	(void)state;
	assert_non_null(memory);
	assert_int_equal(rte_dev_dma_map(device(), memory + LEN, LOW_IOVA, LEN), 0);
	device_reaches(memory + LEN, LOW_IOVA, LEN);
	assert_int_equal(rte_dev_dma_unmap(device(), memory + LEN, LOW_IOVA, LEN), 0);
	assert_true(device_reaches_not(LOW_IOVA));
	device_reaches(memory, rte_malloc_virt2iova(memory), LEN);
	rte_free(memory);
}

static void
test_impossible_maps_are_refused(void **state)
{
	char *memory = anonymous(LEN);
	const struct {
		void *addr;
		uint64_t iova;
		size_t len;
		int err;
	} cases[] = {
		{ memory, LOW_IOVA + 1, LEN, EINVAL },
		{ memory + 1, LOW_IOVA, LEN, EINVAL },
		{ memory, LOW_IOVA, LEN - 1, EINVAL },
		{ memory, UINT64_MAX - 4095, LEN, EINVAL },
		{ memory, LOW_IOVA + 2 * LEN - 4096, LEN, EEXIST },
		{ memory, LOW_IOVA + 2 * LEN, LEN + 4096, EEXIST },
	};
	size_t i;

	(void)state;
	assert_int_equal(rte_dev_dma_map(device(), memory, LOW_IOVA + 2 * LEN, LEN), 0);
	for (i = 0; i < RTE_DIM(cases); i++) {
		assert_int_equal(rte_dev_dma_map(device(), cases[i].addr, cases[i].iova,
				cases[i].len), -1);
		assert_int_equal(rte_errno, cases[i].err);
	}
	assert_int_equal(rte_dev_dma_unmap(device(), memory, LOW_IOVA, LEN), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_dev_dma_unmap(device(), memory, LOW_IOVA + 2 * LEN, LEN / 2 + 1), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_dev_dma_unmap(device(), memory, LOW_IOVA + 2 * LEN, LEN), 0);
	anonymous_free(memory, LEN);
}

/* ---- servers that come back ---- */

static atomic_uint nb_back;

static void
on_event(const char *name, enum rte_dev_event_type event, void *arg)
{
	(void)name;
	(void)arg;
	atomic_fetch_add(&nb_back, event == RTE_DEV_EVENT_ADD);
}

static void
test_next_server_gets_what_came_and_not_what_went_meanwhile(void **state)
{
	void *stays = anonymous(LEN), *goes = anonymous(LEN), *comes = anonymous(LEN);
	char *memory = rte_malloc(NULL, LEN, 4096), *more;

	(void)state;
	atomic_store(&nb_back, 0);
	assert_int_equal(rte_dev_event_callback_register(gadget.name, on_event, NULL), 0);
	assert_int_equal(rte_dev_dma_map(device(), stays, LOW_IOVA, LEN), 0);
	assert_int_equal(rte_dev_dma_map(device(), goes, LOW_IOVA + LEN, LEN), 0);
	gadget_stop(&gadget);
	assert_int_equal(rte_dev_dma_unmap(device(), goes, LOW_IOVA + LEN, LEN), 0);
	assert_int_equal(rte_dev_dma_map(device(), comes, LOW_IOVA + 2 * LEN, LEN), 0);
	more = rte_malloc(NULL, 64 << 20, 4096);
	gadget_restart(&gadget);
	counter_wait(&nb_back, 1);
	device_reaches(stays, LOW_IOVA, LEN);
	assert_true(device_reaches_not(LOW_IOVA + LEN));
	device_reaches(comes, LOW_IOVA + 2 * LEN, LEN);
	device_reaches(memory, rte_malloc_virt2iova(memory), LEN);
	device_reaches(more, rte_malloc_virt2iova(more), 64 << 20);
	rte_free(memory);
	rte_free(more);
	anonymous_free(stays, LEN);
	anonymous_free(goes, LEN);
	anonymous_free(comes, LEN);
}

static void
only_the_ends_are_reached(char *memory)
{
	device_reaches(memory, LOW_IOVA, LEN);
	assert_true(device_reaches_not(LOW_IOVA + LEN));
	assert_true(device_reaches_not(LOW_IOVA + 2 * LEN - 1));
	device_reaches(memory + 2 * LEN, LOW_IOVA + 2 * LEN, LEN);
}

static void
middle_goes(char *memory, bool meanwhile)
{
	assert_int_equal(rte_dev_dma_map(device(), memory, LOW_IOVA, 3 * LEN), 0);
	if (meanwhile)
		gadget_stop(&gadget);
	assert_int_equal(rte_dev_dma_unmap(device(), memory + LEN, LOW_IOVA + LEN, LEN), 0);
	if (!meanwhile)
		only_the_ends_are_reached(memory);
	gadget_restart(&gadget);
	counter_wait(&nb_back, 1);
	only_the_ends_are_reached(memory);
	assert_int_equal(rte_dev_dma_unmap(device(), memory, LOW_IOVA, LEN), 0);
	assert_int_equal(rte_dev_dma_unmap(device(), memory + 2 * LEN, LOW_IOVA + 2 * LEN, LEN),
		0);
	assert_true(device_reaches_not(LOW_IOVA));
	assert_true(device_reaches_not(LOW_IOVA + 2 * LEN));
}

/* Memory in a file and memory in none; the server is there, or hears of it when it is back. */
static void
test_middle_of_a_map_may_go(void **state)
{
	unsigned int i;
	char *memory;

	(void)state;
	assert_int_equal(rte_dev_event_callback_register(gadget.name, on_event, NULL), 0);
	for (i = 0; i < 4; i++) {
		atomic_store(&nb_back, 0);
		memory = i % 2 == 0 ? rte_malloc(NULL, 3 * LEN, 4096) :
			anonymous(3 * LEN);
		assert_non_null(memory);
		middle_goes(memory, i >= 2);
		if (i % 2 == 0)
			rte_free(memory);
		else
			anonymous_free(memory, 3 * LEN);
	}
}

#define MEMORY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	MEMORY_TEST(test_all_memory_of_eal_is_shared),
	MEMORY_TEST(test_memory_is_shared_when_it_comes_and_taken_when_it_goes),
	MEMORY_TEST(test_anonymous_memory_is_reached_by_messages),
	MEMORY_TEST(test_memory_of_eal_can_be_at_another_iova_too),
	MEMORY_TEST(test_impossible_maps_are_refused),
	MEMORY_TEST(test_next_server_gets_what_came_and_not_what_went_meanwhile),
	MEMORY_TEST(test_middle_of_a_map_may_go),
};

TEST_SUITE(pci_vfio_user_memory, "functional", tests, gadget_suite_setup,
	gadget_suite_teardown)
