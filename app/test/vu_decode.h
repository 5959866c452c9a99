/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_DECODE_H
#define VU_DECODE_H

/**
 * @file
 * Reads every field of a message that is not to be trusted, as a session would.
 */

#include "vu_rx.h"

/** Read a command. @return 0, or the negative errno of the check that refused it */
int vu_decode_request(const struct vu_rx_msg *msg);

/** Read a reply, to a request of the same command that is like the golden one. @return same */
int vu_decode_reply(const struct vu_rx_msg *msg);

#endif /* VU_DECODE_H */
