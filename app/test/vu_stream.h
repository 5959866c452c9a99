/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_STREAM_H
#define VU_STREAM_H

/**
 * @file
 * What suites about the reception of messages share: a socket with a test at its other end.
 */

#include <stddef.h>
#include <stdint.h>

#include "vu_rx.h"
#include "vu_tx.h"

#include "resources.h"

#define MAX_SIZE 1048704u
#define MAX_FDS 4u

#define VU_STREAM_TEST(test_) \
	cmocka_unit_test_setup_teardown(test_, stream_setup, stream_teardown)

struct stream {
	struct resources before;
	int peer;	/**< we send here */
	int sock;
	struct vu_rx rx;
	struct vu_tx tx;
};

int stream_setup(void **state);
int stream_teardown(void **state);

/** A message: all bytes of its payload are its id, and so is the count of its eventfds. */
void stream_send(struct stream *s, uint16_t id, uint16_t cmd, size_t len, unsigned int nb_fds);

/** The message is the one that stream_send() made, with its own descriptors. */
void stream_assert_msg(const struct vu_rx_msg *msg, uint16_t id, uint16_t cmd, size_t len,
	unsigned int nb_fds);

/** Receives as often as needed. @return as vu_rx_next() */
int stream_next(struct stream *s, struct vu_rx_msg *msg);

#endif /* VU_STREAM_H */
