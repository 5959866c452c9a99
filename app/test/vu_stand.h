/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_STAND_H
#define VU_STAND_H

/**
 * @file
 * A raw vfio-user server for tests of the client: a thread that answers what it is told to, right
 * or wrong, and knows no more of the protocol than what a client needs to attach. It keeps what it
 * received.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../lib/vfio_user/vu_proto.h"

#include "resources.h"

#define STAND_PAYLOAD_MAX (2u << 20)
#define STAND_LOG_MAX 512u

/** What a client sent. */
struct stand_request {
	struct vu_hdr hdr;
	uint8_t head[64];	/**< the first bytes of the payload */
	size_t len;	/**< bytes of the payload */
	unsigned int nb_fds;
};

struct stand;

/**
 * Answers a request in its own way.
 *
 * @param payload
 *   Of the request.
 * @return whether it did; else the usual answer is sent.
 */
typedef bool (*stand_answer_t)(struct stand *stand, const struct vu_hdr *hdr,
	const uint8_t *payload, size_t len);

struct stand {
	/* set by the test before stand_start() */
	const char *json;	/**< of VERSION; NULL: "{}" as capabilities */
	stand_answer_t answer;	/**< NULL: the usual answers only */
	void *ctx;	/**< the test's */
	uint32_t timeout_ms;	/**< of the client; 0: long */
	uint32_t reset_timeout_ms;	/**< same; 0: the default */
	uint32_t flags;	/**< to attach with, besides _F_SOCK_FD */

	int sock;	/**< the thread's */
	int twin;	/**< our end of a second socket; -1: none */
	int dev_id;	/**< the client's */
	pthread_t thread;
	uint8_t *payload;
	int fds[VU_SCM_MAX_FD];	/**< that came with the request, closed after it was answered */
	unsigned int nb_fds;
	struct resources before;
	atomic_uint nb_log;	/**< requests since stand_start() or stand_forget() */
	struct stand_request log[STAND_LOG_MAX];
};

/** Setup and teardown of a suite: what is wrong with messages is what the tests are about. */
int stand_setup(void **state);
int stand_teardown(void **state);

/** Start the server and attach to it. @return as rte_vfio_user_attach_dev_opt() */
int stand_try(struct stand *stand);

/** The same, and it succeeds: again and again, where the machine needs longer than the client. */
void stand_start(struct stand *stand);

/** Detach and end; all is as before stand_start(). */
void stand_end(struct stand *stand);

/** A thread with a stack so short that libc keeps it: nothing of it looks like a leak. */
void stand_thread_create(pthread_t *thread, void *(*run)(void *), void *arg);

/** The one request that was received. */
const struct stand_request *stand_only_request(struct stand *stand);

/** Forget what was received. */
void stand_forget(struct stand *stand);

/* ---- for answers ---- */

/** Send bytes. @return whether they were sent */
bool stand_send(struct stand *stand, const void *data, size_t len, const int *fds,
	unsigned int nb_fds);

/** Send a reply. */
bool stand_reply(struct stand *stand, const struct vu_hdr *hdr, const void *payload, size_t len,
	const int *fds, unsigned int nb_fds);

/** Send an error. */
bool stand_error(struct stand *stand, const struct vu_hdr *hdr, uint32_t error);

/** Send a command of the server on a socket. */
bool stand_command(int sock, uint16_t id, uint16_t cmd, const void *payload, size_t len);

/** Receive a message on a socket: header and payload. @return bytes of payload; < 0: none */
long stand_receive(int sock, struct vu_hdr *hdr, void *payload, size_t cap);

/** Answer VERSION with a second socket, if that it is. @return whether it was */
bool stand_answer_twin(struct stand *stand, const struct vu_hdr *hdr);

/** Hang up. The client sees the end. */
void stand_hang_up(struct stand *stand);

#endif /* VU_STAND_H */
