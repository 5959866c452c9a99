/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef DEVICE_H
#define DEVICE_H

/**
 * @file
 * The devices of the bus as the tool reaches them: found, and opened only when asked for.
 */

#include <stdbool.h>
#include <stdint.h>

struct cli_request;
struct rte_pci_device;

/**
 * Start EAL. It looks at the devices of the system and touches none: a driver of the tool's own
 * takes them all and does nothing with them, so that no other driver does.
 *
 * @param only
 *   The one device to look at; NULL: all. A list of the user's own counts more.
 * @return
 *   0, or -errno with the reason said.
 */
int devices_start(char *prog, int eal_argc, char **eal_argv, char *only);
void devices_stop(void);

/** The device that a user means, or NULL with the reason said. */
struct rte_pci_device *device_find(const char *text);

/**
 * Open a device.
 *
 * @return
 *   0; 1: its kernel driver does not let us; -errno. Unless 0, the reason and the way out have
 *   been said. Undone by rte_pci_unmap_device().
 */
int device_open(struct rte_pci_device *dev);

/** Access to what a request names: a memory BAR, an I/O BAR or configuration space. 0, -errno. */
int device_read(struct rte_pci_device *dev, const struct cli_request *request, uint64_t *value);
int device_write(struct rte_pci_device *dev, const struct cli_request *request);

#endif /* DEVICE_H */
