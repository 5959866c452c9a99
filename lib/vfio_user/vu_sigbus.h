/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_SIGBUS_H
#define VU_SIGBUS_H

/**
 * @file
 * Clients may shrink the files that their memory is in, and those of regions that they may map;
 * then a load or store through a mapping ends in SIGBUS. For the tables that are watched, the
 * signal's handler puts zeros in the place of the memory and marks the table as broken; the access
 * goes on, whichever thread it is. All other faults go to the handler that was there before.
 */

struct vu_device;
struct vu_dma;

/**
 * Watch a table. Installs the handler unless it is in place. @return 0, -ENOMEM, errno of
 * sigaction()
 */
int vu_sigbus_watch(struct vu_dma *dma);

/** Watch the memory of a device's regions, too: those of the session that has this table. */
void vu_sigbus_watch_regions(const struct vu_dma *dma, const struct vu_device *dev);

/** Do not watch a table any more, nor the regions beside it. */
void vu_sigbus_unwatch(struct vu_dma *dma);

#endif /* VU_SIGBUS_H */
