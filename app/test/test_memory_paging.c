/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal_paging.h>
#include <rte_errno.h>
#include <rte_memory.h>

#include "memory_suite.h"
#include "test.h"

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

static const struct CMUnitTest tests[] = {
	MEMORY_TEST_ALONE(test_fresh_memory_is_zero_and_writable),
	MEMORY_TEST_ALONE(test_a_file_is_mapped_at_its_offset),
	MEMORY_TEST_ALONE(test_forced_addresses_are_kept_or_refused),
	MEMORY_TEST_ALONE(test_bad_mappings_tell_why),
	MEMORY_TEST_ALONE(test_pages_can_be_locked),
};
TEST_SUITE(memory_paging, "functional", tests, NULL, NULL)
