/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_EAL_PAGING_H
#define RTE_EAL_PAGING_H

/**
 * @file
 * Mapping of memory, the same on every system. For drivers and buses.
 */

#include <stddef.h>
#include <stdint.h>

#include <rte_compat.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What may be done with mapped memory; flags to be combined, none of them means no access. */
enum rte_mem_prot {
	RTE_PROT_READ = 1 << 0,		/**< may be read */
	RTE_PROT_WRITE = 1 << 1,	/**< may be written */
	RTE_PROT_EXECUTE = 1 << 2,	/**< may be executed */
};

/** How memory is mapped; flags to be combined. */
enum rte_map_flags {
	/** Writes reach the file, so others who map it see them. */
	RTE_MAP_SHARED = 1 << 0,
	/** There is no file; the memory starts as zeros. */
	RTE_MAP_ANONYMOUS = 1 << 1,
	/** Writes stay in this process. */
	RTE_MAP_PRIVATE = 1 << 2,
	/** At the requested address or not at all; replaces what is mapped there. */
	RTE_MAP_FORCE_ADDRESS = 1 << 3,
	/** At the requested address or not at all; fails if anything is mapped there. */
	RTE_MAP_FORCE_ADDRESS_NOREPLACE = 1 << 4,
};

/**
 * Maps part of a file, or fresh memory.
 *
 * Safe in any thread. The mapping belongs to the caller, who ends it with rte_mem_unmap().
 *
 * @param requested_addr
 *   Wanted address, a multiple of the page size; NULL lets the system choose. Without one of the
 *   FORCE_ADDRESS flags it is only a hint.
 * @param size
 *   Bytes to map, more than 0.
 * @param prot
 *   Combination of enum rte_mem_prot.
 * @param flags
 *   Combination of enum rte_map_flags with one of RTE_MAP_SHARED and RTE_MAP_PRIVATE.
 * @param fd
 *   Open file; -1 with RTE_MAP_ANONYMOUS. It may be closed while the mapping lives.
 * @param offset
 *   Where in the file the mapping begins, a multiple of the page size.
 * @return
 *   The address; NULL with rte_errno set to
 *   - EEXIST: the range is not free (RTE_MAP_FORCE_ADDRESS_NOREPLACE)
 *   - EINVAL: a size of 0, an offset beyond what the system can express, or as mmap(2) says
 *   - what mmap(2) says: EACCES, EAGAIN, EBADF, ENODEV, ENOMEM, EPERM
 */
__rte_internal
void *
rte_mem_map(void *requested_addr, size_t size, int prot, int flags, int fd, uint64_t offset);

/**
 * Ends a mapping, or a part of one.
 *
 * Safe in any thread; nobody may use the range afterwards.
 *
 * @param virt
 *   First byte, a multiple of the page size.
 * @param size
 *   Bytes, more than 0; rounded up to whole pages.
 * @return
 *   0; -1 with rte_errno set to EINVAL (not aligned, size of 0) or ENOMEM (a mapping would have
 *   to be split and there are too many).
 */
__rte_internal
int
rte_mem_unmap(void *virt, size_t size);

/**
 * The size of an ordinary page.
 *
 * Safe in any thread, before rte_eal_init() too.
 *
 * @return
 *   Bytes, a power of two.
 */
__rte_internal
size_t
rte_mem_page_size(void);

/**
 * Keeps every page that the range touches in physical memory, reading them in first.
 *
 * Safe in any thread. Ends when the range is unmapped.
 *
 * @param virt
 *   First byte; need not be aligned.
 * @param size
 *   Bytes.
 * @return
 *   0; -1 with rte_errno set to what mlock(2) says: ENOMEM (more than RLIMIT_MEMLOCK, or not all
 *   of the range is mapped), EPERM, EAGAIN.
 */
__rte_internal
int
rte_mem_lock(const void *virt, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* RTE_EAL_PAGING_H */
