/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Memory that a client takes away from a device that is no party to it: one that uses the table of
 * memory and knows nothing of sections, and one whose own registers lie in a file that the client
 * has a descriptor of.
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "test.h"
#include "vu_bystander.h"
#include "vu_served.h"

#define RW   (VU_DMA_F_READ | VU_DMA_F_WRITE)
#define PAGE 4096u

/* Made by the tests themselves: before each one cmocka takes SIGBUS for itself. */
struct scene {
	struct resources before;
	struct served served;
	struct bystander beside;
	struct vu_peer peer;
};

static struct scene *
scene_start(void)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	resources_take(&scene->before);
	served_start(&scene->served, NULL);
	bystander_start(&scene->beside);
	peer_open(&scene->peer, scene->served.path);
	return scene;
}

static void
scene_end(struct scene *scene)
{
	peer_expect_closed(&scene->peer);
	peer_close(&scene->peer);
	served_wait(&scene->served.destroy_device, 1);
	/* and the next client is welcome */
	peer_open(&scene->peer, scene->served.path);
	peer_close(&scene->peer);
	served_wait(&scene->served.destroy_device, 2);
	bystander_stop(&scene->beside);
	served_stop(&scene->served);
	resources_assert_same(&scene->before);
	resources_drop(&scene->before);
	free(scene);
}

/*
 * Four pages, of which the client takes all but the first away. One thread serves both sessions:
 * when it serves the other it is done with what it did for this one.
 */
static void
memory_cut(struct scene *scene)
{
	int fd = peer_memory(4 * PAGE);

	assert_int_equal(pwrite(fd, "ab", 2, 0), 2);
	assert_int_equal(peer_map(&scene->peer, 0, 4 * PAGE, RW, fd, 0), 0);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	bystander_check(&scene->beside);
	close(fd);
}

static volatile uint8_t *
table_pointer(int dev_id, uint64_t addr)
{
	const struct rte_vfio_user_mem *mem = rte_vfio_user_get_mem_table(dev_id);

	assert_non_null(mem);
	assert_int_equal(mem->entry_num, 1);
	return (volatile uint8_t *)(uintptr_t)(mem->entry[0].host_user_addr + addr);
}

/* In a callback. The command is answered, then the session ends. */
static uint8_t seen;

static int
hook_load(struct served *served, uint64_t addr)
{
	seen = *table_pointer(served->dev_id, addr);
	return 0;
}

static void
test_callback_uses_the_table(void **state)
{
	struct scene *scene = scene_start();
	uint64_t addr = 1;

	(void)state;
	scene->served.hook = hook_load;
	memory_cut(scene);
	assert_int_equal(peer_write(&scene->peer, SERVED_REGS, SERVED_REG_HOOK, &addr, 8), 0);
	assert_int_equal(seen, 'b');
	addr = 2 * PAGE;
	assert_int_equal(peer_write(&scene->peer, SERVED_REGS, SERVED_REG_HOOK, &addr, 8), 0);
	assert_int_equal(seen, 0);
	scene_end(scene);
}

static void *
device_main(void *arg)
{
	volatile uint8_t *at = arg;

	at[2 * PAGE] = 7;
	return (void *)(uintptr_t)at[3 * PAGE];
}

static void
test_thread_uses_the_table(void **state)
{
	struct scene *scene = scene_start();
	uint8_t byte = 1;
	pthread_t thread;
	void *got;

	(void)state;
	memory_cut(scene);
	assert_int_equal(pthread_create(&thread, NULL, device_main,
		(void *)(uintptr_t)table_pointer(scene->served.dev_id, 0)), 0);
	pthread_join(thread, &got);
	assert_null(got);
	/* the session sees it with the next message */
	assert_int_equal(peer_write(&scene->peer, SERVED_REGS, 0, &byte, 1), 0);
	scene_end(scene);
}

/* The file of a region, which the client may map. */
static void
region_cut(struct vu_peer *peer, uint32_t region)
{
	struct vfio_region_info request = { .argsz = 256, .index = region };
	int fd;

	assert_int_equal(peer_call(peer, VU_GET_REGION_INFO, &request, sizeof(request)), 0);
	fd = peer_take_fd(peer, 0);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	close(fd);
}

static void
check_region(uint32_t region, bool write)
{
	struct scene *scene = scene_start();
	uint64_t value = 5;

	region_cut(&scene->peer, region);
	assert_int_equal(peer_read(&scene->peer, region, 0, &value, 8), 0);
	if (write) {
		assert_int_equal(peer_write(&scene->peer, region, 9 * PAGE, &value, 8), 0);
	} else {
		assert_int_equal(peer_read(&scene->peer, region, 9 * PAGE, &value, 8), 0);
		assert_int_equal(value, 0);
	}
	scene_end(scene);
}

static void
test_region_in_a_file_that_is_cut(void **state)
{
	(void)state;
	check_region(SERVED_WHOLE, false);
	check_region(SERVED_WHOLE, true);
}

static void
test_region_with_a_callback_in_a_file_that_is_cut(void **state)
{
	(void)state;
	check_region(SERVED_MAPPABLE, false);
	check_region(SERVED_MAPPABLE, true);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_callback_uses_the_table),
	cmocka_unit_test(test_thread_uses_the_table),
	cmocka_unit_test(test_region_in_a_file_that_is_cut),
	cmocka_unit_test(test_region_with_a_callback_in_a_file_that_is_cut),
};

TEST_SUITE(vu_memory_gone, "functional", tests, served_warm_up, NULL)
