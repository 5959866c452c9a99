/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_BSD_DEVICE_H
#define PCI_BSD_DEVICE_H

/**
 * @file
 * What the two backends of FreeBSD share. They differ in how a BAR is mapped: by the file that
 * nic_uio makes for a device that it holds, or by /dev/pci for a device that no driver holds.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pci_bsd_conf.h"

struct pci_device;

extern const struct pci_backend pci_nic_uio_backend;
extern const struct pci_backend pci_dev_pci_backend;

struct pci_backend_state {
	struct pci_bsd_sel sel;
	int pci_fd;	/**< /dev/pci, to be written; -1: no configuration space */
	int uio_fd;	/**< the device's file; -1: it has none */
	int32_t memattr[PCI_MAX_RESOURCE];	/**< of mappings by /dev/pci */
	uint16_t command_added;	/**< bits of the command register that open() set */
	struct pci_bsd_bar bar[PCI_MAX_RESOURCE];

	pthread_mutex_t io_lock;	/**< of io_fd while it is opened */
	int io_fd;	/**< /dev/io; -1: not in use */
	atomic_bool by_port;	/**< the kernel does not access BARs for us, so ports it must be */
};

/* pci_bsd_device.c */

/**
 * Open a device in the way of both backends.
 *
 * @param uio_fd
 *   The device's file, which becomes the state's; -1: it has none.
 * @return as pci_backend.open()
 */
int pci_bsd_open(struct pci_device *dev, int uio_fd);
void pci_bsd_close(struct pci_device *dev);
int pci_bsd_start(struct pci_device *dev);
void pci_bsd_stop(struct pci_device *dev);

/* pci_bsd_access.c: as those of pci_backend */

int pci_bsd_region_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	uint64_t offset);
int pci_bsd_region_write(const struct pci_device *dev, unsigned int region, const void *buf,
	size_t len, uint64_t offset);

#endif /* PCI_BSD_DEVICE_H */
