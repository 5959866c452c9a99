/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RESOURCES_H
#define RESOURCES_H

/**
 * @file
 * What the process holds: open descriptors, mappings made by mmap(), heap bytes. A test takes a
 * snapshot, acts, and asserts that all is as before.
 */

#include <stddef.h>

/** A snapshot; fields are for resources.c. */
struct resources {
	size_t heap;
	void *pages;	/**< own memory, outside of what is counted */
	size_t pages_len;
};

/** Takes a snapshot. End it with resources_drop(). */
void resources_take(struct resources *r);

void resources_drop(struct resources *r);

/**
 * Writes to @p text, a line each, what is there now and was not at @p before, or the reverse; of
 * the heap, only more. Returns the number of differences.
 */
unsigned int resources_diff(const struct resources *before, char *text, size_t size);

/** resources_diff() that gives other threads a little time to come to rest. */
unsigned int resources_diff_settled(const struct resources *before, char *text, size_t size);

/**
 * Repeat a round until it leaves nothing behind, and fail the test if it always does. The first
 * ones fill what is kept for good, and the heap may give a block that is longer than asked for;
 * what is lost is lost in all rounds.
 *
 * @param least
 *   At least so many rounds.
 * @param most
 *   At most so many, 1 or more.
 */
void resources_rounds(void (*round)(void *ctx), void *ctx, unsigned int least, unsigned int most);

/**
 * Have so many threads at a time, and let each call @p each, or NULL: what is kept of threads for
 * later ones is there before something is counted. @p stack bytes each; 0: as is usual.
 */
void resources_warm_up(unsigned int nb_threads, size_t stack, void (*each)(void));

/** Fails the test if anything differs from @p before; prints what. */
void resources_assert_same(const struct resources *before);

#endif /* RESOURCES_H */
