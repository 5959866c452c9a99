/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FUZZ_H
#define FUZZ_H

/**
 * @file
 * Targets for fuzzing. Each takes any bytes and must come back, with nothing left open. They are
 * functions of their own, so that dpdk-test can replay seeds without libFuzzer.
 *
 * Bytes are a list of packets: what a hostile peer sends in one call. A packet starts with three
 * bytes: length in bytes (16 bits, little endian), then what goes with it: number of descriptors
 * in bits 0-2, their kind in bits 3-5. What bits 6 and 7 mean is told by the target.
 */

#include <stddef.h>
#include <stdint.h>

/** Bytes in front of a packet's data. */
#define FUZZ_PACKET_HEAD 3u

/** Longest seed, in bytes. */
#define FUZZ_SEED_MAX 8192u

struct fuzz_packet {
	const uint8_t *data;
	size_t len;
	unsigned int nb_fds;
	unsigned int fd_kind;
	int bit6;
	int bit7;
};

/** Cut the next packet off. @return 0: none is left */
int fuzz_packet_next(const uint8_t **data, size_t *len, struct fuzz_packet *packet);

/** Send a packet with its descriptors. @return 0, or -errno */
int fuzz_packet_send(int sock, const struct fuzz_packet *packet);

/** Seed @p i, made of the golden messages. @return bytes, 0: there are not so many */
size_t fuzz_seed(unsigned int i, uint8_t *to);

/** Receive buffer, command table and codec. Bit 6: the receiver expects a reply. @return 0 */
int fuzz_wire(const uint8_t *data, size_t len);

/** The text of VERSION. @return 0 */
int fuzz_caps(const uint8_t *data, size_t len);

/** A served device; packets come from its client. Bit 7: with the next one. @return 0 */
int fuzz_server(const uint8_t *data, size_t len);

/**
 * A client; each packet answers a request, whose id and command it gets. Bit 6: it does not get
 * them; bit 7: it does not wait for a request. @return 0
 */
int fuzz_client(const uint8_t *data, size_t len);

#endif /* FUZZ_H */
