/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_DEVICE_H
#define VU_DEVICE_H

/**
 * @file
 * What a served device is, as its author described it: checked and copied once, constant from the
 * start of the session on.
 */

#include <stdbool.h>
#include <stdint.h>

#include "rte_vfio_user.h"

/** Most regions and interrupt types, of us as of QEMU. */
#define VU_DEVICE_REGIONS_MAX 100u
#define VU_DEVICE_IRQS_MAX    50u

/** Most vectors of an interrupt type. */
#define VU_DEVICE_VECTORS_MAX 4096u

struct vu_region {
	struct rte_vfio_user_reg_info pub;	/**< its info is owned */
	uint64_t size;	/**< bytes; as the info has it, so below */
	uint32_t flags;	/**< VFIO_REGION_INFO_FLAG_* */
	uint32_t info_len;	/**< bytes of the info with its capabilities */
};

/** Zeroes are a device that nothing is known of. */
struct vu_device {
	bool described;	/**< flags and numbers are set */
	uint32_t flags;	/**< VFIO_DEVICE_FLAGS_* */
	uint32_t num_regions;
	uint32_t num_irqs;
	struct vfio_irq_info *irqs;
	uint32_t nb_irqs;	/**< entries of irqs */
	bool migratable;	/**< mig is set */
	struct rte_vfio_user_migration_ops mig;
	struct vu_region *regions;
	uint32_t nb_regions;	/**< entries of regions */
};

/** @param name of the session, for the log; so below. @return 0, -EINVAL */
int vu_device_set_info(struct vu_device *dev, const char *name,
	const struct vfio_device_info *info);

/** @return 0, -EINVAL, -ENOMEM */
int vu_device_set_regions(struct vu_device *dev, const char *name,
	const struct rte_vfio_user_regions *regions);

/** @return 0, -EINVAL, -ENOMEM */
int vu_device_set_irqs(struct vu_device *dev, const char *name,
	const struct rte_vfio_user_irq_info *irqs);

/** @return 0, -EINVAL */
int vu_device_set_migration(struct vu_device *dev, const char *name,
	const struct rte_vfio_user_migration_ops *ops);

/** Is all there that a client may ask for? @return 0, -EINVAL */
int vu_device_check(const struct vu_device *dev, const char *name);

void vu_device_fini(struct vu_device *dev);

#endif /* VU_DEVICE_H */
