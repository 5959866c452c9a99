/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_FREEBSD_PRIV_H
#define FAKE_FREEBSD_PRIV_H

/**
 * @file
 * What the files of the fake FreeBSD share.
 */

#include <stdbool.h>

struct fake_freebsd_bar;
struct fake_freebsd_device;

/** What a descriptor is. */
struct open_file {
	enum { NOTHING, DEV_PCI, DEV_IO, DEV_UIO, DEV_CONTIGMEM } kind;
	bool writable;
	struct fake_freebsd_device *dev;
};

extern struct fake_freebsd_device *fake_freebsd_devices;	/**< in the order of the list */
extern unsigned int fake_freebsd_generation;	/**< of the list */

bool fake_freebsd_bar_is_port(const struct fake_freebsd_bar *bar);

/** Answer a request, one at a time. 0 or -errno. */
int fake_freebsd_answer(const struct open_file *file, unsigned long request, void *arg);

#endif /* FAKE_FREEBSD_PRIV_H */
