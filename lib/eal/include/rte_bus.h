/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_BUS_H
#define RTE_BUS_H

/**
 * @file
 * The buses that are linked or loaded. The list changes only while constructors run, so any
 * thread may search it.
 */

#include <stdio.h>

#include <rte_compat.h>
#include <rte_eal.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rte_bus;
struct rte_device;

/**
 * The name of a bus. Any thread.
 *
 * @param bus The bus.
 * @return Its name, which lasts as long as the bus.
 */
const char *rte_bus_name(const struct rte_bus *bus);

/**
 * Let every bus look for devices. A bus that fails is logged and does not stop the others.
 * @return 0.
 */
int rte_bus_scan(void);

/**
 * Let the drivers of every bus take the devices found; the bus "vdev" comes last, as its devices
 * may build on others. A bus that fails is logged and does not stop the others.
 * @return 0.
 */
int rte_bus_probe(void);

/**
 * Write the names of the buses, a line each. Any thread.
 *
 * @param f Where to.
 */
void rte_bus_dump(FILE *f);

/** Compare a bus with @p data: 0 when they match. */
typedef int (*rte_bus_cmp_t)(const struct rte_bus *bus, const void *data);

/**
 * Find a bus.
 *
 * @param start Begin after this one; NULL: with the first.
 * @param cmp Says whether a bus matches.
 * @param data Passed to @p cmp.
 * @return The bus, or NULL.
 */
struct rte_bus *rte_bus_find(const struct rte_bus *start, rte_bus_cmp_t cmp, const void *data);

/**
 * Find the bus of a device. Not while another thread adds or removes devices.
 *
 * @param dev The device; any pointer, it is only compared.
 * @return The bus that lists it, or NULL.
 */
struct rte_bus *rte_bus_find_by_device(const struct rte_device *dev);

/**
 * Find a bus by its name. Any thread.
 *
 * @param busname The name; NULL is nobody's.
 * @return The bus, or NULL.
 */
struct rte_bus *rte_bus_find_by_name(const char *busname);

/**
 * The kind of address that suits the devices of all buses. When some want physical ones and
 * others virtual ones, it is RTE_IOVA_DC with a warning.
 *
 * @return RTE_IOVA_PA, RTE_IOVA_VA, or RTE_IOVA_DC: either will do.
 */
enum rte_iova_mode rte_bus_get_iommu_class(void);

#ifdef __cplusplus
}
#endif

#endif /* RTE_BUS_H */
