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

/** Of these bytes of memory at VU_REFERENCE_ADDR, for the device to read and write. */
#define VU_REFERENCE_ADDR UINT64_C(0x100000000)
#define VU_REFERENCE_SIZE 65536u

/**
 * What a client has to answer to a command of its server.
 *
 * @param twin
 *   It came on the second socket.
 * @return as vu_reference_expect()
 */
int vu_reference_expect_client(const struct vu_hostile_msg *msg, bool twin);

/** Access of the device that the golden replies to DMA_READ and DMA_WRITE belong to. */
#define VU_REFERENCE_ACCESS_ADDR (VU_REFERENCE_ADDR + 0x1000)
#define VU_REFERENCE_ACCESS_LEN  4u

/**
 * What a device has to make of a reply to its access.
 *
 * @param twin
 *   It came on the second socket.
 * @return VU_HOSTILE_GOOD: it succeeds; VU_HOSTILE_FAIL: it fails; VU_HOSTILE_CLOSE: and so ends
 *   the session
 */
int vu_reference_expect_access(const struct vu_hostile_msg *msg, bool twin);

#endif /* VU_REFERENCE_H */
