/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_REFERENCE_H
#define VU_REFERENCE_H

/**
 * @file
 * What a server has to answer to a command, read off the description of the protocol once more and
 * with nothing of the library: the judge of those who are told wrong things.
 */

#include <stdbool.h>

#include "vu_hostile.h"

/**
 * @param served
 *   The server is the device of vu_served.h, with no memory and no interrupt bound; else it looks
 *   at messages and has no device.
 * @return
 *   VU_HOSTILE_GOOD, VU_HOSTILE_FAIL, VU_HOSTILE_CLOSE, VU_HOSTILE_ANY, or a positive errno
 */
int vu_reference_expect(const struct vu_hostile_msg *msg, bool served);

#endif /* VU_REFERENCE_H */
