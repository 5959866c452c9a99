/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_BACKEND_H
#define FAKE_BACKEND_H

/**
 * @file
 * A backend of the PCI bus whose devices are memory of the test: with it the bus runs as with
 * real devices. The memory of a BAR is a memfd, so that loads and the backend's calls see the
 * same bytes. Functions fail the test if they cannot do what they should.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_eal.h>
#include <rte_pci.h>
#include <rte_vfio_region.h>

#define FAKE_PCI_AREAS_MAX 8

/** A BAR; a size of 0: there is none. */
struct fake_pci_bar {
	uint64_t size;
	struct rte_vfio_area areas[FAKE_PCI_AREAS_MAX];	/**< that may be mapped */
	uint32_t nb_areas;
};

/** A device. The test may change and read all of it at any time. */
struct fake_pci {
	struct fake_pci *next;
	/* what it is; may be set when it is made */
	struct rte_pci_addr addr;
	struct rte_pci_id id;
	int numa_node;
	struct fake_pci_bar bar[PCI_MAX_RESOURCE];
	/* how it behaves */
	bool absent;	/**< scans do not find it */
	int open_rc;	/**< of open: 0, 1 or -errno */
	int start_rc;	/**< of start */
	enum rte_iova_mode iova_mode;	/**< that it needs */
	int dma_rc;	/**< of dma_map and dma_unmap */
	void (*in_removed)(struct fake_pci *dev);	/**< called when told that it went away */
	/* what happened to it */
	unsigned int nb_opens, nb_closes, nb_starts, nb_stops;
	unsigned int nb_reads, nb_writes;	/**< by calls, not by loads and stores */
	unsigned int nb_dma_maps, nb_dma_unmaps;
	unsigned int nb_removed;	/**< told that it went away */
	unsigned int nb_removed_in_signal;	/**< of these */
	uintptr_t token;	/**< by which the bus knows it, since it was opened */
	int memfd[PCI_MAX_RESOURCE];
};

/** The kernel driver whose devices, listed in sysfs, the backend takes for its own. */
#define FAKE_BACKEND_KERNEL_DRIVER "fake-vfio"

/** Register the backend. */
void fake_backend_start(void);

/** How often it was asked whether a device is its own. */
unsigned int fake_backend_nb_claims(void);

/** Take it out and free its devices. Fails the test if one is still open. */
void fake_backend_stop(void);

/** Make a device, from the first part of @p like. */
struct fake_pci *fake_pci_add(const char *addr, const struct fake_pci *like);

/** A shared mapping of a BAR's memory, for the device side; of all of it, for munmap(). */
void *fake_pci_bar_memory(struct fake_pci *dev, unsigned int bar);

/** Cut the memory of a BAR off: who touches its mapping gets SIGBUS. */
void fake_pci_bar_pull(struct fake_pci *dev, unsigned int bar);

#endif /* FAKE_BACKEND_H */
