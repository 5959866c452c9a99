/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal_memconfig.h>
#include <rte_errno.h>
#include <rte_vfio.h>

#include "fake_vfio.h"
#include "resources.h"
#include "test.h"
#include "vfio_eal.h"

static void
test_device_is_opened_and_described(void **state)
{
	struct vfio_device_info info = { 0 };
	int fd = -1;

	assert_int_equal(rte_vfio_setup_device(vfio_eal_kernel->sysfs, vfio_eal_card->desc.name,
		&fd, &info), 0);
	assert_int_equal(info.num_regions, VFIO_PCI_NUM_REGIONS);
	assert_true((info.flags & VFIO_DEVICE_FLAGS_PCI) != 0);
	assert_int_equal(vfio_eal_card->nb_open, 1);
	vfio_eal_close_card(fd);
	assert_int_equal(vfio_eal_card->nb_open, 0);
}

static void
test_released_device_leaves_nothing(void **state)
{
	struct resources before;

	vfio_eal_close_card(vfio_eal_open_card());
	resources_take(&before);
	vfio_eal_close_card(vfio_eal_open_card());
	resources_assert_same(&before);
	resources_drop(&before);
}

static atomic_bool others_went_on;

static void *
others_main(void *arg)
{
	rte_vfio_container_dma_unmap(RTE_VFIO_DEFAULT_CONTAINER_FD, 0, 0, 0);
	rte_mcfg_mem_write_lock();
	rte_mcfg_mem_write_unlock();
	atomic_store(&others_went_on, true);
	return NULL;
}

static pthread_t others;
static bool in_time;

static void
wait_for_others(void)
{
	unsigned int ms;

	assert_int_equal(pthread_create(&others, NULL, others_main, NULL), 0);
	for (ms = 0; ms < 5000 && !atomic_load(&others_went_on); ms++)
		usleep(1000);
	in_time = atomic_load(&others_went_on);
}

/* Linux may take a minute to close a device that is gone. */
static void
test_nobody_waits_for_a_device_that_is_closed(void **state)
{
	int fd = vfio_eal_open_card();

	atomic_store(&others_went_on, false);
	in_time = false;
	vfio_eal_card->on_close = wait_for_others;
	vfio_eal_close_card(fd);
	vfio_eal_card->on_close = NULL;
	assert_true(in_time);
	pthread_join(others, NULL);
	assert_int_equal(vfio_eal_card->nb_open, 0);
	vfio_eal_close_card(vfio_eal_open_card());
}

static void
test_device_without_group_is_not_for_vfio(void **state)
{
	int fd = -1;

	vfio_eal_add("0000:02:00.0", -1);
	assert_int_equal(vfio_eal_open("0000:02:00.0", &fd), 1);
	assert_int_equal(vfio_eal_open("0000:03:00.0", &fd), 1);
	assert_int_equal(fd, -1);
}

static void
test_device_of_another_driver_is_not_for_vfio(void **state)
{
	int fd = -1;

	fake_vfio_bind(vfio_eal_card, "e1000e");
	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), 1);
}

static void
test_release_needs_no_sysfs(void **state)
{
	int fd = vfio_eal_open_card();

	fake_vfio_unplug(vfio_eal_card);
	assert_int_equal(rte_vfio_release_device(vfio_eal_kernel->sysfs, vfio_eal_card->desc.name,
		fd), 0);
	assert_int_equal(vfio_eal_card->nb_open, 0);
}

static void
test_release_of_unknown_descriptor_is_refused(void **state)
{
	assert_int_equal(rte_vfio_release_device(vfio_eal_kernel->sysfs, vfio_eal_card->desc.name,
		0), -ENODEV);
	assert_int_equal(rte_errno, ENODEV);
}

static void
test_bad_arguments_are_refused(void **state)
{
	struct vfio_device_info info;
	char name[8192];
	int fd = -1;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(rte_vfio_setup_device(NULL, "x", &fd, &info), -EINVAL);
	assert_int_equal(rte_vfio_setup_device(vfio_eal_kernel->sysfs, NULL, &fd, &info), -EINVAL);
	assert_int_equal(rte_vfio_setup_device(vfio_eal_kernel->sysfs, name, &fd, &info), -EINVAL);
	assert_int_equal(rte_vfio_setup_device(vfio_eal_kernel->sysfs, "x", NULL, &info), -EINVAL);
	assert_int_equal(rte_vfio_setup_device(vfio_eal_kernel->sysfs, "x", &fd, NULL), -EINVAL);
	assert_int_equal(rte_vfio_get_group_num(vfio_eal_kernel->sysfs, "x", NULL), -EINVAL);
	assert_int_equal(rte_vfio_enable(NULL), -EINVAL);
}

static void
test_group_number_is_read_from_sysfs(void **state)
{
	int number = -1;

	assert_int_equal(rte_vfio_get_group_num(vfio_eal_kernel->sysfs, vfio_eal_card->desc.name,
		&number), 1);
	assert_int_equal(number, GROUP);
	assert_int_equal(rte_vfio_get_group_num(vfio_eal_kernel->sysfs, "0000:03:00.0", &number),
		0);
}

static void
test_group_number_must_be_a_number(void **state)
{
	static const char *const targets[] = {
		"../x", "../7x", "../-7", "../", "../99999999999999999999", "../2147483648",
	};
	char path[256];
	int number;
	size_t i;

	snprintf(path, sizeof(path), "%s/%s/iommu_group", vfio_eal_kernel->sysfs,
		vfio_eal_card->desc.name);
	for (i = 0; i < RTE_DIM(targets); i++) {
		unlink(path);
		assert_int_equal(symlink(targets[i], path), 0);
		assert_int_equal(rte_vfio_get_group_num(vfio_eal_kernel->sysfs,
			vfio_eal_card->desc.name, &number),
			-EINVAL);
	}
}

static void
test_device_info_of_an_open_device(void **state)
{
	struct vfio_device_info info = { 0 };
	int fd = vfio_eal_open_card();
	int same = fd;

	assert_int_equal(rte_vfio_get_device_info(vfio_eal_kernel->sysfs, vfio_eal_card->desc.name,
		&same, &info), 0);
	assert_int_equal(same, fd);
	assert_int_equal(info.num_regions, VFIO_PCI_NUM_REGIONS);
	vfio_eal_close_card(fd);
}

static void
test_device_info_opens_the_device_of_an_open_group(void **state)
{
	struct vfio_device_info info = { 0 };
	int fd, own = -1;

	assert_int_equal(rte_vfio_get_device_info(vfio_eal_kernel->sysfs, vfio_eal_card->desc.name,
		&own, &info),
		-ENODEV);
	fd = vfio_eal_open_card();
	assert_int_equal(rte_vfio_get_device_info(vfio_eal_kernel->sysfs, vfio_eal_card->desc.name,
		&own, &info), 0);
	assert_int_not_equal(own, fd);
	assert_int_equal(vfio_eal_card->nb_open, 2);
	close(own);
	vfio_eal_close_card(fd);
}

static int rc_while_closed;

static void
ask_while_closed(void)
{
	struct vfio_device_info info;
	int own = -1;

	rc_while_closed = rte_vfio_get_device_info(vfio_eal_kernel->sysfs,
		vfio_eal_card->desc.name, &own, &info);
}

/* By its node it is open no more as soon as somebody closes it. */
static void
test_device_info_of_a_device_that_is_closed_is_refused(void **state)
{
	int fd = vfio_eal_open_card();

	vfio_eal_card->on_close = ask_while_closed;
	vfio_eal_close_card(fd);
	vfio_eal_card->on_close = NULL;
	assert_int_equal(rc_while_closed, -ENODEV);
}

static void
test_there_may_be_200_groups(void **state)
{
	enum { NB = 200 };
	static char names[NB][16];
	int fds[NB];
	int i;

	for (i = 0; i < NB; i++) {
		snprintf(names[i], sizeof(names[i]), "0000:%02x:%02x.0", 0x10 + i / 32, i % 32);
		vfio_eal_add(names[i], 1000 + i);
		assert_int_equal(vfio_eal_open(names[i], &fds[i]), 0);
	}
	assert_int_equal(fake_vfio_container(vfio_eal_kernel->devices)->nb_groups, NB);
	for (i = 0; i < NB; i++)
		vfio_eal_close(names[i], fds[i]);
	assert_null(fake_vfio_container(vfio_eal_kernel->devices));
}

static void
test_group_stays_while_one_of_its_devices_is_open(void **state)
{
	struct fake_device *other = vfio_eal_add("0000:01:00.1", GROUP);
	int fds[2] = { -1, -1 };

	assert_int_equal(vfio_eal_open("0000:01:00.0", &fds[0]), 0);
	assert_int_equal(vfio_eal_open("0000:01:00.1", &fds[1]), 0);
	vfio_eal_close("0000:01:00.0", fds[0]);
	assert_non_null(fake_vfio_container(other));
	vfio_eal_close("0000:01:00.1", fds[1]);
	assert_null(fake_vfio_container(other));
}

static void
test_group_descriptor_is_one(void **state)
{
	int fd = rte_vfio_get_group_fd(GROUP);

	assert_true(fd >= 0);
	assert_int_equal(rte_vfio_get_group_fd(GROUP), fd);
	assert_int_equal(rte_vfio_get_group_fd(99), -ENOENT);
	assert_int_equal(rte_vfio_clear_group(fd), 0);
	assert_int_equal(rte_vfio_clear_group(fd), -ENODEV);
}

static void
test_group_with_an_open_device_is_not_cleared(void **state)
{
	int fd = vfio_eal_open_card();

	assert_int_equal(rte_vfio_clear_group(rte_vfio_get_group_fd(GROUP)), -EBUSY);
	vfio_eal_close_card(fd);
}

static const struct CMUnitTest tests[] = {
	VFIO_EAL_TEST_BOTH(test_device_is_opened_and_described),
	VFIO_EAL_TEST_BOTH(test_released_device_leaves_nothing),
	VFIO_EAL_TEST_BOTH(test_nobody_waits_for_a_device_that_is_closed),
	VFIO_EAL_TEST_BOTH(test_device_without_group_is_not_for_vfio),
	VFIO_EAL_TEST_BOTH(test_device_of_another_driver_is_not_for_vfio),
	VFIO_EAL_TEST_BOTH(test_release_needs_no_sysfs),
	VFIO_EAL_TEST_BOTH(test_release_of_unknown_descriptor_is_refused),
	VFIO_EAL_TEST(test_bad_arguments_are_refused),
	VFIO_EAL_TEST(test_group_number_is_read_from_sysfs),
	VFIO_EAL_TEST(test_group_number_must_be_a_number),
	VFIO_EAL_TEST_BOTH(test_device_info_of_an_open_device),
	VFIO_EAL_TEST_BOTH(test_device_info_opens_the_device_of_an_open_group),
	VFIO_EAL_TEST_CDEV(test_device_info_of_a_device_that_is_closed_is_refused),
	VFIO_EAL_TEST_BOTH(test_there_may_be_200_groups),
	VFIO_EAL_TEST_BOTH(test_group_stays_while_one_of_its_devices_is_open),
	VFIO_EAL_TEST(test_group_descriptor_is_one),
	VFIO_EAL_TEST(test_group_with_an_open_device_is_not_cleared),
};
TEST_SUITE(vfio_device, "functional", tests, NULL, NULL)
