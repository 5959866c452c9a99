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
 * in bits 0-2, their kind in bits 3-5, FUZZ_*. What bits 6 and 7 mean is told by the target.
 */

#include <stddef.h>
#include <stdint.h>

/** Bytes in front of a packet's data. */
#define FUZZ_PACKET_HEAD 3u

/** Kinds of descriptors. */
#define FUZZ_EVENTFD 0u
#define FUZZ_MEMORY  1u
#define FUZZ_DIR     2u
#define FUZZ_NULL    3u
/** Instead of descriptors: who sends the packet hangs up behind it. */
#define FUZZ_HANG_UP 6u
/** Instead of descriptors: the packet goes to the second socket, or makes it. */
#define FUZZ_TWIN    7u

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

/** The same with other descriptors. */
int fuzz_packet_send_fds(int sock, const struct fuzz_packet *packet, const int *fds,
	unsigned int nb_fds);

/** Seed @p i, made of the golden messages. @return bytes, 0: there are not so many */
size_t fuzz_seed(unsigned int i, uint8_t *to);

/** How deep targets have come since the start: what their seeds are good for. */
struct fuzz_reached {
	unsigned int calls;	/**< of a client that attached */
	unsigned int failed;	/**< of them */
	unsigned int regions;	/**< of memory that a server had at a time */
	unsigned int copies;	/**< that a device made by messages */
};

extern struct fuzz_reached fuzz_reached;

/** What is answered right comes in two pieces, the first of so many bytes; 0: in one. For tests. */
extern size_t fuzz_client_split;

/** Receive buffer, command table and codec. Bit 6: the receiver expects a reply. @return 0 */
int fuzz_wire(const uint8_t *data, size_t len);

/** The text of VERSION. @return 0 */
int fuzz_caps(const uint8_t *data, size_t len);

/**
 * A served device; packets come from its client. Bit 7: with the next one. FUZZ_TWIN: on the second
 * socket, if the server has made one. @return 0
 */
int fuzz_server(const uint8_t *data, size_t len);

/**
 * A client; each packet answers the next request of its command, whose id it gets. All others are
 * answered right. Bit 6: it answers the next request, and does not get its id; bit 7: it does not
 * wait for a request. FUZZ_TWIN: the first one brings a second socket, later ones come on it.
 * @return 0
 */
int fuzz_client(const uint8_t *data, size_t len);

#endif /* FUZZ_H */
