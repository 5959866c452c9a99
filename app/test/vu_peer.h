/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_PEER_H
#define VU_PEER_H

/**
 * @file
 * A raw vfio-user client for tests of the server: it sends the bytes and descriptors that it is
 * told to, and knows no more of the protocol than the header. Whatever goes wrong fails the test.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../lib/vfio_user/vu_proto.h"

#define PEER_PAYLOAD_MAX (1u << 21)
#define PEER_FDS_MAX 253u

struct vu_peer {
	int sock;	/**< blocking, with a time limit; -1: none */
	uint16_t next_id;
	struct vu_hdr hdr;	/**< of what was received last */
	uint8_t *payload;	/**< of it; owned */
	size_t len;	/**< bytes of payload */
	int fds[PEER_FDS_MAX];	/**< that came with it; the next receive closes them */
	unsigned int nb_fds;
};

/** Connect to a path. The VERSION is not sent yet. */
void peer_connect(struct vu_peer *peer, const char *path);

/** Take over a socket. */
void peer_adopt(struct vu_peer *peer, int sock);

/** Close everything. May be repeated. */
void peer_close(struct vu_peer *peer);

/** Send any bytes, with descriptors. */
void peer_send_raw(struct vu_peer *peer, const void *data, size_t len, const int *fds,
	unsigned int nb_fds);

/** Send a message. @return its id */
uint16_t peer_send(struct vu_peer *peer, uint16_t cmd, uint32_t flags, const void *payload,
	size_t len, const int *fds, unsigned int nb_fds);

/** Receive a message. @return false: the server closed the connection */
bool peer_receive(struct vu_peer *peer);

/** The server closed the connection, without a further word. */
void peer_expect_closed(struct vu_peer *peer);

/** Nothing comes within some milliseconds. */
void peer_expect_silence(struct vu_peer *peer);

/** Send a command and receive its reply, which is checked. @return errno of it, 0: success */
int peer_call(struct vu_peer *peer, uint16_t cmd, const void *payload, size_t len);
int peer_call_fds(struct vu_peer *peer, uint16_t cmd, const void *payload, size_t len,
	const int *fds, unsigned int nb_fds);

/** Take a descriptor of the last message. */
int peer_take_fd(struct vu_peer *peer, unsigned int i);

/** VERSION 0.0 with this JSON text. @return errno of the reply */
int peer_version(struct vu_peer *peer, const char *json);

/** Connect and negotiate without any capability of our own. */
void peer_open(struct vu_peer *peer, const char *path);

/** REGION_READ and REGION_WRITE. @return errno of the reply */
int peer_read(struct vu_peer *peer, uint32_t region, uint64_t offset, void *data, uint32_t count);
int peer_write(struct vu_peer *peer, uint32_t region, uint64_t offset, const void *data,
	uint32_t count);

/** A posted REGION_WRITE. */
void peer_post(struct vu_peer *peer, uint32_t region, uint64_t offset, const void *data,
	uint32_t count);

/** DMA_MAP, with a descriptor unless @p fd is -1. @return errno of the reply */
int peer_map(struct vu_peer *peer, uint64_t addr, uint64_t size, uint32_t flags, int fd,
	uint64_t offset);

/** DMA_UNMAP. @return errno of the reply */
int peer_unmap(struct vu_peer *peer, uint64_t addr, uint64_t size, uint32_t flags);

/** SET_IRQS. @return errno of the reply */
int peer_set_irqs(struct vu_peer *peer, uint32_t flags, uint32_t index, uint32_t start,
	uint32_t count, const int *fds, unsigned int nb_fds);

/** A memfd of that size. */
int peer_memory(size_t size);

#endif /* VU_PEER_H */
