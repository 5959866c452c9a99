/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef INTR_PROBE_H
#define INTR_PROBE_H

/**
 * @file
 * What suites about EAL's interrupts share: handles, and sources of interrupts that the test
 * fires, whose callbacks note what they see. Functions fail the test if they cannot do what they
 * should.
 */

#include <semaphore.h>
#include <stdint.h>

#include <rte_interrupts.h>

/*
 * With kqueue, which the fake FreeBSD has, a file may be waited for, and a descriptor that was
 * closed is forgotten although its file is open elsewhere.
 */
#ifndef WAITS_BY_EPOLL
#define WAITS_BY_EPOLL 1
#endif

/** For rte_intr_callback_unregister(): of any argument. */
#define ANY_ARG ((void *)-1)

/** A source of interrupts, and what its callback saw and is to do. */
struct intr_probe {
	struct rte_intr_handle *handle;
	int fd;
	sem_t called;
	unsigned int calls;
	int in_intr_thread;
	uint32_t flags;
	int rc;	/**< of what the callback did */
	struct intr_probe *other;
};

/** Setup and teardown of a suite: the interrupt thread runs. */
int intr_suite_start(void **state);
int intr_suite_stop(void **state);

/** A handle, empty or of a descriptor. */
struct rte_intr_handle *intr_handle_empty(void);
struct rte_intr_handle *intr_handle_new(enum rte_intr_handle_type type, int fd);

/** A probe on an eventfd, or on a descriptor that is now its own. */
void intr_probe_init(struct intr_probe *probe);
void intr_probe_init_fd(struct intr_probe *probe, enum rte_intr_handle_type type, int fd);
void intr_probe_fini(struct intr_probe *probe);

void intr_probe_fire(const struct intr_probe *probe);

/** Wait until its callback was called once more. */
void intr_probe_wait(struct intr_probe *probe);

/** The callback of most: it notes the call. Its argument is the probe. */
void intr_probe_called(void *arg);

/** One that goes on when the test posts this, and then counts 100 more calls. */
extern sem_t intr_go_on;
void intr_probe_wait_for_go(void *arg);

/** Register and take back a callback whose argument is the probe. */
void intr_probe_register(struct intr_probe *probe, rte_intr_callback_fn fn);
void intr_probe_unregister(struct intr_probe *probe, rte_intr_callback_fn fn);

/** Returns when the interrupt thread is done with all that was ready before. */
void intr_barrier(void);

#endif /* INTR_PROBE_H */
