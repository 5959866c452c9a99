/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_DMA_TABLE_H
#define VU_DMA_TABLE_H

/**
 * @file
 * A table of the client's memory, and files to map in it.
 */

#include <stddef.h>
#include <sys/mman.h>

#include "../../lib/vfio_user/vu_dma.h"

#define PAGE 4096u
#define RW (PROT_READ | PROT_WRITE)

/** The table of a test; empty when it begins. */
extern struct vu_dma dma;

/** A memory file in which each 64-bit word tells its own offset. */
int dma_file(size_t size);

/** Fixture of a test. */
int dma_setup(void **state);
int dma_teardown(void **state);

#define DMA_TEST(name_) cmocka_unit_test_setup_teardown(name_, dma_setup, dma_teardown)

#endif /* VU_DMA_TABLE_H */
