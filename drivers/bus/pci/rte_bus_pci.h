/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_BUS_PCI_H
#define RTE_BUS_PCI_H

/**
 * @file
 * The PCI bus: what drivers and programs do with a device that the bus found.
 *
 * A device is mapped by rte_pci_map_device(), which most drivers leave to the bus by the flag
 * RTE_PCI_DRV_NEED_MAPPING. Its BARs are then reached by the pointers in
 * rte_pci_device.mem_resource[], where the owner of the device lets them be mapped, and on every
 * byte by rte_pci_mmio_read() and rte_pci_mmio_write().
 *
 * Unless said otherwise, calls for different devices may run at the same time; calls for one
 * device may too, except with those that map or unmap it.
 */

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include <rte_compat.h>
#include <rte_debug.h>
#include <rte_interrupts.h>
#include <rte_pci.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rte_pci_device;
struct rte_pci_driver;
struct rte_pci_ioport;
struct rte_devargs;

/**
 * Open a device and map what its owner permits of its BARs.
 *
 * mem_resource[].addr becomes the base of each BAR of which anything is mapped; the others stay
 * NULL. A part that cannot be mapped is reached by rte_pci_mmio_read() and rte_pci_mmio_write();
 * it does not make the call fail. A device that is mapped already stays as it is.
 *
 * Not to be called for one device from two threads at once.
 *
 * @param dev
 *   A device of the bus; the mapping belongs to it until rte_pci_unmap_device().
 * @return
 *   - 0: it is mapped.
 *   - 1: it is bound to a kernel driver by which it cannot be reached from here; a driver may go
 *     on without a mapping.
 *   - -EINVAL: @p dev is NULL.
 *   - -ENOMEM: no memory for handles or address space for BARs.
 *   - another negative errno: what the kernel, or the server of the device, said when it was
 *     opened. Nothing is left behind. rte_errno is set whenever the result is negative.
 */
int
rte_pci_map_device(struct rte_pci_device *dev);

/**
 * Undo rte_pci_map_device(): interrupts are off, mem_resource[].addr are NULL, the device is
 * closed. Does nothing for a device that is not mapped.
 *
 * Not to be called while another thread uses the device.
 *
 * @param dev
 *   A device of the bus, or NULL.
 */
void
rte_pci_unmap_device(struct rte_pci_device *dev);

/**
 * Print all devices of the bus: address, identity, drivers, BARs, windows and interrupts.
 *
 * @param f
 *   Where to print.
 */
void
rte_pci_dump(FILE *f);

/**
 * Find an extended capability (from offset 0x100 of configuration space on).
 *
 * @param dev
 *   A device of the bus.
 * @param cap
 *   RTE_PCI_EXT_CAP_ID_*.
 * @return
 *   - > 0: its offset in bytes.
 *   - 0: there is none, or the device has no such space.
 *   - -ENODEV: the device is not mapped.
 *   - another negative errno: what rte_pci_read_config() said.
 */
__rte_experimental
off_t
rte_pci_find_ext_capability(const struct rte_pci_device *dev, uint32_t cap);

/**
 * Let a device master the bus, or not.
 *
 * @param dev
 *   A device of the bus.
 * @param enable
 *   true: it may.
 * @return
 *   - 0: success, also if it is so already.
 *   - -ENODEV: the device is not mapped.
 *   - -EPERM: it must not be enabled, as the device takes physical addresses and EAL's IOVAs are
 *     others.
 *   - another negative errno: what rte_pci_read_config() or rte_pci_write_config() said.
 */
__rte_experimental
int
rte_pci_set_bus_master(const struct rte_pci_device *dev, bool enable);

/**
 * Does a device have a list of capabilities?
 *
 * @param dev
 *   A device of the bus.
 * @return
 *   true if its status register says so; false also if that cannot be read.
 */
__rte_experimental
bool
rte_pci_has_capability_list(const struct rte_pci_device *dev);

/**
 * Find a capability.
 *
 * @param dev
 *   A device of the bus.
 * @param cap
 *   RTE_PCI_CAP_ID_*.
 * @return
 *   - > 0: its offset in bytes.
 *   - 0: there is none.
 *   - -ENODEV: the device is not mapped.
 *   - another negative errno: what rte_pci_read_config() said.
 */
__rte_experimental
off_t
rte_pci_find_capability(const struct rte_pci_device *dev, uint8_t cap);

/**
 * Find a capability after another one. A device may have several of one kind.
 *
 * @param dev
 *   A device of the bus.
 * @param cap
 *   RTE_PCI_CAP_ID_*.
 * @param offset
 *   Where the capability is, in bytes, after which to look.
 * @return
 *   As rte_pci_find_capability(); -EINVAL if no capability of the list is at @p offset.
 */
__rte_experimental
off_t
rte_pci_find_next_capability(const struct rte_pci_device *dev, uint8_t cap, off_t offset);

/**
 * Read configuration space.
 *
 * @param device
 *   A device of the bus.
 * @param[out] buf
 *   Where to put what is read.
 * @param len
 *   Bytes to read.
 * @param offset
 *   Offset in configuration space, in bytes.
 * @return
 *   @p len, or
 *   - -EINVAL: the range is not inside configuration space.
 *   - -ENODEV: the device is not mapped.
 *   - -EACCES: its owner does not let it be read (or written).
 *   - -ENOTCONN: the server of the device is gone; -ETIMEDOUT: it does not answer.
 *   - another negative errno: what the owner of the device said; -EIO if it gave less than was
 *     asked for.
 */
int
rte_pci_read_config(const struct rte_pci_device *device, void *buf, size_t len, off_t offset);

/**
 * Write configuration space.
 *
 * @param device
 *   A device of the bus.
 * @param buf
 *   What to write.
 * @param len
 *   Bytes to write.
 * @param offset
 *   Offset in configuration space, in bytes.
 * @return
 *   As rte_pci_read_config().
 */
int
rte_pci_write_config(const struct rte_pci_device *device, const void *buf, size_t len,
	off_t offset);

/**
 * Read any bytes of a memory BAR of a mapped device, mapped into the process or not.
 *
 * The mapped parts are loaded, the others are read by the owner of the device. A naturally
 * aligned access of 1, 2, 4 or 8 bytes is one access of that width.
 *
 * @param device
 *   A mapped device.
 * @param bar
 *   The BAR, 0 to 5.
 * @param[out] buf
 *   Where to put what is read; its contents are undefined on error.
 * @param len
 *   Bytes to read, up to INT_MAX.
 * @param offset
 *   Offset in the BAR, in bytes.
 * @return
 *   @p len, or
 *   - -EINVAL: there is no such BAR, or the range is not inside it.
 *   - -ENODEV: the device is not mapped.
 *   - -EACCES: its owner does not let the BAR be read (or written).
 *   - -EIO: the owner of the device gave less than was asked for, or memory is not enabled.
 *   - -ENOTCONN: the server of the device is gone; -ETIMEDOUT: it does not answer.
 *   - another negative errno: what the owner of the device said.
 */
__rte_experimental
int
rte_pci_mmio_read(const struct rte_pci_device *device, int bar, void *buf, size_t len,
	off_t offset);

/**
 * Write any bytes of a memory BAR of a mapped device, mapped into the process or not.
 *
 * The mapped parts are stored to, the others are written by the owner of the device. A naturally
 * aligned access of 1, 2, 4 or 8 bytes is one access of that width.
 *
 * @param device
 *   A mapped device.
 * @param bar
 *   The BAR, 0 to 5.
 * @param buf
 *   What to write.
 * @param len
 *   Bytes to write, up to INT_MAX.
 * @param offset
 *   Offset in the BAR, in bytes.
 * @return
 *   As rte_pci_mmio_read(). After an error part of the range may have been written.
 */
__rte_experimental
int
rte_pci_mmio_write(const struct rte_pci_device *device, int bar, const void *buf, size_t len,
	off_t offset);

/** The BAR may be read. */
#define RTE_PCI_BAR_F_READ 0x1u
/** The BAR may be written. */
#define RTE_PCI_BAR_F_WRITE 0x2u
/** The BAR is in I/O space: never mapped, reached by calls only. */
#define RTE_PCI_BAR_F_IOPORT 0x4u

/** What a BAR of a mapped device is. */
struct rte_pci_bar_info {
	uint64_t size;	/**< bytes; 0: there is no such BAR */
	uint32_t flags;	/**< RTE_PCI_BAR_F_* */
	uint32_t nb_windows;	/**< parts of it that are mapped */
	void *base;	/**< as in mem_resource[].addr: where byte 0 is or would be; or NULL */
};

/** A part of a BAR that is mapped into this process. */
struct rte_pci_bar_window {
	uint64_t offset;	/**< in the BAR, bytes; a multiple of the page size */
	uint64_t size;	/**< bytes */
	void *addr;	/**< where the byte at @a offset is */
	int prot;	/**< RTE_PROT_READ, RTE_PROT_WRITE: what may be done by pointer */
};

/**
 * Say what a BAR is.
 *
 * May be called from any thread as long as the device stays mapped.
 *
 * @param dev
 *   A mapped device.
 * @param bar
 *   The BAR, 0 to 5.
 * @param[out] info
 *   What it is. The base is valid until rte_pci_unmap_device().
 * @return
 *   - 0: success, also when there is no such BAR: then the size is 0.
 *   - -EINVAL: @p bar is not from 0 to 5.
 *   - -ENODEV: the device is not mapped.
 */
__rte_experimental
int
rte_pci_bar_info_get(const struct rte_pci_device *dev, int bar, struct rte_pci_bar_info *info);

/**
 * Say which parts of a BAR are mapped. All other bytes of it are reached by
 * rte_pci_mmio_read() and rte_pci_mmio_write() only; their addresses fault.
 *
 * May be called from any thread as long as the device stays mapped.
 *
 * @param dev
 *   A mapped device.
 * @param bar
 *   The BAR, 0 to 5.
 * @param[out] windows
 *   Where to put the first @p nb windows: sorted, disjoint, never touching each other. Their
 *   addresses are valid until rte_pci_unmap_device(). May be NULL if @p nb is 0.
 * @param nb
 *   How many fit.
 * @return
 *   - >= 0: how many windows there are, which may be more than @p nb.
 *   - -EINVAL: @p bar is not from 0 to 5.
 *   - -ENODEV: the device is not mapped.
 */
__rte_experimental
int
rte_pci_bar_windows_get(const struct rte_pci_device *dev, int bar,
	struct rte_pci_bar_window *windows, uint32_t nb);

/**
 * Get a pointer to a range of a BAR, if all of it lies in one window.
 *
 * May be called from any thread as long as the device stays mapped.
 *
 * @param dev
 *   A device of the bus.
 * @param bar
 *   The BAR, 0 to 5.
 * @param offset
 *   Start of the range in the BAR, bytes.
 * @param len
 *   Length of the range, bytes.
 * @return
 *   The pointer, valid until rte_pci_unmap_device(); what may be done with it is what
 *   rte_pci_bar_info_get() says of the BAR. NULL if a byte of the range is not mapped.
 */
__rte_experimental
void *
rte_pci_bar_ptr(const struct rte_pci_device *dev, int bar, uint64_t offset, uint64_t len);

/**
 * Say by which way the bus reaches a device.
 *
 * @param dev
 *   A device of the bus, mapped or not.
 * @return
 *   A name for people, as "vfio", which lives as long as the process; NULL if there is none.
 */
__rte_experimental
const char *
rte_pci_backend_name(const struct rte_pci_device *dev);

/**
 * Make a BAR reachable by rte_pci_ioport_read() and rte_pci_ioport_write(). Despite the name
 * it may be one in memory space.
 *
 * @param dev
 *   A mapped device.
 * @param bar
 *   The BAR, 0 to 5.
 * @param[out] p
 *   The handle, the caller's; undone by rte_pci_ioport_unmap().
 * @return
 *   - 0: success.
 *   - -EINVAL: there is no such BAR.
 *   - -ENODEV: the device is not mapped.
 */
int
rte_pci_ioport_map(struct rte_pci_device *dev, int bar, struct rte_pci_ioport *p);

/**
 * Undo rte_pci_ioport_map().
 *
 * @param p
 *   The handle.
 * @return
 *   0, or -EINVAL if it was not mapped.
 */
int
rte_pci_ioport_unmap(struct rte_pci_ioport *p);

/**
 * Read ports.
 *
 * @param p
 *   A handle from rte_pci_ioport_map().
 * @param[out] data
 *   Where to put what is read; all ones when the device does not answer.
 * @param len
 *   Bytes to read.
 * @param offset
 *   Offset in the BAR, in bytes.
 */
void
rte_pci_ioport_read(struct rte_pci_ioport *p, void *data, size_t len, off_t offset);

/**
 * Write ports.
 *
 * @param p
 *   A handle from rte_pci_ioport_map().
 * @param data
 *   What to write.
 * @param len
 *   Bytes to write.
 * @param offset
 *   Offset in the BAR, in bytes.
 */
void
rte_pci_ioport_write(struct rte_pci_ioport *p, const void *data, size_t len, off_t offset);

/**
 * Switch the use of process address space ids on or off.
 *
 * @param dev
 *   A device of the bus.
 * @param offset
 *   Where its PASID capability is, in bytes.
 * @param enable
 *   true: on.
 * @return
 *   - 0: success.
 *   - -EINVAL: @p offset is not in extended configuration space.
 *   - -ENODEV: the device is not mapped.
 *   - another negative errno: what rte_pci_write_config() said.
 */
__rte_internal
int
rte_pci_pasid_set_state(const struct rte_pci_device *dev, off_t offset, bool enable);

#ifdef __cplusplus
}
#endif

#endif /* RTE_BUS_PCI_H */
