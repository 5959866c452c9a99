/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_VFIO_USER_PIECES_H
#define PCI_VFIO_USER_PIECES_H

/**
 * @file
 * Lists of what a device on vfio-user may use of memory, and how its server is told.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_memory.h>

/** A piece of memory that the device may use: from one file, or reached by messages. */
struct pci_piece {
	uint64_t iova;
	uint64_t len;
	uint8_t *addr;
	uint64_t fd_offset;
	const struct rte_memseg_list *msl;	/**< whose segments it is of; NULL: of none */
	int fd;	/**< EAL's; -1: by messages */
	bool user;	/**< asked for by pci_vfio_user_dma_map() */
	bool stays;	/**< until the end; else it goes as it came */
};

/** All zeros: an empty list. */
struct pci_pieces {
	struct pci_piece *piece;	/**< sorted by IOVA */
	uint32_t nb;
	uint32_t max;
};

/** Add one at the end. @return 0, -ENOMEM */
int pci_pieces_append(struct pci_pieces *list, const struct pci_piece *piece);

/** Add all of more, sorted, or none. @return 0, -ENOMEM */
int pci_pieces_add(struct pci_pieces *list, const struct pci_pieces *more);

void pci_pieces_remove(struct pci_pieces *list, uint32_t i);
void pci_pieces_free(struct pci_pieces *list);

/** The index of the first piece that ends behind an IOVA. */
uint32_t pci_pieces_find(const struct pci_pieces *list, uint64_t iova);

bool pci_pieces_overlap(const struct pci_pieces *list, const struct pci_piece *piece);

/** Let the device use all of them, or none. @return as rte_vfio_user_dma_map(), _host() */
int pci_pieces_map(int dev_id, const struct pci_piece *piece, uint32_t nb);

/** Take them away. @return as rte_vfio_user_dma_unmap(); 0 if the server is gone */
int pci_pieces_unmap(int dev_id, const struct pci_piece *piece, uint32_t nb);

#endif /* PCI_VFIO_USER_PIECES_H */
