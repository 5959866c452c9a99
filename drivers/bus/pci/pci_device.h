/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_DEVICE_H
#define PCI_DEVICE_H

/**
 * @file
 * A PCI device as the bus keeps it: the public structure, whose layout is ABI, and behind it
 * what only the bus knows. Every rte_pci_device in the bus's list is one of these.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_compat.h>
#include <rte_dev.h>
#include <bus_pci_driver.h>

#include "pci_cap.h"
#include "pci_region.h"

struct pci_backend;
struct pci_backend_state;

struct pci_device {
	struct rte_pci_device pub;	/**< first: drivers hold pointers to it */
	const struct pci_backend *backend;	/**< how it is reached; NULL: not by us */
	struct pci_backend_state *state;	/**< the backend's own; NULL unless open */
	struct pci_region region[PCI_REGION_NB];	/**< filled by the backend's open() */
	struct pci_cap_list caps;	/**< read once per open() */

	/**
	 * Names this device and no other one, before or after it, for as long as the process
	 * lives. What a callback that may come late is given in place of a pointer.
	 */
	uintptr_t token;
	const char *kernel_driver;	/**< its name, or NULL */
	unsigned int nb_vectors;	/**< of the interrupt in use; the backend sets it */
	/** What EAL takes for IOVAs means nothing to the device: it must not reach memory. */
	bool no_bus_master;
	bool mapped;	/**< between pci_device_map() and pci_device_unmap() */
	unsigned int pins;	/**< callbacks under way: it must not be freed */
	unsigned int nb_handle_users;	/**< of the interrupt handles; see pci_handles.h */
	char bus_info[48];	/**< what pub.bus_info points to */
	char long_name[];	/**< pub.device.name if that is not pub.name */
};

/** The bus's view of a device that a driver handed in. */
static inline struct pci_device *
pci_device_of(struct rte_pci_device *pub)
{
	return container_of(pub, struct pci_device, pub);
}

static inline const struct pci_device *
pci_device_of_const(const struct rte_pci_device *pub)
{
	return container_of(pub, const struct pci_device, pub);
}

/**
 * What rte_pci_map_device() does, in this order: allocate the interrupt handles, the backend's
 * open(), pci_regions_map(), the backend's start(), and undo all of it if a step fails. When
 * start() runs and until stop() has returned, dev->pub.intr_handle and vfio_req_intr_handle are
 * there. A device that is mapped stays as it is.
 *
 * @return as rte_pci_map_device()
 */
int pci_device_map(struct pci_device *dev);

/** Undo pci_device_map(). Safe on a device that is not mapped. */
void pci_device_unmap(struct pci_device *dev);

/**
 * The owner of a device wants it back: tell who listens to RTE_DEV_EVENT_REMOVE. For callbacks
 * of a backend in the event thread, which know the device by its token only, since it may have
 * been removed before they run. No lock is held while listeners run.
 *
 * @return 0; -ENODEV: the device is no more.
 */
__rte_internal
int rte_pci_ask_back(uintptr_t token);

#endif /* PCI_DEVICE_H */
