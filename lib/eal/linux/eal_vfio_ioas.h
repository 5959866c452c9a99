/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_VFIO_IOAS_H
#define EAL_VFIO_IOAS_H

/**
 * @file
 * Address spaces of an iommufd. Each container has an iommufd of its own with one of them.
 */

#include <stdint.h>

struct eal_vfio_iommu_ops;

/** Mappings are in the address space; the container's fd and ioas say in which. */
extern const struct eal_vfio_iommu_ops eal_vfio_ioas_ops;

/** Makes an address space in an iommufd. 0 or -errno. */
int
eal_vfio_ioas_alloc(int fd, uint32_t *ioas);

/** Takes it away with all that is mapped in it, unless a device is still attached. */
void
eal_vfio_ioas_free(int fd, uint32_t ioas);

#endif /* EAL_VFIO_IOAS_H */
