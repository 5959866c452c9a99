/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_VFIO_H
#define EAL_VFIO_H

/**
 * @file
 * VFIO inside of EAL. Layers, lowest first: eal_vfio_iommu (kinds of IOMMU, a row each),
 * eal_vfio_dma (what is mapped), eal_vfio_group (groups enter and leave a container),
 * eal_vfio (containers, devices, the public functions).
 *
 * Locks, outermost first: the memory layout, for reading; then eal_vfio_lock. The memory event
 * callback comes with the first, held for writing, and takes the second.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <rte_log.h>
#include <rte_vfio.h>

#define VFIO_LOG(level_, ...) RTE_LOG_LINE(level_, EAL, "VFIO: " __VA_ARGS__)

/** Opens the default container, if the kernel has VFIO. 0, -ENOMEM. What is wrong is in the log. */
int
eal_vfio_init(void);

/** Closes all containers and groups and forgets all mappings. 0 always; may be repeated. */
int
eal_vfio_cleanup(void);

/** A mapping as the kernel has it, or shall have it. */
struct eal_vfio_map {
	uint64_t iova;
	uint64_t vaddr;
	uint64_t len;
	bool user;	/**< of rte_vfio_container_dma_map(), not of our memory */
};

/** What an IOMMU can. */
struct eal_vfio_iommu_info {
	uint64_t page_sz;			/**< smallest page; 1: unknown */
	struct vfio_iova_range *ranges;		/**< reachable, for free(); NULL: unknown */
	unsigned int nb_ranges;
};

/** A kind of IOMMU. @p fd is the container. */
struct eal_vfio_iommu_ops {
	const char *name;
	/** Gives the container this IOMMU; a group is in it. */
	int (*attach)(int fd, const struct eal_vfio_iommu_ops *ops);
	int (*query)(int fd, struct eal_vfio_iommu_info *info);
	int (*map)(int fd, const struct eal_vfio_map *map);
	/** Whole mappings only. */
	int (*unmap)(int fd, uint64_t iova, uint64_t len);
	int type;	/**< VFIO_..._IOMMU */
};

/** Finds the best IOMMU that the container's first group permits and attaches it. 0, -ENODEV. */
int
eal_vfio_iommu_select(int fd, const struct eal_vfio_iommu_ops **ops);

/** Whether the kernel has any IOMMU that we know. */
bool
eal_vfio_iommu_is_known(int fd);

TAILQ_HEAD(eal_vfio_group_list, eal_vfio_group);

/** A container. */
struct eal_vfio_container {
	TAILQ_ENTRY(eal_vfio_container) next;
	int fd;						/**< -1: the default one is not open */
	const struct eal_vfio_iommu_ops *iommu;		/**< NULL: no group is attached */
	struct eal_vfio_iommu_info info;
	struct eal_vfio_group_list groups;
	unsigned int nb_attached;			/**< groups that the kernel has in it */
	struct eal_vfio_map *maps;			/**< by iova, disjoint */
	size_t nb_maps;
	size_t max_maps;
};

/** A group of devices that the IOMMU cannot tell apart. */
struct eal_vfio_group {
	TAILQ_ENTRY(eal_vfio_group) next;
	struct eal_vfio_container *container;
	int number;
	int fd;
	bool attached;		/**< the kernel has it in the container */
	bool bound;		/**< stays without a device */
	unsigned int nb_devices;
};

/** The container that takes part in memory events. */
struct eal_vfio_container *
eal_vfio_default(void);

/** Calls @p visit with each container, the default one first, until it returns other than 0. */
int
eal_vfio_containers(int (*visit)(struct eal_vfio_container *container, void *arg), void *arg);

/** The group, whichever container it is in, or NULL. */
struct eal_vfio_group *
eal_vfio_group_find(int number);

/** Opens a group for a container. 0, -ENOENT: it has no node, or another -errno. */
int
eal_vfio_group_open(struct eal_vfio_container *container, int number,
		struct eal_vfio_group **group);

/** Takes a group away; it leaves its container before. */
void
eal_vfio_group_close(struct eal_vfio_group *group);

/**
 * Puts the group into its container, where it may be already; the first one brings the IOMMU.
 * @p dev_path is the device in sysfs, for messages.
 */
int
eal_vfio_group_attach(struct eal_vfio_group *group, const char *dev_path);

/** Takes the group out of its container, if the kernel permits; the last one takes the IOMMU. */
void
eal_vfio_group_detach(struct eal_vfio_group *group);

/** Makes all mappings of a container whose IOMMU has just come: the user's, and our memory. */
int
eal_vfio_dma_begin(struct eal_vfio_container *container);

/** The IOMMU has gone, and all mappings in it: forgets those of our memory. */
void
eal_vfio_dma_end(struct eal_vfio_container *container);

/**
 * From now on the container's mappings follow our memory as it comes and goes. eal_vfio_lock is not
 * held.
 */
int
eal_vfio_dma_listen(struct eal_vfio_container *container);

/** Undoes eal_vfio_dma_listen(). */
void
eal_vfio_dma_ignore(struct eal_vfio_container *container);

/** Maps a range. -errno as rte_vfio_container_dma_map(); the log says why. */
int
eal_vfio_dma_map(struct eal_vfio_container *container, const struct eal_vfio_map *map);

/** Unmaps a range. -errno as rte_vfio_container_dma_unmap(). */
int
eal_vfio_dma_unmap(struct eal_vfio_container *container, const struct eal_vfio_map *map);

void
eal_vfio_lock(void);

void
eal_vfio_unlock(void);

/** The same without the lock of the memory layout, for what neither attaches nor detaches. */
void
eal_vfio_lock_only(void);

void
eal_vfio_unlock_only(void);

/** What a user can do about an error at a node of /dev; NULL: no idea. */
const char *
eal_vfio_node_hint(int err);

#endif /* EAL_VFIO_H */
