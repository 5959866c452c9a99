/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_vfio.h>

#include "eal_session.h"
#include "fake_vfio.h"
#include "test.h"
#include "vfio_eal.h"

/* What EAL's VFIO does with address spaces of iommufd. */

/* Devices reach all, but for the last page below IOVA + 1 MiB. */
static void
narrow(void)
{
	vfio_eal_kernel->iova_ranges[0] = (struct vfio_iova_range){ 0, IOVA + 0xfefff };
	vfio_eal_kernel->iova_ranges[1] = (struct vfio_iova_range){ IOVA + 0x100000, UINT64_MAX };
	vfio_eal_kernel->nb_iova_ranges = 2;
}

static void
test_device_that_reaches_less_than_is_mapped_is_refused(void **state)
{
	struct fake_device *other = vfio_eal_add("0000:02:00.0", 8);
	uint8_t *mem = vfio_eal_pages(KB4);
	int fd;

	vfio_eal_start(NULL);
	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), 0);
	assert_int_equal(vfio_eal_map(mem, IOVA + 0xff000, KB4), 0);
	narrow();
	vfio_assert_refused(other, -EADDRINUSE, "mapped where this device reaches none");
	/* the first one goes on */
	assert_int_equal(fake_vfio_container(vfio_eal_card)->nb_groups, 1);
	assert_int_equal(vfio_eal_unmap(mem, IOVA + 0xff000, KB4), 0);
	vfio_eal_close(vfio_eal_card->desc.name, fd);
	munmap(mem, KB4);
}

static void
test_ranges_may_be_many(void **state)
{
	uint8_t *mem = vfio_eal_pages(KB4);
	uint32_t i;
	int fd;

	for (i = 0; i < FAKE_IOVA_RANGES_MAX; i++)
		vfio_eal_kernel->iova_ranges[i] = (struct vfio_iova_range){ i << 20,
			(i << 20) + 0xffff };
	vfio_eal_kernel->nb_iova_ranges = FAKE_IOVA_RANGES_MAX;
	vfio_eal_kernel->iova_ranges[FAKE_IOVA_RANGES_MAX - 1].end = UINT64_MAX;
	vfio_eal_start(NULL);
	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), 0);
	for (i = 0; i < FAKE_IOVA_RANGES_MAX - 1; i++) {
		assert_int_equal(vfio_eal_map(mem, i << 20, KB4), 0);
		assert_int_equal(vfio_eal_unmap(mem, i << 20, KB4), 0);
		assert_int_equal(vfio_eal_map(mem, (i << 20) + 0x10000, KB4), -EINVAL);
	}
	vfio_eal_close(vfio_eal_card->desc.name, fd);
	munmap(mem, KB4);
}

static void
test_lies_about_ranges_do_no_harm(void **state)
{
	static const struct {
		uint32_t num_iovas;
		uint64_t alignment, start;
		int err;
		bool brazen;
	} lies[] = {
		{ .num_iovas = UINT32_MAX },
		{ .num_iovas = INT32_MAX },
		{ .num_iovas = 4097 },
		{ .num_iovas = 4096 },
		{ .num_iovas = 17 },
		{ .alignment = 3 },
		{ .alignment = UINT64_MAX },
		{ .start = UINT64_MAX, },
		{ .err = ENOTTY },
		{ .err = EMSGSIZE },
		{ .num_iovas = UINT32_MAX, .brazen = true },
		{ .num_iovas = 17, .brazen = true },
	};
	uint8_t *mem = vfio_eal_pages(KB4);
	size_t i;
	int fd;

	narrow();
	vfio_eal_kernel->iova_ranges[1].end = UINT64_MAX - 1;
	vfio_eal_start(NULL);
	for (i = 0; i < RTE_DIM(lies); i++) {
		memcpy(&vfio_eal_kernel->ioas_lie, &lies[i], sizeof(lies[i]));
		assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), 0);
		/* the kernel's own checks remain */
		assert_int_equal(vfio_eal_map(mem, IOVA + 0x100000, KB4), 0);
		assert_int_equal(vfio_eal_unmap(mem, IOVA + 0x100000, KB4), 0);
		vfio_eal_close(vfio_eal_card->desc.name, fd);
	}
	munmap(mem, KB4);
}

static void
test_address_space_goes_with_the_last_device(void **state)
{
	struct fake_device *other = vfio_eal_add("0000:02:00.0", 8);
	int fd, other_fd;

	vfio_eal_start(NULL);
	assert_null(vfio_eal_kernel->containers);
	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), 0);
	assert_int_equal(vfio_eal_open(other->desc.name, &other_fd), 0);
	assert_ptr_equal(fake_vfio_container(vfio_eal_card), fake_vfio_container(other));
	vfio_eal_close(vfio_eal_card->desc.name, fd);
	assert_non_null(vfio_eal_kernel->containers);
	vfio_eal_close(other->desc.name, other_fd);
	assert_null(vfio_eal_kernel->containers);
}

/* ---- containers ---- */

static void
test_containers_are_address_spaces(void **state)
{
	struct fake_device *other = vfio_eal_add("0000:02:00.0", 8);
	uint8_t *mem = vfio_eal_pages(KB4);
	int container, fd, other_fd;

	vfio_eal_start(NULL);
	container = rte_vfio_container_create();
	assert_true(container >= 0);
	assert_true(rte_vfio_container_group_bind(container, 8) >= 0);
	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), 0);
	assert_int_equal(vfio_eal_open(other->desc.name, &other_fd), 0);
	assert_int_equal(fake_vfio_container(other)->iommu, FAKE_IOMMU_IOAS);
	assert_ptr_not_equal(fake_vfio_container(other)->iommufd,
		fake_vfio_container(vfio_eal_card)->iommufd);
	assert_int_equal(rte_vfio_container_dma_map(container, (uintptr_t)mem, IOVA, KB4), 0);
	assert_non_null(fake_vfio_dma(fake_vfio_container(other), IOVA));
	assert_null(fake_vfio_dma(fake_vfio_container(vfio_eal_card), IOVA));
	/* the device keeps what it has until it is released */
	assert_int_equal(rte_vfio_container_destroy(container), 0);
	assert_non_null(fake_vfio_dma(fake_vfio_container(other), IOVA));
	vfio_eal_close(other->desc.name, other_fd);
	vfio_eal_close(vfio_eal_card->desc.name, fd);
	munmap(mem, KB4);
}

static void
test_bound_group_has_a_descriptor_that_is_no_groups(void **state)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int fd;

	vfio_eal_start(NULL);
	fd = rte_vfio_container_group_bind(RTE_VFIO_DEFAULT_CONTAINER_FD, GROUP);
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, VFIO_GROUP_GET_STATUS, &status), -1);
	vfio_assert_opened_by_node(vfio_eal_card);
	assert_int_equal(rte_vfio_clear_group(fd), 0);
	assert_int_equal(rte_vfio_clear_group(fd), -ENODEV);
	assert_int_equal(rte_vfio_container_group_bind(RTE_VFIO_DEFAULT_CONTAINER_FD, 99), -ENOENT);
}

static void
test_what_only_groups_have_is_refused(void **state)
{
	vfio_eal_start("--vfio-mode=cdev");
	assert_int_equal(rte_vfio_get_group_fd(GROUP), -ENOTSUP);
	assert_non_null(strstr(eal_log_text(), "--vfio-mode=group"));
	assert_int_equal(rte_vfio_get_container_fd(), -ENOTSUP);
	assert_int_equal(rte_errno, ENOTSUP);
	assert_non_null(strstr(eal_log_text(), "--vfio-mode=group"));
}

static void
test_group_mode_gives_the_kernels_descriptors(void **state)
{
	int fd;

	vfio_eal_start("--vfio-mode=group");
	fd = rte_vfio_get_container_fd();
	assert_int_equal(ioctl(fd, VFIO_GET_API_VERSION), VFIO_API_VERSION);
	close(fd);
	fd = rte_vfio_get_group_fd(GROUP);
	assert_true(fd >= 0);
	assert_int_equal(rte_vfio_clear_group(fd), 0);
}

static void
test_unknown_mode_is_refused(void **state)
{
	char name[] = "dpdk-test", option[] = "--vfio-mode=fast";
	char *argv[] = { name, option, NULL };

	assert_true(rte_eal_init(2, argv) < 0);
	vfio_eal_start(NULL);
}

static const struct CMUnitTest tests[] = {
	VFIO_EAL_TEST_NODES(test_device_that_reaches_less_than_is_mapped_is_refused),
	VFIO_EAL_TEST_NODES(test_ranges_may_be_many),
	VFIO_EAL_TEST_NODES(test_lies_about_ranges_do_no_harm),
	VFIO_EAL_TEST_NODES(test_address_space_goes_with_the_last_device),
	VFIO_EAL_TEST_NODES(test_containers_are_address_spaces),
	VFIO_EAL_TEST_NODES(test_bound_group_has_a_descriptor_that_is_no_groups),
	VFIO_EAL_TEST_NODES(test_what_only_groups_have_is_refused),
	VFIO_EAL_TEST_NODES(test_group_mode_gives_the_kernels_descriptors),
	VFIO_EAL_TEST_NODES(test_unknown_mode_is_refused),
};
TEST_SUITE(vfio_ioas, "functional", tests, NULL, NULL)
