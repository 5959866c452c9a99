/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_LOG_H
#define PCI_LOG_H

#include <rte_log.h>

/** The log type "bus.pci". */
extern int pci_bus_logtype;
#define RTE_LOGTYPE_PCI_BUS pci_bus_logtype

/** Log one line: PCI_LOG(ERR, "%s: cannot open: %s", name, reason). */
#define PCI_LOG(level, ...) RTE_LOG_LINE(level, PCI_BUS, "" __VA_ARGS__)

#endif /* PCI_LOG_H */
