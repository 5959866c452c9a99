/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_vfio_region.h>

#include "vu_device.h"
#include "vu_log.h"

#define MIG_FLAGS (VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_PRE_COPY)

/* In kernels since 6.2. */
#ifndef VFIO_MIGRATION_PRE_COPY
#define VFIO_MIGRATION_PRE_COPY (1 << 2)
#endif

int
vu_device_set_info(struct vu_device *dev, const char *name, const struct vfio_device_info *info)
{
	if (info == NULL || info->num_regions > VU_DEVICE_REGIONS_MAX ||
			info->num_irqs > VU_DEVICE_IRQS_MAX) {
		VU_LOG(ERR, "%s: no device info, or more than %u regions or %u interrupt types",
			name, VU_DEVICE_REGIONS_MAX, VU_DEVICE_IRQS_MAX);
		return -EINVAL;
	}
	dev->described = true;
	/* capabilities of the device info are not in the protocol */
	dev->flags = info->flags & ~VFIO_DEVICE_FLAGS_CAPS;
	dev->num_regions = info->num_regions;
	dev->num_irqs = info->num_irqs;
	return 0;
}

/* ---- regions ---- */

static bool
region_exists(const struct vfio_region_info *info)
{
	return info->size > 0;
}

/* What is wrong with the description of a region, or NULL. */
static const char *
region_fault(const struct rte_vfio_user_reg_info *reg, uint32_t index)
{
	const struct vfio_region_info *info = reg->info;
	struct rte_vfio_region region;
	int rc;

	if (info == NULL)
		return "no info";
	if (!region_exists(info))
		return NULL;
	if (info->argsz < sizeof(*info))
		return "argsz is shorter than the info";
	if (info->index != index)
		return "index is not that of the entry";
	if (info->size > INT64_MAX)
		return "too large";
	if (reg->rw == NULL && reg->base == NULL)
		return "neither a callback nor memory answers accesses";
	if (!(info->flags & VFIO_REGION_INFO_FLAG_MMAP))
		return info->flags & VFIO_REGION_INFO_FLAG_CAPS &&
			rte_vfio_region_info_len(info, info->argsz) < 0 ? "bad capabilities" : NULL;
	if (reg->fd < 0)
		return "mappable, but from no descriptor";
	rc = rte_vfio_region_parse(info, info->argsz, &region);
	rte_vfio_region_fini(&region);
	return rc < 0 ? "bad capabilities" : NULL;
}

static uint32_t
region_info_len(const struct vfio_region_info *info)
{
	return region_exists(info) && (info->flags & VFIO_REGION_INFO_FLAG_CAPS) ?
		info->argsz : (uint32_t)sizeof(*info);
}

static int
region_copy(struct vu_region *region, const struct rte_vfio_user_reg_info *reg, uint32_t index)
{
	uint32_t len = region_info_len(reg->info);
	struct vfio_region_info *info;

	info = malloc(len);
	if (info == NULL)
		return -ENOMEM;
	memcpy(info, reg->info, len);
	info->argsz = len;
	info->index = index;
	if (!region_exists(info))
		info->flags = 0;
	if (!(info->flags & VFIO_REGION_INFO_FLAG_CAPS))
		info->cap_offset = 0;
	region->pub = *reg;
	region->pub.info = info;
	region->size = info->size;
	region->flags = info->flags;
	region->info_len = len;
	return 0;
}

static void
regions_free(struct vu_region *regions, uint32_t nb)
{
	uint32_t i;

	for (i = 0; i < nb; i++)
		free(regions[i].pub.info);
	free(regions);
}

static int
regions_check(const char *name, const struct rte_vfio_user_regions *regions)
{
	const char *fault;
	uint32_t i;

	if (regions == NULL || regions->reg_num > VU_DEVICE_REGIONS_MAX) {
		VU_LOG(ERR, "%s: no regions, or more than %u", name, VU_DEVICE_REGIONS_MAX);
		return -EINVAL;
	}
	for (i = 0; i < regions->reg_num; i++) {
		fault = region_fault(&regions->reg_info[i], i);
		if (fault == NULL)
			continue;
		VU_LOG(ERR, "%s: region %u: %s", name, i, fault);
		return -EINVAL;
	}
	return 0;
}

int
vu_device_set_regions(struct vu_device *dev, const char *name,
	const struct rte_vfio_user_regions *regions)
{
	struct vu_region *copy;
	uint32_t i;
	int rc;

	rc = regions_check(name, regions);
	if (rc < 0)
		return rc;
	copy = calloc(regions->reg_num + 1, sizeof(*copy));
	if (copy == NULL)
		return -ENOMEM;
	for (i = 0; i < regions->reg_num; i++) {
		rc = region_copy(&copy[i], &regions->reg_info[i], i);
		if (rc < 0) {
			regions_free(copy, i);
			return rc;
		}
	}
	regions_free(dev->regions, dev->nb_regions);
	dev->regions = copy;
	dev->nb_regions = regions->reg_num;
	return 0;
}

/* ---- interrupts ---- */

static int
irqs_check(const char *name, const struct rte_vfio_user_irq_info *irqs)
{
	uint32_t i;

	if (irqs == NULL || irqs->irq_num > VU_DEVICE_IRQS_MAX) {
		VU_LOG(ERR, "%s: no interrupt types, or more than %u", name, VU_DEVICE_IRQS_MAX);
		return -EINVAL;
	}
	for (i = 0; i < irqs->irq_num; i++) {
		if (irqs->irq_info[i].count <= VU_DEVICE_VECTORS_MAX)
			continue;
		VU_LOG(ERR, "%s: interrupt type %u: more than %u vectors", name, i,
			VU_DEVICE_VECTORS_MAX);
		return -EINVAL;
	}
	return 0;
}

int
vu_device_set_irqs(struct vu_device *dev, const char *name,
	const struct rte_vfio_user_irq_info *irqs)
{
	struct vfio_irq_info *copy;
	uint32_t i;
	int rc;

	rc = irqs_check(name, irqs);
	if (rc < 0)
		return rc;
	copy = calloc(irqs->irq_num + 1, sizeof(*copy));
	if (copy == NULL)
		return -ENOMEM;
	for (i = 0; i < irqs->irq_num; i++) {
		copy[i].argsz = sizeof(*copy);
		copy[i].flags = irqs->irq_info[i].flags;
		copy[i].index = i;
		copy[i].count = irqs->irq_info[i].count;
	}
	free(dev->irqs);
	dev->irqs = copy;
	dev->nb_irqs = irqs->irq_num;
	return 0;
}

/* ---- migration ---- */

int
vu_device_set_migration(struct vu_device *dev, const char *name,
	const struct rte_vfio_user_migration_ops *ops)
{
	if (ops == NULL || !(ops->flags & VFIO_MIGRATION_STOP_COPY) ||
			(ops->flags & ~(uint64_t)MIG_FLAGS) != 0 || ops->set_state == NULL ||
			ops->read_data == NULL || ops->write_data == NULL) {
		VU_LOG(ERR, "%s: migration needs three callbacks, and flags STOP_COPY or "
			"STOP_COPY and PRE_COPY", name);
		return -EINVAL;
	}
	dev->migratable = true;
	dev->mig = *ops;
	return 0;
}

int
vu_device_check(const struct vu_device *dev, const char *name)
{
	const char *fault = NULL;

	if (!dev->described)
		fault = "no device info";
	else if (dev->num_regions != dev->nb_regions)
		fault = "number of regions described is not that of the device";
	else if (dev->num_irqs != dev->nb_irqs)
		fault = "number of interrupt types described is not that of the device";
	if (fault == NULL)
		return 0;
	VU_LOG(ERR, "%s: cannot start: %s", name, fault);
	return -EINVAL;
}

void
vu_device_fini(struct vu_device *dev)
{
	regions_free(dev->regions, dev->nb_regions);
	free(dev->irqs);
	memset(dev, 0, sizeof(*dev));
}
