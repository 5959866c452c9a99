/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "memory_suite.h"
#include "test.h"

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
	struct memory_walked run = { 0 };
	size_t first, off, len;
	int fd;

	assert_non_null(rte_malloc("test", 20 * MIB, 0));
	assert_int_equal(rte_memseg_contig_walk(memory_count_run, &run), 0);
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

static const struct CMUnitTest tests[] = {
	MEMORY_TEST(test_freed_memory_costs_the_system_nothing),
	MEMORY_TEST(test_the_file_of_a_segment_has_the_same_bytes),
	MEMORY_TEST(test_a_run_is_one_range_of_one_file),
	MEMORY_TEST(test_a_peer_cannot_shrink_the_file),
	MEMORY_TEST(test_files_of_what_is_no_segment_are_refused),
	MEMORY_TEST(test_a_child_shares_memory_with_its_parent),
	MEMORY_TEST(test_a_child_shares_the_heap_with_its_parent),
};
TEST_SUITE(memory_share, "functional", tests, NULL, NULL)
