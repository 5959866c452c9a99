/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_PAIR_H
#define VU_PAIR_H

/**
 * @file
 * The library's client at the library's server: over a socket file and over a socketpair. What is
 * said of a command at one end must be what comes out at the other.
 */

#include <stdint.h>

#include <rte_vfio_user.h>

#include "resources.h"
#include "test.h"
#include "vu_served.h"

#define PAIR_PAGE 4096u
#define PAIR_RW   (PROT_READ | PROT_WRITE)

/** How a pair differs from the usual one. */
struct pair_how {
	struct rte_vfio_user_options server;
	struct rte_vfio_user_attach_options client;
	void (*prepare)(struct served *served);	/**< before the start; or NULL */
};

struct pair {
	struct resources before;
	struct served served;
	int dev_id;	/**< the client's; < 0: why it could not attach */
};

/**
 * Fixtures of a test. *state is a struct pair; what it was before, a struct pair_how or NULL, is
 * how to make it.
 */
int pair_setup_file(void **state);
int pair_setup_sockets(void **state);
int pair_teardown(void **state);

/** The test over both kinds of sockets. */
#define PAIR_TESTS_HOW(name_, how_) \
	{ #name_ "_over_a_file", name_, pair_setup_file, pair_teardown, how_ }, \
	{ #name_ "_over_a_socketpair", name_, pair_setup_sockets, pair_teardown, how_ }
#define PAIR_TESTS(name_) PAIR_TESTS_HOW(name_, NULL)

/** Let the device use memory: of a memfd, or by messages with @p fd -1. @return as dma_map() */
int pair_map(struct pair *pair, uint64_t gpa, uint64_t size, uint32_t prot, int fd,
	uint64_t fd_offset);

/** Take memory away. @return as dma_unmap() */
int pair_unmap(struct pair *pair, uint64_t gpa, uint64_t size);

/** A register that calls served.hook() is written. @return as region_write() */
int pair_hook(struct pair *pair, uint64_t value);

/** A device that can be migrated, for pair_how.prepare. Its state is these bytes. */
#define PAIR_STATE_LEN 300000u
extern uint8_t pair_state[PAIR_STATE_LEN];	/**< what the device is */
extern uint32_t pair_mig_state;	/**< VFIO_DEVICE_STATE_* */
void pair_migratable(struct served *served);

/** Bring it into a state, VFIO_DEVICE_STATE_*. */
void pair_set_state(struct pair *pair, uint32_t state);

/* Sets of states. */
#define PAIR_IN(name_) (1u << VFIO_DEVICE_STATE_##name_)
#define PAIR_IN_PRE_COPY (1u << 6)

/** In each state a call gives @p rc, if it is one of @p states, or else -EINVAL. */
void pair_expect_in_states(struct pair *pair, int (*call)(int dev_id), uint32_t states, int rc);

#endif /* VU_PAIR_H */
