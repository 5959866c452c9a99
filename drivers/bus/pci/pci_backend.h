/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_BACKEND_H
#define PCI_BACKEND_H

/**
 * @file
 * What the bus asks of a way to reach devices (kernel VFIO, vfio-user, UIO, ...). A backend is
 * one row in pci_backends[] and one file; nothing else in the bus knows which one it talks to.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_compat.h>
#include <rte_bus.h>
#include <bus_pci_driver.h>

struct pci_device;
struct pci_scan;
struct rte_kvargs;

struct pci_backend {
	const char *name;	/**< as shown to users, e.g. "vfio" */
	enum rte_pci_kernel_driver kdrv;	/**< published in rte_pci_device.kdrv */

	/**
	 * Is a device that the system lists, bound to @p kernel_driver, ours?
	 * @p dirfd and @p name lead to its folder in sysfs; -1 and "" where there is no sysfs.
	 * NULL: none of those ever is.
	 */
	bool (*claims)(const char *kernel_driver, int dirfd, const char *name);

	/**
	 * Find devices the system does not list and emit each by rte_pci_scan_emit(). NULL: none.
	 */
	int (*scan)(struct pci_scan *scan);

	/** Let go of what scan() may have kept. NULL: nothing. */
	void (*scan_fini)(void);

	/**
	 * The address that a name stands for, always the same one.
	 * @return 0; -EINVAL: no name of ours. NULL: our devices have none but their address.
	 */
	int (*name_parse)(const char *name, struct rte_pci_addr *addr);

	/**
	 * Write the name of the device that "bus=pci,backend=NAME,KEY=VALUE..." means: one that
	 * name_parse() reads, or an address. NULL: users name our devices in no such way.
	 * @return 0; -EINVAL: the keys or values make no sense, which the log tells
	 */
	int (*devargs_name)(const struct rte_kvargs *kvargs, char *name, size_t size);

	/** IOVA mode the device needs: RTE_IOVA_PA, _VA, or _DC when it does not matter. */
	enum rte_iova_mode (*iova_mode)(const struct pci_device *dev,
		const struct rte_pci_driver *drv);

	/**
	 * Open the device and fill dev->region[], dev->state and the device fds of the interrupt
	 * handles. All of dev->region[] is zero, with fds of -1, when this is called.
	 * @return 0; 1: not managed by this backend, the driver may go on without; -errno.
	 * Whatever is not 0 leaves nothing behind.
	 */
	int (*open)(struct pci_device *dev);

	/** Undo open(). Always succeeds; all that can be released is. */
	void (*close)(struct pci_device *dev);

	/**
	 * Map @p len bytes of a BAR from @p offset on exactly at @p addr, in the place of what is
	 * there, to be used as @p prot says (RTE_PROT_*). NULL: the bus maps the region's fd.
	 * @return 0; -errno, and what was there may be gone
	 */
	int (*place)(const struct pci_device *dev, unsigned int bar, void *addr, uint64_t offset,
		uint64_t len, int prot);

	/** After the regions are mapped: set up interrupts, enable memory and bus mastering. */
	int (*start)(struct pci_device *dev);

	/** Undo start(). */
	void (*stop)(struct pci_device *dev);

	/**
	 * Access that goes through calls. The range is inside the region and not empty. One call
	 * of a naturally aligned 1, 2, 4 or 8 bytes is one access of that width.
	 * @return @p len, when all of it was transferred; else -errno: a short transfer is -EIO.
	 */
	int (*region_read)(const struct pci_device *dev, unsigned int region,
		void *buf, size_t len, uint64_t offset);
	int (*region_write)(const struct pci_device *dev, unsigned int region,
		const void *buf, size_t len, uint64_t offset);

	/** Make [addr, addr + len) visible to the device at iova. NULL: not needed. */
	int (*dma_map)(struct pci_device *dev, void *addr, uint64_t iova, size_t len);
	int (*dma_unmap)(struct pci_device *dev, void *addr, uint64_t iova, size_t len);

	/**
	 * The device goes away under us: see to it that accesses stay harmless; raising
	 * RTE_DEV_EVENT_REMOVE is the bus's business. Called from the event thread, and with
	 * @p in_signal from a SIGBUS handler (no lock, no log, no allocation).
	 */
	int (*removed)(struct pci_device *dev, bool in_signal);
};

/** The backends of this system, in the order in which they are asked; ends with NULL. */
extern const struct pci_backend *const pci_backends[];

/**
 * Walk all backends in the order in which they are asked: registered ones, then those of the
 * system. @p prev NULL: the first one. NULL after the last.
 */
const struct pci_backend *pci_backend_next(const struct pci_backend *prev);

/**
 * Add a backend, asked before those of the system. For tests and for transports that live
 * outside the bus.
 *
 * @return 0, -EEXIST, -ENOMEM
 */
__rte_internal
int rte_pci_backend_register(const struct pci_backend *backend);

/** Take a backend out. No device may use it any more. */
__rte_internal
void rte_pci_backend_unregister(const struct pci_backend *backend);

#endif /* PCI_BACKEND_H */
