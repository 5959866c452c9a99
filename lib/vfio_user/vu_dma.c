/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_dirty.h"
#include "vu_dma.h"
#include "vu_sigbus.h"

/* The region that a thread found last. Right as long as the generation is the table's. */
struct last_find {
	uint64_t generation;
	const struct vu_dma_region *region;
};

/* Found without a call, also in a shared library. */
static _Thread_local struct last_find last_find __attribute__((tls_model("initial-exec")));

/*
 * Readers and the writer agree on one order of what they do to root, generation and epochs: all
 * of it is sequentially consistent, which costs a reader nothing on most processors.
 */

/*
 * A table counts by itself, in a range that no other one has: so a thread need not remember which
 * table it looked at.
 */
#define GENERATIONS (UINT64_C(1) << 32)

static uint64_t
generation_range(void)
{
	static _Atomic uint64_t ranges;

	return (atomic_fetch_add(&ranges, 1) + 1) * GENERATIONS;
}

static void
generation_next(struct vu_dma *dma)
{
	uint64_t next = atomic_load_explicit(&dma->generation, memory_order_relaxed) + 1;

	if (unlikely(next % GENERATIONS == 0))
		next = generation_range();
	atomic_store(&dma->generation, next);
}

int
vu_dma_init(struct vu_dma *dma, uint32_t max_regions)
{
	memset(dma, 0, sizeof(*dma));
	dma->max_regions = max_regions;
	dma->page_size = (size_t)sysconf(_SC_PAGESIZE);
	atomic_init(&dma->generation, generation_range());
	return vu_sigbus_watch(dma);
}

static struct vu_dma_node *
dma_root(const struct vu_dma *dma)
{
	return atomic_load(&dma->root);
}

/* ---- regions ---- */

static struct vu_dma_region *
region_memory_get(struct vu_dma *dma)
{
	struct vu_dma_region *region = dma->spare;

	dma->spare = NULL;
	return region != NULL ? region : malloc(sizeof(*region));
}

static void
region_free(struct vu_dma *dma, struct vu_dma_region *region)
{
	uint8_t *mapping = vu_dma_mapping(region);
	struct vu_dirty *dirty = atomic_load(&region->dirty);

	if (mapping != NULL)
		munmap(mapping, region->mmap_size);
	if (region->fd >= 0)
		close(region->fd);
	if (unlikely(dirty != NULL))
		free(dirty);
	/* memory of one region is kept for the next one */
	if (dma->spare == NULL)
		dma->spare = region;
	else
		free(region);
}

/* Is the range in the file, and what is the size of the file's pages? */
static int
file_check(int fd, uint64_t offset, uint64_t size, uint64_t *pgsize)
{
	const uint64_t least = *pgsize;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (offset > (uint64_t)st.st_size || size > (uint64_t)st.st_size - offset)
		return -EINVAL;
	*pgsize = RTE_MAX((uint64_t)st.st_blksize, least);
	return 0;
}

/* Would mmap() take the descriptor? */
static int
access_check(int fd, int prot)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (flags & O_PATH)
		return -EBADF;
	if ((flags & O_ACCMODE) == O_RDWR)
		return 0;
	return (flags & O_ACCMODE) == O_RDONLY && !(prot & PROT_WRITE) ? 0 : -EACCES;
}

/*
 * Offsets need not be aligned: the mapping starts at the page below and is longer by as much. It
 * is made of whole pages of the file, which may be huge ones: munmap() insists.
 */
static int
region_check(struct vu_dma_region *region, uint64_t size, uint64_t pgsize)
{
	int rc;

	rc = file_check(region->fd, region->fd_offset, size, &pgsize);
	if (rc == 0)
		rc = access_check(region->fd, region->prot);
	if (rc < 0)
		return rc;
	region->below = region->fd_offset % pgsize;
	region->mmap_size = RTE_ALIGN_MUL_CEIL(region->below + size, pgsize);
	return 0;
}

/* Of several threads that find it not mapped one wins. */
static __rte_noinline int
region_mmap(struct vu_dma_region *region)
{
	uint8_t *none = NULL;
	void *addr;

	if (region->fd < 0)
		return -ENOTSUP;
	addr = mmap(NULL, region->mmap_size, region->prot, MAP_SHARED | MAP_NORESERVE, region->fd,
		(off_t)(region->fd_offset - region->below));
	if (addr == MAP_FAILED)
		return -errno;
	if (!atomic_compare_exchange_strong(&region->base, &none, (uint8_t *)addr + region->below))
		munmap(addr, region->mmap_size);
	return 0;
}

int
vu_dma_region_base(const struct vu_dma_region *region, uint8_t **base)
{
	int rc = 0;

	*base = atomic_load_explicit(&region->base, memory_order_acquire);
	if (likely(*base != NULL))
		return 0;
	rc = region_mmap((struct vu_dma_region *)(uintptr_t)region);
	*base = atomic_load(&region->base);
	return rc;
}

/* Give up a region that is in no table; its descriptor stays the caller's. */
static void
region_drop(struct vu_dma_region *region)
{
	free(atomic_load(&region->dirty));
	free(region);
}

static int
region_new(struct vu_dma *dma, const struct vu_dma_region *checked, struct vu_dma_region **out)
{
	struct vu_dma_region *region = region_memory_get(dma);
	int rc;

	if (region == NULL)
		return -ENOMEM;
	*region = *checked;
	rc = vu_dirty_alloc(region, dma->dirty_pgsize);
	if (unlikely(rc < 0))
		region_drop(region);
	else
		*out = region;
	return rc;
}

/* ---- changes, by one thread ---- */

/* Nobody who begins now sees the old tree. A flat table of it is not made any more. */
static void
root_publish(struct vu_dma *dma, struct vu_dma_node *root, uint32_t nb_regions)
{
	struct rte_vfio_user_mem *flat;

	if (unlikely(!vu_turn_try(&dma->flat_turn)))
		vu_turn_wait(&dma->flat_turn, UINT64_MAX);
	flat = dma->flat;
	dma->flat = NULL;
	dma->nb_regions = nb_regions;
	atomic_store(&dma->root, root);
	vu_turn_end(&dma->flat_turn);
	generation_next(dma);
	if (unlikely(flat != NULL))
		free(flat);
}

/* After a grace period. */
static void
retired_free(struct vu_dma *dma)
{
	while (dma->nb_retired > 0)
		vu_dma_node_put(&dma->pool, dma->retired[--dma->nb_retired]);
}

/*
 * Old nodes are kept until nobody reads them any more: to wait for many, or to look, takes as long
 * as for one.
 */
static void
retire(struct vu_dma *dma, struct vu_dma_nodes *old)
{
	while (old->nb > 0) {
		if (unlikely(dma->nb_retired == RTE_DIM(dma->retired))) {
			vu_epoch_wait();
			retired_free(dma);
		}
		dma->retired[dma->nb_retired++] = old->node[--old->nb];
	}
	if (unlikely(dma->nb_retired >= VU_DMA_RETIRED_MANY) && vu_epoch_passed())
		retired_free(dma);
}

static bool
range_is_free(const struct vu_dma *dma, uint64_t addr, uint64_t last)
{
	const struct vu_dma_region *next = vu_dma_tree_find(dma_root(dma), addr);

	return next == NULL || next->addr > last;
}

/* Takes the region, also if it fails. */
static int
dma_insert(struct vu_dma *dma, struct vu_dma_region *region)
{
	struct vu_dma_nodes old;
	struct vu_dma_node *root;
	int rc;

	old.nb = 0;
	rc = vu_dma_tree_insert(dma_root(dma), region->last, region, &root, &old, &dma->pool);
	if (unlikely(rc < 0)) {
		region_drop(region);
		return rc;
	}
	root_publish(dma, root, dma->nb_regions + 1);
	retire(dma, &old);
	return 0;
}

int
vu_dma_map(struct vu_dma *dma, uint64_t addr, uint64_t size, int prot, int fd,
	uint64_t fd_offset)
{
	struct vu_dma_region wanted = {
		.addr = addr,
		.last = addr + (size - 1),
		.prot = prot,
		.fd = fd,
		.fd_offset = fd_offset,
	};
	struct vu_dma_region *region;
	int rc;

	if (size == 0 || size - 1 > UINT64_MAX - addr)
		return -EINVAL;
	if (!range_is_free(dma, addr, wanted.last))
		return -EEXIST;
	if (dma->nb_regions == dma->max_regions)
		return -ENOSPC;
	rc = fd < 0 ? 0 : region_check(&wanted, size, dma->page_size);
	if (rc == 0)
		rc = region_new(dma, &wanted, &region);
	if (rc == 0)
		rc = dma_insert(dma, region);
	return rc;
}

/* Take a region out of the table. On return nobody uses it any more. */
static int
region_take(struct vu_dma *dma, struct vu_dma_region *region)
{
	struct vu_dma_nodes old;
	struct vu_dma_node *root;
	int rc;

	old.nb = 0;
	rc = vu_dma_tree_remove(dma_root(dma), region->last, &root, &old, &dma->pool);
	if (rc < 0)
		return rc;
	/* who no longer finds it in the tree finds it here */
	atomic_store_explicit(&dma->leaving, region, memory_order_relaxed);
	root_publish(dma, root, dma->nb_regions - 1);
	vu_epoch_wait();
	atomic_store(&dma->leaving, NULL);
	/* a fault of another one's memory may have led here meanwhile */
	vu_epoch_wait_signals();
	vu_dma_nodes_free(&old, &dma->pool);
	retired_free(dma);
	return 0;
}

/* The region of just that range, or NULL. */
static struct vu_dma_region *
region_of(const struct vu_dma *dma, uint64_t addr, uint64_t size)
{
	struct vu_dma_region *region = vu_dma_tree_find(dma_root(dma), addr);

	return region != NULL && region->addr == addr && region->last - addr == size - 1 ?
		region : NULL;
}

int
vu_dma_remove(struct vu_dma *dma, struct vu_dma_region *region)
{
	int rc = region_take(dma, region);

	if (likely(rc == 0))
		region_free(dma, region);
	return rc;
}

int
vu_dma_unmap(struct vu_dma *dma, uint64_t addr, uint64_t size)
{
	struct vu_dma_region *region = region_of(dma, addr, size);

	return region != NULL ? vu_dma_remove(dma, region) : -ENOENT;
}

int
vu_dma_unmap_dirty(struct vu_dma *dma, uint64_t addr, uint64_t size, uint64_t pgsize,
	uint64_t *bitmap, size_t bitmap_size)
{
	struct vu_dma_region *region = region_of(dma, addr, size);
	int rc;

	rc = vu_dirty_report_check(dma, addr, size, pgsize, bitmap_size);
	if (rc == 0)
		rc = region != NULL ? region_take(dma, region) : -ENOENT;
	if (rc < 0)
		return rc;
	vu_dirty_report_region(region, pgsize, bitmap, bitmap_size);
	region_free(dma, region);
	return 0;
}

static void
visit_free(struct vu_dma_region *region, void *arg)
{
	region_free(arg, region);
}

uint32_t
vu_dma_unmap_all(struct vu_dma *dma)
{
	struct vu_dma_node *root = dma_root(dma);
	uint32_t nb = dma->nb_regions;

	atomic_store(&dma->all_leaving, root);
	root_publish(dma, NULL, 0);
	vu_epoch_wait();
	atomic_store(&dma->all_leaving, NULL);
	vu_epoch_wait_signals();
	retired_free(dma);
	vu_dma_tree_walk(root, visit_free, dma);
	vu_dma_tree_free(root);
	return nb;
}

void
vu_dma_fini(struct vu_dma *dma)
{
	vu_sigbus_unwatch(dma);
	vu_dma_unmap_all(dma);
	vu_dma_pool_free(&dma->pool);
	free(dma->spare);
}

/* ---- reading, by any thread ---- */

static inline const struct vu_dma_region *
region_if_holds(const struct vu_dma_region *region, uint64_t addr)
{
	return region != NULL && region->addr <= addr && addr <= region->last ? region : NULL;
}

static __rte_noinline const struct vu_dma_region *
find_in_tree(const struct vu_dma *dma, uint64_t addr)
{
	uint64_t generation = atomic_load(&dma->generation);
	const struct vu_dma_region *region;

	region = region_if_holds(vu_dma_tree_find(dma_root(dma), addr), addr);
	if (region != NULL)
		last_find = (struct last_find){ .generation = generation, .region = region };
	return region;
}

/* Is the region of the last call in this table? Its generation is its own: then it is not freed. */
static inline bool
last_find_is_of(const struct vu_dma *dma)
{
	return likely(last_find.generation == atomic_load(&dma->generation));
}

static inline const struct vu_dma_region *
find(const struct vu_dma *dma, uint64_t addr)
{
	const struct vu_dma_region *region = last_find.region;

	if (likely(last_find_is_of(dma) && addr - region->addr <= region->last - region->addr))
		return region;
	return find_in_tree(dma, addr);
}

const struct vu_dma_region *
vu_dma_find(const struct vu_dma *dma, uint64_t addr)
{
	return find(dma, addr);
}

/* Where to find a byte that a device may use so. */
static int
region_at(const struct vu_dma_region *region, uint64_t addr, int prot, uint8_t **at)
{
	int rc;

	if (region == NULL)
		return -EFAULT;
	if ((region->prot & prot) != prot)
		return -EACCES;
	rc = vu_dma_region_base(region, at);
	if (rc == 0)
		*at += addr - region->addr;
	return rc;
}

/* Ranges that lie in several regions, which may follow each other in memory, too. */
static __rte_noinline int
sg_many(const struct vu_dma *dma, uint64_t addr, uint64_t len, int prot, struct iovec *iov,
	int nb_iov)
{
	const struct vu_dma_region *region;
	uint64_t part;
	uint8_t *at;
	int nb = 0;
	int rc;

	while (len > 0) {
		region = find(dma, addr);
		rc = region_at(region, addr, prot, &at);
		if (rc < 0)
			return rc;
		part = region->last - addr < len - 1 ? region->last - addr + 1 : len;
		if (nb > 0 && (uint8_t *)iov[nb - 1].iov_base + iov[nb - 1].iov_len == at) {
			iov[nb - 1].iov_len += part;
		} else if (nb < nb_iov) {
			iov[nb++] = (struct iovec){ .iov_base = at, .iov_len = part };
		} else {
			return -ENOSPC;
		}
		addr += part;
		len -= part;
	}
	return nb;
}

/* Fills in the piece if one region has all of the range and is mapped. */
static inline bool
sg_one(const struct vu_dma_region *region, uint64_t addr, uint64_t len, int prot,
	struct iovec *iov)
{
	const uint64_t off = addr - region->addr, span = region->last - region->addr;
	uint8_t *base;

	/* no region is as long as a length of 0 asks for */
	if (unlikely(off > span || len - 1 > span - off || (region->prot & prot) != prot))
		return false;
	/* after all that is constant, or that would have to be read again */
	base = atomic_load_explicit(&region->base, memory_order_acquire);
	if (unlikely(base == NULL))
		return false;
	iov->iov_base = base + off;
	iov->iov_len = len;
	return true;
}

static __rte_noinline int
sg_any(const struct vu_dma *dma, uint64_t addr, uint64_t len, int prot, struct iovec *iov,
	int nb_iov)
{
	const struct vu_dma_region *region;

	if (unlikely(len == 0 || len - 1 > UINT64_MAX - addr || nb_iov < 1))
		return -EINVAL;
	region = find(dma, addr);
	if (likely(region != NULL && sg_one(region, addr, len, prot, iov)))
		return 1;
	return sg_many(dma, addr, len, prot, iov, nb_iov);
}

int
vu_dma_sg(const struct vu_dma *dma, uint64_t addr, uint64_t len, int prot, struct iovec *iov,
	int nb_iov)
{
	if (likely(last_find_is_of(dma) && nb_iov > 0 &&
			sg_one(last_find.region, addr, len, prot, iov)))
		return 1;
	return sg_any(dma, addr, len, prot, iov, nb_iov);
}

/* ---- the flat table ---- */

static void
visit_flat(struct vu_dma_region *region, void *arg)
{
	struct rte_vfio_user_mem *flat = arg;
	uint8_t *base;

	/* what cannot be mapped reads as if it were reached by messages only */
	vu_dma_region_base(region, &base);
	flat->entry[flat->entry_num++] = (struct rte_vfio_user_mtb_entry){
		.gpa = region->addr,
		.size = region->last - region->addr + 1,
		.host_user_addr = (uintptr_t)base,
		.mmap_addr = vu_dma_mapping(region),
		.mmap_size = base != NULL ? region->mmap_size : 0,
		.fd = region->fd,
		.protection = (uint32_t)region->prot,
	};
}

static void
flat_make(struct vu_dma *dma)
{
	dma->flat = malloc(sizeof(*dma->flat) + dma->nb_regions * sizeof(dma->flat->entry[0]));
	if (dma->flat == NULL)
		return;
	dma->flat->entry_num = 0;
	vu_dma_tree_walk(dma_root(dma), visit_flat, dma->flat);
}

/* Nobody who has the turn waits for the end of sections: it may be waited for in one. */
const struct rte_vfio_user_mem *
vu_dma_flat(struct vu_dma *dma)
{
	const struct rte_vfio_user_mem *flat;

	vu_turn_wait(&dma->flat_turn, UINT64_MAX);
	if (dma->flat == NULL && dma->nb_regions > 0)
		flat_make(dma);
	flat = dma->flat;
	vu_turn_end(&dma->flat_turn);
	return flat;
}
