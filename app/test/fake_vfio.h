/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_VFIO_H
#define FAKE_VFIO_H

/**
 * @file
 * The kernel's VFIO and PCI sysfs, inside the test process. /dev/vfio/vfio, /dev/vfio/N,
 * /dev/vfio/devices/vfioN and /dev/iommu are routed to it, SYSFS_PCI_DEVICES points to a temporary
 * folder with the devices' attributes.
 * Device memory is a memfd, so that mappings are real and one with what pread() sees.
 * No root needed, no hardware, no IOMMU. Not thread-safe against itself: set up before, act, look.
 *
 * @code
 *	struct fake_vfio *fake = fake_vfio_start();
 *	struct fake_device *dev = fake_vfio_add(fake, &(struct fake_device_desc){
 *		.name = "0000:01:00.0", .driver = "vfio-pci", .group = 7,
 *		.regions[0] = { .size = 0x10000, .flags = FAKE_REGION_RWM },
 *	});
 *	...
 *	fake_vfio_stop(fake);
 * @endcode
 */

#include <linux/vfio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FAKE_NB_REGIONS VFIO_PCI_NUM_REGIONS
#define FAKE_NB_IRQS VFIO_PCI_NUM_IRQS
#define FAKE_CAPS_MAX 2048
#define FAKE_WINDOWS_MAX 64
#define FAKE_IRQ_VECTORS_MAX 64
#define FAKE_ACCESSES_MAX 256

#define FAKE_REGION_RW (VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE)
#define FAKE_REGION_RWM (FAKE_REGION_RW | VFIO_REGION_INFO_FLAG_MMAP)

/** Capability chain of a region, the bytes as the kernel would give them. */
struct fake_caps {
	uint8_t bytes[FAKE_CAPS_MAX];
	uint32_t len;
	uint32_t last;		/**< offset in bytes[] of the last header */
};

/** Appends a capability and links it. */
void fake_caps_add(struct fake_caps *caps, uint16_t id, uint16_t version, const void *payload,
		uint32_t len);

/** Appends the sparse-mmap capability with @p nb areas; @p nr_areas is what it claims. */
void fake_caps_add_sparse(struct fake_caps *caps, uint32_t nr_areas,
		const struct vfio_region_sparse_mmap_area *areas, uint32_t nb);

/** Appends MSIX_MAPPABLE. */
void fake_caps_add_msix_mappable(struct fake_caps *caps);

/** Makes the last capability point to @p off, an offset in vfio_region_info: loops and lies. */
void fake_caps_set_last_next(struct fake_caps *caps, uint32_t off);

struct fake_region {
	uint64_t size;
	uint32_t flags;		/**< VFIO_REGION_INFO_FLAG_*; CAPS is added */
	struct fake_caps caps;
	/** What may be mapped; none: all of it if flagged MMAP. */
	struct vfio_region_sparse_mmap_area windows[FAKE_WINDOWS_MAX];
	uint32_t nb_windows;
	uint32_t lie_argsz;	/**< claimed instead of the true size */
	uint32_t lie_cap_offset;
	bool refuse_mmap;	/**< whatever the flags say */
	int info_err;		/**< errno of VFIO_DEVICE_GET_REGION_INFO */
	int io_err;		/**< errno of pread and pwrite */
	uint32_t io_max;	/**< most bytes that one pread or pwrite moves; 0: all */
};

struct fake_irq {
	uint32_t count;
	uint32_t flags;		/**< VFIO_IRQ_INFO_* */
	int info_err;		/**< errno of VFIO_DEVICE_GET_IRQ_INFO */
	int set_err;		/**< errno of VFIO_DEVICE_SET_IRQS that binds eventfds */
};

/** What a device is. Zero is a good value for most fields. */
struct fake_device_desc {
	const char *name;	/**< as "0000:01:00.0" */
	const char *driver;	/**< kernel driver, as "vfio-pci"; NULL: none */
	int group;		/**< IOMMU group; -1: none */
	bool noiommu;		/**< the group's node is /dev/vfio/noiommu-N */
	uint16_t vendor, device, subsystem_vendor, subsystem_device;
	uint32_t class_id;
	int numa_node;
	uint32_t max_vfs;	/**< 0: no such attribute */
	const void *config;	/**< bytes of config space; NULL: made from the fields */
	uint32_t config_len;	/**< of @p config; the space has 256 bytes, or 4096 if more */
	/** [7], config, is made if its size is 0 */
	struct fake_region regions[FAKE_NB_REGIONS];
	struct fake_irq irqs[FAKE_NB_IRQS];
	uint32_t device_flags;	/**< VFIO_DEVICE_FLAGS_*; PCI is added */
	/** The kernel serves pread of this range of a BAR as ones and drops writes; len 0: none. */
	struct {
		uint32_t bar;
		uint64_t off;
		uint64_t len;
	} msix_table;
	const char *vf_token;	/**< the UUID a user must give, as text; NULL: none */
};

/** One pread or pwrite on a device. */
struct fake_access {
	uint32_t region;
	uint64_t off;
	size_t len;
	bool write;
};

/** A device; all may be read and, except for links, changed in mid-test. */
struct fake_device {
	struct fake_device_desc desc;
	struct fake_vfio *fake;
	struct fake_device *next;
	int memfd;
	int node;			/**< N of its own node /dev/vfio/devices/vfioN */
	struct fake_container *ioas;	/**< attached to, by its own node; NULL: to nothing */
	void (*on_close)(void);		/**< called while a descriptor is closed; NULL: nothing */
	unsigned int nb_binds;		/**< VFIO_DEVICE_BIND_IOMMUFD that worked, ever */
	unsigned int nb_open;		/**< descriptors open now */
	unsigned int nb_opened;		/**< ever */
	unsigned int nb_resets;		/**< VFIO_DEVICE_RESET; opening resets, too, uncounted */
	int reset_err;			/**< errno of VFIO_DEVICE_RESET */
	int open_err;			/**< errno of opening it by its node or by its group */
	int bind_err;			/**< errno of VFIO_DEVICE_BIND_IOMMUFD */
	int attach_err;			/**< errno of VFIO_DEVICE_ATTACH_IOMMUFD_PT */
	unsigned int nb_region_infos[FAKE_NB_REGIONS];	/**< ioctls seen */
	struct {
		bool enabled;
		bool masked;
		uint32_t nb;
		int fds[FAKE_IRQ_VECTORS_MAX];	/**< own duplicates; -1: not bound */
	} irqs[FAKE_NB_IRQS];
	unsigned int nb_set_irqs;
	unsigned int nb_accesses;
	struct fake_access accesses[FAKE_ACCESSES_MAX];	/**< the first of them */
};

struct fake_dma {
	uint64_t iova, vaddr, size;
	uint32_t flags;
};

/** fake_container.iommu of an address space of iommufd. */
#define FAKE_IOMMU_IOAS 1000

/** A container; there is one for each open("/dev/vfio/vfio"), and one for each address space. */
struct fake_container {
	struct fake_vfio *fake;
	struct fake_container *next;
	int fd;				/**< -1: it is an address space, or closed */
	struct fake_iommufd *iommufd;	/**< whose address space it is; NULL: it is none */
	uint32_t id;			/**< of the address space */
	int iommu;			/**< VFIO_TYPE1_IOMMU...; 0: not set */
	unsigned int nb_groups;		/**< in it; devices in an address space */
	size_t nb_dma;
	size_t max_dma;
	struct fake_dma *dma;		/**< sorted by iova */
	unsigned int nb_maps;		/**< VFIO_IOMMU_MAP_DMA that worked, ever */
	unsigned int nb_unmaps;
};

struct fake_group {
	struct fake_vfio *fake;
	struct fake_group *next;
	int number;
	int fd;				/**< -1: not open */
	bool noiommu;
	struct fake_container *container;
	unsigned int nb_open_devices;
};

#define FAKE_IOVA_RANGES_MAX 64

struct fake_vfio {
	char root[64];			/**< the temporary folder */
	char sysfs[96];			/**< the devices in it, as /sys/bus/pci/devices */
	struct fake_device *devices;
	struct fake_group *groups;
	struct fake_container *containers;

	/* How this kernel is; may be changed at any time. */
	bool no_node;			/**< there is no /dev/vfio/vfio */
	int container_err;		/**< errno of opening it */
	int group_err;			/**< errno of opening /dev/vfio/N */
	bool no_type1;			/**< vfio_iommu_type1 is not loaded */
	bool no_type1v2;		/**< an old one is */
	bool noiommu;			/**< enable_unsafe_noiommu_mode is Y */
	bool cdev;			/**< devices with IOMMU have nodes, and there is iommufd */
	int cdev_err;			/**< errno of access() to their nodes */
	int iommufd_err;		/**< errno of opening /dev/iommu */
	bool no_bind_token;		/**< VFIO_DEVICE_BIND_IOMMUFD knows no token */
	uint64_t pgsizes;		/**< of the IOMMU; 4 KiB, 2 MiB and 1 GiB at first */
	uint32_t dma_avail;		/**< dma_entry_limit; 65535 at first */
	struct vfio_iova_range iova_ranges[FAKE_IOVA_RANGES_MAX];
	uint32_t nb_iova_ranges;	/**< 0: the capability is not given */
	/** What VFIO_IOMMU_GET_INFO claims instead of the truth; 0: the truth. */
	struct {
		uint32_t argsz, cap_offset, nr_iovas, next;
	} iommu_lie;
	/** What IOMMU_IOAS_IOVA_RANGES claims instead of the truth; 0: the truth. */
	struct {
		uint32_t num_iovas;
		uint64_t alignment, start;
		int err;		/**< its errno */
		bool brazen;		/**< no error even so */
	} ioas_lie;
	struct fake_iommufd *iommufds;
	struct fake_route *routes;	/* of fake_vfio.c */
};

/** Sets all up. Fails the test if it cannot. */
struct fake_vfio *fake_vfio_start(void);

/** Takes all away; fails the test if a container, group or device is still open. */
void fake_vfio_stop(struct fake_vfio *fake);

/** Adds a device; copies @p desc, but not the strings it points to. */
struct fake_device *fake_vfio_add(struct fake_vfio *fake, const struct fake_device_desc *desc);

/** Takes a device away from sysfs and VFIO, as an unplugged one; freed by fake_vfio_stop(). */
void fake_vfio_unplug(struct fake_device *dev);

/** Gives the device to another kernel driver; NULL: to none. */
void fake_vfio_bind(struct fake_device *dev, const char *driver);

/** Takes away the folder vfio-dev, which kernels before 6.1 do not have. */
void fake_vfio_hide_node(struct fake_device *dev);

/** Writes a sysfs attribute; @p text NULL takes it away. */
void fake_vfio_set_attr(struct fake_device *dev, const char *attr, const char *text);

/**
 * From now on calls on the descriptor of a device go to its memory, with nothing in between:
 * that of a region is where its offset says. It is closed as before.
 */
void fake_vfio_step_aside(int fd);

/** Device side of a region: reads and writes without trace. */
void fake_vfio_peek(const struct fake_device *dev, uint32_t region, uint64_t off, void *buf,
		size_t len);
void fake_vfio_poke(struct fake_device *dev, uint32_t region, uint64_t off, const void *buf,
		size_t len);

/** Raises an interrupt. Returns 0, or -ENOTCONN if no eventfd is bound to it. */
int fake_vfio_fire(struct fake_device *dev, uint32_t index, uint32_t vector);

/** The container the device's group is in, or NULL. */
struct fake_container *fake_vfio_container(const struct fake_device *dev);

/** The DMA mapping that contains @p iova, or NULL. */
const struct fake_dma *fake_vfio_dma(const struct fake_container *container, uint64_t iova);

#endif /* FAKE_VFIO_H */
