/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "eal_command.h"
#include "interpose.h"
#include "memory_suite.h"
#include "resources.h"
#include "test.h"

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
	/* the second one rounded up to whole segments is 0 in 64 bits */
	static const char *const wishes[] = { "4000000", "17592186044415" };
	char options[64];
	size_t i;

	for (i = 0; i < RTE_DIM(wishes); i++) {
		snprintf(options, sizeof(options), "--no-pci --no-huge -m %s", wishes[i]);
		assert_int_equal(eal_command_init(options), -1);
		assert_int_equal(rte_errno, ENOMEM);
		assert_null(rte_malloc("test", 1, 0));
	}
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

static const struct CMUnitTest tests[] = {
	MEMORY_TEST_ALONE(test_without_eal_there_is_no_memory),
	MEMORY_TEST(test_a_start_takes_no_memory),
	MEMORY_TEST_ALONE(test_cleanup_gives_everything_back),
	MEMORY_TEST_ALONE(test_a_start_that_fails_leaves_nothing),
	MEMORY_TEST_ALONE(test_preallocated_memory_is_there_and_stays),
	MEMORY_TEST_ALONE(test_a_kernel_that_cannot_forbid_execution_is_fine),
	MEMORY_TEST_ALONE(test_more_than_the_machine_has_is_refused),
	MEMORY_TEST_ALONE(test_base_virtaddr_is_honoured),
	MEMORY_TEST_ALONE(test_little_address_space_is_enough),
	MEMORY_TEST(test_a_file_size_limit_is_an_error_not_a_signal),
};
TEST_SUITE(memory_start, "functional", tests, NULL, NULL)
