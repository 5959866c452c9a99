/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_vfio.h>

#include <eal_vfio_uapi.h>

#include "eal_session.h"
#include "fake_vfio.h"
#include "interpose.h"
#include "resources.h"
#include "test.h"

/*
 * How EAL has VFIO devices: by their own nodes and iommufd, or by groups, and who decides. What
 * holds for both is in test_vfio_container.c.
 */

#define KB4 UINT64_C(0x1000)
#define GROUP 7
#define IOVA UINT64_C(0x10000000)
#define TOKEN "14d63f20-8445-11ea-8900-1f9ce7d5650d"
#define OTHER_TOKEN "24d63f20-8445-11ea-8900-1f9ce7d5650d"

static struct fake_vfio *fake;
static struct fake_device *card;

static struct fake_device *
add(const char *name, int group)
{
	return fake_vfio_add(fake, &(struct fake_device_desc){
		.name = name, .driver = "vfio-pci", .group = group,
	});
}

static struct fake_device *
add_noiommu(void)
{
	fake->noiommu = true;
	return fake_vfio_add(fake, &(struct fake_device_desc){
		.name = "0000:05:00.0", .driver = "vfio-pci", .group = 50, .noiommu = true,
	});
}

static int
setup(void **state)
{
	fake = fake_vfio_start();
	fake->cdev = true;
	card = add("0000:01:00.0", GROUP);
	return 0;
}

static int
teardown(void **state)
{
	interpose_disarm();
	eal_log_release();
	eal_session_stop();
	fake_vfio_stop(fake);
	return 0;
}

/* Starts EAL with one option or none. */
static void
start(const char *option)
{
	const char *args[] = { "--no-pci", "--iova-mode=va", option, NULL };

	eal_session_start(args);
	eal_log_capture();
}

static int
open_device(const struct fake_device *dev, int *fd)
{
	struct vfio_device_info info;

	*fd = -1;
	return rte_vfio_setup_device(fake->sysfs, dev->desc.name, fd, &info);
}

static void
close_device(const struct fake_device *dev, int fd)
{
	assert_int_equal(rte_vfio_release_device(fake->sysfs, dev->desc.name, fd), 0);
}

/* What opening and closing it gives; @p iommu is what was behind it meanwhile. */
static int
try_device(const struct fake_device *dev, int *iommu)
{
	int fd;
	int rc = open_device(dev, &fd);

	*iommu = 0;
	if (rc == 0) {
		*iommu = fake_vfio_container(dev)->iommu;
		close_device(dev, fd);
	}
	return rc;
}

static void
assert_opened_by_node(const struct fake_device *dev)
{
	int iommu;

	assert_int_equal(try_device(dev, &iommu), 0);
	assert_int_equal(iommu, FAKE_IOMMU_IOAS);
}

static void
assert_opened_by_group(const struct fake_device *dev, int wanted)
{
	int iommu;

	assert_int_equal(try_device(dev, &iommu), 0);
	assert_int_equal(iommu, wanted);
}

static void
assert_refused(const struct fake_device *dev, int rc, const char *text)
{
	const char *log;
	int iommu;

	eal_log_text();
	assert_int_equal(try_device(dev, &iommu), rc);
	assert_int_equal(rte_errno, -rc);
	log = eal_log_text();
	if (strstr(log, text) == NULL)
		fail_msg("the log does not say \"%s\" but: %s", text, log);
}

/* ---- the kernel's interface ---- */

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
	start(NULL);
	assert_opened_by_node(card);
	assert_int_equal(card->nb_binds, 1);
	assert_int_equal(rte_vfio_is_enabled("vfio"), 1);
}

static void
test_groups_are_taken_when_the_user_says_so(void **state)
{
	start("--vfio-mode=group");
	assert_opened_by_group(card, VFIO_TYPE1v2_IOMMU);
	assert_int_equal(card->nb_binds, 0);
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
		fake->cdev = !cases[i].no_nodes;
		fake->iommufd_err = cases[i].iommufd_err;
		fake->cdev_err = cases[i].cdev_err;
		start(NULL);
		assert_opened_by_group(card, VFIO_TYPE1v2_IOMMU);
		/* that is no fault of anybody */
		assert_null(strstr(eal_log_text(), "/dev/vfio/devices: "));
		eal_log_release();
		eal_session_stop();
	}
	start(NULL);
}

static void
test_groups_are_taken_by_kernels_that_do_not_name_nodes(void **state)
{
	fake_vfio_hide_node(card);
	start(NULL);
	assert_opened_by_group(card, VFIO_TYPE1v2_IOMMU);
}

static void
test_groups_hide_no_error(void **state)
{
	fake->iommufd_err = EMFILE;
	start(NULL);
	assert_refused(card, -EMFILE, "/dev/iommu: Too many open files");
	fake->iommufd_err = 0;
	card->open_err = EBUSY;
	assert_refused(card, -EBUSY, "/dev/vfio/devices/vfio40: busy");
	card->open_err = 0;
	assert_opened_by_node(card);
}

static void
test_nodes_alone_are_taken_when_the_user_says_so(void **state)
{
	start("--vfio-mode=cdev");
	assert_opened_by_node(card);
	fake->cdev_err = EACCES;
	assert_refused(card, -EACCES, "/dev/vfio/devices/vfio40: permission denied");
	fake->cdev_err = 0;
	fake->cdev = false;
	assert_refused(card, -ENODEV, "Linux 6.6");
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
		fake->iommufd_err = cases[i].err;
		start("--vfio-mode=cdev");
		assert_refused(card, cases[i].rc, cases[i].text);
		eal_log_release();
		eal_session_stop();
	}
	fake->iommufd_err = 0;
	start("--vfio-mode=cdev");
}

static void
test_device_of_another_driver_is_not_for_vfio(void **state)
{
	int iommu;

	start("--vfio-mode=cdev");
	fake_vfio_bind(card, "e1000e");
	assert_int_equal(try_device(card, &iommu), 1);
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

	fake_vfio_hide_node(card);
	snprintf(path, sizeof(path), "%s/%s/vfio-dev", fake->sysfs, card->desc.name);
	assert_int_equal(mkdir(path, 0755), 0);
	for (i = 0; i < RTE_DIM(names); i++) {
		snprintf(path, sizeof(path), "%s/%s/vfio-dev/%s", fake->sysfs, card->desc.name,
			names[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	start("--vfio-mode=cdev");
	assert_int_equal(try_device(card, &iommu), 1);
}

/* The number of the last access() of a setup is told by one that works. */
static void
test_node_that_has_become_another_devices_is_given_back(void **state)
{
	unsigned int last, nb_opened;
	int fd, iommu;

	start("--vfio-mode=cdev");
	interpose_fail(INTERPOSE_ONLY(ACCESS), 0, 0);
	assert_opened_by_node(card);
	interpose_disarm();
	last = interpose_count();
	nb_opened = card->nb_opened;
	interpose_fail(INTERPOSE_ONLY(ACCESS), last, ENOENT);
	assert_int_equal(open_device(card, &fd), -ENODEV);
	interpose_disarm();
	assert_int_equal(card->nb_opened, nb_opened + 1);
	assert_int_equal(card->nb_open, 0);
	assert_int_equal(try_device(card, &iommu), 0);
}

/* ---- devices without an IOMMU have no node ---- */

static void
test_device_without_iommu_is_had_by_its_group(void **state)
{
	struct fake_device *dev = add_noiommu();

	start(NULL);
	assert_opened_by_node(card);
	assert_opened_by_group(dev, VFIO_NOIOMMU_IOMMU);
	assert_opened_by_node(card);
}

static void
test_nodes_and_groups_do_not_mix(void **state)
{
	struct fake_device *dev = add_noiommu();
	int fd;

	start(NULL);
	assert_int_equal(open_device(card, &fd), 0);
	assert_refused(dev, -ENOTSUP, "--vfio-mode=group");
	close_device(card, fd);
}

static void
test_forbidden_noiommu_is_told(void **state)
{
	struct fake_device *dev = add_noiommu();

	start(NULL);
	fake->noiommu = false;
	assert_refused(dev, -ENODEV, RTE_VFIO_NOIOMMU_MODE);
	fake->group_err = EPERM;
	assert_refused(dev, -EPERM, "CAP_SYS_RAWIO");
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

	start(NULL);
	for (i = 0; i < RTE_DIM(cases); i++) {
		card->bind_err = cases[i].bind_err;
		card->attach_err = cases[i].attach_err;
		assert_refused(card, -RTE_MAX(cases[i].bind_err, cases[i].attach_err),
			cases[i].text);
		assert_int_equal(card->nb_open, 0);
	}
	card->bind_err = card->attach_err = 0;
	assert_opened_by_node(card);
}

static void
test_unviable_group_names_the_other_driver(void **state)
{
	fake_vfio_bind(add("0000:01:00.1", GROUP), "snd_hda_intel");
	start(NULL);
	assert_refused(card, -EPERM, "0000:01:00.1 has the kernel driver snd_hda_intel");
}

static void
test_group_that_another_process_opened_is_told(void **state)
{
	int group, iommu;

	start(NULL);
	group = open("/dev/vfio/7", O_RDWR | O_CLOEXEC);
	assert_true(group >= 0);
	assert_refused(card, -EBUSY, "has opened its group");
	close(group);
	assert_int_equal(try_device(card, &iommu), 0);
}

static void
test_token_is_given_to_devices_that_want_it(void **state)
{
	struct fake_device *vf = add("0000:01:10.0", 8);

	vf->desc.vf_token = TOKEN;
	start("--vfio-vf-token=" TOKEN);
	assert_opened_by_node(vf);
	assert_opened_by_node(card);
	vf->desc.vf_token = OTHER_TOKEN;
	assert_refused(vf, -EACCES, "--vfio-vf-token");
}

static void
test_missing_token_is_told(void **state)
{
	card->desc.vf_token = TOKEN;
	start(NULL);
	assert_refused(card, -EACCES, "--vfio-vf-token");
}

static void
test_kernel_that_knows_no_token_is_asked_without(void **state)
{
	fake->no_bind_token = true;
	start("--vfio-vf-token=" TOKEN);
	assert_opened_by_node(card);
}

/* ---- address spaces ---- */

static uint8_t *
pages(size_t len)
{
	uint8_t *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(mem != MAP_FAILED);
	return mem;
}

static int
map(const uint8_t *mem, uint64_t iova)
{
	return rte_vfio_container_dma_map(RTE_VFIO_DEFAULT_CONTAINER_FD, (uintptr_t)mem, iova, KB4);
}

static int
unmap(const uint8_t *mem, uint64_t iova)
{
	return rte_vfio_container_dma_unmap(RTE_VFIO_DEFAULT_CONTAINER_FD, (uintptr_t)mem, iova,
		KB4);
}

/* Devices reach all, but for the last page below IOVA + 1 MiB. */
static void
narrow(void)
{
	fake->iova_ranges[0] = (struct vfio_iova_range){ 0, IOVA + 0xfefff };
	fake->iova_ranges[1] = (struct vfio_iova_range){ IOVA + 0x100000, UINT64_MAX };
	fake->nb_iova_ranges = 2;
}

static void
test_reach_follows_devices_that_come_and_go(void **state)
{
	struct fake_device *other = add("0000:02:00.0", 8);
	uint8_t *mem = pages(KB4);
	int fd, other_fd;

	start(NULL);
	assert_int_equal(open_device(card, &fd), 0);
	assert_int_equal(map(mem, IOVA + 0xff000), 0);
	assert_int_equal(unmap(mem, IOVA + 0xff000), 0);
	narrow();
	assert_int_equal(open_device(other, &other_fd), 0);
	eal_log_text();
	assert_int_equal(map(mem, IOVA + 0xff000), -EINVAL);
	assert_non_null(strstr(eal_log_text(), "0x0-0x100fefff 0x10100000-0xffffffffffffffff"));
	fake->nb_iova_ranges = 0;
	close_device(other, other_fd);
	assert_int_equal(map(mem, IOVA + 0xff000), 0);
	assert_int_equal(unmap(mem, IOVA + 0xff000), 0);
	close_device(card, fd);
	munmap(mem, KB4);
}

static void
test_device_that_reaches_less_than_is_mapped_is_refused(void **state)
{
	struct fake_device *other = add("0000:02:00.0", 8);
	uint8_t *mem = pages(KB4);
	int fd;

	start(NULL);
	assert_int_equal(open_device(card, &fd), 0);
	assert_int_equal(map(mem, IOVA + 0xff000), 0);
	narrow();
	assert_refused(other, -EADDRINUSE, "mapped where this device reaches none");
	/* the first one goes on */
	assert_int_equal(fake_vfio_container(card)->nb_groups, 1);
	assert_int_equal(unmap(mem, IOVA + 0xff000), 0);
	close_device(card, fd);
	munmap(mem, KB4);
}

static void
test_ranges_may_be_many(void **state)
{
	uint8_t *mem = pages(KB4);
	uint32_t i;
	int fd;

	for (i = 0; i < FAKE_IOVA_RANGES_MAX; i++)
		fake->iova_ranges[i] = (struct vfio_iova_range){ i << 20, (i << 20) + 0xffff };
	fake->nb_iova_ranges = FAKE_IOVA_RANGES_MAX;
	fake->iova_ranges[FAKE_IOVA_RANGES_MAX - 1].end = UINT64_MAX;
	start(NULL);
	assert_int_equal(open_device(card, &fd), 0);
	for (i = 0; i < FAKE_IOVA_RANGES_MAX - 1; i++) {
		assert_int_equal(map(mem, i << 20), 0);
		assert_int_equal(unmap(mem, i << 20), 0);
		assert_int_equal(map(mem, (i << 20) + 0x10000), -EINVAL);
	}
	close_device(card, fd);
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
	uint8_t *mem = pages(KB4);
	size_t i;
	int fd;

	narrow();
	fake->iova_ranges[1].end = UINT64_MAX - 1;
	start(NULL);
	for (i = 0; i < RTE_DIM(lies); i++) {
		memcpy(&fake->ioas_lie, &lies[i], sizeof(lies[i]));
		assert_int_equal(open_device(card, &fd), 0);
		/* the kernel's own checks remain */
		assert_int_equal(map(mem, IOVA + 0x100000), 0);
		assert_int_equal(unmap(mem, IOVA + 0x100000), 0);
		close_device(card, fd);
	}
	munmap(mem, KB4);
}

static void
test_address_space_goes_with_the_last_device(void **state)
{
	struct fake_device *other = add("0000:02:00.0", 8);
	int fd, other_fd;

	start(NULL);
	assert_null(fake->containers);
	assert_int_equal(open_device(card, &fd), 0);
	assert_int_equal(open_device(other, &other_fd), 0);
	assert_ptr_equal(fake_vfio_container(card), fake_vfio_container(other));
	close_device(card, fd);
	assert_non_null(fake->containers);
	close_device(other, other_fd);
	assert_null(fake->containers);
}

/* ---- containers ---- */

static void
test_containers_are_address_spaces(void **state)
{
	struct fake_device *other = add("0000:02:00.0", 8);
	uint8_t *mem = pages(KB4);
	int container, fd, other_fd;

	start(NULL);
	container = rte_vfio_container_create();
	assert_true(container >= 0);
	assert_true(rte_vfio_container_group_bind(container, 8) >= 0);
	assert_int_equal(open_device(card, &fd), 0);
	assert_int_equal(open_device(other, &other_fd), 0);
	assert_int_equal(fake_vfio_container(other)->iommu, FAKE_IOMMU_IOAS);
	assert_ptr_not_equal(fake_vfio_container(other)->iommufd,
		fake_vfio_container(card)->iommufd);
	assert_int_equal(rte_vfio_container_dma_map(container, (uintptr_t)mem, IOVA, KB4), 0);
	assert_non_null(fake_vfio_dma(fake_vfio_container(other), IOVA));
	assert_null(fake_vfio_dma(fake_vfio_container(card), IOVA));
	/* the device keeps what it has until it is released */
	assert_int_equal(rte_vfio_container_destroy(container), 0);
	assert_non_null(fake_vfio_dma(fake_vfio_container(other), IOVA));
	close_device(other, other_fd);
	close_device(card, fd);
	munmap(mem, KB4);
}

static void
test_bound_group_has_a_descriptor_that_is_no_groups(void **state)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int fd;

	start(NULL);
	fd = rte_vfio_container_group_bind(RTE_VFIO_DEFAULT_CONTAINER_FD, GROUP);
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, VFIO_GROUP_GET_STATUS, &status), -1);
	assert_opened_by_node(card);
	assert_int_equal(rte_vfio_clear_group(fd), 0);
	assert_int_equal(rte_vfio_clear_group(fd), -ENODEV);
	assert_int_equal(rte_vfio_container_group_bind(RTE_VFIO_DEFAULT_CONTAINER_FD, 99), -ENOENT);
}

static void
test_what_only_groups_have_is_refused(void **state)
{
	start("--vfio-mode=cdev");
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

	start("--vfio-mode=group");
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
	start(NULL);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_numbers_and_layouts_are_the_kernels),
	TEST(test_node_is_taken_where_there_is_one),
	TEST(test_groups_are_taken_when_the_user_says_so),
	TEST(test_groups_are_taken_where_there_is_no_node),
	TEST(test_groups_are_taken_by_kernels_that_do_not_name_nodes),
	TEST(test_groups_hide_no_error),
	TEST(test_nodes_alone_are_taken_when_the_user_says_so),
	TEST(test_no_iommufd_is_told),
	TEST(test_device_of_another_driver_is_not_for_vfio),
	TEST(test_node_names_that_are_none_are_passed_over),
	TEST(test_node_that_has_become_another_devices_is_given_back),
	TEST(test_device_without_iommu_is_had_by_its_group),
	TEST(test_nodes_and_groups_do_not_mix),
	TEST(test_forbidden_noiommu_is_told),
	TEST(test_refusals_are_told_with_a_remedy),
	TEST(test_unviable_group_names_the_other_driver),
	TEST(test_group_that_another_process_opened_is_told),
	TEST(test_token_is_given_to_devices_that_want_it),
	TEST(test_missing_token_is_told),
	TEST(test_kernel_that_knows_no_token_is_asked_without),
	TEST(test_reach_follows_devices_that_come_and_go),
	TEST(test_device_that_reaches_less_than_is_mapped_is_refused),
	TEST(test_ranges_may_be_many),
	TEST(test_lies_about_ranges_do_no_harm),
	TEST(test_address_space_goes_with_the_last_device),
	TEST(test_containers_are_address_spaces),
	TEST(test_bound_group_has_a_descriptor_that_is_no_groups),
	TEST(test_what_only_groups_have_is_refused),
	TEST(test_group_mode_gives_the_kernels_descriptors),
	TEST(test_unknown_mode_is_refused),
};

TEST_SUITE(vfio_cdev, "functional", tests, NULL, NULL)
