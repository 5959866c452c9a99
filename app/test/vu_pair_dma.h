/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_PAIR_DMA_H
#define VU_PAIR_DMA_H

/**
 * @file
 * What suites about DMA by messages share, in both directions: a device that reaches memory while
 * the client serves.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "vu_pair.h"

#define GPA  0x100000u
#define SIZE (3u << 20)

/** Commands of the server come on the one and only socket. */
extern struct pair_how pair_dma_no_twin;

/** What a thread of the device does. */
struct pair_dma_work {
	struct pair *pair;
	bool write;
	uint64_t addr;
	uint64_t len;
	uint8_t *buf;
	int rc;
	atomic_bool done;
};

/** The thread; its argument is the work. */
void *pair_dma_main(void *arg);

/** Memory that is reached by messages: what the device may do with it, what the client lets it. */
void pair_dma_host(struct pair *pair, uint64_t gpa, uint64_t size, uint32_t device_prot,
	void *memory, int host_prot);

/** Have it done while the client serves. @return what the access did */
int pair_dma_read(struct pair *pair, uint64_t addr, uint8_t *buf, uint64_t len);
int pair_dma_write(struct pair *pair, uint64_t addr, uint8_t *buf, uint64_t len);

/** Bytes that are not alike. */
void pair_dma_fill(uint8_t *bytes, uint32_t len);

#endif /* VU_PAIR_DMA_H */
