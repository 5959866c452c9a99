/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <sys/mman.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_vfio.h>

#include "fake_vfio.h"
#include "interpose.h"
#include "test.h"
#include "vfio_eal.h"

static void
test_two_containers_are_apart(void **state)
{
	struct fake_device *other = vfio_eal_add("0000:02:00.0", 8);
	void *heap = rte_malloc(NULL, MB2, 0);
	uint8_t *mem = vfio_eal_pages(KB4);
	int container, fd, other_fd = -1;

	container = rte_vfio_container_create();
	assert_true(container >= 0);
	assert_true(rte_vfio_container_group_bind(container, 8) >= 0);
	fd = vfio_eal_open_card();
	assert_int_equal(vfio_eal_open(other->desc.name, &other_fd), 0);
	assert_ptr_not_equal(fake_vfio_container(vfio_eal_card), fake_vfio_container(other));
	assert_int_equal(fake_vfio_container(other)->nb_dma, 0);
	assert_true(vfio_eal_is_mapped(fake_vfio_container(vfio_eal_card), heap, MB2));

	assert_int_equal(rte_vfio_container_dma_map(container, (uintptr_t)mem, IOVA, KB4), 0);
	assert_non_null(fake_vfio_dma(fake_vfio_container(other), IOVA));
	assert_null(vfio_eal_mapped_at(IOVA));
	assert_int_equal(vfio_eal_unmap(mem, IOVA, KB4), -EINVAL);
	assert_int_equal(rte_vfio_container_dma_unmap(container, (uintptr_t)mem, IOVA, KB4), 0);

	vfio_eal_close(other->desc.name, other_fd);
	assert_int_equal(rte_vfio_container_group_unbind(container, 8), 0);
	assert_int_equal(rte_vfio_container_destroy(container), 0);
	vfio_eal_close_card(fd);
	munmap(mem, KB4);
	rte_free(heap);
}

static void
test_bound_group_stays_in_its_container(void **state)
{
	int container = rte_vfio_container_create();
	int group, fd;

	group = rte_vfio_container_group_bind(container, GROUP);
	assert_true(group >= 0);
	assert_int_equal(rte_vfio_container_group_bind(container, GROUP), group);
	vfio_eal_close_card(vfio_eal_open_card());
	assert_int_equal(rte_vfio_get_group_fd(GROUP), vfio_eal_kernel->cdev ? -ENOTSUP : group);
	assert_int_equal(rte_vfio_container_group_bind(RTE_VFIO_DEFAULT_CONTAINER_FD, GROUP),
		-EBUSY);
	fd = vfio_eal_open_card();
	assert_int_equal(rte_vfio_container_group_unbind(container, GROUP), -EBUSY);
	vfio_eal_close_card(fd);
	assert_int_equal(rte_vfio_container_group_unbind(container, GROUP), 0);
	assert_int_equal(rte_vfio_container_group_unbind(container, GROUP), -ENODEV);
	assert_int_equal(rte_vfio_container_destroy(container), 0);
}

static void
test_bound_group_recovers_from_a_failed_setup(void **state)
{
	void *mem = rte_malloc(NULL, 8 * MB2, 0);
	int fd = -1;

	assert_true(rte_vfio_container_group_bind(RTE_VFIO_DEFAULT_CONTAINER_FD, GROUP) >= 0);
	vfio_eal_kernel->dma_avail = 2;
	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), -ENOSPC);
	assert_null(fake_vfio_container(vfio_eal_card));
	vfio_eal_kernel->dma_avail = 65535;
	fd = vfio_eal_open_card();
	assert_true(vfio_eal_is_mapped(fake_vfio_container(vfio_eal_card), mem, 8 * MB2));
	vfio_eal_close_card(fd);
	rte_free(mem);
}

static void
test_unknown_container_is_refused(void **state)
{
	assert_int_equal(rte_vfio_container_destroy(12345), -ENODEV);
	assert_int_equal(rte_vfio_container_destroy(RTE_VFIO_DEFAULT_CONTAINER_FD), -ENODEV);
	assert_int_equal(rte_vfio_container_group_bind(12345, GROUP), -ENODEV);
	assert_int_equal(rte_vfio_container_group_unbind(12345, GROUP), -ENODEV);
}

static void
test_device_outlives_its_container(void **state)
{
	struct vfio_device_info info;
	int container = rte_vfio_container_create();
	int fd;

	assert_true(rte_vfio_container_group_bind(container, GROUP) >= 0);
	fd = vfio_eal_open_card();
	assert_int_equal(rte_vfio_container_destroy(container), 0);
	assert_int_equal(rte_vfio_get_device_info(vfio_eal_kernel->sysfs, vfio_eal_card->desc.name,
		&fd, &info), 0);
	vfio_eal_close_card(fd);
	assert_int_equal(vfio_eal_card->nb_open, 0);
}

static void
test_cleanup_closes_what_is_open(void **state)
{
	int container = rte_vfio_container_create();
	uint8_t *mem = vfio_eal_pages(KB4);

	vfio_eal_add("0000:02:00.0", 8);
	assert_true(rte_vfio_container_group_bind(container, 8) >= 0);
	vfio_eal_open_card();
	assert_int_equal(vfio_eal_map(mem, IOVA, KB4), 0);
	assert_int_equal(rte_eal_cleanup(), 0);
	assert_int_equal(vfio_eal_card->nb_open, 0);
	assert_null(vfio_eal_kernel->containers);
	munmap(mem, KB4);
}

static int
open_and_close_card(void)
{
	int fd = -1;
	int rc = vfio_eal_open(vfio_eal_card->desc.name, &fd);

	interpose_disarm();
	if (rc == 0)
		vfio_eal_close_card(fd);
	return rc;
}

/* Closing and undoing cannot fail; that the IOMMU describes itself is dispensable. */
#define CALLS (INTERPOSE_ANY & ~INTERPOSE_ONLY(CLOSE))

static void
test_failing_setup_leaves_nothing(void **state)
{
	static const int errors[] = { EACCES, ENOENT, ENOMEM };
	struct interpose_loop loop;
	unsigned int failures = 0;
	void *mem = rte_malloc(NULL, 3 * MB2, 0);
	size_t i;
	int rc;

	for (i = 0; i < RTE_DIM(errors); i++) {
		INTERPOSE_EACH_FAILURE(loop, CALLS, errors[i]) {
			rc = open_and_close_card();
			failures += rc != 0;
			if (!interpose_fired())
				assert_int_equal(rc, 0);
			assert_null(fake_vfio_container(vfio_eal_card));
		}
	}
	assert_true(failures > 3 * 7);
	rte_free(mem);
}

static void
test_failing_release_releases(void **state)
{
	struct interpose_loop loop;
	int fd;

	/* the kernel does not refuse to take back an address space that no device has */
	const uint64_t calls = INTERPOSE_ANY & ~(vfio_eal_kernel->cdev ? INTERPOSE_ONLY(IOCTL) : 0);

	INTERPOSE_EACH_FAILURE(loop, calls, EIO) {
		/* only the release is to fail */
		interpose_disarm();
		fd = vfio_eal_open_card();
		interpose_fail(calls, (unsigned int)loop.nth, EIO);
		rte_vfio_release_device(vfio_eal_kernel->sysfs, vfio_eal_card->desc.name, fd);
		interpose_disarm();
		assert_int_equal(vfio_eal_card->nb_open, 0);
		assert_null(fake_vfio_container(vfio_eal_card));
	}
}

/* As for each of several devices that share a container. */
static void
test_memory_that_is_mapped_again_is_mapped_once(void **state)
{
	int fd = vfio_eal_open_card();
	uint8_t *mem = vfio_eal_pages(4 * KB4);
	uint8_t *heap = rte_malloc(NULL, MB2, KB4);
	size_t nb = fake_vfio_container(vfio_eal_card)->nb_dma;

	assert_int_equal(vfio_eal_map(mem, IOVA, 2 * KB4), 0);
	assert_int_equal(vfio_eal_map(mem + 2 * KB4, IOVA + 2 * KB4, 2 * KB4), 0);
	assert_int_equal(vfio_eal_map(mem, IOVA, 2 * KB4), 0);
	assert_int_equal(vfio_eal_map(mem, IOVA, 4 * KB4), 0);
	assert_int_equal(vfio_eal_map(mem + KB4, IOVA + KB4, KB4), 0);
	assert_int_equal(vfio_eal_map(heap, (uintptr_t)heap, KB4), 0);
	assert_int_equal(fake_vfio_container(vfio_eal_card)->nb_dma, nb + 2);

	assert_int_equal(vfio_eal_map(mem + KB4, IOVA, KB4), -EEXIST);
	assert_int_equal(vfio_eal_map(mem, IOVA, 5 * KB4), -EEXIST);
	assert_int_equal(vfio_eal_map(mem + 3 * KB4, IOVA + 3 * KB4, 2 * KB4), -EEXIST);

	assert_int_equal(vfio_eal_unmap(heap, (uintptr_t)heap, KB4), -EINVAL);
	assert_int_equal(vfio_eal_unmap(mem, IOVA, 4 * KB4), 0);
	assert_int_equal(vfio_eal_unmap(mem, IOVA, 4 * KB4), -EINVAL);
	assert_int_equal(fake_vfio_container(vfio_eal_card)->nb_dma, nb);
	rte_free(heap);
	munmap(mem, 4 * KB4);
	vfio_eal_close_card(fd);
}

static int
use_container(const uint8_t *mem, int *container)
{
	struct vfio_device_info info;
	int fd = -1, rc;

	*container = rte_vfio_container_create();
	if (*container < 0)
		return *container;
	rc = rte_vfio_container_group_bind(*container, GROUP);
	if (rc < 0)
		return rc;
	rc = rte_vfio_setup_device(vfio_eal_kernel->sysfs, vfio_eal_card->desc.name, &fd, &info);
	if (rc != 0)
		return rc < 0 ? rc : -ENODEV;
	rc = rte_vfio_container_dma_map(*container, (uintptr_t)mem, IOVA, 4 * KB4);
	if (rc == 0)
		rc = rte_vfio_container_dma_unmap(*container, (uintptr_t)mem + KB4, IOVA + KB4,
			KB4);
	if (rc == 0)
		rc = rte_vfio_container_dma_unmap(*container, (uintptr_t)mem, IOVA, KB4);
	rte_vfio_release_device(vfio_eal_kernel->sysfs, vfio_eal_card->desc.name, fd);
	return rc;
}

static void
test_failing_use_of_a_container_leaves_nothing(void **state)
{
	struct interpose_loop loop;
	uint8_t *mem = vfio_eal_pages(4 * KB4);
	int container, rc;

	INTERPOSE_EACH_FAILURE(loop, CALLS, 0) {
		rc = use_container(mem, &container);
		interpose_disarm();
		if (!interpose_fired())
			assert_int_equal(rc, 0);
		if (container >= 0)
			assert_int_equal(rte_vfio_container_destroy(container), 0);
	}
	munmap(mem, 4 * KB4);
}

static void
test_failing_mapping_of_new_memory_harms_nothing(void **state)
{
	struct interpose_loop loop;
	int fd = vfio_eal_open_card();
	void *mem;

	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(IOCTL), ENOMEM) {
		mem = rte_malloc(NULL, 3 * MB2, 0);
		interpose_disarm();
		assert_non_null(mem);
		/* all or nothing of what came */
		if (!interpose_fired())
			assert_true(vfio_eal_is_mapped(fake_vfio_container(vfio_eal_card), mem,
				3 * MB2));
		rte_free(mem);
	}
	vfio_eal_close_card(fd);
}

static const struct CMUnitTest tests[] = {
	VFIO_EAL_TEST_BOTH(test_two_containers_are_apart),
	VFIO_EAL_TEST_BOTH(test_bound_group_stays_in_its_container),
	VFIO_EAL_TEST_BOTH(test_bound_group_recovers_from_a_failed_setup),
	VFIO_EAL_TEST_BOTH(test_unknown_container_is_refused),
	VFIO_EAL_TEST_BOTH(test_device_outlives_its_container),
	VFIO_EAL_TEST_BOTH(test_cleanup_closes_what_is_open),
	VFIO_EAL_TEST_BOTH(test_memory_that_is_mapped_again_is_mapped_once),
	VFIO_EAL_TEST_EACH(test_failing_setup_leaves_nothing),
	VFIO_EAL_TEST_BOTH(test_failing_release_releases),
	VFIO_EAL_TEST_EACH(test_failing_use_of_a_container_leaves_nothing),
	VFIO_EAL_TEST_BOTH(test_failing_mapping_of_new_memory_harms_nothing),
};
TEST_SUITE(vfio_container, "functional", tests, NULL, NULL)
