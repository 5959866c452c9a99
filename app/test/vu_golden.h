/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_GOLDEN_H
#define VU_GOLDEN_H

/**
 * @file
 * Bytes of every message of the protocol, written down by hand from its description. Also what
 * fuzzing starts from.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vu_golden {
	const char *name;
	const char *hex;	/**< little endian; blanks do not count */
	const char *text;	/**< follows, with its NUL; NULL: nothing */
	unsigned int nb_fds;	/**< descriptors that go with it */
};

/** Bytes of the longest one, and more. */
#define VU_GOLDEN_MAX 512u

extern const struct vu_golden vu_goldens[];
extern const unsigned int vu_goldens_nb;

/** @return the message of this name, or NULL */
const struct vu_golden *vu_golden_find(const char *name);

/** Writes at most VU_GOLDEN_MAX bytes. @return how many */
size_t vu_golden_bytes(const struct vu_golden *golden, uint8_t *to);

#endif /* VU_GOLDEN_H */
