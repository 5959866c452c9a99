/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vfio.h>

#include "eal_session.h"
#include "fake_vfio.h"
#include "test.h"
#include "vfio_eal.h"

#define OTHER_TOKEN "24d63f20-8445-11ea-8900-1f9ce7d5650d"

static void
test_device_without_iommu_is_had_by_its_group(void **state)
{
	struct fake_device *dev = vfio_eal_add_noiommu("0000:05:00.0", 50);

	vfio_eal_start(NULL);
	vfio_assert_opened_by_node(vfio_eal_card);
	vfio_assert_opened_by_group(dev, VFIO_NOIOMMU_IOMMU);
	vfio_assert_opened_by_node(vfio_eal_card);
}

/* With an IOMMU, that is: who else may open their nodes is one and the same for all. */
static void
test_nodes_and_groups_do_not_mix(void **state)
{
	struct fake_device *dev = vfio_eal_add("0000:05:00.0", 50);
	int fd;

	vfio_eal_start(NULL);
	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), 0);
	vfio_eal_kernel->cdev_err = EACCES;
	vfio_assert_refused(dev, -ENOTSUP, "--vfio-mode=group");
	vfio_eal_close(vfio_eal_card->desc.name, fd);
}

static void
test_device_without_iommu_is_beside_one_that_has_a_node(void **state)
{
	struct fake_device *dev = vfio_eal_add_noiommu("0000:05:00.0", 50);
	int fd;

	vfio_eal_start(NULL);
	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), 0);
	vfio_assert_opened_by_group(dev, VFIO_NOIOMMU_IOMMU);
	vfio_eal_close(vfio_eal_card->desc.name, fd);
	assert_int_equal(vfio_eal_open(dev->desc.name, &fd), 0);
	vfio_assert_opened_by_node(vfio_eal_card);
	vfio_eal_close(dev->desc.name, fd);
}

/* Who insists on nodes has no devices without an IOMMU. */
static void
test_device_without_iommu_is_none_for_nodes_only(void **state)
{
	struct fake_device *dev = vfio_eal_add_noiommu("0000:05:00.0", 50);

	vfio_eal_start("--vfio-mode=cdev");
	vfio_assert_refused(dev, -ENODEV, "--vfio-mode=group");
}

static void
test_forbidden_noiommu_is_told(void **state)
{
	struct fake_device *dev = vfio_eal_add_noiommu("0000:05:00.0", 50);

	vfio_eal_start(NULL);
	vfio_eal_kernel->noiommu = false;
	vfio_assert_refused(dev, -ENODEV, RTE_VFIO_NOIOMMU_MODE);
	vfio_eal_kernel->group_err = EPERM;
	vfio_assert_refused(dev, -EPERM, "CAP_SYS_RAWIO");
}

/* ---- what may go wrong on the way ---- */

static void
test_refusals_are_told_with_a_remedy(void **state)
{
	static const struct {
		int bind_err, attach_err;
		const char *text;
	} cases[] = {
		{ EACCES, 0, "--vfio-vf-token" },
		{ EBUSY, 0, "another process has opened its group" },
		{ EINVAL, 0, "another process has it" },
		{ ENODEV, 0, "no VFIO driver" },
		{ EPERM, 0, "allow_unsafe_interrupts of the module iommufd" },
		{ ENOSPC, 0, "No space left" },
		{ 0, EADDRINUSE, "mapped where this device reaches none" },
		{ 0, EINVAL, "does not go with" },
		{ 0, ENOMEM, "ulimit -l" },
	};
	size_t i;

	vfio_eal_start(NULL);
	for (i = 0; i < RTE_DIM(cases); i++) {
		vfio_eal_card->bind_err = cases[i].bind_err;
		vfio_eal_card->attach_err = cases[i].attach_err;
		vfio_assert_refused(vfio_eal_card, -RTE_MAX(cases[i].bind_err, cases[i].attach_err),
			cases[i].text);
		assert_int_equal(vfio_eal_card->nb_open, 0);
	}
	vfio_eal_card->bind_err = vfio_eal_card->attach_err = 0;
	vfio_assert_opened_by_node(vfio_eal_card);
}

static void
test_unviable_group_names_the_other_driver(void **state)
{
	fake_vfio_bind(vfio_eal_add("0000:01:00.1", GROUP), "snd_hda_intel");
	vfio_eal_start(NULL);
	vfio_assert_refused(vfio_eal_card, -EPERM,
		"0000:01:00.1 has the kernel driver snd_hda_intel");
}

static void
test_group_that_another_process_opened_is_told(void **state)
{
	int group, iommu;

	vfio_eal_start(NULL);
	group = open("/dev/vfio/7", O_RDWR | O_CLOEXEC);
	assert_true(group >= 0);
	vfio_assert_refused(vfio_eal_card, -EBUSY, "has opened its group");
	close(group);
	assert_int_equal(vfio_eal_try(vfio_eal_card, &iommu), 0);
}

static void
test_token_is_given_to_devices_that_want_it(void **state)
{
	struct fake_device *vf = vfio_eal_add("0000:01:10.0", 8);

	vf->desc.vf_token = TOKEN;
	vfio_eal_start("--vfio-vf-token=" TOKEN);
	vfio_assert_opened_by_node(vf);
	vfio_assert_opened_by_node(vfio_eal_card);
	vf->desc.vf_token = OTHER_TOKEN;
	vfio_assert_refused(vf, -EACCES, "--vfio-vf-token");
}

static void
test_missing_token_is_told(void **state)
{
	vfio_eal_card->desc.vf_token = TOKEN;
	vfio_eal_start(NULL);
	vfio_assert_refused(vfio_eal_card, -EACCES, "--vfio-vf-token");
}

static void
test_kernel_that_knows_no_token_is_asked_without(void **state)
{
	vfio_eal_kernel->no_bind_token = true;
	vfio_eal_start("--vfio-vf-token=" TOKEN);
	vfio_assert_opened_by_node(vfio_eal_card);
}

static const struct CMUnitTest tests[] = {
	VFIO_EAL_TEST_NODES(test_device_without_iommu_is_had_by_its_group),
	VFIO_EAL_TEST_NODES(test_nodes_and_groups_do_not_mix),
	VFIO_EAL_TEST_NODES(test_device_without_iommu_is_beside_one_that_has_a_node),
	VFIO_EAL_TEST_NODES(test_device_without_iommu_is_none_for_nodes_only),
	VFIO_EAL_TEST_NODES(test_forbidden_noiommu_is_told),
	VFIO_EAL_TEST_NODES(test_refusals_are_told_with_a_remedy),
	VFIO_EAL_TEST_NODES(test_unviable_group_names_the_other_driver),
	VFIO_EAL_TEST_NODES(test_group_that_another_process_opened_is_told),
	VFIO_EAL_TEST_NODES(test_token_is_given_to_devices_that_want_it),
	VFIO_EAL_TEST_NODES(test_missing_token_is_told),
	VFIO_EAL_TEST_NODES(test_kernel_that_knows_no_token_is_asked_without),
};
TEST_SUITE(vfio_cdev_refusal, "functional", tests, NULL, NULL)
