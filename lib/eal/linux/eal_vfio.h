/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_VFIO_H
#define EAL_VFIO_H

/**
 * @file
 * VFIO inside of EAL. Layers, lowest first: eal_vfio_type1 and eal_vfio_ioas (how a mapping gets
 * to the IOMMU), eal_vfio_dma (what is mapped), eal_vfio_group (which groups are in a container),
 * eal_vfio_group_mode and eal_vfio_cdev_mode (how a device is had: a row of eal_vfio_mode each),
 * eal_vfio_device, eal_vfio (containers).
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

#include "eal_options.h"

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

struct eal_vfio_container;
struct eal_vfio_group;

/** A way to the IOMMU. */
struct eal_vfio_iommu_ops {
	const char *name;
	/** Asks what it can, into an empty structure. */
	int (*query)(const struct eal_vfio_container *container, struct eal_vfio_iommu_info *info);
	int (*map)(const struct eal_vfio_container *container, const struct eal_vfio_map *map);
	/** Whole mappings only. */
	int (*unmap)(const struct eal_vfio_container *container, uint64_t iova, uint64_t len);
};

/** A way in which the kernel hands out devices. All functions return 0 or more, or -errno. */
struct eal_vfio_mode {
	enum eal_vfio_mode_id id;
	const char *name;		/**< for messages */
	/** Opens a container. @p quiet: if there is none, that is no error. */
	int (*container_open)(bool quiet);
	/**
	 * Can the device, of group @p number, be had so? 1: no, it is as if VFIO did not have it.
	 * -errno: something stands in the way; if only a node is absent, and @p quiet, that is no
	 * error, for there is another mode.
	 */
	int (*find)(const char *dev_path, int number, bool quiet);
	/** Opens a group; a descriptor. -ENOENT: there is nothing of VFIO in it. */
	int (*group_open)(struct eal_vfio_group *group);
	/** Puts a group into its container, or leaves it as it was. */
	int (*group_attach)(struct eal_vfio_group *group, const char *dev_path);
	/** Takes it out, as far as the kernel permits. */
	void (*group_detach)(struct eal_vfio_group *group);
	/** Opens a device of an attached group, for use. */
	int (*device_open)(struct eal_vfio_group *group, const char *dev_path,
			const char *dev_addr);
	bool shares_devices;		/**< a device can be opened twice */
};

/** Groups and containers, of type 1 or without an IOMMU. */
extern const struct eal_vfio_mode eal_vfio_group_mode;

/** Nodes of devices and iommufd. */
extern const struct eal_vfio_mode eal_vfio_cdev_mode;

TAILQ_HEAD(eal_vfio_group_list, eal_vfio_group);

/** A container. */
struct eal_vfio_container {
	TAILQ_ENTRY(eal_vfio_container) next;
	int fd;						/**< -1: the default one is not open */
	const struct eal_vfio_mode *mode;		/**< what the descriptor is of */
	uint32_t ioas;					/**< its address space in an iommufd */
	const struct eal_vfio_iommu_ops *iommu;		/**< NULL: there is none yet */
	struct eal_vfio_iommu_info info;
	struct eal_vfio_group_list groups;
	unsigned int nb_attached;			/**< groups that are attached */
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
	bool noiommu;		/**< its devices are not behind an IOMMU */
	bool attached;		/**< it is in the container, so its devices can be opened */
	bool bound;		/**< stays without a device */
	unsigned int nb_devices;
};

/** The container that takes part in memory events. */
struct eal_vfio_container *
eal_vfio_default(void);

/**
 * The container of devices without an IOMMU that nobody has put into another one. To its user it is
 * part of the default container: what is mapped there these devices reach anyway.
 */
struct eal_vfio_container *
eal_vfio_noiommu(void);

/** Whether the group's place is in eal_vfio_noiommu(). */
bool
eal_vfio_wants_noiommu(int number);

/** Whether the devices of a group are not behind an IOMMU. */
bool
eal_vfio_group_is_noiommu(int number);

/** The container of a descriptor that its user has; NULL: it is none of ours. */
struct eal_vfio_container *
eal_vfio_container_find(int fd);

/** Calls @p visit with each container, the default ones first, until it returns other than 0. */
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
 * Puts the group into its container, where it may be already. @p dev_path is the device in sysfs,
 * for messages.
 */
int
eal_vfio_group_attach(struct eal_vfio_group *group, const char *dev_path);

/** Takes the group out of its container, if the kernel permits; the last one takes the IOMMU. */
void
eal_vfio_group_detach(struct eal_vfio_group *group);

/** A group without a device is there for nobody, unless somebody bound it. */
void
eal_vfio_group_put(struct eal_vfio_group *group);

/** Says which devices are in the group of a device, and who has them. */
void
eal_vfio_group_log_members(int number, const char *dev_path);

/** Opens a container in a mode, if it is not open so; nothing is in it. 0 or -errno. */
int
eal_vfio_container_open(struct eal_vfio_container *container, const struct eal_vfio_mode *mode,
		bool quiet);

/** Opens the default container before it is known what for. 0 or -errno. */
int
eal_vfio_default_open_any(bool quiet);

/** Says that a function is about groups, which are not in use. -ENOTSUP. */
int
eal_vfio_refuse_without_groups(const char *what);

/** Which modes the user permits, best first; ends with NULL. */
const struct eal_vfio_mode *const *
eal_vfio_modes(void);

/** Forgets whose the group's open devices are. */
void
eal_vfio_devices_orphan(const struct eal_vfio_group *group);

/** Closes all devices. */
void
eal_vfio_devices_close(void);

/** To what the public functions return: sets rte_errno. */
int
eal_vfio_result(int rc);

/**
 * The IOMMU has come: asks what it can and makes all mappings, the user's and those of our memory.
 * If that fails it is as it was before.
 */
int
eal_vfio_iommu_begin(struct eal_vfio_container *container, const struct eal_vfio_iommu_ops *iommu);

/** What the IOMMU can may have changed; asks again. */
int
eal_vfio_iommu_refresh(struct eal_vfio_container *container);

/** The IOMMU has gone, and all mappings in it: forgets those of our memory. */
void
eal_vfio_iommu_end(struct eal_vfio_container *container);

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

/** Whether an errno means that there is no such node for us, and not that something went wrong. */
bool
eal_vfio_node_is_absent(int err);

/** What a user can do about an error at a node of /dev. */
const char *
eal_vfio_node_hint(int err);

#endif /* EAL_VFIO_H */
