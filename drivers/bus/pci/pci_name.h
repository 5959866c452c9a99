/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_NAME_H
#define PCI_NAME_H

/**
 * @file
 * What users call devices: by their address, or by a name that a backend knows. A name stands for
 * one address, the same one at any time.
 */

#include <rte_pci.h>

struct rte_devargs;

/**
 * The address of the device with a name.
 *
 * @return 0; -EINVAL: it is neither an address nor a name that a backend knows
 */
int pci_name_parse(const char *name, struct rte_pci_addr *addr);

/**
 * Fill in devargs->name from the bus's part of the layered form: addr=NAME, or what the backend
 * of backend=NAME makes of the rest. Without either the name stays empty.
 *
 * @return
 *   0; -ENODEV: there is no such backend; -EINVAL: the rest makes no sense; the log says why
 */
int pci_name_of_devargs(struct rte_devargs *devargs);

#endif /* PCI_NAME_H */
