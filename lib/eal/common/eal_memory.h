/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_MEMORY_H
#define EAL_MEMORY_H

/**
 * @file
 * Memory as the other parts of EAL see it.
 *
 * Layers, lowest first: eal_segments (a window grows and shrinks), eal_memory (which window, who
 * is told), eal_malloc_heap (blocks within memory), eal_malloc (the public allocator).
 *
 * Locks, outermost first: the growing of the heaps (one at a time), the memory layout
 * (rte_mcfg_mem_*), then either one heap or the list of callbacks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_eal.h>
#include <rte_memory.h>

/**
 * Sets up the windows and the heaps as the options say; memory comes when it is needed, except
 * that -m takes its part at once.
 *
 * @return 0; -EALREADY; -ENOMEM: no address space, or no memory for -m; or what the system says.
 */
int
eal_memory_init(void);

/** Gives back all memory and forgets the callbacks. 0 always; may be repeated. */
int
eal_memory_cleanup(void);

/** Forgets the DMA mask and what is known of physical addresses. 0 always. */
int
eal_iova_reset(void);

/**
 * Decides what kind of addresses devices get.
 *
 * @param wanted What the user asks for, RTE_IOVA_DC: nothing.
 * @param bus What the buses need, from rte_bus_get_iommu_class().
 * @param[out] mode RTE_IOVA_PA or RTE_IOVA_VA.
 * @return 0; -ENOTSUP, with the reason in the log: physical addresses must be used but cannot.
 */
int
eal_iova_mode_pick(enum rte_iova_mode wanted, enum rte_iova_mode bus, enum rte_iova_mode *mode);

/** Part of a window. */
struct eal_piece {
	struct rte_memseg_list *msl;
	char *addr;
	size_t len;
};

/**
 * Takes memory on a node from the system, tells everybody, and hands it out.
 *
 * @param socket NUMA node.
 * @param len At least so many bytes, in one piece.
 * @param flags RTE_MEMSEG_FLAG_* of its segments.
 * @param[out] piece The memory.
 * @return 0; -ENOMEM; -EDEADLK: the calling thread is in a walk or a callback.
 */
int
eal_memory_add(int socket, size_t len, uint32_t flags, struct eal_piece *piece);

/** Tells everybody that memory goes, and gives it back to the system. */
void
eal_memory_remove(const struct eal_piece *piece);

/** NUMA nodes that have memory, at least one, in rising order. Returns how many; at most @p max. */
unsigned int
eal_memory_nodes(int *nodes, unsigned int max);

/** Sets up a heap for each node. 0, -ENOMEM. */
int
eal_malloc_init(const int *nodes, unsigned int nb_nodes);
void
eal_malloc_cleanup(void);

/** Sets up the table of zones. 0, -ENOMEM. */
int
eal_memzone_init(void);
void
eal_memzone_cleanup(void);

/** Gives the heap of the calling thread's node memory that stays. 0, -ENOMEM. */
int
eal_malloc_preallocate(size_t len);

/** The lists, 0 to eal_memory_nb_lists() - 1; those without a base are not in use. */
struct rte_memseg_list *
eal_memory_list(unsigned int i);
unsigned int
eal_memory_nb_lists(void);

/** The place of a list among them. */
unsigned int
eal_memory_list_index(const struct rte_memseg_list *msl);

/** The list whose window holds the address, or NULL. */
struct rte_memseg_list *
eal_memory_list_of(const void *addr);

/** A list that is not in use, or NULL. The lock of the memory layout is held for writing. */
struct rte_memseg_list *
eal_memory_list_alloc(void);

/** To be told after each change of a list, with the memory layout locked for writing. */
void
eal_memory_list_changed(struct rte_memseg_list *msl);

/** Memory that children will share, zeroed; NULL: there is none. */
void *
eal_shared_alloc(size_t len);
void
eal_shared_free(void *addr, size_t len);

/** The narrowest DMA mask in bits; 0: none. */
unsigned int
eal_dma_mask(void);

/** Whether [iova, iova + len) can be reached with addresses of @p maskbits bits; 0: any width. */
bool
eal_dma_mask_fits(rte_iova_t iova, size_t len, unsigned int maskbits);

/** What must be there so that rte_eal_using_phys_addrs(), for a line in the log. */
extern const char *const eal_phys_addrs_need;

/** What rte_eal_using_phys_addrs() found may have changed. */
void
eal_phys_addrs_forget(void);

/** rte_mcfg_mem_write_lock(), or -EDEADLK if the calling thread has the lock in some way. */
int
eal_memory_write_lock(void);

/** Whether the calling thread has the lock of the memory layout. */
bool
eal_memory_lock_held(void);

/* Callbacks and validators; the lock of the memory layout is held for writing. */
void
eal_memory_notify(enum rte_mem_event event, const struct eal_piece *piece);
/** 0, or -EPERM: a validator refuses that there be @p new_len bytes on the node. */
int
eal_memory_validate(int socket, size_t new_len);
void
eal_memory_callbacks_forget(void);

#endif /* EAL_MEMORY_H */
