/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef BUS_DRIVER_H
#define BUS_DRIVER_H

/**
 * @file
 * What a bus gives to EAL. The layout is that of DPDK 25.11.
 */

#include <rte_bus.h>
#include <rte_common.h>
#include <rte_compat.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_os.h>
#include <rte_tailq.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rte_devargs;
struct rte_device;

/** A list of buses. */
RTE_TAILQ_HEAD(rte_bus_list, rte_bus);

/** Look for devices and list them. 0, or -errno. Repeated scans find what came and went. */
typedef int (*rte_bus_scan_t)(void);

/** Let drivers take all devices listed. 0, or -errno. */
typedef int (*rte_bus_probe_t)(void);

/** The first device after @p start (NULL: of all) for which @p cmp gives 0, or NULL. */
typedef struct rte_device *(*rte_bus_find_device_t)(const struct rte_device *start,
	rte_dev_cmp_t cmp, const void *data);

/** Let a driver take one device. 0, or -errno; greater than 0: no driver wants it. */
typedef int (*rte_bus_plug_t)(struct rte_device *dev);

/** Take a device from its driver and forget it. 0, or -errno. */
typedef int (*rte_bus_unplug_t)(struct rte_device *dev);

/**
 * Is @p name one of this bus's devices? Fills @p addr, when it is not NULL, with the address in
 * the bus's own form. 0: yes, else no.
 */
typedef int (*rte_bus_parse_t)(const char *name, void *addr);

/** Set da->name from da->bus_str. 0, or -errno. */
typedef int (*rte_bus_devargs_parse_t)(struct rte_devargs *da);

/** Let a device reach memory. 0, or -1 with rte_errno. */
typedef int (*rte_dev_dma_map_t)(struct rte_device *dev, void *addr, uint64_t iova, size_t len);

/** Undo rte_dev_dma_map_t. 0, or -1 with rte_errno. */
typedef int (*rte_dev_dma_unmap_t)(struct rte_device *dev, void *addr, uint64_t iova,
	size_t len);

/** A device was pulled: make accesses to it harmless. 0, or -errno. */
typedef int (*rte_bus_hot_unplug_handler_t)(struct rte_device *dev);

/** An access to @p failure_addr faulted. 0: handled; -1: failed to; 1: not of this bus. */
typedef int (*rte_bus_sigbus_handler_t)(const void *failure_addr);

/** Take all devices from their drivers and forget them. 0, or -errno. */
typedef int (*rte_bus_cleanup_t)(void);

/** The kind of address that suits the devices of the bus. */
typedef enum rte_iova_mode (*rte_bus_get_iommu_class_t)(void);

/** Which devices a bus lists. */
enum rte_bus_scan_mode {
	RTE_BUS_SCAN_UNDEFINED,	/**< the user said nothing: all */
	RTE_BUS_SCAN_ALLOWLIST,	/**< those that the user allows */
	RTE_BUS_SCAN_BLOCKLIST	/**< all but those that the user blocks */
};

/** What the user wants of a bus. */
struct rte_bus_conf {
	enum rte_bus_scan_mode scan_mode;	/**< which devices to list */
};

/** A bus. */
struct rte_bus {
	RTE_TAILQ_ENTRY(rte_bus) next;	/**< link of EAL's list */
	const char *name;	/**< its name */
	rte_bus_scan_t scan;	/**< must be there */
	rte_bus_probe_t probe;	/**< must be there */
	rte_bus_find_device_t find_device;	/**< must be there */
	rte_bus_plug_t plug;	/**< needed for hot add */
	rte_bus_unplug_t unplug;	/**< needed for hot remove */
	rte_bus_parse_t parse;	/**< needed for device names of the plain form */
	rte_bus_devargs_parse_t devargs_parse;	/**< needed for names of the layered form */
	rte_dev_dma_map_t dma_map;	/**< or NULL */
	rte_dev_dma_unmap_t dma_unmap;	/**< or NULL */
	struct rte_bus_conf conf;	/**< set by EAL */
	rte_bus_get_iommu_class_t get_iommu_class;	/**< or NULL */
	rte_dev_iterate_t dev_iterate;	/**< needed for filters */
	rte_bus_hot_unplug_handler_t hot_unplug_handler;	/**< or NULL */
	rte_bus_sigbus_handler_t sigbus_handler;	/**< or NULL */
	rte_bus_cleanup_t cleanup;	/**< or NULL */
};

/**
 * Add a bus. It has a name, scan(), probe() and find_device(), and when it has unplug() also
 * plug(); else the program panics. From a constructor, or before rte_eal_init().
 *
 * @param bus The bus, which EAL uses until rte_bus_unregister().
 */
__rte_internal
void rte_bus_register(struct rte_bus *bus);

/**
 * Take a bus out. No device of it may be used any more. From a destructor, or after
 * rte_eal_cleanup().
 *
 * @param bus A bus that is registered.
 */
__rte_internal
void rte_bus_unregister(struct rte_bus *bus);

/** Add the bus @p bus, an object, under the name @p nm before main(). */
#define RTE_REGISTER_BUS(nm, bus) \
RTE_INIT_PRIO(businitfn_ ##nm, BUS) \
{ \
	(bus).name = RTE_STR(nm); \
	rte_bus_register(&bus); \
}

#ifdef __cplusplus
}
#endif

#endif /* BUS_DRIVER_H */
