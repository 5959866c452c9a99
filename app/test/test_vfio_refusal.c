/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_vfio.h>

#include "eal_session.h"
#include "fake_vfio.h"
#include "test.h"
#include "vfio_eal.h"

static void
test_enabled_says_whether_vfio_is_there(void **state)
{
	assert_int_equal(rte_vfio_is_enabled("vfio"), 1);
	assert_int_equal(rte_vfio_is_enabled("vfio_pci"), 1);
	assert_int_equal(rte_vfio_is_enabled("no_such_module"), 0);
	assert_int_equal(rte_vfio_is_enabled(NULL), 0);
}

static void
test_vfio_may_come_after_start(void **state)
{
	vfio_eal_kernel->no_node = true;
	vfio_eal_start(NULL);
	assert_int_equal(rte_vfio_is_enabled("vfio"), 0);
	assert_int_equal(rte_vfio_get_container_fd(), -ENOENT);
	vfio_eal_kernel->no_node = false;
	vfio_eal_close_card(vfio_eal_open_card());
	assert_int_equal(rte_vfio_is_enabled("vfio"), 1);
}

static void
test_noiommu_answer_is_not_kept(void **state)
{
	assert_int_equal(rte_vfio_noiommu_is_enabled(), 0);
	vfio_eal_kernel->noiommu = true;
	assert_int_equal(rte_vfio_noiommu_is_enabled(), 1);
	vfio_eal_kernel->noiommu = false;
	assert_int_equal(rte_vfio_noiommu_is_enabled(), 0);
}

static void
test_error_names_the_file_and_the_remedy(void **state)
{
	static const struct {
		int container_err, group_err, rc;
		const char *text[2];
	} cases[] = {
		{ EACCES, 0, -EACCES, { "/dev/vfio/vfio", "udev" } },
		{ ENODEV, 0, -ENODEV, { "/dev/vfio/vfio", "module" } },
		{ 0, EACCES, -EACCES, { "/dev/vfio/7", "udev" } },
		{ 0, EPERM, -EPERM, { "/dev/vfio/7", "root" } },
		{ 0, EBUSY, -EBUSY, { "/dev/vfio/7", "another process" } },
		{ 0, EMFILE, -EMFILE, { "/dev/vfio/7", "open files" } },
	};
	const char *log;
	int fd = -1;
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		vfio_eal_kernel->container_err = cases[i].container_err;
		vfio_eal_kernel->group_err = cases[i].group_err;
		vfio_eal_start(NULL);
		assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), cases[i].rc);
		assert_int_equal(rte_errno, -cases[i].rc);
		log = eal_log_text();
		assert_non_null(strstr(log, cases[i].text[0]));
		assert_non_null(strstr(log, cases[i].text[1]));
		vfio_eal_stop();
	}
}

static void
test_no_iommu_driver_is_told(void **state)
{
	int fd = -1;

	vfio_eal_kernel->no_type1 = true;
	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), -ENODEV);
	assert_non_null(strstr(eal_log_text(), "vfio_iommu_type1"));
	assert_int_equal(rte_vfio_get_container_fd(), -ENOTSUP);
}

static void
test_unviable_group_names_the_other_driver(void **state)
{
	const char *log;
	int fd = -1;

	fake_vfio_bind(vfio_eal_add("0000:01:00.1", GROUP), "snd_hda_intel");
	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), -EPERM);
	log = eal_log_text();
	assert_non_null(strstr(log, "0000:01:00.1"));
	assert_non_null(strstr(log, "snd_hda_intel"));
}

static void
test_second_type_of_iommu_is_preferred(void **state)
{
	int fd = vfio_eal_open_card();

	assert_int_equal(fake_vfio_container(vfio_eal_card)->iommu, VFIO_TYPE1v2_IOMMU);
	vfio_eal_close_card(fd);
	vfio_eal_kernel->no_type1v2 = true;
	fd = vfio_eal_open_card();
	assert_int_equal(fake_vfio_container(vfio_eal_card)->iommu, VFIO_TYPE1_IOMMU);
	vfio_eal_close_card(fd);
}

static void
test_device_without_iommu_needs_no_mapping(void **state)
{
	struct fake_device *dev = vfio_eal_add_noiommu("0000:05:00.0", 50);
	uint8_t *mem = vfio_eal_pages(KB4);
	int fd = -1;

	assert_int_equal(vfio_eal_open(dev->desc.name, &fd), 0);
	assert_int_equal(fake_vfio_container(dev)->iommu, VFIO_NOIOMMU_IOMMU);
	assert_non_null(strstr(eal_log_text(), "--iova-mode=pa"));
	assert_int_equal(rte_vfio_container_dma_map(RTE_VFIO_DEFAULT_CONTAINER_FD, (uintptr_t)mem,
		IOVA, KB4), 0);
	assert_int_equal(rte_vfio_container_dma_unmap(RTE_VFIO_DEFAULT_CONTAINER_FD, (uintptr_t)mem,
		IOVA, KB4), 0);
	vfio_eal_close(dev->desc.name, fd);
	munmap(mem, KB4);
}

/* The kernel wants two containers for them; who maps memory sees one. */
static void
test_devices_with_and_without_iommu_are_beside_one_another(void **state)
{
	struct fake_device *dev = vfio_eal_add_noiommu("0000:05:00.0", 50);
	uint8_t *mem = vfio_eal_pages(KB4);
	int fd = vfio_eal_open_card(), other = -1;

	assert_int_equal(vfio_eal_open(dev->desc.name, &other), 0);
	assert_int_equal(fake_vfio_container(vfio_eal_card)->iommu, VFIO_TYPE1v2_IOMMU);
	assert_int_equal(fake_vfio_container(dev)->iommu, VFIO_NOIOMMU_IOMMU);
	assert_int_equal(vfio_eal_map(mem, IOVA, KB4), 0);
	assert_non_null(vfio_eal_mapped_at(IOVA));
	vfio_eal_close_card(fd);
	assert_int_equal(vfio_eal_unmap(mem, IOVA, KB4), 0);
	vfio_eal_close(dev->desc.name, other);
	assert_int_equal(vfio_eal_map(mem, IOVA, KB4), -ENODEV);
	munmap(mem, KB4);
}

/* What was mapped when only the other one was there it reaches, too. */
static void
test_device_with_iommu_comes_after_one_without(void **state)
{
	struct fake_device *dev = vfio_eal_add_noiommu("0000:05:00.0", 50);
	uint8_t *mem = vfio_eal_pages(KB4);
	int fd, other = -1;

	assert_int_equal(vfio_eal_open(dev->desc.name, &other), 0);
	assert_int_equal(vfio_eal_map(mem, IOVA, KB4), 0);
	assert_int_equal(vfio_eal_map(mem, IOVA, KB4), 0);
	assert_int_equal(vfio_eal_map(mem, IOVA, 2 * KB4), -EEXIST);
	fd = vfio_eal_open_card();
	assert_non_null(vfio_eal_mapped_at(IOVA));
	assert_int_equal(vfio_eal_unmap(mem, IOVA, KB4), 0);
	assert_null(vfio_eal_mapped_at(IOVA));
	vfio_eal_close(dev->desc.name, other);
	vfio_eal_close_card(fd);
	munmap(mem, KB4);
}

static void
test_group_without_iommu_is_bound_to_the_default_container(void **state)
{
	struct fake_device *dev = vfio_eal_add_noiommu("0000:05:00.0", 50);
	int fd = vfio_eal_open_card(), other = -1;
	int group = rte_vfio_container_group_bind(RTE_VFIO_DEFAULT_CONTAINER_FD, 50);

	assert_true(group >= 0);
	assert_int_equal(rte_vfio_get_group_fd(50), group);
	assert_int_equal(vfio_eal_open(dev->desc.name, &other), 0);
	vfio_eal_close(dev->desc.name, other);
	assert_int_equal(rte_vfio_container_group_unbind(RTE_VFIO_DEFAULT_CONTAINER_FD, 50), 0);
	assert_true(rte_vfio_get_group_fd(50) >= 0);
	vfio_eal_close_card(fd);
}

/* A container that the user made has one kind. */
static void
test_devices_with_and_without_iommu_do_not_mix_in_a_container(void **state)
{
	struct fake_device *dev = vfio_eal_add_noiommu("0000:05:00.0", 50);
	int container = rte_vfio_container_create(), fd, other = -1;

	assert_true(rte_vfio_container_group_bind(container, GROUP) >= 0);
	assert_true(rte_vfio_container_group_bind(container, 50) >= 0);
	fd = vfio_eal_open_card();
	assert_int_equal(vfio_eal_open(dev->desc.name, &other), -EPERM);
	assert_non_null(strstr(eal_log_text(), "do not mix"));
	vfio_eal_close_card(fd);
	assert_int_equal(rte_vfio_container_destroy(container), 0);
}

static void
test_token_is_given_to_devices_that_want_it(void **state)
{
	struct fake_device *vf;
	int fd = -1;

	vfio_eal_start("--vfio-vf-token=" TOKEN);
	vf = fake_vfio_add(vfio_eal_kernel, &(struct fake_device_desc){
		.name = "0000:01:10.0", .driver = "vfio-pci", .group = 8, .vf_token = TOKEN,
	});
	assert_int_equal(vfio_eal_open(vf->desc.name, &fd), 0);
	vfio_eal_close(vf->desc.name, fd);
	vfio_eal_close_card(vfio_eal_open_card());
}

static void
test_missing_token_is_told(void **state)
{
	int fd = -1;

	vfio_eal_card->desc.vf_token = TOKEN;
	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), -EACCES);
	assert_non_null(strstr(eal_log_text(), "--vfio-vf-token"));
	vfio_eal_card->desc.vf_token = NULL;
}

static const struct CMUnitTest tests[] = {
	VFIO_EAL_TEST_BOTH(test_enabled_says_whether_vfio_is_there),
	VFIO_EAL_TEST_UNSTARTED(test_vfio_may_come_after_start),
	VFIO_EAL_TEST(test_noiommu_answer_is_not_kept),
	VFIO_EAL_TEST_UNSTARTED(test_error_names_the_file_and_the_remedy),
	VFIO_EAL_TEST(test_no_iommu_driver_is_told),
	VFIO_EAL_TEST(test_unviable_group_names_the_other_driver),
	VFIO_EAL_TEST(test_second_type_of_iommu_is_preferred),
	VFIO_EAL_TEST(test_device_without_iommu_needs_no_mapping),
	VFIO_EAL_TEST(test_devices_with_and_without_iommu_are_beside_one_another),
	VFIO_EAL_TEST(test_device_with_iommu_comes_after_one_without),
	VFIO_EAL_TEST(test_group_without_iommu_is_bound_to_the_default_container),
	VFIO_EAL_TEST(test_devices_with_and_without_iommu_do_not_mix_in_a_container),
	VFIO_EAL_TEST_UNSTARTED(test_token_is_given_to_devices_that_want_it),
	VFIO_EAL_TEST_BOTH(test_missing_token_is_told),
};
TEST_SUITE(vfio_refusal, "functional", tests, NULL, NULL)
