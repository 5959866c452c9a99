/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <sys/mman.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_memory.h>
#include <rte_os_shim.h>

#include "eal_memory.h"
#include "eal_pages.h"
#include "eal_segments.h"

static size_t
table_len(unsigned int nb_segs)
{
	return nb_segs * (sizeof(struct rte_memseg) + sizeof(uint8_t));
}

/* Shared as the memory is: parent and child must agree on what is there. */
static int
table_create(struct rte_memseg_list *msl)
{
	unsigned int nb = msl->len / msl->seg_len;
	void *table = mmap(NULL, table_len(nb), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (table == MAP_FAILED)
		return -errno;
	msl->segs = table;
	msl->in_heap = (uint8_t *)&msl->segs[nb];
	msl->nb_segs = nb;
	return 0;
}

int
eal_segments_create(struct rte_memseg_list *msl, const struct eal_window *window)
{
	int rc;

	*msl = (struct rte_memseg_list) {
		.page_sz = window->page_sz,
		.socket_id = window->socket,
		.heap = 1,
		.seg_len = window->huge ? window->page_sz : EAL_SEGMENT_LEN,
		.fd = -1,
	};
	rc = eal_pages_open(msl, window);
	if (rc < 0)
		goto err;
	rc = table_create(msl);
	if (rc < 0)
		goto err_close;
	return 0;

err_close:
	eal_pages_close(msl);
err:
	*msl = (struct rte_memseg_list) { .fd = -1 };
	return rc;
}

void
eal_segments_destroy(struct rte_memseg_list *msl)
{
	if (msl->base_va == NULL)
		return;
	munmap(msl->segs, table_len(msl->nb_segs));
	eal_pages_close(msl);
}

/* The lowest run of @p nb segments without memory; returns nb_segs if there is none. */
static unsigned int
gap_find(const struct rte_memseg_list *msl, unsigned int nb)
{
	unsigned int i, run = 0;

	for (i = 0; i < msl->nb_segs && run < nb; i++)
		run = eal_segment_used(&msl->segs[i]) ? 0 : run + 1;
	return run == nb ? i - nb : msl->nb_segs;
}

static int
segment_fill(const struct rte_memseg_list *msl, struct rte_memseg *ms, char *addr, uint32_t flags)
{
	rte_iova_t iova = (uintptr_t)addr;

	if (rte_eal_iova_mode() == RTE_IOVA_PA)
		iova = eal_pages_phys(msl, addr);
	if (iova == RTE_BAD_IOVA)
		return -EFAULT;
	if (!eal_dma_mask_fits(iova, msl->seg_len, eal_dma_mask()))
		return -ERANGE;
	*ms = (struct rte_memseg) {
		.iova = iova,
		.addr = addr,
		.len = msl->seg_len,
		.hugepage_sz = msl->page_sz,
		.socket_id = msl->socket_id,
		.flags = flags,
	};
	return 0;
}

static void
segments_clear(const struct eal_piece *piece)
{
	struct rte_memseg *ms = &piece->msl->segs[eal_segment_index(piece->msl, piece->addr)];
	size_t i;

	for (i = 0; i < piece->len / piece->msl->seg_len; i++)
		ms[i] = (struct rte_memseg) { 0 };
}

static int
segments_fill(const struct eal_piece *piece, uint32_t flags)
{
	struct rte_memseg_list *msl = piece->msl;
	struct rte_memseg *ms = &msl->segs[eal_segment_index(msl, piece->addr)];
	size_t i, nb = piece->len / msl->seg_len;
	int rc = 0;

	for (i = 0; i < nb && rc == 0; i++)
		rc = segment_fill(msl, &ms[i], piece->addr + i * msl->seg_len, flags);
	if (rc != 0)
		segments_clear(piece);
	return rc;
}

int
eal_segments_grow(struct rte_memseg_list *msl, size_t len, uint32_t flags, struct eal_piece *piece)
{
	unsigned int at, nb;
	int rc;

	if (len > msl->len)
		return -ENOMEM;
	nb = (len + msl->seg_len - 1) / msl->seg_len;
	at = gap_find(msl, nb);
	if (at == msl->nb_segs)
		return -ENOMEM;
	*piece = (struct eal_piece) {
		.msl = msl,
		.addr = (char *)msl->base_va + at * msl->seg_len,
		.len = nb * msl->seg_len,
	};
	rc = eal_pages_take(piece);
	if (rc != 0)
		return rc;
	rc = segments_fill(piece, flags);
	if (rc != 0) {
		eal_pages_drop(piece);
		return rc;
	}
	msl->nb_used += nb;
	eal_memory_list_changed(msl);
	return 0;
}

void
eal_segments_shrink(const struct eal_piece *piece)
{
	segments_clear(piece);
	eal_pages_drop(piece);
	piece->msl->nb_used -= piece->len / piece->msl->seg_len;
	eal_memory_list_changed(piece->msl);
}
