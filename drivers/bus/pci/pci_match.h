/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_MATCH_H
#define PCI_MATCH_H

/**
 * @file
 * Which drivers fit a device: one sorted table made of the tables of all drivers, so that a
 * device costs four searches however many drivers there are. Functions may be called from any
 * thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include <bus_pci_driver.h>

/** Add a driver after all others. */
void pci_match_add(struct rte_pci_driver *driver);

/** Take a driver out. */
void pci_match_remove(struct rte_pci_driver *driver);

/**
 * Bring the table up to date with the drivers, which may also have changed their tables. To be
 * called before devices are matched; costs next to nothing if nothing has changed.
 *
 * @return 0, or -ENOMEM with an empty table
 */
int pci_match_update(void);

/** Free the table; the drivers stay. */
void pci_match_fini(void);

/** Whether some driver can do with a device that is not mapped. */
bool pci_match_any_unmapped(void);

/**
 * The next driver that fits a device, in order of registration.
 *
 * @param id
 *   What the device is.
 * @param[in,out] from
 *   Where to go on; 0 at first.
 * @return
 *   A driver, or NULL if there are no more.
 */
struct rte_pci_driver *pci_match_next(const struct rte_pci_id *id, uint32_t *from);

#endif /* PCI_MATCH_H */
