/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_PAGES_H
#define EAL_PAGES_H

/**
 * @file
 * What windows get from the system: address space, and memory to put there. Each system has a
 * file of its own for it.
 */

#include <rte_memory.h>

#include "eal_memory.h"
#include "eal_segments.h"

/**
 * Reserve the address space of a window and make what its memory will come from. @p msl has its
 * page size and segment length; fd, base_va, len and file_len are set here.
 *
 * @return 0; -errno with nothing left behind
 */
int
eal_pages_open(struct rte_memseg_list *msl, const struct eal_window *window);

/** Undo eal_pages_open() in this process. */
void
eal_pages_close(struct rte_memseg_list *msl);

/**
 * Bring memory to whole segments that have none.
 *
 * @return 0; -ENOMEM, -ENOSPC, -EFBIG or what the system says: there is none, and nothing changed
 */
int
eal_pages_take(const struct eal_piece *piece);

/** Take the memory away from them. */
void
eal_pages_drop(const struct eal_piece *piece);

/** The physical address of a segment that has memory; RTE_BAD_IOVA: it is not known. */
rte_iova_t
eal_pages_phys(const struct rte_memseg_list *msl, const char *addr);

#endif /* EAL_PAGES_H */
