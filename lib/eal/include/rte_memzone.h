/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_MEMZONE_H
#define RTE_MEMZONE_H

/**
 * @file
 * Memory with a name: a zone that any part of the program, and any child, finds again.
 *
 * Zones come from the heaps of rte_malloc.h and start as zeros. Any thread may call any function;
 * without EAL there are no zones. rte_eal_cleanup() ends all zones.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <rte_common.h>
#include <rte_compat.h>
#include <rte_memory.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RTE_MEMZONE_2MB 0x00000001	/**< in pages of 2 MiB */
#define RTE_MEMZONE_1GB 0x00000002	/**< in pages of 1 GiB */
#define RTE_MEMZONE_16MB 0x00000100	/**< in pages of 16 MiB */
#define RTE_MEMZONE_16GB 0x00000200	/**< in pages of 16 GiB */
#define RTE_MEMZONE_256KB 0x00010000	/**< in pages of 256 KiB */
#define RTE_MEMZONE_256MB 0x00020000	/**< in pages of 256 MiB */
#define RTE_MEMZONE_512MB 0x00040000	/**< in pages of 512 MiB */
#define RTE_MEMZONE_4GB 0x00080000	/**< in pages of 4 GiB */
#define RTE_MEMZONE_SIZE_HINT_ONLY 0x00000004	/**< other pages will do if these cannot be had */
#define RTE_MEMZONE_IOVA_CONTIG 0x00100000	/**< contiguous in IO addresses */

/** Longest name of a zone, with the final zero. */
#define RTE_MEMZONE_NAMESIZE 32

/** A zone. */
struct rte_memzone {
	char name[RTE_MEMZONE_NAMESIZE];	/**< its name */
	rte_iova_t iova;	/**< first IO address, or RTE_BAD_IOVA */
	union {
		void *addr;		/**< first virtual address */
		uint64_t addr_64;	/**< the same, always 64 bits wide */
	};
	size_t len;		/**< bytes */
	uint64_t hugepage_sz;	/**< size of the pages below, ordinary ones too, in bytes */
	int32_t socket_id;	/**< NUMA node */
	uint32_t flags;		/**< 0: nothing is defined */
};

/**
 * Sets how many zones there can be. Before rte_eal_init() only.
 *
 * @param max
 *   Number of zones, 1 to 2^24.
 * @return
 *   0; -1 if EAL runs, or @p max is out of range.
 */
int
rte_memzone_max_set(size_t max);

/**
 * How many zones there can be.
 *
 * @return
 *   Number of zones, 2560 unless set otherwise.
 */
size_t
rte_memzone_max_get(void);

/**
 * Makes a zone that begins at a multiple of a cache line.
 *
 * @param name
 *   Its name, at most RTE_MEMZONE_NAMESIZE - 1 characters; copied.
 * @param len
 *   Bytes; 0: the largest piece that the heap has free.
 * @param socket_id
 *   NUMA node; SOCKET_ID_ANY: any.
 * @param flags
 *   RTE_MEMZONE_*, combined.
 * @return
 *   The zone, to be ended by rte_memzone_free(); NULL with rte_errno set to
 *   - E_RTE_NO_CONFIG: EAL does not run
 *   - EINVAL: no name, a name too long, no such node, or @p len is beyond all memory
 *   - EEXIST: there is a zone with this name
 *   - ENOSPC: there are as many zones as can be
 *   - ENOMEM: no such memory
 */
const struct rte_memzone *
rte_memzone_reserve(const char *name, size_t len, int socket_id, unsigned int flags);

/**
 * Makes a zone that begins at a multiple of a power of two.
 *
 * @param name
 *   As for rte_memzone_reserve().
 * @param len
 *   As for rte_memzone_reserve().
 * @param socket_id
 *   As for rte_memzone_reserve().
 * @param flags
 *   As for rte_memzone_reserve().
 * @param align
 *   A power of two; 0, and what is less than a cache line: a cache line.
 * @return
 *   As for rte_memzone_reserve(); EINVAL also if @p align is not a power of two.
 */
const struct rte_memzone *
rte_memzone_reserve_aligned(const char *name, size_t len, int socket_id, unsigned int flags,
		unsigned int align);

/**
 * Makes a zone that no multiple of a power of two lies within.
 *
 * @param name
 *   As for rte_memzone_reserve().
 * @param len
 *   As for rte_memzone_reserve(); 0: @p bound bytes, if that is not 0.
 * @param socket_id
 *   As for rte_memzone_reserve().
 * @param flags
 *   As for rte_memzone_reserve().
 * @param align
 *   As for rte_memzone_reserve_aligned().
 * @param bound
 *   The power of two; 0: there is none.
 * @return
 *   As for rte_memzone_reserve_aligned(); EINVAL also if @p bound is not a power of two, or less
 *   than @p len.
 */
const struct rte_memzone *
rte_memzone_reserve_bounded(const char *name, size_t len, int socket_id, unsigned int flags,
		unsigned int align, unsigned int bound);

/**
 * Ends a zone and its memory.
 *
 * @param mz
 *   The zone.
 * @return
 *   0; -EINVAL if it is none.
 */
int
rte_memzone_free(const struct rte_memzone *mz);

/**
 * Finds a zone.
 *
 * @param name
 *   Its name.
 * @return
 *   The zone; NULL with rte_errno ENOENT if there is none.
 */
const struct rte_memzone *
rte_memzone_lookup(const char *name);

/**
 * Prints all zones, a line each.
 *
 * @param f
 *   Where to print.
 */
void
rte_memzone_dump(FILE *f);

/**
 * Visits all zones. The visitor may not make or end one.
 *
 * @param func
 *   Called for each zone.
 * @param arg
 *   Passed to it.
 */
void
rte_memzone_walk(void (*func)(const struct rte_memzone *mz, void *arg), void *arg);

#ifdef __cplusplus
}
#endif

#endif /* RTE_MEMZONE_H */
