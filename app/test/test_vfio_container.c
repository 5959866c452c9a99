/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_vfio.h>

#include "fake_vfio.h"
#include "interpose.h"
#include "resources.h"
#include "test.h"

#define KB4 UINT64_C(0x1000)
#define MB2 UINT64_C(0x200000)
#define GROUP 7
#define IOVA UINT64_C(0x10000000)	/* below all virtual addresses of our memory */
#define TOKEN "14d63f20-8445-11ea-8900-1f9ce7d5650d"

static struct fake_vfio *fake;
static struct fake_device *card;

/* What EAL and VFIO said; the end of it if it was much. */
static char said[16384];
static FILE *said_file;

static void
eal_start(const char *option)
{
	char name[] = "dpdk-test", no_huge[] = "--no-huge", no_pci[] = "--no-pci";
	char in_memory[] = "--in-memory", virtual[] = "--iova-mode=va", more[64];
	char *argv[] = { name, no_huge, no_pci, in_memory, virtual, more, NULL };
	int argc = RTE_DIM(argv) - 1 - (option == NULL);

	snprintf(more, sizeof(more), "%s", option != NULL ? option : "");
	assert_true(rte_eal_init(argc, argv) >= 0);
	assert_int_equal(rte_openlog_stream(said_file), 0);
}

static struct fake_device *
add(const char *name, int group)
{
	return fake_vfio_add(fake, &(struct fake_device_desc){
		.name = name, .driver = "vfio-pci", .group = group,
	});
}

static int
setup_fake(void **state)
{
	said_file = fmemopen(said, sizeof(said), "w");
	assert_non_null(said_file);
	setbuf(said_file, NULL);
	memset(said, 0, sizeof(said));
	fake = fake_vfio_start();
	card = add("0000:01:00.0", GROUP);
	return 0;
}

static int
setup(void **state)
{
	setup_fake(state);
	eal_start(NULL);
	return 0;
}

/* The same by the device's own node, which is chosen for it is there. */
static int
setup_cdev(void **state)
{
	setup_fake(state);
	fake->cdev = true;
	eal_start(NULL);
	return 0;
}

static int
setup_cdev_only(void **state)
{
	setup_fake(state);
	fake->cdev = true;
	eal_start("--vfio-mode=cdev");
	return 0;
}

static int
teardown(void **state)
{
	interpose_disarm();
	rte_openlog_stream(NULL);
	rte_eal_cleanup();
	fake_vfio_stop(fake);
	fclose(said_file);
	return 0;
}

static int
open_device(const char *name, int *fd)
{
	struct vfio_device_info info;

	return rte_vfio_setup_device(fake->sysfs, name, fd, &info);
}

static int
open_card(void)
{
	int fd = -1;

	assert_int_equal(open_device(card->desc.name, &fd), 0);
	assert_true(fd >= 0);
	return fd;
}

static void
close_device(const char *name, int fd)
{
	assert_int_equal(rte_vfio_release_device(fake->sysfs, name, fd), 0);
}

static void
close_card(int fd)
{
	close_device(card->desc.name, fd);
}

static uint8_t *
pages(size_t len)
{
	uint8_t *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(mem != MAP_FAILED);
	return mem;
}

/*
 * Devices
 */

static void
test_device_is_opened_and_described(void **state)
{
	struct vfio_device_info info = { 0 };
	int fd = -1;

	assert_int_equal(rte_vfio_setup_device(fake->sysfs, card->desc.name, &fd, &info), 0);
	assert_int_equal(info.num_regions, VFIO_PCI_NUM_REGIONS);
	assert_true((info.flags & VFIO_DEVICE_FLAGS_PCI) != 0);
	assert_int_equal(card->nb_open, 1);
	close_card(fd);
	assert_int_equal(card->nb_open, 0);
}

static void
test_released_device_leaves_nothing(void **state)
{
	struct resources before;

	close_card(open_card());
	resources_take(&before);
	close_card(open_card());
	resources_assert_same(&before);
	resources_drop(&before);
}

static void
test_device_without_group_is_not_for_vfio(void **state)
{
	int fd = -1;

	add("0000:02:00.0", -1);
	assert_int_equal(open_device("0000:02:00.0", &fd), 1);
	assert_int_equal(open_device("0000:03:00.0", &fd), 1);
	assert_int_equal(fd, -1);
}

static void
test_device_of_another_driver_is_not_for_vfio(void **state)
{
	int fd = -1;

	fake_vfio_bind(card, "e1000e");
	assert_int_equal(open_device(card->desc.name, &fd), 1);
}

static void
test_release_needs_no_sysfs(void **state)
{
	int fd = open_card();

	fake_vfio_unplug(card);
	assert_int_equal(rte_vfio_release_device(fake->sysfs, card->desc.name, fd), 0);
	assert_int_equal(card->nb_open, 0);
}

static void
test_release_of_unknown_descriptor_is_refused(void **state)
{
	assert_int_equal(rte_vfio_release_device(fake->sysfs, card->desc.name, 0), -ENODEV);
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
	assert_int_equal(rte_vfio_setup_device(fake->sysfs, NULL, &fd, &info), -EINVAL);
	assert_int_equal(rte_vfio_setup_device(fake->sysfs, name, &fd, &info), -EINVAL);
	assert_int_equal(rte_vfio_setup_device(fake->sysfs, "x", NULL, &info), -EINVAL);
	assert_int_equal(rte_vfio_setup_device(fake->sysfs, "x", &fd, NULL), -EINVAL);
	assert_int_equal(rte_vfio_get_group_num(fake->sysfs, "x", NULL), -EINVAL);
	assert_int_equal(rte_vfio_enable(NULL), -EINVAL);
}

static void
test_group_number_is_read_from_sysfs(void **state)
{
	int number = -1;

	assert_int_equal(rte_vfio_get_group_num(fake->sysfs, card->desc.name, &number), 1);
	assert_int_equal(number, GROUP);
	assert_int_equal(rte_vfio_get_group_num(fake->sysfs, "0000:03:00.0", &number), 0);
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

	snprintf(path, sizeof(path), "%s/%s/iommu_group", fake->sysfs, card->desc.name);
	for (i = 0; i < RTE_DIM(targets); i++) {
		unlink(path);
		assert_int_equal(symlink(targets[i], path), 0);
		assert_int_equal(rte_vfio_get_group_num(fake->sysfs, card->desc.name, &number),
			-EINVAL);
	}
}

static void
test_device_info_of_an_open_device(void **state)
{
	struct vfio_device_info info = { 0 };
	int fd = open_card();
	int same = fd;

	assert_int_equal(rte_vfio_get_device_info(fake->sysfs, card->desc.name, &same, &info), 0);
	assert_int_equal(same, fd);
	assert_int_equal(info.num_regions, VFIO_PCI_NUM_REGIONS);
	close_card(fd);
}

static void
test_device_info_opens_the_device_of_an_open_group(void **state)
{
	struct vfio_device_info info = { 0 };
	int fd, own = -1;

	assert_int_equal(rte_vfio_get_device_info(fake->sysfs, card->desc.name, &own, &info),
		-ENODEV);
	fd = open_card();
	assert_int_equal(rte_vfio_get_device_info(fake->sysfs, card->desc.name, &own, &info), 0);
	assert_int_not_equal(own, fd);
	assert_int_equal(card->nb_open, 2);
	close(own);
	close_card(fd);
}

/*
 * What stands in the way
 */

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
	fake->no_node = true;
	eal_start(NULL);
	assert_int_equal(rte_vfio_is_enabled("vfio"), 0);
	assert_int_equal(rte_vfio_get_container_fd(), -ENOENT);
	fake->no_node = false;
	close_card(open_card());
	assert_int_equal(rte_vfio_is_enabled("vfio"), 1);
}

static void
test_noiommu_answer_is_not_kept(void **state)
{
	assert_int_equal(rte_vfio_noiommu_is_enabled(), 0);
	fake->noiommu = true;
	assert_int_equal(rte_vfio_noiommu_is_enabled(), 1);
	fake->noiommu = false;
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
	int fd = -1;
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		fake->container_err = cases[i].container_err;
		fake->group_err = cases[i].group_err;
		eal_start(NULL);
		rewind(said_file);
		memset(said, 0, sizeof(said));
		assert_int_equal(open_device(card->desc.name, &fd), cases[i].rc);
		assert_int_equal(rte_errno, -cases[i].rc);
		assert_non_null(strstr(said, cases[i].text[0]));
		assert_non_null(strstr(said, cases[i].text[1]));
		rte_eal_cleanup();
	}
}

static void
test_no_iommu_driver_is_told(void **state)
{
	int fd = -1;

	fake->no_type1 = true;
	assert_int_equal(open_device(card->desc.name, &fd), -ENODEV);
	assert_non_null(strstr(said, "vfio_iommu_type1"));
	assert_int_equal(rte_vfio_get_container_fd(), -ENOTSUP);
}

static void
test_unviable_group_names_the_other_driver(void **state)
{
	int fd = -1;

	fake_vfio_bind(add("0000:01:00.1", GROUP), "snd_hda_intel");
	assert_int_equal(open_device(card->desc.name, &fd), -EPERM);
	assert_non_null(strstr(said, "0000:01:00.1"));
	assert_non_null(strstr(said, "snd_hda_intel"));
}

static void
test_second_type_of_iommu_is_preferred(void **state)
{
	int fd = open_card();

	assert_int_equal(fake_vfio_container(card)->iommu, VFIO_TYPE1v2_IOMMU);
	close_card(fd);
	fake->no_type1v2 = true;
	fd = open_card();
	assert_int_equal(fake_vfio_container(card)->iommu, VFIO_TYPE1_IOMMU);
	close_card(fd);
}

static struct fake_device *
add_noiommu(const char *name, int group)
{
	fake->noiommu = true;
	return fake_vfio_add(fake, &(struct fake_device_desc){
		.name = name, .driver = "vfio-pci", .group = group, .noiommu = true,
	});
}

static void
test_device_without_iommu_needs_no_mapping(void **state)
{
	struct fake_device *dev = add_noiommu("0000:05:00.0", 50);
	uint8_t *mem = pages(KB4);
	int fd = -1;

	assert_int_equal(open_device(dev->desc.name, &fd), 0);
	assert_int_equal(fake_vfio_container(dev)->iommu, VFIO_NOIOMMU_IOMMU);
	assert_non_null(strstr(said, "--iova-mode=pa"));
	assert_int_equal(rte_vfio_container_dma_map(RTE_VFIO_DEFAULT_CONTAINER_FD, (uintptr_t)mem,
		IOVA, KB4), 0);
	assert_int_equal(rte_vfio_container_dma_unmap(RTE_VFIO_DEFAULT_CONTAINER_FD, (uintptr_t)mem,
		IOVA, KB4), 0);
	close_device(dev->desc.name, fd);
	munmap(mem, KB4);
}

static void
test_devices_with_and_without_iommu_do_not_mix(void **state)
{
	struct fake_device *dev = add_noiommu("0000:05:00.0", 50);
	int fd = open_card(), other = -1;

	assert_int_equal(open_device(dev->desc.name, &other), -EPERM);
	close_card(fd);
}

static void
test_token_is_given_to_devices_that_want_it(void **state)
{
	struct fake_device *vf;
	int fd = -1;

	eal_start("--vfio-vf-token=" TOKEN);
	vf = fake_vfio_add(fake, &(struct fake_device_desc){
		.name = "0000:01:10.0", .driver = "vfio-pci", .group = 8, .vf_token = TOKEN,
	});
	assert_int_equal(open_device(vf->desc.name, &fd), 0);
	close_device(vf->desc.name, fd);
	close_card(open_card());
}

static void
test_missing_token_is_told(void **state)
{
	int fd = -1;

	card->desc.vf_token = TOKEN;
	assert_int_equal(open_device(card->desc.name, &fd), -EACCES);
	assert_non_null(strstr(said, "--vfio-vf-token"));
	card->desc.vf_token = NULL;
}

/*
 * Groups
 */

static void
test_there_may_be_200_groups(void **state)
{
	enum { NB = 200 };
	static char names[NB][16];
	int fds[NB];
	int i;

	for (i = 0; i < NB; i++) {
		snprintf(names[i], sizeof(names[i]), "0000:%02x:%02x.0", 0x10 + i / 32, i % 32);
		add(names[i], 1000 + i);
		assert_int_equal(open_device(names[i], &fds[i]), 0);
	}
	assert_int_equal(fake_vfio_container(fake->devices)->nb_groups, NB);
	for (i = 0; i < NB; i++)
		close_device(names[i], fds[i]);
	assert_null(fake_vfio_container(fake->devices));
}

static void
test_group_stays_while_one_of_its_devices_is_open(void **state)
{
	struct fake_device *other = add("0000:01:00.1", GROUP);
	int fds[2] = { -1, -1 };

	assert_int_equal(open_device("0000:01:00.0", &fds[0]), 0);
	assert_int_equal(open_device("0000:01:00.1", &fds[1]), 0);
	close_device("0000:01:00.0", fds[0]);
	assert_non_null(fake_vfio_container(other));
	close_device("0000:01:00.1", fds[1]);
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
	int fd = open_card();

	assert_int_equal(rte_vfio_clear_group(rte_vfio_get_group_fd(GROUP)), -EBUSY);
	close_card(fd);
}

/*
 * Memory
 */

/* All of [at, at + len) is at its own address for devices; there need be no memory. */
static bool
range_is_mapped(const struct fake_container *container, uint64_t at, size_t len)
{
	uint64_t end = at + len;

	while (at < end) {
		const struct fake_dma *dma = fake_vfio_dma(container, at);

		if (dma == NULL || dma->vaddr != dma->iova || dma->flags != 3)
			return false;
		at = dma->iova + dma->size;
	}
	return true;
}

static bool
is_mapped(const struct fake_container *container, const void *addr, size_t len)
{
	return range_is_mapped(container, (uintptr_t)addr, len);
}

static int
count_segment(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	(*(size_t *)arg)++;
	return is_mapped(fake_vfio_container(card), ms->addr, ms->len) ? 0 : 1;
}

/* There are mappings of exactly the segments. */
static void
assert_all_memory_is_mapped(void)
{
	size_t nb = 0;

	assert_int_equal(rte_memseg_walk(count_segment, &nb), 0);
	assert_int_equal(fake_vfio_container(card)->nb_dma, nb);
}

static void
test_memory_is_mapped_with_the_first_device(void **state)
{
	void *mem = rte_malloc(NULL, 3 * MB2, 0);
	int fd;

	assert_non_null(mem);
	fd = open_card();
	assert_true(is_mapped(fake_vfio_container(card), mem, 3 * MB2));
	close_card(fd);
	rte_free(mem);
}

static void
test_memory_that_stays_is_mapped_in_one_piece(void **state)
{
	int fd;

	eal_start("-m64");
	fd = open_card();
	assert_int_equal(fake_vfio_container(card)->nb_dma, 1);
	assert_true(fake_vfio_container(card)->dma[0].size >= 32 * MB2);
	close_card(fd);
}

static void
test_memory_is_mapped_as_it_comes_and_unmapped_as_it_goes(void **state)
{
	int fd = open_card();
	void *mem = rte_malloc(NULL, 8 * MB2, 0);
	const uint64_t at = (uintptr_t)mem;

	assert_non_null(mem);
	assert_true(is_mapped(fake_vfio_container(card), mem, 8 * MB2));
	assert_all_memory_is_mapped();
	rte_free(mem);
	assert_false(range_is_mapped(fake_vfio_container(card), at, 8 * MB2));
	assert_all_memory_is_mapped();
	close_card(fd);
}

static void
test_memory_that_goes_does_not_disturb_the_rest(void **state)
{
	enum { NB = 6 };
	void *mem[NB];
	unsigned int nb_maps;
	int fd = open_card();
	int i;

	for (i = 0; i < NB; i++) {
		mem[i] = rte_malloc(NULL, 3 * MB2, 0);
		assert_non_null(mem[i]);
	}
	nb_maps = fake_vfio_container(card)->nb_maps;
	for (i = 0; i < NB; i += 2)
		rte_free(mem[i]);
	for (i = 1; i < NB; i += 2)
		assert_true(is_mapped(fake_vfio_container(card), mem[i], 3 * MB2));
	/* nothing was taken out and put back */
	assert_int_equal(fake_vfio_container(card)->nb_maps, nb_maps);
	for (i = 1; i < NB; i += 2)
		rte_free(mem[i]);
	close_card(fd);
}

static void
test_memory_is_mapped_again_when_a_device_comes_back(void **state)
{
	void *mem;
	int fd;

	close_card(open_card());
	mem = rte_malloc(NULL, MB2, 0);
	assert_non_null(mem);
	fd = open_card();
	assert_true(is_mapped(fake_vfio_container(card), mem, MB2));
	close_card(fd);
	rte_free(mem);
}

static void
test_too_many_mappings_are_told(void **state)
{
	void *mem = rte_malloc(NULL, 8 * MB2, 0);
	int fd = -1;

	fake->dma_avail = 2;
	assert_int_equal(open_device(card->desc.name, &fd), -ENOSPC);
	assert_non_null(strstr(said, "dma_entry_limit"));
	assert_null(fake_vfio_container(card));
	fake->dma_avail = 65535;
	close_card(open_card());
	rte_free(mem);
}

static void
test_memory_beyond_the_iommu_is_told(void **state)
{
	void *mem = rte_malloc(NULL, MB2, 0);
	int fd = -1;

	fake->iova_ranges[0] = (struct vfio_iova_range){ 0, 0xfedfffff };
	fake->iova_ranges[1] = (struct vfio_iova_range){ 0xfef00000, 0xffffffff };
	fake->nb_iova_ranges = 2;
	assert_int_equal(open_device(card->desc.name, &fd), -EINVAL);
	assert_non_null(strstr(said, "0x0-0xfedfffff 0xfef00000-0xffffffff"));
	rte_free(mem);
}

static void
test_lies_of_the_iommu_do_no_harm(void **state)
{
	static const struct {
		uint32_t argsz, cap_offset, nr_iovas, next;
	} lies[] = {
		{ .argsz = 1 },
		{ .argsz = UINT32_MAX },
		{ .cap_offset = 1 },
		{ .cap_offset = 4 },
		{ .cap_offset = UINT32_MAX - 3 },
		{ .cap_offset = 80 },
		{ .nr_iovas = UINT32_MAX },
		{ .nr_iovas = 0x10000000 },
		{ .nr_iovas = 3 },
		{ .next = 24, .cap_offset = 24, .nr_iovas = 100 },
		{ .next = UINT32_MAX - 3 },
	};
	size_t i;

	fake->iova_ranges[0] = (struct vfio_iova_range){ 0, UINT64_MAX };
	fake->nb_iova_ranges = 1;
	for (i = 0; i < RTE_DIM(lies); i++) {
		memcpy(&fake->iommu_lie, &lies[i], sizeof(lies[i]));
		close_card(open_card());
	}
}

static void *
churn_memory(void *arg)
{
	volatile int *stop = arg;
	void *mem;

	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
		mem = rte_malloc(NULL, 3 * MB2, 0);
		if (mem != NULL)
			rte_free(mem);
	}
	return NULL;
}

static void
test_devices_and_memory_may_come_at_once(void **state)
{
	pthread_t thread;
	int stop = 0;
	int i;

	assert_int_equal(pthread_create(&thread, NULL, churn_memory, &stop), 0);
	for (i = 0; i < 50; i++)
		close_card(open_card());
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
}

/*
 * Mappings of the user
 */

static int
map(const uint8_t *mem, uint64_t iova, uint64_t len)
{
	return rte_vfio_container_dma_map(RTE_VFIO_DEFAULT_CONTAINER_FD, (uintptr_t)mem, iova, len);
}

static int
unmap(const uint8_t *mem, uint64_t iova, uint64_t len)
{
	return rte_vfio_container_dma_unmap(RTE_VFIO_DEFAULT_CONTAINER_FD, (uintptr_t)mem, iova,
		len);
}

static const struct fake_dma *
mapped_at(uint64_t iova)
{
	return fake_vfio_dma(fake_vfio_container(card), iova);
}

static void
test_user_mapping_comes_and_goes(void **state)
{
	uint8_t *mem = pages(4 * KB4);
	int fd = open_card();

	assert_int_equal(map(mem, IOVA, 4 * KB4), 0);
	assert_non_null(mapped_at(IOVA));
	assert_int_equal(mapped_at(IOVA)->vaddr, (uintptr_t)mem);
	assert_int_equal(mapped_at(IOVA)->size, 4 * KB4);
	assert_int_equal(unmap(mem, IOVA, 4 * KB4), 0);
	assert_null(mapped_at(IOVA));
	close_card(fd);
	munmap(mem, 4 * KB4);
}

static void
test_part_of_a_user_mapping_goes(void **state)
{
	static const struct {
		uint64_t first, nb;	/* pages to unmap, of eight */
	} cases[] = { { 0, 1 }, { 7, 1 }, { 3, 2 }, { 0, 8 } };
	uint8_t *mem = pages(8 * KB4);
	int fd = open_card();
	uint64_t page;
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		assert_int_equal(map(mem, IOVA, 8 * KB4), 0);
		assert_int_equal(unmap(mem + cases[i].first * KB4, IOVA + cases[i].first * KB4,
			cases[i].nb * KB4), 0);
		for (page = 0; page < 8; page++) {
			const struct fake_dma *dma = mapped_at(IOVA + page * KB4);
			bool gone = page - cases[i].first < cases[i].nb;

			assert_int_equal(dma == NULL, gone);
			if (dma != NULL)
				assert_int_equal(dma->vaddr - dma->iova, (uintptr_t)mem - IOVA);
			if (!gone)
				assert_int_equal(unmap(mem + page * KB4, IOVA + page * KB4, KB4),
					0);
		}
	}
	close_card(fd);
	munmap(mem, 8 * KB4);
}

static void
test_neighbouring_user_mappings_go_at_once(void **state)
{
	uint8_t *mem = pages(4 * KB4);
	int fd = open_card();

	assert_int_equal(map(mem, IOVA, 2 * KB4), 0);
	assert_int_equal(map(mem + 2 * KB4, IOVA + 2 * KB4, 2 * KB4), 0);
	assert_int_equal(unmap(mem + KB4, IOVA + KB4, 2 * KB4), 0);
	assert_non_null(mapped_at(IOVA));
	assert_null(mapped_at(IOVA + KB4));
	assert_null(mapped_at(IOVA + 2 * KB4));
	assert_non_null(mapped_at(IOVA + 3 * KB4));
	assert_int_equal(unmap(mem, IOVA, KB4), 0);
	assert_int_equal(unmap(mem + 3 * KB4, IOVA + 3 * KB4, KB4), 0);
	close_card(fd);
	munmap(mem, 4 * KB4);
}

static void
test_wrong_ranges_are_refused(void **state)
{
	uint8_t *mem = pages(4 * KB4);
	int fd = open_card();

	assert_int_equal(map(mem, IOVA, 0), -EINVAL);
	assert_int_equal(map(mem, IOVA + 1, KB4), -EINVAL);
	assert_int_equal(map(mem + 1, IOVA, KB4), -EINVAL);
	assert_int_equal(map(mem, IOVA, KB4 - 1), -EINVAL);
	assert_int_equal(map(mem, UINT64_MAX - KB4 + 1, 2 * KB4), -EINVAL);
	assert_int_equal(map((uint8_t *)(uintptr_t)(UINT64_MAX - KB4 + 1), IOVA, 2 * KB4), -EINVAL);
	assert_int_equal(map(mem, IOVA, 2 * KB4), 0);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(map(mem + 2 * KB4, IOVA + KB4, 2 * KB4), -EEXIST);
	assert_int_equal(unmap(mem, IOVA, 3 * KB4), -EINVAL);
	assert_int_equal(unmap(mem, IOVA + KB4, KB4), -EINVAL);
	assert_int_equal(unmap(mem, IOVA, 0), -EINVAL);
	assert_int_equal(unmap(mem, IOVA, UINT64_MAX), -EINVAL);
	assert_int_equal(unmap(mem, IOVA, 2 * KB4), 0);
	assert_int_equal(unmap(mem, IOVA, 2 * KB4), -EINVAL);
	close_card(fd);
	munmap(mem, 4 * KB4);
}

static void
test_memory_of_eal_is_not_the_users_to_unmap(void **state)
{
	uint8_t *mem = rte_malloc(NULL, MB2, MB2);
	int fd = open_card();

	assert_non_null(mem);
	assert_int_equal(unmap(mem, (uintptr_t)mem, MB2), -EINVAL);
	assert_true(is_mapped(fake_vfio_container(card), mem, MB2));
	close_card(fd);
	rte_free(mem);
}

static void
test_user_mapping_needs_a_device_first(void **state)
{
	uint8_t *mem = pages(KB4);

	assert_int_equal(map(mem, IOVA, KB4), -ENODEV);
	assert_int_equal(rte_vfio_container_dma_map(12345, (uintptr_t)mem, IOVA, KB4), -ENODEV);
	munmap(mem, KB4);
}

static void
test_user_mapping_outlives_the_device(void **state)
{
	uint8_t *mem = pages(KB4);
	int fd = open_card();

	assert_int_equal(map(mem, IOVA, KB4), 0);
	close_card(fd);
	fd = open_card();
	assert_non_null(mapped_at(IOVA));
	close_card(fd);
	assert_int_equal(unmap(mem, IOVA, KB4), 0);
	fd = open_card();
	assert_null(mapped_at(IOVA));
	close_card(fd);
	munmap(mem, KB4);
}

/*
 * Containers
 */

static void
test_two_containers_are_apart(void **state)
{
	struct fake_device *other = add("0000:02:00.0", 8);
	void *heap = rte_malloc(NULL, MB2, 0);
	uint8_t *mem = pages(KB4);
	int container, fd, other_fd = -1;

	container = rte_vfio_container_create();
	assert_true(container >= 0);
	assert_true(rte_vfio_container_group_bind(container, 8) >= 0);
	fd = open_card();
	assert_int_equal(open_device(other->desc.name, &other_fd), 0);
	assert_ptr_not_equal(fake_vfio_container(card), fake_vfio_container(other));
	assert_int_equal(fake_vfio_container(other)->nb_dma, 0);
	assert_true(is_mapped(fake_vfio_container(card), heap, MB2));

	assert_int_equal(rte_vfio_container_dma_map(container, (uintptr_t)mem, IOVA, KB4), 0);
	assert_non_null(fake_vfio_dma(fake_vfio_container(other), IOVA));
	assert_null(mapped_at(IOVA));
	assert_int_equal(unmap(mem, IOVA, KB4), -EINVAL);
	assert_int_equal(rte_vfio_container_dma_unmap(container, (uintptr_t)mem, IOVA, KB4), 0);

	close_device(other->desc.name, other_fd);
	assert_int_equal(rte_vfio_container_group_unbind(container, 8), 0);
	assert_int_equal(rte_vfio_container_destroy(container), 0);
	close_card(fd);
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
	close_card(open_card());
	assert_int_equal(rte_vfio_get_group_fd(GROUP), fake->cdev ? -ENOTSUP : group);
	assert_int_equal(rte_vfio_container_group_bind(RTE_VFIO_DEFAULT_CONTAINER_FD, GROUP),
		-EBUSY);
	fd = open_card();
	assert_int_equal(rte_vfio_container_group_unbind(container, GROUP), -EBUSY);
	close_card(fd);
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
	fake->dma_avail = 2;
	assert_int_equal(open_device(card->desc.name, &fd), -ENOSPC);
	assert_null(fake_vfio_container(card));
	fake->dma_avail = 65535;
	fd = open_card();
	assert_true(is_mapped(fake_vfio_container(card), mem, 8 * MB2));
	close_card(fd);
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
	fd = open_card();
	assert_int_equal(rte_vfio_container_destroy(container), 0);
	assert_int_equal(rte_vfio_get_device_info(fake->sysfs, card->desc.name, &fd, &info), 0);
	close_card(fd);
	assert_int_equal(card->nb_open, 0);
}

static void
test_cleanup_closes_what_is_open(void **state)
{
	int container = rte_vfio_container_create();
	uint8_t *mem = pages(KB4);

	add("0000:02:00.0", 8);
	assert_true(rte_vfio_container_group_bind(container, 8) >= 0);
	open_card();
	assert_int_equal(map(mem, IOVA, KB4), 0);
	assert_int_equal(rte_eal_cleanup(), 0);
	assert_int_equal(card->nb_open, 0);
	assert_null(fake->containers);
	munmap(mem, KB4);
}

/*
 * Every call fails in turn
 */

static int
open_and_close_card(void)
{
	int fd = -1;
	int rc = open_device(card->desc.name, &fd);

	interpose_disarm();
	if (rc == 0)
		close_card(fd);
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
			assert_null(fake_vfio_container(card));
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
	const uint64_t calls = INTERPOSE_ANY & ~(fake->cdev ? INTERPOSE_ONLY(IOCTL) : 0);

	INTERPOSE_EACH_FAILURE(loop, calls, EIO) {
		/* only the release is to fail */
		interpose_disarm();
		fd = open_card();
		interpose_fail(calls, (unsigned int)loop.nth, EIO);
		rte_vfio_release_device(fake->sysfs, card->desc.name, fd);
		interpose_disarm();
		assert_int_equal(card->nb_open, 0);
		assert_null(fake_vfio_container(card));
	}
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
	rc = rte_vfio_setup_device(fake->sysfs, card->desc.name, &fd, &info);
	if (rc != 0)
		return rc < 0 ? rc : -ENODEV;
	rc = rte_vfio_container_dma_map(*container, (uintptr_t)mem, IOVA, 4 * KB4);
	if (rc == 0)
		rc = rte_vfio_container_dma_unmap(*container, (uintptr_t)mem + KB4, IOVA + KB4,
			KB4);
	if (rc == 0)
		rc = rte_vfio_container_dma_unmap(*container, (uintptr_t)mem, IOVA, KB4);
	rte_vfio_release_device(fake->sysfs, card->desc.name, fd);
	return rc;
}

static void
test_failing_use_of_a_container_leaves_nothing(void **state)
{
	struct interpose_loop loop;
	uint8_t *mem = pages(4 * KB4);
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
	int fd = open_card();
	void *mem;

	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(IOCTL), ENOMEM) {
		mem = rte_malloc(NULL, 3 * MB2, 0);
		interpose_disarm();
		assert_non_null(mem);
		/* all or nothing of what came */
		if (!interpose_fired())
			assert_true(is_mapped(fake_vfio_container(card), mem, 3 * MB2));
		rte_free(mem);
	}
	close_card(fd);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)
/* These start EAL by themselves. */
#define TEST_FAKE(name_) cmocka_unit_test_setup_teardown(name_, setup_fake, teardown)
/* What holds by groups and by the device's own node. */
#define BOTH(name_) TEST(name_), { #name_ " (cdev)", name_, setup_cdev, teardown, NULL }
/* With cdev alone, where groups would be another way out. */
#define EACH(name_) TEST(name_), { #name_ " (cdev)", name_, setup_cdev_only, teardown, NULL }

static const struct CMUnitTest tests[] = {
	BOTH(test_device_is_opened_and_described),
	BOTH(test_released_device_leaves_nothing),
	BOTH(test_device_without_group_is_not_for_vfio),
	BOTH(test_device_of_another_driver_is_not_for_vfio),
	BOTH(test_release_needs_no_sysfs),
	BOTH(test_release_of_unknown_descriptor_is_refused),
	TEST(test_bad_arguments_are_refused),
	TEST(test_group_number_is_read_from_sysfs),
	TEST(test_group_number_must_be_a_number),
	BOTH(test_device_info_of_an_open_device),
	BOTH(test_device_info_opens_the_device_of_an_open_group),
	BOTH(test_enabled_says_whether_vfio_is_there),
	TEST_FAKE(test_vfio_may_come_after_start),
	TEST(test_noiommu_answer_is_not_kept),
	TEST_FAKE(test_error_names_the_file_and_the_remedy),
	TEST(test_no_iommu_driver_is_told),
	TEST(test_unviable_group_names_the_other_driver),
	TEST(test_second_type_of_iommu_is_preferred),
	TEST(test_device_without_iommu_needs_no_mapping),
	TEST(test_devices_with_and_without_iommu_do_not_mix),
	TEST_FAKE(test_token_is_given_to_devices_that_want_it),
	BOTH(test_missing_token_is_told),
	BOTH(test_there_may_be_200_groups),
	BOTH(test_group_stays_while_one_of_its_devices_is_open),
	TEST(test_group_descriptor_is_one),
	TEST(test_group_with_an_open_device_is_not_cleared),
	BOTH(test_memory_is_mapped_with_the_first_device),
	TEST_FAKE(test_memory_that_stays_is_mapped_in_one_piece),
	BOTH(test_memory_is_mapped_as_it_comes_and_unmapped_as_it_goes),
	BOTH(test_memory_that_goes_does_not_disturb_the_rest),
	BOTH(test_memory_is_mapped_again_when_a_device_comes_back),
	BOTH(test_too_many_mappings_are_told),
	BOTH(test_memory_beyond_the_iommu_is_told),
	TEST(test_lies_of_the_iommu_do_no_harm),
	BOTH(test_devices_and_memory_may_come_at_once),
	BOTH(test_user_mapping_comes_and_goes),
	BOTH(test_part_of_a_user_mapping_goes),
	BOTH(test_neighbouring_user_mappings_go_at_once),
	BOTH(test_wrong_ranges_are_refused),
	BOTH(test_memory_of_eal_is_not_the_users_to_unmap),
	BOTH(test_user_mapping_needs_a_device_first),
	BOTH(test_user_mapping_outlives_the_device),
	BOTH(test_two_containers_are_apart),
	BOTH(test_bound_group_stays_in_its_container),
	BOTH(test_bound_group_recovers_from_a_failed_setup),
	BOTH(test_unknown_container_is_refused),
	BOTH(test_device_outlives_its_container),
	BOTH(test_cleanup_closes_what_is_open),
	EACH(test_failing_setup_leaves_nothing),
	BOTH(test_failing_release_releases),
	EACH(test_failing_use_of_a_container_leaves_nothing),
	BOTH(test_failing_mapping_of_new_memory_harms_nothing),
};

TEST_SUITE(vfio_container, "functional", tests, NULL, NULL)
