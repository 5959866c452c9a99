/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <numaif.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_memory.h>

#include "eal_log.h"
#include "eal_memory.h"
#include "eal_pages.h"
#include "eal_segments.h"

/* include/uapi/linux/memfd.h: the page size is told by its logarithm in the upper bits. */
#ifndef MFD_HUGE_SHIFT
#define MFD_HUGE_SHIFT 26
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* include/uapi/linux/memfd.h, Linux 6.3. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define WINDOW_PROT (PROT_READ | PROT_WRITE)
#define WINDOW_FLAGS (MAP_SHARED | MAP_NORESERVE)
#define WINDOW_MIN (64ULL << 20)
#define BASE_TRIES 16

/*
 * Many an IOMMU translates 39 bits only, and in the mode RTE_IOVA_VA our addresses go through it.
 * The kernel would place us at 47 bits, so the windows begin low: above what 32-bit code uses.
 */
#define BASE_DEFAULT (4ULL << 30)

static char *
window_map_at(uintptr_t base, size_t len, int fd)
{
	char *wanted = (char *)base;
	char *addr = mmap(wanted, len, WINDOW_PROT, WINDOW_FLAGS | MAP_FIXED_NOREPLACE, fd, 0);

	if (addr == MAP_FAILED)
		return NULL;
	if (addr == wanted)
		return addr;
	munmap(addr, len);
	errno = EEXIST;
	return NULL;
}

/* Where the kernel likes: a range that surely holds an aligned one, less its ends. */
static char *
window_map_anywhere(size_t len, size_t align, int fd)
{
	char *range = mmap(NULL, len + align, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *start, *addr;

	if (range == MAP_FAILED)
		return NULL;
	start = RTE_PTR_ALIGN(range, align);
	addr = mmap(start, len, WINDOW_PROT, WINDOW_FLAGS | MAP_FIXED, fd, 0);
	if (addr == MAP_FAILED) {
		munmap(range, len + align);
		return NULL;
	}
	if (start > range)
		munmap(range, start - range);
	if (start + len < range + len + align)
		munmap(start + len, range + align - start);
	return addr;
}

/* Low addresses first, see BASE_DEFAULT; what is there already is stepped over. */
static char *
window_map(uintptr_t base, size_t len, size_t align, int fd)
{
	uintptr_t at = RTE_ALIGN(base != 0 ? base : (uintptr_t)BASE_DEFAULT, align);
	unsigned int i;
	char *addr;

	for (i = 0; i < BASE_TRIES; i++) {
		addr = window_map_at(at, len, fd);
		if (addr != NULL)
			return addr;
		if (errno != EEXIST)
			break;
		at += RTE_ALIGN(BASE_DEFAULT, align);
	}
	return window_map_anywhere(len, align, fd);
}

/* Address space may be limited (RLIMIT_AS); a smaller window is better than none. */
static int
window_reserve(struct rte_memseg_list *msl, size_t len, uintptr_t base)
{
	for (; len >= WINDOW_MIN && len >= msl->seg_len; len /= 2) {
		msl->len = RTE_ALIGN_FLOOR(len, msl->seg_len);
		msl->base_va = window_map(base, msl->len, msl->seg_len, msl->fd);
		if (msl->base_va != NULL)
			return 0;
	}
	return -ENOMEM;
}

/* Sysctl vm.memfd_noexec=2 allows only files that can never be run; old kernels have none. */
static int
memfd_not_executable(const char *name, unsigned int flags)
{
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	return fd < 0 ? -errno : fd;
}

/*
 * Other processes get the descriptor. They may not shrink the file, which would kill us at the
 * next access. Not all kernels seal huge pages; then there is no such guard.
 */
static int
file_create(const struct eal_window *window)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	char name[64];
	int fd;

	if (window->huge)
		flags |= MFD_HUGETLB |
			(unsigned int)__builtin_ctzll(window->page_sz) << MFD_HUGE_SHIFT;
	snprintf(name, sizeof(name), "rte-node%d-%lluk", window->socket,
		(unsigned long long)window->page_sz / 1024);
	fd = memfd_not_executable(name, flags);
	if (fd < 0)
		return fd;
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL);
	return fd;
}

/*
 * Ordinary pages may come from elsewhere in need; huge pages must be where we say, so that we
 * notice when the node has no more.
 */
static void
window_place(const struct rte_memseg_list *msl, const struct eal_window *window)
{
	unsigned long mask = 0;

	if (!window->bind)
		return;
	mask |= 1UL << window->socket;
	if (mbind(msl->base_va, msl->len, window->huge ? MPOL_BIND : MPOL_PREFERRED, &mask,
			sizeof(mask) * 8 + 1, 0) != 0)
		EAL_LOG(WARNING, "cannot place memory on NUMA node %d: %s", window->socket,
			strerror(errno));
}

int
eal_pages_open(struct rte_memseg_list *msl, const struct eal_window *window)
{
	int rc;

	msl->fd = file_create(window);
	if (msl->fd < 0)
		return msl->fd;
	rc = window_reserve(msl, window->len, window->base);
	if (rc < 0) {
		close(msl->fd);
		return rc;
	}
	/* mapping a file of huge pages makes it as long as the mapping */
	if (window->huge)
		msl->file_len = msl->len;
	window_place(msl, window);
	/* These are wishes. A window without memory is of no use in a core file. */
	madvise(msl->base_va, msl->len, MADV_DONTDUMP);
	if (!window->huge)
		madvise(msl->base_va, msl->len, MADV_HUGEPAGE);
	return 0;
}

void
eal_pages_close(struct rte_memseg_list *msl)
{
	munmap(msl->base_va, msl->len);
	close(msl->fd);
}

/* Growing a file beyond the limit would raise a signal. */
static bool
file_may_grow(uint64_t len)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
		len <= limit.rlim_cur;
}

static int
file_extend(struct rte_memseg_list *msl, uint64_t len)
{
	if (len <= msl->file_len)
		return 0;
	if (!file_may_grow(len))
		return -EFBIG;
	if (ftruncate(msl->fd, len) != 0)
		return -errno;
	msl->file_len = len;
	return 0;
}

void
eal_pages_drop(const struct eal_piece *piece)
{
	off_t off = piece->addr - (char *)piece->msl->base_va;

	if (fallocate(piece->msl->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off,
			piece->len) != 0)
		EAL_LOG(WARNING, "cannot give %zu bytes back to the system: %s", piece->len,
			strerror(errno));
	madvise(piece->addr, piece->len, MADV_DONTDUMP);
}

static bool
pages_are_huge(const struct rte_memseg_list *msl)
{
	return msl->page_sz == msl->seg_len;
}

/*
 * Huge pages are few, and touching one that cannot be had kills the process: they are taken now.
 * Ordinary ones come when they are touched.
 */
int
eal_pages_take(const struct eal_piece *piece)
{
	off_t off = piece->addr - (char *)piece->msl->base_va;
	int rc = file_extend(piece->msl, off + piece->len);

	if (rc == 0 && pages_are_huge(piece->msl) &&
			fallocate(piece->msl->fd, 0, off, piece->len) != 0) {
		rc = -errno;
		eal_pages_drop(piece);
	}
	if (rc == 0)
		madvise(piece->addr, piece->len, MADV_DODUMP);
	return rc;
}

/* Huge pages stay where they are, so this can be asked once; the page must have been touched. */
rte_iova_t
eal_pages_phys(const struct rte_memseg_list *msl, const char *addr)
{
	(void)msl;
	(void)*(const volatile char *)addr;
	return rte_mem_virt2phy(addr);
}
