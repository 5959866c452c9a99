/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_MALLOC_H
#define RTE_MALLOC_H

/**
 * @file
 * A heap in memory that devices can use (rte_memory.h), one for each NUMA node.
 *
 * A heap takes memory from the system when it needs more, and gives whole segments back when they
 * are free, but for up to a few MiB that it keeps for the next allocation.
 *
 * Any thread may call any function, and a fork()ed child may free what its parent allocated, and
 * the other way round. Before rte_eal_init() and after rte_eal_cleanup() nothing can be allocated;
 * rte_eal_cleanup() ends all allocations. Within a memory event callback or a walk, an allocation
 * succeeds only if it fits into memory that is there.
 *
 * An allocation is contiguous in IO addresses in the mode RTE_IOVA_VA, and in the mode RTE_IOVA_PA
 * as far as it stays in one segment.
 *
 * Functions that allocate set rte_errno when they return NULL:
 * - EINVAL: the size is 0, the alignment is not a power of two, or there is no such node
 * - ENOMEM: no memory, or the size is beyond all memory
 */

#include <stddef.h>
#include <stdio.h>

#include <rte_common.h>
#include <rte_compat.h>
#include <rte_memory.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a heap has, see rte_malloc_get_socket_stats(). */
struct rte_malloc_socket_stats {
	size_t heap_totalsz_bytes;	/**< all memory of the heap */
	size_t heap_freesz_bytes;	/**< what of it is free */
	size_t greatest_free_size;	/**< the largest free piece */
	unsigned int free_count;	/**< number of free pieces */
	unsigned int alloc_count;	/**< number of allocations */
	size_t heap_allocsz_bytes;	/**< allocations, with what the heap needs for itself */
};

/**
 * Ends an allocation.
 *
 * A pointer that is no allocation (any more) is reported in the log, as far as that can be told.
 *
 * @param ptr
 *   What an allocating function of this file returned; NULL does nothing.
 */
void
rte_free(void *ptr);

/**
 * Overwrites an allocation with zeros, so that no secret stays in memory, and ends it.
 *
 * @param ptr
 *   What an allocating function of this file returned; NULL does nothing.
 */
__rte_experimental
void
rte_free_sensitive(void *ptr);

/**
 * Allocates memory on the NUMA node of the calling thread, on another node if that has none left.
 *
 * @param type
 *   For the reader of the program; may be NULL.
 * @param size
 *   Bytes, more than 0.
 * @param align
 *   The address is a multiple of this power of two, and of a cache line in any case; 0: just
 *   that.
 * @return
 *   Memory with any contents, to be ended by rte_free(); NULL on error, see the top of this file.
 */
void *
rte_malloc(const char *type, size_t size, unsigned int align)
	__rte_alloc_size(2) __rte_malloc __rte_dealloc(rte_free, 1);

/**
 * rte_malloc() of zeros.
 *
 * @param type
 *   For the reader of the program; may be NULL.
 * @param size
 *   Bytes, more than 0.
 * @param align
 *   As for rte_malloc().
 * @return
 *   Zeroed memory, to be ended by rte_free(); NULL on error, see the top of this file.
 */
void *
rte_zmalloc(const char *type, size_t size, unsigned int align)
	__rte_alloc_size(2) __rte_malloc __rte_dealloc(rte_free, 1);

/**
 * rte_zmalloc() of an array.
 *
 * @param type
 *   For the reader of the program; may be NULL.
 * @param num
 *   Number of elements, more than 0. The product of @p num and @p size may not overflow: ENOMEM.
 * @param size
 *   Bytes of each, more than 0.
 * @param align
 *   As for rte_malloc().
 * @return
 *   Zeroed memory, to be ended by rte_free(); NULL on error, see the top of this file.
 */
void *
rte_calloc(const char *type, size_t num, size_t size, unsigned int align)
	__rte_alloc_size(2, 3) __rte_malloc __rte_dealloc(rte_free, 1);

/**
 * Changes the size of an allocation, in place if possible, and keeps the contents up to the
 * smaller size.
 *
 * @param ptr
 *   An allocation, which is ended unless NULL is returned for an error; NULL: as rte_malloc().
 * @param size
 *   Bytes; 0: as rte_free(), returns NULL.
 * @param align
 *   As for rte_malloc(); moves the memory if it is not aligned so.
 * @return
 *   The memory, maybe elsewhere, to be ended by rte_free(); NULL on error, see the top of this
 *   file: the allocation is then as before.
 */
void *
rte_realloc(void *ptr, size_t size, unsigned int align)
	__rte_alloc_size(2);

/**
 * rte_realloc() that moves the memory to a node if it is not there.
 *
 * @param ptr
 *   As for rte_realloc().
 * @param size
 *   As for rte_realloc().
 * @param align
 *   As for rte_realloc().
 * @param socket
 *   NUMA node; SOCKET_ID_ANY: any.
 * @return
 *   As for rte_realloc().
 */
void *
rte_realloc_socket(void *ptr, size_t size, unsigned int align, int socket)
	__rte_alloc_size(2);

/**
 * rte_malloc() on a certain node, and on no other.
 *
 * @param type
 *   For the reader of the program; may be NULL.
 * @param size
 *   Bytes, more than 0.
 * @param align
 *   As for rte_malloc().
 * @param socket
 *   NUMA node; SOCKET_ID_ANY: as rte_malloc().
 * @return
 *   Memory with any contents, to be ended by rte_free(); NULL on error, see the top of this file.
 */
void *
rte_malloc_socket(const char *type, size_t size, unsigned int align, int socket)
	__rte_alloc_size(2) __rte_malloc __rte_dealloc(rte_free, 1);

/**
 * rte_zmalloc() on a certain node, and on no other.
 *
 * @param type
 *   For the reader of the program; may be NULL.
 * @param size
 *   Bytes, more than 0.
 * @param align
 *   As for rte_malloc().
 * @param socket
 *   NUMA node; SOCKET_ID_ANY: as rte_zmalloc().
 * @return
 *   Zeroed memory, to be ended by rte_free(); NULL on error, see the top of this file.
 */
void *
rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket)
	__rte_alloc_size(2) __rte_malloc __rte_dealloc(rte_free, 1);

/**
 * rte_calloc() on a certain node, and on no other.
 *
 * @param type
 *   For the reader of the program; may be NULL.
 * @param num
 *   Number of elements, more than 0.
 * @param size
 *   Bytes of each, more than 0.
 * @param align
 *   As for rte_malloc().
 * @param socket
 *   NUMA node; SOCKET_ID_ANY: as rte_calloc().
 * @return
 *   Zeroed memory, to be ended by rte_free(); NULL on error, see the top of this file.
 */
void *
rte_calloc_socket(const char *type, size_t num, size_t size, unsigned int align, int socket)
	__rte_alloc_size(2, 3) __rte_malloc __rte_dealloc(rte_free, 1);

/**
 * Checks that a pointer is an allocation and that nobody wrote over its ends.
 *
 * @param ptr
 *   The pointer.
 * @param[out] size
 *   Bytes that may be used: at least those asked for; may be NULL.
 * @return
 *   0 if all is well, else -1.
 */
int
rte_malloc_validate(const void *ptr, size_t *size);

/**
 * Tells what the heap of a NUMA node has.
 *
 * @param socket
 *   NUMA node.
 * @param[out] socket_stats
 *   The answer.
 * @return
 *   0; -1 with rte_errno EINVAL if there is no such node, or @p socket_stats is NULL.
 */
int
rte_malloc_get_socket_stats(int socket, struct rte_malloc_socket_stats *socket_stats);

/**
 * Prints what each heap has.
 *
 * @param f
 *   Where to print.
 * @param type
 *   Not looked at, types are not recorded; may be NULL.
 */
void
rte_malloc_dump_stats(FILE *f, const char *type);

/**
 * Prints each piece of each heap.
 *
 * @param f
 *   Where to print.
 */
void
rte_malloc_dump_heaps(FILE *f);

/**
 * The IO address of allocated memory.
 *
 * @param addr
 *   An allocation, or an address within it.
 * @return
 *   The IO address; RTE_BAD_IOVA if there is no segment at @p addr.
 */
rte_iova_t
rte_malloc_virt2iova(const void *addr);

#ifdef __cplusplus
}
#endif

#endif /* RTE_MALLOC_H */
