/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_VFIO_EAL_H
#define PCI_VFIO_EAL_H

/**
 * @file
 * All that the bus asks of EAL's VFIO. EALs differ here from release to release, and then
 * only this file differs. Results are -errno.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vfio_device_info;

/**
 * Open the device called @p name, with its group in EAL's default container.
 *
 * @return 0 with *fd and *info set; 1: VFIO does not manage it; -errno
 */
int pci_vfio_eal_open(const char *name, int *fd, struct vfio_device_info *info);

/** Undo pci_vfio_eal_open(). */
void pci_vfio_eal_close(const char *name, int fd);

/** Do devices see physical addresses, with no IOMMU between? */
bool pci_vfio_eal_is_noiommu(void);

int pci_vfio_eal_dma_map(void *addr, uint64_t iova, size_t len);
int pci_vfio_eal_dma_unmap(void *addr, uint64_t iova, size_t len);

#endif /* PCI_VFIO_EAL_H */
