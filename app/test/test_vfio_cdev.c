/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <rte_common.h>
#include <rte_vfio.h>

#include <eal_vfio_uapi.h>

#include "eal_session.h"
#include "fake_vfio.h"
#include "interpose.h"
#include "test.h"
#include "vfio_eal.h"

/*
 * How EAL has VFIO devices: by their own nodes and iommufd, or by groups, and who decides. What
 * holds for both is in test_vfio_device.c and its neighbours.
 */

static void
test_numbers_and_layouts_are_the_kernels(void **state)
{
	assert_int_equal(EAL_VFIO_DEVICE_BIND_IOMMUFD, 0x3b76);
	assert_int_equal(EAL_VFIO_DEVICE_ATTACH_IOMMUFD_PT, 0x3b77);
	assert_int_equal(EAL_IOMMU_DESTROY, 0x3b80);
	assert_int_equal(EAL_IOMMU_IOAS_ALLOC, 0x3b81);
	assert_int_equal(EAL_IOMMU_IOAS_IOVA_RANGES, 0x3b84);
	assert_int_equal(EAL_IOMMU_IOAS_MAP, 0x3b85);
	assert_int_equal(EAL_IOMMU_IOAS_UNMAP, 0x3b86);
	assert_int_equal(sizeof(struct eal_vfio_bind_iommufd), 24);
	assert_int_equal(offsetof(struct eal_vfio_bind_iommufd, token_uuid_ptr), 16);
	assert_int_equal(sizeof(struct eal_vfio_attach_iommufd_pt), 12);
	assert_int_equal(sizeof(struct eal_iommu_destroy), 8);
	assert_int_equal(sizeof(struct eal_iommu_ioas_alloc), 12);
	assert_int_equal(sizeof(struct eal_iommu_ioas_iova_ranges), 32);
	assert_int_equal(sizeof(struct eal_iommu_ioas_map), 40);
	assert_int_equal(offsetof(struct eal_iommu_ioas_map, user_va), 16);
	assert_int_equal(sizeof(struct eal_iommu_ioas_unmap), 24);
	assert_int_equal(sizeof(struct vfio_iova_range), 16);
}

/* ---- who decides ---- */

static void
test_node_is_taken_where_there_is_one(void **state)
{
	vfio_eal_start(NULL);
	vfio_assert_opened_by_node(vfio_eal_card);
	assert_int_equal(vfio_eal_card->nb_binds, 1);
	assert_int_equal(rte_vfio_is_enabled("vfio"), 1);
}

static void
test_groups_are_taken_when_the_user_says_so(void **state)
{
	vfio_eal_start("--vfio-mode=group");
	vfio_assert_opened_by_group(vfio_eal_card, VFIO_TYPE1v2_IOMMU);
	assert_int_equal(vfio_eal_card->nb_binds, 0);
}

static void
test_groups_are_taken_where_there_is_no_node(void **state)
{
	static const struct {
		bool no_nodes;
		int iommufd_err, cdev_err;
	} cases[] = {
		{ true, 0, 0 },
		{ false, ENOENT, 0 },
		{ false, EACCES, 0 },
		{ false, EPERM, 0 },
		{ false, ENODEV, 0 },
		{ false, 0, EACCES },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		vfio_eal_kernel->cdev = !cases[i].no_nodes;
		vfio_eal_kernel->iommufd_err = cases[i].iommufd_err;
		vfio_eal_kernel->cdev_err = cases[i].cdev_err;
		vfio_eal_start(NULL);
		vfio_assert_opened_by_group(vfio_eal_card, VFIO_TYPE1v2_IOMMU);
		/* that is no fault of anybody */
		assert_null(strstr(eal_log_text(), "/dev/vfio/devices: "));
		vfio_eal_stop();
	}
	vfio_eal_start(NULL);
}

static void
test_groups_are_taken_by_kernels_that_do_not_name_nodes(void **state)
{
	fake_vfio_hide_node(vfio_eal_card);
	vfio_eal_start(NULL);
	vfio_assert_opened_by_group(vfio_eal_card, VFIO_TYPE1v2_IOMMU);
}

static void
test_groups_hide_no_error(void **state)
{
	vfio_eal_kernel->iommufd_err = EMFILE;
	vfio_eal_start(NULL);
	vfio_assert_refused(vfio_eal_card, -EMFILE, "/dev/iommu: Too many open files");
	vfio_eal_kernel->iommufd_err = 0;
	vfio_eal_card->open_err = EBUSY;
	vfio_assert_refused(vfio_eal_card, -EBUSY, "/dev/vfio/devices/vfio40: busy");
	vfio_eal_card->open_err = 0;
	vfio_assert_opened_by_node(vfio_eal_card);
}

static void
test_nodes_alone_are_taken_when_the_user_says_so(void **state)
{
	vfio_eal_start("--vfio-mode=cdev");
	vfio_assert_opened_by_node(vfio_eal_card);
	vfio_eal_kernel->cdev_err = EACCES;
	vfio_assert_refused(vfio_eal_card, -EACCES, "/dev/vfio/devices/vfio40: permission denied");
	vfio_eal_kernel->cdev_err = 0;
	vfio_eal_kernel->cdev = false;
	vfio_assert_refused(vfio_eal_card, -ENODEV, "Linux 6.6");
}

static void
test_no_iommufd_is_told(void **state)
{
	static const struct {
		int err, rc;
		const char *text;
	} cases[] = {
		{ ENOENT, -ENODEV, "/dev/iommu: not there; it takes Linux 6.6" },
		{ EACCES, -EACCES, "/dev/iommu: permission denied" },
		{ EMFILE, -EMFILE, "/dev/iommu: Too many open files" },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		vfio_eal_kernel->iommufd_err = cases[i].err;
		vfio_eal_start("--vfio-mode=cdev");
		vfio_assert_refused(vfio_eal_card, cases[i].rc, cases[i].text);
		vfio_eal_stop();
	}
	vfio_eal_kernel->iommufd_err = 0;
	vfio_eal_start("--vfio-mode=cdev");
}

static void
test_device_of_another_driver_is_not_for_vfio(void **state)
{
	int iommu;

	vfio_eal_start("--vfio-mode=cdev");
	fake_vfio_bind(vfio_eal_card, "e1000e");
	assert_int_equal(vfio_eal_try(vfio_eal_card, &iommu), 1);
}

static void
test_node_names_that_are_none_are_passed_over(void **state)
{
	static const char *const names[] = {
		"vfio", "vfiox", "vfio7x", "vfio-7", "xvfio7", "vfio77777777777777777777",
	};
	char path[256];
	int iommu;
	size_t i;

	fake_vfio_hide_node(vfio_eal_card);
	snprintf(path, sizeof(path), "%s/%s/vfio-dev", vfio_eal_kernel->sysfs,
		vfio_eal_card->desc.name);
	assert_int_equal(mkdir(path, 0755), 0);
	for (i = 0; i < RTE_DIM(names); i++) {
		snprintf(path, sizeof(path), "%s/%s/vfio-dev/%s", vfio_eal_kernel->sysfs,
			vfio_eal_card->desc.name, names[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	vfio_eal_start("--vfio-mode=cdev");
	assert_int_equal(vfio_eal_try(vfio_eal_card, &iommu), 1);
}

/* The number of the last access() of a setup is told by one that works. */
static void
test_node_that_has_become_another_devices_is_given_back(void **state)
{
	unsigned int last, nb_opened;
	int fd, iommu;

	vfio_eal_start("--vfio-mode=cdev");
	interpose_fail(INTERPOSE_ONLY(ACCESS), 0, 0);
	vfio_assert_opened_by_node(vfio_eal_card);
	interpose_disarm();
	last = interpose_count();
	nb_opened = vfio_eal_card->nb_opened;
	interpose_fail(INTERPOSE_ONLY(ACCESS), last, ENOENT);
	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), -ENODEV);
	interpose_disarm();
	assert_int_equal(vfio_eal_card->nb_opened, nb_opened + 1);
	assert_int_equal(vfio_eal_card->nb_open, 0);
	assert_int_equal(vfio_eal_try(vfio_eal_card, &iommu), 0);
}

/* ---- devices without an IOMMU have no node ---- */

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_numbers_and_layouts_are_the_kernels),
	VFIO_EAL_TEST_NODES(test_node_is_taken_where_there_is_one),
	VFIO_EAL_TEST_NODES(test_groups_are_taken_when_the_user_says_so),
	VFIO_EAL_TEST_NODES(test_groups_are_taken_where_there_is_no_node),
	VFIO_EAL_TEST_NODES(test_groups_are_taken_by_kernels_that_do_not_name_nodes),
	VFIO_EAL_TEST_NODES(test_groups_hide_no_error),
	VFIO_EAL_TEST_NODES(test_nodes_alone_are_taken_when_the_user_says_so),
	VFIO_EAL_TEST_NODES(test_no_iommufd_is_told),
	VFIO_EAL_TEST_NODES(test_device_of_another_driver_is_not_for_vfio),
	VFIO_EAL_TEST_NODES(test_node_names_that_are_none_are_passed_over),
	VFIO_EAL_TEST_NODES(test_node_that_has_become_another_devices_is_given_back),
};
TEST_SUITE(vfio_cdev, "functional", tests, NULL, NULL)
