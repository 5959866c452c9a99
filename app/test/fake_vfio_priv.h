/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_VFIO_PRIV_H
#define FAKE_VFIO_PRIV_H

/**
 * @file
 * What the files of the fake VFIO share. fake_vfio: the whole; _paths, _sysfs: how it is found;
 * the others: what a descriptor of each kind answers.
 */

#include <unistd.h>

#include "fake_vfio.h"
#include "interpose.h"

#define REGION_SHIFT 40		/* the region's index stands above this bit of an offset */
#define PAGE_SIZE ((uint64_t)sysconf(_SC_PAGESIZE))
#define DIM(array_) (sizeof(array_) / sizeof((array_)[0]))

enum { ROUTE_DEV, ROUTE_IOMMUFD, ROUTE_MODULE, ROUTE_GROUPS, NB_ROUTES };

struct fake_route {
	struct interpose_path path[NB_ROUTES];
};

/** The paths that lead to it, but for their contexts. */
extern const struct interpose_path fake_routes[NB_ROUTES];

/** Write a path, which must fit. */
void fake_path_make(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void fake_folder_make(const char *path);

/** Remove a folder with all that is in it. */
void fake_tree_remove(const char *path);

/** A device's folder in sysfs, and its kernel driver there. */
void fake_vfio_sysfs_add(struct fake_device *dev);
void fake_vfio_sysfs_bind(const struct fake_device *dev, const char *driver);

/** What stands behind an iommufd. It lives until it is closed and its last device is. */
struct fake_iommufd {
	struct fake_vfio *fake;
	struct fake_iommufd *next;
	int fd;				/**< -1: closed */
	unsigned int nb_devices;	/**< bound */
};

/** An open device; the close of its last descriptor ends it. */
struct handle {
	struct fake_device *dev;
	struct fake_group *group;
	struct fake_iommufd *iommufd;	/**< of a node of its own; NULL: not bound, or no such */
	unsigned int nb_fds;
};

typedef int (fake_ioctl_t)(void *ctx, void *arg);

struct fake_ioctl {
	unsigned long request;
	fake_ioctl_t *call;
};

int fake_ioctl_find(const struct fake_ioctl *table, size_t n, void *ctx, unsigned long request,
		void *arg);

/** Whether [off, off + len) lies in [start, start + size). */
static inline bool
range_in(uint64_t off, uint64_t len, uint64_t start, uint64_t size)
{
	return off >= start && off - start <= size && len <= size - (off - start);
}

/** Gives the fixed part of an info that has @p known bytes, as far as the caller's buffer goes. */
void fake_info_give(void *arg, const void *info, uint32_t known);

/** Whether a kernel driver is one of VFIO's, by its name. */
bool fake_driver_is_vfio(const char *driver);

/** What descriptors of devices answer; their context is a struct handle. */
extern const struct interpose_fd_ops fake_device_ops;

/** The device has one more user. */
void fake_device_hold(struct handle *handle);

/** A descriptor of a device is closed; @p ctx is its struct handle. */
void fake_device_close(void *ctx);

/** A descriptor of a device, which the answers of @p ops stand behind; -errno. */
int fake_device_open(struct fake_device *dev, struct fake_group *group,
		const struct interpose_fd_ops *ops);

/** Answers open("/dev/vfio/vfio"). */
int fake_container_open(struct fake_vfio *fake);

/** Frees a container that nothing holds any more. */
void fake_container_let_go(struct fake_container *container);

/** Whether devices reach all of the range. */
bool fake_iova_is_permitted(const struct fake_vfio *fake, uint64_t iova, uint64_t size);

bool fake_container_is_noiommu(const struct fake_container *container);

/** What a kind of IOMMU says of a new mapping, but for its flags: 0 or -errno. */
int fake_dma_check(const struct fake_container *container, const struct fake_dma *map);

/** Adds a mapping that has been checked. */
void fake_dma_add(struct fake_container *container, const struct fake_dma *map);

/** Takes mappings away and counts their bytes. If one would be cut: -@p err, unless that is 0. */
int fake_dma_remove(struct fake_container *container, uint64_t iova, uint64_t last, int err,
		uint64_t *removed);

/** Answers open("/dev/vfio/" @p name). */
int fake_group_open(struct fake_vfio *fake, const char *name);

/** The group that has a node of this name, or NULL. */
struct fake_group *fake_group_of_node(struct fake_vfio *fake, const char *name);

/** No kernel driver has a device of it. */
bool fake_group_is_viable(const struct fake_group *group);

/** Something of the group was closed. */
void fake_group_let_go(struct fake_group *group);

/** Whether the token, NULL if none, is good for the device: 0 or -errno. */
int fake_token_check(const struct fake_device *dev, const char *token);

/** Answers open() and access() of "/dev/vfio/devices/" @p name. */
int fake_cdev_open(struct fake_vfio *fake, const char *name);
int fake_cdev_access(struct fake_vfio *fake, const char *name);

/** Answers open("/dev/iommu"). */
int fake_iommufd_open(struct fake_vfio *fake);

/** The one that a descriptor is of, or NULL. */
struct fake_iommufd *fake_iommufd_find(const struct fake_vfio *fake, int fd);

/** Something of it was closed. */
void fake_iommufd_let_go(struct fake_iommufd *iommufd);

/** The address space of an id, or NULL. */
struct fake_container *fake_ioas_find(const struct fake_iommufd *iommufd, uint32_t id);

/**
 * Read a structure as the kernel does: what it does not know must be zero.
 *
 * @param known
 *   Bytes of it that the kernel knows.
 * @param least
 *   Bytes that there must be.
 * @return 0, -EINVAL, -E2BIG
 */
int fake_struct_take(void *out, size_t known, const void *arg, size_t least);

/** A device that was bound has been closed. */
void fake_iommufd_unbind(struct handle *handle);

#endif /* FAKE_VFIO_PRIV_H */
