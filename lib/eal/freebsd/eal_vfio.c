/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdint.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_vfio.h>

#include "eal_vfio.h"

/* There is no VFIO on FreeBSD. All that asks for it is refused in the same way. */

int
eal_vfio_init(void)
{
	return 0;
}

int
eal_vfio_cleanup(void)
{
	return 0;
}

RTE_EXPORT_SYMBOL(rte_vfio_setup_device)
int
rte_vfio_setup_device(const char *sysfs_base, const char *dev_addr, int *vfio_dev_fd,
		struct vfio_device_info *device_info)
{
	RTE_SET_USED(sysfs_base);
	RTE_SET_USED(dev_addr);
	RTE_SET_USED(vfio_dev_fd);
	RTE_SET_USED(device_info);
	return -ENOTSUP;
}

RTE_EXPORT_SYMBOL(rte_vfio_release_device)
int
rte_vfio_release_device(const char *sysfs_base, const char *dev_addr, int fd)
{
	RTE_SET_USED(sysfs_base);
	RTE_SET_USED(dev_addr);
	RTE_SET_USED(fd);
	return -ENOTSUP;
}

RTE_EXPORT_SYMBOL(rte_vfio_enable)
int
rte_vfio_enable(const char *modname)
{
	RTE_SET_USED(modname);
	return 0;
}

RTE_EXPORT_SYMBOL(rte_vfio_is_enabled)
int
rte_vfio_is_enabled(const char *modname)
{
	RTE_SET_USED(modname);
	return 0;
}

RTE_EXPORT_SYMBOL(rte_vfio_noiommu_is_enabled)
int
rte_vfio_noiommu_is_enabled(void)
{
	return 0;
}

RTE_EXPORT_SYMBOL(rte_vfio_clear_group)
int
rte_vfio_clear_group(int vfio_group_fd)
{
	RTE_SET_USED(vfio_group_fd);
	return -ENOTSUP;
}

RTE_EXPORT_SYMBOL(rte_vfio_get_group_num)
int
rte_vfio_get_group_num(const char *sysfs_base, const char *dev_addr, int *iommu_group_num)
{
	RTE_SET_USED(sysfs_base);
	RTE_SET_USED(dev_addr);
	RTE_SET_USED(iommu_group_num);
	return -ENOTSUP;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_get_device_info, 24.03)
int
rte_vfio_get_device_info(const char *sysfs_base, const char *dev_addr, int *vfio_dev_fd,
		struct vfio_device_info *device_info)
{
	RTE_SET_USED(sysfs_base);
	RTE_SET_USED(dev_addr);
	RTE_SET_USED(vfio_dev_fd);
	RTE_SET_USED(device_info);
	return -ENOTSUP;
}

RTE_EXPORT_SYMBOL(rte_vfio_get_container_fd)
int
rte_vfio_get_container_fd(void)
{
	return -ENOTSUP;
}

RTE_EXPORT_SYMBOL(rte_vfio_get_group_fd)
int
rte_vfio_get_group_fd(int iommu_group_num)
{
	RTE_SET_USED(iommu_group_num);
	return -ENOTSUP;
}

RTE_EXPORT_SYMBOL(rte_vfio_container_create)
int
rte_vfio_container_create(void)
{
	return -ENOTSUP;
}

RTE_EXPORT_SYMBOL(rte_vfio_container_destroy)
int
rte_vfio_container_destroy(int container_fd)
{
	RTE_SET_USED(container_fd);
	return -ENOTSUP;
}

RTE_EXPORT_SYMBOL(rte_vfio_container_group_bind)
int
rte_vfio_container_group_bind(int container_fd, int iommu_group_num)
{
	RTE_SET_USED(container_fd);
	RTE_SET_USED(iommu_group_num);
	return -ENOTSUP;
}

RTE_EXPORT_SYMBOL(rte_vfio_container_group_unbind)
int
rte_vfio_container_group_unbind(int container_fd, int iommu_group_num)
{
	RTE_SET_USED(container_fd);
	RTE_SET_USED(iommu_group_num);
	return -ENOTSUP;
}

RTE_EXPORT_SYMBOL(rte_vfio_container_dma_map)
int
rte_vfio_container_dma_map(int container_fd, uint64_t vaddr, uint64_t iova, uint64_t len)
{
	RTE_SET_USED(container_fd);
	RTE_SET_USED(vaddr);
	RTE_SET_USED(iova);
	RTE_SET_USED(len);
	return -ENOTSUP;
}

RTE_EXPORT_SYMBOL(rte_vfio_container_dma_unmap)
int
rte_vfio_container_dma_unmap(int container_fd, uint64_t vaddr, uint64_t iova, uint64_t len)
{
	RTE_SET_USED(container_fd);
	RTE_SET_USED(vaddr);
	RTE_SET_USED(iova);
	RTE_SET_USED(len);
	return -ENOTSUP;
}
