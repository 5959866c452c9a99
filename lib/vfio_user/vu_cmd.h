/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_CMD_H
#define VU_CMD_H

/**
 * @file
 * The commands of the protocol, one row each. The row is what checks a message before anybody
 * looks at its contents, what names it in the log, and what the tests generate their cases from.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vu_proto.h"

/** Who sends the command. */
enum vu_dir {
	VU_TO_SERVER,
	VU_TO_CLIENT,
};

/** Number of descriptors that only the command's own fields can tell. */
#define VU_FDS_COUNTED UINT8_MAX

/** What a request or a successful reply looks like. */
struct vu_shape {
	uint32_t fixed;	/**< bytes that are always there */
	/**
	 * How many bytes follow the fixed part, told from it, of any alignment; NULL: none.
	 * UINT64_MAX: any number.
	 */
	uint64_t (*tail)(const void *fixed);
	uint8_t max_fds;	/**< or VU_FDS_COUNTED */
};

struct vu_cmd_desc {
	const char *name;	/**< as the specification has it */
	enum vu_dir dir;
	struct vu_shape request;
	struct vu_shape reply;
	bool has_argsz;	/**< the request starts with argsz, at least the fixed part of the reply */
	uint32_t argsz_min;	/**< bytes */
	bool always_answered;	/**< the no-reply flag has no effect */
};

/** @return the row of @p cmd, or NULL if there is no such command */
const struct vu_cmd_desc *vu_cmd_desc(uint32_t cmd);

/** @return a name for the log, also for commands there are not */
const char *vu_cmd_name(uint32_t cmd);

/**
 * Check a header that was received where commands from @p dir are expected; replies are
 * accepted if @p replies is true.
 *
 * @param max_size
 *   Largest message that the receiver takes, in bytes.
 * @return
 *   0, or -EPROTO: the stream cannot be followed any further.
 */
static inline int
vu_hdr_check(const struct vu_hdr *hdr, uint32_t max_size, bool replies)
{
	uint32_t type = hdr->flags & VU_F_TYPE_MASK;

	if (hdr->size < sizeof(*hdr) || hdr->size > max_size)
		return -EPROTO;
	if (type == VU_F_TYPE_COMMAND)
		return 0;
	return type == VU_F_TYPE_REPLY && replies ? 0 : -EPROTO;
}

/**
 * Check the shape of a request: who may send it, length, argsz, number of descriptors.
 *
 * @param payload
 *   What follows the header, @p len bytes, of any alignment.
 * @return
 *   0; -ENOSYS: no such command; -EINVAL: wrong in any other way.
 */
int vu_request_check(uint32_t cmd, enum vu_dir dir, const void *payload, size_t len,
	unsigned int nb_fds);

/**
 * Check the shape of a reply to @p cmd.
 *
 * @return 0, or -EPROTO
 */
int vu_reply_check(uint32_t cmd, const void *payload, size_t len, unsigned int nb_fds);

#endif /* VU_CMD_H */
