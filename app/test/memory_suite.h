/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef MEMORY_SUITE_H
#define MEMORY_SUITE_H

/**
 * @file
 * What suites about EAL's memory share: its start and end around each test, and the counting of
 * what walks come to.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_malloc.h>
#include <rte_memory.h>

/* A sanitizer has its own idea of address space, and does not lock memory. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED false
#endif

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define SEGMENT (2 * MIB)

/** A test while EAL runs, without huge pages. */
#define MEMORY_TEST(func_) cmocka_unit_test_setup_teardown(func_, memory_setup, memory_teardown)

/** One that starts EAL if it needs it. */
#define MEMORY_TEST_ALONE(func_) \
	cmocka_unit_test_setup_teardown(func_, NULL, memory_teardown_alone)

int memory_setup(void **state);
int memory_teardown(void **state);
int memory_teardown_alone(void **state);

/** The numbers of a test are the same in each run; a failure can be repeated. */
uint32_t memory_random_next(uint64_t *seed);

/** The heap's statistics, which are consistent. */
struct rte_malloc_socket_stats memory_stats_now(void);

/** Nothing is allocated, and almost no memory is kept. */
void memory_assert_all_free(void);

bool memory_all_bytes_are(const void *mem, unsigned char value, size_t len);

/** What a walk came to, and what its visitors answer. */
struct memory_walked {
	unsigned int nb;
	size_t len;
	int answer;
	const char *addr;	/**< of the last run */
};

/** Visitors of segments and of runs, whose argument is a struct memory_walked. */
int memory_count_segment(const struct rte_memseg_list *msl, const struct rte_memseg *ms,
	void *arg);
int memory_count_run(const struct rte_memseg_list *msl, const struct rte_memseg *ms, size_t len,
	void *arg);

#endif /* MEMORY_SUITE_H */
