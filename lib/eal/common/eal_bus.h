/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_BUS_H
#define EAL_BUS_H

/**
 * @file
 * What EAL itself asks of the list of buses.
 */

#include <stdbool.h>

struct rte_bus;

/** The first bus that says the device name @p name is one of its own, or NULL. */
struct rte_bus *rte_bus_find_by_device_name(const char *name);

/** Do two texts name the same device of @p bus, e.g. "0000:02:00.0" and "2:0.0"? */
bool eal_bus_same_device(const struct rte_bus *bus, const char *name, const char *other);

/** Let all buses forget their devices and what the user wants of them. 0; failures are logged. */
int eal_bus_cleanup(void);

#endif /* EAL_BUS_H */
