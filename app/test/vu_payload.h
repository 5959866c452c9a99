/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_PAYLOAD_H
#define VU_PAYLOAD_H

/**
 * @file
 * The golden messages once more, made by the library's codec from what they say.
 */

#include <stddef.h>
#include <stdint.h>

#include "vu_cmd.h"
#include "vu_codec.h"

#include "vu_golden.h"

#define VU_PAYLOAD_IOVA UINT64_C(0x100000000)

/** A payload that grows. */
struct vu_payload {
	size_t len;
	uint8_t at[VU_GOLDEN_MAX];
};

struct vu_payload_row {
	const char *name;	/**< of the golden message */
	struct vu_hdr hdr;
	void (*make)(struct vu_payload *to);
};

extern const struct vu_payload_row vu_payloads[];
extern const unsigned int vu_payloads_nb;

/** What some of them say. */
extern const struct vu_unmap vu_payload_unmap_one;
extern const struct vu_unmap vu_payload_unmap_all;
extern const struct vu_unmap vu_payload_unmap_bitmap;
extern const struct vu_io_fd vu_payload_io_fd_plain;
extern const struct vu_io_fd vu_payload_io_fd_shadow;
extern const struct vu_region_access vu_payload_region_access;
extern const struct vu_dma_access vu_payload_dma_access;
extern const struct vu_feature vu_payload_feature_get;
extern const struct vu_feature vu_payload_feature_get_state;
extern const struct vu_feature vu_payload_feature_report;

#endif /* VU_PAYLOAD_H */
