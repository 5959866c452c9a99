/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_VFIO_TYPE1_H
#define EAL_VFIO_TYPE1_H

/**
 * @file
 * What a container does for its groups: an IOMMU of type 1, or none.
 */

#include <stdbool.h>

struct eal_vfio_iommu_ops;

/** Whether the kernel has any that we know. @p fd is a container. */
bool
eal_vfio_type1_is_known(int fd);

/**
 * Finds the best that the container's first group permits, and makes the container that.
 * @p noiommu: the group has no IOMMU. 0; -ENODEV: there is none; -EPERM.
 */
int
eal_vfio_type1_select(int fd, bool noiommu, const struct eal_vfio_iommu_ops **ops);

#endif /* EAL_VFIO_TYPE1_H */
