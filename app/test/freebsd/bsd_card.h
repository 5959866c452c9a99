/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef BSD_CARD_H
#define BSD_CARD_H

/**
 * @file
 * A machine under FreeBSD with one device, and EAL. Functions fail the test if they cannot do what
 * they should.
 */

#include <stdint.h>

#include <bus_pci_driver.h>
#include <rte_common.h>

#include "fake_freebsd.h"

/* Of its configuration space. */
#define COMMAND 4
#define COMMAND_IO 1
#define COMMAND_MEMORY 2
#define COMMAND_MASTER 4

/* Numbers of BARs besides 0, which is memory, too. */
#define PORTS 2
#define MEMORY 3
#define SMALL 5	/**< less than a page */

extern const struct rte_pci_addr bsd_card_addr;
extern const struct fake_freebsd_device bsd_card_like;

/** A way to a device. */
struct bsd_way {
	const char *driver;	/**< of the kernel */
	const char *backend;
};

/** nic_uio, and /dev/pci alone. */
extern const struct bsd_way bsd_ways[2];

/** Most tests go both. */
#define EACH_WAY(way_) \
	for (const struct bsd_way *way_ = bsd_ways; way_ < bsd_ways + RTE_DIM(bsd_ways); way_++)

extern struct fake_freebsd_device *bsd_card;	/**< the device, as the kernel has it */
extern struct rte_pci_device *bsd_dev;	/**< and as the bus has it */
extern uint8_t bsd_mem[4096];	/**< for what a test moves */

/** Setup and teardown of a test of the scan: a machine without devices, and no EAL. */
int bsd_scan_setup(void **state);
int bsd_scan_teardown(void **state);

/** A machine with the card, EAL with the bus; nothing is mapped. */
void bsd_begin(const struct bsd_way *way);
void bsd_end(void);

/** The same, with the device mapped. */
void bsd_begin_mapped(const struct bsd_way *way);
void bsd_end_mapped(void);

/** The memory of a BAR as the device has it. */
uint8_t bsd_card_byte(unsigned int bar, uint64_t offset);

/** Put a pattern there: at each offset its sevenfold and the BAR's number. */
void bsd_card_fill(unsigned int bar);

#endif /* BSD_CARD_H */
