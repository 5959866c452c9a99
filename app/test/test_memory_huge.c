/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_eal_paging.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "eal_command.h"
#include "interpose.h"
#include "memory_suite.h"
#include "resources.h"
#include "test.h"

/* ---- huge pages ---- */

/*
 * A system that claims to have free huge pages, IOMMU groups, and to tell physical addresses, as
 * far as a test says. Those who ask for a huge page do not get it.
 */
static struct {
	char huge[64];
	char groups[64];
	bool tells;	/* physical addresses */
} fake;

static int
bypassed_open(const char *folder, const char *path, const char *prefix, int flags)
{
	char name[256];
	int fd;

	snprintf(name, sizeof(name), "%s/%s", folder, path + strlen(prefix));
	interpose_bypass_begin();
	fd = open(name, flags);
	interpose_bypass_end();
	return fd < 0 ? -errno : fd;
}

static int
fake_huge_open(void *ctx, const char *path, int flags)
{
	return bypassed_open(fake.huge, path, "/sys/kernel/mm/hugepages/", flags);
}

static int
fake_groups_open(void *ctx, const char *path, int flags)
{
	return bypassed_open(fake.groups, path, "/sys/kernel/iommu_groups/", flags);
}

/* Each page is at frame 0x1234, present; frame 0 is what the kernel tells those without rights. */
static ssize_t
fake_pagemap_pread(void *ctx, void *buf, size_t len, off_t off)
{
	uint64_t word = UINT64_C(1) << 63 | (fake.tells ? 0x1234 : 0);

	memcpy(buf, &word, sizeof(word));
	return sizeof(word);
}

static const struct interpose_fd_ops fake_pagemap_ops = { .pread = fake_pagemap_pread };

static int
fake_pagemap_open(void *ctx, const char *path, int flags)
{
	int fd;

	interpose_bypass_begin();
	fd = memfd_create("pagemap", MFD_CLOEXEC);
	interpose_bypass_end();
	interpose_route_fd(fd, &fake_pagemap_ops, NULL);
	return fd;
}

static struct interpose_path fake_paths[] = {
	{ .path = "/sys/kernel/mm/hugepages/", .open = fake_huge_open },
	{ .path = "/sys/kernel/iommu_groups/", .open = fake_groups_open },
	{ .path = "/proc/self/pagemap", .open = fake_pagemap_open },
};

static void
fake_file(const char *folder, const char *file, const char *text)
{
	char name[256];
	FILE *f;

	snprintf(name, sizeof(name), "%s/%s", fake.huge, folder);
	mkdir(name, 0700);
	snprintf(name, sizeof(name), "%s/%s/%s", fake.huge, folder, file);
	f = fopen(name, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int
fake_system_start(void **state)
{
	size_t i;

	strcpy(fake.huge, "/tmp/dpdk-test-huge-XXXXXX");
	strcpy(fake.groups, "/tmp/dpdk-test-groups-XXXXXX");
	if (mkdtemp(fake.huge) == NULL || mkdtemp(fake.groups) == NULL)
		return -1;
	for (i = 0; i < RTE_DIM(fake_paths); i++)
		interpose_route_path(&fake_paths[i]);
	return 0;
}

static int
fake_system_stop(void **state)
{
	char command[256];
	size_t i;

	rte_eal_cleanup();
	for (i = 0; i < RTE_DIM(fake_paths); i++)
		interpose_unroute_path(&fake_paths[i]);
	snprintf(command, sizeof(command), "rm -r %s %s", fake.huge, fake.groups);
	return system(command);
}

static void
test_iova_mode_is_what_the_system_allows(void **state)
{
	static const struct {
		const char *options;
		bool tells;
		bool huge;
		bool iommu;
		int mode;	/* RTE_IOVA_DC: the start fails */
	} cases[] = {
		{ "--no-pci", false, false, false, RTE_IOVA_VA },
		{ "--no-pci", true, false, false, RTE_IOVA_VA },
		{ "--no-pci", false, true, false, RTE_IOVA_VA },
		{ "--no-pci", true, true, false, RTE_IOVA_PA },
		{ "--no-pci", true, true, true, RTE_IOVA_VA },
		{ "--no-pci --no-huge", true, true, false, RTE_IOVA_VA },
		{ "--no-pci --iova-mode=va", true, true, false, RTE_IOVA_VA },
		{ "--no-pci --iova-mode=pa", true, true, true, RTE_IOVA_PA },
		{ "--no-pci --iova-mode=pa", false, true, false, RTE_IOVA_DC },
		{ "--no-pci --iova-mode=pa", true, false, false, RTE_IOVA_DC },
		{ "--no-pci --iova-mode=pa --no-huge", true, true, false, RTE_IOVA_DC },
	};
	char group[128];
	size_t i;

	snprintf(group, sizeof(group), "%s/0", fake.groups);
	for (i = 0; i < RTE_DIM(cases); i++) {
		fake.tells = cases[i].tells;
		fake_file("hugepages-2048kB", "free_hugepages", cases[i].huge ? "8\n" : "0\n");
		fake_file("hugepages-2048kB", "resv_hugepages", "2\n");
		if (cases[i].iommu)
			assert_int_equal(mkdir(group, 0700), 0);
		assert_int_equal(eal_command_init(cases[i].options) >= 0,
			cases[i].mode != RTE_IOVA_DC);
		assert_int_equal(rte_eal_iova_mode(), cases[i].mode);
		if (cases[i].mode != RTE_IOVA_DC)
			assert_int_equal(rte_eal_using_phys_addrs(),
				cases[i].tells && cases[i].huge &&
				strstr(cases[i].options, "--no-huge") == NULL);
		rte_eal_cleanup();
		rmdir(group);
	}
}

static void
test_huge_pages_that_others_have_reserved_are_not_free(void **state)
{
	fake.tells = true;
	fake_file("hugepages-2048kB", "free_hugepages", "8\n");
	fake_file("hugepages-2048kB", "resv_hugepages", "8\n");
	assert_int_equal(eal_command_init("--no-pci --iova-mode=pa"), -1);
	assert_int_equal(rte_errno, ENOTSUP);
}

/* Ordinary pages would be at other addresses tomorrow. */
static void
test_in_physical_mode_ordinary_pages_are_no_replacement(void **state)
{
	fake.tells = true;
	fake_file("hugepages-2048kB", "free_hugepages", "8\n");
	assert_true(eal_command_init("--no-pci --iova-mode=pa") >= 0);
	if (rte_malloc("test", 1, 0) != NULL)
		skip();
	assert_int_equal(rte_errno, ENOMEM);
}

static void
test_huge_pages_that_cannot_be_had_are_replaced(void **state)
{
	const struct rte_memseg *ms;
	char *ptr;

	fake_file("hugepages-2048kB", "free_hugepages", "100\n");
	assert_true(eal_command_init("--no-pci --iova-mode=va") >= 0);
	if (rte_eal_get_physmem_size() != 0)
		skip();
	ptr = rte_malloc("test", 5 * MIB, 0);
	assert_non_null(ptr);
	memset(ptr, 1, 5 * MIB);
	ms = rte_mem_virt2memseg(ptr, NULL);
	assert_non_null(ms);
	if (ms->hugepage_sz != rte_mem_page_size())
		skip();
	assert_int_equal(ms->len, SEGMENT);
	rte_free(ptr);
}

static void
test_garbage_about_huge_pages_does_no_harm(void **state)
{
	fake_file("hugepages-2048kB", "free_hugepages", "many\n");
	fake_file("hugepages-3kB", "free_hugepages", "3\n");
	fake_file("hugepages-99999999999999999999kB", "free_hugepages", "3\n");
	fake_file("hugepages-", "free_hugepages", "3\n");
	fake_file("other", "free_hugepages", "3\n");
	assert_true(eal_command_init("--no-pci --iova-mode=va") >= 0);
	assert_non_null(rte_malloc("test", 1, 0));
}

/* Needs free huge pages; a virtual machine gives them. */
static void
test_huge_pages_are_used_when_there_are_some(void **state)
{
	const struct rte_memseg *ms;
	char *ptr;

	assert_true(eal_command_init("--no-pci --iova-mode=va") >= 0);
	ptr = rte_malloc("test", 3 * MIB, 0);
	assert_non_null(ptr);
	ms = rte_mem_virt2memseg(ptr, NULL);
	assert_non_null(ms);
	if (ms->hugepage_sz == rte_mem_page_size())
		skip();
	assert_int_equal(ms->len, ms->hugepage_sz);
	memset(ptr, 1, 3 * MIB);
	rte_free(ptr);
}

static void
test_no_huge_takes_ordinary_pages(void **state)
{
	char *ptr = rte_malloc("test", 1, 0);
	const struct rte_memseg_list *msl = rte_mem_virt2memseg_list(ptr);
	const struct rte_memseg *ms = rte_mem_virt2memseg(ptr, msl);

	assert_non_null(ms);
	assert_int_equal(ms->hugepage_sz, rte_mem_page_size());
	assert_int_equal(msl->page_sz, rte_mem_page_size());
	assert_int_equal(msl->heap, 1);
	assert_int_equal(msl->external, 0);
}

/* ---- physical addresses ---- */

static void
test_physical_addresses_are_known_or_bad(void **state)
{
	size_t page = rte_mem_page_size();
	char *mem = rte_mem_map(NULL, page, RTE_PROT_READ | RTE_PROT_WRITE,
			RTE_MAP_ANONYMOUS | RTE_MAP_PRIVATE, -1, 0);
	phys_addr_t phys;

	assert_non_null(mem);
	assert_true(rte_mem_virt2phy(mem) == RTE_BAD_PHYS_ADDR);
	*(volatile char *)mem = 1;
	phys = rte_mem_virt2phy(mem + 5);
	assert_true(phys == RTE_BAD_PHYS_ADDR || phys % page == 5);
	assert_int_equal(rte_mem_unmap(mem, page), 0);
	assert_true(rte_mem_virt2phy(mem) == RTE_BAD_PHYS_ADDR);
}

static void
test_a_pagemap_that_cannot_be_read_is_no_address(void **state)
{
	char local = 1;

	interpose_fail(INTERPOSE_ONLY(OPEN), 1, EACCES);
	assert_true(rte_mem_virt2phy(&local) == RTE_BAD_PHYS_ADDR);
	interpose_disarm();
	interpose_fail(INTERPOSE_ONLY(PREAD), 1, EIO);
	assert_true(rte_mem_virt2phy(&local) == RTE_BAD_PHYS_ADDR);
	interpose_disarm();
}

static void
test_physical_mode_needs_huge_pages(void **state)
{
	struct resources before;

	eal_command_init("--no-pci --no-huge --iova-mode=pa");
	resources_take(&before);
	assert_int_equal(eal_command_init("--no-pci --no-huge --iova-mode=pa"), -1);
	assert_int_equal(rte_errno, ENOTSUP);
	resources_assert_same(&before);
	assert_true(eal_command_init("--no-pci --no-huge --iova-mode=va") >= 0);
	assert_int_equal(rte_eal_iova_mode(), RTE_IOVA_VA);
}

#define FAKED(func_) \
	cmocka_unit_test_setup_teardown(func_, fake_system_start, fake_system_stop)

static const struct CMUnitTest tests[] = {
	FAKED(test_iova_mode_is_what_the_system_allows),
	FAKED(test_huge_pages_that_others_have_reserved_are_not_free),
	FAKED(test_in_physical_mode_ordinary_pages_are_no_replacement),
	FAKED(test_huge_pages_that_cannot_be_had_are_replaced),
	FAKED(test_garbage_about_huge_pages_does_no_harm),
	MEMORY_TEST_ALONE(test_huge_pages_are_used_when_there_are_some),
	MEMORY_TEST(test_no_huge_takes_ordinary_pages),
	MEMORY_TEST_ALONE(test_physical_addresses_are_known_or_bad),
	MEMORY_TEST_ALONE(test_a_pagemap_that_cannot_be_read_is_no_address),
	MEMORY_TEST_ALONE(test_physical_mode_needs_huge_pages),
};
TEST_SUITE(memory_huge, "functional", tests, NULL, NULL)
