/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_CMD_H
#define VU_CMD_H

/**
 * @file
 * The commands of the protocol, one row each. The row is what checks a message before anybody
 * looks at its contents, what names it in the log, and what the tests generate their cases from.
 */

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>

#include "vu_proto.h"

/** Who sends the command. 0: nobody, there is none. */
enum vu_dir {
	VU_TO_SERVER = 1,
	VU_TO_CLIENT,
};

/** Number of descriptors that only the command's own fields can tell. */
#define VU_FDS_COUNTED UINT8_MAX

/** What vu_shape_tail() says where any number of bytes may follow. */
#define VU_TAIL_ANY UINT64_MAX

/** What a request or a successful reply looks like. */
struct vu_shape {
	uint32_t fixed;	/**< bytes that are always there */
	uint8_t max_fds;	/**< or VU_FDS_COUNTED */
	uint8_t count_at;	/**< where in them 32 bits tell how many follow; 0: nowhere */
	/** How many follow otherwise, told from the fixed part, of any alignment; NULL: none */
	uint64_t (*tail)(const void *fixed);
};

/* A row is in one line of the cache. */
struct vu_cmd_desc {
	alignas(64) const char *name;	/**< as the specification has it */
	enum vu_dir dir;
	uint32_t argsz_min;	/**< bytes */
	struct vu_shape request;
	struct vu_shape reply;
	bool has_argsz;	/**< the request starts with argsz, at least the fixed part of the reply */
	bool always_answered;	/**< the no-reply flag has no effect */
};

/** By command; there are none where the row is empty. */
extern const struct vu_cmd_desc vu_cmds[VU_CMD_NB];

/** @return the row of @p cmd, or NULL if there is no such command */
static inline const struct vu_cmd_desc *
vu_cmd_desc(uint32_t cmd)
{
	return likely(cmd < VU_CMD_NB && vu_cmds[cmd].dir != 0) ? &vu_cmds[cmd] : NULL;
}

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

/** @return how many bytes follow the fixed part, VU_TAIL_ANY */
static inline uint64_t
vu_shape_tail(const struct vu_shape *shape, const void *fixed)
{
	uint32_t count;

	if (shape->count_at == 0)
		return likely(shape->tail == NULL) ? 0 : shape->tail(fixed);
	memcpy(&count, (const uint8_t *)fixed + shape->count_at, sizeof(count));
	return count;
}

static inline bool
vu_shape_fits(const struct vu_shape *shape, const void *payload, size_t len, unsigned int nb_fds)
{
	uint64_t tail;

	if (unlikely(len < shape->fixed))
		return false;
	if (unlikely(nb_fds > shape->max_fds) && shape->max_fds != VU_FDS_COUNTED)
		return false;
	tail = vu_shape_tail(shape, payload);
	return likely(len - shape->fixed == tail) || tail == VU_TAIL_ANY;
}

/** Is what stands first in the fixed part as much as it has to be? */
static inline bool
vu_argsz_fits(const struct vu_cmd_desc *desc, const void *payload)
{
	uint32_t argsz;

	if (!desc->has_argsz)
		return true;
	memcpy(&argsz, payload, sizeof(argsz));
	return argsz >= desc->argsz_min;
}

/**
 * Check the shape of a request: who may send it, length, argsz, number of descriptors.
 *
 * @param payload
 *   What follows the header, @p len bytes, of any alignment.
 * @return
 *   0; -ENOSYS: no such command; -EINVAL: wrong in any other way.
 */
static inline int
vu_request_check(uint32_t cmd, enum vu_dir dir, const void *payload, size_t len,
	unsigned int nb_fds)
{
	const struct vu_cmd_desc *desc;

	if (unlikely(cmd >= VU_CMD_NB || vu_cmds[cmd].dir != dir))
		return -ENOSYS;
	desc = &vu_cmds[cmd];
	return likely(vu_shape_fits(&desc->request, payload, len, nb_fds) &&
		vu_argsz_fits(desc, payload)) ? 0 : -EINVAL;
}

/**
 * Check the shape of a reply to @p cmd.
 *
 * @return 0, or -EPROTO
 */
static inline int
vu_reply_check(uint32_t cmd, const void *payload, size_t len, unsigned int nb_fds)
{
	const struct vu_cmd_desc *desc = vu_cmd_desc(cmd);

	return likely(desc != NULL && vu_shape_fits(&desc->reply, payload, len, nb_fds)) ?
		0 : -EPROTO;
}

#endif /* VU_CMD_H */
