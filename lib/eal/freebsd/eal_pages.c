/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal_paging.h>
#include <rte_errno.h>
#include <rte_memory.h>

#include "eal_contigmem.h"
#include "eal_kernel.h"
#include "eal_log.h"
#include "eal_memory.h"
#include "eal_pages.h"
#include "eal_segments.h"

#define BASE_TRIES 16

/* Above what 32-bit code uses, below where the system puts programs and libraries. */
#define BASE_DEFAULT (4ULL << 30)

/* The buffers of the window that has them; there is one such window at most. */
static struct eal_contigmem contigmem;

/* ---- address space ---- */

static void *
reserve_at(uintptr_t base, size_t len)
{
	return rte_mem_map((void *)base, len, 0, RTE_MAP_ANONYMOUS | RTE_MAP_PRIVATE |
		RTE_MAP_FORCE_ADDRESS_NOREPLACE, -1, 0);
}

/* Where the kernel likes: a range that surely holds an aligned one, less its ends. */
static void *
reserve_anywhere(size_t len, size_t align)
{
	char *range = rte_mem_map(NULL, len + align, 0, RTE_MAP_ANONYMOUS | RTE_MAP_PRIVATE, -1, 0);
	char *start;

	if (range == NULL)
		return NULL;
	start = RTE_PTR_ALIGN(range, align);
	if (start > range)
		rte_mem_unmap(range, start - range);
	rte_mem_unmap(start + len, range + align - start);
	return start;
}

/* What is there already is stepped over. */
static void *
reserve(uintptr_t base, size_t len, size_t align)
{
	uintptr_t at = RTE_ALIGN(base != 0 ? base : (uintptr_t)BASE_DEFAULT, align);
	unsigned int i;
	void *addr;

	for (i = 0; i < BASE_TRIES; i++) {
		addr = reserve_at(at, len);
		if (addr != NULL)
			return addr;
		at += RTE_ALIGN(BASE_DEFAULT, align);
	}
	return reserve_anywhere(len, align);
}

/* ---- windows ---- */

static bool
window_is_contigmem(const struct rte_memseg_list *msl)
{
	return msl->page_sz != rte_mem_page_size();
}

/* As long as all buffers are. */
static int
contigmem_source(struct rte_memseg_list *msl, const struct eal_window *window)
{
	int rc = eal_contigmem_read(&contigmem);

	if (rc == 0 && contigmem.size != window->page_sz)
		rc = -EAGAIN;
	if (rc != 0)
		return rc;
	msl->len = contigmem.nb * contigmem.size;
	return eal_contigmem_open();
}

/* Other processes get the descriptor. They may not shrink the file, which would kill us. */
static int
file_source(struct rte_memseg_list *msl, const struct eal_window *window)
{
	char name[32];
	int fd;

	msl->len = RTE_ALIGN_FLOOR(window->len, msl->seg_len);
	snprintf(name, sizeof(name), "rte-node%d", window->socket);
	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL);
	return fd;
}

int
eal_pages_open(struct rte_memseg_list *msl, const struct eal_window *window)
{
	msl->fd = window->huge ? contigmem_source(msl, window) : file_source(msl, window);
	if (msl->fd < 0)
		return msl->fd;
	msl->base_va = reserve(window->base, msl->len, msl->seg_len);
	if (msl->base_va != NULL)
		return 0;
	eal_kernel->close(msl->fd);
	return -ENOMEM;
}

void
eal_pages_close(struct rte_memseg_list *msl)
{
	rte_mem_unmap(msl->base_va, msl->len);
	eal_kernel->close(msl->fd);
}

/* ---- memory ---- */

/* A buffer is told by its number times the size of a page, whatever its own size. */
static off_t
source_offset(const struct rte_memseg_list *msl, const char *addr)
{
	if (window_is_contigmem(msl))
		return (off_t)eal_segment_index(msl, addr) * (off_t)rte_mem_page_size();
	return addr - (char *)msl->base_va;
}

static int
file_extend(struct rte_memseg_list *msl, uint64_t len)
{
	if (window_is_contigmem(msl) || len <= msl->file_len)
		return 0;
	if (ftruncate(msl->fd, (off_t)len) != 0)
		return -errno;
	msl->file_len = len;
	return 0;
}

static void
reservation_restore(const struct eal_piece *piece)
{
	if (rte_mem_map(piece->addr, piece->len, 0, RTE_MAP_ANONYMOUS | RTE_MAP_PRIVATE |
			RTE_MAP_FORCE_ADDRESS, -1, 0) == NULL)
		EAL_LOG(WARNING, "cannot give %zu bytes back to the system: %s", piece->len,
			strerror(rte_errno));
}

/* The module clears a buffer for its first user only, and others may have been before us. */
static int
segment_map(const struct rte_memseg_list *msl, char *addr)
{
	int rc = eal_kernel->map(addr, msl->seg_len, msl->fd, source_offset(msl, addr));

	if (rc == 0 && window_is_contigmem(msl))
		memset(addr, 0, msl->seg_len);
	return rc;
}

int
eal_pages_take(const struct eal_piece *piece)
{
	struct rte_memseg_list *msl = piece->msl;
	int rc = file_extend(msl, piece->addr + piece->len - (char *)msl->base_va);
	size_t done;

	for (done = 0; done < piece->len && rc == 0; done += msl->seg_len)
		rc = segment_map(msl, piece->addr + done);
	if (rc != 0)
		reservation_restore(piece);
	return rc;
}

void
eal_pages_drop(const struct eal_piece *piece)
{
	const struct rte_memseg_list *msl = piece->msl;
	int rc = 0;

	if (!window_is_contigmem(msl))
		rc = eal_kernel->punch(msl->fd, source_offset(msl, piece->addr),
			(off_t)piece->len);
	if (rc != 0)
		EAL_LOG(WARNING, "cannot give %zu bytes back to the system: %s", piece->len,
			strerror(-rc));
	reservation_restore(piece);
}

rte_iova_t
eal_pages_phys(const struct rte_memseg_list *msl, const char *addr)
{
	return window_is_contigmem(msl) ? contigmem.phys[eal_segment_index(msl, addr)] :
		RTE_BAD_IOVA;
}
