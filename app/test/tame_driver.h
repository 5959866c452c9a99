/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef TAME_DRIVER_H
#define TAME_DRIVER_H

/**
 * @file
 * What suites about the PCI bus share: a tree of devices that a fake backend reaches, and drivers
 * that do as the test says and note what the bus does with them. Functions fail the test if they
 * cannot do what they should.
 */

#include <stdbool.h>
#include <stdint.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>

#include "fake_backend.h"
#include "fake_sysfs.h"

/** A test with an empty tree around it, and without EAL. */
#define TAME_TEST(name_) cmocka_unit_test_setup_teardown(name_, tame_setup, tame_teardown)

#define TAME_MAPPED RTE_PCI_DRV_NEED_MAPPING

struct tame_driver {
	struct rte_pci_driver pci;
	int probe_rc, remove_rc, dma_rc;
	int (*in_probe)(struct rte_pci_device *dev);	/**< called in probe; its result counts */
	unsigned int nb_probes, nb_removes, nb_dma_maps, nb_dma_unmaps;
	struct rte_pci_device *dev;	/**< the last one probed */
	unsigned int turn;	/**< of its last probe among all drivers */
	/* what was so in probe */
	void *bar0;
	uint16_t max_vfs;
	bool had_handles, was_probed, was_driver;
	/* for tame_teardown() */
	bool registered;
	struct tame_driver *next;
};

/** A driver for the test, with further members, which tame_teardown() frees. */
#define tame_new(name_, table_, flags_, ...) tame_keep((struct tame_driver){ \
	.pci = { \
		.driver.name = name_, \
		.probe = tame_probe, \
		.remove = tame_remove, \
		.id_table = table_, \
		.drv_flags = flags_, \
	}, \
	__VA_ARGS__ \
})

/** For tame_new(). */
struct tame_driver *tame_keep(struct tame_driver like);
int tame_probe(struct rte_pci_driver *driver, struct rte_pci_device *dev);
int tame_remove(struct rte_pci_device *dev);

/** Callbacks for those drivers that want them. */
int tame_dma_map(struct rte_pci_device *dev, void *addr, uint64_t iova, size_t len);
int tame_dma_unmap(struct rte_pci_device *dev, void *addr, uint64_t iova, size_t len);

void tame_register(struct tame_driver *tame);
void tame_unregister(struct tame_driver *tame);

/** Tables of drivers for devices 1234:0001 and 1234:0002, and for all. */
extern const struct rte_pci_id tame_ids_1[2];
extern const struct rte_pci_id tame_ids_2[2];
extern const struct rte_pci_id tame_ids_all[2];

/** A device 1234:0001: BAR 0 has two windows with a hole between, BAR 2 is whole. */
extern const struct fake_pci tame_device;

/** The tree, and the bus. */
extern struct fake_sysfs *tame_sysfs;
extern struct rte_bus *tame_bus;

int tame_setup(void **state);
int tame_teardown(void **state);

/** The device of a name that the bus has, or NULL. */
struct rte_device *tame_find(const char *name);

/** How many it has. */
unsigned int tame_count(void);

/** Nothing of a device is in use. */
void tame_assert_released(const struct rte_pci_device *dev);

#endif /* TAME_DRIVER_H */
