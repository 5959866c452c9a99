/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_BYSTANDER_H
#define VU_BYSTANDER_H

/**
 * @file
 * A session and its client that must not notice what happens to another one.
 */

#include <stdint.h>

#include "vu_peer.h"
#include "vu_served.h"

struct bystander {
	struct served served;
	struct vu_peer peer;
	uint32_t count;	/**< of checks */
};

void bystander_start(struct bystander *b);

/** It is served, and has been all the time. */
void bystander_check(struct bystander *b);

/** The last check, and the end. */
void bystander_stop(struct bystander *b);

#endif /* VU_BYSTANDER_H */
