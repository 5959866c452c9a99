/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <rte_common.h>

#include "vu_caps.h"
#include "vu_proto.h"

enum member_type {
	MEMBER_U32,
	MEMBER_U64,
	MEMBER_BOOL,
};

/* A member of an object of the text, and where its value goes. */
struct member {
	const char *name;
	enum member_type type;
	size_t offset;
	uint64_t min;
	uint64_t max;
	bool always;	/* written even if it is the default: not all peers have the same */
	const char *why;	/* said when type or range is wrong */
};

#define MEMBER(name_, always_, type_, field, min_, max_) { \
	.name = name_, \
	.always = always_, \
	.type = type_, \
	.offset = offsetof(struct vu_caps, field), \
	.min = min_, \
	.max = max_, \
	.why = "member " name_ " is of the wrong type or out of range", \
}

static const struct member cap_members[] = {
	MEMBER("max_msg_fds", true, MEMBER_U32, max_msg_fds, 0, UINT32_MAX),
	MEMBER("max_data_xfer_size", true, MEMBER_U32, max_data_xfer_size, 1, UINT32_MAX),
	MEMBER("max_dma_maps", true, MEMBER_U32, max_dma_maps, 0, UINT32_MAX),
	MEMBER("pgsizes", false, MEMBER_U64, pgsizes, 1, INT64_MAX),
	MEMBER("write_multiple", false, MEMBER_BOOL, write_multiple, 0, 1),
	/* not of the specification: others do not look at it */
	MEMBER("dpdk_map_multiple", false, MEMBER_BOOL, map_multiple, 0, 1),
};

static const struct member migration_members[] = {
	MEMBER("pgsize", true, MEMBER_U64, mig_pgsize, 1, INT64_MAX),
	MEMBER("max_bitmap_size", false, MEMBER_U64, mig_max_bitmap_size, 0, INT64_MAX),
};

void
vu_caps_default(struct vu_caps *caps)
{
	*caps = (struct vu_caps) {
		.max_msg_fds = VU_DEFAULT_MAX_MSG_FDS,
		.max_data_xfer_size = VU_DEFAULT_MAX_DATA_XFER,
		.max_dma_maps = VU_DEFAULT_MAX_DMA_MAPS,
		.pgsizes = VU_DEFAULT_PGSIZES,
		.twin_fd_index = -1,
		.mig_pgsize = VU_DEFAULT_PGSIZES,
		.mig_max_bitmap_size = VU_DEFAULT_MAX_BITMAP,
	};
}

static int
member_number(const json_t *value, const struct member *m, uint64_t *number)
{
	json_int_t n;

	if (!json_is_integer(value))
		return -EINVAL;
	n = json_integer_value(value);
	if (n < 0 || (uint64_t)n < m->min || (uint64_t)n > m->max)
		return -EINVAL;
	*number = (uint64_t)n;
	return 0;
}

static int
member_read(const json_t *value, const struct member *m, struct vu_caps *caps)
{
	void *field = (char *)caps + m->offset;
	uint64_t number;

	if (m->type == MEMBER_BOOL) {
		if (!json_is_boolean(value))
			return -EINVAL;
		*(bool *)field = json_is_true(value);
		return 0;
	}
	if (member_number(value, m, &number) < 0)
		return -EINVAL;
	if (m->type == MEMBER_U32)
		*(uint32_t *)field = (uint32_t)number;
	else
		*(uint64_t *)field = number;
	return 0;
}

static int
members_read(const json_t *object, const struct member *m, size_t nb, struct vu_caps *caps,
	const char **why)
{
	const json_t *value;

	for (; nb > 0; m++, nb--) {
		value = json_object_get(object, m->name);
		if (value == NULL || member_read(value, m, caps) == 0)
			continue;
		*why = m->why;
		return -EINVAL;
	}
	return 0;
}

static int
migration_read(const json_t *object, struct vu_caps *caps, const char **why)
{
	if (object == NULL)
		return 0;
	caps->migration = true;
	*why = "member migration is no object";
	if (!json_is_object(object))
		return -EINVAL;
	return members_read(object, migration_members, RTE_DIM(migration_members), caps, why);
}

static int
twin_socket_read(const json_t *object, struct vu_caps *caps, const char **why)
{
	const json_t *supported, *fd_index;

	if (object == NULL)
		return 0;
	*why = "member twin_socket is malformed";
	if (!json_is_object(object))
		return -EINVAL;
	supported = json_object_get(object, "supported");
	fd_index = json_object_get(object, "fd_index");
	if (supported != NULL && !json_is_boolean(supported))
		return -EINVAL;
	if (fd_index != NULL && (!json_is_integer(fd_index) ||
			json_integer_value(fd_index) < 0 ||
			json_integer_value(fd_index) >= VU_SCM_MAX_FD))
		return -EINVAL;
	caps->twin_socket = json_is_true(supported);
	if (fd_index != NULL)
		caps->twin_fd_index = (int)json_integer_value(fd_index);
	return 0;
}

static int
caps_read(const json_t *root, struct vu_caps *caps, const char **why)
{
	const json_t *object;

	*why = "text is no JSON object";
	if (!json_is_object(root))
		return -EINVAL;
	object = json_object_get(root, "capabilities");
	if (object == NULL)
		return 0;
	*why = "member capabilities is no object";
	if (!json_is_object(object))
		return -EINVAL;
	if (members_read(object, cap_members, RTE_DIM(cap_members), caps, why) < 0 ||
			migration_read(json_object_get(object, "migration"), caps, why) < 0)
		return -EINVAL;
	caps->says_dma_maps = json_object_get(object, "max_dma_maps") != NULL;
	return twin_socket_read(json_object_get(object, "twin_socket"), caps, why);
}

/*
 * A lack of memory leaves no error, or one of syntax where it came in the middle of a string: but
 * not a second time. root is NULL for what is no JSON.
 */
static int
text_load(const char *text, size_t len, json_t **root)
{
	json_error_t error = { .line = 0 };
	int tries = 2;

	do {
		*root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	} while (*root == NULL && --tries > 0);
	return *root == NULL && json_error_code(&error) == json_error_unknown ? -ENOMEM : 0;
}

int
vu_caps_parse(const char *text, size_t len, struct vu_caps *caps, const char **why)
{
	json_t *root;
	int rc;

	vu_caps_default(caps);
	if (len == 0)
		return 0;
	*why = "text is too long";
	if (len > VU_CAPS_TEXT_MAX + 1)
		return -EINVAL;
	*why = "text does not end in its only NUL";
	if (memchr(text, '\0', len) != text + len - 1)
		return -EINVAL;
	rc = text_load(text, len - 1, &root);
	*why = "no memory for the text";
	if (rc < 0)
		return rc;
	rc = caps_read(root, caps, why);
	json_decref(root);
	return rc;
}

static uint64_t
member_value(const struct member *m, const struct vu_caps *caps)
{
	const void *field = (const char *)caps + m->offset;

	if (m->type == MEMBER_BOOL)
		return *(const bool *)field;
	return m->type == MEMBER_U32 ? *(const uint32_t *)field : *(const uint64_t *)field;
}

static int
member_write(json_t *object, const struct member *m, uint64_t value)
{
	if (m->type == MEMBER_BOOL)
		return json_object_set_new(object, m->name, json_boolean(value));
	return json_object_set_new(object, m->name, json_integer((json_int_t)value));
}

/* What has its default is left out: there are peers with room for a short text only. */
static int
members_write(json_t *object, const struct member *m, size_t nb, const struct vu_caps *caps)
{
	struct vu_caps absent;
	uint64_t value;

	vu_caps_default(&absent);
	for (; nb > 0; m++, nb--) {
		value = member_value(m, caps);
		if ((m->always || value != member_value(m, &absent)) &&
				member_write(object, m, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int
twin_socket_write(json_t *object, const struct vu_caps *caps)
{
	json_t *twin;

	if (!caps->twin_socket)
		return 0;
	if (caps->twin_fd_index < 0)
		twin = json_pack("{s:b}", "supported", 1);
	else
		twin = json_pack("{s:b,s:i}", "supported", 1, "fd_index", caps->twin_fd_index);
	return json_object_set_new(object, "twin_socket", twin);
}

static int
migration_write(json_t *object, const struct vu_caps *caps)
{
	json_t *migration;

	if (!caps->migration)
		return 0;
	migration = json_object();
	if (json_object_set_new(object, "migration", migration) < 0)
		return -ENOMEM;
	return members_write(migration, migration_members, RTE_DIM(migration_members), caps);
}

int
vu_caps_print(const struct vu_caps *caps, char *text, size_t cap)
{
	json_t *object = json_object();
	json_t *root = json_pack("{s:O}", "capabilities", object);
	size_t len;
	int rc = -ENOMEM;

	if (root == NULL || members_write(object, cap_members, RTE_DIM(cap_members), caps) < 0 ||
			twin_socket_write(object, caps) < 0 || migration_write(object, caps) < 0)
		goto out;
	len = json_dumpb(root, text, cap, JSON_COMPACT);
	rc = -ENOSPC;
	if (len == 0 || len >= cap)
		goto out;
	text[len] = '\0';
	rc = (int)len + 1;
out:
	json_decref(root);
	json_decref(object);
	return rc;
}
