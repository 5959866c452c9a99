/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_UNSHARED_H
#define VU_UNSHARED_H

/**
 * @file
 * What suites about DMA by messages share: the device reads and writes memory that the client did
 * not share.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vu_served.h"

#define RW   (VU_DMA_F_READ | VU_DMA_F_WRITE)
#define PAGE 4096u
#define BASE 0x100000u	/**< of the memory that the client did not share */
#define SIZE (4u << 20)

/** Capabilities of clients. */
#define TWIN_JSON "{\"capabilities\":{\"max_data_xfer_size\":65536," \
	"\"twin_socket\":{\"supported\":true}}}"
#define SMALL_JSON "{\"capabilities\":{\"max_data_xfer_size\":65536}}"
#define QEMU_JSON "{\"capabilities\":{\"write_multiple\":true}}"

/** A thread of the device. */
struct unshared_worker {
	struct served *served;
	bool write;
	uint64_t addr;
	uint64_t len;
	uint8_t *buf;
	int rc;
	pthread_t thread;
};

void unshared_worker_start(struct unshared_worker *w);

/** Wait for its end. @return what its access did */
int unshared_worker_join(struct unshared_worker *w);

/** A client with these capabilities and this memory. */
void unshared_open(struct vu_peer *peer, struct served *served, const char *json);

/** Serve the device once more, with other options. */
void unshared_restart(struct served *served, const struct rte_vfio_user_options *opt);

/** The next message is such a command of the server. Leaves it in peer->payload. */
void unshared_expect(struct vu_peer *peer, uint16_t cmd, struct vu_dma_access *access);

/** Reply to it. */
void unshared_reply(struct vu_peer *peer, uint32_t flags, uint32_t error, const void *payload,
	size_t len);

/** The next message is a DMA_READ or DMA_WRITE: do what it asks for. */
void unshared_answer_read(struct vu_peer *peer);
void unshared_answer_write(struct vu_peer *peer, size_t reply_len);

/** What is at an address of the client's memory. */
uint8_t unshared_pattern(uint64_t addr);

/** That has been read. */
void unshared_assert_pattern(const uint8_t *buf, uint64_t addr, uint64_t len);

#endif /* VU_UNSHARED_H */
