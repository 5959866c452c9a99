/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_UIO_PORT_H
#define PCI_UIO_PORT_H

/**
 * @file
 * The ways to the I/O ports of a BAR. Which one it is depends on what the kernel permits, and is
 * decided when the BAR is opened.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pci_device;
struct pci_uio_bar;

/**
 * Decide how ports are reached: the first way that opens. Mapped, where the kernel maps I/O space
 * (powerpc does, x86 and arm64 do not); by instructions, where the processor has them and this
 * thread may use them, and by the file in a thread that may not; by reads and writes of the file.
 *
 * @param bar
 *   A BAR that starts and whose file is what it should be. Gets the way, and
 *   pages if that is to map them.
 * @param size
 *   How many ports there are.
 * @param writable
 *   Whether the file was opened for writing; set to whether ports can be written.
 * @return
 *   The name of the way, for the log; NULL: there is none
 */
const char *pci_uio_port_open(struct pci_uio_bar *bar, uint64_t size, bool *writable);

/** Access to a range of ports in pieces of 1, 2 or 4 bytes, as of struct pci_backend. */
int pci_uio_port_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	uint64_t offset);
int pci_uio_port_write(const struct pci_device *dev, unsigned int region, const void *buf,
	size_t len, uint64_t offset);

#endif /* PCI_UIO_PORT_H */
