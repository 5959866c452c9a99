/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_UUID_H
#define RTE_UUID_H

/**
 * @file
 * Universally unique identifiers (RFC 9562), 16 bytes in network order. Any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An identifier. */
typedef unsigned char rte_uuid_t[16];

/** An initialiser: the five numbers of the written form, 32, 16, 16, 16 and 48 bits. */
#define RTE_UUID_INIT(a, b, c, d, e) { \
	((a) >> 24) & 0xff, ((a) >> 16) & 0xff, ((a) >> 8) & 0xff, (a) & 0xff, \
	((b) >> 8) & 0xff, (b) & 0xff, \
	((c) >> 8) & 0xff, (c) & 0xff, \
	((d) >> 8) & 0xff, (d) & 0xff, \
	((e) >> 40) & 0xff, ((e) >> 32) & 0xff, ((e) >> 24) & 0xff, \
	((e) >> 16) & 0xff, ((e) >> 8) & 0xff, (e) & 0xff \
}

/** Bytes of the written form, with NUL. */
#define RTE_UUID_STRLEN (36 + 1)

/**
 * Is an identifier nobody's?
 *
 * @param uu The identifier.
 * @return Whether all its bytes are zero.
 */
bool rte_uuid_is_null(const rte_uuid_t uu);

/**
 * Copy an identifier.
 *
 * @param dst Where to.
 * @param src What.
 */
static inline void
rte_uuid_copy(rte_uuid_t dst, const rte_uuid_t src)
{
	memcpy(dst, src, sizeof(rte_uuid_t));
}

/**
 * Order two identifiers, byte by byte.
 *
 * @param a One.
 * @param b The other.
 * @return 0: they are the same; negative: @p a comes first; positive: @p b does.
 */
int rte_uuid_compare(const rte_uuid_t a, const rte_uuid_t b);

/**
 * Read the written form.
 *
 * @param in 36 characters, hexadecimal digits of either case in groups of 8-4-4-4-12.
 * @param uu Where the identifier goes; untouched on failure.
 * @return 0; -1 when the text is anything else.
 */
int rte_uuid_parse(const char *in, rte_uuid_t uu);

/**
 * Write an identifier.
 *
 * @param uu The identifier.
 * @param out Where the text goes.
 * @param len Bytes at @p out; the text is cut to it, RTE_UUID_STRLEN is enough.
 */
void rte_uuid_unparse(const rte_uuid_t uu, char *out, size_t len);

#ifdef __cplusplus
}
#endif

#endif /* RTE_UUID_H */
