/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_CONN_PAIR_H
#define VU_CONN_PAIR_H

/**
 * @file
 * What suites about connections share: two of them, each other's peers.
 */

#include <stddef.h>
#include <stdint.h>

#include "vu_conn.h"

#include "resources.h"

#define MAX_SIZE (1048576u + VU_CONN_OVERHEAD)
#define MAX_FDS 8u

#define VU_CONN_PAIR_TEST(test_) \
	cmocka_unit_test_setup_teardown(test_, conn_pair_setup, conn_pair_teardown)

struct conn_pair {
	struct resources before;
	struct vu_conn a;
	struct vu_conn b;
};

int conn_pair_setup(void **state);
int conn_pair_teardown(void **state);

/** Setup of a suite: the first thread of a process leaves memory behind that later ones use. */
int conn_pair_first_thread(void **state);

/** Send a message. @return as vu_conn_send() */
int conn_pair_send(struct vu_conn *conn, uint16_t id, uint16_t cmd, const void *data, size_t len,
	const int *fds, unsigned int nb_fds);

/** Receives until a message is there. */
void conn_pair_receive(struct vu_conn *conn, struct vu_rx_msg *msg);

/** Send messages of @p len bytes from a to b until no more fits in. */
void conn_pair_fill_socket(struct conn_pair *pair, uint16_t *id, size_t len);

/** Receive those, up to but not the one with the id @p end. */
void conn_pair_drain(struct conn_pair *pair, uint16_t end, size_t len);

#endif /* VU_CONN_PAIR_H */
