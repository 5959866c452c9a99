/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_memory.h>
#include <rte_vfio_user.h>

#include "pci_vfio_user_pieces.h"

/* ---- lists ---- */

int
pci_pieces_append(struct pci_pieces *list, const struct pci_piece *piece)
{
	const uint32_t max = list->max == 0 ? 16 : 2 * list->max;
	struct pci_piece *more;

	if (list->nb == list->max) {
		more = realloc(list->piece, max * sizeof(*more));
		if (more == NULL)
			return -ENOMEM;
		list->piece = more;
		list->max = max;
	}
	list->piece[list->nb++] = *piece;
	return 0;
}

void
pci_pieces_free(struct pci_pieces *list)
{
	free(list->piece);
	memset(list, 0, sizeof(*list));
}

static int
piece_cmp(const void *a, const void *b)
{
	const struct pci_piece *left = a, *right = b;

	return (left->iova > right->iova) - (left->iova < right->iova);
}

uint32_t
pci_pieces_find(const struct pci_pieces *list, uint64_t iova)
{
	uint32_t from = 0, to = list->nb;

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;

		if (list->piece[mid].iova + (list->piece[mid].len - 1) < iova)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

bool
pci_pieces_overlap(const struct pci_pieces *list, const struct pci_piece *piece)
{
	uint32_t i = pci_pieces_find(list, piece->iova);

	return i < list->nb && list->piece[i].iova <= piece->iova + (piece->len - 1);
}

int
pci_pieces_add(struct pci_pieces *list, const struct pci_pieces *more)
{
	const uint32_t before = list->nb;
	uint32_t i;

	for (i = 0; i < more->nb; i++) {
		if (pci_pieces_append(list, &more->piece[i]) != 0) {
			list->nb = before;
			return -ENOMEM;
		}
	}
	qsort(list->piece, list->nb, sizeof(*list->piece), piece_cmp);
	return 0;
}

void
pci_pieces_remove(struct pci_pieces *list, uint32_t i)
{
	list->nb--;
	memmove(&list->piece[i], &list->piece[i + 1], (list->nb - i) * sizeof(*list->piece));
}

/* ---- telling the server ---- */

static int
piece_host(int dev_id, const struct pci_piece *piece, bool on)
{
	if (piece->fd >= 0)
		return 0;
	return rte_vfio_user_dma_host(dev_id, piece->iova, piece->len,
		on ? piece->addr : NULL, PROT_READ | PROT_WRITE);
}

static void
pieces_unhost(int dev_id, const struct pci_piece *piece, uint32_t nb)
{
	uint32_t i;

	for (i = 0; i < nb; i++)
		piece_host(dev_id, &piece[i], false);
}

static int
pieces_host(int dev_id, const struct pci_piece *piece, uint32_t nb)
{
	uint32_t i;
	int rc;

	for (i = 0; i < nb; i++) {
		rc = piece_host(dev_id, &piece[i], true);
		if (rc != 0) {
			pieces_unhost(dev_id, piece, i);
			return rc;
		}
	}
	return 0;
}

/* What the library is given for so many pieces: regions, and a descriptor for each. */
static struct rte_vfio_user_mem_reg *
regions_new(const struct pci_piece *piece, uint32_t nb, int **fds)
{
	struct rte_vfio_user_mem_reg *reg = calloc(nb, sizeof(*reg) + sizeof(**fds));
	uint32_t i;

	if (reg == NULL)
		return NULL;
	*fds = (int *)(reg + nb);
	for (i = 0; i < nb; i++) {
		(*fds)[i] = piece[i].fd;
		reg[i] = (struct rte_vfio_user_mem_reg){
			.gpa = piece[i].iova,
			.size = piece[i].len,
			.fd_offset = piece[i].fd >= 0 ? piece[i].fd_offset : 0,
			.protection = PROT_READ | PROT_WRITE,
			.flags = piece[i].fd >= 0 ? RTE_VUSER_MEM_MAPPABLE : 0,
		};
	}
	return reg;
}

int
pci_pieces_map(int dev_id, const struct pci_piece *piece, uint32_t nb)
{
	struct rte_vfio_user_mem_reg *reg;
	int *fds;
	int rc;

	if (nb == 0)
		return 0;
	reg = regions_new(piece, nb, &fds);
	if (reg == NULL)
		return -ENOMEM;
	rc = pieces_host(dev_id, piece, nb);
	if (rc == 0) {
		rc = rte_vfio_user_dma_map(dev_id, reg, fds, nb);
		if (rc != 0)
			pieces_unhost(dev_id, piece, nb);
	}
	free(reg);
	return rc;
}

int
pci_pieces_unmap(int dev_id, const struct pci_piece *piece, uint32_t nb)
{
	struct rte_vfio_user_mem_reg *reg;
	int *fds;
	int rc;

	if (nb == 0)
		return 0;
	reg = regions_new(piece, nb, &fds);
	if (reg == NULL)
		return -ENOMEM;
	rc = rte_vfio_user_dma_unmap(dev_id, reg, nb);
	pieces_unhost(dev_id, piece, nb);
	free(reg);
	/* a server that is gone has no memory of ours */
	return rc == -ENOTCONN ? 0 : rc;
}
