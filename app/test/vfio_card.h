/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_CARD_H
#define VFIO_CARD_H

/**
 * @file
 * What suites about the bus on VFIO share: devices of a fake kernel at addresses of their own that
 * the bus has found, drivers that take them and leave the rest to the test, what must hold for
 * them. Functions fail the test if they cannot do what they should.
 *
 * Tests called test_s1_... to test_s18_... are about faults that a widely used bus has, each of
 * which must not be here.
 */

#include <stdbool.h>
#include <stdint.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>

#include "card.h"
#include "fake_vfio.h"
#include "test.h"

#define K UINT64_C(0x1000)	/**< the page size of all machines that run this */
#define MIB UINT64_C(0x100000)

#define VFIO_CARD_VENDOR 0xcafe

/** A table of tests as two suites: devices are opened by their groups, or by their own nodes. */
#define VFIO_CARD_SUITES(name_, tests_) \
TEST_SUITE(name_, "functional", tests_, vfio_card_setup, vfio_card_teardown) \
TEST_SUITE(name_##_cdev, "functional", tests_, vfio_card_setup_cdev, vfio_card_teardown_cdev)

struct vfio_card {
	struct fake_device *fake;
	struct rte_pci_device *pci;
	char name[CARD_NAME_MAX];
};

/** The kernel that devices are plugged into, while a suite runs. */
extern struct fake_vfio *vfio_card_kernel;

/** Devices get no folder vfio-dev, as under kernels before 6.1. */
extern bool vfio_card_without_folder;

/** Setup and teardown of a suite: EAL runs. */
int vfio_card_setup(void **state);
int vfio_card_teardown(void **state);

/** The same, and devices have nodes of their own; the bus does not know how EAL has them. */
int vfio_card_setup_cdev(void **state);
int vfio_card_teardown_cdev(void **state);

/** Start EAL in between, with one option more, or NULL; as rte_eal_init(). */
int vfio_card_eal_start(const char *extra);

/**
 * Plug a device in at an address of its own; the bus finds it and asks our drivers. Device id 2
 * is for one that has its devices mapped. Returns what rte_eal_hotplug_add() does.
 */
int vfio_card_try(struct vfio_card *card, const struct fake_device_desc *from);

/** The same, and a driver takes it. */
void vfio_card_plug(struct vfio_card *card, const struct fake_device_desc *desc);

/** Plug it in, and map it. */
void vfio_card_map(struct vfio_card *card, const struct fake_device_desc *desc);

void vfio_card_unplug(struct vfio_card *card);

/** What a byte of a BAR is at first; never 0. */
uint8_t vfio_card_pattern(uint64_t offset);

/** BAR 2 has two windows with a hole between. */
struct fake_device_desc vfio_card_two_windows(void);

/** One more window in the sparse capability of a region. */
void vfio_card_area(struct fake_caps *caps, uint64_t offset, uint64_t size);

/** A configuration space that is written from its start. */
struct vfio_config {
	uint8_t bytes[256];
	uint8_t end;	/**< where the next capability goes */
	uint8_t last;	/**< the pointer to link it to */
};

void vfio_config_init(struct vfio_config *c);

/** A capability more; returns where it stands. */
uint8_t vfio_config_cap(struct vfio_config *c, uint8_t id, uint8_t len);

/** That of MSI-X, with its table at @p offset in a BAR. */
void vfio_config_msix(struct vfio_config *c, unsigned int bar, uint32_t offset,
	unsigned int vectors);

/** A device with some of everything; @p config must live as long as it. */
void vfio_card_rich(struct fake_device_desc *desc, struct vfio_config *config);

/**
 * Exactly the windows are mapped with this protection, as /proc/self/maps writes it, and the rest
 * of the BAR is reserved.
 */
void vfio_assert_maps_are(const struct rte_pci_device *dev, unsigned int bar, uint64_t size,
	const struct rte_pci_bar_window *windows, unsigned int nb, const char *prot);

/** Bytes of BAR 2 by a pointer where there is one, by the helper, and by what the device has. */
void vfio_assert_every_byte_is_the_same(struct vfio_card *card, uint64_t size);

/** Of a device that is not mapped nothing is mapped or open. */
void vfio_assert_nothing_is_left(const struct rte_pci_device *dev);

#endif /* VFIO_CARD_H */
