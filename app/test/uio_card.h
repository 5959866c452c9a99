/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef UIO_CARD_H
#define UIO_CARD_H

/**
 * @file
 * What suites about UIO share: devices at addresses of their own that the bus has found, drivers
 * that take them and leave the rest to the test, what must hold for them. Functions fail the test
 * if they cannot do what they should.
 */

#include <stdint.h>

#include <bus_pci_driver.h>

#include "card.h"
#include "fake_sysfs.h"
#include "fake_uio.h"

/** BARs of most devices: 64 KiB of memory, 32 bytes of ports. */
#define UIO_CARD_MEM 2
#define UIO_CARD_IO 1

#define UIO_CARD_VENDOR 0xcafe

struct uio_card {
	struct fake_uio *uio;
	struct rte_pci_device *pci;
	char name[CARD_NAME_MAX];
};

/** The tree that devices are in, while a suite runs. */
extern struct fake_sysfs *uio_sysfs;

/** A device with those BARs. */
extern const struct fake_uio_desc uio_card_common;

/** Drivers of the kernel. */
extern const char *const uio_kernel_drivers[2];

/** Setup and teardown of a suite: EAL runs, with virtual addresses as IOVAs. */
int uio_card_setup(void **state);
int uio_card_teardown(void **state);

/** Start EAL in between, with one option more; NULL: with none. */
void uio_card_eal_start(const char *option);

/**
 * Plug a device in; a driver takes it, of which nothing is mapped. Device id 2 is for a driver
 * that wants write-combining; id 3 for one like that which maps it and declines, and then for
 * one that does not want it.
 */
void uio_card_plug(struct uio_card *card, const struct fake_uio_desc *from);

/** Plug it in, and map it. */
void uio_card_map(struct uio_card *card, const struct fake_uio_desc *desc);

void uio_card_unplug(struct uio_card *card);

/** The command register, as the device has it. */
uint16_t uio_card_command(const struct uio_card *card);

/** Of a device that is not mapped nothing is mapped or open. */
void uio_assert_nothing_left(const struct uio_card *card);

/** Bytes pass both ways between the process and the device, in all widths, aligned or not. */
void uio_assert_bytes_pass(const struct uio_card *card, int bar, uint64_t size);

/** All that the bus tells goes to memory from here on, until uio_log_end(). */
void uio_log_begin(void);
void uio_log_end(void);

/** A text from there names the device and has all these words, which end with NULL. */
void uio_assert_log_tells(const struct uio_card *card, const char *text,
	const char *const words[]);

#endif /* UIO_CARD_H */
