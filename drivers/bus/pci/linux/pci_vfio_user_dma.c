/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_eal_memconfig.h>
#include <rte_errno.h>
#include <rte_memory.h>
#include <rte_vfio_user.h>

#include "pci_device.h"
#include "pci_log.h"
#include "pci_vfio_user.h"
#include "pci_vfio_user_pieces.h"

#define CALLBACK_NAME "pci_vfio_user"

/* The lock is taken after that of EAL's memory, never before. */
struct pci_vfio_user_dma {
	pthread_mutex_t lock;
	const char *name;	/* of the device */
	int dev_id;
	bool takes_fds;
	bool listens;	/* to what comes and goes */
	bool started;
	bool paused;	/* there is no server: only the list is kept */
	uint64_t page_size;	/* of the device */
	struct pci_pieces pieces;	/* what the device has */
};

/* ---- telling the server of a device, if there is one ---- */

static int
dma_pieces_map(const struct pci_vfio_user_dma *dma, const struct pci_piece *piece, uint32_t nb)
{
	return dma->paused ? 0 : pci_pieces_map(dma->dev_id, piece, nb);
}

static int
dma_pieces_unmap(const struct pci_vfio_user_dma *dma, const struct pci_piece *piece, uint32_t nb)
{
	return dma->paused ? 0 : pci_pieces_unmap(dma->dev_id, piece, nb);
}

/* ---- from memory segments to pieces ---- */

/* What a run of segments is gathered for. */
struct gatherer {
	const struct pci_vfio_user_dma *dma;
	struct pci_pieces *pieces;
};

static void
piece_set_file(const struct gatherer *gatherer, const struct rte_memseg *ms,
	struct pci_piece *piece)
{
	size_t offset;

	piece->fd = -1;
	if (!gatherer->dma->takes_fds)
		return;
	piece->fd = rte_memseg_get_fd_thread_unsafe(ms);
	if (piece->fd >= 0 && rte_memseg_get_fd_offset_thread_unsafe(ms, &offset) == 0)
		piece->fd_offset = offset;
	else
		piece->fd = -1;
}

/*
 * Segments that stay go together where they can, for servers have limits to the number. External
 * memory of a heap stays until all of its list goes, and not with a neighbour's.
 */
static bool
piece_continues(const struct pci_piece *last, const struct pci_piece *piece)
{
	return last->stays && piece->stays && last->user == piece->user &&
		last->msl == piece->msl && last->fd == piece->fd &&
		last->addr + last->len == piece->addr && last->iova + last->len == piece->iova &&
		(piece->fd < 0 || last->fd_offset + last->len == piece->fd_offset);
}

static int
gather(const struct gatherer *gatherer, const struct pci_piece *piece)
{
	struct pci_pieces *list = gatherer->pieces;

	if (list->nb > 0 && piece_continues(&list->piece[list->nb - 1], piece)) {
		list->piece[list->nb - 1].len += piece->len;
		return 0;
	}
	return pci_pieces_append(list, piece);
}

/* Where EAL tells of nothing that comes or goes, nothing does. */
static bool
segment_stays(const struct pci_vfio_user_dma *dma, const struct rte_memseg_list *msl,
	const struct rte_memseg *ms)
{
	return !dma->listens || msl->external != 0 ||
		(ms->flags & RTE_MEMSEG_FLAG_DO_NOT_FREE) != 0;
}

/* External memory outside of heaps is its owner's to map. */
static int
segment_gather(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	const struct gatherer *gatherer = arg;
	struct pci_piece piece = { .iova = ms->iova, .len = ms->len, .addr = ms->addr, .msl = msl };

	if ((msl->external != 0 && msl->heap == 0) || ms->iova == RTE_BAD_IOVA || ms->len == 0)
		return 0;
	piece.stays = segment_stays(gatherer->dma, msl, ms);
	piece_set_file(gatherer, ms, &piece);
	return gather(gatherer, &piece);
}

/* The segments in a range that EAL has just got. */
static int
range_gather(struct gatherer *gatherer, const void *addr, size_t len)
{
	const struct rte_memseg_list *msl = rte_mem_virt2memseg_list(addr);
	const uint8_t *at = addr, *end = at + len;
	const struct rte_memseg *ms;
	int rc = 0;

	while (msl != NULL && at < end && rc == 0) {
		ms = rte_mem_virt2memseg(at, msl);
		if (ms == NULL || ms->len == 0)
			break;
		rc = segment_gather(msl, ms, gatherer);
		at = (const uint8_t *)ms->addr + ms->len;
	}
	return rc;
}

/* ---- events ---- */

/*
 * Map pieces and remember them; all or none. Those for which the server is gone, which nobody has
 * noticed yet, are mapped when it is back.
 */
static int
dma_take(struct pci_vfio_user_dma *dma, const struct pci_pieces *more)
{
	int rc;

	rc = dma_pieces_map(dma, more->piece, more->nb);
	if (rc != 0 && (rc != -ENOTCONN || !dma->started))
		return rc;
	rc = pci_pieces_add(&dma->pieces, more);
	if (rc != 0)
		dma_pieces_unmap(dma, more->piece, more->nb);
	return rc;
}

static void
memory_came(struct pci_vfio_user_dma *dma, const void *addr, size_t len)
{
	struct pci_pieces more = { .nb = 0 };
	struct gatherer gatherer = { .dma = dma, .pieces = &more };
	int rc;

	rc = range_gather(&gatherer, addr, len);
	if (rc == 0)
		rc = dma_take(dma, &more);
	if (rc != 0)
		PCI_LOG(ERR, "%s: cannot use %zu bytes of new memory at %p: %s", dma->name, len,
			addr, rte_strerror(-rc));
	pci_pieces_free(&more);
}

static void
memory_goes(struct pci_vfio_user_dma *dma, const uint8_t *addr, size_t len)
{
	struct pci_piece *piece;
	uint32_t i = 0;
	int rc;

	while (i < dma->pieces.nb) {
		piece = &dma->pieces.piece[i];
		if (piece->user || piece->addr < addr || piece->addr >= addr + len) {
			i++;
			continue;
		}
		rc = dma_pieces_unmap(dma, piece, 1);
		if (rc != 0)
			PCI_LOG(ERR, "%s: cannot take memory at IOVA %#" PRIx64 " back: %s",
				dma->name, piece->iova, rte_strerror(-rc));
		pci_pieces_remove(&dma->pieces, i);
	}
}

static void
memory_event(enum rte_mem_event event, const void *addr, size_t len, void *arg)
{
	struct pci_vfio_user_dma *dma = arg;

	pthread_mutex_lock(&dma->lock);
	if (event == RTE_MEM_EVENT_ALLOC)
		memory_came(dma, addr, len);
	else
		memory_goes(dma, addr, len);
	pthread_mutex_unlock(&dma->lock);
}

/* ---- beginning and end ---- */

/* With EAL's memory locked, so that nothing comes or goes in between. */
static int
dma_begin(struct pci_vfio_user_dma *dma)
{
	struct pci_pieces all = { .nb = 0 };
	struct gatherer gatherer = { .dma = dma, .pieces = &all };
	int rc;

	if (rte_mem_event_callback_register(CALLBACK_NAME, memory_event, dma) == 0)
		dma->listens = true;
	else if (rte_errno != ENOTSUP)
		return -rte_errno;
	rc = rte_memseg_walk_thread_unsafe(segment_gather, &gatherer) < 0 ? -ENOMEM : 0;
	pthread_mutex_lock(&dma->lock);
	if (rc == 0)
		rc = dma_take(dma, &all);
	pthread_mutex_unlock(&dma->lock);
	pci_pieces_free(&all);
	return rc;
}

static struct pci_vfio_user_dma *
dma_new(const struct pci_device *dev)
{
	struct pci_vfio_user_dma *dma = calloc(1, sizeof(*dma));
	struct rte_vfio_user_limits limits = { .max_msg_fds = 0 };

	if (dma == NULL)
		return NULL;
	rte_vfio_user_get_limits(dev->state->dev_id, &limits);
	pthread_mutex_init(&dma->lock, NULL);
	dma->name = dev->pub.device.name;
	dma->dev_id = dev->state->dev_id;
	dma->takes_fds = limits.max_msg_fds > 0;
	dma->page_size = RTE_MAX(limits.pgsizes & -limits.pgsizes, UINT64_C(1));
	return dma;
}

static void
dma_free(struct pci_vfio_user_dma *dma)
{
	if (dma->listens)
		rte_mem_event_callback_unregister(CALLBACK_NAME, dma);
	pci_pieces_free(&dma->pieces);
	pthread_mutex_destroy(&dma->lock);
	free(dma);
}

int
pci_vfio_user_dma_start(struct pci_device *dev)
{
	struct pci_vfio_user_dma *dma = dma_new(dev);
	int rc;

	if (dma == NULL)
		return -ENOMEM;
	rte_mcfg_mem_read_lock();
	rc = dma_begin(dma);
	rte_mcfg_mem_read_unlock();
	if (rc != 0) {
		PCI_LOG(ERR, "%s: cannot let the device use memory: %s", dma->name,
			rte_strerror(-rc));
		dma_free(dma);
		return rc;
	}
	dma->started = true;
	dev->state->dma = dma;
	return 0;
}

void
pci_vfio_user_dma_pause(struct pci_device *dev)
{
	struct pci_vfio_user_dma *dma = dev->state->dma;

	pthread_mutex_lock(&dma->lock);
	dma->paused = true;
	pthread_mutex_unlock(&dma->lock);
}

/* Pieces go by messages or by descriptors as before: the next server is of the same kind. */
int
pci_vfio_user_dma_restart(struct pci_device *dev, int dev_id)
{
	struct pci_vfio_user_dma *dma = dev->state->dma;
	int rc;

	pthread_mutex_lock(&dma->lock);
	rc = pci_pieces_map(dev_id, dma->pieces.piece, dma->pieces.nb);
	if (rc != 0)
		pthread_mutex_unlock(&dma->lock);
	return rc;
}

void
pci_vfio_user_dma_restarted(struct pci_device *dev, bool used)
{
	struct pci_vfio_user_dma *dma = dev->state->dma;

	dma->paused = !used;
	pthread_mutex_unlock(&dma->lock);
}

void
pci_vfio_user_dma_stop(struct pci_device *dev)
{
	struct pci_vfio_user_dma *dma = dev->state->dma;

	if (dma == NULL)
		return;
	dev->state->dma = NULL;
	if (dma->listens)
		rte_mem_event_callback_unregister(CALLBACK_NAME, dma);
	dma->listens = false;
	dma->paused |= dev->state->silent;
	dma_pieces_unmap(dma, dma->pieces.piece, dma->pieces.nb);
	dma_free(dma);
}

/* ---- what the driver or the application asks for ---- */

/* Memory of EAL comes from files, any other is reached by messages. */
static int
user_gather(struct gatherer *gatherer, uint8_t *addr, uint64_t iova, size_t len)
{
	const struct rte_memseg_list *msl = rte_mem_virt2memseg_list(addr);
	struct pci_piece piece = { .iova = iova, .addr = addr, .fd = -1, .user = true,
		.stays = true };
	const struct rte_memseg *ms;
	size_t skip;
	int rc = 0;

	for (; len > 0 && rc == 0; len -= piece.len) {
		ms = msl == NULL ? NULL : rte_mem_virt2memseg(piece.addr, msl);
		piece.len = len;
		piece.fd = -1;
		if (ms != NULL && ms->len != 0) {
			skip = (size_t)(piece.addr - (uint8_t *)ms->addr);
			piece.len = RTE_MIN(len, ms->len - skip);
			piece_set_file(gatherer, ms, &piece);
			piece.fd_offset += skip;
		}
		rc = gather(gatherer, &piece);
		piece.addr += piece.len;
		piece.iova += piece.len;
	}
	return rc;
}

static int
user_check(const struct pci_vfio_user_dma *dma, uintptr_t addr, uint64_t iova, size_t len)
{
	if (len == 0 || iova + (len - 1) < iova || addr + (len - 1) < addr)
		return -EINVAL;
	return ((addr | iova | len) & (dma->page_size - 1)) == 0 ? 0 : -EINVAL;
}

static uint64_t
piece_last(const struct pci_piece *piece)
{
	return piece->iova + (piece->len - 1);
}

/*
 * How many pieces from the first on hold all of a range, those of the user or any; 0: it is not
 * mapped so.
 */
static uint32_t
pieces_cover(const struct pci_pieces *list, uint32_t first, const struct pci_piece *range,
	bool users_only)
{
	const struct pci_piece *piece;
	uint64_t next = range->iova;
	uint32_t i;

	for (i = first; i < list->nb; i++) {
		piece = &list->piece[i];
		if ((users_only && !piece->user) || piece->iova > next ||
				(uintptr_t)piece->addr - piece->iova !=
				(uintptr_t)range->addr - range->iova)
			return 0;
		if (piece_last(piece) >= piece_last(range))
			return i - first + 1;
		next = piece_last(piece) + 1;
	}
	return 0;
}

/* Programs map the same for each of several devices, which share an IOMMU elsewhere. */
static int
user_take_again(const struct pci_vfio_user_dma *dma, const struct pci_piece *whole)
{
	uint32_t first = pci_pieces_find(&dma->pieces, whole->iova);

	return pieces_cover(&dma->pieces, first, whole, false) != 0 ? 0 : -EEXIST;
}

static int
user_take(struct pci_vfio_user_dma *dma, uint8_t *addr, uint64_t iova, size_t len)
{
	const struct pci_piece whole = { .iova = iova, .len = len, .addr = addr };
	struct pci_pieces more = { .nb = 0 };
	struct gatherer gatherer = { .dma = dma, .pieces = &more };
	int rc;

	if (pci_pieces_overlap(&dma->pieces, &whole))
		return user_take_again(dma, &whole);
	rc = user_gather(&gatherer, addr, iova, len);
	if (rc == 0)
		rc = dma_take(dma, &more);
	pci_pieces_free(&more);
	return rc;
}

int
pci_vfio_user_dma_map(struct pci_device *dev, void *addr, uint64_t iova, size_t len)
{
	struct pci_vfio_user_dma *dma = dev->state == NULL ? NULL : dev->state->dma;
	int rc;

	if (dma == NULL)
		return -ENODEV;
	rc = user_check(dma, (uintptr_t)addr, iova, len);
	if (rc != 0)
		return rc;
	rte_mcfg_mem_read_lock();
	pthread_mutex_lock(&dma->lock);
	rc = user_take(dma, addr, iova, len);
	pthread_mutex_unlock(&dma->lock);
	rte_mcfg_mem_read_unlock();
	return rc;
}

/* Add what a piece has from one of its bytes on, up to another one, if that is anything. */
static int
part_append(struct pci_pieces *list, const struct pci_piece *whole, uint64_t from, uint64_t to)
{
	struct pci_piece part = *whole;

	if (from == to)
		return 0;
	part.iova += from;
	part.addr += from;
	part.fd_offset += from;
	part.len = to - from;
	return pci_pieces_append(list, &part);
}

/* What is left of pieces, of which the first and the last may reach out of a range. */
static int
user_rest(struct pci_pieces *rest, const struct pci_piece *pieces, uint32_t nb,
	const struct pci_piece *range)
{
	const struct pci_piece *last = &pieces[nb - 1];
	int rc;

	rc = part_append(rest, &pieces[0], 0, range->iova - pieces[0].iova);
	if (rc != 0)
		return rc;
	return part_append(rest, last, piece_last(range) + 1 - last->iova, last->len);
}

/* A server takes back only what it was given, and is then given anew what is left of it. */
static int
user_give_back(struct pci_vfio_user_dma *dma, const struct pci_piece *range)
{
	const uint32_t first = pci_pieces_find(&dma->pieces, range->iova);
	uint32_t nb = pieces_cover(&dma->pieces, first, range, true);
	struct pci_pieces rest = { .nb = 0 };
	int rc;

	if (nb == 0)
		return -EINVAL;
	rc = user_rest(&rest, &dma->pieces.piece[first], nb, range);
	if (rc == 0) {
		rc = dma_pieces_unmap(dma, &dma->pieces.piece[first], nb);
		while (nb-- > 0)
			pci_pieces_remove(&dma->pieces, first);
	}
	if (rc == 0)
		rc = dma_take(dma, &rest);
	pci_pieces_free(&rest);
	return rc;
}

int
pci_vfio_user_dma_unmap(struct pci_device *dev, void *addr, uint64_t iova, size_t len)
{
	struct pci_vfio_user_dma *dma = dev->state == NULL ? NULL : dev->state->dma;
	const struct pci_piece range = { .iova = iova, .len = len, .addr = addr };
	int rc;

	if (dma == NULL)
		return -ENODEV;
	rc = user_check(dma, (uintptr_t)addr, iova, len);
	if (rc != 0)
		return rc;
	pthread_mutex_lock(&dma->lock);
	rc = user_give_back(dma, &range);
	pthread_mutex_unlock(&dma->lock);
	return rc;
}
