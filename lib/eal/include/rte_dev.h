/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_DEV_H
#define RTE_DEV_H

/**
 * @file
 * Devices of any bus: what they are, adding and removing them at run time, walking them, and
 * news about them. Unless a function says otherwise it is called after rte_eal_init(), and not
 * while another thread adds or removes devices.
 */

#include <stdint.h>
#include <stdio.h>

#include <rte_common.h>
#include <rte_compat.h>
#include <rte_config.h>
#include <rte_log.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rte_bus;
struct rte_class;
struct rte_devargs;
struct rte_device;
struct rte_driver;

/** Something happened to a device of the system. */
enum rte_dev_event_type {
	RTE_DEV_EVENT_ADD,	/**< it came */
	RTE_DEV_EVENT_REMOVE,	/**< it goes, or is gone */
	RTE_DEV_EVENT_MAX
};

/** Is told about events of the device @p device_name; @p cb_arg is as registered. */
typedef void (*rte_dev_event_cb_fn)(const char *device_name, enum rte_dev_event_type event,
	void *cb_arg);

/** May a device be used? */
enum rte_dev_policy {
	RTE_DEV_ALLOWED,	/**< yes */
	RTE_DEV_BLOCKED	/**< no */
};

/** Bytes of a device's name in a list of arguments, with NUL. */
#define RTE_DEV_NAME_MAX_LEN 64

/** A range of memory of a device. */
struct rte_mem_resource {
	uint64_t phys_addr;	/**< where the device has it; 0: it has no such range */
	uint64_t len;	/**< bytes */
	void *addr;	/**< where this process sees it; NULL: nowhere */
};

/**
 * The name of a driver. Any thread.
 *
 * @param driver The driver.
 * @return Its name, which lasts as long as the driver.
 */
const char *rte_driver_name(const struct rte_driver *driver);

/**
 * The bus of a device. Any thread.
 *
 * @param dev The device.
 * @return Its bus.
 */
const struct rte_bus *rte_dev_bus(const struct rte_device *dev);

/**
 * What the bus tells about a device. Any thread.
 *
 * @param dev The device.
 * @return A text, which lasts as long as the device; NULL: the bus tells nothing.
 */
const char *rte_dev_bus_info(const struct rte_device *dev);

/**
 * The arguments of a device.
 *
 * @param dev The device.
 * @return The arguments, which stay EAL's: until the device is removed, or added again with others;
 *   NULL: the user said nothing.
 */
const struct rte_devargs *rte_dev_devargs(const struct rte_device *dev);

/**
 * The driver of a device.
 *
 * @param dev The device.
 * @return The driver; NULL: it has none.
 */
const struct rte_driver *rte_dev_driver(const struct rte_device *dev);

/**
 * The name of a device.
 *
 * @param dev The device.
 * @return The name, which lasts as long as the device.
 */
const char *rte_dev_name(const struct rte_device *dev);

/**
 * The NUMA node of a device. Any thread.
 *
 * @param dev The device.
 * @return The number of the node; SOCKET_ID_ANY (-1): it is near to none.
 */
int rte_dev_numa_node(const struct rte_device *dev);

/**
 * Has a device a driver?
 *
 * @param dev The device.
 * @return 1: yes; 0: no.
 */
int rte_dev_is_probed(const struct rte_device *dev);

/**
 * Add a device by bus and name; same as rte_dev_probe() of "BUSNAME:DEVNAME,DRVARGS".
 *
 * @param busname A bus.
 * @param devname A device, in any form that the bus understands.
 * @param drvargs Arguments for its driver; NULL or "" for none.
 * @return 0, or as rte_dev_probe().
 */
int rte_eal_hotplug_add(const char *busname, const char *devname, const char *drvargs);

/**
 * Add a device: look for it on its bus, then let its driver take it. One thread at a time.
 *
 * @param devargs Which device, and arguments for its driver, as after -a on the command line. They
 *   take the place of those that the device had; a driver that has it already is not told.
 * @return 0, also when it has a driver already; or
 *   - -EINVAL: the text names no bus, or it cannot be parsed
 *   - -EFAULT: no bus knows such a device, or there is no such bus or class
 *   - -ENOMEM: memory ran out
 *   - -ENODEV: the bus has no such device
 *   - -ENOTSUP: the bus cannot add devices, or no driver wants it
 *   - another negative number from the bus or the driver
 */
int rte_dev_probe(const char *devargs);

/**
 * Remove a device by bus and name.
 *
 * @param busname A bus.
 * @param devname A device, in any form that the bus understands.
 * @return 0, or
 *   - -ENOENT: there is no such bus
 *   - -EINVAL: the bus has no such device
 *   - another negative number as from rte_dev_remove()
 */
int rte_eal_hotplug_remove(const char *busname, const char *devname);

/**
 * Remove a device: its driver lets it go, and the bus forgets it. One thread at a time.
 *
 * @param dev The device; gone when this succeeds.
 * @return 0, or
 *   - -ENOENT: it has no driver, or the driver does not let it go and gives no reason
 *   - -ENOTSUP: its bus cannot remove devices
 *   - another negative number from the bus or the driver
 */
int rte_dev_remove(struct rte_device *dev);

/** Compare a device with @p data: 0 when they match. */
typedef int (*rte_dev_cmp_t)(const struct rte_device *dev, const void *data);

/** A walk over devices; the fields belong to EAL. */
struct rte_dev_iterator {
	const char *dev_str;	/**< what to look for */
	const char *bus_str;	/**< the part for the bus */
	const char *cls_str;	/**< the part for the class */
	struct rte_bus *bus;	/**< the bus; NULL: all */
	struct rte_class *cls;	/**< the class; NULL: any */
	struct rte_device *device;	/**< where the walk is on the bus */
	void *class_device;	/**< where the walk is in the class */
};

/** Find what follows @p start (NULL: the first) and matches @p devstr; NULL when nothing does. */
typedef void *(*rte_dev_iterate_t)(const void *start, const char *devstr,
	const struct rte_dev_iterator *it);

/**
 * Start a walk.
 *
 * @param it The walk.
 * @param str What to look for: "bus=BUS,KEY=VALUE,..." or "class=CLASS,..." or both with "/"
 *   between. EAL keeps pointers to it until the walk has ended.
 * @return 0, or with the positive number in rte_errno
 *   - -EINVAL: the text names neither bus nor class
 *   - -EFAULT: there is no such bus or class
 *   - -ENOTSUP: the bus or class cannot list its devices
 *   - -ENOMEM: memory ran out
 */
int rte_dev_iterator_init(struct rte_dev_iterator *it, const char *str);

/**
 * Go to the next device of a walk.
 *
 * @param it The walk. When it has ended nothing need be freed; to leave it early needs nothing
 *   either.
 * @return A device; NULL at the end, or with rte_errno when the bus does not like the filter.
 */
struct rte_device *rte_dev_iterator_next(struct rte_dev_iterator *it);

/** For each @p dev that matches the text @p devstr; @p it is for the macro. */
#define RTE_DEV_FOREACH(dev, devstr, it) \
	for (rte_dev_iterator_init(it, devstr), (dev) = rte_dev_iterator_next(it); \
		(dev) != NULL; \
		(dev) = rte_dev_iterator_next(it))

/**
 * Ask to be told about events of a device. Any thread.
 *
 * @param device_name A device; NULL: all.
 * @param cb_fn What to call, from the interrupt thread.
 * @param cb_arg Passed to @p cb_fn.
 * @return 0; -EINVAL when @p cb_fn is NULL, -EEXIST when it is registered, -ENOMEM.
 */
int rte_dev_event_callback_register(const char *device_name, rte_dev_event_cb_fn cb_fn,
	void *cb_arg);

/**
 * Undo rte_dev_event_callback_register(). Any thread.
 *
 * @param device_name As registered.
 * @param cb_fn As registered.
 * @param cb_arg As registered; (void *)-1: any.
 * @return How many were unregistered; -EAGAIN when one is being called, -ENOENT when there is
 *   none, -EINVAL when @p cb_fn is NULL.
 */
int rte_dev_event_callback_unregister(const char *device_name, rte_dev_event_cb_fn cb_fn,
	void *cb_arg);

/**
 * Call those who asked to be told about an event of a device, in the calling thread; from a bus's
 * sigbus_handler(), in the interrupt thread later. Any thread.
 *
 * @param device_name The device; NULL does nothing.
 * @param event What happened to it.
 */
void rte_dev_event_callback_process(const char *device_name, enum rte_dev_event_type event);

/**
 * Start to watch the system for PCI devices that come and go. Starts are counted. Any thread.
 *
 * @return 0; -ENOMEM, -EMFILE, -ENFILE, or -EPERM, -EACCES, -EPROTONOSUPPORT when the process may
 *   have no netlink socket.
 */
int rte_dev_event_monitor_start(void);

/**
 * Undo rte_dev_event_monitor_start(). Any thread; in others than the interrupt thread it waits
 * for callbacks that run.
 *
 * @return 0, also when it is not started; on FreeBSD -ENOTSUP.
 */
int rte_dev_event_monitor_stop(void);

/**
 * Let buses handle devices that vanish: by SIGBUS, when a device's memory is used that is gone, and
 * when the monitor hears of it. A SIGBUS that is no bus's goes to the handler that was set before.
 * Any thread.
 *
 * @return 0; a negative errno when the handler cannot be set.
 */
int rte_dev_hotplug_handle_enable(void);

/**
 * Undo rte_dev_hotplug_handle_enable(); nothing to undo is fine. Any thread.
 *
 * @return 0; on FreeBSD -ENOTSUP.
 */
int rte_dev_hotplug_handle_disable(void);

/**
 * Let a device reach memory. Devices may share an IOMMU: what is mapped for one of them can be
 * mapped for the next one, which changes nothing, and is taken back from all of them at once.
 *
 * @param dev The device.
 * @param addr Where the memory is; a multiple of the page size. EAL has to know it: it is of
 *   rte_malloc(), or was made known by rte_extmem_register().
 * @param iova Where the device shall see it; a multiple of the page size.
 * @param len Bytes; a whole number of pages.
 * @return 0; -1 with rte_errno
 *   - ENOTSUP: the bus cannot do it, or @p len is 0
 *   - EINVAL: @p dev is NULL or has no driver, or EAL does not know the memory, or a number is no
 *     multiple of the page size
 *   - EEXIST: part of the range, but not all of it, is mapped so already, or other memory is there
 *   - another one from the bus, or from the device's driver
 */
int rte_dev_dma_map(struct rte_device *dev, void *addr, uint64_t iova, size_t len);

/**
 * Undo rte_dev_dma_map(), or several of them for memory side by side, or for part of it.
 *
 * @param dev The device.
 * @param addr Where the memory is.
 * @param iova Where the device sees it.
 * @param len Bytes; a whole number of pages.
 * @return 0; -1 with rte_errno
 *   - ENOTSUP: the bus cannot do it, or @p len is 0
 *   - EINVAL: @p dev is NULL or has no driver, or EAL does not know the memory, or not all of the
 *     range is mapped so
 *   - another one from the bus, or from the device's driver: then none of it may be mapped any more
 */
int rte_dev_dma_unmap(struct rte_device *dev, void *addr, uint64_t iova, size_t len);

#ifdef __cplusplus
}
#endif

#endif /* RTE_DEV_H */
