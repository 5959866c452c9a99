/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef BUS_PCI_DRIVER_H
#define BUS_PCI_DRIVER_H

/**
 * @file
 * What a driver of PCI devices needs: the device and driver structures, registration, and the
 * table of devices it drives. The layouts are the binary interface of DPDK 25.11.
 */

#include <stdint.h>

#include <dev_driver.h>
#include <rte_bus_pci.h>
#include <rte_compat.h>
#include <rte_dev.h>

#ifdef __cplusplus
extern "C" {
#endif

/** By which kernel driver a device is held. */
enum rte_pci_kernel_driver {
	RTE_PCI_KDRV_UNKNOWN = 0,	/**< one that gives user space no way in */
	RTE_PCI_KDRV_IGB_UIO,	/**< igb_uio */
	RTE_PCI_KDRV_VFIO,	/**< VFIO: vfio-pci and its variants */
	RTE_PCI_KDRV_UIO_GENERIC,	/**< uio_pci_generic */
	RTE_PCI_KDRV_NIC_UIO,	/**< nic_uio (FreeBSD) */
	RTE_PCI_KDRV_NONE,	/**< none */
	RTE_PCI_KDRV_NET_UIO,	/**< NetUIO (Windows) */
};

struct rte_pci_device;
struct rte_pci_driver;

/** A PCI device. Drivers read it; the bus writes it. */
struct rte_pci_device {
	RTE_TAILQ_ENTRY(rte_pci_device) next;	/**< the bus's own */
	struct rte_device device;	/**< as devices of any bus are seen */
	struct rte_pci_addr addr;	/**< where it is */
	struct rte_pci_id id;	/**< what it is */
	/** BARs; addr is NULL where nothing is mapped */
	struct rte_mem_resource mem_resource[PCI_MAX_RESOURCE];
	struct rte_intr_handle *intr_handle;	/**< its interrupts; NULL unless in use */
	struct rte_pci_driver *driver;	/**< who drives it, or is asked to; NULL: nobody */
	uint16_t max_vfs;	/**< virtual functions that are on; read before it is probed */
	enum rte_pci_kernel_driver kdrv;	/**< by which kernel driver it is held */
	char name[PCI_PRI_STR_SIZE + 1];	/**< its address as text */
	char *bus_info;	/**< for people: what it is */
	struct rte_intr_handle *vfio_req_intr_handle;	/**< tells when the kernel wants it back */
};

/** The PCI device of which a struct rte_device is a part. */
#define RTE_DEV_TO_PCI(ptr) container_of(ptr, struct rte_pci_device, device)

/** The same for a device that is only read. */
#define RTE_DEV_TO_PCI_CONST(ptr) container_of(ptr, const struct rte_pci_device, device)

/** The PCI device behind a struct rte_eth_dev. */
#define RTE_ETH_DEV_TO_PCI(eth_dev) RTE_DEV_TO_PCI((eth_dev)->device)

/** A row of a driver's table: any board with this vendor and device id. */
#ifdef __cplusplus
#define RTE_PCI_DEVICE(vend, dev) \
	RTE_CLASS_ANY_ID, \
	(vend), \
	(dev), \
	RTE_PCI_ANY_ID, \
	RTE_PCI_ANY_ID
#else
#define RTE_PCI_DEVICE(vend, dev) \
	.class_id = RTE_CLASS_ANY_ID, \
	.vendor_id = (vend), \
	.device_id = (dev), \
	.subsystem_vendor_id = RTE_PCI_ANY_ID, \
	.subsystem_device_id = RTE_PCI_ANY_ID
#endif

/**
 * Take a device. Called once for each device that a row of the driver's table fits; with
 * RTE_PCI_DRV_PROBE_AGAIN also for one that it drives already.
 *
 * @return
 *   0: it is taken; positive: not for this driver, another may be asked; negative: an error,
 *   nobody else is asked.
 */
typedef int (rte_pci_probe_t)(struct rte_pci_driver *, struct rte_pci_device *);

/**
 * Give a device back. The bus unmaps it afterwards.
 *
 * @return
 *   0, or a negative value: the device stays with the driver.
 */
typedef int (rte_pci_remove_t)(struct rte_pci_device *);

/**
 * Make memory visible to a device, in the driver's own way.
 *
 * @param dev
 *   The device.
 * @param addr
 *   Start of the memory.
 * @param iova
 *   Where the device shall see it.
 * @param len
 *   Bytes.
 * @return
 *   0, or negative with rte_errno set.
 */
typedef int (pci_dma_map_t)(struct rte_pci_device *dev, void *addr, uint64_t iova, size_t len);

/** Undo pci_dma_map_t; same parameters and result. */
typedef int (pci_dma_unmap_t)(struct rte_pci_device *dev, void *addr, uint64_t iova, size_t len);

/** A driver of PCI devices. */
struct rte_pci_driver {
	RTE_TAILQ_ENTRY(rte_pci_driver) next;	/**< the bus's own */
	struct rte_driver driver;	/**< as drivers of any bus are seen: name and alias */
	rte_pci_probe_t *probe;	/**< take a device */
	rte_pci_remove_t *remove;	/**< give it back; NULL: nothing to do */
	pci_dma_map_t *dma_map;	/**< NULL: the bus does it */
	pci_dma_unmap_t *dma_unmap;	/**< NULL: the bus does it */
	/** what it drives; ends with a row whose vendor_id is 0 */
	const struct rte_pci_id *id_table;
	uint32_t drv_flags;	/**< RTE_PCI_DRV_* */
};

/** A BAR that is reached by rte_pci_ioport_read() and rte_pci_ioport_write(). */
struct rte_pci_ioport {
	struct rte_pci_device *dev;	/**< whose it is */
	uint64_t base;	/**< the way to it, known to the bus alone */
	uint64_t len;	/**< bytes; only for ports that are in memory */
};

/** The bus maps the device before probe and unmaps it after remove. */
#define RTE_PCI_DRV_NEED_MAPPING 0x0001
/** BARs are mapped write-combining where that can be had. */
#define RTE_PCI_DRV_WC_ACTIVATE 0x0002
/** probe is also called for a device that is driven already. */
#define RTE_PCI_DRV_PROBE_AGAIN 0x0004
/** The driver reports link changes by interrupt. */
#define RTE_PCI_DRV_INTR_LSC 0x0008
/** The driver reports removal by interrupt. */
#define RTE_PCI_DRV_INTR_RMV 0x0010
/** The device stays mapped when the driver declines it. */
#define RTE_PCI_DRV_KEEP_MAPPED_RES 0x0020
/** The driver needs IOVAs that are virtual addresses. */
#define RTE_PCI_DRV_NEED_IOVA_AS_VA 0x0040

/**
 * Where the devices are listed.
 *
 * @return
 *   A folder: the environment's SYSFS_PCI_DEVICES, else the system's. Valid until the
 *   environment changes; NULL on a system that has no such folder.
 */
__rte_internal
const char *
rte_pci_get_sysfs_path(void);

/**
 * Let a driver be asked for devices. Drivers are asked in the order in which they came.
 *
 * @param driver
 *   The driver, which stays the caller's and must live until rte_pci_unregister().
 */
__rte_internal
void
rte_pci_register(struct rte_pci_driver *driver);

/**
 * Take a driver out. It must drive no device any more.
 *
 * @param driver
 *   A registered driver.
 */
__rte_internal
void
rte_pci_unregister(struct rte_pci_driver *driver);

/** Register the driver @p pci_drv under the name @p nm when the program or library is loaded. */
#define RTE_PMD_REGISTER_PCI(nm, pci_drv) \
RTE_INIT(pciinitfn_ ##nm) \
{ \
	(pci_drv).driver.name = RTE_STR(nm); \
	rte_pci_register(&pci_drv); \
} \
RTE_PMD_EXPORT_NAME(nm)

#ifdef __cplusplus
}
#endif

#endif /* BUS_PCI_DRIVER_H */
