/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_MEMORY_H
#define RTE_MEMORY_H

/**
 * @file
 * Memory that devices can use: its segments, their IO addresses and files, and its comings and
 * goings.
 *
 * EAL's memory lives in windows of address space, one for each NUMA node and page size. A window
 * is the file of one memory list (struct rte_memseg_list): an address at distance d from the
 * window's base is byte d of the file, so neighbours in memory are neighbours in the file. The
 * window grows when rte_malloc() needs more and shrinks when memory is free; its parts that
 * exist are the segments (struct rte_memseg).
 *
 * Functions without a word about threads may be called by any thread at any time after
 * rte_eal_init(); before it, and after rte_eal_cleanup(), there is no memory: walks find nothing,
 * look-ups return NULL.
 *
 * A fork()ed child shares this memory with its parent, at the same addresses, heap included.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_compat.h>
#include <rte_config.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RTE_PGSIZE_4K   (1ULL << 12)	/**< 4 KiB */
#define RTE_PGSIZE_64K  (1ULL << 16)	/**< 64 KiB */
#define RTE_PGSIZE_256K (1ULL << 18)	/**< 256 KiB */
#define RTE_PGSIZE_2M   (1ULL << 21)	/**< 2 MiB */
#define RTE_PGSIZE_16M  (1ULL << 24)	/**< 16 MiB */
#define RTE_PGSIZE_256M (1ULL << 28)	/**< 256 MiB */
#define RTE_PGSIZE_512M (1ULL << 29)	/**< 512 MiB */
#define RTE_PGSIZE_1G   (1ULL << 30)	/**< 1 GiB */
#define RTE_PGSIZE_4G   (1ULL << 32)	/**< 4 GiB */
#define RTE_PGSIZE_16G  (1ULL << 34)	/**< 16 GiB */

/** Any NUMA node will do. */
#define SOCKET_ID_ANY -1

/** Flag of a segment that stays until rte_eal_cleanup(), even when all of it is free. */
#define RTE_MEMSEG_FLAG_DO_NOT_FREE RTE_BIT32(0)
/** Flag of a segment that may hold old contents instead of zeros. */
#define RTE_MEMSEG_FLAG_DIRTY RTE_BIT32(1)

/**
 * A segment: memory that is contiguous in virtual and in IO addresses.
 *
 * Huge pages have one segment each. Ordinary pages come in segments of many pages (2 MiB), so
 * that walks and DMA mappings stay few: len is then more than hugepage_sz. Step from segment to
 * segment by len.
 */
struct rte_memseg {
	rte_iova_t iova;	/**< first IO address, or RTE_BAD_IOVA */
	union {
		void *addr;		/**< first virtual address */
		uint64_t addr_64;	/**< the same, always 64 bits wide */
	};
	size_t len;		/**< bytes */
	uint64_t hugepage_sz;	/**< size of the pages below, ordinary ones too, in bytes */
	int32_t socket_id;	/**< NUMA node */
	uint32_t nchannel;	/**< memory channels; 0: unknown */
	uint32_t nrank;		/**< memory ranks; 0: unknown */
	uint32_t flags;		/**< RTE_MEMSEG_FLAG_* */
};

/**
 * A window with segments of one kind.
 *
 * The fields up to heap are those of DPDK. What follows them is private to EAL: there DPDK has
 * its struct rte_fbarray.
 */
struct rte_memseg_list {
	union {
		void *base_va;		/**< where the window begins */
		uint64_t addr_64;	/**< the same, always 64 bits wide */
	};
	uint64_t page_sz;	/**< size of the pages, ordinary or huge, in bytes */
	int socket_id;		/**< NUMA node of all segments */
	volatile uint32_t version;	/**< grows with each change */
	size_t len;		/**< bytes of the window, whether or not there is memory */
	unsigned int external;	/**< 1: memory of the application, see rte_extmem_register() */
	unsigned int heap;	/**< 1: rte_malloc() uses this memory */

	struct rte_memseg *segs;	/**< private: all segments, those without memory too */
	size_t seg_len;		/**< private: bytes of each segment, a multiple of page_sz */
	unsigned int nb_segs;	/**< private: number of segments with or without memory */
	unsigned int nb_used;	/**< private: number of segments with memory */
	int fd;			/**< private: the file behind the window, -1: none */
	uint64_t file_len;	/**< private: bytes of the file */
	uint8_t *in_heap;	/**< private: for each segment, whether the heap has it now */
};

/**
 * Keeps a page in physical memory.
 *
 * @param virt
 *   Any address in the page.
 * @return
 *   0; -1 with rte_errno set to what mlock(2) says.
 */
int
rte_mem_lock_page(const void *virt);

/**
 * The physical address behind a virtual one, as the kernel tells it in /proc/self/pagemap.
 *
 * It stays right only as long as the page is locked or huge.
 *
 * @param virt
 *   An address whose page is in memory.
 * @return
 *   The address, or RTE_BAD_IOVA: the page is not in memory, or the process may not know
 *   (CAP_SYS_ADMIN is needed).
 */
phys_addr_t
rte_mem_virt2phy(const void *virt);

/**
 * The IO address of any mapped memory, not only of EAL's.
 *
 * @param virt
 *   An address whose page is in memory.
 * @return
 *   @p virt itself in the mode RTE_IOVA_VA, else the answer of rte_mem_virt2phy().
 */
rte_iova_t
rte_mem_virt2iova(const void *virt);

/**
 * The virtual address that an IO address stands for.
 *
 * @param iova
 *   An IO address.
 * @return
 *   The address; NULL if no segment has this IO address.
 */
void *
rte_mem_iova2virt(rte_iova_t iova);

/**
 * Finds the segment of an address. Takes no lock, so memory events may call it.
 *
 * @param virt
 *   Any address.
 * @param msl
 *   Its list; NULL if not known.
 * @return
 *   The segment, which lives as long as the memory at this address; NULL if there is no memory of
 *   EAL or of the application (rte_extmem_register()) there.
 */
struct rte_memseg *
rte_mem_virt2memseg(const void *virt, const struct rte_memseg_list *msl);

/**
 * Finds the list of an address. Takes no lock, so memory events may call it.
 *
 * @param virt
 *   Any address.
 * @return
 *   The list whose window holds the address; NULL if none does.
 */
struct rte_memseg_list *
rte_mem_virt2memseg_list(const void *virt);

/**
 * Visits a segment.
 *
 * @param msl
 *   The list of the segment.
 * @param ms
 *   The segment.
 * @param arg
 *   What the caller of the walk gave.
 * @return
 *   0 to go on, 1 to stop, -1 to stop with an error.
 */
typedef int (*rte_memseg_walk_t)(const struct rte_memseg_list *msl, const struct rte_memseg *ms,
		void *arg);

/**
 * Visits a run of segments without a hole.
 *
 * @param msl
 *   The list of the segments.
 * @param ms
 *   The first of them.
 * @param len
 *   Bytes of all of them together.
 * @param arg
 *   What the caller of the walk gave.
 * @return
 *   0 to go on, 1 to stop, -1 to stop with an error.
 */
typedef int (*rte_memseg_contig_walk_t)(const struct rte_memseg_list *msl,
		const struct rte_memseg *ms, size_t len, void *arg);

/**
 * Visits a list.
 *
 * @param msl
 *   The list.
 * @param arg
 *   What the caller of the walk gave.
 * @return
 *   0 to go on, 1 to stop, -1 to stop with an error.
 */
typedef int (*rte_memseg_list_walk_t)(const struct rte_memseg_list *msl, void *arg);

/**
 * Visits every segment, in rising order of addresses within a list; those of the application too.
 *
 * No memory comes or goes during the walk. The visitor may allocate only what fits into memory
 * that is there, else it gets NULL.
 *
 * @param func
 *   Called for each segment.
 * @param arg
 *   Passed to it.
 * @return
 *   0 after the last one, 1 if the visitor stopped, -1 if it reported an error.
 */
int
rte_memseg_walk(rte_memseg_walk_t func, void *arg);

/**
 * Visits every run of segments that has no hole; else as rte_memseg_walk().
 *
 * @param func
 *   Called for each run.
 * @param arg
 *   Passed to it.
 * @return
 *   0 after the last one, 1 if the visitor stopped, -1 if it reported an error.
 */
int
rte_memseg_contig_walk(rte_memseg_contig_walk_t func, void *arg);

/**
 * Visits every list, with or without segments; else as rte_memseg_walk().
 *
 * @param func
 *   Called for each list.
 * @param arg
 *   Passed to it.
 * @return
 *   0 after the last one, 1 if the visitor stopped, -1 if it reported an error.
 */
int
rte_memseg_list_walk(rte_memseg_list_walk_t func, void *arg);

/**
 * rte_memseg_walk() without a lock, for memory events and for holders of
 * rte_mcfg_mem_read_lock().
 *
 * @param func
 *   Called for each segment.
 * @param arg
 *   Passed to it.
 * @return
 *   0 after the last one, 1 if the visitor stopped, -1 if it reported an error.
 */
int
rte_memseg_walk_thread_unsafe(rte_memseg_walk_t func, void *arg);

/**
 * rte_memseg_contig_walk() without a lock, for memory events and for holders of
 * rte_mcfg_mem_read_lock().
 *
 * @param func
 *   Called for each run.
 * @param arg
 *   Passed to it.
 * @return
 *   0 after the last one, 1 if the visitor stopped, -1 if it reported an error.
 */
int
rte_memseg_contig_walk_thread_unsafe(rte_memseg_contig_walk_t func, void *arg);

/**
 * rte_memseg_list_walk() without a lock, for memory events and for holders of
 * rte_mcfg_mem_read_lock().
 *
 * @param func
 *   Called for each list.
 * @param arg
 *   Passed to it.
 * @return
 *   0 after the last one, 1 if the visitor stopped, -1 if it reported an error.
 */
int
rte_memseg_list_walk_thread_unsafe(rte_memseg_list_walk_t func, void *arg);

/**
 * The file behind a segment. All segments of a list have the same one.
 *
 * @param ms
 *   A segment.
 * @return
 *   A descriptor that stays EAL's: map it or send it to another process, but do not close it;
 *   -1 with rte_errno set to
 *   - EINVAL: @p ms is not a segment
 *   - ENOENT: the segment has no memory
 *   - ENOTSUP: memory of the application, whose file EAL does not know
 */
int
rte_memseg_get_fd(const struct rte_memseg *ms);

/**
 * rte_memseg_get_fd() without a lock, for memory events and walks.
 *
 * @param ms
 *   A segment.
 * @return
 *   As rte_memseg_get_fd().
 */
int
rte_memseg_get_fd_thread_unsafe(const struct rte_memseg *ms);

/**
 * Where in its file a segment begins.
 *
 * @param ms
 *   A segment.
 * @param[out] offset
 *   Bytes from the start of the file.
 * @return
 *   0; -1 with rte_errno as rte_memseg_get_fd() sets it, EINVAL also if @p offset is NULL.
 */
int
rte_memseg_get_fd_offset(const struct rte_memseg *ms, size_t *offset);

/**
 * rte_memseg_get_fd_offset() without a lock, for memory events and walks.
 *
 * @param ms
 *   A segment.
 * @param[out] offset
 *   Bytes from the start of the file.
 * @return
 *   As rte_memseg_get_fd_offset().
 */
int
rte_memseg_get_fd_offset_thread_unsafe(const struct rte_memseg *ms, size_t *offset);

/**
 * Makes memory of the application known, so that walks and look-ups find it.
 *
 * The memory stays the application's. Nothing is mapped for DMA (rte_dev_dma_map() and
 * rte_vfio_container_dma_map() do that), so there is no memory event either, and rte_malloc()
 * does not use it.
 *
 * @param va_addr
 *   First byte, a multiple of @p page_sz.
 * @param len
 *   Bytes, a multiple of @p page_sz.
 * @param iova_addrs
 *   The IO address of each page; NULL: they are RTE_BAD_IOVA.
 * @param n_pages
 *   Number of these addresses: that of the pages. Not looked at if @p iova_addrs is NULL.
 * @param page_sz
 *   Bytes of a page, a power of two.
 * @return
 *   0; -1 with rte_errno set to
 *   - EINVAL: an argument is not as described, or the range wraps around
 *   - EEXIST: part of the range is known already
 *   - ENOSPC: too many lists
 *   - ENOMEM: no memory for the list
 */
int
rte_extmem_register(void *va_addr, size_t len, rte_iova_t iova_addrs[], unsigned int n_pages,
		size_t page_sz);

/**
 * Ends rte_extmem_register(). All DMA mappings must be gone.
 *
 * @param va_addr
 *   First byte, as registered.
 * @param len
 *   Bytes, as registered.
 * @return
 *   0; -1 with rte_errno set to EINVAL (NULL or no length) or ENOENT (no such registration).
 */
int
rte_extmem_unregister(void *va_addr, size_t len);

/**
 * Makes another process's registration known here. As all processes that share EAL's memory
 * share its lists, this only checks.
 *
 * @param va_addr
 *   First byte, as registered.
 * @param len
 *   Bytes, as registered.
 * @return
 *   0; -1 with rte_errno set to EINVAL (NULL or no length) or ENOENT (no such registration).
 */
int
rte_extmem_attach(void *va_addr, size_t len);

/**
 * Ends rte_extmem_attach(); only checks, too.
 *
 * @param va_addr
 *   First byte, as registered.
 * @param len
 *   Bytes, as registered.
 * @return
 *   0; -1 with rte_errno set to EINVAL (NULL or no length) or ENOENT (no such registration).
 */
int
rte_extmem_detach(void *va_addr, size_t len);

/**
 * Prints all segments, a line each.
 *
 * @param f
 *   Where to print.
 */
void
rte_dump_physmem_layout(FILE *f);

/**
 * How much memory there is now in all segments, those of the application too.
 *
 * @return
 *   Bytes.
 */
uint64_t
rte_eal_get_physmem_size(void);

/**
 * The number of memory channels.
 *
 * @return
 *   0: unknown. EAL needs it for nothing and has no option to set it.
 */
unsigned int
rte_memory_get_nchannel(void);

/**
 * The number of memory ranks.
 *
 * @return
 *   0: unknown. EAL needs it for nothing and has no option to set it.
 */
unsigned int
rte_memory_get_nrank(void);

/**
 * Checks that a device with narrow addresses can reach all memory. If so, memory that would be out
 * of its reach is refused from now on.
 *
 * @param maskbits
 *   Width of the device's addresses in bits, 1 to 63.
 * @return
 *   0 if each segment's IO addresses fit; -1 if not, or if @p maskbits is out of range.
 */
int
rte_mem_check_dma_mask(uint8_t maskbits);

/**
 * rte_mem_check_dma_mask() without a lock, for memory events and walks.
 *
 * @param maskbits
 *   Width of the device's addresses in bits, 1 to 63.
 * @return
 *   As rte_mem_check_dma_mask().
 */
int
rte_mem_check_dma_mask_thread_unsafe(uint8_t maskbits);

/**
 * Says that a device has narrow addresses before there is memory: a bus does so in its scan. The
 * narrowest wins, until rte_eal_cleanup().
 *
 * @param maskbits
 *   Width of the device's addresses in bits.
 */
void
rte_mem_set_dma_mask(uint8_t maskbits);

/**
 * Whether physical addresses can be used for DMA: the memory is in huge pages, which do not move,
 * and the process may know their addresses.
 *
 * @return
 *   1: yes, 0: no.
 */
int
rte_eal_using_phys_addrs(void);

/** What happens to memory. */
enum rte_mem_event {
	RTE_MEM_EVENT_ALLOC = 0,	/**< it has come and nobody uses it yet */
	RTE_MEM_EVENT_FREE,		/**< it will go and nobody uses it any more */
};

/** Longest name of a memory event callback, with the final zero. */
#define RTE_MEM_EVENT_CALLBACK_NAME_LEN 64

/**
 * Told that memory comes or goes.
 *
 * An event covers all segments that come or go together without a hole between them; they may be
 * many. The callback runs in the thread that allocates or frees, and no other memory comes or goes
 * meanwhile. It may walk and look up segments and allocate what fits into memory that is there.
 *
 * @param event_type
 *   What happens.
 * @param addr
 *   First byte.
 * @param len
 *   Bytes.
 * @param arg
 *   What was given with the callback.
 */
typedef void (*rte_mem_event_callback_t)(enum rte_mem_event event_type, const void *addr,
		size_t len, void *arg);

/**
 * Asks to be told when memory comes or goes. Callbacks are called in the order of registration.
 *
 * To see all memory just once, hold rte_mcfg_mem_read_lock(), walk, register, and let go.
 *
 * @param name
 *   Name of the callback, at most RTE_MEM_EVENT_CALLBACK_NAME_LEN - 1 characters; copied.
 * @param clb
 *   The callback.
 * @param arg
 *   Passed to it; name and arg together identify the registration.
 * @return
 *   0; -1 with rte_errno set to
 *   - EINVAL: no name, a name too long, or no callback
 *   - EEXIST: name and arg are registered
 *   - ENOMEM: no memory
 *   - EDEADLK: called by a memory event callback or validator
 */
int
rte_mem_event_callback_register(const char *name, rte_mem_event_callback_t clb, void *arg);

/**
 * Ends rte_mem_event_callback_register(). The callback does not run any more when this returns.
 *
 * @param name
 *   Name of the callback.
 * @param arg
 *   Its argument.
 * @return
 *   0; -1 with rte_errno set to
 *   - EINVAL: no name, or a name too long
 *   - ENOENT: not registered
 *   - EDEADLK: called by a memory event callback or validator
 */
int
rte_mem_event_callback_unregister(const char *name, void *arg);

/** Longest name of a validator, with the final zero. */
#define RTE_MEM_ALLOC_VALIDATOR_NAME_LEN 64

/**
 * Asked whether more memory may come. Runs as a memory event callback does.
 *
 * @param socket_id
 *   NUMA node of the new memory.
 * @param cur_limit
 *   The limit given with the validator, in bytes.
 * @param new_len
 *   Bytes that EAL would have on this node afterwards.
 * @return
 *   0 to agree, -1 to refuse: the allocation fails.
 */
typedef int (*rte_mem_alloc_validator_t)(int socket_id, size_t cur_limit, size_t new_len);

/**
 * Asks to be asked before EAL takes more memory on a node than a limit.
 *
 * @param name
 *   Name of the validator, at most RTE_MEM_ALLOC_VALIDATOR_NAME_LEN - 1 characters; copied.
 * @param clb
 *   The validator.
 * @param socket_id
 *   NUMA node; name and node together identify the registration.
 * @param limit
 *   Bytes that are fine without asking.
 * @return
 *   0; -1 with rte_errno set to
 *   - EINVAL: no name, a name too long, no validator, or a negative node
 *   - EEXIST: name and node are registered
 *   - ENOMEM: no memory
 *   - EDEADLK: called by a memory event callback or validator
 */
int
rte_mem_alloc_validator_register(const char *name, rte_mem_alloc_validator_t clb, int socket_id,
		size_t limit);

/**
 * Ends rte_mem_alloc_validator_register(). The validator does not run any more when this returns.
 *
 * @param name
 *   Name of the validator.
 * @param socket_id
 *   Its NUMA node.
 * @return
 *   0; -1 with rte_errno set to
 *   - EINVAL: no name, a name too long, or a negative node
 *   - ENOENT: not registered
 *   - EDEADLK: called by a memory event callback or validator
 */
int
rte_mem_alloc_validator_unregister(const char *name, int socket_id);

#ifdef __cplusplus
}
#endif

#endif /* RTE_MEMORY_H */
