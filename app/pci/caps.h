/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef CAPS_H
#define CAPS_H

/**
 * @file
 * What a copy of configuration space tells. No device is touched here, and no byte trusted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Capabilities that can be told apart: each takes at least 4 bytes of 4096. */
#define CAPS_MAX 1024

struct cap {
	uint16_t offset;	/**< in configuration space, in bytes */
	uint16_t id;
	bool extended;	/**< from offset 0x100 on, with ids of their own */
};

/**
 * Find the capabilities.
 *
 * @param config
 *   The first @p len bytes of configuration space.
 * @param caps
 *   Where to put them, in the order of their lists; room for CAPS_MAX.
 * @return
 *   How many there are. Lists that loop or lead outside end where they do.
 */
size_t caps_collect(const uint8_t *config, size_t len, struct cap *caps);

/** How many interrupts of each kind a device can raise. */
struct cap_interrupts {
	unsigned int intx;
	unsigned int msi;
	unsigned int msix;
	bool pcie;	/**< it reports errors on its link */
};

/** Count the interrupts; the capabilities are as found by caps_collect(). */
struct cap_interrupts caps_interrupts(const uint8_t *config, size_t len, const struct cap *caps,
	size_t nb_caps);

#endif /* CAPS_H */
