/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_eal_memconfig.h>
#include <rte_eal_paging.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "eal_command.h"
#include "interpose.h"
#include "resources.h"
#include "test.h"

/* A sanitizer has its own idea of address space, and does not lock memory. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED false
#endif

#define MIB ((size_t)1 << 20)
#define SEGMENT (2 * MIB)

static int
eal_start(void **state)
{
	return eal_command_init("--no-pci --no-huge") < 0 ? -1 : 0;
}

static int
eal_stop(void **state)
{
	rte_eal_cleanup();
	return 0;
}

/* ---- paging ---- */

static void
test_fresh_memory_is_zero_and_writable(void **state)
{
	size_t len = 3 * rte_mem_page_size(), i;
	char *mem = rte_mem_map(NULL, len, RTE_PROT_READ | RTE_PROT_WRITE,
			RTE_MAP_ANONYMOUS | RTE_MAP_PRIVATE, -1, 0);

	assert_non_null(mem);
	for (i = 0; i < len; i++)
		assert_int_equal(mem[i], 0);
	memset(mem, 1, len);
	assert_int_equal(rte_mem_unmap(mem, len), 0);
}

static void
test_a_file_is_mapped_at_its_offset(void **state)
{
	size_t page = rte_mem_page_size();
	int fd = memfd_create("test", 0);
	char *mem;

	assert_int_equal(ftruncate(fd, 2 * page), 0);
	assert_int_equal(pwrite(fd, "file", 4, page), 4);
	mem = rte_mem_map(NULL, page, RTE_PROT_READ | RTE_PROT_WRITE, RTE_MAP_SHARED, fd, page);
	assert_non_null(mem);
	assert_memory_equal(mem, "file", 4);
	mem[0] = 'F';
	assert_int_equal(pread(fd, mem + 1, 1, page), 1);
	assert_int_equal(mem[1], 'F');
	assert_int_equal(rte_mem_unmap(mem, page), 0);
	close(fd);
}

static void
test_forced_addresses_are_kept_or_refused(void **state)
{
	const int anon = RTE_MAP_ANONYMOUS | RTE_MAP_PRIVATE;
	size_t page = rte_mem_page_size();
	char *mem = rte_mem_map(NULL, 2 * page, RTE_PROT_READ | RTE_PROT_WRITE, anon, -1, 0);

	assert_non_null(mem);
	mem[0] = mem[page] = 'x';
	rte_errno = 0;
	assert_null(rte_mem_map(mem, page, RTE_PROT_READ, anon | RTE_MAP_FORCE_ADDRESS_NOREPLACE,
		-1, 0));
	assert_int_equal(rte_errno, EEXIST);
	assert_ptr_equal(rte_mem_map(mem, page, RTE_PROT_READ, anon | RTE_MAP_FORCE_ADDRESS, -1, 0),
		mem);
	assert_int_equal(mem[0], 0);
	assert_int_equal(mem[page], 'x');
	assert_int_equal(rte_mem_unmap(mem, page), 0);
	assert_ptr_equal(rte_mem_map(mem, page, RTE_PROT_READ,
		anon | RTE_MAP_FORCE_ADDRESS_NOREPLACE, -1, 0), mem);
	assert_int_equal(rte_mem_unmap(mem, 2 * page), 0);
}

static void
test_bad_mappings_tell_why(void **state)
{
	size_t page = rte_mem_page_size();
	int fd = memfd_create("test", 0);
	const struct {
		size_t len;
		int flags;
		int fd;
		uint64_t offset;
		int err;
	} cases[] = {
		{ 0, RTE_MAP_ANONYMOUS | RTE_MAP_PRIVATE, -1, 0, EINVAL },
		{ page, RTE_MAP_ANONYMOUS, -1, 0, EINVAL },
		{ page, RTE_MAP_SHARED, -1, 0, EBADF },
		{ page, RTE_MAP_SHARED, fd, 1, EINVAL },
		{ page, RTE_MAP_SHARED, fd, UINT64_MAX - page + 1, EINVAL },
		{ SIZE_MAX - page + 1, RTE_MAP_ANONYMOUS | RTE_MAP_PRIVATE, -1, 0, ENOMEM },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		rte_errno = 0;
		assert_null(rte_mem_map(NULL, cases[i].len, RTE_PROT_READ, cases[i].flags,
			cases[i].fd, cases[i].offset));
		assert_int_equal(rte_errno, cases[i].err);
	}
	close(fd);
	rte_errno = 0;
	assert_int_equal(rte_mem_unmap(NULL, 0), -1);
	assert_int_equal(rte_errno, EINVAL);
}

static void
test_pages_can_be_locked(void **state)
{
	size_t page = rte_mem_page_size();
	char *mem = rte_mem_map(NULL, 2 * page, RTE_PROT_READ | RTE_PROT_WRITE,
			RTE_MAP_ANONYMOUS | RTE_MAP_PRIVATE, -1, 0);

	assert_non_null(mem);
	assert_int_equal(page & (page - 1), 0);
	assert_int_equal(rte_mem_lock_page(mem + 5), 0);
	assert_int_equal(rte_mem_lock(mem + page - 1, 2), 0);
	assert_int_equal(rte_mem_unmap(mem, 2 * page), 0);
	if (SANITIZED)
		skip();
	rte_errno = 0;
	assert_int_equal(rte_mem_lock(mem, page), -1);
	assert_int_equal(rte_errno, ENOMEM);
}

/* ---- start and end ---- */

static void
test_without_eal_there_is_no_memory(void **state)
{
	static int visitor_is_not_called;
	char local;

	rte_errno = 0;
	assert_null(rte_malloc("test", 1, 0));
	assert_int_equal(rte_errno, ENOMEM);
	rte_free(NULL);
	assert_null(rte_mem_virt2memseg(&local, NULL));
	assert_null(rte_mem_virt2memseg_list(&local));
	assert_null(rte_mem_iova2virt(4096));
	assert_int_equal(rte_memseg_walk((rte_memseg_walk_t)NULL, &visitor_is_not_called), 0);
	assert_int_equal(rte_eal_get_physmem_size(), 0);
	assert_int_equal(rte_extmem_register((void *)(uintptr_t)SEGMENT, SEGMENT, NULL, 0, 4096),
		-1);
}

static void
test_a_start_takes_no_memory(void **state)
{
	assert_int_equal(rte_eal_get_physmem_size(), 0);
}

static void
test_cleanup_gives_everything_back(void **state)
{
	struct resources before;
	char *leaked;
	int i;

	assert_true(eal_command_init("--no-pci --no-huge") >= 0);
	rte_eal_cleanup();
	resources_take(&before);
	for (i = 0; i < 3; i++) {
		assert_true(eal_command_init("--no-pci --no-huge") >= 0);
		leaked = rte_malloc("test", 20 * MIB, 0);
		assert_non_null(leaked);
		memset(leaked, 1, 20 * MIB);
		assert_int_equal(rte_mem_event_callback_register("test",
			(rte_mem_event_callback_t)abort, NULL), 0);
		rte_eal_cleanup();
	}
	resources_assert_same(&before);
}

static void
test_a_start_that_fails_leaves_nothing(void **state)
{
	const uint64_t calls = INTERPOSE_ONLY(MMAP) | INTERPOSE_ONLY(MEMFD) |
		INTERPOSE_ONLY(FTRUNCATE) | INTERPOSE_ONLY(FALLOCATE) | INTERPOSE_ONLY(MADVISE) |
		INTERPOSE_ONLY(OPENDIR) | INTERPOSE_ONLY(READDIR) | INTERPOSE_THIS_THREAD;
	struct interpose_loop loop;
	int rc;

	/* libc keeps a little of the threads of the first starts. */
	for (rc = 0; rc < 2; rc++) {
		assert_true(eal_command_init("--no-pci -m 16") >= 0);
		rte_eal_cleanup();
	}
	INTERPOSE_EACH_FAILURE(loop, calls, 0) {
		rc = eal_command_init("--no-pci -m 16");
		interpose_disarm();
		if (rc >= 0) {
			assert_true(rte_eal_get_physmem_size() >= 16 * MIB);
			rte_eal_cleanup();
		}
	}
}

static void
test_preallocated_memory_is_there_and_stays(void **state)
{
	char *ptr;

	assert_true(eal_command_init("--no-pci --no-huge -m 32") >= 0);
	assert_int_equal(rte_eal_get_physmem_size(), 32 * MIB);
	ptr = rte_malloc("test", 31 * MIB, 0);
	assert_non_null(ptr);
	assert_int_equal(rte_eal_get_physmem_size(), 32 * MIB);
	rte_free(ptr);
	assert_int_equal(rte_eal_get_physmem_size(), 32 * MIB);
	ptr = rte_malloc("test", 33 * MIB, 0);
	assert_non_null(ptr);
	assert_true(rte_eal_get_physmem_size() > 32 * MIB);
	rte_free(ptr);
	assert_int_equal(rte_eal_get_physmem_size(), 32 * MIB);
}

static void
test_a_kernel_that_cannot_forbid_execution_is_fine(void **state)
{
	interpose_fail(INTERPOSE_ONLY(MEMFD), 1, EINVAL);
	assert_true(eal_command_init("--no-pci --no-huge") >= 0);
	interpose_disarm();
	assert_true(interpose_fired());
	assert_non_null(rte_malloc("test", 1, 0));
}

static void
test_more_than_the_machine_has_is_refused(void **state)
{
	assert_int_equal(eal_command_init("--no-pci --no-huge -m 4000000"), -1);
	assert_int_equal(rte_errno, ENOMEM);
	assert_null(rte_malloc("test", 1, 0));
}

static void
test_base_virtaddr_is_honoured(void **state)
{
	const uintptr_t base = UINT64_C(0x7ea000000000);
	char *ptr;

	assert_true(eal_command_init("--no-pci --no-huge --base-virtaddr=0x7ea000000000") >= 0);
	ptr = rte_malloc("test", 1, 0);
	assert_non_null(ptr);
	assert_in_range((uintptr_t)ptr, base, base + SEGMENT);
}

static void
test_little_address_space_is_enough(void **state)
{
	struct rlimit limit = { .rlim_cur = 2048 * MIB, .rlim_max = 2048 * MIB };
	int status;
	pid_t pid;

	if (SANITIZED)
		skip();
	pid = fork();
	if (pid == 0) {
		setrlimit(RLIMIT_AS, &limit);
		_exit(eal_command_init("--no-pci --no-huge") >= 0 &&
			rte_malloc("test", SEGMENT, 0) != NULL &&
			rte_malloc("test", 4096 * MIB, 0) == NULL && rte_errno == ENOMEM ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_a_file_size_limit_is_an_error_not_a_signal(void **state)
{
	struct rlimit limit = { .rlim_cur = 6 * MIB, .rlim_max = 6 * MIB };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(rte_malloc("test", 10 * MIB, 0) == NULL && rte_errno == ENOMEM &&
			rte_malloc("test", 5 * MIB, 0) != NULL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

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

/* ---- look-ups and walks ---- */

static void
test_an_address_leads_to_its_segment(void **state)
{
	char *ptr = rte_malloc("test", 5 * MIB, 0), local;
	const struct rte_memseg_list *msl;
	const struct rte_memseg *ms;
	size_t off;

	assert_non_null(ptr);
	for (off = 0; off < 5 * MIB; off += 4096) {
		msl = rte_mem_virt2memseg_list(ptr + off);
		assert_non_null(msl);
		ms = rte_mem_virt2memseg(ptr + off, msl);
		assert_non_null(ms);
		assert_ptr_equal(ms, rte_mem_virt2memseg(ptr + off, NULL));
		assert_in_range((uintptr_t)ptr + off, ms->addr_64, ms->addr_64 + ms->len - 1);
		assert_int_equal(ms->socket_id, msl->socket_id);
	}
	assert_null(rte_mem_virt2memseg(&local, NULL));
	assert_null(rte_mem_virt2memseg(&local, msl));
	assert_null(rte_mem_virt2memseg_list(&local));
	/* In the window, where there is no memory. */
	assert_ptr_equal(rte_mem_virt2memseg_list((char *)msl->base_va + msl->len - 1), msl);
	assert_null(rte_mem_virt2memseg((char *)msl->base_va + msl->len - 1, NULL));
	assert_null(rte_mem_virt2memseg_list((char *)msl->base_va + msl->len));
}

static void
test_io_addresses_are_virtual_ones(void **state)
{
	char *ptr = rte_malloc("test", 100, 0), local;

	assert_int_equal(rte_eal_iova_mode(), RTE_IOVA_VA);
	assert_int_equal(rte_mem_virt2iova(&local), (uintptr_t)&local);
	assert_int_equal(rte_mem_virt2iova(ptr), (uintptr_t)ptr);
	assert_ptr_equal(rte_mem_iova2virt((uintptr_t)ptr + 5), ptr + 5);
	assert_null(rte_mem_iova2virt((uintptr_t)&local));
	assert_int_equal(rte_mem_virt2memseg(ptr, NULL)->iova & (SEGMENT - 1), 0);
}

static void
test_windows_are_within_reach_of_a_39_bit_iommu(void **state)
{
	if (SANITIZED)
		skip();
	assert_true((uintptr_t)rte_malloc("test", 1, 0) < UINT64_C(1) << 39);
}

struct walked {
	unsigned int nb;
	size_t len;
	int answer;
	const char *addr;
};

static int
segment_count(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	struct walked *walked = arg;

	assert_int_equal(msl->external, 0);
	assert_ptr_equal(ms, rte_mem_virt2memseg(ms->addr, msl));
	walked->nb++;
	walked->len += ms->len;
	return walked->answer;
}

static int
run_count(const struct rte_memseg_list *msl, const struct rte_memseg *ms, size_t len, void *arg)
{
	struct walked *walked = arg;

	walked->nb++;
	walked->len += len;
	walked->addr = ms->addr;
	return walked->answer;
}

static int
list_count(const struct rte_memseg_list *msl, void *arg)
{
	struct walked *walked = arg;

	assert_non_null(msl->base_va);
	walked->nb++;
	return walked->answer;
}

static void
test_memory_in_one_piece_is_one_run(void **state)
{
	struct walked segments = { 0 }, runs = { 0 };
	char *ptr = rte_malloc("test", 128 * MIB - 4096, 0);

	assert_non_null(ptr);
	assert_int_equal(rte_memseg_walk(segment_count, &segments), 0);
	assert_int_equal(rte_memseg_contig_walk(run_count, &runs), 0);
	assert_int_equal(segments.len, 128 * MIB);
	assert_int_equal(segments.nb, 64);
	assert_int_equal(runs.nb, 1);
	assert_int_equal(runs.len, 128 * MIB);
	assert_int_equal(rte_eal_get_physmem_size(), 128 * MIB);
}

static void
test_a_hole_splits_a_run(void **state)
{
	struct walked runs = { 0 };
	char *ptr[3];
	int i;

	for (i = 0; i < 3; i++)
		assert_non_null(ptr[i] = rte_malloc("test", 10 * MIB - 4096, 0));
	rte_free(ptr[1]);
	assert_int_equal(rte_memseg_contig_walk(run_count, &runs), 0);
	assert_int_equal(runs.nb, 2);
	assert_int_equal(runs.len, rte_eal_get_physmem_size());
	assert_true(runs.len < 30 * MIB);
}

static void
test_a_visitor_can_end_a_walk(void **state)
{
	static const int answers[] = { 1, -1 };
	struct walked walked;
	size_t i;

	assert_non_null(rte_malloc("test", 10 * MIB, 0));
	for (i = 0; i < RTE_DIM(answers); i++) {
		walked = (struct walked) { .answer = answers[i] };
		assert_int_equal(rte_memseg_walk(segment_count, &walked), answers[i]);
		assert_int_equal(rte_memseg_contig_walk(run_count, &walked), answers[i]);
		assert_int_equal(rte_memseg_list_walk(list_count, &walked), answers[i]);
		assert_int_equal(rte_memseg_walk_thread_unsafe(segment_count, &walked), answers[i]);
		assert_int_equal(rte_memseg_contig_walk_thread_unsafe(run_count, &walked),
			answers[i]);
		assert_int_equal(rte_memseg_list_walk_thread_unsafe(list_count, &walked),
			answers[i]);
		assert_int_equal(walked.nb, 6);
	}
}

struct allocating_visit {
	void *small;
	void *large;
	int nested;
};

static int
visit_and_allocate(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	struct allocating_visit *visit = arg;
	struct walked walked = { 0 };

	visit->small = rte_malloc("test", 64, 0);
	visit->large = rte_malloc("test", 64 * MIB, 0);
	visit->nested = rte_memseg_walk(segment_count, &walked);
	rte_free(visit->small);
	return 1;
}

static void
test_a_visitor_allocates_what_fits_and_never_hangs(void **state)
{
	struct allocating_visit visit = { .nested = -1 };

	assert_non_null(rte_malloc("test", 64, 0));
	assert_int_equal(rte_memseg_walk(visit_and_allocate, &visit), 1);
	assert_non_null(visit.small);
	assert_null(visit.large);
	assert_int_equal(visit.nested, 0);
	visit = (struct allocating_visit) { .nested = -1 };
	rte_mcfg_mem_read_lock();
	assert_int_equal(rte_memseg_walk_thread_unsafe(visit_and_allocate, &visit), 1);
	rte_mcfg_mem_read_unlock();
	assert_non_null(visit.small);
	assert_null(visit.large);
	assert_non_null(rte_malloc("test", 64 * MIB, 0));
}

static int
visit_and_free(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	struct walked walked = { 0 };
	void **large = arg;

	rte_free(*large);
	*large = NULL;
	assert_int_equal(rte_memseg_walk(segment_count, &walked), 0);
	assert_true(walked.len >= 64 * MIB);
	return 1;
}

static void
test_what_a_visitor_frees_goes_later(void **state)
{
	void *large = rte_malloc("test", 64 * MIB, 0), *last = rte_malloc("test", 64, 0);

	assert_non_null(last);
	assert_int_equal(rte_memseg_walk(visit_and_free, &large), 1);
	assert_true(rte_eal_get_physmem_size() >= 64 * MIB);
	rte_free(last);
	assert_int_equal(rte_eal_get_physmem_size(), SEGMENT);
}

/* ---- files ---- */

static void
test_freed_memory_costs_the_system_nothing(void **state)
{
	char *keep = rte_malloc("test", 64, 0), *ptr = rte_malloc("test", 32 * MIB, 0);
	int fd = rte_memseg_get_fd(rte_mem_virt2memseg(keep, NULL));
	struct stat before, after;

	assert_non_null(ptr);
	memset(ptr, 1, 32 * MIB);
	assert_int_equal(fstat(fd, &before), 0);
	assert_true(before.st_blocks * 512 >= (blkcnt_t)(32 * MIB));
	rte_free(ptr);
	assert_int_equal(fstat(fd, &after), 0);
	assert_true(after.st_blocks * 512 <= (blkcnt_t)(2 * SEGMENT));
	rte_free(keep);
}

static void
test_the_file_of_a_segment_has_the_same_bytes(void **state)
{
	char *ptr = rte_malloc("test", 9 * MIB, 0), *again;
	const struct rte_memseg *ms;
	size_t off, at;
	int fd;

	assert_non_null(ptr);
	for (off = 0; off < 9 * MIB; off += MIB) {
		ms = rte_mem_virt2memseg(ptr + off, NULL);
		fd = rte_memseg_get_fd(ms);
		assert_true(fd >= 0);
		assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		assert_int_equal(rte_memseg_get_fd_offset(ms, &at), 0);
		again = mmap(NULL, ms->len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)at);
		assert_ptr_not_equal(again, MAP_FAILED);
		ptr[off] = 'a';
		assert_int_equal(again[ptr + off - (char *)ms->addr], 'a');
		again[ptr + off - (char *)ms->addr] = 'b';
		assert_int_equal(ptr[off], 'b');
		munmap(again, ms->len);
	}
}

static void
test_a_run_is_one_range_of_one_file(void **state)
{
	struct walked run = { 0 };
	size_t first, off, len;
	int fd;

	assert_non_null(rte_malloc("test", 20 * MIB, 0));
	assert_int_equal(rte_memseg_contig_walk(run_count, &run), 0);
	assert_int_equal(run.nb, 1);
	fd = rte_memseg_get_fd(rte_mem_virt2memseg(run.addr, NULL));
	assert_int_equal(rte_memseg_get_fd_offset(rte_mem_virt2memseg(run.addr, NULL), &first), 0);
	for (len = 0; len < run.len; len += SEGMENT) {
		assert_int_equal(rte_memseg_get_fd(rte_mem_virt2memseg(run.addr + len, NULL)), fd);
		assert_int_equal(rte_memseg_get_fd_offset(rte_mem_virt2memseg(run.addr + len, NULL),
			&off), 0);
		assert_int_equal(off, first + len);
	}
}

static void
test_a_peer_cannot_shrink_the_file(void **state)
{
	char *ptr = rte_malloc("test", 100, 0);
	int fd = rte_memseg_get_fd(rte_mem_virt2memseg(ptr, NULL));

	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(errno, EPERM);
	memset(ptr, 1, 100);
}

static void
test_files_of_what_is_no_segment_are_refused(void **state)
{
	char *ptr = rte_malloc("test", 100, 0), page[1];
	struct rte_memseg *ms = rte_mem_virt2memseg(ptr, NULL), other = *ms;
	size_t off;

	rte_errno = 0;
	assert_int_equal(rte_memseg_get_fd(NULL), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_memseg_get_fd(&other), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_memseg_get_fd_offset(ms, NULL), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_memseg_get_fd(ms + 100), -1);
	assert_int_equal(rte_errno, ENOENT);
	assert_int_equal(rte_memseg_get_fd_offset_thread_unsafe(ms + 100, &off), -1);
	assert_int_equal(rte_errno, ENOENT);
	assert_int_equal(rte_memseg_get_fd_thread_unsafe(ms), rte_memseg_get_fd(ms));
	RTE_SET_USED(page);
}

/* ---- events ---- */

struct event {
	enum rte_mem_event type;
	const char *addr;
	size_t len;
	int who;
	bool there;	/* the memory had a segment and could be read */
};

static struct {
	struct event events[64];
	unsigned int nb;
	void *allocated;
	int rc_register;
	int rc_walk;
} seen;

static void
event_note(enum rte_mem_event type, const void *addr, size_t len, void *arg)
{
	struct event *event = &seen.events[seen.nb++];

	*event = (struct event) { type, addr, len, (int)(uintptr_t)arg, true };
	event->there = rte_mem_virt2memseg(addr, NULL) != NULL &&
		rte_mem_virt2memseg((const char *)addr + len - 1, NULL) != NULL &&
		*(const volatile char *)addr >= 0;
}

static void
assert_event(unsigned int i, enum rte_mem_event type, const char *addr, size_t len, int who)
{
	assert_in_range(i, 0, seen.nb - 1);
	assert_int_equal(seen.events[i].type, type);
	assert_ptr_equal(seen.events[i].addr, addr);
	assert_int_equal(seen.events[i].len, len);
	assert_int_equal(seen.events[i].who, who);
	assert_true(seen.events[i].there);
}

static void
test_events_come_in_order_and_cover_whole_pieces(void **state)
{
	char *base, *ptr;

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(rte_mem_event_callback_register("one", event_note, (void *)1), 0);
	assert_int_equal(rte_mem_event_callback_register("two", event_note, (void *)2), 0);
	ptr = rte_malloc("test", 64, 0);
	base = rte_mem_virt2memseg(ptr, NULL)->addr;
	assert_int_equal(seen.nb, 2);
	assert_event(0, RTE_MEM_EVENT_ALLOC, base, SEGMENT, 1);
	assert_event(1, RTE_MEM_EVENT_ALLOC, base, SEGMENT, 2);
	rte_free(ptr);
	assert_int_equal(seen.nb, 2);
	ptr = rte_malloc("test", 64 * MIB - 4096, 0);
	assert_int_equal(seen.nb, 4);
	assert_event(2, RTE_MEM_EVENT_ALLOC, base + SEGMENT, 64 * MIB, 1);
	assert_event(3, RTE_MEM_EVENT_ALLOC, base + SEGMENT, 64 * MIB, 2);
	assert_int_equal(rte_mem_event_callback_unregister("one", (void *)1), 0);
	rte_free(ptr);
	assert_int_equal(seen.nb, 5);
	assert_event(4, RTE_MEM_EVENT_FREE, base + SEGMENT, 64 * MIB, 2);
	assert_null(rte_mem_virt2memseg(base + SEGMENT, NULL));
}

static void
event_use_memory(enum rte_mem_event type, const void *addr, size_t len, void *arg)
{
	struct walked walked = { 0 };

	seen.allocated = rte_malloc("test", 64, 0);
	rte_free(seen.allocated);
	seen.rc_walk = rte_memseg_walk(segment_count, &walked);
	seen.rc_register = rte_mem_event_callback_register("more", event_note, NULL) == 0 ? 0 :
		rte_errno;
	seen.nb += rte_malloc("test", 512 * MIB, 0) != NULL;
}

static void
test_a_callback_uses_memory_and_never_hangs(void **state)
{
	char *ptr = rte_malloc("test", 64, 0);

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(rte_mem_event_callback_register("use", event_use_memory, NULL), 0);
	rte_free(rte_malloc("test", 20 * MIB, 0));
	assert_non_null(seen.allocated);
	assert_int_equal(seen.rc_walk, 0);
	assert_int_equal(seen.rc_register, EDEADLK);
	assert_int_equal(seen.nb, 0);
	rte_free(ptr);
}

static void
test_registrations_are_checked(void **state)
{
	char longest[RTE_MEM_EVENT_CALLBACK_NAME_LEN];
	char too_long[RTE_MEM_EVENT_CALLBACK_NAME_LEN + 1];
	const struct {
		const char *name;
		rte_mem_event_callback_t callback;
		int err;
	} cases[] = {
		{ NULL, event_note, EINVAL },
		{ "", event_note, EINVAL },
		{ too_long, event_note, EINVAL },
		{ "name", NULL, EINVAL },
		{ longest, event_note, 0 },
		{ longest, event_note, EEXIST },
	};
	size_t i;

	memset(longest, 'n', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	memset(too_long, 'n', sizeof(too_long));
	too_long[sizeof(too_long) - 1] = '\0';
	for (i = 0; i < RTE_DIM(cases); i++) {
		rte_errno = 0;
		assert_int_equal(rte_mem_event_callback_register(cases[i].name, cases[i].callback,
			NULL), cases[i].err == 0 ? 0 : -1);
		assert_int_equal(rte_errno, cases[i].err);
	}
	assert_int_equal(rte_mem_event_callback_register(longest, event_note, &seen), 0);
	assert_int_equal(rte_mem_event_callback_unregister(longest, NULL), 0);
	assert_int_equal(rte_mem_event_callback_unregister(longest, NULL), -1);
	assert_int_equal(rte_errno, ENOENT);
	assert_int_equal(rte_mem_event_callback_unregister(NULL, NULL), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_mem_event_callback_unregister(longest, &seen), 0);
}

/* ---- validators ---- */

static struct {
	int socket;
	size_t limit;
	size_t new_len;
	int answer;
	unsigned int nb;
} asked;

static int
validate(int socket_id, size_t cur_limit, size_t new_len)
{
	asked.socket = socket_id;
	asked.limit = cur_limit;
	asked.new_len = new_len;
	asked.nb++;
	return asked.answer;
}

static void
test_a_validator_is_asked_above_its_limit_only(void **state)
{
	int socket = rte_socket_id_by_idx(0);

	memset(&asked, 0, sizeof(asked));
	assert_int_equal(rte_mem_alloc_validator_register("v", validate, socket, 8 * MIB), 0);
	assert_non_null(rte_malloc("test", 7 * MIB, 0));
	assert_int_equal(asked.nb, 0);
	assert_non_null(rte_malloc("test", 3 * MIB, 0));
	assert_int_equal(asked.nb, 1);
	assert_int_equal(asked.socket, socket);
	assert_int_equal(asked.limit, 8 * MIB);
	assert_int_equal(asked.new_len, 12 * MIB);
	asked.answer = -1;
	assert_null(rte_malloc("test", 3 * MIB, 0));
	assert_int_equal(rte_errno, ENOMEM);
	assert_int_equal(rte_mem_alloc_validator_unregister("v", socket), 0);
	assert_non_null(rte_malloc("test", 3 * MIB, 0));
}

static void
test_validator_registrations_are_checked(void **state)
{
	assert_int_equal(rte_mem_alloc_validator_register("v", NULL, 0, 0), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_mem_alloc_validator_register("v", validate, -1, 0), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_mem_alloc_validator_register("v", validate, 5, 0), 0);
	assert_int_equal(rte_mem_alloc_validator_register("v", validate, 5, 1), -1);
	assert_int_equal(rte_errno, EEXIST);
	assert_int_equal(rte_mem_alloc_validator_unregister("v", 4), -1);
	assert_int_equal(rte_errno, ENOENT);
	assert_int_equal(rte_mem_alloc_validator_unregister("v", -1), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_mem_alloc_validator_unregister("v", 5), 0);
}

/* ---- failures ---- */

static void
test_growth_that_fails_leaves_all_as_it_was(void **state)
{
	const uint64_t calls = INTERPOSE_ONLY(FTRUNCATE) | INTERPOSE_ONLY(FALLOCATE) |
		INTERPOSE_ONLY(MADVISE) | INTERPOSE_ONLY(MMAP) | INTERPOSE_THIS_THREAD;
	char *keep = rte_malloc("test", 64, 0), *ptr;
	struct interpose_loop loop;
	size_t len = MIB;

	assert_non_null(keep);
	memset(&seen, 0, sizeof(seen));
	INTERPOSE_EACH_FAILURE(loop, calls, 0) {
		len += 4 * MIB;
		ptr = rte_malloc("test", len, 0);
		if (ptr == NULL)
			assert_int_equal(rte_errno, ENOMEM);
		else
			memset(ptr, 1, len);
		rte_free(ptr);
		interpose_disarm();
		assert_int_equal(rte_eal_get_physmem_size(), SEGMENT);
		assert_int_equal(rte_malloc_validate(keep, NULL), 0);
	}
	rte_free(keep);
}

/* ---- DMA mask ---- */

static void
test_a_dma_mask_that_memory_exceeds_is_refused(void **state)
{
	char *ptr = rte_malloc("test", 100, 0);
	unsigned int bits = 64 - __builtin_clzll((uintptr_t)ptr + SEGMENT);

	assert_int_equal(rte_mem_check_dma_mask(0), -1);
	assert_int_equal(rte_mem_check_dma_mask(64), -1);
	assert_int_equal(rte_mem_check_dma_mask(20), -1);
	assert_int_equal(rte_mem_check_dma_mask((uint8_t)bits), 0);
	assert_int_equal(rte_mem_check_dma_mask_thread_unsafe((uint8_t)bits), 0);
	assert_non_null(rte_malloc("test", SEGMENT, 0));
}

static void
test_memory_beyond_the_dma_mask_does_not_come(void **state)
{
	rte_mem_set_dma_mask(20);
	rte_mem_set_dma_mask(40);
	assert_null(rte_malloc("test", 100, 0));
	assert_int_equal(rte_errno, ENOMEM);
	assert_int_equal(rte_eal_get_physmem_size(), 0);
	rte_eal_cleanup();
	assert_true(eal_command_init("--no-pci --no-huge") >= 0);
	assert_non_null(rte_malloc("test", 100, 0));
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

/* ---- memory of the application ---- */

static char external[4 * 4096] __rte_aligned(4096);

static void
test_external_memory_is_found_once_registered(void **state)
{
	rte_iova_t iovas[] = { 0x10000, 0x30000, 0x20000, RTE_BAD_IOVA };
	const struct rte_memseg_list *msl;
	const struct rte_memseg *ms;

	assert_null(rte_mem_virt2memseg(external, NULL));
	assert_int_equal(rte_extmem_register(external, sizeof(external), iovas, 4, 4096), 0);
	msl = rte_mem_virt2memseg_list(external + 5);
	assert_non_null(msl);
	assert_int_equal(msl->external, 1);
	assert_int_equal(msl->heap, 0);
	assert_int_equal(msl->page_sz, 4096);
	ms = rte_mem_virt2memseg(external + 4096 + 7, NULL);
	assert_non_null(ms);
	assert_ptr_equal(ms->addr, external + 4096);
	assert_int_equal(ms->iova, 0x30000);
	assert_ptr_equal(rte_mem_iova2virt(0x20004), external + 2 * 4096 + 4);
	assert_int_equal(rte_malloc_virt2iova(external + 4097), 0x30001);
	assert_true(rte_malloc_virt2iova(external + 3 * 4096) == RTE_BAD_IOVA);
	assert_int_equal(rte_memseg_get_fd(ms), -1);
	assert_int_equal(rte_errno, ENOTSUP);
	assert_int_equal(rte_extmem_attach(external, sizeof(external)), 0);
	assert_int_equal(rte_extmem_detach(external, sizeof(external)), 0);
	assert_int_equal(rte_extmem_unregister(external, sizeof(external)), 0);
	assert_null(rte_mem_virt2memseg(external, NULL));
}

static void
test_external_memory_raises_no_event(void **state)
{
	void *stay = rte_malloc("test", 64, 0);
	struct walked runs = { 0 };

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(rte_mem_event_callback_register("one", event_note, NULL), 0);
	assert_int_equal(rte_extmem_register(external, sizeof(external), NULL, 0, 4096), 0);
	assert_int_equal(rte_memseg_contig_walk(run_count, &runs), 0);
	assert_int_equal(runs.nb, 2);
	assert_ptr_equal(runs.addr, external);
	assert_int_equal(runs.len, SEGMENT + sizeof(external));
	assert_int_equal(rte_extmem_unregister(external, sizeof(external)), 0);
	assert_int_equal(seen.nb, 0);
	rte_free(stay);
}

static void
test_bad_external_memory_is_refused(void **state)
{
	rte_iova_t iovas[4] = { 0 };
	char *ours = rte_malloc("test", 64, 0);
	const struct {
		void *addr;
		size_t len;
		rte_iova_t *iovas;
		unsigned int n;
		size_t page;
		int err;
	} cases[] = {
		{ NULL, 4096, NULL, 0, 4096, EINVAL },
		{ external, 0, NULL, 0, 4096, EINVAL },
		{ external, 4096, NULL, 0, 0, EINVAL },
		{ external, 4096, NULL, 0, 3000, EINVAL },
		{ external + 1, 4096, NULL, 0, 4096, EINVAL },
		{ external, 4097, NULL, 0, 4096, EINVAL },
		{ external, 8192, iovas, 1, 4096, EINVAL },
		{ (void *)(UINTPTR_MAX - 4095), 8192, NULL, 0, 4096, EINVAL },
		{ RTE_PTR_ALIGN_FLOOR(ours, 4096), 4096, NULL, 0, 4096, EEXIST },
		{ external + 8192, 8192, NULL, 0, 4096, 0 },
		{ external, 4 * 4096, NULL, 0, 4096, EEXIST },
		{ external + 3 * 4096, 4096, NULL, 0, 4096, EEXIST },
		{ external, 8192, iovas, 2, 4096, 0 },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		rte_errno = 0;
		assert_int_equal(rte_extmem_register(cases[i].addr, cases[i].len, cases[i].iovas,
			cases[i].n, cases[i].page), cases[i].err == 0 ? 0 : -1);
		assert_int_equal(rte_errno, cases[i].err);
	}
	assert_int_equal(rte_extmem_unregister(external, 4096), -1);
	assert_int_equal(rte_errno, ENOENT);
	assert_int_equal(rte_extmem_unregister(NULL, 4096), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_extmem_attach(external, 4096), -1);
	assert_int_equal(rte_errno, ENOENT);
	assert_int_equal(rte_extmem_detach(external, 0), -1);
	assert_int_equal(rte_errno, EINVAL);
}

static void
test_lists_are_limited_and_reused(void **state)
{
	char *mem = rte_mem_map(NULL, 4096 * RTE_MAX_MEMSEG_LISTS, 0,
			RTE_MAP_ANONYMOUS | RTE_MAP_PRIVATE, -1, 0);
	unsigned int i, nb = 0, round;

	for (round = 0; round < 2; round++) {
		for (nb = 0; nb < RTE_MAX_MEMSEG_LISTS; nb++)
			if (rte_extmem_register(mem + 4096 * nb, 4096, NULL, 0, 4096) != 0)
				break;
		assert_int_equal(rte_errno, ENOSPC);
		assert_in_range(nb, 1, RTE_MAX_MEMSEG_LISTS - 1);
		for (i = 0; i < nb; i++)
			assert_int_equal(rte_extmem_unregister(mem + 4096 * i, 4096), 0);
	}
	rte_mem_unmap(mem, 4096 * RTE_MAX_MEMSEG_LISTS);
}

/* ---- processes ---- */

static int
child_rc(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_a_child_shares_memory_with_its_parent(void **state)
{
	char *ptr = rte_malloc("test", 100, 0);
	pid_t pid;

	strcpy(ptr, "from parent");
	pid = fork();
	if (pid == 0) {
		if (strcmp(ptr, "from parent") != 0)
			_exit(1);
		strcpy(ptr, "from child");
		_exit(0);
	}
	assert_int_equal(child_rc(pid), 0);
	assert_string_equal(ptr, "from child");
	rte_free(ptr);
}

static void
test_a_child_shares_the_heap_with_its_parent(void **state)
{
	char **box = rte_zmalloc("test", sizeof(*box), 0), *ptr = rte_malloc("test", 100, 0);
	struct rte_malloc_socket_stats stats;
	pid_t pid = fork();

	if (pid == 0) {
		rte_free(ptr);
		box[0] = rte_malloc("test", 10 * MIB, 0);
		if (box[0] != NULL)
			memset(box[0], 'c', 10 * MIB);
		/* Thread sanitizer would wait for threads that only the parent has. */
		if (!SANITIZED)
			rte_eal_cleanup();
		_exit(0);
	}
	assert_int_equal(child_rc(pid), 0);
	assert_non_null(box[0]);
	assert_int_equal(box[0][0], 'c');
	assert_int_equal(box[0][10 * MIB - 1], 'c');
	rte_free(box[0]);
	rte_free(box);
	assert_int_equal(rte_malloc_get_socket_stats(rte_socket_id_by_idx(0), &stats), 0);
	assert_int_equal(stats.alloc_count, 0);
	assert_int_equal(rte_eal_get_physmem_size(), SEGMENT);
}

/* ---- threads ---- */

static int
segment_touch(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	bool *ok = arg;

	*ok = *ok && rte_mem_virt2memseg(ms->addr, NULL) == ms && ms->len == msl->seg_len &&
		rte_memseg_get_fd_thread_unsafe(ms) >= 0;
	return 0;
}

static void *
walk_often(void *arg)
{
	bool ok = true;
	int i;

	for (i = 0; i < 2000; i++)
		rte_memseg_walk(segment_touch, &ok);
	return ok ? arg : NULL;
}

static void *
grow_and_shrink(void *arg)
{
	bool ok = true;
	char *ptr;
	int i;

	for (i = 0; i < 200; i++) {
		ptr = rte_malloc("test", 3 * MIB + i * 1000, 0);
		ok = ok && ptr != NULL;
		if (ptr != NULL)
			ptr[0] = ptr[3 * MIB] = 1;
		rte_free(ptr);
	}
	return ok ? arg : NULL;
}

static void
test_walks_and_changes_happen_at_once(void **state)
{
	void *(*const runs[])(void *) = { walk_often, grow_and_shrink, grow_and_shrink,
		walk_often };
	pthread_t threads[RTE_DIM(runs)];
	char ids[RTE_DIM(runs)];
	void *result;
	size_t i;

	for (i = 0; i < RTE_DIM(runs); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, runs[i], &ids[i]), 0);
	for (i = 0; i < RTE_DIM(runs); i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, &ids[i]);
	}
	assert_int_equal(rte_eal_get_physmem_size(), SEGMENT);
}

/* ---- facts ---- */

static void
test_the_layout_can_be_printed(void **state)
{
	char *ptr = rte_malloc("test", 100, 0), *text = NULL, want[64];
	size_t len;
	FILE *f = open_memstream(&text, &len);

	rte_dump_physmem_layout(f);
	fclose(f);
	snprintf(want, sizeof(want), "virt %p", rte_mem_virt2memseg(ptr, NULL)->addr);
	assert_non_null(strstr(text, want));
	free(text);
	assert_int_equal(rte_memory_get_nchannel(), 0);
	assert_int_equal(rte_memory_get_nrank(), 0);
}

/* With EAL running, and without. */
#define WITH(func_) cmocka_unit_test_setup_teardown(func_, eal_start, eal_stop)
#define WITHOUT(func_) cmocka_unit_test_setup_teardown(func_, NULL, eal_stop)
#define FAKED(func_) \
	cmocka_unit_test_setup_teardown(func_, fake_system_start, fake_system_stop)

static const struct CMUnitTest tests[] = {
	WITHOUT(test_fresh_memory_is_zero_and_writable),
	WITHOUT(test_a_file_is_mapped_at_its_offset),
	WITHOUT(test_forced_addresses_are_kept_or_refused),
	WITHOUT(test_bad_mappings_tell_why),
	WITHOUT(test_pages_can_be_locked),
	WITHOUT(test_without_eal_there_is_no_memory),
	WITH(test_a_start_takes_no_memory),
	WITHOUT(test_cleanup_gives_everything_back),
	WITHOUT(test_a_start_that_fails_leaves_nothing),
	WITHOUT(test_preallocated_memory_is_there_and_stays),
	WITHOUT(test_a_kernel_that_cannot_forbid_execution_is_fine),
	WITHOUT(test_more_than_the_machine_has_is_refused),
	WITHOUT(test_base_virtaddr_is_honoured),
	WITHOUT(test_little_address_space_is_enough),
	WITH(test_a_file_size_limit_is_an_error_not_a_signal),
	FAKED(test_iova_mode_is_what_the_system_allows),
	FAKED(test_huge_pages_that_others_have_reserved_are_not_free),
	FAKED(test_in_physical_mode_ordinary_pages_are_no_replacement),
	FAKED(test_huge_pages_that_cannot_be_had_are_replaced),
	FAKED(test_garbage_about_huge_pages_does_no_harm),
	WITHOUT(test_huge_pages_are_used_when_there_are_some),
	WITH(test_no_huge_takes_ordinary_pages),
	WITH(test_an_address_leads_to_its_segment),
	WITH(test_io_addresses_are_virtual_ones),
	WITH(test_windows_are_within_reach_of_a_39_bit_iommu),
	WITH(test_memory_in_one_piece_is_one_run),
	WITH(test_a_hole_splits_a_run),
	WITH(test_a_visitor_can_end_a_walk),
	WITH(test_a_visitor_allocates_what_fits_and_never_hangs),
	WITH(test_what_a_visitor_frees_goes_later),
	WITH(test_freed_memory_costs_the_system_nothing),
	WITH(test_the_file_of_a_segment_has_the_same_bytes),
	WITH(test_a_run_is_one_range_of_one_file),
	WITH(test_a_peer_cannot_shrink_the_file),
	WITH(test_files_of_what_is_no_segment_are_refused),
	WITH(test_events_come_in_order_and_cover_whole_pieces),
	WITH(test_a_callback_uses_memory_and_never_hangs),
	WITH(test_registrations_are_checked),
	WITH(test_a_validator_is_asked_above_its_limit_only),
	WITH(test_validator_registrations_are_checked),
	WITH(test_growth_that_fails_leaves_all_as_it_was),
	WITH(test_a_dma_mask_that_memory_exceeds_is_refused),
	WITH(test_memory_beyond_the_dma_mask_does_not_come),
	WITHOUT(test_physical_addresses_are_known_or_bad),
	WITHOUT(test_a_pagemap_that_cannot_be_read_is_no_address),
	WITHOUT(test_physical_mode_needs_huge_pages),
	WITH(test_external_memory_is_found_once_registered),
	WITH(test_external_memory_raises_no_event),
	WITH(test_bad_external_memory_is_refused),
	WITH(test_lists_are_limited_and_reused),
	WITH(test_a_child_shares_memory_with_its_parent),
	WITH(test_a_child_shares_the_heap_with_its_parent),
	WITH(test_walks_and_changes_happen_at_once),
	WITH(test_the_layout_can_be_printed),
};

TEST_SUITE(memory, "functional", tests, NULL, NULL)
