/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_FEATURE_H
#define VU_FEATURE_H

/**
 * @file
 * What suites about DEVICE_FEATURE share. Protocol reference 5.12, 5.13.
 */

#include <stddef.h>
#include <stdint.h>

#include "vu_served.h"

#define RW   (VU_DMA_F_READ | VU_DMA_F_WRITE)
#define PAGE 4096u

#define GET   0x10000u
#define SET   0x20000u
#define PROBE 0x40000u

#define MIGRATION 1u
#define STATE     2u
#define START     6u
#define STOP      7u
#define REPORT    8u

/** Send DEVICE_FEATURE with @p len bytes of data. @return the error of the reply, or 0 */
int vu_feature(struct vu_peer *peer, uint32_t flags, uint32_t argsz, const void *data, size_t len);

#endif /* VU_FEATURE_H */
