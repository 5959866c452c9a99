/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_INTR_SOURCE_H
#define EAL_INTR_SOURCE_H

/**
 * @file
 * What the interrupt thread waits for: descriptors with their callbacks.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <rte_interrupts.h>
#include <rte_os_shim.h>

/** For "any argument". */
#define ANY_ARG ((void *)-1)

struct intr_callback {
	TAILQ_ENTRY(intr_callback) next;
	uint64_t round;	/**< the callback's first round */
	rte_intr_callback_fn fn;
	void *arg;
	rte_intr_unregister_callback_fn on_gone;
	bool doomed;	/**< starts no more, freed when the round is over */
};

TAILQ_HEAD(intr_callback_list, intr_callback);

/**
 * A descriptor with its callbacks. It is watched by number, not by address, so an event
 * that comes late finds nothing rather than freed memory. One reference each for the list, for
 * the thread that runs a round of its callbacks, and for every thread that waits for that.
 */
struct intr_source {
	LIST_ENTRY(intr_source) next;
	uint64_t id;
	unsigned int refs;
	bool listed;
	bool active;	/**< a round of its callbacks is running */
	struct rte_intr_handle *handle;	/**< copy of the first callback's */
	struct intr_callback_list callbacks;
};

/** All of them, and what the thread is at. */
extern struct eal_intr_state {
	LIST_HEAD(, intr_source) sources;
	pthread_mutex_t lock;	/**< of all that is here */
	pthread_cond_t round_over;
	struct intr_source *running;	/**< source whose round it is */
	uint64_t round_nb;
	bool leftovers;	/**< a descriptor is watched that we could not take out */
	int poll_fd;	/**< -1: nothing is watched yet */
} eal_intr;

/* All of these are called with the lock held. */

/** A source with one reference, which is the caller's until it is listed; NULL: no memory. */
struct intr_source *eal_intr_source_new(const struct rte_intr_handle *handle);
void eal_intr_source_unref(struct intr_source *source);

/** A listed one, or NULL. */
struct intr_source *eal_intr_source_by_id(uint64_t id);
struct intr_source *eal_intr_source_by_fd(int fd);

/** Have its descriptor watched, for the first time or anew. @return 0, or -errno */
int eal_intr_source_watch(const struct intr_source *source);
int eal_intr_source_watch_again(const struct intr_source *source);

/** Have it watched and listed. @return 0, or -errno */
int eal_intr_source_list(struct intr_source *source);

/**
 * Keeps the callbacks from starting again; a source that has no others is listed no more.
 *
 * @return how many they are
 */
int eal_intr_source_doom(struct intr_source *source, rte_intr_callback_fn fn, const void *arg,
	rte_intr_unregister_callback_fn on_gone);
void eal_intr_source_doom_all(struct intr_source *source);

/** Frees the doomed; each is told, without the lock. */
void eal_intr_source_bury(struct intr_source *source);

#endif /* EAL_INTR_SOURCE_H */
