/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_CODEC_PRIV_H
#define VU_CODEC_PRIV_H

/**
 * @file
 * What the files of vu_codec.h share.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** The fixed part of a payload, which may stand anywhere. @return false: it is shorter */
static inline bool
vu_fixed_copy(void *fixed, size_t size, const void *payload, size_t len)
{
	if (len < size)
		return false;
	memcpy(fixed, payload, size);
	return true;
}

static inline bool
vu_is_pow2(uint64_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

#endif /* VU_CODEC_PRIV_H */
