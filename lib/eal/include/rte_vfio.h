/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_VFIO_H
#define RTE_VFIO_H

/**
 * @file
 * The kernel's VFIO: containers, IOMMU groups, device descriptors and DMA mappings.
 *
 * The kernel hands out devices in two ways, and which is used the option --vfio-mode decides: by
 * the group, with a container of VFIO; or by a node of the device's own, with an iommufd (Linux
 * 6.6). Both are behind the same functions. A container is then an iommufd with one address space,
 * and binding a group says in which one its devices will be. Only what gives out descriptors that
 * the kernel has for groups is refused in the second way.
 *
 * There is one default container. Devices get into it unless their group is bound to another
 * one, and all memory of rte_malloc() is mapped in it, also what comes later. Other containers
 * have only the mappings that rte_vfio_container_dma_map() makes in them.
 *
 * All functions may be called by any thread after rte_eal_init(), but not from a walk over
 * memory segments; the two DMA functions may be called from a memory event callback. A function
 * that fails returns a negative errno and sets rte_errno to the positive one.
 */

#include <stdint.h>

#include <rte_compat.h>
#include <rte_config.h>

#ifdef RTE_EXEC_ENV_LINUX
#include <linux/vfio.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#ifdef RTE_EXEC_ENV_LINUX
/** Where the nodes of VFIO are. */
#define RTE_VFIO_DIR "/dev/vfio"
/** Opening it makes a container. */
#define RTE_VFIO_CONTAINER_PATH "/dev/vfio/vfio"
/** The node of a group. */
#define RTE_VFIO_GROUP_FMT "/dev/vfio/%u"
/** The node of a group without an IOMMU. */
#define RTE_VFIO_NOIOMMU_GROUP_FMT "/dev/vfio/noiommu-%u"
/** Y in this file: the kernel permits devices without an IOMMU. */
#define RTE_VFIO_NOIOMMU_MODE "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
#else
struct vfio_device_info;
#endif

/** Stands for the default container. */
#define RTE_VFIO_DEFAULT_CONTAINER_FD (-1)

/**
 * Open a device.
 *
 * Its group is opened, unless it is, and put into its container: the one that it is bound to, or
 * the default container. The first group of a container chooses the kind of IOMMU; then the
 * container's DMA mappings are made.
 *
 * @param sysfs_base Folder of the bus's devices, as /sys/bus/pci/devices.
 * @param dev_addr The device's name there.
 * @param[out] vfio_dev_fd The device. End it by rte_vfio_release_device(), not by close().
 * @param[out] device_info What VFIO_DEVICE_GET_INFO says.
 * @return
 *   - 0: it is open.
 *   - 1: the device cannot be used this way: it has no IOMMU group, or the group has no node
 *     because no VFIO driver has a device in it.
 *   - -EINVAL: an argument is NULL or too long.
 *   - -EACCES: no permission for a node, or a VF token is missing or wrong.
 *   - -EBUSY: another process has the group.
 *   - -EPERM: the group is not viable, as a kernel driver has another device of it; or the platform
 *     cannot keep interrupts apart.
 *   - -ENODEV: VFIO is not there, or not in the way that the user insists on, or the IOMMU cannot
 *     be used, or the device is gone.
 *   - -ENOTSUP: devices in use were opened by their own nodes, and this one has only a group.
 *   - -EADDRINUSE: memory is mapped where this device reaches none.
 *   - -ENOMEM, -ENOSPC: memory cannot be mapped for DMA; and whatever else the kernel says.
 */
int
rte_vfio_setup_device(const char *sysfs_base, const char *dev_addr, int *vfio_dev_fd,
		struct vfio_device_info *device_info);

/**
 * Close a device.
 *
 * With its last device a group leaves its container and is closed, unless it was bound by
 * rte_vfio_container_group_bind().
 *
 * @param sysfs_base As for rte_vfio_setup_device().
 * @param dev_addr As for rte_vfio_setup_device(); for messages, the device may be gone from there.
 * @param fd The device.
 * @return 0; -ENODEV: @p fd is not from rte_vfio_setup_device().
 */
int
rte_vfio_release_device(const char *sysfs_base, const char *dev_addr, int fd);

/**
 * Begin to use VFIO, if the kernel has it. rte_eal_init() does that.
 *
 * @param modname Name of a kernel module, as "vfio".
 * @return 0, also when there is no VFIO, see rte_vfio_is_enabled(); -EINVAL: @p modname is NULL.
 */
int
rte_vfio_enable(const char *modname);

/**
 * Is VFIO in use, and a module of it loaded?
 *
 * @param modname Name of a kernel module, as "vfio" or "vfio_pci".
 * @return 1: yes; 0: no.
 */
int
rte_vfio_is_enabled(const char *modname);

/**
 * Does the kernel permit devices without an IOMMU?
 *
 * It is asked each time, as the answer may change.
 *
 * @return 1: yes; 0: no, or it does not know the mode; -errno: its answer cannot be read.
 */
int
rte_vfio_noiommu_is_enabled(void);

/**
 * Close a group.
 *
 * @param vfio_group_fd From rte_vfio_get_group_fd() or rte_vfio_container_group_bind().
 * @return 0; -ENODEV: not such a descriptor; -EBUSY: devices of the group are open.
 */
int
rte_vfio_clear_group(int vfio_group_fd);

/**
 * Find the IOMMU group of a device.
 *
 * @param sysfs_base As for rte_vfio_setup_device().
 * @param dev_addr As for rte_vfio_setup_device().
 * @param[out] iommu_group_num Number of the group.
 * @return 1: found; 0: it has none; -EINVAL: an argument is NULL or too long, or sysfs names no
 *   number; -errno: sysfs cannot be read.
 */
int
rte_vfio_get_group_num(const char *sysfs_base, const char *dev_addr, int *iommu_group_num);

/**
 * Read the information about a device.
 *
 * @param sysfs_base As for rte_vfio_setup_device().
 * @param dev_addr As for rte_vfio_setup_device().
 * @param[in,out] vfio_dev_fd The device; if it is -1, the device is opened, which needs a group
 *   that a container has already, and a device that is open if it is had by its own node; the
 *   caller has to close() it.
 * @param[out] device_info What VFIO_DEVICE_GET_INFO says.
 * @return 0; -EINVAL: an argument is NULL or too long; -ENODEV: no open group, or the device is
 *   being released; -errno: as the kernel says.
 */
__rte_experimental
int
rte_vfio_get_device_info(const char *sysfs_base, const char *dev_addr, int *vfio_dev_fd,
		struct vfio_device_info *device_info);

/**
 * Open a new container, after a check that this kernel's VFIO can be used.
 *
 * @return A descriptor that the caller has to close(); -ENOENT: no VFIO; -EACCES: no permission;
 *   -ENOTSUP: an unknown version, or no kind of IOMMU that we know, or the user wants no groups;
 *   other -errno from open().
 */
int
rte_vfio_get_container_fd(void);

/**
 * Open a group, or get the descriptor of one that is open.
 *
 * A new one belongs to the default container and is closed with its last device, or by
 * rte_vfio_clear_group().
 *
 * @param iommu_group_num Number of the group.
 * @return The descriptor, which remains EAL's; -ENOENT: the group has no node; -ENOTSUP: devices
 *   are had by their own nodes; -EACCES, -EBUSY and other -errno from open().
 */
int
rte_vfio_get_group_fd(int iommu_group_num);

/**
 * Make a container: an iommufd where devices have nodes of their own, unless the user wants groups.
 *
 * @return Its descriptor, for rte_vfio_container_destroy(); -errno as rte_vfio_get_container_fd();
 *   -ENOMEM.
 */
int
rte_vfio_container_create(void);

/**
 * Take a container away, with its groups and mappings.
 *
 * Devices of it that are open remain so until they are released.
 *
 * @param container_fd From rte_vfio_container_create().
 * @return 0; -ENODEV: not such a descriptor.
 */
int
rte_vfio_container_destroy(int container_fd);

/**
 * Bind a group to a container: its devices will be opened there.
 *
 * The kernel learns of it when the first device is opened.
 *
 * @param container_fd The container, or RTE_VFIO_DEFAULT_CONTAINER_FD.
 * @param iommu_group_num Number of the group.
 * @return The group's descriptor, which remains EAL's, and is of use for rte_vfio_clear_group()
 *   only where devices are had by their own nodes; -ENODEV: no such container; -EBUSY: the
 *   group is in another container or another process has it; -ENOENT: it has no node; -EACCES and
 *   other -errno from open().
 */
int
rte_vfio_container_group_bind(int container_fd, int iommu_group_num);

/**
 * Undo rte_vfio_container_group_bind().
 *
 * @param container_fd The container, or RTE_VFIO_DEFAULT_CONTAINER_FD.
 * @param iommu_group_num Number of the group.
 * @return 0; -ENODEV: no such container or the group is not in it; -EBUSY: a device is open.
 */
int
rte_vfio_container_group_unbind(int container_fd, int iommu_group_num);

/**
 * Let the devices of a container reach memory.
 *
 * Memory of rte_malloc() needs no such call in the default container. The mapping remains through
 * times without an open device, until rte_vfio_container_dma_unmap(). What is mapped so already
 * may be mapped again, as for the next device of a container: nothing changes, nothing is counted.
 *
 * @param container_fd The container, or RTE_VFIO_DEFAULT_CONTAINER_FD. It must have an open device.
 * @param vaddr Where the memory is. All three must be multiples of the IOMMU's page size.
 * @param iova Where devices shall see it.
 * @param len Bytes.
 * @return 0, with nothing done for a device without an IOMMU; -ENODEV: no such container, or it
 *   has no open device; -EINVAL: length 0, a range beyond the end of addresses, an unaligned one,
 *   or beyond what the IOMMU reaches; -EEXIST: part of the range is mapped, but not all of it to
 *   the same memory; -ENOMEM, -ENOSPC: a
 *   limit is reached, the log says which; other -errno from the kernel.
 */
int
rte_vfio_container_dma_map(int container_fd, uint64_t vaddr, uint64_t iova, uint64_t len);

/**
 * Undo rte_vfio_container_dma_map().
 *
 * The range may hold several mappings that follow on one another, and may hold a part of one. The
 * IOMMU cannot give back a part, so then the whole mapping goes for a moment and the remainder
 * comes back: no device may use the remainder meanwhile.
 *
 * @param container_fd The container, or RTE_VFIO_DEFAULT_CONTAINER_FD.
 * @param vaddr Where the memory is.
 * @param iova Where devices see it.
 * @param len Bytes.
 * @return 0; -ENODEV: no such container; -EINVAL: not all of the range was mapped so; -ENOMEM;
 *   other -errno from the kernel: nothing was changed, except that what could not be mapped again
 *   of a split mapping is not mapped any more.
 */
int
rte_vfio_container_dma_unmap(int container_fd, uint64_t vaddr, uint64_t iova, uint64_t len);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VFIO_H */
