/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_CONTIGMEM_H
#define EAL_CONTIGMEM_H

/**
 * @file
 * Memory that the kernel module contigmem has set aside: a few buffers of one size, each without
 * a gap in physical memory, and at addresses that are known.
 */

#include <stdint.h>

/** The module has no more. */
#define EAL_CONTIGMEM_MAX 64

struct eal_contigmem {
	unsigned int nb;	/**< buffers */
	uint64_t size;	/**< bytes of each, a power of two */
	uint64_t phys[EAL_CONTIGMEM_MAX];	/**< where they are */
};

/**
 * Ask the kernel what there is. What it says is checked.
 *
 * @return 0; -ENOENT: the module is not loaded; -EPROTO, with a line in the log: what it says
 *   makes no sense; another -errno, with a line in the log
 */
int eal_contigmem_read(struct eal_contigmem *contigmem);

/**
 * Open the buffers, for nobody else at the same time.
 *
 * @return A descriptor, for eal_kernel->close(); -EBUSY: another process has them; another
 *   -errno. There is a line in the log.
 */
int eal_contigmem_open(void);

#endif /* EAL_CONTIGMEM_H */
