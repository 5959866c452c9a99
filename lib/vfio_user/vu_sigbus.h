/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_SIGBUS_H
#define VU_SIGBUS_H

/**
 * @file
 * Clients may shrink the files that their memory is in, and then a load or store through the
 * mapping ends in SIGBUS. For the tables that are watched, the signal's handler puts zeros in the
 * place of the region and marks the table as broken; the access goes on. All other faults go to
 * the handler that was there before.
 */

struct vu_dma;

/**
 * Watch a table. Installs the handler unless it is in place. @return 0, -ENOMEM, errno of
 * sigaction()
 */
int vu_sigbus_watch(struct vu_dma *dma);

/** Do not watch a table any more. */
void vu_sigbus_unwatch(struct vu_dma *dma);

#endif /* VU_SIGBUS_H */
