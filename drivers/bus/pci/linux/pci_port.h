/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_PORT_H
#define PCI_PORT_H

/**
 * @file
 * I/O ports by instructions of the processor, which spare a system call. There are none but on x86.
 */

#include <stddef.h>
#include <stdint.h>

/**
 * Let this thread use ports. Permission is a thread's own, so each asks before it uses them; after
 * the first time that costs nothing.
 *
 * @return 0; -EPERM: it may not; -ENOTSUP: the processor has no such instructions
 */
int pci_port_enable(void);

/** Read a port of 1, 2 or 4 bytes. The thread has pci_port_enable() behind it. */
void pci_port_in(uint16_t port, void *buf, size_t width);

/** Write a port of 1, 2 or 4 bytes. The thread has pci_port_enable() behind it. */
void pci_port_out(uint16_t port, const void *buf, size_t width);

#endif /* PCI_PORT_H */
