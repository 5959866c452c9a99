/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef CARD_H
#define CARD_H

/**
 * @file
 * Cards that tests plug into a fake kernel while EAL runs: addresses, and drivers that take a card
 * and leave the rest to the test.
 */

#include <bus_pci_driver.h>

#define CARD_NAME_MAX 16

/** Callbacks of a driver that takes all. */
int card_probe(struct rte_pci_driver *driver, struct rte_pci_device *device);
int card_remove(struct rte_pci_device *device);

/**
 * An address that no card had before.
 *
 * @return the number of the card, from 1 on
 */
unsigned int card_address(char name[CARD_NAME_MAX]);

/**
 * Have the bus find a card and ask the drivers.
 *
 * @param[out] device
 *   What a driver with card_probe() took; NULL: none did.
 * @return as rte_eal_hotplug_add()
 */
int card_find(const char *name, struct rte_pci_device **device);

#endif /* CARD_H */
