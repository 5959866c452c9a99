/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_VFIO_UAPI_H
#define EAL_VFIO_UAPI_H

/**
 * @file
 * What the kernel's headers may be too old to have: a device's own node, and iommufd. Numbers and
 * layouts are those of Linux 6.6 to 7.2, include/uapi/linux/vfio.h (VFIO_DEVICE_BIND_IOMMUFD,
 * VFIO_DEVICE_ATTACH_IOMMUFD_PT) and include/uapi/linux/iommufd.h (IOMMU_*). The names are ours,
 * so that they do not meet those of a newer header.
 */

#include <linux/ioctl.h>
#include <linux/vfio.h>
#include <stdint.h>

/** Folder of the nodes of devices. */
#define EAL_VFIO_CDEV_DIR "/dev/vfio/devices"
/** Opening it makes an iommufd. */
#define EAL_IOMMUFD_PATH "/dev/iommu"

/** Gives a device to an iommufd; before that the device does nothing. */
#define EAL_VFIO_DEVICE_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)

struct eal_vfio_bind_iommufd {
	uint32_t argsz;		/**< without a token as far as it, as before Linux 6.17 */
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
	uint64_t token_uuid_ptr;
};

/** The structure has a token: a pointer to the 16 bytes of a UUID. */
#define EAL_VFIO_BIND_FLAG_TOKEN (UINT32_C(1) << 0)

/** Bytes of the structure without a token. */
#define EAL_VFIO_BIND_SIZE_BASE 16

/** Lets a device use an address space. */
#define EAL_VFIO_DEVICE_ATTACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 19)

struct eal_vfio_attach_iommufd_pt {
	uint32_t argsz;
	uint32_t flags;
	uint32_t pt_id;		/**< in: the address space; out: what stands behind it */
};

/* Each structure of iommufd begins with its size. */

#define EAL_IOMMU_DESTROY _IO(';', 0x80)

struct eal_iommu_destroy {
	uint32_t size;
	uint32_t id;
};

#define EAL_IOMMU_IOAS_ALLOC _IO(';', 0x81)

struct eal_iommu_ioas_alloc {
	uint32_t size;
	uint32_t flags;
	uint32_t out_ioas_id;
};

/** Asks what may be mapped; EMSGSIZE: there are more ranges, num_iovas says how many. */
#define EAL_IOMMU_IOAS_IOVA_RANGES _IO(';', 0x84)

struct eal_iommu_ioas_iova_ranges {
	uint32_t size;
	uint32_t ioas_id;
	uint32_t num_iovas;
	uint32_t reserved;
	uint64_t allowed_iovas;		/**< array of struct vfio_iova_range, in all but name */
	uint64_t out_iova_alignment;
};

#define EAL_IOMMU_IOAS_MAP _IO(';', 0x85)

struct eal_iommu_ioas_map {
	uint32_t size;
	uint32_t flags;
	uint32_t ioas_id;
	uint32_t reserved;
	uint64_t user_va;
	uint64_t length;
	uint64_t iova;
};

#define EAL_IOMMU_MAP_FIXED_IOVA (UINT32_C(1) << 0)
#define EAL_IOMMU_MAP_WRITEABLE (UINT32_C(1) << 1)
#define EAL_IOMMU_MAP_READABLE (UINT32_C(1) << 2)

#define EAL_IOMMU_IOAS_UNMAP _IO(';', 0x86)

struct eal_iommu_ioas_unmap {
	uint32_t size;
	uint32_t ioas_id;
	uint64_t iova;
	uint64_t length;	/**< in: to unmap; out: what was unmapped */
};

#endif /* EAL_VFIO_UAPI_H */
