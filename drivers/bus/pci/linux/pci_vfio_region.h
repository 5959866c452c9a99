/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_VFIO_REGION_H
#define PCI_VFIO_REGION_H

/**
 * @file
 * What all backends share whose devices describe themselves as VFIO does.
 */

#include <stdint.h>

struct pci_device;
struct vfio_region_info;

/**
 * Ask for information on a region. Works as the ioctl VFIO_DEVICE_GET_REGION_INFO.
 *
 * @param info
 *   argsz and index are set; there is room for argsz bytes.
 * @param fd
 *   What to map the region from; -1: nothing. Stays the backend's. It need not be set on failure.
 * @return 0; -EINVAL: no such region; -EPROTO or another -errno: the device cannot be used
 */
typedef int (*pci_vfio_region_ask_t)(const struct pci_device *dev, struct vfio_region_info *info,
	int *fd);

/**
 * Ask for each region, once, and say which parts of the BARs may be mapped. Configuration space
 * must be readable by then as far as the backend is concerned.
 *
 * @param nb_regions
 *   How many the device's owner says there are.
 * @return 0; -ENOTSUP: there is no configuration space; another -errno. What was filled in so
 *   far is for pci_regions_clear().
 */
int pci_vfio_regions_fill(struct pci_device *dev, uint32_t nb_regions, pci_vfio_region_ask_t ask);

/** Enable memory and bus mastering. @return 0, or -errno */
int pci_vfio_command_enable(const struct pci_device *dev);

#endif /* PCI_VFIO_REGION_H */
