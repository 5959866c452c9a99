/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_SERVED_H
#define VU_SERVED_H

/**
 * @file
 * A device for tests of the server: registers that remember what is written to them, a region in
 * memory, one that can be mapped in parts, all types of interrupts, and a record of its callbacks.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_vfio_user.h>

#include "resources.h"
#include "vu_peer.h"

/* Regions. */
#define SERVED_REGS     0u	/**< 4 KiB of registers, by callback */
#define SERVED_MEM      1u	/**< 64 KiB, answered from memory */
#define SERVED_MAPPABLE 2u	/**< 64 KiB, two areas can be mapped, by callback too */
#define SERVED_LARGE    3u	/**< 2 MiB, by callback */
#define SERVED_ROM      4u	/**< 4 KiB that can only be read */
#define SERVED_WHOLE    5u	/**< 64 KiB, can be mapped as a whole */
#define SERVED_CONFIG   7u	/**< 256 bytes */
#define SERVED_SINK     8u	/**< 2 MiB of a device that looks at no byte */
#define SERVED_REGIONS  9u
#define SERVED_IRQS     5u
#define SERVED_MSIX_NB  64u

/* Registers with an effect, offsets in SERVED_REGS. */
#define SERVED_REG_FAIL  0xff0u	/**< any access fails with -EPERM */
#define SERVED_REG_SHORT 0xff4u	/**< any access handles too few bytes */
#define SERVED_REG_HOOK  0xff8u	/**< a write calls served.hook() */

struct served {
	char dir[64];
	char path[96];
	int dev_id;
	struct resources before;
	uint8_t regs[4096];
	uint8_t *large;
	uint8_t mem[65536];
	uint8_t *map;	/**< of map_fd */
	int map_fd;
	int (*hook)(struct served *served, uint64_t value);	/**< its errno goes to the client */
	void (*_Atomic gone)(struct served *served);	/**< called by destroy_device() */
	/** Called by lock_dp(1), and before SERVED_LARGE takes data. */
	void (*_Atomic takes_time)(struct served *served);
	_Atomic uint64_t writes;	/**< to registers */
	_Atomic uint64_t sum;	/**< of the 4-byte values written to register 0 */
	atomic_int new_device;
	atomic_int destroy_device;
	atomic_int update_status;
	atomic_int reset_device;
	atomic_int locked;	/**< lock_dp(1) less lock_dp(0) */
	atomic_int locks;
	atomic_int refuse_lock;	/**< what lock_dp(1) returns */
	atomic_int refuse_new;
	atomic_int refuse_reset;
	atomic_bool skip_copy;	/**< SERVED_LARGE leaves data as they are */
	void *priv;	/**< the test's */
};

/** Make a device and start to serve it. @p opt NULL: the defaults. */
void served_start(struct served *served, const struct rte_vfio_user_options *opt);

/** The same, without the start. */
void served_prepare(struct served *served, const struct rte_vfio_user_options *opt);

/** The same, under another name. */
void served_register(struct served *served, const char *path,
	const struct rte_vfio_user_options *opt);

/** End it; nothing must be left. */
void served_stop(struct served *served);

/** Fixture of a suite that counts resources: whatever stays for ever is there. */
int served_warm_up(void **state);

/** The same for suites that have several sessions. */
int served_warm_up_sessions(void **state);

/** A test of a session that is served. */
#define SERVED_TEST(name_) \
	cmocka_unit_test_setup_teardown(name_, served_setup, served_teardown)

/** A client can use it. */
void served_expect(const char *path);

/** Fixtures of a test: *state is a struct served that is started. */
int served_setup(void **state);
int served_teardown(void **state);

/** Wait until a counter has a value, with a limit. */
void served_wait(const atomic_int *counter, int value);

/** Regions in the table of memory. */
uint32_t served_nb_regions(const struct served *served);

/** The device of a dev_id; NULL: none. */
struct served *served_of(int dev_id);

#endif /* VU_SERVED_H */
